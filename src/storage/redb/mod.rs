//! Keeps ledger, tokens, answers and decisions in one redb file, behind one writer that commits for all waiters together.
//!
//! `disk` reaches the file, `opening` opens it, `prepare` makes its tables, whose layout `tables` declares and to which `migration`
//! brings older ones. `writer` takes jobs (`job`), commits them and opens the file again after a failure; `queue` bounds those that
//! wait, `apply` does what they ask for, `condition` says how the store stands. `reads` reads, `leases` are leases of names, `audit`
//! is the form of audit rows, `rollups` sums them, `rows` are those that end by themselves. `backup` writes and verifies copies,
//! `restore` puts one in the place of the store. `traits` is what others use of it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

use redb::Database;
use tokio::sync::oneshot;

mod apply;
mod audit;
mod backup;
mod condition;
mod disk;
pub mod failing;
mod job;
mod leases;
mod migration;
mod opening;
mod prepare;
mod queue;
mod reads;
pub mod restore;
mod rollups;
mod rows;
mod tables;
#[cfg(test)]
mod tests;
mod traits;
mod writer;

use super::changes::ChangeLog;
use super::{RowKey, StoreError};
pub use backup::verify;
use condition::Condition;
pub use disk::{Disk, Identity, SystemDisk};
use job::{Completion, Job};
use opening::Location;
use queue::Queue;
#[cfg(test)]
pub(super) use rollups::forget_sums;
use writer::Writer;

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

/// So many jobs wait for the writer at most; more wait for room in its queue.
const QUEUE: usize = 4096;

/// Shares the store. Reads go to the file on threads that may block; writes go through the writer. What it does is in
/// `traits.rs`.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Holds the database; none while it is opened again.
#[derive(Debug)]
struct Held(RwLock<Option<Database>>);

#[derive(Debug)]
struct Inner {
    location: Location,
    held: Arc<Held>,
    condition: Arc<Condition>,
    jobs: Option<Queue>,
    writer: Option<std::thread::JoinHandle<()>>,
    spent: Arc<RwLock<HashMap<RowKey, i64>>>,
    changes: Arc<RwLock<ChangeLog>>,
    secret: [u8; 32],
    /// Counts the sums that belong to no settlement and were handed over.
    noted: AtomicU64,
    /// One copy is written at a time.
    backup: Mutex<()>,
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
        let location = Location::new(folder, opening)?;
        location.make(opening.replaces_empty)?;
        let (database, opened, anchor) = location.open()?;
        let held = Arc::new(Held::new(database));
        let spent = Arc::new(RwLock::new(opened.spent));
        let changes = Arc::new(RwLock::new(ChangeLog::new(location.node)));
        let condition = Arc::new(Condition::default());
        let (jobs, queue) = Queue::new(QUEUE);
        let writer = Writer {
            location: location.clone(),
            held: Arc::clone(&held),
            spent: Arc::clone(&spent),
            changes: Arc::clone(&changes),
            secret: opened.secret,
            condition: Arc::clone(&condition),
            unsettled: Vec::new(),
            anchor: Some(anchor),
        };
        let thread = std::thread::Builder::new()
            .name("pivotd-store".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(|error| location.failed(&error))?;
        let store = Self {
            inner: Arc::new(Inner {
                location,
                held,
                condition,
                jobs: Some(jobs),
                writer: Some(thread),
                spent,
                changes,
                secret: opened.secret,
                noted: AtomicU64::new(0),
                backup: Mutex::new(()),
            }),
        };
        super::Upkeep::keep_free(&store, opening.min_free);
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
        Location::new(folder, opening)?.look(opening.replaces_empty)
    }

    fn queue(&self) -> Result<&Queue, StoreError> {
        self.inner.jobs.as_ref().ok_or(StoreError::Closed)
    }

    /// Hands a job over that is bounded by what it belongs to, without waiting for room in the queue.
    fn push(&self, job: Job) -> Result<(), StoreError> {
        self.queue()?.push(job)
    }

    /// Hands a job over, and waits until it is on disk.
    async fn write(&self, job: impl FnOnce(Completion) -> Job) -> Result<(), StoreError> {
        let (done, written) = oneshot::channel();
        self.queue()?.hand_over(job(done)).await?;
        written.await.map_err(|_| StoreError::Closed)?
    }
}
