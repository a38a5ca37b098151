//! Plays vendors from fixture files over real HTTP/1.1, or DNS, on loopback, for the demo and for tests.
//!
//! One [`Replay`] is one vendor on one port of 127.0.0.1: a [`Vendor`] holds its [`Exchange`]s and judges
//! credentials as the real one does. A vendor with [`Rrset`]s is asked over DNS instead. A test can [inject](Replay::inject) a [`Fault`], which nothing on the wire can do.
//! Nothing here waits for time: a slow answer is held by a [`Gate`] until a test lets it go.

mod answer;
mod auth;
mod basic;
mod defender;
mod deliver;
pub mod demo;
mod domaintools;
mod fault;
mod fixture;
mod gate;
mod log;
mod resolver;
mod server;
mod vendor;
mod wire;
mod zone;

pub use answer::Answer;
pub use basic::{BasicAuth, basic_auth};
pub use defender::{DefenderAuth, TOKEN as DEFENDER_TOKEN, defender_auth, invalid_token};
pub use domaintools::{DomainToolsAuth, domaintools_auth};
pub use fault::{DnsFault, Fault, Matcher};
pub use fixture::{Exchange, FixtureError};
pub use gate::Gate;
pub use log::SeenRequest;
pub use server::Replay;
pub use vendor::{AuthResult, Authenticator, Vendor};
pub use zone::{DnsAnswer, Rrset};

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod fixture_tests;
#[cfg(test)]
mod tests;
