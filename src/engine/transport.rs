//! Opens the sockets and, for one call at a time, the secrets: one client per provider, address checks at connect time, a size
//! cap after decompression, no redirects, TLS 1.2 or later. Questions over DNS go to a resolver instead.

mod address;
mod dns;
mod plain;
mod redact;
mod retry;
mod tls;
#[cfg(test)]
mod wire;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub(crate) use self::address::is_loopback;
use self::address::{AddressPolicy, CheckedResolver, literal};
use self::dns::Resolvers;
pub use self::plain::PlainClient;
use self::redact::Secrets;
pub use self::tls::RootCertificates;
pub(crate) use self::tls::with_file as trusting_file;
use super::keyring::Key;
use super::reference::Reference;
use crate::config::settings::{NetworkSettings, ProviderSettings};
use crate::providers::{Call, ExposedKey, Method, Name, Provider, ProviderError, Reply};

/// Says why a client could not be made or a call not signed.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// A base URL, proxy or CA file cannot be used.
    #[error("providers.{provider}: {setting}: {reason}")]
    Settings {
        /// The provider.
        provider: String,
        /// Its setting, or what else is wrong.
        setting: &'static str,
        /// The cause.
        reason: String,
    },
}

impl TransportError {
    fn of(provider: &str, setting: &'static str, reason: &dyn std::fmt::Display) -> Self {
        Self::Settings {
            provider: provider.to_owned(),
            setting,
            reason: reason.to_string(),
        }
    }

    /// Returns the path of the setting.
    #[must_use]
    pub fn path(&self) -> String {
        let Self::Settings {
            provider, setting, ..
        } = self;
        format!("providers.{provider}.{setting}")
    }
}

/// Says how an attempt failed before there was a complete reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptError {
    /// No byte was sent: the name, the connection or the TLS handshake failed.
    NotSent(String),
    /// Bytes were sent, and the reply did not come whole.
    Broken(String),
    /// The reply is larger than the cap.
    TooLarge(usize),
    /// The reply cannot be decoded.
    Undecodable(String),
    /// The call cannot be made; nothing was sent.
    Unsigned(ProviderError),
}

/// Makes the calls of one provider.
pub struct Transport {
    client: OnceLock<reqwest::Client>,
    root_certificates: Arc<RootCertificates>,
    network: NetworkSettings,
    name: String,
    origins: BTreeMap<String, Url>,
    resolvers: BTreeMap<String, Resolvers>,
    options: BTreeMap<String, String>,
    policy: AddressPolicy,
    max_answer: usize,
}

/// Holds what a call is signed with.
#[derive(Debug)]
pub struct Signing<'a> {
    /// The key of the call, which transport does not keep.
    pub key: &'a Key,
    /// The session's token.
    pub session: Option<&'a SecretString>,
    /// The servers that may be gone to beside the declared origins.
    pub reference: &'a Reference,
    /// The time.
    pub now: Timestamp,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Transport")
            .field("origins", &self.origins.keys())
            .finish_non_exhaustive()
    }
}

impl Transport {
    /// Makes the client of a provider.
    ///
    /// # Errors
    /// [`TransportError`] where a base URL names a forbidden address, or proxy or CA file cannot be used.
    pub fn new(
        settings: &ProviderSettings,
        root_certificates: Arc<RootCertificates>,
    ) -> Result<Self, TransportError> {
        let wrong = |setting: &'static str, reason: &dyn std::fmt::Display| {
            TransportError::of(&settings.name, setting, reason)
        };
        let (mut origins, mut resolvers) = (BTreeMap::new(), BTreeMap::new());
        let mut loopback = false;
        for (name, base) in &settings.base_urls {
            if base.starts_with("dns:") {
                let resolver = Resolvers::new(base).map_err(|error| wrong("base_url", &error))?;
                resolvers.insert(name.clone(), resolver);
                continue;
            }
            let url = Url::parse(base).map_err(|error| wrong("base_url", &error))?;
            let own = is_loopback(&url);
            if !own && url.scheme() != "https" {
                return Err(wrong("base_url", &"https is required beyond loopback"));
            }
            loopback |= own;
            origins.insert(name.clone(), url);
        }
        let policy = AddressPolicy {
            private: settings.network.allow_private,
            loopback,
        };
        for url in origins.values() {
            if let Some(address) = literal(url)
                && !policy.allows(address)
            {
                return Err(wrong(
                    "base_url",
                    &format!("{address} is an address that providers may not have"),
                ));
            }
        }
        let transport = Self {
            client: OnceLock::new(),
            root_certificates,
            network: settings.network.clone(),
            name: settings.name.clone(),
            origins,
            resolvers,
            options: settings.options.clone(),
            policy,
            max_answer: settings.max_answer,
        };
        // What is configured of the way is tried at once, so that a fault is told at start.
        if transport.network.proxy.is_some() || transport.network.ca_file.is_some() {
            transport.client()?;
        }
        Ok(transport)
    }

    /// Returns the HTTP client. It is made when it is first needed: a provider that is not asked needs none.
    fn client(&self) -> Result<&reqwest::Client, TransportError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = self.make_client()?;
        Ok(self.client.get_or_init(|| made))
    }

    fn make_client(&self) -> Result<reqwest::Client, TransportError> {
        let wrong = |setting: &'static str, reason: &dyn std::fmt::Display| {
            TransportError::of(&self.name, setting, reason)
        };
        let policy = self.policy;
        let proxy_host = self.network.proxy.as_deref().and_then(|proxy| {
            Url::parse(proxy)
                .ok()
                .and_then(|url| url.host_str().map(str::to_owned))
        });
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .user_agent(concat!("pivotd/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(CheckedResolver {
                policy,
                proxy: proxy_host,
            }));
        if let Some(proxy) = &self.network.proxy {
            let mut made = reqwest::Proxy::all(proxy).map_err(|error| wrong("proxy", &error))?;
            if let Some((user, password)) = &self.network.proxy_auth {
                made = made.basic_auth(user, password.expose_secret());
            }
            let except = self.network.no_proxy.join(",");
            builder = builder.proxy(made.no_proxy(reqwest::NoProxy::from_string(&except)));
        }
        let tls = match &self.network.ca_file {
            Some(path) => tls::with_file(path).map_err(|error| wrong("ca_file", &error))?,
            None => self
                .root_certificates
                .system()
                .map_err(|error| wrong("the system's certificate authorities", &error))?,
        };
        builder
            .tls_backend_preconfigured(tls)
            .build()
            .map_err(|error| wrong("the HTTP client", &error))
    }

    /// Returns the base URL of an origin as text, for cache keys.
    #[must_use]
    pub fn origin(&self, name: &str) -> &str {
        let resolver = || self.resolvers.get(name).map_or("", Resolvers::text);
        self.origins.get(name).map_or_else(resolver, Url::as_str)
    }

    /// Returns a vendor's words without any part of the key and without the session's token, in case it repeats them.
    #[must_use]
    pub fn without_key(text: &str, with: &Signing<'_>) -> String {
        Secrets::of_words(with.key, with.session).redact_words(text)
    }

    /// Signs a call and makes one attempt. What comes back holds no secret, should the vendor repeat one.
    ///
    /// The caller bounds the time.
    ///
    /// # Errors
    /// [`AttemptError`] where there is no complete reply.
    pub async fn attempt(
        &self,
        provider: &dyn Provider,
        call: &Call,
        with: &Signing<'_>,
    ) -> Result<Reply, AttemptError> {
        let mut reply = self.exchange(provider, call, with).await?;
        let descriptor = provider.descriptor();
        Secrets::of_values(descriptor, with.key, with.session).redact_reply(&mut reply);
        Ok(reply)
    }

    async fn exchange(
        &self,
        provider: &dyn Provider,
        call: &Call,
        with: &Signing<'_>,
    ) -> Result<Reply, AttemptError> {
        if let Method::Dns(kind) = call.method {
            let undeclared = || unsigned(format!("{} is not an origin that is asked over DNS", call.origin));
            let resolvers = self.resolvers.get(call.origin.as_str()).ok_or_else(undeclared)?;
            let signed = self.signed(provider, call, with, "")?;
            return resolvers.ask(&signed.path, kind).await;
        }
        let request = self.request(provider, call, with)?;
        let client = self.client().map_err(|error| unsigned(error.to_string()))?;
        let response = client.execute(request).await.map_err(|error| sort(&error))?;
        self.read(response, &provider.descriptor().reply_headers, with.now)
            .await
    }

    /// Signs a copy of a call that goes below the path `prefix` of a base URL.
    fn signed(
        &self,
        provider: &dyn Provider,
        call: &Call,
        with: &Signing<'_>,
        prefix: &str,
    ) -> Result<Call, AttemptError> {
        let mut signed = call.clone();
        let exposed = ExposedKey::new(with.key, &self.options)
            .in_session(with.session)
            .below(prefix);
        provider
            .sign(&mut signed, &exposed, with.now)
            .map_err(AttemptError::Unsigned)?;
        Ok(signed)
    }

    fn request(
        &self,
        provider: &dyn Provider,
        call: &Call,
        with: &Signing<'_>,
    ) -> Result<reqwest::Request, AttemptError> {
        let named = call
            .server
            .as_deref()
            .map(|server| self.named(server, with.reference));
        let base = match &named {
            Some(named) => named.as_ref().map_err(|reason| unsigned(reason.clone()))?,
            None => self
                .origins
                .get(call.origin.as_str())
                .ok_or_else(|| unsigned(format!("{} is not a declared origin", call.origin)))?,
        };
        let prefix = base.path().trim_end_matches('/');
        let signed = self.signed(provider, call, with, prefix)?;
        let mut url = base.clone();
        url.set_path(&format!("{prefix}{}", signed.path));
        url.set_query(signed.encoded_query().as_deref());
        let client = self.client().map_err(|error| unsigned(error.to_string()))?;
        let mut builder = match signed.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url).form(&signed.form),
            Method::Dns(_) => return Err(unsigned("a DNS question is no HTTP request".to_owned())),
        };
        for (name, value) in &signed.headers {
            let mut value = reqwest::header::HeaderValue::from_str(value.expose_secret())
                .map_err(|_| unsigned(format!("the header {name} cannot carry this key")))?;
            value.set_sensitive(true);
            builder = builder.header(name.as_str(), value);
        }
        builder.build().map_err(|error| unsigned(describe(&error)))
    }

    /// Returns the base URL of a server beyond the declared origins, if the provider's files name it.
    fn named(&self, server: &str, reference: &Reference) -> Result<Url, String> {
        let url =
            Url::parse(server).map_err(|error| format!("the server's address cannot be read: {error}"))?;
        let host = url.host_str().unwrap_or_default();
        if !reference.names(&url) {
            return Err(format!("{host} is no server that is known"));
        }
        if url.scheme() != "https" && !(self.policy.loopback && is_loopback(&url)) {
            return Err(format!("{host} is asked by https only"));
        }
        // A name is checked when it is resolved.
        match literal(&url) {
            Some(address) if !self.policy.allows(address) => {
                Err(format!("{address} is an address that providers may not have"))
            }
            _ => Ok(url),
        }
    }

    /// Reads the body as it is decoded, and stops at the cap.
    async fn read(
        &self,
        mut response: reqwest::Response,
        wanted: &[Name],
        now: Timestamp,
    ) -> Result<Reply, AttemptError> {
        let header = |name: reqwest::header::HeaderName| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let status = response.status().as_u16();
        let content_type = header(reqwest::header::CONTENT_TYPE)
            .unwrap_or_default()
            .to_ascii_lowercase();
        let date = header(reqwest::header::DATE);
        let retry_after = header(reqwest::header::RETRY_AFTER)
            .map(|text| retry::in_seconds(&text, date.as_deref(), now).unwrap_or(text));
        let headers = wanted.iter().filter_map(|name| {
            let value = response.headers().get(name.as_str())?.to_str().ok()?;
            Some((name.clone(), value.to_owned()))
        });
        let headers = headers.collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| sort(&error))? {
            if body.len() + chunk.len() > self.max_answer {
                return Err(AttemptError::TooLarge(self.max_answer));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status,
            content_type,
            retry_after,
            headers,
            body: body.into(),
        })
    }
}

/// Says that a call cannot be made.
fn unsigned(message: String) -> AttemptError {
    AttemptError::Unsigned(ProviderError::Unsupported(message))
}

/// Tells the failures apart by what was already sent. The URL, which may hold a signature, is never told.
fn sort(error: &reqwest::Error) -> AttemptError {
    if error.is_connect() || error.is_builder() {
        AttemptError::NotSent(describe(error))
    } else if error.is_decode() {
        AttemptError::Undecodable(describe(error))
    } else {
        AttemptError::Broken(describe(error))
    }
}

/// Walks the causes without the URL: reqwest's own text would show it.
fn describe(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    let mut texts: Vec<String> = Vec::new();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
        cause = inner.source();
    }
    if texts.is_empty() {
        "the connection failed".to_owned()
    } else {
        texts.join(": ")
    }
}
