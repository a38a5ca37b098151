//! Rows of 15 minutes that say who spent what, and the audit rows of a time.

use std::ops::Range;

use futures_util::future::BoxFuture;

use super::{Commit, StoreError, WalkResult};
use crate::spend::Rollup;

/// Looks at a row of 15 minutes or of a month.
pub type VisitRollup = Box<dyn FnMut(&Rollup) + Send>;
/// Looks at an audit row: its time in microseconds since the epoch, and what it tells. Says whether it wants more.
pub type VisitAudit = Box<dyn FnMut(i64, &serde_json::Value) -> bool + Send>;

/// Keeps sums of what was spent.
///
/// What a settlement adds, or a reservation that is charged since its node ended, is written with its audit row, as
/// [`audited`](crate::spend::audited) reads it. [`forget_before`](super::LedgerStore::forget_before) makes rows of months of those
/// from before, and removes months after five years, as [`retention`](crate::spend::retention) says.
pub trait SpendStore: Commit {
    /// Adds to rows what belongs to no settlement. Rides with the next commit and never waits; what is handed over more than once
    /// counts so often.
    fn note_rollups(&self, rows: Vec<Rollup>);

    /// Walks the rows that begin within a time in seconds since the epoch: those of months, then those of 15 minutes, each in the
    /// order of time; see [`gather_rollups`].
    fn each_rollup(&self, within: Range<i64>, visit: VisitRollup) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Walks the audit rows of a time in microseconds since the epoch, oldest first, until the visitor has enough; see
    /// [`gather_audit`].
    fn each_audit(&self, within: Range<i64>, visit: VisitAudit) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Walks the rows of 15 minutes and of months of a time, and returns what was gathered.
///
/// # Errors
/// [`StoreError`] where the store cannot be read.
pub async fn gather_rollups<T: Send + 'static>(
    store: &dyn SpendStore,
    within: Range<i64>,
    start: T,
    mut visit: impl FnMut(&mut T, &Rollup) + Send + 'static,
) -> Result<T, StoreError> {
    let (mut gathering, gathered) = WalkResult::new(start);
    let visit = move |row: &Rollup| {
        gathering.with(|found| visit(found, row));
    };
    store.each_rollup(within, Box::new(visit)).await?;
    gathered.end()
}

/// Walks the audit rows of a time until `visit` has enough, and returns what was gathered.
///
/// # Errors
/// [`StoreError`] where the store cannot be read.
pub async fn gather_audit<T: Send + 'static>(
    store: &dyn SpendStore,
    within: Range<i64>,
    start: T,
    mut visit: impl FnMut(&mut T, i64, &serde_json::Value) -> bool + Send + 'static,
) -> Result<T, StoreError> {
    let (mut gathering, gathered) = WalkResult::new(start);
    let visit = move |at: i64, row: &serde_json::Value| {
        let more = gathering.with(|found| visit(found, at, row));
        more.unwrap_or(false)
    };
    store.each_audit(within, Box::new(visit)).await?;
    gathered.end()
}
