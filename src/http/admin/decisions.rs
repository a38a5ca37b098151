//! The decisions that are kept: found, explained, made again under a policy, counted and removed.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};

use super::administrator::Administrator;
use super::cache::spellings;
use super::{refused, to_its_end};
use crate::admin::{Permission, Reach};
use crate::app::App;
use crate::config;
use crate::decisions::{
    ChosenDecisions, DecisionFilter, DecisionsOf, FeedbackRecord, FoundDecisions, KeptDecision, MOST_FOUND,
    ReplayReport, Replayed,
};
use crate::http::api_call::{ApiCall, api_call, json_call};
use crate::http::problem::Problem;
use crate::http::request_body::{BodyKind, RequestBody};
use crate::http::soar::decisions::indicators;
use crate::http::target::query;
use crate::reputation::{Decision, Policy, digest};

/// Counts what was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// How many.
    pub count: usize,
}

api_call! {
    /// Counts the decisions that are kept, by client.
    CountDecisions => GET "/v1/admin/decisions/stats" -> Vec<DecisionsOf>;
}

json_call!(ChosenDecisions => POST "/v1/admin/decisions/remove" -> Removed, takes_long: true);

impl BodyKind for ChosenDecisions {
    const MOST_BYTES: usize = 16 << 10;
    const NAME: &'static str = "a choice of decisions";
}

/// Asks for a page of decisions, those that were last made first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindDecisions {
    /// Those about an indicator, canonical or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indicator: Option<String>,
    /// Those that a client asked for first, by the name of its token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Those of a tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Those that were made at this time or after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<jiff::Timestamp>,
    /// Those that were first made before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<jiff::Timestamp>,
    /// Those that came to this decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The most of a page, at most 200; 50 where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The page that another named as its next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The decisions of a page, where nothing else is said.
const PAGE: usize = 50;

impl ApiCall for FindDecisions {
    type Reply = FoundDecisions;
    const METHOD: &'static str = "GET";
    const TAKES_LONG: bool = true;

    fn path(&self) -> String {
        let query = serde_urlencoded::to_string(self).unwrap_or_default();
        format!("/v1/admin/decisions?{query}")
    }
}

/// Asks why a decision came out as it did.
#[derive(Debug, Clone)]
pub struct ExplainDecision {
    /// Its id, a UUID.
    pub decision_id: String,
}

impl ApiCall for ExplainDecision {
    type Reply = ExplainedDecision;
    const METHOD: &'static str = "GET";
    const TAKES_LONG: bool = true;

    fn path(&self) -> String {
        format!("/v1/admin/decisions/{}/explain", self.decision_id)
    }
}

/// Explains a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExplainedDecision {
    /// The tenant.
    pub tenant: String,
    /// The decision as it was made, with its answer and the digests of its evidence.
    pub decision: KeptDecision,
    /// What people said of its indicators, and what holds still.
    pub feedback: Vec<FeedbackRecord>,
    /// What it would come to under today's policy.
    pub replay: Replayed,
}

/// Asks what decisions would come to under a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayDecisions {
    /// Which decisions.
    #[serde(default)]
    pub decisions: DecisionFilter,
    /// The text of a configuration file whose policy is tried; the server's own policy where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
}

json_call!(ReplayDecisions => POST "/v1/admin/decisions/replay" -> ReplayReport, takes_long: true);

impl BodyKind for ReplayDecisions {
    const MOST_BYTES: usize = 4 << 20;
    const NAME: &'static str = "a choice of decisions and a policy";
}

/// Checks a choice of decisions; returns the spellings of its indicator.
fn checked(filter: &DecisionFilter) -> Result<Option<Vec<String>>, Problem> {
    const NAMES: [Decision; 5] = [
        Decision::Exceeds,
        Decision::Below,
        Decision::Unknown,
        Decision::Unsupported,
        Decision::Undetermined,
    ];
    if let Some(decision) = &filter.decision
        && !NAMES.iter().any(|known| known.name() == decision)
    {
        let names = NAMES.map(Decision::name).join(", ");
        return Err(refused(format!("decision: expected one of {names}")));
    }
    Ok(filter.indicator.as_deref().map(spellings))
}

pub(super) async fn find(
    administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
) -> Result<Json<FoundDecisions>, Problem> {
    let FindDecisions {
        indicator,
        client,
        tenant,
        from,
        to,
        decision,
        limit,
        cursor,
    } = query(&http)?;
    let tenant = administrator.tenant(tenant)?;
    let limit = limit.unwrap_or(PAGE);
    if !(1..=MOST_FOUND).contains(&limit) {
        return Err(refused(format!(
            "limit: expected a whole number from 1 to {MOST_FOUND}"
        )));
    }
    let filter = DecisionFilter {
        indicator,
        client,
        tenant,
        from,
        to,
        decision,
    };
    let spellings = checked(&filter)?;
    let found = app
        .decisions
        .search(filter, spellings, cursor.as_deref(), limit)
        .await;
    let found = found.map_err(|error| refused(error.to_string()))?;
    let unknown = || refused("cursor: expected the `next` of a page".to_owned());
    found.map(Json).ok_or_else(unknown)
}

pub(super) async fn explain(
    administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
) -> Result<Json<ExplainedDecision>, Problem> {
    let none = || {
        let detail = "no such decision is kept";
        Problem::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is no such decision",
            detail,
        )
    };
    let given = http.match_info().get("decision").unwrap_or_default();
    let id = digest::id(given).ok_or_else(none)?;
    let policy = app.configured.load().policy.clone();
    let found = app.decisions.explained(&id, &policy).await;
    let found = found.map_err(|error| refused(error.to_string()))?;
    let found = found.filter(|(tenant, ..)| administrator.reach.holds(tenant));
    let (tenant, decision, replay) = found.ok_or_else(none)?;
    let feedback = indicators(&decision)
        .into_iter()
        .filter_map(|(kind, value)| app.decisions.opinions.of(&tenant, kind, &value))
        .map(|record| FeedbackRecord::clone(&record))
        .collect();
    Ok(Json(ExplainedDecision {
        tenant,
        decision,
        feedback,
        replay,
    }))
}

pub(super) async fn replay(
    administrator: Administrator,
    app: Data<App>,
    body: RequestBody<ReplayDecisions>,
) -> Result<Json<ReplayReport>, Problem> {
    let ReplayDecisions {
        decisions,
        configuration,
    } = body.json()?;
    // A configuration may name files of this machine, which are read.
    if configuration.is_some() && administrator.grants().with(Permission::Machine) != Reach::All {
        let detail = "another policy is tried by the local operator only, since a configuration may name files of the server's machine";
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "permission-missing",
            "The token may not do this",
            detail,
        ));
    }
    let spellings = checked(&decisions)?;
    let configured = app.configured.load_full();
    let policy = match configuration {
        None => configured.policy.clone(),
        Some(text) => {
            let read = config::read("--policy", &text, false, &[], &configured.loaded.providers);
            let loaded = read.map_err(|error| refused(error.to_string()))?;
            Policy::of(loaded.settings.reputation)
        }
    };
    let report = app.decisions.replay(decisions, spellings, policy).await;
    report.map(Json).map_err(|error| refused(error.to_string()))
}

pub(super) async fn stats(_administrator: Administrator, app: Data<App>) -> Json<Vec<DecisionsOf>> {
    Json(app.decisions.clients())
}

pub(super) async fn remove(
    _administrator: Administrator,
    app: Data<App>,
    body: RequestBody<ChosenDecisions>,
) -> Result<Json<Removed>, Problem> {
    let chosen = body.json()?;
    to_its_end(async move {
        let count = app.decisions.remove(&chosen).await;
        let count = count.map_err(|error| refused(error.to_string()))?;
        // The room is the disk's again where that needs it.
        let compacted = app.engine.store().compact().await;
        compacted.map_err(|error| refused(error.to_string()))?;
        Ok(Json(Removed { count }))
    })
    .await
}
