//! How soon freed memory goes back to the system.
//!
//! The allocator waits a second by default, in which a busy process frees more than it uses: a server with a budget of
//! 512 MiB under 64 senders held 1.0 GiB instead of 0.6, at the same speed. It takes its options from the environment
//! alone and reads them before `main`, so that a program that runs for long starts itself once more with them.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Milliseconds.
const DELAY: (&str, &str) = ("MIMALLOC_PURGE_DELAY", "20");

/// Becomes the same program with the option set, under the same process id. Returns when it is set already, whoever set
/// it, or when that is not possible: then memory only goes back later.
pub fn give_back_soon(arguments: &[OsString]) {
    let (name, value) = DELAY;
    if std::env::var_os(name).is_some() {
        return;
    }
    let (Ok(program), Some((first, rest))) = (std::env::current_exe(), arguments.split_first()) else { return };
    let error = Command::new(program).arg0(first).args(rest).env(name, value).exec();
    // Nothing logs yet.
    eprintln!("koshu: memory goes back to the system later than it could: {error}");
}
