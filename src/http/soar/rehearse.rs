//! The rehearsal of a playbook: every branch of an answer on the production's own routes, without asking a source.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use crate::ask::score::{Alert, IndicatorFacts, Scored, Scorer};
use crate::domain::Indicator;
use crate::http::problem::Problem;
use crate::reputation::alert::{Request, combine};
use crate::reputation::{Assessment, Decision, Evidence, EvidenceStatus, Kind, assess, from_risk};

/// Names the header that asks for a branch.
pub(in crate::http) const HEADER: &str = "x-pivotd-rehearse";
/// Names the source that rehearsed evidence comes from.
const SOURCE: &str = "rehearsal";

/// Names a branch of a playbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RehearsalBranch {
    Exceeds,
    Below,
    Unknown,
    Unsupported,
    Undetermined,
    /// As undetermined, at the caller's deadline.
    Slow,
    /// The token's rate is used up: HTTP 429.
    Limited,
}

const BRANCHES: [(&str, RehearsalBranch); 7] = [
    ("exceeds", RehearsalBranch::Exceeds),
    ("below", RehearsalBranch::Below),
    ("unknown", RehearsalBranch::Unknown),
    ("unsupported", RehearsalBranch::Unsupported),
    ("undetermined", RehearsalBranch::Undetermined),
    ("slow", RehearsalBranch::Slow),
    ("limited", RehearsalBranch::Limited),
];

/// Lists the names of the branches.
pub(in crate::http) fn names() -> [&'static str; 7] {
    BRANCHES.map(|(name, _)| name)
}

/// Reads which branch a request rehearses, if any.
///
/// # Errors
/// What was expected.
pub(super) fn branch(http: &HttpRequest) -> Result<Option<RehearsalBranch>, String> {
    let Some(value) = http.headers().get(HEADER) else {
        return Ok(None);
    };
    let given = value.to_str().unwrap_or_default().trim().to_ascii_lowercase();
    let found = BRANCHES.into_iter().find(|(name, _)| *name == given);
    found
        .map(|(_, branch)| Some(branch))
        .ok_or_else(|| format!("X-Pivotd-Rehearse: expected one of {}", names().join(", ")))
}

/// Makes the problem that the branch `limited` is about.
pub(super) fn limited() -> Problem {
    let detail = "a rehearsal: this token's rate is used up; try again in 60 s";
    let status = StatusCode::TOO_MANY_REQUESTS;
    let problem = Problem::new(status, "rate-used-up", "Too many requests", detail);
    problem.after(Duration::from_mins(1))
}

/// Plays a branch of a question for facts: there are none, and no source is asked.
///
/// # Errors
/// The [`Problem`] that the branch is about.
pub(super) async fn facts(
    scorer: &Scorer<'_>,
    branch: RehearsalBranch,
    indicator: &Indicator,
) -> Result<IndicatorFacts, Problem> {
    take_place(scorer, branch).await?;
    Ok(scorer.rehearsed_context(indicator))
}

/// Refuses or waits, where the branch is about that.
async fn take_place(scorer: &Scorer<'_>, branch: RehearsalBranch) -> Result<(), Problem> {
    match branch {
        RehearsalBranch::Limited => return Err(limited()),
        RehearsalBranch::Slow => scorer.engine.clock().sleep_until(scorer.options.deadline).await,
        _ => {}
    }
    Ok(())
}

/// Plays a branch.
///
/// # Errors
/// The [`Problem`] that the branch is about, or a branch that the threshold rules out.
pub(super) async fn play(
    scorer: &Scorer<'_>,
    branch: RehearsalBranch,
    mut alert: Alert,
    request_id: &str,
) -> Result<Scored, Problem> {
    take_place(scorer, branch).await?;
    scorer.imply_domains(&mut alert);
    let now = scorer.engine.clock().now();
    let assessments: Vec<Assessment> = alert
        .indicators
        .iter()
        .map(|(role, indicator)| {
            let threshold = scorer.policy.threshold_of(Kind::of(indicator.kind()));
            let kind = Kind::of(indicator.kind());
            let mut evidence = evidence(branch, threshold, scorer.policy.min_sources, now);
            // No source is asked, so none that is required is missing.
            let required = scorer.policy.rules.required(kind);
            evidence.extend(required.map(|source| Evidence::absent(source, EvidenceStatus::Unsupported)));
            assess(role, indicator, evidence, scorer.policy, now)
        })
        .collect();
    let exceeds = assessments.iter().any(|item| item.decision == Decision::Exceeds);
    if branch == RehearsalBranch::Exceeds && !exceeds {
        let detail = "X-Pivotd-Rehearse: nothing can exceed: there is no indicator to score, or no score over its threshold";
        return Err(Problem::invalid(detail));
    }
    let undetermined = assessments
        .iter()
        .any(|item| item.decision == Decision::Undetermined);
    let is_missing = matches!(branch, RehearsalBranch::Undetermined | RehearsalBranch::Slow);
    if is_missing && !undetermined && !assessments.is_empty() {
        let detail = "X-Pivotd-Rehearse: nothing can be undetermined: no score is over the threshold";
        return Err(Problem::invalid(detail));
    }
    let titles = std::collections::BTreeMap::from([(SOURCE.to_owned(), "The rehearsed source".to_owned())]);
    let mut notes = vec!["This is a rehearsal: no provider was asked.".to_owned()];
    notes.append(&mut alert.notes);
    let request = Request {
        fallbacks: scorer.options.fallbacks,
        ignored: alert.ignored,
        unreadable: alert.unreadable,
        sealed: alert.sealed,
        excess: alert.excess,
        // Any of these would make an alert that does not exceed undetermined.
        is_told_only: matches!(
            branch,
            RehearsalBranch::Below | RehearsalBranch::Unknown | RehearsalBranch::Unsupported
        ),
        notes,
        // Nothing is kept, so there is nothing to name.
        ..Request::new(request_id, "00000000-0000-0000-0000-000000000000", &titles)
    };
    Ok(Scored {
        answer: combine(request, scorer.policy, assessments),
        cache: "local",
        provider_time: Duration::ZERO,
        dependencies: None,
    })
}

/// Makes the evidence that leads to a branch.
fn evidence(branch: RehearsalBranch, threshold: u8, sources: u32, now: Timestamp) -> Vec<Evidence> {
    let said =
        |source: &str, risk: u8| from_risk(source, Some(risk.into()), &[], &[], false, None, None, false);
    // As many as must agree.
    let more = (2..=sources).map(|at| format!("{SOURCE}-{at}"));
    let absent = |status| vec![Evidence::absent(SOURCE, status)];
    let retry_at = now.checked_add(SignedDuration::from_mins(1)).ok();
    let missing = |status| {
        let of = |source: &str| {
            let mut missing = Evidence::absent(source, status);
            missing.gap.retry_at = retry_at;
            missing
        };
        let first = of(SOURCE);
        std::iter::once(first)
            .chain((2..=sources).map(|at| of(&format!("{SOURCE}-{at}"))))
            .collect::<Vec<Evidence>>()
    };
    match branch {
        RehearsalBranch::Exceeds => {
            let risk = threshold.saturating_add(1).clamp(87, 100);
            let first = said(SOURCE, risk);
            std::iter::once(first)
                .chain(more.map(|source| said(&source, risk)))
                .collect()
        }
        RehearsalBranch::Below => vec![said(SOURCE, threshold.min(3))],
        RehearsalBranch::Unknown => absent(EvidenceStatus::NoData),
        RehearsalBranch::Unsupported => Vec::new(),
        RehearsalBranch::Slow => missing(EvidenceStatus::Timeout),
        RehearsalBranch::Undetermined | RehearsalBranch::Limited => missing(EvidenceStatus::ProviderError),
    }
}
