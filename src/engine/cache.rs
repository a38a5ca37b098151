//! Keeps answers in memory over the durable store, and rendered bodies beside them.
//!
//! The key is what the vendor sees and whose key asked; filters and the slider come after it.
//! Refusals, limits and failures are never stored.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hashbrown::DefaultHashBuilder;
use jiff::Timestamp;
use moka::future::Cache as Memory;
use moka::ops::compute::Op;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::settings::{CacheSettings, Ttl};
use crate::domain::{Answer, Capability, Query};
use crate::spend::Saving;
use crate::storage::{AnswerStore, StoreError, gather_answers};

mod held;
pub mod learned_marks;
mod sightings;
mod stored;

use learned_marks::LearnedMarks;
use sightings::Sightings;

/// The layout of stored answers; part of the key, so an upgrade never misreads.
const LAYOUT: u32 = 2;

/// Names an answer: layout, provider, origin, capability, canonical indicator, parameters and scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerKey(Arc<str>);

impl AnswerKey {
    /// Makes the key of a question at a provider's origin for a scope (`server/<tenant>` or `user/<hash>`).
    #[must_use]
    pub fn new(provider: &str, origin: &str, query: &Query, scope: &str) -> Self {
        let indicator = &query.indicator;
        // Values cannot forge a neighbour: every part is JSON-quoted.
        let parts = (
            LAYOUT,
            provider,
            origin,
            query.capability.name(),
            indicator.kind(),
            indicator.value(),
            &query.params,
            scope,
        );
        // Text and maps of text can always be written.
        Self(serde_json::to_string(&parts).unwrap_or_default().into())
    }

    /// Takes a key from the store.
    pub(super) fn stored(key: &str) -> Self {
        Self(key.into())
    }

    /// Returns the scope: `server/<tenant>`, or a user's own key.
    #[must_use]
    pub fn scope(&self) -> Option<String> {
        let parts: Vec<serde_json::Value> = serde_json::from_str(&self.0).ok()?;
        parts.last()?.as_str().map(str::to_owned)
    }

    /// Returns the key as the store has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Says how an answer is kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention<'a> {
    /// How many records were wanted of it.
    pub wanted: usize,
    /// How long the provider's answers are kept.
    pub ttl: &'a Ttl,
    /// How long this one is kept, where the transform says.
    pub own: Option<Duration>,
}

/// Holds an answer with its times.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// What the provider answered.
    pub answer: Arc<Answer>,
    /// When it was retrieved.
    pub retrieved_at: Timestamp,
    /// Until when it is served without asking.
    pub fresh_until: Timestamp,
    /// Until when it may be served while the vendor is down.
    pub stale_until: Timestamp,
    /// How many records were wanted when it was fetched: asking for no more than that fetches nothing.
    pub wanted: usize,
    /// Differs for every entry of one process; rendered bodies depend on it.
    #[serde(skip)]
    pub version: u64,
}

impl Entry {
    /// Tells whether it is served without asking at `now`. A clock that went back makes nothing fresh but what
    /// was bought.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until && (now >= self.retrieved_at || self.is_bought())
    }

    /// Tells whether it was paid for by the piece.
    #[must_use]
    pub fn is_bought(&self) -> bool {
        self.answer.price.as_ref().is_some_and(|price| price.bought)
    }

    /// Tells whether it may be served at `now` while the vendor is down.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        now < self.stale_until
    }

    /// Returns its age at `now`; never negative.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Duration {
        now.duration_since(self.retrieved_at)
            .try_into()
            .unwrap_or_default()
    }

    /// Tells whether it holds at least `want` records, or all there are, or all that asking once more gave.
    #[must_use]
    pub fn holds(&self, want: usize) -> bool {
        !self.answer.more || self.answer.records.len() >= want || self.wanted >= want
    }
}

/// Names a rendered body: everything that it was made from, or its hash.
pub type RenderedKey = Arc<[u8]>;

/// Names a request as it came: its bytes, and everything beside them that decides what they mean.
pub type RequestKey = Arc<[u8]>;

/// Tells what the bytes of a request say, so that equal bytes need not be read again.
#[derive(Debug)]
pub struct KnownRequests {
    /// Names the body that answers them.
    pub rendered: RenderedKey,
    /// What is asked about, for the log.
    pub indicator: Arc<str>,
}

/// Is a reply that is kept beside the answers that it was made from. What is in it is its frontend's own.
pub trait CachedReply: Any + Send + Sync + std::fmt::Debug {
    /// Returns about how many bytes it takes.
    fn weight(&self) -> usize;
}

/// Holds a reply with the entries that it was made from.
#[derive(Debug)]
pub struct Rendered {
    /// The reply.
    pub reply: Box<dyn CachedReply>,
    /// The answers it depends on, with their versions.
    pub depends: Vec<(AnswerKey, u64)>,
    /// The generation of what answers call sinkholes, where that decides what is in it.
    pub marks: Option<u64>,
    /// What it saves each time that it is sent again.
    pub savings: Arc<[Saving]>,
    /// The first time at which one of them is no longer fresh.
    pub fresh_until: Timestamp,
    /// When the oldest of them was retrieved.
    pub retrieved_at: Timestamp,
}

impl Rendered {
    /// Returns the reply of a frontend; `None` where another made it.
    #[must_use]
    pub fn reply<T: CachedReply>(&self) -> Option<&T> {
        let reply: &dyn Any = self.reply.as_ref();
        reply.downcast_ref()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Answer(AnswerKey),
    Rendered(RenderedKey),
    Request(RequestKey),
}

#[derive(Debug, Clone)]
enum CachedBody {
    Answer(Arc<Entry>),
    Rendered(Arc<Rendered>),
    Request(Arc<KnownRequests>),
}

/// Keeps answers and rendered bodies.
#[derive(Debug)]
pub struct Cache {
    memory: Memory<Key, CachedBody, DefaultHashBuilder>,
    /// The most that memory holds, by our own weights.
    max: u64,
    store: Arc<dyn AnswerStore>,
    versions: AtomicU64,
    learned_marks: LearnedMarks,
    sightings: Sightings,
    /// Grows with every purge: what was read from disk before one is not held after it.
    purges: AtomicU64,
}

/// Counts what the cache holds.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct CacheStats {
    /// Entries in memory, rendered bodies included.
    pub memory_entries: u64,
    /// Bytes in memory by our own weights.
    pub memory_bytes: u64,
    /// Answers on disk.
    pub stored: u64,
    /// Of these, fresh ones.
    pub fresh: u64,
    /// Bytes of the answers on disk.
    pub stored_bytes: u64,
    /// Answers on disk by provider and capability.
    pub by_capability: std::collections::BTreeMap<String, u64>,
}

fn weigh(key: &Key, kept: &CachedBody) -> u32 {
    let key = match key {
        Key::Answer(key) => key.as_str().len(),
        Key::Rendered(key) | Key::Request(key) => key.len(),
    };
    let value = match kept {
        CachedBody::Answer(entry) => entry.answer.weight(),
        CachedBody::Rendered(rendered) => rendered.reply.weight() + 256,
        CachedBody::Request(known) => known.indicator.len() + 64,
    };
    u32::try_from(key + value + 200).unwrap_or(u32::MAX)
}

impl Cache {
    /// Opens the cache over a store.
    pub async fn open(settings: CacheSettings, store: Arc<dyn AnswerStore>) -> Self {
        let memory = Memory::builder()
            .max_capacity(settings.memory)
            .weigher(weigh)
            .build_with_hasher(DefaultHashBuilder::default());
        let learned_marks = LearnedMarks::default();
        learned_marks.read(store.as_ref()).await;
        Self {
            memory,
            max: settings.memory,
            store,
            versions: AtomicU64::new(1),
            learned_marks,
            sightings: Sightings::default(),
            purges: AtomicU64::new(0),
        }
    }

    /// Keeps an answer for as long as its retention says; a bought one is on disk when this returns.
    pub async fn put(
        &self,
        key: &AnswerKey,
        answer: Answer,
        retention: Retention<'_>,
        now: Timestamp,
    ) -> Arc<Entry> {
        let Retention { wanted, ttl, own } = retention;
        let fresh = lifetime(&answer, ttl, own);
        let fresh_until = now.checked_add(fresh).unwrap_or(Timestamp::MAX);
        let entry = Arc::new(Entry {
            answer: Arc::new(answer),
            retrieved_at: now,
            fresh_until,
            stale_until: fresh_until.checked_add(ttl.stale).unwrap_or(Timestamp::MAX),
            wanted,
            version: self.versions.fetch_add(1, Ordering::Relaxed),
        });
        let mut kept = Arc::clone(&entry);
        // Two answers to one question do not pass each other on their way in; answers to others do not wait.
        let held = self.memory.entry(Key::Answer(key.clone()));
        held.and_compute_with(|held| async {
            // What was bought is never replaced by a quote that came later: it would be paid once more.
            if !entry.is_bought()
                && let Some(before) = self.before(key, held.map(moka::Entry::into_value)).await
                && before.is_bought()
                && now < before.fresh_until
            {
                kept = before;
            } else {
                self.write(key, &entry).await;
            }
            self.holding(key, &kept)
        })
        .await;
        kept
    }

    /// Returns the answer that another one is about to replace.
    async fn before(&self, key: &AnswerKey, held: Option<CachedBody>) -> Option<Arc<Entry>> {
        if let Some(CachedBody::Answer(entry)) = held {
            return Some(entry);
        }
        let bytes = self.on_disk(key).await?;
        self.decode(&bytes)
    }

    /// Writes an answer down.
    async fn write(&self, key: &AnswerKey, entry: &Arc<Entry>) {
        self.learned_marks.learn(key, entry);
        match stored::write(entry) {
            Ok(bytes) if entry.is_bought() => {
                if let Err(error) = self.store.put_answer_now(key.as_str().to_owned(), bytes).await {
                    tracing::error!(%error, "a bought answer could not be kept on disk");
                }
            }
            Ok(bytes) => self.store.put_answer(key.as_str().to_owned(), bytes).await,
            Err(error) => tracing::error!(%error, "an answer could not be written down"),
        }
    }

    /// Says that an answer is kept in memory, unless it would take all of it: it would go again at once.
    fn holding(&self, key: &AnswerKey, entry: &Arc<Entry>) -> Op<CachedBody> {
        let kept = CachedBody::Answer(Arc::clone(entry));
        if u64::from(weigh(&Key::Answer(key.clone()), &kept)) > self.max {
            Op::Remove
        } else {
            Op::Put(kept)
        }
    }

    /// Returns a rendered body if everything it was made from still stands. What is looked for without success is
    /// remembered.
    pub async fn rendered(&self, key: &RenderedKey, now: Timestamp) -> Option<Arc<Rendered>> {
        let standing = self.standing(key, now).await;
        if standing.is_none() {
            self.sightings.note(key);
        }
        standing
    }

    async fn standing(&self, key: &RenderedKey, now: Timestamp) -> Option<Arc<Rendered>> {
        let Some(CachedBody::Rendered(rendered)) = self.memory.get(&Key::Rendered(Arc::clone(key))).await
        else {
            return None;
        };
        if now >= rendered.fresh_until || now < rendered.retrieved_at {
            return None;
        }
        if rendered
            .marks
            .is_some_and(|marks| marks != self.learned_marks.generation())
        {
            return None;
        }
        for (key, version) in &rendered.depends {
            match self.memory.get(&Key::Answer(key.clone())).await {
                Some(CachedBody::Answer(entry)) if entry.version == *version => {}
                _ => return None,
            }
        }
        Some(rendered)
    }

    /// Returns what kept answers call sinkholes.
    #[must_use]
    pub fn learned_marks(&self) -> &LearnedMarks {
        &self.learned_marks
    }

    /// Returns what a request says whose bytes came before. What is looked for without success is remembered.
    pub async fn known(&self, key: &RequestKey) -> Option<Arc<KnownRequests>> {
        if let Some(CachedBody::Request(known)) = self.memory.get(&Key::Request(Arc::clone(key))).await {
            return Some(known);
        }
        self.sightings.note(key);
        None
    }

    /// Notes what a request says, where its bytes came again. It must hold no secret: its bytes are the key.
    pub async fn note_known(&self, key: RequestKey, known: KnownRequests) {
        if !self.sightings.came_again(&key) {
            return;
        }
        self.memory
            .insert(Key::Request(key), CachedBody::Request(Arc::new(known)))
            .await;
    }

    /// Tells whether a rendered body is worth keeping: it was looked for more than once.
    #[must_use]
    pub fn keeps(&self, key: &RenderedKey) -> bool {
        self.sightings.came_again(key)
    }

    /// Keeps a rendered body.
    pub async fn put_rendered(&self, key: RenderedKey, rendered: Rendered) {
        self.memory
            .insert(Key::Rendered(key), CachedBody::Rendered(Arc::new(rendered)))
            .await;
    }

    /// Counts what is held.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn stats(&self, now: Timestamp) -> Result<CacheStats, StoreError> {
        self.memory.run_pending_tasks().await;
        let stats = CacheStats {
            memory_entries: self.memory.entry_count(),
            memory_bytes: self.memory.weighted_size(),
            stored: 0,
            fresh: 0,
            stored_bytes: 0,
            by_capability: std::collections::BTreeMap::new(),
        };
        gather_answers(self.store.as_ref(), stats, move |stats, key, value| {
            stats.stored += 1;
            stats.stored_bytes += value.len() as u64;
            let Ok(entry) = stored::read(value) else {
                return;
            };
            stats.fresh += u64::from(entry.is_fresh(now));
            let provider = stored_provider(key).unwrap_or_default();
            *stats
                .by_capability
                .entry(format!("{provider} {}", entry.answer.query.capability))
                .or_default() += 1;
        })
        .await
    }

    /// Returns the stored answers about an indicator's value, newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn about(&self, value: &str) -> Result<Vec<Entry>, StoreError> {
        let value = value.to_owned();
        let found = gather_answers(self.store.as_ref(), Vec::new(), move |found, _, bytes| {
            if let Ok(entry) = stored::read(bytes)
                && entry.answer.query.indicator.value() == value
            {
                found.push(entry);
            }
        });
        let mut found: Vec<Entry> = found.await?;
        found.sort_by_key(|entry| std::cmp::Reverse(entry.retrieved_at));
        Ok(found)
    }

    /// Removes answers that `select` chooses, from memory and disk; returns how many.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read or written.
    pub async fn purge(
        &self,
        select: impl Fn(&Selected<'_>) -> bool + Send + 'static,
    ) -> Result<usize, StoreError> {
        // What is on its way to the disk counts as stored.
        self.store.settled().await;
        let keys = gather_answers(self.store.as_ref(), Vec::new(), move |keys, key, bytes| {
            let entry = stored::read(bytes).ok();
            let selected = Selected {
                provider: stored_provider(key).unwrap_or_default(),
                capability: entry.as_ref().map(|entry| entry.answer.query.capability),
                value: entry
                    .as_ref()
                    .map_or("", |entry| entry.answer.query.indicator.value()),
                stale_until: entry.as_ref().map_or(Timestamp::MIN, |entry| entry.stale_until),
            };
            if select(&selected) {
                keys.push(key.to_owned());
            }
        });
        let keys: Vec<String> = keys.await?;
        let gone: Vec<AnswerKey> = keys.iter().map(|key| AnswerKey::stored(key)).collect();
        // First, so that an answer that is kept meanwhile is learnt from.
        self.learned_marks.forget(&gone);
        for key in &gone {
            self.memory.invalidate(&Key::Answer(key.clone())).await;
        }
        self.store.drop_answers(keys).await?;
        // A reader that had found one on disk before holds it, or sees that it is gone.
        self.purges.fetch_add(1, Ordering::AcqRel);
        for key in &gone {
            let held = self.memory.entry(Key::Answer(key.clone()));
            held.and_compute_with(|_| std::future::ready(Op::Remove)).await;
        }
        Ok(gone.len())
    }
}

/// Describes a stored answer to the choice of what is purged.
#[derive(Debug)]
pub struct Selected<'a> {
    /// The provider.
    pub provider: String,
    /// The capability; `None` where the answer cannot be read.
    pub capability: Option<Capability>,
    /// The indicator's canonical value.
    pub value: &'a str,
    /// Until when it is of any use.
    pub stale_until: Timestamp,
}

fn stored_provider(key: &str) -> Option<String> {
    let parts: Vec<serde_json::Value> = serde_json::from_str(key).ok()?;
    parts.get(1)?.as_str().map(str::to_owned)
}

/// Returns how long an answer is fresh: what was bought, what is not known, and the rest differ.
fn lifetime(answer: &Answer, ttl: &Ttl, own: Option<Duration>) -> Duration {
    let capability = answer.query.capability;
    if answer.price.as_ref().is_some_and(|price| price.bought) {
        ttl.bought
    } else if answer.is_not_found() || is_empty(answer) {
        ttl.not_found
    } else if !answer.missing.is_empty() {
        // A partial answer is worth having, and worth completing soon.
        ttl.not_found.min(Duration::from_secs(300))
    } else {
        own.or_else(|| ttl.by_capability.get(capability.name()).copied())
            .unwrap_or(ttl.default)
    }
}

/// Tells whether all that the vendor told was left out: what there will be to show may come any time.
fn is_empty(answer: &Answer) -> bool {
    let shows_nothing = answer.records.is_empty() && answer.price.is_none();
    shows_nothing && answer.missing.is_empty() && !answer.more
}

/// Gathers the parts that a request, or the body that answers it, is known by.
pub struct KeyBuilder(Vec<u8>);

impl Default for KeyBuilder {
    fn default() -> Self {
        Self::with_room(512)
    }
}

impl KeyBuilder {
    /// Makes room for parts of so many bytes.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Adds a part, with its length, so that parts cannot run into each other.
    pub fn part(&mut self, part: &[u8]) {
        // Gathered and hashed at once: there are many parts, and most are short.
        self.0.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.0.extend_from_slice(part);
    }

    /// Returns the key of a rendered body: the parts themselves, which are compared faster than they are hashed, unless they are
    /// long. They must hold no secret.
    #[must_use]
    pub fn rendered(self) -> RenderedKey {
        const LONG: usize = 4096;
        if self.0.len() > LONG {
            self.hashed()
        } else {
            self.0.into()
        }
    }

    /// Returns the key of a rendered body whose parts may hold a secret.
    #[must_use]
    pub fn hashed(&self) -> RenderedKey {
        RenderedKey::from(Sha256::digest(&self.0).as_slice())
    }

    /// Returns the key of a request: the bytes themselves, which compare faster than they hash.
    #[must_use]
    pub fn request(self) -> RequestKey {
        self.0.into()
    }
}
