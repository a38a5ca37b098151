//! Reads from the file of the store. What cannot be read there is an error, never a crash.

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};

use super::audit::AuditRow;
use super::job::Job;
use super::opening::is_latched;
use super::tables::{ANSWERS, AUDIT, META, TOKENS};
use super::{Held, Store};
use crate::storage::StoreError;

impl Held {
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, redb::Error> {
        self.with(|database| Ok(database.begin_read()?))
    }

    pub(super) fn begin_write(&self) -> Result<WriteTransaction, redb::Error> {
        self.with(|database| Ok(database.begin_write()?))
    }

    fn with<T>(&self, begin: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, redb::Error> {
        let held = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        held.as_ref().map_or(Err(redb::Error::DatabaseClosed), begin)
    }
}

impl Store {
    /// Reads within one transaction.
    pub(super) fn read<T>(
        &self,
        look: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let location = &self.inner.location;
        let result = location.guard(|| look(&self.inner.held.begin_read()?))?;
        result.map_err(|error| {
            if is_latched(&error) {
                // Nothing can be read or written before the file is opened again; a store that is closed needs none.
                drop(self.push(Job::Mend));
            }
            match error {
                // Between two openings.
                redb::Error::DatabaseClosed => {
                    let state = self.inner.condition.state();
                    let closed = || StoreError::Down(Box::new(location.failed(&"it is being opened again")));
                    state.error().cloned().unwrap_or_else(closed)
                }
                error => location.faulty(&error),
            }
        })
    }

    /// Reads on a thread that may block, so that the disk holds up no request.
    pub(super) async fn read_aside<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let read = tokio::task::spawn_blocking(move || look(&store)).await;
        read.map_err(|_| StoreError::Closed)?
    }

    pub(super) fn read_answer(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(ANSWERS)?;
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        })
    }

    pub(super) fn walk_answers(&self, mut visit: impl FnMut(&str, &[u8])) -> Result<(), StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(ANSWERS)?;
            for row in table.iter()? {
                let (key, value) = row?;
                visit(key.value(), value.value());
            }
            Ok(())
        })
    }

    pub(super) fn read_tokens(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(TOKENS)?;
            table.iter()?.map(|row| Ok(row?.1.value().to_vec())).collect()
        })
    }

    pub(super) fn read_meta(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(META)?;
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        })
    }

    pub(super) fn read_audit(&self, max: usize) -> Result<Vec<serde_json::Value>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(AUDIT)?;
            let mut rows = Vec::new();
            for row in table.iter()?.rev().take(max) {
                let (_, stored) = row?;
                let row = AuditRow::read(stored.value());
                let row = row.and_then(|row| serde_json::from_slice(row.json).ok());
                rows.push(row.unwrap_or(serde_json::Value::Null));
            }
            Ok(rows)
        })
    }
}
