//! Hands out permits at a provider account's rates, fairly between clients, people at work first.
//!
//! The next waiter is chosen when a token is there, so a person who comes late still goes before a batch that came
//! early. No window of a rate's period sees more than its limit: `bucket`.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;

use super::bucket::Bucket;
use super::waiters::Priority;
use crate::clock::{SharedClock, timeout_at};
use crate::config::settings::Rate;

/// Tells whether a waiter has become urgent: an interactive caller may join a batch's flight.
pub type UrgencyCheck = Arc<dyn Fn() -> Priority + Send + Sync>;

struct Waiter {
    client: String,
    urgency: UrgencyCheck,
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

struct State {
    queue: Queue,
    pumping: bool,
    /// One for each rate.
    buckets: Vec<Bucket>,
}

impl State {
    /// Says when every rate has a token, after `before` others that are taken first.
    fn ready(&self, now: Duration, before: u32) -> Duration {
        let ready = self.buckets.iter().map(|bucket| bucket.ready(now, before));
        ready.max().unwrap_or(now)
    }

    /// Gives the next waiter its permit, and takes a token of every rate for it. `false` where none waits.
    fn grant(&mut self, now: Duration) -> bool {
        while let Some(waiter) = self.queue.next() {
            if waiter.permit.send(()).is_ok() {
                self.buckets.iter_mut().for_each(|bucket| bucket.take(now));
                return true;
            }
        }
        false
    }
}

/// Says that a permit cannot come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadlineExceeded {
    /// How long it would take.
    pub wait: Duration,
}

/// Hands out the permits of one account.
pub struct RateLimiter {
    clock: SharedClock,
    /// The longest time between two tokens; `None` where there is no rate.
    period: Option<Duration>,
    /// Where the pump runs: not on whatever runtime happens to ask.
    runtime: Option<tokio::runtime::Handle>,
    state: Mutex<State>,
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RateLimiter")
            .field("period", &self.period)
            .field("waiting", &self.waiting())
            .finish()
    }
}

impl RateLimiter {
    /// Makes a limiter that keeps every one of `rates`; without any it never waits.
    #[must_use]
    pub fn new(rates: &[Rate], clock: SharedClock) -> Arc<Self> {
        let buckets: Vec<Bucket> = rates.iter().map(Bucket::new).collect();
        Arc::new(Self {
            clock,
            period: buckets.iter().map(Bucket::interval).max(),
            runtime: tokio::runtime::Handle::try_current().ok(),
            state: Mutex::new(State {
                queue: Queue::default(),
                pumping: false,
                buckets,
            }),
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
    /// [`DeadlineExceeded`] at once where the queue is too long for the deadline, or when the deadline comes first.
    pub async fn acquire(
        self: &Arc<Self>,
        client: &str,
        urgency: UrgencyCheck,
        deadline: Duration,
    ) -> Result<(), DeadlineExceeded> {
        let Some(period) = self.period else { return Ok(()) };
        let granted = {
            let Ok(mut state) = self.state.lock() else {
                return Ok(());
            };
            let now = self.clock.elapsed();
            let ahead = u32::try_from(state.queue.ahead(client, urgency())).unwrap_or(u32::MAX);
            let ready = state.ready(now, ahead);
            // A permit at the deadline itself would leave no time for the call.
            if ready >= deadline {
                return Err(DeadlineExceeded { wait: ready - now });
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
            _ => Err(DeadlineExceeded { wait: period }),
        }
    }

    /// Waits for tokens and gives permits, until none is left.
    async fn pump(self: Arc<Self>) {
        loop {
            let at = {
                let Ok(mut state) = self.state.lock() else { return };
                if state.queue.len() == 0 {
                    // What is left went away.
                    state.queue = Queue::default();
                    state.pumping = false;
                    return;
                }
                let now = self.clock.elapsed();
                let at = state.ready(now, 0);
                if at <= now {
                    state.grant(now);
                    continue;
                }
                at
            };
            self.clock.sleep_until(at).await;
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

    fn person() -> UrgencyCheck {
        Arc::new(|| Priority::Interactive)
    }

    fn batch() -> UrgencyCheck {
        Arc::new(|| Priority::Batch)
    }

    fn start() -> (ManualClock, SharedClock) {
        let clock = ManualClock::new(jiff::Timestamp::from_second(1_700_000_000).unwrap());
        (clock.clone(), Arc::new(clock))
    }

    type Granted = Vec<(&'static str, Result<Duration, DeadlineExceeded>)>;

    /// Runs the waits to their end, moving the clock from sleeper to sleeper; returns who got a permit when.
    async fn run(
        clock: &ManualClock,
        limiter: &Arc<RateLimiter>,
        asks: Vec<(&'static str, UrgencyCheck, u64)>,
    ) -> Granted {
        run_late(clock, limiter, asks, Duration::ZERO).await
    }

    /// Does the same with timers that ring so late.
    async fn run_late(
        clock: &ManualClock,
        limiter: &Arc<RateLimiter>,
        asks: Vec<(&'static str, UrgencyCheck, u64)>,
        late: Duration,
    ) -> Granted {
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let total = asks.len();
        for (client, urgency, deadline) in asks {
            let (limiter, sender, clock) = (Arc::clone(limiter), sender.clone(), clock.clone());
            tokio::spawn(async move {
                let got = limiter
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
        let limiter = RateLimiter::new(&[rate(60, 60)], clock);
        let asks = (0..8).map(|_| ("one", person(), 5)).collect();
        let results = run(&manual, &limiter, asks).await;
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
        let limiter = RateLimiter::new(&[rate(1, 1)], clock);
        let mut asks: Vec<(&'static str, UrgencyCheck, u64)> = vec![("first", person(), 100)];
        asks.extend((0..3).map(|_| ("night", batch(), 100)));
        asks.extend((0..3).map(|_| ("anna", person(), 100)));
        asks.extend((0..2).map(|_| ("ben", person(), 100)));
        let order: Vec<_> = run(&manual, &limiter, asks)
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
    async fn timers_that_ring_late_take_nothing_of_a_rate_with_a_burst_and_add_nothing() {
        // Of 20 a second, 5 go at once, and one every 67 ms.
        let rate = Rate::smooth(NonZeroU32::new(20).unwrap(), Duration::from_secs(1));
        for late in [0, 30, 60] {
            let (manual, clock) = start();
            let limiter = RateLimiter::new(&[rate], clock);
            let asks = (0..40).map(|_| ("one", person(), 100)).collect();
            let results = run_late(&manual, &limiter, asks, Duration::from_millis(late)).await;
            let times: Vec<u128> = results.iter().map(|(_, got)| got.unwrap().as_millis()).collect();
            assert!(times.last() < Some(&2450), "{late}: {times:?}");
            for (at, from) in times.iter().enumerate() {
                let within = times.iter().skip(at).filter(|time| **time < from + 1000).count();
                assert!(
                    within <= 20,
                    "{late}: {within} within a second of {from} in {times:?}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_burst_goes_at_once_and_what_comes_after_it_is_told_its_time() {
        let (manual, clock) = start();
        let rate = Rate::smooth(NonZeroU32::new(20).unwrap(), Duration::from_mins(1));
        let limiter = RateLimiter::new(&[rate], clock);
        // The sixth would come after 4 seconds, which is too late for who waits 3.
        let asks = (0..6).map(|_| ("alert", person(), 3)).collect();
        let results = run(&manual, &limiter, asks).await;
        let granted: Vec<_> = results.iter().filter_map(|(_, got)| got.ok()).collect();
        assert_eq!(granted, [Duration::ZERO; 5]);
        let refused: Vec<_> = results.iter().filter_map(|(_, got)| got.err()).collect();
        assert_eq!(
            refused,
            [DeadlineExceeded {
                wait: Duration::from_secs(4)
            }]
        );
    }

    #[tokio::test]
    async fn every_rate_holds() {
        let (manual, clock) = start();
        let limiter = RateLimiter::new(&[rate(10, 1), rate(30, 60)], clock);
        let results = run(
            &manual,
            &limiter,
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
