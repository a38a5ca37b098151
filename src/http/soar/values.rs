//! Reads the values of members as indicators. One that cannot be read is told with why, and costs no other.

use super::shapes::{Item, OneOrMany};
use crate::ask::message::head;
use crate::ask::score::Alert;
use crate::domain::indicator::{ReadIndicator, holds_two};
use crate::domain::{Indicator, IndicatorKind, links};
use crate::reputation::{Ignored, Kind};

/// The most indicators of one alert that are scored.
pub const MOST_INDICATORS: usize = 50;
/// The most values that are told of what could not be read, and of what was too much.
const MOST_TOLD: usize = 50;

/// Is an indicator with its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The part it has in an alert.
    pub role: String,
    /// The indicator.
    pub indicator: Indicator,
    /// What was taken of what was given, where that is not all of it.
    pub note: Option<String>,
}

impl Read {
    fn of(role: &str, indicator: Indicator, note: Option<String>) -> Self {
        Self {
            role: role.to_owned(),
            indicator,
            note: note.map(|note| format!("{role}: {note}")),
        }
    }
}

/// Is what was read of one value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadValue {
    /// The indicators: one, but where the wrapper of a link names several links, or none that can be taken out.
    pub reads: Vec<Read>,
    /// Links that only the vendor of their wrapper can take out of it.
    pub sealed: Vec<Ignored>,
    /// What stands behind a URL and could be part of it, or a value of its own.
    pub remainder: Vec<Ignored>,
}

impl ReadValue {
    /// Returns the one indicator, where nothing else was found.
    ///
    /// # Errors
    /// What was found instead, in plain words.
    pub(super) fn only(self) -> Result<Read, String> {
        if let Some(left) = self.remainder.into_iter().next() {
            return Err(left.reason);
        }
        if let Some(sealed) = self.sealed.into_iter().next() {
            return Err(format!("{}: {}", sealed.value, sealed.reason));
        }
        let mut reads = self.reads.into_iter();
        match (reads.next(), reads.next()) {
            (Some(only), None) => Ok(only),
            (first, second) => {
                let both = first.iter().chain(&second);
                let values: Vec<String> = both.map(|read| shown(read.indicator.value())).collect();
                Err(format!("the wrapper names several links: {}", values.join(", ")))
            }
        }
    }
}

impl From<Read> for ReadValue {
    fn from(read: Read) -> Self {
        unwrapped(&read.role, read.indicator.value(), read.note.as_deref())
            .filter(|_| read.indicator.kind() == IndicatorKind::Url)
            .unwrap_or_else(|| Self {
                reads: vec![read],
                ..Self::default()
            })
    }
}

/// Takes a link out of the wrappers around it; `None` where there are none. A wrapper's own host is popular, and says
/// nothing of where its link leads.
fn unwrapped(role: &str, text: &str, note: Option<&str>) -> Option<ReadValue> {
    let found = links::unwrap(links::web(text)?);
    if !found.is_wrapped && found.sealed.is_empty() {
        return None;
    }
    let mut out = ReadValue::default();
    for wrapper in found.sealed {
        let link = links::shown(wrapper.link, true);
        out.sealed
            .push(Ignored::text(role, &shown(&link), wrapper.reason));
        let hosts = wrapper.hosts.into_iter();
        out.reads.extend(hosts.map(|host| Read::of(role, host, None)));
    }
    for link in found.links {
        let inner = link.as_str().to_owned();
        let Some(indicator) = links::indicator(link, true) else {
            let reason = "what is in a wrapper is no URL that can be asked about";
            out.sealed.push(Ignored::text(role, &shown(&inner), reason));
            continue;
        };
        let taken = format!(
            "{} was taken out of the wrapper {}",
            shown(indicator.value()),
            shown(text)
        );
        if indicator.value() == text {
            out.reads.push(Read::of(role, indicator, note.map(str::to_owned)));
            continue;
        }
        let mut read = Read::of(role, indicator, Some(taken));
        read.note = read.note.map(|taken| match note {
            Some(note) => format!("{note}; {taken}"),
            None => taken,
        });
        out.reads.push(read);
    }
    Some(out)
}

/// Reads a value of a kind, and gives it the role that the kind has.
///
/// # Errors
/// What was expected, in plain words.
pub(super) fn of_kind(kind: Kind, value: &str) -> Result<ReadValue, String> {
    let role = kind.name();
    match kind.take(value) {
        Ok(taken) => Ok(found(role, taken)),
        Err(error) => {
            // A wrapper may be longer than any indicator.
            if let Some(found) = unwrapped(role, value, None).filter(|_| kind == Kind::Url) {
                return Ok(found);
            }
            let expected = match kind {
                Kind::Ip => "an IPv4 or IPv6 address",
                _ => error.expected(),
            };
            Err(format!("{role}: {} is not {expected}", shown(error.given())))
        }
    }
}

/// Reads a value that stands under a kind: as that kind, else as what it clearly is. Of a link that cannot be read nothing is
/// clear: it is one on purpose.
///
/// # Errors
/// What was expected, in plain words.
fn as_meant(kind: Kind, value: &str) -> Result<ReadValue, String> {
    of_kind(kind, value).or_else(|expected| {
        // As a page it would be scored by the first alone.
        if kind != Kind::Url && holds_two(value) {
            return Err(expected);
        }
        let is_scored = |read: &Read| Kind::ALL.iter().any(|kind| kind.name() == read.role);
        let other = guess(value).ok().filter(|_| kind != Kind::Url);
        let Some(mut other) = other.filter(|other| other.reads.iter().all(is_scored)) else {
            return Err(expected);
        };
        for read in &mut other.reads {
            let note = format!(
                "{} was given as {}, and is scored as {}",
                shown(value),
                kind.name(),
                read.role
            );
            read.note = Some(note);
        }
        Ok(other)
    })
}

/// Reads an indicator of any kind with the role that its kind has in an alert.
///
/// # Errors
/// What was expected, in plain words.
pub fn guess(value: &str) -> Result<ReadValue, String> {
    let taken = match Indicator::read(value) {
        Ok(taken) => taken,
        Err(error) => {
            return unwrapped(Kind::Url.name(), value, None)
                .ok_or_else(|| format!("{} is not {}", shown(error.given()), error.expected()));
        }
    };
    let kind = taken.indicator.kind();
    let role = Kind::of(kind).map_or(kind.name(), Kind::name);
    Ok(found(role, taken))
}

/// Makes what was taken of a value what was found, with what may not be lost of it.
fn found(role: &str, taken: ReadIndicator) -> ReadValue {
    let left = taken.remainder.map(|left| {
        let (value, left) = (shown(taken.indicator.value()), shown(&left));
        let reason = format!("{role}: {left} stands behind {value}, and could be part of it or a value");
        unreadable(role, &left, &reason)
    });
    let mut found = ReadValue::from(Read::of(role, taken.indicator, taken.note));
    found.remainder.extend(left);
    found
}

/// Shows a value as it was given: short, and what is invisible visible.
pub(super) fn shown(value: &str) -> String {
    const MOST: usize = 120;
    head(&crate::domain::indicator::visible(value.trim(), MOST))
}

/// Tells a value that could not be read.
pub(crate) fn unreadable(role: &str, given: &str, reason: &str) -> Ignored {
    Ignored::text(role, &shown(given), reason)
}

/// Adds the values of a member to an alert, of a kind or of any. Equal ones count once; what is too much is told, too.
pub(super) fn add(asked: &mut Alert, kind: Option<Kind>, values: &OneOrMany) {
    let role = kind.map_or("indicator", Kind::name);
    let mut more = 0_usize;
    for word in values.absent() {
        let note = format!("{role}: {} stands for no value", shown(word));
        if asked.notes.len() < MOST_TOLD && !asked.notes.contains(&note) {
            asked.notes.push(note);
        }
    }
    let meant = |item: &Item| kind.is_some() || item.word_for_none().is_none();
    for item in values.values(kind).filter(meant) {
        let read = match item.text() {
            Ok(text) => kind
                .map_or_else(|| guess(text), |kind| as_meant(kind, text))
                .map_err(|reason| unreadable(role, text, &reason)),
            // What was not looked at is no matter of reading: it could be the worst.
            Err((word, reason)) if item.is_more() => {
                asked.excess.push(Ignored::text(role, word, &reason));
                continue;
            }
            Err((word, reason)) => Err(unreadable(role, word, &format!("{role}: {reason}"))),
        };
        match read {
            Ok(found) => more += put(asked, found),
            Err(one) if asked.unreadable.contains(&one) => {}
            Err(one) if asked.unreadable.len() < MOST_TOLD => asked.unreadable.push(one),
            Err(_) => more += 1,
        }
    }
    if more > 0 {
        asked
            .notes
            .push(format!("{role}: {more} more values are not listed here"));
    }
}

/// Adds what was read of a value. Counts what there was not even room to name.
pub(crate) fn put(asked: &mut Alert, found: ReadValue) -> usize {
    let mut more = 0;
    for one in found.remainder {
        if asked.unreadable.contains(&one) {
            continue;
        }
        if asked.unreadable.len() < MOST_TOLD {
            asked.unreadable.push(one);
        } else {
            more += 1;
        }
    }
    for one in found.sealed {
        if asked.sealed.contains(&one) {
            continue;
        }
        if asked.sealed.len() < MOST_TOLD {
            asked.sealed.push(one);
        } else {
            more += 1;
        }
    }
    for read in found.reads {
        more += usize::from(!put_one(asked, read));
    }
    more
}

/// Adds an indicator. Tells `false` where there was not even room to name it.
fn put_one(asked: &mut Alert, read: Read) -> bool {
    let Read {
        role,
        indicator,
        note,
    } = read;
    let is_equal = |(known, of): &(String, Indicator)| *known == role && of.folded() == indicator.folded();
    if asked.indicators.iter().any(is_equal) {
        return true;
    }
    let one = (role, indicator);
    if asked.indicators.len() < MOST_INDICATORS {
        asked.notes.extend(note);
        asked.indicators.push(one);
        return true;
    }
    let (role, indicator) = one;
    let reason = format!("an alert has at most {MOST_INDICATORS} indicators");
    let one = Ignored::indicator(&role, &indicator, &reason);
    if asked.excess.contains(&one) {
        return true;
    }
    if asked.excess.len() >= MOST_TOLD {
        return false;
    }
    asked.excess.push(one);
    true
}
