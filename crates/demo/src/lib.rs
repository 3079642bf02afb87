//! The living demonstration.
