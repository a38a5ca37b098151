//! Tells what happens: metrics and log lines.

pub mod log;
pub mod metrics;
pub mod network;
