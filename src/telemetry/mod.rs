//! Tells what happens: metrics and log lines.

pub mod metrics;
