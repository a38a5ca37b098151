//! The lines that say where a score comes from; their points sum to it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::evidence::{Evidence, EvidenceStatus, Millionths, Polarity};
use super::score::Explanation;
use super::sum::{Cap, EvidenceRole, Family};

/// Writes the lines of the explanation: parts of the score, tags, then caps.
pub(super) fn explain(
    evidence: &[Evidence],
    roles: &[EvidenceRole],
    weights: &[Millionths],
    families: &BTreeMap<&str, Family>,
    base: u8,
    cap: Option<(Cap, u8)>,
) -> Vec<Explanation> {
    let points = distribute(families, base);
    let mut lines = Vec::new();
    for (at, (item, standing)) in evidence.iter().zip(roles).enumerate() {
        let answered = matches!(item.status, EvidenceStatus::Ok | EvidenceStatus::Stale);
        if !answered {
            continue;
        }
        let mut points = points.get(&at).copied().unwrap_or(0);
        let mut reason = item.reasons.join(", ");
        if let Some(about) = item.about.as_ref().filter(|_| !reason.is_empty()) {
            reason = format!("{about}: {reason}");
        }
        if reason.is_empty() {
            reason = match item.polarity {
                Polarity::Malicious => "reported as malicious".to_owned(),
                Polarity::Benign(_) => "reported as harmless".to_owned(),
                Polarity::Context => continue,
            };
        }
        let expired = weights.get(at) == Some(&Millionths::ZERO);
        if *standing == EvidenceRole::Failed || expired {
            reason.push_str(" (too old to count)");
        }
        if let Some((_, limit)) = cap.filter(|(by, limit)| *by == Cap::Evidence(at) && *limit < base) {
            points = i32::from(limit) - i32::from(base);
            reason = format!("{reason}: caps the score at {limit}");
        }
        lines.push(Explanation {
            source: item.source.clone(),
            points,
            reason,
        });
    }
    if let Some((Cap::Sources(speak, wanted), limit)) = cap.filter(|(_, limit)| *limit < base) {
        lines.push(Explanation {
            source: "policy".to_owned(),
            points: i32::from(limit) - i32::from(base),
            reason: format!("{speak} of {wanted} sources speak against it: caps the score at {limit}"),
        });
    }
    lines.sort_by_key(|line| Reverse(line.points));
    lines
}

/// Shares whole points among the leaders of families by largest remainder; ties go to the first in order.
fn distribute(families: &BTreeMap<&str, Family>, points: u8) -> BTreeMap<usize, i32> {
    let sum: u64 = families
        .values()
        .map(|family| u64::from(family.share.get()))
        .sum();
    if sum == 0 {
        return BTreeMap::new();
    }
    let quota = |family: &Family| u64::from(points) * u64::from(family.share.get());
    let mut shares: Vec<(usize, u64, u64)> = families
        .values()
        .map(|family| (family.leader, quota(family) / sum, quota(family) % sum))
        .collect();
    let given: u64 = shares.iter().map(|share| share.1).sum();
    shares.sort_by_key(|(leader, _, remainder)| (Reverse(*remainder), *leader));
    let left = usize::try_from(u64::from(points).saturating_sub(given)).unwrap_or(0);
    for share in shares.iter_mut().take(left) {
        share.1 += 1;
    }
    shares
        .into_iter()
        .map(|(leader, whole, _)| (leader, i32::try_from(whole).unwrap_or(0)))
        .collect()
}
