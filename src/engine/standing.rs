//! How the engine stands: what is left of budgets, who waits, and what is kept longer than it is of use.

use jiff::Timestamp;

use super::{Engine, store, windows};
use crate::telemetry::metrics::BudgetLabels;

/// Audit rows are kept for 400 days: a year, and time to look at it.
const AUDIT_KEPT_US: i64 = 400 * 86_400 * 1_000_000;

/// Says what is left of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The budget as it is configured.
    pub label: String,
    /// What is left, in its unit; hundredths where it counts money.
    pub left: i64,
    /// What it holds when it is whole.
    pub limit: i64,
    /// When it is whole again; `None` for one that never resets.
    pub resets_at: Option<Timestamp>,
}

impl Engine {
    /// Says what is left of the budgets of a provider's own key, and when each is whole again.
    #[must_use]
    pub fn budgets(&self, provider: &str) -> Vec<Left> {
        let runtimes = self.runtimes.load();
        let Some(runtime) = runtimes.get(provider) else {
            return Vec::new();
        };
        let Some(own) = &runtime.own else {
            return Vec::new();
        };
        let now = self.ledger.now();
        let budgets = runtime.settings.budget.iter();
        budgets
            .map(|budget| Left {
                label: budget.label.clone(),
                left: budget.limit - self.ledger.used(&own.account, &runtime.settings, budget),
                limit: budget.limit,
                resets_at: windows::window(budget.window, &runtime.settings.resets, now).next,
            })
            .collect()
    }

    /// Sets the gauges that are read, not counted.
    pub fn observe(&self) {
        let now = self.clock.now();
        let runtimes = self.runtimes.load();
        let (mut states, mut waiting, mut budgets) = (Vec::new(), Vec::new(), Vec::new());
        for (name, runtime) in runtimes.iter() {
            let Some(own) = &runtime.own else { continue };
            waiting.push((name.clone(), own.dispenser.waiting()));
            for budget in &runtime.settings.budget {
                let used = self.ledger.used(&own.account, &runtime.settings, budget);
                let labels = BudgetLabels {
                    provider: name.clone(),
                    budget: budget.label.clone(),
                };
                budgets.push((labels, used, budget.limit));
            }
            states.extend(
                own.breaker
                    .states(now)
                    .into_iter()
                    .map(|(product, state)| (name.clone(), product, state)),
            );
        }
        self.metrics.set_waiting(waiting);
        self.metrics.set_budgets(budgets);
        for (of, room) in [("answers", &self.answers), ("batches", &self.batches)] {
            self.metrics.set_room(of, room.taken(), room.waiting());
        }
        self.metrics
            .set_clock_doubted(self.time.look().believed_at.is_some());
        self.metrics.set_breakers(states);
        self.metrics.set_store(self.store.standing());
    }

    /// Removes stored answers that are of no use any more; returns how many. While the clock is not believed, nothing is
    /// removed: not even what is past its time by both times, since the next hour removes it as well.
    ///
    /// # Errors
    /// [`store::StoreError`] where the store cannot be read or written.
    pub async fn sweep(&self) -> Result<usize, store::StoreError> {
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
        let purged = self.cache.purge(|entry| entry.stale_until <= now).await?;
        // What was removed leaves room within the file; the disk has it only where it needs it.
        self.store.compact().await?;
        Ok(purged)
    }
}
