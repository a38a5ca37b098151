//! Does what jobs ask for, within one transaction.

use std::collections::HashMap;

use redb::{ReadableTable, TableDefinition, WriteTransaction};
use uuid::Uuid;

use super::audit::AuditRow;
use super::job::{Job, JobResult, OpenRow};
use super::tables::{ANSWERS, AUDIT, LEASES, META, OPEN, SPENT, TOKENS};
use super::{leases, rollups, rows};
use crate::storage::{AuditEntry, Reserve, RowKey, Settlement, Table, WriteBatch};

/// The row of the meta table that a proof of writing leaves.
const PROOF: &str = "proof";

/// Does one job. What changes in the ledger is noted in `changed`.
pub(super) fn apply(
    transaction: &WriteTransaction,
    job: &Job,
    changed: &mut HashMap<RowKey, i64>,
) -> Result<JobResult, redb::Error> {
    match job {
        Job::Reserve { reserve: asked, .. } => return reserve(transaction, asked, changed),
        Job::Settle(settlement) => settle(transaction, settlement, changed)?,
        Job::NoteRollups { node, number, rows } => rollups::note(transaction, (*node, *number), rows)?,
        Job::Commit { batch, .. } => commit(transaction, batch, changed)?,
        Job::Lease { lease, change, .. } => return leases::change(transaction, lease, *change),
        Job::ForgetBefore { at, .. } => {
            // Only what goes is looked at: the table is in the order of time.
            let mut audit = transaction.open_table(AUDIT)?;
            audit.retain_in(..(*at, &[0; 16]), |_, _| false)?;
            rollups::fold(transaction, *at)?;
        }
        Job::SweepRows { now_us, .. } => {
            for shelf in Table::ALL {
                let mut table = transaction.open_table(shelf.table())?;
                table.retain(|_, stored| rows::read(stored).is_some_and(|(until, _)| until > *now_us))?;
            }
            transaction
                .open_table(LEASES)?
                .retain(|_, (_, _, until)| until > *now_us)?;
        }
        Job::Prove { .. } | Job::Mend => {
            transaction.open_table(META)?.insert(PROOF, [1].as_slice())?;
        }
        Job::Compact { .. } | Job::Stop(_) => {}
        #[cfg(test)]
        Job::Panic { .. } => panic!("told to stop"),
    }
    Ok(JobResult::Whole)
}

fn reserve(
    transaction: &WriteTransaction,
    asked: &Reserve,
    changed: &mut HashMap<RowKey, i64>,
) -> Result<JobResult, redb::Error> {
    let Reserve {
        id,
        node,
        lease,
        lines,
        spend,
        known,
    } = asked;
    let mut open = transaction.open_table(OPEN)?;
    if open.get(id.as_bytes())?.is_some() {
        // A commit that was reported as failed had reached the disk.
        return Ok(JobResult::Whole);
    }
    if let Some(lease) = lease
        && !leases::is_held(transaction, lease)?
    {
        return Ok(JobResult::Fenced);
    }
    let mut spent = transaction.open_table(SPENT)?;
    let mut sums: HashMap<&RowKey, i64> = HashMap::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let used = match sums.get(&line.key) {
            Some(used) => *used,
            None => spent.get(line.key.as_str())?.map_or(0, |value| value.value()),
        };
        let counted = used.max(line.floor);
        if line.amount > 0
            && line
                .limit
                .is_some_and(|limit| counted.saturating_add(line.amount) > limit)
        {
            return Ok(JobResult::Exhausted(index, counted));
        }
        sums.insert(&line.key, used.saturating_add(line.amount));
    }
    for (key, sum) in sums {
        spent.insert(key.as_str(), sum)?;
        changed.insert(key.clone(), sum);
    }
    let row = OpenRow {
        node: node.to_string(),
        rows: lines.iter().map(|line| (line.key.clone(), line.amount)).collect(),
        spend: spend.clone(),
    };
    let row = serde_json::to_vec(&row).unwrap_or_default();
    open.insert(id.as_bytes(), row.as_slice())?;
    if let Some(known) = known {
        transaction
            .open_table(META)?
            .insert("latest", known.to_le_bytes().as_slice())?;
    }
    Ok(JobResult::Whole)
}

/// Writes a batch. What it does not write is not opened.
fn commit(
    transaction: &WriteTransaction,
    batch: &WriteBatch,
    changed: &mut HashMap<RowKey, i64>,
) -> Result<(), redb::Error> {
    let WriteBatch {
        settlements,
        answers,
        gone,
        rows,
        tokens,
        meta,
        audit,
    } = batch;
    for settlement in settlements {
        settle(transaction, settlement, changed)?;
    }
    put(transaction, ANSWERS, answers)?;
    for (shelf, key) in gone {
        transaction.open_table(shelf.table())?.remove(key.as_str())?;
    }
    for row in rows {
        let mut table = transaction.open_table(row.table.table())?;
        table.insert(row.key.as_str(), row.stored().as_slice())?;
    }
    put(transaction, TOKENS, tokens)?;
    for (key, value) in meta {
        transaction.open_table(META)?.insert(*key, value.as_slice())?;
    }
    for AuditEntry { id, at, row } in audit {
        put_audit(transaction, (*at, *id), row)?;
    }
    Ok(())
}

/// Puts values by their keys, or removes those without one.
fn put(
    transaction: &WriteTransaction,
    table: TableDefinition<'_, &str, &[u8]>,
    values: &[(String, Option<Vec<u8>>)],
) -> Result<(), redb::Error> {
    if values.is_empty() {
        return Ok(());
    }
    let mut table = transaction.open_table(table)?;
    for (key, value) in values {
        match value {
            Some(value) => table.insert(key.as_str(), value.as_slice())?,
            None => table.remove(key.as_str())?,
        };
    }
    Ok(())
}

fn put_audit(
    transaction: &WriteTransaction,
    (at, id): (i64, Uuid),
    row: &serde_json::Value,
) -> Result<(), redb::Error> {
    let row = row.to_string();
    let row = AuditRow::of(row.as_bytes()).stored();
    transaction
        .open_table(AUDIT)?
        .insert((at, id.as_bytes()), row.as_slice())?;
    Ok(())
}

fn settle(
    transaction: &WriteTransaction,
    settlement: &Settlement,
    changed: &mut HashMap<RowKey, i64>,
) -> Result<(), redb::Error> {
    let Settlement {
        id,
        refunds,
        spend,
        at,
    } = settlement;
    if transaction.open_table(OPEN)?.remove(id.as_bytes())?.is_none() {
        // It is settled: a commit that was reported as failed had reached the disk. Nothing is given back twice.
        return Ok(());
    }
    let mut spent = transaction.open_table(SPENT)?;
    for (key, amount) in refunds {
        let used = spent.get(key.as_str())?.map_or(0, |value| value.value());
        // A refund is negative where the call cost more than was reserved. What a row cannot hold stays over every limit.
        let used = used.saturating_sub(*amount);
        spent.insert(key.as_str(), used)?;
        changed.insert(key.clone(), used);
    }
    put_audit(transaction, (*at, *id), spend)?;
    rollups::add_audited(transaction, *at, spend)
}
