//! The documents by which classic clients (v2) discover a server: the seed, which names the application, and the list of its
//! transforms.
//!
//! The shapes are those of servers that classic clients are known to work with. Which attributes a client needs is not
//! documented; all that are known are written.

mod list;
mod seed;

#[cfg(test)]
mod tests;

pub use list::list;
pub use seed::{Seed, is_json_wanted};
