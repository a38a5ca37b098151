//! Takes a flight from take-off to landing, whatever becomes of it on the way.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::cache::{AnswerKey, Cache, Entry};
use super::call::{Carrier, Passengers};
use super::flight::{Flight, Flights};
use super::ledger::Priority;
use super::lookup::Errand;
use crate::domain::{Failure, FailureKind};

/// Tells flights apart: the answer, and whether it may be bought.
pub(super) type FlightKey = (AnswerKey, bool);

/// Is what became of a flight.
pub(super) type Landing = Result<Landed, Failure>;

#[derive(Debug, Clone)]
pub(super) struct Landed {
    pub(super) entry: Arc<Entry>,
    pub(super) attempts: u32,
    pub(super) nanos: u64,
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
        return Ok(Landed {
            entry,
            attempts: 0,
            nanos: 0,
        });
    }
    let entry = carrier.fly(errand, cache).await?;
    Ok(Landed {
        entry,
        attempts: carrier.attempts.load(Ordering::Relaxed),
        nanos: carrier.provider_nanos.load(Ordering::Relaxed),
    })
}
