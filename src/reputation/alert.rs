//! One answer for all indicators of an alert.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::policy::Policy;
use super::score::{Assessment, Decision};

/// How many indicators a sentence of the summary names.
const NAMED: usize = 10;

/// Counts what an answer cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Cost {
    /// Calls on the wire.
    pub calls: u32,
    /// Look-ups that the cache answered.
    pub cached: u32,
}

/// Names the request that an answer belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The request's id, as in its header.
    pub request_id: &'a str,
    /// The id under which the decision is kept.
    pub decision_id: &'a str,
    /// What it cost.
    pub cost: Cost,
    /// Names of sources for people, by source; one that is missing is called by its own name.
    pub titles: &'a BTreeMap<String, String>,
}

/// Answers for an alert: does any of its indicators exceed the threshold, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlertAnswer {
    /// The request's id.
    pub request_id: String,
    /// The id under which the decision is kept.
    pub decision_id: String,
    /// The version of the policy that decided.
    pub policy_version: String,
    /// The threshold that scores were compared with.
    pub threshold: u8,
    /// Exceeds if any does; else undetermined if any is; else below if any has a score; else unknown, or
    /// unsupported if no indicator could be scored at all.
    pub decision: Decision,
    /// Whether any score is above the threshold.
    pub any_exceeds: bool,
    /// The highest score, or `null` where nobody knows.
    #[schema(required)]
    pub max_score: Option<u8>,
    /// The highest score of each role, or `null`.
    pub scores: BTreeMap<String, Option<u8>>,
    /// The indicators that exceed, the highest first.
    pub decisive: Vec<String>,
    /// The indicators for which a source that could have known is missing.
    pub undetermined: Vec<String>,
    /// The indicators that nobody knows.
    pub unknown: Vec<String>,
    /// The indicators that no configured source scores.
    pub unsupported: Vec<String>,
    /// The answer in plain words.
    pub summary: String,
    /// What it cost.
    pub cost: Cost,
    /// The assessments, in the order of the question.
    pub indicators: Vec<Assessment>,
}

/// Combines the assessments of an alert's indicators under the policy that made them.
pub fn combine(request: &Request<'_>, policy: &Policy, assessments: Vec<Assessment>) -> AlertAnswer {
    let mut decisive: Vec<&Assessment> = with(&assessments, Decision::Exceeds).collect();
    decisive.sort_by_key(|item| Reverse(item.score));
    let max_score = assessments.iter().filter_map(|item| item.score).max();
    let any = |decision| assessments.iter().any(|item| item.decision == decision);
    let decision = if any(Decision::Exceeds) {
        Decision::Exceeds
    } else if any(Decision::Undetermined) {
        Decision::Undetermined
    } else if max_score.is_some() {
        Decision::Below
    } else if any(Decision::Unknown) || !any(Decision::Unsupported) {
        Decision::Unknown
    } else {
        Decision::Unsupported
    };
    let mut scores: BTreeMap<String, Option<u8>> = BTreeMap::new();
    for item in &assessments {
        let highest = scores.entry(item.role.clone()).or_insert(item.score);
        *highest = item.score.max(*highest);
    }
    AlertAnswer {
        request_id: request.request_id.to_owned(),
        decision_id: request.decision_id.to_owned(),
        policy_version: policy.version(),
        threshold: policy.threshold,
        decision,
        any_exceeds: !decisive.is_empty(),
        max_score,
        scores,
        undetermined: values(with(&assessments, Decision::Undetermined)),
        unknown: values(with(&assessments, Decision::Unknown)),
        unsupported: values(with(&assessments, Decision::Unsupported)),
        summary: summary(request, policy, &decisive, &assessments),
        decisive: values(decisive.into_iter()),
        cost: request.cost,
        indicators: assessments,
    }
}

fn with(assessments: &[Assessment], decision: Decision) -> impl Iterator<Item = &Assessment> {
    assessments.iter().filter(move |item| item.decision == decision)
}

/// Returns each value once, in order.
fn values<'a>(items: impl Iterator<Item = &'a Assessment>) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for item in items {
        if !values.contains(&item.indicator) {
            values.push(item.indicator.clone());
        }
    }
    values
}

fn summary(
    request: &Request<'_>,
    policy: &Policy,
    decisive: &[&Assessment],
    assessments: &[Assessment],
) -> String {
    let mut sentences = Vec::new();
    let threshold = policy.threshold;
    let scored = |item: &Assessment, relation: &str| {
        let score = item.score.unwrap_or_default();
        let because = because(request, item);
        let colon = if because.is_empty() { "" } else { ": " };
        format!(
            "{} scores {score} ({relation} {threshold}){colon}{because}.",
            item.indicator
        )
    };
    sentences.extend(decisive.iter().take(NAMED).map(|item| scored(item, "over")));
    let below: Vec<&Assessment> = with(assessments, Decision::Below).collect();
    sentences.extend(below.iter().take(NAMED).map(|item| scored(item, "not over")));
    let unsettled: Vec<&Assessment> = with(assessments, Decision::Undetermined).collect();
    sentences.extend(unsettled.iter().take(NAMED).map(|item| {
        let missing = missing(request, item);
        match item.score {
            Some(score) => {
                format!(
                    "{} scores {score} (not over {threshold}), but {missing}.",
                    item.indicator
                )
            }
            None => format!("{} could not be determined: {missing}.", item.indicator),
        }
    }));
    let more: usize = [decisive.len(), below.len(), unsettled.len()]
        .iter()
        .map(|count| count.saturating_sub(NAMED))
        .sum();
    if more > 0 {
        sentences.push(format!("The other {more} are listed below."));
    }
    let unknown = values(with(assessments, Decision::Unknown));
    if !unknown.is_empty() {
        sentences.push(format!("Nothing is known of {}.", listed(&unknown)));
    }
    let unsupported = values(with(assessments, Decision::Unsupported));
    if !unsupported.is_empty() {
        sentences.push(format!("No configured source scores {}.", listed(&unsupported)));
    }
    sentences.join(" ")
}

/// Joins names for a sentence and counts those that do not fit.
fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn title<'a>(request: &Request<'a>, source: &'a str) -> &'a str {
    request.titles.get(source).map_or(source, String::as_str)
}

/// Says which sources made a score, and which capped it.
fn because(request: &Request<'_>, item: &Assessment) -> String {
    let moved = item.explanation.iter().any(|line| line.points != 0);
    let lines = item.explanation.iter().filter(|line| line.points != 0 || !moved);
    // A colon inside a reason reads badly inside a sentence.
    let parts: Vec<String> = lines
        .map(|line| {
            format!(
                "{} {}",
                title(request, &line.source),
                line.reason.replace(": ", " ")
            )
        })
        .collect();
    parts.join("; ")
}

/// Says which sources are missing, and why.
fn missing(request: &Request<'_>, item: &Assessment) -> String {
    let parts: Vec<String> = item
        .missing
        .iter()
        .map(|(source, status)| format!("{} {}", title(request, source), status.words()))
        .collect();
    parts.join(", ")
}
