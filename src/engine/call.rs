//! Makes one call: retry [ breaker, budget, rate, permit, sign, reserve on disk, one attempt, judge, settle ].
//!
//! Everything that costs sits inside retry: each attempt on the wire is counted, because the vendor counts it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backon::BackoffBuilder;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::account::AccountState;
use super::breaker::{Signal, Trial};
use super::landing::Wire;
use super::ledger::{Charged, Ledger, Priority, Refusal, Reservation, Spend, cost_text};
use super::room::{Place, Room};
use super::runtime::{Key, Runtime};
use super::session::Session;
use super::transport::{AttemptError, Signing};
use super::waiting::Closing;
use crate::clock::{SharedClock, timeout_at};
use crate::domain::{Denial, Failure, FailureKind};
use crate::providers::{Call, Charge, Cost, Judgement, Name, Replied, Reply, Unit, Verdict};
use crate::telemetry::metrics::Metrics;

/// Waited after a limit of the vendor's that does not say how long it lasts.
const UNSAID_LIMIT: Duration = Duration::from_secs(60);

/// The longest that a limit of the vendor's is taken for; what lasts longer is asked about again.
const LONGEST_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// The longest that a call takes without which the look-up has its answer.
const OPTIONAL_TIMEOUT: Duration = Duration::from_secs(8);

/// Says what the callers of a flight want, as it changes while the flight waits.
pub trait Passengers: Send + Sync {
    /// Returns the latest deadline.
    fn deadline(&self) -> Duration;
    /// Resolves when nobody waits; somebody may join again.
    fn left(&self) -> BoxFuture<'_, ()>;
    /// Tells whether nobody waits at the moment.
    fn abandoned(&self) -> bool;
    /// Tells whether nobody waits any more; a flight that is told so lands without spending.
    fn gone(&self) -> bool;
    /// Returns the highest priority.
    fn priority(&self) -> Priority;
    /// Resolves when the priority is the highest there is.
    fn hurried(&self) -> BoxFuture<'_, ()>;
}

/// Carries a look-up's calls.
pub struct Carrier {
    /// The provider.
    pub runtime: Arc<Runtime>,
    /// The account that pays.
    pub state: Arc<AccountState>,
    /// The user's own key, where it is not the server's.
    pub key: Option<Key>,
    /// The ledger.
    pub ledger: Arc<Ledger>,
    /// The clock.
    pub clock: SharedClock,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Who waits.
    pub passengers: Arc<dyn Passengers>,
    /// Who asked first, for fairness.
    pub client: String,
    /// Who asked what, for the audit.
    pub spend: Spend,
    /// Counts attempts on the wire, and sums their time.
    pub wire: Arc<Wire>,
    /// Whether a call that may not be repeated was made: no other product is tried after it.
    pub unrepeatable: AtomicBool,
    /// Sums what was charged: calls, records, hundredths.
    pub charged: Mutex<(Cost, Name)>,
    /// Room for large answers.
    pub room: Arc<Room>,
    /// The room that this look-up has.
    pub place: Mutex<Option<Arc<Place>>>,
    /// Tells when the server stops.
    pub closing: Arc<Closing>,
}

/// Says what an attempt came to.
enum Attempted {
    Done(Replied),
    Again {
        failure: Failure,
        not_before: Option<Timestamp>,
    },
}

impl Carrier {
    pub(super) fn failure(&self, kind: FailureKind, call: &Call, message: impl Into<String>) -> Failure {
        Failure::new(kind, &self.runtime.settings.name, message).of(&call.product)
    }

    /// Makes a call, with as many attempts as are configured and make sense before the deadline.
    pub async fn call(&self, call: &Call) -> Replied {
        // What is not needed is not worth a second attempt.
        let attempts = if call.optional {
            1
        } else {
            self.runtime.settings.attempts
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
                Ok(Attempted::Done(replied)) => return replied,
                Ok(Attempted::Again { failure, not_before }) => (failure, not_before),
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
            let wanted = not_before.map(|time| time.duration_since(self.clock.now()));
            let pause = wanted
                .and_then(|wait| Duration::try_from(wait).ok())
                .map_or(pause, |wait| wait.max(pause));
            let at = self.clock.elapsed() + pause;
            if at >= self.passengers.deadline() || self.passengers.gone() {
                return Replied::Failed(failure);
            }
            tracing::debug!(provider = %self.runtime.settings.name, product = %call.product, ?pause, "asking again");
            if self.while_wanted(call, self.clock.sleep_until(at)).await.is_err() {
                return Replied::Failed(failure);
            }
        }
    }

    /// Returns the session that a call goes in, where the vendor wants one; buys it if need be.
    async fn session_for(&self, call: &Call) -> Result<Option<Arc<Session>>, Failure> {
        let provider = self.runtime.provider.as_ref();
        let Some(buying) = provider.session().filter(|buying| buying.product != call.product) else {
            return Ok(None);
        };
        let malformed = |message: String| self.failure(FailureKind::Malformed, &buying, message);
        let buy = async {
            // Boxed: buying a session is a call like any other, and would hold itself.
            match Box::pin(self.call(&buying)).await {
                Replied::Good(reply) => provider
                    .admitted(&reply)
                    .map_err(|error| malformed(error.to_string())),
                Replied::NotFound(_) => Err(malformed("the vendor has no sessions there".to_owned())),
                Replied::Failed(failure) => Err(failure),
            }
        };
        self.state.session.get_or(self.clock.now(), buy).await.map(Some)
    }

    async fn attempt(&self, call: &Call) -> Result<Attempted, Failure> {
        self.pass_breaker(call).await?;
        let session = self.session_for(call).await?;
        let _trial = Trial {
            breaker: &self.state.breaker,
            circuit: call.into(),
        };
        let charged = self.charged(call);
        self.ledger
            .check(&charged)
            .map_err(|refusal| self.refused(call, refusal))?;
        self.wait_for_rate(call).await?;
        let _permit = match self.runtime.permits.try_acquire() {
            Ok(permit) => Some(permit),
            // Those that hold all connections may wait for the room that this look-up has.
            Err(_) if self.place().is_some() => None,
            Err(_) => Some(self.wait_for_connection(call).await?),
        };
        // The time of waiting may have brought a limit, a refusal, or an empty house.
        self.state.breaker.check_again(&call.into(), self.clock.now())?;
        self.still_wanted(call)?;
        self.key_is_tried()?;
        let reserved = self.ledger.reserve(&charged, &self.spend).await;
        let reservation = reserved.map_err(|refusal| self.refused(call, refusal))?;
        if !call.repeatable {
            self.unrepeatable.store(true, Ordering::Relaxed);
        }
        // From here on nothing cancels the call: its bytes may have left.
        self.wire.begin();
        let started = self.clock.elapsed();
        let reference = self.runtime.reference.load();
        let signing = Signing {
            key: self.key.as_ref(),
            session: session.as_ref().map(|session| &session.token),
            reference: &reference,
            now: self.clock.now(),
        };
        let one = self
            .runtime
            .transport
            .attempt(self.runtime.provider.as_ref(), call, &signing);
        let timeout = self.timeout(call);
        let reply = timeout_at(self.clock.as_ref(), started + timeout, one).await;
        let took = self.clock.elapsed().saturating_sub(started);
        self.state.took(took);
        self.wire.took(took);
        let (verdict, attempted) = match reply {
            Some(Ok(reply)) => {
                self.make_room(reply.body.len()).await;
                let Judgement { verdict, charge } = self.runtime.provider.judge(call, &reply);
                // It is shown and logged, and some vendors repeat the key that they refuse.
                let verdict = verdict.saying(|text| self.runtime.transport.without_key(text, &signing));
                let judgement = Judgement { verdict, charge };
                let judgement = self.sessioned(judgement, session.as_ref()).await;
                self.judge_key(&judgement.verdict, reply.status);
                self.judged(call, reply, judgement, reservation)
            }
            Some(Err(error)) => self.broken(call, error, reservation),
            None => self.timed_out(call, reservation),
        };
        self.metrics
            .attempt(&self.runtime.settings.name, &call.product, verdict, took);
        Ok(attempted)
    }

    /// Returns how long one attempt may take.
    fn timeout(&self, call: &Call) -> Duration {
        let most = self.runtime.settings.timeout;
        if call.optional {
            most.min(OPTIONAL_TIMEOUT)
        } else {
            most
        }
    }

    fn charged<'a>(&'a self, call: &'a Call) -> Charged<'a> {
        Charged {
            account: &self.state.account,
            settings: &self.runtime.settings,
            product: &call.product,
            cost: call.max_cost,
            priority: self.passengers.priority(),
            vendor: self.state.entitlement(&call.product).usage,
        }
    }

    fn refused(&self, call: &Call, refusal: Refusal) -> Failure {
        match refusal {
            Refusal::Exhausted {
                budget,
                used,
                opens,
                reserve,
            } => {
                let kept = if reserve {
                    "; the rest is kept for people at work"
                } else {
                    ""
                };
                let message = format!("the budget of {budget} is used up ({used} used){kept}");
                self.failure(FailureKind::Limited, call, message)
                    .until(opens)
                    .by_own_limit()
            }
            Refusal::Store(reason) => {
                // The store says once why it takes nothing.
                tracing::debug!(reason, "the ledger could not be written; nothing was spent");
                self.failure(
                    FailureKind::Unavailable,
                    call,
                    "the ledger could not be written, so nothing was spent",
                )
            }
        }
    }

    /// Settles a reservation and sums its cost.
    fn settle(&self, call: &Call, reservation: Reservation, cost: Cost, verdict: &'static str) {
        self.ledger.settle(reservation, cost, verdict);
        self.add_charge(cost, &self.currency(call));
    }

    /// Sums what was charged; the currency counts where money was.
    pub(super) fn add_charge(&self, cost: Cost, currency: &Name) {
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

    fn currency(&self, call: &Call) -> Name {
        let offers = &self.runtime.provider.descriptor().offers;
        let product = offers
            .iter()
            .flat_map(|offer| &offer.products)
            .find(|product| product.id == call.product);
        match product.map(|product| &product.unit) {
            Some(Unit::Money(currency)) => currency.clone(),
            _ => Name::default(),
        }
    }

    /// Takes what a reply says of the session: a token that worked before is bought anew, once; one that was refused
    /// at once speaks of the key.
    async fn sessioned(&self, judgement: Judgement, session: Option<&Arc<Session>>) -> Judgement {
        match (&judgement.verdict, session) {
            (Verdict::Good | Verdict::NotFound, Some(session)) => session.prove(),
            (Verdict::SessionEnded(message), session) => {
                let worked = session.is_some_and(|session| session.is_proven());
                if let Some(session) = session {
                    self.state.session.forget(session).await;
                }
                if !worked {
                    let verdict = Verdict::KeyRefused(message.clone());
                    return Judgement { verdict, ..judgement };
                }
            }
            _ => {}
        }
        judgement
    }

    fn judged(
        &self,
        call: &Call,
        reply: Reply,
        judgement: Judgement,
        reservation: Reservation,
    ) -> (&'static str, Attempted) {
        let Judgement { verdict, charge } = judgement;
        let cost = match charge {
            Charge::Free => Cost::default(),
            Charge::Known(cost) => cost,
            Charge::Most => call.max_cost,
        };
        let name = verdict_name(&verdict);
        self.settle(call, reservation, cost, name);
        let now = self.clock.now();
        let tell = |signal| self.state.breaker.tell(&call.into(), signal, now);
        let failed = |kind, message: String| self.failure(kind, call, message);
        let attempted = match verdict {
            Verdict::Good => {
                tell(Signal::Fine);
                Attempted::Done(Replied::Good(reply))
            }
            Verdict::NotFound => {
                tell(Signal::Fine);
                Attempted::Done(Replied::NotFound(reply))
            }
            Verdict::Limited { after, message } => {
                let wait = after.map_or(UNSAID_LIMIT, Duration::from_secs).min(LONGEST_LIMIT);
                let until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
                tell(Signal::Limited(until, message.clone()));
                let failure = failed(FailureKind::Limited, message).until(Some(until));
                self.again(call, failure, Some(until))
            }
            Verdict::KeyRefused(message) => {
                if tell(Signal::KeyRefused(message.clone())) && self.key.is_none() {
                    let (provider, key) = (&self.runtime.settings.name, self.runtime.fingerprint());
                    tracing::warn!(%provider, key, reason = %message, "the vendor refuses this server's key");
                }
                let denial = if self.key.is_some() {
                    Denial::UserKey
                } else {
                    Denial::ServerKey
                };
                Attempted::Done(Replied::Failed(failed(FailureKind::Denied(denial), message)))
            }
            Verdict::SessionEnded(message) => {
                tell(Signal::Fine);
                let failure = failed(FailureKind::Unavailable, message);
                self.again(call, failure, None)
            }
            Verdict::NotEntitled(message) => {
                tell(Signal::NotEntitled(message.clone()));
                let kind = FailureKind::Denied(Denial::NotEntitled);
                Attempted::Done(Replied::Failed(failed(kind, message)))
            }
            Verdict::Retry(message) => {
                tell(Signal::Failed);
                let failure = failed(FailureKind::Unavailable, message);
                self.again(call, failure, None)
            }
            Verdict::Refused(message) => {
                tell(Signal::Fine);
                Attempted::Done(Replied::Failed(failed(FailureKind::Refused, message)))
            }
            Verdict::Malformed(message) => {
                tell(Signal::Failed);
                Attempted::Done(Replied::Failed(failed(FailureKind::Malformed, message)))
            }
        };
        (name, attempted)
    }

    /// Asks for another attempt, unless bytes of a call that may not be repeated have left.
    fn again(&self, call: &Call, failure: Failure, not_before: Option<Timestamp>) -> Attempted {
        if call.repeatable {
            Attempted::Again { failure, not_before }
        } else {
            Attempted::Done(Replied::Failed(failure))
        }
    }

    fn broken(
        &self,
        call: &Call,
        error: AttemptError,
        reservation: Reservation,
    ) -> (&'static str, Attempted) {
        let now = self.clock.now();
        if let AttemptError::Unsigned(error) = error {
            self.settle(call, reservation, Cost::default(), "unsigned");
            let denial = if self.key.is_some() {
                Denial::UserKey
            } else {
                Denial::ServerKey
            };
            let failure = self.failure(FailureKind::Denied(denial), call, error.to_string());
            return ("unsigned", Attempted::Done(Replied::Failed(failure)));
        }
        self.state.breaker.tell(&call.into(), Signal::Failed, now);
        let (name, cost, kind, message) = match error {
            AttemptError::NotSent(reason) => (
                "unreachable",
                Cost::default(),
                FailureKind::Unavailable,
                format!("cannot be reached: {reason}"),
            ),
            AttemptError::Broken(reason) => (
                "broken",
                call.max_cost,
                FailureKind::Unavailable,
                format!("the answer broke off: {reason}"),
            ),
            AttemptError::TooLarge(cap) => {
                let message = format!("the answer is larger than the {cap} bytes that are read");
                ("too_large", call.max_cost, FailureKind::Malformed, message)
            }
            AttemptError::Undecodable(reason) => {
                let message = format!("the answer cannot be decoded: {reason}");
                ("undecodable", call.max_cost, FailureKind::Malformed, message)
            }
            AttemptError::Unsigned(_) => ("unsigned", Cost::default(), FailureKind::Refused, String::new()),
        };
        self.settle(call, reservation, cost, name);
        let failure = self.failure(kind, call, message);
        let nothing_sent = name == "unreachable";
        let attempted = match kind {
            FailureKind::Unavailable if nothing_sent => Attempted::Again {
                failure,
                not_before: None,
            },
            FailureKind::Unavailable => self.again(call, failure, None),
            _ => Attempted::Done(Replied::Failed(failure)),
        };
        (name, attempted)
    }

    fn timed_out(&self, call: &Call, reservation: Reservation) -> (&'static str, Attempted) {
        self.state
            .breaker
            .tell(&call.into(), Signal::Failed, self.clock.now());
        self.settle(call, reservation, call.max_cost, "timed_out");
        let message = format!("no answer within {} s", self.timeout(call).as_secs_f64());
        let failure = self.failure(FailureKind::TimedOut, call, message);
        ("timed_out", self.again(call, failure, None))
    }
}

fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::NotFound => "not_found",
        Verdict::Limited { .. } => "limited",
        Verdict::KeyRefused(_) => "key_refused",
        Verdict::SessionEnded(_) => "session_ended",
        Verdict::NotEntitled(_) => "not_entitled",
        Verdict::Retry(_) => "error",
        Verdict::Refused(_) => "refused",
        Verdict::Malformed(_) => "malformed",
    }
}
