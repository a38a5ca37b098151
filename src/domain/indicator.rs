//! Placeholder until the indicators land.

use serde::{Deserialize, Serialize};

/// Says what an indicator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndicatorKind {
    /// A registrable domain.
    Domain,
    /// A host name.
    Hostname,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A URL.
    Url,
    /// An e-mail address.
    Email,
    /// A file hash.
    Hash,
    /// A certificate hash.
    Certificate,
    /// A telephone number.
    Phone,
    /// A person's name.
    Person,
    /// An organisation's name.
    Organization,
    /// Any text.
    Phrase,
}

/// Holds a canonical indicator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Indicator {
    kind: IndicatorKind,
    value: String,
}
