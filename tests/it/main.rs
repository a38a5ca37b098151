//! Integration tests: real sockets, replayed vendors, time in the tests' hands.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    reason = "a test fails by panicking, and everything here is private to one binary"
)]

mod additions;
mod admin;
mod again;
mod alerts;
mod backup;
mod batches;
mod calls;
mod classic;
mod clients;
mod clients_http;
mod clock;
mod closing;
mod control;
mod corpora;
mod dashboard;
mod decisions;
mod dns;
mod engine;
mod faults;
mod hosts;
mod inputs;
mod investigation;
mod keyring;
mod keys;
mod limits;
mod lines;
mod maltego;
mod merged;
mod names;
mod network;
mod openapi;
mod phishing;
mod process;
mod rates;
mod reference;
mod room;
mod score_edges;
mod score_faults;
mod secrets;
mod sessions;
mod soar;
mod spend;
mod storage;
mod support;
mod told;
mod turns;
mod v3;
mod wire;
