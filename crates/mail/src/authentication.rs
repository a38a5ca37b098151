//! Reads what trusted relays found out about a message (RFC 8601).
//!
//! Every sender can write such a header. Relays put theirs on top: what stands above the Received header of the relay that
//! took the message from outside is of a trusted relay. What stands below it may be that relay's, or the sender's.

use super::headers::comment;
use super::received::{Origin, Relay, Trace, contains, names};
use pivotd_domain::indicator::{Indicator, IndicatorKind};

/// The most results that are kept.
const MAX_RESULTS: usize = 20;

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

/// Reads the results that trusted relays wrote, and counts the headers of others.
///
/// Above the relay's own Received header, each header counts, whatever it calls itself: a domain, a filter, or nothing, as
/// Exchange Online writes it. The sender cannot write there. Below, down to the first Received header that is not
/// trusted, a header counts if it calls itself after a trusted relay, no relay wrote above, and no header before says
/// something of the same method: a relay writes its own before the sender's. RFC 8601, 5, has relays delete what others
/// wrote in their name; where one neither does nor checks a method itself, a forgery directly below its header cannot
/// be told.
pub(super) fn results(
    trace: &[Trace],
    origin: &Origin,
    relays: &[Relay],
) -> (Vec<AuthenticationResult>, usize) {
    let mut found: Vec<AuthenticationResult> = Vec::new();
    let mut others = 0;
    let mut above = false;
    for (at, line) in trace.iter().enumerate() {
        let Trace::Results(text) = line else { continue };
        let text = without_comments(text);
        let mut clauses = text.split(';').peekable();
        // A version may follow the name.
        let id = clauses
            .next_if(|first| !is_result(first))
            .and_then(|id| id.split_whitespace().next())
            .map(|id| id.trim_matches('"').to_ascii_lowercase());
        let is_above = at < origin.entry;
        let is_listed =
            |id: &String| names(relays, id) || id.parse().is_ok_and(|address| contains(relays, address));
        let is_own = is_above && id.as_ref().is_none_or(is_listed);
        let relay = if is_above {
            id.or_else(|| entry_below(trace, at))
        } else {
            id.filter(|id| !above && is_listed(id))
        };
        let Some(relay) = relay.filter(|_| at < origin.trusted) else {
            others += 1;
            continue;
        };
        let said: Vec<&'static str> = found.iter().map(|one| one.method).collect();
        let fresh = |one: &AuthenticationResult| is_above || !said.contains(&one.method);
        let wanted = MAX_RESULTS - found.len().min(MAX_RESULTS);
        let results = clauses.filter_map(|clause| result(clause, &relay));
        let results: Vec<_> = results.filter(fresh).take(wanted).collect();
        // What a filter writes that found nothing of this kind does not stand for the relay.
        above |= is_own || (is_above && !results.is_empty());
        found.extend(results);
    }
    (found, others)
}

/// Tells whether these results vouch for senders: for each of them, something passed for a name of its registrable domain.
/// A DMARC result that names no domain is about the header From; it vouches where all senders are of one domain.
pub(super) fn vouch(results: &[AuthenticationResult], senders: &[Indicator]) -> bool {
    let mut domains: Vec<_> = senders.iter().map(Indicator::registrable).collect();
    domains.sort();
    domains.dedup();
    let is_one = domains.len() == 1;
    let passed = || results.iter().filter(|one| one.result == "pass");
    let is_right = |own: &Option<Indicator>| {
        passed().any(|one| match &one.domain {
            Some(name) => {
                let named = Indicator::name(name).ok();
                own.is_some() && named.and_then(|name| name.registrable()) == *own
            }
            None => one.method == "dmarc" && is_one,
        })
    };
    !domains.is_empty() && domains.iter().all(is_right)
}

/// Tells whether DMARC failed, as a trusted relay found.
pub(super) fn is_refused(results: &[AuthenticationResult]) -> bool {
    results
        .iter()
        .any(|one| one.method == "dmarc" && one.result == "fail")
}

/// Returns the name of the relay that wrote the next Received header below: it wrote what stands above, too.
fn entry_below(trace: &[Trace], at: usize) -> Option<String> {
    trace.iter().skip(at).find_map(|line| match line {
        Trace::Received(hop) => {
            let address = hop.by_address.map(|address| address.to_string());
            hop.by_name
                .as_ref()
                .map(|name| name.to_ascii_lowercase())
                .or(address)
        }
        Trace::Results(_) => None,
    })
}

/// Tells a result from the name of who found it, which has no equals sign.
fn is_result(clause: &str) -> bool {
    clause.contains('=')
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
    let mut is_quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let _ = chars.next();
            }
            '"' => is_quoted = !is_quoted,
            '(' if !is_quoted => match comment(chars.as_str()) {
                Some((_, after)) => chars = after.chars(),
                None => break,
            },
            ')' if !is_quoted => {}
            ';' | '=' if is_quoted => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
