//! Stops asking a vendor that refuses or fails: per provider, key, product and, where a provider's files name many
//! servers, server.
//!
//! A refused key stays shut until the key changes; "not in your subscription" shuts that product
//! only; a limit holds until its time; errors and timeouts are counted and tried again after a pause.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Denial, Failure, FailureKind};
use crate::providers::{Call, ProductId};

/// So many failures in a row open the breaker.
const TRIPS: u32 = 5;
/// The first pause; it doubles with each failed trial.
const PAUSE: Duration = Duration::from_secs(15);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);
/// A product that is not in the subscription is asked again after this.
const NOT_ENTITLED: Duration = Duration::from_secs(24 * 3600);

/// Nothing here lasts longer: what is further ahead was told at a time that never was.
const FURTHEST: SignedDuration = SignedDuration::from_hours(25);

/// Tells whether a time is still to come; one that no pause reaches is of a clock that was wrong.
fn is_ahead(until: Timestamp, now: Timestamp) -> bool {
    let left = until.duration_since(now);
    left.is_positive() && left <= FURTHEST
}

/// Tells a breaker what became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// The vendor answered sensibly, "not found" included.
    Fine,
    /// An error, a timeout, an answer that is none.
    Failed,
    /// A limit; the time says until when.
    Limited(Timestamp, String),
    /// The key is refused.
    KeyRefused(String),
    /// The product is not in the subscription.
    NotEntitled(String),
}

#[derive(Debug, Clone, Default)]
struct Circuits {
    failures: u32,
    open_until: Option<Timestamp>,
    trial: bool,
    held: Option<(Timestamp, String)>,
    not_entitled: Option<(Timestamp, String)>,
}

/// Names what opens and shuts together: a product, at one of its servers where it has many.
///
/// One registry that fails says nothing of the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Circuit {
    product: ProductId,
    server: String,
}

impl Circuit {
    /// Names the circuit of a product at its declared origin.
    #[must_use]
    pub fn of(product: impl Into<ProductId>) -> Self {
        Self {
            product: product.into(),
            server: String::new(),
        }
    }
}

impl From<&Call> for Circuit {
    fn from(call: &Call) -> Self {
        Self {
            product: call.product.clone(),
            server: call.server.clone().unwrap_or_default(),
        }
    }
}

#[derive(Debug, Default)]
struct States {
    refused: Option<String>,
    circuits: HashMap<Circuit, Circuits>,
}

/// Guards one key at one provider.
#[derive(Debug)]
pub struct Breaker {
    provider: String,
    denial: Denial,
    states: Mutex<States>,
}

impl Breaker {
    /// Makes a closed breaker; `denial` says whose key it guards.
    #[must_use]
    pub fn new(provider: &str, denial: Denial) -> Self {
        Self {
            provider: provider.to_owned(),
            denial,
            states: Mutex::default(),
        }
    }

    /// Lets a call pass, or says why not. After a pause one call passes as a trial.
    ///
    /// # Errors
    /// The failure that the asker is told.
    pub fn check(&self, circuit: &Circuit, now: Timestamp) -> Result<(), Failure> {
        let Ok(mut states) = self.states.lock() else {
            return Ok(());
        };
        if let Some(message) = &states.refused {
            return Err(Failure::new(
                FailureKind::Denied(self.denial),
                &self.provider,
                message.clone(),
            ));
        }
        let Some(state) = states.circuits.get_mut(circuit) else {
            return Ok(());
        };
        if let Some((until, message)) = &state.not_entitled
            && is_ahead(*until, now)
        {
            let kind = FailureKind::Denied(Denial::NotEntitled);
            return Err(Failure::new(kind, &self.provider, message.clone()).of(&circuit.product));
        }
        if let Some((until, message)) = &state.held
            && is_ahead(*until, now)
        {
            let failure = Failure::new(FailureKind::Limited, &self.provider, message.clone());
            return Err(failure.of(&circuit.product).until(Some(*until)));
        }
        match state.open_until {
            Some(until) if is_ahead(until, now) || state.trial => {
                let message = format!("{} failures in a row; asked again after a pause", state.failures);
                let failure = Failure::new(FailureKind::Unavailable, &self.provider, message);
                Err(failure.of(&circuit.product).until(Some(until)))
            }
            Some(_) => {
                state.trial = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Says whether waiting has changed what [`Breaker::check`] let pass; takes no trial and refuses none.
    ///
    /// # Errors
    /// The failure that the asker is told.
    pub fn check_again(&self, circuit: &Circuit, now: Timestamp) -> Result<(), Failure> {
        let trial = {
            let Ok(mut states) = self.states.lock() else {
                return Ok(());
            };
            states
                .circuits
                .get_mut(circuit)
                .is_some_and(|state| std::mem::take(&mut state.trial))
        };
        let checked = self.check(circuit, now);
        if trial && checked.is_ok() {
            self.try_half_open(circuit);
        }
        checked
    }

    fn try_half_open(&self, circuit: &Circuit) {
        if let Ok(mut states) = self.states.lock()
            && let Some(state) = states.circuits.get_mut(circuit)
        {
            state.trial = true;
        }
    }

    /// Gives back a trial that was not used.
    pub fn release(&self, circuit: &Circuit) {
        if let Ok(mut states) = self.states.lock()
            && let Some(state) = states.circuits.get_mut(circuit)
        {
            state.trial = false;
        }
    }

    /// Tells what became of an attempt. Returns whether the key was refused, and not before.
    pub fn tell(&self, circuit: &Circuit, signal: Signal, now: Timestamp) -> bool {
        let Ok(mut states) = self.states.lock() else {
            return false;
        };
        if let Signal::KeyRefused(message) = signal {
            return states.refused.replace(message).is_none();
        }
        let state = states.circuits.entry(circuit.clone()).or_default();
        state.trial = false;
        match signal {
            // A limit that was told meanwhile stands until its time.
            Signal::Fine => {
                *state = Circuits {
                    held: state.held.take(),
                    ..Circuits::default()
                }
            }
            Signal::Failed => {
                state.failures = state.failures.saturating_add(1);
                if state.failures >= TRIPS {
                    let doublings = (state.failures - TRIPS).min(8);
                    let pause = PAUSE.saturating_mul(1 << doublings).min(LONGEST);
                    state.open_until = now.checked_add(pause).ok();
                }
            }
            Signal::Limited(until, message) => state.held = Some((until, message)),
            Signal::NotEntitled(message) => {
                state.not_entitled = now.checked_add(NOT_ENTITLED).ok().map(|until| (until, message));
            }
            Signal::KeyRefused(_) => {}
        }
        false
    }

    /// Returns what the vendor said when it refused the key; `None` while it does not.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        self.states.lock().ok()?.refused.clone()
    }

    /// Tells whether the product is known not to be in the subscription.
    #[must_use]
    pub fn is_not_entitled(&self, product: &ProductId, now: Timestamp) -> bool {
        self.states.lock().is_ok_and(|states| {
            states
                .circuits
                .get(&Circuit::of(product))
                .and_then(|state| state.not_entitled.as_ref())
                .is_some_and(|(until, _)| is_ahead(*until, now))
        })
    }

    /// Opens everything again, after the key was seen to work.
    pub fn reset(&self) {
        if let Ok(mut states) = self.states.lock() {
            *states = States::default();
        }
    }

    /// Returns the state for people and metrics, by product; the key's own stands under `*`. Of several servers of a
    /// product the worst is told.
    #[must_use]
    pub fn states(&self, now: Timestamp) -> Vec<(String, &'static str)> {
        let Ok(states) = self.states.lock() else {
            return Vec::new();
        };
        let mut worst: BTreeMap<&ProductId, CircuitState> = BTreeMap::new();
        for (circuit, state) in &states.circuits {
            let standing = worst.entry(&circuit.product).or_insert(CircuitState::Closed);
            *standing = (*standing).max(state.standing(now));
        }
        let refused = states.refused.is_some().then(|| ("*".to_owned(), "key_refused"));
        let told = worst
            .iter()
            .map(|(product, standing)| (product.to_string(), standing.name()));
        refused.into_iter().chain(told).collect()
    }
}

/// Is the one call that passes an open breaker after its pause. The place is given back, whatever becomes of the attempt
/// that took it.
pub(super) struct HalfOpenProbe<'a> {
    pub(super) breaker: &'a Breaker,
    pub(super) circuit: Circuit,
}

impl Drop for HalfOpenProbe<'_> {
    fn drop(&mut self) {
        self.breaker.release(&self.circuit);
    }
}

/// Says how a circuit stands, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CircuitState {
    Closed,
    HalfOpen,
    Open,
    Limited,
    NotEntitled,
}

impl CircuitState {
    fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
            Self::Limited => "limited",
            Self::NotEntitled => "not_entitled",
        }
    }
}

impl Circuits {
    fn standing(&self, now: Timestamp) -> CircuitState {
        let lasts = |held: &Option<(Timestamp, String)>| {
            held.as_ref().is_some_and(|(until, _)| is_ahead(*until, now))
        };
        if lasts(&self.not_entitled) {
            CircuitState::NotEntitled
        } else if lasts(&self.held) {
            CircuitState::Limited
        } else if self.open_until.is_some_and(|until| is_ahead(until, now)) {
            CircuitState::Open
        } else if self.open_until.is_some() {
            CircuitState::HalfOpen
        } else {
            CircuitState::Closed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn kind(result: Result<(), Failure>) -> Option<FailureKind> {
        result.err().map(|failure| failure.kind)
    }

    #[test]
    fn opens_after_failures_in_a_row_and_lets_one_trial_pass() {
        let breaker = Breaker::new("acme", Denial::ServerKey);
        for _ in 0..TRIPS {
            assert_eq!(breaker.check(&Circuit::of("whois"), at(0)), Ok(()));
            breaker.tell(&Circuit::of("whois"), Signal::Failed, at(0));
        }
        assert_eq!(
            kind(breaker.check(&Circuit::of("whois"), at(14))),
            Some(FailureKind::Unavailable)
        );
        assert_eq!(
            breaker.check(&Circuit::of("risk"), at(14)),
            Ok(()),
            "another product is not concerned"
        );
        assert_eq!(breaker.check(&Circuit::of("whois"), at(15)), Ok(()), "one trial");
        assert_eq!(
            breaker.check_again(&Circuit::of("whois"), at(15)),
            Ok(()),
            "which may look again after its wait"
        );
        assert_eq!(
            kind(breaker.check(&Circuit::of("whois"), at(15))),
            Some(FailureKind::Unavailable),
            "and only one"
        );
        breaker.tell(&Circuit::of("whois"), Signal::Failed, at(15));
        assert_eq!(
            kind(breaker.check(&Circuit::of("whois"), at(44))),
            Some(FailureKind::Unavailable),
            "the pause doubled"
        );
        assert_eq!(breaker.check(&Circuit::of("whois"), at(45)), Ok(()));
        breaker.tell(&Circuit::of("whois"), Signal::Fine, at(45));
        assert_eq!(breaker.check(&Circuit::of("whois"), at(45)), Ok(()));
        assert_eq!(
            breaker.check(&Circuit::of("whois"), at(45)),
            Ok(()),
            "closed again for everybody"
        );
    }

    #[test]
    fn a_refused_key_stays_shut_for_every_product() {
        let breaker = Breaker::new("acme", Denial::UserKey);
        breaker.tell(&Circuit::of("whois"), Signal::KeyRefused("refused".into()), at(0));
        assert_eq!(
            kind(breaker.check(&Circuit::of("risk"), at(1_000_000))),
            Some(FailureKind::Denied(Denial::UserKey))
        );
        breaker.reset();
        assert_eq!(breaker.check(&Circuit::of("risk"), at(1)), Ok(()));
    }

    #[test]
    fn a_missing_product_and_a_limit_concern_that_product_only() {
        let breaker = Breaker::new("acme", Denial::ServerKey);
        breaker.tell(&Circuit::of("iris"), Signal::NotEntitled("no iris".into()), at(0));
        breaker.tell(
            &Circuit::of("whois"),
            Signal::Limited(at(60), "busy".into()),
            at(0),
        );
        assert!(breaker.is_not_entitled(&"iris".into(), at(1)));
        assert_eq!(
            kind(breaker.check(&Circuit::of("iris"), at(1))),
            Some(FailureKind::Denied(Denial::NotEntitled))
        );
        assert_eq!(
            breaker
                .check(&Circuit::of("whois"), at(59))
                .map_err(|failure| failure.until),
            Err(Some(at(60)))
        );
        assert_eq!(breaker.check(&Circuit::of("whois"), at(60)), Ok(()));
        assert_eq!(breaker.check(&Circuit::of("risk"), at(1)), Ok(()));
    }

    #[test]
    fn one_server_of_a_product_shuts_no_other() {
        let breaker = Breaker::new("acme", Denial::ServerKey);
        let at_server = |server: &str| Circuit::from(&Call::get("api", "domain", "/").at(server));
        let (down, up) = (at_server("https://down.example"), at_server("https://up.example"));
        for _ in 0..TRIPS {
            breaker.tell(&down, Signal::Failed, at(0));
        }
        assert_eq!(kind(breaker.check(&down, at(1))), Some(FailureKind::Unavailable));
        assert_eq!(breaker.check(&up, at(1)), Ok(()));
        breaker.tell(&up, Signal::Fine, at(1));
        assert_eq!(
            breaker.states(at(1)),
            [("domain".to_owned(), "open")],
            "the worst is told"
        );
    }

    #[test]
    fn what_was_told_by_a_wrong_clock_does_not_outlast_it() {
        let right = Timestamp::from_second(1_700_000_000).unwrap();
        let wrong = right.checked_add(SignedDuration::from_hours(500 * 24)).unwrap();
        let hour = |from: Timestamp| from.checked_add(SignedDuration::from_hours(1)).unwrap();
        for signal in [
            Signal::Limited(hour(wrong), "slow".to_owned()),
            Signal::NotEntitled("no".to_owned()),
        ] {
            let breaker = Breaker::new("acme", Denial::ServerKey);
            let circuit = Circuit::of("p");
            breaker.tell(&circuit, signal, wrong);
            assert!(breaker.check(&circuit, wrong).is_err());
            assert_eq!(breaker.check(&circuit, right), Ok(()));
        }
    }
}
