//! Declares a provider as data: what it can be asked, by which products, with which key, and how that is billed.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use smol_str::SmolStr;

use pivotd_domain::{Capability, IndicatorKind};

/// Holds a short name: inline up to 23 bytes, shared beyond, so that a provider made at run time copies it as cheaply as one
/// that is compiled in.
pub type Name = SmolStr;

/// Makes names of texts.
#[must_use]
pub fn names(texts: &[&str]) -> Vec<Name> {
    texts.iter().copied().map(Name::new).collect()
}

/// Names a product of a provider by the vendor's id for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId(Name);

impl ProductId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<&str> for ProductId {
    fn from(id: &str) -> Self {
        Self(Name::new(id))
    }
}

impl From<&ProductId> for ProductId {
    fn from(id: &ProductId) -> Self {
        id.clone()
    }
}

impl Deref for ProductId {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for ProductId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for ProductId {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ProductId {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self)
    }
}

/// Says what a provider can do, as data; configuration, catalogue, CLI and metrics read it.
#[derive(Debug, Clone)]
pub struct Descriptor {
    /// Name in `transforms.toml` and in property ids.
    pub name: Name,
    /// Name for people.
    pub title: Name,
    /// Origins that calls may name; the first one's base URL is the provider's `base_url`.
    pub origins: Vec<Origin>,
    /// What makes up a key.
    pub credentials: Vec<CredentialField>,
    /// Settings of its own in `transforms.toml`, each with its allowed values, the first being the default.
    pub options: Vec<ProviderOption>,
    /// What it can answer.
    pub offers: Vec<Offer>,
    /// The rate used where none is configured, as in `transforms.toml`.
    pub default_rate: Vec<Name>,
    /// The product and the capability that tell what the key is entitled to, where the vendor has one.
    pub account: Option<ProductId>,
    /// A small question that tells whether the key works, where the vendor has no account call.
    pub probe: Option<Probe>,
    /// Reply headers that its look-ups read, in lower case; see [`super::Reply::headers`].
    pub reply_headers: Vec<Name>,
    /// Files of public facts that its look-ups read; see [`super::Lookup::files`].
    pub files: Vec<ReferenceFile>,
    /// Whether it works without being configured.
    pub enabled: bool,
    /// What an administrator should know who enables it, such as that the public service is gone.
    pub notice: Option<Name>,
    /// The option and its value with which alone the notice holds; `None` where it always does.
    pub notice_only: Option<(Name, Name)>,
}

/// Names a small question.
#[derive(Debug, Clone)]
pub struct Probe {
    /// What is asked.
    pub capability: Capability,
    /// What the value is.
    pub kind: IndicatorKind,
    /// What it is asked of.
    pub value: Name,
}

impl Probe {
    /// Names a question.
    #[must_use]
    pub fn of(capability: Capability, kind: IndicatorKind, value: &str) -> Self {
        Self {
            capability,
            kind,
            value: Name::new(value),
        }
    }
}

/// Names a file of public facts, such as which server answers for which part of the internet.
///
/// The engine takes it from the data directory, else as it is compiled in, and fetches it anew from its origin.
#[derive(Debug, Clone)]
pub struct ReferenceFile {
    /// Name in the data directory, below the provider's folder.
    pub name: Name,
    /// What is compiled in.
    pub bundled: Bytes,
    /// The origin that has the newest one.
    pub origin: Name,
    /// Its path there.
    pub path: Name,
    /// After how many seconds it is fetched anew.
    pub refresh_s: u64,
    /// Says what is wrong with its bytes, so that a broken file never replaces a good one.
    pub check: fn(&[u8]) -> Result<(), String>,
}

/// Holds the reference files of a provider, by name.
pub type Files = Arc<BTreeMap<Name, Bytes>>;

impl Descriptor {
    /// Describes a provider that can do nothing yet; providers fill in what they have.
    #[must_use]
    pub fn new(name: &str, title: &str) -> Self {
        Self {
            name: Name::new(name),
            title: Name::new(title),
            origins: Vec::new(),
            credentials: Vec::new(),
            options: Vec::new(),
            offers: Vec::new(),
            default_rate: names(&["1/s"]),
            account: None,
            probe: None,
            reply_headers: Vec::new(),
            files: Vec::new(),
            enabled: true,
            notice: None,
            notice_only: None,
        }
    }

    /// Returns the offer for a capability.
    #[must_use]
    pub fn offer(&self, capability: Capability) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.capability == capability)
    }

    /// Tells whether any offer uses this product.
    #[must_use]
    pub fn has_product(&self, product: &str) -> bool {
        self.offers
            .iter()
            .flat_map(|offer| &offer.products)
            .any(|known| known.id == *product)
    }
}

/// Names an origin that the provider's calls may go to.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Name used by [`super::Call::origin`].
    pub name: Name,
    /// Base URL where none is configured. One that begins with `dns:` names a resolver: such an origin is asked over DNS
    /// and takes no other kind of base URL.
    pub base_url: Name,
}

impl Origin {
    /// Names an origin.
    #[must_use]
    pub fn new(name: &str, base_url: &str) -> Self {
        Self {
            name: Name::new(name),
            base_url: Name::new(base_url),
        }
    }

    /// Tells whether it is asked over DNS.
    #[must_use]
    pub fn is_dns(&self) -> bool {
        self.base_url.starts_with("dns:")
    }
}

/// Names one part of a key.
#[derive(Debug, Clone)]
pub struct CredentialField {
    /// Name in `transforms.toml` and of the setting `global#<provider>.<name>` (with `-` for `_`).
    pub name: Name,
    /// Name for people.
    pub title: Name,
    /// Whether it must never be shown.
    pub secret: bool,
    /// Whether calls can do without it.
    pub optional: bool,
    /// The option and its value with which alone it is part of a key; `None` where it always is.
    pub only: Option<(Name, Name)>,
}

impl CredentialField {
    /// Names a part that every key has and that must never be shown.
    #[must_use]
    pub fn secret(name: &str, title: &str) -> Self {
        Self {
            name: Name::new(name),
            title: Name::new(title),
            secret: true,
            optional: false,
            only: None,
        }
    }

    /// Names a part that every key has and that may be shown, such as a user name.
    #[must_use]
    pub fn plain(name: &str, title: &str) -> Self {
        Self {
            secret: false,
            ..Self::secret(name, title)
        }
    }

    /// Says that calls can do without it.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Says that it is part of a key only where the provider's option has this value.
    #[must_use]
    pub fn only(mut self, option: &str, value: &str) -> Self {
        self.only = Some((Name::new(option), Name::new(value)));
        self
    }

    /// Tells whether it is part of a key where the provider's options are these.
    #[must_use]
    pub fn is_used(&self, options: &BTreeMap<String, String>) -> bool {
        self.only
            .as_ref()
            .is_none_or(|(option, value)| options.get(option.as_str()).is_some_and(|given| given == value))
    }

    /// Tells whether there is no key without it where the provider's options are these.
    #[must_use]
    pub fn is_needed(&self, options: &BTreeMap<String, String>) -> bool {
        !self.optional && self.is_used(options)
    }
}

/// Names a setting of the provider's own.
#[derive(Debug, Clone)]
pub struct ProviderOption {
    /// Name in `transforms.toml`.
    pub name: Name,
    /// Allowed values; the first is the default.
    pub values: Vec<Name>,
}

impl ProviderOption {
    /// Names a setting with its allowed values, the default first.
    #[must_use]
    pub fn new(name: &str, values: &[&str]) -> Self {
        Self {
            name: Name::new(name),
            values: names(values),
        }
    }
}

/// Says how a product is billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// By calls on the wire.
    Calls,
    /// By records returned.
    Records,
    /// By a price per report, in this currency.
    Money(Name),
}

/// Describes a vendor's product that can answer a capability.
#[derive(Debug, Clone)]
pub struct Product {
    /// The vendor's id for it.
    pub id: ProductId,
    /// How it is billed.
    pub unit: Unit,
    /// What it cannot see where a better product could, in plain words.
    pub blind: Option<Name>,
    /// The most questions that one look-up may hold; see [`super::Lookup::queries`].
    pub max_batch: usize,
}

impl Product {
    /// Describes a product that is billed by calls and sees everything.
    #[must_use]
    pub fn calls(id: &str) -> Self {
        Self {
            id: ProductId::from(id),
            unit: Unit::Calls,
            blind: None,
            max_batch: 1,
        }
    }

    /// Says how it is billed.
    #[must_use]
    pub fn billed(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Says what it cannot see where a better product could.
    #[must_use]
    pub fn blind(mut self, words: &str) -> Self {
        self.blind = Some(Name::new(words));
        self
    }

    /// Says how many questions one look-up may hold.
    #[must_use]
    pub fn batched(mut self, max: usize) -> Self {
        self.max_batch = max;
        self
    }
}

/// Describes a parameter that changes what the vendor is asked.
#[derive(Debug, Clone)]
pub struct Param {
    /// Name, also of the transform setting `<provider>.<name>`.
    pub name: Name,
    /// Name for people.
    pub title: Name,
    /// What it can be.
    pub values: Values,
}

impl Param {
    /// Describes a parameter.
    #[must_use]
    pub fn new(name: &str, title: &str, values: Values) -> Self {
        Self {
            name: Name::new(name),
            title: Name::new(title),
            values,
        }
    }
}

/// Says what a parameter can be.
#[derive(Debug, Clone)]
pub enum Values {
    /// One of these words; the first is the default.
    OneOf(Vec<Name>),
    /// A whole number between two, both included.
    Number {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
        /// What it is where it is not set.
        default: i64,
    },
}

impl Values {
    /// Makes a choice of words; the first is the default.
    #[must_use]
    pub fn one_of(words: &[&str]) -> Self {
        Self::OneOf(names(words))
    }

    /// Returns what it is where it is not set.
    #[must_use]
    pub fn default(&self) -> String {
        match self {
            Self::OneOf(words) => words.first().map(Name::to_string).unwrap_or_default(),
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
            Self::OneOf(words) if words.iter().any(|word| *word == text) => Ok(text),
            Self::OneOf(words) => Err(words.join(" or ")),
            Self::Number { min, max, .. } => text
                .parse::<i64>()
                .ok()
                .filter(|number| (min..=max).contains(&number))
                .map(|number| number.to_string())
                .ok_or_else(|| format!("a whole number from {min} to {max}")),
        }
    }
}

/// Says what a provider can answer, and by which products.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What can be asked.
    pub capability: Capability,
    /// What it can be asked about.
    pub inputs: Vec<IndicatorKind>,
    /// Products that can answer, the best in cost and fitness first; one not entitled is passed over.
    pub products: Vec<Product>,
    /// Parameters that the vendor sees.
    pub params: Vec<Param>,
    /// The most calls that one look-up may make.
    pub max_calls: usize,
    /// Whether records come page by page, so that fewer can be asked for less.
    pub paged: bool,
    /// Whether the indicator's owner can notice the question.
    pub active: bool,
    /// What its reputation measures for some kinds of indicators only; a measure that is not named may be said of any.
    pub measures: Vec<(Name, Vec<IndicatorKind>)>,
    /// Whether the vendor is told the window of time: it is then given `since` and `until`, as `YYYY-MM-DD`, among
    /// the parameters. Elsewhere the window is applied to the answer.
    pub window: bool,
}

impl Offer {
    /// Offers a capability for these inputs by these products: one call, all records at once, passive.
    #[must_use]
    pub fn of(capability: Capability, inputs: &[IndicatorKind], products: impl Into<Vec<Product>>) -> Self {
        Self {
            capability,
            inputs: inputs.to_vec(),
            products: products.into(),
            params: Vec::new(),
            max_calls: 1,
            paged: false,
            active: false,
            measures: Vec::new(),
            window: false,
        }
    }

    /// Lists the measures that it never says of a kind of indicator.
    pub fn unsaid(&self, kind: IndicatorKind) -> impl Iterator<Item = &str> {
        let others = self
            .measures
            .iter()
            .filter(move |(_, kinds)| !kinds.contains(&kind));
        others.map(|(measure, _)| measure.as_str())
    }
}
