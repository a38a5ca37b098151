//! Waits for limits, rates and connections, as long as a caller wants the answer and the server runs.
//!
//! A flight whose callers have all gone gives its turn away at once. A server that stops tells every flight that has
//! asked nobody yet; what a flight has paid for may still come, within the time that the shutdown has.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{SemaphorePermit, watch};

use super::Engine;
use super::call::Carrier;
use super::dispenser::{Dispenser, TooLate};
use super::room::Place;
use super::runtime::Runtime;
use crate::clock::timeout_at;
use crate::domain::{Denial, Failure, FailureKind};
use crate::providers::{Call, Verdict};

/// Tells when the server began to stop.
#[derive(Debug, Default)]
pub struct Closing(watch::Sender<Option<Duration>>);

impl Closing {
    /// Says that the server stops, at `now` on the clock's `elapsed`; the first time counts.
    pub fn begin(&self, now: Duration) {
        self.0.send_if_modified(|since| {
            let first = since.is_none();
            since.get_or_insert(now);
            first
        });
    }

    /// Returns when the server began to stop.
    #[must_use]
    pub fn since(&self) -> Option<Duration> {
        *self.0.borrow()
    }

    /// Resolves when the server begins to stop.
    pub async fn begun(&self) {
        let mut since = self.0.subscribe();
        // The sender lives as long as this.
        let _ = since.wait_for(Option::is_some).await;
    }
}

impl Engine {
    /// Begins to stop: every flight that has asked no vendor yet is told so at once, and none asks from now on.
    pub fn close(&self) {
        self.closing.begin(self.clock.elapsed());
    }

    /// Waits until no flight is in the air, since what has been paid for is kept: at most as long as an attempt may take,
    /// and at most until `limit` after the server began to stop.
    pub async fn landed(&self, limit: Duration) {
        self.close();
        self.time.keep();
        let stopped = self.closing.since().unwrap_or_else(|| self.clock.elapsed());
        let longest = self
            .runtimes
            .load()
            .values()
            .map(|runtime| runtime.settings.timeout)
            .max();
        let until = (self.clock.elapsed() + longest.unwrap_or_default()).min(stopped + limit);
        while self.in_the_air() > 0 && self.clock.elapsed() < until {
            self.clock
                .sleep_until(self.clock.elapsed() + Duration::from_millis(20))
                .await;
        }
    }

    /// Returns how many flights are in the air.
    #[must_use]
    pub fn in_the_air(&self) -> usize {
        self.flights.len()
    }
}

impl Carrier {
    /// Waits for `future` as long as a caller waits for the answer and the server runs.
    ///
    /// # Errors
    /// What [`Carrier::still_wanted`] says.
    pub(super) async fn while_wanted<F: Future>(&self, call: &Call, future: F) -> Result<F::Output, Failure> {
        tokio::pin!(future);
        // What was paid for is worth waiting for, as long as the shutdown lets it.
        let has_asked = self.wire.attempts() > 0;
        loop {
            tokio::select! {
                biased;
                output = &mut future => return Ok(output),
                () = self.closing.begun(), if !has_asked => return Err(self.stopping(call)),
                // A caller who joins in this moment keeps the place.
                () = self.passengers.left() => self.still_wanted(call)?,
            }
        }
    }

    /// Says why a call is not made any more: every caller has gone, or the server stops.
    ///
    /// # Errors
    /// What the callers are told.
    pub(super) fn still_wanted(&self, call: &Call) -> Result<(), Failure> {
        if self.passengers.gone() {
            let message = "nobody waits for the answer any more";
            return Err(self.failure(FailureKind::TimedOut, call, message));
        }
        if self.closing.since().is_some() && self.wire.attempts() == 0 {
            return Err(self.stopping(call));
        }
        Ok(())
    }

    fn stopping(&self, call: &Call) -> Failure {
        let message = "this server is being stopped, so the question was not sent and nothing was spent; ask again when it runs";
        self.failure(FailureKind::Unavailable, call, message)
    }

    /// Takes room for a large reply before it is decoded, unless this look-up has some. Its connection is held meanwhile, so
    /// that no more replies wait than there are connections.
    pub(super) async fn make_room(&self, length: usize) {
        if self.place().is_none() {
            let place = self.room.for_answer(length, Duration::MAX).await;
            *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
        }
    }

    /// Returns the room that this look-up has.
    pub(super) fn place(&self) -> Option<Arc<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Passes the breaker; a limit that ends before the deadline is waited for.
    pub(super) async fn pass_breaker(&self, call: &Call) -> Result<(), Failure> {
        loop {
            let Err(failure) = self.state.breaker.check(&call.into(), self.clock.now()) else {
                return Ok(());
            };
            let (FailureKind::Limited, Some(until)) = (failure.kind, failure.until) else {
                return Err(failure);
            };
            let wait = Duration::try_from(until.duration_since(self.clock.now())).unwrap_or_default();
            let at = self.clock.elapsed() + wait;
            if at >= self.passengers.deadline() || self.passengers.gone() {
                return Err(failure);
            }
            self.while_wanted(call, self.clock.sleep_until(at)).await?;
        }
    }

    /// Waits for a connection, then for the rate once more: what was let through while all connections hung must
    /// not go out at once when they are free again.
    pub(super) async fn wait_for_connection(&self, call: &Call) -> Result<SemaphorePermit<'_>, Failure> {
        let deadline = self.passengers.deadline();
        let waited = timeout_at(self.clock.as_ref(), deadline, self.runtime.permits.acquire());
        let Some(Ok(permit)) = self.while_wanted(call, waited).await? else {
            let message = "all connections were busy until the deadline";
            return Err(self.failure(FailureKind::TimedOut, call, message));
        };
        self.wait_for_rate(call).await?;
        Ok(permit)
    }

    pub(super) async fn wait_for_rate(&self, call: &Call) -> Result<(), Failure> {
        let own = self.state.product_dispenser(&call.product);
        for dispenser in own.iter().chain([&self.state.dispenser]) {
            self.wait_for_turn(call, dispenser).await?;
        }
        match self.untried(call) {
            Some(untried) => self.wait_for_turn(call, &untried).await,
            None => Ok(()),
        }
    }

    /// Returns the rate of a user's key that the vendor has not taken yet.
    fn untried(&self, call: &Call) -> Option<Arc<Dispenser>> {
        if self.key.is_none() || self.state.is_accepted() {
            return None;
        }
        let origin = || self.runtime.transport.origin(&call.origin);
        let address = call.server.as_deref().unwrap_or_else(origin);
        let Runtime { users, settings, .. } = self.runtime.as_ref();
        Some(users.untried(address, &settings.rate, &self.clock))
    }

    /// Says why a user's key is not tried, where waiting has changed that.
    ///
    /// # Errors
    /// What the callers are told.
    pub(super) fn key_is_tried(&self) -> Result<(), Failure> {
        if self.key.is_none() {
            return Ok(());
        }
        let Runtime { users, settings, .. } = self.runtime.as_ref();
        let accepted = self.state.is_accepted();
        let barred = users.bar(&self.client, &self.state.account, accepted, self.clock.now());
        barred.map_or(Ok(()), |reason| {
            let kind = FailureKind::Denied(Denial::UserKey);
            Err(Failure::new(kind, &settings.name, reason))
        })
    }

    /// Takes what a reply says of a user's key: it is taken, refused, or was never taken and is refused a product.
    pub(super) fn judge_key(&self, verdict: &Verdict, status: u16) {
        if self.key.is_none() {
            return;
        }
        let (users, account, now) = (&self.runtime.users, &self.state.account, self.clock.now());
        match verdict {
            Verdict::Good | Verdict::NotFound => self.state.accept(true),
            Verdict::KeyRefused(_) => {
                self.state.accept(false);
                users.refuse(&self.client, account, now);
            }
            _ if matches!(status, 401 | 403) && !self.state.is_accepted() => {
                users.doubt(&self.client, account, now);
            }
            _ => {}
        }
    }

    async fn wait_for_turn(&self, call: &Call, dispenser: &Arc<Dispenser>) -> Result<(), Failure> {
        loop {
            let deadline = self.passengers.deadline();
            let passengers = Arc::clone(&self.passengers);
            let urgency = Arc::new(move || passengers.priority());
            // A permit is of use only while the attempt can still make it.
            // A vendor that was slow of late takes at most half of the time, or it would never be asked again.
            let left = deadline.saturating_sub(self.clock.elapsed());
            let latest = deadline.saturating_sub(self.state.typical_time().min(left / 2));
            // Dropped where nobody waits any more, which gives the turn away.
            let turn = dispenser.acquire(&self.client, urgency, latest);
            match self.while_wanted(call, turn).await? {
                Ok(()) => return Ok(()),
                // Somebody with more time joined while this waited.
                Err(_) if self.passengers.deadline() > deadline => {}
                Err(TooLate { wait }) => {
                    let message = format!(
                        "the rate that this server keeps with {} is taken: this would wait {} s, longer than the deadline allows",
                        self.runtime.settings.name,
                        wait.as_secs_f64().ceil()
                    );
                    let until = self.clock.now().checked_add(wait).ok();
                    let failure = self.failure(FailureKind::Limited, call, message);
                    return Err(failure.until(until).by_own_limit());
                }
            }
        }
    }
}
