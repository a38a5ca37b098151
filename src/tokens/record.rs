//! What is kept of a token, what is asked for when one is made or changed, and how it stands.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::Scope;
use crate::admin::{Binding, Grants};

/// Describes a token. The token itself is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The first digits of its hash: names it on the command line.
    pub id: String,
    /// Who it is for; named by ledger, audit and log.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The roles that it has, each for a tenant or all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Binding>,
    /// Indicators a minute, one for a request without any; `None` for no limit.
    pub per_minute: Option<NonZeroU32>,
    /// From where it may be used; from everywhere where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What its spend is counted under beside its name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// The token that takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// When it was revoked. Its name stays, so that reports and the log can say whose it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// Who revoked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_by: Option<String>,
    /// Counts its changes.
    #[serde(default)]
    pub revision: u64,
    pub(super) hash: String,
}

/// Says how a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenState {
    /// It can be used.
    Active,
    /// It can be used until it ends, and another one takes its place.
    Rotating,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl TokenState {
    /// Returns the word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Rotating => "rotating",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl TokenRecord {
    /// Returns what it may do of administration.
    pub(super) fn grants(&self) -> Grants {
        grants(&self.scopes, &self.roles, &self.tenant)
    }

    /// Tells whether it may do this: by a scope, or by a role that asks for its tenant.
    pub(super) fn may(&self, scope: Scope) -> bool {
        let asks = |binding: &Binding| {
            binding.role.holds(crate::admin::Permission::Ask) && binding.tenant.holds(&self.tenant)
        };
        let is_asking = matches!(scope, Scope::Transforms | Scope::Enrich | Scope::Feedback);
        self.scopes.contains(&scope) || is_asking && self.roles.iter().any(asks)
    }

    /// Tells whether it may be used from an address. One that comes from nowhere is this machine's own.
    pub(super) fn is_from(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address.map(|address| address.to_canonical()) else {
            return true;
        };
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&address))
    }

    /// Says how it stands.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> TokenState {
        if self.revoked.is_some() {
            TokenState::Revoked
        } else if self.expires.is_some_and(|expires| expires <= now) {
            TokenState::Expired
        } else if self.replaced_by.is_some() {
            TokenState::Rotating
        } else {
            TokenState::Active
        }
    }
}

fn grants(scopes: &[Scope], roles: &[Binding], tenant: &str) -> Grants {
    let mut grants = Grants::default();
    for scope in scopes {
        scope.grant(tenant, &mut grants);
    }
    for role in roles {
        grants.bind(role);
    }
    grants
}

/// Describes the token to make.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Who it is for.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// What it may do.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// The roles that it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Binding>,
    /// Indicators a minute.
    #[serde(default)]
    pub per_minute: Option<NonZeroU32>,
    /// How long it lives, in seconds.
    #[serde(default)]
    pub lifetime_s: Option<u64>,
    /// From where it may be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What its spend is counted under beside its name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
}

impl NewToken {
    /// Describes a token for everything but administration, that never ends.
    #[must_use]
    pub fn for_everyday(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            tenant: "default".to_owned(),
            scopes: vec![Scope::Transforms, Scope::Enrich],
            ..Self::default()
        }
    }

    /// Returns what it will be able to do of administration.
    #[must_use]
    pub fn grants(&self) -> Grants {
        grants(&self.scopes, &self.roles, &self.tenant)
    }

    /// Makes the record of a token of this hash.
    pub(super) fn record(self, hash: String, now: Timestamp, by: Option<&str>) -> TokenRecord {
        let lifetime = self.lifetime_s.map(Duration::from_secs);
        TokenRecord {
            id: hash.chars().take(12).collect(),
            name: self.name,
            tenant: self.tenant,
            scopes: self.scopes,
            roles: self.roles,
            per_minute: self.per_minute,
            networks: self.networks,
            owner: self.owner,
            tags: self.tags,
            created: now,
            created_by: by.map(str::to_owned),
            expires: lifetime.and_then(|lifetime| now.checked_add(lifetime).ok()),
            replaced_by: None,
            revoked: None,
            revoked_by: None,
            revision: 1,
            hash,
        }
    }
}

/// Changes a token; what is left out stays. `null` takes a rate, an owner or an end away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenChange {
    /// What it may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
    /// The roles that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Binding>>,
    /// Indicators a minute.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub per_minute: Option<Option<NonZeroU32>>,
    /// From where it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<Vec<IpNet>>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub owner: Option<Option<String>>,
    /// What its spend is counted under beside its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeSet<String>>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub expires: Option<Option<Timestamp>>,
}

/// Reads a member that is there, and may be `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl TokenChange {
    /// Returns the record as it will be.
    #[must_use]
    pub fn of(self, record: &TokenRecord) -> TokenRecord {
        let before = record.clone();
        TokenRecord {
            scopes: self.scopes.unwrap_or(before.scopes),
            roles: self.roles.unwrap_or(before.roles),
            per_minute: self.per_minute.unwrap_or(before.per_minute),
            networks: self.networks.unwrap_or(before.networks),
            owner: self.owner.unwrap_or(before.owner),
            tags: self.tags.unwrap_or(before.tags),
            expires: self.expires.unwrap_or(before.expires),
            revision: before.revision.saturating_add(1),
            ..before
        }
    }
}
