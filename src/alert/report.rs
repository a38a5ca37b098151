//! Tells a report: a message of one's own people that carries exactly one other.

use super::authentication::results;
use super::received::origin;
use super::senders::{Address, address};
use super::{AuthenticationResult, Trust, is_private, mime};
use crate::domain::indicator::Indicator;

/// Says what a message is that carries one other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// No report: its sender is not one's own or trusted, or it carries none or several.
    None,
    /// A report: it never was outside, or trusted relays found its sender right.
    Sure,
    /// It looks like one, and no relay tells.
    Doubtful,
    /// It came from outside, and no trusted relay found its sender right.
    Forged,
}

/// Tells a report: every sender is ignored as one's own or trusted, there is exactly one attached message, and the
/// trusted relays say nothing against it.
pub(super) fn report(mail: &mime::Mail, trust: &Trust<'_>) -> Report {
    let is_own = |indicator: &Indicator| (trust.is_own)(indicator).is_some();
    let envelope = &mail.envelope;
    let mut senders = envelope
        .from
        .iter()
        .flat_map(|mailbox| &mailbox.addresses)
        .peekable();
    let is_from_own = senders.peek().is_some()
        && senders.all(|text| matches!(address(text), Address::Whole(sender) if is_own(&sender)));
    if mail.attached.len() != 1 || !is_from_own {
        return Report::None;
    }
    let origin = origin(&envelope.trace, trust.relays);
    let (results, _) = results(&envelope.trace, &origin, trust.relays);
    let own_name = |found: &AuthenticationResult| {
        let name = found
            .domain
            .as_deref()
            .and_then(|name| Indicator::name(name).ok());
        name.as_ref().map(is_own)
    };
    // DMARC is about the header that people see; the others only where they are about one's own name.
    let passed = results
        .iter()
        .any(|found| found.result == "pass" && own_name(found).unwrap_or(found.method == "dmarc"));
    let failed = results
        .iter()
        .any(|found| found.method == "dmarc" && found.result == "fail");
    match origin.address {
        _ if passed && !failed => Report::Sure,
        _ if !origin.is_told() => Report::Doubtful,
        Some(address) if !is_private(address) => Report::Forged,
        _ if failed => Report::Forged,
        _ => Report::Sure,
    }
}
