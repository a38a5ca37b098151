//! What the routes of the SOAR frontend can be answered with besides their own answer; for the OpenAPI document.

use super::score_request::Answer;
use crate::http::problem::Problem;
use crate::mail::MessageFacts;

/// Lists the answer to a question for a score.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum Scored {
    /// Scored. A provider's failure is in the answer, not in the status.
    #[response(status = 200)]
    Scored(Answer),
}

/// Lists the answer to an alert.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum ScoredAlert {
    /// Scored. A provider's failure is in the answer, not in the status.
    #[response(status = 200)]
    Scored(AlertReply),
}

/// Holds the answer to an alert as it is sent.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(in crate::http) struct AlertReply {
    /// The answer.
    #[serde(flatten)]
    answer: Answer,
    /// What the message says of itself, where there is one. It is kept nowhere; a reply that is sent again has it, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageFacts>,
}

/// Lists the refusals of every route.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum Refusals {
    /// The request cannot be understood.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(Problem),
    /// No client token, or one that is refused.
    #[response(status = 401, content_type = "application/problem+json")]
    NoToken(Problem),
    /// The token lacks a scope: the route's own, `refresh` for a `max_age` below the time for which answers are kept, or `rehearse`.
    #[response(status = 403, content_type = "application/problem+json")]
    NoScope(Problem),
    /// The token's rate is used up, or too many wrong tokens came from this address; `Retry-After` says until when.
    #[response(status = 429, content_type = "application/problem+json")]
    NoRate(Problem),
    /// The store failed, so that the decision could not be kept or read; the server's log says why.
    #[response(status = 500, content_type = "application/problem+json")]
    Store(Problem),
    /// The server has no room for the request, or what its answer needs cannot be kept for now; `Retry-After` says when to
    /// send it again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// Lists the refusals of a body.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum BodyRefusals {
    /// The request did not come in time.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(Problem),
    /// The request is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The request is packed (`Content-Encoding`), which this server does not take.
    #[response(status = 415, content_type = "application/problem+json")]
    Packed(Problem),
}

/// Lists the refusals of a request that may name itself by an `Idempotency-Key`.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum Named {
    /// The request named by `Idempotency-Key` is being answered; `Retry-After` says when to ask again.
    #[response(status = 409, content_type = "application/problem+json")]
    Running(Problem),
    /// The `Idempotency-Key` was given to another request.
    #[response(status = 422, content_type = "application/problem+json")]
    Another(Problem),
}

/// Lists the refusal of a decision that is not there.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum NotFound {
    /// No such decision is kept for this tenant.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
}

/// Lists the refusal of feedback for which there is no room.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum NoRoom {
    /// As much feedback is held as may be; withdraw what does not hold any more.
    #[response(status = 409, content_type = "application/problem+json")]
    Full(Problem),
}
