//! What people said of decisions: of each indicator the latest, until it ends.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::ask::score::{Feedback, FeedbackClass, FeedbackEntry};
use crate::domain::{Indicator, IndicatorKind};
use crate::engine::known_time::KnownTime;
use crate::storage::{RecordStore, Row, StoreError, Table, gather_rows};

/// Says what people make of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackVerdict {
    /// The indicator is harmless.
    FalsePositive,
    /// The indicator is malicious.
    Confirmed,
    /// What was said before does not hold any more.
    Withdrawn,
}

/// Holds what a person said of an indicator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FeedbackRecord {
    /// The kind of indicator.
    pub r#type: IndicatorKind,
    /// The indicator.
    pub indicator: String,
    /// What was said of it.
    pub verdict: FeedbackVerdict,
    /// Why.
    pub reason: String,
    /// Who said it: the token's name.
    pub client: String,
    /// The decision that it was said of.
    pub decision_id: String,
    /// When it was said.
    #[schema(value_type = String, format = DateTime)]
    pub said_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// What a record takes besides its texts: its key, and its entries here.
const BESIDES: usize = 512;
/// The most bytes of what one client said that holds, and of what all said: it lies in memory.
const MOST_OF_CLIENT: u64 = 8 << 20;
const MOST: u64 = 32 << 20;

/// So many indicators can be written of at once.
const STRIPES: usize = 64;

/// Says why what a client said was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// As much holds as may be held.
    #[error(
        "{whose} feedback takes as much as is held (some {count} opinions); withdraw what does not hold any more, or wait until it ends"
    )]
    Full {
        /// Whose.
        whose: &'static str,
        /// How many that are, about.
        count: u64,
    },
}

/// Is what a client said, and whose room it takes.
#[derive(Debug)]
struct Entry {
    record: Arc<FeedbackRecord>,
    owner: Arc<str>,
}

impl Entry {
    fn bytes(&self) -> u64 {
        let record = &self.record;
        let texts = [
            &record.indicator,
            &record.reason,
            &record.client,
            &record.decision_id,
        ];
        (texts.map(String::len).iter().sum::<usize>() + BESIDES) as u64
    }
}

/// Holds what was said and still holds, by indicator and by its end.
#[derive(Debug, Default)]
struct CurrentFeedback {
    entries: HashMap<Arc<str>, Entry>,
    ends: BTreeSet<(Timestamp, Arc<str>)>,
    /// Bytes by owner.
    held: HashMap<Arc<str>, u64>,
    bytes: u64,
    /// Bytes by owner that are on their way to the disk.
    promised: HashMap<Arc<str>, u64>,
}

/// Keeps room for what is on its way to the disk.
struct PendingSlot<'a> {
    owner: Arc<str>,
    bytes: u64,
    opinions: &'a FeedbackStore,
}

impl<'a> PendingSlot<'a> {
    fn of(known: &mut CurrentFeedback, entry: &Entry, opinions: &'a FeedbackStore) -> Self {
        let (owner, bytes) = (Arc::clone(&entry.owner), entry.bytes());
        *known.promised.entry(Arc::clone(&owner)).or_default() += bytes;
        Self {
            owner,
            bytes,
            opinions,
        }
    }
}

impl Drop for PendingSlot<'_> {
    fn drop(&mut self) {
        let mut known = self.opinions.known_mut();
        if let Some(promised) = known.promised.get_mut(&self.owner) {
            *promised -= self.bytes;
            if *promised == 0 {
                known.promised.remove(&self.owner);
            }
        }
    }
}

impl CurrentFeedback {
    fn insert(&mut self, key: &str, entry: Entry) {
        self.remove(key);
        let key: Arc<str> = key.into();
        self.bytes += entry.bytes();
        *self.held.entry(Arc::clone(&entry.owner)).or_default() += entry.bytes();
        self.ends.insert((entry.record.expires_at, Arc::clone(&key)));
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &str) {
        let Some((key, entry)) = self.entries.remove_entry(key) else {
            return;
        };
        self.ends.remove(&(entry.record.expires_at, key));
        self.bytes -= entry.bytes();
        if let Some(held) = self.held.get_mut(&entry.owner) {
            *held -= entry.bytes();
            if *held == 0 {
                self.held.remove(&entry.owner);
            }
        }
    }

    /// Removes what has ended.
    fn end(&mut self, now: Timestamp) {
        while let Some((_, key)) = self.ends.first().filter(|(end, _)| *end <= now) {
            let key = Arc::clone(key);
            self.remove(&key);
        }
    }

    /// Looks whether there is room for what is said under a key.
    fn has_room(&self, key: &str, entry: &Entry) -> Result<(), FeedbackError> {
        let before = self.entries.get(key);
        let freed = before.map_or(0, Entry::bytes);
        let own = before.filter(|before| before.owner == entry.owner);
        let promised = self.promised.get(&entry.owner).copied().unwrap_or(0);
        let held = promised + self.held.get(&entry.owner).copied().unwrap_or(0);
        let full = |whose, max: u64| FeedbackError::Full {
            whose,
            count: max / 1024,
        };
        if held - own.map_or(0, Entry::bytes) + entry.bytes() > MOST_OF_CLIENT {
            return Err(full("this client's", MOST_OF_CLIENT));
        }
        if self.promised.values().sum::<u64>() + self.bytes - freed + entry.bytes() > MOST {
            return Err(full("all clients'", MOST));
        }
        Ok(())
    }
}

/// Keeps what people said, in memory and beside the store.
#[derive(Debug)]
pub struct FeedbackStore {
    store: Arc<dyn RecordStore>,
    time: Arc<KnownTime>,
    known: RwLock<CurrentFeedback>,
    /// Keeps what is said of one indicator in order; what is said of others rarely waits for it.
    writing: [Mutex<()>; STRIPES],
    /// Grows with everything that is said.
    version: AtomicU64,
}

impl FeedbackStore {
    /// Reads what was said and still holds.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn open(store: Arc<dyn RecordStore>, time: Arc<KnownTime>) -> Result<Self, StoreError> {
        let all = (Table::Feedback, time.earliest().as_microsecond());
        let known = gather_rows(
            store.as_ref(),
            all,
            CurrentFeedback::default(),
            |known, row_key, _, value| {
                let Ok(record) = serde_json::from_slice::<FeedbackRecord>(value) else {
                    return;
                };
                let tenant = row_key.strip_suffix(&name(record.r#type, &record.indicator));
                let (key, owner) = match tenant {
                    Some(tenant) => (
                        key(tenant, record.r#type, &record.indicator),
                        owner(tenant, &record.client),
                    ),
                    None => (row_key.to_owned(), owner("", &record.client)),
                };
                let before = known.entries.get(key.as_str());
                if before.is_none_or(|before| before.record.said_at < record.said_at) {
                    let record = Arc::new(record);
                    known.insert(&key, Entry { record, owner });
                }
            },
        )
        .await?;
        Ok(Self {
            store,
            time,
            known: RwLock::new(known),
            writing: std::array::from_fn(|_| Mutex::default()),
            version: AtomicU64::new(0),
        })
    }

    fn stripe(&self, key: &str) -> &Mutex<()> {
        let mut hash = DefaultHasher::new();
        key.hash(&mut hash);
        let at = usize::try_from(hash.finish() % STRIPES as u64).unwrap_or(0);
        &self.writing[at]
    }

    fn known(&self) -> RwLockReadGuard<'_, CurrentFeedback> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, CurrentFeedback> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many bytes are held.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.known().bytes
    }

    /// Takes in what a person says, and returns when it is on disk. It replaces what was said of the indicator before.
    ///
    /// # Errors
    /// [`FeedbackError`] where the store cannot be written, or as much is held as may be.
    pub async fn say(&self, tenant: &str, record: FeedbackRecord) -> Result<(), FeedbackError> {
        let key = key(tenant, record.r#type, &record.indicator);
        let withdrawn = record.verdict == FeedbackVerdict::Withdrawn;
        let row = Row {
            table: Table::Feedback,
            key: key.clone(),
            // What ended before it began is swept away.
            until_us: if withdrawn {
                0
            } else {
                record.expires_at.as_microsecond()
            },
            value: serde_json::to_vec(&record).unwrap_or_default(),
        };
        let entry = Entry {
            owner: owner(tenant, &record.client),
            record: Arc::new(record),
        };
        let _one_at_a_time = self.stripe(&key).lock().await;
        let mut rows = vec![row];
        let _promise;
        {
            let mut known = self.known_mut();
            known.end(self.time.earliest());
            if !withdrawn {
                known.has_room(&key, &entry)?;
            }
            _promise = (!withdrawn).then(|| PendingSlot::of(&mut known, &entry, self));
            // Earlier versions named a mailbox as it was written.
            if let Some(before) = known.entries.get(key.as_str()) {
                let written = format!("{tenant}{}", name(before.record.r#type, &before.record.indicator));
                if written != key {
                    rows.push(Row {
                        table: Table::Feedback,
                        key: written,
                        until_us: 0,
                        value: Vec::new(),
                    });
                }
            }
        }
        self.store.swap_rows(rows, Vec::new()).await?;
        // The room is promised until what takes it is known.
        let mut known = self.known_mut();
        if withdrawn {
            known.remove(&key);
        } else {
            known.insert(&key, entry);
        }
        self.version.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Returns a number that changes with everything that is said.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Returns what was said of an indicator, if it still holds.
    #[must_use]
    pub fn of(&self, tenant: &str, kind: IndicatorKind, value: &str) -> Option<Arc<FeedbackRecord>> {
        let known = self.known();
        if known.entries.is_empty() {
            return None;
        }
        let record = &known.entries.get(key(tenant, kind, value).as_str())?.record;
        (record.expires_at > self.time.earliest()).then(|| Arc::clone(record))
    }
}

impl Feedback for FeedbackStore {
    fn said(&self, tenant: &str, indicator: &Indicator, _now: Timestamp) -> Vec<FeedbackEntry> {
        let record = self.of(tenant, indicator.kind(), indicator.value());
        let said = record.and_then(|record| {
            let opinion = match record.verdict {
                FeedbackVerdict::FalsePositive => FeedbackClass::FalsePositive,
                FeedbackVerdict::Confirmed => FeedbackClass::Confirmed,
                FeedbackVerdict::Withdrawn => return None,
            };
            Some(FeedbackEntry {
                opinion,
                reason: record.reason.clone(),
                at: record.said_at,
            })
        });
        said.into_iter().collect()
    }
}

/// Names a client of a tenant.
fn owner(tenant: &str, client: &str) -> Arc<str> {
    format!("{tenant}|{client}").into()
}

/// Names an indicator of a tenant; a name is the same as a domain and as a host name, a mailbox is the same in capitals.
fn key(tenant: &str, kind: IndicatorKind, value: &str) -> String {
    let folded = match kind {
        IndicatorKind::Email => Cow::Owned(value.to_lowercase()),
        _ => Cow::Borrowed(value),
    };
    format!("{tenant}{}", name(kind, &folded))
}

/// Names an indicator as it is written.
fn name(kind: IndicatorKind, value: &str) -> String {
    let kind = match kind {
        IndicatorKind::Hostname => IndicatorKind::Domain,
        other => other,
    };
    format!("|{kind}|{value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::manual::ManualClock;
    use crate::storage::redb::Store;

    const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

    async fn opinions(folder: &std::path::Path, clock: &ManualClock) -> FeedbackStore {
        let store = Arc::new(Store::open(folder, 1 << 20).unwrap());
        let lasts = std::time::Duration::from_secs(3600);
        let time = KnownTime::open(store.clone(), Arc::new(clock.clone()), lasts).await;
        FeedbackStore::open(store, time).await.unwrap()
    }

    fn said(client: &str, at: usize, now: Timestamp) -> FeedbackRecord {
        FeedbackRecord {
            r#type: IndicatorKind::Domain,
            indicator: format!("name-{at}.example"),
            verdict: FeedbackVerdict::Confirmed,
            reason: "r".repeat(400),
            client: client.to_owned(),
            decision_id: String::new(),
            said_at: now,
            expires_at: now + DAY,
        }
    }

    /// Fills what a client may say without writing it.
    fn fill(opinions: &FeedbackStore, client: &str, now: Timestamp) -> usize {
        let mut known = opinions.known_mut();
        for at in 0.. {
            let record = Arc::new(said(client, at, now));
            let key = key(client, record.r#type, &record.indicator);
            let entry = Entry {
                owner: owner("soc", client),
                record,
            };
            if known.has_room(&key, &entry).is_err() {
                return at;
            }
            known.insert(&key, entry);
        }
        0
    }

    #[tokio::test]
    async fn what_a_client_says_is_bounded_until_it_ends_or_is_withdrawn() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new("2026-11-21T00:00:00Z".parse().unwrap());
        let opinions = opinions(folder.path(), &clock).await;
        let now = crate::clock::Clock::now(&clock);
        assert!(fill(&opinions, "a", now) > 1000);
        let more = opinions.say("soc", said("a", 1 << 20, now)).await;
        assert!(matches!(more, Err(FeedbackError::Full { .. })), "{more:?}");
        // Others have room of their own, up to what all have.
        opinions.say("soc", said("b", 1 << 20, now)).await.unwrap();
        for client in ["c", "d", "e"] {
            fill(&opinions, client, now);
        }
        assert!(opinions.bytes() <= MOST);
        let more = opinions.say("soc", said("f", 1 << 21, now)).await;
        assert!(matches!(more, Err(FeedbackError::Full { .. })), "{more:?}");
        let mut withdrawn = said("b", 1 << 20, now);
        withdrawn.verdict = FeedbackVerdict::Withdrawn;
        opinions.say("soc", withdrawn).await.unwrap();
        clock.advance(DAY);
        let later = crate::clock::Clock::now(&clock);
        opinions.say("soc", said("a", 1 << 20, later)).await.unwrap();
        let known = opinions.known();
        assert_eq!(
            (known.entries.len(), known.ends.len(), known.held.len()),
            (1, 1, 1)
        );
    }

    #[tokio::test]
    async fn what_is_said_at_once_does_not_share_the_room_that_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new("2026-11-21T00:00:00Z".parse().unwrap());
        let opinions = opinions(folder.path(), &clock).await;
        let now = crate::clock::Clock::now(&clock);
        let count = fill(&opinions, "soc", now);
        let last = said("soc", count - 1, now);
        opinions
            .known_mut()
            .remove(&key("soc", last.r#type, &last.indicator));
        // Of equal length as the one whose room is free now.
        let say = |at| opinions.say("soc", said("soc", count + at, now));
        let (one, other) = tokio::join!(say(1), say(2));
        assert!(one.is_ok(), "{one:?}");
        assert!(matches!(other, Err(FeedbackError::Full { .. })), "{other:?}");
        assert!(opinions.known().promised.is_empty());
    }

    #[tokio::test]
    async fn what_was_said_is_known_after_a_restart_and_replaced_by_what_is_said_later() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new("2026-11-21T00:00:00Z".parse().unwrap());
        let now = crate::clock::Clock::now(&clock);
        let kept = opinions(folder.path(), &clock).await;
        kept.say("soc", said("a", 1, now)).await.unwrap();
        kept.say("soc", said("b", 1, now)).await.unwrap();
        let bytes = kept.bytes();
        drop(kept);
        let kept = opinions(folder.path(), &clock).await;
        assert_eq!(kept.bytes(), bytes);
        let record = kept.of("soc", IndicatorKind::Hostname, "name-1.example").unwrap();
        assert_eq!(record.client, "b");
        assert_eq!(kept.known().held.len(), 1);
    }
}
