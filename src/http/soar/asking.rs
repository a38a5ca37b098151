//! The way of a question for scores through the SOAR face: who asks, what is meant, the answer. `named` answers what was sent
//! before, `again` what was asked before, `line` writes the log.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use uuid::Uuid;

use super::line::{Entry, Line};
use super::rehearse::{self, Branch};
use super::wishes::Given;
use crate::app::App;
use crate::ask::message::head;
use crate::ask::score::{Alert, Scored, asked_for};
use crate::decisions::{Claim, Reply};
use crate::engine::cache::RenderedKey;
use crate::engine::ledger::Priority;
use crate::engine::room::Place;
use crate::engine::store::StoreError;
use crate::http::bodies::{Body, Sender};
use crate::http::principal::{self, Identity};
use crate::http::problem::Problem;
use crate::reputation::Decision;
use crate::reputation::alert::AlertAnswer;
use crate::reputation::segments::{self, Span};
use crate::telemetry::metrics::InFlight;
use crate::tokens::{RateStanding, Scope};

pub(super) const FACE: &str = "enrich";
pub(super) const JSON: &str = "application/json";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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
    /// Who asks, once that is known; for the line of a request that is refused.
    client: OnceCell<Arc<str>>,
    /// Counts the request until it is answered.
    _in_flight: InFlight,
}

/// So many indicators are asked about without waiting for each other.
const FEW: usize = 4;

/// Bodies longer than this are read where that holds up no other request of the worker.
const LARGE: usize = 8 << 10;

/// An indicator of a batch takes about so many bytes while the batch is under way.
const ITEM_BYTES: usize = 16 << 10;
/// A batch that found no room comes again after this.
const BUSY: Duration = Duration::from_secs(30);

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
    /// The id of the decision that the answer tells.
    pub(super) decision: Option<Arc<str>>,
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
            client: OnceCell::new(),
            _in_flight: app.engine.metrics().in_flight(),
        }
    }

    /// Returns the route.
    pub(super) fn operation(&self) -> &'static str {
        self.operation
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
        if let Some(reason) = principal::demo_refusal(self.app, http) {
            let status = StatusCode::FORBIDDEN;
            return Err(Problem::new(status, "refused", "Refused", reason, &self.id));
        }
        let identity = principal::identify(self.app, http, scope).map_err(|denied| {
            if let Some(client) = principal::named(self.app, http) {
                let _ = self.client.set(client);
            }
            Problem::denied(denied, &self.id)
        })?;
        // Asked for once.
        let _ = self.client.set(Arc::clone(&identity.client));
        Ok(identity)
    }

    /// Counts the other indicators of a request against the token's rate, once it is known how many there are.
    pub(super) fn count_rest(&self, caller: &mut Caller, items: usize) -> Result<(), Problem> {
        let counted = caller.identity.count_rest(self.app, items);
        counted.map_err(|denied| Problem::denied(denied, &self.id))
    }

    /// Takes room for what so many indicators of a batch come to, and waits for it until the deadline.
    pub(super) async fn room_for(&self, items: usize, deadline: Duration) -> Result<Place, Problem> {
        let room = self.app.engine.batches();
        let place = room.take(items.saturating_mul(ITEM_BYTES), deadline).await;
        place.ok_or_else(|| {
            let detail = "other batches are under way and took all the time that this one had; ask again later, or about fewer";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Problem::new(status, "busy", "Too many batches", detail, &self.id).after(BUSY)
        })
    }

    /// Makes the problem of a request that cannot be understood.
    pub(super) fn wrong(&self, detail: impl Into<String>) -> Problem {
        Problem::invalid(detail, &self.id)
    }

    /// Reads a body under the cap; `what` names it.
    pub(super) async fn body(
        &self,
        http: &HttpRequest,
        payload: web::Payload,
        most: usize,
        what: &str,
    ) -> Result<Arc<Body>, Problem> {
        // A member that was passed over would pass for taken. What it is may be secret, and is not repeated.
        if !http.query_string().is_empty() {
            let detail = format!(
                "the query: nothing is taken from it here; every member of {what} stands in the body"
            );
            return Err(self.wrong(detail));
        }
        let most = most.min(self.app.configured.load().settings().server.max_body);
        let read = self.app.bodies.read(http, payload, most, Sender::Known).await;
        read.map(Arc::new)
            .map_err(|unread| Problem::unread(unread, what, &self.id))
    }

    /// Works on a body: a large one beside the workers, in its turn. Its memory counts until that is done.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        body: &Arc<Body>,
        work: impl FnOnce(&[u8]) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        if body.len() <= LARGE {
            return Ok(work(body));
        }
        let body = Arc::clone(body);
        let worked = self.app.reading.write(false, move || work(&body)).await;
        worked.map_err(|error| {
            tracing::error!(request_id = %self.id, ?error, "a body could not be read");
            let detail = "the body could not be read; the server's log says why";
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(
                status,
                "failed",
                "The request could not be read",
                detail,
                &self.id,
            )
        })
    }

    /// Reads JSON; `what` names it.
    pub(super) fn json<T: DeserializeOwned>(&self, body: &[u8], what: &str) -> Result<T, Problem> {
        decoded(body, what).map_err(|detail| self.wrong(detail))
    }

    /// Answers an alert: rehearsed, as it was answered before, or by asking.
    pub(super) async fn answer(
        &self,
        mut caller: Caller,
        alert: Alert,
        given: &Given,
        claim: Option<Claim>,
        key: Option<RenderedKey>,
    ) -> Result<Finished, Problem> {
        self.count_rest(&mut caller, alert.indicators.len())?;
        let configured = self.app.configured.load_full();
        let deadline = configured.settings().deadlines.enrich;
        let (policy, wishes) = given.resolve(
            self.app,
            &caller.identity,
            &self.id,
            deadline,
            &asked_for(&configured.policy),
        )?;
        let mut asker = caller.identity.asker(FACE, self.operation, self.id.clone());
        if alert.indicators.len() > FEW {
            asker.priority = Priority::Several;
        }
        let scorer = self.app.scorer(&configured, &policy, &asker, &wishes);
        let asked = asked(&alert);
        let opinions = self.app.decisions.opinions.version();
        let mut scored = match caller.branch {
            Some(branch) => rehearse::play(&scorer, branch, alert, &self.id).await?,
            None => {
                let scored = scorer.score(alert).await;
                self.keep(&caller.identity, &scored.answer).await?;
                scored
            }
        };
        let steady = scored.steady.take();
        let (finished, answer, spans) = self.finished(&caller, scored, asked)?;
        if let (Some(key), Some(steady)) = (key, steady) {
            self.note(key, opinions, (&answer, &spans), steady, &finished)
                .await;
        }
        // A client that asks again may get what is missing now; what is known is held, and costs nothing again.
        if let Some(claim) = claim
            && finished.outcome != Decision::Undetermined.name()
        {
            self.keep_reply(claim, &finished.reply).await?;
        }
        Ok(finished)
    }

    /// Keeps a decision. One that cannot be kept is none: nobody could explain it later.
    pub(super) async fn keep(&self, identity: &Identity, answer: &AlertAnswer) -> Result<(), Problem> {
        let kept = self.app.keep(identity.tenant(), &identity.client, answer).await;
        kept.map_err(|error| self.store(&error))
    }

    /// Keeps a reply. Where the store takes nothing for now, the reply is sent all the same: the same key then asks again,
    /// which costs nothing, since what was answered is held.
    pub(super) async fn keep_reply(&self, claim: Claim, reply: &Reply) -> Result<(), Problem> {
        match self.app.decisions.replies.keep(claim, reply.clone()).await {
            Err(StoreError::Full { .. } | StoreError::Down(_)) => Ok(()),
            kept => kept.map_err(|error| self.store(&error)),
        }
    }

    /// Makes the problem of a store that cannot be used; where it will be, it says when to ask again.
    pub(super) fn store(&self, error: &StoreError) -> Problem {
        Problem::store(error, &self.id).unwrap_or_else(|| self.failed(error))
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

    fn finished(
        &self,
        caller: &Caller,
        scored: Scored,
        asked: String,
    ) -> Result<(Finished, AlertAnswer, Vec<Span>), Problem> {
        let outcome = scored.answer.decision.name();
        let answer = Answer {
            alert: scored.answer,
            sample_data: self.app.is_sample().then_some(true),
            rehearsal: caller.branch.map(|_| true),
        };
        let written = segments::write(&answer).map_err(|error| self.failed(&error))?;
        let finished = Finished {
            outcome,
            cache: scored.cache,
            provider_time: scored.provider_time,
            client: Arc::clone(&caller.identity.client),
            asked,
            rate: caller.identity.rate(),
            reply: Reply {
                content_type: JSON.to_owned(),
                body: written.text,
            },
            replayed: false,
            decision: Some(answer.alert.decision_id.as_str().into()),
        };
        Ok((finished, answer.alert, written.spans))
    }

    /// Renders an answer as JSON.
    pub(super) fn reply<T: Serialize>(&self, answer: &T) -> Result<Reply, Problem> {
        let mut body = Vec::with_capacity(4096);
        serde_json::to_writer(&mut body, answer).map_err(|error| self.failed(&error))?;
        let body = String::from_utf8(body).map_err(|error| self.failed(&error))?;
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
            decision: None,
        })
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
                    decision: done.decision.clone(),
                };
                line.put(self.app, entry);
            }
            Err(problem) => {
                let entry = Entry {
                    outcome: "refused",
                    status: problem.status,
                    cache: "local",
                    provider_time: Duration::ZERO,
                    client: self.client.get().map_or_else(|| "".into(), Arc::clone),
                    asked: None,
                    decision: None,
                };
                line.put(self.app, entry);
            }
        }
        match answered {
            Ok(done) => {
                let mut response = HttpResponse::Ok();
                response
                    .content_type(done.reply.content_type)
                    .insert_header((REQUEST_ID, self.id));
                principal::rate_headers(&mut response, done.rate);
                if done.replayed {
                    response.insert_header(("idempotent-replayed", "true"));
                }
                response.body(done.reply.body)
            }
            Err(problem) => problem.response(),
        }
    }
}

/// Reads JSON; `what` names it.
pub(super) fn decoded<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, String> {
    super::body::read(body).map_err(|error| format!("the body is not {what}: {error}"))
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
