//! The way of a question. Owns every socket, timer and budget.
//!
//! ```text
//! cache (fresh | stale | negative) -> the caller's deadline -> single flight (detached)
//!   -> batches: waiting for others to go in one look-up, where the product takes many questions at once
//!   -> for each call of the look-up: retry [ breaker -> budget -> rate -> permit -> sign
//!        -> reserve on disk -> one attempt -> judge -> settle ]
//!   -> store -> outcome
//! ```
//!
//! The files can be read in that order: this one, `flight_run`, [`flight`], [`lookup`], `batch`, `entitlements`, `steps`, [`call`],
//! [`runtime`], [`transport`], [`keyring`], [`breaker`], [`rate_limiter`], [`ledger`], [`cache`]. Each uses only files that stand
//! behind it in this list, and small ones that are not in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

mod batch;
mod batch_queue;
pub mod breaker;
pub(crate) mod bucket;
pub mod cache;
pub mod call;
mod entitlements;
pub mod flight;
mod flight_run;
pub mod keyring;
pub mod known_time;
pub mod ledger;
mod limits;
pub mod lookup;
pub mod memory_budget;
pub mod question;
pub mod rate_limiter;
pub mod reference;
pub mod runtime;
mod savings;
mod service;
pub mod session;
mod shutdown;
mod status;
mod steps;
pub mod transport;
mod units;
pub mod waiters;
pub mod windows;

use cache::{AnswerKey, Cache, Entry};
use call::{CallContext, CallExecutor, CallServices};
use flight::Flights;
use flight_run::{CompletionGuard, FlightKey, FlightOutcome, FlightResult, FlightWaiters, run_flight};
use keyring::{Credential, KeyHasher};
use known_time::KnownTime;
use ledger::{Ledger, Spend};
use lookup::LookupPlan;
use memory_budget::MemoryBudget;
pub use question::{CacheState, EngineRequest, EngineResponse, RemainingBudget, Requester, TERMINAL};
use runtime::Runtime;
pub use shutdown::ShutdownSignal;
use transport::TransportError;
use waiters::FlightContext;

use crate::clock::{SharedClock, timeout_at};
use crate::config::Loaded;
use crate::config::settings::Budget;
use crate::domain::{Denial, Failure, FailureKind, Outcome};
use crate::spend::{Columns, Saving};
use crate::storage::Storage;
use crate::telemetry::metrics::Metrics;

/// Answers questions. All frontends share one.
pub struct Engine {
    services: Arc<CallServices>,
    time: Arc<KnownTime>,
    store: Arc<dyn Storage>,
    cache: Arc<Cache>,
    flights: Arc<Flights<FlightKey, FlightResult>>,
    hasher: Arc<KeyHasher>,
    runtimes: ArcSwap<BTreeMap<String, Arc<Runtime>>>,
    runtime: tokio::runtime::Handle,
    batches: Arc<MemoryBudget>,
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
    /// flights then run.
    ///
    /// # Errors
    /// [`TransportError`] where a provider cannot be reached as configured.
    pub async fn start(
        loaded: &Loaded,
        store: Arc<dyn Storage>,
        time: Arc<KnownTime>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, TransportError> {
        let clock = Arc::clone(time.clock());
        let settings = &loaded.settings;
        let hasher = Arc::new(KeyHasher::new(store.secret()));
        let runtimes = runtime::start_all(loaded, None, &hasher, &clock)?;
        let room = || MemoryBudget::new(settings.server.working_memory, Arc::clone(&clock));
        let (answers, batches) = (room(), room());
        let services = CallServices {
            ledger: Arc::new(Ledger::new(store.clone(), Arc::clone(&time))),
            clock,
            metrics,
            room: answers,
            closing: Arc::default(),
        };
        Ok(Self {
            services: Arc::new(services),
            cache: Arc::new(Cache::open(settings.cache, store.clone()).await),
            flights: Arc::default(),
            hasher,
            runtimes: ArcSwap::from_pointee(runtimes),
            runtime: tokio::runtime::Handle::current(),
            batches,
            time,
            store,
        })
    }

    /// Says which providers cannot be reached as configured, all of them; [`Engine::start`] stops at the first.
    #[must_use]
    pub fn faults(loaded: &Loaded) -> Vec<TransportError> {
        runtime::faults(loaded)
    }

    /// Takes over new settings; ledger, cache and what is known of unchanged keys stay.
    ///
    /// # Errors
    /// [`TransportError`] where a provider cannot be reached as configured; the old settings go on.
    pub fn reload(&self, loaded: &Loaded) -> Result<(), TransportError> {
        let old = self.runtimes.load_full();
        let new = runtime::start_all(loaded, Some(&old), &self.hasher, &self.services.clock)?;
        self.runtimes.store(Arc::new(new));
        self.time.set_lasts(loaded.settings.server.clock_believed);
        Ok(())
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.services.clock
    }

    /// Returns the time that spending and removing go by.
    #[must_use]
    pub fn time(&self) -> &Arc<KnownTime> {
        &self.time
    }

    /// Returns the room that large answers have while they are decoded and shown.
    #[must_use]
    pub fn answers(&self) -> &Arc<MemoryBudget> {
        &self.services.room
    }

    /// Returns the room that batches have for what they came to.
    #[must_use]
    pub fn batches(&self) -> &Arc<MemoryBudget> {
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
        &self.services.ledger
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Storage> {
        &self.store
    }

    /// Returns the metrics.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.services.metrics
    }

    /// Returns the providers at work, by name.
    #[must_use]
    pub fn runtimes(&self) -> Arc<BTreeMap<String, Arc<Runtime>>> {
        self.runtimes.load_full()
    }

    /// Answers a question.
    pub async fn ask(&self, ask: EngineRequest) -> EngineResponse {
        let response = self.answer(&ask).await;
        self.services
            .metrics
            .answered(&ask.provider, response.cache.name());
        response
    }

    async fn answer(&self, ask: &EngineRequest) -> EngineResponse {
        let runtimes = self.runtimes.load();
        let Some(runtime) = runtimes.get(&ask.provider) else {
            let message = format!("{} is not configured on this server", ask.provider);
            return EngineResponse::failed(Failure::new(
                FailureKind::Denied(Denial::NoKey),
                &ask.provider,
                message,
            ));
        };
        let resolved = runtime.keyring.resolve(&ask.requester.tenant, ask.key.as_ref());
        let credential = resolved.as_ref().ok();
        if let Some(credential) = credential
            && let Err(failure) = credential.check_client(&ask.requester.client, self.services.clock.now())
        {
            return EngineResponse::failed(failure);
        }
        let scope = resolved
            .as_ref()
            .map_or_else(|none| &none.scope, |known| &known.scope);
        let origin = runtime.origin();
        let key = AnswerKey::new(&ask.provider, origin, &ask.query, scope);
        let room = &self.services.room;
        let (kept, place) = self.cache.get_within(&key, room, ask.deadline).await;
        if let Some(entry) = kept.as_ref().filter(|entry| self.serves(ask, entry)) {
            let response = self.response(entry, CacheState::Hit, &key, runtime, credential);
            self.note_saving(&ask.requester, &savings::saving(entry, runtime, credential));
            return EngineResponse { place, ..response };
        }
        // What waits for others holds no room.
        drop(place);
        if let Some(reason) = &ask.blocked_reason {
            let denied = FailureKind::Denied(Denial::Marking);
            return EngineResponse::failed(Failure::new(denied, &ask.provider, reason.as_str()));
        }
        let credential = match resolved {
            Ok(credential) => credential,
            Err(none) => return self.stale_or(kept, key, none.failure(&ask.provider)),
        };
        let buy = match spend_limit(ask, &credential) {
            Ok(buy) => buy,
            Err(failure) => return EngineResponse::failed(failure),
        };
        let mut plan = LookupPlan {
            query: ask.query.clone(),
            wanted: ask.wanted,
            buy,
            earlier: None,
            seen_version: None,
            origin: origin.to_owned(),
            key: key.clone(),
            ttl: ask.ttl,
        };
        let mut kept = kept;
        loop {
            plan.seen_version = kept.as_ref().map(|entry| entry.version);
            let held = |entry: &Arc<Entry>| {
                entry.is_fresh(self.services.clock.now()) && !self.is_too_old(ask, entry)
            };
            plan.earlier = kept.clone().filter(held);
            let call = CallContext {
                runtime: Arc::clone(runtime),
                credential: credential.clone(),
                spend: spend(ask),
            };
            let outcome = self.join_flight(ask, call, plan.clone()).await;
            let mut response = match outcome.result {
                // The caller that started the flight may have wanted less: what came is held, and the rest is fetched.
                Some(Ok(answer)) if !outcome.leads && !answer.entry.holds(ask.wanted) => {
                    kept = Some(answer.entry);
                    continue;
                }
                Some(Ok(answer)) => {
                    let cache = if outcome.leads {
                        CacheState::Miss
                    } else {
                        CacheState::Joined
                    };
                    let response = self.response(&answer.entry, cache, &key, runtime, Some(&credential));
                    EngineResponse {
                        place: answer.memory,
                        ..response
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
            if outcome.leads {
                response.attempts = outcome.attempts.count();
                response.provider_time = outcome.attempts.time();
            }
            return response;
        }
    }

    fn is_too_old(&self, ask: &EngineRequest, entry: &Entry) -> bool {
        let bought = entry.answer.price.as_ref().is_some_and(|price| price.bought);
        // What was bought is not asked again by age alone: that would cost its price once more.
        !bought
            && ask
                .max_age
                .is_some_and(|max| max.is_zero() || entry.age(self.services.clock.now()) > max)
    }

    fn serves(&self, ask: &EngineRequest, entry: &Entry) -> bool {
        entry.is_fresh(self.services.clock.now())
            && !self.is_too_old(ask, entry)
            && entry.holds(ask.wanted)
            && !(ask.buy && entry.answer.is_quote())
    }

    /// Joins the flight of a question, or starts it.
    async fn join_flight(&self, ask: &EngineRequest, call: CallContext, plan: LookupPlan) -> FlightOutcome {
        let attempts = Arc::default();
        let key: FlightKey = (plan.key.clone(), plan.buy.is_some());
        let mut handle = self
            .flights
            .join(&key, ask.deadline, ask.requester.priority, |flight| {
                let waiters = Arc::new(FlightWaiters {
                    flights: Arc::clone(&self.flights),
                    key: key.clone(),
                    flight: Arc::clone(&flight),
                });
                let attempts = Arc::clone(&attempts);
                let executor = self.executor(call, FlightContext { waiters, attempts });
                let (flights, cache, key) = (Arc::clone(&self.flights), Arc::clone(&self.cache), key.clone());
                self.runtime.spawn(async move {
                    let guard = CompletionGuard {
                        flights,
                        key,
                        flight,
                        is_finished: false,
                    };
                    let result = run_flight(&executor, &plan, &cache).await;
                    // What the vendor refuses is counted where it says so.
                    executor.call.credential.keep();
                    guard.finish(result);
                });
            });
        let leads = handle.leads;
        let result = timeout_at(self.clock().as_ref(), ask.deadline, handle.finished()).await;
        FlightOutcome {
            result: result.flatten(),
            leads,
            attempts,
        }
    }

    fn executor(&self, call: CallContext, flight: FlightContext) -> CallExecutor {
        CallExecutor::new(Arc::clone(&self.services), call, flight)
    }

    fn response(
        &self,
        entry: &Arc<Entry>,
        cache: CacheState,
        key: &AnswerKey,
        runtime: &Runtime,
        credential: Option<&Credential>,
    ) -> EngineResponse {
        let answer = &entry.answer;
        let settings = &runtime.settings;
        let money_left = answer.price.as_ref().and(credential).and_then(|credential| {
            self.ledger()
                .money_left(credential.budgets(), &settings.resets, &answer.source.product)
        });
        EngineResponse {
            outcome: Outcome::of(Arc::clone(answer)),
            cache,
            entry: Some(Arc::clone(entry)),
            key: Some(key.clone()),
            stale: None,
            attempts: 0,
            provider_time: Duration::ZERO,
            money_left,
            max_price: match credential {
                Some(credential) => max_price(credential.budgets().map(|(_, budget)| budget)),
                None => max_price(settings.budget.iter()),
            },
            place: None,
        }
    }

    /// Says what a reply saves a tenant that is sent again, by the answers that it was made from.
    pub async fn savings(&self, tenant: &str, answers: &[(AnswerKey, u64)]) -> Arc<[Saving]> {
        let runtimes = self.runtimes();
        let mut savings = Vec::with_capacity(answers.len());
        for (key, _) in answers {
            let Some(entry) = self.cache.in_memory(key).await else {
                continue;
            };
            let Some(runtime) = runtimes.get(&entry.answer.source.provider) else {
                continue;
            };
            let mut saved = savings::saving(&entry, runtime, runtime.keyring.configured_for(tenant));
            if let Some(user) = key
                .scope()
                .as_deref()
                .and_then(|scope| scope.strip_prefix("user/"))
            {
                saved.account = format!("user:{user}");
            }
            savings.push(saved);
        }
        savings.into()
    }

    /// Notes what an answer from the cache saved.
    pub fn note_saving(&self, requester: &Requester, saving: &Saving) {
        let columns = Columns {
            avoided: saving.amounts,
            ..Columns::default()
        };
        self.ledger().note(requester.saved(saving), columns);
    }

    /// Serves what is kept past its time while the vendor cannot be asked; tells the failure otherwise.
    fn stale_or(&self, kept: Option<Arc<Entry>>, key: AnswerKey, failure: Failure) -> EngineResponse {
        let down = matches!(
            failure.kind,
            FailureKind::Unavailable | FailureKind::TimedOut | FailureKind::Limited | FailureKind::Malformed
        );
        match kept
            .filter(|entry| down && !entry.answer.is_quote() && entry.is_usable(self.services.clock.now()))
        {
            Some(entry) => EngineResponse {
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
            None => EngineResponse::failed(failure),
        }
    }
}

/// Attributes what a question spends.
fn spend(ask: &EngineRequest) -> Spend {
    let indicator = &ask.query.indicator;
    ask.requester.spend(format!(
        "{} {} {}",
        ask.query.capability,
        indicator.kind(),
        indicator.value()
    ))
}

/// Says what may be paid: nothing unless the caller wants to buy, the token may, and a maximum is configured.
fn spend_limit(ask: &EngineRequest, credential: &Credential) -> Result<Option<i64>, Failure> {
    if !ask.buy {
        return Ok(None);
    }
    let denied = |kind, message: String| Err(Failure::new(FailureKind::Denied(kind), &ask.provider, message));
    if !ask.requester.may_buy {
        return denied(
            Denial::Scope,
            "this token may not buy; it needs the scope `buy`".to_owned(),
        );
    }
    match max_price(credential.budgets().map(|(_, budget)| budget)) {
        Some(max) => Ok(Some(max)),
        None => denied(
            Denial::Price,
            format!(
                "no `max_price` is configured in a budget of {}, so nothing is bought",
                ask.provider
            ),
        ),
    }
}

fn max_price<'a>(budgets: impl Iterator<Item = &'a Budget>) -> Option<i64> {
    budgets.filter_map(|budget| budget.max_price).min()
}
