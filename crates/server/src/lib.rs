//! Sockets and HTTP.
