//! Rows of 15 minutes and of months that say who spent what.

use std::ops::Range;

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};
use uuid::Uuid;

use super::Store;
use super::audit::AuditRow;
use super::tables::{AUDIT, META, MONTHS, QUARTERS};
use crate::spend::{Columns, Rollup, RollupKey, audited, month_of, retention};
use crate::storage::{StoreError, VisitAudit, VisitRollup};

/// Columns by the beginning of their time, in seconds, and by their key.
pub(super) type RollupTable = TableDefinition<'static, (i64, &'static [u8]), &'static [u8]>;
type OpenTable<'a> = Table<'a, (i64, &'static [u8]), &'static [u8]>;

/// The value about the store that says that its audit rows are summed.
const SUMMED: &str = "rollups";
/// The value about the store that names the last rows without a settlement that were added.
const NOTED: &str = "rollups-noted";

/// Adds what an audit row of this time tells, where it tells of a spend.
pub(super) fn add_audited(
    transaction: &WriteTransaction,
    at_us: i64,
    row: &serde_json::Value,
) -> Result<(), redb::Error> {
    match audited(at_us, row) {
        Some(told) => add(&mut transaction.open_table(QUARTERS)?, &told.rollup),
        None => Ok(()),
    }
}

/// Adds rows that belong to no settlement. Those of a commit that was reported as failed, and had reached the disk, are not
/// added again: `number` counts those that this node handed over.
pub(super) fn note(
    transaction: &WriteTransaction,
    (node, number): (Uuid, u64),
    rows: &[Rollup],
) -> Result<(), redb::Error> {
    let mut meta = transaction.open_table(META)?;
    let noted = meta.get(NOTED)?;
    let last = noted.as_ref().and_then(|noted| {
        let (of, number) = noted.value().split_first_chunk::<16>()?;
        let number = u64::from_le_bytes(number.try_into().ok()?);
        (of == node.as_bytes()).then_some(number)
    });
    drop(noted);
    if last.is_some_and(|last| number <= last) {
        return Ok(());
    }
    let mut value = node.as_bytes().to_vec();
    value.extend(number.to_le_bytes());
    meta.insert(NOTED, value.as_slice())?;
    let mut quarters = transaction.open_table(QUARTERS)?;
    for row in rows {
        add(&mut quarters, row)?;
    }
    Ok(())
}

fn add(table: &mut OpenTable<'_>, row: &Rollup) -> Result<(), redb::Error> {
    let key = row.key.stored();
    let place = (row.start, key.as_slice());
    let mut columns = row.columns;
    if let Some(before) = table.get(place)? {
        columns.add(&Columns::read(before.value()).unwrap_or_default());
    }
    table.insert(place, columns.stored().as_slice())?;
    Ok(())
}

/// Makes rows of months of old rows, and removes old rows of months.
pub(super) fn fold(transaction: &WriteTransaction, at_us: i64) -> Result<(), redb::Error> {
    let (quarters_from, months_from) = retention(at_us);
    let mut quarters = transaction.open_table(QUARTERS)?;
    let mut months = transaction.open_table(MONTHS)?;
    let before = |start: i64| ..(start, [].as_slice());
    for row in quarters.extract_from_if(before(quarters_from), |_, _| true)? {
        let (place, columns) = row?;
        let (start, key) = place.value();
        if let (Some(key), Some(columns)) = (RollupKey::read(key), Columns::read(columns.value())) {
            let start = month_of(start);
            add(&mut months, &Rollup { start, key, columns })?;
        }
    }
    months.retain_in(before(months_from), |_, _| false)?;
    Ok(())
}

/// Sums the audit rows of a file that was written before there were sums.
pub(super) fn prepare(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    let mut quarters = transaction.open_table(QUARTERS)?;
    transaction.open_table(MONTHS)?;
    let mut meta = transaction.open_table(META)?;
    if meta.get(SUMMED)?.is_some() {
        return Ok(());
    }
    meta.insert(SUMMED, [1].as_slice())?;
    for row in transaction.open_table(AUDIT)?.iter()? {
        let (place, stored) = row?;
        let (at, _) = place.value();
        if let Some(told) = read(stored.value()).and_then(|row| audited(at, &row)) {
            add(&mut quarters, &told.rollup)?;
        }
    }
    Ok(())
}

fn read(stored: &[u8]) -> Option<serde_json::Value> {
    let row = AuditRow::read(stored)?;
    serde_json::from_slice(row.json).ok()
}

/// Makes a file one that was written before there were sums.
#[cfg(test)]
pub(in crate::storage) fn forget_sums(folder: &std::path::Path) {
    let database = redb::Database::open(folder.join(super::opening::FILE)).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.delete_table(QUARTERS).unwrap();
    transaction.delete_table(MONTHS).unwrap();
    transaction.open_table(META).unwrap().remove(SUMMED).unwrap();
    transaction.commit().unwrap();
}

impl Store {
    pub(super) fn walk_rollups(&self, within: Range<i64>, mut visit: VisitRollup) -> Result<(), StoreError> {
        self.read(|transaction| {
            let range = || (within.start, [].as_slice())..(within.end, [].as_slice());
            for table in [MONTHS, QUARTERS] {
                for row in transaction.open_table(table)?.range(range())? {
                    let (place, columns) = row?;
                    let (start, key) = place.value();
                    if let (Some(key), Some(columns)) = (RollupKey::read(key), Columns::read(columns.value()))
                    {
                        visit(&Rollup { start, key, columns });
                    }
                }
            }
            Ok(())
        })
    }

    pub(super) fn walk_audit(&self, within: Range<i64>, mut visit: VisitAudit) -> Result<(), StoreError> {
        self.read(|transaction| {
            let range = (within.start, &[0; 16])..(within.end, &[0; 16]);
            for row in transaction.open_table(AUDIT)?.range(range)? {
                let (place, stored) = row?;
                let (at, _) = place.value();
                if let Some(row) = read(stored.value())
                    && !visit(at, &row)
                {
                    break;
                }
            }
            Ok(())
        })
    }
}
