//! Scores of single indicators, each kind at a route of its own, so that generated clients need no unions.

use actix_web::HttpRequest;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::reply::Finished;
use super::score_options::{RawScoreOptions, score_params};
use super::score_request::ScoreRequest;
use super::shapes::{Item, OneOrMany};
use super::statuses::{BodyRefusals, Named, Refusals, Scored};
use super::values;
use crate::ask::score::Alert;
use crate::http::problem::Problem;
use crate::http::request_body::{BodyKind, RequestBody};
use crate::http::target::{in_path, query};
use crate::reputation::Kind;

/// The most bytes of one indicator's question.
const MOST_BYTES: usize = 64 * 1024;

score_params! {
    param, Option<String>;
    /// Holds the query of a look-up.
    #[derive(Debug, Clone, Default, Deserialize, IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ReputationQuery {}
}

score_params! {
    param, Option<String>;
    /// Holds the query of a look-up whose indicator cannot stand in a path.
    #[derive(Debug, Clone, Deserialize, IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct UrlWanted {
        /// A URL, percent-encoded; defanged ones are taken.
        #[param(example = "http://career-offers.example/apply")]
        pub indicator: String,
    }
}

score_params! {
    schema, Option<OneOrMany>;
    /// Holds one indicator of any kind.
    #[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
    pub struct Enrich {
        /// The indicator; defanged ones are taken.
        #[schema(value_type = String, example = "career-offers.example")]
        pub indicator: OneOrMany,
        /// What it is; told by its form where it is left out.
        #[serde(default, deserialize_with = "super::score_options::chosen")]
        pub kind: Option<Kind>,
    }
}

/// Scores a domain or host name.
#[utoipa::path(
    get,
    path = "/v1/domain/{domain}/reputation",
    operation_id = "getDomainReputation",
    tag = "reputation",
    params(("domain" = String, Path, description = "A domain or host name.", example = "career-offers.example"), ReputationQuery),
    responses(Scored, Refusals),
    security(("token" = []))
)]
pub async fn domain(request: ScoreRequest) -> Result<Finished, Problem> {
    of_path(request, Kind::Domain, "domain").await
}

/// Scores an IPv4 or IPv6 address.
#[utoipa::path(
    get,
    path = "/v1/ip/{ip}/reputation",
    operation_id = "getIpReputation",
    tag = "reputation",
    params(("ip" = String, Path, description = "An IPv4 or IPv6 address.", example = "192.0.2.44"), ReputationQuery),
    responses(Scored, Refusals),
    security(("token" = []))
)]
pub async fn ip(request: ScoreRequest) -> Result<Finished, Problem> {
    of_path(request, Kind::Ip, "ip").await
}

/// Scores an e-mail address.
#[utoipa::path(
    get,
    path = "/v1/email/{email}/reputation",
    operation_id = "getEmailReputation",
    tag = "reputation",
    params(("email" = String, Path, description = "An e-mail address.", example = "billing@career-offers.example"), ReputationQuery),
    responses(Scored, Refusals),
    security(("token" = []))
)]
pub async fn email(request: ScoreRequest) -> Result<Finished, Problem> {
    of_path(request, Kind::Email, "email").await
}

/// Scores a file by one of its hashes.
#[utoipa::path(
    get,
    path = "/v1/file/{digest}/reputation",
    operation_id = "getFileReputation",
    tag = "reputation",
    params(("digest" = String, Path, description = "MD5, SHA-1, SHA-256 or SHA-512 of a file.", example = "07b8ef109aae055418a43301ebe6b5b18b9f6b711bfdbcde4538bf76c5d68e00"), ReputationQuery),
    responses(Scored, Refusals),
    security(("token" = []))
)]
pub async fn file(request: ScoreRequest) -> Result<Finished, Problem> {
    of_path(request, Kind::Hash, "digest").await
}

/// Scores a URL.
#[utoipa::path(
    get,
    path = "/v1/url/reputation",
    operation_id = "getUrlReputation",
    tag = "reputation",
    params(UrlWanted),
    responses(Scored, Refusals),
    security(("token" = []))
)]
pub async fn url(request: ScoreRequest) -> Result<Finished, Problem> {
    one(request, |http| {
        let query: UrlWanted = query(http)?;
        let given = query.score_options();
        Ok((Kind::Url, query.indicator, given))
    })
    .await
}

/// Scores one indicator of any kind.
#[utoipa::path(
    post,
    path = "/v1/enrich",
    operation_id = "enrich",
    tag = "reputation",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]*[!-~][ -~]*$", description = "Names the request: sent again within 24 hours, it gets the same reply.")),
    request_body = Enrich,
    responses(Scored, Refusals, BodyRefusals, Named),
    security(("token" = []))
)]
pub async fn any(request: ScoreRequest, body: RequestBody<Enrich>) -> Result<Finished, Problem> {
    let (claim, key) = match request.before(&body).await? {
        Ok(begun) => begun,
        Err(answered) => return Ok(answered),
    };
    let asked = body.json()?;
    let alert = alert(&asked).map_err(Problem::invalid)?;
    request.answer(alert, &asked.score_options(), claim, key).await
}

impl BodyKind for Enrich {
    const MOST_BYTES: usize = MOST_BYTES;
    const NAME: &'static str = "an indicator";
}

/// Makes an alert of the one indicator that is asked about; where that cannot be read, an alert that says so.
fn alert(asked: &Enrich) -> Result<Alert, String> {
    let text = match asked.indicator.only().map(Item::text) {
        Some(Ok(text)) => text,
        Some(Err((_, reason))) => return Err(format!("indicator: {reason}")),
        None => {
            let found = asked.indicator.len();
            return Err(format!("indicator: expected one text, found {found}"));
        }
    };
    let mut alert = Alert::default();
    let (role, read) = match asked.kind {
        Some(kind) => (kind.name(), values::of_kind(kind, text)),
        None => ("indicator", values::guess(text)),
    };
    match read {
        Ok(found) => {
            values::put(&mut alert, found);
        }
        Err(reason) => alert.unreadable.push(values::unreadable(role, text, &reason)),
    }
    Ok(alert)
}

/// Scores what stands in the path under a name.
async fn of_path(request: ScoreRequest, kind: Kind, name: &str) -> Result<Finished, Problem> {
    one(request, |http| {
        let query: ReputationQuery = query(http)?;
        Ok((kind, in_path(http, name)?, query.score_options()))
    })
    .await
}

/// Scores what a request names by its path and its query.
async fn one(
    request: ScoreRequest,
    read: impl FnOnce(&HttpRequest) -> Result<(Kind, String, RawScoreOptions), Problem>,
) -> Result<Finished, Problem> {
    let http = request.http.clone();
    let key = request.key(&[http.path().as_bytes(), http.query_string().as_bytes()]);
    if let Some(again) = request.again(key.as_ref()).await {
        return Ok(again);
    }
    let (kind, value, given) = read(&http)?;
    let found = values::of_kind(kind, &value).map_err(Problem::invalid)?;
    let mut alert = Alert::default();
    values::put(&mut alert, found);
    request.answer(alert, &given, None, key).await
}
