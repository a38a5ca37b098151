//! Reads answers from memory, or from disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::room::{Place, Room};
use super::{AnswerKey, Cache, Entry, Kept, Key, stored};

impl Cache {
    /// Returns an answer from memory, or from disk (it then stays in memory).
    pub async fn get(&self, key: &AnswerKey) -> Option<Arc<Entry>> {
        if let Some(entry) = self.in_memory(key).await {
            return Some(entry);
        }
        let bytes = self.on_disk(key)?;
        self.read(key, &bytes).await
    }

    /// Does the same, and takes room before a large answer from disk is decoded.
    pub async fn get_within(
        &self,
        key: &AnswerKey,
        room: &Room,
        until: Duration,
    ) -> (Option<Arc<Entry>>, Option<Arc<Place>>) {
        if let Some(entry) = self.in_memory(key).await {
            return (Some(entry), None);
        }
        let Some(bytes) = self.on_disk(key) else {
            return (None, None);
        };
        let place = room.for_answer(stored::length(&bytes), until).await;
        (self.read(key, &bytes).await, place)
    }

    async fn in_memory(&self, key: &AnswerKey) -> Option<Arc<Entry>> {
        if let Some(Kept::Answer(entry)) = self.memory.get(&Key::Answer(key.clone())).await {
            return Some(entry);
        }
        None
    }

    fn on_disk(&self, key: &AnswerKey) -> Option<Vec<u8>> {
        let read = self.store.answer(key.as_str());
        read.inspect_err(|error| {
            // That a store is down was said when it went down.
            if self.store.is_well() {
                tracing::error!(%error, "a stored answer could not be read");
            }
        })
        .ok()?
    }

    async fn read(&self, key: &AnswerKey, bytes: &[u8]) -> Option<Arc<Entry>> {
        let mut entry: Entry = stored::read(bytes)
            .inspect_err(
                |error| tracing::warn!(%error, "a stored answer could not be understood; it is asked again"),
            )
            .ok()?;
        entry.version = self.versions.fetch_add(1, Ordering::Relaxed);
        let entry = Arc::new(entry);
        self.hold(key, &entry).await;
        Some(entry)
    }
}
