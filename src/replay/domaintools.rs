//! DomainTools' credentials and errors, as its API documentation and its Python client describe them.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use url::form_urlencoded;

use super::answer::Answer;
use super::log::SeenRequest;
use super::vendor::{AuthResult, Authenticator};
use crate::hex::hex;

/// Holds the vendor's wording for a wrong key. Clients tell it from "product not bought", also a 403, by its words.
pub(super) const REFUSED: &str =
    "Access refused: the credentials you entered do not match an active account.";

/// Makes an error answer in the shape that all DomainTools products share.
pub(super) fn error(status: u16, message: &str) -> Answer {
    let body = serde_json::json!({
        "error": { "code": status, "message": message },
        "resources": { "support": "https://support.example/" },
    });
    Answer::json(status, body.to_string())
}

/// The path of the product that takes several names at once.
const ENRICH: &str = "/v1/iris-enrich/";
/// The most names that it takes.
const MOST_NAMES: usize = 100;

/// Answers a request to Iris Enrich about several names, from the answers to each: their rows, and those missing. `None`
/// for any other request. A name that is refused refuses them all.
pub(super) fn together(request: &SeenRequest, one: impl Fn(&SeenRequest) -> Answer) -> Option<Answer> {
    if request.path.trim_end_matches('/') != ENRICH.trim_end_matches('/') {
        return None;
    }
    let form = request.form();
    let (_, domains) = form.iter().find(|(name, _)| name == "domain")?;
    let names: Vec<&str> = domains.split(',').collect();
    if names.len() < 2 {
        return None;
    }
    if names.len() > MOST_NAMES {
        return Some(error(400, "At most 100 domains may be asked at once."));
    }
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("domain", name)
            .finish();
        let answer = one(&SeenRequest {
            body: body.into(),
            ..request.clone()
        });
        let body = serde_json::from_slice::<Value>(&answer.body).ok();
        let results = body
            .as_ref()
            .and_then(|body| body.pointer("/response/results")?.as_array());
        match results {
            Some(results) if answer.status == 200 && !results.is_empty() => {
                rows.extend(results.iter().cloned());
            }
            Some(_) if answer.status == 200 => missing.push(name),
            _ => return Some(answer),
        }
    }
    let body = serde_json::json!({ "response": {
        "limit_exceeded": false,
        "message": "Enjoy your data.",
        "results_count": rows.len(),
        "results": rows,
        "missing_domains": missing,
    }});
    Some(Answer::json(200, body.to_string()))
}

/// Accepts the three ways in which DomainTools API clients show one account's credentials; see [`domaintools_auth`].
#[derive(Clone)]
pub struct DomainToolsAuth {
    username: String,
    api_key: String,
}

/// Makes an authenticator for one DomainTools account. It accepts, in the query or a form:
///
/// * the open key: `api_username` and `api_key`;
/// * a signature: `api_username`, `timestamp` (ISO 8601 with offset, of any age, for replay has no clock) and `signature`, the
///   hex HMAC-SHA256 of username, timestamp and path under the key;
/// * the header `X-Api-Key`, with the right `api_username` or none.
pub fn domaintools_auth(username: &str, api_key: &str) -> DomainToolsAuth {
    DomainToolsAuth {
        username: username.to_owned(),
        api_key: api_key.to_owned(),
    }
}

impl DomainToolsAuth {
    fn signature(&self, timestamp: &str, path: &str) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.api_key.as_bytes()).ok()?;
        for part in [&self.username, timestamp, path] {
            mac.update(part.as_bytes());
        }
        Some(hex(&mac.finalize().into_bytes()))
    }
}

impl Authenticator for DomainToolsAuth {
    fn check(&self, request: &SeenRequest) -> AuthResult {
        let form = request.form();
        let parameter = |wanted: &str| {
            let mut pairs = request.query.iter().chain(&form);
            pairs
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        let username = parameter("api_username");
        let account = username == Some(self.username.as_str());
        let right = if let Some(key) = request.header("x-api-key") {
            key == self.api_key && (account || username.is_none())
        } else if let Some(key) = parameter("api_key") {
            account && key == self.api_key
        } else if let Some(signature) = parameter("signature") {
            let timestamp = parameter("timestamp").filter(|text| text.parse::<jiff::Timestamp>().is_ok());
            let expected = timestamp.and_then(|timestamp| self.signature(timestamp, &request.path));
            account && expected.is_some_and(|expected| expected.eq_ignore_ascii_case(signature))
        } else {
            return AuthResult::Missing;
        };
        if right {
            AuthResult::Ok
        } else {
            AuthResult::Refused
        }
    }

    /// Answers both with 403: the vendor's word for a wrong account, and the closest to no account at all.
    fn refusal(&self, _: AuthResult) -> Answer {
        error(403, REFUSED)
    }
}
