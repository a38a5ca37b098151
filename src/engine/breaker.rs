//! Stops asking a vendor that refuses or fails: per provider, key and product.
//!
//! A refused key stays shut until the key changes; "not in your subscription" shuts that product
//! only; a limit holds until its time; errors and timeouts are counted and tried again after a pause.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::{Denial, Failure, FailureKind};

/// So many failures in a row open the breaker.
const TRIPS: u32 = 5;
/// The first pause; it doubles with each failed trial.
const PAUSE: Duration = Duration::from_secs(15);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);
/// A product that is not in the subscription is asked again after this.
const NOT_ENTITLED: Duration = Duration::from_secs(24 * 3600);

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
struct State {
    failures: u32,
    open_until: Option<Timestamp>,
    trial: bool,
    held: Option<(Timestamp, String)>,
    not_entitled: Option<(Timestamp, String)>,
}

#[derive(Debug, Default)]
struct States {
    refused: Option<String>,
    products: HashMap<String, State>,
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
    pub fn check(&self, product: &str, now: Timestamp) -> Result<(), Failure> {
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
        let Some(state) = states.products.get_mut(product) else {
            return Ok(());
        };
        if let Some((until, message)) = &state.not_entitled
            && *until > now
        {
            let kind = FailureKind::Denied(Denial::NotEntitled);
            return Err(Failure::new(kind, &self.provider, message.clone()).of(product));
        }
        if let Some((until, message)) = &state.held
            && *until > now
        {
            let failure = Failure::new(FailureKind::Limited, &self.provider, message.clone());
            return Err(failure.of(product).until(Some(*until)));
        }
        match state.open_until {
            Some(until) if until > now || state.trial => {
                let message = format!("{} failures in a row; asked again after a pause", state.failures);
                let failure = Failure::new(FailureKind::Unavailable, &self.provider, message);
                Err(failure.of(product).until(Some(until)))
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
    pub fn check_again(&self, product: &str, now: Timestamp) -> Result<(), Failure> {
        let trial = {
            let Ok(mut states) = self.states.lock() else {
                return Ok(());
            };
            states
                .products
                .get_mut(product)
                .is_some_and(|state| std::mem::take(&mut state.trial))
        };
        let checked = self.check(product, now);
        if trial && checked.is_ok() {
            self.take_trial(product);
        }
        checked
    }

    fn take_trial(&self, product: &str) {
        if let Ok(mut states) = self.states.lock()
            && let Some(state) = states.products.get_mut(product)
        {
            state.trial = true;
        }
    }

    /// Gives back a trial that was not used.
    pub fn release(&self, product: &str) {
        if let Ok(mut states) = self.states.lock()
            && let Some(state) = states.products.get_mut(product)
        {
            state.trial = false;
        }
    }

    /// Tells what became of an attempt.
    pub fn tell(&self, product: &str, signal: Signal, now: Timestamp) {
        let Ok(mut states) = self.states.lock() else {
            return;
        };
        if let Signal::KeyRefused(message) = signal {
            states.refused = Some(message);
            return;
        }
        let state = states.products.entry(product.to_owned()).or_default();
        state.trial = false;
        match signal {
            // A limit that was told meanwhile stands until its time.
            Signal::Fine => {
                *state = State {
                    held: state.held.take(),
                    ..State::default()
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
    }

    /// Tells whether the product is known not to be in the subscription.
    #[must_use]
    pub fn is_not_entitled(&self, product: &str, now: Timestamp) -> bool {
        self.states.lock().is_ok_and(|states| {
            states
                .products
                .get(product)
                .and_then(|state| state.not_entitled.as_ref())
                .is_some_and(|(until, _)| *until > now)
        })
    }

    /// Opens everything again, after the key was seen to work.
    pub fn reset(&self) {
        if let Ok(mut states) = self.states.lock() {
            *states = States::default();
        }
    }

    /// Returns the state for people and metrics, by product; the key's own stands under `*`.
    #[must_use]
    pub fn states(&self, now: Timestamp) -> Vec<(String, &'static str)> {
        let Ok(states) = self.states.lock() else {
            return Vec::new();
        };
        let mut all: Vec<_> = states
            .products
            .iter()
            .map(|(product, state)| {
                let name = if state.not_entitled.as_ref().is_some_and(|(until, _)| *until > now) {
                    "not_entitled"
                } else if state.held.as_ref().is_some_and(|(until, _)| *until > now) {
                    "limited"
                } else if state.open_until.is_some_and(|until| until > now) {
                    "open"
                } else if state.open_until.is_some() {
                    "half_open"
                } else {
                    "closed"
                };
                (product.clone(), name)
            })
            .collect();
        if states.refused.is_some() {
            all.push(("*".to_owned(), "key_refused"));
        }
        all.sort();
        all
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
            assert_eq!(breaker.check("whois", at(0)), Ok(()));
            breaker.tell("whois", Signal::Failed, at(0));
        }
        assert_eq!(
            kind(breaker.check("whois", at(14))),
            Some(FailureKind::Unavailable)
        );
        assert_eq!(
            breaker.check("risk", at(14)),
            Ok(()),
            "another product is not concerned"
        );
        assert_eq!(breaker.check("whois", at(15)), Ok(()), "one trial");
        assert_eq!(
            breaker.check_again("whois", at(15)),
            Ok(()),
            "which may look again after its wait"
        );
        assert_eq!(
            kind(breaker.check("whois", at(15))),
            Some(FailureKind::Unavailable),
            "and only one"
        );
        breaker.tell("whois", Signal::Failed, at(15));
        assert_eq!(
            kind(breaker.check("whois", at(44))),
            Some(FailureKind::Unavailable),
            "the pause doubled"
        );
        assert_eq!(breaker.check("whois", at(45)), Ok(()));
        breaker.tell("whois", Signal::Fine, at(45));
        assert_eq!(breaker.check("whois", at(45)), Ok(()));
        assert_eq!(
            breaker.check("whois", at(45)),
            Ok(()),
            "closed again for everybody"
        );
    }

    #[test]
    fn a_refused_key_stays_shut_for_every_product() {
        let breaker = Breaker::new("acme", Denial::UserKey);
        breaker.tell("whois", Signal::KeyRefused("refused".into()), at(0));
        assert_eq!(
            kind(breaker.check("risk", at(1_000_000))),
            Some(FailureKind::Denied(Denial::UserKey))
        );
        breaker.reset();
        assert_eq!(breaker.check("risk", at(1)), Ok(()));
    }

    #[test]
    fn a_missing_product_and_a_limit_concern_that_product_only() {
        let breaker = Breaker::new("acme", Denial::ServerKey);
        breaker.tell("iris", Signal::NotEntitled("no iris".into()), at(0));
        breaker.tell("whois", Signal::Limited(at(60), "busy".into()), at(0));
        assert!(breaker.is_not_entitled("iris", at(1)));
        assert_eq!(
            kind(breaker.check("iris", at(1))),
            Some(FailureKind::Denied(Denial::NotEntitled))
        );
        assert_eq!(
            breaker.check("whois", at(59)).map_err(|failure| failure.until),
            Err(Some(at(60)))
        );
        assert_eq!(breaker.check("whois", at(60)), Ok(()));
        assert_eq!(breaker.check("risk", at(1)), Ok(()));
    }
}
