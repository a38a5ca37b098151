//! Asks the engine on behalf of a frontend: a transform's run, an alert's score. Frontends decode before and render after.

pub(crate) mod gather;
pub mod lookup;
pub mod message;
pub mod options;
mod question;
pub mod reads;
pub mod reply;
pub mod report;
pub mod score;
pub mod transform;
pub(crate) mod typed;
