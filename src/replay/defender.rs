//! Microsoft Graph's credentials: a token that the key buys, as the vendor's reference describes them.

use super::answer::Answer;
use super::log::SeenRequest;
use super::vendor::{AuthResult, Authenticator};

/// Token that the fixtures sell; no real one.
pub const TOKEN: &str = "sample-token-of-the-replayed-vendor";

/// Accepts one application's key where tokens are sold, and the token everywhere else; see [`defender_auth`].
#[derive(Clone)]
pub struct DefenderAuth {
    path: String,
    client_id: String,
    client_secret: String,
}

/// Makes an authenticator for one application of a tenant. A token is sold for a form with `client_id`,
/// `client_secret`, `scope` and `grant_type`; every other call has to bear [`TOKEN`].
pub fn defender_auth(tenant_id: &str, client_id: &str, client_secret: &str) -> DefenderAuth {
    DefenderAuth {
        path: format!("/{tenant_id}/oauth2/v2.0/token"),
        client_id: client_id.to_owned(),
        client_secret: client_secret.to_owned(),
    }
}

impl Authenticator for DefenderAuth {
    /// Judges a request. A key that buys nothing is refused; a call without the right token counts as one without
    /// credentials.
    fn check(&self, request: &SeenRequest) -> AuthResult {
        if !request.path.ends_with("/oauth2/v2.0/token") {
            let bearer = request
                .header("authorization")
                .and_then(|value| value.strip_prefix("Bearer "));
            return if bearer == Some(TOKEN) {
                AuthResult::Ok
            } else {
                AuthResult::Missing
            };
        }
        let form = request.form();
        let has = |name: &str, value: &str| form.iter().any(|(known, given)| known == name && given == value);
        let right = request.path == self.path
            && has("client_id", &self.client_id)
            && has("client_secret", &self.client_secret)
            && has("scope", "https://graph.microsoft.com/.default")
            && has("grant_type", "client_credentials");
        if right {
            AuthResult::Ok
        } else {
            AuthResult::Refused
        }
    }

    fn refusal(&self, result: AuthResult) -> Answer {
        if result == AuthResult::Missing {
            return invalid_token();
        }
        let body = serde_json::json!({
            "error": "invalid_client",
            "error_description": "AADSTS7000215: Invalid client secret provided. Trace ID: 00000000-0000-0000-0000-000000000000",
            "error_codes": [7_000_215],
        });
        Answer::json(401, body.to_string())
    }
}

/// Makes Graph's answer to a token that it does not take, or does not take any more.
pub fn invalid_token() -> Answer {
    let body = serde_json::json!({
        "error": { "code": "InvalidAuthenticationToken", "message": "Lifetime validation failed, the token is expired." },
    });
    Answer::json(401, body.to_string())
}
