//! Runs the program as people do: every command with and without a running server, on replayed vendors.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agree;
mod analyst;
mod backup;
mod commands;
mod export;
mod graph;
mod hints;
mod newcomers;
mod overlay;
mod place;
mod reload;
mod score;
mod server;
mod spend;
