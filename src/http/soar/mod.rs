//! The routes that SOAR tools call: scores, facts, decisions. JSON in, JSON out.

mod again;
pub mod alert;
pub mod asking;
pub mod batch;
mod body;
pub mod context;
pub mod decisions;
mod line;
mod lines;
mod looks;
mod named;
pub(super) mod rehearse;
pub mod reputation;
mod score_reply;
mod shapes;
mod slices;
pub(super) mod statuses;
mod streamed;
#[cfg(test)]
mod testing;
pub mod values;
pub mod wishes;
