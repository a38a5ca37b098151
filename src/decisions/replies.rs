//! Replies that can be asked for again: an `Idempotency-Key` names a request, and its reply is kept for a day.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::SharedClock;
use crate::engine::store::{Row, Shelf, Store, StoreError};
use crate::hex::hex;

/// How long a reply is kept.
const KEPT_S: i64 = 86_400;

/// Grows when requests are told apart in another way.
const LAYOUT: u8 = 1;

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
struct Kept {
    /// How requests were told apart when it was kept; a reply of another time is none.
    #[serde(default)]
    layout: u8,
    request: String,
    reply: Reply,
}

/// Says what is known of a request that names itself.
#[derive(Debug)]
pub enum Begun {
    /// Nobody has sent it before; whoever holds the claim answers it.
    Fresh(Claim),
    /// It was answered, so.
    Replay(Reply),
    /// Its name was given to another request.
    Another,
    /// It is being answered.
    Running,
}

type Running = Arc<Mutex<HashSet<String>>>;

/// Holds the right to answer a request; when it goes, so does the right.
#[derive(Debug)]
pub struct Claim {
    key: String,
    request: String,
    running: Running,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

/// Keeps replies beside the store.
#[derive(Debug)]
pub struct Replies {
    store: Store,
    clock: SharedClock,
    running: Running,
}

impl Replies {
    /// Keeps replies in a store.
    #[must_use]
    pub fn new(store: Store, clock: SharedClock) -> Self {
        Self {
            store,
            clock,
            running: Running::default(),
        }
    }

    /// Looks up a request by who sends it, its name and its digest.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub fn begin(
        &self,
        tenant: &str,
        client: &str,
        name: &str,
        request: String,
    ) -> Result<Begun, StoreError> {
        let key = fingerprint(&[tenant.as_bytes(), client.as_bytes(), name.as_bytes()]);
        // The claim comes first, so that of two equal requests at once only one looks and answers.
        let is_first = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone());
        if !is_first {
            return Ok(Begun::Running);
        }
        let claim = Claim {
            key,
            request,
            running: Arc::clone(&self.running),
        };
        let now = self.clock.now().as_microsecond();
        let kept = self.store.row(Shelf::Replies, &claim.key, now)?;
        let kept: Option<Kept> = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
        let kept = kept.filter(|kept| kept.layout == LAYOUT);
        Ok(match kept {
            None => Begun::Fresh(claim),
            Some(kept) if kept.request == claim.request => Begun::Replay(kept.reply),
            Some(_) => Begun::Another,
        })
    }

    /// Keeps a reply, and returns when it is on disk.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn keep(&self, claim: Claim, reply: Reply) -> Result<(), StoreError> {
        let kept = Kept {
            layout: LAYOUT,
            request: claim.request.clone(),
            reply,
        };
        let row = Row {
            shelf: Shelf::Replies,
            key: claim.key.clone(),
            until_us: self
                .clock
                .now()
                .as_microsecond()
                .saturating_add(KEPT_S * 1_000_000),
            value: serde_json::to_vec(&kept).unwrap_or_default(),
        };
        self.store.put_rows(vec![row]).await
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
