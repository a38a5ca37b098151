//! Prepares a file for use: makes its tables, brings it to the layout of this version, charges what a crash left open and ends the leases
//! of other nodes.

use std::collections::HashMap;
use std::io;

use redb::{Database, ReadableTable, WriteTransaction};
use uuid::Uuid;

use super::audit::AuditRow;
use super::job::OpenRow;
use super::leases::end_others;
use super::migration::migrate_from_1;
use super::rollups;
use super::tables::{ANSWERS, AUDIT, LAYOUT, META, OPEN, SPENT, TOKENS};
use crate::storage::{RowKey, Table};

/// Holds what the file had when it was opened.
pub(super) struct StoreContents {
    /// The layout that it was found with.
    pub(super) layout: u64,
    pub(super) secret: [u8; 32],
    pub(super) spent: HashMap<RowKey, i64>,
}

/// Makes the tables, reads the ledger, and turns reservations that another node left open into charged audit rows: one store has
/// one node at a time.
pub(super) fn prepare(database: &Database, node: Uuid) -> Result<StoreContents, redb::Error> {
    let transaction = database.begin_write()?;
    let opened = {
        let mut meta = transaction.open_table(META)?;
        let layout = match meta.get("layout")? {
            None => LAYOUT,
            Some(value) => {
                let bytes = value.value().try_into();
                let unreadable = |_| redb::Error::Corrupted("its layout cannot be read".to_owned());
                u64::from_le_bytes(bytes.map_err(unreadable)?)
            }
        };
        if layout > LAYOUT {
            return Ok(StoreContents {
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
        for table in Table::ALL {
            transaction.open_table(table.table())?;
        }
        transaction.open_table(AUDIT)?;
        transaction.open_table(OPEN)?;
        drop(meta);
        rollups::prepare(&transaction)?;
        charge(&transaction, node)?;
        end_others(&transaction, node)?;
        let mut spent = HashMap::new();
        for row in transaction.open_table(SPENT)?.iter()? {
            let (key, value) = row?;
            spent.insert(key.value().to_owned(), value.value());
        }
        StoreContents {
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
        let (mut spend, settled) = match row {
            Some(row) => (row.spend, "found open at start; charged in full"),
            None => {
                let reservation = Uuid::from_bytes(id);
                tracing::warn!(%reservation, "a reservation that was left open cannot be read; it stays charged");
                let settled = "found open at start; it cannot be read; charged in full";
                (serde_json::json!({"at_us": made_at(reservation)}), settled)
            }
        };
        let at = spend.get("at_us").and_then(serde_json::Value::as_i64);
        if let Some(fields) = spend.as_object_mut() {
            fields.insert("settled".to_owned(), settled.into());
        }
        let row = spend.to_string();
        rollups::add_audited(transaction, at.unwrap_or(0), &spend)?;
        let key = (at.unwrap_or(0), &id);
        audit.insert(key, AuditRow::of(row.as_bytes()).stored().as_slice())?;
        open.remove(&id)?;
    }
    Ok(())
}

/// Returns when a reservation was made, in microseconds since the epoch, as its id says.
fn made_at(reservation: Uuid) -> i64 {
    let (seconds, nanos) = reservation.get_timestamp().map_or((0, 0), |time| time.to_unix());
    let micros = seconds
        .saturating_mul(1_000_000)
        .saturating_add(u64::from(nanos / 1000));
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// Returns random bytes of the operating system.
pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|error| io::Error::other(format!("no randomness: {error}")))?;
    Ok(bytes)
}
