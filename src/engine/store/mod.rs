//! Keeps ledger, tokens, answers and decisions in one redb file, behind one writer that commits for all waiters together.
//!
//! `disk` reaches the file, `opening` opens it, `tables` declares its layout. `writer` takes jobs (`job`), commits them and opens
//! the file again after a failure; `apply` does what they ask for, `condition` says how the store stands. `reads` reads,
//! `rows` are those that end by themselves.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, mpsc};

use redb::Database;
use tokio::sync::oneshot;

mod apply;
mod condition;
mod disk;
pub mod failing;
mod job;
mod opening;
mod reads;
mod rows;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use condition::Condition;
pub use condition::Standing;
pub use disk::{Disk, Identity, Machine};
use job::{Done, Job};
pub(crate) use job::{Line, ReserveError};
use opening::{Moment, Site};
pub use rows::{Row, Shelf};
use tables::LAYOUT;
use writer::Writer;

/// Says why the store could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process owns the file.
    #[error("{} is in use by another pivotd; stop it, or let it answer through its control socket", .0.display())]
    Locked(PathBuf),
    /// The file was made by a newer pivotd.
    #[error("{} has layout {found}, this pivotd reads up to {LAYOUT}; use the newer pivotd", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u64,
    },
    /// The file is there and holds nothing.
    #[error(
        "{} is empty (0 bytes): it holds no ledger, no tokens and no decisions, and a new store would forget them; put a \
         copy of the store back, or let `pivotd serve --new` begin a new one",
        .0.display()
    )]
    Empty(PathBuf),
    /// The file is damaged.
    #[error(
        "{} is damaged ({reason}); put a copy of the store back, or move the file away to begin a new one, without ledger, \
         tokens and decisions",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk is nearly full.
    #[error(
        "the disk of {} has {} free, and store.min_free keeps {} free: make room there, or lower it",
        path.display(), bytes(*free), bytes(*least)
    )]
    Full {
        /// The file.
        path: PathBuf,
        /// Free bytes.
        free: u64,
        /// What must stay free.
        least: u64,
    },
    /// Another file lies where the store was.
    #[error(
        "{} was replaced while the server ran, and another file is not mixed with what the server knows; stop the server \
         before a store is put back, and start it again",
        .0.display()
    )]
    Replaced(PathBuf),
    /// The file cannot be written for now.
    #[error("{0}; it is opened again as soon as its disk takes writes")]
    Down(Box<StoreError>),
    /// The file could not be read or written.
    #[error("the store at {}: {reason}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The writer is gone.
    #[error("the store is closed")]
    Closed,
}

/// Writes a number of bytes for people.
fn bytes(bytes: u64) -> String {
    let mib = bytes >> 20;
    if mib > 0 {
        format!("{mib} MiB")
    } else {
        format!("{} KiB", bytes >> 10)
    }
}

/// Says how a store is opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// redb's own cache in bytes.
    pub page_cache: usize,
    /// Bytes of the disk that stay free: below, what takes room is refused. 0 does not look.
    pub min_free: u64,
    /// Whether an empty file is replaced by a new store.
    pub replaces_empty: bool,
    /// The disk.
    pub disk: Arc<dyn Disk>,
}

/// Names what a ledger row counts, and in which window; see [`super::ledger`].
pub type RowKey = String;

/// Shares the store. Reads go straight to the file; writes go through the writer.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Holds the database; none while it is opened again.
#[derive(Debug)]
struct Held(RwLock<Option<Database>>);

#[derive(Debug)]
struct Inner {
    site: Site,
    held: Arc<Held>,
    condition: Arc<Condition>,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<std::thread::JoinHandle<()>>,
    spent: Arc<RwLock<HashMap<RowKey, i64>>>,
    secret: [u8; 32],
}

impl Drop for Inner {
    /// Lets the writer finish, so that the file is free when the last handle is gone.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer failed");
        }
    }
}

impl Store {
    /// Opens `pivotd.redb` in `folder`, makes it where it is missing (mode 0600), and settles as
    /// charged what a crash left open.
    ///
    /// `page_cache` is redb's own cache in bytes.
    ///
    /// # Errors
    /// [`StoreError`] where the file is in use, newer, empty or damaged, or cannot be read or written.
    pub fn open(folder: &Path, page_cache: usize) -> Result<Self, StoreError> {
        let opening = Opening {
            page_cache,
            ..Opening::default()
        };
        Self::open_as(folder, &opening)
    }

    /// Opens the store as [`Store::open`] does, otherwise.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_as(folder: &Path, opening: &Opening) -> Result<Self, StoreError> {
        let site = Site::new(folder, opening);
        site.make(opening.replaces_empty)?;
        let (database, opened, anchor) = site.open(Moment::Start)?;
        let held = Arc::new(Held::new(database));
        let spent = Arc::new(RwLock::new(opened.spent));
        let condition = Arc::new(Condition::default());
        let (jobs, queue) = mpsc::channel();
        let writer = Writer {
            site: site.clone(),
            held: Arc::clone(&held),
            spent: Arc::clone(&spent),
            secret: opened.secret,
            condition: Arc::clone(&condition),
            unsettled: Vec::new(),
            anchor: Some(anchor),
        };
        let thread = std::thread::Builder::new()
            .name("pivotd-store".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(|error| site.failed(&error))?;
        let store = Self {
            inner: Arc::new(Inner {
                site,
                held,
                condition,
                jobs: Some(jobs),
                writer: Some(thread),
                spent,
                secret: opened.secret,
            }),
        };
        store.keep_free(opening.min_free);
        Ok(store)
    }

    /// Tells whether a folder holds the file of a store.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        folder.join(opening::FILE).exists()
    }

    /// Says what would keep [`Store::open_as`] from opening the store, without changing anything; returns whether the store
    /// holds a token, `None` where there is no store yet.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn look(folder: &Path, opening: &Opening) -> Result<Option<bool>, StoreError> {
        Site::new(folder, opening).look(opening.replaces_empty)
    }

    /// Returns where the store lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.site.path
    }

    /// Returns the secret of this data directory, for keyed hashes; it never leaves the process.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        &self.inner.secret
    }

    /// Waits until everything handed over so far is on disk.
    pub async fn settled(&self) {
        // Writing nothing rides behind everything that was handed over before.
        drop(self.drop_answers(Vec::new()).await);
    }

    /// Waits until everything handed over so far is on disk, and stops the writer.
    pub async fn close(&self) {
        let (done, stopped) = oneshot::channel();
        if self.send(Job::Stop(done)).is_ok() {
            // A writer that is gone already has nothing left to write.
            drop(stopped.await);
        }
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        self.inner
            .jobs
            .as_ref()
            .and_then(|jobs| jobs.send(job).ok())
            .ok_or(StoreError::Closed)
    }

    async fn written(&self, done: oneshot::Receiver<Result<(), StoreError>>) -> Result<(), StoreError> {
        done.await.map_err(|_| StoreError::Closed)?
    }

    /// Hands a job over, and waits until it is on disk.
    async fn write(&self, job: impl FnOnce(Done) -> Job) -> Result<(), StoreError> {
        let (done, written) = oneshot::channel();
        self.send(job(done))?;
        self.written(written).await
    }

    /// Reserves all lines or none, on disk before it returns, with the time where that is known.
    pub(crate) async fn reserve(
        &self,
        id: u64,
        lines: Vec<Line>,
        spend: serde_json::Value,
        known: Option<i64>,
    ) -> Result<(), ReserveError> {
        let (done, reserved) = oneshot::channel();
        let closed = || ReserveError::Store(StoreError::Closed.to_string());
        self.send(Job::Reserve {
            id,
            lines,
            spend,
            known,
            done,
        })
        .map_err(|_| closed())?;
        reserved.await.map_err(|_| closed())?
    }

    /// Closes a reservation: gives back what was not spent and writes the audit row. Rides with the next commit.
    pub(crate) fn settle(&self, id: u64, refunds: Vec<(RowKey, i64)>, spend: serde_json::Value, at: i64) {
        if self
            .send(Job::Settle {
                id,
                refunds,
                spend,
                at,
            })
            .is_err()
        {
            tracing::warn!(
                reservation = id,
                "the store closed before a settlement; the reservation stays charged"
            );
        }
    }

    /// Returns what a row has.
    #[must_use]
    pub fn spent(&self, key: &str) -> i64 {
        self.inner
            .spent
            .read()
            .map_or(0, |spent| spent.get(key).copied().unwrap_or(0))
    }

    /// Returns all rows that start with `prefix`, sorted.
    #[must_use]
    pub fn spent_under(&self, prefix: &str) -> Vec<(RowKey, i64)> {
        let Ok(spent) = self.inner.spent.read() else {
            return Vec::new();
        };
        let mut rows: Vec<_> = spent
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, n)| (key.clone(), *n))
            .collect();
        rows.sort();
        rows
    }

    /// Stores an answer soon, without waiting for the disk.
    pub(crate) fn put_answer(&self, key: String, value: Vec<u8>) {
        if self
            .send(Job::PutAnswer {
                key,
                value,
                done: None,
            })
            .is_err()
        {
            tracing::warn!("the store closed before an answer was kept");
        }
    }

    /// Stores an answer and returns when it is on disk.
    pub(crate) async fn put_answer_now(&self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        let (done, written) = oneshot::channel();
        self.send(Job::PutAnswer {
            key,
            value,
            done: Some(done),
        })?;
        self.written(written).await
    }

    /// Removes answers.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn drop_answers(&self, keys: Vec<String>) -> Result<(), StoreError> {
        self.write(|done| Job::DropAnswers { keys, done }).await
    }

    /// Puts a token, or removes it.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn put_token(&self, id: String, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        self.write(|done| Job::PutToken { id, value, done }).await
    }

    /// Removes audit rows from before `at`, microseconds since the epoch.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn forget_before(&self, at: i64) -> Result<(), StoreError> {
        self.write(|done| Job::ForgetBefore { at, done }).await
    }

    /// Puts a value of the meta table.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn put_meta(&self, key: &'static str, value: Vec<u8>) -> Result<(), StoreError> {
        self.write(|done| Job::PutMeta { key, value, done }).await
    }

    /// Puts a value of the meta table soon, without waiting for the disk.
    pub(crate) fn note(&self, key: &'static str, value: Vec<u8>) {
        let (done, _) = oneshot::channel();
        if self.send(Job::PutMeta { key, value, done }).is_err() {
            tracing::warn!(key, "the store closed before a value was kept");
        }
    }

    /// Gives room within the file back to its disk, where that is nearly full.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn compact(&self) -> Result<(), StoreError> {
        self.write(|done| Job::Compact { done }).await
    }
}
