//! Gives the time, and waits. Everything that looks at a clock or waits takes a [`Clock`], so tests own the time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

/// Tells the time and waits for it.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns the wall-clock time.
    fn now(&self) -> Timestamp;
    /// Returns the time since an arbitrary start; it never goes back.
    fn elapsed(&self) -> Duration;
    /// Resolves when [`Clock::elapsed`] has reached `at`.
    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()>;
}

/// Shares a clock.
pub type SharedClock = Arc<dyn Clock>;

/// Runs `future` until it is done or `elapsed` reaches `at`; `None` means that the time came first.
pub async fn timeout_at<F: Future>(clock: &dyn Clock, at: Duration, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = clock.sleep_until(at) => None,
    }
}

/// Reads the machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: tokio::time::Instant,
    /// The wall-clock time at the start, where it is not the machine's own.
    day: Option<Timestamp>,
}

impl SystemClock {
    /// Starts a clock.
    #[must_use]
    pub fn shared() -> SharedClock {
        Arc::new(Self {
            start: tokio::time::Instant::now(),
            day: None,
        })
    }

    /// Starts a clock whose wall-clock time begins at `day`: sample data are as old as on the day they were written for.
    #[must_use]
    pub fn shared_from(day: Timestamp) -> SharedClock {
        Arc::new(Self {
            start: tokio::time::Instant::now(),
            day: Some(day),
        })
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        match self.day {
            Some(day) => day.checked_add(self.start.elapsed()).unwrap_or(day),
            None => Timestamp::now(),
        }
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        let until = self.start + at;
        Box::pin(tokio::time::sleep_until(until))
    }
}

/// A clock that stands still until a test moves it.
pub mod manual {
    use std::sync::Mutex;

    use tokio::sync::watch;

    use super::{Arc, BoxFuture, Clock, Duration, Timestamp};

    /// Stands still until [`ManualClock::advance`] moves it; tells how many waits are pending.
    #[derive(Debug, Clone)]
    pub struct ManualClock {
        start: Timestamp,
        time: watch::Sender<Duration>,
        offset: Arc<Mutex<jiff::SignedDuration>>,
        sleepers: watch::Sender<Vec<Duration>>,
    }

    struct Sleeper(watch::Sender<Vec<Duration>>, Duration);

    impl Drop for Sleeper {
        fn drop(&mut self) {
            self.0.send_modify(|sleepers| {
                if let Some(index) = sleepers.iter().position(|at| *at == self.1) {
                    sleepers.swap_remove(index);
                }
            });
        }
    }

    impl ManualClock {
        /// Starts at `start`.
        #[must_use]
        pub fn new(start: Timestamp) -> Self {
            Self {
                start,
                time: watch::Sender::new(Duration::ZERO),
                offset: Arc::default(),
                sleepers: watch::Sender::new(Vec::new()),
            }
        }

        /// Moves the time forward and wakes the tasks that waited for it.
        pub fn advance(&self, by: Duration) {
            self.time.send_modify(|time| *time += by);
        }

        /// Moves the wall clock alone, forward or back, as an operator or NTP may do.
        pub fn shift_wall(&self, by: jiff::SignedDuration) {
            if let Ok(mut offset) = self.offset.lock() {
                *offset += by;
            }
        }

        /// Resolves when a wait that ends at most `within` from now is pending; returns how far away it is.
        ///
        /// Whatever else can run, runs first. Waits whose time has come do not count.
        pub async fn wait_for_sleeper(&self, within: Duration) -> Duration {
            let mut sleepers = self.sleepers.subscribe();
            loop {
                tokio::task::yield_now().await;
                let now = *self.time.borrow();
                let next = sleepers
                    .borrow_and_update()
                    .iter()
                    .filter(|at| **at > now)
                    .min()
                    .copied();
                if let Some(at) = next
                    && at <= now + within
                {
                    return at.saturating_sub(now);
                }
                if sleepers.changed().await.is_err() {
                    return Duration::ZERO;
                }
            }
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            let offset = self.offset.lock().map(|offset| *offset).unwrap_or_default();
            self.start
                .checked_add(*self.time.borrow())
                .and_then(|time| time.checked_add(offset))
                .unwrap_or(self.start)
        }

        fn elapsed(&self) -> Duration {
            *self.time.borrow()
        }

        fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
            let mut time = self.time.subscribe();
            if *time.borrow() >= at {
                return Box::pin(std::future::ready(()));
            }
            let guard = Sleeper(self.sleepers.clone(), at);
            self.sleepers.send_modify(|sleepers| sleepers.push(at));
            Box::pin(async move {
                let _guard = guard;
                // The sender lives as long as the clock; a dropped clock ends every wait.
                let _ = time.wait_for(|now| *now >= at).await;
            })
        }
    }
}
