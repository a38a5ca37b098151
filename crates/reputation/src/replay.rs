//! Makes a decision again from what it was made of, under the same rules or others, and says what differs.
//!
//! A kept answer shows its evidence as clients see it. What a replay needs beside that is [`DecisionInputs`]: it is kept with the
//! answer. Vendors' numbers and words are read again by the rules; what lists and people said is taken as it was.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::alert::{AlertAnswer, Fallbacks, Ignored, Request, combine};
use super::calibrate::{Origin, from_record};
use super::evidence::{
    BenignClass, Direction, Evidence, EvidenceStatus, Gap, Knowledge, Millionths, Polarity, RawScore,
    RawValue, Reliability,
};
use super::policy::{Policy, Rules};
use super::score::{Assessment, assess};
use pivotd_domain::{Indicator, IndicatorKind, Record};

/// Holds what a decision was made of, beside what its answer shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionInputs {
    /// The threshold that the client asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threshold: Option<u8>,
    /// The number of families that the client asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_sources: Option<u32>,
    fallbacks: Fallbacks,
    #[serde(default, skip_serializing_if = "is_false")]
    is_sender_doubtful: bool,
    indicators: Vec<IndicatorInputs>,
}

/// Holds what one assessment was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct IndicatorInputs {
    /// When.
    at: Timestamp,
    /// In the order of the answer's evidence.
    evidence: Vec<EvidenceInputs>,
}

/// Holds the members of evidence that no client sees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct EvidenceInputs {
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<BenignClass>,
    #[serde(skip_serializing_if = "is_false")]
    passthrough: bool,
    #[serde(skip_serializing_if = "is_false")]
    scaled: bool,
    #[serde(skip_serializing_if = "is_false")]
    lasting: bool,
    #[serde(skip_serializing_if = "is_false")]
    local: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hazard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retrieved_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    says_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "is_default")]
    knowledge: Knowledge,
    #[serde(skip_serializing_if = "is_default")]
    gap: Gap,
    #[serde(skip_serializing_if = "Option::is_none")]
    word: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<Timestamp>,
    /// Whether it is no more than what the source said, read by the rules, so that other rules can read it.
    #[serde(skip_serializing_if = "is_false")]
    is_read_by_rules: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Says under what an answer was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MadeUnder {
    pub(super) policy: Policy,
    pub(super) fallbacks: Fallbacks,
    pub(super) is_sender_doubtful: bool,
}

/// Is what a kept answer shows of evidence.
#[derive(Deserialize)]
struct ShownEvidence {
    source: String,
    status: EvidenceStatus,
    raw: Option<RawScore>,
    #[serde(default)]
    measure: String,
    about: Option<String>,
    polarity: Direction,
    probability: Option<f64>,
    reliability: Reliability,
    observed_at: Option<Timestamp>,
    age_s: Option<u64>,
    cached: bool,
    #[serde(default)]
    reasons: Vec<String>,
}

/// Is what is read of an assessment in a kept answer.
#[derive(Deserialize)]
struct ShownAssessment {
    role: String,
    r#type: IndicatorKind,
    indicator: String,
    evidence: Vec<ShownEvidence>,
}

/// Is what is read of a kept answer.
#[derive(Deserialize)]
struct ShownAnswer {
    indicators: Vec<ShownAssessment>,
    #[serde(default)]
    unreadable: Vec<Ignored>,
    #[serde(default)]
    sealed: Vec<Ignored>,
    #[serde(default)]
    excess: Vec<Ignored>,
}

impl DecisionInputs {
    /// Gathers what an answer was made of.
    #[must_use]
    pub fn of(answer: &AlertAnswer) -> Self {
        let MadeUnder {
            policy,
            fallbacks,
            is_sender_doubtful,
        } = &answer.made_under;
        let rules = policy.rules.as_ref();
        Self {
            threshold: policy.asked_threshold,
            min_sources: policy.asked_min_sources,
            fallbacks: *fallbacks,
            is_sender_doubtful: *is_sender_doubtful,
            indicators: answer
                .indicators
                .iter()
                .map(|item| IndicatorInputs {
                    at: item.assessed_at,
                    evidence: item
                        .evidence
                        .iter()
                        .map(|one| EvidenceInputs::of(one, rules, item.assessed_at))
                        .collect(),
                })
                .collect(),
        }
    }

    /// Returns a policy as it holds for this decision: with what its client asked for.
    fn policy(&self, policy: &Policy) -> Policy {
        let mut policy = policy.clone();
        if let Some(threshold) = self.threshold {
            policy = policy.with_threshold(threshold);
        }
        if let Some(sources) = self.min_sources {
            policy = policy.with_min_sources(sources);
        }
        policy
    }
}

impl EvidenceInputs {
    fn of(evidence: &Evidence, rules: &Rules, at: Timestamp) -> Self {
        Self {
            family: (evidence.family != evidence.source).then(|| evidence.family.clone()),
            class: match evidence.polarity {
                Polarity::Benign(class) => Some(class),
                Polarity::Malicious | Polarity::Context => None,
            },
            passthrough: evidence.passthrough,
            scaled: evidence.scaled,
            lasting: evidence.lasting,
            local: evidence.local,
            hazard: evidence.hazard.clone(),
            retrieved_at: evidence.retrieved_at,
            says_until: evidence.says_until,
            knowledge: evidence.knowledge,
            gap: evidence.gap.clone(),
            word: evidence.word.clone(),
            first_seen: evidence.first_seen,
            is_read_by_rules: read_by(evidence, rules, at).as_ref() == Some(evidence),
        }
    }

    fn evidence(&self, shown: ShownEvidence) -> Evidence {
        Evidence {
            family: self.family.clone().unwrap_or_else(|| shown.source.clone()),
            source: shown.source,
            status: shown.status,
            raw: shown.raw,
            measure: shown.measure,
            about: shown.about,
            polarity: match (self.class, shown.polarity) {
                (Some(class), _) => Polarity::Benign(class),
                (None, Direction::Malicious) => Polarity::Malicious,
                (None, Direction::Benign | Direction::Context) => Polarity::Context,
            },
            probability: shown.probability.map(millionths),
            reliability: shown.reliability,
            observed_at: shown.observed_at,
            age_s: shown.age_s,
            cached: shown.cached,
            reasons: shown.reasons,
            passthrough: self.passthrough,
            scaled: self.scaled,
            lasting: self.lasting,
            local: self.local,
            hazard: self.hazard.clone(),
            retrieved_at: self.retrieved_at,
            says_until: self.says_until,
            knowledge: self.knowledge,
            gap: self.gap.clone(),
            word: self.word.clone(),
            first_seen: self.first_seen,
        }
    }
}

/// Reads a share as it is written: a decimal number from 0 to 1.
fn millionths(share: f64) -> Millionths {
    let millionths = (share.clamp(0.0, 1.0) * 1_000_000.0).round();
    // Of a number from 0 to a million.
    Millionths::new(millionths as u32)
}

/// Reads what a source said on a measure of its own by other rules; `None` where it said nothing that rules read.
fn read_by(evidence: &Evidence, rules: &Rules, at: Timestamp) -> Option<Evidence> {
    let stale = match evidence.status {
        EvidenceStatus::Ok => false,
        EvidenceStatus::Stale => true,
        _ => return None,
    };
    if evidence.measure.is_empty() {
        return None;
    }
    let mut record = Record::new().with("measure", evidence.measure.as_str());
    if let Some(raw) = &evidence.raw {
        record = record.with("scale", raw.scale.as_str());
        if let RawValue::Whole(number) = raw.value {
            record = record.with("value", number);
        }
    }
    if let Some(word) = &evidence.word {
        record = record.with("word", word.as_str());
    }
    if let Some(first) = evidence.first_seen {
        record = record.with("first_seen", first);
    }
    if let Some(last) = evidence.observed_at {
        record = record.with("last_seen", last);
    }
    let origin = Origin {
        retrieved_at: evidence.retrieved_at,
        age_s: evidence.age_s,
        cached: evidence.cached,
        stale,
    };
    let read = from_record(&evidence.source, &record, rules, &origin, at);
    Some(Evidence {
        about: evidence.about.clone(),
        reasons: evidence.reasons.clone(),
        local: evidence.local,
        hazard: evidence.hazard.clone(),
        gap: evidence.gap.clone(),
        knowledge: match evidence.knowledge {
            // What was said of a host that strangers share, whatever the rules make of it.
            Knowledge::CountsOnly if read.knowledge == Knowledge::Indicator => Knowledge::CountsOnly,
            _ => read.knowledge,
        },
        ..read
    })
}

/// Makes a decision again under a policy, of all sources but `without`.
///
/// # Errors
/// A text for people that says why it cannot be made again.
pub fn replay(
    answer: &Json,
    inputs: Option<&DecisionInputs>,
    policy: &Policy,
    without: Option<&str>,
) -> Result<AlertAnswer, String> {
    let inputs = inputs.ok_or_else(|| {
        "it was kept by a version of pivotd that did not keep all that a replay needs".to_owned()
    })?;
    let shown =
        ShownAnswer::deserialize(answer).map_err(|error| format!("its answer cannot be read: {error}"))?;
    if shown.indicators.len() != inputs.indicators.len() {
        return Err("what is kept beside its answer belongs to another".to_owned());
    }
    let policy = inputs.policy(policy);
    let assessments = shown
        .indicators
        .into_iter()
        .zip(&inputs.indicators)
        .map(|(item, inputs)| assessed(item, inputs, &policy, without))
        .collect::<Result<Vec<_>, _>>()?;
    let titles = BTreeMap::new();
    let request = Request {
        fallbacks: inputs.fallbacks,
        unreadable: shown.unreadable,
        sealed: shown.sealed,
        excess: shown.excess,
        is_sender_doubtful: inputs.is_sender_doubtful,
        ..Request::new("", "", &titles)
    };
    Ok(combine(request, &policy, assessments))
}

fn assessed(
    item: ShownAssessment,
    inputs: &IndicatorInputs,
    policy: &Policy,
    without: Option<&str>,
) -> Result<Assessment, String> {
    if item.evidence.len() != inputs.evidence.len() {
        return Err("what is kept beside its evidence belongs to another".to_owned());
    }
    let indicator = Indicator::parse(item.r#type, &item.indicator)
        .map_err(|error| format!("its indicator cannot be read: {error}"))?;
    let (rules, at) = (policy.rules.as_ref(), inputs.at);
    let evidence = item.evidence.into_iter().zip(&inputs.evidence);
    let evidence: Vec<Evidence> = evidence
        .map(|(shown, inputs)| {
            let stored = inputs.evidence(shown);
            let read = inputs.is_read_by_rules.then(|| read_by(&stored, rules, at));
            read.flatten().unwrap_or(stored)
        })
        .filter(|evidence| without != Some(evidence.source.as_str()))
        .collect();
    Ok(assess(&item.role, &indicator, evidence, policy, at))
}

/// Says how a part of a decision stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The decision.
    pub decision: String,
    /// The score.
    pub score: Option<u8>,
    /// The verdict, of an indicator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

/// Says what would be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The indicator; none for the decision as a whole.
    pub indicator: Option<String>,
    /// How it stood.
    pub before: Standing,
    /// How it would stand.
    pub after: Standing,
    /// Why, in words.
    pub because: Vec<String>,
}

impl Change {
    /// Tells whether it would be decided otherwise, and not only scored.
    #[must_use]
    pub fn is_decision(&self) -> bool {
        self.before.decision != self.after.decision
    }
}

/// Lists what differs between a kept answer and one that was made again.
#[must_use]
pub fn changes(before: &Json, after: &AlertAnswer) -> Vec<Change> {
    let after = serde_json::to_value(after).unwrap_or_default();
    let mut changes = Vec::new();
    let (was, is) = (standing(before, "max_score"), standing(&after, "max_score"));
    if was != is {
        let mut because = Vec::new();
        differs(before, &after, "decided_by", &mut because);
        differs(before, &after, "threshold", &mut because);
        changes.push(Change {
            indicator: None,
            before: was,
            after: is,
            because,
        });
    }
    let items = |answer: &Json| answer["indicators"].as_array().cloned().unwrap_or_default();
    for (before, after) in items(before).iter().zip(&items(&after)) {
        let (was, is) = (standing(before, "score"), standing(after, "score"));
        if was == is {
            continue;
        }
        let mut because = Vec::new();
        differs(before, after, "threshold", &mut because);
        let (mut points, new) = (points(before), points(after));
        for (source, now) in new {
            let then = points.remove(&source).unwrap_or(0);
            if then != now {
                because.push(format!("{source}: {then} points then, {now} now"));
            }
        }
        for (source, then) in points.into_iter().filter(|(_, then)| *then != 0) {
            because.push(format!("{source}: {then} points then, 0 now"));
        }
        changes.push(Change {
            indicator: before["indicator"].as_str().map(str::to_owned),
            before: was,
            after: is,
            because,
        });
    }
    changes
}

fn standing(part: &Json, score: &str) -> Standing {
    let text = |name: &str| part[name].as_str().map(str::to_owned);
    Standing {
        decision: text("decision").unwrap_or_default(),
        score: part[score].as_u64().and_then(|score| u8::try_from(score).ok()),
        verdict: text("verdict"),
    }
}

fn differs(before: &Json, after: &Json, member: &str, because: &mut Vec<String>) {
    if before[member] != after[member] {
        let of = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        because.push(format!(
            "{member}: {} then, {} now",
            of(&before[member]),
            of(&after[member])
        ));
    }
}

/// Sums the points of each source.
fn points(item: &Json) -> BTreeMap<String, i64> {
    let mut points = BTreeMap::new();
    for line in item["explanation"].as_array().into_iter().flatten() {
        let source = line["source"].as_str().unwrap_or_default();
        *points.entry(source.to_owned()).or_default() += line["points"].as_i64().unwrap_or(0);
    }
    points
}
