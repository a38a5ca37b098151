//! Integration tests: real sockets, replayed vendors, time in the tests' hands.

mod engine;
mod faults;
mod maltego;
mod process;
mod soar;
mod support;
mod wire;
