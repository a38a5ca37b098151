//! Takes a flight from take-off to landing, whatever becomes of it on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::cache::{AnswerKey, Cache, Entry};
use super::call::{Carrier, Passengers};
use super::flight::{Flight, Flights};
use super::ledger::Priority;
use super::lookup::Errand;
use super::room::Place;
use crate::domain::{Failure, FailureKind};

/// Tells flights apart: the answer, and whether it may be bought.
pub(super) type FlightKey = (AnswerKey, bool);

/// Is what became of a flight.
pub(super) type Landing = Result<Landed, Failure>;

/// Is where a flight went.
#[derive(Debug, Clone)]
pub(super) struct Landed {
    /// The answer.
    pub(super) entry: Arc<Entry>,
    /// The room that a large answer takes, until its callers are done with it.
    pub(super) place: Option<Arc<Place>>,
}

/// Is what a caller learns of a flight: where it went, and what it took, which counts for the caller that started it.
pub(super) struct Flown {
    /// What became of it; `None` where the caller's deadline came first.
    pub(super) landing: Option<Landing>,
    /// Whether this caller started it.
    pub(super) leads: bool,
    /// What was done on the wire so far.
    pub(super) wire: Arc<Wire>,
}

/// Counts what is done on the wire for a flight, also while it is in the air.
#[derive(Debug, Default)]
pub struct Wire {
    attempts: AtomicU32,
    nanos: AtomicU64,
}

impl Wire {
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
    pub(super) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Returns the time that attempts took.
    pub(super) fn time(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}

pub(super) struct Aboard {
    pub(super) flights: Arc<Flights<FlightKey, Landing>>,
    pub(super) key: FlightKey,
    pub(super) flight: Arc<Flight<Landing>>,
}

impl Passengers for Aboard {
    fn deadline(&self) -> Duration {
        self.flight.deadline()
    }

    fn abandoned(&self) -> bool {
        self.flight.is_abandoned()
    }

    fn gone(&self) -> bool {
        self.flight.is_abandoned() && self.flights.give_up(&self.key, &self.flight)
    }

    fn left(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.flight.left())
    }

    fn priority(&self) -> Priority {
        self.flight.priority()
    }

    fn hurried(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.flight.hurried())
    }
}

/// Lands a flight, also where its task ends without: a panic must not leave its callers waiting for ever.
pub(super) struct Aloft {
    pub(super) flights: Arc<Flights<FlightKey, Landing>>,
    pub(super) key: FlightKey,
    pub(super) flight: Arc<Flight<Landing>>,
    pub(super) landed: bool,
}

impl Aloft {
    pub(super) fn land(mut self, landing: Landing) {
        self.landed = true;
        self.flights.land(&self.key, &self.flight, landing);
    }
}

impl Drop for Aloft {
    fn drop(&mut self) {
        if !self.landed {
            let failure = Failure::new(
                FailureKind::Unavailable,
                "",
                "pivotd failed inside; its log says more",
            );
            self.flights.land(&self.key, &self.flight, Err(failure));
        }
    }
}

/// Flies, unless another flight landed with the same meanwhile.
pub(super) async fn land(carrier: &Carrier, errand: &Errand, cache: &Cache) -> Landing {
    // Another flight may have landed between this caller's look into the cache and its take-off.
    if let Some(entry) = cache.get(&errand.key).await
        && Some(entry.version) != errand.seen
        && entry.is_fresh(carrier.clock.now())
        && entry.holds(errand.want)
        && !(errand.buy.is_some() && entry.answer.is_quote())
    {
        return Ok(Landed { entry, place: None });
    }
    let entry = carrier.fly(errand, cache).await?;
    Ok(Landed {
        entry,
        place: carrier.place(),
    })
}
