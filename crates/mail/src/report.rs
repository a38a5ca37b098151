//! Tells a report: a message of one's own people that carries exactly one other.

use super::authentication::{is_refused, results, vouch};
use super::received::origin;
use super::senders::{Address, address};
use super::{TrustPolicy, mime};
use pivotd_domain::indicator::Indicator;
use pivotd_domain::special::is_inside;

/// Says what a message is that carries one other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// No report: its sender is not one's own, or it carries none or several.
    None,
    /// A report: it never was outside, or trusted relays found its sender right.
    Sure,
    /// It looks like one, and no relay tells.
    Doubtful,
    /// It came from outside, and no trusted relay found its sender right.
    Forged,
}

/// Tells a report: every sender is one's own, there is exactly one attached message, and the trusted relays say nothing
/// against it.
pub(super) fn report(mail: &mime::Mail, trust: &TrustPolicy<'_>) -> Report {
    let envelope = &mail.envelope;
    let written = envelope.from.iter().flat_map(|mailbox| &mailbox.addresses);
    let senders = written.map(|text| match address(text) {
        Address::Whole(sender) if (trust.is_inside)(&sender) => Some(sender),
        _ => None,
    });
    let senders: Vec<Indicator> = match senders.collect::<Option<_>>() {
        Some(senders) if mail.attached.len() == 1 => senders,
        _ => return Report::None,
    };
    if senders.is_empty() {
        return Report::None;
    }
    let origin = origin(&envelope.trace, trust.relays);
    let (results, _) = results(&envelope.trace, &origin, trust.relays);
    let failed = is_refused(&results);
    match origin.address {
        _ if vouch(&results, &senders) && !failed => Report::Sure,
        _ if !origin.is_told() => Report::Doubtful,
        Some(address) if !is_inside(address) => Report::Forged,
        _ if failed => Report::Forged,
        _ => Report::Sure,
    }
}
