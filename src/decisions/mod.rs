//! Keeps decisions, so that each can be explained later; replies, so that a request can safely be sent again; and what
//! people said of decisions, which is evidence for the next ones.

mod decision_index;
mod feedback;
mod packed;
mod replies;
mod row_index;
mod search;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::config::settings::StoreSettings;
use crate::engine::known_time::KnownTime;
use crate::reputation::alert::AlertAnswer;
use crate::reputation::replay::DecisionInputs;
use crate::reputation::{Decision, digest};
use crate::storage::{RecordStore, Row, StoreError, Table};
use decision_index::{DecisionIndex, find, limits, name_of, owned};
use packed::DecisionOwner;
use row_index::client_of;

pub use decision_index::{ChosenDecisions, DecisionsOf};
pub use feedback::{FeedbackError, FeedbackRecord, FeedbackStore, FeedbackVerdict};
pub use replies::{Replies, Reply, ReplyClaim, RequestStatus, fingerprint};
pub use search::{
    ChangedDecision, DecisionFilter, FoundDecision, FoundDecisions, MOST_FOUND, ReplayReport, Replayed,
};

/// A decision that is made again is written again once a day at most.
const AGAIN_S: i64 = 86_400;
/// So many decisions are known to be on disk without looking.
const KNOWN: u64 = 20_000;

/// Holds a decision as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeptDecision {
    /// Its id: equal evidence under equal rules has the same.
    pub decision_id: String,
    /// When it was first made.
    #[schema(value_type = String, format = DateTime)]
    pub decided_at: Timestamp,
    /// The day on which it was last made.
    #[schema(value_type = String, format = DateTime)]
    pub last_decided_at: Timestamp,
    /// Who first asked: the token's name.
    pub client: String,
    /// The version of the policy that decided.
    pub policy_version: String,
    /// The digests of the evidence: SHA-256 of what each source said, in the order of the answer's indicators.
    pub evidence_digests: Vec<Vec<String>>,
    /// The answer as it was first given.
    #[schema(value_type = AlertAnswer)]
    pub answer: serde_json::Value,
}

/// Is a decision as it lies in the store: with what a replay needs beside the answer, which earlier versions did not keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StoredDecision {
    #[serde(flatten)]
    kept: KeptDecision,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inputs: Option<DecisionInputs>,
}

/// Keeps decisions beside the store.
#[derive(Debug)]
pub struct Decisions {
    store: Arc<dyn RecordStore>,
    time: Arc<KnownTime>,
    /// Decisions that were written within the last day, by their row's key.
    known: Cache<String, i64>,
    /// Which are kept.
    held: Mutex<DecisionIndex>,
    /// What people said.
    pub opinions: FeedbackStore,
    /// Replies that can be asked for again.
    pub replies: Replies,
}

impl Decisions {
    /// Reads what people said, and which decisions and replies are kept.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn open(
        store: Arc<dyn RecordStore>,
        time: Arc<KnownTime>,
        settings: StoreSettings,
    ) -> Result<Self, StoreError> {
        let held = DecisionIndex::open(store.as_ref(), time.earliest().as_microsecond(), settings).await?;
        Ok(Self {
            opinions: FeedbackStore::open(Arc::clone(&store), Arc::clone(&time)).await?,
            replies: Replies::open(Arc::clone(&store), Arc::clone(&time), settings).await?,
            known: Cache::new(KNOWN),
            held: Mutex::new(held),
            store,
            time,
        })
    }

    fn held(&self) -> MutexGuard<'_, DecisionIndex> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over how much may be kept; what is too much goes with what is kept next.
    pub fn resize(&self, settings: StoreSettings) {
        self.replies.resize(settings);
        self.held().shelved.resize(limits(settings));
    }

    /// Forgets what is past its time, which a sweep removes.
    pub fn forget_past(&self) {
        let now_us = self.time.earliest().as_microsecond();
        self.replies.forget_past(now_us);
        self.held().shelved.forget_past(now_us);
    }

    /// Returns how many bytes of decisions are kept.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.held().shelved.bytes()
    }

    /// Returns how many decisions were given up before their time.
    #[must_use]
    pub fn given_up(&self) -> u64 {
        self.held().shelved.given_up()
    }

    /// Counts the decisions of each client, those of most bytes first.
    #[must_use]
    pub fn clients(&self) -> Vec<DecisionsOf> {
        self.held().clients()
    }

    /// Removes decisions, and returns how many when that is on disk.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read or written.
    pub async fn remove(&self, chosen: &ChosenDecisions) -> Result<usize, StoreError> {
        let mut count = 0;
        let now_us = self.time.earliest().as_microsecond();
        loop {
            let found = find(self.store.as_ref(), chosen, now_us).await?;
            if found.is_empty() {
                return Ok(count);
            }
            let keys = found.iter().map(|one| (Table::Decisions, one.key.clone()));
            self.store.swap_rows(Vec::new(), keys.collect()).await?;
            count += found.len();
            for one in &found {
                self.held().shelved.remove(one.name, one.until_us);
                self.known.invalidate(&one.key);
            }
        }
    }

    /// Keeps a decision for so long, and returns when it is on disk. One that is there already costs nothing. One for which
    /// no source was asked, and of which no list says anything, is not kept: the question would make it anew. Where there is no
    /// room, the client's own oldest are given up, and then those of the client that has most.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn keep(
        &self,
        tenant: &str,
        client: &str,
        answer: &AlertAnswer,
        kept_for: Duration,
    ) -> Result<(), StoreError> {
        let now = self.time.clock().now();
        let key = row_key(tenant, &answer.decision_id);
        if self.is_known(&key, now) || says_nothing(answer) {
            return Ok(());
        }
        let now_us = self.time.earliest().as_microsecond();
        let row = self.store.row(Table::Decisions, &key, now_us).await?;
        let before: Option<StoredDecision> = row.as_ref().and_then(|row| packed::unpack_owned(&row.value));
        let digests = answer.indicators.iter();
        let inputs = match &before {
            Some(before) => before.inputs.clone(),
            None => Some(DecisionInputs::of(answer)),
        };
        let before = before.map(|before| before.kept);
        let decision = KeptDecision {
            decision_id: answer.decision_id.clone(),
            decided_at: before.as_ref().map_or(now, |before| before.decided_at),
            last_decided_at: now,
            client: before
                .as_ref()
                .map_or_else(|| client.to_owned(), |before| before.client.clone()),
            policy_version: answer.policy_version.clone(),
            evidence_digests: digests
                .map(|item| item.evidence.iter().map(digest::evidence).collect())
                .collect(),
            answer: match before {
                Some(before) => before.answer,
                None => serde_json::to_value(answer).unwrap_or_default(),
            },
        };
        let owner = DecisionOwner {
            client: client_of(tenant, &decision.client),
            made_us: now.as_microsecond(),
        };
        let kept_us = i64::try_from(kept_for.as_micros()).unwrap_or(i64::MAX);
        let until_us = self.time.latest().as_microsecond().saturating_add(kept_us);
        let stored = StoredDecision {
            kept: decision,
            inputs,
        };
        let value = packed::pack_owned(owner, &stored);
        let decision = stored.kept;
        let name = name_of(owner.client, &answer.decision_id);
        let (gone, keys) = {
            let mut held = self.held();
            held.know(owner.client, tenant, &decision.client);
            let before = row.as_ref().and_then(|row| {
                let name = name_of(owned(tenant, &row.value)?.client, &answer.decision_id)?;
                held.shelved.remove(name, row.until_us)
            });
            let gone = name.map_or_else(Vec::new, |name| {
                held.shelved.make_room(name, until_us, value.len(), now_us)
            });
            let keys: Vec<String> = gone.iter().filter_map(|gone| held.key(gone)).collect();
            (gone.into_iter().chain(before).collect::<Vec<_>>(), keys)
        };
        for key in &keys {
            self.known.invalidate(key);
        }
        let count = keys.len();
        let row = Row {
            table: Table::Decisions,
            key: key.clone(),
            until_us,
            value,
        };
        let keys = keys.into_iter().map(|key| (Table::Decisions, key)).collect();
        let written = self.store.swap_rows(vec![row], keys).await;
        let mut held = self.held();
        match (&written, name) {
            (Ok(()), _) => {
                let given_up = gone.get(..count).unwrap_or_default();
                held.shelved.count_given_up(given_up, now_us);
                self.known.insert(key, now.as_second().saturating_add(AGAIN_S));
            }
            (Err(_), Some(name)) => held.shelved.undo(name, until_us, gone),
            (Err(_), None) => {}
        }
        written
    }

    /// Tells whether a decision was written within the last day.
    #[must_use]
    pub fn is_kept(&self, tenant: &str, id: &str) -> bool {
        self.is_known(&row_key(tenant, id), self.time.clock().now())
    }

    fn is_known(&self, key: &str, now: Timestamp) -> bool {
        // One that was written at a time far ahead is written again.
        let again = self.known.get(key);
        again.is_some_and(|again| (again - AGAIN_S..again).contains(&now.as_second()))
    }

    /// Finds a decision of a tenant.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn find(&self, tenant: &str, id: &str) -> Result<Option<KeptDecision>, StoreError> {
        let stored = self.find_stored(tenant, id).await?;
        Ok(stored.map(|stored| stored.kept))
    }

    async fn find_stored(&self, tenant: &str, id: &str) -> Result<Option<StoredDecision>, StoreError> {
        let now = self.time.earliest().as_microsecond();
        let row = self
            .store
            .row(Table::Decisions, &row_key(tenant, id), now)
            .await?;
        Ok(row.and_then(|row| packed::unpack_owned(&row.value)))
    }
}

/// Tells an answer to a question for which no source was asked, and of which neither a list nor a person says anything.
fn says_nothing(answer: &AlertAnswer) -> bool {
    let told = [
        &answer.unreadable,
        &answer.sealed,
        &answer.excess,
        &answer.ignored,
    ];
    matches!(answer.decision, Decision::Unknown | Decision::Unsupported)
        && answer.indicators.iter().all(|item| item.evidence.is_empty())
        && told.iter().all(|told| told.is_empty())
}

fn row_key(tenant: &str, id: &str) -> String {
    format!("{tenant}|{id}")
}
