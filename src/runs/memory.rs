//! Counts the bytes of events: of all runs together, and of one client's, so that no client takes what others need.
//!
//! A client's runs grow only while they hold no more than what is left of all. So what is left never ends: many clients that
//! take as much as they can leave each other equal parts, and one that has nothing yet always gets some.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes of events of all runs together.
pub(super) const MOST_OF_ALL: usize = 256 << 20;
/// The most bytes of events of one client's runs.
pub(super) const MOST_OF_CLIENT: usize = 64 << 20;
/// Messages have so much room beyond, as a part of what events have: that something is missing is said in any case.
const BEYOND: usize = 8;

/// Returns the most bytes of events, or of events with their messages.
const fn most(max: usize, is_message: bool) -> usize {
    if is_message { max + max / BEYOND } else { max }
}

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
        self.own.load(Ordering::Relaxed) >= self.share(0, false)
    }

    /// Tells whether there is no room for any client's run.
    pub(super) fn is_full_of_all(&self) -> bool {
        self.all() >= most(MOST_OF_ALL, true)
    }

    /// Returns the most that this client may hold: what is left once all hold so much more.
    fn share(&self, more: usize, is_message: bool) -> usize {
        let left = most(MOST_OF_ALL, is_message).saturating_sub(self.all().saturating_add(more));
        most(MOST_OF_CLIENT, is_message).min(left)
    }

    /// Takes room for an event; false where there is none.
    pub(super) fn take(&self, bytes: usize, is_message: bool) -> bool {
        if !grow(&self.own, bytes, self.share(bytes, is_message)) {
            return false;
        }
        let has_room = grow(&self.all, bytes, most(MOST_OF_ALL, is_message));
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
