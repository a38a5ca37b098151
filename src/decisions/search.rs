//! Finds decisions by what they are about, who asked and when, and makes them again under a policy.
//!
//! Each question walks through all decisions that are kept, on a thread that may block, and keeps no more than a page of them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::decision_index::owned;
use super::row_index::client_of;
use super::{Decisions, StoredDecision, packed};
use crate::reputation::Policy;
use crate::reputation::replay::{Change, changes, replay};
use crate::reputation::score::FEEDBACK;
use crate::storage::{StoreError, Table, gather_rows};

/// The most decisions of a page.
pub const MOST_FOUND: usize = 200;
/// The most decisions that one replay looks at.
const MOST_REPLAYED: usize = 100_000;
/// The most changed decisions that a replay tells of; the others are counted.
const MOST_CHANGED: usize = 200;
/// The most indicators that a found decision names.
const MOST_NAMED: usize = 10;

/// Chooses decisions; what is left out matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionFilter {
    /// Those about an indicator, canonical or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator: Option<String>,
    /// Those that a client asked for first, by the name of its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Those of a tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Those that were made at this time or after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Those that were first made before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Those that came to this decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
}

/// Shows a decision that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundDecision {
    /// The tenant.
    pub tenant: String,
    /// Its id.
    pub decision_id: String,
    /// When it was first made.
    pub decided_at: Timestamp,
    /// The day on which it was last made.
    pub last_decided_at: Timestamp,
    /// Who first asked: the token's name.
    pub client: String,
    /// The version of the policy that decided.
    pub policy_version: String,
    /// The decision.
    pub decision: String,
    /// The highest score.
    pub max_score: Option<u8>,
    /// Its indicators, of many the first.
    pub indicators: Vec<String>,
}

/// Is a page of decisions, those that were last made first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundDecisions {
    /// The decisions.
    pub decisions: Vec<FoundDecision>,
    /// Names the next page; none where this is the last.
    pub next: Option<String>,
}

/// Says what a decision would come to under a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// The version of the policy.
    pub policy_version: String,
    /// Why it cannot be made again; none where it was.
    pub not_replayed: Option<String>,
    /// What would be otherwise.
    pub changes: Vec<Change>,
    /// What people said then is a part of the evidence: how it would stand without that.
    pub without_feedback: Vec<Change>,
}

/// Is a decision that would come out otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedDecision {
    /// The decision.
    #[serde(flatten)]
    pub found: FoundDecision,
    /// What would be otherwise.
    pub changes: Vec<Change>,
}

/// Says what many decisions would come to under a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayReport {
    /// The version of the policy.
    pub policy_version: String,
    /// How many decisions were made again.
    pub replayed: usize,
    /// How many of them would be decided otherwise, as a whole or in one indicator.
    pub changed: usize,
    /// How many others would have another score or verdict.
    pub rescored: usize,
    /// How many could not be made again, by the reason.
    pub not_replayed: BTreeMap<String, usize>,
    /// Those that would be decided otherwise, in no order; of many the first.
    pub decisions: Vec<ChangedDecision>,
    /// Whether there were more decisions than one replay looks at.
    pub is_cut: bool,
}

/// Orders decisions: those that were last made first.
type Place = (Reverse<i64>, String);

fn cursor(place: &Place) -> String {
    format!("{}|{}", place.0.0, place.1)
}

/// Reads a cursor; `None` for what is none.
fn place(cursor: &str) -> Option<Place> {
    let (made, key) = cursor.split_once('|')?;
    Some((Reverse(made.parse().ok()?), key.to_owned()))
}

impl DecisionFilter {
    /// Looks at a row: its place and the decision, where it is chosen. One of another time or client is not unpacked.
    fn look(&self, key: &str, value: &[u8], spellings: Option<&[String]>) -> Option<(Place, StoredDecision)> {
        let (tenant, _) = key.rsplit_once('|')?;
        if self.tenant.as_deref().is_some_and(|wanted| wanted != tenant) {
            return None;
        }
        let owner = owned(tenant, value)?;
        let is_client = |name: &String| client_of(tenant, name) == owner.client;
        if !self.client.as_ref().is_none_or(is_client)
            || self
                .from
                .is_some_and(|from| owner.made_us < from.as_microsecond())
        {
            return None;
        }
        let stored: StoredDecision = packed::unpack_owned(value)?;
        let answer = &stored.kept.answer;
        let is_chosen = self.to.is_none_or(|to| stored.kept.decided_at < to)
            && (self.decision.as_deref()).is_none_or(|wanted| answer["decision"] == wanted)
            && spellings.is_none_or(|spellings| {
                indicators(answer).any(|value| spellings.iter().any(|spelling| spelling == value))
            });
        is_chosen.then(|| ((Reverse(owner.made_us), key.to_owned()), stored))
    }
}

fn indicators(answer: &Value) -> impl Iterator<Item = &str> {
    let items = answer["indicators"].as_array().into_iter().flatten();
    items.filter_map(|item| item["indicator"].as_str())
}

impl FoundDecision {
    fn of(key: &str, stored: &StoredDecision) -> Self {
        let kept = &stored.kept;
        let tenant = key.rsplit_once('|').map_or("", |(tenant, _)| tenant);
        let score = kept.answer["max_score"].as_u64();
        Self {
            tenant: tenant.to_owned(),
            decision_id: kept.decision_id.clone(),
            decided_at: kept.decided_at,
            last_decided_at: kept.last_decided_at,
            client: kept.client.clone(),
            policy_version: kept.policy_version.clone(),
            decision: kept.answer["decision"].as_str().unwrap_or_default().to_owned(),
            max_score: score.and_then(|score| u8::try_from(score).ok()),
            indicators: indicators(&kept.answer)
                .take(MOST_NAMED)
                .map(str::to_owned)
                .collect(),
        }
    }
}

impl Decisions {
    /// Finds a page of decisions, at most so many. `spellings` are those of the indicator.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read. `None` where the cursor is none.
    pub async fn search(
        &self,
        filter: DecisionFilter,
        spellings: Option<Vec<String>>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Option<FoundDecisions>, StoreError> {
        let after = match after.map(place) {
            Some(None) => return Ok(None),
            after => after.flatten(),
        };
        let limit = limit.clamp(1, MOST_FOUND);
        let all = (Table::Decisions, self.time.earliest().as_microsecond());
        let found: BTreeMap<Place, FoundDecision> = gather_rows(
            self.store.as_ref(),
            all,
            BTreeMap::new(),
            move |found, key, _, value| {
                let Some((place, stored)) = filter.look(key, value, spellings.as_deref()) else {
                    return;
                };
                if after.as_ref().is_some_and(|after| place <= *after) {
                    return;
                }
                found.insert(place, FoundDecision::of(key, &stored));
                // One more says that there is another page.
                if found.len() > limit + 1 {
                    found.pop_last();
                }
            },
        )
        .await?;
        let has_more = found.len() > limit;
        let mut places = found.keys();
        let next = places.nth(limit - 1).filter(|_| has_more).map(cursor);
        Ok(Some(FoundDecisions {
            decisions: found.into_values().take(limit).collect(),
            next,
        }))
    }

    /// Finds a decision of any tenant, and what it would come to under the policy that holds for its client.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn explained(
        &self,
        id: &str,
        policy: &Policy,
    ) -> Result<Option<(String, super::KeptDecision, Replayed)>, StoreError> {
        let tenants = self.held().tenants();
        for tenant in tenants {
            if let Some(stored) = self.find_stored(&tenant, id).await? {
                let replayed = replayed(&stored, policy);
                return Ok(Some((tenant, stored.kept, replayed)));
            }
        }
        Ok(None)
    }

    /// Makes many decisions again under a policy.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read.
    pub async fn replay(
        &self,
        filter: DecisionFilter,
        spellings: Option<Vec<String>>,
        policy: Policy,
    ) -> Result<ReplayReport, StoreError> {
        let report = ReplayReport {
            policy_version: policy.version().to_owned(),
            ..ReplayReport::default()
        };
        let all = (Table::Decisions, self.time.earliest().as_microsecond());
        let mut seen = 0;
        gather_rows(self.store.as_ref(), all, report, move |report, key, _, value| {
            if seen == MOST_REPLAYED {
                report.is_cut = true;
                return;
            }
            let Some((_, stored)) = filter.look(key, value, spellings.as_deref()) else {
                return;
            };
            seen += 1;
            let policy = policy.of_client(&stored.kept.client);
            let again = replay(&stored.kept.answer, stored.inputs.as_ref(), &policy, None);
            let changes = match again {
                Ok(again) => changes(&stored.kept.answer, &again),
                Err(reason) => {
                    *report.not_replayed.entry(reason).or_default() += 1;
                    return;
                }
            };
            report.replayed += 1;
            if !changes.iter().any(Change::is_decision) {
                report.rescored += usize::from(!changes.is_empty());
                return;
            }
            report.changed += 1;
            if report.decisions.len() < MOST_CHANGED {
                report.decisions.push(ChangedDecision {
                    found: FoundDecision::of(key, &stored),
                    changes,
                });
            }
        })
        .await
    }
}

fn replayed(stored: &StoredDecision, policy: &Policy) -> Replayed {
    let policy = policy.of_client(&stored.kept.client);
    let answer = &stored.kept.answer;
    let play = |without| {
        let again = replay(answer, stored.inputs.as_ref(), &policy, without);
        again.map(|again| changes(answer, &again))
    };
    let told = answer["indicators"].as_array().into_iter().flatten();
    let mut evidence = told.flat_map(|item| item["evidence"].as_array().into_iter().flatten());
    let has_feedback = evidence.any(|item| item["source"] == FEEDBACK);
    let (changes, not_replayed) = match play(None) {
        Ok(changes) => (changes, None),
        Err(reason) => (Vec::new(), Some(reason)),
    };
    Replayed {
        policy_version: policy.version().to_owned(),
        not_replayed,
        changes,
        without_feedback: if has_feedback {
            play(Some(FEEDBACK)).unwrap_or_default()
        } else {
            Vec::new()
        },
    }
}
