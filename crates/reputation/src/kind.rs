//! The kinds of indicator that scores speak of.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use pivotd_domain::indicator::ReadIndicator;
use pivotd_domain::{Indicator, IndicatorError, IndicatorKind};

/// Names a kind of indicator as questions and policies do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A domain or host name.
    Domain,
    /// An IPv4 or IPv6 address.
    Ip,
    /// An e-mail address.
    Email,
    /// A URL.
    Url,
    /// A file's hash.
    Hash,
}

impl Kind {
    /// Lists every kind.
    pub const ALL: [Self; 5] = [Self::Domain, Self::Ip, Self::Email, Self::Url, Self::Hash];

    /// Returns the word for it, which is also the role of such an indicator in an alert.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Ip => "ip",
            Self::Email => "email",
            Self::Url => "url",
            Self::Hash => "hash",
        }
    }

    /// Returns the kind of an indicator; `None` for one that is never scored.
    #[must_use]
    pub const fn of(kind: IndicatorKind) -> Option<Self> {
        Some(match kind {
            IndicatorKind::Domain | IndicatorKind::Hostname => Self::Domain,
            IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => Self::Ip,
            IndicatorKind::Email => Self::Email,
            IndicatorKind::Url => Self::Url,
            IndicatorKind::Hash => Self::Hash,
            _ => return None,
        })
    }

    /// Reads a value of the kind as a person or a playbook gives it, and says what was taken of it.
    ///
    /// # Errors
    /// What was expected.
    pub fn take(self, value: &str) -> Result<ReadIndicator, IndicatorError> {
        match self {
            Self::Domain => Indicator::read_name(value),
            Self::Ip => Indicator::read_as(&[IndicatorKind::Ipv4], value),
            Self::Email => Indicator::read_as(&[IndicatorKind::Email], value),
            Self::Url => Indicator::read_as(&[IndicatorKind::Url], value),
            Self::Hash => Indicator::read_as(&[IndicatorKind::Hash], value),
        }
    }

    /// Reads a value of the kind.
    ///
    /// # Errors
    /// What was expected.
    pub fn read(self, value: &str) -> Result<Indicator, IndicatorError> {
        self.take(value).map(|taken| taken.indicator)
    }
}
