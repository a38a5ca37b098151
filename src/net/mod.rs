//! Connections of clients, within bounds of bytes, time and memory: what comes before a request is known, and how answers leave.
//! Knows nothing of routes.

mod attempts;
pub mod bodies;
pub(crate) mod connection;
mod connections;
pub(crate) mod descriptors;
pub(crate) mod listener;
pub(crate) mod load;
pub(crate) mod pace;
pub(crate) mod sending;
pub(crate) mod shares;
mod stream;
pub(crate) mod tls;

pub use self::attempts::{Attempts, Delay};
pub(crate) use self::connections::{Connections, SPARE};
pub(crate) use self::stream::WatchedStream;
