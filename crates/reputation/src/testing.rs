//! Makes evidence and assessments for tests: those of this crate, and those of pivotd, by the feature `testing`.
#![expect(clippy::unwrap_used, reason = "tests alone call this, with what is right")]

use jiff::Timestamp;
use pivotd_domain::indicator::{Indicator, IndicatorKind};

use crate::{
    Assessment, Evidence, EvidenceStatus, Millionths, Polarity, Policy, Reliability, assess, from_risk,
};

/// Is the time of all tests, in seconds.
pub const NOW: i64 = 1_700_000_000;

/// Returns the time of all tests.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

/// Returns the indicator of most tests.
#[must_use]
pub fn indicator() -> Indicator {
    Indicator::parse(IndicatorKind::Domain, "career-offers.example").unwrap()
}

/// Assesses evidence about [`indicator`].
#[must_use]
pub fn judge(evidence: &[Evidence], policy: &Policy) -> Assessment {
    assess("domain", &indicator(), evidence, policy, now())
}

/// Makes evidence of a published risk.
#[must_use]
pub fn risk(score: i64) -> Evidence {
    from_risk(
        "domaintools",
        Some(score),
        &[],
        &[],
        false,
        Some(now()),
        Some(120),
        true,
    )
}

/// Makes evidence of a list: so likely malicious, by a source of that grade.
#[must_use]
pub fn listed(source: &str, percent: u8, reliability: Reliability) -> Evidence {
    Evidence {
        polarity: Polarity::Malicious,
        probability: Some(Millionths::percent(percent)),
        reliability,
        observed_at: Some(now()),
        reasons: vec![format!("on the list of {source}")],
        ..Evidence::absent(source, EvidenceStatus::Ok)
    }
}

/// Sums the points of all that is explained.
#[must_use]
pub fn sum(assessment: &Assessment) -> i32 {
    assessment.explanation.iter().map(|line| line.points).sum()
}
