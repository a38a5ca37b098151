//! Leases of names: which node does something that one node alone may do.

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{StoreError, Upkeep};

/// Names one lease among all that there were of its name: random, so that none is like one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub Uuid);

/// Is a lease as its holder knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What it is a lease of.
    pub name: String,
    /// Which lease of that name.
    pub fence: Fence,
}

/// Says what became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// The claim was granted, under this fence.
    Mine(Fence),
    /// Another claim holds until then, in microseconds since the epoch.
    Theirs(i64),
}

/// Grants leases of names to nodes.
///
/// A lease that has ended may still be renewed, and is still the one that a reservation may go by, until another claim of its
/// name is granted or [`sweep_rows`](super::RecordStore::sweep_rows) removes it. So no two leases of a name hold at the same
/// time, and what one does after another took its place is refused. The leases of a node end with the node.
pub trait LeaseStore: Upkeep {
    /// Claims a name for a node until `until_us`. A claim that holds at `now_us` is not taken from its holder, and the same
    /// node is not granted it twice. Both are microseconds since the epoch, by the clock that all nodes go by. A claim that fails may have been granted: its name is free
    /// again at `until_us`.
    fn claim(
        &self,
        name: String,
        holder: Uuid,
        now_us: i64,
        until_us: i64,
    ) -> BoxFuture<'_, Result<Claimed, StoreError>>;

    /// Lets a lease end at `until_us` instead; tells whether it still held.
    fn renew(&self, lease: Lease, until_us: i64) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Ends a lease; tells whether it still held. After an error of the disk that was made up for, it may have ended already, and
    /// this says that it did not hold.
    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool, StoreError>>;
}
