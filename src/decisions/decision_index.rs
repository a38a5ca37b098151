//! Says which decisions are kept, for which client, and which go: the oldest where there is no room, and those that an administrator chose.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::packed::{self, DecisionOwner};
use super::row_index::{EvictedRow, Limits, Name, RowIndex, client_of};
use super::{KeptDecision, row_key};
use crate::config::settings::StoreSettings;
use crate::storage::{RecordStore, StoreError, Table, gather_rows};

/// So many decisions are removed at once.
const CHUNK: usize = 10_000;

/// Chooses decisions; what is left out matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenDecisions {
    /// Those that a client asked for first, by the name of its token.
    pub client: Option<String>,
    /// Those of a tenant.
    pub tenant: Option<String>,
    /// Those that were last made more than so many seconds ago.
    pub older_than_s: Option<u64>,
}

/// Counts the decisions of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionsOf {
    /// The tenant.
    pub tenant: String,
    /// Who asked first: the token's name.
    pub client: String,
    /// How many.
    pub count: usize,
    /// How many bytes they take.
    pub bytes: u64,
}

/// Is a decision that was found in the store.
pub(super) struct StoredDecision {
    pub(super) key: String,
    pub(super) name: Name,
    pub(super) until_us: i64,
}

/// Says whose decisions they are.
#[derive(Debug)]
struct Owner {
    tenant: Arc<str>,
    client: Arc<str>,
}

/// Knows which decisions are kept.
#[derive(Debug)]
pub(super) struct DecisionIndex {
    pub(super) shelved: RowIndex,
    owners: HashMap<u64, Owner>,
}

pub(super) fn limits(settings: StoreSettings) -> Limits {
    Limits {
        all: settings.decisions,
        one: settings.decisions_per_client,
    }
}

/// Names a decision of a client.
pub(super) fn name_of(client: u64, id: &str) -> Option<Name> {
    let item = *Uuid::try_parse(id).ok()?.as_bytes();
    Some(Name { client, item })
}

/// Says whose a stored decision is and when it was last made; for one that earlier versions wrote, it is unpacked.
pub(super) fn owned(tenant: &str, value: &[u8]) -> Option<DecisionOwner> {
    let (owned, _) = packed::apart(value);
    owned.or_else(|| {
        let decision: KeptDecision = packed::unpack_owned(value)?;
        Some(DecisionOwner {
            client: client_of(tenant, &decision.client),
            made_us: decision.last_decided_at.as_microsecond(),
        })
    })
}

impl DecisionIndex {
    /// Looks which decisions are there.
    pub(super) async fn open(
        store: &dyn RecordStore,
        now_us: i64,
        settings: StoreSettings,
    ) -> Result<Self, StoreError> {
        let held = Self {
            shelved: RowIndex::new(limits(settings)),
            owners: HashMap::new(),
        };
        let all = (Table::Decisions, now_us);
        gather_rows(store, all, held, |held, key, until_us, value| {
            let Some((tenant, id)) = key.rsplit_once('|') else {
                return;
            };
            let Some(owned) = owned(tenant, value) else { return };
            let Some(name) = name_of(owned.client, id) else {
                return;
            };
            if !held.owners.contains_key(&name.client)
                && let Some(decision) = packed::unpack_owned::<KeptDecision>(value)
            {
                held.know(name.client, tenant, &decision.client);
            }
            held.shelved.put(name, until_us, value.len());
        })
        .await
    }

    /// Notes who a client is.
    pub(super) fn know(&mut self, name: u64, tenant: &str, client: &str) {
        self.owners.entry(name).or_insert_with(|| Owner {
            tenant: tenant.into(),
            client: client.into(),
        });
    }

    /// Lists the tenants of which decisions are kept or were.
    pub(super) fn tenants(&self) -> BTreeSet<String> {
        let owners = self.owners.values();
        owners.map(|owner| owner.tenant.to_string()).collect()
    }

    /// Returns the key of a decision's row.
    pub(super) fn key(&self, gone: &EvictedRow) -> Option<String> {
        let owner = self.owners.get(&gone.name.client)?;
        let id = Uuid::from_bytes(gone.name.item).to_string();
        Some(row_key(&owner.tenant, &id))
    }

    /// Counts the decisions of each client, those of most bytes first.
    pub(super) fn clients(&self) -> Vec<DecisionsOf> {
        let of = |(name, count, bytes)| {
            let owner = self.owners.get(&name)?;
            Some(DecisionsOf {
                tenant: owner.tenant.to_string(),
                client: owner.client.to_string(),
                count,
                bytes,
            })
        };
        let mut clients: Vec<DecisionsOf> = self.shelved.clients().filter_map(of).collect();
        clients.sort_by(|one, other| (other.bytes, &one.client).cmp(&(one.bytes, &other.client)));
        clients
    }
}

/// Finds decisions in the store that are chosen at `now_us`, but no more than are removed at once.
pub(super) async fn find(
    store: &dyn RecordStore,
    chosen: &ChosenDecisions,
    now_us: i64,
) -> Result<Vec<StoredDecision>, StoreError> {
    let chosen = chosen.clone();
    let age_us = |seconds| {
        i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000)
    };
    let before_us = chosen
        .older_than_s
        .map(|seconds| now_us.saturating_sub(age_us(seconds)));
    // What a sweep has not removed yet is removed, too.
    let all = (Table::Decisions, i64::MIN);
    gather_rows(store, all, Vec::new(), move |found, key, until_us, value| {
        let Some((tenant, id)) = key.rsplit_once('|').filter(|_| found.len() < CHUNK) else {
            return;
        };
        let is_tenant = chosen.tenant.as_deref().is_none_or(|chosen| chosen == tenant);
        let Some(owned) = is_tenant.then(|| owned(tenant, value)).flatten() else {
            return;
        };
        let is_client = (chosen.client.as_deref()).is_none_or(|name| client_of(tenant, name) == owned.client);
        let is_old = before_us.is_none_or(|before| owned.made_us < before);
        if let Some(name) = name_of(owned.client, id).filter(|_| is_client && is_old) {
            found.push(StoredDecision {
                key: key.to_owned(),
                name,
                until_us,
            });
        }
    })
    .await
}
