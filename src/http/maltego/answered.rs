//! Holds what a run is answered, and answers those that are not served.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, Responder};
use uuid::Uuid;

use crate::app::App;
use crate::domain::echo::bounded;
use crate::http::problem::Problem;
use crate::http::request::{Entry, RequestContext};
use crate::maltego::codec::{Codec, Trx};
use crate::maltego::{TransformException, TransformResponse, UiMessage, UiMessageKind};
use crate::net::bodies::{AGAIN, BodyError};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CACHE: HeaderName = HeaderName::from_static("pivotd-cache");

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
    /// The transform.
    pub(super) operation: Option<Arc<str>>,
    /// The media type of the body.
    pub(super) content_type: &'static str,
}

impl Answered {
    pub(super) fn local(codec: &dyn Codec, body: impl Into<Bytes>, outcome: &'static str) -> Self {
        Self {
            body: body.into(),
            status: StatusCode::OK,
            outcome,
            cache: "local",
            provider_time: Duration::ZERO,
            age: None,
            client: "".into(),
            indicator: None,
            operation: None,
            content_type: codec.content_type(),
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
        Self::local(
            codec,
            codec.encode_error(&TransformException { code, text }),
            outcome,
        )
    }

    /// Answers a body that was not read. That there was no memory for it is no answer of a transform: another attempt helps.
    pub(super) fn unread(codec: &dyn Codec, unread: BodyError) -> Self {
        let text = format!("{}; nothing was looked up", unread.text("the request"));
        let outcome = match unread {
            BodyError::NoMemory => "busy",
            _ => "bad_request",
        };
        let status = match unread {
            BodyError::NoMemory => unread.status(),
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
        Self::local(codec, codec.encode(&response), outcome)
    }
}

impl Responder for Answered {
    type Body = BoxBody;

    fn respond_to(self, http: &HttpRequest) -> HttpResponse {
        let context = RequestContext::of(http);
        context.tell(Entry {
            outcome: self.outcome,
            status: self.status.as_u16(),
            cache: self.cache,
            provider_time: self.provider_time,
            client: self.client,
            operation: self.operation,
            indicator: self.indicator,
            decision: None,
        });
        let mut response = HttpResponse::build(self.status);
        let mut id = Uuid::encode_buffer();
        let id = context.id().hyphenated().encode_lower(&mut id);
        response
            .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(self.content_type)))
            .insert_header((REQUEST_ID, &*id))
            .insert_header((CACHE, HeaderValue::from_static(self.cache)));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, AGAIN.as_secs()));
        }
        if let Some(age) = self.age {
            response.insert_header((header::AGE, age));
        }
        if http.app_data::<Data<App>>().is_some_and(|app| app.is_sample()) {
            response.insert_header(("pivotd-sample-data", "true"));
        }
        response.body(self.body)
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
    response
}

/// Answers a problem as classic clients read it, with its status.
pub(super) fn problem_in_xml(problem: &Problem) -> HttpResponse {
    let exception = TransformException {
        code: None,
        text: problem.detail.clone(),
    };
    let body = BoxBody::new(Trx.encode_error(&exception));
    let mut response = problem.response().set_body(body);
    let kind = HeaderValue::from_static(Trx.content_type());
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Keeps a token in the path from going further: to another site, or into a cache.
pub(crate) fn keep_secret(headers: &mut HeaderMap) {
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
