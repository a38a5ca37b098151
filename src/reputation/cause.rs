//! Why an alert or an indicator is undetermined, and whether asking again can help.

use serde::Serialize;
use utoipa::ToSchema;

use super::alert::Ignored;

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
}
