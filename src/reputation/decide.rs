//! The decision of an alert: what its indicators come to together, and what the settings make of what is open.

use super::alert::{DecidedBy, Fallback, Fallbacks};
use super::score::{Assessment, Decision};

/// Says what an alert holds beside its indicators.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beside {
    /// A value that could not be read.
    pub(super) unreadable: bool,
    /// A link that only the vendor of its wrapper can unwrap.
    pub(super) sealed: bool,
    /// More values than can be scored.
    pub(super) excess: bool,
}

/// Decides an alert.
///
/// A score that exceeds decides. Else each matter that is open is settled by its own setting: `keep` leaves the alert
/// undetermined, `exceeds` decides it, and `below` takes what is open for something below the threshold, and for
/// nothing else: what no source knows stays unknown.
pub(super) fn alert(
    assessments: &[Assessment],
    beside: Beside,
    fallbacks: Fallbacks,
) -> (Decision, DecidedBy) {
    let any = |decision| assessments.iter().any(|item| item.decision == decision);
    if any(Decision::Exceeds) {
        return (Decision::Exceeds, DecidedBy::Scores);
    }
    // What was not looked at could be the worst.
    let matters = [
        (
            any(Decision::Undetermined) || beside.excess,
            fallbacks.undetermined,
            DecidedBy::OnUndetermined,
        ),
        (beside.unreadable, fallbacks.unreadable, DecidedBy::OnUnreadable),
        (beside.sealed, fallbacks.sealed, DecidedBy::OnSealed),
    ];
    let open: Vec<(Fallback, DecidedBy)> = matters
        .into_iter()
        .filter(|(is_open, ..)| *is_open)
        .map(|(_, fallback, by)| (fallback, by))
        .collect();
    let find = |wanted: Fallback| open.iter().find(|(fallback, _)| *fallback == wanted);
    if let Some((_, by)) = find(Fallback::Exceeds) {
        return (Decision::Exceeds, *by);
    }
    if find(Fallback::Keep).is_some() {
        // An alert that is undetermined for any reason comes to what `on_undetermined` says, where that is the safe side.
        return match fallbacks.undetermined {
            Fallback::Exceeds => (Decision::Exceeds, DecidedBy::OnUndetermined),
            Fallback::Keep | Fallback::Below => (Decision::Undetermined, DecidedBy::Scores),
        };
    }
    let settled = find(Fallback::Below).map(|(_, by)| *by);
    let scored = assessments.iter().any(|item| item.score.is_some());
    if scored || (settled.is_some() && !any(Decision::Unknown) && !any(Decision::Unsupported)) {
        return (Decision::Below, settled.unwrap_or(DecidedBy::Scores));
    }
    let decision = if any(Decision::Unknown) || !any(Decision::Unsupported) {
        Decision::Unknown
    } else {
        Decision::Unsupported
    };
    match fallbacks.unknown {
        // Nothing was asked about, so there is nothing that nobody could tell.
        _ if assessments.is_empty() => (decision, DecidedBy::Scores),
        Fallback::Keep => (decision, DecidedBy::Scores),
        Fallback::Exceeds => (Decision::Exceeds, DecidedBy::OnUnknown),
        Fallback::Below => (Decision::Below, DecidedBy::OnUnknown),
    }
}
