//! What a vendor answers: status, headers and body, without the framing.

use actix_web::http::StatusCode;
use bytes::Bytes;

/// Holds one answer. `Content-Length` and `Connection` are not among its headers; the server writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Gives the HTTP status, 200 to 599.
    pub status: u16,
    /// Gives the headers in the order they are sent.
    pub headers: Vec<(String, String)>,
    /// Gives the body, byte for byte.
    pub body: Bytes,
}

impl Answer {
    /// Makes an answer labelled `application/json;charset=utf-8`; `body` is sent as it is, JSON or not.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::labelled(status, "application/json;charset=utf-8", body)
    }

    /// Makes an answer with the given `Content-Type` and no other header.
    pub fn labelled(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    /// Adds a header behind those that are there.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Finds the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// Replaces every header of that name by one.
    pub(super) fn set_header(&mut self, name: &str, value: &str) {
        self.headers
            .retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Writes the status line and the headers, ended by the framing lines given (each with its line end) and the empty line.
    pub(super) fn head(&self, framing: &str) -> String {
        let reason = StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("");
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(framing);
        head.push_str("\r\n");
        head
    }
}

/// Finds the first value of a header among name and value pairs, ignoring the name's case.
pub(super) fn first<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(present, _)| present.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}
