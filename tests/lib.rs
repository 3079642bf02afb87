//! Starts the built `koshu` the way people do, and asks it over its own protocols.
//!
//! Every test gets an empty folder and free ports. Nothing here links a crate of the product: what a test knows of it
//! is what a user knows. Never ends a process that it did not start, and never waits without a deadline.

mod authority;
mod client;
mod hook;
mod lines;
mod machine;
mod place;
mod server;
mod target;
mod wait;

pub use authority::Authority;
pub use client::{Answer, Client};
pub use hook::Hook;
pub use lines::{json_batch, json_line};
pub use machine::{Turn, checkout, data_files, heavy, missing, python, ran, target, tool};
pub use place::{Place, Ran};
pub use server::{Koshu, Start};
pub use target::Target;
pub use wait::until;
