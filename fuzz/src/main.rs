//! Looks for bytes that break a decoder, with libFuzzer. `scripts/fuzz` builds and starts it; see `README.md`.
//!
//! `KOSHU_FUZZ_TARGET` names the target. With `KOSHU_FUZZ_SEEDS` it writes the seeds of every target into a folder of its
//! name below that one, prints the names, and ends.
#![no_main]

mod targets;

use libfuzzer_sys::fuzz_target;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::OnceLock;
use targets::{Fixtures, TARGETS, Target};

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(init: prepare(), |input: &[u8]| {
    TARGET.get().expect("the target was chosen at the start").run(input);
});

fn prepare() {
    if let Some(folder) = env::var_os("KOSHU_FUZZ_SEEDS") {
        write_seeds(&PathBuf::from(folder));
        exit(0);
    }
    let name = env::var("KOSHU_FUZZ_TARGET").unwrap_or_default();
    let Some(target) = Target::named(&name) else {
        eprintln!("KOSHU_FUZZ_TARGET={name:?} is no target; scripts/fuzz --list names them");
        exit(2);
    };
    target.warm_up(&target.seeds(&fixtures()));
    let _ = TARGET.set(target);
}

fn fixtures() -> Fixtures {
    Fixtures::of(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn write_seeds(folder: &Path) {
    for target in TARGETS {
        let own = folder.join(target.name);
        fs::create_dir_all(&own).expect("the folder for seeds can be made");
        for (number, seed) in target.seeds(&fixtures()).iter().enumerate() {
            fs::write(own.join(format!("seed-{number:03}")), seed).expect("a seed can be written");
        }
        println!("{}", target.name);
    }
}
