//! What people said of decisions: of each indicator the latest, until it ends.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::ask::score::{Feedback, Opinion, Said};
use crate::domain::{Indicator, IndicatorKind};
use crate::engine::known_time::KnownTime;
use crate::engine::store::{Row, Shelf, Store, StoreError};

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

/// Holds what somebody said of an indicator.
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

type Known = HashMap<String, Arc<FeedbackRecord>>;

/// Keeps what people said, in memory and beside the store.
#[derive(Debug)]
pub struct Opinions {
    store: Store,
    time: Arc<KnownTime>,
    known: ArcSwap<Known>,
    writing: Mutex<()>,
    /// Grows with everything that is said.
    version: AtomicU64,
}

impl Opinions {
    /// Reads what was said and still holds.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub fn open(store: Store, time: Arc<KnownTime>) -> Result<Self, StoreError> {
        let rows = store.rows(Shelf::Feedback, time.earliest().as_microsecond())?;
        let read = |row: Row| {
            let record: FeedbackRecord = serde_json::from_slice(&row.value).ok()?;
            let tenant = row
                .key
                .strip_suffix(&name(record.r#type, &record.indicator))
                .map(str::to_owned);
            let key = tenant.map_or(row.key, |tenant| key(&tenant, record.r#type, &record.indicator));
            Some((key, Arc::new(record)))
        };
        let mut known = Known::new();
        for (key, record) in rows.into_iter().filter_map(read) {
            let latest = known.entry(key).or_insert_with(|| Arc::clone(&record));
            if latest.said_at < record.said_at {
                *latest = record;
            }
        }
        Ok(Self {
            store,
            time,
            known: ArcSwap::from_pointee(known),
            writing: Mutex::default(),
            version: AtomicU64::new(0),
        })
    }

    /// Takes in what somebody says, and returns when it is on disk. It replaces what was said of the indicator before.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be written.
    pub async fn say(&self, tenant: &str, record: FeedbackRecord) -> Result<(), StoreError> {
        let key = key(tenant, record.r#type, &record.indicator);
        let withdrawn = record.verdict == FeedbackVerdict::Withdrawn;
        let row = Row {
            shelf: Shelf::Feedback,
            key: key.clone(),
            // What ended before it began is swept away.
            until_us: if withdrawn {
                0
            } else {
                record.expires_at.as_microsecond()
            },
            value: serde_json::to_vec(&record).unwrap_or_default(),
        };
        let _one_at_a_time = self.writing.lock().await;
        let mut rows = vec![row];
        // Earlier versions named a mailbox as it was written.
        if let Some(before) = self.known.load().get(&key) {
            let written = format!("{tenant}{}", name(before.r#type, &before.indicator));
            if written != key {
                rows.push(Row {
                    shelf: Shelf::Feedback,
                    key: written,
                    until_us: 0,
                    value: Vec::new(),
                });
            }
        }
        self.store.put_rows(rows).await?;
        let now = self.time.earliest();
        let mut known = Known::clone(&self.known.load());
        known.retain(|_, record| record.expires_at > now);
        if withdrawn {
            known.remove(&key);
        } else {
            known.insert(key, Arc::new(record));
        }
        self.known.store(Arc::new(known));
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
        let known = self.known.load();
        if known.is_empty() {
            return None;
        }
        let record = known.get(&key(tenant, kind, value))?;
        (record.expires_at > self.time.earliest()).then(|| Arc::clone(record))
    }
}

impl Feedback for Opinions {
    fn said(&self, tenant: &str, indicator: &Indicator, _now: Timestamp) -> Vec<Said> {
        let record = self.of(tenant, indicator.kind(), indicator.value());
        let said = record.and_then(|record| {
            let opinion = match record.verdict {
                FeedbackVerdict::FalsePositive => Opinion::FalsePositive,
                FeedbackVerdict::Confirmed => Opinion::Confirmed,
                FeedbackVerdict::Withdrawn => return None,
            };
            Some(Said {
                opinion,
                reason: record.reason.clone(),
                at: record.said_at,
            })
        });
        said.into_iter().collect()
    }
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
