//! Makes RFC 9457 problem details.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::access::AccessDenied;
use crate::domain::echo::bounded;
use crate::net::bodies::{AGAIN, BodyError};
use crate::storage::StoreError;

/// When to ask again where the disk is nearly full.
const FULL: Duration = Duration::from_secs(60);
/// When to ask again where the store is down.
const DOWN: Duration = Duration::from_secs(5);

/// Describes what is wrong with a request (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; stable.
    #[schema(example = "urn:pivotd:problem:invalid-request")]
    pub r#type: String,
    /// Says the kind to people.
    pub title: String,
    /// Repeats the HTTP status.
    pub status: u16,
    /// Says what, where and what to do.
    pub detail: String,
    /// The request's id, as in the header `X-Request-Id`.
    // Set when the problem is sent.
    pub request_id: String,
    /// Seconds after which asking again makes sense, as in the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// What failed, for the log alone.
    #[serde(skip)]
    #[schema(ignore)]
    pub cause: Option<String>,
}

impl Problem {
    /// Makes a problem. A long detail is cut.
    #[must_use]
    pub fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("urn:pivotd:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: bounded(&detail.into()).into_owned(),
            request_id: String::new(),
            retry_after_s: None,
            cause: None,
        }
    }

    /// Says after which time asking again makes sense.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.retry_after_s = Some(millis.div_ceil(1000).max(1));
        self
    }

    /// Makes the problem of something that fails inside; `cause` is for the log.
    #[must_use]
    pub fn internal(kind: &str, title: &str, detail: &str, cause: impl std::fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, kind, title, detail)
        }
    }

    /// Gives the problem the id of its request.
    #[must_use]
    pub fn of(self, request: Uuid) -> Self {
        Self {
            request_id: request.to_string(),
            ..self
        }
    }

    /// Makes the problem of a token that lacks a scope for a part of what is asked.
    #[must_use]
    pub fn scope(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "scope-missing",
            "The token may not do this",
            detail,
        )
    }

    /// Makes the problem of a client that may not ask.
    #[must_use]
    pub fn denied(denied: AccessDenied) -> Self {
        let (status, kind, title) = match denied {
            AccessDenied::Missing => (
                StatusCode::UNAUTHORIZED,
                "token-missing",
                "A client token is needed",
            ),
            AccessDenied::Wrong(_) => (
                StatusCode::UNAUTHORIZED,
                "token-refused",
                "The client token is refused",
            ),
            AccessDenied::Scope(_) => (
                StatusCode::FORBIDDEN,
                "scope-missing",
                "The token may not do this",
            ),
            AccessDenied::Permission(_) => (
                StatusCode::FORBIDDEN,
                "permission-missing",
                "The token may not do this",
            ),
            AccessDenied::Rate(_) => (StatusCode::TOO_MANY_REQUESTS, "rate-used-up", "Too many requests"),
        };
        let problem = Self::new(status, kind, title, denied.text());
        match denied {
            AccessDenied::Rate(wait) => problem.after(wait),
            _ => problem,
        }
    }

    /// Writes the problem of a head of more than `max` bytes.
    pub(crate) fn head_too_large(id: Uuid, max: usize) -> String {
        let problem = Self::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head-too-large",
            "The head of the request is too large",
            format!("the request line and the headers have at most {max} bytes together"),
        )
        .of(id);
        serde_json::to_string(&problem).unwrap_or_default()
    }

    /// Makes the problem of a client that tried too many wrong tokens.
    #[must_use]
    pub fn wrong_tokens(wait: Duration) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-wrong-tokens",
            "Too many wrong tokens",
            "too many requests with wrong tokens came from this address; a right token is answered as ever",
        )
        .after(wait)
    }

    /// Makes the problem of a store that cannot be used; where it will be, it says when to ask again.
    #[must_use]
    pub fn store(error: &StoreError) -> Self {
        Self::store_for_now(error).unwrap_or_else(|| Self::failed(error))
    }

    /// Makes the problem of a store that fails; the cause is for the log.
    #[must_use]
    pub fn failed(error: impl std::fmt::Display) -> Self {
        let detail = "the store cannot be read or written; the server's log says why";
        Self::internal("store", "The store failed", detail, error)
    }

    /// Makes the problem of a store that cannot be written for now; `None` for one that fails otherwise.
    #[must_use]
    pub fn store_for_now(error: &StoreError) -> Option<Self> {
        let (detail, wait) = match error {
            StoreError::Full { .. } => (
                "the disk of this server is nearly full, so no decision is kept and nothing is spent; its administrator must make room",
                FULL,
            ),
            StoreError::Down(_) => (
                "the store cannot be written at the moment, so no decision is kept and nothing is spent; the server's log says why",
                DOWN,
            ),
            _ => return None,
        };
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Some(Self::new(status, "store", "The store cannot be written", detail).after(wait))
    }

    /// Makes the problem of a request that cannot be understood.
    #[must_use]
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-request",
            "The request cannot be understood",
            detail,
        )
    }

    /// Makes the problem of a body that was not read; `what` names it.
    #[must_use]
    pub fn unread(unread: BodyError, what: &str) -> Self {
        let (kind, title) = match unread {
            BodyError::TooLarge(_) => ("too-large", "The request is too large"),
            BodyError::Broken => ("invalid-request", "The request cannot be understood"),
            BodyError::Slow => ("too-slow", "The request did not come in time"),
            BodyError::NoMemory => ("busy", "The server is busy"),
            BodyError::Encoded => ("packed", "The request is packed"),
        };
        let problem = Self::new(unread.status(), kind, title, unread.text(what));
        match unread {
            BodyError::NoMemory => problem.after(AGAIN),
            _ => problem,
        }
    }

    /// Renders it.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut builder = HttpResponse::build(status);
        builder
            .content_type("application/problem+json")
            .insert_header(("x-request-id", self.request_id.as_str()));
        if status == StatusCode::UNAUTHORIZED {
            builder.insert_header(("www-authenticate", "Bearer realm=\"pivotd\""));
        }
        if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            builder.insert_header(("accept-encoding", "identity"));
        }
        if let Some(seconds) = self.retry_after_s {
            builder.insert_header(("retry-after", seconds.to_string()));
        }
        builder.body(serde_json::to_vec(self).unwrap_or_default())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.detail)
    }
}

/// A handler or an extractor returns a problem; the pipeline sends it, with the id of its request.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}
