//! How much memory a decoder takes at most, measured: every allocation of the program is counted.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// What any input may cost: tables that are made once, buffers of decompressors, one step of unpacking.
const ANY: usize = 4 << 20;
/// What each byte of input may cost at its worst moment: a list of numbers of two bytes each, as a tree, while it grows.
const EACH_BYTE: usize = 200;

/// The most memory that decoding so many bytes may take. Holds for inputs of a record or two: what a whole body may
/// cost is far less than this times its length, and is said where bombs are tested.
pub const fn most_for(input: usize) -> usize {
    ANY + EACH_BYTE * input
}

/// Does something, and tells how much memory was held at its worst moment beyond what was held before. What other
/// threads do at that time counts too.
pub fn peak<T>(does: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let done = does();
    (done, ALLOCATED.peak_usage().saturating_sub(before))
}
