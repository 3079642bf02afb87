//! What people decided and wrote.
