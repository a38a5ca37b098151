//! Holds what belongs to one key at one provider: its breaker, its rates, and what it is entitled to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex as AsyncMutex;

use super::batch::Gatherings;
use super::breaker::Breaker;
use super::dispenser::Dispenser;
use super::ledger::{Account, VendorUsage};
use super::session::SessionSlot;
use crate::clock::SharedClock;
use crate::config::settings::Rate;
use crate::domain::{Answer, Denial, Record};

/// What the vendor says of a key is asked again after this.
const ENTITLEMENTS_KEPT: Duration = Duration::from_secs(6 * 3600);
/// After a failed account call the next is made after this.
const ENTITLEMENTS_RETRIED: Duration = Duration::from_secs(600);

/// Says what one product of a key allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entitlement {
    /// What was used, and the vendor's limits.
    pub usage: VendorUsage,
    /// Calls a minute.
    pub per_minute: Option<u32>,
}

/// Remembers what the vendor said of a key, or that it could not be asked.
#[derive(Debug, Default)]
pub(super) struct Entitlements {
    pub(super) ask_again: Option<Timestamp>,
}

/// Holds one key's state.
#[derive(Debug)]
pub struct AccountState {
    /// Names it in the ledger.
    pub account: Account,
    /// Guards it.
    pub breaker: Breaker,
    /// Keeps its rate over all products.
    pub dispenser: Arc<Dispenser>,
    /// What the vendor says of its products; `None` until the vendor said.
    products: Mutex<Option<HashMap<String, Entitlement>>>,
    /// Rates of single products that the vendor told.
    product_dispensers: Mutex<HashMap<String, Arc<Dispenser>>>,
    /// How long an attempt takes of late, in nanoseconds.
    typical: AtomicU64,
    /// The token that the key bought, where the vendor wants one.
    pub(super) session: SessionSlot,
    /// Questions that go together.
    pub(super) gatherings: Gatherings,
    /// Serialises the account call.
    pub(super) entitlements: AsyncMutex<Entitlements>,
}

impl AccountState {
    /// Makes the state of a key nobody has used yet.
    #[must_use]
    pub fn new(account: Account, denial: Denial, rates: &[Rate], clock: SharedClock) -> Self {
        Self {
            breaker: Breaker::new(&account.provider, denial),
            dispenser: Dispenser::new(rates, clock),
            account,
            products: Mutex::default(),
            product_dispensers: Mutex::default(),
            typical: AtomicU64::new(0),
            session: SessionSlot::default(),
            gatherings: Gatherings::default(),
            entitlements: AsyncMutex::default(),
        }
    }

    /// Returns how many questions of batches wait for others to go with.
    #[must_use]
    pub fn gathering(&self) -> usize {
        self.gatherings.waiting()
    }

    /// Returns how long an attempt takes of late: a call that starts later than this before its deadline cannot make it.
    #[must_use]
    pub fn typical_time(&self) -> Duration {
        Duration::from_nanos(self.typical.load(Ordering::Relaxed))
    }

    /// Takes the time of an attempt into the average, one eighth each.
    pub(super) fn took(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let old = self.typical.load(Ordering::Relaxed);
        // A lost update between two attempts costs an average nothing that matters.
        self.typical.store(old - old / 8 + nanos / 8, Ordering::Relaxed);
    }

    /// Tells whether the vendor is known to give this key the product; unknown counts as yes.
    #[must_use]
    pub fn may_use(&self, product: &str) -> bool {
        self.products
            .lock()
            .is_ok_and(|products| products.as_ref().is_none_or(|known| known.contains_key(product)))
    }

    /// Tells whether a product may be asked: the vendor neither leaves it out of what this key has, nor refused it of late.
    #[must_use]
    pub fn is_open(&self, product: &'static str, now: Timestamp) -> bool {
        self.may_use(product) && !self.breaker.is_not_entitled(product, now)
    }

    /// Returns what the vendor says of a product.
    #[must_use]
    pub fn entitlement(&self, product: &str) -> Entitlement {
        self.products
            .lock()
            .ok()
            .and_then(|products| products.as_ref()?.get(product).cloned())
            .unwrap_or_default()
    }

    /// Returns what the vendor says of all products, sorted; `None` where it has not been asked.
    #[must_use]
    pub fn entitled(&self) -> Option<Vec<(String, Entitlement)>> {
        let mut all: Vec<_> = self.products.lock().ok()?.clone()?.into_iter().collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        Some(all)
    }

    /// Returns the dispenser of a product's own rate, where the vendor told one.
    #[must_use]
    pub fn product_dispenser(&self, product: &str) -> Option<Arc<Dispenser>> {
        self.product_dispensers.lock().ok()?.get(product).cloned()
    }

    /// Takes over what an account answer says.
    pub(super) fn learn(&self, answer: &Answer, clock: &SharedClock) {
        let number = |record: &Record, name: &str| match record.get(name) {
            Some(crate::domain::Value::Integer(number)) => Some(*number),
            _ => None,
        };
        let mut known = HashMap::new();
        for record in &answer.records {
            let Some(product) = record.text("product") else {
                continue;
            };
            let usage = VendorUsage {
                learned: Some(clock.now()),
                today: number(record, "used_today"),
                month: number(record, "used_month"),
                month_limit: number(record, "per_month"),
                hour_limit: number(record, "per_hour"),
            };
            let per_minute = number(record, "per_minute").and_then(|limit| u32::try_from(limit).ok());
            known.insert(product.into_owned(), Entitlement { usage, per_minute });
        }
        if let Ok(mut dispensers) = self.product_dispensers.lock() {
            for (product, entitlement) in &known {
                let Some(limit) = entitlement.per_minute.and_then(std::num::NonZeroU32::new) else {
                    continue;
                };
                dispensers.entry(product.clone()).or_insert_with(|| {
                    let rate = Rate::smooth(limit, Duration::from_secs(60));
                    Dispenser::new(&[rate], Arc::clone(clock))
                });
            }
        }
        if let Ok(mut products) = self.products.lock() {
            *products = Some(known);
        }
    }

    pub(super) fn keep_for(succeeded: bool, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(if succeeded {
            ENTITLEMENTS_KEPT
        } else {
            ENTITLEMENTS_RETRIED
        })
        .ok()
    }
}

/// Bounds how many users' keys have a state of their own.
const MOST_USER_KEYS: usize = 256;
/// Bounds how many different refused keys one client may try in an hour.
const MOST_REFUSED: usize = 5;
const REFUSED_WINDOW: Duration = Duration::from_secs(3600);

/// Keeps the states of users' own keys, bounded in number, and counts refused ones per client.
#[derive(Debug, Default)]
pub struct UserKeys {
    states: Mutex<Vec<Arc<AccountState>>>,
    /// States of keys that nothing is known of yet, shared while anybody uses them.
    pending: Mutex<HashMap<Account, Weak<AccountState>>>,
    refused: Mutex<HashMap<String, Vec<(Timestamp, String)>>>,
}

impl UserKeys {
    /// Returns the state of an account, kept or new. A new one is not kept before [`UserKeys::keep`].
    pub fn state(&self, account: &Account, make: impl FnOnce() -> AccountState) -> Arc<AccountState> {
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
    pub fn keep(&self, state: &Arc<AccountState>) {
        let Ok(mut states) = self.states.lock() else {
            return;
        };
        states.retain(|known| known.account != state.account);
        if states.len() >= MOST_USER_KEYS {
            states.remove(0);
        }
        states.push(Arc::clone(state));
    }

    /// Remembers that a client's key was refused, and forgets the key's state.
    pub fn refuse(&self, client: &str, account: &Account, now: Timestamp) {
        if let Ok(mut states) = self.states.lock() {
            states.retain(|known| known.account != *account);
        }
        let Ok(mut refused) = self.refused.lock() else {
            return;
        };
        refused.retain(|_, keys| {
            keys.retain(|(at, _)| {
                now.duration_since(*at) < jiff::SignedDuration::try_from(REFUSED_WINDOW).unwrap_or_default()
            });
            !keys.is_empty()
        });
        let keys = refused.entry(client.to_owned()).or_default();
        if !keys.iter().any(|(_, known)| *known == account.account) && keys.len() < MOST_REFUSED {
            keys.push((now, account.account.clone()));
        }
    }

    /// Says why a client's key is not tried: it was refused before, or too many others were.
    #[must_use]
    pub fn bar(&self, client: &str, account: &Account, now: Timestamp) -> Option<&'static str> {
        let refused = self.refused.lock().ok()?;
        let window = jiff::SignedDuration::try_from(REFUSED_WINDOW).unwrap_or_default();
        let recent: Vec<_> = refused
            .get(client)?
            .iter()
            .filter(|(at, _)| now.duration_since(*at) < window)
            .collect();
        if recent.iter().any(|(_, known)| *known == account.account) {
            Some("this key was refused within the last hour")
        } else if recent.len() >= MOST_REFUSED {
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
        for n in 0..MOST_REFUSED {
            assert_eq!(keys.bar("anna", &account(&n.to_string()), now), None);
            keys.refuse("anna", &account(&n.to_string()), now);
        }
        assert!(
            keys.bar("anna", &account("0"), now)
                .unwrap()
                .contains("refused within")
        );
        assert!(
            keys.bar("anna", &account("new"), now)
                .unwrap()
                .contains("too many")
        );
        assert_eq!(
            keys.bar("ben", &account("0"), now),
            None,
            "another client is not concerned"
        );
        let later = now.checked_add(REFUSED_WINDOW).unwrap();
        assert_eq!(keys.bar("anna", &account("new"), later), None);
    }
}
