//! Takes requests in: notes whether their bodies are read, asks for those that are, and refuses what the server does not do.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::Bytes;
use futures_util::Stream;

use crate::http::problem::Problem;
use crate::net::connection::Connection;

/// Begins a request on its connection.
pub(super) fn begin(request: &mut ServiceRequest, connection: &Arc<Connection>) {
    let payload = request.take_payload();
    connection.begins(!matches!(payload, Payload::None));
    if matches!(payload, Payload::None) {
        return;
    }
    // What a request that wants another protocol sends as a body ends with the connection, unless it says otherwise.
    let left = is_endless(request).then(|| announced(request).unwrap_or(0));
    let body = Intake {
        inner: payload,
        connection: Arc::clone(connection),
        left,
    };
    request.set_payload(Payload::Stream {
        payload: Box::pin(body),
    });
}

/// Tells whether a request asks for another protocol, or for a tunnel.
pub(super) fn asks_to_upgrade(request: &ServiceRequest) -> bool {
    request.headers().contains_key(header::UPGRADE) || request.method() == Method::CONNECT
}

/// Tells whether the HTTP library takes all that follows as the body.
fn is_endless(request: &ServiceRequest) -> bool {
    asks_to_upgrade(request) && !request.headers().contains_key(header::TRANSFER_ENCODING)
}

/// Returns the bytes of the body that a request announces.
pub(super) fn announced(request: &ServiceRequest) -> Option<u64> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.trim().parse().ok()
}

/// Says why a request is not taken: it expects what the server does not do.
pub(super) fn expectation(request: &ServiceRequest) -> Option<Problem> {
    let known = |value: &header::HeaderValue| {
        value.to_str().is_ok_and(|value| {
            let mut items = value.split(',').map(str::trim);
            items.all(|item| item.is_empty() || item.eq_ignore_ascii_case("100-continue"))
        })
    };
    if request.headers().get_all(header::EXPECT).all(known) {
        return None;
    }
    Some(Problem::new(
        StatusCode::EXPECTATION_FAILED,
        "expectation",
        "The expectation cannot be met",
        "the header Expect may ask for 100-continue, and for nothing else; leave it away",
    ))
}

/// Is the body of a request, as it comes.
struct Intake {
    inner: Payload,
    connection: Arc<Connection>,
    /// The bytes that may still come, where the HTTP library knows no end.
    left: Option<u64>,
}

impl Stream for Intake {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.connection.asks_for_body();
        if self.left == Some(0) {
            return Poll::Ready(None);
        }
        let next = Pin::new(&mut self.inner).poll_next(context);
        match next {
            Poll::Ready(None) => {
                self.connection.body_ends();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(mut chunk))) => {
                if let Some(left) = self.left {
                    chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                    let came = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                    self.left = Some(left.saturating_sub(came));
                }
                Poll::Ready(Some(Ok(chunk)))
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_an_interim_answer_may_be_expected() {
        for (values, is_known) in [
            (&[][..], true),
            (&["100-continue"], true),
            (&["100-Continue"], true),
            (&["100-continue, 100-continue"], true),
            (&["something"], false),
            (&["100-continue", "something=1"], false),
        ] {
            let mut request = TestRequest::default();
            for value in values {
                request = request.append_header((header::EXPECT, *value));
            }
            let refused = expectation(&request.to_srv_request());
            assert_eq!(refused.is_none(), is_known, "{values:?}");
        }
    }
}
