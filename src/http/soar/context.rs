//! The facts behind a score.

use serde::Deserialize;
use utoipa::IntoParams;

use super::rehearse;
use super::reply::Finished;
use super::score_options::{Names, RawScoreOptions};
use super::score_request::ScoreRequest;
use super::statuses::Refusals;
use super::values::{ReadValue, guess};
use crate::ask::score::IndicatorFacts;
use crate::http::problem::Problem;
use crate::http::target::{in_path, query};

/// Records of each kind and source, where the request does not say, and at most.
const RECORDS: u32 = 25;
const MOST_RECORDS: u32 = 200;

/// Holds the query of a question for facts.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ContextWanted {
    /// The most records of each kind and source, newest first; 25 where it is left out.
    #[param(minimum = 1, maximum = 200)]
    pub records: Option<u32>,
    /// Seconds to wait for sources; what is not there by then is missing. The server's own deadline where it is left out.
    #[param(minimum = 1, maximum = 3600)]
    pub deadline_s: Option<u64>,
    /// The greatest age of a stored answer in seconds. Less than the time for which answers are kept needs the scope `refresh`.
    pub max_age: Option<u64>,
    /// How far the indicator may travel: clear, green, amber, amber+strict or red.
    #[param(example = "amber")]
    pub tlp: Option<String>,
    /// What may be done with the indicator: clear, green, amber or red.
    #[param(example = "amber")]
    pub pap: Option<String>,
    /// The only sources to ask, by name, separated by commas; all where it is left out.
    pub providers: Option<String>,
}

/// Lists what a question for facts can be answered with.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
enum Own {
    /// What sources know. A provider's failure is in the answer, not in the status.
    #[response(status = 200)]
    Found(IndicatorFacts),
}

/// Gathers the dated facts about an indicator: registration, resolutions, incidents, sandbox samples.
#[utoipa::path(
    get,
    path = "/v1/context/{indicator}",
    operation_id = "getContext",
    tag = "reputation",
    params(("indicator" = String, Path, description = "An indicator of any kind, percent-encoded.", example = "career-offers.example"), ContextWanted),
    responses(Own, Refusals),
    security(("token" = []))
)]
pub async fn context(request: ScoreRequest) -> Result<Finished, Problem> {
    let wanted: ContextWanted = query(&request.http)?;
    let records = wanted.records.unwrap_or(RECORDS);
    if !(1..=MOST_RECORDS).contains(&records) {
        return Err(Problem::invalid(format!(
            "records: expected a whole number from 1 to {MOST_RECORDS}"
        )));
    }
    let given = RawScoreOptions {
        deadline_s: wanted.deadline_s,
        max_age: wanted.max_age,
        tlp: wanted.tlp,
        pap: wanted.pap,
        providers: wanted.providers.names(),
        ..RawScoreOptions::default()
    };
    let value = in_path(&request.http, "indicator")?;
    let read = guess(&value).and_then(ReadValue::only);
    let indicator = read.map_err(Problem::invalid)?.indicator;
    let app = &request.app;
    let configured = app.configured.load_full();
    let deadline = configured.settings().deadlines.enrich;
    let (policy, options) = given.resolve(app, &request.principal, deadline, &IndicatorFacts::asked_for())?;
    let requester = request.requester();
    let scorer = app.scorer(&configured, &policy, &requester, &options);
    let mut found = match request.branch {
        Some(branch) => rehearse::facts(&scorer, branch, &indicator).await?,
        None => scorer.context(&indicator, records as usize).await,
    };
    found.sample_data = app.is_sample().then_some(true);
    Ok(Finished {
        asked: indicator.value().to_owned(),
        ..Finished::local(&request.principal, "context", &found)?
    })
}
