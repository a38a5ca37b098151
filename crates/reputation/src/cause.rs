//! Why an alert or an indicator is undetermined, and whether asking again can help.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::alert::Ignored;
use super::evidence::{Evidence, EvidenceStatus};

/// Names the kinds of causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// A source that could have changed the decision gave no answer.
    Source,
    /// A budget or a rate that is configured here kept such a source from being asked.
    Budget,
    /// A value could not be read.
    Unreadable,
    /// A link is wrapped so that only the vendor of the wrapper can tell where it leads.
    Sealed,
    /// There were more values than one alert may have.
    Excess,
}

/// Says why something is undetermined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Cause {
    /// What kind of cause it is.
    pub kind: CauseKind,
    /// The source that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The indicator that it was to be asked about, or the value that was not scored.
    pub value: String,
    /// The cause in plain words.
    pub detail: String,
    /// Whether asking again can help.
    pub retry: bool,
    /// Seconds after which it can; only where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl Cause {
    /// Makes the cause of a value that was not scored: asking again gives the same.
    #[must_use]
    pub fn of_value(kind: CauseKind, value: &Ignored) -> Self {
        Self {
            kind,
            source: None,
            value: value.value.clone(),
            detail: value.reason.clone(),
            retry: false,
            retry_after_s: None,
        }
    }

    /// Makes the cause of evidence whose source is missing.
    pub(super) fn of_gap(item: &Evidence, indicator: &str, now: Timestamp) -> Self {
        let gap = &item.gap;
        let retry_after_s = gap.retry_at.map(|at| seconds_until(at, now));
        let can_end = !matches!(item.status, EvidenceStatus::Skipped | EvidenceStatus::AuthError);
        let kind = if gap.is_own_limit {
            CauseKind::Budget
        } else {
            CauseKind::Source
        };
        let about = item.about.as_ref();
        let about = about.map_or_else(String::new, |about| format!(" about {about}"));
        let why = if gap.detail.is_empty() {
            String::new()
        } else {
            format!(": {}", gap.detail)
        };
        let detail = format!("{} {}{about}{why}", item.source, item.missing_words());
        Self {
            kind,
            source: Some(item.source.clone()),
            value: indicator.to_owned(),
            detail,
            retry: retry_after_s.is_some() || (can_end && !gap.is_final),
            retry_after_s,
        }
    }

    /// Makes the cause of a source that the policy requires and that was not asked.
    pub(super) fn of_required(source: &str, indicator: &str) -> Self {
        Self {
            kind: CauseKind::Source,
            source: Some(source.to_owned()),
            value: indicator.to_owned(),
            detail: format!("{source} is required by the policy and was not asked"),
            retry: false,
            retry_after_s: None,
        }
    }
}

fn seconds_until(at: Timestamp, now: Timestamp) -> u64 {
    let millis = at.as_millisecond().saturating_sub(now.as_millisecond());
    u64::try_from(millis)
        .map_or(0, |millis| millis.div_ceil(1000))
        .max(1)
}
