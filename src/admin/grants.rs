//! Decides who may give a command, and for which tenants: the one authorisation function of administration.

use std::collections::BTreeSet;

use super::{AdminCommand, Binding, Permission, TenantScope};

/// Is what one who asks may do, for which tenants. Several grants add up; without any, nothing is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(Vec<(Permission, TenantScope)>);

/// Is the set of tenants for which a command is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of them, and what they share.
    All,
    /// These.
    Some(BTreeSet<String>),
}

/// Says why a command is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The permission is missing.
    Missing(Permission),
    /// The permission is there for some tenants, and the command is about what all of them share.
    NotForAll(Permission),
}

impl Denied {
    /// Says it to people, with what to do.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Missing(permission) => format!(
                "this token lacks the permission `{}`; ask for a role or a scope that holds it",
                permission.name()
            ),
            Self::NotForAll(permission) => format!(
                "this is about what all tenants share, and the token has the permission `{}` for some of them; ask for a role \
                 on all tenants (`ROLE@*`)",
                permission.name()
            ),
        }
    }
}

impl Grants {
    /// Allows everything.
    #[must_use]
    pub fn everything() -> Self {
        Self(
            Permission::ALL
                .map(|permission| (permission, TenantScope::All))
                .into(),
        )
    }

    /// Allows everything but what concerns the files of the machine.
    #[must_use]
    pub fn all_but_the_machine() -> Self {
        let mut all = Self::everything();
        all.0.retain(|(permission, _)| *permission != Permission::Machine);
        all
    }

    /// Adds a permission.
    pub fn add(&mut self, permission: Permission, tenant: TenantScope) {
        self.0.push((permission, tenant));
    }

    /// Adds all permissions of a role.
    pub fn bind(&mut self, binding: &Binding) {
        let held = Permission::ALL.into_iter().filter(|one| binding.role.holds(*one));
        self.0.extend(held.map(|one| (one, binding.tenant.clone())));
    }

    /// Lists for which tenants there is any permission.
    pub fn tenants(&self) -> impl Iterator<Item = &TenantScope> {
        self.0.iter().map(|(_, tenant)| tenant)
    }

    /// Tells for which tenants there is a permission.
    #[must_use]
    pub fn with(&self, permission: Permission) -> Reach {
        let mut tenants = BTreeSet::new();
        for (held, tenant) in &self.0 {
            match tenant {
                _ if *held != permission => {}
                TenantScope::All => return Reach::All,
                TenantScope::One(tenant) => {
                    tenants.insert(tenant.clone());
                }
            }
        }
        Reach::Some(tenants)
    }

    /// Decides whether a command may be given, and for which tenants.
    ///
    /// # Errors
    /// [`Denied`] where it may not be given for any.
    pub fn reach(&self, command: AdminCommand) -> Result<Reach, Denied> {
        let spec = command.spec();
        let Some(permission) = spec.permission else {
            return Ok(self.any());
        };
        match self.with(permission) {
            Reach::Some(tenants) if tenants.is_empty() => Err(Denied::Missing(permission)),
            Reach::Some(_) if spec.is_shared => Err(Denied::NotForAll(permission)),
            reach => Ok(reach),
        }
    }

    /// Returns the tenants for which there is any permission.
    fn any(&self) -> Reach {
        let mut tenants = BTreeSet::new();
        for tenant in self.tenants() {
            match tenant {
                TenantScope::All => return Reach::All,
                TenantScope::One(tenant) => {
                    tenants.insert(tenant.clone());
                }
            }
        }
        Reach::Some(tenants)
    }

    /// Tells whether all that others are to be given is held here: none gives more than they have.
    #[must_use]
    pub fn cover(&self, others: &Self) -> bool {
        others.0.iter().all(|(permission, tenant)| match tenant {
            TenantScope::All => self.with(*permission) == Reach::All,
            TenantScope::One(tenant) => self.with(*permission).holds(tenant),
        })
    }
}

impl Reach {
    /// Is the reach of one who may do nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::Some(BTreeSet::new())
    }

    /// Tells whether it is about this tenant, too.
    #[must_use]
    pub fn holds(&self, tenant: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(tenants) => tenants.contains(tenant),
        }
    }
}
