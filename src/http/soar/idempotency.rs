//! Requests that name themselves by an `Idempotency-Key`: sent again, each gets the reply that it got before.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;

use super::batch::wants_lines;
use super::reply::Finished;
use super::score_request::ScoreRequest;
use crate::decisions::{ReplyClaim, RequestStatus, fingerprint};
use crate::engine::cache::RenderedKey;
use crate::http::json::meaning;
use crate::http::problem::Problem;
use crate::http::request_body::{BodyKind, RequestBody};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest name of a request.
const LONGEST_NAME: usize = 255;

/// Reads the id of the decision out of a reply.
fn decision_of(body: &str) -> Option<Arc<str>> {
    #[derive(serde::Deserialize)]
    struct ReplyId {
        decision_id: String,
    }
    let reply_id: ReplyId = serde_json::from_str(body).ok()?;
    Some(reply_id.decision_id.into())
}

impl ScoreRequest {
    /// Looks whether a request was sent before, by its `Idempotency-Key`. Gives the right to answer it, or the reply.
    pub(super) async fn claim<T: BodyKind>(
        &self,
        body: &RequestBody<T>,
    ) -> Result<Result<Option<ReplyClaim>, Finished>, Problem> {
        // A rehearsal is not kept; the playbook that is rehearsed sends its keys all the same.
        let name = self.http.headers().get(IDEMPOTENCY_KEY);
        let Some(name) = name.filter(|_| self.branch.is_none()) else {
            return Ok(Ok(None));
        };
        let name = name.to_str().ok().map(|name| name.trim().trim_matches('"'));
        let name = name
            .filter(|name| (1..=LONGEST_NAME).contains(&name.len()))
            .ok_or_else(|| {
                Problem::invalid(format!(
                    "Idempotency-Key: expected 1 to {LONGEST_NAME} visible ASCII characters"
                ))
            })?;
        let principal = &self.principal;
        // The form of the answer is part of the question where there are two.
        let form: &[u8] = if wants_lines(&self.http) { b"lines" } else { b"" };
        let operation = self.pattern.as_bytes();
        let digest = body
            .work(move |body| fingerprint(&[operation, form, &meaning(body)]))
            .await?;
        let begun = self
            .app
            .decisions
            .replies
            .begin(principal.tenant(), &principal.client, name, digest)
            .await;
        match begun.map_err(|error| Problem::store(&error))? {
            RequestStatus::Fresh(claim) => Ok(Ok(Some(claim))),
            RequestStatus::Replay(reply) => Ok(Err(Finished {
                outcome: "replayed",
                cache: "local",
                provider_time: Duration::ZERO,
                client: Arc::clone(&principal.client),
                asked: String::new(),
                rate: principal.rate(),
                decision: decision_of(&reply.body),
                reply,
                replayed: true,
            })),
            RequestStatus::Another => {
                let detail = "this Idempotency-Key was given to another request within the last 24 hours; give each request its own";
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Err(Problem::new(
                    status,
                    "idempotency-key-reused",
                    "The Idempotency-Key is taken",
                    detail,
                ))
            }
            RequestStatus::Running => {
                let detail = "the request with this Idempotency-Key is being answered; ask again in a moment";
                let problem = Problem::new(
                    StatusCode::CONFLICT,
                    "idempotency-key-running",
                    "The request is being answered",
                    detail,
                );
                Err(problem.after(Duration::from_secs(1)))
            }
        }
    }

    /// Looks whether a request in a body was answered before, under its name or in the same words. Gives the right to
    /// answer it and the key under which its answer is sent again, or the reply.
    pub(super) async fn before<T: BodyKind>(
        &self,
        body: &RequestBody<T>,
    ) -> Result<Result<(Option<ReplyClaim>, Option<RenderedKey>), Finished>, Problem> {
        let claim = match self.claim(body).await? {
            Ok(claim) => claim,
            Err(replayed) => return Ok(Err(replayed)),
        };
        let key = self.key(&[body]).filter(|_| claim.is_none());
        Ok(match self.again(key.as_ref()).await {
            Some(again) => Err(again),
            None => Ok((claim, key)),
        })
    }
}
