//! What an investigation asks about: one typed value in canonical form.

mod canonical;
pub mod ending;
pub mod extent;
mod hosts;
mod invisible;
mod mailbox;
mod names;
mod phone;
mod read;
pub mod refang;
mod registries;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use canonical::network;
pub use hosts::{ends_as_file, holds_two};
pub use invisible::{is_invisible, is_turning, unturned, visible};
pub use invisible::{is_plain, without};
pub use names::is_below_known_suffix;
pub use names::{NameKind, name_kind, registrable_domain, to_unicode};
pub(crate) use names::{is_private_registry, is_top_level, registered_below, registrable_of_icann};
pub use phone::split_extension;
pub use read::ReadIndicator;
pub use read::{is_bare, is_label};
pub use registries::registries;

/// The longest indicator in octets, before and after it became canonical.
pub const MAX_LEN: usize = 4096;

/// Names what kind of thing an indicator is. The text form is kebab-case and stable.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum IndicatorKind {
    /// A name of at least two labels, asked about as a domain.
    Domain,
    /// A fully qualified host name.
    Hostname,
    /// An IPv4 address in dotted quad.
    Ipv4,
    /// An IPv6 address, compressed (RFC 5952).
    Ipv6,
    /// A network in CIDR form.
    Netblock,
    /// An autonomous system, `AS` and its number.
    Asn,
    /// A URL with scheme http, https or ftp; without user information and fragment.
    Url,
    /// An address for mail.
    Email,
    /// A file's MD5, SHA-1, SHA-256 or SHA-512 in lower case.
    Hash,
    /// The SHA-1 or SHA-256 fingerprint of a certificate in lower case.
    Certificate,
    /// A telephone number: digits, a leading `+` if given, an extension behind `x`.
    Phone,
    /// A person's name.
    Person,
    /// An organisation's name.
    Organization,
    /// Words to search for.
    Phrase,
    /// An incident's identifier in a threat-intelligence platform.
    Incident,
    /// The name of a community, source or organisation that owns data in a threat-intelligence platform.
    Community,
}

impl IndicatorKind {
    /// Lists every kind.
    pub const ALL: [Self; 16] = [
        Self::Domain,
        Self::Hostname,
        Self::Ipv4,
        Self::Ipv6,
        Self::Netblock,
        Self::Asn,
        Self::Url,
        Self::Email,
        Self::Hash,
        Self::Certificate,
        Self::Phone,
        Self::Person,
        Self::Organization,
        Self::Phrase,
        Self::Incident,
        Self::Community,
    ];

    /// Returns the stable kebab-case name, as it stands in configuration, cache keys and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Hostname => "hostname",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Netblock => "netblock",
            Self::Asn => "asn",
            Self::Url => "url",
            Self::Email => "email",
            Self::Hash => "hash",
            Self::Certificate => "certificate",
            Self::Phone => "phone",
            Self::Person => "person",
            Self::Organization => "organization",
            Self::Phrase => "phrase",
            Self::Incident => "incident",
            Self::Community => "community",
        }
    }

    /// Says in words what a value of this kind looks like, for messages to people.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Domain => "a domain such as example.com",
            Self::Hostname => "a host name such as www.example.com",
            Self::Ipv4 => "an IPv4 address such as 192.0.2.1",
            Self::Ipv6 => "an IPv6 address such as 2001:db8::1",
            Self::Netblock => "a network such as 192.0.2.0/24",
            Self::Asn => "an autonomous system such as AS64500",
            Self::Url => "a URL such as https://example.com/path",
            Self::Email => "an e-mail address such as user@example.com",
            Self::Hash => "an MD5, SHA-1, SHA-256 or SHA-512 in hexadecimal digits",
            Self::Certificate => "a certificate's SHA-1 or SHA-256 in hexadecimal digits",
            Self::Phone => "a telephone number such as +1 555 0100",
            Self::Person => "a person's name of at most 512 octets",
            Self::Organization => "an organisation's name of at most 512 octets",
            Self::Phrase => "words of at most 512 octets",
            Self::Incident => "an incident's identifier of at most 512 octets",
            Self::Community => "the name of a community or source of at most 512 octets",
        }
    }
}

impl fmt::Display for IndicatorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for IndicatorKind {
    type Err = IndicatorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| IndicatorError::new(text, "a kind of indicator such as domain, ipv4 or email"))
    }
}

/// Names the algorithm of a file hash, told by its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashType {
    /// 32 hexadecimal digits.
    Md5,
    /// 40 hexadecimal digits.
    Sha1,
    /// 64 hexadecimal digits.
    Sha256,
    /// 128 hexadecimal digits.
    Sha512,
}

impl HashType {
    /// Tells the algorithm of a hash, in either case; `None` for what is no hash.
    pub fn of(text: &str) -> Option<Self> {
        if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        match text.len() {
            32 => Some(Self::Md5),
            40 => Some(Self::Sha1),
            64 => Some(Self::Sha256),
            128 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Returns the field's usual spelling, for example `SHA-256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }
}

/// Tells what was given and what was expected instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is not {expected}")]
pub struct IndicatorError {
    given: String,
    expected: Cow<'static, str>,
}

impl IndicatorError {
    const SHOWN: usize = 80;

    fn new(given: &str, expected: impl Into<Cow<'static, str>>) -> Self {
        Self {
            given: visible(given, Self::SHOWN),
            expected: expected.into(),
        }
    }

    /// Returns what was given: at most 80 characters and an ellipsis, invisible ones as `U+200E`.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// Returns what was expected, in words.
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

/// Holds one thing that can be asked about; its value is canonical, so equal things compare equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawIndicator")]
pub struct Indicator {
    kind: IndicatorKind,
    value: String,
}

/// An indicator as it comes from outside.
#[derive(Deserialize)]
struct RawIndicator {
    kind: IndicatorKind,
    value: String,
}

impl TryFrom<RawIndicator> for Indicator {
    type Error = IndicatorError;

    fn try_from(raw: RawIndicator) -> Result<Self, Self::Error> {
        Self::parse(raw.kind, &raw.value)
    }
}

impl Indicator {
    /// Reads text as an indicator of a kind and makes it canonical.
    ///
    /// Technical kinds may be defanged (`hxxp://`, `[.]`, `[at]` …) and stand in quotes or brackets; for what else
    /// people paste see [`Indicator::read_as`]. Either kind of address takes the other's text: the result's kind is what the value is, and an IPv4 address
    /// mapped into IPv6 is an IPv4 address. A domain is not cut to its registrable part; see
    /// [`Indicator::registrable`]. Fails with what was given and what was expected.
    pub fn parse(kind: IndicatorKind, raw: &str) -> Result<Self, IndicatorError> {
        let error = || IndicatorError::new(raw, kind.expected());
        if raw.len() > MAX_LEN {
            return Err(error());
        }
        let bare = refang::unwrap(raw);
        let value = match kind {
            IndicatorKind::Domain => canonical::domain(bare),
            IndicatorKind::Hostname => canonical::hostname(bare),
            IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => {
                return canonical::address(bare).map(Self::from).ok_or_else(error);
            }
            IndicatorKind::Netblock => canonical::netblock(bare),
            IndicatorKind::Asn => canonical::asn(bare),
            IndicatorKind::Url => canonical::url(bare),
            IndicatorKind::Email => canonical::email(bare),
            IndicatorKind::Hash => canonical::hash(bare),
            IndicatorKind::Certificate => canonical::certificate(bare),
            IndicatorKind::Phone => phone::phone(raw.trim()),
            IndicatorKind::Person
            | IndicatorKind::Organization
            | IndicatorKind::Phrase
            | IndicatorKind::Incident
            | IndicatorKind::Community => canonical::text(raw),
        };
        let value = value.filter(|value| value.len() <= MAX_LEN).ok_or_else(error)?;
        Ok(Self { kind, value })
    }

    /// Reads text of an unknown kind: URL, e-mail address, IP address, network, hash, autonomous system,
    /// domain or host name, as people paste them. Fails if it is none of them. See [`Indicator::read`].
    pub fn guess(raw: &str) -> Result<Self, IndicatorError> {
        Self::read(raw).map(|taken| taken.indicator)
    }

    /// Reads canonical text of an unknown kind.
    fn guess_plain(raw: &str) -> Option<Self> {
        const ORDER: [IndicatorKind; 6] = [
            IndicatorKind::Url,
            IndicatorKind::Ipv4,
            IndicatorKind::Netblock,
            IndicatorKind::Email,
            IndicatorKind::Hash,
            IndicatorKind::Hostname,
        ];
        let bare = refang::unwrap(raw);
        if bare.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("as"))
            && let Ok(asn) = Self::parse(IndicatorKind::Asn, bare)
        {
            return Some(asn);
        }
        let found = ORDER.into_iter().find_map(|kind| Self::parse(kind, raw).ok())?;
        Some(found.into_name())
    }

    /// Makes a Domain of a Hostname that is its own registrable domain.
    fn into_name(mut self) -> Self {
        if self.kind == IndicatorKind::Hostname && name_kind(&self.value) == NameKind::Domain {
            self.kind = IndicatorKind::Domain;
        }
        self
    }

    /// Makes a Domain or a Hostname of a name, whichever it is by [`name_kind`].
    pub fn name(raw: &str) -> Result<Self, IndicatorError> {
        Self::parse(IndicatorKind::Hostname, raw).map(Self::into_name)
    }

    /// Returns the form that is equal for what is the same: a mailbox is the same in capitals, although it is asked about
    /// and shown as it is written. Every other value is canonical already.
    #[must_use]
    pub fn folded(&self) -> Cow<'_, Self> {
        if self.kind == IndicatorKind::Email && self.value.chars().any(char::is_uppercase) {
            Cow::Owned(Self {
                kind: self.kind,
                value: self.value.to_lowercase(),
            })
        } else {
            Cow::Borrowed(self)
        }
    }

    /// Returns the kind.
    pub fn kind(&self) -> IndicatorKind {
        self.kind
    }

    /// Returns the canonical value.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the algorithm of a file hash or certificate fingerprint; `None` for other kinds.
    pub fn hash_type(&self) -> Option<HashType> {
        match self.kind {
            IndicatorKind::Hash | IndicatorKind::Certificate => HashType::of(&self.value),
            _ => None,
        }
    }

    /// Returns the address of an IP indicator, or of a URL whose host is an address.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.kind {
            IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => self.value.parse().ok(),
            IndicatorKind::Url => canonical::host_of_url(&self.value)?.parse().ok(),
            _ => None,
        }
    }

    /// Returns the name that a Domain, Hostname, Url or Email stands on; `None` for others and for addresses.
    pub fn host(&self) -> Option<String> {
        match self.kind {
            IndicatorKind::Domain | IndicatorKind::Hostname => Some(self.value.clone()),
            IndicatorKind::Email => self.value.rsplit_once('@').map(|(_, domain)| domain.to_owned()),
            IndicatorKind::Url => canonical::host_of_url(&self.value)
                .filter(|host| host.parse::<IpAddr>().is_err())
                .map(str::to_owned),
            _ => None,
        }
    }

    /// Returns a URL without its query; any other indicator as it is.
    #[must_use]
    pub fn without_query(&self) -> Self {
        let value = match self.kind {
            IndicatorKind::Url => self.value.split('?').next().unwrap_or_default(),
            _ => &self.value,
        };
        Self {
            kind: self.kind,
            value: value.to_owned(),
        }
    }

    /// Returns the registrable domain of a Domain, Hostname, Url or Email as a Domain; `None` for others.
    pub fn registrable(&self) -> Option<Self> {
        let value = registrable_domain(&self.host()?)?;
        Some(Self::domain_of(value))
    }

    /// Makes a Domain of a canonical name that others found to be registrable.
    pub(crate) fn domain_of(value: String) -> Self {
        Self {
            kind: IndicatorKind::Domain,
            value,
        }
    }
}

impl From<IpAddr> for Indicator {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let kind = if address.is_ipv4() {
            IndicatorKind::Ipv4
        } else {
            IndicatorKind::Ipv6
        };
        Self {
            kind,
            value: address.to_string(),
        }
    }
}

impl fmt::Display for Indicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)
    }
}
