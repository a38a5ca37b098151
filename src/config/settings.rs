//! Declares the settings, already validated: code that holds them need not check them again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

use crate::catalogue::{Catalogue, TransformSpec};
use crate::domain::marking::TlpRed;
use crate::domain::{Lists, Pap, Tlp};
use crate::mail::Relay;
use crate::mapping::Scale;
use crate::reputation::Rules;

/// Holds everything that `transforms.toml` and the environment say.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[server]`
    pub server: ServerSettings,
    /// `[log]`
    pub log: LogSettings,
    /// `[cache]`
    pub cache: CacheSettings,
    /// `[store]`: how much of the disk the store takes.
    pub store: StoreSettings,
    /// `[issuers]`: whose signed tokens stand for a client.
    pub issuers: Vec<IssuerSettings>,
    /// `[maltego]`: what is particular to Maltego clients.
    pub maltego: MaltegoSettings,
    /// `[deadlines]`: how long each frontend waits.
    pub deadlines: Deadlines,
    /// `[alerts]`: whose relays are believed.
    pub trusted_relays: Vec<Relay>,
    /// Which number stands for TLP:RED in a question.
    pub tlp_red: TlpRed,
    /// `[decisions]`: how long a decision is kept after it was last made.
    pub decisions_kept: Duration,
    /// `[reputation]`: the policy of scores.
    pub reputation: Rules,
    /// `[providers.*]`, by name.
    pub providers: BTreeMap<String, ProviderSettings>,
    /// `[lists]`: dynamic DNS and sinkholes, the files read.
    pub lists: Arc<Lists>,
    /// `[scales.*]`: bands of a number, by name.
    pub scales: BTreeMap<String, Scale>,
    /// `[[transform]]`, in the order of the file.
    pub transforms: Vec<Arc<TransformSpec>>,
}

impl Catalogue {
    /// Builds the catalogue of a generation; transforms whose providers are all disabled are left out.
    #[must_use]
    pub fn build(settings: &Settings, generation: u64) -> Self {
        let enabled = |name: &str| settings.providers.get(name).filter(|provider| provider.enabled);
        Self::of(
            &settings.transforms,
            |name| enabled(name).is_some(),
            |name| enabled(name).is_some_and(|provider| provider.no_key().is_none()),
            generation,
        )
    }
}

/// Holds `[server]`.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What seeds and exports point clients at; without a trailing slash.
    pub public_url: Option<String>,
    /// The proxies whose headers say by which URL clients come, where `public_url` is not set.
    pub trusted_proxies: Vec<IpNet>,
    /// The data directory.
    pub data: PathBuf,
    /// Certificate chain and key, PEM files, where TLS ends here.
    pub tls: Option<TlsFiles>,
    /// Whether TLS ends in front of this server, so that plain HTTP beyond loopback is meant.
    pub tls_ends_before: bool,
    /// Worker threads; `None` takes the number of cores.
    pub workers: Option<usize>,
    /// The largest request body in bytes.
    pub max_body: usize,
    /// The most connections of clients at a time.
    pub connections: usize,
    /// How long a client may let the server wait in the middle of its request or of its answer.
    pub client_timeout: Duration,
    /// How long requests wait too long for their worker before it refuses what it cannot answer.
    pub patience: Duration,
    /// The most bytes of request bodies in memory at a time.
    pub bodies: usize,
    /// The most bytes of large answers that clients have not taken yet.
    pub answers: usize,
    /// How many wrong tokens an address may try before its attempts are slowed down.
    pub wrong_tokens: Rate,
    /// How long to wait for in-flight answers at shutdown.
    pub shutdown: Duration,
    /// Bytes of large answers that are decoded and shown at once, by estimate; batches have as many.
    pub working_memory: usize,
    /// How long a jump of the clock lasts before it is believed.
    pub clock_believed: Duration,
}

/// Names the files of a TLS key.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// Says how log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Text,
}

/// Says what log lines tell of indicators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogIndicators {
    /// The indicator as it is.
    Full,
    /// A keyed hash, equal for equal indicators within one data directory.
    Hash,
    /// Nothing.
    None,
}

/// Holds `[log]`.
#[derive(Debug, Clone)]
pub struct LogSettings {
    /// Format of the lines.
    pub format: LogFormat,
    /// Filter in the syntax of `RUST_LOG`, for example `info` or `pivotd=debug`.
    pub level: String,
    /// What is told of indicators.
    pub indicators: LogIndicators,
    /// A file to append to; standard error otherwise.
    pub file: Option<PathBuf>,
}

/// Holds `[cache]`.
#[derive(Debug, Clone, Copy)]
pub struct CacheSettings {
    /// Bytes of answers and rendered bodies kept in memory.
    pub memory: u64,
    /// Bytes of redb's own page cache.
    pub store_memory: usize,
}

/// Holds `[store]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    /// Bytes of the disk that stay free: below, nothing is spent and no decision is kept. 0 does not look.
    pub min_free: u64,
    /// Bytes of replies that are kept to be sent again.
    pub replies: u64,
    /// Bytes of replies that are kept for one client.
    pub replies_per_client: u64,
    /// Bytes of decisions that are kept.
    pub decisions: u64,
    /// Bytes of decisions that are kept for one client.
    pub decisions_per_client: u64,
}

/// Holds an issuer of signed tokens (JWT), all of which stand for one client that may run transforms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSettings {
    /// Its name in the configuration.
    pub name: String,
    /// What its tokens say in `iss`.
    pub issuer: String,
    /// What they may say in `aud`.
    pub audience: Vec<String>,
    /// Where its keys are fetched.
    pub jwks_url: String,
    /// The client that its tokens stand for, as the ledger and the log name it.
    pub client: String,
    /// The client's tenant.
    pub tenant: String,
    /// Indicators a minute.
    pub per_minute: Option<NonZeroU32>,
    /// The algorithms of signatures that are accepted.
    pub algorithms: Vec<jsonwebtoken::Algorithm>,
    /// Certificate authorities beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether its keys may lie at a private address.
    pub allow_private: bool,
}

/// Holds what is particular to Maltego clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaltegoSettings {
    /// The pages that may call protocol v3 from a browser, each an origin.
    pub cors_origins: Vec<String>,
}

/// Holds how long each frontend waits for an answer.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Maltego clients and the terminal.
    pub maltego: Duration,
    /// The enrichment frontend.
    pub enrich: Duration,
}

/// Holds one rate: so many in such a period, with a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub limit: NonZeroU32,
    /// In how long.
    pub per: Duration,
    /// How many may go at once; the others flow in evenly, so that no window of the period sees more than the limit.
    pub burst: NonZeroU32,
}

impl Rate {
    /// A quarter of the limit may go at once, where nothing else is configured: few questions need not wait for each other.
    const AT_ONCE: u32 = 4;

    /// Makes a rate whose burst is a quarter of its limit, at least 1.
    #[must_use]
    pub fn smooth(limit: NonZeroU32, per: Duration) -> Self {
        let burst = NonZeroU32::new(limit.get() / Self::AT_ONCE).unwrap_or(NonZeroU32::MIN);
        Self { limit, per, burst }
    }
}

/// Names what a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BudgetUnit {
    /// Calls on the wire.
    Calls,
    /// Records returned.
    Records,
    /// Hundredths of a currency.
    Cents,
}

/// Names the window of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BudgetWindow {
    /// A clock hour.
    Hour,
    /// A calendar day.
    Day,
    /// A calendar month, from the day that the provider's `resets` names.
    Month,
    /// For ever.
    Total,
}

/// Holds one budget of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The product that it bounds; `None` bounds them all together.
    pub product: Option<String>,
    /// How much, in `unit`.
    pub limit: i64,
    /// What it counts.
    pub unit: BudgetUnit,
    /// The currency, where it counts money.
    pub currency: Option<String>,
    /// In which window.
    pub window: BudgetWindow,
    /// The highest price of one purchase in hundredths, where it counts money.
    pub max_price: Option<i64>,
    /// As it was written, for messages: `5000/month records of whois-history`.
    pub label: String,
}

impl Budget {
    /// Makes it a tenant's own; messages and metrics tell it from the provider's.
    #[must_use]
    pub fn of_tenant(self, tenant: &str) -> Self {
        Self {
            label: format!("{} for tenant {tenant}", self.label),
            ..self
        }
    }
}

/// Says when windows open: a day of the month, a time of day and a time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resets {
    /// Day of the month, 1 to 28.
    pub day: i8,
    /// Time of day.
    pub time: jiff::civil::Time,
    /// Time zone.
    pub zone: jiff::tz::TimeZone,
}

/// Holds how long answers are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ttl {
    /// Where nothing else is said.
    pub default: Duration,
    /// By capability name.
    pub by_capability: BTreeMap<String, Duration>,
    /// Answers that say "not found".
    pub not_found: Duration,
    /// How long past its time an answer may still be served while the vendor is down.
    pub stale: Duration,
    /// Bought answers.
    pub bought: Duration,
}

/// Says how calls reach a provider.
#[derive(Debug, Clone, Default)]
pub struct NetworkSettings {
    /// Proxy URL without credentials; `None` connects directly.
    pub proxy: Option<String>,
    /// User and password for the proxy.
    pub proxy_auth: Option<(String, SecretString)>,
    /// Hosts, suffixes and networks that are reached without the proxy.
    pub no_proxy: Vec<String>,
    /// A PEM file with further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// Whether private addresses are allowed (an appliance).
    pub allow_private: bool,
}

/// Says where a part of a key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretOrigin {
    /// In the configuration file.
    Inline,
    /// From an environment variable.
    Env(String),
    /// From a file.
    File(PathBuf),
}

/// Holds one part of a key, with where it came from.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The value.
    pub value: SecretString,
    /// Where it came from.
    pub origin: SecretOrigin,
}

/// Holds a tenant's own key at a provider.
#[derive(Debug, Clone)]
pub struct TenantKey {
    /// The parts that are configured.
    pub parts: BTreeMap<String, Credential>,
    /// Why it cannot be used, for the administrator; `None` where it is whole.
    pub fault: Option<String>,
}

/// Holds `[providers.<name>.tenants.<tenant>]`: what a tenant does not share with the provider's other tenants.
#[derive(Debug, Clone)]
pub struct TenantSettings {
    /// Its own key, and with it an account of its own; `None` shares the provider's.
    pub key: Option<TenantKey>,
    /// Its own rates. Without them the provider's hold for the account of a key of its own.
    pub rate: Option<Vec<Rate>>,
    /// Its own budgets. Without them the provider's hold for the account of a key of its own.
    pub budget: Option<Vec<Budget>>,
}

/// Holds `[providers.<name>]`.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// The provider's name.
    pub name: String,
    /// Whether it is used.
    pub enabled: bool,
    /// Base URLs by origin name, without a trailing slash.
    pub base_urls: BTreeMap<String, String>,
    /// The parts of the key that are configured.
    pub credentials: BTreeMap<String, Credential>,
    /// Why the other parts of the key are missing, by name: `DOMAINTOOLS_API_KEY is not set`.
    pub missing: BTreeMap<String, String>,
    /// What is wrong with a key that was meant to be there, for the administrator: a file that cannot be read, or a part
    /// that is missing beside others. `None` where the key is whole, or where none is configured.
    pub key_fault: Option<String>,
    /// The provider's own settings, each with its value or default.
    pub options: BTreeMap<String, String>,
    /// Rates; every one holds.
    pub rate: Vec<Rate>,
    /// Calls at once.
    pub concurrency: usize,
    /// Budgets; every one holds.
    pub budget: Vec<Budget>,
    /// Tenants with a key, a budget or a rate of their own, by name.
    pub tenants: BTreeMap<String, TenantSettings>,
    /// When windows open.
    pub resets: Resets,
    /// Per cent of each budget kept for people at work.
    pub reserve: u8,
    /// How long answers are kept.
    pub ttl: Ttl,
    /// The strictest marking of an indicator that may be told to it.
    pub max_tlp: Tlp,
    /// The strictest marking at which it is asked; a product that the indicator's owner can notice stops at green.
    pub max_pap: Pap,
    /// How calls reach it.
    pub network: NetworkSettings,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Attempts per call, the first included.
    pub attempts: usize,
    /// The largest decoded answer in bytes.
    pub max_answer: usize,
}

impl ProviderSettings {
    /// Tells whether every part of the key is there.
    #[must_use]
    pub fn has_key(&self, descriptor: &crate::providers::Descriptor) -> bool {
        descriptor.credentials.iter().all(|field| {
            !field.is_needed(&self.options) || self.credentials.contains_key(field.name.as_str())
        })
    }

    /// Says why there is no key, or nothing where there is one: `no key: DOMAINTOOLS_API_KEY is not set`.
    #[must_use]
    pub fn no_key(&self) -> Option<String> {
        let reasons: Vec<&str> = self.missing.values().map(String::as_str).collect();
        (!reasons.is_empty()).then(|| format!("no key: {}", reasons.join(", ")))
    }
}

impl Settings {
    /// Says why the server must not listen where it is told to; [`ServerSettings::listen`] beyond loopback needs
    /// `public_url` or a trusted proxy that says it, and TLS here or in front.
    ///
    /// # Errors
    /// One text for people per reason.
    pub fn check_exposure(&self) -> Result<(), Vec<String>> {
        let server = &self.server;
        if server.listen.ip().to_canonical().is_loopback() {
            return Ok(());
        }
        let mut reasons = Vec::new();
        if server.public_url.is_none() && server.trusted_proxies.is_empty() {
            reasons.push(format!(
                "server.listen = \"{}\" is reachable from other machines and server.public_url is not set; set it to what clients call",
                server.listen
            ));
        }
        if server.tls.is_none() && !server.tls_ends_before {
            reasons.push(format!(
                "server.listen = \"{}\" is reachable from other machines without TLS; set server.tls = {{ certificate = \"…\", key = \"…\" }}, or \"before\" where TLS ends in front of this server",
                server.listen
            ));
        }
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }
}
