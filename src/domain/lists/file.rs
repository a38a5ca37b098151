//! Reads list files: lines, top lists with ranks, and the JSON of the MISP warning lists.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

use super::Lists;
use super::index::ListId;
use super::purpose::{Purpose, Shape};
use crate::domain::indicator::{HashType, Indicator, IndicatorKind, to_unicode};

/// Is a list in the JSON format of the MISP warning lists; its other members are not needed.
#[derive(Deserialize)]
struct WarningList<'a> {
    name: Option<String>,
    #[serde(rename = "type")]
    form: Option<String>,
    #[serde(borrow)]
    list: Vec<Text<'a>>,
}

/// Is an entry; it is not copied, since there may be a million.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Says how the entries of a warning list are meant, where that is not as everywhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The value itself, as of a top list of hosts.
    String,
    /// A part of a value. In practice a domain of mailboxes, and nothing else is taken.
    Substring,
}

/// Adds a list, and gives the number of its entries.
pub(super) fn add(
    lists: &mut Lists,
    purpose: Purpose,
    text: &str,
    source: &str,
) -> Result<usize, (usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return add_json(lists, purpose, text, source);
    }
    let list = lists.list(purpose, source).map_err(|reason| (1, reason))?;
    let mut count = 0;
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() || (at == 0 && is_heading(line)) {
            continue;
        }
        entry(lists, list, purpose, None, unranked(line)).map_err(|reason| (at + 1, reason))?;
        count += 1;
    }
    Ok(count)
}

fn add_json(lists: &mut Lists, purpose: Purpose, text: &str, source: &str) -> Result<usize, (usize, String)> {
    let read: WarningList<'_> =
        serde_json::from_str(text).map_err(|error| (error.line(), error.to_string()))?;
    let form = match read.form.as_deref() {
        None | Some("hostname" | "cidr") => None,
        Some("string") => Some(Form::String),
        Some("substring") => Some(Form::Substring),
        Some("regex") => {
            let reason = "patterns are not read; write the domains as a list of type hostname, the networks as one of \
                          type cidr";
            return Err((1, format!("type regex: {reason}")));
        }
        Some(other) => {
            let shown: String = other.chars().take(80).collect();
            return Err((
                1,
                format!("type \"{shown}\": expected string, hostname, cidr or substring"),
            ));
        }
    };
    let name = read.name.as_deref().unwrap_or(source);
    let list = lists.list(purpose, name).map_err(|reason| (1, reason))?;
    for (at, Text(text)) in read.list.iter().enumerate() {
        entry(lists, list, purpose, form, text)
            .map_err(|reason| (1, format!("entry {}: {reason}", at + 1)))?;
    }
    Ok(read.list.len())
}

/// Tells the first line of a table with ranks.
fn is_heading(line: &str) -> bool {
    line.split_once(',')
        .is_some_and(|(first, _)| first.trim_matches('"').eq_ignore_ascii_case("rank"))
}

/// Cuts the second column out of a line of a top list, `rank,name`; any other line is an entry as it stands.
fn unranked(line: &str) -> &str {
    let Some((rank, rest)) = line.split_once(',') else {
        return line;
    };
    let rank = rank.trim().trim_matches('"');
    if rank.is_empty() || !rank.bytes().all(|b| b.is_ascii_digit()) {
        return line;
    }
    let name = rest.split(',').next().unwrap_or_default();
    name.trim().trim_matches('"')
}

/// Reads one entry and adds it.
pub(super) fn entry(
    lists: &mut Lists,
    list: ListId,
    purpose: Purpose,
    form: Option<Form>,
    raw: &str,
) -> Result<(), String> {
    let raw = raw.trim();
    let takes = |shape| purpose.takes(shape) && form != Some(Form::Substring);
    if takes(Shape::Network)
        && let Some(network) = network(raw)
    {
        if network.prefix_len() == 0 {
            return Err(format!("{network} would be every address"));
        }
        lists.index.add_network(network, list);
        return Ok(());
    }
    if takes(Shape::Email)
        && !raw.starts_with('@')
        && let Ok(email) = Indicator::parse(IndicatorKind::Email, raw)
    {
        // Few who run mail servers tell capitals apart.
        let email = email.value().to_ascii_lowercase();
        return lists.index.add_key(&email, list, true);
    }
    if takes(Shape::Hash) && HashType::of(raw).is_some() {
        return lists.index.add_key(&raw.to_ascii_lowercase(), list, true);
    }
    let name = purpose.takes(Shape::Name).then(|| name(purpose, raw)).flatten();
    let Some((name, dotted)) = name else {
        let expected = match form {
            Some(Form::Substring) => "a domain, since parts of values are not searched for",
            _ => purpose.expected(),
        };
        let shown: String = raw.chars().take(80).collect();
        return Err(format!("expected {expected}, found \"{shown}\""));
    };
    let exact = purpose == Purpose::Popular && form == Some(Form::String) && !dotted;
    lists.index.add_key(&name, list, exact)
}

/// Reads a network or an address; IPv4 mapped into IPv6 becomes IPv4, as it does where it is looked up.
fn network(raw: &str) -> Option<IpNet> {
    /// The bits before the IPv4 address.
    const BEFORE: u8 = 96;
    let Ok(network) = raw.parse::<IpNet>() else {
        let address = raw.parse::<IpAddr>().ok()?;
        return Some(IpNet::from(address.to_canonical()));
    };
    match (
        network.addr().to_canonical(),
        network.prefix_len().checked_sub(BEFORE),
    ) {
        (address @ IpAddr::V4(_), Some(length)) if network.addr().is_ipv6() => {
            IpNet::new(address, length).ok()
        }
        _ => Some(network),
    }
}

/// Returns a canonical name, and whether it was said that what is below is meant.
fn name(purpose: Purpose, raw: &str) -> Option<(String, bool)> {
    let bare = raw
        .trim_start_matches('@')
        .trim_start_matches('*')
        .trim_start_matches('.');
    let dotted = raw.starts_with(['*', '.']);
    if let Ok(name) = Indicator::parse(IndicatorKind::Hostname, bare) {
        return Some((name.value().to_owned(), dotted));
    }
    // A single label may be a suffix of one's own network. One of a registry is more likely to be a slip.
    let below = format!("x.{bare}");
    let parsed = Indicator::parse(IndicatorKind::Hostname, &below).ok()?;
    let label = parsed.value().strip_prefix("x.")?;
    let means_it = match purpose {
        Purpose::Own | Purpose::Trusted => dotted || !is_top_level(label),
        Purpose::Popular | Purpose::Reserved | Purpose::Anonymizer => true,
        _ => false,
    };
    means_it.then(|| (label.to_owned(), dotted))
}

/// Tells a top-level domain that the suffix list knows.
fn is_top_level(label: &str) -> bool {
    psl::suffix(to_unicode(label).as_bytes()).is_some_and(|suffix| suffix.is_known())
}
