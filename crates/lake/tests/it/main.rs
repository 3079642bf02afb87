//! The lake as its callers see it, on real folders: nothing lost, nothing twice, damage named.

#![allow(clippy::unwrap_used)]

mod damage;
mod fsck;
mod journal;
mod keeping;
mod logs;
mod rows;
mod sql;
mod support;
mod windows;
