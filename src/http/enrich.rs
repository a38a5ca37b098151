//! The SOAR face: scores of an alert's indicators. `reputation` asks for single ones the same way.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::access::{self, Identity};
use super::problem::Problem;
use crate::ask::message::head;
use crate::ask::score::{Scored, score};
use crate::domain::{Indicator, IndicatorKind};
use crate::reputation::alert::AlertAnswer;
use crate::startup::App;
use crate::telemetry::log::RequestLine;
use crate::telemetry::metrics::InFlight;
use crate::tokens::Scope;

const FACE: &str = "enrich";
/// The most indicators of one alert.
const MOST_INDICATORS: usize = 50;
/// The most bytes of an alert.
const MOST_BYTES: usize = 64 * 1024;

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

/// Names a kind of indicator in a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A domain or host name.
    Domain,
    /// An IPv4 or IPv6 address.
    Ip,
    /// An e-mail address.
    Email,
    /// A URL.
    Url,
    /// A file's hash.
    Hash,
}

impl Kind {
    /// Returns the role that an indicator of the kind has in an alert.
    #[must_use]
    pub fn role(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Ip => "ip",
            Self::Email => "email",
            Self::Url => "url",
            Self::Hash => "hash",
        }
    }
}

/// Holds the indicators of an alert; each one a value or a list. Defanged values are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// E-mail addresses.
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
    /// Scores over this exceed; the server's own threshold where it is left out.
    #[schema(maximum = 100)]
    pub threshold: Option<u8>,
}

/// Holds an answer as it is sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    /// The answer.
    #[serde(flatten)]
    pub alert: AlertAnswer,
    /// Stands there, and is true, where everything is sample data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_data: Option<bool>,
}

/// Lists what every question for a score can be answered with.
#[derive(Debug, utoipa::IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
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
    /// The token lacks the scope `enrich`.
    #[response(status = 403, content_type = "application/problem+json")]
    NoScope(Problem),
    /// The token's rate is used up.
    #[response(status = 429, content_type = "application/problem+json")]
    NoRate(Problem),
}

/// Scores the indicators of an alert: does any of them exceed the threshold, and why?
#[utoipa::path(
    post,
    path = "/v1/alerts/score",
    operation_id = "scoreAlert",
    tag = "reputation",
    request_body = Alert,
    responses(
        Statuses,
        (status = 413, description = "The request is too large.", body = Problem, content_type = "application/problem+json"),
    ),
    security(("token" = []))
)]
pub async fn score_alert(app: Data<App>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let request = Request::start(&app, "/v1/alerts/score");
    let answered = async {
        let identity = request.identify(&http)?;
        let alert: Alert = request.read(payload, "an alert").await?;
        let indicators = indicators(&alert).map_err(|detail| Problem::invalid(detail, &request.id))?;
        request.score(identity, &indicators, alert.threshold).await
    }
    .await;
    request.finish(answered)
}

/// Reads the indicators of an alert, each with its role; equal ones count once.
fn indicators(alert: &Alert) -> Result<Vec<(String, Indicator)>, String> {
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
    Ok(all)
}

/// Reads a value of a kind, and gives it the role that the kind has.
pub(super) fn parse(kind: Kind, value: &str) -> Result<(String, Indicator), String> {
    let parsed = match kind {
        Kind::Domain => Indicator::name(value),
        Kind::Ip => Indicator::parse(IndicatorKind::Ipv4, value)
            .or_else(|_| Indicator::parse(IndicatorKind::Ipv6, value)),
        Kind::Email => Indicator::parse(IndicatorKind::Email, value),
        Kind::Url => Indicator::parse(IndicatorKind::Url, value),
        Kind::Hash => Indicator::parse(IndicatorKind::Hash, value),
    };
    let role = kind.role();
    parsed
        .map(|indicator| (role.to_owned(), indicator))
        .map_err(|error| format!("{role}: {} is not {}", head(error.given()), error.expected()))
}

/// Carries a request from start to its line in the log.
pub(super) struct Request<'a> {
    app: &'a App,
    operation: &'static str,
    pub(super) id: String,
    uuid: Uuid,
    started: Duration,
    /// Counts the request until it is answered.
    _in_flight: InFlight,
}

pub(super) struct Finished {
    scored: Scored,
    client: Arc<str>,
    asked: String,
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

    pub(super) fn identify(&self, http: &HttpRequest) -> Result<Identity, Problem> {
        if let Some(reason) = access::demo_refusal(self.app, http) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "refused",
                "Refused",
                reason,
                &self.id,
            ));
        }
        access::identify(self.app, http, Scope::Enrich).map_err(|denied| Problem::denied(denied, &self.id))
    }

    /// Reads a body of JSON under the cap; `what` names it.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        payload: web::Payload,
        what: &str,
    ) -> Result<T, Problem> {
        let Some(body) = access::body(payload, MOST_BYTES).await else {
            let detail = format!("{what} has at most {MOST_BYTES} bytes");
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Err(Problem::new(
                status,
                "too-large",
                "The request is too large",
                detail,
                &self.id,
            ));
        };
        serde_json::from_slice(&body)
            .map_err(|error| Problem::invalid(format!("the body is not {what}: {error}"), &self.id))
    }

    pub(super) async fn score(
        &self,
        identity: Identity,
        indicators: &[(String, Indicator)],
        threshold: Option<u8>,
    ) -> Result<Finished, Problem> {
        let configured = self.app.configured.load_full();
        let policy = match threshold {
            Some(threshold) if threshold > 100 => {
                return Err(Problem::invalid(
                    "threshold: expected a whole number from 0 to 100",
                    &self.id,
                ));
            }
            Some(threshold) => configured.policy.with_threshold(threshold),
            None => configured.policy.clone(),
        };
        let asker = identity.asker(FACE, self.operation, self.id.clone());
        let deadline = self.app.engine.clock().elapsed() + configured.settings().deadlines.enrich;
        let scored = score(&self.app.engine, &policy, &asker, deadline, indicators).await;
        let asked: Vec<&str> = indicators
            .iter()
            .map(|(_, indicator)| indicator.value())
            .collect();
        Ok(Finished {
            scored,
            client: identity.client,
            asked: head(&asked.join(" ")),
        })
    }

    pub(super) fn finish(self, answered: Result<Finished, Problem>) -> HttpResponse {
        let metrics = self.app.engine.metrics();
        let took = self.app.engine.clock().elapsed().saturating_sub(self.started);
        let (outcome, status, cache, provider_time, client, asked) = match &answered {
            Ok(done) => {
                let outcome = done.scored.answer.decision.name();
                (
                    outcome,
                    200,
                    done.scored.cache,
                    done.scored.provider_time,
                    Arc::clone(&done.client),
                    Some(&done.asked),
                )
            }
            Err(problem) => (
                "refused",
                problem.status,
                "local",
                Duration::ZERO,
                "".into(),
                None,
            ),
        };
        metrics.request(FACE, outcome, took);
        if let Some(log) = &self.app.log {
            log.request(RequestLine {
                at: self.app.engine.clock().now(),
                request_id: self.uuid,
                client,
                face: FACE,
                operation: self.operation.into(),
                outcome,
                status,
                cache,
                provider_time,
                took,
                indicator: asked.map(|asked| asked.as_str().into()),
            });
        }
        match answered {
            Ok(done) => {
                let sample_data = self.app.is_sample().then_some(true);
                let answer = Answer {
                    alert: done.scored.answer,
                    sample_data,
                };
                HttpResponse::Ok()
                    .insert_header(("x-request-id", self.id))
                    .json(answer)
            }
            Err(problem) => problem.response(),
        }
    }
}

/// Parses an indicator of any kind with the role that its kind has in an alert.
///
/// # Errors
/// What was expected, in plain words.
pub fn guess(value: &str) -> Result<(String, Indicator), String> {
    let indicator = Indicator::guess(value)
        .map_err(|error| format!("{} is not {}", head(error.given()), error.expected()))?;
    let role = match indicator.kind() {
        IndicatorKind::Domain | IndicatorKind::Hostname => "domain",
        IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => "ip",
        IndicatorKind::Email => "email",
        IndicatorKind::Url => "url",
        IndicatorKind::Hash => "hash",
        other => other.name(),
    };
    Ok((role.to_owned(), indicator))
}
