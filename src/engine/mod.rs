//! The way a question takes. Owns every socket, timer and budget.
//!
//! ```text
//! cache (fresh | stale | negative) -> the caller's deadline -> single flight (detached)
//!   -> batches: gathered into one look-up, where the product takes many questions at once
//!   -> for each call of the look-up: retry [ breaker -> budget -> rate -> permit -> sign
//!        -> reserve on disk -> one attempt -> judge -> settle ]
//!   -> store -> outcome
//! ```
//!
//! The files can be read in that order: this one, [`flight`], `landing`, [`lookup`], `batch`, [`call`],
//! [`breaker`], [`ledger`], [`dispenser`], [`transport`], [`cache`].

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;

pub mod account;
mod batch;
pub mod breaker;
pub(crate) mod bucket;
pub mod cache;
pub mod call;
pub mod dispenser;
pub mod flight;
pub mod known_time;
mod landing;
pub mod learnt;
pub mod ledger;
mod limits;
pub mod lookup;
mod owner;
pub mod question;
pub mod reference;
pub mod room;
pub mod runtime;
mod service;
pub mod session;
mod sightings;
mod standing;
pub mod store;
pub mod transport;
pub mod user_keys;
mod waiting;
pub mod windows;

use account::AccountState;
use cache::{AnswerKey, Cache, Entry};
use call::{Carrier, Passengers};
use flight::Flights;
use known_time::KnownTime;
use landing::{Aboard, Aloft, FlightKey, Flown, Landing, Wire, land};
use ledger::{Ledger, Spend};
use lookup::Errand;
pub use question::{Ask, Asker, CacheState, TERMINAL, Told};
use room::Room;
use runtime::{Key, Runtime};
pub use standing::Left;
use store::Store;
use transport::TransportError;
pub use waiting::Closing;

use crate::clock::{SharedClock, timeout_at};
use crate::config::Loaded;
use crate::config::settings::ProviderSettings;
use crate::domain::{Denial, Failure, FailureKind, Outcome};
use crate::telemetry::metrics::Metrics;

/// Answers questions. All faces share one.
pub struct Engine {
    clock: SharedClock,
    time: Arc<KnownTime>,
    store: Store,
    cache: Arc<Cache>,
    ledger: Arc<Ledger>,
    flights: Arc<Flights<FlightKey, Landing>>,
    runtimes: ArcSwap<BTreeMap<String, Arc<Runtime>>>,
    metrics: Arc<Metrics>,
    runtime: tokio::runtime::Handle,
    closing: Arc<Closing>,
    answers: Arc<Room>,
    batches: Arc<Room>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("providers", &self.runtimes.load().keys())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts the engine over an open store, by the time that is known there. Must be called within a tokio runtime, where
    /// flights then fly.
    ///
    /// # Errors
    /// [`TransportError`] where a provider cannot be reached as configured.
    pub fn start(
        loaded: &Loaded,
        store: Store,
        time: Arc<KnownTime>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, TransportError> {
        let clock = Arc::clone(time.clock());
        let settings = &loaded.settings;
        let runtimes = runtime::start_all(loaded, None, &store, &clock)?;
        Ok(Self {
            cache: Arc::new(Cache::new(settings.cache, store.clone())),
            ledger: Arc::new(Ledger::new(store.clone(), Arc::clone(&time))),
            flights: Arc::default(),
            runtimes: ArcSwap::from_pointee(runtimes),
            runtime: tokio::runtime::Handle::current(),
            closing: Arc::default(),
            answers: Room::new(settings.server.working_memory, Arc::clone(&clock)),
            batches: Room::new(settings.server.working_memory, Arc::clone(&clock)),
            clock,
            time,
            store,
            metrics,
        })
    }

    /// Takes over new settings; ledger, cache and what is known of unchanged keys stay.
    ///
    /// # Errors
    /// [`TransportError`] where a provider cannot be reached as configured; the old settings go on.
    pub fn reload(&self, loaded: &Loaded) -> Result<(), TransportError> {
        let old = self.runtimes.load_full();
        let new = runtime::start_all(loaded, Some(&old), &self.store, &self.clock)?;
        self.runtimes.store(Arc::new(new));
        self.time.set_lasts(loaded.settings.server.clock_believed);
        Ok(())
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// Returns the time that spending and removing go by.
    #[must_use]
    pub fn time(&self) -> &Arc<KnownTime> {
        &self.time
    }

    /// Returns the room that large answers have while they are decoded and shown.
    #[must_use]
    pub fn answers(&self) -> &Arc<Room> {
        &self.answers
    }

    /// Returns the room that batches have for what they came to.
    #[must_use]
    pub fn batches(&self) -> &Arc<Room> {
        &self.batches
    }

    /// Returns the cache.
    #[must_use]
    pub fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    /// Returns the ledger.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the metrics.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Returns the providers at work, by name.
    #[must_use]
    pub fn runtimes(&self) -> Arc<BTreeMap<String, Arc<Runtime>>> {
        self.runtimes.load_full()
    }

    /// Answers a question.
    pub async fn ask(&self, ask: Ask) -> Told {
        let told = self.answer(&ask).await;
        self.metrics.answered(&ask.provider, told.cache.name());
        told
    }

    async fn answer(&self, ask: &Ask) -> Told {
        let runtimes = self.runtimes.load();
        let Some(runtime) = runtimes.get(&ask.provider) else {
            let message = format!("{} is not configured on this server", ask.provider);
            return Told::failed(Failure::new(
                FailureKind::Denied(Denial::NoKey),
                &ask.provider,
                message,
            ));
        };
        let (scope, state) = match self.payer(runtime, ask) {
            Ok(payer) => payer,
            Err(failure) => return Told::failed(failure),
        };
        let origin = runtime.transport.origin(
            runtime
                .provider
                .descriptor()
                .origins
                .first()
                .map_or("", |o| &o.name),
        );
        let key = AnswerKey::new(&ask.provider, origin, &ask.query, &scope);
        let (kept, place) = self.cache.get_within(&key, &self.answers, ask.deadline).await;
        if let Some(entry) = kept.as_ref().filter(|entry| self.serves(ask, entry)) {
            let told = self.told(entry, CacheState::Hit, &key, runtime, state.as_deref());
            return Told { place, ..told };
        }
        // Whoever waits for others holds no room.
        drop(place);
        if let Some(reason) = &ask.barred {
            let denied = FailureKind::Denied(Denial::Marking);
            return Told::failed(Failure::new(denied, &ask.provider, reason.as_str()));
        }
        let Some(state) = state else {
            let title = &runtime.provider.descriptor().title;
            let message = match runtime.settings.key_fault {
                Some(_) => format!("the {title} key of this server cannot be read"),
                None => format!("no {title} key is configured on this server"),
            };
            let failure = Failure::new(FailureKind::Denied(Denial::NoKey), &ask.provider, message);
            return self.stale_or(kept, key, failure);
        };
        let buy = match self.purse(ask, runtime) {
            Ok(buy) => buy,
            Err(failure) => return Told::failed(failure),
        };
        let mut errand = Errand {
            query: ask.query.clone(),
            want: ask.want,
            buy,
            held: None,
            seen: None,
            origin: origin.to_owned(),
            scope,
            key: key.clone(),
            ttl: ask.ttl,
        };
        let mut kept = kept;
        loop {
            errand.seen = kept.as_ref().map(|entry| entry.version);
            let held = |entry: &Arc<Entry>| entry.is_fresh(self.clock.now()) && !self.is_too_old(ask, entry);
            errand.held = kept.clone().filter(held);
            let flown = self.fly(ask, runtime, &state, errand.clone()).await;
            let mut told = match flown.landing {
                // Whoever took off first may have wanted less: what landed is held, and the rest is fetched.
                Some(Ok(landed)) if !flown.leads && !landed.entry.holds(ask.want) => {
                    kept = Some(landed.entry);
                    continue;
                }
                Some(Ok(landed)) => {
                    let cache = if flown.leads {
                        CacheState::Miss
                    } else {
                        CacheState::Joined
                    };
                    let told = self.told(&landed.entry, cache, &key, runtime, Some(&state));
                    Told {
                        place: landed.place,
                        ..told
                    }
                }
                Some(Err(failure)) => self.stale_or(kept, key, failure),
                None => {
                    let message =
                        "no answer before the deadline; it is kept when it comes, so ask again shortly";
                    let failure = Failure::new(FailureKind::TimedOut, &ask.provider, message);
                    self.stale_or(kept, key, failure)
                }
            };
            // What failed was called for, too.
            if flown.leads {
                told.attempts = flown.wire.attempts();
                told.provider_time = flown.wire.time();
            }
            return told;
        }
    }

    fn is_too_old(&self, ask: &Ask, entry: &Entry) -> bool {
        let bought = entry.answer.price.as_ref().is_some_and(|price| price.bought);
        // What was bought is not asked again by age alone: that would cost its price once more.
        !bought
            && ask
                .max_age
                .is_some_and(|most| most.is_zero() || entry.age(self.clock.now()) > most)
    }

    fn serves(&self, ask: &Ask, entry: &Entry) -> bool {
        entry.is_fresh(self.clock.now())
            && !self.is_too_old(ask, entry)
            && entry.holds(ask.want)
            && !(ask.buy && entry.answer.is_quote())
    }

    /// Says what may be paid: nothing unless the asker wants to buy, the token may, and a maximum is configured.
    fn purse(&self, ask: &Ask, runtime: &Runtime) -> Result<Option<i64>, Failure> {
        if !ask.buy {
            return Ok(None);
        }
        let denied =
            |kind, message: String| Err(Failure::new(FailureKind::Denied(kind), &ask.provider, message));
        if !ask.asker.may_buy {
            return denied(
                Denial::Scope,
                "this token may not buy; it needs the scope `buy`".to_owned(),
            );
        }
        match max_price(&runtime.settings) {
            Some(most) => Ok(Some(most)),
            None => denied(
                Denial::Price,
                format!(
                    "no `max_price` is configured in a budget of {}, so nothing is bought",
                    ask.provider
                ),
            ),
        }
    }

    async fn fly(
        &self,
        ask: &Ask,
        runtime: &Arc<Runtime>,
        state: &Arc<AccountState>,
        errand: Errand,
    ) -> Flown {
        let wire = Arc::<Wire>::default();
        let key: FlightKey = (errand.key.clone(), errand.buy.is_some());
        let mut seat = self
            .flights
            .join(&key, ask.deadline, ask.asker.priority, |flight| {
                let aboard = Aboard {
                    flights: Arc::clone(&self.flights),
                    key: key.clone(),
                    flight: Arc::clone(&flight),
                };
                let client = ask.asker.client.clone();
                let mut carrier = self.carrier(
                    runtime,
                    state,
                    ask.key.clone(),
                    client,
                    spend(ask),
                    Arc::new(aboard),
                );
                carrier.wire = Arc::clone(&wire);
                let (flights, cache, key) = (Arc::clone(&self.flights), Arc::clone(&self.cache), key.clone());
                let users = Arc::clone(&runtime.users);
                self.runtime.spawn(async move {
                    let aloft = Aloft {
                        flights,
                        key,
                        flight,
                        landed: false,
                    };
                    let landing = land(&carrier, &errand, &cache).await;
                    // What the vendor refuses is counted where it says so.
                    if carrier.key.is_some() && carrier.state.is_accepted() {
                        users.keep(&carrier.state);
                    }
                    aloft.land(landing);
                });
            });
        let leads = seat.leads;
        let landing = timeout_at(self.clock.as_ref(), ask.deadline, seat.landed()).await;
        Flown {
            landing: landing.flatten(),
            leads,
            wire,
        }
    }

    fn carrier(
        &self,
        runtime: &Arc<Runtime>,
        state: &Arc<AccountState>,
        key: Option<Key>,
        client: String,
        spend: Spend,
        passengers: Arc<dyn Passengers>,
    ) -> Carrier {
        Carrier {
            runtime: Arc::clone(runtime),
            state: Arc::clone(state),
            key,
            ledger: Arc::clone(&self.ledger),
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
            passengers,
            client,
            spend,
            wire: Arc::default(),
            unrepeatable: AtomicBool::new(false),
            charged: Mutex::default(),
            room: Arc::clone(&self.answers),
            place: Mutex::default(),
            closing: Arc::clone(&self.closing),
        }
    }

    fn told(
        &self,
        entry: &Arc<Entry>,
        cache: CacheState,
        key: &AnswerKey,
        runtime: &Runtime,
        state: Option<&AccountState>,
    ) -> Told {
        let answer = &entry.answer;
        let money_left = answer.price.as_ref().and(state).and_then(|state| {
            self.ledger
                .money_left(&state.account, &runtime.settings, &answer.source.product)
        });
        Told {
            outcome: Outcome::of(Arc::clone(answer)),
            cache,
            entry: Some(Arc::clone(entry)),
            key: Some(key.clone()),
            stale: None,
            attempts: 0,
            provider_time: Duration::ZERO,
            money_left,
            max_price: max_price(&runtime.settings),
            place: None,
        }
    }

    /// Serves what is kept past its time while the vendor cannot be asked; tells the failure otherwise.
    fn stale_or(&self, kept: Option<Arc<Entry>>, key: AnswerKey, failure: Failure) -> Told {
        let down = matches!(
            failure.kind,
            FailureKind::Unavailable | FailureKind::TimedOut | FailureKind::Limited | FailureKind::Malformed
        );
        match kept.filter(|entry| down && !entry.answer.is_quote() && entry.is_usable(self.clock.now())) {
            Some(entry) => Told {
                outcome: Outcome::of(Arc::clone(&entry.answer)),
                cache: CacheState::Stale,
                entry: Some(entry),
                key: Some(key),
                stale: Some(failure),
                attempts: 0,
                provider_time: Duration::ZERO,
                money_left: None,
                max_price: None,
                place: None,
            },
            None => Told::failed(failure),
        }
    }
}

/// Attributes what a question spends.
fn spend(ask: &Ask) -> Spend {
    let indicator = &ask.query.indicator;
    Spend {
        client: ask.asker.client.clone(),
        tenant: ask.asker.tenant.clone(),
        face: ask.asker.face.to_owned(),
        operation: ask.asker.operation.clone(),
        question: format!(
            "{} {} {}",
            ask.query.capability,
            indicator.kind(),
            indicator.value()
        ),
        request_id: ask.asker.request_id.clone(),
    }
}

fn max_price(settings: &ProviderSettings) -> Option<i64> {
    settings.budget.iter().filter_map(|budget| budget.max_price).min()
}
