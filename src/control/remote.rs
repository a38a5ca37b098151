//! Calls the routes of a server elsewhere, as a client with a token: for commands on an analyst's machine, where no keys, store or
//! budget lie.

use std::path::Path;
use std::time::Duration;

use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::client::{ControlError, MOST_BYTES};
use crate::engine::transport::{is_loopback, trusting_file};
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
    /// A server whose certificate is signed by an authority of one's own needs the file of that authority.
    ///
    /// # Errors
    /// A text for people.
    pub fn new(base_url: &str, token: SecretString, ca_file: Option<&Path>) -> Result<Self, String> {
        let expected = "expected the URL that clients call, such as https://pivot.example.org";
        let base_url = Url::parse(base_url.trim_end_matches('/')).map_err(|_| expected.to_owned())?;
        let mut steps = base_url.path_segments().into_iter().flatten();
        if steps.any(|step| matches!(step, "t" | "seed")) {
            // The rest may be a token, and is not repeated.
            return Err(format!(
                "{expected}: without /seed, and without /t/ and the token"
            ));
        }
        let is_local = is_loopback(&base_url);
        if base_url.scheme() != "https" && !(base_url.scheme() == "http" && is_local) {
            return Err("expected an https URL: over another, the token could be read on the way".to_owned());
        }
        let mut http = reqwest::Client::builder();
        if let Some(path) = ca_file {
            http = http.tls_backend_preconfigured(trusting_file(path)?);
        }
        let http = http
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
        if let Some(tag) = call.if_match() {
            request = request.header("if-match", tag);
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

/// Returns the innermost cause of an error, which says most, without the URL; with what to do where that is known.
fn cause(error: &reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    let said = source.to_string();
    explained(&said).map_or_else(|| said.clone(), |text| format!("{text}: {said}"))
}

/// Says what a cause means, where its words tell nothing to those who do not know the libraries.
fn explained(said: &str) -> Option<&'static str> {
    if said.contains("invalid peer certificate") {
        Some(
            "its certificate is not trusted here; --ca-file names the PEM file of the authority that signed it, which must not be \
             the certificate itself",
        )
    } else if said.contains("invalid HTTP version") {
        Some("what answers there is no HTTP; if it is TLS, the URL begins with https://")
    } else if said.contains("InvalidContentType") || said.contains("corrupt message") {
        Some("what answers there is no TLS; if it is plain HTTP, the URL begins with http://")
    } else {
        None
    }
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
            assert!(RemoteServer::new(good, token(), None).is_ok(), "{good}");
        }
        for bad in [
            "http://pivot.example.org",
            "http://localhost.example",
            "ftp://127.0.0.1",
            "pivot.example.org",
            "https://pivot.example.org/seed",
            "https://pivot.example.org/t/secret/seed",
            "",
        ] {
            assert!(RemoteServer::new(bad, token(), None).is_err(), "{bad}");
        }
    }
}
