//! Counts the bytes of events: of all runs together, and of one client's, so that no client takes what others need.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes of events of all runs together.
pub(super) const MOST_OF_ALL: usize = 256 << 20;
/// The most bytes of events of one client's runs.
pub(super) const MOST_OF_CLIENT: usize = 64 << 20;
/// Messages have so much room beyond, as a part of what events have: that something is missing is said in any case.
const BEYOND: usize = 8;

/// Is the memory of one client's runs, and of all.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    all: Arc<AtomicUsize>,
    own: Arc<AtomicUsize>,
}

impl Memory {
    /// Counts for another client beside the same others.
    pub(super) fn of_client(&self) -> Self {
        Self {
            all: Arc::clone(&self.all),
            own: Arc::default(),
        }
    }

    /// Counts the bytes of all.
    pub(super) fn all(&self) -> usize {
        self.all.load(Ordering::Relaxed)
    }

    /// Tells whether this client has no room for another run.
    pub(super) fn is_full(&self) -> bool {
        self.own.load(Ordering::Relaxed) >= MOST_OF_CLIENT
    }

    /// Takes room for an event; false where there is none.
    pub(super) fn take(&self, bytes: usize, is_message: bool) -> bool {
        let max = |max: usize| if is_message { max + max / BEYOND } else { max };
        if !grow(&self.own, bytes, max(MOST_OF_CLIENT)) {
            return false;
        }
        let has_room = grow(&self.all, bytes, max(MOST_OF_ALL));
        if !has_room {
            self.own.fetch_sub(bytes, Ordering::Relaxed);
        }
        has_room
    }

    /// Gives room back.
    pub(super) fn give_back(&self, bytes: usize) {
        self.own.fetch_sub(bytes, Ordering::Relaxed);
        self.all.fetch_sub(bytes, Ordering::Relaxed);
    }
}

fn grow(counter: &AtomicUsize, bytes: usize, max: usize) -> bool {
    let grown = |held: usize| held.checked_add(bytes).filter(|held| *held <= max);
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown)
        .is_ok()
}
