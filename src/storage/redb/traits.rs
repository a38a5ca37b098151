//! What others use of the store: reads on threads that may block, writes by the writer.

use std::ops::Range;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};
use futures_util::{FutureExt as _, TryFutureExt as _};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Store;
use super::job::Change;
use super::job::Job;
use super::job::JobResult;
use crate::spend::Rollup;
use crate::storage::{
    AnswerStore, Backup, BackupError, BackupTarget, ChangeStore, Changes, Claimed, Commit, Fence, Lease,
    LeaseStore, LedgerStore, RecordStore, Reserve, ReserveError, Row, RowKey, Settlement, SpendStore,
    StoreError, StoreHealth, Table, Upkeep, Version, VisitAnswer, VisitAudit, VisitRollup, VisitRow,
    WriteBatch,
};

impl Upkeep for Store {
    fn path(&self) -> &Path {
        &self.inner.location.path
    }

    fn secret(&self) -> &[u8; 32] {
        &self.inner.secret
    }

    fn node(&self) -> Uuid {
        self.inner.location.node
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        // Writing nothing rides behind everything that was handed over before.
        self.commit(WriteBatch::default()).map(drop).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {
            let (done, stopped) = oneshot::channel();
            self.inner.condition.close();
            if self.push(Job::Stop(done)).is_ok() {
                // A writer that is gone already has nothing left to write.
                drop(stopped.await);
            }
        }
        .boxed()
    }

    fn keep_free(&self, bytes: u64) {
        self.inner.condition.keep_free(bytes);
    }

    fn is_well(&self) -> bool {
        self.inner.condition.is_well()
    }

    fn standing(&self) -> BoxFuture<'_, StoreHealth> {
        async {
            let aside = self.read_aside(|store| Ok(store.look_at_condition())).await;
            aside.unwrap_or_else(|_| self.inner.condition.standing(None))
        }
        .boxed()
    }

    fn prove(&self, now: Duration) -> BoxFuture<'_, Result<(), StoreError>> {
        self.prove_writing(now).boxed()
    }

    fn broken(&self) -> BoxFuture<'_, StoreError> {
        self.until_broken().boxed()
    }

    fn compact(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(|done| Job::Compact { done }).boxed()
    }

    fn back_up(&self, to: BackupTarget) -> BoxFuture<'_, Result<Backup, BackupError>> {
        let store = self.clone();
        let written = tokio::task::spawn_blocking(move || store.write_backup(&to));
        let lost = |_| Err(BackupError::Store(StoreError::Closed));
        written.map(move |written| written.unwrap_or_else(lost)).boxed()
    }
}

impl Commit for Store {
    fn commit(&self, batch: WriteBatch) -> BoxFuture<'_, Result<(), StoreError>> {
        let job = |done| Job::Commit {
            batch,
            done: Some(done),
        };
        self.write(job).boxed()
    }
}

impl AnswerStore for Store {
    fn answer(&self, key: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        let key = key.to_owned();
        self.read_aside(move |store| store.read_answer(&key)).boxed()
    }

    fn each_answer(&self, visit: VisitAnswer) -> BoxFuture<'_, Result<(), StoreError>> {
        self.read_aside(move |store| store.walk_answers(visit)).boxed()
    }

    fn put_answer(&self, key: String, value: Vec<u8>) -> BoxFuture<'_, ()> {
        async {
            let job = Job::Commit {
                batch: WriteBatch::answer(key, value),
                done: None,
            };
            let handed = async { self.queue()?.hand_over(job).await };
            if handed.await.is_err() {
                tracing::warn!("the store closed before an answer was kept");
            }
        }
        .boxed()
    }
}

impl LedgerStore for Store {
    fn reserve(&self, reserve: Reserve) -> BoxFuture<'_, Result<(), ReserveError>> {
        async {
            let closed = |error: StoreError| ReserveError::Store(error.to_string());
            let (done, reserved) = oneshot::channel();
            let queue = self.queue().map_err(closed)?;
            let job = Job::Reserve { reserve, done };
            queue.hand_over(job).await.map_err(closed)?;
            reserved.await.map_err(|_| closed(StoreError::Closed))?
        }
        .boxed()
    }

    fn settle(&self, settlement: Settlement) {
        let id = settlement.id;
        if self.push(Job::Settle(settlement)).is_err() {
            tracing::warn!(
                reservation = %id,
                "the store closed before a settlement; the reservation stays charged"
            );
        }
    }

    fn spent(&self, key: &str) -> i64 {
        let spent = self.inner.spent.read().unwrap_or_else(PoisonError::into_inner);
        spent.get(key).copied().unwrap_or(0)
    }

    fn spent_under(&self, prefix: &str) -> Vec<(RowKey, i64)> {
        let spent = self.inner.spent.read().unwrap_or_else(PoisonError::into_inner);
        let mut rows: Vec<_> = spent
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, n)| (key.clone(), *n))
            .collect();
        rows.sort();
        rows
    }

    fn audit(&self, max: usize) -> BoxFuture<'_, Result<Vec<serde_json::Value>, StoreError>> {
        self.read_aside(move |store| store.read_audit(max)).boxed()
    }

    fn forget_before(&self, at: i64) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(move |done| Job::ForgetBefore { at, done }).boxed()
    }
}

impl SpendStore for Store {
    fn note_rollups(&self, rows: Vec<Rollup>) {
        let job = Job::NoteRollups {
            node: self.node(),
            number: self.inner.noted.fetch_add(1, Ordering::Relaxed),
            rows,
        };
        if self.push(job).is_err() {
            tracing::warn!("the store closed before what the cache saved and what budgets refused was kept");
        }
    }

    fn each_rollup(&self, within: Range<i64>, visit: VisitRollup) -> BoxFuture<'_, Result<(), StoreError>> {
        self.read_aside(move |store| store.walk_rollups(within, visit))
            .boxed()
    }

    fn each_audit(&self, within: Range<i64>, visit: VisitAudit) -> BoxFuture<'_, Result<(), StoreError>> {
        self.read_aside(move |store| store.walk_audit(within, visit))
            .boxed()
    }
}

impl RecordStore for Store {
    fn row(&self, table: Table, key: &str, now_us: i64) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        let key = key.to_owned();
        self.read_aside(move |store| store.read_row(table, &key, now_us))
            .boxed()
    }

    fn each_row(&self, table: Table, now_us: i64, visit: VisitRow) -> BoxFuture<'_, Result<(), StoreError>> {
        self.read_aside(move |store| store.walk_rows(table, now_us, visit))
            .boxed()
    }

    fn sweep_rows(&self, now_us: i64) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(move |done| Job::SweepRows { now_us, done }).boxed()
    }

    fn tokens(&self) -> BoxFuture<'_, Result<Vec<Vec<u8>>, StoreError>> {
        self.read_aside(Self::read_tokens).boxed()
    }

    fn meta(&self, key: &'static str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        self.read_aside(move |store| store.read_meta(key)).boxed()
    }

    fn note(&self, key: &'static str, value: Vec<u8>) {
        let job = Job::Commit {
            batch: WriteBatch::meta(key, value),
            done: None,
        };
        if self.push(job).is_err() {
            tracing::warn!(key, "the store closed before a value was kept");
        }
    }
}

impl LeaseStore for Store {
    fn claim(
        &self,
        name: String,
        holder: Uuid,
        now_us: i64,
        until_us: i64,
    ) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        async move {
            let fence = Fence(self.inner.location.random()?);
            let change = Change::Claim {
                holder,
                now_us,
                until_us,
            };
            Ok(match self.change_lease(Lease { name, fence }, change).await? {
                JobResult::Theirs(until_us) => Claimed::Theirs(until_us),
                _ => Claimed::Mine(fence),
            })
        }
        .boxed()
    }

    fn renew(&self, lease: Lease, until_us: i64) -> BoxFuture<'_, Result<bool, StoreError>> {
        let changed = self.change_lease(lease, Change::Renew(until_us));
        changed.map_ok(|applied| applied == JobResult::Whole).boxed()
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool, StoreError>> {
        let changed = self.change_lease(lease, Change::Release);
        changed.map_ok(|applied| applied == JobResult::Whole).boxed()
    }
}

impl ChangeStore for Store {
    fn version(&self) -> BoxFuture<'_, Result<Version, StoreError>> {
        let changes = self.inner.changes.read().unwrap_or_else(PoisonError::into_inner);
        ready(Ok(changes.version())).boxed()
    }

    fn changes(&self, since: Version) -> BoxFuture<'_, Result<Changes, StoreError>> {
        let changes = self.inner.changes.read().unwrap_or_else(PoisonError::into_inner);
        ready(Ok(changes.since(since))).boxed()
    }
}

impl Store {
    async fn change_lease(&self, lease: Lease, change: Change) -> Result<JobResult, StoreError> {
        let (done, changed) = oneshot::channel();
        let job = Job::Lease { lease, change, done };
        self.queue()?.hand_over(job).await?;
        changed.await.map_err(|_| StoreError::Closed)?
    }
}
