//! What Koshu fetches itself: targets that are scraped, log files in folders and object stores.
//!
//! Addresses come from the configuration alone, never from what was observed; redirects are not followed.

pub mod objects;
pub mod scrape;
