//! Every fuzz target over its seeds and over damaged ones, always the same: `make fuzz` goes on where this ends.

use crate::targets::{Fixtures, TARGETS, Target};
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::panic::catch_unwind;
use std::path::Path;

/// Damaged variants of a seed of usual length; long seeds have fewer.
const VARIANTS: usize = 120;

fn fixtures() -> Fixtures {
    Fixtures::of(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
}

#[test]
fn every_target_keeps_its_promises_on_damaged_bytes() {
    let _alone = crate::alone();
    let mut broken = Vec::new();
    for target in TARGETS {
        let seeds = target.seeds(&fixtures());
        // A seed that breaks it is found again below, and named.
        let _ = catch_unwind(|| target.warm_up(&seeds));
        for (number, seed) in seeds.iter().enumerate() {
            let damaged = (0..variants(seed)).map(|variant| damage(seed, variant));
            let inputs = std::iter::once(seed.clone()).chain(damaged);
            // One example of each seed is enough to start with.
            if let Some(input) = inputs.into_iter().find(|input| breaks(*target, input)) {
                let name = format!("{} breaks on seed {number}", target.name);
                broken.push(format!("{name}, damaged to {}", input.escape_ascii()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_folder_of_crashers_belongs_to_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/crashers");
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            let target = Target::named(&name).unwrap_or_else(|| panic!("no target is called {name}"));
            assert!(!fixtures().crashers(target.name).is_empty(), "{name} is empty");
        }
    }
}

fn breaks(target: Target, input: &[u8]) -> bool {
    catch_unwind(|| target.run(input)).is_err()
}

fn variants(seed: &[u8]) -> usize {
    (VARIANTS * 1_000 / seed.len().max(1)).clamp(8, VARIANTS)
}

/// Cut short, a bit flipped, a byte that makes a length lie, a part left out, a part repeated: one after the other.
fn damage(seed: &[u8], variant: usize) -> Vec<u8> {
    const LENGTHS: [u8; 4] = [0x00, 0x7f, 0x80, 0xff];
    let mut bytes = seed.to_vec();
    if bytes.is_empty() {
        return vec![LENGTHS[variant % LENGTHS.len()]];
    }
    let draw = |of: u64, below: usize| {
        let mut hash = DefaultHasher::new();
        hash.write(seed);
        hash.write_u64(variant as u64 * 8 + of);
        usize::try_from(hash.finish() >> 1).unwrap() % below.max(1)
    };
    let at = draw(0, bytes.len());
    let end = (at + 1 + draw(1, 16)).min(bytes.len());
    match variant % 5 {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << draw(2, 8),
        2 => bytes[at] = LENGTHS[draw(3, LENGTHS.len())],
        3 => drop(bytes.drain(at..end)),
        _ => {
            let part = bytes[at..end].repeat(1 + draw(4, 100));
            drop(bytes.splice(at..at, part));
        }
    }
    bytes
}

#[test]
fn damage_is_always_the_same_and_always_damage() {
    let seed = b"a seed that is long enough to be damaged in many places";
    for variant in 0..VARIANTS {
        assert_eq!(damage(seed, variant), damage(seed, variant));
        assert_ne!(damage(seed, variant), seed, "variant {variant}");
    }
}
