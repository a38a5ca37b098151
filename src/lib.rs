//! pivotd stands between investigators and the threat-intelligence providers they pay for.
//!
//! The modules follow the way of a question; `ARCHITECTURE.md` is the map. The pure parts are crates, below `crates/`.

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub mod admin;
pub mod app;
pub mod ask;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod decisions;
pub mod engine;
pub mod graph;
pub mod http;
pub mod issuers;
pub mod net;
mod owner;
#[cfg(test)]
mod provider_tests;
pub mod replay;
pub mod runs;
pub mod server;
pub mod spend;
pub mod storage;
pub mod telemetry;
pub mod tokens;

pub use pivotd_domain as domain;
pub use pivotd_domain::hex;
pub use pivotd_mail as mail;
pub use pivotd_maltego as maltego;
pub use pivotd_mapping as mapping;
pub use pivotd_openapi as openapi;
pub use pivotd_providers as providers;
pub use pivotd_reputation as reputation;
