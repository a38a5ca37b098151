//! How the engine stands: what is left of budgets, who waits, and what is kept longer than it is of use.

use std::time::Duration;

use jiff::Timestamp;

use super::keyring::{Credential, DEFAULT_TENANT};
use super::question::RemainingBudget;
use super::{Engine, windows};
use crate::spend::KEPT_DAYS;
use crate::storage::StoreError;
use crate::telemetry::metrics::BudgetLabels;

/// Audit rows are kept so long.
const AUDIT_KEPT_US: i64 = KEPT_DAYS * 86_400 * 1_000_000;

impl Engine {
    /// Says what is left of the budgets that bound a tenant's questions at a provider, and when each is whole again.
    #[must_use]
    pub fn budgets(&self, provider: &str, tenant: &str) -> Vec<RemainingBudget> {
        let runtimes = self.runtimes.load();
        let Some(runtime) = runtimes.get(provider) else {
            return Vec::new();
        };
        let Some(credential) = runtime.keyring.configured_for(tenant) else {
            return Vec::new();
        };
        let (now, resets) = (self.ledger().now(), &runtime.settings.resets);
        let left = credential.budgets().map(|(account, budget)| RemainingBudget {
            label: budget.label.clone(),
            left: budget.limit - self.ledger().used(account, resets, budget),
            limit: budget.limit,
            resets_at: windows::window(budget.window, resets, now).next,
        });
        left.collect()
    }

    /// Sets the gauges that are read, not counted.
    pub async fn observe(&self) {
        let now = self.clock().now();
        let metrics = self.metrics();
        let runtimes = self.runtimes.load();
        let (mut states, mut waiting, mut budgets) = (Vec::new(), Vec::new(), Vec::new());
        for (name, runtime) in runtimes.iter() {
            let keyring = &runtime.keyring;
            let shared = keyring.configured_for(DEFAULT_TENANT);
            let tenants = keyring.tenant_credentials();
            for (account, budget) in shared
                .into_iter()
                .flat_map(Credential::budgets)
                .chain(tenants.flat_map(Credential::own_budgets))
            {
                let used = self.ledger().used(account, &runtime.settings.resets, budget);
                let labels = BudgetLabels {
                    provider: name.clone(),
                    budget: budget.label.clone(),
                };
                budgets.push((labels, used, budget.limit));
            }
            let accounts = || keyring.credentials().map(|credential| &credential.account);
            if accounts().next().is_some() {
                let calls = accounts().map(|account| account.limiter.waiting()).sum();
                waiting.push((name.clone(), calls));
            }
            let Some(own) = keyring.server_account() else {
                continue;
            };
            states.extend(
                own.breaker
                    .states(now)
                    .into_iter()
                    .map(|(product, state)| (name.clone(), product, state)),
            );
        }
        metrics.set_waiting(waiting);
        metrics.set_budgets(budgets);
        for (of, room) in [("answers", self.answers()), ("batches", &self.batches)] {
            metrics.set_room(of, room.taken(), room.waiting());
        }
        metrics.set_clock_doubted(self.time.look().believed_at.is_some());
        metrics.set_breakers(states);
        metrics.set_store(self.store.standing().await);
    }

    /// Begins to stop: every flight that has made no attempt yet is told so at once, and none makes one from now on.
    pub fn close(&self) {
        self.services.closing.begin(self.clock().elapsed());
    }

    /// Waits until no flight is under way, since what has been paid for is kept: at most as long as an attempt may take,
    /// and at most until `limit` after the server began to stop.
    pub async fn flights_ended(&self, limit: Duration) {
        self.close();
        self.time.keep();
        let clock = self.clock();
        let stopped = self.services.closing.since().unwrap_or_else(|| clock.elapsed());
        let longest = self
            .runtimes
            .load()
            .values()
            .map(|runtime| runtime.settings.timeout)
            .max();
        let until = (clock.elapsed() + longest.unwrap_or_default()).min(stopped + limit);
        while self.in_flight() > 0 && clock.elapsed() < until {
            let pause = Duration::from_millis(20);
            clock.sleep_until(clock.elapsed() + pause).await;
        }
    }

    /// Closes the store, behind what was noted in memory.
    pub async fn close_store(&self) {
        self.ledger().hand_over_notes();
        self.store.close().await;
    }

    /// Returns how many flights are under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// Returns how many callers wait for flights.
    #[must_use]
    pub fn callers_of_flights(&self) -> usize {
        self.flights.callers()
    }

    /// Removes stored answers that are of no use any more; returns how many. While the clock is not believed, nothing is
    /// removed: not even what is past its time by both times, since the next hour removes it as well.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read or written.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let moment = self.time.look();
        if moment.believed_at.is_some() {
            return Ok(0);
        }
        self.time.keep();
        let now: Timestamp = moment.known;
        self.store
            .forget_before(now.as_microsecond() - AUDIT_KEPT_US)
            .await?;
        self.store.sweep_rows(now.as_microsecond()).await?;
        let purged = self.cache.purge(move |entry| entry.stale_until <= now).await?;
        // What was removed leaves room within the file; the disk has it only where it needs it.
        self.store.compact().await?;
        Ok(purged)
    }
}
