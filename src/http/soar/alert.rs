//! The SOAR frontend: one answer for the indicators of an alert. `reputation` asks for single ones the same way.

use std::borrow::Cow;

use base64::Engine;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reply::Finished;
use super::score_options::{RawScoreOptions, score_params};
use super::score_request::ScoreRequest;
use super::shapes::OneOrMany;
use super::statuses::{BodyRefusals, Named, Refusals, ScoredAlert};
use super::values;
pub use super::values::MOST_INDICATORS;
use crate::ask::score::{Alert as Asked, message};
use crate::config::Settings;
use crate::decisions::Reply;
use crate::http::api_call::json_call;
use crate::http::json::{self, decoded};
use crate::http::problem::Problem;
use crate::http::request_body::{BodyKind, RequestBody};
use crate::mail::MessageFacts;
use crate::reputation::Kind;

/// The most bytes of an alert: a message of 8 MiB in Base64, or as text with as many escapes again.
const MOST_BYTES: usize = 16 << 20;

score_params! {
    schema, Option<OneOrMany>;
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
        /// Indicators of any kind, told by their form.
        pub indicators: Option<OneOrMany>,
        /// A raw message (RFC 5322), headers first, of at most 8 MiB: its sender, last hop, URLs and attachments are scored. It is kept nowhere.
        pub message: Option<String>,
        /// The same in Base64, for a message that is no text of UTF-8.
        pub message_base64: Option<String>,
    }
}

/// Scores the indicators of an alert: does any of them exceed the threshold, and why?
#[utoipa::path(
    post,
    path = "/v1/alerts/score",
    operation_id = "scoreAlert",
    tag = "reputation",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]*[!-~][ -~]*$", description = "Names the request: sent again within 24 hours, it gets the same reply.")),
    request_body = Alert,
    responses(ScoredAlert, Refusals, BodyRefusals, Named),
    security(("token" = []))
)]
pub async fn score_alert(request: ScoreRequest, body: RequestBody<Alert>) -> Result<Finished, Problem> {
    let (claim, key) = match request.before(&body).await? {
        Ok(begun) => begun,
        Err(mut answered) => {
            // A reply that is kept lacks the facts of its message; the request brings them again.
            if answered.replayed {
                let configured = request.app.configured.load_full();
                let facts = body.work(move |body| facts(body, configured.settings()));
                tell(&mut answered.reply, facts.await?.as_ref());
            }
            return Ok(answered);
        }
    };
    let configured = request.app.configured.load_full();
    let read = body.work(move |body| read(body, configured.settings()));
    let Read {
        given,
        asked,
        has_message,
        facts,
    } = read.await?.map_err(Problem::invalid)?;
    // Of a message nothing is kept.
    let key = key.filter(|_| !has_message);
    // What is asked of providers needs it no more, and takes long.
    drop(body);
    let mut answered = request.answer(asked, &given, claim, key).await?;
    tell(&mut answered.reply, facts.as_ref());
    Ok(answered)
}

/// Scores indicators of any kind.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreIndicators {
    /// The indicators.
    pub indicators: Vec<String>,
    /// Scores over this exceed; the server's own threshold where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u8>,
}

json_call!(ScoreIndicators => POST "/v1/alerts/score" -> serde_json::Value, takes_long: false);

impl BodyKind for Alert {
    const MOST_BYTES: usize = MOST_BYTES;
    const NAME: &'static str = "an alert";
}

/// Is what was read of an alert.
struct Read {
    given: RawScoreOptions,
    asked: Asked,
    has_message: bool,
    facts: Option<MessageFacts>,
}

/// Reads the indicators of an alert and of its message, each with its role; equal ones count once.
fn read(body: &[u8], settings: &Settings) -> Result<Read, String> {
    let alert: Alert = decoded(body, "an alert")?;
    let mut asked = members(&alert);
    let facts = match alert.raw()? {
        None if asked.is_empty() => {
            return Err(
                "there is no indicator; give at least one of email, domain, ip, url, hash, indicators, message"
                    .to_owned(),
            );
        }
        None => None,
        Some(raw) => Some(message::add(&mut asked, &raw, settings)?),
    };
    Ok(Read {
        given: alert.score_options(),
        asked,
        has_message: alert.message.is_some() || alert.message_base64.is_some(),
        facts,
    })
}

/// Writes the facts of a message behind an answer. It is done last, when decision, log and kept reply are written:
/// none of them may hold a message.
fn tell(reply: &mut Reply, facts: Option<&MessageFacts>) {
    let Some(facts) = facts.and_then(|facts| serde_json::to_string(facts).ok()) else {
        return;
    };
    if reply.body.ends_with('}') {
        reply.body.pop();
        reply.body.push_str(",\"message\":");
        reply.body.push_str(&facts);
        reply.body.push('}');
    }
}

/// Reads the facts of an alert's message once more.
fn facts(body: &[u8], settings: &Settings) -> Option<MessageFacts> {
    let alert: Alert = decoded(body, "an alert").ok()?;
    let raw = alert.raw().ok()??;
    message::facts(&raw, settings)
}

/// Reads the body of a question.
///
/// # Errors
/// What is wrong with it, with the member.
pub fn decode(body: &[u8]) -> Result<Alert, String> {
    json::read(body)
}

/// Reads the members that hold indicators, each with its role; equal ones count once. What cannot be read is told beside them.
#[must_use]
pub fn members(alert: &Alert) -> Asked {
    let mut asked = Asked::default();
    let members = [
        (Kind::Email, &alert.email),
        (Kind::Domain, &alert.domain),
        (Kind::Ip, &alert.ip),
        (Kind::Url, &alert.url),
        (Kind::Hash, &alert.hash),
    ];
    for (kind, values) in members {
        if let Some(values) = values {
            values::add(&mut asked, Some(kind), values);
        }
    }
    if let Some(values) = &alert.indicators {
        values::add(&mut asked, None, values);
    }
    asked
}

impl Alert {
    /// Returns the raw message, if there is one.
    fn raw(&self) -> Result<Option<Cow<'_, [u8]>>, String> {
        let given = |text: &'_ Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        match (&self.message, &self.message_base64) {
            (text, base64) if given(text) && given(base64) => {
                Err("give either message or message_base64".to_owned())
            }
            (Some(text), _) if given(&self.message) => Ok(Some(Cow::Borrowed(text.as_bytes()))),
            (_, Some(text)) if given(&self.message_base64) => {
                let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                let decoded = base64::engine::general_purpose::STANDARD.decode(text);
                decoded
                    .map(|raw| Some(Cow::Owned(raw)))
                    .map_err(|_| "message_base64: expected Base64 with padding".to_owned())
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
#[path = "alert_tests.rs"]
mod tests;
