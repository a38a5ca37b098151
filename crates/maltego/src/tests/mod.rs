//! Tests of the v2 wire formats.

mod constraint;
mod decode;
pub(crate) mod elements;
mod limits;
mod properties;
mod recordings;
mod request;
mod response;
mod settings;
mod types;

use super::request::{ReadLimits, TransformRequest, read};

/// Reads with default limits; a refusal fails the test.
fn accept(body: impl AsRef<[u8]>) -> TransformRequest {
    read(body.as_ref(), &ReadLimits::default()).unwrap()
}

/// Wraps a domain entity's inside into a whole request.
fn domain(inside: &str) -> String {
    format!(
        "<MaltegoMessage><MaltegoTransformRequestMessage><Entities><Entity Type=\"Domain\">\
         <Genealogy><Type Name=\"maltego.Domain\" OldName=\"Domain\"/></Genealogy>{inside}</Entity></Entities>\
         <TransformFields><Field Name=\"vendor.key\">s&amp;3</Field></TransformFields>\
         <Limits SoftLimit=\"24\" HardLimit=\"48\"/></MaltegoTransformRequestMessage></MaltegoMessage>"
    )
}

/// Reads a request of one domain entity and returns its value.
fn value_of(value: &str) -> String {
    accept(domain(&format!("<Value>{value}</Value><Weight>7</Weight>"))).entities[0]
        .value
        .clone()
}
