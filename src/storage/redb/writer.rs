//! Takes jobs and commits them: whatever waits goes into one transaction, and all waiters are told together. After a
//! failure it opens the file again, as soon as the disk takes writes.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redb::Database;

use super::Held;
use super::apply::apply;
use super::condition::{Condition, State};
use super::job::Job;
use super::job::JobResult;
use super::opening::{Location, OpenFile, PathState, said};
use super::queue::QueuedJob;
use crate::storage::changes::ChangeLog;
use crate::storage::{RowKey, StoreError};

/// Owns the writing side of the file, on a thread of its own.
pub(super) struct Writer {
    pub(super) location: Location,
    pub(super) held: Arc<Held>,
    pub(super) spent: Arc<RwLock<HashMap<RowKey, i64>>>,
    pub(super) changes: Arc<RwLock<ChangeLog>>,
    pub(super) secret: [u8; 32],
    pub(super) condition: Arc<Condition>,
    /// Settlements and sums that a failed commit held: they go into the next one.
    pub(super) unsettled: Vec<Job>,
    /// The file that is open; none while it is opened again.
    pub(super) anchor: Option<OpenFile>,
}

/// What a write of little needs.
const LITTLE: u64 = 64 << 10;
/// How many jobs go into one transaction.
const AT_ONCE: usize = 1024;
/// How many settlements wait for a store that is down; the reservations of the others stay charged.
const UNSETTLED: usize = 10_000;
/// How long a store that is down or full is left alone where no job wants to write.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a store without writes is looked for: its file may have been removed.
const WATCH: Duration = Duration::from_secs(5);

/// Says why a commit failed.
struct Failed {
    error: StoreError,
    /// The database must be opened again.
    is_latched: bool,
}

impl Writer {
    /// Takes whatever jobs are waiting, commits them together, and tells the waiters.
    pub(super) fn run(mut self, queue: &mpsc::Receiver<QueuedJob>) {
        loop {
            let state = self.condition.state();
            let is_watched = matches!(state, State::Down(_) | State::Full(_));
            let first = if is_watched || !self.unsettled.is_empty() {
                match queue.recv_timeout(PAUSE) {
                    Ok(queued) => queued.job,
                    // No job wants to write, so this looks whether one could.
                    Err(RecvTimeoutError::Timeout) if matches!(state, State::Full(_)) => {
                        self.within_room(Vec::new());
                        continue;
                    }
                    Err(RecvTimeoutError::Timeout) => Job::Mend,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            } else {
                match queue.recv_timeout(WATCH) {
                    Ok(queued) => queued.job,
                    Err(RecvTimeoutError::Timeout) => {
                        self.watch();
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            };
            let mut jobs = std::mem::take(&mut self.unsettled);
            jobs.push(first);
            jobs.extend(queue.try_iter().take(AT_ONCE - 1).map(|queued| queued.job));
            let (stops, jobs): (Vec<Job>, Vec<Job>) =
                jobs.into_iter().partition(|job| matches!(job, Job::Stop(_)));
            if !jobs.is_empty() {
                self.take(jobs);
            }
            let is_stopped = !stops.is_empty();
            for stop in stops {
                stop.tell(Ok(JobResult::Whole));
            }
            if is_stopped {
                return;
            }
        }
    }

    /// Looks whether the file that is open still lies where it was opened: what is written to one that was removed is lost
    /// with the process.
    fn watch(&mut self) {
        let is_open = matches!(self.condition.state(), State::Well | State::Full(_));
        let Some(anchor) = self.anchor.as_ref().filter(|_| is_open) else {
            return;
        };
        match self.location.found(anchor) {
            PathState::Same => {}
            PathState::Another => {
                let error = StoreError::Replaced(self.location.path.clone());
                self.condition.set(State::Broken(error));
            }
            PathState::Nothing => {
                let cause = self.location.failed(&"the file was removed while the server ran");
                tracing::error!(error = %cause, "the store is written anew; stop the server before its file is moved or removed");
                drop(self.reopen(&cause));
            }
        }
    }

    /// Commits jobs, or tells their waiters why not.
    fn take(&mut self, jobs: Vec<Job>) {
        self.watch();
        if let State::Broken(error) = self.condition.state() {
            return self.refuse(jobs, &error);
        }
        if matches!(self.condition.state(), State::Down(_))
            && let Err(error) = self.mend()
        {
            return self.refuse(jobs, &error);
        }
        let (compacts, jobs): (Vec<Job>, Vec<Job>) = jobs
            .into_iter()
            .partition(|job| matches!(job, Job::Compact { .. }));
        let jobs = self.within_room(jobs);
        if !jobs.is_empty() {
            self.commit(jobs);
        }
        for job in compacts {
            let result = self.compact();
            job.tell(result.map(|()| JobResult::Whole));
        }
    }

    /// Refuses what would take room that the disk must keep free; returns the rest.
    fn within_room(&self, jobs: Vec<Job>) -> Vec<Job> {
        let min_free = self.condition.min_free();
        let is_full = matches!(self.condition.state(), State::Full(_));
        if min_free == 0 {
            if is_full {
                self.condition.set(State::Well);
            }
            return jobs;
        }
        let Ok(free) = self.location.disk.free(&self.location.folder) else {
            return jobs;
        };
        // A little more than the least, once it was passed: the state does not change with every write.
        let least = if is_full {
            min_free.saturating_add(min_free / 16)
        } else {
            min_free
        };
        // A page is written anew wherever something on it changes.
        let needed = jobs.iter().map(Job::bytes).sum::<u64>().saturating_mul(2);
        if free.saturating_sub(needed) >= least {
            if is_full {
                self.condition.set(State::Well);
            }
            return jobs;
        }
        let error = StoreError::Full {
            path: self.location.path.clone(),
            free,
            least: min_free,
        };
        // That one large write does not fit says nothing of the others.
        if free < least.saturating_add(LITTLE) {
            self.condition.set(State::Full(error.clone()));
        }
        // An answer was paid for before the room ended, so half of what is kept free is for answers.
        let is_bought = |job: &Job| job.is_bought() && free.saturating_sub(needed) >= min_free / 2;
        let (refused, rest): (Vec<Job>, Vec<Job>) = jobs
            .into_iter()
            .partition(|job| job.bytes() > 0 && !is_bought(job));
        self.refuse_all(refused, &error);
        rest
    }

    fn refuse(&mut self, jobs: Vec<Job>, error: &StoreError) {
        let (settlements, rest): (Vec<Job>, Vec<Job>) = jobs
            .into_iter()
            .partition(|job| matches!(job, Job::Settle(_) | Job::NoteRollups { .. }));
        self.unsettled.extend(settlements);
        let lost = self.unsettled.len().saturating_sub(UNSETTLED);
        if lost > 0 {
            self.unsettled.truncate(UNSETTLED);
            tracing::warn!(
                lost,
                "settlements are given up while the store is down; their reservations stay charged"
            );
        }
        self.refuse_all(rest, error);
    }

    fn refuse_all(&self, jobs: Vec<Job>, error: &StoreError) {
        let failed = jobs.iter().filter(|job| !matches!(job, Job::Mend)).count();
        self.condition.count_failed(failed);
        for job in jobs {
            job.tell(Err(error.clone()));
        }
    }

    /// Commits jobs. Where that fails, the file is opened again and they are tried once more: each is written at most
    /// once, since a reservation that is there, and a settlement whose reservation is gone, are left alone.
    fn commit(&mut self, jobs: Vec<Job>) {
        let mut result = self.write(&jobs);
        if let Err(failed) = &result
            && failed.is_latched
        {
            tracing::error!(error = %failed.error, "the store could not be written and is opened again");
            let cause = failed.error.clone();
            result = match self.reopen(&cause) {
                Ok(()) => self.write(&jobs),
                Err(error) => Err(Failed {
                    error,
                    is_latched: false,
                }),
            };
        }
        match result {
            Ok(applied) => {
                for (job, applied) in jobs.into_iter().zip(applied) {
                    job.tell(Ok(applied));
                }
            }
            Err(failed) => {
                // That the store is down was said when it went down.
                if !matches!(failed.error, StoreError::Down(_)) {
                    tracing::error!(error = %failed.error, "the store could not be written");
                }
                if failed.is_latched {
                    // What is wrong with these jobs may be right with the next.
                    drop(self.reopen(&failed.error));
                }
                self.refuse(jobs, &failed.error);
            }
        }
    }

    fn write(&self, jobs: &[Job]) -> Result<Vec<JobResult>, Failed> {
        let mut changed: HashMap<RowKey, i64> = HashMap::new();
        let written = catch_unwind(AssertUnwindSafe(|| -> Result<Vec<JobResult>, redb::Error> {
            let transaction = self.held.begin_write()?;
            let applied = jobs
                .iter()
                .map(|job| apply(&transaction, job, &mut changed))
                .collect::<Result<_, _>>()?;
            transaction.commit()?;
            Ok(applied)
        }));
        let applied = match written {
            Ok(Ok(applied)) => applied,
            Ok(Err(error)) => {
                return Err(Failed {
                    error: self.location.faulty(&error),
                    is_latched: true,
                });
            }
            Err(panic) => {
                return Err(Failed {
                    error: self
                        .location
                        .failed(&format_args!("the writer stopped: {}", said(&*panic))),
                    is_latched: true,
                });
            }
        };
        self.spent
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(changed);
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        for job in jobs {
            if let Job::Commit { batch, .. } = job {
                changes.add(batch.changed());
            }
        }
        Ok(applied)
    }

    /// Opens a store that is down, if its disk takes writes again.
    fn mend(&mut self) -> Result<(), StoreError> {
        let is_there = self.anchor.is_none();
        if is_there && let Err(error) = self.location.disk.try_writing(&self.location.folder) {
            let error = StoreError::Down(Box::new(self.location.failed(&error)));
            self.condition.set(State::Down(error.clone()));
            return Err(error);
        }
        let cause = self.location.failed(&"it was down");
        self.reopen(&cause)
    }

    /// Closes the database and opens it again. Where the disk takes no writes, what is in the file can be read on.
    fn reopen(&mut self, cause: &StoreError) -> Result<(), StoreError> {
        self.release();
        let opened = self
            .bring_back()
            .and_then(|()| {
                let tried = self.location.disk.try_writing(&self.location.folder);
                tried.map_err(|error| self.location.failed(&error))
            })
            .and_then(|()| self.location.open());
        match opened {
            Ok((database, opened, anchor)) if opened.secret == self.secret => {
                self.anchor = Some(anchor);
                *self.spent.write().unwrap_or_else(PoisonError::into_inner) = opened.spent;
                self.held.put(database);
                // What a commit wrote that was reported as failed is there now, perhaps.
                let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
                changes.forget();
                drop(changes);
                self.condition.count_reopened();
                self.condition.set(State::Well);
                Ok(())
            }
            Ok(_) => {
                let error = self.location.failed(&"another store lies there now");
                self.condition.set(State::Broken(error.clone()));
                Err(error)
            }
            Err(error @ StoreError::Failed { .. }) => {
                tracing::debug!(%cause, "the store stays down");
                match self.location.open_draft() {
                    Ok(database) => {
                        self.held.put(database);
                        // As above.
                        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
                        changes.forget();
                    }
                    Err(error) => tracing::error!(%error, "what is stored cannot be read either"),
                }
                let error = StoreError::Down(Box::new(error));
                self.condition.set(State::Down(error.clone()));
                Err(error)
            }
            Err(error) => {
                self.condition.set(State::Broken(error.clone()));
                Err(error)
            }
        }
    }

    /// Writes a file that was removed anew.
    fn bring_back(&mut self) -> Result<(), StoreError> {
        let Some(anchor) = &self.anchor else {
            return Ok(());
        };
        match self.location.found(anchor) {
            PathState::Same => {}
            PathState::Another => return Err(StoreError::Replaced(self.location.path.clone())),
            PathState::Nothing => {
                self.location.write_anew(anchor)?;
                self.condition.count_written_anew();
            }
        }
        self.anchor = None;
        Ok(())
    }

    /// Closes the database, which may stop at what made it fail.
    fn release(&self) {
        if catch_unwind(AssertUnwindSafe(|| drop(self.held.take()))).is_err() {
            tracing::error!("the store could not be closed in order");
        }
    }

    /// Gives room within the file back to the disk, where that is nearly full. Readers are refused meanwhile.
    fn compact(&mut self) -> Result<(), StoreError> {
        if !matches!(self.condition.state(), State::Full(_)) {
            return Ok(());
        }
        let Some(mut database) = self.held.take() else {
            return Ok(());
        };
        let compacted = catch_unwind(AssertUnwindSafe(|| database.compact()));
        self.held.put(database);
        match compacted {
            Ok(Ok(is_smaller)) => {
                tracing::info!(is_smaller, "the store gave back room that it does not use");
                Ok(())
            }
            // A reader is at work; the next sweep tries again.
            Ok(Err(redb::CompactionError::TransactionInProgress)) => Ok(()),
            Ok(Err(error)) => self.reopen(&self.location.failed(&error)),
            Err(_) => self.reopen(&self.location.failed(&"it stopped while it gave room back")),
        }
    }
}

/// Holds the database between openings.
impl Held {
    pub(super) fn new(database: Database) -> Self {
        Self(RwLock::new(Some(database)))
    }

    pub(super) fn take(&self) -> Option<Database> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn put(&self, database: Database) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(database);
    }
}
