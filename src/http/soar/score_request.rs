//! The way of a question for scores through the SOAR frontend: who asks, what is meant, the answer. `idempotency` answers what was sent
//! before, `repeated` what was asked before.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;
use utoipa::ToSchema;

use super::rehearse::{self, RehearsalBranch};
use super::reply::{Finished, JSON};
use super::score_options::RawScoreOptions;
use crate::app::App;
use crate::ask::message::head;
use crate::ask::score::{Alert, Scored, asked_for};
use crate::decisions::{Reply, ReplyClaim};
use crate::engine::Requester;
use crate::engine::cache::RenderedKey;
use crate::engine::ledger::Priority;
use crate::engine::memory_budget::MemoryPermit;
use crate::http::principal::{self, Principal};
use crate::http::problem::Problem;
use crate::http::request::{Operation, RequestContext};
use crate::reputation::Decision;
use crate::reputation::alert::AlertAnswer;
use crate::reputation::segments::{self, Span};
use crate::storage::StoreError;
use crate::tokens::Scope;

pub(super) const FRONTEND: &str = "enrich";

/// Holds an answer as it is sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    /// The answer.
    #[serde(flatten)]
    pub alert: AlertAnswer,
    /// Stands there, and is true, where everything is sample data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_data: Option<bool>,
    /// Stands there, and is true, where no source was asked because the caller rehearses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<bool>,
}

/// Extracts a question for scores: who asks, and whether they rehearse.
pub struct ScoreRequest {
    pub(super) app: Data<App>,
    pub(super) http: HttpRequest,
    pub(super) context: RequestContext,
    /// The request's id, as text.
    pub(super) id: String,
    /// The route's pattern.
    pub(super) pattern: &'static str,
    pub(super) principal: Principal,
    /// The branch that the client rehearses, where it does.
    pub(super) branch: Option<RehearsalBranch>,
}

impl FromRequest for ScoreRequest {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(http: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Self::read(http))
    }
}

/// So many indicators are asked about without waiting for each other.
const FEW: usize = 4;

/// An indicator of a batch takes about so many bytes while the batch is under way.
const ITEM_BYTES: usize = 16 << 10;
/// A batch that found no room comes again after this.
const BUSY: Duration = Duration::from_secs(30);

impl ScoreRequest {
    /// Finds out who asks; a rehearsal needs a scope of its own.
    fn read(http: &HttpRequest) -> Result<Self, Problem> {
        let app = principal::app_of(http)?;
        let branch = rehearse::branch(http);
        let scope = match branch {
            Ok(None) => Scope::Enrich,
            _ => Scope::Rehearse,
        };
        let principal = principal::authorize(http, scope)?;
        let context = RequestContext::of(http);
        Ok(Self {
            app: app.clone(),
            id: context.id().to_string(),
            context,
            pattern: http.app_data::<Operation>().map_or("", |one| one.pattern),
            http: http.clone(),
            principal,
            branch: branch.map_err(Problem::invalid)?,
        })
    }

    /// Makes the requester of this question.
    pub(super) fn requester(&self) -> Requester {
        self.principal.requester(FRONTEND, self.pattern, self.id.clone())
    }

    /// Counts the other indicators of a request against the token's rate, once it is known how many there are.
    pub(super) fn count_rest(&mut self, items: usize) -> Result<(), Problem> {
        let counted = self.principal.count_rest(&self.app, items);
        counted.map_err(Problem::denied)
    }

    /// Takes room for what so many indicators of a batch come to, and waits for it until the deadline.
    pub(super) async fn room_for(&self, items: usize, deadline: Duration) -> Result<MemoryPermit, Problem> {
        let room = self.app.engine.batches();
        let place = room.take(items.saturating_mul(ITEM_BYTES), deadline).await;
        place.ok_or_else(|| {
            let detail = "other batches are under way and took all the time that this one had; ask again later, or about fewer";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Problem::new(status, "busy", "Too many batches", detail).after(BUSY)
        })
    }

    /// Answers an alert: rehearsed, as it was answered before, or by asking.
    pub(super) async fn answer(
        mut self,
        alert: Alert,
        given: &RawScoreOptions,
        claim: Option<ReplyClaim>,
        key: Option<RenderedKey>,
    ) -> Result<Finished, Problem> {
        self.count_rest(alert.indicators.len())?;
        let configured = self.app.configured.load_full();
        let deadline = configured.settings().deadlines.enrich;
        let asks = asked_for(&configured.policy);
        let (policy, options) = given.resolve(&self.app, &self.principal, deadline, &asks)?;
        let mut requester = self.requester();
        if alert.indicators.len() > FEW {
            requester.priority = Priority::Several;
        }
        let scorer = self.app.scorer(&configured, &policy, &requester, &options);
        let asked = asked(&alert);
        let opinions = self.app.decisions.opinions.version();
        let mut scored = match self.branch {
            Some(branch) => rehearse::play(&scorer, branch, alert, &self.id).await?,
            None => {
                let scored = scorer.score(alert).await;
                self.keep(&scored.answer).await?;
                scored
            }
        };
        let dependencies = scored.dependencies.take();
        let (finished, answer, spans) = self.finished(scored, asked)?;
        if let (Some(key), Some(dependencies)) = (key, dependencies) {
            self.note(key, opinions, (&answer, &spans), dependencies, &finished)
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

    /// Keeps a decision. One that cannot be kept is none: it could not be explained later.
    pub(super) async fn keep(&self, answer: &AlertAnswer) -> Result<(), Problem> {
        let Principal { client, .. } = &self.principal;
        let kept = self.app.keep(self.principal.tenant(), client, answer).await;
        kept.map_err(|error| Problem::store(&error))
    }

    /// Keeps a reply. Where the store takes nothing for now, the reply is sent all the same: the same key then asks again,
    /// which costs nothing, since what was answered is held.
    pub(super) async fn keep_reply(&self, claim: ReplyClaim, reply: &Reply) -> Result<(), Problem> {
        match self.app.decisions.replies.keep(claim, reply.clone()).await {
            Err(StoreError::Full { .. } | StoreError::Down(_)) => Ok(()),
            kept => kept.map_err(|error| Problem::store(&error)),
        }
    }

    fn finished(&self, scored: Scored, asked: String) -> Result<(Finished, AlertAnswer, Vec<Span>), Problem> {
        let outcome = scored.answer.decision.name();
        let answer = Answer {
            alert: scored.answer,
            sample_data: self.app.is_sample().then_some(true),
            rehearsal: self.branch.map(|_| true),
        };
        let written = segments::write(&answer).map_err(Problem::failed)?;
        let finished = Finished {
            outcome,
            cache: scored.cache,
            provider_time: scored.provider_time,
            client: Arc::clone(&self.principal.client),
            asked,
            rate: self.principal.rate(),
            reply: Reply {
                content_type: JSON.to_owned(),
                body: written.text,
            },
            replayed: false,
            decision: Some(answer.alert.decision_id.as_str().into()),
        };
        Ok((finished, answer.alert, written.spans))
    }
}

/// Shortens what was asked for the log.
fn asked(alert: &Alert) -> String {
    let values: Vec<&str> = alert
        .indicators
        .iter()
        .map(|(_, indicator)| indicator.value())
        .collect();
    head(&values.join(" "))
}
