//! Remembers what was looked for lately, so that what comes once takes no room in the cache.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::DefaultHashBuilder;

/// How many are remembered; each takes the place of an earlier one.
const SLOTS: u64 = 4096;

/// Says in a slot that it was looked for more than once.
const AGAIN: u64 = 1;

/// Holds fingerprints of keys. Two keys with one fingerprint only keep something early; a lost update, something late.
#[derive(Debug)]
pub(super) struct Sightings {
    slots: Box<[AtomicU64]>,
    hasher: DefaultHashBuilder,
}

impl Default for Sightings {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl Sightings {
    /// Notes that a key is looked for.
    pub(super) fn note(&self, key: &[u8]) {
        let print = self.print(key);
        if let Some(slot) = self.slot(print) {
            let seen = slot.load(Ordering::Relaxed) & !AGAIN == print;
            slot.store(if seen { print | AGAIN } else { print }, Ordering::Relaxed);
        }
    }

    /// Tells whether a key was looked for more than once of late.
    pub(super) fn came_again(&self, key: &[u8]) -> bool {
        let print = self.print(key);
        self.slot(print)
            .is_some_and(|slot| slot.load(Ordering::Relaxed) == print | AGAIN)
    }

    fn print(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key) & !AGAIN
    }

    fn slot(&self, print: u64) -> Option<&AtomicU64> {
        let place = usize::try_from((print >> 1) % SLOTS).ok()?;
        self.slots.get(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_again_when_it_is_looked_for_a_second_time() {
        let sightings = Sightings::default();
        assert!(!sightings.came_again(b"a"));
        sightings.note(b"a");
        assert!(!sightings.came_again(b"a"));
        sightings.note(b"a");
        sightings.note(b"b");
        assert!(sightings.came_again(b"a") && !sightings.came_again(b"b"));
    }

    #[test]
    fn keys_beyond_what_is_remembered_take_the_places_of_earlier_ones() {
        let sightings = Sightings::default();
        for key in 0..20 * SLOTS {
            sightings.note(&key.to_le_bytes());
        }
        let of = |range: std::ops::Range<u64>| {
            for key in range.clone() {
                sightings.note(&key.to_le_bytes());
            }
            range
                .filter(|key| sightings.came_again(&key.to_le_bytes()))
                .count()
        };
        assert!(of(0..64) < 4, "those are forgotten");
        // Two of them may share a place.
        assert!(of(0..64) > 32, "these were noted a moment ago");
    }
}
