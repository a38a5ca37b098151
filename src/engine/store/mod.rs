//! Keeps ledger, tokens, answers and decisions in one redb file, behind one writer that commits for all waiters together.
//!
//! `tables` declares the file's layout and opens it, `writer` takes jobs and commits them, `rows` are those that end by
//! themselves.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, mpsc};

use redb::{Database, ReadableDatabase, ReadableTable};
use tokio::sync::oneshot;

mod rows;
mod tables;
mod writer;

pub use rows::{Row, Shelf};
use tables::{ANSWERS, AUDIT, LAYOUT, META, TOKENS, prepare};
use writer::{Job, Writer};
pub(crate) use writer::{Line, ReserveError};

/// Says why the store could not be used.
#[derive(Debug, thiserror::Error)]
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

/// Names what a ledger row counts, and in which window; see [`super::ledger`].
pub type RowKey = String;

/// Shares the store. Reads go straight to the file; writes go through the writer.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    database: Arc<Database>,
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
    /// [`StoreError`] where the file is in use, newer, or cannot be read or written.
    pub fn open(folder: &Path, page_cache: usize) -> Result<Self, StoreError> {
        let path = folder.join("pivotd.redb");
        let failed = |reason: String| StoreError::Failed {
            path: path.clone(),
            reason,
        };
        make_private(&path).map_err(|error| failed(error.to_string()))?;
        let database = Database::builder()
            .set_cache_size(page_cache)
            .create(&path)
            .map_err(|error| match error {
                redb::DatabaseError::DatabaseAlreadyOpen => StoreError::Locked(path.clone()),
                other => failed(other.to_string()),
            })?;
        let opened = prepare(&database).map_err(|error| failed(error.to_string()))?;
        if opened.layout > LAYOUT {
            return Err(StoreError::Newer {
                path,
                found: opened.layout,
            });
        }
        let database = Arc::new(database);
        let spent = Arc::new(RwLock::new(opened.spent));
        let (jobs, queue) = mpsc::channel();
        let writer = Writer {
            database: Arc::clone(&database),
            spent: Arc::clone(&spent),
        };
        let thread = std::thread::Builder::new()
            .name("pivotd-store".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            inner: Arc::new(Inner {
                path,
                database,
                jobs: Some(jobs),
                writer: Some(thread),
                spent,
                secret: opened.secret,
            }),
        })
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

    fn failed(&self, reason: impl std::fmt::Display) -> StoreError {
        StoreError::Failed {
            path: self.inner.path.clone(),
            reason: reason.to_string(),
        }
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        self.inner
            .jobs
            .as_ref()
            .and_then(|jobs| jobs.send(job).ok())
            .ok_or(StoreError::Closed)
    }

    async fn written(&self, done: oneshot::Receiver<Result<(), String>>) -> Result<(), StoreError> {
        done.await
            .map_err(|_| StoreError::Closed)?
            .map_err(|reason| self.failed(reason))
    }

    /// Reserves all lines or none, on disk before it returns.
    pub(crate) async fn reserve(
        &self,
        id: u64,
        lines: Vec<Line>,
        spend: serde_json::Value,
        at: i64,
    ) -> Result<(), ReserveError> {
        let (done, reserved) = oneshot::channel();
        let closed = || ReserveError::Store(StoreError::Closed.to_string());
        self.send(Job::Reserve {
            id,
            lines,
            spend,
            at,
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

    /// Reads a stored answer.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where the file cannot be read.
    pub fn answer(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let transaction = self.inner.database.begin_read()?;
            let table = transaction.open_table(ANSWERS)?;
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        };
        read().map_err(|error| self.failed(error))
    }

    /// Walks all stored answers.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where the file cannot be read.
    pub fn each_answer(&self, mut visit: impl FnMut(&str, &[u8])) -> Result<(), StoreError> {
        let mut walk = || -> Result<(), redb::Error> {
            let transaction = self.inner.database.begin_read()?;
            let table = transaction.open_table(ANSWERS)?;
            for row in table.iter()? {
                let (key, value) = row?;
                visit(key.value(), value.value());
            }
            Ok(())
        };
        walk().map_err(|error| self.failed(error))
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
        let (done, written) = oneshot::channel();
        self.send(Job::DropAnswers { keys, done })?;
        self.written(written).await
    }

    /// Reads all tokens, each as it was put.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where the file cannot be read.
    pub fn tokens(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let read = || -> Result<Vec<Vec<u8>>, redb::Error> {
            let transaction = self.inner.database.begin_read()?;
            let table = transaction.open_table(TOKENS)?;
            table.iter()?.map(|row| Ok(row?.1.value().to_vec())).collect()
        };
        read().map_err(|error| self.failed(error))
    }

    /// Puts a token, or removes it.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn put_token(&self, id: String, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        let (done, written) = oneshot::channel();
        self.send(Job::PutToken { id, value, done })?;
        self.written(written).await
    }

    /// Removes audit rows from before `at`, microseconds since the epoch.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn forget_before(&self, at: i64) -> Result<(), StoreError> {
        let (done, written) = oneshot::channel();
        self.send(Job::ForgetBefore { at, done })?;
        self.written(written).await
    }

    /// Reads a value of the meta table.
    pub(crate) fn meta(&self, key: &str) -> Option<Vec<u8>> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let transaction = self.inner.database.begin_read()?;
            let table = transaction.open_table(META)?;
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        };
        read().ok().flatten()
    }

    /// Puts a value of the meta table.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn put_meta(&self, key: &'static str, value: Vec<u8>) -> Result<(), StoreError> {
        let (done, written) = oneshot::channel();
        self.send(Job::PutMeta { key, value, done })?;
        self.written(written).await
    }

    /// Returns the newest audit rows, newest first, at most `most`.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where the file cannot be read.
    pub fn audit(&self, most: usize) -> Result<Vec<serde_json::Value>, StoreError> {
        let read = || -> Result<Vec<serde_json::Value>, redb::Error> {
            let transaction = self.inner.database.begin_read()?;
            let table = transaction.open_table(AUDIT)?;
            let mut rows = Vec::new();
            for row in table.iter()?.rev().take(most) {
                rows.push(serde_json::from_slice(row?.1.value()).unwrap_or(serde_json::Value::Null));
            }
            Ok(rows)
        };
        read().map_err(|error| self.failed(error))
    }
}

/// Makes the file with mode 0600 before redb opens it, so that it is never readable by others.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
