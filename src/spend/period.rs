//! Reads times as people write them, and divides them into hours, days, weeks and months of a zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::QUARTER_S;

/// Names a length of time that reports divide their range into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// Hours.
    Hour,
    /// Days.
    Day,
    /// Weeks, from Monday.
    Week,
    /// Months.
    Month,
}

impl Bucket {
    /// Lists all of them.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// Returns the name in requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Returns when the one begins that a time in seconds lies in, in seconds.
    #[must_use]
    pub fn start_of(self, at_s: i64, zone: &TimeZone) -> i64 {
        let Ok(at) = Timestamp::from_second(at_s) else {
            return at_s;
        };
        let local = at.to_zoned(zone.clone());
        let start = match self {
            Self::Hour => {
                let into = i64::from(local.minute()) * 60 + i64::from(local.second());
                return at_s - into;
            }
            Self::Day => local.start_of_day(),
            Self::Week => {
                let days = i64::from(local.weekday().to_monday_zero_offset());
                let monday = local.date().checked_sub(days.days());
                monday.and_then(|monday| monday.to_zoned(zone.clone()))
            }
            Self::Month => local.date().first_of_month().to_zoned(zone.clone()),
        };
        start.map_or(at_s, |start| start.timestamp().as_second())
    }
}

/// Is a range of time in seconds since the epoch; its end is not part of it. Both lie on quarters of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Where it begins.
    pub from: i64,
    /// Where it ends.
    pub to: i64,
}

impl Period {
    /// Reads a range of a zone as people write it: each end is a time, a day, a month, `today` or `yesterday`; a day or month as
    /// the end is part of the range. Without a beginning it begins with the month of `now`, without an end it ends behind `now`.
    ///
    /// # Errors
    /// The name of the parameter that cannot be read, and what is expected of it.
    pub fn read(
        from: Option<&str>,
        to: Option<&str>,
        zone: &TimeZone,
        now: Timestamp,
    ) -> Result<Self, (&'static str, String)> {
        let local = now.to_zoned(zone.clone());
        let from = match from {
            Some(text) => bounds(text, &local).map_err(|reason| ("from", reason))?.0,
            None => Bucket::Month.start_of(now.as_second(), zone),
        };
        let to = match to {
            Some(text) => bounds(text, &local).map_err(|reason| ("to", reason))?.1,
            None => now.as_second() + 1,
        };
        let from = from.div_euclid(QUARTER_S) * QUARTER_S;
        let to = to.saturating_add(QUARTER_S - 1).div_euclid(QUARTER_S) * QUARTER_S;
        if from >= to {
            return Err(("to", "a time behind `from` is expected".to_owned()));
        }
        Ok(Self { from, to })
    }

    /// Returns the month of a zone that is written as `2026-11`, `this` or `last`.
    ///
    /// # Errors
    /// What is expected.
    pub fn month(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Self, String> {
        let local = now.to_zoned(zone.clone());
        let first = match text {
            "this" => local.date().first_of_month(),
            "last" => {
                let last = local.date().first_of_month().checked_sub(1.month());
                last.map_err(|error| error.to_string())?
            }
            text => month(text).ok_or("a month such as 2026-11, `this` or `last` is expected")?,
        };
        let (from, to) = span(first, 1.month(), zone)?;
        Ok(Self { from, to })
    }
}

/// Returns the zone of this name.
///
/// # Errors
/// What is expected.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| "the name of a time zone such as Europe/Berlin or UTC is expected".to_owned())
}

fn month(text: &str) -> Option<Date> {
    let is_month = text.len() == 7 && text.as_bytes().get(4) == Some(&b'-');
    format!("{text}-01").parse().ok().filter(|_| is_month)
}

/// Returns where a day, a month or a time begins, and where it ends.
fn bounds(text: &str, now: &Zoned) -> Result<(i64, i64), String> {
    let zone = now.time_zone();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok((at.as_second(), at.as_second()));
    }
    if let Some(first) = month(text) {
        return span(first, 1.month(), zone);
    }
    let day = match text {
        "today" => Some(now.date()),
        "yesterday" => now.date().yesterday().ok(),
        text => text.parse::<Date>().ok().filter(|_| text.len() == 10),
    };
    let expected = "a day (2026-11-30), a month (2026-11), a time (2026-11-30T12:00:00Z), `today` or `yesterday` is expected";
    span(day.ok_or(expected)?, 1.day(), zone)
}

fn span(first: Date, length: jiff::Span, zone: &TimeZone) -> Result<(i64, i64), String> {
    let at = |date: Date| date.to_zoned(zone.clone()).map(|at| at.timestamp().as_second());
    let next = first.checked_add(length);
    let ends = at(first).and_then(|from| Ok((from, at(next?)?)));
    ends.map_err(|error| error.to_string())
}
