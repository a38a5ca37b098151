//! Keeps everything in memory, which several nodes share: the least that does what the traits demand, for tests.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, pending, ready};
use uuid::Uuid;

use super::changes::ChangeLog;
use super::{
    AnswerStore, Backup, BackupError, BackupTarget, ChangeStore, Changes, Claimed, Commit, Fence, Lease,
    LeaseStore, LedgerStore, RecordStore, Reserve, ReserveError, Row, RowKey, Settlement, SpendStore,
    StoreError, StoreHealth, Table, Upkeep, Version, VisitAnswer, VisitAudit, VisitRollup, VisitRow,
    WriteBatch,
};
use crate::spend::{Rollup, Rollups, add_to, audited, month_of, retention};

/// Is one node's way to what all nodes share.
#[derive(Debug)]
pub(super) struct Memory {
    node: Uuid,
    shared: Arc<Mutex<Shared>>,
    is_closed: AtomicBool,
}

/// Holds what all nodes share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    answers: BTreeMap<String, Vec<u8>>,
    spent: BTreeMap<RowKey, i64>,
    /// Reservations by their ids, with the nodes that made them.
    open: BTreeMap<Uuid, (Uuid, serde_json::Value)>,
    audit: BTreeMap<(i64, Uuid), serde_json::Value>,
    rows: BTreeMap<(Table, String), (i64, Vec<u8>)>,
    tokens: BTreeMap<String, Vec<u8>>,
    meta: BTreeMap<&'static str, Vec<u8>>,
    /// Who spent what, in rows of 15 minutes and of months.
    quarters: Rollups,
    months: Rollups,
    /// Leases by name: the fence, the holder, and until when.
    leases: BTreeMap<String, (Fence, Uuid, i64)>,
    changes: ChangeLog,
    /// How many nodes and leases were named so far.
    named: u128,
}

impl Memory {
    /// Starts a node in the place of one that ended: what that had reserved and not settled is charged, and its leases end. The
    /// other nodes' reservations and leases are theirs.
    pub(super) fn start(ended: Option<Uuid>, shared: Arc<Mutex<Shared>>) -> Self {
        let node = {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(ended) = ended {
                shared.charge(ended);
                shared.leases.retain(|_, (_, holder, _)| *holder != ended);
            }
            shared.name()
        };
        Self {
            node,
            shared,
            is_closed: AtomicBool::new(false),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Shared) -> T,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        let is_closed = self.is_closed.load(Ordering::Acquire);
        let written = if is_closed {
            Err(StoreError::Closed)
        } else {
            Ok(write(&mut self.shared()))
        };
        ready(written).boxed()
    }
}

impl Shared {
    /// Makes an id that was not there before.
    fn name(&mut self) -> Uuid {
        self.named += 1;
        Uuid::from_u128(self.named)
    }

    fn charge(&mut self, node: Uuid) {
        let own = self.open.extract_if(.., |_, (owner, _)| *owner == node);
        let own: Vec<_> = own.collect();
        for (id, (_, mut spend)) in own {
            let at = spend.get("at_us").and_then(serde_json::Value::as_i64);
            if let Some(fields) = spend.as_object_mut() {
                fields.insert(
                    "settled".to_owned(),
                    "found open at start; charged in full".into(),
                );
            }
            self.sum(at.unwrap_or(0), &spend);
            self.audit.insert((at.unwrap_or(0), id), spend);
        }
    }

    fn sum(&mut self, at_us: i64, row: &serde_json::Value) {
        if let Some(told) = audited(at_us, row) {
            add_to(&mut self.quarters, told.rollup);
        }
    }

    fn forget_before(&mut self, at_us: i64) {
        self.audit.retain(|(then, _), _| *then >= at_us);
        let (quarters_from, months_from) = retention(at_us);
        let old = self
            .quarters
            .extract_if(.., |(start, _), _| *start < quarters_from);
        for ((start, key), columns) in old {
            let start = month_of(start);
            add_to(&mut self.months, Rollup { start, key, columns });
        }
        self.months.retain(|(start, _), _| *start >= months_from);
    }

    fn used(&self, key: &str) -> i64 {
        self.spent.get(key).copied().unwrap_or(0)
    }

    fn reserve(&mut self, asked: Reserve) -> Result<(), ReserveError> {
        if self.open.contains_key(&asked.id) {
            return Ok(());
        }
        if asked.lease.is_some_and(|lease| !self.is_held(&lease)) {
            return Err(ReserveError::Fenced);
        }
        let mut spent = self.spent.clone();
        for (index, line) in asked.lines.into_iter().enumerate() {
            let used = spent.entry(line.key).or_default();
            let counted = line.floor.max(*used);
            if line.amount > 0
                && line
                    .limit
                    .is_some_and(|limit| counted.saturating_add(line.amount) > limit)
            {
                return Err(ReserveError::Exhausted(index, counted));
            }
            *used = used.saturating_add(line.amount);
        }
        self.spent = spent;
        self.open.insert(asked.id, (asked.node, asked.spend));
        if let Some(known) = asked.known {
            self.meta.insert("latest", known.to_le_bytes().to_vec());
        }
        Ok(())
    }

    fn is_held(&self, lease: &Lease) -> bool {
        let held = self.leases.get(&lease.name);
        held.is_some_and(|(fence, ..)| *fence == lease.fence)
    }

    fn claim(&mut self, name: String, holder: Uuid, now_us: i64, until_us: i64) -> Claimed {
        let held = self.leases.get(&name).map(|(_, _, until_us)| *until_us);
        if let Some(until_us) = held.filter(|until_us| *until_us > now_us) {
            return Claimed::Theirs(until_us);
        }
        let fence = Fence(self.name());
        self.leases.insert(name, (fence, holder, until_us));
        Claimed::Mine(fence)
    }

    fn commit(&mut self, batch: WriteBatch) {
        self.changes.add(batch.changed());
        for settlement in batch.settlements {
            self.settle(settlement);
        }
        for (key, value) in batch.answers {
            put(&mut self.answers, key, value);
        }
        self.rows.retain(|key, _| !batch.gone.contains(key));
        let rows = batch.rows.into_iter();
        self.rows
            .extend(rows.map(|row| ((row.table, row.key), (row.until_us, row.value))));
        for (id, value) in batch.tokens {
            put(&mut self.tokens, id, value);
        }
        self.meta.extend(batch.meta);
        let audit = batch.audit.into_iter();
        self.audit
            .extend(audit.map(|entry| ((entry.at, entry.id), entry.row)));
    }

    fn settle(&mut self, settlement: Settlement) {
        if self.open.remove(&settlement.id).is_none() {
            return;
        }
        for (key, back) in settlement.refunds {
            let used = self.spent.entry(key).or_default();
            *used = used.saturating_sub(back);
        }
        self.sum(settlement.at, &settlement.spend);
        let key = (settlement.at, settlement.id);
        self.audit.insert(key, settlement.spend);
    }
}

fn put(table: &mut BTreeMap<String, Vec<u8>>, key: String, value: Option<Vec<u8>>) {
    match value {
        Some(value) => table.insert(key, value),
        None => table.remove(&key),
    };
}

impl Upkeep for Memory {
    fn path(&self) -> &Path {
        Path::new("memory")
    }

    fn secret(&self) -> &[u8; 32] {
        &[7; 32]
    }

    fn node(&self) -> Uuid {
        self.node
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.is_closed.store(true, Ordering::Release);
        ready(()).boxed()
    }

    fn keep_free(&self, _bytes: u64) {}

    fn is_well(&self) -> bool {
        true
    }

    fn standing(&self) -> BoxFuture<'_, StoreHealth> {
        ready(StoreHealth {
            free: None,
            failed: 0,
            reopened: 0,
            written_anew: 0,
            is_well: true,
        })
        .boxed()
    }

    fn prove(&self, _now: Duration) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(|_| {})
    }

    fn broken(&self) -> BoxFuture<'_, StoreError> {
        pending().boxed()
    }

    fn compact(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(|_| {})
    }

    fn back_up(&self, _to: BackupTarget) -> BoxFuture<'_, Result<Backup, BackupError>> {
        ready(Err(BackupError::Store(StoreError::Closed))).boxed()
    }
}

impl Commit for Memory {
    fn commit(&self, batch: WriteBatch) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(|shared| shared.commit(batch))
    }
}

impl AnswerStore for Memory {
    fn answer(&self, key: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        ready(Ok(self.shared().answers.get(key).cloned())).boxed()
    }

    fn each_answer(&self, mut visit: VisitAnswer) -> BoxFuture<'_, Result<(), StoreError>> {
        for (key, value) in &self.shared().answers {
            visit(key, value);
        }
        ready(Ok(())).boxed()
    }

    fn put_answer(&self, key: String, value: Vec<u8>) -> BoxFuture<'_, ()> {
        self.commit(WriteBatch::answer(key, value)).map(drop).boxed()
    }
}

impl LedgerStore for Memory {
    fn reserve(&self, reserve: Reserve) -> BoxFuture<'_, Result<(), ReserveError>> {
        let closed = || Err(ReserveError::Store(StoreError::Closed.to_string()));
        let mut reserved = closed();
        drop(self.write(|shared| reserved = shared.reserve(reserve)));
        ready(reserved).boxed()
    }

    fn settle(&self, settlement: Settlement) {
        drop(self.write(|shared| shared.settle(settlement)));
    }

    fn spent(&self, key: &str) -> i64 {
        self.shared().used(key)
    }

    fn spent_under(&self, prefix: &str) -> Vec<(RowKey, i64)> {
        let shared = self.shared();
        let rows = shared.spent.iter().filter(|(key, _)| key.starts_with(prefix));
        rows.map(|(key, used)| (key.clone(), *used)).collect()
    }

    fn audit(&self, max: usize) -> BoxFuture<'_, Result<Vec<serde_json::Value>, StoreError>> {
        let newest = self.shared().audit.values().rev().take(max).cloned().collect();
        ready(Ok(newest)).boxed()
    }

    fn forget_before(&self, at: i64) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(|shared| shared.forget_before(at))
    }
}

impl SpendStore for Memory {
    fn note_rollups(&self, rows: Vec<Rollup>) {
        drop(self.write(|shared| rows.into_iter().for_each(|row| add_to(&mut shared.quarters, row))));
    }

    fn each_rollup(
        &self,
        within: Range<i64>,
        mut visit: VisitRollup,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        let shared = self.shared();
        for ((start, key), columns) in shared.months.iter().chain(&shared.quarters) {
            if within.contains(start) {
                visit(&Rollup {
                    start: *start,
                    key: key.clone(),
                    columns: *columns,
                });
            }
        }
        ready(Ok(())).boxed()
    }

    fn each_audit(&self, within: Range<i64>, mut visit: VisitAudit) -> BoxFuture<'_, Result<(), StoreError>> {
        for ((at, _), row) in &self.shared().audit {
            if within.contains(at) && !visit(*at, row) {
                break;
            }
        }
        ready(Ok(())).boxed()
    }
}

impl RecordStore for Memory {
    fn row(&self, shelf: Table, key: &str, now_us: i64) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        let shared = self.shared();
        let found = shared.rows.get(&(shelf, key.to_owned()));
        let kept = found.filter(|(until_us, _)| *until_us > now_us);
        let row = kept.map(|(until_us, value)| Row {
            table: shelf,
            key: key.to_owned(),
            until_us: *until_us,
            value: value.clone(),
        });
        ready(Ok(row)).boxed()
    }

    fn each_row(
        &self,
        shelf: Table,
        now_us: i64,
        mut visit: VisitRow,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        for ((of, key), (until_us, value)) in &self.shared().rows {
            if *of == shelf && *until_us > now_us {
                visit(key, *until_us, value);
            }
        }
        ready(Ok(())).boxed()
    }

    fn sweep_rows(&self, now_us: i64) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(|shared| {
            shared.rows.retain(|_, (until_us, _)| *until_us > now_us);
            shared.leases.retain(|_, (_, _, until_us)| *until_us > now_us);
        })
    }

    fn tokens(&self) -> BoxFuture<'_, Result<Vec<Vec<u8>>, StoreError>> {
        ready(Ok(self.shared().tokens.values().cloned().collect())).boxed()
    }

    fn meta(&self, key: &'static str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        ready(Ok(self.shared().meta.get(key).cloned())).boxed()
    }

    fn note(&self, key: &'static str, value: Vec<u8>) {
        drop(self.commit(WriteBatch::meta(key, value)));
    }
}

impl LeaseStore for Memory {
    fn claim(
        &self,
        name: String,
        holder: Uuid,
        now_us: i64,
        until_us: i64,
    ) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        self.write(|shared| shared.claim(name, holder, now_us, until_us))
    }

    fn renew(&self, lease: Lease, until_us: i64) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.write(|shared| {
            let held = shared.leases.get_mut(&lease.name);
            let held = held.filter(|(fence, ..)| *fence == lease.fence);
            held.map(|held| held.2 = until_us).is_some()
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.write(|shared| shared.is_held(&lease) && shared.leases.remove(&lease.name).is_some())
    }
}

impl ChangeStore for Memory {
    fn version(&self) -> BoxFuture<'_, Result<Version, StoreError>> {
        ready(Ok(self.shared().changes.version())).boxed()
    }

    fn changes(&self, since: Version) -> BoxFuture<'_, Result<Changes, StoreError>> {
        ready(Ok(self.shared().changes.since(since))).boxed()
    }
}
