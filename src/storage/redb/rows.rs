//! Rows that end by themselves: decisions, replies that can be asked for again, and what people said of decisions.

use redb::{ReadableTable, TableDefinition};

use super::Store;
use crate::storage::{Row, StoreError, Table};

impl Table {
    pub(super) fn table(self) -> TableDefinition<'static, &'static str, &'static [u8]> {
        TableDefinition::new(match self {
            Self::Decisions => "decisions",
            Self::Replies => "replies",
            Self::Feedback => "feedback",
            Self::TokenUses => "token_uses",
        })
    }
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
    pub(super) fn read_row(&self, shelf: Table, key: &str, now_us: i64) -> Result<Option<Row>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(shelf.table())?;
            let found = table.get(key)?;
            let kept = found.as_ref().and_then(|found| read(found.value()));
            let kept = kept.filter(|(until_us, _)| *until_us > now_us);
            Ok(kept.map(|(until_us, value)| Row {
                table: shelf,
                key: key.to_owned(),
                until_us,
                value: value.to_vec(),
            }))
        })
    }

    pub(super) fn walk_rows(
        &self,
        shelf: Table,
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
}
