//! What the evidence of one indicator comes to by itself, before it is asked what is missing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::decay;
use super::evidence::{BenignClass, Evidence, EvidenceStatus, Knowledge, Millionths, Polarity, Reliability};
use super::policy::{Policy, Rules};

/// What holds a score down.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cap {
    /// Benign evidence, by its place in the sorted list.
    Evidence(usize),
    /// Too few families speak against the indicator: so many, of so many.
    Sources(u32, u32),
}

/// What a piece of evidence is good for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EvidenceRole {
    Known,
    Answered,
    Failed,
    Skipped,
    NotAsked,
}

/// The malicious evidence of one family.
pub(super) struct Family {
    /// Where its strongest evidence stands in the sorted list.
    pub(super) leader: usize,
    /// The strongest evidence's share in the explanation.
    pub(super) share: Millionths,
    /// What goes into the noisy-or.
    weighted: Millionths,
    /// Whether reliable evidence of high probability is in it.
    strong: bool,
    /// Whether it says, by itself, that the indicator is more likely malicious than not.
    speaks: bool,
    /// Whether there is more in it than circumstances.
    pub(super) knows: bool,
}

/// What evidence comes to, before it is asked what is missing.
pub(super) struct EvidenceSum<'a> {
    /// What each piece of evidence is good for.
    pub(super) roles: Vec<EvidenceRole>,
    /// What age leaves of each.
    pub(super) weights: Vec<Millionths>,
    pub(super) families: BTreeMap<&'a str, Family>,
    /// What the malicious evidence comes to, circumstances alone included.
    pub(super) malicious: u8,
    /// The score without its cap; 0 where circumstances are all there is.
    pub(super) base: u8,
    pub(super) cap: Option<(Cap, u8)>,
    pub(super) hard: bool,
    pub(super) soft: bool,
    /// Whether a source or a list vouches for the indicator, as far as the score allows.
    pub(super) vouched: bool,
    /// Whether all that vouches for it is said of the host on which it stands.
    pub(super) by_host: bool,
    pub(super) score: Option<u8>,
    pub(super) exceeds: bool,
}

/// Sums evidence up, which is sorted and graded.
pub(super) fn sum<'a>(
    evidence: &'a [Evidence],
    policy: &Policy,
    threshold: u8,
    now: Timestamp,
) -> EvidenceSum<'a> {
    let rules = policy.rules.as_ref();
    let weights: Vec<Millionths> = evidence
        .iter()
        .map(|item| decay::weight(item, rules, now))
        .collect();
    let roles: Vec<EvidenceRole> = evidence
        .iter()
        .zip(&weights)
        .map(|(item, weight)| standing(item, *weight, rules))
        .collect();
    let families = families(evidence, &roles, &weights, rules);
    let known = || {
        evidence
            .iter()
            .zip(&roles)
            .enumerate()
            .filter(|(_, (_, standing))| **standing == EvidenceRole::Known)
            .map(|(at, (item, _))| (at, item))
    };
    let benign = |class| {
        known()
            .find(|(_, item)| item.polarity == Polarity::Benign(class))
            .map(|(at, _)| at)
    };
    let (hard, soft) = (benign(BenignClass::Hard), benign(BenignClass::Soft));
    // Circumstances alone make nothing known, and condemn nothing.
    let knows = families.values().any(|family| family.knows);
    let told = combined(evidence, &roles, &families);
    let base = if knows || hard.is_some() { told } else { 0 };
    let strong = families.values().filter(|family| family.strong).count();
    let agree = families.values().filter(|family| family.speaks).count();
    let agree = u32::try_from(agree).unwrap_or(u32::MAX);
    let cap = match (hard, soft) {
        (Some(at), _) => Some((Cap::Evidence(at), rules.hard_cap.min(threshold))),
        (None, Some(at)) if strong < 2 => Some((Cap::Evidence(at), threshold)),
        (None, _) if policy.min_sources > 1 && agree < policy.min_sources => {
            Some((Cap::Sources(agree, policy.min_sources), threshold))
        }
        (None, _) => None,
    };
    let capped = cap.map_or(base, |(_, cap)| base.min(cap));
    let exceeds = knows && capped > threshold;
    let scores = |item: &Evidence| {
        item.knowledge == Knowledge::Indicator
            && matches!(
                item.polarity,
                Polarity::Malicious | Polarity::Benign(BenignClass::Hard)
            )
    };
    let scored = hard.is_some() || known().any(|(_, item)| scores(item));
    let is_listed = |(item, standing): (&Evidence, &EvidenceRole)| {
        item.knowledge == Knowledge::Listed
            && matches!(standing, EvidenceRole::Known | EvidenceRole::Answered)
    };
    let is_of_host = |item: &Evidence| item.about.as_deref().is_some_and(|about| !about.contains("://"));
    let listed = evidence.iter().zip(&roles).any(is_listed);
    let listed_itself = evidence
        .iter()
        .zip(&roles)
        .any(|both| is_listed(both) && !is_of_host(both.0));
    let by_host =
        hard.is_none() && !listed_itself && !known().any(|(_, item)| scores(item) && !is_of_host(item));
    EvidenceSum {
        malicious: told,
        base,
        cap,
        hard: hard.is_some(),
        soft: soft.is_some(),
        vouched: scored || listed,
        by_host,
        // What counts only, and does not exceed, is no score: it says nothing good.
        score: (exceeds || scored || (listed && knows)).then_some(capped),
        exceeds,
        roles,
        weights,
        families,
    }
}

/// Says what a piece of evidence is good for, of which age leaves this weight.
fn standing(item: &Evidence, weight: Millionths, rules: &Rules) -> EvidenceRole {
    match item.status {
        EvidenceStatus::Unsupported => return EvidenceRole::NotAsked,
        EvidenceStatus::Skipped => return EvidenceRole::Skipped,
        status if status.is_failure() => return EvidenceRole::Failed,
        _ => {}
    }
    if item.age_s.is_some_and(|age| age > rules.max_stale_s) {
        return EvidenceRole::Failed;
    }
    let speaks = match item.polarity {
        Polarity::Malicious => item.probability.is_some() && weight > Millionths::ZERO,
        Polarity::Benign(BenignClass::Hard | BenignClass::Soft) => true,
        Polarity::Benign(BenignClass::Context) | Polarity::Context => false,
    };
    if speaks && item.status != EvidenceStatus::NoData {
        EvidenceRole::Known
    } else {
        EvidenceRole::Answered
    }
}

/// Groups the malicious evidence that scores by its family.
fn families<'a>(
    evidence: &'a [Evidence],
    roles: &[EvidenceRole],
    weights: &[Millionths],
    rules: &Rules,
) -> BTreeMap<&'a str, Family> {
    let mut families: BTreeMap<&str, Family> = BTreeMap::new();
    for (at, ((item, standing), weight)) in evidence.iter().zip(roles).zip(weights).enumerate() {
        let Some(probability) = item.probability else {
            continue;
        };
        if *standing != EvidenceRole::Known || item.polarity != Polarity::Malicious {
            continue;
        }
        let current = probability.times(*weight);
        let weighted = current.times(rules.weight(item.reliability));
        let share = if item.passthrough { probability } else { weighted };
        let strong = item.reliability <= Reliability::B && current >= Millionths::percent(80);
        let family = families.entry(&item.family).or_insert(Family {
            leader: at,
            share,
            weighted,
            strong,
            speaks: false,
            knows: false,
        });
        if share > family.share {
            family.leader = at;
            family.share = share;
        }
        family.weighted = family.weighted.max(weighted);
        family.strong |= strong;
        family.speaks |= current >= Millionths::percent(50);
        family.knows |= item.knowledge != Knowledge::Circumstance;
    }
    families
}

/// Combines malicious evidence to whole points, rounded up.
fn combined(evidence: &[Evidence], roles: &[EvidenceRole], families: &BTreeMap<&str, Family>) -> u8 {
    /// One, fine enough that the product over three families is exact.
    const ONE: u128 = 1_000_000_000_000_000_000;
    let innocent = families.values().fold(ONE, |product, family| {
        product * u128::from(family.weighted.complement().get()) / 1_000_000
    });
    let noisy_or = (ONE - innocent).div_ceil(ONE / 100);
    let published = evidence
        .iter()
        .zip(roles)
        .filter(|(item, standing)| {
            item.passthrough && **standing == EvidenceRole::Known && item.polarity == Polarity::Malicious
        })
        .filter_map(|(item, _)| item.probability)
        .max()
        .map_or(0, |probability| u128::from(probability.get().div_ceil(10_000)));
    u8::try_from(noisy_or.max(published)).unwrap_or(100).min(100)
}
