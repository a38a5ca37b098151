//! Holds what belongs to one key at one provider: its breaker, its rates, and what it is entitled to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex as AsyncMutex;

use crate::clock::SharedClock;
use crate::config::settings::Rate;
use crate::domain::{Answer, Denial, Record};
use crate::engine::batch_queue::BatchQueue;
use crate::engine::breaker::Breaker;
use crate::engine::ledger::{Account, VendorUsage};
use crate::engine::rate_limiter::RateLimiter;
use crate::engine::session::SessionSlot;
use crate::providers::ProductId;

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
pub(in crate::engine) struct Entitlements {
    pub(in crate::engine) ask_again: Option<Timestamp>,
}

/// Holds one key's state.
#[derive(Debug)]
pub struct AccountState {
    /// Names it in the ledger.
    pub account: Account,
    /// Guards it.
    pub breaker: Breaker,
    /// Keeps its rate over all products.
    pub limiter: Arc<RateLimiter>,
    /// What the vendor says of its products; `None` until the vendor said.
    products: Mutex<Option<HashMap<String, Entitlement>>>,
    /// Rates of single products that the vendor told.
    product_limiters: Mutex<HashMap<String, Arc<RateLimiter>>>,
    /// How long an attempt takes of late, in nanoseconds.
    typical: AtomicU64,
    /// Whether the vendor is known to take the key.
    accepted: AtomicBool,
    /// The token that the key bought, where the vendor wants one.
    pub(in crate::engine) session: SessionSlot,
    /// Questions that go together.
    pub(in crate::engine) batches: BatchQueue,
    /// Serialises the account call.
    pub(in crate::engine) entitlements: AsyncMutex<Entitlements>,
}

impl Entitlements {
    /// Tells whether there is no need to ask yet; a time that is too far ahead was set by a wrong clock.
    pub(in crate::engine) fn is_known(&self, now: Timestamp) -> bool {
        let longest = SignedDuration::try_from(ENTITLEMENTS_KEPT).unwrap_or_default();
        self.ask_again
            .is_some_and(|again| now < again && again.duration_since(now) <= longest)
    }
}

impl AccountState {
    /// Makes the state of a key that was not used yet.
    #[must_use]
    pub fn new(account: Account, denial: Denial, rates: &[Rate], clock: SharedClock) -> Self {
        Self {
            breaker: Breaker::new(&account.provider, denial),
            limiter: RateLimiter::new(rates, clock),
            account,
            products: Mutex::default(),
            product_limiters: Mutex::default(),
            typical: AtomicU64::new(0),
            accepted: AtomicBool::new(false),
            session: SessionSlot::default(),
            batches: BatchQueue::default(),
            entitlements: AsyncMutex::default(),
        }
    }

    /// Remembers whether the vendor took the key.
    pub fn accept(&self, taken: bool) {
        self.accepted.store(taken, Ordering::Relaxed);
    }

    /// Tells whether the vendor is known to take the key: it answered a question that the key was sent with.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Returns how many questions of batches wait for others to go with.
    #[must_use]
    pub fn batch_waiting(&self) -> usize {
        self.batches.waiting()
    }

    /// Returns how many questions ever joined a batch, those that left included.
    #[must_use]
    pub fn batch_joined(&self) -> u64 {
        self.batches.joined()
    }

    /// Returns how long an attempt takes of late: a call that starts later than this before its deadline cannot make it.
    #[must_use]
    pub fn typical_time(&self) -> Duration {
        Duration::from_nanos(self.typical.load(Ordering::Relaxed))
    }

    /// Takes the time of an attempt into the average, one eighth each.
    pub(in crate::engine) fn took(&self, time: Duration) {
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
    pub fn is_open(&self, product: &ProductId, now: Timestamp) -> bool {
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

    /// Returns the rate limiter of a product's own rate, where the vendor told one.
    #[must_use]
    pub fn product_limiter(&self, product: &str) -> Option<Arc<RateLimiter>> {
        self.product_limiters.lock().ok()?.get(product).cloned()
    }

    /// Takes over what an account answer says.
    pub(in crate::engine) fn learn(&self, answer: &Answer, clock: &SharedClock) {
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
        if let Ok(mut limiters) = self.product_limiters.lock() {
            for (product, entitlement) in &known {
                let Some(limit) = entitlement.per_minute.and_then(std::num::NonZeroU32::new) else {
                    continue;
                };
                limiters.entry(product.clone()).or_insert_with(|| {
                    let rate = Rate::smooth(limit, Duration::from_secs(60));
                    RateLimiter::new(&[rate], Arc::clone(clock))
                });
            }
        }
        if let Ok(mut products) = self.products.lock() {
            *products = Some(known);
        }
    }

    pub(in crate::engine) fn keep_for(succeeded: bool, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(if succeeded {
            ENTITLEMENTS_KEPT
        } else {
            ENTITLEMENTS_RETRIED
        })
        .ok()
    }
}
