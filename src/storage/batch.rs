//! Writes that are done together.

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{Changed, Row, Settlement, StoreError, Table, Upkeep};

/// Is a row for the audit that belongs to no settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Names the row, as a `UUIDv7`.
    pub id: Uuid,
    /// When that was, in microseconds since the epoch.
    pub at: i64,
    /// What it tells.
    pub row: serde_json::Value,
}

/// Holds writes that are done together: all of them, or none.
///
/// They are done in the order of the members. A later write of one key takes the place of an earlier one.
#[derive(Debug, Clone, Default)]
pub struct WriteBatch {
    /// Reservations that are closed. One that is gone gives nothing back; the rest of the batch is written all the same.
    pub settlements: Vec<Settlement>,
    /// Answers by their keys, to put; without a value, to remove.
    pub answers: Vec<(String, Option<Vec<u8>>)>,
    /// Rows to remove.
    pub gone: Vec<(Table, String)>,
    /// Rows to put.
    pub rows: Vec<Row>,
    /// Tokens by their ids, to put; without a value, to remove.
    pub tokens: Vec<(String, Option<Vec<u8>>)>,
    /// Values about the store itself.
    pub meta: Vec<(&'static str, Vec<u8>)>,
    /// Rows for the audit, beside those of the settlements.
    pub audit: Vec<AuditEntry>,
}

impl WriteBatch {
    /// Puts one answer.
    #[must_use]
    pub fn answer(key: String, value: Vec<u8>) -> Self {
        Self {
            answers: vec![(key, Some(value))],
            ..Self::default()
        }
    }

    /// Returns what it changes of that which others may keep copies of, in the order in which it is written.
    pub(super) fn changed(&self) -> impl Iterator<Item = Changed> {
        let answers = self.answers.iter().map(|(key, _)| Changed::Answer(key.clone()));
        let gone = self.gone.iter();
        let gone = gone.map(|(table, key)| Changed::Row(*table, key.clone()));
        let rows = self.rows.iter();
        let rows = rows.map(|row| Changed::Row(row.table, row.key.clone()));
        let tokens = self.tokens.iter().map(|(id, _)| Changed::Token(id.clone()));
        answers.chain(gone).chain(rows).chain(tokens)
    }

    /// Notes one value about the store.
    #[must_use]
    pub fn meta(key: &'static str, value: Vec<u8>) -> Self {
        Self {
            meta: vec![(key, value)],
            ..Self::default()
        }
    }
}

/// Writes what belongs together, whichever purposes it serves.
pub trait Commit: Upkeep {
    /// Writes a batch, all of it or nothing, and returns when it is on disk.
    ///
    /// Where it fails, nothing of it is there, or, after an error of the disk, all of it: a batch that is written once more
    /// counts nothing twice. A settlement in a batch that failed is not made up for: its reservation stays charged, unless
    /// [`settle`](super::LedgerStore::settle) is called with it.
    fn commit(&self, batch: WriteBatch) -> BoxFuture<'_, Result<(), StoreError>>;
}
