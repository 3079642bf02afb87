//! Bytes to signals.
