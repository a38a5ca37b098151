//! Gathers in memory what the cache saved and what budgets refused, so that no answer waits for the disk.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Columns, Rollup, RollupKey};

/// Names what is summed in one row, since more was to be told apart than memory is kept for.
pub const OTHER: &str = "(other)";

/// So many rows are told apart until they are written.
const MOST_ROWS: usize = 4096;

/// What was gathered is written after this.
const KEPT: Duration = Duration::from_secs(60);

/// Gathers rows.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Gathered>);

#[derive(Debug, Default)]
struct Gathered {
    rows: HashMap<(i64, RollupKey), Columns>,
    /// When the first of them came, on the clock's `elapsed`.
    since: Duration,
}

impl Tally {
    /// Adds a row at a time of a clock that never goes back. Returns what was gathered where its time has come.
    pub fn add(&self, row: Rollup, now: Duration) -> Option<Vec<Rollup>> {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.rows.is_empty() {
            gathered.since = now;
        }
        let Rollup { start, key, columns } = row;
        let is_full = gathered.rows.len() >= MOST_ROWS;
        let key = if is_full && !gathered.rows.contains_key(&(start, key.clone())) {
            other(key)
        } else {
            key
        };
        gathered.rows.entry((start, key)).or_default().add(&columns);
        let is_due = now.saturating_sub(gathered.since) >= KEPT;
        drop(gathered);
        is_due.then(|| self.take())
    }

    /// Takes what was gathered.
    pub fn take(&self) -> Vec<Rollup> {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = std::mem::take(&mut gathered.rows);
        drop(gathered);
        let rows = rows.into_iter();
        rows.map(|((start, key), columns)| Rollup { start, key, columns })
            .collect()
    }
}

/// Names the row of all that is not told apart; currencies are never added.
fn other(key: RollupKey) -> RollupKey {
    let name = || OTHER.to_owned();
    RollupKey {
        tenant: name(),
        token: name(),
        client: name(),
        face: name(),
        person: name(),
        provider: name(),
        account: name(),
        product: name(),
        operation: name(),
        outcome: name(),
        currency: key.currency,
    }
}
