//! Holds the open batches of an account: questions that differ in their indicator alone and wait to go in one look-up.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smol_str::SmolStr;
use tokio::sync::{Notify, oneshot};

use super::ledger::Spend;
use super::waiters::Waiters;
use crate::domain::{Answer, Capability, Failure, IndicatorKind, Query};
use crate::providers::ProductId;

/// Names what questions of one look-up have in common. The scope is part of it, so that no tenant pays for another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct BatchKey {
    pub(super) product: ProductId,
    pub(super) capability: Capability,
    pub(super) kind: IndicatorKind,
    pub(super) params: BTreeMap<String, String>,
    pub(super) scope: SmolStr,
}

/// Holds a question of a batch, who asked it, who waits for it, and where its flight is told.
pub(super) struct Member {
    pub(super) query: Query,
    pub(super) spend: Spend,
    pub(super) waiters: Arc<dyn Waiters>,
    pub(super) result: oneshot::Sender<Result<Answer, Failure>>,
}

/// Holds the questions that go together.
#[derive(Default)]
pub(super) struct Batch {
    members: Mutex<Vec<Member>>,
    /// Told when the batch is to leave at once.
    pub(super) leave: Notify,
}

impl Batch {
    /// Returns how many questions are in it.
    pub(super) fn len(&self) -> usize {
        locked(&self.members).len()
    }
}

/// Holds an account's open batches.
#[derive(Default)]
pub(super) struct BatchQueue {
    open: Mutex<HashMap<BatchKey, Arc<Batch>>>,
    joined: AtomicU64,
}

impl std::fmt::Debug for BatchQueue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("BatchQueue")
            .field(&self.waiting())
            .finish()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BatchQueue {
    /// Returns how many questions wait.
    pub(super) fn waiting(&self) -> usize {
        let open = locked(&self.open);
        open.values().map(|batch| batch.len()).sum()
    }

    /// Returns how many questions ever joined a batch.
    pub(super) fn joined(&self) -> u64 {
        self.joined.load(Ordering::Relaxed)
    }

    /// Joins the open batch of a key, or opens one, and then is `true`. A batch of `max` members is full and can be joined
    /// no more.
    pub(super) fn join(&self, key: &BatchKey, member: Member, max: usize) -> (Arc<Batch>, bool) {
        let mut open = locked(&self.open);
        let known = open.get(key).cloned();
        let opened = known.is_none();
        let batch = known.unwrap_or_else(|| Arc::clone(open.entry(key.clone()).or_default()));
        let mut members = locked(&batch.members);
        members.push(member);
        if members.len() >= max {
            open.remove(key);
            batch.leave.notify_one();
        }
        drop(members);
        self.joined.fetch_add(1, Ordering::Relaxed);
        (batch, opened)
    }
}

/// Closes a batch, also where the task that opened it ends early: what never leaves must not be joined.
pub(super) struct OpenBatch<'a> {
    pub(super) queue: &'a BatchQueue,
    pub(super) key: BatchKey,
    pub(super) batch: Arc<Batch>,
}

impl OpenBatch<'_> {
    /// Closes it and returns its members, without those whose callers have gone.
    pub(super) fn close(self) -> Vec<Member> {
        self.remove();
        let mut members = std::mem::take(&mut *locked(&self.batch.members));
        members.retain(|member| !member.waiters.gives_up());
        members
    }

    fn remove(&self) {
        let mut open = locked(&self.queue.open);
        if open
            .get(&self.key)
            .is_some_and(|known| Arc::ptr_eq(known, &self.batch))
        {
            open.remove(&self.key);
        }
    }
}

impl Drop for OpenBatch<'_> {
    fn drop(&mut self) {
        self.remove();
        locked(&self.batch.members).clear();
    }
}

#[cfg(test)]
mod tests;
