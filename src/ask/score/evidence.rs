//! What answers mean as evidence.

use jiff::Timestamp;

use super::plan::Part;
use crate::domain::{Capability, Denial, Failure, FailureKind, Outcome, Record, Value};
use crate::engine::{CacheState, EngineResponse};
use crate::reputation::calibrate::{Origin, from_record};
use crate::reputation::mail;
use crate::reputation::{Evidence, EvidenceStatus, Gap, Knowledge, Potential, Rules, from_risk};

/// Makes evidence of what one source was asked, and answered.
pub(super) fn of(part: &Part, response: &EngineResponse, rules: &Rules, now: Timestamp) -> Vec<Evidence> {
    let mut found = match &response.outcome {
        Outcome::Found(answer) => {
            let mut said = records(part, response, &answer.records, rules, now);
            said.extend(lacking(part.source(), &answer.missing));
            said
        }
        Outcome::NotFound(_) => vec![nothing(part, response, now)],
        Outcome::Failed(failure) => vec![Evidence {
            reasons: vec![failure.message.clone()],
            ..Evidence::absent(part.source(), status(failure.kind))
        }],
    };
    let gap = Gap {
        could: could(part, rules),
        ..gap(response, now)
    };
    for evidence in &mut found {
        evidence.about.clone_from(&part.about);
        evidence.gap = gap.clone();
        // What a source says of a host says nothing good of what strangers put there.
        if part.is_of_strangers && evidence.knowledge == Knowledge::Indicator {
            evidence.knowledge = Knowledge::CountsOnly;
        }
    }
    found
}

/// Says what a source could say to a question.
fn could(part: &Part, rules: &Rules) -> Potential {
    /// What is said of the answers to other questions.
    const OTHERS: [&str; 4] = [
        "hosted-domains",
        "hosted-domains-many",
        "registered-domains",
        "mail",
    ];
    let named = |names: &[&str]| Potential::Measures(names.iter().map(|name| (*name).to_owned()).collect());
    match part.query.capability {
        Capability::Risk => Potential::Risk,
        Capability::MailPolicy => named(&["mail"]),
        Capability::DomainsOnIp => named(&["hosted-domains", "hosted-domains-many"]),
        Capability::ReverseWhois => named(&["registered-domains"]),
        _ => {
            let measures = rules.source(part.source()).map(|own| own.measures.keys());
            let own = measures
                .into_iter()
                .flatten()
                .filter(|measure| !OTHERS.contains(&measure.as_str()))
                .filter(|measure| !part.unsaid.iter().any(|unsaid| unsaid == measure.as_str()));
            Potential::Measures(own.cloned().collect())
        }
    }
}

/// Says why what a source would say now is missing, and when asking again may give it.
fn gap(response: &EngineResponse, now: Timestamp) -> Gap {
    /// An answer that came too late is kept when it comes.
    const LATE_S: i64 = 5;
    /// A vendor that is down is left alone so long.
    const DOWN_S: i64 = 60;
    let after = |seconds: i64| now.checked_add(jiff::SignedDuration::from_secs(seconds)).ok();
    let failure: &Failure = match (&response.outcome, &response.stale) {
        (Outcome::Failed(failure), _) | (_, Some(failure)) => failure,
        // It answered in part.
        (Outcome::Found(answer), None) if !answer.missing.is_empty() => {
            return Gap {
                detail: answer.missing.join(", "),
                retry_at: after(DOWN_S),
                ..Gap::default()
            };
        }
        _ => return Gap::default(),
    };
    let is_final = matches!(failure.kind, FailureKind::Denied(_) | FailureKind::Refused);
    Gap {
        could: Potential::Anything,
        detail: failure.message.clone(),
        is_own_limit: failure.is_own_limit,
        retry_at: match failure.kind {
            _ if is_final => None,
            _ if failure.until.is_some() => failure.until,
            FailureKind::TimedOut => after(LATE_S),
            _ => after(DOWN_S),
        },
        is_final,
    }
}

/// Says that a source answered in part: what is lacking could have raised the score.
pub(super) fn lacking(source: &str, missing: &[String]) -> Option<Evidence> {
    (!missing.is_empty()).then(|| Evidence {
        reasons: missing.iter().take(MOST_LACKING).cloned().collect(),
        ..Evidence::absent(source, EvidenceStatus::ProviderError)
    })
}

fn records(
    part: &Part,
    response: &EngineResponse,
    records: &[Record],
    rules: &Rules,
    now: Timestamp,
) -> Vec<Evidence> {
    let origin = origin(response, now);
    let said: Vec<Evidence> = match part.query.capability {
        Capability::Risk => records
            .iter()
            .take(1)
            .map(|record| risk(part.source(), record, rules, &origin))
            .collect(),
        Capability::MailPolicy => records
            .iter()
            .flat_map(mail::says)
            .map(|record| from_record(part.source(), &record, rules, &origin, now))
            .collect(),
        _ => records
            .iter()
            .take(MOST_RECORDS)
            .map(|record| from_record(part.source(), record, rules, &origin, now))
            .collect(),
    };
    if said.is_empty() {
        return vec![nothing(part, response, now)];
    }
    said
}

/// The most that is told of what an answer lacks.
const MOST_LACKING: usize = 5;
/// The most that one source says of one indicator.
const MOST_RECORDS: usize = 20;

fn origin(response: &EngineResponse, now: Timestamp) -> Origin {
    Origin {
        retrieved_at: response.entry.as_ref().map(|entry| entry.retrieved_at),
        age_s: response.entry.as_ref().map(|entry| entry.age(now).as_secs()),
        cached: matches!(response.cache, CacheState::Hit | CacheState::Stale),
        stale: response.cache == CacheState::Stale,
    }
}

fn risk(source: &str, record: &Record, rules: &Rules, origin: &Origin) -> Evidence {
    let zero = matches!(record.get("zero_listed"), Some(Value::Flag(true)));
    let mut evidence = from_risk(
        source,
        integer(record, "score"),
        &texts(record, "threats"),
        &components(record),
        zero,
        origin.retrieved_at,
        origin.age_s,
        origin.cached,
    );
    evidence.retrieved_at = origin.retrieved_at;
    if let Some(family) = rules.source(source).and_then(|own| own.family.clone()) {
        evidence.family = family;
    }
    if origin.stale && evidence.status == EvidenceStatus::Ok {
        evidence.status = EvidenceStatus::Stale;
    }
    evidence
}

/// Says that a source answered what tells neither for nor against, and why that is so. An old answer of that sort is not
/// missed.
pub(super) fn answered(part: &Part, response: &EngineResponse, why: &str, now: Timestamp) -> Evidence {
    let mut evidence = nothing(part, response, now);
    evidence.status = EvidenceStatus::NoData;
    evidence.reasons = vec![why.to_owned()];
    evidence.about.clone_from(&part.about);
    evidence
}

/// Says that a source knows nothing, or knew nothing when it could last be asked.
fn nothing(part: &Part, response: &EngineResponse, now: Timestamp) -> Evidence {
    let status = if response.cache == CacheState::Stale {
        EvidenceStatus::Stale
    } else {
        EvidenceStatus::NoData
    };
    let mut evidence = Evidence::absent(part.source(), status);
    evidence.age_s = response.entry.as_ref().map(|entry| entry.age(now).as_secs());
    evidence.retrieved_at = response.entry.as_ref().map(|entry| entry.retrieved_at);
    evidence.cached = matches!(response.cache, CacheState::Hit | CacheState::Stale);
    evidence
}

fn status(kind: FailureKind) -> EvidenceStatus {
    match kind {
        FailureKind::Limited => EvidenceStatus::Limited,
        FailureKind::TimedOut => EvidenceStatus::Timeout,
        FailureKind::Denied(Denial::ServerKey | Denial::UserKey) => EvidenceStatus::AuthError,
        FailureKind::Denied(_) => EvidenceStatus::Skipped,
        FailureKind::Unavailable | FailureKind::Malformed | FailureKind::Refused => {
            EvidenceStatus::ProviderError
        }
    }
}

pub(super) fn integer(record: &Record, name: &str) -> Option<i64> {
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
