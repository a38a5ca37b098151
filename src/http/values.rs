//! Reads the values of members as indicators. One that cannot be read is told with why, and costs no other.

use super::shapes::{Item, OneOrMany};
use crate::ask::message::head;
use crate::ask::score::Alert;
use crate::domain::Indicator;
use crate::reputation::{Ignored, Kind};

/// The most indicators of one alert that are scored.
pub(super) const MOST_INDICATORS: usize = 50;
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

/// Reads a value of a kind, and gives it the role that the kind has.
///
/// # Errors
/// What was expected, in plain words.
pub(super) fn of_kind(kind: Kind, value: &str) -> Result<Read, String> {
    let role = kind.name();
    match kind.take(value) {
        Ok(taken) => Ok(Read::of(role, taken.indicator, taken.note)),
        Err(error) => {
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
fn as_meant(kind: Kind, value: &str) -> Result<Read, String> {
    of_kind(kind, value).or_else(|expected| {
        let other = guess(value).ok().filter(|_| kind != Kind::Url);
        let other = other.filter(|other| Kind::ALL.iter().any(|kind| kind.name() == other.role));
        let Some(Read { role, indicator, .. }) = other else {
            return Err(expected);
        };
        let note = format!(
            "{} was given as {}, and is scored as {role}",
            shown(value),
            kind.name()
        );
        Ok(Read {
            role,
            indicator,
            note: Some(note),
        })
    })
}

/// Reads an indicator of any kind with the role that its kind has in an alert.
///
/// # Errors
/// What was expected, in plain words.
pub fn guess(value: &str) -> Result<Read, String> {
    let taken = Indicator::read(value)
        .map_err(|error| format!("{} is not {}", shown(error.given()), error.expected()))?;
    let kind = taken.indicator.kind();
    let role = Kind::of(kind).map_or(kind.name(), Kind::name);
    Ok(Read::of(role, taken.indicator, taken.note))
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

/// Adds the values of a member to an alert. Equal ones count once; what is too much is told, too.
pub(super) fn add(asked: &mut Alert, kind: Kind, values: &OneOrMany) {
    let mut more = 0_usize;
    for item in values.values(Some(kind)) {
        let role = kind.name();
        let read = match item.text() {
            Ok(text) => as_meant(kind, text).map_err(|reason| unreadable(role, text, &reason)),
            // What was not looked at is no matter of reading: it could be the worst.
            Err((word, reason)) if item == Item::More => {
                asked.excess.push(Ignored::text(role, word, &reason));
                continue;
            }
            Err((word, reason)) => Err(unreadable(role, word, &format!("{role}: {reason}"))),
        };
        match read {
            Ok(read) => more += usize::from(!put(asked, read)),
            Err(one) if asked.unreadable.contains(&one) => {}
            Err(one) if asked.unreadable.len() < MOST_TOLD => asked.unreadable.push(one),
            Err(_) => more += 1,
        }
    }
    if more > 0 {
        asked
            .notes
            .push(format!("{}: {more} more values are not listed here", kind.name()));
    }
}

/// Adds an indicator that was read. Tells `false` where there was not even room to name it.
pub(crate) fn put(asked: &mut Alert, read: Read) -> bool {
    let Read {
        role,
        indicator,
        note,
    } = read;
    let one = (role, indicator);
    if asked.indicators.contains(&one) {
        return true;
    }
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
