//! Owns the keys: resolves which key a question uses, which account pays for it, and under which scope its answers are
//! kept.
//!
//! A user's own key goes before the tenant's, the tenant's before the server's. A tenant without a table at the provider
//! shares the server's account. [`Credential`] is what comes of it: transport gets its key for one call and keeps none.

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::{SmolStr, SmolStrBuilder, format_smolstr};

pub mod account;
mod credential;
mod key;
mod user_keys;

use account::AccountState;
pub use credential::{Credential, KeyOwner};
use credential::{TenantShare, Terms};
pub use key::Key;
pub(crate) use key::KeyHasher;

use super::ledger::Account;
use super::rate_limiter::RateLimiter;
use crate::clock::SharedClock;
use crate::config::settings::{Budget, Credential as KeyPart, ProviderSettings, Rate, TenantSettings};
pub use crate::config::values::DEFAULT_TENANT;
use crate::domain::{Denial, Failure, FailureKind};
use crate::providers::Descriptor;

/// Returns the scope under which answers of a tenant are kept, whichever of its keys paid for them.
#[must_use]
pub fn tenant_scope(tenant: &str) -> SmolStr {
    let mut scope = SmolStrBuilder::new();
    scope.push_str("server/");
    scope.push_str(tenant);
    scope.finish()
}

/// Says that a tenant has no key at a provider that can be used.
#[derive(Debug, Clone)]
pub struct NoKey {
    /// The scope of the tenant, under which answers may be kept all the same.
    pub scope: SmolStr,
    message: Arc<str>,
}

impl NoKey {
    /// Makes the failure that the caller is told.
    #[must_use]
    pub fn failure(&self, provider: &str) -> Failure {
        Failure::new(
            FailureKind::Denied(Denial::NoKey),
            provider,
            self.message.to_string(),
        )
    }
}

/// Holds what is configured for one tenant.
#[derive(Debug)]
struct Configured {
    credential: Result<Credential, NoKey>,
    /// Whether a key was meant to be there: one that is missing is then told, not left out.
    is_meant: bool,
    fingerprint: String,
    mark: [u8; 32],
    rate: Vec<Rate>,
}

/// Holds the keys of one provider: the server's, those of tenants, and what is known of users' own.
#[derive(Debug)]
pub struct Keyring {
    provider: String,
    hasher: Arc<KeyHasher>,
    clock: SharedClock,
    server: Configured,
    tenants: BTreeMap<String, Configured>,
    user_terms: Arc<Terms>,
}

/// Builds what is configured for the tenants of one provider.
struct Builder<'a> {
    descriptor: &'a Descriptor,
    settings: &'a ProviderSettings,
    hasher: &'a KeyHasher,
    clock: &'a SharedClock,
}

impl Keyring {
    /// Takes over the keys of a configuration. What the `previous` keyring knows of a key stays where the key, its use and
    /// its rate are the same.
    #[must_use]
    pub(crate) fn new(
        descriptor: &Descriptor,
        settings: &ProviderSettings,
        previous: Option<&Self>,
        hasher: &Arc<KeyHasher>,
        clock: &SharedClock,
    ) -> Self {
        let users = previous.map(|old| Arc::clone(&old.user_terms.users));
        let users = users.unwrap_or_default();
        let builder = Builder {
            descriptor,
            settings,
            hasher,
            clock,
        };
        let server = builder.server(previous.map(|old| &old.server));
        let tenants = settings.tenants.iter().map(|(tenant, own)| {
            let old = previous.and_then(|old| old.tenants.get(tenant));
            (tenant.clone(), builder.tenant(tenant, own, &server, old))
        });
        Self {
            provider: settings.name.clone(),
            hasher: Arc::clone(hasher),
            clock: Arc::clone(clock),
            tenants: tenants.collect(),
            server,
            user_terms: Arc::new(Terms {
                owner: KeyOwner::User,
                fingerprint: String::new(),
                rate: settings.rate.clone(),
                budgets: settings.budget.clone(),
                share: None,
                users,
            }),
        }
    }

    /// Resolves which key a question of a tenant uses, which account pays, and which scope its answers have.
    ///
    /// # Errors
    /// [`NoKey`] where the tenant has none that can be used; a tenant whose own key cannot be read never uses the server's.
    pub fn resolve(&self, tenant: &str, user_key: Option<&Arc<Key>>) -> Result<Credential, NoKey> {
        if let Some(key) = user_key {
            return Ok(self.of_user(tenant, key));
        }
        let configured = self.configured(tenant);
        if tenant == DEFAULT_TENANT || self.tenants.contains_key(tenant) {
            return configured.credential.clone();
        }
        let scope = tenant_scope(tenant);
        match &configured.credential {
            Ok(credential) => Ok(Credential {
                scope,
                ..credential.clone()
            }),
            Err(none) => Err(NoKey {
                scope,
                ..none.clone()
            }),
        }
    }

    fn configured(&self, tenant: &str) -> &Configured {
        self.tenants.get(tenant).unwrap_or(&self.server)
    }

    fn of_user(&self, tenant: &str, key: &Arc<Key>) -> Credential {
        let hash = self.hasher.account_of(key);
        let account = Account {
            tenant: tenant.to_owned(),
            provider: self.provider.clone(),
            account: format!("user:{hash}"),
        };
        let account = self.user_terms.users.state(&account, || {
            AccountState::new(
                account.clone(),
                Denial::UserKey,
                &self.user_terms.rate,
                Arc::clone(&self.clock),
            )
        });
        Credential {
            key: Arc::clone(key),
            account,
            scope: format_smolstr!("user/{hash}"),
            terms: Arc::clone(&self.user_terms),
        }
    }

    /// Returns the credential that is configured for a tenant, for what the scope does not matter to: budgets and
    /// entitlements.
    #[must_use]
    pub fn configured_for(&self, tenant: &str) -> Option<&Credential> {
        self.configured(tenant).credential.as_ref().ok()
    }

    /// Tells whether a tenant has a key, or was meant to have one that cannot be read.
    #[must_use]
    pub fn is_configured(&self, tenant: &str) -> bool {
        self.configured(tenant).is_meant
    }

    /// Tells whether any tenant has a key that can be used.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.credentials().next().is_some()
    }

    /// Returns the state of the server's own account; `None` where no key is configured.
    #[must_use]
    pub fn server_account(&self) -> Option<&Arc<AccountState>> {
        self.configured_for(DEFAULT_TENANT)
            .map(|credential| &credential.account)
    }

    /// Returns the credentials that are configured, each account once: the server's, then those of tenants with a key of
    /// their own.
    pub fn credentials(&self) -> impl Iterator<Item = &Credential> {
        let all = std::iter::once(&self.server).chain(self.tenants.values());
        all.filter_map(|configured| configured.credential.as_ref().ok())
            .filter(|credential| !credential.is_share())
    }

    /// Returns the credentials of tenants that have a table of their own.
    pub fn tenant_credentials(&self) -> impl Iterator<Item = &Credential> {
        let tenants = self.tenants.values();
        tenants.filter_map(|configured| configured.credential.as_ref().ok())
    }

    /// Returns the fingerprints of all configured keys, by the path of the settings that hold each.
    pub fn fingerprints(&self) -> impl Iterator<Item = (String, String)> {
        let own = self.holders().filter(|(_, key)| !key.fingerprint.is_empty());
        own.map(|(name, key)| (format!("providers.{name}"), key.fingerprint.clone()))
    }

    /// Returns what the vendor said of the configured keys that it refuses, by the name of each: `virustotal`, or
    /// `virustotal.tenants.acme`.
    pub fn refusals(&self) -> impl Iterator<Item = (String, String)> {
        self.holders().filter_map(|(name, key)| {
            let credential = key.credential.as_ref().ok().filter(|one| !one.is_share())?;
            let said = credential.account.breaker.refusal()?;
            Some((name, format!("{said} (key {})", key.fingerprint)))
        })
    }

    /// Walks what is configured, each with its name below the providers.
    fn holders(&self) -> impl Iterator<Item = (String, &Configured)> {
        let tenants = self.tenants.iter();
        let tenants = tenants.map(|(tenant, own)| (format!("{}.tenants.{tenant}", self.provider), own));
        std::iter::once((self.provider.clone(), &self.server)).chain(tenants)
    }
}

/// Is what a key of one's own comes with.
struct UserKey<'a> {
    tenant: &'a str,
    owner: KeyOwner,
    parts: &'a BTreeMap<String, KeyPart>,
    /// Why it cannot be used, for the client.
    fault: Option<String>,
    is_meant: bool,
    rate: &'a [Rate],
    budgets: Vec<Budget>,
}

impl Builder<'_> {
    fn server(&self, previous: Option<&Configured>) -> Configured {
        let title = &self.descriptor.title;
        let fault = match self.settings.key_fault {
            _ if self.settings.has_key(self.descriptor) => None,
            Some(_) => Some(format!("the {title} key of this server cannot be read")),
            None => Some(format!("no {title} key is configured on this server")),
        };
        let own = UserKey {
            tenant: DEFAULT_TENANT,
            owner: KeyOwner::Server,
            parts: &self.settings.credentials,
            is_meant: fault.is_none() || self.settings.key_fault.is_some(),
            fault,
            rate: &self.settings.rate,
            budgets: self.settings.budget.clone(),
        };
        self.with_key(own, previous)
    }

    fn tenant(
        &self,
        tenant: &str,
        settings: &TenantSettings,
        server: &Configured,
        previous: Option<&Configured>,
    ) -> Configured {
        let Some(key) = &settings.key else {
            return self.sharing(tenant, settings, server, previous);
        };
        let title = &self.descriptor.title;
        let fault = key.fault.as_ref();
        let inherited = || {
            let budgets = self.settings.budget.iter().cloned();
            budgets.map(|budget| budget.of_tenant(tenant)).collect()
        };
        let own = UserKey {
            tenant,
            owner: KeyOwner::Tenant,
            parts: &key.parts,
            fault: fault.map(|_| format!("the {title} key of the tenant {tenant} cannot be read")),
            is_meant: true,
            rate: settings.rate.as_ref().unwrap_or(&self.settings.rate),
            budgets: settings.budget.clone().unwrap_or_else(inherited),
        };
        self.with_key(own, previous)
    }

    fn with_key(&self, own: UserKey<'_>, previous: Option<&Configured>) -> Configured {
        let key = key::configured(own.parts);
        let scope = tenant_scope(own.tenant);
        let mark = self.hasher.mark(&key, self.settings);
        let fingerprint = self.hasher.fingerprint(&key);
        let credential = match own.fault {
            Some(message) => Err(NoKey {
                scope,
                message: message.into(),
            }),
            None => {
                let kept = previous
                    .filter(|old| old.mark == mark && old.rate == own.rate)
                    .and_then(|old| old.credential.as_ref().ok())
                    .filter(|old| !old.is_share());
                let account = kept.map(|old| Arc::clone(&old.account));
                Ok(Credential {
                    account: account.unwrap_or_else(|| self.account(own.tenant, &key, own.rate)),
                    key: Arc::new(key),
                    scope,
                    terms: Arc::new(Terms {
                        owner: own.owner,
                        fingerprint: fingerprint.clone(),
                        rate: own.rate.to_vec(),
                        budgets: own.budgets,
                        share: None,
                        users: Arc::default(),
                    }),
                })
            }
        };
        Configured {
            credential,
            is_meant: own.is_meant,
            fingerprint,
            mark,
            rate: own.rate.to_vec(),
        }
    }

    fn account(&self, tenant: &str, key: &Key, rate: &[Rate]) -> Arc<AccountState> {
        let fields = self.descriptor.credentials.iter();
        let plain = fields
            .filter(|field| !field.secret)
            .map(|field| field.name.as_str());
        let account = Account {
            tenant: tenant.to_owned(),
            provider: self.settings.name.clone(),
            account: key::account_name(key, plain),
        };
        let clock = Arc::clone(self.clock);
        Arc::new(AccountState::new(account, Denial::ServerKey, rate, clock))
    }

    /// Gives a tenant its share of the server's key: budgets and a rate of its own, within those of the key.
    fn sharing(
        &self,
        tenant: &str,
        settings: &TenantSettings,
        server: &Configured,
        previous: Option<&Configured>,
    ) -> Configured {
        let rate = settings.rate.clone().unwrap_or_default();
        let with_share = |shared: &Credential, scope: SmolStr| {
            let kept = previous
                .filter(|old| old.rate == rate)
                .and_then(|old| old.credential.as_ref().ok()?.share_limiter());
            let new = || RateLimiter::new(&rate, Arc::clone(self.clock));
            let share = TenantShare {
                account: Account {
                    tenant: tenant.to_owned(),
                    ..shared.account.account.clone()
                },
                budgets: settings.budget.clone().unwrap_or_default(),
                limiter: (!rate.is_empty()).then(|| kept.unwrap_or_else(new)),
            };
            Credential {
                scope,
                terms: Arc::new(Terms {
                    share: Some(share),
                    ..shared.terms.without_share()
                }),
                ..shared.clone()
            }
        };
        let scope = tenant_scope(tenant);
        let credential = match &server.credential {
            Ok(shared) => Ok(with_share(shared, scope)),
            Err(none) => Err(NoKey {
                scope,
                ..none.clone()
            }),
        };
        Configured {
            credential,
            is_meant: server.is_meant,
            fingerprint: String::new(),
            mark: server.mark,
            rate,
        }
    }
}

#[cfg(test)]
mod tests;
