//! What was changed since when, for those that keep copies.

use std::collections::VecDeque;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{StoreError, Table, Upkeep};

/// Says what was put or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The answer of this key.
    Answer(String),
    /// This row of a table.
    Row(Table, String),
    /// The token of this id.
    Token(String),
}

/// Names a state of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The node that counts; nil where all nodes share one count.
    node: Uuid,
    number: u64,
}

/// Says what was changed since a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The version that the store has with these changes.
    pub now: Version,
    /// What was changed, oldest first; `None` where that is not known any more, so that everything may have changed.
    pub changed: Option<Vec<Changed>>,
}

/// Tells what was changed, by whichever node, so that copies of it in memory can be given up.
///
/// A change is told once it can be read. What ends by itself, and is then removed, is no change.
pub trait ChangeStore: Upkeep {
    /// Returns the version that the store has.
    fn version(&self) -> BoxFuture<'_, Result<Version, StoreError>>;

    /// Tells what was changed since a version.
    fn changes(&self, since: Version) -> BoxFuture<'_, Result<Changes, StoreError>>;
}

/// So many changes are remembered.
const RECENT: usize = 4096;

/// Remembers the latest changes, in memory.
#[derive(Debug)]
pub(super) struct ChangeLog {
    node: Uuid,
    /// The number of the latest change.
    number: u64,
    recent: VecDeque<Changed>,
}

impl ChangeLog {
    /// Begins with a state of which nothing is known.
    pub(super) fn new(node: Uuid) -> Self {
        Self {
            node,
            number: 0,
            recent: VecDeque::new(),
        }
    }

    /// Adds changes, oldest first.
    pub(super) fn add(&mut self, changes: impl Iterator<Item = Changed>) {
        for change in changes {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(change);
            self.number += 1;
        }
    }

    /// Forgets what was changed: something may have been changed that was not added.
    pub(super) fn forget(&mut self) {
        self.recent.clear();
        self.number += 1;
    }

    pub(super) fn version(&self) -> Version {
        Version {
            node: self.node,
            number: self.number,
        }
    }

    pub(super) fn since(&self, version: Version) -> Changes {
        let count = self.number.checked_sub(version.number);
        let count = count.filter(|_| version.node == self.node);
        let first = count
            .and_then(|count| usize::try_from(count).ok())
            .and_then(|count| self.recent.len().checked_sub(count));
        Changes {
            now: self.version(),
            changed: first.map(|first| self.recent.iter().skip(first).cloned().collect()),
        }
    }
}

impl Default for ChangeLog {
    fn default() -> Self {
        Self::new(Uuid::nil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(at: usize) -> Changed {
        Changed::Token(at.to_string())
    }

    #[test]
    fn the_latest_changes_are_known_and_older_ones_are_said_not_to_be() {
        let mut log = ChangeLog::default();
        let begin = log.version();
        assert_eq!(log.since(begin).changed, Some(Vec::new()));
        log.add((0..RECENT).map(token));
        let first = log.version();
        assert_eq!(log.since(begin).changed, Some((0..RECENT).map(token).collect()));
        log.add([token(7)].into_iter());
        assert_eq!(log.since(begin).changed, None, "one is forgotten");
        let changes = log.since(first);
        assert_eq!(changes.changed, Some(vec![token(7)]));
        assert_eq!(changes.now, log.version());
        assert_eq!(log.since(changes.now).changed, Some(Vec::new()));
    }

    #[test]
    fn a_version_from_before_a_failure_or_of_another_node_tells_nothing() {
        let mut log = ChangeLog::default();
        log.add([token(1)].into_iter());
        let before = log.version();
        log.forget();
        assert_eq!(log.since(before).changed, None);
        assert_eq!(log.since(log.version()).changed, Some(Vec::new()));
        let other = ChangeLog::new(Uuid::from_u128(1));
        assert_eq!(log.since(other.version()).changed, None);
        // A version that this log has not reached yet.
        assert_eq!(ChangeLog::default().since(before).changed, None);
    }
}
