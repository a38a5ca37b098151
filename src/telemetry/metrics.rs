//! Counts what happens, for Prometheus. Labels are names from the configuration, never indicators or secrets.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::network::NetworkMetrics;
use crate::storage::StoreHealth;

/// Labels requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// `maltego`, `enrich`, `cli` …
    pub face: &'static str,
    /// `found`, `not_found`, `limited` …
    pub outcome: &'static str,
}

/// Labels attempts at a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AttemptLabels {
    /// The provider.
    pub provider: String,
    /// The product.
    pub product: String,
    /// What the reply meant.
    pub verdict: &'static str,
}

/// Labels answers by where they came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CacheLabels {
    /// The provider.
    pub provider: String,
    /// `hit`, `miss`, `stale`, `joined`.
    pub state: &'static str,
}

/// Labels the latency of a frontend.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FrontendLabels {
    /// The frontend.
    pub face: &'static str,
}

/// Labels a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ProviderLabels {
    /// The provider.
    pub provider: String,
}

/// Labels a budget.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BudgetLabels {
    /// The provider.
    pub provider: String,
    /// The budget as the administrator wrote it.
    pub budget: String,
}

/// Labels a breaker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BreakerLabels {
    /// The provider.
    pub provider: String,
    /// The product, `*` for the key itself.
    pub product: String,
    /// The state.
    pub state: &'static str,
}

/// Labels the runs of protocol v3.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RunLabels {
    /// How a run stands: `RUNNING`, `COMPLETED` and so on.
    pub state: &'static str,
}

/// Labels room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RoomLabels {
    /// `answers` or `batches`.
    pub of: &'static str,
}

fn latency() -> Histogram {
    Histogram::new([
        0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
    ])
}

/// Holds every metric and the registry that writes them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<FrontendLabels, Histogram, fn() -> Histogram>,
    attempts: Family<AttemptLabels, Counter>,
    attempt_seconds: Family<ProviderLabels, Histogram, fn() -> Histogram>,
    cache: Family<CacheLabels, Counter>,
    in_flight: Gauge,
    waiting: Family<ProviderLabels, Gauge>,
    budget_used: Family<BudgetLabels, Gauge>,
    budget_limit: Family<BudgetLabels, Gauge>,
    breaker: Family<BreakerLabels, Gauge>,
    log_lines_lost: Counter,
    network: NetworkMetrics,
    store_free: Gauge,
    store_writable: Gauge,
    store_failed: Counter,
    store_reopened: Counter,
    store_written_anew: Counter,
    replies: Gauge,
    replies_given_up: Counter,
    decisions: Gauge,
    decisions_given_up: Counter,
    feedback: Gauge,
    clock_doubted: Gauge,
    room_taken: Family<RoomLabels, Gauge>,
    room_waiting: Family<RoomLabels, Gauge>,
    runs: Family<RunLabels, Gauge>,
    run_bytes: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("pivotd");
        let metrics = Self {
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(latency),
            attempts: Family::default(),
            attempt_seconds: Family::new_with_constructor(latency),
            cache: Family::default(),
            in_flight: Gauge::default(),
            waiting: Family::default(),
            budget_used: Family::default(),
            budget_limit: Family::default(),
            breaker: Family::default(),
            log_lines_lost: Counter::default(),
            network: NetworkMetrics::default(),
            store_free: Gauge::default(),
            store_writable: Gauge::default(),
            store_failed: Counter::default(),
            store_reopened: Counter::default(),
            store_written_anew: Counter::default(),
            replies: Gauge::default(),
            replies_given_up: Counter::default(),
            decisions: Gauge::default(),
            decisions_given_up: Counter::default(),
            feedback: Gauge::default(),
            clock_doubted: Gauge::default(),
            room_taken: Family::default(),
            room_waiting: Family::default(),
            runs: Family::default(),
            run_bytes: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register(
            "requests",
            "Requests by face and outcome",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "Time to answer a request",
            Unit::Seconds,
            metrics.request_seconds.clone(),
        );
        registry.register(
            "provider_attempts",
            "HTTP attempts at a vendor, every one",
            metrics.attempts.clone(),
        );
        registry.register_with_unit(
            "provider_attempt_duration",
            "Time of one HTTP attempt",
            Unit::Seconds,
            metrics.attempt_seconds.clone(),
        );
        registry.register(
            "cache_answers",
            "Answers by where they came from",
            metrics.cache.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests being answered",
            metrics.in_flight.clone(),
        );
        registry.register(
            "provider_waiting",
            "Calls that wait for the rate",
            metrics.waiting.clone(),
        );
        registry.register(
            "budget_used",
            "Used of a budget in its window",
            metrics.budget_used.clone(),
        );
        registry.register("budget_limit", "Limit of a budget", metrics.budget_limit.clone());
        registry.register(
            "breaker_state",
            "1 for the state a breaker is in",
            metrics.breaker.clone(),
        );
        registry.register(
            "log_lines_lost",
            "Log lines lost because the writer lagged",
            metrics.log_lines_lost.clone(),
        );
        metrics.network.register(&mut registry);
        metrics.register_store(&mut registry);
        registry.register(
            "clock_doubted",
            "1 while the clock jumped and is not believed",
            metrics.clock_doubted.clone(),
        );
        registry.register_with_unit(
            "working_memory",
            "Room that large answers and batches take, by estimate",
            Unit::Bytes,
            metrics.room_taken.clone(),
        );
        registry.register(
            "working_memory_waiting",
            "Answers and batches that wait for room",
            metrics.room_waiting.clone(),
        );
        registry.register(
            "runs",
            "Runs of Maltego's protocol v3 that are held, by state",
            metrics.runs.clone(),
        );
        registry.register_with_unit(
            "runs",
            "Events of Maltego's protocol v3 that are held",
            Unit::Bytes,
            metrics.run_bytes.clone(),
        );
        Self { registry, ..metrics }
    }
}

/// Counts a request as being answered while it lives.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    fn register_store(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "store_free",
            "Free room of the disk that the store lies on",
            Unit::Bytes,
            self.store_free.clone(),
        );
        registry.register(
            "store_writable",
            "1 where the store can be written, else 0",
            self.store_writable.clone(),
        );
        registry.register(
            "store_failed_writes",
            "Writes to the store that failed or were refused",
            self.store_failed.clone(),
        );
        registry.register(
            "store_reopened",
            "How often the store was opened again after a failure",
            self.store_reopened.clone(),
        );
        registry.register(
            "store_written_anew",
            "How often the store's file was written anew, since it had been removed",
            self.store_written_anew.clone(),
        );
        registry.register_with_unit(
            "replies_kept",
            "Replies that are kept to be sent again",
            Unit::Bytes,
            self.replies.clone(),
        );
        registry.register(
            "replies_given_up",
            "Replies that were given up before their time, for want of room",
            self.replies_given_up.clone(),
        );
        registry.register_with_unit(
            "decisions_kept",
            "Decisions that are kept",
            Unit::Bytes,
            self.decisions.clone(),
        );
        registry.register(
            "decisions_given_up",
            "Decisions that were given up before their time, for want of room",
            self.decisions_given_up.clone(),
        );
        registry.register_with_unit(
            "feedback_kept",
            "What people said of decisions and still holds",
            Unit::Bytes,
            self.feedback.clone(),
        );
    }

    /// Sets how the store stands.
    pub fn set_store(&self, standing: StoreHealth) {
        if let Some(free) = standing.free {
            self.store_free.set(i64::try_from(free).unwrap_or(i64::MAX));
        }
        self.store_writable.set(i64::from(standing.is_well));
        self.store_failed
            .inner()
            .store(standing.failed, Ordering::Relaxed);
        self.store_reopened
            .inner()
            .store(standing.reopened, Ordering::Relaxed);
        self.store_written_anew
            .inner()
            .store(standing.written_anew, Ordering::Relaxed);
    }

    /// Sets how many bytes of replies are kept, and how many replies were given up.
    pub fn set_replies(&self, bytes: u64, given_up: u64) {
        self.replies.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.replies_given_up.inner().store(given_up, Ordering::Relaxed);
    }

    /// Sets how many bytes of decisions are kept, and how many decisions were given up.
    pub fn set_decisions(&self, bytes: u64, given_up: u64) {
        self.decisions.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        self.decisions_given_up.inner().store(given_up, Ordering::Relaxed);
    }

    /// Sets how many bytes of feedback are held.
    pub fn set_feedback(&self, bytes: u64) {
        self.feedback.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Counts a request and its time.
    pub fn request(&self, face: &'static str, outcome: &'static str, took: Duration) {
        self.requests
            .get_or_create(&RequestLabels { face, outcome })
            .inc();
        self.request_seconds
            .get_or_create(&FrontendLabels { face })
            .observe(took.as_secs_f64());
    }

    /// Counts an HTTP attempt at a vendor.
    pub fn attempt(&self, provider: &str, product: &str, verdict: &'static str, took: Duration) {
        let labels = AttemptLabels {
            provider: provider.to_owned(),
            product: product.to_owned(),
            verdict,
        };
        self.attempts.get_or_create(&labels).inc();
        self.attempt_seconds
            .get_or_create(&ProviderLabels {
                provider: provider.to_owned(),
            })
            .observe(took.as_secs_f64());
    }

    /// Counts an answer by where it came from.
    pub fn answered(&self, provider: &str, state: &'static str) {
        self.cache
            .get_or_create(&CacheLabels {
                provider: provider.to_owned(),
                state,
            })
            .inc();
    }

    /// Counts a request as being answered until the guard is dropped, also where its client went away.
    #[must_use]
    pub fn in_flight(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Returns the counter of lost log lines.
    #[must_use]
    pub fn log_lines_lost(&self) -> &Counter {
        &self.log_lines_lost
    }

    /// Returns the metrics of the network.
    #[must_use]
    pub fn network(&self) -> &NetworkMetrics {
        &self.network
    }

    /// Sets how many calls wait for each provider's rate; providers that are gone vanish.
    pub fn set_waiting(&self, waiting: impl IntoIterator<Item = (String, usize)>) {
        self.waiting.clear();
        for (provider, waiting) in waiting {
            self.waiting
                .get_or_create(&ProviderLabels { provider })
                .set(i64::try_from(waiting).unwrap_or(i64::MAX));
        }
    }

    /// Sets use and limit of all budgets; budgets that are gone vanish.
    pub fn set_budgets(&self, budgets: impl IntoIterator<Item = (BudgetLabels, i64, i64)>) {
        self.budget_used.clear();
        self.budget_limit.clear();
        for (labels, used, limit) in budgets {
            self.budget_used.get_or_create(&labels).set(used);
            self.budget_limit.get_or_create(&labels).set(limit);
        }
    }

    /// Sets how much room is taken, in bytes, and how many wait for some.
    pub fn set_room(&self, of: &'static str, taken: i64, waiting: i64) {
        self.room_taken.get_or_create(&RoomLabels { of }).set(taken);
        self.room_waiting.get_or_create(&RoomLabels { of }).set(waiting);
    }

    /// Sets how many runs of protocol v3 are held in each state, and the bytes of their events.
    pub fn set_runs(&self, states: impl IntoIterator<Item = (&'static str, usize)>, bytes: usize) {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        for (state, runs) in states {
            self.runs.get_or_create(&RunLabels { state }).set(count(runs));
        }
        self.run_bytes.set(count(bytes));
    }

    /// Sets whether the clock is not believed.
    pub fn set_clock_doubted(&self, doubted: bool) {
        self.clock_doubted.set(i64::from(doubted));
    }

    /// Sets the states of all breakers; states that are gone vanish.
    pub fn set_breakers(&self, states: impl IntoIterator<Item = (String, String, &'static str)>) {
        self.breaker.clear();
        for (provider, product, state) in states {
            self.breaker
                .get_or_create(&BreakerLabels {
                    provider,
                    product,
                    state,
                })
                .set(1);
        }
    }

    /// Writes everything in the `OpenMetrics` text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        if prometheus_client::encoding::text::encode(&mut text, &self.registry).is_err() {
            // Writing to a string cannot fail; a line says so if it ever does.
            let _ = writeln!(text, "# the metrics could not be written");
        }
        text
    }
}
