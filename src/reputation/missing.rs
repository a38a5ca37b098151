//! What sources that are missing could have said, and whether that matters.

use super::calibrate;
use super::evidence::{Evidence, EvidenceStatus, Millionths, Polarity, Potential, Reliability};
use super::policy::Rules;
use super::score::Standing;

/// Tells whether what a source would say now is missing: it failed, was not asked, or an older answer stands in for it.
pub(super) fn is_missing(item: &Evidence, standing: Standing) -> bool {
    !item.local
        && (matches!(standing, Standing::Failed | Standing::Skipped) || item.status == EvidenceStatus::Stale)
}

/// Returns the evidence as it would be if every missing source said the worst that the policy knows of it, at once.
/// Older answers that stood in for new ones are gone: a new one takes their place, also where they spoke for the
/// indicator.
///
/// What this comes to is the most that the missing sources can make of the score, and something that they can say.
pub(super) fn worst(evidence: &[Evidence], standings: &[Standing], rules: &Rules) -> Vec<Evidence> {
    let mut worst = Vec::with_capacity(evidence.len());
    for (item, standing) in evidence.iter().zip(standings) {
        if !is_missing(item, *standing) {
            worst.push(item.clone());
            continue;
        }
        for mut said in could_say(item, rules) {
            said.about.clone_from(&item.about);
            said.reliability = rules.grade(&said);
            said.knowledge = said.knowledge.max(item.knowledge);
            worst.push(said);
        }
    }
    worst.sort();
    worst
}

/// Tells whether a missing source could say anything against its indicator.
pub(super) fn could_count(item: &Evidence, rules: &Rules) -> bool {
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
