//! Declares what the writer is asked for, and who is told what became of it.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::spend::Rollup;
use crate::storage::{Lease, Reserve, ReserveError, RowKey, Settlement, StoreError, WriteBatch};

/// Holds a reservation on disk until it is settled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OpenRow {
    /// The node that made it; layout 1 does not say.
    #[serde(default)]
    pub(crate) node: String,
    /// Rows and amounts.
    pub(crate) rows: Vec<(RowKey, i64)>,
    /// Who asked what, as JSON for the audit.
    pub(crate) spend: serde_json::Value,
}

/// Says what became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobResult {
    /// It is done.
    Whole,
    /// This line would pass its limit; the second number is what is used. Nothing was done.
    Exhausted(usize, i64),
    /// Another lease of the name holds, until then.
    Theirs(i64),
    /// The lease is not held any more. Nothing was done.
    Fenced,
}

/// Says how a lease is changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// It is claimed for a node, at a time, until another.
    Claim {
        holder: Uuid,
        now_us: i64,
        until_us: i64,
    },
    /// It ends at this time instead.
    Renew(i64),
    /// It ends.
    Release,
}

/// Tells a waiter what became of its job.
pub(super) type Completion = oneshot::Sender<Result<(), StoreError>>;

/// Is one piece of work for the writer.
pub(super) enum Job {
    Reserve {
        reserve: Reserve,
        done: oneshot::Sender<Result<(), ReserveError>>,
    },
    Settle(Settlement),
    /// Adds sums that belong to no settlement; the number counts those of this node.
    NoteRollups {
        node: Uuid,
        number: u64,
        rows: Vec<Rollup>,
    },
    /// Writes all of a batch, or nothing; it has a waiter or none.
    Commit {
        batch: WriteBatch,
        done: Option<Completion>,
    },
    Lease {
        lease: Lease,
        change: Change,
        done: oneshot::Sender<Result<JobResult, StoreError>>,
    },
    ForgetBefore {
        at: i64,
        done: Completion,
    },
    SweepRows {
        now_us: i64,
        done: Completion,
    },
    /// Writes something that is never read.
    Prove {
        done: Completion,
    },
    /// Gives room within the file back to a disk that is nearly full.
    Compact {
        done: Completion,
    },
    /// Writes as `Prove` does, and has no waiter: a file that cannot be used is then opened again.
    Mend,
    Stop(oneshot::Sender<()>),
    /// Makes the writer stop at a job, for tests.
    #[cfg(test)]
    Panic {
        done: Completion,
    },
}

/// What a reservation or an audit row adds, about.
const SMALL: u64 = 1024;

/// Returns how many bytes the answers of a batch add, at least.
fn answers(batch: &WriteBatch) -> u64 {
    puts(&batch.answers)
}

/// Returns how many bytes all else of a batch adds, at least; settlements and values about the store add none to speak of.
fn records(batch: &WriteBatch) -> u64 {
    let rows: usize = batch.rows.iter().map(|row| 1 + row.value.len()).sum();
    puts(&batch.tokens) + rows as u64 + SMALL * batch.audit.len() as u64
}

fn puts(values: &[(String, Option<Vec<u8>>)]) -> u64 {
    let values = values.iter().filter_map(|(_, value)| value.as_ref());
    values.map(|value| 1 + value.len() as u64).sum()
}

impl Job {
    /// Returns how many bytes it adds, at least; 0 for one that adds none to speak of, or makes room.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Reserve { .. } | Self::Prove { .. } => SMALL,
            Self::Commit { batch, .. } => answers(batch).saturating_add(records(batch)),
            _ => 0,
        }
    }

    /// Tells whether what takes room in it was paid for.
    pub(super) fn is_bought(&self) -> bool {
        matches!(self, Self::Commit { batch, .. } if answers(batch) > 0)
    }

    /// Tells its waiter, where it has one.
    pub(super) fn tell(self, result: Result<JobResult, StoreError>) {
        // A waiter that went away needs no answer.
        match self {
            Self::Reserve { done, .. } => drop(done.send(match result {
                Ok(JobResult::Whole) => Ok(()),
                Ok(JobResult::Exhausted(index, used)) => Err(ReserveError::Exhausted(index, used)),
                Ok(JobResult::Fenced | JobResult::Theirs(_)) => Err(ReserveError::Fenced),
                Err(error) => Err(ReserveError::Store(error.to_string())),
            })),
            Self::Lease { done, .. } => drop(done.send(result)),
            Self::Commit { done, .. } => {
                if let Some(done) = done {
                    drop(done.send(result.map(drop)));
                }
            }
            Self::ForgetBefore { done, .. }
            | Self::SweepRows { done, .. }
            | Self::Compact { done }
            | Self::Prove { done } => drop(done.send(result.map(drop))),
            #[cfg(test)]
            Self::Panic { done } => drop(done.send(result.map(drop))),
            Self::Stop(done) => drop(done.send(())),
            Self::Settle(_) | Self::NoteRollups { .. } | Self::Mend => {}
        }
    }
}
