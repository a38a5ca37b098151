//! Keeps the accounts of users' own keys, and bounds what false keys can do.
//!
//! A key that the vendor has not taken yet shares one rate with all other such keys, by the vendor's address: the calls
//! come from this server's address, whichever client made the keys up. A client whose keys are refused may try few others.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::account::AccountState;
use crate::clock::SharedClock;
use crate::config::settings::Rate;
use crate::engine::ledger::Account;
use crate::engine::rate_limiter::RateLimiter;

/// Bounds how many users' keys have a state of their own.
const MAX_USER_KEYS: usize = 256;
/// Bounds how many different refused keys one client may try in an hour.
const MAX_REFUSED: usize = 5;
const REFUSED_WINDOW: Duration = Duration::from_secs(3600);
/// So many calls a minute go to one address with keys that the vendor has not taken yet; the provider's own rates hold
/// beside.
const UNTRIED_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);

/// Holds the rate that the keys not taken yet share at one address, with the rates that it was made of.
#[derive(Debug)]
struct UntriedRate {
    rates: Vec<Rate>,
    limiter: Arc<RateLimiter>,
}

/// Remembers a refusal.
#[derive(Debug)]
struct Refused {
    at: Timestamp,
    account: String,
    /// Whether the vendor refused the key itself, and not one product.
    whole: bool,
}

impl Refused {
    /// Tells whether it counts at `now`; a clock that went back far makes it count no longer.
    fn counts(&self, now: Timestamp) -> bool {
        let window = SignedDuration::try_from(REFUSED_WINDOW).unwrap_or_default();
        now.duration_since(self.at).abs() < window
    }
}

/// Keeps the states of users' own keys, bounded in number, and counts refused ones per client.
#[derive(Debug, Default)]
pub(super) struct UserKeys {
    states: Mutex<Vec<Arc<AccountState>>>,
    /// States of keys that nothing is known of yet, shared while a question uses them.
    pending: Mutex<HashMap<Account, Weak<AccountState>>>,
    refused: Mutex<HashMap<String, Vec<Refused>>>,
    /// Rates of keys that are not taken yet, by the vendor's address.
    untried: Mutex<HashMap<String, UntriedRate>>,
}

impl UserKeys {
    /// Returns the state of an account, kept or new. A new one is not kept before [`UserKeys::keep`].
    pub(super) fn state(&self, account: &Account, make: impl FnOnce() -> AccountState) -> Arc<AccountState> {
        let known = self
            .states
            .lock()
            .ok()
            .and_then(|states| states.iter().find(|state| state.account == *account).cloned());
        known.unwrap_or_else(|| {
            let Ok(mut pending) = self.pending.lock() else {
                return Arc::new(make());
            };
            pending.retain(|_, state| state.strong_count() > 0);
            let shared = pending.get(account).and_then(Weak::upgrade);
            shared.unwrap_or_else(|| {
                let made = Arc::new(make());
                pending.insert(account.clone(), Arc::downgrade(&made));
                made
            })
        })
    }

    /// Keeps a state after the first answer that is not a refusal; the one unused longest makes room.
    pub(super) fn keep(&self, state: &Arc<AccountState>) {
        let Ok(mut states) = self.states.lock() else {
            return;
        };
        states.retain(|known| known.account != state.account);
        if states.len() >= MAX_USER_KEYS {
            states.remove(0);
        }
        states.push(Arc::clone(state));
    }

    /// Returns the rate that all keys share which the vendor at an address has not taken yet.
    pub(super) fn untried(&self, address: &str, rates: &[Rate], clock: &SharedClock) -> Arc<RateLimiter> {
        let make = || {
            let few = Rate::smooth(UNTRIED_PER_MINUTE, Duration::from_mins(1));
            let all: Vec<Rate> = rates.iter().copied().chain([few]).collect();
            UntriedRate {
                rates: rates.to_vec(),
                limiter: RateLimiter::new(&all, Arc::clone(clock)),
            }
        };
        let Ok(mut untried) = self.untried.lock() else {
            return make().limiter;
        };
        let known = untried.entry(address.to_owned()).or_insert_with(make);
        if known.rates != rates {
            *known = make();
        }
        Arc::clone(&known.limiter)
    }

    /// Remembers that a client's key was refused, and forgets the key's state.
    pub(super) fn refuse(&self, client: &str, account: &Account, now: Timestamp) {
        if let Ok(mut states) = self.states.lock() {
            states.retain(|known| known.account != *account);
        }
        self.count(client, account, true, now);
    }

    /// Remembers that a client's key, which the vendor never took, was refused a product: it counts among the client's
    /// refused keys and may be tried for others.
    pub(super) fn doubt(&self, client: &str, account: &Account, now: Timestamp) {
        self.count(client, account, false, now);
    }

    fn count(&self, client: &str, account: &Account, whole: bool, now: Timestamp) {
        let Ok(mut refused) = self.refused.lock() else {
            return;
        };
        refused.retain(|_, keys| {
            keys.retain(|key| key.counts(now));
            !keys.is_empty()
        });
        let keys = refused.entry(client.to_owned()).or_default();
        if let Some(known) = keys.iter_mut().find(|known| known.account == account.account) {
            known.whole |= whole;
        } else if keys.len() < MAX_REFUSED {
            keys.push(Refused {
                at: now,
                account: account.account.clone(),
                whole,
            });
        }
    }

    /// Says why a client's key is not tried: it was refused before, or too many others were. Too many others say nothing
    /// of a key that the vendor has taken.
    #[must_use]
    pub(super) fn blocked_reason(
        &self,
        client: &str,
        account: &Account,
        accepted: bool,
        now: Timestamp,
    ) -> Option<&'static str> {
        let refused = self.refused.lock().ok()?;
        let recent: Vec<_> = refused
            .get(client)?
            .iter()
            .filter(|key| key.counts(now))
            .collect();
        let own = recent.iter().find(|known| known.account == account.account);
        if own.is_some_and(|known| known.whole) {
            Some("this key was refused within the last hour")
        } else if recent.len() >= MAX_REFUSED && !accepted {
            Some("too many different keys were refused; try again in an hour")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> Account {
        Account {
            tenant: "default".into(),
            provider: "acme".into(),
            account: name.into(),
        }
    }

    #[test]
    fn refused_keys_are_bounded_per_client_and_hour() {
        let keys = UserKeys::default();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        for n in 0..MAX_REFUSED {
            assert_eq!(
                keys.blocked_reason("anna", &account(&n.to_string()), false, now),
                None
            );
            keys.refuse("anna", &account(&n.to_string()), now);
        }
        assert!(
            keys.blocked_reason("anna", &account("0"), false, now)
                .unwrap()
                .contains("refused within")
        );
        assert!(
            keys.blocked_reason("anna", &account("new"), false, now)
                .unwrap()
                .contains("too many")
        );
        assert_eq!(
            keys.blocked_reason("ben", &account("0"), false, now),
            None,
            "another client is not concerned"
        );
        let later = now.checked_add(REFUSED_WINDOW).unwrap();
        assert_eq!(keys.blocked_reason("anna", &account("new"), false, later), None);
    }

    #[test]
    fn a_product_that_a_key_lacks_counts_and_leaves_the_key_its_other_products() {
        let keys = UserKeys::default();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        keys.doubt("anna", &account("0"), now);
        assert_eq!(keys.blocked_reason("anna", &account("0"), false, now), None);
        for n in 1..MAX_REFUSED {
            keys.doubt("anna", &account(&n.to_string()), now);
        }
        for name in ["0", "new"] {
            let blocked = keys.blocked_reason("anna", &account(name), false, now).unwrap();
            assert!(blocked.contains("too many"), "{blocked}");
        }
        assert_eq!(keys.blocked_reason("anna", &account("taken"), true, now), None);
    }

    #[test]
    fn a_refusal_from_a_time_that_never_was_does_not_last() {
        let keys = UserKeys::default();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let wrong = now.checked_add(SignedDuration::from_hours(500 * 24)).unwrap();
        keys.refuse("anna", &account("0"), wrong);
        assert!(keys.blocked_reason("anna", &account("0"), false, wrong).is_some());
        assert_eq!(keys.blocked_reason("anna", &account("0"), false, now), None);
    }

    #[test]
    fn keys_that_are_not_taken_share_one_rate_for_each_address() {
        let keys = UserKeys::default();
        let clock: SharedClock = Arc::new(crate::clock::manual::ManualClock::new(Timestamp::UNIX_EPOCH));
        let one = Rate::smooth(NonZeroU32::MIN, Duration::from_secs(1));
        let first = keys.untried("https://a.example/", &[one], &clock);
        assert!(Arc::ptr_eq(
            &first,
            &keys.untried("https://a.example/", &[one], &clock)
        ));
        assert!(!Arc::ptr_eq(
            &first,
            &keys.untried("https://b.example/", &[one], &clock)
        ));
        // A reload may change the provider's rates.
        assert!(!Arc::ptr_eq(
            &first,
            &keys.untried("https://a.example/", &[], &clock)
        ));
    }
}
