//! Keeps ledger, tokens and answers in one redb file, behind one writer that commits for all waiters together.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, mpsc};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// The layout of the file; a file of a newer layout is refused, never misread.
const LAYOUT: u64 = 1;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const ANSWERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("answers");
const SPENT: TableDefinition<'_, &str, i64> = TableDefinition::new("spent");
const OPEN: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("open");
const AUDIT: TableDefinition<'_, (i64, u64), &[u8]> = TableDefinition::new("audit");
const TOKENS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("tokens");

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

/// Asks to add an amount to a row, unless that would pass the limit.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The row.
    pub(crate) key: RowKey,
    /// How much to add.
    pub(crate) amount: i64,
    /// What the row may not pass; `None` only counts.
    pub(crate) limit: Option<i64>,
    /// What the vendor says was used; the higher of both numbers counts.
    pub(crate) floor: i64,
}

/// Says which line of a reservation stands in the way.
#[derive(Debug)]
pub(crate) enum ReserveError {
    /// This line would pass its limit; the second number is what is used.
    Exhausted(usize, i64),
    /// The disk did not take it.
    Store(String),
}

/// Holds a reservation on disk until it is settled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OpenRow {
    /// Rows and amounts.
    pub(crate) rows: Vec<(RowKey, i64)>,
    /// Who asked what, as JSON for the audit.
    pub(crate) spend: serde_json::Value,
}

enum Job {
    Reserve {
        id: u64,
        lines: Vec<Line>,
        spend: serde_json::Value,
        at: i64,
        done: oneshot::Sender<Result<(), ReserveError>>,
    },
    Settle {
        id: u64,
        refunds: Vec<(RowKey, i64)>,
        spend: serde_json::Value,
        at: i64,
    },
    PutAnswer {
        key: String,
        value: Vec<u8>,
        done: Option<oneshot::Sender<Result<(), String>>>,
    },
    DropAnswers {
        keys: Vec<String>,
        done: oneshot::Sender<Result<(), String>>,
    },
    PutToken {
        id: String,
        value: Option<Vec<u8>>,
        done: oneshot::Sender<Result<(), String>>,
    },
    ForgetBefore {
        at: i64,
        done: oneshot::Sender<Result<(), String>>,
    },
    PutMeta {
        key: &'static str,
        value: Vec<u8>,
        done: oneshot::Sender<Result<(), String>>,
    },
    Stop(oneshot::Sender<()>),
}

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

struct Opened {
    layout: u64,
    secret: [u8; 32],
    spent: HashMap<RowKey, i64>,
}

/// Makes the tables, reads the ledger, and turns reservations found open into charged audit rows.
fn prepare(database: &Database) -> Result<Opened, redb::Error> {
    let transaction = database.begin_write()?;
    let opened = {
        let mut meta = transaction.open_table(META)?;
        let stored = meta
            .get("layout")?
            .and_then(|value| value.value().try_into().ok().map(u64::from_le_bytes));
        let layout = stored.unwrap_or(LAYOUT);
        if layout > LAYOUT {
            return Ok(Opened {
                layout,
                secret: [0; 32],
                spent: HashMap::new(),
            });
        }
        meta.insert("layout", LAYOUT.to_le_bytes().as_slice())?;
        let kept: Option<[u8; 32]> = meta
            .get("secret")?
            .and_then(|value| value.value().try_into().ok());
        let secret = match kept {
            Some(secret) => secret,
            None => {
                let mut secret = [0; 32];
                getrandom::fill(&mut secret).map_err(|error| {
                    redb::Error::Io(std::io::Error::other(format!("no randomness: {error}")))
                })?;
                meta.insert("secret", secret.as_slice())?;
                secret
            }
        };
        transaction.open_table(ANSWERS)?;
        transaction.open_table(TOKENS)?;
        let mut audit = transaction.open_table(AUDIT)?;
        let mut open = transaction.open_table(OPEN)?;
        let mut left = Vec::new();
        for row in open.iter()? {
            let (id, value) = row?;
            left.push((id.value(), value.value().to_vec()));
        }
        for (id, value) in left {
            if let Ok(row) = serde_json::from_slice::<OpenRow>(&value) {
                let mut spend = row.spend;
                let at = spend
                    .get("at_us")
                    .and_then(serde_json::Value::as_i64)
                    .unwrap_or(0);
                if let Some(fields) = spend.as_object_mut() {
                    fields.insert(
                        "settled".to_owned(),
                        "found open at start; charged in full".into(),
                    );
                }
                audit.insert((at, id), spend.to_string().as_bytes())?;
            }
            open.remove(id)?;
        }
        let mut spent = HashMap::new();
        for row in transaction.open_table(SPENT)?.iter()? {
            let (key, value) = row?;
            spent.insert(key.value().to_owned(), value.value());
        }
        Opened {
            layout,
            secret,
            spent,
        }
    };
    transaction.commit()?;
    Ok(opened)
}

struct Writer {
    database: Arc<Database>,
    spent: Arc<RwLock<HashMap<RowKey, i64>>>,
}

/// Tells a waiter once the commit it waits for is on disk, or failed.
type Ack = Box<dyn FnOnce(Result<(), String>)>;

impl Writer {
    /// Takes whatever jobs are waiting, commits them together, and tells the waiters.
    fn run(self, queue: &mpsc::Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut jobs = vec![first];
            jobs.extend(queue.try_iter().take(1023));
            let mut stops = Vec::new();
            jobs.retain_mut(|job| match job {
                Job::Stop(done) => {
                    let (empty, _) = oneshot::channel();
                    stops.push(std::mem::replace(done, empty));
                    false
                }
                _ => true,
            });
            let stop = !stops.is_empty();
            if !jobs.is_empty() {
                self.commit(jobs);
            }
            for done in stops {
                // Whoever asked to stop may have gone.
                let _ = done.send(());
            }
            if stop {
                return;
            }
        }
    }

    fn commit(&self, jobs: Vec<Job>) {
        let mut acks: Vec<Ack> = Vec::new();
        let mut changed: HashMap<RowKey, i64> = HashMap::new();
        let result = (|| -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            for job in jobs {
                apply(&transaction, job, &mut acks, &mut changed)?;
            }
            transaction.commit()?;
            Ok(())
        })()
        .map_err(|error| error.to_string());
        match (&result, self.spent.write()) {
            (Ok(()), Ok(mut spent)) => spent.extend(changed),
            (Err(reason), _) => tracing::error!(reason, "the store could not be written"),
            (Ok(()), Err(_)) => tracing::error!("the ledger's copy in memory is lost; restart pivotd"),
        }
        for ack in acks {
            ack(result.clone());
        }
    }
}

fn acknowledge(done: oneshot::Sender<Result<(), String>>) -> Ack {
    // A waiter that went away needs no answer.
    Box::new(move |result| drop(done.send(result)))
}

fn apply(
    transaction: &WriteTransaction,
    job: Job,
    acks: &mut Vec<Ack>,
    changed: &mut HashMap<RowKey, i64>,
) -> Result<(), redb::Error> {
    match job {
        Job::Reserve {
            id,
            lines,
            spend,
            at,
            done,
        } => {
            let mut spent = transaction.open_table(SPENT)?;
            let mut sums = Vec::with_capacity(lines.len());
            for (index, line) in lines.iter().enumerate() {
                let used = spent.get(line.key.as_str())?.map_or(0, |value| value.value());
                let counted = used.max(line.floor);
                if line.amount > 0
                    && line
                        .limit
                        .is_some_and(|limit| counted.saturating_add(line.amount) > limit)
                {
                    acks.push(Box::new(move |_| {
                        drop(done.send(Err(ReserveError::Exhausted(index, counted))));
                    }));
                    return Ok(());
                }
                sums.push(used.saturating_add(line.amount));
            }
            for (line, sum) in lines.iter().zip(&sums) {
                spent.insert(line.key.as_str(), sum)?;
                changed.insert(line.key.clone(), *sum);
            }
            let rows = lines.into_iter().map(|line| (line.key, line.amount)).collect();
            let row = serde_json::to_vec(&OpenRow { rows, spend }).unwrap_or_default();
            transaction.open_table(OPEN)?.insert(id, row.as_slice())?;
            transaction
                .open_table(META)?
                .insert("latest", at.to_le_bytes().as_slice())?;
            acks.push(Box::new(move |result| {
                drop(done.send(result.map_err(ReserveError::Store)));
            }));
        }
        Job::Settle {
            id,
            refunds,
            spend,
            at,
        } => {
            transaction.open_table(OPEN)?.remove(id)?;
            let mut spent = transaction.open_table(SPENT)?;
            for (key, amount) in refunds {
                let used = spent.get(key.as_str())?.map_or(0, |value| value.value());
                spent.insert(key.as_str(), used - amount)?;
                changed.insert(key, used - amount);
            }
            transaction
                .open_table(AUDIT)?
                .insert((at, id), spend.to_string().as_bytes())?;
        }
        Job::PutAnswer { key, value, done } => {
            transaction
                .open_table(ANSWERS)?
                .insert(key.as_str(), value.as_slice())?;
            acks.extend(done.map(acknowledge));
        }
        Job::DropAnswers { keys, done } => {
            let mut table = transaction.open_table(ANSWERS)?;
            for key in keys {
                table.remove(key.as_str())?;
            }
            acks.push(acknowledge(done));
        }
        Job::PutToken { id, value, done } => {
            let mut table = transaction.open_table(TOKENS)?;
            match value {
                Some(value) => table.insert(id.as_str(), value.as_slice())?,
                None => table.remove(id.as_str())?,
            };
            acks.push(acknowledge(done));
        }
        Job::ForgetBefore { at, done } => {
            transaction.open_table(AUDIT)?.retain(|(then, _), _| then >= at)?;
            acks.push(acknowledge(done));
        }
        Job::PutMeta { key, value, done } => {
            transaction.open_table(META)?.insert(key, value.as_slice())?;
            acks.push(acknowledge(done));
        }
        Job::Stop(_) => {}
    }
    Ok(())
}
