//! The message of an alert: what is asked about because of it, and what the caller alone is told of it.

use crate::alert::{MessageError, MessageFacts, Read, SHOWN_ONLY, Trust};
use crate::ask::score::{Alert as Asked, ignored, popular};
use crate::config::Settings;
use crate::decisions::Reply;
use crate::domain::Purpose;
use crate::reputation::{Ignored, mail};

fn read(bytes: &[u8], settings: &Settings) -> Result<Read, MessageError> {
    let trust = Trust {
        relays: &settings.trusted_relays,
        is_own: &|indicator| ignored(&settings.lists, indicator),
        is_popular: &|link, senders| popular(&settings.lists, &settings.reputation, link, senders),
        is_inside: &|indicator| {
            let hits = settings.lists.hits(indicator);
            hits.iter().any(|hit| hit.purpose == Purpose::Own)
        },
        keep_query: settings.reputation.whole_urls,
    };
    crate::alert::read(bytes, &trust)
}

/// Returns the facts of a message that was read before.
pub(super) fn facts(bytes: &[u8], settings: &Settings) -> Option<MessageFacts> {
    read(bytes, settings).ok().map(|read| read.facts)
}

/// Writes the facts of a message behind an answer. It is done last, when decision, log and kept reply are written:
/// none of them may hold a message.
pub(super) fn tell(reply: &mut Reply, facts: Option<&MessageFacts>) {
    let Some(facts) = facts.and_then(|facts| serde_json::to_string(facts).ok()) else {
        return;
    };
    if reply.body.ends_with('}') {
        reply.body.pop();
        reply.body.push_str(",\"message\":");
        reply.body.push_str(&facts);
        reply.body.push('}');
    }
}

/// Adds what a message says; returns its facts.
pub(super) fn add(asked: &mut Asked, bytes: &[u8], settings: &Settings) -> Result<MessageFacts, String> {
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
    let told = |one: crate::alert::Unreadable| Ignored::text(one.role, &one.value, &one.reason);
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
            format!(
                "{sender} was not scored, but {relay} found {method} fail: somebody else may have sent it"
            )
        }));
    }
    if is_doubtful {
        asked.is_sender_doubtful = true;
        asked.notes.push("no trusted relay found the sender to be who it says, or the message names none: that its domain is known vouches for nothing".to_owned());
    }
    for result in read.authentication {
        let record = mail::authentication(result.method, &result.result, &result.relay);
        asked
            .said
            .extend(senders.iter().map(|sender| (sender.clone(), record.clone())));
    }
    Ok(read.facts)
}
