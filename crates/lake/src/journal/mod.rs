//! The append-only files which make an acknowledged record durable before it is in a table.
//!
//! Frames are made durable in groups: one write and one fdatasync for all appends that wait, then all are acknowledged.
//! Damage is reported with its byte range and never skipped in silence.

pub mod frame;
pub mod segment;
pub mod writer;
