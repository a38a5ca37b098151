//! Hands out permits at a provider account's rates, fairly between clients, people at work first.
//!
//! Every token is taken before a waiter is chosen, so a person who comes late still goes before a
//! batch that came early, and no rate is ever passed: with burst 1, any window of the rate's period
//! sees at most the limit plus one.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::oneshot;

use super::ledger::Priority;
use crate::clock::{SharedClock, timeout_at};
use crate::config::settings::Rate;

/// Lets governor read the injected clock.
#[derive(Debug, Clone)]
pub struct Ticks(SharedClock);

impl Ticks {
    /// Reads this clock.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self(clock)
    }
}

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.elapsed())
    }
}

/// Reads the time as [`Ticks`] does, once as that at which a timer was to ring: timers ring up to a millisecond late, and
/// at a hundred calls a second that would cost a tenth of the rate if every token waited for the one before.
#[derive(Debug, Clone)]
struct Due {
    ticks: Ticks,
    /// Nanoseconds; 0 for the time that it is.
    at: Arc<AtomicU64>,
}

impl governor::clock::Clock for Due {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        match self.at.swap(0, Ordering::Relaxed) {
            0 => self.ticks.now(),
            at => Nanos::from(Duration::from_nanos(at)),
        }
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Due, NoOpMiddleware<Nanos>>;

/// Tells whoever asks whether a waiter has become urgent: an interactive caller may join a batch's flight.
pub type Urgency = Arc<dyn Fn() -> Priority + Send + Sync>;

struct Waiter {
    client: String,
    urgency: Urgency,
    permit: oneshot::Sender<()>,
}

#[derive(Default)]
struct Queue {
    clients: HashMap<String, VecDeque<Waiter>>,
    turns: VecDeque<String>,
}

impl Queue {
    fn push(&mut self, waiter: Waiter) {
        let line = self.clients.entry(waiter.client.clone()).or_default();
        if line.is_empty() {
            self.turns.push_back(waiter.client.clone());
        }
        line.push_back(waiter);
    }

    /// Takes the next waiter in turn whose client's first waiter satisfies `fits`.
    fn take(&mut self, fits: impl Fn(&Waiter) -> bool) -> Option<Waiter> {
        for _ in 0..self.turns.len() {
            let client = self.turns.pop_front()?;
            let Some(line) = self.clients.get_mut(&client) else {
                continue;
            };
            line.retain(|waiter| !waiter.permit.is_closed());
            let found = line.iter().position(&fits).and_then(|index| line.remove(index));
            if line.is_empty() {
                self.clients.remove(&client);
            } else {
                self.turns.push_back(client);
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn next(&mut self) -> Option<Waiter> {
        self.take(|waiter| (waiter.urgency)() != Priority::Batch)
            .or_else(|| self.take(|_| true))
    }

    /// Counts the waiters that a newcomer of `client` would wait for: each other client's, as many
    /// as the newcomer's own line is long, since turns go round.
    fn ahead(&self, client: &str, priority: Priority) -> usize {
        let counts = |line: &VecDeque<Waiter>| {
            line.iter()
                .filter(|waiter| !waiter.permit.is_closed())
                .filter(|waiter| priority == Priority::Batch || (waiter.urgency)() != Priority::Batch)
                .count()
        };
        let own = self.clients.get(client).map_or(0, counts);
        let others: usize = self
            .clients
            .iter()
            .filter(|(name, _)| *name != client)
            .map(|(_, line)| counts(line).min(own + 1))
            .sum();
        own + others
    }

    fn len(&self) -> usize {
        self.clients
            .values()
            .flatten()
            .filter(|waiter| !waiter.permit.is_closed())
            .count()
    }
}

#[derive(Default)]
struct State {
    queue: Queue,
    pumping: bool,
    /// A token that was taken and whose waiter left; the next waiter gets it.
    spare: bool,
    /// When the token that the pump waits for arrives.
    next_at: Duration,
}

/// Says that a permit cannot come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLate {
    /// How long it would take.
    pub wait: Duration,
}

/// Hands out the permits of one account.
pub struct Dispenser {
    clock: SharedClock,
    /// Each with the time between two of its tokens.
    limiters: Vec<(Limiter, Duration)>,
    period: Duration,
    bursts: bool,
    /// Where the pump runs: not on whatever runtime happens to ask.
    runtime: Option<tokio::runtime::Handle>,
    state: Mutex<State>,
}

impl fmt::Debug for Dispenser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Dispenser")
            .field("period", &self.period)
            .field("waiting", &self.waiting())
            .finish()
    }
}

impl Dispenser {
    /// Makes a dispenser that keeps every one of `rates`; without any it never waits.
    #[must_use]
    pub fn new(rates: &[Rate], clock: SharedClock) -> Arc<Self> {
        let period = |rate: &Rate| rate.per / rate.limit.get();
        let limiters = rates
            .iter()
            .filter_map(|rate| {
                let quota = Quota::with_period(period(rate))?.allow_burst(rate.burst);
                let due = Due {
                    ticks: Ticks(Arc::clone(&clock)),
                    at: Arc::default(),
                };
                Some((RateLimiter::direct_with_clock(quota, due), period(rate)))
            })
            .collect();
        let period = rates.iter().map(period).max().unwrap_or_default();
        let bursts = rates.iter().any(|rate| rate.burst.get() > 1);
        Arc::new(Self {
            clock,
            limiters,
            period,
            bursts,
            runtime: tokio::runtime::Handle::try_current().ok(),
            state: Mutex::default(),
        })
    }

    /// Returns how many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.lock().map_or(0, |state| state.queue.len())
    }

    /// Waits for a permit until `deadline` (on [`crate::clock::Clock::elapsed`]).
    ///
    /// # Errors
    /// [`TooLate`] at once where the queue is too long for the deadline, or when the deadline comes first.
    pub async fn acquire(
        self: &Arc<Self>,
        client: &str,
        urgency: Urgency,
        deadline: Duration,
    ) -> Result<(), TooLate> {
        if self.limiters.is_empty() {
            return Ok(());
        }
        let granted = {
            let Ok(mut state) = self.state.lock() else {
                return Ok(());
            };
            let now = self.clock.elapsed();
            let ahead = u32::try_from(state.queue.ahead(client, urgency())).unwrap_or(u32::MAX);
            // With bursts a token may be there already, which cannot be seen without taking it.
            let first = if state.pumping || !self.bursts {
                state.next_at.max(now)
            } else {
                now
            };
            let ready = first.saturating_add(self.period.saturating_mul(ahead));
            // A permit at the deadline itself would leave no time for the call.
            if ready >= deadline {
                return Err(TooLate { wait: ready - now });
            }
            let (permit, granted) = oneshot::channel();
            state.queue.push(Waiter {
                client: client.to_owned(),
                urgency,
                permit,
            });
            if !state.pumping {
                state.pumping = true;
                let pump = Arc::clone(self).pump();
                match &self.runtime {
                    Some(runtime) => drop(runtime.spawn(pump)),
                    None => drop(tokio::spawn(pump)),
                }
            }
            granted
        };
        match timeout_at(self.clock.as_ref(), deadline, granted).await {
            Some(Ok(())) => Ok(()),
            _ => Err(TooLate { wait: self.period }),
        }
    }

    /// Takes a token, then chooses who gets it, until nobody waits.
    async fn pump(self: Arc<Self>) {
        loop {
            let spare = self
                .state
                .lock()
                .is_ok_and(|mut state| std::mem::take(&mut state.spare));
            if !spare {
                for (limiter, period) in &self.limiters {
                    self.take_token(limiter, *period).await;
                }
            }
            let Ok(mut state) = self.state.lock() else { return };
            let granted =
                std::iter::from_fn(|| state.queue.next()).any(|waiter| waiter.permit.send(()).is_ok());
            if !granted {
                state.spare = true;
                state.pumping = false;
                return;
            }
            state.next_at = self.clock.elapsed() + self.period;
            if state.queue.len() == 0 {
                state.pumping = false;
                return;
            }
        }
    }

    async fn take_token(&self, limiter: &Limiter, period: Duration) {
        while let Err(not_yet) = limiter.check() {
            let wait = not_yet.wait_time_from(Ticks(Arc::clone(&self.clock)).now());
            let at = self.clock.elapsed() + wait;
            if let Ok(mut state) = self.state.lock() {
                state.next_at = state.next_at.max(at);
            }
            self.clock.sleep_until(at).await;
            // A token that is taken late by less than a period leaves the next one its time, so that the rate is
            // reached; it is not passed, since no time has two.
            let late = self.clock.elapsed().saturating_sub(at);
            if late < period
                && let Ok(at) = u64::try_from(at.as_nanos())
            {
                limiter.clock().at.store(at, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::clock::Clock;
    use crate::clock::manual::ManualClock;

    fn rate(limit: u32, seconds: u64) -> Rate {
        Rate {
            limit: NonZeroU32::new(limit).unwrap(),
            per: Duration::from_secs(seconds),
            burst: NonZeroU32::MIN,
        }
    }

    fn person() -> Urgency {
        Arc::new(|| Priority::Interactive)
    }

    fn batch() -> Urgency {
        Arc::new(|| Priority::Batch)
    }

    fn start() -> (ManualClock, SharedClock) {
        let clock = ManualClock::new(jiff::Timestamp::from_second(1_700_000_000).unwrap());
        (clock.clone(), Arc::new(clock))
    }

    type Granted = Vec<(&'static str, Result<Duration, TooLate>)>;

    /// Runs the waits to their end, moving the clock from sleeper to sleeper; returns who got a permit when.
    async fn run(
        clock: &ManualClock,
        dispenser: &Arc<Dispenser>,
        asks: Vec<(&'static str, Urgency, u64)>,
    ) -> Granted {
        run_late(clock, dispenser, asks, Duration::ZERO).await
    }

    /// Does the same with timers that ring so late.
    async fn run_late(
        clock: &ManualClock,
        dispenser: &Arc<Dispenser>,
        asks: Vec<(&'static str, Urgency, u64)>,
        late: Duration,
    ) -> Granted {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let total = asks.len();
        for (client, urgency, deadline) in asks {
            let (dispenser, sender, clock) = (Arc::clone(dispenser), sender.clone(), clock.clone());
            tokio::spawn(async move {
                let got = dispenser
                    .acquire(client, urgency, Duration::from_secs(deadline))
                    .await;
                let _ = sender.send((client, got.map(|()| clock.elapsed())));
            });
            tokio::task::yield_now().await;
        }
        let mut results = Vec::new();
        while results.len() < total {
            tokio::select! {
                biased;
                Some(result) = receiver.recv() => results.push(result),
                wait = clock.wait_for_sleeper(Duration::from_secs(600)) => clock.advance(wait + late),
            }
        }
        results
    }

    #[tokio::test]
    async fn keeps_the_rate_and_refuses_at_once_what_cannot_make_it() {
        let (manual, clock) = start();
        let dispenser = Dispenser::new(&[rate(60, 60)], clock);
        let asks = (0..8).map(|_| ("one", person(), 5)).collect();
        let results = run(&manual, &dispenser, asks).await;
        let granted: Vec<_> = results.iter().filter_map(|(_, got)| got.ok()).collect();
        assert_eq!(granted, (0..5).map(Duration::from_secs).collect::<Vec<_>>());
        let refused: Vec<_> = results.iter().filter_map(|(_, got)| got.err()).collect();
        assert_eq!(refused.len(), 3);
        assert!(
            refused.iter().all(|late| late.wait >= Duration::from_secs(5)),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn is_fair_between_clients_and_lets_people_go_first() {
        let (manual, clock) = start();
        let dispenser = Dispenser::new(&[rate(1, 1)], clock);
        let mut asks: Vec<(&'static str, Urgency, u64)> = vec![("first", person(), 100)];
        asks.extend((0..3).map(|_| ("night", batch(), 100)));
        asks.extend((0..3).map(|_| ("anna", person(), 100)));
        asks.extend((0..2).map(|_| ("ben", person(), 100)));
        let order: Vec<_> = run(&manual, &dispenser, asks)
            .await
            .into_iter()
            .map(|(client, _)| client)
            .collect();
        assert_eq!(
            order,
            [
                "first", "anna", "ben", "anna", "ben", "anna", "night", "night", "night"
            ]
        );
    }

    #[tokio::test]
    async fn timers_that_ring_late_take_nothing_of_the_rate_and_add_nothing() {
        for (late, last) in [(30, 1930), (99, 1999), (130, 1900)] {
            let (manual, clock) = start();
            let dispenser = Dispenser::new(&[rate(10, 1)], clock);
            let asks = (0..20).map(|_| ("one", person(), 100)).collect();
            let results = run_late(&manual, &dispenser, asks, Duration::from_millis(late)).await;
            let times: Vec<u128> = results.iter().map(|(_, got)| got.unwrap().as_millis()).collect();
            if late < 100 {
                assert_eq!(times.last(), Some(&last), "{late}: {times:?}");
            } else {
                // What was missed by more than a period is not made up for.
                assert!(times.last() > Some(&last), "{late}: {times:?}");
            }
            for (at, from) in times.iter().enumerate() {
                let within = times.iter().skip(at).filter(|time| **time < from + 1000).count();
                assert!(
                    within <= 11,
                    "{late}: {within} within a second of {from} in {times:?}"
                );
            }
        }
    }

    #[tokio::test]
    async fn every_rate_holds() {
        let (manual, clock) = start();
        let dispenser = Dispenser::new(&[rate(10, 1), rate(30, 60)], clock);
        let results = run(
            &manual,
            &dispenser,
            (0..4).map(|_| ("one", person(), 100)).collect(),
        )
        .await;
        let times: Vec<_> = results.into_iter().map(|(_, got)| got.unwrap()).collect();
        assert_eq!(
            times,
            (0..4).map(|n| Duration::from_secs(2 * n)).collect::<Vec<_>>()
        );
    }
}
