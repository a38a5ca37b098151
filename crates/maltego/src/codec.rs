//! What a wire format of Maltego clients does: bytes to a request, a response to bytes. All share one model.

use std::fmt;

use super::request::{self, ReadLimits, TransformRequest};
use super::response::{self, TransformException, TransformResponse, UiMessage};

/// Is a wire format of Maltego clients. It reads and writes; who asks, what is asked and what that costs is not its own.
pub trait Codec: fmt::Debug + Send + Sync {
    /// Returns the media type of what it writes.
    fn content_type(&self) -> &'static str;

    /// Reads a request.
    ///
    /// # Errors
    /// What is wrong with it and where, in words for people.
    fn decode(&self, body: &[u8]) -> Result<TransformRequest, String>;

    /// Writes what a run found and what the client is told.
    fn encode(&self, response: &TransformResponse) -> Vec<u8>;

    /// Writes why a run has no answer.
    fn encode_error(&self, exception: &TransformException) -> Vec<u8>;

    /// Begins a response into which entities are written as TRX's XML while they are mapped, which takes less than half the time
    /// of making them first. `None` where the format writes them otherwise; then [`Codec::encode`] is given all of them.
    fn begin_xml(&self) -> Option<String> {
        None
    }

    /// Ends a response that [`Codec::begin_xml`] began.
    fn finish_xml(&self, xml: String, messages: &[UiMessage]) -> Vec<u8> {
        let _ = messages;
        xml.into_bytes()
    }
}

/// Is the XML of the v2 protocol (TRX), which distribution servers and classic clients speak.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trx;

impl Codec for Trx {
    fn content_type(&self) -> &'static str {
        "text/xml; charset=utf-8"
    }

    fn decode(&self, body: &[u8]) -> Result<TransformRequest, String> {
        let limits = ReadLimits {
            bytes: body.len(),
            ..ReadLimits::default()
        };
        request::read(body, &limits).map_err(|error| error.to_string())
    }

    fn encode(&self, response: &TransformResponse) -> Vec<u8> {
        response::write(response).into()
    }

    fn encode_error(&self, exception: &TransformException) -> Vec<u8> {
        response::write_exception(std::slice::from_ref(exception)).into()
    }

    fn begin_xml(&self) -> Option<String> {
        Some(response::begin())
    }

    fn finish_xml(&self, mut xml: String, messages: &[UiMessage]) -> Vec<u8> {
        response::finish(&mut xml, messages);
        xml.into_bytes()
    }
}
