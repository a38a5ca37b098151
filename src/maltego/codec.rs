//! What a wire format of Maltego clients does: bytes to a request, a response to bytes. All share one model.

use std::fmt;

use super::request::{self, ReadLimits, TransformRequest};
use super::response::{self, TransformException, TransformResponse};

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
}
