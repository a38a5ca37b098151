//! Runs a flight to its end, whatever becomes of it on the way.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::cache::{AnswerKey, Cache, Entry};
use super::call::CallExecutor;
use super::flight::{Flight, Flights};
use super::lookup::LookupPlan;
use super::memory_budget::MemoryPermit;
use super::waiters::{AttemptCounter, Priority, Waiters};
use crate::domain::{Failure, FailureKind};

/// Tells flights apart: the answer, and whether it may be bought.
pub(super) type FlightKey = (AnswerKey, bool);

/// Is what became of a flight.
pub(super) type FlightResult = Result<FlightAnswer, Failure>;

/// Is where a flight went.
#[derive(Debug, Clone)]
pub(super) struct FlightAnswer {
    /// The answer.
    pub(super) entry: Arc<Entry>,
    /// The room that a large answer takes, until its callers are done with it.
    pub(super) memory: Option<Arc<MemoryPermit>>,
}

/// Is what a caller learns of a flight: where it went, and what it took, which counts for the caller that started it.
pub(super) struct FlightOutcome {
    /// What became of it; `None` where the caller's deadline came first.
    pub(super) result: Option<FlightResult>,
    /// Whether this caller started it.
    pub(super) leads: bool,
    /// What was done on the wire so far.
    pub(super) attempts: Arc<AttemptCounter>,
}

/// Shows to the calls of a flight who waits for it.
pub(super) struct FlightWaiters {
    pub(super) flights: Arc<Flights<FlightKey, FlightResult>>,
    pub(super) key: FlightKey,
    pub(super) flight: Arc<Flight<FlightResult>>,
}

impl Waiters for FlightWaiters {
    fn deadline(&self) -> Duration {
        self.flight.deadline()
    }

    fn is_abandoned(&self) -> bool {
        self.flight.is_abandoned()
    }

    fn gives_up(&self) -> bool {
        self.flight.is_abandoned() && self.flights.give_up(&self.key, &self.flight)
    }

    fn all_gone(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.flight.all_gone())
    }

    fn priority(&self) -> Priority {
        self.flight.priority()
    }

    fn became_interactive(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.flight.became_interactive())
    }
}

/// Ends a flight, also where its task ends without: a panic must not leave its callers waiting for ever.
pub(super) struct CompletionGuard {
    pub(super) flights: Arc<Flights<FlightKey, FlightResult>>,
    pub(super) key: FlightKey,
    pub(super) flight: Arc<Flight<FlightResult>>,
    pub(super) is_finished: bool,
}

impl CompletionGuard {
    pub(super) fn finish(mut self, result: FlightResult) {
        self.is_finished = true;
        self.flights.finish(&self.key, &self.flight, result);
    }
}

impl Drop for CompletionGuard {
    fn drop(&mut self) {
        if !self.is_finished {
            let failure = Failure::new(
                FailureKind::Unavailable,
                "",
                "pivotd failed inside; its log says more",
            );
            self.flights.finish(&self.key, &self.flight, Err(failure));
        }
    }
}

/// Looks the question up, unless another flight ended with the same answer meanwhile.
pub(super) async fn run_flight(executor: &CallExecutor, plan: &LookupPlan, cache: &Cache) -> FlightResult {
    // Another flight may have ended between this caller's look into the cache and its start.
    if let Some(entry) = cache.get(&plan.key).await
        && Some(entry.version) != plan.seen_version
        && entry.is_fresh(executor.services.clock.now())
        && entry.holds(plan.wanted)
        && !(plan.buy.is_some() && entry.answer.is_quote())
    {
        return Ok(FlightAnswer { entry, memory: None });
    }
    let entry = executor.look_up(plan, cache).await?;
    Ok(FlightAnswer {
        entry,
        memory: executor.place(),
    })
}
