//! Brings a file of an older layout to the present one, within the transaction that opens it: wholly, or not at all.

use redb::{Key, ReadableTable, TableDefinition, Value, WriteTransaction};
use uuid::Uuid;

use super::audit::AuditRow;
use super::job::OpenRow;
use super::tables::{AUDIT, OPEN, SPENT};

/// In layout 1, a number names a reservation, and an audit row is its JSON alone.
const OPEN_1: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("open");
const AUDIT_1: TableDefinition<'_, (i64, u64), &[u8]> = TableDefinition::new("audit");
/// So the tables of layout 1 are called while their rows are taken over.
const OPEN_BEFORE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("open-before");
const AUDIT_BEFORE: TableDefinition<'_, (i64, u64), &[u8]> = TableDefinition::new("audit-before");

/// What rows of money counted in layout 1, and what they count now.
const CENTS: &str = "cents";
const MICROS: &str = "micros";
/// So many millionths are a hundredth.
const MICROS_PER_CENT: i64 = 10_000;

/// Takes over what a file of layout 1 holds. Money is counted in millionths of its unit instead of hundredths; calls and records
/// stay as they are. Reservations keep their numbers, as ids of 16 bytes.
pub(super) fn migrate_from_1(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    let mut spent = transaction.open_table(SPENT)?;
    let mut money = Vec::new();
    for row in spent.iter()? {
        let (key, amount) = row?;
        let amount = amount.value();
        money.extend(in_micros(key.value(), amount).map(|new| (key.value().to_owned(), new)));
    }
    for (before, (key, amount)) in money {
        spent.remove(before.as_str())?;
        spent.insert(key.as_str(), amount)?;
    }

    take_over(transaction, (OPEN_1, OPEN_BEFORE), |before| {
        let mut open = transaction.open_table(OPEN)?;
        for row in before.iter()? {
            let (id, stored) = row?;
            let stored = stored.value();
            let read = serde_json::from_slice::<OpenRow>(stored).ok();
            let new = read.and_then(|mut row| {
                let rows = row.rows.into_iter();
                row.rows = rows
                    .map(|(key, n)| in_micros(&key, n).unwrap_or((key, n)))
                    .collect();
                serde_json::to_vec(&row).ok()
            });
            let id = Uuid::from_u128(id.value().into());
            open.insert(id.as_bytes(), new.as_deref().unwrap_or(stored))?;
        }
        Ok(())
    })?;

    take_over(transaction, (AUDIT_1, AUDIT_BEFORE), |before| {
        let mut audit = transaction.open_table(AUDIT)?;
        for row in before.iter()? {
            let (key, json) = row?;
            let (at, id) = key.value();
            let stored = AuditRow::of(json.value()).stored();
            audit.insert((at, Uuid::from_u128(id.into()).as_bytes()), stored.as_slice())?;
        }
        Ok(())
    })
}

/// Gives a table another name, lets its rows be taken over, and removes it.
fn take_over<K: Key, V: Value>(
    transaction: &WriteTransaction,
    (old, before): (TableDefinition<'_, K, V>, TableDefinition<'_, K, V>),
    rows: impl FnOnce(&redb::Table<'_, K, V>) -> Result<(), redb::Error>,
) -> Result<(), redb::Error> {
    // One that is missing has no rows.
    drop(transaction.open_table(old)?);
    transaction.rename_table(old, before)?;
    rows(&transaction.open_table(before)?)?;
    transaction.delete_table(before)?;
    Ok(())
}

/// Returns the key and the amount that a row of money has from now on; `None` for one of calls or records.
fn in_micros(key: &str, amount: i64) -> Option<(String, i64)> {
    // From the end: a name in front may hold the separator.
    let mut parts = key.rsplitn(3, '|');
    let (window, unit, front) = (parts.next()?, parts.next()?, parts.next()?);
    // More than a row can hold stays over every limit.
    (unit == CENTS).then(|| {
        (
            format!("{front}|{MICROS}|{window}"),
            amount.saturating_mul(MICROS_PER_CENT),
        )
    })
}
