//! Declares the tables of the store's file, and opens them.

use std::collections::HashMap;

use redb::{Database, ReadableTable, TableDefinition, WriteTransaction};
use uuid::Uuid;

use super::audit::AuditRow;
use super::job::OpenRow;
use super::leases::end_others;
use super::migration::migrate_from_1;
use super::opening::random;
use crate::storage::{RowKey, Table};

/// The layout of the file; a file of a newer layout is refused, never misread.
pub(super) const LAYOUT: u64 = 2;

pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
pub(super) const ANSWERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("answers");
/// Amounts by row: calls, records, or millionths of a currency's unit.
pub(super) const SPENT: TableDefinition<'_, &str, i64> = TableDefinition::new("spent");
/// Reservations by their ids, as JSON.
pub(super) const OPEN: TableDefinition<'_, &[u8; 16], &[u8]> = TableDefinition::new("open");
/// What was spent, by time in microseconds and id; see [`AuditRow`].
pub(super) const AUDIT: TableDefinition<'_, (i64, &[u8; 16]), &[u8]> = TableDefinition::new("audit");
/// Leases by name: fence, holder, and until when in microseconds.
pub(super) const LEASES: TableDefinition<'_, &str, (&[u8; 16], &[u8; 16], i64)> =
    TableDefinition::new("leases");
pub(super) const TOKENS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("tokens");

/// Holds what the file had when it was opened.
pub(super) struct Opened {
    /// The layout that it was found with.
    pub(super) layout: u64,
    pub(super) secret: [u8; 32],
    pub(super) spent: HashMap<RowKey, i64>,
}

/// Makes the tables, reads the ledger, and turns reservations that another node left open into charged audit rows: one store has
/// one node at a time.
pub(super) fn prepare(database: &Database, node: Uuid) -> Result<Opened, redb::Error> {
    let transaction = database.begin_write()?;
    let opened = {
        let mut meta = transaction.open_table(META)?;
        let stored = meta
            .get("layout")?
            .and_then(|value| value.value().try_into().ok().map(u64::from_le_bytes));
        let layout = stored.unwrap_or(LAYOUT);
        if layout > LAYOUT {
            return Ok(Opened {
                layout,
                secret: [0; 32],
                spent: HashMap::new(),
            });
        }
        if layout < LAYOUT {
            migrate_from_1(&transaction)?;
        }
        meta.insert("layout", LAYOUT.to_le_bytes().as_slice())?;
        let kept: Option<[u8; 32]> = meta
            .get("secret")?
            .and_then(|value| value.value().try_into().ok());
        let secret = match kept {
            Some(secret) => secret,
            None => {
                let secret = random().map_err(redb::Error::Io)?;
                meta.insert("secret", secret.as_slice())?;
                secret
            }
        };
        transaction.open_table(ANSWERS)?;
        transaction.open_table(TOKENS)?;
        for shelf in Table::ALL {
            transaction.open_table(shelf.table())?;
        }
        transaction.open_table(AUDIT)?;
        transaction.open_table(OPEN)?;
        charge(&transaction, node)?;
        end_others(&transaction, node)?;
        let mut spent = HashMap::new();
        for row in transaction.open_table(SPENT)?.iter()? {
            let (key, value) = row?;
            spent.insert(key.value().to_owned(), value.value());
        }
        Opened {
            layout,
            secret,
            spent,
        }
    };
    transaction.commit()?;
    Ok(opened)
}

/// Turns reservations that other nodes left open into charged audit rows.
fn charge(transaction: &WriteTransaction, node: Uuid) -> Result<(), redb::Error> {
    let mut audit = transaction.open_table(AUDIT)?;
    let mut open = transaction.open_table(OPEN)?;
    let own = node.to_string();
    let mut left = Vec::new();
    for row in open.iter()? {
        let (id, value) = row?;
        let row = serde_json::from_slice::<OpenRow>(value.value()).ok();
        if row.as_ref().is_none_or(|row| row.node != own) {
            left.push((*id.value(), row));
        }
    }
    for (id, row) in left {
        if let Some(row) = row {
            let mut spend = row.spend;
            let at = spend
                .get("at_us")
                .and_then(serde_json::Value::as_i64)
                .unwrap_or(0);
            if let Some(fields) = spend.as_object_mut() {
                fields.insert(
                    "settled".to_owned(),
                    "found open at start; charged in full".into(),
                );
            }
            let row = spend.to_string();
            audit.insert((at, &id), AuditRow::of(row.as_bytes()).stored().as_slice())?;
        }
        open.remove(&id)?;
    }
    Ok(())
}
