//! Permissions, and the fixed sets of them that are called roles.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::config::values::is_plain_name;

/// Names what a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See state, budgets and totals.
    State,
    /// Run transforms, ask for scores, say that a decision was right or wrong.
    Ask,
    /// See who spent what on which question.
    Spend,
    /// Test keys, remove stored answers, revoke tokens, confirm the clock.
    Operate,
    /// Raise a budget for a time.
    Raise,
    /// Make and change tokens, tenants, people, budgets, alerts and settings.
    Manage,
    /// Change the keys of providers.
    Keys,
    /// Read, export and verify the audit.
    Audit,
    /// Read metrics.
    Metrics,
    /// Read and write files of the server's machine: no role has it, and the local operator does.
    Machine,
}

impl Permission {
    /// Lists every permission.
    pub const ALL: [Self; 10] = [
        Self::State,
        Self::Ask,
        Self::Spend,
        Self::Operate,
        Self::Raise,
        Self::Manage,
        Self::Keys,
        Self::Audit,
        Self::Metrics,
        Self::Machine,
    ];

    /// Returns the name that refusals and documents give it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Ask => "ask",
            Self::Spend => "spend",
            Self::Operate => "operate",
            Self::Raise => "raise",
            Self::Manage => "manage",
            Self::Keys => "keys",
            Self::Audit => "audit",
            Self::Metrics => "metrics",
            Self::Machine => "machine",
        }
    }
}

/// Names a role.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees state, budgets and totals.
    Viewer,
    /// Asks, and sees state.
    Analyst,
    /// Keeps the server running: tests, pauses, removes, revokes, raises for a time.
    Operator,
    /// Manages keys, tokens, people, budgets and settings.
    Admin,
    /// Reads everything that happened, and changes nothing.
    Auditor,
}

impl Role {
    /// Lists every role.
    pub const ALL: [Self; 5] = [
        Self::Viewer,
        Self::Analyst,
        Self::Operator,
        Self::Admin,
        Self::Auditor,
    ];

    /// Returns the name on the command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    /// Tells whether the role holds a permission.
    #[must_use]
    pub const fn holds(self, permission: Permission) -> bool {
        use Permission::{Ask, Audit, Keys, Manage, Metrics, Operate, Raise, Spend, State};
        match self {
            Self::Viewer => matches!(permission, State),
            Self::Analyst => matches!(permission, State | Ask),
            Self::Operator => matches!(permission, State | Ask | Spend | Operate | Raise | Metrics),
            Self::Admin => matches!(
                permission,
                State | Ask | Spend | Operate | Raise | Manage | Keys | Audit | Metrics
            ),
            Self::Auditor => matches!(permission, State | Spend | Audit),
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|role| role.name() == name);
        found.ok_or_else(|| format!("unknown role \"{name}\"; there are {}", known()))
    }
}

/// Says for which tenants something holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TenantScope {
    /// For all of them, and for what they share.
    All,
    /// For one of them.
    One(String),
}

impl TenantScope {
    /// Tells whether it is about this tenant, too.
    #[must_use]
    pub fn holds(&self, tenant: &str) -> bool {
        match self {
            Self::All => true,
            Self::One(own) => own == tenant,
        }
    }
}

impl fmt::Display for TenantScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::All => "*",
            Self::One(tenant) => tenant,
        })
    }
}

impl FromStr for TenantScope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "*" => Ok(Self::All),
            name if is_plain_name(name) => Ok(Self::One(name.to_owned())),
            _ => Err("expected the name of a tenant, or * for all of them".to_owned()),
        }
    }
}

impl TryFrom<String> for TenantScope {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<TenantScope> for String {
    fn from(scope: TenantScope) -> Self {
        scope.to_string()
    }
}

/// Gives a role for a tenant, or for all of them: `operator@team-b`, `admin@*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The role.
    pub role: Role,
    /// For which tenants.
    pub tenant: TenantScope,
}

impl fmt::Display for Binding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.role.name(), self.tenant)
    }
}

impl FromStr for Binding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (role, tenant) = text
            .split_once('@')
            .ok_or("expected a role and a tenant, such as operator@team-b, or admin@* for all tenants")?;
        Ok(Self {
            role: role.parse()?,
            tenant: tenant.parse()?,
        })
    }
}
