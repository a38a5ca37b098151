//! Keeps everything in memory, which several nodes share: the least that does what the traits demand, for tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, pending, ready};
use uuid::Uuid;

use super::{
    AnswerStore, Commit, LedgerStore, RecordStore, Reserve, ReserveError, Row, RowKey, Settlement, Standing,
    StoreError, Table, Upkeep, VisitAnswer, VisitRow, WriteBatch,
};

/// Is one node's way to what all nodes share.
#[derive(Debug)]
pub(super) struct Memory {
    node: usize,
    shared: Arc<Mutex<Shared>>,
    is_closed: AtomicBool,
}

/// Holds what all nodes share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    answers: BTreeMap<String, Vec<u8>>,
    spent: BTreeMap<RowKey, i64>,
    /// Reservations by node and id.
    open: BTreeMap<(usize, Uuid), serde_json::Value>,
    audit: BTreeMap<(i64, Uuid), serde_json::Value>,
    rows: BTreeMap<(Table, String), (i64, Vec<u8>)>,
    tokens: BTreeMap<String, Vec<u8>>,
    meta: BTreeMap<&'static str, Vec<u8>>,
}

impl Memory {
    /// Starts a node. What a node of this number had reserved and not settled is charged; the other nodes' reservations are theirs.
    pub(super) fn start(node: usize, shared: Arc<Mutex<Shared>>) -> Self {
        let memory = Self {
            node,
            shared,
            is_closed: AtomicBool::new(false),
        };
        memory.shared().charge(node);
        memory
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, write: impl FnOnce(&mut Shared)) -> BoxFuture<'_, Result<(), StoreError>> {
        let is_closed = self.is_closed.load(Ordering::Acquire);
        let written = if is_closed {
            Err(StoreError::Closed)
        } else {
            write(&mut self.shared());
            Ok(())
        };
        ready(written).boxed()
    }
}

impl Shared {
    fn charge(&mut self, node: usize) {
        let open = std::mem::take(&mut self.open);
        for ((owner, id), mut spend) in open {
            if owner != node {
                self.open.insert((owner, id), spend);
                continue;
            }
            let at = spend.get("at_us").and_then(serde_json::Value::as_i64);
            if let Some(fields) = spend.as_object_mut() {
                fields.insert(
                    "settled".to_owned(),
                    "found open at start; charged in full".into(),
                );
            }
            self.audit.insert((at.unwrap_or(0), id), spend);
        }
    }

    fn used(&self, key: &str) -> i64 {
        self.spent.get(key).copied().unwrap_or(0)
    }

    fn reserve(&mut self, node: usize, asked: Reserve) -> Result<(), ReserveError> {
        if self.open.contains_key(&(node, asked.id)) {
            return Ok(());
        }
        for (index, line) in asked.lines.iter().enumerate() {
            let counted = self.used(&line.key).max(line.floor);
            if line.amount > 0 && line.limit.is_some_and(|limit| counted + line.amount > limit) {
                return Err(ReserveError::Exhausted(index, counted));
            }
        }
        for line in asked.lines {
            *self.spent.entry(line.key).or_default() += line.amount;
        }
        self.open.insert((node, asked.id), asked.spend);
        if let Some(known) = asked.known {
            self.meta.insert("latest", known.to_le_bytes().to_vec());
        }
        Ok(())
    }

    fn commit(&mut self, node: usize, batch: WriteBatch) {
        for settlement in batch.settlements {
            self.settle(node, settlement);
        }
        for (key, value) in batch.answers {
            put(&mut self.answers, key, value);
        }
        self.rows.retain(|key, _| !batch.gone.contains(key));
        let rows = batch.rows.into_iter();
        self.rows
            .extend(rows.map(|row| ((row.shelf, row.key), (row.until_us, row.value))));
        for (id, value) in batch.tokens {
            put(&mut self.tokens, id, value);
        }
        self.meta.extend(batch.meta);
        let audit = batch.audit.into_iter();
        self.audit
            .extend(audit.map(|entry| ((entry.at, entry.id), entry.row)));
    }

    fn settle(&mut self, node: usize, settlement: Settlement) {
        if self.open.remove(&(node, settlement.id)).is_none() {
            return;
        }
        for (key, back) in settlement.refunds {
            *self.spent.entry(key).or_default() -= back;
        }
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

    fn standing(&self) -> BoxFuture<'_, Standing> {
        ready(Standing {
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
}

impl Commit for Memory {
    fn commit(&self, batch: WriteBatch) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(|shared| shared.commit(self.node, batch))
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
        drop(self.write(|shared| reserved = shared.reserve(self.node, reserve)));
        ready(reserved).boxed()
    }

    fn settle(&self, settlement: Settlement) {
        drop(self.write(|shared| shared.settle(self.node, settlement)));
    }

    fn spent(&self, key: &str) -> i64 {
        self.shared().used(key)
    }

    fn spent_under(&self, prefix: &str) -> Vec<(RowKey, i64)> {
        let shared = self.shared();
        let rows = shared.spent.iter().filter(|(key, _)| key.starts_with(prefix));
        rows.map(|(key, used)| (key.clone(), *used)).collect()
    }

    fn audit(&self, most: usize) -> BoxFuture<'_, Result<Vec<serde_json::Value>, StoreError>> {
        let newest = self.shared().audit.values().rev().take(most).cloned().collect();
        ready(Ok(newest)).boxed()
    }

    fn forget_before(&self, at: i64) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(|shared| shared.audit.retain(|(then, _), _| *then >= at))
    }
}

impl RecordStore for Memory {
    fn row(&self, shelf: Table, key: &str, now_us: i64) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        let shared = self.shared();
        let found = shared.rows.get(&(shelf, key.to_owned()));
        let kept = found.filter(|(until_us, _)| *until_us > now_us);
        let row = kept.map(|(until_us, value)| Row {
            shelf,
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
        self.write(|shared| shared.rows.retain(|_, (until_us, _)| *until_us > now_us))
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
