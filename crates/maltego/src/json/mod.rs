//! Protocol v3: JSON over HTTP, in which a run has a life of its own. The client creates it, reads its events page by page, and
//! deletes it.
//!
//! * [`client`] finds out what a client can do, by its headers;
//! * [`request`] reads the body of a run, [`graph`] checks what it says of itself and finds the inputs, [`values`] reads values
//!   of properties and settings;
//! * [`entity`] writes entities and links, [`ids`] names them, [`event`] the events of a run, [`finding`] those that come
//!   again, [`run`] the answers around them;
//! * [`listing`] lists transforms, [`assets`] what clients import beside them, [`documents`] and [`seed`] hold the small documents;
//! * [`detail`] holds what is wrong with a request, as data.

pub mod assets;
pub mod client;
pub mod detail;
pub mod documents;
pub mod entity;
pub mod event;
pub mod finding;
pub mod graph;
pub mod ids;
pub mod listing;
mod reader;
pub mod request;
pub mod run;
pub mod seed;
pub mod values;

#[cfg(test)]
mod tests;

use serde::Serialize;

/// Writes a document. Nothing that is written here can fail: all keys are texts, and no number is infinite.
pub(crate) fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
