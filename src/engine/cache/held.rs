//! Reads answers from memory, or from disk.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moka::ops::compute::Op;

use super::super::memory_budget::{MemoryBudget, MemoryPermit};
use super::{AnswerKey, Cache, CachedBody, Entry, Key, stored};

impl Cache {
    /// Returns an answer from memory, or from disk (it then stays in memory).
    pub async fn get(&self, key: &AnswerKey) -> Option<Arc<Entry>> {
        if let Some(entry) = self.in_memory(key).await {
            return Some(entry);
        }
        let purges = self.purges.load(Ordering::Acquire);
        let bytes = self.on_disk(key).await?;
        self.read(key, &bytes, purges).await
    }

    /// Does the same, and takes room before a large answer from disk is decoded.
    pub async fn get_within(
        &self,
        key: &AnswerKey,
        room: &MemoryBudget,
        until: Duration,
    ) -> (Option<Arc<Entry>>, Option<Arc<MemoryPermit>>) {
        if let Some(entry) = self.in_memory(key).await {
            return (Some(entry), None);
        }
        let purges = self.purges.load(Ordering::Acquire);
        let Some(bytes) = self.on_disk(key).await else {
            return (None, None);
        };
        let place = room.for_answer(stored::length(&bytes), until).await;
        (self.read(key, &bytes, purges).await, place)
    }

    pub(in crate::engine) async fn in_memory(&self, key: &AnswerKey) -> Option<Arc<Entry>> {
        if let Some(CachedBody::Answer(entry)) = self.memory.get(&Key::Answer(key.clone())).await {
            return Some(entry);
        }
        None
    }

    pub(super) async fn on_disk(&self, key: &AnswerKey) -> Option<Vec<u8>> {
        let read = self.store.answer(key.as_str()).await;
        read.inspect_err(|error| {
            // That a store is down was said when it went down.
            if self.store.is_well() {
                tracing::error!(%error, "a stored answer could not be read");
            }
        })
        .ok()?
    }

    /// Holds what was read from disk after so many purges, unless a newer answer came meanwhile, or another purge passed.
    async fn read(&self, key: &AnswerKey, bytes: &[u8], purges: u64) -> Option<Arc<Entry>> {
        let mut entry = self.decode(bytes)?;
        let held = self.memory.entry(Key::Answer(key.clone()));
        held.and_compute_with(|held| {
            let operation = match held.map(moka::Entry::into_value) {
                Some(CachedBody::Answer(newer)) => {
                    entry = newer;
                    Op::Nop
                }
                _ if self.purges.load(Ordering::Acquire) != purges => Op::Nop,
                _ => self.holding(key, &entry),
            };
            ready(operation)
        })
        .await;
        Some(entry)
    }

    /// Understands what lies on disk.
    pub(super) fn decode(&self, bytes: &[u8]) -> Option<Arc<Entry>> {
        let mut entry: Entry = stored::read(bytes)
            .inspect_err(
                |error| tracing::warn!(%error, "a stored answer could not be understood; it is asked again"),
            )
            .ok()?;
        entry.version = self.versions.fetch_add(1, Ordering::Relaxed);
        Some(Arc::new(entry))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::super::Retention;
    use super::*;
    use crate::config::settings::{CacheSettings, Ttl};
    use crate::domain::{Answer, Capability, Indicator, IndicatorKind, Query, Source};
    use crate::storage::redb::Store;

    async fn put(cache: &Cache, key: &AnswerKey, query: &Query) -> Arc<Entry> {
        let source = Source {
            provider: "domaintools".to_owned(),
            product: "hosting-history".to_owned(),
            blind: None,
        };
        let answer = Answer::whole(query.clone(), Vec::new(), source);
        let day = Duration::from_secs(86_400);
        let ttl = Ttl {
            default: day,
            by_capability: BTreeMap::new(),
            not_found: day,
            stale: day,
            bought: day,
        };
        let retention = Retention {
            wanted: 1,
            ttl: &ttl,
            own: None,
        };
        cache.put(key, answer, retention, Timestamp::UNIX_EPOCH).await
    }

    #[tokio::test]
    async fn what_was_read_from_disk_takes_no_place_of_what_came_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), 1 << 20).unwrap());
        let settings = CacheSettings {
            memory: 1 << 20,
            store_memory: 1 << 20,
        };
        let cache = Cache::open(settings, store).await;
        let indicator = Indicator::parse(IndicatorKind::Domain, "example.com").unwrap();
        let query = Query::new(Capability::IpHistory, indicator);
        let key = AnswerKey::new("domaintools", "https://vendor.example", &query, "server/default");
        put(&cache, &key, &query).await;
        cache.store.settled().await;
        let bytes = cache.on_disk(&key).await.unwrap();
        let newer = put(&cache, &key, &query).await;
        let read = cache.read(&key, &bytes, 0).await.unwrap();
        assert_eq!(read.version, newer.version, "a newer answer landed");
        cache.purge(|_| true).await.unwrap();
        assert!(cache.read(&key, &bytes, 0).await.is_some());
        assert!(cache.get(&key).await.is_none(), "what was purged is not held");
    }
}
