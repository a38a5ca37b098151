//! Reads list files: lines, top lists with ranks, and the JSON of the MISP warning lists.
//!
//! Lists that others publish have odd entries now and then: `a.example....`, an address with a zone, a name in the wrong
//! list. Such an entry is skipped and told. A file of which more than a tenth is odd is another file than it was thought
//! to be, and is refused.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Lists;
use super::index::ListId;
use super::purpose::{Purpose, Shape};
use crate::indicator::{self, HashType, Indicator, IndicatorKind, is_top_level};

/// Is a list in the JSON format of the MISP warning lists; its other members are not needed.
#[derive(Deserialize)]
struct WarningList<'a> {
    name: Option<String>,
    #[serde(rename = "type")]
    form: Option<String>,
    #[serde(borrow)]
    list: Vec<Text<'a>>,
}

/// Is an entry, where it is a text; it is not copied, since there may be a million.
struct Text<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an entry")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Text(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Text(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Text(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Text(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Text(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// The most odd entries that are named.
const MOST_NAMED: usize = 10;
/// One of so many entries may be odd.
const ODD_OF: usize = 10;

/// Tells what was read of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListSummary {
    /// Entries that were added.
    pub entries: usize,
    /// Entries that are odd, and were skipped.
    pub odd: usize,
    /// The first of these: where each stands, and what is wrong with it.
    pub named: Vec<String>,
}

/// Says why an entry was not added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is none.
    Odd(String),
    /// There is no room for more.
    Full(String),
}

impl Fault {
    /// Returns the reason.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Odd(reason) | Self::Full(reason) => reason,
        }
    }
}

/// Counts the entries of a list while it is read.
#[derive(Default)]
struct EntryCounts {
    added: ListSummary,
    /// The line and the reason of the first odd entry.
    first: Option<(usize, String)>,
}

impl EntryCounts {
    /// Counts an entry that stands on a line, or, where lines are not known, has a number.
    fn count(
        &mut self,
        result: Result<(), Fault>,
        line: usize,
        number: Option<usize>,
    ) -> Result<(), (usize, String)> {
        match result {
            Ok(()) => self.added.entries += 1,
            Err(Fault::Full(reason)) => return Err((line, reason)),
            Err(Fault::Odd(reason)) => {
                self.added.odd += 1;
                if self.added.named.len() < MOST_NAMED {
                    let (named, first) = match number {
                        Some(number) => {
                            let named = format!("entry {number}: {reason}");
                            (named.clone(), named)
                        }
                        None => (format!("line {line}: {reason}"), reason),
                    };
                    self.first.get_or_insert((line, first));
                    self.added.named.push(named);
                }
            }
        }
        Ok(())
    }

    /// Refuses a list of which too much is odd.
    fn close(self) -> Result<ListSummary, (usize, String)> {
        let ListSummary { entries, odd, .. } = self.added;
        let all = entries + odd;
        match self.first {
            Some((line, first)) if odd.saturating_mul(ODD_OF) > all => {
                let reason = if all == 1 {
                    first
                } else {
                    format!("{first}; {odd} of {all} entries are odd, which is more than a tenth")
                };
                Err((line, reason))
            }
            _ => Ok(self.added),
        }
    }
}

/// Says how the entries of a warning list are meant, where that is not as everywhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The value itself, as of a top list of hosts.
    String,
    /// A part of a value. In practice a domain of mailboxes, and nothing else is taken.
    Substring,
}

/// Adds a list, and tells what was read. A file of which more than a tenth is odd is refused; the caller drops what was
/// added of it.
pub(super) fn add(
    lists: &mut Lists,
    purpose: Purpose,
    text: &str,
    source: &str,
) -> Result<ListSummary, (usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return add_json(lists, purpose, text, source);
    }
    let list = lists.list(purpose, source).map_err(|reason| (1, reason))?;
    let mut tally = EntryCounts::default();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() || (at == 0 && is_heading(line)) {
            continue;
        }
        let added = entry(lists, list, purpose, None, unranked(line));
        tally.count(added, at + 1, None)?;
    }
    tally.close()
}

fn add_json(
    lists: &mut Lists,
    purpose: Purpose,
    text: &str,
    source: &str,
) -> Result<ListSummary, (usize, String)> {
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
    let mut tally = EntryCounts::default();
    for (at, Text(text)) in read.list.iter().enumerate() {
        let added = match text {
            Some(text) => entry(lists, list, purpose, form, text),
            None => Err(Fault::Odd("expected a text".to_owned())),
        };
        tally.count(added, 1, Some(at + 1))?;
    }
    tally.close()
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
) -> Result<(), Fault> {
    let raw = raw.trim();
    let takes = |shape| purpose.takes(shape) && form != Some(Form::Substring);
    if takes(Shape::Network)
        && let Some(network) = network(raw)
    {
        if network.prefix_len() == 0 {
            return Err(Fault::Odd(format!("{network} would be every address")));
        }
        lists.add_network(network, purpose, list);
        return Ok(());
    }
    if takes(Shape::Email)
        && !raw.starts_with('@')
        && let Ok(email) = Indicator::parse(IndicatorKind::Email, raw)
    {
        // Few who run mail servers tell capitals apart.
        let email = email.value().to_ascii_lowercase();
        return lists.index.add_key(&email, list, true).map_err(Fault::Full);
    }
    if takes(Shape::Hash) && HashType::of(raw).is_some() {
        return lists
            .index
            .add_key(&raw.to_ascii_lowercase(), list, true)
            .map_err(Fault::Full);
    }
    let name = purpose.takes(Shape::Name).then(|| name(purpose, raw)).flatten();
    let Some((name, dotted)) = name else {
        let expected = match form {
            Some(Form::Substring) => "a domain, since parts of values are not searched for",
            _ => purpose.expected(),
        };
        let shown: String = raw.chars().take(80).collect();
        return Err(Fault::Odd(format!("expected {expected}, found \"{shown}\"")));
    };
    let exact = purpose == Purpose::Popular && form == Some(Form::String) && !dotted;
    lists.index.add_key(&name, list, exact).map_err(Fault::Full)
}

/// Reads a network or an address; IPv4 mapped into IPv6 becomes IPv4, as it does where it is looked up.
fn network(raw: &str) -> Option<IpNet> {
    let address = || raw.parse::<IpAddr>().ok();
    indicator::network(raw).or_else(|| Some(IpNet::from(address()?.to_canonical())))
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
