//! Makes one call: retry [ breaker, budget, rate, permit, sign, reserve on disk, one attempt, judge, settle ].
//!
//! Everything that costs sits inside retry: each attempt on the wire is counted, because the vendor counts it. This file
//! holds the retry loop, `attempt` what is inside, `waiting` what an attempt waits for.

mod attempt;
mod waiting;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use attempt::AttemptResult;
use backon::BackoffBuilder;

use super::keyring::Credential;
use super::ledger::{Ledger, Spend, cost_text};
use super::memory_budget::{MemoryBudget, MemoryPermit};
use super::runtime::Runtime;
use super::session::Session;
use super::shutdown::ShutdownSignal;
use super::waiters::FlightContext;
use crate::clock::SharedClock;
use crate::domain::{Failure, FailureKind};
use crate::providers::{Call, Cost, Name, Replied};
use crate::telemetry::metrics::Metrics;

/// Holds what all calls of the server share.
pub struct CallServices {
    /// The ledger.
    pub ledger: Arc<Ledger>,
    /// The clock.
    pub clock: SharedClock,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Room for large answers.
    pub room: Arc<MemoryBudget>,
    /// Tells when the server stops.
    pub closing: Arc<ShutdownSignal>,
}

/// Holds what belongs to the calls of one look-up: the provider, the key with its account and scope, and who is charged.
///
/// Deadline and priority are those of the callers and change while the flight waits: [`FlightContext`] has them.
#[derive(Clone)]
pub struct CallContext {
    /// The provider.
    pub runtime: Arc<Runtime>,
    /// The key, the account that pays, the scope.
    pub credential: Credential,
    /// Who asked what: for the audit, and by its client for fairness.
    pub spend: Spend,
}

/// Makes a look-up's calls.
pub struct CallExecutor {
    /// What all calls share.
    pub(super) services: Arc<CallServices>,
    /// What belongs to the calls.
    pub(super) call: CallContext,
    /// What belongs to the callers.
    pub(super) flight: FlightContext,
    /// Whether a call that may not be repeated was made: no other product is tried after it.
    unrepeatable: AtomicBool,
    /// Sums what was charged: calls, records, hundredths.
    charged: Mutex<(Cost, Name)>,
    /// The room that this look-up has.
    place: Mutex<Option<Arc<MemoryPermit>>>,
}

impl CallExecutor {
    /// Makes the executor of a look-up that has made no call.
    #[must_use]
    pub fn new(services: Arc<CallServices>, call: CallContext, flight: FlightContext) -> Self {
        Self {
            services,
            call,
            flight,
            unrepeatable: AtomicBool::new(false),
            charged: Mutex::default(),
            place: Mutex::default(),
        }
    }

    /// Makes the executor of a part of this one's work, charged to another question.
    pub(super) fn part(&self, spend: Spend, flight: FlightContext) -> Self {
        let call = CallContext {
            spend,
            ..self.call.clone()
        };
        Self::new(Arc::clone(&self.services), call, flight)
    }

    /// Adds what a part was charged, and whether it may be repeated.
    pub(super) fn adopt_state(&self, part: &Self) {
        let is_unrepeatable = part.is_unrepeatable();
        self.unrepeatable.fetch_or(is_unrepeatable, Ordering::Relaxed);
        if let Ok(charged) = part.charged.lock() {
            let (cost, currency) = charged.clone();
            drop(charged);
            self.add_charge(cost, &currency);
        }
    }

    /// Tells whether a call that may not be repeated was made.
    pub(super) fn is_unrepeatable(&self) -> bool {
        self.unrepeatable.load(Ordering::Relaxed)
    }

    pub(super) fn failure(&self, kind: FailureKind, call: &Call, message: impl Into<String>) -> Failure {
        Failure::new(kind, &self.call.runtime.settings.name, message).of(&call.product)
    }

    /// Makes a call, with as many attempts as are configured and make sense before the deadline.
    pub async fn make(&self, call: &Call) -> Replied {
        // What is not needed is not worth a second attempt.
        let attempts = if call.optional {
            1
        } else {
            self.call.runtime.settings.attempts
        };
        let mut pauses = backon::ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500))
            .with_max_delay(Duration::from_secs(10))
            .with_max_times(attempts.saturating_sub(1))
            .with_jitter()
            .build();
        let mut cause: Option<String> = None;
        loop {
            let (failure, not_before) = match self.attempt(call).await {
                Ok(AttemptResult::Done(replied)) => return replied,
                Ok(AttemptResult::Again { failure, not_before }) => (failure, not_before),
                Err(mut failure) => {
                    // What ended the attempts says less than what failed in them.
                    if let Some(cause) = cause.filter(|_| failure.kind == FailureKind::Unavailable) {
                        failure.message = format!("{cause}; {}", failure.message);
                    }
                    return Replied::Failed(failure);
                }
            };
            cause = Some(failure.message.clone());
            let Some(pause) = pauses.next() else {
                return Replied::Failed(failure);
            };
            let wanted = not_before.map(|time| time.duration_since(self.services.clock.now()));
            let pause = wanted
                .and_then(|wait| Duration::try_from(wait).ok())
                .map_or(pause, |wait| wait.max(pause));
            let at = self.services.clock.elapsed() + pause;
            if at >= self.flight.waiters.deadline() || self.flight.waiters.gives_up() {
                return Replied::Failed(failure);
            }
            tracing::debug!(provider = %self.call.runtime.settings.name, product = %call.product, ?pause, "asking again");
            if self
                .while_wanted(call, self.services.clock.sleep_until(at))
                .await
                .is_err()
            {
                return Replied::Failed(failure);
            }
        }
    }

    /// Returns the session that a call goes in, where the vendor wants one; buys it if need be.
    async fn session_for(&self, call: &Call) -> Result<Option<Arc<Session>>, Failure> {
        let provider = self.call.runtime.provider.as_ref();
        let Some(buying) = provider.session().filter(|buying| buying.product != call.product) else {
            return Ok(None);
        };
        let malformed = |message: String| self.failure(FailureKind::Malformed, &buying, message);
        let buy = async {
            // Boxed: buying a session is a call like any other, and would hold itself.
            match Box::pin(self.make(&buying)).await {
                Replied::Good(reply) => provider
                    .admitted(&reply)
                    .map_err(|error| malformed(error.to_string())),
                Replied::NotFound(_) => Err(malformed("the vendor has no sessions there".to_owned())),
                Replied::Failed(failure) => Err(failure),
            }
        };
        self.call
            .credential
            .account
            .session
            .get_or(self.services.clock.now(), buy)
            .await
            .map(Some)
    }

    /// Sums what was charged; the currency counts where money was.
    fn add_charge(&self, cost: Cost, currency: &Name) {
        if let Ok(mut charged) = self.charged.lock() {
            charged.0.calls += cost.calls;
            charged.0.records += cost.records;
            charged.0.cents += cost.cents;
            if cost.cents > 0 {
                charged.1 = currency.clone();
            }
        }
    }

    /// Says in plain words what the ledger was charged so far; empty where nothing was.
    pub fn charged_text(&self) -> String {
        match self.charged.lock().map(|charged| charged.clone()) {
            Ok((cost, currency)) if cost != Cost::default() => cost_text(cost, &currency),
            _ => String::new(),
        }
    }
}
