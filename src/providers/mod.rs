//! Holds the vendors, one each, as pure step machines: no async, no clock, no socket.
//!
//! A look-up starts with [`Provider::start`] and goes on through the continuation of each
//! [`Step::Calls`] until it is [`Step::Done`]. The engine makes the calls, pays for them, and asks
//! [`Provider::judge`] what each reply means. No vendor's JSON leaves that vendor's folder.

pub mod domaintools;
pub mod registry;

use std::collections::BTreeMap;
use std::fmt;

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
}

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

/// Describes a parameter that changes what the vendor is asked.
#[derive(Debug)]
pub struct Param {
    /// Name, also of the transform setting `<provider>.<name>`.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Allowed values; the first is the default.
    pub values: &'static [&'static str],
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
}

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
}

impl<'a> Exposed<'a> {
    /// Opens a key; only transport does, and only while it signs.
    #[must_use]
    pub fn new(fields: &'a BTreeMap<String, SecretString>, options: &'a BTreeMap<String, String>) -> Self {
        Self { fields, options }
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
}
