//! Tables of cases and what is expected of them: a policy is tried before it decides.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::alert::{Request, combine};
use super::calibrate::{Origin, from_record};
use super::evidence::{Evidence, EvidenceStatus, from_risk};
use super::policy::{Policy, Rules};
use super::score::{Assessment, Decision, Recommendation, Verdict, assess};
use super::{Kind, lists};
use pivotd_domain::lists::{Hit, Purpose};
use pivotd_domain::{Indicator, Record, Value};

/// Holds a table of cases.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The cases, in order.
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
}

/// Holds one case: evidence, and what is expected of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name, for people.
    pub name: String,
    /// The indicator.
    pub indicator: String,
    /// The client that asks, by the name of its token.
    pub client: Option<String>,
    /// The caller's threshold.
    pub threshold: Option<u8>,
    /// The caller's number of sources that must agree.
    pub min_sources: Option<u32>,
    /// What sources and lists say.
    #[serde(default)]
    pub evidence: Vec<CaseEvidence>,
    /// What is expected.
    pub expect: ExpectedScore,
}

/// Holds what one source or list says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEvidence {
    /// The source.
    pub source: Option<String>,
    /// The purpose of a list that the indicator stands on.
    pub list: Option<String>,
    /// A published risk from 0 to 100.
    pub risk: Option<i64>,
    /// The measure.
    pub measure: Option<String>,
    /// The number on it.
    pub value: Option<i64>,
    /// The word on it.
    pub word: Option<String>,
    /// Days since it was observed, or since the first date where the measure is an age.
    pub days: Option<i64>,
    /// Why the source is missing, or `no_data`.
    pub status: Option<EvidenceStatus>,
    /// What it was said of, where that is not the indicator.
    pub about: Option<String>,
}

/// Holds what is expected; what is left out may be anything.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedScore {
    /// The decision.
    pub decision: Option<String>,
    /// The verdict.
    pub verdict: Option<String>,
    /// The score, or its least and most.
    pub score: Option<Range>,
    /// The recommendation.
    pub recommend: Option<String>,
    /// Whether it is safe to block.
    pub safe_to_block: Option<bool>,
    /// Whether evidence is in conflict.
    pub conflict: Option<bool>,
}

/// Holds a score, or the least and the most of it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub enum Range {
    /// Exactly this.
    Exactly(u8),
    /// From this to that.
    Between([u8; 2]),
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(score) => write!(formatter, "{score}"),
            Self::Between([least, max]) => write!(formatter, "{least} to {max}"),
        }
    }
}

/// Holds what became of a case.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The case's name.
    pub name: String,
    /// The assessment.
    pub assessment: Assessment,
    /// What is not as expected: `decision below, expected exceeds`.
    pub wrong: Vec<String>,
}

/// Reads a table of cases.
///
/// # Errors
/// Where and what is wrong.
pub fn read(text: &str) -> Result<Table, String> {
    let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    if table.cases.is_empty() {
        return Err("there is no [[case]]".to_owned());
    }
    Ok(table)
}

/// Tries a case.
///
/// # Errors
/// What in the case cannot be understood.
pub fn try_case(case: &Case, policy: &Policy, now: Timestamp) -> Result<Outcome, String> {
    let wrong = |what: String| format!("case \"{}\": {what}", case.name);
    let indicator = Indicator::guess(&case.indicator).map_err(|error| {
        wrong(format!(
            "indicator: {} is not {}",
            error.given(),
            error.expected()
        ))
    })?;
    known_words(&case.expect).map_err(wrong)?;
    let kind = Kind::of(indicator.kind())
        .ok_or_else(|| wrong("indicator: it is of a kind that is never scored".to_owned()))?;
    let mut policy = match &case.client {
        Some(client) => policy.of_client(client),
        None => policy.clone(),
    };
    if let Some(threshold) = case.threshold {
        policy = policy.with_threshold(threshold);
    }
    if let Some(sources) = case.min_sources {
        policy = policy.with_min_sources(sources);
    }
    let mut evidence = Vec::new();
    for said in &case.evidence {
        evidence.extend(of(said, &indicator, &policy.rules, now).map_err(&wrong)?);
    }
    let assessment = assess(kind.name(), &indicator, evidence, &policy, now);
    Ok(Outcome {
        name: case.name.clone(),
        wrong: differences(&case.expect, &assessment),
        assessment,
    })
}

/// Refuses words that no answer has: a case that expects one could never hold.
fn known_words(expected: &ExpectedScore) -> Result<(), String> {
    let check = |what: &str, word: Option<&String>, known: &[&str]| match word {
        Some(word) if !known.contains(&word.as_str()) => Err(format!(
            "{what}: unknown word \"{word}\", expected one of {}",
            known.join(", ")
        )),
        _ => Ok(()),
    };
    let decisions = [
        Decision::Exceeds,
        Decision::Below,
        Decision::Unknown,
        Decision::Unsupported,
        Decision::Undetermined,
    ];
    let verdicts = [
        Verdict::Malicious,
        Verdict::Suspicious,
        Verdict::Benign,
        Verdict::Unknown,
    ];
    let recommendations = [
        Recommendation::Block,
        Recommendation::Review,
        Recommendation::None,
    ];
    check(
        "decision",
        expected.decision.as_ref(),
        &decisions.map(Decision::name),
    )?;
    check("verdict", expected.verdict.as_ref(), &verdicts.map(Verdict::name))?;
    check(
        "recommend",
        expected.recommend.as_ref(),
        &recommendations.map(Recommendation::name),
    )
}

/// Refuses sources and measures that the rules do not name: what they say would count for nothing.
fn known_measure(source: &str, measure: Option<&str>, rules: &Rules) -> Result<(), String> {
    let Some(own) = rules.source(source) else {
        let known: Vec<&str> = rules.sources.keys().map(String::as_str).collect();
        return Err(format!(
            "source: no rules for \"{source}\", expected one of {}",
            known.join(", ")
        ));
    };
    match measure {
        Some(measure) if !own.measures.contains_key(measure) => {
            let known: Vec<&str> = own.measures.keys().map(String::as_str).collect();
            Err(format!(
                "measure: no rules for \"{measure}\" of {source}, expected one of {}",
                known.join(", ")
            ))
        }
        _ => Ok(()),
    }
}

fn of(
    said: &CaseEvidence,
    indicator: &Indicator,
    rules: &Rules,
    now: Timestamp,
) -> Result<Vec<Evidence>, String> {
    let seen = |days: i64| {
        let before = SignedDuration::from_hours(days.clamp(-36_500, 36_500) * 24);
        now.checked_sub(before)
            .map_err(|_| format!("days: {days} is too many"))
    };
    let seen = said.days.map(seen).transpose()?;
    match (&said.source, &said.list) {
        (None, Some(list)) => {
            let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.name() == list);
            let purpose = purpose.ok_or_else(|| {
                let names = Purpose::ALL.map(Purpose::name).join(", ");
                format!("list: unknown purpose \"{list}\", expected one of {names}")
            })?;
            let hit = Hit {
                purpose,
                list: "the case".into(),
                entry: indicator.value().to_owned(),
            };
            Ok(lists::evidence(indicator, &[hit], rules))
        }
        (Some(source), None) => {
            known_measure(source, said.measure.as_deref(), rules)?;
            let mut evidence = match (said.status, said.risk) {
                (Some(status), None) => Evidence::absent(source, status),
                (None, Some(risk)) => from_risk(source, Some(risk), &[], &[], false, seen, Some(0), false),
                (None, None) => {
                    let record = Record::new()
                        .with_some("measure", said.measure.clone())
                        .with_some("value", said.value)
                        .with_some("word", said.word.clone())
                        .with_some("first_seen", seen.map(Value::Time))
                        .with_some("last_seen", seen.map(Value::Time));
                    let origin = Origin {
                        retrieved_at: Some(now),
                        age_s: Some(0),
                        cached: false,
                        stale: false,
                    };
                    from_record(source, &record, rules, &origin, now)
                }
                (Some(_), Some(_)) => return Err(format!("evidence of {source}: give a status or a risk")),
            };
            evidence.about.clone_from(&said.about);
            Ok(vec![evidence])
        }
        _ => Err("evidence: give either a source or a list".to_owned()),
    }
}

fn differences(expected: &ExpectedScore, found: &Assessment) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut compare = |what: &str, found: String, expected: Option<String>| {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            wrong.push(format!("{what} {found}, expected {expected}"));
        }
    };
    compare(
        "decision",
        found.decision.name().to_owned(),
        expected.decision.clone(),
    );
    compare(
        "verdict",
        found.verdict.name().to_owned(),
        expected.verdict.clone(),
    );
    compare(
        "recommend",
        found.recommend.name().to_owned(),
        expected.recommend.clone(),
    );
    compare(
        "safe_to_block",
        found.safe_to_block.to_string(),
        expected.safe_to_block.map(|flag| flag.to_string()),
    );
    compare(
        "conflict",
        found.conflict.to_string(),
        expected.conflict.map(|flag| flag.to_string()),
    );
    let fits = |range: Range| {
        found.score.is_some_and(|score| match range {
            Range::Exactly(exact) => score == exact,
            Range::Between([least, max]) => (least..=max).contains(&score),
        })
    };
    if let Some(range) = expected.score.filter(|range| !fits(*range)) {
        let score = found
            .score
            .map_or_else(|| "unknown".to_owned(), |score| score.to_string());
        wrong.push(format!("score {score}, expected {range}"));
    }
    wrong
}

/// Writes an outcome's reasons in a sentence, as an alert's summary does.
#[must_use]
pub fn summary(outcome: &Outcome, policy: &Policy) -> String {
    let titles = std::collections::BTreeMap::new();
    combine(
        Request::new("", "", &titles),
        policy,
        vec![outcome.assessment.clone()],
    )
    .summary
}
