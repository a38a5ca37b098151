//! Replies that can be asked for again: an `Idempotency-Key` names a request, and its reply is kept for a day.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::packed;
use super::row_index::{Limits, Name, RowIndex};
use crate::config::settings::StoreSettings;
use crate::engine::known_time::KnownTime;
use crate::hex::hex;
use crate::storage::{RecordStore, Row, StoreError, Table, gather_rows};

/// How long a reply is kept.
const KEPT_S: i64 = 86_400;

/// Grows when requests are told apart in another way.
const LAYOUT: u8 = 2;

/// Holds a reply as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its media type.
    pub content_type: String,
    /// Its body.
    pub body: String,
}

/// Is a reply as it is kept: with what it was a reply to.
#[derive(Debug, Serialize, Deserialize)]
struct StoredReply {
    /// How requests were told apart when it was kept; a reply of another time is none.
    #[serde(default)]
    layout: u8,
    request: String,
    reply: Reply,
}

/// Says what is known of a request that names itself.
#[derive(Debug)]
pub enum RequestStatus {
    /// It was not sent before; the holder of the claim answers it.
    Fresh(ReplyClaim),
    /// It was answered, so.
    Replay(Reply),
    /// Its name was given to another request.
    Another,
    /// It is being answered.
    Running,
}

type Running = Arc<Mutex<HashSet<Name>>>;

/// Holds the right to answer a request; when it goes, so does the right.
#[derive(Debug)]
pub struct ReplyClaim {
    name: Name,
    request: String,
    running: Running,
}

impl Drop for ReplyClaim {
    fn drop(&mut self) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.name);
    }
}

/// Keeps replies beside the store.
#[derive(Debug)]
pub struct Replies {
    store: Arc<dyn RecordStore>,
    time: Arc<KnownTime>,
    running: Running,
    /// What is kept, by client and age.
    index: Mutex<RowIndex>,
}

impl Replies {
    /// Keeps replies in a store, and looks what is there.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn open(
        store: Arc<dyn RecordStore>,
        time: Arc<KnownTime>,
        settings: StoreSettings,
    ) -> Result<Self, StoreError> {
        let index = RowIndex::new(limits(settings));
        let now = time.earliest().as_microsecond();
        let all = (Table::Replies, now);
        let index = gather_rows(store.as_ref(), all, index, |index, key, until_us, value| {
            // Replies of earlier versions are found no more, and go after a day.
            if let Some(name) = Name::read(key) {
                index.put(name, until_us, value.len());
            }
        })
        .await?;
        Ok(Self {
            store,
            time,
            running: Running::default(),
            index: Mutex::new(index),
        })
    }

    fn index(&self) -> MutexGuard<'_, RowIndex> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over how much may be kept; what is too much goes with the next reply.
    pub fn resize(&self, settings: StoreSettings) {
        self.index().resize(limits(settings));
    }

    /// Forgets what is past its time, which a sweep removes.
    pub(super) fn forget_past(&self, now_us: i64) {
        self.index().forget_past(now_us);
    }

    /// Returns how many bytes are kept.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.index().bytes()
    }

    /// Returns how many replies were given up before their time.
    #[must_use]
    pub fn given_up(&self) -> u64 {
        self.index().given_up()
    }

    /// Looks up a request by who sends it, its name and its digest.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn begin(
        &self,
        tenant: &str,
        client: &str,
        name: &str,
        request: String,
    ) -> Result<RequestStatus, StoreError> {
        let name = Name::of(tenant, client, name);
        // The claim comes first, so that of two equal requests at once only one looks and answers.
        let is_first = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name);
        if !is_first {
            return Ok(RequestStatus::Running);
        }
        let claim = ReplyClaim {
            name,
            request,
            running: Arc::clone(&self.running),
        };
        let now = self.time.earliest().as_microsecond();
        let kept = self.store.row(Table::Replies, &claim.name.key(), now).await?;
        let kept: Option<StoredReply> = kept.and_then(|kept| packed::unpack(&kept.value));
        let kept = kept.filter(|kept| kept.layout == LAYOUT);
        Ok(match kept {
            None => RequestStatus::Fresh(claim),
            Some(kept) if kept.request == claim.request => RequestStatus::Replay(kept.reply),
            Some(_) => RequestStatus::Another,
        })
    }

    /// Keeps a reply, and returns when it is on disk. Where there is no room for it, the oldest of the client that has
    /// most are given up.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn keep(&self, claim: ReplyClaim, reply: Reply) -> Result<(), StoreError> {
        let kept = StoredReply {
            layout: LAYOUT,
            request: claim.request.clone(),
            reply,
        };
        let now = self.time.earliest().as_microsecond();
        let until_us = self
            .time
            .latest()
            .as_microsecond()
            .saturating_add(KEPT_S * 1_000_000);
        let value = packed::pack(&kept);
        let gone = self.index().make_room(claim.name, until_us, value.len(), now);
        let row = Row {
            table: Table::Replies,
            key: claim.name.key(),
            until_us,
            value,
        };
        let keys = gone
            .iter()
            .map(|gone| (Table::Replies, gone.name.key()))
            .collect();
        let written = self.store.swap_rows(vec![row], keys).await;
        let mut index = self.index();
        match &written {
            Ok(()) => index.count_given_up(&gone, now),
            Err(_) => index.undo(claim.name, until_us, gone),
        }
        written
    }
}

fn limits(settings: StoreSettings) -> Limits {
    Limits {
        all: settings.replies,
        one: settings.replies_per_client,
    }
}

/// Names what a sequence of texts is, without holding the texts: 64 hexadecimal digits.
#[must_use]
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::manual::ManualClock;
    use crate::storage::redb::Store;

    const SETTINGS: StoreSettings = StoreSettings {
        min_free: 0,
        replies: 1 << 20,
        replies_per_client: 1 << 20,
        decisions: 1 << 20,
        decisions_per_client: 1 << 20,
    };

    async fn replies(folder: &std::path::Path, clock: &ManualClock) -> Replies {
        let store = Arc::new(Store::open(folder, 1 << 20).unwrap());
        let lasts = std::time::Duration::from_secs(3600);
        let time = KnownTime::open(store.clone(), Arc::new(clock.clone()), lasts).await;
        Replies::open(store, time, SETTINGS).await.unwrap()
    }

    async fn claim(replies: &Replies, name: &str) -> ReplyClaim {
        match replies
            .begin("soc", "playbook", name, "request".to_owned())
            .await
            .unwrap()
        {
            RequestStatus::Fresh(claim) => claim,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// A reply that packs to half of its 64 KiB, since hexadecimal digits do.
    fn hard(seed: usize) -> Reply {
        let parts = (0..1024).map(|part| fingerprint(&[&seed.to_le_bytes(), &u32::to_le_bytes(part)]));
        Reply {
            content_type: "application/json".to_owned(),
            body: parts.collect(),
        }
    }

    #[tokio::test]
    async fn replies_take_no_more_than_their_room_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new("2026-11-21T00:00:00Z".parse().unwrap());
        let kept = replies(folder.path(), &clock).await;
        for at in 0..80 {
            clock.advance(std::time::Duration::from_secs(1));
            kept.keep(claim(&kept, &at.to_string()).await, hard(at))
                .await
                .unwrap();
            assert!(kept.bytes() <= SETTINGS.replies, "{} bytes", kept.bytes());
        }
        assert!(kept.given_up() > 40, "{} given up", kept.given_up());
        let sum = |stored: &mut usize, _: &str, _, value: &[u8]| *stored += value.len();
        let stored = gather_rows(kept.store.as_ref(), (Table::Replies, 0), 0, sum);
        let stored = stored.await.unwrap();
        assert!(stored <= 1 << 20, "{stored} bytes in the file");
        let bytes = kept.bytes();
        drop(kept);
        // What is kept is known again after a restart.
        let kept = replies(folder.path(), &clock).await;
        assert_eq!(kept.bytes(), bytes);
        let begun = kept
            .begin("soc", "playbook", "79", "request".to_owned())
            .await
            .unwrap();
        assert!(matches!(begun, RequestStatus::Replay(reply) if reply == hard(79)));
        claim(&kept, "0").await;
    }

    #[tokio::test]
    async fn a_reply_lies_packed_in_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new("2026-11-21T00:00:00Z".parse().unwrap());
        let kept = replies(folder.path(), &clock).await;
        let reply = Reply {
            content_type: "application/json".to_owned(),
            body: r#"{"indicator":"malware.example","status":"ok"}"#.repeat(1000),
        };
        kept.keep(claim(&kept, "one").await, reply.clone()).await.unwrap();
        assert!(
            kept.bytes() * 20 < reply.body.len() as u64,
            "{} bytes",
            kept.bytes()
        );
    }
}
