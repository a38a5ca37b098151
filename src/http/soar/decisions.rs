//! Decisions, looked at later: what was decided and why, and what people say of it.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reply::Finished;
use super::statuses::{BodyRefusals, NoRoom, NotFound, Refusals};
use crate::app::App;
use crate::ask::message::head;
use crate::decisions::{FeedbackError, FeedbackRecord, FeedbackVerdict, KeptDecision};
use crate::domain::indicator::is_invisible;
use crate::domain::{Indicator, IndicatorKind};
use crate::http::principal::{Authorized, scope};
use crate::http::problem::Problem;
use crate::http::request_body::{BodyKind, RequestBody};
use crate::reputation::digest;

/// The most bytes of feedback.
const MOST_BYTES: usize = 16 * 1024;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// How many days what was said holds, where the request does not say, and at most.
const DAYS: u32 = 90;
const MOST_DAYS: u32 = 366;
/// The most indicators that a refusal names.
const MOST_NAMED: usize = 10;

/// Holds a decision with what people said of its indicators since.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explained)]
pub struct DecisionWithFeedback {
    /// The decision.
    #[serde(flatten)]
    pub decision: KeptDecision,
    /// What people said of its indicators, and what holds still.
    pub feedback: Vec<FeedbackRecord>,
}

/// Says what people make of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"indicator": "career-offers.example", "verdict": "false_positive", "reason": "our own campaign, ticket 4711"}))]
pub struct Feedback {
    /// Which of the decision's indicators; may be left out where there is only one.
    #[schema(example = "career-offers.example")]
    pub indicator: Option<String>,
    /// `false_positive`: it is harmless. `confirmed`: it is malicious. `withdrawn`: what was said before does not hold.
    pub verdict: FeedbackVerdict,
    /// Why; told in every explanation.
    #[schema(example = "our own campaign, ticket 4711")]
    pub reason: String,
    /// After how many days it ends; 90 where it is left out.
    #[schema(minimum = 1, maximum = 366)]
    pub expires_in_days: Option<u32>,
}

/// Explains a decision: the answer as it was given, with the digests of its evidence.
#[utoipa::path(
    get,
    path = "/v1/decisions/{decision}",
    operation_id = "getDecision",
    tag = "decisions",
    params(("decision" = String, Path, description = "The `decision_id` of an answer; the example is one of another server.", example = "5ba2f5f1-40a5-8d1c-9d6c-36f58b0f6f0e")),
    responses((status = 200, description = "The decision.", body = DecisionWithFeedback), Refusals, NotFound),
    security(("token" = []))
)]
pub async fn decision(
    app: Data<App>,
    authorized: Authorized<scope::Enrich>,
    http: HttpRequest,
) -> Result<Finished, Problem> {
    let principal = authorized.0;
    let decision = find(&app, &http, principal.tenant()).await?;
    let feedback = indicators(&decision)
        .into_iter()
        .filter_map(|(kind, value)| app.decisions.opinions.of(principal.tenant(), kind, &value))
        .map(|record| FeedbackRecord::clone(&record))
        .collect();
    Finished::local(&principal, "found", &DecisionWithFeedback { decision, feedback })
}

/// Says that a decision was right or wrong: evidence for later ones of the tenant, until it ends.
#[utoipa::path(
    post,
    path = "/v1/decisions/{decision}/feedback",
    operation_id = "giveFeedback",
    tag = "decisions",
    params(("decision" = String, Path, description = "The `decision_id` of an answer; the example is one of another server.", example = "5ba2f5f1-40a5-8d1c-9d6c-36f58b0f6f0e")),
    request_body = Feedback,
    responses(
        (status = 200, description = "Taken in; it holds from now on.", body = FeedbackRecord),
        Refusals,
        NotFound,
        NoRoom,
        BodyRefusals,
    ),
    security(("token" = []))
)]
pub async fn feedback(
    app: Data<App>,
    authorized: Authorized<scope::Feedback>,
    http: HttpRequest,
    body: RequestBody<Feedback>,
) -> Result<Finished, Problem> {
    let principal = authorized.0;
    let said = body.json()?;
    let decision = find(&app, &http, principal.tenant()).await?;
    let (kind, indicator) = meant(&decision, said.indicator.as_deref()).map_err(Problem::invalid)?;
    let reason: String = said.reason.trim().chars().filter(|c| !is_invisible(*c)).collect();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let detail = format!("reason: expected 1 to {LONGEST_REASON} characters");
        return Err(Problem::invalid(detail));
    }
    let days = said.expires_in_days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let detail = format!("expires_in_days: expected a whole number from 1 to {MOST_DAYS}");
        return Err(Problem::invalid(detail));
    }
    let record = FeedbackRecord {
        r#type: kind,
        indicator,
        verdict: said.verdict,
        reason,
        client: principal.client.to_string(),
        decision_id: decision.decision_id,
        said_at: app.engine.clock().now(),
        expires_at: (app.engine.time().latest())
            .checked_add(SignedDuration::from_hours(i64::from(days) * 24))
            .unwrap_or(Timestamp::MAX),
    };
    let opinions = &app.decisions.opinions;
    let kept = opinions.say(principal.tenant(), record.clone()).await;
    kept.map_err(|error| match error {
        FeedbackError::Store(error) => Problem::store(&error),
        full @ FeedbackError::Full { .. } => {
            let (status, title) = (StatusCode::CONFLICT, "There is no room for feedback");
            Problem::new(status, "feedback-full", title, full.to_string())
        }
    })?;
    Finished::local(&principal, "feedback", &record)
}

impl BodyKind for Feedback {
    const MOST_BYTES: usize = MOST_BYTES;
    const NAME: &'static str = "feedback";
}

async fn find(app: &App, http: &HttpRequest, tenant: &str) -> Result<KeptDecision, Problem> {
    let given = http.match_info().get("decision").unwrap_or_default();
    let none = || {
        let detail = "no such decision is kept; `decision_id` of an answer names one, for as long as decisions are kept, unless no source was asked for it";
        let status = StatusCode::NOT_FOUND;
        Problem::new(status, "not-found", "There is no such decision", detail)
    };
    let id = digest::id(given).ok_or_else(none)?;
    let found = app
        .decisions
        .find(tenant, &id)
        .await
        .map_err(|error| Problem::store(&error))?;
    found.ok_or_else(none)
}

/// Lists the indicators of a decision.
pub(crate) fn indicators(decision: &KeptDecision) -> Vec<(IndicatorKind, String)> {
    let items = decision
        .answer
        .get("indicators")
        .and_then(serde_json::Value::as_array);
    let of = |item: &serde_json::Value| {
        let kind = item.get("type")?.as_str()?.parse().ok()?;
        Some((kind, item.get("indicator")?.as_str()?.to_owned()))
    };
    items.into_iter().flatten().filter_map(of).collect()
}

/// Finds the indicator that is meant.
fn meant(decision: &KeptDecision, named: Option<&str>) -> Result<(IndicatorKind, String), String> {
    let all = indicators(decision);
    match named {
        None => match all.as_slice() {
            [only] => Ok(only.clone()),
            several => {
                let named = several.iter().take(MOST_NAMED).map(|(_, value)| head(value));
                let more = several.len().saturating_sub(MOST_NAMED);
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                Err(format!(
                    "indicator: expected one of the decision's {}: {}{more}",
                    several.len(),
                    named.collect::<Vec<_>>().join(", ")
                ))
            }
        },
        Some(named) => {
            let found = super::values::guess(named).unwrap_or_default();
            let is_meant = |kind: IndicatorKind, value: &str| {
                value == named
                    || found.reads.iter().any(|read| {
                        let same = |kept: Indicator| kept.folded() == read.indicator.folded();
                        read.indicator.value() == value || Indicator::parse(kind, value).is_ok_and(same)
                    })
            };
            let found = all.into_iter().find(|(kind, value)| is_meant(*kind, value));
            found.ok_or_else(|| "indicator: it is none of this decision's".to_owned())
        }
    }
}
