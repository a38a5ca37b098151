//! Keeps answers, the ledger and records, behind traits by purpose, so that what uses them does not know where they lie.
//!
//! [`redb`] is the embedded implementation: one file, one process. `memory` keeps everything in memory, for tests of what the
//! traits demand (`conformance`). What belongs together is written by one [`Commit::commit`]. The engine and the other
//! users of storage take the trait that they need, as `Arc<dyn ..>`; an implementation knows none of them.

use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use uuid::Uuid;

pub mod backup;
mod batch;
mod changes;
#[cfg(test)]
mod conformance;
mod error;
mod lease;
#[cfg(test)]
mod memory;
pub mod redb;
mod spend;

pub use backup::{Backup, BackupError, BackupTarget};
pub use batch::{AuditEntry, Commit, WriteBatch};
pub use changes::{ChangeStore, Changed, Changes, Version};
pub use error::StoreError;
pub use lease::{Claimed, Fence, Lease, LeaseStore};
pub use spend::{SpendStore, VisitAudit, VisitRollup, gather_audit, gather_rollups};

/// Names what a ledger row counts, and in which window; as the ledger writes them.
pub type RowKey = String;

/// Asks to add an amount to a row, unless that would pass the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The row.
    pub key: RowKey,
    /// How much to add.
    pub amount: i64,
    /// What the row may not pass; `None` only counts.
    pub limit: Option<i64>,
    /// What the vendor says was used; the higher of both numbers counts.
    pub floor: i64,
}

/// Asks to reserve all lines or none. Lines of the same row add up: each counts on top of those before it.
#[derive(Debug, Clone)]
pub struct Reserve {
    /// Names the reservation, as a `UUIDv7`; a reservation that is there is not made again.
    pub id: Uuid,
    /// The node that asks ([`Upkeep::node`]): its reservations are charged when it ends.
    pub node: Uuid,
    /// The lease that it goes by, where there is one: once another took its place, nothing is reserved.
    pub lease: Option<Lease>,
    /// What is added to which rows.
    pub lines: Vec<Line>,
    /// Who asked what, for the audit; a member `at_us` says when.
    pub spend: serde_json::Value,
    /// The time, unless the clock is not believed; microseconds since the epoch.
    pub known: Option<i64>,
}

/// Closes a reservation.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Names the reservation; one that is gone gives nothing back.
    pub id: Uuid,
    /// What is given back to which rows.
    pub refunds: Vec<(RowKey, i64)>,
    /// The audit row.
    pub spend: serde_json::Value,
    /// When that was, in microseconds since the epoch.
    pub at: i64,
}

/// Says which line of a reservation stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReserveError {
    /// This line would pass its limit; the second number is what is used.
    Exhausted(usize, i64),
    /// The lease that it goes by is not held any more.
    Fenced,
    /// The store did not take it.
    Store(String),
}

/// Names a table of rows that end by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Decisions, by tenant and id.
    Decisions,
    /// Replies by what names their request.
    Replies,
    /// What people said, by tenant and indicator.
    Feedback,
    /// When and from where tokens were last used, by their ids.
    TokenUses,
}

impl Table {
    /// Lists all of them.
    pub(crate) const ALL: [Self; 4] = [Self::Decisions, Self::Replies, Self::Feedback, Self::TokenUses];
}

/// Is a row: until when it is kept, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which table.
    pub table: Table,
    /// Its key.
    pub key: String,
    /// Until when it is kept, in microseconds since 1970; a time that is past removes it.
    pub until_us: i64,
    /// What it holds.
    pub value: Vec<u8>,
}

/// Says how the store stands, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreHealth {
    /// Free bytes of its disk; `None` where there is none, or the file system does not say.
    pub free: Option<u64>,
    /// Writes that failed or were refused.
    pub failed: u64,
    /// How often the file was opened again after a failure.
    pub reopened: u64,
    /// How often the file was written anew, since it had been removed.
    pub written_anew: u64,
    /// Whether everything can be written.
    pub is_well: bool,
}

/// Looks at an answer: its key and its bytes.
pub type VisitAnswer = Box<dyn FnMut(&str, &[u8]) + Send>;
/// Looks at a row: its key, its end and its value.
pub type VisitRow = Box<dyn FnMut(&str, i64, &[u8]) + Send>;

/// Is what every part of the store has: how it stands, and when it is closed.
pub trait Upkeep: Debug + Send + Sync + 'static {
    /// Returns where the store lies.
    fn path(&self) -> &Path;

    /// Returns the secret of this store, for keyed hashes; it never leaves the process.
    fn secret(&self) -> &[u8; 32];

    /// Names this process's use of the store: an id that is made anew whenever the store is opened.
    fn node(&self) -> Uuid;

    /// Waits until everything handed over so far is on disk.
    fn settled(&self) -> BoxFuture<'_, ()>;

    /// Waits until everything handed over so far is on disk, and takes no more.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// Keeps so many bytes of the disk free from now on: below, what takes room is refused. 0 does not look.
    fn keep_free(&self, bytes: u64);

    /// Tells whether everything can be written.
    fn is_well(&self) -> bool;

    /// Returns how the store stands.
    fn standing(&self) -> BoxFuture<'_, StoreHealth>;

    /// Proves that the store can be written, at `now` of a clock that never goes back: by a write, unless another proved
    /// it within a second and nothing failed since. Fails where the store cannot be written.
    fn prove(&self, now: Duration) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Resolves once this process cannot use the store any more, with the reason. A supervisor's restart then says the same,
    /// or heals it.
    fn broken(&self) -> BoxFuture<'_, StoreError>;

    /// Gives room that is not used back to the disk, where that is nearly full.
    fn compact(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Writes a copy of the whole store as it is at one moment, while readers and writers go on. Nothing is left at its path
    /// unless it is whole.
    fn back_up(&self, to: BackupTarget) -> BoxFuture<'_, Result<Backup, BackupError>>;
}

/// Keeps answers by their keys.
pub trait AnswerStore: Commit {
    /// Reads an answer.
    fn answer(&self, key: &str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>>;

    /// Walks all answers, in the order of their keys; see [`gather_answers`].
    fn each_answer(&self, visit: VisitAnswer) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Hands an answer over, and does not wait for the disk.
    fn put_answer(&self, key: String, value: Vec<u8>) -> BoxFuture<'_, ()>;

    /// Stores an answer and returns when it is on disk.
    fn put_answer_now(&self, key: String, value: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.commit(WriteBatch::answer(key, value))
    }

    /// Removes answers, and returns when that is on disk.
    fn drop_answers(&self, keys: Vec<String>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.commit(WriteBatch {
            answers: keys.into_iter().map(|key| (key, None)).collect(),
            ..WriteBatch::default()
        })
    }
}

/// Keeps what is spent, with the audit.
pub trait LedgerStore: SpendStore {
    /// Reserves all lines or none, on disk before it returns.
    fn reserve(&self, reserve: Reserve) -> BoxFuture<'_, Result<(), ReserveError>>;

    /// Closes a reservation: gives back what was not spent and writes the audit row. Rides with the next commit. Never waits: no
    /// more settlements come than reservations were let in.
    fn settle(&self, settlement: Settlement);

    /// Returns what a row has, as this process last knew it. Reads memory only.
    fn spent(&self, key: &str) -> i64;

    /// Returns all rows that start with `prefix`, sorted, as this process last knew them. Reads memory only.
    fn spent_under(&self, prefix: &str) -> Vec<(RowKey, i64)>;

    /// Returns the newest audit rows, newest first, at most `max`.
    fn audit(&self, max: usize) -> BoxFuture<'_, Result<Vec<serde_json::Value>, StoreError>>;

    /// Removes audit rows from before `at`, microseconds since the epoch, and makes rows of months of old sums; see [`SpendStore`].
    fn forget_before(&self, at: i64) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Keeps rows that end by themselves, client tokens, and values about the store itself.
pub trait RecordStore: Commit {
    /// Reads a row that is still kept at `now_us`.
    fn row(&self, shelf: Table, key: &str, now_us: i64) -> BoxFuture<'_, Result<Option<Row>, StoreError>>;

    /// Walks all rows of a table that are still kept at `now_us`, in the order of their keys; see [`gather_rows`].
    fn each_row(&self, shelf: Table, now_us: i64, visit: VisitRow) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Removes rows and puts others, all or none, and returns when that is on disk.
    fn swap_rows(&self, rows: Vec<Row>, gone: Vec<(Table, String)>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.commit(WriteBatch {
            gone,
            rows,
            ..WriteBatch::default()
        })
    }

    /// Removes the rows of all tables that are not kept any more at `now_us`, and leases that ended before.
    fn sweep_rows(&self, now_us: i64) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Reads all tokens, each as it was put.
    fn tokens(&self) -> BoxFuture<'_, Result<Vec<Vec<u8>>, StoreError>>;

    /// Puts a token, or removes it, and returns when that is on disk.
    fn put_token(&self, id: String, value: Option<Vec<u8>>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.commit(WriteBatch {
            tokens: vec![(id, value)],
            ..WriteBatch::default()
        })
    }

    /// Reads a value about the store.
    fn meta(&self, key: &'static str) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>>;

    /// Hands a value about the store over, and does not wait for the disk.
    fn note(&self, key: &'static str, value: Vec<u8>);
}

/// Is a whole store: what a process opens and shares.
pub trait Storage: AnswerStore + LedgerStore + RecordStore + LeaseStore + ChangeStore {}

impl<T: AnswerStore + LedgerStore + RecordStore + LeaseStore + ChangeStore> Storage for T {}

/// Walks all answers of a store, and returns what was gathered.
///
/// # Errors
/// [`StoreError`] where the store cannot be read.
pub async fn gather_answers<T: Send + 'static>(
    store: &dyn AnswerStore,
    start: T,
    mut visit: impl FnMut(&mut T, &str, &[u8]) + Send + 'static,
) -> Result<T, StoreError> {
    let (mut gathering, gathered) = WalkResult::new(start);
    let visit = move |key: &str, value: &[u8]| {
        gathering.with(|found| visit(found, key, value));
    };
    store.each_answer(Box::new(visit)).await?;
    gathered.end()
}

/// Walks all rows of a table that are still kept at `now_us`, and returns what was gathered.
///
/// # Errors
/// [`StoreError`] where the store cannot be read.
pub async fn gather_rows<T: Send + 'static>(
    store: &dyn RecordStore,
    (shelf, now_us): (Table, i64),
    start: T,
    mut visit: impl FnMut(&mut T, &str, i64, &[u8]) + Send + 'static,
) -> Result<T, StoreError> {
    let (mut gathering, gathered) = WalkResult::new(start);
    let visit = move |key: &str, until_us: i64, value: &[u8]| {
        gathering.with(|found| visit(found, key, until_us, value));
    };
    store.each_row(shelf, now_us, Box::new(visit)).await?;
    gathered.end()
}

/// Holds what a walk gathers on another thread; its clone takes that when the walk is over.
struct WalkResult<T>(Arc<Mutex<Option<T>>>);

impl<T> WalkResult<T> {
    fn new(start: T) -> (Self, Self) {
        let shared = Arc::new(Mutex::new(Some(start)));
        (Self(Arc::clone(&shared)), Self(shared))
    }

    fn with<R>(&mut self, visit: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.as_mut().map(visit)
    }

    fn end(self) -> Result<T, StoreError> {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.take().ok_or(StoreError::Closed)
    }
}
