//! Declares what the writer is asked for, and who is told what became of it.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::apply::Applied;
use crate::storage::{Reserve, ReserveError, Row, RowKey, Settlement, StoreError, Table};

/// Holds a reservation on disk until it is settled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OpenRow {
    /// Rows and amounts.
    pub(crate) rows: Vec<(RowKey, i64)>,
    /// Who asked what, as JSON for the audit.
    pub(crate) spend: serde_json::Value,
}

/// Tells a waiter what became of its job.
pub(super) type Done = oneshot::Sender<Result<(), StoreError>>;

/// Is one piece of work for the writer.
pub(super) enum Job {
    Reserve {
        reserve: Reserve,
        done: oneshot::Sender<Result<(), ReserveError>>,
    },
    Settle(Settlement),
    PutAnswer {
        key: String,
        value: Vec<u8>,
        done: Option<Done>,
    },
    DropAnswers {
        keys: Vec<String>,
        done: Done,
    },
    PutToken {
        id: String,
        value: Option<Vec<u8>>,
        done: Done,
    },
    ForgetBefore {
        at: i64,
        done: Done,
    },
    PutRows {
        rows: Vec<Row>,
        gone: Vec<(Table, String)>,
        done: Done,
    },
    SweepRows {
        now_us: i64,
        done: Done,
    },
    PutMeta {
        key: &'static str,
        value: Vec<u8>,
        done: Done,
    },
    /// Writes something that is never read.
    Prove {
        done: Done,
    },
    /// Gives room within the file back to a disk that is nearly full.
    Compact {
        done: Done,
    },
    /// Writes as `Prove` does, and has no waiter: a file that cannot be used is then opened again.
    Mend,
    Stop(oneshot::Sender<()>),
    /// Makes the writer stop at a job, for tests.
    #[cfg(test)]
    Panic {
        done: Done,
    },
}

impl Job {
    /// Returns how many bytes it adds, at least; 0 for one that adds none to speak of, or makes room.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Reserve { .. } | Self::Prove { .. } => 1024,
            Self::PutAnswer { value, .. }
            | Self::PutToken {
                value: Some(value), ..
            } => 1 + value.len(),
            Self::PutRows { rows, .. } => rows.iter().map(|row| 1 + row.value.len()).sum(),
            _ => 0,
        };
        bytes as u64
    }

    /// Tells its waiter, where it has one.
    pub(super) fn tell(self, result: Result<Applied, StoreError>) {
        // A waiter that went away needs no answer.
        match self {
            Self::Reserve { done, .. } => drop(done.send(match result {
                Ok(Applied::Whole) => Ok(()),
                Ok(Applied::Exhausted(index, used)) => Err(ReserveError::Exhausted(index, used)),
                Err(error) => Err(ReserveError::Store(error.to_string())),
            })),
            Self::PutAnswer { done, .. } => {
                if let Some(done) = done {
                    drop(done.send(result.map(drop)));
                }
            }
            Self::DropAnswers { done, .. }
            | Self::PutToken { done, .. }
            | Self::ForgetBefore { done, .. }
            | Self::PutRows { done, .. }
            | Self::SweepRows { done, .. }
            | Self::PutMeta { done, .. }
            | Self::Compact { done }
            | Self::Prove { done } => drop(done.send(result.map(drop))),
            #[cfg(test)]
            Self::Panic { done } => drop(done.send(result.map(drop))),
            Self::Stop(done) => drop(done.send(())),
            Self::Settle(_) | Self::Mend => {}
        }
    }
}
