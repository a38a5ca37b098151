//! The message of an alert: what is asked about because of it, and what the caller alone is told of it.

use super::{Alert, ignored, popular};
use crate::config::Settings;
use crate::domain::Purpose;
use crate::mail::{MessageError, MessageFacts, Read, SHOWN_ONLY, TrustPolicy};
use crate::reputation::{Ignored, mail};

fn read(bytes: &[u8], settings: &Settings) -> Result<Read, MessageError> {
    let trust = TrustPolicy {
        relays: &settings.trusted_relays,
        is_own: &|indicator| ignored(&settings.lists, indicator),
        is_popular: &|link, senders| popular(&settings.lists, &settings.reputation, link, senders),
        is_inside: &|indicator| {
            let hits = settings.lists.hits(indicator);
            hits.iter().any(|hit| hit.purpose == Purpose::Own)
        },
        keep_query: settings.reputation.whole_urls,
    };
    crate::mail::read(bytes, &trust)
}

/// Returns the facts of a raw message once more; `None` where it cannot be read.
#[must_use]
pub fn facts(bytes: &[u8], settings: &Settings) -> Option<MessageFacts> {
    read(bytes, settings).ok().map(|read| read.facts)
}

/// Adds to an alert what a raw message says: its indicators, what is passed over, what could not be read, who vouches for its
/// sender. Returns the facts that the caller alone is told.
///
/// # Errors
/// Why the message cannot be read.
pub fn add(asked: &mut Alert, bytes: &[u8], settings: &Settings) -> Result<MessageFacts, String> {
    let read = read(bytes, settings).map_err(|error| format!("message: {error}"))?;
    let is_doubtful = read.is_sender_doubtful();
    let mut senders = Vec::new();
    for found in read.indicators {
        if found.role == "sender" {
            senders.push(found.indicator.clone());
        }
        if !asked
            .indicators
            .iter()
            .any(|(_, known)| *known == found.indicator)
        {
            asked.indicators.push((found.role.to_owned(), found.indicator));
        }
    }
    asked.ignored.extend(
        read.ignored
            .into_iter()
            .map(|ignored| Ignored::text(ignored.role, &ignored.value, &ignored.reason)),
    );
    let too_many = "the message has more indicators than are scored";
    asked.excess.extend(
        read.excess
            .into_iter()
            .map(|found| Ignored::indicator(found.role, &found.indicator, too_many)),
    );
    let told = |one: crate::mail::Unreadable| Ignored::text(one.role, &one.value, &one.reason);
    asked.unreadable.extend(read.unreadable.into_iter().map(told));
    asked.sealed.extend(read.sealed.into_iter().map(told));
    asked.notes.extend(read.notes);
    // Who sends in one's own name is not scored, so that it has to be said here.
    let unscored: Vec<&str> = asked
        .ignored
        .iter()
        .filter(|one| one.role == "sender" && one.reason != SHOWN_ONLY)
        .map(|one| one.value.as_str())
        .collect();
    for result in read.authentication.iter().filter(|one| one.result == "fail") {
        asked.notes.extend(unscored.iter().map(|sender| {
            let (relay, method) = (&result.relay, result.method);
            format!("{sender} was not scored, but {relay} found {method} fail: another host may have sent it")
        }));
    }
    if is_doubtful {
        asked.is_sender_doubtful = true;
        asked.notes.push("no trusted relay found the sender to be who it says, or the message names none: that its domain is known vouches for nothing".to_owned());
    }
    for result in read.authentication {
        let record = mail::authentication(result.method, &result.result, &result.relay);
        asked
            .message_facts
            .extend(senders.iter().map(|sender| (sender.clone(), record.clone())));
    }
    Ok(read.facts)
}
