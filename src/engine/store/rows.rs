//! Rows that end by themselves: decisions, replies that can be asked for again, and what people said of decisions.

use redb::{ReadableTable, TableDefinition};

use super::job::Job;
use super::{Store, StoreError};

/// Names a table of such rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Decisions, by tenant and id.
    Decisions,
    /// Replies by what names their request.
    Replies,
    /// What people said, by tenant and indicator.
    Feedback,
}

impl Shelf {
    /// Lists all of them.
    pub(super) const ALL: [Self; 3] = [Self::Decisions, Self::Replies, Self::Feedback];

    pub(super) fn table(self) -> TableDefinition<'static, &'static str, &'static [u8]> {
        TableDefinition::new(match self {
            Self::Decisions => "decisions",
            Self::Replies => "replies",
            Self::Feedback => "feedback",
        })
    }
}

/// Is a row: until when it is kept, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which table.
    pub shelf: Shelf,
    /// Its key.
    pub key: String,
    /// Until when it is kept, in microseconds since 1970; a time that is past removes it.
    pub until_us: i64,
    /// What it holds.
    pub value: Vec<u8>,
}

/// The bytes of the time that stands before every value.
const TIME: usize = size_of::<i64>();

impl Row {
    /// Writes the value as it lies in the file: its end first, so that a sweep need not read more.
    pub(super) fn stored(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(TIME + self.value.len());
        bytes.extend_from_slice(&self.until_us.to_be_bytes());
        bytes.extend_from_slice(&self.value);
        bytes
    }
}

/// Takes a stored value apart: until when it is kept, and what it holds.
pub(super) fn read(stored: &[u8]) -> Option<(i64, &[u8])> {
    let (time, value) = stored.split_first_chunk::<TIME>()?;
    Some((i64::from_be_bytes(*time), value))
}

impl Store {
    /// Reads a row that is still kept at `now_us`.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub fn row(&self, shelf: Shelf, key: &str, now_us: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.whole_row(shelf, key, now_us)?;
        Ok(row.map(|row| row.value))
    }

    /// Reads a row that is still kept at `now_us`, with its end.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub fn whole_row(&self, shelf: Shelf, key: &str, now_us: i64) -> Result<Option<Row>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(shelf.table())?;
            let found = table.get(key)?;
            let kept = found.as_ref().and_then(|found| read(found.value()));
            let kept = kept.filter(|(until_us, _)| *until_us > now_us);
            Ok(kept.map(|(until_us, value)| Row {
                shelf,
                key: key.to_owned(),
                until_us,
                value: value.to_vec(),
            }))
        })
    }

    /// Reads all rows of a table that are still kept at `now_us`.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub fn rows(&self, shelf: Shelf, now_us: i64) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        self.each_row(shelf, now_us, |key, until_us, value| {
            rows.push(Row {
                shelf,
                key: key.to_owned(),
                until_us,
                value: value.to_vec(),
            });
        })?;
        Ok(rows)
    }

    /// Walks all rows of a table that are still kept at `now_us`: key, end and value.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be read.
    pub fn each_row(
        &self,
        shelf: Shelf,
        now_us: i64,
        mut visit: impl FnMut(&str, i64, &[u8]),
    ) -> Result<(), StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(shelf.table())?;
            for row in table.iter()? {
                let (key, stored) = row?;
                if let Some((until_us, value)) = read(stored.value())
                    && until_us > now_us
                {
                    visit(key.value(), until_us, value);
                }
            }
            Ok(())
        })
    }

    /// Puts rows, all or none, and returns when they are on disk.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn put_rows(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        self.swap_rows(rows, Vec::new()).await
    }

    /// Puts rows and removes others, all or none, and returns when that is on disk.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn swap_rows(&self, rows: Vec<Row>, gone: Vec<(Shelf, String)>) -> Result<(), StoreError> {
        self.write(|done| Job::PutRows { rows, gone, done }).await
    }

    /// Removes the rows of all tables that are not kept any more at `now_us`.
    ///
    /// # Errors
    /// [`StoreError`] where the file cannot be written.
    pub async fn sweep_rows(&self, now_us: i64) -> Result<(), StoreError> {
        self.write(|done| Job::SweepRows { now_us, done }).await
    }
}
