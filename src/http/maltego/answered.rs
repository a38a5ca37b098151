//! Holds what a run is answered, and answers those that are not served.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Bytes;

use crate::domain::echo::bounded;
use crate::http::bodies::Unread;
use crate::http::problem::Problem;
use crate::maltego::codec::Codec;
use crate::maltego::{TransformException, TransformResponse, UiMessage, UiMessageKind};

/// Holds a finished answer with what is told of it.
pub(super) struct Answered {
    pub(super) body: Bytes,
    pub(super) status: StatusCode,
    pub(super) outcome: &'static str,
    pub(super) cache: &'static str,
    pub(super) provider_time: Duration,
    pub(super) age: Option<u64>,
    pub(super) client: Arc<str>,
    pub(super) indicator: Option<Arc<str>>,
}

impl Answered {
    pub(super) fn local(body: impl Into<Bytes>, outcome: &'static str) -> Self {
        Self {
            body: body.into(),
            status: StatusCode::OK,
            outcome,
            cache: "local",
            provider_time: Duration::ZERO,
            age: None,
            client: "".into(),
            indicator: None,
        }
    }

    pub(super) fn exception(
        codec: &dyn Codec,
        code: Option<u32>,
        text: String,
        outcome: &'static str,
    ) -> Self {
        let text = match bounded(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(cut) => cut,
        };
        Self::local(codec.encode_error(&TransformException { code, text }), outcome)
    }

    /// Answers a body that was not read. That there was no memory for it is no answer of a transform: another attempt helps.
    pub(super) fn unread(codec: &dyn Codec, unread: Unread) -> Self {
        let text = format!("{}; nothing was looked up", unread.text("the request"));
        let outcome = match unread {
            Unread::NoMemory => "busy",
            _ => "bad_request",
        };
        let status = match unread {
            Unread::NoMemory => unread.status(),
            _ => StatusCode::OK,
        };
        Self {
            status,
            ..Self::exception(codec, None, text, outcome)
        }
    }

    /// Answers a run that would have to wait for others for too long.
    pub(super) fn busy(codec: &dyn Codec) -> Self {
        let text =
            "more is asked of the server than it can answer; nothing was spent, so run it again in a second";
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            ..Self::exception(codec, None, text.to_owned(), "busy")
        }
    }

    pub(super) fn message(
        codec: &dyn Codec,
        kind: UiMessageKind,
        text: String,
        outcome: &'static str,
    ) -> Self {
        let response = TransformResponse {
            entities: Vec::new(),
            messages: vec![UiMessage::new(kind, text)],
        };
        Self::local(codec.encode(&response), outcome)
    }
}

/// Answers a run that is not served, since the server is busy or the client tried too many wrong tokens.
pub(crate) fn refusal(codec: &dyn Codec, problem: &Problem) -> HttpResponse {
    let exception = TransformException {
        code: None,
        text: format!("{}; nothing was looked up", problem.detail),
    };
    let body = BoxBody::new(codec.encode_error(&exception));
    let mut response = problem.response().set_body(body);
    let kind = HeaderValue::from_static(codec.content_type());
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    keep_secret(response.headers_mut());
    response
}

/// Keeps a token in the path from going further: to another site, or into a cache.
pub(super) fn keep_secret(headers: &mut HeaderMap) {
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
