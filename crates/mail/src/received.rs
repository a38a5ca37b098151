//! Finds where a message entered.
//!
//! Any sender can write any header into a message. Relays put theirs on top, so what a trusted relay wrote is a run from
//! the top, and it ends with the header of the one that took the message from outside.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

use super::headers::comment;
use pivotd_domain::indicator::{Indicator, IndicatorKind};
use pivotd_domain::special::is_inside;

/// Names relays: a network, or a host and everything below it.
///
/// Whether a message came *from* a relay is told by address only, since a sender can call itself anything: relays with
/// public addresses need their networks listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relay {
    /// Addresses.
    Network(IpNet),
    /// A canonical host name, and all names below it.
    Name(String),
}

/// Says that a text names no relay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is neither an address, a network nor a host name")]
pub struct RelayError(String);

impl FromStr for Relay {
    type Err = RelayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let network = text.parse::<IpNet>().ok();
        if let Some(net) = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)) {
            return Ok(Self::Network(net.trunc()));
        }
        let name = text.trim_start_matches('*').trim_start_matches('.');
        Indicator::parse(IndicatorKind::Hostname, name)
            .map(|name| Self::Name(name.value().to_owned()))
            .map_err(|error| RelayError(error.given().to_owned()))
    }
}

/// One header of the trace, from the top.
pub(super) enum Trace {
    Received(ReceivedHop),
    /// The text of an Authentication-Results header.
    Results(String),
}

/// Holds what a Received header says. The name that the sender gave itself proves nothing, and counts for nothing.
#[derive(Default)]
pub(super) struct ReceivedHop {
    pub(super) from: Option<IpAddr>,
    /// The name that the sender gave itself: none where the line tells of no sender, empty where it has no name.
    pub(super) called: Option<String>,
    /// Whether a program of the machine itself, or one that only delivers, handed the message on.
    pub(super) is_local: bool,
    pub(super) by_name: Option<String>,
    pub(super) by_address: Option<IpAddr>,
    /// Whether the line is but a remark and a date: programs of one machine write such lines among themselves, as qmail
    /// does (`(qmail 1234 invoked by uid 89); …`).
    pub(super) is_remark: bool,
}

/// Says where the run of trusted headers ends.
pub(super) struct Origin {
    /// The address that handed the message to the first of the trusted relays.
    pub(super) address: Option<IpAddr>,
    /// Where in the trace headers begin that any sender could have written.
    pub(super) trusted: usize,
    /// Where in the trace the Received header of that relay stands.
    pub(super) entry: usize,
    pub(super) note: Option<&'static str>,
}

impl Origin {
    /// Tells whether some trusted relay wrote headers.
    pub(super) fn is_told(&self) -> bool {
        self.trusted > 0
    }
}

/// Walks Received headers from the top, as long as they are of trusted relays.
///
/// The newest counts if its `by` or the address in its `from` is a trusted relay; lines of Google's machines among
/// themselves may stand above it. The next counts if the address in the `from` of the one before is a trusted relay or
/// of the machine itself, or is private, or missing, and the next is `by` a trusted relay. What a mailbox server of
/// Exchange Online took from another machine of it came from inside, too. What other tenants send comes in by
/// `*.mail.protection.outlook.com`, from an address of the sending side: the walk ends there. Lines that are but a remark
/// are passed.
pub(super) fn origin(trace: &[Trace], relays: &[Relay]) -> Origin {
    let none = |note| Origin {
        address: None,
        trusted: 0,
        entry: 0,
        note: Some(note),
    };
    if relays.is_empty() {
        return none("no relay is trusted, so neither the last hop nor authentication results were read");
    }
    let mut hops = trace.iter().enumerate().filter_map(|(at, line)| match line {
        Trace::Received(hop) if !hop.is_remark => Some((at, hop)),
        Trace::Received(_) | Trace::Results(_) => None,
    });
    let Some((mut entry, mut hop)) = hops.next() else {
        return none("the message has no Received header");
    };
    let is_newest = !hop.is_inner();
    while hop.is_inner()
        && let Some(next) = hops.next()
    {
        (entry, hop) = next;
    }
    let from_relay = is_newest && hop.from.is_some_and(|from| contains(relays, from));
    if !hop.is_by(relays) && !from_relay {
        return none("the newest Received header is not of a trusted relay, so no last hop was read");
    }
    let mut trusted = trace.len();
    for (at, next) in hops {
        let inside = match hop.from {
            Some(from) if from.is_loopback() || contains(relays, from) => true,
            Some(from) if hop.is_of_exchange(from) => next.is_by(relays) || next.is_by_exchange(),
            Some(from) => is_inside(from) && next.is_by(relays),
            None => hop.is_handed_on(relays) && next.is_by(relays),
        };
        if !inside {
            trusted = at;
            break;
        }
        (entry, hop) = (at, next);
    }
    let address = hop
        .from
        .filter(|from| !from.is_loopback() && !contains(relays, *from));
    let called_relay = hop.called.as_deref().is_some_and(|name| names(relays, name));
    let note = match (address, hop.from) {
        (Some(_), _) if called_relay => Some(
            "the last hop calls itself a trusted relay, but its address is on none of trusted_relays: add its network if it is one",
        ),
        (Some(_), _) => None,
        (None, Some(_)) => {
            Some("the message came from a trusted relay or its machine itself: there is no hop before")
        }
        (None, None) => Some("the first trusted relay does not say by address where the message came from"),
    };
    Origin {
        address,
        trusted,
        entry,
        note,
    }
}

impl ReceivedHop {
    /// Reads the text of a Received header (RFC 5321, 4.4), as relays of all makes write it.
    pub(super) fn parse(text: &str) -> Self {
        let mut tokens = tokens(text).into_iter().peekable();
        let mut hop = Self {
            is_remark: is_remark(text),
            ..Self::default()
        };
        if let Some(Token::Word(word)) = tokens.peek()
            && word.eq_ignore_ascii_case("from")
        {
            tokens.next();
            let mut called = String::new();
            // Whatever stands there is what the sender calls itself, the word "by" included.
            if let Some(Token::Word(word)) = tokens.peek() {
                (*word).clone_into(&mut called);
                tokens.next();
            }
            hop.called = Some(called);
        }
        let mut seen_last = None;
        let mut is_by = false;
        for token in tokens.by_ref() {
            match token {
                Token::Word(name) if is_by => {
                    hop.by_address = literal(name);
                    hop.by_name = hop.by_address.is_none().then(|| name.to_owned());
                    break;
                }
                Token::Word(word) if word.eq_ignore_ascii_case("by") => is_by = true,
                // The relay writes the address that it saw last: what stands before may be the sender's own words.
                Token::Word(word) => seen_last = literal(word).filter(|_| hop.called.is_some()).or(seen_last),
                Token::Comment(comment) if !is_by => seen_last = seen(&comment).or(seen_last),
                Token::Comment(_) => {}
            }
        }
        hop.from = seen_last.or_else(|| hop.called.as_deref().and_then(literal));
        let mut words = tokens.filter_map(|token| match token {
            Token::Word(word) => Some(word.to_ascii_lowercase()),
            Token::Comment(_) => None,
        });
        let protocol = words.find(|word| word == "with").and_then(|_| words.next());
        hop.is_local = protocol.is_some_and(|name| name.starts_with("lmtp") || name.starts_with("local"));
        hop
    }

    /// Tells a line without an address of what did not come from a stranger.
    fn is_handed_on(&self, relays: &[Relay]) -> bool {
        self.is_local || self.called.as_deref().is_none_or(|name| names(relays, name))
    }

    fn is_by(&self, relays: &[Relay]) -> bool {
        self.by_address.is_some_and(|address| contains(relays, address))
            || self.by_name.as_deref().is_some_and(|name| names(relays, name))
    }

    /// Tells a line of Exchange Online's mailbox servers about what machines of Exchange Online handed to them, as messages
    /// show them (names and addresses are documented nowhere). Mailbox servers take messages from programs for mail, too:
    /// these have other addresses.
    fn is_of_exchange(&self, from: IpAddr) -> bool {
        const ZONES: [&str; 3] = [".prod.outlook.com", ".outlook.office365.com", ".office365.us"];
        const SENDERS: [&str; 5] = [
            ".prod.outlook.com",
            ".prod.protection.outlook.com",
            ".outlook.office365.com",
            ".itar.protection.office365.us",
            ".office365.us",
        ];
        /// What takes messages from strangers, and what sends to them.
        const BORDERS: [&str; 2] = [
            ".mail.protection.office365.us",
            ".outbound.protection.office365.us",
        ];
        let IpAddr::V6(from) = from else { return false };
        // 2603:10?6:…, those of protection services before, and those of the clouds of the United States' government.
        let is_inner = match from.segments() {
            [0x2603, second, ..] => second & 0xff0f == 0x1006,
            [0x2a01, 0x111, 0xf400, ..] | [0x2001, 0x489a, 0x200 | 0x2202, ..] => true,
            _ => false,
        };
        let is_of = |name: &Option<String>, zones: &[&str]| {
            is_below(name.as_deref(), zones) && !is_below(name.as_deref(), &BORDERS)
        };
        is_inner && is_of(&self.by_name, &ZONES) && is_of(&self.called, &SENDERS)
    }

    /// Tells a line that a machine of Exchange Online wrote, by any of the names that such machines have.
    fn is_by_exchange(&self) -> bool {
        const ZONES: [&str; 5] = [
            ".prod.outlook.com",
            ".prod.protection.outlook.com",
            ".mail.protection.outlook.com",
            ".outlook.office365.com",
            ".office365.us",
        ];
        is_below(self.by_name.as_deref(), &ZONES)
    }

    /// Tells a line that machines of Google write among themselves: `by 2002:a05:…`, an address of 10.0.0.0/8 in 6to4
    /// (RFC 3056), and no host before.
    fn is_inner(&self) -> bool {
        let Some(IpAddr::V6(by)) = self.by_address else {
            return false;
        };
        let [first, second, ..] = by.segments();
        let [ten, _] = second.to_be_bytes();
        self.from.is_none() && first == 0x2002 && ten == 10
    }
}

/// Tells a line that names neither who sent nor who received.
fn is_remark(text: &str) -> bool {
    let inner = text.trim_start().strip_prefix('(');
    let behind = inner.and_then(comment).map(|(_, behind)| behind.trim_start());
    behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(';'))
}

fn is_below(name: Option<&str>, zones: &[&str]) -> bool {
    let name = name.unwrap_or_default().to_ascii_lowercase();
    zones.iter().any(|zone| name.ends_with(zone))
}

enum Token<'t> {
    Word(&'t str),
    /// A comment without its brackets.
    Comment(String),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('(') {
            // One that is never closed goes on to the end.
            let (comment, after) = comment(inner).unwrap_or_else(|| (inner.to_owned(), ""));
            tokens.push(Token::Comment(comment));
            rest = after.trim_start();
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || c == '(')
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            tokens.push(Token::Word(word.trim_end_matches(';')));
            rest = after.trim_start();
        }
    }
    tokens
}

/// Returns the address that a relay saw, from one of its comments: `rdns [192.0.2.1]`, `192.0.2.1`, `[192.0.2.1]:25
/// helo=x`, `HELO x`. What the sender said of itself there is passed over.
fn seen(comment: &str) -> Option<IpAddr> {
    let mut bare = None;
    let mut words = comment.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("helo") || word.eq_ignore_ascii_case("ehlo") {
            words.next();
            continue;
        }
        let own_words = ["helo=", "ehlo="].iter().any(|own| {
            word.get(..own.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(own))
        });
        if own_words {
            continue;
        }
        let bracketed = word
            .split_once('[')
            .and_then(|(_, behind)| behind.split_once(']'));
        if let Some(address) = bracketed.and_then(|(inner, _)| literal(inner)) {
            return Some(address);
        }
        bare = bare.or_else(|| literal(word.rsplit('@').next().unwrap_or(word)));
    }
    bare
}

/// Reads an address, with or without brackets, `IPv6:`, a zone or a port.
fn literal(text: &str) -> Option<IpAddr> {
    let bare = text.trim_matches(['[', ']', ',', ';']);
    let bare = match bare.get(..5) {
        Some(head) if head.eq_ignore_ascii_case("ipv6:") => bare.get(5..)?,
        _ => bare,
    };
    let bare = bare.split('%').next().unwrap_or(bare);
    let address = bare.parse().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

pub(super) fn contains(relays: &[Relay], address: IpAddr) -> bool {
    relays
        .iter()
        .any(|relay| matches!(relay, Relay::Network(net) if net.contains(&address)))
}

pub(super) fn names(relays: &[Relay], name: &str) -> bool {
    let Ok(name) = Indicator::parse(IndicatorKind::Hostname, name) else {
        return false;
    };
    relays.iter().any(|relay| match relay {
        Relay::Name(listed) => name
            .value()
            .strip_suffix(listed.as_str())
            .is_some_and(|above| above.is_empty() || above.ends_with('.')),
        Relay::Network(_) => false,
    })
}
