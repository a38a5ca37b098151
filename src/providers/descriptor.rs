//! Declares a provider as data: what it can be asked, by which products, with which key, and how that is billed.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::{Capability, IndicatorKind};

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
    /// Reply headers that its look-ups read, in lower case; see [`super::Reply::headers`].
    pub reply_headers: &'static [&'static str],
    /// Files of public facts that its look-ups read; see [`super::Lookup::files`].
    pub files: &'static [ReferenceFile],
    /// Whether it works without being configured.
    pub enabled: bool,
    /// What an administrator should know who enables it, such as that the public service is gone.
    pub notice: Option<&'static str>,
    /// The option and its value with which alone the notice holds; `None` where it always does.
    pub notice_only: Option<(&'static str, &'static str)>,
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
    notice_only: None,
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
    /// Name used by [`super::Call::origin`].
    pub name: &'static str,
    /// Base URL where none is configured. One that begins with `dns:` names a resolver: such an origin is asked over DNS
    /// and takes no other kind of base URL.
    pub base_url: &'static str,
}

impl Origin {
    /// Tells whether it is asked over DNS.
    #[must_use]
    pub fn is_dns(&self) -> bool {
        self.base_url.starts_with("dns:")
    }
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
    /// The most questions that one look-up may hold; see [`super::Lookup::queries`].
    pub max_batch: usize,
}

impl Product {
    /// Describes a product that is billed by calls and sees everything.
    #[must_use]
    pub const fn calls(id: &'static str) -> Self {
        Self {
            id,
            unit: Unit::Calls,
            blind: None,
            max_batch: 1,
        }
    }

    /// Says how many questions one look-up may hold.
    #[must_use]
    pub const fn batched(mut self, most: usize) -> Self {
        self.max_batch = most;
        self
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
    /// What its reputation measures for some kinds of indicators only; a measure that is not named may be said of any.
    pub measures: &'static [(&'static str, &'static [IndicatorKind])],
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

    /// Lists the measures that it never says of a kind of indicator.
    pub fn unsaid(&self, kind: IndicatorKind) -> impl Iterator<Item = &'static str> {
        let others = self
            .measures
            .iter()
            .filter(move |(_, kinds)| !kinds.contains(&kind));
        others.map(|(measure, _)| *measure)
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
    measures: &[],
    window: false,
};
