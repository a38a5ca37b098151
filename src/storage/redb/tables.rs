//! Declares the tables of the store's file.

use redb::{Key, TableDefinition, Value};

use crate::storage::Table;

use super::rollups::RollupTable;

/// The layout of the file; a file of a newer layout is refused, never misread.
pub(super) const LAYOUT: u64 = 2;

pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
pub(super) const ANSWERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("answers");
/// Amounts by row: calls, records, or millionths of a currency's unit.
pub(super) const SPENT: TableDefinition<'_, &str, i64> = TableDefinition::new("spent");
/// Reservations by their ids, as JSON.
pub(super) const OPEN: TableDefinition<'_, &[u8; 16], &[u8]> = TableDefinition::new("open");
/// What was spent, by time in microseconds and id; see [`super::audit::AuditRow`].
pub(super) const AUDIT: TableDefinition<'_, (i64, &[u8; 16]), &[u8]> = TableDefinition::new("audit");
/// Who spent what, in rows of 15 minutes.
pub(super) const QUARTERS: RollupTable = TableDefinition::new("spend-quarters");
/// Who spent what, in rows of months, once the rows of 15 minutes are too old.
pub(super) const MONTHS: RollupTable = TableDefinition::new("spend-months");
/// Leases by name: fence, holder, and until when in microseconds.
pub(super) const LEASES: TableDefinition<'_, &str, (&[u8; 16], &[u8; 16], i64)> =
    TableDefinition::new("leases");
pub(super) const TOKENS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("tokens");
/// What a copy of the store says of itself, as JSON; no store has this table.
pub(super) const BACKUP: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("backup");

/// Does something with a table, whatever its rows are.
pub(super) trait EachTable {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        table: TableDefinition<'static, K, V>,
    ) -> Result<(), redb::Error>;
}

/// Goes through all tables of a store.
pub(super) fn each_table(visitor: &mut impl EachTable) -> Result<(), redb::Error> {
    visitor.table(META)?;
    visitor.table(ANSWERS)?;
    visitor.table(SPENT)?;
    visitor.table(OPEN)?;
    visitor.table(AUDIT)?;
    visitor.table(QUARTERS)?;
    visitor.table(MONTHS)?;
    visitor.table(LEASES)?;
    visitor.table(TOKENS)?;
    Table::ALL
        .into_iter()
        .try_for_each(|table| visitor.table(table.table()))
}
