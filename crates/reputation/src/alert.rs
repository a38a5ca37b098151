//! One answer for all indicators of an alert.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cause::{Cause, CauseKind};
use super::decide::{self, AlertContext};
use super::markdown;
use super::policy::Policy;
use super::replay::MadeUnder;
use super::score::{Assessment, Decision};
use pivotd_domain::{Indicator, IndicatorKind};

/// How many indicators a sentence of the summary names.
const NAMED: usize = 10;

/// How many reasons a sentence of the summary gives for a score.
const REASONS: usize = 3;

/// Counts what an answer cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Cost {
    /// Calls on the wire, attempts that failed included.
    pub calls: u32,
    /// Look-ups that the cache answered.
    pub cached: u32,
}

/// Says what an alert comes to where no score decides it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// It stays what it is: undetermined, or unknown.
    #[default]
    Keep,
    /// It is treated as if a score exceeded.
    Exceeds,
    /// It is treated as if the scores were below.
    Below,
}

/// Says what an alert comes to in each case where no score decides it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fallbacks {
    /// A source that could have changed the decision is missing, or there were too many values.
    pub undetermined: Fallback,
    /// A value of the alert could not be read.
    pub unreadable: Fallback,
    /// A link is wrapped so that only the vendor of the wrapper can tell where it leads.
    pub sealed: Fallback,
    /// No source knows a part of the alert, or scores its kind.
    pub unknown: Fallback,
}

/// Says what made the decision of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The scores, or that there are none.
    Scores,
    /// The setting `on_undetermined`.
    OnUndetermined,
    /// The setting `on_unreadable`.
    OnUnreadable,
    /// The setting `on_sealed`.
    OnSealed,
    /// The setting `on_unknown`.
    OnUnknown,
}

impl DecidedBy {
    /// Says which setting decided, and of what; nothing where the scores did.
    #[must_use]
    pub(super) fn because(self) -> Option<&'static str> {
        Some(match self {
            Self::Scores => return None,
            Self::OnUndetermined => {
                "the setting on_undetermined decides, since something could not be determined"
            }
            Self::OnUnreadable => "the setting on_unreadable decides, since a part could not be read",
            Self::OnSealed => {
                "the setting on_sealed decides, since only the vendor of a link's wrapper knows where it leads"
            }
            Self::OnUnknown => "the setting on_unknown decides, since no source knows all of it",
        })
    }
}

/// Names a value of an alert that was not scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ignored {
    /// The part it has in the alert.
    pub role: String,
    /// The kind of indicator, as far as that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = IndicatorKind, required = false)]
    pub r#type: Option<IndicatorKind>,
    /// The canonical value, or the text as it was given.
    pub value: String,
    /// Why it was not scored.
    pub reason: String,
}

impl Ignored {
    /// Names an indicator.
    #[must_use]
    pub fn indicator(role: &str, indicator: &Indicator, reason: &str) -> Self {
        Self {
            role: role.to_owned(),
            r#type: Some(indicator.kind()),
            value: indicator.value().to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// Names a text, whose kind follows from its role or its form where either tells.
    #[must_use]
    pub fn text(role: &str, value: &str, reason: &str) -> Self {
        let by_role = match role {
            "domain" | "email_domain" => Some(IndicatorKind::Domain),
            "email" | "sender" | "attached_sender" | "reply_to" | "return_path" => Some(IndicatorKind::Email),
            "url" => Some(IndicatorKind::Url),
            "hash" | "attachment" => Some(IndicatorKind::Hash),
            _ => None,
        };
        let by_form = || Indicator::guess(value).ok().map(|indicator| indicator.kind());
        Self {
            role: role.to_owned(),
            r#type: by_role.or_else(by_form),
            value: value.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// Says what is left of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BudgetLeft {
    /// The provider.
    pub source: String,
    /// The budget as it is configured: `2000/day`.
    pub budget: String,
    /// What is left, in the budget's unit; hundredths where it counts money.
    pub left: i64,
    /// What it holds when it is whole.
    pub limit: i64,
    /// When it is whole again; `null` for one that never resets.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub resets_at: Option<Timestamp>,
}

/// Holds what an answer tells beside the assessments.
#[derive(Debug)]
pub struct Request<'a> {
    /// The request's id, as in its header.
    pub request_id: &'a str,
    /// The id under which the decision is kept.
    pub decision_id: &'a str,
    /// What it cost.
    pub cost: Cost,
    /// Names of sources for people, by source; one that is missing is called by its own name.
    pub titles: &'a BTreeMap<String, String>,
    /// What the alert comes to where no score decides it.
    pub fallbacks: Fallbacks,
    /// What was not scored, and need not be.
    pub ignored: Vec<Ignored>,
    /// What could not be read.
    pub unreadable: Vec<Ignored>,
    /// Links that only the vendor of their wrapper can unwrap.
    pub sealed: Vec<Ignored>,
    /// What was too much to be scored.
    pub excess: Vec<Ignored>,
    /// Whether what was not scored is only told, and decides nothing: in a rehearsal of a branch that it would rule out.
    pub is_told_only: bool,
    /// What else is worth knowing, such as parts of a message that were not read.
    pub notes: Vec<String>,
    /// What is left of the budgets of the sources asked.
    pub budget: Vec<BudgetLeft>,
    /// Whether a message may be from another than the sender that it names: then no sender vouches for it.
    pub is_sender_doubtful: bool,
}

impl<'a> Request<'a> {
    /// Names a request, and tells nothing else.
    #[must_use]
    pub fn new(request_id: &'a str, decision_id: &'a str, titles: &'a BTreeMap<String, String>) -> Self {
        Self {
            request_id,
            decision_id,
            cost: Cost::default(),
            titles,
            fallbacks: Fallbacks::default(),
            ignored: Vec::new(),
            unreadable: Vec::new(),
            sealed: Vec::new(),
            excess: Vec::new(),
            is_told_only: false,
            notes: Vec::new(),
            budget: Vec::new(),
            is_sender_doubtful: false,
        }
    }
}

/// Answers for an alert: does any of its indicators exceed the threshold, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlertAnswer {
    /// The request's id.
    #[serde(serialize_with = "super::segments::request_id")]
    pub request_id: String,
    /// The id under which the decision is kept.
    pub decision_id: String,
    /// The version of the policy that decided.
    pub policy_version: String,
    /// The threshold that scores were compared with, where their kind has none of its own.
    pub threshold: u8,
    /// Exceeds if any does; else undetermined if any is, or if a value could not be read or was too much; else below if
    /// a source or a list vouches for every sender, link and attachment, and for all that the client names; else unknown,
    /// or unsupported if no indicator could be scored at all.
    pub decision: Decision,
    /// What made that decision.
    pub decided_by: DecidedBy,
    /// Whether any score is above the threshold.
    pub any_exceeds: bool,
    /// The highest score, or `null` where no source knows.
    #[schema(required)]
    pub max_score: Option<u8>,
    /// Whether there is a highest score; for tools that cannot tell `null` from 0.
    pub max_score_known: bool,
    /// The highest score of each role, or `null`.
    pub scores: BTreeMap<String, Option<u8>>,
    /// The indicators that exceed, the highest first.
    pub decisive: Vec<String>,
    /// The indicators for which a source that could have known is missing.
    pub undetermined: Vec<String>,
    /// The indicators that no source knows.
    pub unknown: Vec<String>,
    /// The indicators that no configured source scores.
    pub unsupported: Vec<String>,
    /// The answer in plain words.
    pub summary: String,
    /// Why the alert is undetermined, or would be without the settings that decide it.
    pub causes: Vec<Cause>,
    /// What was not scored and need not be, such as names of one's own.
    pub ignored: Vec<Ignored>,
    /// What could not be read: the text as it was given, and why.
    pub unreadable: Vec<Ignored>,
    /// Links that only the vendor of their wrapper can unwrap.
    pub sealed: Vec<Ignored>,
    /// What was too much to be scored.
    pub excess: Vec<Ignored>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// The answer as a note for a case: Markdown, escaped, its indicators defanged.
    pub markdown: String,
    /// What it cost.
    pub cost: Cost,
    /// What is left of the budgets of the sources asked.
    #[serde(serialize_with = "super::segments::budget")]
    pub budget: Vec<BudgetLeft>,
    /// Seconds after which asking again may give what is missing; only where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// The assessments, in the order of the question.
    pub indicators: Vec<Assessment>,
    /// Under what it was made, for a replay.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) made_under: MadeUnder,
}

/// Combines the assessments of an alert's indicators under the policy that made them.
#[must_use]
pub fn combine(mut request: Request<'_>, policy: &Policy, mut assessments: Vec<Assessment>) -> AlertAnswer {
    if !request.is_told_only {
        request.notes.extend(decide::doubt_pages(&mut assessments));
    }
    let mut decisive: Vec<&Assessment> = with(&assessments, Decision::Exceeds).collect();
    decisive.sort_by_key(|item| Reverse(item.score));
    let max_score = assessments.iter().filter_map(|item| item.score).max();
    let counts = |values: &[Ignored]| !values.is_empty() && !request.is_told_only;
    let beside = AlertContext {
        unreadable: counts(&request.unreadable),
        sealed: counts(&request.sealed),
        excess: counts(&request.excess),
        is_sender_doubtful: request.is_sender_doubtful && !request.is_told_only,
    };
    let (decision, decided_by) = decide::alert(&assessments, beside, request.fallbacks);
    let unscored = [
        (CauseKind::Unreadable, &request.unreadable),
        (CauseKind::Sealed, &request.sealed),
        (CauseKind::Excess, &request.excess),
    ];
    let unscored = unscored
        .into_iter()
        .filter(|(_, values)| counts(values))
        .flat_map(|(kind, values)| values.iter().map(move |one| Cause::of_value(kind, one)));
    let causes: Vec<Cause> = assessments
        .iter()
        .flat_map(|item| item.causes.iter().cloned())
        .chain(unscored)
        .collect();
    let gap = harmless(&request, &assessments);
    let mut scores: BTreeMap<String, Option<u8>> = BTreeMap::new();
    for item in &assessments {
        let highest = scores.entry(item.role.clone()).or_insert(item.score);
        *highest = item.score.max(*highest);
    }
    let mut answer = AlertAnswer {
        request_id: request.request_id.to_owned(),
        decision_id: request.decision_id.to_owned(),
        policy_version: policy.version().to_owned(),
        threshold: policy.threshold,
        decision,
        decided_by,
        any_exceeds: !decisive.is_empty(),
        max_score,
        max_score_known: max_score.is_some(),
        scores,
        undetermined: values(with(&assessments, Decision::Undetermined)),
        unknown: values(with(&assessments, Decision::Unknown)),
        unsupported: values(with(&assessments, Decision::Unsupported)),
        summary: summary(&request, decided_by, &decisive, &assessments),
        decisive: values(decisive.into_iter()),
        markdown: String::new(),
        cost: request.cost,
        retry_after_s: causes.iter().filter_map(|cause| cause.retry_after_s).min(),
        causes,
        ignored: request.ignored,
        unreadable: request.unreadable,
        sealed: request.sealed,
        excess: request.excess,
        notes: request.notes.iter().cloned().chain(gap).collect(),
        budget: request.budget,
        made_under: MadeUnder {
            policy: policy.clone(),
            fallbacks: request.fallbacks,
            is_sender_doubtful: request.is_sender_doubtful,
        },
        indicators: assessments,
    };
    answer.markdown = markdown::note(&answer, request.titles);
    answer
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
    decided_by: DecidedBy,
    decisive: &[&Assessment],
    assessments: &[Assessment],
) -> String {
    let by_setting = decided_by.because();
    let mut sentences: Vec<String> = by_setting
        .map(|because| format!("Here {because}."))
        .into_iter()
        .collect();
    let scored = |item: &Assessment, relation: &str| {
        let score = item.score.unwrap_or_default();
        let because = because(request, item);
        let colon = if because.is_empty() { "" } else { ": " };
        if item.score.is_none() {
            return format!("{} has no score, and is known{colon}{because}.", item.indicator);
        }
        format!(
            "{} scores {score} ({relation} {}){colon}{because}.",
            item.indicator, item.threshold
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
                    "{} scores {score} (not over {}), but {missing}.",
                    item.indicator, item.threshold
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
    sentences.extend(again(&unsettled));
    let (told, untold): (Vec<&Assessment>, Vec<&Assessment>) =
        with(assessments, Decision::Unknown).partition(|item| !item.explanation.is_empty());
    let unknown = values(untold.into_iter());
    if !unknown.is_empty() {
        sentences.push(format!("Nothing is known of {}.", listed(&unknown)));
    }
    sentences.extend(told.iter().take(NAMED).map(|item| {
        let because = because(request, item);
        format!("No source scores {} itself: {because}.", item.indicator)
    }));
    let more = values(told.into_iter().skip(NAMED));
    if !more.is_empty() {
        sentences.push(format!("No source scores {}.", listed(&more)));
    }
    if request.is_sender_doubtful {
        sentences.push("It is not sure who sent the message.".to_owned());
    }
    sentences.extend(harmless(request, assessments));
    let unsupported = values(with(assessments, Decision::Unsupported));
    if !unsupported.is_empty() {
        sentences.push(format!("No configured source scores {}.", listed(&unsupported)));
    }
    let of_values =
        |values: &[Ignored]| -> Vec<String> { values.iter().map(|one| one.value.clone()).collect() };
    if !request.unreadable.is_empty() {
        let values = of_values(&request.unreadable);
        sentences.push(format!("Not readable: {}.", listed(&values)));
    }
    if !request.sealed.is_empty() {
        let values = of_values(&request.sealed);
        sentences.push(format!(
            "Only the vendor of the wrapper knows where these links lead: {}.",
            listed(&values)
        ));
    }
    if !request.excess.is_empty() {
        let values = of_values(&request.excess);
        sentences.push(format!("Too many to be scored: {}.", listed(&values)));
    }
    if assessments.is_empty() && !request.ignored.is_empty() {
        let values = of_values(&request.ignored);
        sentences.push(format!("Nothing was scored: {} ignored.", listed(&values)));
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
    let mut parts: Vec<String> = lines
        .map(|line| {
            format!(
                "{} {}",
                title(request, &line.source),
                line.reason.replace(": ", " ")
            )
        })
        .collect();
    let more = parts.len().saturating_sub(REASONS);
    if more > 0 {
        parts.truncate(REASONS);
        parts.push(format!("and {more} more"));
    }
    parts.join("; ")
}

/// Says which sources are missing, and why.
fn missing(request: &Request<'_>, item: &Assessment) -> String {
    let mut parts: Vec<String> = item
        .missing
        .iter()
        .map(|(source, why)| format!("{} {why}", title(request, source)))
        .collect();
    // A source that the policy requires, and that was not asked.
    let unasked = item.causes.iter().filter_map(|cause| cause.source.as_ref());
    for source in unasked {
        if !item.missing.iter().any(|(missing, _)| missing == source) {
            parts.push(format!("{} was not asked", title(request, source)));
        }
    }
    parts.join(", ")
}

/// Says which sources are missing without that it matters.
fn harmless(request: &Request<'_>, assessments: &[Assessment]) -> Option<String> {
    let settled = |item: &&Assessment| matches!(item.decision, Decision::Below | Decision::Unknown);
    let mut parts: Vec<String> = Vec::new();
    for (source, why) in assessments.iter().filter(settled).flat_map(|item| &item.missing) {
        let part = format!("{} {why}", title(request, source));
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    (!parts.is_empty()).then(|| {
        format!(
            "{}: that could not have taken a score over its threshold.",
            listed(&parts)
        )
    })
}

/// Says whether asking again can help.
fn again(unsettled: &[&Assessment]) -> Option<String> {
    let mut causes = unsettled.iter().flat_map(|item| &item.causes).peekable();
    causes.peek()?;
    let causes: Vec<&Cause> = causes.collect();
    if let Some(seconds) = causes.iter().filter_map(|cause| cause.retry_after_s).min() {
        return Some(format!("Asking again in {seconds} s can help."));
    }
    let can_help = causes.iter().any(|cause| cause.retry);
    Some(
        if can_help {
            "Asking again can help."
        } else {
            "Asking again does not help."
        }
        .to_owned(),
    )
}
