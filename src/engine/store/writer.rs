//! Takes jobs and commits them: whatever waits goes into one transaction, and all waiters are told together.

use std::collections::HashMap;
use std::sync::{Arc, RwLock, mpsc};

use redb::{Database, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::RowKey;
use super::rows::{self, Row, Shelf};
use super::tables::{ANSWERS, AUDIT, META, OPEN, SPENT, TOKENS};

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

/// Is one piece of work for the writer.
pub(super) enum Job {
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
    PutRows {
        rows: Vec<Row>,
        done: oneshot::Sender<Result<(), String>>,
    },
    SweepRows {
        now_us: i64,
        done: oneshot::Sender<Result<(), String>>,
    },
    PutMeta {
        key: &'static str,
        value: Vec<u8>,
        done: oneshot::Sender<Result<(), String>>,
    },
    Stop(oneshot::Sender<()>),
}

/// Owns the writing side of the file, on a thread of its own.
pub(super) struct Writer {
    pub(super) database: Arc<Database>,
    pub(super) spent: Arc<RwLock<HashMap<RowKey, i64>>>,
}

/// Tells a waiter once the commit it waits for is on disk, or failed.
type Ack = Box<dyn FnOnce(Result<(), String>)>;

impl Writer {
    /// Takes whatever jobs are waiting, commits them together, and tells the waiters.
    pub(super) fn run(self, queue: &mpsc::Receiver<Job>) {
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
        Job::PutRows { rows, done } => {
            for row in rows {
                let mut table = transaction.open_table(row.shelf.table())?;
                table.insert(row.key.as_str(), row.stored().as_slice())?;
            }
            acks.push(acknowledge(done));
        }
        Job::SweepRows { now_us, done } => {
            for shelf in Shelf::ALL {
                let mut table = transaction.open_table(shelf.table())?;
                table.retain(|_, stored| rows::read(stored).is_some_and(|(until, _)| until > now_us))?;
            }
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
