//! Scores the indicators of an alert: asks every source that rates their kind, and assesses what they say.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use crate::domain::{
    Capability, Denial, FailureKind, Indicator, IndicatorKind, Outcome, Query, Record, Value,
};
use crate::engine::{Ask, Asker, CacheState, Engine, Told};
use crate::reputation::alert::{AlertAnswer, Cost, Request, combine};
use crate::reputation::evidence::{Evidence, EvidenceStatus, from_risk};
use crate::reputation::policy::Policy;
use crate::reputation::score::{Assessment, assess};

/// Holds an answer with what logs and metrics want to know.
#[derive(Debug)]
pub struct Scored {
    /// The answer.
    pub answer: AlertAnswer,
    /// Where it came from: `hit`, `miss`, `mixed` …
    pub cache: &'static str,
    /// The time that vendors took.
    pub provider_time: Duration,
}

/// Scores indicators, each with its role in the alert, side by side.
pub async fn score(
    engine: &Engine,
    policy: &Policy,
    asker: &Asker,
    deadline: Duration,
    indicators: &[(String, Indicator)],
) -> Scored {
    let told = join_all(
        indicators
            .iter()
            .map(|(_, indicator)| ask_all(engine, asker, deadline, indicator)),
    )
    .await;
    let mut cost = Cost::default();
    let mut caches = Vec::new();
    let mut provider_time = Duration::ZERO;
    let now = engine.clock().now();
    let mut assessments: Vec<Assessment> = Vec::with_capacity(indicators.len());
    for ((role, indicator), told) in indicators.iter().zip(&told) {
        for (_, told) in told {
            cost.calls += told.attempts;
            cost.cached += u32::from(matches!(told.cache, CacheState::Hit | CacheState::Stale));
            provider_time += told.provider_time;
            caches.push(told.cache.name());
        }
        let evidence: Vec<Evidence> = told
            .iter()
            .map(|(source, told)| evidence(source, told, now))
            .collect();
        assessments.push(assess(role, indicator, &evidence, policy, now));
    }
    let titles = titles(engine);
    let decision_id = uuid::Uuid::now_v7().to_string();
    let request = Request {
        request_id: &asker.request_id,
        decision_id: &decision_id,
        cost,
        titles: &titles,
    };
    let cache = match caches.split_first() {
        None => CacheState::Local.name(),
        Some((first, rest)) if rest.iter().all(|other| other == first) => first,
        Some(_) => "mixed",
    };
    Scored {
        answer: combine(&request, policy, assessments),
        cache,
        provider_time,
    }
}

fn titles(engine: &Engine) -> BTreeMap<String, String> {
    let runtimes = engine.runtimes();
    runtimes
        .iter()
        .map(|(name, runtime)| (name.clone(), runtime.provider.descriptor().title.to_owned()))
        .collect()
}

/// Asks every source that has a key and rates this kind of indicator; names are asked by their registrable domain.
async fn ask_all(
    engine: &Engine,
    asker: &Asker,
    deadline: Duration,
    indicator: &Indicator,
) -> Vec<(String, Told)> {
    let asked = match indicator.kind() {
        IndicatorKind::Domain | IndicatorKind::Hostname => indicator.registrable(),
        _ => Some(indicator.clone()),
    };
    let Some(asked) = asked else { return Vec::new() };
    let runtimes = engine.runtimes();
    let sources = runtimes.iter().filter(|(_, runtime)| {
        let offer = runtime.provider.descriptor().offer(Capability::Risk);
        runtime.own.is_some() && offer.is_some_and(|offer| offer.inputs.contains(&asked.kind()))
    });
    join_all(sources.map(async |(name, _)| {
        let ask = Ask {
            provider: name.clone(),
            query: Query::new(Capability::Risk, asked.clone()),
            want: 0,
            // Enrichment never buys.
            buy: false,
            max_age: None,
            ttl: None,
            key: None,
            deadline,
            asker: asker.clone(),
        };
        (name.clone(), engine.ask(ask).await)
    }))
    .await
}

fn evidence(source: &str, told: &Told, now: jiff::Timestamp) -> Evidence {
    let answer = match &told.outcome {
        Outcome::Found(answer) => answer,
        Outcome::NotFound(_) => return dated(Evidence::absent(source, EvidenceStatus::NoData), told, now),
        Outcome::Failed(failure) => return Evidence::absent(source, status(failure.kind)),
    };
    let Some(record) = answer.records.first() else {
        return Evidence::absent(source, EvidenceStatus::NoData);
    };
    let retrieved = told.entry.as_ref().map(|entry| entry.retrieved_at);
    let age = told.entry.as_ref().map(|entry| entry.age(now).as_secs());
    let cached = matches!(told.cache, CacheState::Hit | CacheState::Stale);
    let zero = matches!(record.get("zero_listed"), Some(Value::Flag(true)));
    let (score, threats, components) = (
        integer(record, "score"),
        texts(record, "threats"),
        components(record),
    );
    let mut evidence = from_risk(source, score, &threats, &components, zero, retrieved, age, cached);
    if told.cache == CacheState::Stale && evidence.status == EvidenceStatus::Ok {
        evidence.status = EvidenceStatus::Stale;
    }
    evidence
}

fn dated(mut evidence: Evidence, told: &Told, now: jiff::Timestamp) -> Evidence {
    evidence.age_s = told.entry.as_ref().map(|entry| entry.age(now).as_secs());
    evidence.cached = matches!(told.cache, CacheState::Hit | CacheState::Stale);
    evidence
}

fn status(kind: FailureKind) -> EvidenceStatus {
    match kind {
        FailureKind::Limited => EvidenceStatus::Limited,
        FailureKind::TimedOut => EvidenceStatus::Timeout,
        FailureKind::Denied(Denial::ServerKey | Denial::UserKey) => EvidenceStatus::AuthError,
        FailureKind::Denied(Denial::NoKey | Denial::NotEntitled | Denial::Scope | Denial::Price) => {
            EvidenceStatus::Skipped
        }
        FailureKind::Unavailable | FailureKind::Malformed | FailureKind::Refused => {
            EvidenceStatus::ProviderError
        }
    }
}

fn integer(record: &Record, name: &str) -> Option<i64> {
    match record.get(name) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}

fn texts(record: &Record, name: &str) -> Vec<String> {
    match record.get(name) {
        Some(Value::Texts(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

fn components(record: &Record) -> Vec<(String, i64)> {
    let components = record.records("components").iter();
    components
        .filter_map(|one| Some((one.text("name")?.into_owned(), integer(one, "score")?)))
        .collect()
}
