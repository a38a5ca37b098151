//! Fetches documents that no provider gives, such as the keys of an issuer: from one URL that the configuration names, at checked
//! addresses, under a cap, without following redirects.

use std::path::Path;
use std::sync::Arc;

use url::Url;

use super::address::{AddressPolicy, CheckedResolver, is_loopback, literal};
use super::tls::{self, RootCertificates};

/// Fetches one document.
#[derive(Debug, Clone)]
pub struct PlainClient {
    url: Url,
    http: reqwest::Client,
}

impl PlainClient {
    /// Makes the client of a URL. Private addresses are gone to where the configuration allows it, and loopback where the URL
    /// names it.
    ///
    /// # Errors
    /// What is wrong with the URL or the file of authorities, for people.
    pub fn new(url: &str, allow_private: bool, ca_file: Option<&Path>) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let loopback = is_loopback(&url);
        if url.scheme() != "https" && !(loopback && url.scheme() == "http") {
            return Err("https is required beyond loopback".to_owned());
        }
        let policy = AddressPolicy {
            private: allow_private,
            loopback,
        };
        if let Some(address) = literal(&url).filter(|address| !policy.allows(*address)) {
            return Err(format!("{address} is an address that may not be asked"));
        }
        let tls = match ca_file {
            Some(path) => tls::with_file(path)?,
            None => RootCertificates::default().system()?,
        };
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .user_agent(concat!("pivotd/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(CheckedResolver { policy, proxy: None }))
            .tls_backend_preconfigured(tls)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { url, http })
    }

    /// Fetches the document. The caller bounds the time.
    ///
    /// # Errors
    /// Why there is none, for the log.
    pub async fn get(&self, max_bytes: usize) -> Result<Vec<u8>, String> {
        let failed = |error: reqwest::Error| error.without_url().to_string();
        let mut reply = self.http.get(self.url.clone()).send().await.map_err(failed)?;
        if reply.status() != reqwest::StatusCode::OK {
            return Err(format!("status {}", reply.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(piece) = reply.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > max_bytes {
                return Err(format!("more than {max_bytes} bytes"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}
