//! The wire formats of Maltego clients. Pure: bytes in, models out, and back; no clock, no socket.
//!
//! [`codec`] says what a wire format does. This is the v2 protocol, which a client speaks directly or a transform distribution server speaks for it:
//!
//! * [`decode`] turns a body of any encoding into text, [`request`] the text into a [`TransformRequest`];
//! * [`settings`] gives setting values their types;
//! * [`types`] knows the standard entity types: value properties, ancestry, and which properties must agree for two
//!   entities to merge;
//! * [`discovery`] writes the documents by which a client finds a server and its transforms;
//! * [`listing`] is what a server offers, which every protocol lists, and [`constraint`] what an input has to be for it;
//! * [`definitions`], [`icons`] and [`machine`] are what clients import beside transforms, which every protocol hands out;
//! * [`mtz`] puts all of that into the configuration file that a client imports, [`hub_item`] into what its hub shows;
//! * [`response`] holds what is answered, and writes it; `xml` has the pieces.
//!
//! [`json`] is protocol v3, in which a run outlives its request.

pub mod codec;
pub mod constraint;
pub mod decode;
pub mod definitions;
pub mod discovery;
mod display;
pub mod hub_item;
pub mod icons;
pub mod json;
pub mod listing;
pub mod machine;
mod markup;
pub mod mtz;
mod reader;
pub mod request;
pub mod response;
pub mod settings;
mod text;
pub mod types;
mod writer;
pub mod xml;

#[cfg(test)]
mod tests;

pub use request::{InputEntity, ReadError, ReadErrorKind, ReadLimits, TransformRequest};
pub use response::{Entity, Property, TransformException, TransformResponse, UiMessage, UiMessageKind};
pub use text::{is_invisible, is_xml_char, visible};
