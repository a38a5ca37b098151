//! Looks an indicator up at providers: chooses who is asked, asks side by side, and returns what each source answered.
//!
//! It knows neither transforms nor scores; both sit on it, and so does every other frontend.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use crate::catalogue::{OWN, own};
use crate::domain::{Capability, Indicator, IndicatorKind, Lists, Pap, Query, Tlp};
use crate::engine::keyring::Key;
use crate::engine::ledger::Priority;
use crate::engine::{Engine, EngineRequest, EngineResponse, Requester};
use crate::providers::Descriptor;

/// Is a provider that may be chosen.
pub trait Candidate {
    /// Returns what the provider can do.
    fn descriptor(&self) -> &Arc<Descriptor>;

    /// Tells whether the caller brings a key of its own for it.
    fn has_user_key(&self) -> bool;
}

/// Keeps, of the providers that a question names, those that have a key: the caller's, its tenant's, or the server's. One whose key is
/// configured and cannot be read is kept, too, to say so. Without any key, the first stays to say that there is none.
pub fn retain_with_key<T: Candidate>(engine: &Engine, tenant: &str, candidates: &mut Vec<T>) {
    let runtimes = engine.runtimes();
    let has_key = |one: &T| {
        let runtime = runtimes.get(one.descriptor().name.as_str());
        one.has_user_key() || runtime.is_some_and(|runtime| runtime.keyring.is_configured(tenant))
    };
    if candidates.iter().any(has_key) {
        candidates.retain(has_key);
    } else {
        candidates.truncate(1);
    }
}

/// Returns, of the providers that a question names, those that can be asked this about that kind of indicator. Where none
/// can, all are returned, to say so themselves.
pub fn able<T: Candidate>(
    candidates: &[T],
    capability: Capability,
    kind: IndicatorKind,
) -> impl Iterator<Item = &T> {
    let takes = move |one: &&T| takes(one.descriptor(), capability, kind);
    let any = candidates.iter().any(|one| takes(&one));
    candidates.iter().filter(move |one| !any || takes(one))
}

fn takes(descriptor: &Descriptor, capability: Capability, kind: IndicatorKind) -> bool {
    let offer = descriptor.offer(capability);
    offer.is_some_and(|offer| offer.inputs.contains(&kind))
}

/// Returns the providers at which a tenant has a key and that can be asked this about that kind of indicator; of these names
/// only, where there are any.
#[must_use]
pub fn providers_for(
    engine: &Engine,
    tenant: &str,
    capability: Capability,
    kind: IndicatorKind,
    only: Option<&BTreeSet<String>>,
) -> Vec<Arc<Descriptor>> {
    let runtimes = engine.runtimes();
    let meant = runtimes.iter().filter(|(name, runtime)| {
        runtime.keyring.is_configured(tenant) && only.is_none_or(|only| only.contains(*name))
    });
    let descriptors = meant.map(|(_, runtime)| runtime.provider.descriptor());
    descriptors
        .filter(|descriptor| takes(descriptor, capability, kind))
        .cloned()
        .collect()
}

/// Names a provider to ask, and how.
#[derive(Debug, Clone)]
pub struct Source {
    /// The provider.
    pub descriptor: Arc<Descriptor>,
    /// Parameters that the vendor sees.
    pub params: BTreeMap<String, String>,
    /// How many records are wanted, where they come page by page.
    pub wanted: usize,
    /// Whether a priced answer may be bought.
    pub buy: bool,
    /// The greatest age of an answer; zero asks again.
    pub max_age: Option<Duration>,
    /// The user's own key.
    pub user_key: Option<Arc<Key>>,
    /// Why the provider may not be asked; then only what is held answers.
    pub blocked_reason: Option<String>,
}

impl Source {
    /// Asks a provider with the parameters that hold where nothing else is said, so that all who ask nothing else are
    /// answered by one stored answer. Nothing is bought.
    #[must_use]
    pub fn of(descriptor: &Arc<Descriptor>, capability: Capability) -> Self {
        let offer = descriptor.offer(capability);
        let params = offer.iter().flat_map(|offer| &offer.params);
        Self {
            params: params
                .map(|param| (param.name.to_string(), param.values.default()))
                .collect(),
            descriptor: Arc::clone(descriptor),
            wanted: 0,
            buy: false,
            max_age: None,
            user_key: None,
            blocked_reason: None,
        }
    }
}

/// Says what became of a look-up at one source.
#[derive(Debug, Clone)]
pub struct SourceResult {
    /// The provider.
    pub descriptor: Arc<Descriptor>,
    /// What it answered.
    pub response: EngineResponse,
}

/// Holds what all questions of a request have in common.
#[derive(Debug, Clone, Copy)]
pub struct Lookup<'a> {
    /// Answers questions.
    pub engine: &'a Engine,
    /// The lists, for what pivotd answers itself.
    pub lists: &'a Lists,
    /// Who asks.
    pub requester: &'a Requester,
    /// Until when the caller waits, on the clock's `elapsed`.
    pub deadline: Duration,
    /// How long answers are kept, where the question says.
    pub ttl: Option<Duration>,
}

impl Lookup<'_> {
    /// Asks a source.
    pub async fn ask(&self, source: Source, capability: Capability, indicator: &Indicator) -> SourceResult {
        self.ask_as(self.requester.priority, source, capability, indicator)
            .await
    }

    /// Asks a source in another turn than the caller's.
    pub async fn ask_as(
        &self,
        priority: Priority,
        source: Source,
        capability: Capability,
        indicator: &Indicator,
    ) -> SourceResult {
        if source.descriptor.name == OWN {
            return SourceResult {
                response: EngineResponse::local(own::answer(indicator, self.lists).0),
                descriptor: source.descriptor,
            };
        }
        let ask = EngineRequest {
            provider: source.descriptor.name.to_string(),
            query: Query {
                capability,
                indicator: indicator.clone(),
                params: source.params,
            },
            wanted: source.wanted,
            buy: source.buy,
            max_age: source.max_age,
            blocked_reason: source.blocked_reason,
            ttl: self.ttl,
            key: source.user_key,
            deadline: self.deadline,
            requester: Requester {
                priority,
                ..self.requester.clone()
            },
        };
        SourceResult {
            response: self.engine.ask(ask).await,
            descriptor: source.descriptor,
        }
    }

    /// Asks several sources side by side; results stand in the order of the sources.
    pub async fn ask_all(
        &self,
        sources: Vec<Source>,
        capability: Capability,
        indicator: &Indicator,
    ) -> Vec<SourceResult> {
        let asked = sources
            .into_iter()
            .map(|source| self.ask(source, capability, indicator));
        let results = join_all(asked).await;
        // While one source is waited for, the answers of others hold no room.
        results.into_iter().map(SourceResult::without_room).collect()
    }
}

/// Waits for several results, and tells what is there each time one comes while others are missing, and which one came last.
/// They are returned in the order of the questions.
pub(super) async fn each_in_turn<T, F: Future<Output = T>>(
    asked: impl Iterator<Item = F>,
    mut observe: impl FnMut(&[Option<T>], usize),
) -> Vec<T> {
    let mut waiting: FuturesUnordered<_> = asked
        .enumerate()
        .map(|(at, one)| async move { (at, one.await) })
        .collect();
    let mut results: Vec<Option<T>> = (0..waiting.len()).map(|_| None).collect();
    while let Some((at, result)) = waiting.next().await {
        if let Some(place) = results.get_mut(at) {
            *place = Some(result);
        }
        if !waiting.is_empty() {
            observe(&results, at);
        }
    }
    results.into_iter().flatten().collect()
}

impl SourceResult {
    /// Gives back the room that a large answer takes while others are waited for.
    #[must_use]
    pub fn without_room(self) -> Self {
        let response = EngineResponse {
            place: None,
            ..self.response
        };
        Self { response, ..self }
    }
}

/// Says why a marking keeps a question from a provider; `None` where it does not.
#[must_use]
pub fn blocked_reason(
    engine: &Engine,
    descriptor: &Descriptor,
    capability: Capability,
    tlp: Tlp,
    pap: Pap,
) -> Option<String> {
    let name = &descriptor.name;
    let runtimes = engine.runtimes();
    let settings = &runtimes.get(name.as_str())?.settings;
    if tlp > settings.max_tlp {
        let max = settings.max_tlp.name();
        return Some(format!(
            "TLP:{} is not told to {name}, which is asked up to {max}",
            tlp.name()
        ));
    }
    let active = descriptor.offer(capability).is_some_and(|offer| offer.active);
    let max = if active {
        settings.max_pap.min(Pap::Green)
    } else {
        settings.max_pap
    };
    (pap > max).then(|| {
        let kind = if active { "actively " } else { "" };
        format!(
            "PAP:{} does not allow to ask {name}, which is {kind}asked up to {}",
            pap.name(),
            max.name()
        )
    })
}
