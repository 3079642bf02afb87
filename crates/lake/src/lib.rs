//! Journal, sealing, tables, SQL.
