//! What sources that are missing could have said, and whether that matters.

use jiff::Timestamp;

use super::calibrate;
use super::cause::Cause;
use super::evidence::{BenignClass, Evidence, EvidenceStatus, Millionths, Polarity, Potential, Reliability};
use super::kind::Kind;
use super::policy::{Policy, Rules};
use super::sum::{EvidenceRole, sum};
use pivotd_domain::indicator::Indicator;

/// Says why an indicator that does not exceed is undetermined: nothing, unless the missing sources together could take
/// it over the threshold, or a source is missing that the policy requires.
pub(super) fn causes(
    evidence: &[Evidence],
    roles: &[EvidenceRole],
    indicator: &Indicator,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Cause> {
    let rules = policy.rules.as_ref();
    let kind = Kind::of(indicator.kind());
    let missing: Vec<&Evidence> = evidence
        .iter()
        .zip(roles)
        .filter(|(item, standing)| is_missing(item, **standing))
        .map(|(item, _)| item)
        .collect();
    let is_known_here = evidence
        .iter()
        .any(|item| item.local && item.polarity == Polarity::Benign(BenignClass::Hard));
    // What is known here needs no source to answer.
    let required: Vec<&str> = rules.required(kind).filter(|_| !is_known_here).collect();
    let could_exceed = !missing.is_empty() && {
        let worst = worst(evidence, roles, rules);
        sum(&worst, policy, policy.threshold_of(kind), now).exceeds
    };
    let matters = |item: &&&Evidence| {
        required.contains(&item.source.as_str()) || (could_exceed && could_count(item, rules))
    };
    let mut causes: Vec<Cause> = missing
        .iter()
        .filter(matters)
        .map(|item| Cause::of_gap(item, indicator.value(), now))
        .collect();
    let unasked = required
        .iter()
        .filter(|source| !evidence.iter().any(|item| item.source == **source));
    causes.extend(unasked.map(|source| Cause::of_required(source, indicator.value())));
    causes.dedup();
    causes
}

/// Lists each missing source with its reason.
pub(super) fn missing(evidence: &[Evidence], roles: &[EvidenceRole]) -> Vec<(String, &'static str)> {
    let mut missing: Vec<(String, &'static str)> = evidence
        .iter()
        .zip(roles)
        .filter(|(item, standing)| is_missing(item, **standing))
        .map(|(item, _)| (item.source.clone(), item.missing_words()))
        .collect();
    missing.dedup();
    missing
}

/// Tells whether what a source would say now is missing: it failed, was not asked, or an older answer stands in for it.
fn is_missing(item: &Evidence, standing: EvidenceRole) -> bool {
    !item.local
        && (matches!(standing, EvidenceRole::Failed | EvidenceRole::Skipped)
            || item.status == EvidenceStatus::Stale)
}

/// Returns the evidence as it would be if every missing source said the worst that the policy knows of it, at once.
/// Older answers that stood in for new ones are gone: a new one takes their place, also where they spoke for the
/// indicator; what they made of it (a circumstance, say) does not bind the new one.
///
/// What this comes to is the most that the missing sources can make of the score, and something that they can say.
fn worst(evidence: &[Evidence], roles: &[EvidenceRole], rules: &Rules) -> Vec<Evidence> {
    let mut worst = Vec::with_capacity(evidence.len());
    for (item, standing) in evidence.iter().zip(roles) {
        if !is_missing(item, *standing) {
            worst.push(item.clone());
            continue;
        }
        for mut said in could_say(item, rules) {
            said.about.clone_from(&item.about);
            said.reliability = rules.grade(&said);
            worst.push(said);
        }
    }
    worst.sort();
    worst
}

/// Tells whether a missing source could say anything against its indicator.
fn could_count(item: &Evidence, rules: &Rules) -> bool {
    could_say(item, rules)
        .iter()
        .any(|said| said.probability > Some(Millionths::ZERO))
}

/// Returns the worst that a missing source could have said.
fn could_say(item: &Evidence, rules: &Rules) -> Vec<Evidence> {
    let own = rules.source(&item.source);
    let all = own
        .map(|own| &own.measures)
        .filter(|measures| !measures.is_empty());
    match (&item.gap.could, all) {
        (Potential::Risk, _) | (Potential::Anything, None) => vec![Evidence {
            family: own
                .and_then(|own| own.family.clone())
                .unwrap_or_else(|| item.family.clone()),
            polarity: Polarity::Malicious,
            probability: Some(Millionths::ONE),
            passthrough: true,
            reliability: Reliability::A,
            ..Evidence::absent(&item.source, EvidenceStatus::Ok)
        }],
        (Potential::Anything, Some(measures)) => calibrate::greatest(&item.source, measures.iter(), rules),
        (Potential::Measures(names), measures) => {
            let named = measures
                .into_iter()
                .flatten()
                .filter(|(name, _)| names.contains(name));
            calibrate::greatest(&item.source, named, rules)
        }
    }
}
