//! The decision of an alert: what its indicators come to together, and what the settings make of what is open.

use super::alert::{DecidedBy, Fallback, Fallbacks};
use super::score::{Assessment, Decision};
use pivotd_domain::{Indicator, IndicatorKind};

/// Says what an alert holds beside its indicators.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AlertContext {
    /// A value that could not be read.
    pub(super) unreadable: bool,
    /// A link that only the vendor of its wrapper can unwrap.
    pub(super) sealed: bool,
    /// More values than can be scored.
    pub(super) excess: bool,
    /// A message that may be from another than the sender that it names.
    pub(super) is_sender_doubtful: bool,
}

/// Tells whether an alert is below the threshold only where a source or a list vouches for what has this role: for every
/// sender, link and attachment, and for all that the client names. The hosts on a message's way vouch for nothing, and
/// the domain of an address is known where the address is.
fn must_be_known(role: &str) -> bool {
    !matches!(role, "return_path" | "relay" | "email_domain")
}

/// Tells whether what has this role, where it is known, can make an alert known. Who sent a message that another carries has
/// to be known, but the author of the outer one writes any name there.
fn vouches(role: &str) -> bool {
    must_be_known(role) && role != "attached_sender"
}

/// Takes pages for unknown of which only the host is known, unless the alert names that host's domain otherwise, as its
/// sender or beside the page: harmless sites are broken into, and strangers then put pages on them. Says which.
///
/// The return path names no domain for this: its author writes any domain there, and no reader sees it.
pub(super) fn doubt_pages(assessments: &mut [Assessment]) -> Vec<String> {
    let domain_of = |item: &Assessment| Indicator::parse(item.r#type, &item.indicator).ok()?.registrable();
    let named: Vec<Indicator> = assessments
        .iter()
        .filter(|item| item.r#type != IndicatorKind::Url && item.decision == Decision::Below)
        // An address that is known makes its domain known, so that the domain's own role adds nothing.
        .filter(|item| vouches(&item.role))
        .filter_map(domain_of)
        .collect();
    let pages = assessments
        .iter_mut()
        .filter(|item| item.is_known_by_host && item.decision == Decision::Below);
    let doubted = pages.filter(|item| !domain_of(item).is_some_and(|domain| named.contains(&domain)));
    doubted
        .map(|item| {
            item.decision = Decision::Unknown;
            format!(
                "of {} only the host is known, which vouches for no page there",
                item.indicator
            )
        })
        .collect()
}

/// Decides an alert.
///
/// A score that exceeds decides. Else each matter that is open is settled by its own setting: `keep` leaves the alert
/// undetermined, `exceeds` decides it, and `below` takes what is open for something below the threshold, and for
/// nothing else: what no source knows stays unknown.
pub(super) fn alert(
    assessments: &[Assessment],
    beside: AlertContext,
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
    // What is undetermined here is so by the setting `below`.
    let is_known = |item: &Assessment| matches!(item.decision, Decision::Below | Decision::Undetermined);
    let all_known = assessments
        .iter()
        .all(|item| is_known(item) || !must_be_known(&item.role));
    let some_known = settled.is_some()
        || assessments
            .iter()
            .any(|item| is_known(item) && vouches(&item.role));
    if all_known && some_known && !beside.is_sender_doubtful {
        return (Decision::Below, settled.unwrap_or(DecidedBy::Scores));
    }
    let unsupported = |item: &Assessment| item.decision == Decision::Unsupported;
    let decision = if !assessments.is_empty() && assessments.iter().all(unsupported) {
        Decision::Unsupported
    } else {
        Decision::Unknown
    };
    match fallbacks.unknown {
        // Nothing was asked about, so nothing is unknown.
        _ if assessments.is_empty() => (decision, DecidedBy::Scores),
        Fallback::Keep => (decision, DecidedBy::Scores),
        Fallback::Exceeds => (Decision::Exceeds, DecidedBy::OnUnknown),
        Fallback::Below => (Decision::Below, DecidedBy::OnUnknown),
    }
}
