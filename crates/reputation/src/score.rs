//! One indicator's score, and the reasons that sum to it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use pivotd_domain::indicator::{Indicator, IndicatorKind};

use super::cause::Cause;
use super::evidence::{BenignClass, Evidence, EvidenceStatus, Knowledge, Millionths, Polarity, Reliability};
use super::explain::explain;
use super::kind::Kind;
use super::missing::{causes, missing};
use super::policy::{Policy, Rules};
use super::sum::{EvidenceRole, EvidenceSum, sum};

/// Names the source of what people said of earlier decisions.
pub const FEEDBACK: &str = "feedback";

/// Tells what the score means for the question whether it exceeds the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The score is above the threshold.
    Exceeds,
    /// A source that knows it scores it not above the threshold, or it stands on a list of what is own, trusted or
    /// popular; and the sources that are missing could not have changed that.
    Below,
    /// No source that answered knows the indicator, and those that are missing could not have made it exceed.
    Unknown,
    /// No configured source scores this kind of indicator.
    Unsupported,
    /// It does not exceed, and would if the sources that are missing said the worst that they can; or a source that the
    /// policy requires is missing.
    Undetermined,
}

impl Decision {
    /// Returns the word used in logs and metrics, as on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exceeds => "exceeds",
            Self::Below => "below",
            Self::Unknown => "unknown",
            Self::Unsupported => "unsupported",
            Self::Undetermined => "undetermined",
        }
    }
}

/// Says in a word what the evidence amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The score is above the threshold.
    Malicious,
    /// Something speaks against the indicator, but not enough.
    Suspicious,
    /// A source knows the indicator to be good, or rates its risk low, and no source is missing that could change that.
    Benign,
    /// No source that answered can tell.
    Unknown,
}

impl Verdict {
    /// Returns the word for it, as on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malicious => "malicious",
            Self::Suspicious => "suspicious",
            Self::Benign => "benign",
            Self::Unknown => "unknown",
        }
    }
}

/// Says what to do about an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recommendation {
    /// It exceeds, nothing stands against that, and blocking it hits no other.
    Block,
    /// A person should look at it.
    Review,
    /// Nothing speaks for doing anything.
    None,
}

impl Recommendation {
    /// Returns the word for it, as on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Review => "review",
            Self::None => "none",
        }
    }
}

/// Counts sources. A source that answered once and failed once has failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Coverage {
    /// Sources that score this kind of indicator.
    pub asked: u32,
    /// Sources that answered, knowing it or not.
    pub answered: u32,
    /// Sources that failed, were limited, or have only an answer that is too old.
    pub failed: u32,
    /// Sources that policy or budget kept from being asked.
    pub skipped: u32,
}

/// Gives a source's part in the score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Explanation {
    /// The source's stable name.
    pub source: String,
    /// Points of the score; negative for a cap, 0 for what is only worth knowing.
    pub points: i32,
    /// The reason in words.
    pub reason: String,
}

/// Holds what is known of one indicator. Equal evidence under an equal policy gives equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Assessment {
    /// The part the indicator has in its alert, for example `domain` or `sender`.
    pub role: String,
    /// The kind of indicator.
    pub r#type: IndicatorKind,
    /// The canonical value.
    pub indicator: String,
    /// A whole number from 0 to 100, or `null` where no source knows.
    #[schema(required)]
    pub score: Option<u8>,
    /// Whether there is a score; for tools that cannot tell `null` from 0.
    pub score_known: bool,
    /// What the score would be without its cap; only where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncapped_score: Option<u8>,
    /// The threshold that it was compared with.
    pub threshold: u8,
    /// What the evidence amounts to.
    pub verdict: Verdict,
    /// Whether the score is above the threshold; `false` where there is none.
    pub exceeds_threshold: bool,
    /// What the score means.
    pub decision: Decision,
    /// What to do about it.
    pub recommend: Recommendation,
    /// Whether blocking it hits no other.
    pub safe_to_block: bool,
    /// Why it is not safe to block: shared hosting, a CDN, a sinkhole, free mail, a name of one's own …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsafe_because: Vec<String>,
    /// How sure the sources that know are, together; lower where sources are missing or disagree.
    #[schema(value_type = f64)]
    pub confidence: Millionths,
    /// Whether no source that was to be asked is missing.
    pub complete: bool,
    /// Whether benign evidence stands against a score that would exceed: for a person to look at.
    pub conflict: bool,
    /// How many sources were asked and what became of it.
    pub coverage: Coverage,
    /// The parts of the score; their points sum to it.
    pub explanation: Vec<Explanation>,
    /// Why the indicator is undetermined; empty where it is not.
    pub causes: Vec<Cause>,
    /// What the sources said, sorted by source.
    pub evidence: Vec<Evidence>,
    /// Whether all that vouches for a URL is said of its host.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) is_known_by_host: bool,
    /// The sources that are missing, and why in words that follow their name; for the summary.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) missing: Vec<(String, &'static str)>,
    /// When it was assessed, for a replay.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) assessed_at: Timestamp,
}

/// Concludes from evidence of one indicator. The order of the evidence does not matter.
///
/// Malicious evidence of independent families is combined by noisy-or, weighted by grade and age; a risk that
/// passes through is a lower bound, so that it is the score where it stands alone. Hard benign evidence caps
/// the score low, soft benign evidence at the threshold, unless two reliable families agree against it.
/// Soft evidence alone is no knowledge and gives no score, and neither do circumstances.
///
/// Where sources are missing, the same is done again as if they all said the worst that they can: only where that
/// exceeds is the indicator undetermined.
pub fn assess(
    role: &str,
    indicator: &Indicator,
    evidence: impl Into<Vec<Evidence>>,
    policy: &Policy,
    now: Timestamp,
) -> Assessment {
    let rules = policy.rules.as_ref();
    let kind = Kind::of(indicator.kind());
    let threshold = policy.threshold_of(kind);
    let mut evidence: Vec<Evidence> = evidence.into();
    for item in &mut evidence {
        item.reliability = rules.grade(item);
    }
    evidence.sort();
    let sum = sum(&evidence, policy, threshold, now);
    let EvidenceSum {
        roles,
        weights,
        families,
        score,
        exceeds,
        ..
    } = &sum;
    let (score, exceeds) = (*score, *exceeds);
    let coverage = coverage(&evidence, roles);
    let conflict = sum.base > threshold && (sum.hard || sum.soft);
    let causes = if exceeds {
        Vec::new()
    } else {
        causes(&evidence, roles, indicator, policy, now)
    };
    let decision = if exceeds {
        Decision::Exceeds
    } else if !causes.is_empty() {
        Decision::Undetermined
    } else if sum.vouched {
        Decision::Below
    } else if coverage.asked == 0 {
        Decision::Unsupported
    } else {
        Decision::Unknown
    };
    let listed = families.values().any(|family| {
        // A number on a scale speaks by where on it the number lies, and so by the score alone.
        let passes = evidence
            .get(family.leader)
            .is_some_and(|item| item.passthrough || item.scaled);
        !passes && family.knows && family.share > Millionths::ZERO
    });
    let verdict = match score {
        // Of circumstances only.
        None if sum.malicious > rules.suspicious => Verdict::Suspicious,
        None => Verdict::Unknown,
        Some(_) if exceeds => Verdict::Malicious,
        Some(_) if sum.hard => Verdict::Benign,
        Some(score) if score > rules.suspicious || listed => Verdict::Suspicious,
        Some(_) if decision == Decision::Undetermined => Verdict::Unknown,
        Some(_) => Verdict::Benign,
    };
    let missing = missing(&evidence, roles);
    let unheard = missing.iter().any(|(source, _)| rules.may_speak_for(source));
    let unsafe_because = hazards(&evidence);
    let recommend = match decision {
        // A block on one word must be right, so a person looks where anything stands against it.
        Decision::Exceeds if !unsafe_because.is_empty() || conflict || unheard => Recommendation::Review,
        Decision::Exceeds if rules.block.is_some_and(|block| score <= Some(block)) => Recommendation::Review,
        Decision::Exceeds => Recommendation::Block,
        Decision::Undetermined => Recommendation::Review,
        _ if conflict || score > Some(rules.suspicious) => Recommendation::Review,
        _ if score.is_none() && sum.malicious > rules.suspicious => Recommendation::Review,
        _ => Recommendation::None,
    };
    Assessment {
        role: role.to_owned(),
        r#type: indicator.kind(),
        indicator: indicator.value().to_owned(),
        score,
        score_known: score.is_some(),
        uncapped_score: score.filter(|score| *score < sum.base).map(|_| sum.base),
        threshold,
        verdict,
        exceeds_threshold: exceeds,
        decision,
        recommend,
        safe_to_block: unsafe_because.is_empty(),
        unsafe_because,
        confidence: confidence(&evidence, roles, coverage, conflict, rules),
        complete: coverage.failed == 0 && coverage.skipped == 0,
        conflict,
        coverage,
        is_known_by_host: sum.by_host && indicator.kind() == IndicatorKind::Url,
        missing,
        assessed_at: now,
        explanation: match score {
            Some(_) => explain(&evidence, roles, weights, families, sum.base, sum.cap),
            // Without a score nothing has points.
            None => explain(&evidence, roles, weights, families, 0, None),
        },
        causes,
        evidence,
    }
}

fn coverage(evidence: &[Evidence], roles: &[EvidenceRole]) -> Coverage {
    let mut sources: BTreeMap<&str, EvidenceRole> = BTreeMap::new();
    let rank = |standing| match standing {
        EvidenceRole::NotAsked => 0,
        EvidenceRole::Known | EvidenceRole::Answered => 1,
        EvidenceRole::Skipped => 2,
        EvidenceRole::Failed => 3,
    };
    for (item, standing) in evidence.iter().zip(roles).filter(|(item, _)| !item.local) {
        // An old answer counts for what it says; what its source would say now is missing.
        let standing = match item.status {
            EvidenceStatus::Stale => EvidenceRole::Failed,
            _ => *standing,
        };
        let worst = sources.entry(&item.source).or_insert(standing);
        if rank(standing) > rank(*worst) {
            *worst = standing;
        }
    }
    let mut coverage = Coverage::default();
    for standing in sources.values() {
        match standing {
            EvidenceRole::NotAsked => continue,
            EvidenceRole::Known | EvidenceRole::Answered => coverage.answered += 1,
            EvidenceRole::Skipped => coverage.skipped += 1,
            EvidenceRole::Failed => coverage.failed += 1,
        }
        coverage.asked += 1;
    }
    coverage
}

/// Returns how sure the sources that know are: 0.8 for one source of grade A, more if families agree.
fn confidence(
    evidence: &[Evidence],
    roles: &[EvidenceRole],
    coverage: Coverage,
    conflict: bool,
    rules: &Rules,
) -> Millionths {
    let mut grades: BTreeMap<&str, Reliability> = BTreeMap::new();
    for (item, standing) in evidence.iter().zip(roles) {
        let counts =
            item.polarity != Polarity::Benign(BenignClass::Soft) && item.knowledge != Knowledge::Circumstance;
        if *standing == EvidenceRole::Known && counts {
            let best = grades.entry(&item.family).or_insert(item.reliability);
            *best = item.reliability.min(*best);
        }
    }
    let doubt = grades.values().fold(Millionths::ONE, |doubt, grade| {
        doubt.times(rules.weight(*grade).times(Millionths::percent(80)).complement())
    });
    // What pivotd knows itself needs no source to answer.
    let answered = (coverage.answered * 1_000_000)
        .checked_div(coverage.asked)
        .unwrap_or(1_000_000);
    let sure = doubt.complement().times(Millionths::new(answered));
    if conflict {
        sure.times(Millionths::percent(50))
    } else {
        sure
    }
}

/// Lists why blocking would hit others, each reason once, in the order of the evidence.
fn hazards(evidence: &[Evidence]) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    for reason in evidence.iter().filter_map(|item| item.hazard.as_ref()) {
        if !reasons.contains(reason) {
            reasons.push(reason.clone());
        }
    }
    reasons
}
