//! Credentials by HTTP Basic authentication (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::log::SeenRequest;
use super::vendor::{AuthResult, Authenticator};

/// Accepts one user name with its key; see [`basic_auth`].
#[derive(Clone)]
pub struct BasicAuth(String);

/// Makes an authenticator for one user name and key.
pub fn basic_auth(username: &str, api_key: &str) -> BasicAuth {
    BasicAuth(format!(
        "Basic {}",
        STANDARD.encode(format!("{username}:{api_key}"))
    ))
}

impl Authenticator for BasicAuth {
    fn check(&self, request: &SeenRequest) -> AuthResult {
        match request.header("authorization") {
            Some(given) if given == self.0 => AuthResult::Ok,
            Some(_) => AuthResult::Refused,
            None => AuthResult::Missing,
        }
    }
}
