//! Finds where a message entered, and what trusted relays found out about it.
//!
//! Anybody can write any header into a message. Relays put theirs on top, so what a trusted relay wrote is a run from
//! the top, and it ends with the header of the one that took the message from outside.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::is_private;
use crate::domain::indicator::{Indicator, IndicatorKind};

/// The most results that are kept.
const MAX_RESULTS: usize = 20;

/// Names relays: a network, or a host and everything below it.
///
/// Whether a message came *from* a relay is told by address only, since anybody can call himself anything: relays with
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

/// Holds what a trusted relay found by one method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticationResult {
    /// `spf`, `dkim` or `dmarc`.
    pub method: &'static str,
    /// The result's word in lower case, such as `pass`, `fail` or `none` (RFC 8601, 2.7).
    pub result: String,
    /// The domain that it is about: of the envelope's sender, the signature, or the header From.
    pub domain: Option<String>,
    /// The relay, as it calls itself.
    pub relay: String,
}

/// One header of the trace, from the top.
pub(super) enum Trace {
    Received(Hop),
    /// The text of an Authentication-Results header.
    Results(String),
}

/// Holds what a Received header says. The name that the sender gave itself is left out: it proves nothing.
#[derive(Default)]
pub(super) struct Hop {
    pub(super) from: Option<IpAddr>,
    pub(super) by_name: Option<String>,
    pub(super) by_address: Option<IpAddr>,
}

/// Says where the run of trusted headers ends.
pub(super) struct Origin {
    /// The address that handed the message to the first of the trusted relays.
    pub(super) address: Option<IpAddr>,
    /// Where in the trace headers begin that anybody could have written.
    trusted: usize,
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
/// The newest counts if its `by` or the address in its `from` is a trusted relay. The next counts if the address in
/// the `from` of the one before is a trusted relay or of the machine itself, or is private, or missing, and the next
/// is `by` a trusted relay.
pub(super) fn origin(trace: &[Trace], relays: &[Relay]) -> Origin {
    let none = |note| Origin {
        address: None,
        trusted: 0,
        note: Some(note),
    };
    if relays.is_empty() {
        return none("no relay is trusted, so neither the last hop nor authentication results were read");
    }
    let mut hops = trace.iter().enumerate().filter_map(|(at, line)| match line {
        Trace::Received(hop) => Some((at, hop)),
        Trace::Results(_) => None,
    });
    let Some((_, mut hop)) = hops.next() else {
        return none("the message has no Received header");
    };
    if !hop.is_by(relays) && !hop.from.is_some_and(|from| contains(relays, from)) {
        return none("the newest Received header is not of a trusted relay, so no last hop was read");
    }
    let mut trusted = trace.len();
    for (at, next) in hops {
        let inside = match hop.from {
            Some(from) if from.is_loopback() || contains(relays, from) => true,
            Some(from) => is_private(from) && next.is_by(relays),
            None => next.is_by(relays),
        };
        if !inside {
            trusted = at;
            break;
        }
        hop = next;
    }
    let address = hop
        .from
        .filter(|from| !from.is_loopback() && !contains(relays, *from));
    let note = match (address, hop.from) {
        (Some(_), _) => None,
        (None, Some(_)) => {
            Some("the message came from a trusted relay or its machine itself: there is no hop before")
        }
        (None, None) => Some("the first trusted relay does not say by address where the message came from"),
    };
    Origin {
        address,
        trusted,
        note,
    }
}

impl Hop {
    fn is_by(&self, relays: &[Relay]) -> bool {
        self.by_address.is_some_and(|address| contains(relays, address))
            || self.by_name.as_deref().is_some_and(|name| names(relays, name))
    }
}

fn contains(relays: &[Relay], address: IpAddr) -> bool {
    relays
        .iter()
        .any(|relay| matches!(relay, Relay::Network(net) if net.contains(&address)))
}

fn names(relays: &[Relay], name: &str) -> bool {
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

/// Reads the results that trusted relays wrote, and counts the headers of others.
///
/// A header counts if it calls itself after a trusted relay and stands above the first Received header that is not
/// trusted. RFC 8601, 5, has relays delete what others wrote in their name; where one does not, a forgery directly
/// below its own header cannot be told.
pub(super) fn results(
    trace: &[Trace],
    origin: &Origin,
    relays: &[Relay],
) -> (Vec<AuthenticationResult>, usize) {
    let mut found = Vec::new();
    let mut others = 0;
    for (at, line) in trace.iter().enumerate() {
        let Trace::Results(text) = line else { continue };
        let text = without_comments(text);
        let mut clauses = text.split(';');
        let id = clauses.next().unwrap_or_default();
        // A version may follow the name.
        let id = id.split_whitespace().next().unwrap_or_default().trim_matches('"');
        let is_listed = names(relays, id) || id.parse().is_ok_and(|address| contains(relays, address));
        if at >= origin.trusted || !is_listed {
            others += 1;
            continue;
        }
        let relay = id.to_ascii_lowercase();
        let wanted = MAX_RESULTS - found.len().min(MAX_RESULTS);
        found.extend(clauses.filter_map(|clause| result(clause, &relay)).take(wanted));
    }
    (found, others)
}

/// Reads one clause, such as `spf=pass smtp.mailfrom=example.com`.
fn result(clause: &str, relay: &str) -> Option<AuthenticationResult> {
    let spaced = clause.replace('=', " = ");
    let mut words = spaced.split_whitespace();
    let method = words.next()?.split('/').next()?.to_ascii_lowercase();
    let (method, properties): (_, &[&str]) = match method.as_str() {
        "spf" => ("spf", &["smtp.mailfrom", "smtp.helo"]),
        "dkim" => ("dkim", &["header.d", "header.i"]),
        "dmarc" => ("dmarc", &["header.from"]),
        _ => return None,
    };
    if words.next()? != "=" {
        return None;
    }
    let result = words.next()?.to_ascii_lowercase();
    if result.len() > 16 || !result.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let words: Vec<&str> = words.collect();
    let value = |property: &&str| {
        words.windows(3).find_map(|three| match three {
            [name, "=", value] if name.eq_ignore_ascii_case(property) => Some(*value),
            _ => None,
        })
    };
    let domain = properties.iter().find_map(value).and_then(|value| {
        let value = value.trim_matches(['"', '<', '>']);
        let domain = value.rsplit('@').next().unwrap_or(value);
        Indicator::parse(IndicatorKind::Hostname, domain).ok()
    });
    Some(AuthenticationResult {
        method,
        result,
        domain: domain.map(|name| name.value().to_owned()),
        relay: relay.to_owned(),
    })
}

/// Takes comments out, which nest, and separators within quotes, which mean nothing here.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            ';' | '=' if quoted => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
