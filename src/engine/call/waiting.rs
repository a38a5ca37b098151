//! Waits for limits, rates and connections, as long as a caller wants the answer and the server runs.
//!
//! A flight whose callers have all gone gives its turn away at once. A server that stops tells every flight that has
//! made no attempt yet; what a flight has paid for may still come, within the time that the shutdown has.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::SemaphorePermit;

use super::CallExecutor;
use crate::clock::timeout_at;
use crate::domain::{Failure, FailureKind};
use crate::engine::memory_budget::MemoryPermit;
use crate::engine::rate_limiter::{DeadlineExceeded, RateLimiter};
use crate::providers::Call;

impl CallExecutor {
    /// Waits for `future` as long as a caller waits for the answer and the server runs.
    ///
    /// # Errors
    /// What [`CallExecutor::still_wanted`] says.
    pub(super) async fn while_wanted<F: Future>(&self, call: &Call, future: F) -> Result<F::Output, Failure> {
        tokio::pin!(future);
        // What was paid for is worth waiting for, as long as the shutdown lets it.
        let has_asked = self.flight.attempts.count() > 0;
        loop {
            tokio::select! {
                biased;
                output = &mut future => return Ok(output),
                () = self.services.closing.begun(), if !has_asked => return Err(self.stopping(call)),
                // A caller who joins in this moment keeps the place.
                () = self.flight.waiters.all_gone() => self.still_wanted(call)?,
            }
        }
    }

    /// Says why a call is not made any more: every caller has gone, or the server stops.
    ///
    /// # Errors
    /// What the callers are told.
    pub(super) fn still_wanted(&self, call: &Call) -> Result<(), Failure> {
        if self.flight.waiters.gives_up() {
            let message = "no caller waits for the answer any more";
            return Err(self.failure(FailureKind::TimedOut, call, message));
        }
        if self.services.closing.since().is_some() && self.flight.attempts.count() == 0 {
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
            let place = self.services.room.for_answer(length, Duration::MAX).await;
            *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
        }
    }

    /// Returns the room that this look-up has.
    pub(in crate::engine) fn place(&self) -> Option<Arc<MemoryPermit>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Passes the breaker; a limit that ends before the deadline is waited for.
    pub(super) async fn pass_breaker(&self, call: &Call) -> Result<(), Failure> {
        loop {
            let Err(failure) = self
                .call
                .credential
                .account
                .breaker
                .check(&call.into(), self.services.clock.now())
            else {
                return Ok(());
            };
            let (FailureKind::Limited, Some(until)) = (failure.kind, failure.until) else {
                return Err(failure);
            };
            let wait =
                Duration::try_from(until.duration_since(self.services.clock.now())).unwrap_or_default();
            let at = self.services.clock.elapsed() + wait;
            if at >= self.flight.waiters.deadline() || self.flight.waiters.gives_up() {
                return Err(failure);
            }
            self.while_wanted(call, self.services.clock.sleep_until(at))
                .await?;
        }
    }

    /// Waits for a connection, then for the rate once more: what was let through while all connections hung must
    /// not go out at once when they are free again.
    pub(super) async fn wait_for_connection(&self, call: &Call) -> Result<SemaphorePermit<'_>, Failure> {
        let deadline = self.flight.waiters.deadline();
        let waited = timeout_at(
            self.services.clock.as_ref(),
            deadline,
            self.call.runtime.permits.acquire(),
        );
        let Some(Ok(permit)) = self.while_wanted(call, waited).await? else {
            let message = "all connections were busy until the deadline";
            return Err(self.failure(FailureKind::TimedOut, call, message));
        };
        self.wait_for_rate(call).await?;
        Ok(permit)
    }

    pub(super) async fn wait_for_rate(&self, call: &Call) -> Result<(), Failure> {
        let credential = &self.call.credential;
        for limiter in credential.limiters(&call.product) {
            self.wait_for_turn(call, &limiter).await?;
        }
        let origin = || self.call.runtime.transport.origin(&call.origin);
        let address = call.server.as_deref().unwrap_or_else(origin);
        match credential.untried_limiter(address, &self.services.clock) {
            Some(limiter) => self.wait_for_turn(call, &limiter).await,
            None => Ok(()),
        }
    }

    async fn wait_for_turn(&self, call: &Call, limiter: &Arc<RateLimiter>) -> Result<(), Failure> {
        loop {
            let deadline = self.flight.waiters.deadline();
            let waiters = Arc::clone(&self.flight.waiters);
            let urgency = Arc::new(move || waiters.priority());
            // A permit is of use only while the attempt can still make it.
            // A vendor that was slow of late takes at most half of the time, or it would never be asked again.
            let left = deadline.saturating_sub(self.services.clock.elapsed());
            let latest = deadline.saturating_sub(self.call.credential.account.typical_time().min(left / 2));
            // Dropped where no caller waits any more, which gives the turn away.
            let turn = limiter.acquire(&self.call.spend.client, urgency, latest);
            match self.while_wanted(call, turn).await? {
                Ok(()) => return Ok(()),
                // A caller with more time joined while this waited.
                Err(_) if self.flight.waiters.deadline() > deadline => {}
                Err(DeadlineExceeded { wait }) => {
                    let message = format!(
                        "the rate that this server keeps with {} is taken: this would wait {} s, longer than the deadline allows",
                        self.call.runtime.settings.name,
                        wait.as_secs_f64().ceil()
                    );
                    let until = self.services.clock.now().checked_add(wait).ok();
                    let failure = self.failure(FailureKind::Limited, call, message);
                    return Err(failure.until(until).by_own_limit());
                }
            }
        }
    }
}
