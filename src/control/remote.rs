//! Calls the routes of a server elsewhere, as a client with a token: for commands on an analyst's machine, where no keys, store or
//! budget lie.

use std::time::Duration;

use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::client::{ControlError, MOST_BYTES};
use crate::engine::transport::is_loopback;
use crate::http::api_call::ApiCall;

/// How long a server may take to take the connection.
const CONNECTED: Duration = Duration::from_secs(10);

/// Is a server elsewhere.
#[derive(Debug, Clone)]
pub struct RemoteServer {
    base_url: Url,
    token: SecretString,
    http: reqwest::Client,
}

impl RemoteServer {
    /// Names a server by the URL that clients call, and the token to show there. The token goes over plain HTTP to this machine only.
    ///
    /// # Errors
    /// A text for people.
    pub fn new(base_url: &str, token: SecretString) -> Result<Self, String> {
        let base_url = Url::parse(base_url.trim_end_matches('/')).map_err(|_| {
            "expected the URL that clients call, such as https://pivot.example.org".to_owned()
        })?;
        let is_local = is_loopback(&base_url);
        if base_url.scheme() != "https" && !(base_url.scheme() == "http" && is_local) {
            return Err("expected an https URL: over another, the token could be read on the way".to_owned());
        }
        let http = reqwest::Client::builder()
            // A server elsewhere must not be able to send the token on.
            .redirect(Policy::none())
            .connect_timeout(CONNECTED)
            .user_agent(concat!("pivotd/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            base_url,
            token,
            http,
        })
    }

    /// Makes a call.
    pub(super) async fn send<C: ApiCall>(
        &self,
        call: &C,
    ) -> Result<(hyper::StatusCode, Vec<u8>), ControlError> {
        let failed = |reason: &dyn std::fmt::Display| ControlError::Silent {
            server: self.name(),
            reason: reason.to_string(),
        };
        let method = reqwest::Method::from_bytes(C::METHOD.as_bytes()).map_err(|error| failed(&error))?;
        let url = format!("{}{}", self.base_url.as_str().trim_end_matches('/'), call.path());
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(self.token.expose_secret());
        if let Some(body) = call.body().map_err(|error| failed(&error))? {
            request = request.header("content-type", "application/json").body(body);
        }
        let mut reply = request.send().await.map_err(|error| failed(&cause(&error)))?;
        let status = reply.status();
        let mut body = Vec::new();
        while let Some(piece) = reply.chunk().await.map_err(|error| failed(&cause(&error)))? {
            if body.len() + piece.len() > MOST_BYTES {
                return Err(failed(&"its reply is too large"));
            }
            body.extend_from_slice(&piece);
        }
        Ok((status, body))
    }

    pub(super) fn name(&self) -> String {
        format!("the server at {}", self.base_url.as_str().trim_end_matches('/'))
    }
}

/// Returns the innermost cause of an error, which says most, without the URL.
fn cause(error: &reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    source.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_plain_http_to_this_machine_only() {
        let token = || SecretString::from("t");
        for good in [
            "https://pivot.example.org/ti/",
            "http://127.0.0.1:8080",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(RemoteServer::new(good, token()).is_ok(), "{good}");
        }
        for bad in [
            "http://pivot.example.org",
            "http://localhost.example",
            "ftp://127.0.0.1",
            "pivot.example.org",
            "",
        ] {
            assert!(RemoteServer::new(bad, token()).is_err(), "{bad}");
        }
    }
}
