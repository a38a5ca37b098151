//! Scores of many indicators at once: each with a status of its own, as JSON or, as they come, as lines of JSON.
//!
//! No person waits at a screen for a batch, so it stops at each budget's reserve.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{Either, HttpRequest, HttpResponse};
use futures_util::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rehearse::{self, RehearsalBranch};
use super::reply::{Finished, json};
use super::score_options::score_params;
use super::score_request::ScoreRequest;
use super::shapes::{Item, OneOrMany};
use super::slices::TimeSlice;
use super::statuses::{BodyRefusals, Named, Refusals};
use super::streamed::stream_lines;
use super::values::{self, Read, ReadValue, guess};
use crate::app::{App, Configured};
use crate::ask::score::{Alert, ScoreOptions, asked_for, budget_left};
use crate::decisions::{Reply, ReplyClaim};
use crate::engine::Requester;
use crate::engine::ledger::Priority;
use crate::engine::memory_budget::MemoryPermit;
use crate::http::json::decoded;
use crate::http::principal::Principal;
use crate::http::problem::Problem;
use crate::http::request_body::{BodyKind, RequestBody};
use crate::reputation::alert::{BudgetLeft, Cost};
use crate::reputation::{Assessment, Decision, Policy};

/// The most indicators of a batch.
const MOST_INDICATORS: usize = 1000;
/// The most bytes of a batch.
const MOST_BYTES: usize = 5 << 20;
/// So many indicators are asked about at once: all, so that those of one source fill the look-ups that take many. Rates
/// and connections bound what goes out.
const AT_ONCE: usize = MOST_INDICATORS;
/// How long a batch takes at most, where its caller says nothing, and where it does.
const DEADLINE: Duration = Duration::from_mins(5);

pub(super) const NDJSON: &str = "application/x-ndjson";

score_params! {
    schema, Option<OneOrMany>;
    /// Holds the indicators of a batch.
    #[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
    pub struct Batch {
        /// 1 to 1000 indicators of any kind, told by their form; defanged ones are taken.
        #[schema(value_type = Vec<String>, min_items = 1, max_items = 1000, example = json!(["career-offers.example", "192.0.2.44", "billing@career-offers.example"]))]
        pub indicators: OneOrMany,
    }
}

/// Is what became of one indicator of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BatchItem {
    /// Its place in the question, from 0: also an element that holds nothing has one.
    pub index: usize,
    /// As it was sent, shortened.
    pub given: String,
    /// 200 where it was understood, 400 where not, 500 where its decision could not be kept.
    pub status: u16,
    /// What is wrong, where something is; else what was taken of what was given, where that is not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The id under which the decision is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// Seconds after which asking again may give what is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// The assessment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Assessment>,
    #[serde(skip)]
    cost: Cost,
    #[serde(skip)]
    pub(super) provider_time: Duration,
    /// Those with budgets.
    #[serde(skip)]
    sources: BTreeSet<String>,
}

/// Counts what a batch came to; the last line of lines of JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BatchSummary {
    /// The request's id.
    pub request_id: String,
    /// The version of the policy that decided.
    pub policy_version: String,
    /// Indicators that exceed.
    pub exceeds: usize,
    /// Indicators that do not.
    pub below: usize,
    /// Indicators that no source knows.
    pub unknown: usize,
    /// Indicators that no configured source scores.
    pub unsupported: usize,
    /// Indicators for which a source that could have known is missing.
    pub undetermined: usize,
    /// Values that are no indicators.
    pub invalid: usize,
    /// Indicators whose decision could not be kept; asking again may help.
    pub failed: usize,
    /// What it cost.
    pub cost: Cost,
    /// What is left of the budgets of the sources asked.
    pub budget: Vec<BudgetLeft>,
    /// Stands there, and is true, where everything is sample data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_data: Option<bool>,
    /// Stands there, and is true, where no source was asked because the caller rehearses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<bool>,
    #[serde(skip)]
    sources: BTreeSet<String>,
}

/// Holds the answer to a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchAnswer {
    /// What it came to.
    pub summary: BatchSummary,
    /// What became of each indicator, in the order of the question.
    pub items: Vec<BatchItem>,
}

/// Lists what a batch can be answered with.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
enum Own {
    /// Scored, each indicator with a status of its own. As `application/x-ndjson`, if `Accept` says so, each item is a line as soon as it is known, and the summary is the last line, as `{"summary": …}`; or `{"problem": …}` for lines that were not read in time.
    #[response(status = 200)]
    Scored(BatchAnswer),
}

/// Scores up to 1000 indicators.
#[utoipa::path(
    post,
    path = "/v1/enrich/batch",
    operation_id = "enrichBatch",
    tag = "reputation",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]*[!-~][ -~]*$", description = "Names the request: sent again within 24 hours, it gets the same reply.")),
    request_body = Batch,
    responses(Own, Refusals, BodyRefusals, Named),
    security(("token" = []))
)]
pub async fn score_batch(
    request: ScoreRequest,
    body: RequestBody<Batch>,
) -> Result<Either<Finished, HttpResponse>, Problem> {
    let claim = match request.claim(&body).await? {
        Ok(claim) => claim,
        Err(replayed) => return Ok(Either::Left(replayed)),
    };
    let lines = wants_lines(&request.http);
    let run = begin(&request, body).await?;
    if lines && claim.is_none() {
        return Ok(Either::Right(stream_lines(&request.context, run)));
    }
    Ok(Either::Left(gather(&request, run, claim, lines).await?))
}

impl BodyKind for Batch {
    const MOST_BYTES: usize = MOST_BYTES;
    const NAME: &'static str = "a batch";
}

/// Tells whether a client wants an answer line by line.
pub(super) fn wants_lines(http: &HttpRequest) -> bool {
    let accept = http.headers().get("accept");
    accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("ndjson"))
}

/// Holds a batch under way.
pub(super) struct Run {
    pub(super) app: Data<App>,
    configured: Arc<Configured>,
    pub(super) principal: Principal,
    branch: Option<RehearsalBranch>,
    pub(super) requester: Requester,
    policy: Policy,
    options: ScoreOptions,
    /// The values with their places in the question.
    pub(super) given: Vec<(usize, Item)>,
    /// The room for what it comes to.
    _place: MemoryPermit,
}

async fn begin(request: &ScoreRequest, body: RequestBody<Batch>) -> Result<Run, Problem> {
    let read = body.work(|body| {
        let batch: Batch = decoded(body, Batch::NAME)?;
        Ok((batch.score_options(), batch.indicators.elements()))
    });
    let (options, given) = read.await?.map_err(|detail: String| Problem::invalid(detail))?;
    drop(body);
    if !(1..=MOST_INDICATORS).contains(&given.len()) {
        return Err(Problem::invalid(format!(
            "indicators: expected 1 to {MOST_INDICATORS}, found {}",
            given.len()
        )));
    }
    let app = &request.app;
    let mut principal = request.principal.clone();
    principal.count_rest(app, given.len()).map_err(Problem::denied)?;
    if request.branch == Some(RehearsalBranch::Limited) {
        return Err(rehearse::limited());
    }
    let configured = app.configured.load_full();
    let asks = asked_for(&configured.policy);
    let (policy, options) = options.resolve(app, &principal, DEADLINE, &asks)?;
    Ok(Run {
        app: app.clone(),
        configured,
        branch: request.branch,
        requester: Requester {
            priority: Priority::Batch,
            ..request.requester()
        },
        principal,
        policy,
        // What all items come to is held until it is sent.
        _place: request.room_for(given.len(), options.deadline).await?,
        options,
        given,
    })
}

impl Run {
    /// Scores one indicator.
    async fn item(&self, (index, given): &(usize, Item)) -> BatchItem {
        let index = *index;
        let (value, read) = match given.text() {
            Ok(text) => (text, guess(text).and_then(ReadValue::only)),
            Err((word, reason)) => (word, Err(reason)),
        };
        let mut item = BatchItem {
            index,
            given: values::shown(value),
            status: 200,
            detail: None,
            decision_id: None,
            retry_after_s: None,
            assessment: None,
            cost: Cost::default(),
            provider_time: Duration::ZERO,
            sources: BTreeSet::new(),
        };
        let (role, indicator) = match read {
            Ok(Read {
                role,
                indicator,
                note,
            }) => {
                item.detail = note;
                (role, indicator)
            }
            Err(detail) => {
                item.status = 400;
                item.detail = Some(detail);
                return item;
            }
        };
        let scorer = self
            .app
            .scorer(&self.configured, &self.policy, &self.requester, &self.options);
        let alert = Alert::of(vec![(role.clone(), indicator.clone())]);
        let answer = match self.branch {
            Some(branch) => match rehearse::play(&scorer, branch, alert, &self.requester.request_id).await {
                Ok(scored) => scored.answer,
                Err(problem) => {
                    item.status = problem.status;
                    item.detail = Some(problem.detail);
                    return item;
                }
            },
            None => {
                let results = scorer.score_indicator(&role, &indicator).await;
                let scored = scorer.answer(alert, vec![results]);
                item.provider_time = scored.provider_time;
                let principal = &self.principal;
                let kept = self
                    .app
                    .keep(principal.tenant(), &principal.client, &scored.answer)
                    .await;
                if let Err(error) = kept {
                    if let Some(problem) = Problem::store_for_now(&error) {
                        item.status = problem.status;
                        item.detail = Some(problem.detail);
                        item.retry_after_s = problem.retry_after_s;
                        return item;
                    }
                    tracing::error!(request_id = %self.requester.request_id, %error, "a decision could not be kept");
                    item.status = 500;
                    item.detail =
                        Some("the decision could not be kept; the server's log says why".to_owned());
                    return item;
                }
                scored.answer
            }
        };
        item.decision_id = self.branch.is_none().then_some(answer.decision_id);
        item.retry_after_s = answer.retry_after_s;
        item.cost = answer.cost;
        item.sources = answer.budget.into_iter().map(|left| left.source).collect();
        item.assessment = answer.indicators.into_iter().next();
        item
    }

    pub(super) fn summary(&self) -> BatchSummary {
        BatchSummary {
            request_id: self.requester.request_id.clone(),
            policy_version: self.policy.version().to_owned(),
            sample_data: self.app.is_sample().then_some(true),
            rehearsal: self.branch.map(|_| true),
            ..BatchSummary::default()
        }
    }
}

impl BatchSummary {
    pub(super) fn count(&mut self, item: &BatchItem) {
        let counted = match item.assessment.as_ref().map(|assessment| assessment.decision) {
            Some(Decision::Exceeds) => &mut self.exceeds,
            Some(Decision::Below) => &mut self.below,
            Some(Decision::Unknown) => &mut self.unknown,
            Some(Decision::Unsupported) => &mut self.unsupported,
            Some(Decision::Undetermined) => &mut self.undetermined,
            None if item.status >= 500 => &mut self.failed,
            None => &mut self.invalid,
        };
        *counted += 1;
        self.cost.calls += item.cost.calls;
        self.cost.cached += item.cost.cached;
        self.sources.extend(item.sources.iter().cloned());
    }

    /// Says what is left, once everything is counted.
    pub(super) fn close(&mut self, app: &App, tenant: &str) {
        self.budget = budget_left(&app.engine, tenant, &self.sources);
    }

    /// Returns the word for the log.
    pub(super) fn outcome(&self) -> &'static str {
        let counts = [
            (self.exceeds, Decision::Exceeds),
            (self.undetermined, Decision::Undetermined),
            (self.below, Decision::Below),
            (self.unknown, Decision::Unknown),
            (self.unsupported, Decision::Unsupported),
        ];
        let found = counts.into_iter().find(|(count, _)| *count > 0);
        match found {
            Some((_, decision)) => decision.name(),
            None if self.failed > 0 => "refused",
            None => "bad_input",
        }
    }
}

/// Scores all indicators, many at once, each told as soon as it is known.
pub(super) fn items(run: Rc<Run>) -> impl Stream<Item = BatchItem> {
    let count = run.given.len();
    let slices = TimeSlice::new(Arc::clone(run.app.engine.clock()));
    let of = Rc::clone(&slices);
    let items = stream::iter(0..count).map(move |at| {
        let run = Rc::clone(&run);
        slices.work(async move {
            match run.given.get(at) {
                Some(given) => Some(run.item(given).await),
                None => None,
            }
        })
    });
    of.of(items.buffer_unordered(AT_ONCE).filter_map(std::future::ready))
}

async fn gather(
    request: &ScoreRequest,
    run: Run,
    claim: Option<ReplyClaim>,
    lines: bool,
) -> Result<Finished, Problem> {
    let run = Rc::new(run);
    let mut items: Vec<BatchItem> = items(Rc::clone(&run)).collect().await;
    items.sort_by_key(|item| item.index);
    let mut summary = run.summary();
    let mut provider_time = Duration::ZERO;
    for item in &items {
        summary.count(item);
        provider_time += item.provider_time;
    }
    summary.close(&run.app, run.principal.tenant());
    let outcome = summary.outcome();
    let is_settled = summary.undetermined + summary.failed == 0;
    let reply = if lines {
        let mut body: String = items.iter().map(line).collect();
        body.push_str(&last_line(&summary));
        Reply {
            content_type: NDJSON.to_owned(),
            body,
        }
    } else {
        json(&BatchAnswer { summary, items })?
    };
    // A client that asks again may get what is missing now; what is known is held, and costs nothing again.
    if let Some(claim) = claim
        && is_settled
    {
        request.keep_reply(claim, &reply).await?;
    }
    Ok(Finished {
        outcome,
        cache: "mixed",
        provider_time,
        client: Arc::clone(&run.principal.client),
        asked: format!("{} indicators", run.given.len()),
        rate: run.principal.rate(),
        reply,
        replayed: false,
        decision: None,
    })
}

pub(super) fn line(item: &BatchItem) -> String {
    let mut line = serde_json::to_string(item).unwrap_or_default();
    line.push('\n');
    line
}

pub(super) fn last_line(summary: &BatchSummary) -> String {
    let mut line = serde_json::json!({ "summary": summary }).to_string();
    line.push('\n');
    line
}
