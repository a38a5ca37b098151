//! The SOAR face: one answer for the indicators of an alert. `reputation` asks for single ones the same way.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;

use super::asking::{BodyStatuses, Request, Statuses};
use super::wishes::question;
use crate::ask::message::head;
use crate::ask::score::Alert as Asked;
use crate::domain::Indicator;
use crate::reputation::Kind;
use crate::startup::App;

/// The most indicators of one alert.
const MOST_INDICATORS: usize = 50;
/// The most bytes of an alert: a message of 1 MiB, as JSON writes it.
const MOST_BYTES: usize = 3 << 20;

/// Holds one value, or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One value.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

question! {
    schema, Option<Vec<String>>;
    /// Holds the indicators of an alert; each one a value or a list. Defanged values are taken.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
    pub struct Alert {
        /// E-mail addresses. Each implies its domain, unless strangers share that.
        #[schema(example = "billing@career-offers.example")]
        pub email: Option<OneOrMany>,
        /// Domains or host names.
        #[schema(example = "career-offers.example")]
        pub domain: Option<OneOrMany>,
        /// IPv4 or IPv6 addresses.
        #[schema(example = "192.0.2.44")]
        pub ip: Option<OneOrMany>,
        /// URLs.
        pub url: Option<OneOrMany>,
        /// File hashes: MD5, SHA-1, SHA-256 or SHA-512.
        pub hash: Option<OneOrMany>,
    }
}

/// Scores the indicators of an alert: does any of them exceed the threshold, and why?
#[utoipa::path(
    post,
    path = "/v1/alerts/score",
    operation_id = "scoreAlert",
    tag = "reputation",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the request: sent again within 24 hours, it gets the same reply.")),
    request_body = Alert,
    responses(Statuses, BodyStatuses),
    security(("token" = []))
)]
pub async fn score_alert(app: Data<App>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let request = Request::start(&app, "/v1/alerts/score");
    let answered = async {
        let caller = request.caller(&http)?;
        let body = request.body(payload, MOST_BYTES, "an alert").await?;
        let claim = match request.claim(&http, &caller, &body)? {
            Ok(claim) => claim,
            Err(replayed) => return Ok(replayed),
        };
        let alert: Alert = request.json(&body, "an alert")?;
        let asked = indicators(&alert).map_err(|detail| request.wrong(detail))?;
        request.answer(caller, asked, &alert.given(), claim).await
    }
    .await;
    request.finish(answered)
}

/// Reads the indicators of an alert, each with its role; equal ones count once.
fn indicators(alert: &Alert) -> Result<Asked, String> {
    let kinds = [
        (Kind::Email, &alert.email),
        (Kind::Domain, &alert.domain),
        (Kind::Ip, &alert.ip),
        (Kind::Url, &alert.url),
        (Kind::Hash, &alert.hash),
    ];
    let mut all: Vec<(String, Indicator)> = Vec::new();
    for (kind, values) in kinds {
        for value in values.iter().flat_map(OneOrMany::values) {
            let indicator = parse(kind, value)?;
            if !all.contains(&indicator) {
                all.push(indicator);
            }
            if all.len() > MOST_INDICATORS {
                return Err(format!("an alert has at most {MOST_INDICATORS} indicators"));
            }
        }
    }
    if all.is_empty() {
        return Err("there is no indicator; give at least one of email, domain, ip, url, hash".to_owned());
    }
    Ok(Asked::of(all))
}

/// Reads a value of a kind, and gives it the role that the kind has.
pub(super) fn parse(kind: Kind, value: &str) -> Result<(String, Indicator), String> {
    let role = kind.name();
    kind.read(value)
        .map(|indicator| (role.to_owned(), indicator))
        .map_err(|error| format!("{role}: {} is not {}", head(error.given()), error.expected()))
}

/// Parses an indicator of any kind with the role that its kind has in an alert.
///
/// # Errors
/// What was expected, in plain words.
pub fn guess(value: &str) -> Result<(String, Indicator), String> {
    let indicator = Indicator::guess(value)
        .map_err(|error| format!("{} is not {}", head(error.given()), error.expected()))?;
    let role = Kind::of(indicator.kind()).map_or(indicator.kind().name(), Kind::name);
    Ok((role.to_owned(), indicator))
}
