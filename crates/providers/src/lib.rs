//! Holds the vendors, one each, as pure step machines: no async, no clock, no socket.
//!
//! A look-up starts with [`Provider::start`] and goes on through the continuation of each
//! [`Step::Calls`] until it is [`Step::Done`]. The engine makes the calls, pays for them, and asks
//! [`Provider::classify`] what each reply means. No vendor's JSON leaves that vendor's folder.

pub mod abuseipdb;
mod call;
pub mod circl;
pub mod defender;
mod descriptor;
pub mod dns;
pub mod dnsdb;
pub mod domaintools;
pub mod emailrep;
pub mod greynoise;
pub mod ipqs;
pub mod kit;
pub mod mnemonic;
pub mod passivetotal;
pub mod rdap;
mod registry;
pub mod spamhaus;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod threatconnect;
pub mod threatgrid;
pub mod virustotal;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;

pub use call::{Call, Charge, Classification, Cost, Method, Reply, ReplyClass};
pub use descriptor::{
    CredentialField, Descriptor, Files, Name, Offer, Origin, Param, Probe, Product, ProductId,
    ProviderOption, ReferenceFile, Unit, Values, names,
};

pub use registry::{Providers, Registry};

use pivotd_domain::{Answer, Failure, Query};

/// Holds what a look-up starts from.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// The questions: one, or up to [`Product::max_batch`] that differ in their indicator alone, each once. Several are
    /// never of a paged offer, and want no price.
    pub queries: Vec<Query>,
    /// The product to ask.
    pub product: ProductId,
    /// How many records are wanted at least, where the offer is paged.
    pub wanted: usize,
    /// An older answer that holds some of the records, to go on from.
    pub earlier: Option<Answer>,
    /// The most that may be paid, in hundredths; `None` asks for a quote only.
    pub buy: Option<i64>,
    /// The provider's reference files.
    pub files: Files,
    /// The provider's own settings, as [`Descriptor::options`] declares them.
    pub options: BTreeMap<String, String>,
}

/// Says what became of one call: a reply classified good or not found, or a failure.
#[derive(Debug, Clone)]
pub enum Replied {
    /// The reply answers the call.
    Good(Reply),
    /// The vendor knows nothing.
    NotFound(Reply),
    /// The call failed after all attempts; the machine decides whether that spoils the answer.
    Failed(Failure),
}

impl Lookup {
    /// Starts one question from nothing: no records wanted, nothing held, nothing bought, no files, no options.
    #[must_use]
    pub fn new(query: Query, product: impl Into<ProductId>) -> Self {
        Self::of(vec![query], product)
    }

    /// Starts several questions at once from nothing, likewise.
    #[must_use]
    pub fn of(queries: Vec<Query>, product: impl Into<ProductId>) -> Self {
        Self {
            queries,
            product: product.into(),
            wanted: 0,
            earlier: None,
            buy: None,
            files: Files::default(),
            options: BTreeMap::new(),
        }
    }
}

/// Goes on with a look-up when its calls are done; results stand in the order of the calls.
pub type NextStep = Box<dyn FnOnce(Vec<Replied>) -> Result<Step, ProviderError> + Send>;

/// Says what a look-up does next.
pub enum Step {
    /// Makes these calls, side by side, then goes on.
    Calls {
        /// The calls.
        calls: Vec<Call>,
        /// What to do with the replies.
        then: NextStep,
    },
    /// Is done. The first answer is the one asked for; more are answers to sibling questions that
    /// the same replies gave, so that they are not paid for again. Where several were asked, these are the answers to
    /// them, in any order; one that is left out failed, and the others did not.
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
    /// A reply that was classified good cannot be understood after all.
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
pub struct ExposedKey<'a> {
    fields: &'a BTreeMap<String, SecretString>,
    options: &'a BTreeMap<String, String>,
    session: Option<&'a SecretString>,
    prefix: &'a str,
}

impl<'a> ExposedKey<'a> {
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
    fn descriptor(&self) -> &Arc<Descriptor>;

    /// Starts a look-up.
    ///
    /// # Errors
    /// [`ProviderError::Unsupported`] where the question is none that the vendor can be asked.
    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError>;

    /// Says what one reply means, and what it cost.
    fn classify(&self, call: &Call, reply: &Reply) -> Classification;

    /// Signs a call. The engine does it after every wait, on each attempt.
    ///
    /// # Errors
    /// [`ProviderError::Unsupported`] where the key lacks what the signature needs.
    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, now: Timestamp) -> Result<(), ProviderError>;

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

impl fmt::Debug for dyn Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.descriptor().name)
    }
}
