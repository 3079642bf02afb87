//! The `koshu` binary: reads the command line and hands over. What the commands do lives in [`commands`], what a server
//! is made of in [`app`]. Never decides anything about the domain.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod app;
mod cli;
mod client;
mod commands;
mod config;
mod failure;
mod input;
mod listeners;
mod output;
mod place;
mod pulling;
mod texts;
mod watching;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Verbs of processes that run until they are told to stop.
const RUN_FOR_LONG: [&str; 3] = ["up", "serve", "agent"];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    // First of all: a child of the demonstration brings its own runtime, and its output belongs to its parent.
    if arguments.get(1).is_some_and(|first| first == demo::CHILD_COMMAND) {
        let role: Vec<String> = arguments[2..].iter().map(|part| part.to_string_lossy().into_owned()).collect();
        return demo::run_child(&role);
    }
    // Huge pages make small allocations hold megabytes: about a third of the memory of a server that has just started.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    if arguments.get(1).is_some_and(|verb| RUN_FOR_LONG.iter().any(|long| verb == long)) {
        agent::allocator::give_back_soon(&arguments);
    }
    cli::run(arguments)
}
