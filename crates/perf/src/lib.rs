//! Request tables.
