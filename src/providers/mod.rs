//! Holds the vendors, one each, as pure step machines: no async, no clock, no socket.
//!
//! A look-up starts with [`Provider::start`] and goes on through the continuation of each
//! [`Step::Calls`] until it is [`Step::Done`]. The engine makes the calls, pays for them, and asks
//! [`Provider::judge`] what each reply means. No vendor's JSON leaves that vendor's folder.

pub mod circl;
mod cof;
mod common;
pub mod defender;
pub mod dnsdb;
pub mod domaintools;
mod facts;
#[cfg(test)]
mod fixture_tests;
pub mod mnemonic;
mod pages;
pub mod passivetotal;
pub mod rdap;
pub mod registry;
#[cfg(test)]
mod testing;
pub mod threatconnect;
pub mod threatgrid;
mod tolerant;
pub mod virustotal;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::{Answer, Capability, Failure, IndicatorKind, Query};

/// Says what a provider can do, as data; configuration, catalogue, CLI and metrics read it.
#[derive(Debug)]
pub struct Descriptor {
    /// Name in `transforms.toml` and in property ids.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Origins that calls may name; the first one's base URL is the provider's `base_url`.
    pub origins: &'static [Origin],
    /// What makes up a key.
    pub credentials: &'static [CredentialField],
    /// Settings of its own in `transforms.toml`, each with its allowed values, the first being the default.
    pub options: &'static [ProviderOption],
    /// What it can answer.
    pub offers: &'static [Offer],
    /// The rate used where none is configured, as in `transforms.toml`.
    pub default_rate: &'static [&'static str],
    /// The product and the capability that tell what the key is entitled to, where the vendor has one.
    pub account: Option<&'static str>,
    /// A small question that tells whether the key works, where the vendor has no account call.
    pub probe: Option<(Capability, IndicatorKind, &'static str)>,
    /// Reply headers that its look-ups read, in lower case; see [`Reply::headers`].
    pub reply_headers: &'static [&'static str],
    /// Files of public facts that its look-ups read; see [`Lookup::files`].
    pub files: &'static [ReferenceFile],
    /// Whether it works without being configured.
    pub enabled: bool,
    /// What an administrator should know who enables it, such as that the public service is gone.
    pub notice: Option<&'static str>,
}

/// Describes nothing yet; providers fill in what they have.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "",
    title: "",
    origins: &[],
    credentials: &[],
    options: &[],
    offers: &[],
    default_rate: &["1/s"],
    account: None,
    probe: None,
    reply_headers: &[],
    files: &[],
    enabled: true,
    notice: None,
};

/// Names a file of public facts, such as which server answers for which part of the internet.
///
/// The engine takes it from the data directory, else as it is compiled in, and fetches it anew from its origin.
#[derive(Debug)]
pub struct ReferenceFile {
    /// Name in the data directory, below the provider's folder.
    pub name: &'static str,
    /// What is compiled in.
    pub bundled: &'static [u8],
    /// The origin that has the newest one.
    pub origin: &'static str,
    /// Its path there.
    pub path: &'static str,
    /// After how many seconds it is fetched anew.
    pub refresh_s: u64,
    /// Says what is wrong with its bytes, so that a broken file never replaces a good one.
    pub check: fn(&[u8]) -> Result<(), String>,
}

/// Holds the reference files of a provider, by name.
pub type Files = Arc<BTreeMap<&'static str, Bytes>>;

impl Descriptor {
    /// Returns the offer for a capability.
    #[must_use]
    pub fn offer(&self, capability: Capability) -> Option<&'static Offer> {
        self.offers.iter().find(|offer| offer.capability == capability)
    }

    /// Tells whether any offer uses this product.
    #[must_use]
    pub fn has_product(&self, product: &str) -> bool {
        self.offers
            .iter()
            .flat_map(|offer| offer.products)
            .any(|known| known.id == product)
    }
}

/// Names an origin that the provider's calls may go to.
#[derive(Debug)]
pub struct Origin {
    /// Name used by [`Call::origin`].
    pub name: &'static str,
    /// Base URL where none is configured.
    pub base_url: &'static str,
}

/// Names one part of a key.
#[derive(Debug)]
pub struct CredentialField {
    /// Name in `transforms.toml` and of the setting `global#<provider>.<name>` (with `-` for `_`).
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Whether it must never be shown.
    pub secret: bool,
    /// Whether calls can do without it.
    pub optional: bool,
    /// The option and its value with which alone it is part of a key; `None` where it always is.
    pub only: Option<(&'static str, &'static str)>,
}

impl CredentialField {
    /// Names a part that every key has and that must never be shown.
    #[must_use]
    pub const fn secret(name: &'static str, title: &'static str) -> Self {
        Self {
            name,
            title,
            secret: true,
            optional: false,
            only: None,
        }
    }

    /// Names a part that every key has and that may be shown, such as a user name.
    #[must_use]
    pub const fn plain(name: &'static str, title: &'static str) -> Self {
        Self {
            secret: false,
            ..Self::secret(name, title)
        }
    }

    /// Says that calls can do without it.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Says that it is part of a key only where the provider's option has this value.
    #[must_use]
    pub const fn only(mut self, option: &'static str, value: &'static str) -> Self {
        self.only = Some((option, value));
        self
    }

    /// Tells whether it is part of a key where the provider's options are these.
    #[must_use]
    pub fn is_used(&self, options: &BTreeMap<String, String>) -> bool {
        self.only
            .is_none_or(|(option, value)| options.get(option).is_some_and(|given| given == value))
    }

    /// Tells whether there is no key without it where the provider's options are these.
    #[must_use]
    pub fn is_needed(&self, options: &BTreeMap<String, String>) -> bool {
        !self.optional && self.is_used(options)
    }
}

/// Names a setting of the provider's own.
#[derive(Debug)]
pub struct ProviderOption {
    /// Name in `transforms.toml`.
    pub name: &'static str,
    /// Allowed values; the first is the default.
    pub values: &'static [&'static str],
}

/// Says how a product is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// By calls on the wire.
    Calls,
    /// By records returned.
    Records,
    /// By a price per report, in this currency.
    Money(&'static str),
}

/// Describes a vendor's product that can answer a capability.
#[derive(Debug)]
pub struct Product {
    /// The vendor's id for it.
    pub id: &'static str,
    /// How it is billed.
    pub unit: Unit,
    /// What it cannot see where a better product could, in plain words.
    pub blind: Option<&'static str>,
}

impl Product {
    /// Describes a product that is billed by calls and sees everything.
    #[must_use]
    pub const fn calls(id: &'static str) -> Self {
        Self {
            id,
            unit: Unit::Calls,
            blind: None,
        }
    }
}

/// Describes a parameter that changes what the vendor is asked.
#[derive(Debug)]
pub struct Param {
    /// Name, also of the transform setting `<provider>.<name>`.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// What it can be.
    pub values: Values,
}

/// Says what a parameter can be.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// One of these words; the first is the default.
    OneOf(&'static [&'static str]),
    /// A whole number between two, both included.
    Number {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
        /// What it is where nobody says.
        default: i64,
    },
}

impl Values {
    /// Returns what it is where nobody says.
    #[must_use]
    pub fn default(&self) -> String {
        match self {
            Self::OneOf(words) => words.first().copied().unwrap_or_default().to_owned(),
            Self::Number { default, .. } => default.to_string(),
        }
    }

    /// Reads a text in the form in which the provider is given it.
    ///
    /// # Errors
    /// What was expected.
    pub fn read(&self, text: &str) -> Result<String, String> {
        let text = text.trim().to_ascii_lowercase();
        match self {
            Self::OneOf(words) if words.contains(&text.as_str()) => Ok(text),
            Self::OneOf(words) => Err(words.join(" or ")),
            Self::Number { least, most, .. } => text
                .parse::<i64>()
                .ok()
                .filter(|number| (least..=most).contains(&number))
                .map(|number| number.to_string())
                .ok_or_else(|| format!("a whole number from {least} to {most}")),
        }
    }
}

/// Says what a provider can answer, and by which products.
#[derive(Debug)]
pub struct Offer {
    /// What can be asked.
    pub capability: Capability,
    /// What it can be asked about.
    pub inputs: &'static [IndicatorKind],
    /// Products that can answer, the best in cost and fitness first; one not entitled is passed over.
    pub products: &'static [Product],
    /// Parameters that the vendor sees.
    pub params: &'static [Param],
    /// The most calls that one look-up may make.
    pub max_calls: usize,
    /// Whether records come page by page, so that fewer can be asked for less.
    pub paged: bool,
    /// Whether the indicator's owner can notice the question.
    pub active: bool,
    /// Whether the vendor is told the window of time: it is then given `since` and `until`, as `YYYY-MM-DD`, among
    /// the parameters. Elsewhere the window is applied to the answer.
    pub window: bool,
}

impl Offer {
    /// Offers a capability for these inputs by these products: one call, all records at once, passive.
    #[must_use]
    pub const fn of(
        capability: Capability,
        inputs: &'static [IndicatorKind],
        products: &'static [Product],
    ) -> Self {
        Self {
            capability,
            inputs,
            products,
            ..OFFER
        }
    }
}

/// Offers nothing yet; providers fill in what they have. One call, all records at once, passive.
pub const OFFER: Offer = Offer {
    capability: Capability::Parts,
    inputs: &[],
    products: &[],
    params: &[],
    max_calls: 1,
    paged: false,
    active: false,
    window: false,
};

/// Holds what a look-up starts from.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// The questions, all of one capability; today always one.
    pub queries: Vec<Query>,
    /// The product to ask.
    pub product: &'static str,
    /// How many records are wanted at least, where the offer is paged.
    pub want: usize,
    /// An older answer that holds some of the records, to go on from.
    pub held: Option<Answer>,
    /// The most that may be paid, in hundredths; `None` asks for a quote only.
    pub buy: Option<i64>,
    /// The provider's reference files.
    pub files: Files,
}

/// Says what a call can cost at most, or did cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Calls on the wire.
    pub calls: i64,
    /// Records returned.
    pub records: i64,
    /// Hundredths of the product's currency.
    pub cents: i64,
}

impl Cost {
    /// Costs one call and nothing else.
    pub const CALL: Self = Self {
        calls: 1,
        records: 0,
        cents: 0,
    };

    /// Costs one call and up to this many records.
    #[must_use]
    pub const fn records(records: i64) -> Self {
        Self {
            calls: 1,
            records,
            cents: 0,
        }
    }
}

/// Describes one HTTP call. The engine joins it to its origin's base URL.
#[derive(Debug, Clone)]
pub struct Call {
    /// Name of the declared origin.
    pub origin: &'static str,
    /// Base URL to go to instead of the origin's: only one that [`Provider::servers`] names is gone to.
    pub server: Option<String>,
    /// The HTTP method.
    pub method: Method,
    /// Path from the leading slash, percent-encoded, exactly as it goes on the wire.
    pub path: String,
    /// Query parameters; `sign` adds its own.
    pub query: Vec<(String, String)>,
    /// Form fields of a POST; `sign` adds its own.
    pub form: Vec<(String, String)>,
    /// Headers; `sign` adds its own, all of them sensitive.
    pub headers: Vec<(&'static str, SecretString)>,
    /// The product that is billed.
    pub product: &'static str,
    /// The most that this call can cost.
    pub max_cost: Cost,
    /// Whether it may be repeated once bytes were sent; a purchase may not.
    pub repeatable: bool,
}

/// Names the HTTP methods that providers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST with a form
    Post,
}

impl Call {
    /// Makes a GET of `path` at the first origin, billed to `product`, that costs one call.
    #[must_use]
    pub fn get(origin: &'static str, product: &'static str, path: impl Into<String>) -> Self {
        Self {
            origin,
            server: None,
            method: Method::Get,
            path: path.into(),
            query: Vec::new(),
            form: Vec::new(),
            headers: Vec::new(),
            product,
            max_cost: Cost::CALL,
            repeatable: true,
        }
    }

    /// Makes a POST of a form.
    #[must_use]
    pub fn post(origin: &'static str, product: &'static str, path: impl Into<String>) -> Self {
        Self {
            method: Method::Post,
            ..Self::get(origin, product, path)
        }
    }

    /// Adds a query parameter (GET) or a form field (POST) and returns the call.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.add(name, value);
        self
    }

    /// Adds a query parameter (GET) or a form field (POST).
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        let pair = (name.to_owned(), value.into());
        match self.method {
            Method::Get => self.query.push(pair),
            Method::Post => self.form.push(pair),
        }
    }

    /// Returns the query as it goes on the wire, without the question mark; a space is `%20`. `None` without parameters.
    #[must_use]
    pub fn encoded_query(&self) -> Option<String> {
        let encode = common::segment;
        let pairs: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("&"))
    }

    /// Returns path and query exactly as they go on the wire below a base URL's path; see [`Exposed::prefix`].
    #[must_use]
    pub fn target(&self, prefix: &str) -> String {
        match self.encoded_query() {
            Some(query) => format!("{prefix}{}?{query}", self.path),
            None => format!("{prefix}{}", self.path),
        }
    }

    /// Sets a header, in place of what an attempt before this one set.
    pub fn set_header(&mut self, name: &'static str, value: SecretString) {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
    }

    /// Sends it to a server that the provider's files name, and returns the call.
    #[must_use]
    pub fn at(mut self, server: impl Into<String>) -> Self {
        self.server = Some(server.into());
        self
    }

    /// Sets the most it can cost and returns the call.
    #[must_use]
    pub fn costing(mut self, cost: Cost) -> Self {
        self.max_cost = cost;
        self
    }
}

/// Holds a complete reply: decoded body, under the size cap.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` header, lower case.
    pub content_type: String,
    /// The `Retry-After` header as it came.
    pub retry_after: Option<String>,
    /// The headers that [`Descriptor::reply_headers`] names, as they came.
    pub headers: BTreeMap<&'static str, String>,
    /// The decoded body.
    pub body: Bytes,
}

/// Says what a reply means, for this attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The reply answers the call.
    Good,
    /// The vendor knows nothing; the continuation is given the reply.
    NotFound,
    /// A limit of the vendor's was hit: seconds to wait where the vendor says.
    Limited {
        /// Seconds until it opens, where the vendor says.
        after: Option<u64>,
        /// Plain words.
        message: String,
    },
    /// The key is refused.
    KeyRefused(String),
    /// The session's token is refused; another one is bought once, then the key counts as refused.
    SessionEnded(String),
    /// The product is not in the subscription.
    NotEntitled(String),
    /// The vendor failed; another attempt may succeed.
    Retry(String),
    /// The vendor will not answer this; another attempt will not help.
    Refused(String),
    /// The reply cannot be understood.
    Malformed(String),
}

/// Says what an attempt cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// The vendor's facts say that it was free.
    Free,
    /// It cost this much.
    Known(Cost),
    /// The vendor does not say, so it cost the most it can.
    Most,
}

/// Joins what a reply means with what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What it means.
    pub verdict: Verdict,
    /// What it cost.
    pub charge: Charge,
}

/// Says what became of one call: a reply judged good or not found, or a failure.
#[derive(Debug, Clone)]
pub enum Replied {
    /// The reply answers the call.
    Good(Reply),
    /// The vendor knows nothing.
    NotFound(Reply),
    /// The call failed after all attempts; the machine decides whether that spoils the answer.
    Failed(Failure),
}

/// Goes on with a look-up when its calls are done; results stand in the order of the calls.
pub type Then = Box<dyn FnOnce(Vec<Replied>) -> Result<Step, ProviderError> + Send>;

/// Says what a look-up does next.
pub enum Step {
    /// Makes these calls, side by side, then goes on.
    Calls {
        /// The calls.
        calls: Vec<Call>,
        /// What to do with the replies.
        then: Then,
    },
    /// Is done. The first answer is the one asked for; more are answers to sibling questions that
    /// the same replies gave, so that nobody pays for them again.
    Done(Vec<Answer>),
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls { calls, .. } => formatter.debug_tuple("Calls").field(calls).finish(),
            Self::Done(answers) => formatter.debug_tuple("Done").field(answers).finish(),
        }
    }
}

/// Says why a machine cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The provider cannot be asked this.
    #[error("{0}")]
    Unsupported(String),
    /// A reply that was judged good cannot be understood after all.
    #[error("{0}")]
    Malformed(String),
    /// The price is over what may be paid.
    #[error("{message}")]
    TooExpensive {
        /// Plain words with both numbers.
        message: String,
    },
    /// A call failed and spoils the answer.
    #[error("{}", .0.message)]
    Failed(Failure),
}

/// Holds an opened key while a call is signed; its fields by name.
pub struct Exposed<'a> {
    fields: &'a BTreeMap<String, SecretString>,
    options: &'a BTreeMap<String, String>,
    session: Option<&'a SecretString>,
    prefix: &'a str,
}

impl<'a> Exposed<'a> {
    /// Opens a key; only transport does, and only while it signs.
    #[must_use]
    pub fn new(fields: &'a BTreeMap<String, SecretString>, options: &'a BTreeMap<String, String>) -> Self {
        Self {
            fields,
            options,
            session: None,
            prefix: "",
        }
    }

    /// Adds the path of the base URL that the call goes to, without a slash at its end.
    #[must_use]
    pub fn below(mut self, prefix: &'a str) -> Self {
        self.prefix = prefix;
        self
    }

    /// Returns the path of the base URL, which stands before the call's on the wire; empty where it has none.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.prefix
    }

    /// Adds the session's token.
    #[must_use]
    pub fn in_session(mut self, token: Option<&'a SecretString>) -> Self {
        self.session = token;
        self
    }

    /// Returns the session's token; empty for a provider without sessions, and while one is bought.
    #[must_use]
    pub fn session(&self) -> &str {
        use secrecy::ExposeSecret;
        self.session.map_or("", |token| token.expose_secret())
    }

    /// Returns a field of the key; empty where it is not set.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        use secrecy::ExposeSecret;
        self.fields.get(name).map_or("", |secret| secret.expose_secret())
    }

    /// Returns a setting of the provider's own; empty where the descriptor has none of that name.
    #[must_use]
    pub fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }
}

/// Answers questions through a vendor's API, as a pure step machine.
pub trait Provider: Send + Sync {
    /// Says what it can do.
    fn descriptor(&self) -> &'static Descriptor;

    /// Starts a look-up.
    ///
    /// # Errors
    /// [`ProviderError::Unsupported`] where the question is none that the vendor can be asked.
    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError>;

    /// Says what one reply means, and what it cost.
    fn judge(&self, call: &Call, reply: &Reply) -> Judgement;

    /// Signs a call. The engine does it after every wait, on each attempt.
    ///
    /// # Errors
    /// [`ProviderError::Unsupported`] where the key lacks what the signature needs.
    fn sign(&self, call: &mut Call, key: &Exposed<'_>, now: Timestamp) -> Result<(), ProviderError>;

    /// Returns the call that buys a short-lived token for the key, where the vendor wants one; it is signed like any
    /// other. The engine keeps the token in memory, and gives it to [`Provider::sign`] of every other call.
    fn session(&self) -> Option<Call> {
        None
    }

    /// Reads the token from the answer to [`Provider::session`]'s call.
    ///
    /// # Errors
    /// [`ProviderError::Malformed`] where there is none in it.
    fn admitted(&self, _reply: &Reply) -> Result<Admission, ProviderError> {
        Err(ProviderError::Malformed(
            "this provider has no sessions".to_owned(),
        ))
    }

    /// Lists the base URLs that the reference files name, to which calls may go besides the declared origins.
    fn servers(&self, _files: &Files) -> Vec<String> {
        Vec::new()
    }
}

/// Holds a session's token.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The token.
    pub token: SecretString,
    /// For how many seconds it is good.
    pub lifetime_s: u64,
}
