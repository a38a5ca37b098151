//! Keeps decisions, so that each can be explained later; replies, so that a request can safely be sent again; and what
//! people said of decisions, which is evidence for the next ones.

mod feedback;
mod packed;
mod replies;
mod shelf;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::config::settings::StoreSettings;
use crate::engine::known_time::KnownTime;
use crate::engine::store::{Row, Shelf, Store, StoreError};
use crate::reputation::alert::AlertAnswer;
use crate::reputation::digest;

pub use feedback::{FeedbackRecord, FeedbackVerdict, Opinions, SayError};
pub use replies::{Begun, Claim, Replies, Reply, fingerprint};

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

/// Keeps decisions beside the store.
#[derive(Debug)]
pub struct Decisions {
    store: Store,
    time: Arc<KnownTime>,
    /// Decisions that were written within the last day, by their row's key.
    known: Cache<String, i64>,
    /// What people said.
    pub opinions: Opinions,
    /// Replies that can be asked for again.
    pub replies: Replies,
}

impl Decisions {
    /// Reads what people said, and which replies are kept.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub fn open(store: Store, time: Arc<KnownTime>, settings: StoreSettings) -> Result<Self, StoreError> {
        Ok(Self {
            opinions: Opinions::open(store.clone(), Arc::clone(&time))?,
            replies: Replies::open(store.clone(), Arc::clone(&time), settings)?,
            known: Cache::new(KNOWN),
            store,
            time,
        })
    }

    /// Keeps a decision for so long, and returns when it is on disk. One that is there already costs nothing.
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
        if self.is_known(&key, now) {
            return Ok(());
        }
        let before = self.find(tenant, &answer.decision_id)?;
        let digests = answer.indicators.iter();
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
        let kept_us = i64::try_from(kept_for.as_micros()).unwrap_or(i64::MAX);
        let row = Row {
            shelf: Shelf::Decisions,
            key: key.clone(),
            until_us: self.time.latest().as_microsecond().saturating_add(kept_us),
            value: packed::pack(&decision),
        };
        self.store.put_rows(vec![row]).await?;
        self.known.insert(key, now.as_second().saturating_add(AGAIN_S));
        Ok(())
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
    pub fn find(&self, tenant: &str, id: &str) -> Result<Option<KeptDecision>, StoreError> {
        let now = self.time.earliest().as_microsecond();
        let row = self.store.row(Shelf::Decisions, &row_key(tenant, id), now)?;
        Ok(row.and_then(|row| packed::unpack(&row)))
    }
}

fn row_key(tenant: &str, id: &str) -> String {
    format!("{tenant}|{id}")
}
