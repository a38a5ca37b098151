//! The values of transform settings, from the forms they have on the v2 wire.
//!
//! Every function takes the raw value, ignores blanks around it, and answers `None` for a blank one, since clients
//! send the empty fields of their form too. Errors say what was expected and never repeat the value.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Names the type of a setting.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum SettingKind {
    /// Any text, inner blanks kept.
    Text,
    /// A whole number, 64 bits.
    Int,
    /// A finite floating-point number.
    Double,
    /// `true` or `false`.
    Boolean,
    /// A calendar date.
    Date,
    /// A moment.
    DateTime,
    /// Two moments.
    DateRange,
}

impl SettingKind {
    /// Returns its name on the wire, which is the same in all protocols.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "int",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::DateRange => "daterange",
        }
    }
}

/// Holds a moment range; the ends may be equal and both belong to it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DateRange {
    /// The earlier end.
    pub start: Timestamp,
    /// The later end.
    pub end: Timestamp,
}

/// Holds the value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingValue {
    /// Of [`SettingKind::Text`].
    Text(String),
    /// Of [`SettingKind::Int`].
    Int(i64),
    /// Of [`SettingKind::Double`].
    Double(f64),
    /// Of [`SettingKind::Boolean`].
    Boolean(bool),
    /// Of [`SettingKind::Date`].
    Date(Date),
    /// Of [`SettingKind::DateTime`].
    DateTime(Timestamp),
    /// Of [`SettingKind::DateRange`].
    DateRange(DateRange),
}

/// Says what a setting's value should have been.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected {expected}")]
pub struct SettingError {
    /// The expected form, with an example: "a date like 2013-05-20".
    pub expected: &'static str,
}

/// A value, nothing, or what was expected.
pub type Parsed<T> = Result<Option<T>, SettingError>;

/// Parses a value of any kind.
///
/// # Errors
/// [`SettingError`] if the value is neither blank nor of this kind.
pub fn parse(kind: SettingKind, raw: &str) -> Parsed<SettingValue> {
    Ok(match kind {
        SettingKind::Text => text(raw).map(|value| SettingValue::Text(value.to_owned())),
        SettingKind::Int => integer(raw)?.map(SettingValue::Int),
        SettingKind::Double => double(raw)?.map(SettingValue::Double),
        SettingKind::Boolean => boolean(raw)?.map(SettingValue::Boolean),
        SettingKind::Date => date(raw)?.map(SettingValue::Date),
        SettingKind::DateTime => date_time(raw)?.map(SettingValue::DateTime),
        SettingKind::DateRange => date_range(raw)?.map(SettingValue::DateRange),
    })
}

/// Trims a text.
#[must_use]
pub fn text(raw: &str) -> Option<&str> {
    Some(raw.trim()).filter(|value| !value.is_empty())
}

fn parsed<'a, T>(raw: &'a str, expected: &'static str, by: impl FnOnce(&'a str) -> Option<T>) -> Parsed<T> {
    text(raw)
        .map(|value| by(value).ok_or(SettingError { expected }))
        .transpose()
}

/// Parses a whole number.
///
/// # Errors
/// [`SettingError`] for anything else, also for a number beyond 64 bits.
pub fn integer(raw: &str) -> Parsed<i64> {
    parsed(raw, "a whole number like 111", |value| value.parse().ok())
}

/// Parses a finite number.
///
/// # Errors
/// [`SettingError`] for anything else.
pub fn double(raw: &str) -> Parsed<f64> {
    parsed(raw, "a number like 123.321", |value| {
        value.parse().ok().filter(|number: &f64| number.is_finite())
    })
}

/// Parses `true` or `false` in any case; `1`, `0`, `yes` and `no` pass too, as people type them.
///
/// # Errors
/// [`SettingError`] for anything else.
pub fn boolean(raw: &str) -> Parsed<bool> {
    parsed(raw, "true or false", |value| {
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    })
}

/// Tells whether a property says that something is so: by a yes, or by any words but a no.
#[must_use]
pub fn is_said(value: &str) -> bool {
    boolean(value).map_or(true, Option::unwrap_or_default)
}

/// Parses a date, `2013-05-20`. Of a value with a time it takes the date as written, whatever the offset.
///
/// # Errors
/// [`SettingError`] for anything else.
pub fn date(raw: &str) -> Parsed<Date> {
    parsed(raw, "a date like 2013-05-20", |value| {
        strict_date(value).or_else(|| split_moment(value).map(|(written, _)| written.date()))
    })
}

/// Parses a moment: `2023-02-11 12:47:51.584 +0100` as the client writes it, or any ISO 8601 form. Without an
/// offset it is UTC, without a time it is midnight.
///
/// # Errors
/// [`SettingError`] for anything else, also for a moment outside the years -9999 to 9999.
pub fn date_time(raw: &str) -> Parsed<Timestamp> {
    parsed(raw, "a date and time like 2013-05-20 12:47:51.584 +0100", moment)
}

/// Parses a range: `<start>-<end>` in seconds since 1970 with milliseconds, `1686703386.087-1686746586.087`, where
/// the client leaves out a zero before the point. Dates or moments with `..` or `/` between them pass too; a date
/// at the end reaches to the last nanosecond of its day.
///
/// # Errors
/// [`SettingError`] for anything else, also if the end lies before the start.
pub fn date_range(raw: &str) -> Parsed<DateRange> {
    parsed(raw, "a range of dates like 2013-01-01..2013-12-31", |value| {
        let range = match value.split_once("..").or_else(|| value.split_once('/')) {
            Some((start, end)) => DateRange {
                start: moment(start.trim())?,
                end: last_moment(end.trim())?,
            },
            None => epoch_range(value)?,
        };
        (range.start <= range.end).then_some(range)
    })
}

/// Parses exactly `YYYY-MM-DD`: the parser behind it would take a time zone and more.
fn strict_date(value: &str) -> Option<Date> {
    let shaped = value.len() == 10
        && value.bytes().enumerate().all(|(at, b)| {
            if at == 4 || at == 7 {
                b == b'-'
            } else {
                b.is_ascii_digit()
            }
        });
    if shaped { value.parse().ok() } else { None }
}

fn moment(value: &str) -> Option<Timestamp> {
    if let Some(day) = strict_date(value) {
        return midnight(day);
    }
    let (written, offset) = split_moment(value)?;
    offset.to_timestamp(written).ok()
}

fn last_moment(value: &str) -> Option<Timestamp> {
    match strict_date(value) {
        Some(day) => midnight(day.tomorrow().ok()?)?
            .checked_sub(SignedDuration::from_nanos(1))
            .ok(),
        None => moment(value),
    }
}

fn midnight(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Splits `date time offset` into the time as written and the offset; UTC without one.
fn split_moment(value: &str) -> Option<(DateTime, Offset)> {
    let (day, rest) = value.split_at_checked(10)?;
    let day = strict_date(day)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?.trim();
    let zone_at = rest.find(['+', '-', 'Z', 'z', ' ']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(zone_at)?;
    let time = time.trim().parse::<jiff::civil::Time>().ok()?;
    Some((day.to_datetime(time), offset(zone.trim())?))
}

fn offset(zone: &str) -> Option<Offset> {
    if matches!(zone, "" | "Z" | "z" | "UTC" | "GMT") {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits
        .get(2..)
        .filter(|rest| !rest.is_empty())
        .map_or(Ok(0), str::parse)
        .ok()?;
    if minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn epoch_range(value: &str) -> Option<DateRange> {
    // A leading minus belongs to the number: the range may start before 1970.
    let at = value
        .char_indices()
        .skip(1)
        .find(|(_, c)| *c == '-')
        .map(|(at, _)| at)?;
    let (start, end) = value.split_at_checked(at)?;
    Some(DateRange {
        start: epoch(start.trim())?,
        end: epoch(end.strip_prefix('-')?.trim())?,
    })
}

fn epoch(value: &str) -> Option<Timestamp> {
    let (negative, value) = match value.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let (seconds, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (seconds.is_empty() && fraction.is_empty()) || !digits(seconds) || !digits(fraction) {
        return None;
    }
    let seconds: i64 = if seconds.is_empty() {
        0
    } else {
        seconds.parse().ok()?
    };
    let nanos: i32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let (seconds, nanos) = if negative {
        (-seconds, -nanos)
    } else {
        (seconds, nanos)
    };
    Timestamp::new(seconds, nanos).ok()
}
