//! Holds what a call is made with: the key, the account that pays, and the scope of the answer.

use std::sync::Arc;

use jiff::Timestamp;
use smol_str::SmolStr;

use super::account::AccountState;
use super::key::Key;
use super::user_keys::UserKeys;
use crate::clock::SharedClock;
use crate::config::settings::{Budget, Rate};
use crate::domain::{Denial, Failure, FailureKind};
use crate::engine::ledger::{Account, ChargedAccount};
use crate::engine::rate_limiter::RateLimiter;
use crate::providers::ReplyClass;

/// Says whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOwner {
    /// The server's, which tenants may share.
    Server,
    /// A tenant's own.
    Tenant,
    /// A user's own.
    User,
}

/// Holds the key that a question uses, the account that pays, and the scope under which the answer is kept.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The key, which only transport opens.
    pub key: Arc<Key>,
    /// The state of the key's account.
    pub account: Arc<AccountState>,
    /// `server/<tenant>`, or `user/<keyed hash>` for a user's own key.
    pub scope: SmolStr,
    pub(super) terms: Arc<Terms>,
}

/// Holds what an administrator configured for a key.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) owner: KeyOwner,
    pub(super) fingerprint: String,
    pub(super) rate: Vec<Rate>,
    /// Budgets of the key's account.
    pub(super) budgets: Vec<Budget>,
    /// What a tenant may use of a key that it shares.
    pub(super) share: Option<TenantShare>,
    /// What is known of users' keys; empty for others.
    pub(super) users: Arc<UserKeys>,
}

/// Bounds what a tenant uses of the key that it shares. The key's own budgets and rates hold beside.
#[derive(Debug, Clone)]
pub(super) struct TenantShare {
    pub(super) account: Account,
    pub(super) budgets: Vec<Budget>,
    pub(super) limiter: Option<Arc<RateLimiter>>,
}

impl Terms {
    pub(super) fn without_share(&self) -> Self {
        Self {
            share: None,
            ..self.clone()
        }
    }
}

impl Credential {
    /// Says whose key it is.
    #[must_use]
    pub fn owner(&self) -> KeyOwner {
        self.terms.owner
    }

    /// Tells whether it is a key that a tenant was given for itself.
    #[must_use]
    pub fn is_tenants_own(&self) -> bool {
        self.terms.owner == KeyOwner::Tenant
    }

    /// Returns a short keyed hash of a configured key; empty for a user's own.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.terms.fingerprint
    }

    /// Returns the denial that the caller is told where the vendor refuses the key.
    #[must_use]
    pub fn denial(&self) -> Denial {
        match self.terms.owner {
            KeyOwner::Server | KeyOwner::Tenant => Denial::ServerKey,
            KeyOwner::User => Denial::UserKey,
        }
    }

    pub(super) fn is_share(&self) -> bool {
        self.terms.share.is_some()
    }

    pub(super) fn share_limiter(&self) -> Option<Arc<RateLimiter>> {
        self.terms.share.as_ref()?.limiter.clone()
    }

    /// Returns the accounts that a call of a product is charged to: the tenant's share of a key, and the key's own account,
    /// for which the vendor's limits hold.
    #[must_use]
    pub fn accounts(&self, product: &str) -> Vec<ChargedAccount<'_>> {
        let share = self.terms.share.as_ref().map(|share| ChargedAccount {
            account: &share.account,
            budgets: &share.budgets,
            vendor: Default::default(),
        });
        let whole = ChargedAccount {
            account: &self.account.account,
            budgets: &self.terms.budgets,
            vendor: self.account.entitlement(product).usage,
        };
        share.into_iter().chain([whole]).collect()
    }

    /// Returns the budgets that bound the questions that use it, each with its account; a tenant's share comes first.
    pub fn budgets(&self) -> impl Iterator<Item = (&Account, &Budget)> {
        let share = self.terms.share.iter();
        let share = share.flat_map(|share| share.budgets.iter().map(|budget| (&share.account, budget)));
        let whole = self.terms.budgets.iter();
        share.chain(whole.map(|budget| (&self.account.account, budget)))
    }

    /// Returns the budgets that no other tenant's questions count in: those of its share, or of its own key's account.
    pub fn own_budgets(&self) -> impl Iterator<Item = (&Account, &Budget)> {
        let is_share = self.is_share();
        self.budgets()
            .filter(move |(account, _)| !is_share || **account != self.account.account)
    }

    /// Returns the rate limiters that a call waits for: the product's where the vendor told one, the tenant's share, the
    /// account's.
    pub(crate) fn limiters(&self, product: &str) -> impl Iterator<Item = Arc<RateLimiter>> {
        let product = self.account.product_limiter(product).into_iter();
        product
            .chain(self.share_limiter())
            .chain([Arc::clone(&self.account.limiter)])
    }

    /// Returns the rate limiter that users' keys share at an address until the vendor has taken them; none for other keys.
    pub(crate) fn untried_limiter(&self, address: &str, clock: &SharedClock) -> Option<Arc<RateLimiter>> {
        let is_untried = self.owner() == KeyOwner::User && !self.account.is_accepted();
        let Terms { users, rate, .. } = self.terms.as_ref();
        is_untried.then(|| users.untried(address, rate, clock))
    }

    /// Checks whether a client's own key may be tried; configured keys always may.
    ///
    /// # Errors
    /// What the caller is told.
    pub fn check_client(&self, client: &str, now: Timestamp) -> Result<(), Failure> {
        if self.owner() != KeyOwner::User {
            return Ok(());
        }
        let account = &self.account.account;
        let blocked = self
            .terms
            .users
            .blocked_reason(client, account, self.account.is_accepted(), now);
        blocked.map_or(Ok(()), |reason| {
            let kind = FailureKind::Denied(Denial::UserKey);
            Err(Failure::new(kind, &account.provider, reason))
        })
    }

    /// Takes what a reply says of a user's key: it is taken, refused, or was never taken and is refused a product.
    pub(crate) fn learn(&self, client: &str, class: &ReplyClass, status: u16, now: Timestamp) {
        if self.owner() != KeyOwner::User {
            return;
        }
        let (users, account) = (&self.terms.users, &self.account.account);
        match class {
            ReplyClass::Good | ReplyClass::NotFound => self.account.accept(true),
            ReplyClass::KeyRefused(_) => {
                self.account.accept(false);
                users.refuse(client, account, now);
            }
            _ if matches!(status, 401 | 403) && !self.account.is_accepted() => {
                users.doubt(client, account, now);
            }
            _ => {}
        }
    }

    /// Keeps the account of a user's key that the vendor has taken.
    pub(crate) fn keep(&self) {
        if self.owner() == KeyOwner::User && self.account.is_accepted() {
            self.terms.users.keep(&self.account);
        }
    }
}
