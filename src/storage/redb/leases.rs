//! Leases of names, as they lie in the file.

use redb::{ReadableTable, Table, WriteTransaction};
use uuid::Uuid;

use super::job::{Change, JobResult};
use super::tables::LEASES;
use crate::storage::{Fence, Lease};

/// Changes a lease. A claim brings its new fence with it, so that one that is written once more is known.
pub(super) fn change(
    transaction: &WriteTransaction,
    lease: &Lease,
    change: Change,
) -> Result<JobResult, redb::Error> {
    let mut leases = transaction.open_table(LEASES)?;
    let held = find(&leases, &lease.name)?;
    let own = held.filter(|held| held.fence == lease.fence);
    let row = match (change, held, own) {
        (Change::Claim { now_us, .. }, Some(held), None) if held.until_us > now_us => {
            return Ok(JobResult::Theirs(held.until_us));
        }
        (Change::Claim { holder, until_us, .. }, ..) => Some((holder, until_us)),
        (Change::Renew(until_us), _, Some(own)) => Some((own.holder, until_us)),
        (Change::Release, _, Some(_)) => None,
        (Change::Renew(_) | Change::Release, _, None) => return Ok(JobResult::Fenced),
    };
    match row {
        Some((holder, until_us)) => {
            let row = (lease.fence.0.as_bytes(), holder.as_bytes(), until_us);
            leases.insert(lease.name.as_str(), row)?;
        }
        None => drop(leases.remove(lease.name.as_str())?),
    }
    Ok(JobResult::Whole)
}

/// Tells whether a lease is the latest of its name.
pub(super) fn is_held(transaction: &WriteTransaction, lease: &Lease) -> Result<bool, redb::Error> {
    let held = find(&transaction.open_table(LEASES)?, &lease.name)?;
    Ok(held.is_some_and(|held| held.fence == lease.fence))
}

/// Removes the leases of all nodes but one.
pub(super) fn end_others(transaction: &WriteTransaction, node: Uuid) -> Result<(), redb::Error> {
    let mut leases = transaction.open_table(LEASES)?;
    leases.retain(|_, (_, holder, _)| holder == node.as_bytes())?;
    Ok(())
}

/// Is the latest lease of a name.
#[derive(Debug, Clone, Copy)]
struct Held {
    fence: Fence,
    holder: Uuid,
    until_us: i64,
}

type Row = (&'static [u8; 16], &'static [u8; 16], i64);

fn find(leases: &Table<'_, &'static str, Row>, name: &str) -> Result<Option<Held>, redb::Error> {
    let found = leases.get(name)?;
    Ok(found.map(|found| {
        let (fence, holder, until_us) = found.value();
        Held {
            fence: Fence(Uuid::from_bytes(*fence)),
            holder: Uuid::from_bytes(*holder),
            until_us,
        }
    }))
}
