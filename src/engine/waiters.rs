//! Says who waits for the answer of a flight, until when, and how urgently.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

/// Says who may use the part of a budget that is kept for people at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A person waits: a transform, the terminal, an alert.
    Interactive,
    /// A client waits for one answer about many indicators: an alert with a message. Questions wait a moment for each
    /// other, since together they take one turn of a rate.
    Several,
    /// Batches, jobs and doors: no person waits.
    Batch,
}

/// Says what the callers of a flight want, as it changes while the flight waits.
pub trait Waiters: Send + Sync {
    /// Returns the latest deadline.
    fn deadline(&self) -> Duration;
    /// Resolves when every caller has gone; another one may join again.
    fn all_gone(&self) -> BoxFuture<'_, ()>;
    /// Tells whether every caller has gone at the moment.
    fn is_abandoned(&self) -> bool;
    /// Tells whether every caller has gone for good; a flight that is told so ends without spending.
    fn gives_up(&self) -> bool;
    /// Returns the highest priority.
    fn priority(&self) -> Priority;
    /// Resolves when the priority is the highest there is.
    fn became_interactive(&self) -> BoxFuture<'_, ()>;
}

/// Holds what belongs to the callers of a flight and not to its calls: who waits, and what was done on the wire for them.
#[derive(Clone)]
pub struct FlightContext {
    /// Who waits, until when, and how urgently.
    pub waiters: Arc<dyn Waiters>,
    /// Counts attempts on the wire, and sums their time.
    pub attempts: Arc<AttemptCounter>,
}

impl FlightContext {
    /// Makes the context of a flight that has made no attempt.
    pub fn new(waiters: Arc<dyn Waiters>) -> Self {
        Self {
            waiters,
            attempts: Arc::default(),
        }
    }
}

/// Counts what is done on the wire for a flight, also while it is under way.
#[derive(Debug, Default)]
pub struct AttemptCounter {
    attempts: AtomicU32,
    nanos: AtomicU64,
}

impl AttemptCounter {
    /// Counts an attempt, before its bytes leave.
    pub(super) fn begin(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the time that an attempt took.
    pub(super) fn took(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Returns how many attempts were begun.
    pub(super) fn count(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Returns the time that attempts took.
    pub(super) fn time(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}

/// Is one caller that waits until its deadline, for account calls and key tests.
pub(super) struct SingleWaiter(pub(super) Duration);

impl Waiters for SingleWaiter {
    fn deadline(&self) -> Duration {
        self.0
    }

    fn is_abandoned(&self) -> bool {
        false
    }

    fn gives_up(&self) -> bool {
        false
    }

    fn all_gone(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn priority(&self) -> Priority {
        Priority::Interactive
    }

    fn became_interactive(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Waits for all callers of several flights whose questions go together.
pub(super) struct AllWaiters(pub(super) Vec<Arc<dyn Waiters>>);

impl Waiters for AllWaiters {
    fn deadline(&self) -> Duration {
        self.0.iter().map(|one| one.deadline()).max().unwrap_or_default()
    }

    fn is_abandoned(&self) -> bool {
        self.0.iter().all(|one| one.is_abandoned())
    }

    fn gives_up(&self) -> bool {
        // Asked one by one only where all are abandoned: a flight that is given up is not joined again.
        self.is_abandoned() && self.0.iter().all(|one| one.gives_up())
    }

    fn all_gone(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            while !self.is_abandoned() {
                for one in &self.0 {
                    one.all_gone().await;
                }
            }
        })
    }

    fn priority(&self) -> Priority {
        let highest = self.0.iter().map(|one| one.priority()).min();
        highest.unwrap_or(Priority::Batch)
    }

    fn became_interactive(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}
