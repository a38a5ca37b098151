//! Reads the dates that vendors write, in whatever form: the one door for all of them.
//!
//! Days are days of UTC. What vendors write for "none" is none: the first day and the last that their databases know,
//! the start of Unix time, and what lies before it, when there was nothing that a date here could speak of.

use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// The longest text that is read as a date, in octets.
const LONGEST: usize = 128;
/// The year that stands for "never".
const NEVER: i16 = 9999;
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Reads a calendar day of UTC. Known are, in any case of letters and with or without a time behind them, `2013-05-20`,
/// `2013/05/20`, `2013.05.20`, `2013. 05. 20.`, `20130520`, `20-May-2013`, `20 May 2013`, `20.05.2013`, `May 20, 2013`,
/// the forms of RFC 3339, RFC 5322 and of C's `ctime`, and seconds or milliseconds since 1970.
///
/// `05/20/2013` and `20/05/2013` are read where one of the two numbers can be no month.
pub fn day(text: &str) -> Option<Date> {
    let when = ParsedTime::read(text)?;
    match when.instant() {
        Some(instant) => meant(instant).map(|time| zoned(time).date()),
        None => meant_day(when.date),
    }
}

/// Reads a point in time; `None` where the text says no time of day, or not of which zone.
pub fn time(text: &str) -> Option<Timestamp> {
    meant(ParsedTime::read(text)?.instant()?)
}

/// Reads a day that is written `MM/DD/YYYY`.
pub fn month_first(text: &str) -> Option<Date> {
    let mut parts = text.trim().split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    meant_day(date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?)
}

/// Makes a time of seconds since 1970; 0 is none.
pub fn of_seconds(seconds: i64) -> Option<Timestamp> {
    meant(Timestamp::from_second(seconds).ok()?)
}

/// Makes a time of milliseconds since 1970, whose parts of a second say nothing here; 0 is none.
pub fn of_milliseconds(milliseconds: i64) -> Option<Timestamp> {
    of_seconds(milliseconds.div_euclid(1000))
}

/// Returns the start of a day.
pub fn start_of(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn zoned(time: Timestamp) -> Zoned {
    time.to_zoned(TimeZone::UTC)
}

/// Leaves out what stands for no time.
fn meant(time: Timestamp) -> Option<Timestamp> {
    (time > Timestamp::UNIX_EPOCH && zoned(time).year() < NEVER).then_some(time)
}

/// Leaves out what stands for no day.
fn meant_day(day: Date) -> Option<Date> {
    let epoch = zoned(Timestamp::UNIX_EPOCH).date();
    (day > epoch && day.year() < NEVER).then_some(day)
}

/// Is what a text says of a time.
struct ParsedTime {
    date: Date,
    /// The time of day, where one is given.
    time: Option<Time>,
    /// Its zone, where one is given.
    offset: Option<Offset>,
}

impl ParsedTime {
    fn read(text: &str) -> Option<Self> {
        // Registrars' and registries' dates stand beside each other in some records.
        let text = text.split('|').next()?.trim();
        if text.is_empty() || text.len() > LONGEST {
            return None;
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return Self::of_digits(text);
        }
        let (date, rest) = year_first(text)
            .or_else(|| compact(text))
            .or_else(|| day_first(text))
            .or_else(|| month_named_first(text))?;
        let (time, rest) = time_of_day(rest).map_or((None, rest), |(time, rest)| (Some(time), rest));
        Some(Self {
            date,
            time,
            offset: offset(rest),
        })
    }

    fn of_digits(text: &str) -> Option<Self> {
        let number: i64 = text.parse().ok()?;
        let at = match text.len() {
            8 => return compact(text).map(|(date, _)| Self::of_day(date)),
            14 => {
                let (date, rest) = compact(text)?;
                let (time, _) = time_of_day(rest)?;
                return Some(Self {
                    time: Some(time),
                    ..Self::of_day(date)
                });
            }
            9 | 10 => Timestamp::from_second(number),
            13 => Timestamp::from_millisecond(number),
            _ => return None,
        };
        let at = zoned(at.ok()?);
        Some(Self {
            date: at.date(),
            time: Some(at.time()),
            offset: Some(Offset::UTC),
        })
    }

    fn of_day(date: Date) -> Self {
        Self {
            date,
            time: None,
            offset: None,
        }
    }

    /// Returns the point in time, where time of day and zone are known.
    fn instant(&self) -> Option<Timestamp> {
        let at = self.date.to_datetime(self.time?);
        self.offset?.to_timestamp(at).ok()
    }
}

/// Reads `2013-05-20`, `2013/5/20`, `2013. 05. 20.` and the like, and gives what stands behind it.
fn year_first(text: &str) -> Option<(Date, &str)> {
    let (year, 4, rest) = number(text)? else {
        return None;
    };
    let (month, 1..=2, rest) = number(separator(rest)?)? else {
        return None;
    };
    let (day, 1..=2, rest) = number(separator(rest)?)? else {
        return None;
    };
    let rest = rest.strip_prefix(['.', '\u{65e5}']).unwrap_or(rest);
    Some((date(year, month, day)?, rest))
}

/// Reads `20130520`, and gives what stands behind it.
fn compact(text: &str) -> Option<(Date, &str)> {
    let (digits, rest) = text.split_at_checked(8)?;
    let (number, 8, "") = number(digits)? else {
        return None;
    };
    Some((date(number / 10_000, number / 100 % 100, number % 100)?, rest))
}

/// Reads `20-May-2013`, `Mon, 20 May 2013`, `20.05.2013` and the like, and gives what stands behind it.
fn day_first(text: &str) -> Option<(Date, &str)> {
    let text = without_weekday(text);
    let (first, 1..=2, rest) = number(text)? else {
        return None;
    };
    let between = rest;
    let rest = separator(rest)?;
    if let Some((month, rest)) = month_name(rest) {
        let (year, 4, rest) = number(separator(rest)?)? else {
            return None;
        };
        return Some((date(year, month, first)?, rest));
    }
    let (second, 1..=2, rest) = number(rest)? else {
        return None;
    };
    let (year, 4, rest) = number(separator(rest)?)? else {
        return None;
    };
    let (day, month) = match (first, second) {
        // Dots are written between day, month and year only.
        _ if between.starts_with('.') => (first, second),
        (13.., 1..=12) => (first, second),
        (1..=12, 13..) => (second, first),
        _ if first == second => (first, second),
        _ => return None,
    };
    Some((date(year, month, day)?, rest))
}

/// Reads `May 20, 2013` and `Mon May 20 10:00:00 UTC 2013`; of the latter what stands between is given, too.
fn month_named_first(text: &str) -> Option<(Date, &str)> {
    let (month, rest) = month_name(without_weekday(text))?;
    let (day, 1..=2, rest) = number(separator(rest)?)? else {
        return None;
    };
    if let Some((year, 4, rest)) = separator(rest).and_then(number) {
        return Some((date(year, month, day)?, rest));
    }
    let (between, year) = rest.trim_end().rsplit_once(' ')?;
    let (year, 4, "") = number(year)? else { return None };
    Some((date(year, month, day)?, between))
}

fn without_weekday(text: &str) -> &str {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let is_day = |head: &str| DAYS.iter().any(|day| head.eq_ignore_ascii_case(day));
    if !text.get(..3).is_some_and(is_day) {
        return text;
    }
    text.trim_start_matches(|c: char| c.is_ascii_alphabetic())
        .trim_start_matches([',', ' '])
}

/// Reads a month's name, in full or by its first three letters.
fn month_name(text: &str) -> Option<(i32, &str)> {
    let head = text.get(..3)?.to_ascii_lowercase();
    let month = (1..).zip(MONTHS).find(|(_, name)| *name == head)?.0;
    Some((month, text.trim_start_matches(|c: char| c.is_ascii_alphabetic())))
}

/// Reads the digits at the start of a text: their number, how many there are, and what stands behind them.
fn number(text: &str) -> Option<(i32, usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, end, rest))
}

/// Skips what separates the parts of a date: at least one sign of those, and white space.
fn separator(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(['-', '/', '.', ',', ' ', '\u{5e74}', '\u{6708}']);
    (rest.len() < text.len()).then_some(rest)
}

/// Reads `T10:00:00.123`, ` 10:00` and `T100000`, and gives what stands behind it.
fn time_of_day(text: &str) -> Option<(Time, &str)> {
    let text = text.trim_start();
    let text = text.strip_prefix(['T', 't', ',']).unwrap_or(text).trim_start();
    let (first, digits, rest) = number(text)?;
    let (hour, minute, second, rest) = match digits {
        6 => (first / 10_000, first / 100 % 100, first % 100, rest),
        1 | 2 => {
            let (minute, 2, rest) = number(rest.strip_prefix(':')?)? else {
                return None;
            };
            match rest.strip_prefix(':').and_then(number) {
                Some((second, 2, rest)) => (first, minute, second, rest),
                _ => (first, minute, 0, rest),
            }
        }
        _ => return None,
    };
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    // A leap second is the last one of its minute, as everywhere else.
    let part = |number: i32| i8::try_from(number).ok();
    let time = Time::new(part(hour)?, part(minute)?, part(second.min(59))?, 0).ok()?;
    Some((time, rest))
}

/// Reads `Z`, `+02:00`, `-0700`, `+02`, `UTC`, `GMT+8` and the like.
fn offset(text: &str) -> Option<Offset> {
    let text = text.trim_start_matches([' ', '(']);
    let lower = text.to_ascii_lowercase();
    let named = ["utc", "gmt", "z"]
        .iter()
        .find_map(|name| lower.strip_prefix(name));
    let rest = named.unwrap_or(&lower);
    let sign = match rest.chars().next() {
        Some('+') => 1,
        Some('-' | '\u{2212}') => -1,
        _ => return named.map(|_| Offset::UTC),
    };
    let (hours, digits, rest) = number(rest.get(rest.chars().next()?.len_utf8()..)?)?;
    let (hours, minutes) = match digits {
        1 | 2 => match rest.strip_prefix(':').and_then(number) {
            Some((minutes, 2, _)) => (hours, minutes),
            _ => (hours, 0),
        },
        4 => (hours / 100, hours % 100),
        _ => return None,
    };
    (hours <= 14 && minutes < 60)
        .then(|| Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok())
        .flatten()
}

fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    Date::new(i16::try_from(year).ok()?, month, day).ok()
}

#[cfg(test)]
mod tests;
