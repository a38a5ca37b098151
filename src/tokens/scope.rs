//! Names what tokens may do.

use serde::{Deserialize, Serialize};

use crate::admin::{Grants, Permission, TenantScope};

/// Names what a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Run transforms.
    Transforms,
    /// Ask for scores.
    Enrich,
    /// Buy what is sold by the piece.
    Buy,
    /// Ask again before an answer's time.
    Refresh,
    /// Say that a decision was right or wrong, which changes later ones.
    Feedback,
    /// Rehearse the branches of a playbook.
    Rehearse,
    /// Say for whom and for which case it asks.
    Delegate,
    /// Administer for all tenants, but for the audit: the name of before for the next four together.
    Admin,
    /// Read metrics.
    Metrics,
    /// See the state of administration, for the token's own tenant.
    #[serde(rename = "admin.read")]
    AdminRead,
    /// Change tokens, budgets and settings of the token's own tenant.
    #[serde(rename = "admin.write")]
    AdminWrite,
    /// Change keys of the token's own tenant.
    #[serde(rename = "keys.write")]
    KeysWrite,
    /// Read the audit of the token's own tenant.
    #[serde(rename = "audit.read")]
    AuditRead,
}

impl Scope {
    /// Lists every scope.
    pub const ALL: [Self; 13] = [
        Self::Transforms,
        Self::Enrich,
        Self::Buy,
        Self::Refresh,
        Self::Feedback,
        Self::Rehearse,
        Self::Delegate,
        Self::Admin,
        Self::Metrics,
        Self::AdminRead,
        Self::AdminWrite,
        Self::KeysWrite,
        Self::AuditRead,
    ];

    /// Returns the name on the command line and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transforms => "transforms",
            Self::Enrich => "enrich",
            Self::Buy => "buy",
            Self::Refresh => "refresh",
            Self::Feedback => "feedback",
            Self::Rehearse => "rehearse",
            Self::Delegate => "delegate",
            Self::Admin => "admin",
            Self::Metrics => "metrics",
            Self::AdminRead => "admin.read",
            Self::AdminWrite => "admin.write",
            Self::KeysWrite => "keys.write",
            Self::AuditRead => "audit.read",
        }
    }
}

impl Scope {
    /// Tells whether it is about asking, not about administration.
    #[must_use]
    pub const fn is_asking(self) -> bool {
        matches!(
            self,
            Self::Transforms
                | Self::Enrich
                | Self::Buy
                | Self::Refresh
                | Self::Feedback
                | Self::Rehearse
                | Self::Delegate
        )
    }

    /// Adds what the scope allows of administration, for a tenant.
    pub(super) fn grant(self, tenant: &str, grants: &mut Grants) {
        use Permission::{Audit, Keys, Manage, Metrics, Operate, Raise, Spend, State};
        let own = || TenantScope::One(tenant.to_owned());
        let (permissions, reach): (&[Permission], TenantScope) = match self {
            Self::Admin => (
                &[State, Spend, Operate, Raise, Manage, Keys, Metrics],
                TenantScope::All,
            ),
            // They count what all tenants do.
            Self::Metrics => (&[Metrics], TenantScope::All),
            Self::AdminRead => (&[State, Spend], own()),
            Self::AdminWrite => (&[State, Operate, Raise, Manage], own()),
            Self::KeysWrite => (&[Keys], own()),
            Self::AuditRead => (&[Audit], own()),
            Self::Transforms
            | Self::Enrich
            | Self::Buy
            | Self::Refresh
            | Self::Feedback
            | Self::Rehearse
            | Self::Delegate => {
                return;
            }
        };
        for permission in permissions {
            grants.add(*permission, reach.clone());
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == name)
            .ok_or_else(|| format!("unknown scope; there are {}", known()))
    }
}
