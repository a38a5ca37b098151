//! Makes one attempt of a call, and says what its reply means and what it cost.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::{CallContext, CallExecutor, CallServices};
use crate::clock::timeout_at;
use crate::domain::{Denial, Failure, FailureKind};
use crate::engine::breaker::{HalfOpenProbe, Signal};
use crate::engine::keyring::KeyOwner;
use crate::engine::ledger::{ChargeRequest, Refusal, Reservation};
use crate::engine::session::Session;
use crate::engine::transport::{AttemptError, Signing, Transport};
use crate::providers::{Call, Charge, Classification, Cost, Name, Replied, Reply, ReplyClass, Unit};

/// Waited after a limit of the vendor's that does not say how long it lasts.
const UNSAID_LIMIT: Duration = Duration::from_secs(60);

/// The longest that a limit of the vendor's is taken for; what lasts longer is asked about again.
const LONGEST_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// The longest that a call takes without which the look-up has its answer.
const OPTIONAL_TIMEOUT: Duration = Duration::from_secs(8);

/// Says what an attempt came to.
pub(super) enum AttemptResult {
    Done(Replied),
    Again {
        failure: Failure,
        not_before: Option<Timestamp>,
    },
}

impl CallExecutor {
    /// Makes one attempt.
    ///
    /// # Errors
    /// What the callers are told where no attempt is made.
    pub(super) async fn attempt(&self, call: &Call) -> Result<AttemptResult, Failure> {
        self.pass_breaker(call).await?;
        let session = self.session_for(call).await?;
        let CallContext {
            runtime,
            credential,
            spend,
        } = &self.call;
        let CallServices { ledger, clock, .. } = self.services.as_ref();
        let _probe = HalfOpenProbe {
            breaker: &credential.account.breaker,
            circuit: call.into(),
        };
        let charge = self.charge(call);
        ledger
            .check(&charge)
            .map_err(|refusal| self.refused(call, &charge, refusal))?;
        self.wait_for_rate(call).await?;
        let _permit = match runtime.permits.try_acquire() {
            Ok(permit) => Some(permit),
            // Those that hold all connections may wait for the room that this look-up has.
            Err(_) if self.place().is_some() => None,
            Err(_) => Some(self.wait_for_connection(call).await?),
        };
        // The time of waiting may have brought a limit, a refusal, or the end of all waiting.
        credential
            .account
            .breaker
            .check_again(&call.into(), clock.now())?;
        self.still_wanted(call)?;
        credential.check_client(&spend.client, clock.now())?;
        let reserved = ledger.reserve(&charge, spend).await;
        let reservation = reserved.map_err(|refusal| self.refused(call, &charge, refusal))?;
        if !call.repeatable {
            self.unrepeatable.store(true, Ordering::Relaxed);
        }
        // From here on nothing cancels the call: its bytes may have left.
        self.flight.attempts.begin();
        let started = clock.elapsed();
        let reference = runtime.reference.load();
        let signing = Signing {
            key: &credential.key,
            session: session.as_ref().map(|session| &session.token),
            reference: &reference,
            now: clock.now(),
        };
        let provider = runtime.provider.as_ref();
        let one = runtime.transport.attempt(provider, call, &signing);
        let reply = timeout_at(clock.as_ref(), started + self.timeout(call), one).await;
        let took = clock.elapsed().saturating_sub(started);
        credential.account.took(took);
        self.flight.attempts.took(took);
        let (class, attempted) = match reply {
            Some(Ok(reply)) => {
                self.make_room(reply.body.len()).await;
                let Classification { class, charge } = provider.classify(call, &reply);
                // It is shown and logged, and some vendors repeat the key that they refuse.
                let class = class.saying(|text| Transport::without_key(text, &signing));
                let classification = Classification { class, charge };
                let classification = self.sessioned(classification, session.as_ref()).await;
                credential.learn(&spend.client, &classification.class, reply.status, clock.now());
                self.classified(call, reply, classification, reservation)
            }
            Some(Err(error)) => self.broken(call, error, reservation),
            None => self.timed_out(call, reservation),
        };
        self.services
            .metrics
            .attempt(&runtime.settings.name, &call.product, class, took);
        Ok(attempted)
    }

    /// Returns how long one attempt may take.
    fn timeout(&self, call: &Call) -> Duration {
        let max = self.call.runtime.settings.timeout;
        if call.optional {
            max.min(OPTIONAL_TIMEOUT)
        } else {
            max
        }
    }

    fn charge<'a>(&'a self, call: &'a Call) -> ChargeRequest<'a> {
        let settings = &self.call.runtime.settings;
        let credential = &self.call.credential;
        ChargeRequest {
            account: &credential.account.account,
            accounts: credential.accounts(&call.product),
            resets: &settings.resets,
            reserve: settings.reserve,
            product: &call.product,
            cost: call.max_cost,
            currency: self.currency(call),
            priority: self.flight.waiters.priority(),
        }
    }

    fn refused(&self, call: &Call, charge: &ChargeRequest<'_>, refusal: Refusal) -> Failure {
        match refusal {
            Refusal::Exhausted {
                budget,
                used,
                opens,
                reserve,
            } => {
                self.services.ledger.note_refused(charge, &self.call.spend);
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
    fn settle(&self, call: &Call, reservation: Reservation, cost: Cost, class: &'static str) {
        self.services.ledger.settle(reservation, cost, class);
        self.add_charge(cost, &self.currency(call));
    }

    fn currency(&self, call: &Call) -> Name {
        match self.call.runtime.unit(&call.product) {
            Some(Unit::Money(currency)) => currency.clone(),
            _ => Name::default(),
        }
    }

    /// Takes what a reply says of the session: a token that worked before is bought anew, once; one that was refused
    /// at once speaks of the key.
    async fn sessioned(
        &self,
        classification: Classification,
        session: Option<&Arc<Session>>,
    ) -> Classification {
        match (&classification.class, session) {
            (ReplyClass::Good | ReplyClass::NotFound, Some(session)) => session.prove(),
            (ReplyClass::SessionEnded(message), session) => {
                let worked = session.is_some_and(|session| session.is_proven());
                if let Some(session) = session {
                    self.call.credential.account.session.forget(session).await;
                }
                if !worked {
                    let class = ReplyClass::KeyRefused(message.clone());
                    return Classification {
                        class,
                        ..classification
                    };
                }
            }
            _ => {}
        }
        classification
    }

    fn classified(
        &self,
        call: &Call,
        reply: Reply,
        classification: Classification,
        reservation: Reservation,
    ) -> (&'static str, AttemptResult) {
        let Classification { class, charge } = classification;
        let cost = match charge {
            Charge::Free => Cost::default(),
            Charge::Known(cost) => cost,
            Charge::Most => call.max_cost,
        };
        let name = class_name(&class);
        self.settle(call, reservation, cost, name);
        let now = self.services.clock.now();
        let tell = |signal| {
            self.call
                .credential
                .account
                .breaker
                .tell(&call.into(), signal, now)
        };
        let failed = |kind, message: String| self.failure(kind, call, message);
        let attempted = match class {
            ReplyClass::Good => {
                tell(Signal::Fine);
                AttemptResult::Done(Replied::Good(reply))
            }
            ReplyClass::NotFound => {
                tell(Signal::Fine);
                AttemptResult::Done(Replied::NotFound(reply))
            }
            ReplyClass::Limited { after, message } => {
                let wait = after.map_or(UNSAID_LIMIT, Duration::from_secs).min(LONGEST_LIMIT);
                let until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
                tell(Signal::Limited(until, message.clone()));
                let failure = failed(FailureKind::Limited, message).until(Some(until));
                self.again(call, failure, Some(until))
            }
            ReplyClass::KeyRefused(message) => {
                if tell(Signal::KeyRefused(message.clone())) {
                    self.log_refused_key(&message);
                }
                let denial = self.call.credential.denial();
                AttemptResult::Done(Replied::Failed(failed(FailureKind::Denied(denial), message)))
            }
            ReplyClass::SessionEnded(message) => {
                tell(Signal::Fine);
                let failure = failed(FailureKind::Unavailable, message);
                self.again(call, failure, None)
            }
            ReplyClass::NotEntitled(message) => {
                tell(Signal::NotEntitled(message.clone()));
                let kind = FailureKind::Denied(Denial::NotEntitled);
                AttemptResult::Done(Replied::Failed(failed(kind, message)))
            }
            ReplyClass::Retry(message) => {
                tell(Signal::Failed);
                let failure = failed(FailureKind::Unavailable, message);
                self.again(call, failure, None)
            }
            ReplyClass::Refused(message) => {
                tell(Signal::Fine);
                AttemptResult::Done(Replied::Failed(failed(FailureKind::Refused, message)))
            }
            ReplyClass::Malformed(message) => {
                tell(Signal::Failed);
                AttemptResult::Done(Replied::Failed(failed(FailureKind::Malformed, message)))
            }
        };
        (name, attempted)
    }

    /// Logs that the vendor refuses a configured key; users are told of their own.
    fn log_refused_key(&self, reason: &str) {
        let credential = &self.call.credential;
        let (provider, key) = (&self.call.runtime.settings.name, credential.fingerprint());
        match credential.owner() {
            KeyOwner::Server => {
                tracing::warn!(%provider, key, %reason, "the vendor refuses this server's key");
            }
            KeyOwner::Tenant => {
                let tenant = &credential.account.account.tenant;
                tracing::warn!(%provider, %tenant, key, %reason, "the vendor refuses a tenant's key");
            }
            KeyOwner::User => {}
        }
    }

    /// Asks for another attempt, unless bytes of a call that may not be repeated have left.
    fn again(&self, call: &Call, failure: Failure, not_before: Option<Timestamp>) -> AttemptResult {
        if call.repeatable {
            AttemptResult::Again { failure, not_before }
        } else {
            AttemptResult::Done(Replied::Failed(failure))
        }
    }

    fn broken(
        &self,
        call: &Call,
        error: AttemptError,
        reservation: Reservation,
    ) -> (&'static str, AttemptResult) {
        let now = self.services.clock.now();
        if let AttemptError::Unsigned(error) = error {
            self.settle(call, reservation, Cost::default(), "unsigned");
            let denial = self.call.credential.denial();
            let failure = self.failure(FailureKind::Denied(denial), call, error.to_string());
            return ("unsigned", AttemptResult::Done(Replied::Failed(failure)));
        }
        self.call
            .credential
            .account
            .breaker
            .tell(&call.into(), Signal::Failed, now);
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
            FailureKind::Unavailable if nothing_sent => AttemptResult::Again {
                failure,
                not_before: None,
            },
            FailureKind::Unavailable => self.again(call, failure, None),
            _ => AttemptResult::Done(Replied::Failed(failure)),
        };
        (name, attempted)
    }

    fn timed_out(&self, call: &Call, reservation: Reservation) -> (&'static str, AttemptResult) {
        self.call
            .credential
            .account
            .breaker
            .tell(&call.into(), Signal::Failed, self.services.clock.now());
        self.settle(call, reservation, call.max_cost, "timed_out");
        let message = format!("no answer within {} s", self.timeout(call).as_secs_f64());
        let failure = self.failure(FailureKind::TimedOut, call, message);
        ("timed_out", self.again(call, failure, None))
    }
}

fn class_name(class: &ReplyClass) -> &'static str {
    match class {
        ReplyClass::Good => "good",
        ReplyClass::NotFound => "not_found",
        ReplyClass::Limited { .. } => "limited",
        ReplyClass::KeyRefused(_) => "key_refused",
        ReplyClass::SessionEnded(_) => "session_ended",
        ReplyClass::NotEntitled(_) => "not_entitled",
        ReplyClass::Retry(_) => "error",
        ReplyClass::Refused(_) => "refused",
        ReplyClass::Malformed(_) => "malformed",
    }
}
