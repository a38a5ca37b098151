//! The way of a question for scores through the SOAR face: who asks, what is meant, the answer, its line in the log.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use uuid::Uuid;

use super::access::{self, Identity};
use super::problem::Problem;
use super::rehearse::{self, Branch};
use super::wishes::Given;
use crate::ask::message::head;
use crate::ask::score::{Alert, Scored, Scorer, asked_for};
use crate::decisions::{Begun, Claim, Reply, hex};
use crate::reputation::alert::AlertAnswer;
use crate::startup::App;
use crate::telemetry::log::RequestLine;
use crate::telemetry::metrics::InFlight;
use crate::tokens::{RateStanding, Scope};

pub(super) const FACE: &str = "enrich";
const JSON: &str = "application/json";
/// The longest name of a request.
const LONGEST_NAME: usize = 255;

/// Holds an answer as it is sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    /// The answer.
    #[serde(flatten)]
    pub alert: AlertAnswer,
    /// Stands there, and is true, where everything is sample data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_data: Option<bool>,
    /// Stands there, and is true, where nobody was asked because the caller rehearses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<bool>,
}

/// Lists what every question for a score can be answered with.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, clippy::large_enum_variant, reason = "it is only described")]
pub(super) enum Statuses {
    /// Scored. A provider's failure is in the answer, not in the status.
    #[response(status = 200)]
    Scored(Answer),
    /// The request cannot be understood.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(Problem),
    /// No client token, or one that is refused.
    #[response(status = 401, content_type = "application/problem+json")]
    NoToken(Problem),
    /// The token lacks the scope: `enrich`, `refresh` for a `max_age` below the time for which answers are kept, or `rehearse`.
    #[response(status = 403, content_type = "application/problem+json")]
    NoScope(Problem),
    /// The token's rate is used up; `Retry-After` says until when.
    #[response(status = 429, content_type = "application/problem+json")]
    NoRate(Problem),
}

/// Lists what a question in a body can be answered with besides.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum BodyStatuses {
    /// The request named by `Idempotency-Key` is being answered; `Retry-After` says when to ask again.
    #[response(status = 409, content_type = "application/problem+json")]
    Running(Problem),
    /// The request is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The `Idempotency-Key` was given to another request.
    #[response(status = 422, content_type = "application/problem+json")]
    Another(Problem),
}

/// Is whoever asks.
pub(super) struct Caller {
    pub(super) identity: Identity,
    /// The branch that the caller rehearses, where it does.
    pub(super) branch: Option<Branch>,
}

/// Carries a request from start to its line in the log.
pub(super) struct Request<'a> {
    pub(super) app: &'a App,
    operation: &'static str,
    pub(super) id: String,
    uuid: Uuid,
    started: Duration,
    /// Counts the request until it is answered.
    _in_flight: InFlight,
}

/// Is an answer with what the log wants to know.
pub(super) struct Finished {
    pub(super) outcome: &'static str,
    pub(super) cache: &'static str,
    pub(super) provider_time: Duration,
    pub(super) client: Arc<str>,
    pub(super) asked: String,
    pub(super) rate: Option<RateStanding>,
    pub(super) reply: Reply,
    pub(super) replayed: bool,
}

impl<'a> Request<'a> {
    pub(super) fn start(app: &'a App, operation: &'static str) -> Self {
        let uuid = Uuid::now_v7();
        Self {
            app,
            operation,
            id: uuid.to_string(),
            uuid,
            started: app.engine.clock().elapsed(),
            _in_flight: app.engine.metrics().in_flight(),
        }
    }

    /// Finds out who asks; a rehearsal needs a scope of its own.
    pub(super) fn caller(&self, http: &HttpRequest) -> Result<Caller, Problem> {
        let branch = rehearse::branch(http).map_err(|detail| self.wrong(detail))?;
        let scope = if branch.is_some() {
            Scope::Rehearse
        } else {
            Scope::Enrich
        };
        let identity = self.identify(http, scope)?;
        Ok(Caller { identity, branch })
    }

    /// Finds out who asks, and whether they may.
    pub(super) fn identify(&self, http: &HttpRequest, scope: Scope) -> Result<Identity, Problem> {
        if let Some(reason) = access::demo_refusal(self.app, http) {
            let status = StatusCode::FORBIDDEN;
            return Err(Problem::new(status, "refused", "Refused", reason, &self.id));
        }
        access::identify(self.app, http, scope).map_err(|denied| Problem::denied(denied, &self.id))
    }

    /// Makes the problem of a request that cannot be understood.
    pub(super) fn wrong(&self, detail: impl Into<String>) -> Problem {
        Problem::invalid(detail, &self.id)
    }

    /// Reads a body under the cap; `what` names it.
    pub(super) async fn body(
        &self,
        payload: web::Payload,
        most: usize,
        what: &str,
    ) -> Result<Bytes, Problem> {
        let most = most.min(self.app.configured.load().settings().server.max_body);
        access::body(payload, most).await.ok_or_else(|| {
            let detail = format!("{what} has at most {most} bytes");
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            Problem::new(status, "too-large", "The request is too large", detail, &self.id)
        })
    }

    /// Reads JSON; `what` names it.
    pub(super) fn json<T: DeserializeOwned>(&self, body: &[u8], what: &str) -> Result<T, Problem> {
        serde_json::from_slice(body).map_err(|error| self.wrong(format!("the body is not {what}: {error}")))
    }

    /// Answers an alert: rehearsed, as it was answered before, or by asking.
    pub(super) async fn answer(
        &self,
        caller: Caller,
        alert: Alert,
        given: &Given,
        claim: Option<Claim>,
    ) -> Result<Finished, Problem> {
        let configured = self.app.configured.load_full();
        let deadline = configured.settings().deadlines.enrich;
        let (policy, wishes) = given.resolve(
            self.app,
            &caller.identity,
            &self.id,
            deadline,
            None,
            &asked_for(&configured.policy),
        )?;
        let asker = caller.identity.asker(FACE, self.operation, self.id.clone());
        let scorer = Scorer {
            engine: &self.app.engine,
            lists: &configured.settings().lists,
            feedback: &self.app.decisions.opinions,
            policy: &policy,
            asker: &asker,
            wishes: &wishes,
        };
        let asked = asked(&alert);
        let scored = match caller.branch {
            Some(branch) => rehearse::play(&scorer, branch, alert, &self.id).await?,
            None => {
                let scored = scorer.score(alert).await;
                self.keep(&caller.identity, &scored.answer).await?;
                scored
            }
        };
        let finished = self.finished(&caller, scored, asked)?;
        if let Some(claim) = claim {
            self.keep_reply(claim, &finished.reply).await?;
        }
        Ok(finished)
    }

    /// Keeps a decision. One that cannot be kept is none: nobody could explain it later.
    pub(super) async fn keep(&self, identity: &Identity, answer: &AlertAnswer) -> Result<(), Problem> {
        let kept = self
            .app
            .decisions
            .keep(identity.tenant(), &identity.client, answer)
            .await;
        kept.map_err(|error| self.failed(&error))
    }

    pub(super) async fn keep_reply(&self, claim: Claim, reply: &Reply) -> Result<(), Problem> {
        let kept = self.app.decisions.replies.keep(claim, reply.clone()).await;
        kept.map_err(|error| self.failed(&error))
    }

    /// Makes the problem of a store that fails; the cause is for the log.
    pub(super) fn failed(&self, error: &dyn std::fmt::Display) -> Problem {
        tracing::error!(request_id = %self.id, %error, "the store failed");
        let detail = "the store cannot be read or written; the server's log says why";
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "store",
            "The store failed",
            detail,
            &self.id,
        )
    }

    fn finished(&self, caller: &Caller, scored: Scored, asked: String) -> Result<Finished, Problem> {
        let outcome = scored.answer.decision.name();
        let answer = Answer {
            alert: scored.answer,
            sample_data: self.app.is_sample().then_some(true),
            rehearsal: caller.branch.map(|_| true),
        };
        Ok(Finished {
            outcome,
            cache: scored.cache,
            provider_time: scored.provider_time,
            client: Arc::clone(&caller.identity.client),
            asked,
            rate: caller.identity.rate(),
            reply: self.reply(&answer)?,
            replayed: false,
        })
    }

    /// Renders an answer as JSON.
    pub(super) fn reply<T: Serialize>(&self, answer: &T) -> Result<Reply, Problem> {
        let body = serde_json::to_string(answer).map_err(|error| self.failed(&error))?;
        Ok(Reply {
            content_type: JSON.to_owned(),
            body,
        })
    }

    /// Makes what is told of an answer that asked no source for a score.
    pub(super) fn local<T: Serialize>(
        &self,
        identity: &Identity,
        outcome: &'static str,
        answer: &T,
    ) -> Result<Finished, Problem> {
        Ok(Finished {
            outcome,
            cache: "local",
            provider_time: Duration::ZERO,
            client: Arc::clone(&identity.client),
            asked: String::new(),
            rate: identity.rate(),
            reply: self.reply(answer)?,
            replayed: false,
        })
    }

    /// Looks whether a request was sent before, by its `Idempotency-Key`. Gives the right to answer it, or the reply.
    pub(super) fn claim(
        &self,
        http: &HttpRequest,
        caller: &Caller,
        body: &[u8],
    ) -> Result<Result<Option<Claim>, Finished>, Problem> {
        let Some(name) = http.headers().get("idempotency-key") else {
            return Ok(Ok(None));
        };
        if caller.branch.is_some() {
            return Err(self.wrong("a rehearsal is not kept, so it takes no Idempotency-Key"));
        }
        let name = name.to_str().ok().map(|name| name.trim().trim_matches('"'));
        let name = name
            .filter(|name| (1..=LONGEST_NAME).contains(&name.len()))
            .ok_or_else(|| {
                self.wrong(format!(
                    "Idempotency-Key: expected 1 to {LONGEST_NAME} visible ASCII characters"
                ))
            })?;
        let identity = &caller.identity;
        let accept = http
            .headers()
            .get("accept")
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        let digest = hex(&[self.operation.as_bytes(), accept, body]);
        let begun = self
            .app
            .decisions
            .replies
            .begin(identity.tenant(), &identity.client, name, digest);
        match begun.map_err(|error| self.failed(&error))? {
            Begun::Fresh(claim) => Ok(Ok(Some(claim))),
            Begun::Replay(reply) => Ok(Err(Finished {
                outcome: "replayed",
                cache: "local",
                provider_time: Duration::ZERO,
                client: Arc::clone(&identity.client),
                asked: String::new(),
                rate: identity.rate(),
                reply,
                replayed: true,
            })),
            Begun::Another => {
                let detail = "this Idempotency-Key was given to another request within the last 24 hours; give each request its own";
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Err(Problem::new(
                    status,
                    "idempotency-key-reused",
                    "The Idempotency-Key is taken",
                    detail,
                    &self.id,
                ))
            }
            Begun::Running => {
                let detail = "the request with this Idempotency-Key is being answered; ask again in a moment";
                let problem = Problem::new(
                    StatusCode::CONFLICT,
                    "idempotency-key-running",
                    "The request is being answered",
                    detail,
                    &self.id,
                );
                Err(problem.after(Duration::from_secs(1)))
            }
        }
    }

    /// Returns what the request's line in the log needs, for an answer that goes on after this.
    pub(super) fn line(&self) -> Line {
        Line {
            operation: self.operation,
            uuid: self.uuid,
            started: self.started,
            _in_flight: self.app.engine.metrics().in_flight(),
        }
    }

    /// Writes the answer and its line in the log.
    pub(super) fn finish(self, answered: Result<Finished, Problem>) -> HttpResponse {
        let line = self.line();
        match &answered {
            Ok(done) => {
                let entry = Entry {
                    outcome: done.outcome,
                    status: 200,
                    cache: done.cache,
                    provider_time: done.provider_time,
                    client: Arc::clone(&done.client),
                    asked: Some(done.asked.as_str()),
                };
                line.put(self.app, entry);
            }
            Err(problem) => {
                let entry = Entry {
                    outcome: "refused",
                    status: problem.status,
                    cache: "local",
                    provider_time: Duration::ZERO,
                    client: "".into(),
                    asked: None,
                };
                line.put(self.app, entry);
            }
        }
        match answered {
            Ok(done) => {
                let mut response = HttpResponse::Ok();
                response
                    .content_type(done.reply.content_type)
                    .insert_header(("x-request-id", self.id));
                access::rate_headers(&mut response, done.rate);
                if done.replayed {
                    response.insert_header(("idempotent-replayed", "true"));
                }
                response.body(done.reply.body)
            }
            Err(problem) => problem.response(),
        }
    }
}

/// Is a request's line in the log, as far as it is known at the start.
pub(super) struct Line {
    operation: &'static str,
    uuid: Uuid,
    started: Duration,
    /// Counts the request until its line is written.
    _in_flight: InFlight,
}

/// Is what becomes of a request.
struct Entry<'a> {
    outcome: &'static str,
    status: u16,
    cache: &'static str,
    provider_time: Duration,
    client: Arc<str>,
    asked: Option<&'a str>,
}

impl Line {
    /// Writes the line of an answer that went on by itself.
    pub(super) fn write(
        &self,
        app: &App,
        outcome: &'static str,
        provider_time: Duration,
        client: Arc<str>,
        asked: &str,
    ) {
        let entry = Entry {
            outcome,
            status: 200,
            cache: "mixed",
            provider_time,
            client,
            asked: Some(asked),
        };
        self.put(app, entry);
    }

    fn put(&self, app: &App, entry: Entry<'_>) {
        let took = app.engine.clock().elapsed().saturating_sub(self.started);
        app.engine.metrics().request(FACE, entry.outcome, took);
        let Some(log) = &app.log else { return };
        log.request(RequestLine {
            at: app.engine.clock().now(),
            request_id: self.uuid,
            client: entry.client,
            face: FACE,
            operation: self.operation.into(),
            outcome: entry.outcome,
            status: entry.status,
            cache: entry.cache,
            provider_time: entry.provider_time,
            took,
            indicator: entry.asked.map(Into::into),
        });
    }
}

/// Shortens what was asked for the log.
pub(super) fn asked(alert: &Alert) -> String {
    let values: Vec<&str> = alert
        .indicators
        .iter()
        .map(|(_, indicator)| indicator.value())
        .collect();
    head(&values.join(" "))
}
