//! Periods of days: unions, windows, and what overlaps. An end that is not known excludes nothing; of what is seen, a
//! beginning that is not known is the last day.

use jiff::Span;
use jiff::civil::Date;

use crate::ask::report::Observation;

/// Holds a period; both days belong to it, and at least one of them is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    first: Date,
    last: Date,
}

impl Period {
    /// Takes a period from its ends; none where neither is known.
    #[must_use]
    pub fn new(first: Option<Date>, last: Option<Date>) -> Option<Self> {
        (first.is_some() || last.is_some()).then(|| Self {
            first: first.unwrap_or(Date::MIN),
            last: last.unwrap_or(Date::MAX),
        })
    }

    /// Takes the period of an observation; none where it has no date. What has a last day alone was seen on that day, and
    /// not on every day before.
    #[must_use]
    pub fn of(observation: &Observation) -> Option<Self> {
        let last = observation.last_seen;
        Self::new(observation.first_seen.or(last), last)
    }

    /// Takes the time around a day.
    #[must_use]
    pub fn around(day: Date, within: Span) -> Self {
        Self {
            first: day.saturating_sub(within),
            last: day.saturating_add(within),
        }
    }

    /// Reads a period as people write it: `2013-03..2013-06`, `2013-05-20..`, `2013`, `within 60 days of 2013-05-20`. A
    /// year or a month means all of its days.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let expected = || {
            format!(
                "{text:?} is no period; expected one like 2013-03..2013-06, 2013-05-20.., 2013, or \"within 60 days of 2013-05-20\""
            )
        };
        if let Some((within, day)) = text.split_once(" of ") {
            let within = within.trim().trim_start_matches("within").trim();
            return Ok(Self::around(parse_day(day)?, parse_span(within)?));
        }
        let (first, last) = match text.split_once("..").or_else(|| text.split_once(" to ")) {
            Some((first, last)) => (first.trim(), last.trim()),
            None => (text, text),
        };
        let end = |text: &str, is_last: bool| {
            let day = || whole(text, is_last).ok_or_else(expected);
            if text.is_empty() {
                Ok(None)
            } else {
                day().map(Some)
            }
        };
        let period = Self::new(end(first, false)?, end(last, true)?).ok_or_else(expected)?;
        if period.first > period.last {
            return Err(format!("{text} ends before it begins"));
        }
        Ok(period)
    }

    /// Returns the first day, if it is known.
    #[must_use]
    pub fn first(&self) -> Option<Date> {
        (self.first != Date::MIN).then_some(self.first)
    }

    /// Returns the last day, if it is known.
    #[must_use]
    pub fn last(&self) -> Option<Date> {
        (self.last != Date::MAX).then_some(self.last)
    }

    /// Tells whether two periods share a day.
    #[must_use]
    pub fn touches(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Tells whether every day of another period belongs to this one.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Returns the days that two periods share.
    #[must_use]
    pub fn common(&self, other: &Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (first <= last).then_some(Self { first, last })
    }

    /// Tells whether no day lies between two periods.
    fn adjoins(&self, later: &Self) -> bool {
        later.first <= self.last.tomorrow().unwrap_or(Date::MAX)
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.first(), self.last()) {
            (Some(first), Some(last)) if first == last => write!(f, "{first}"),
            (first, last) => {
                if let Some(first) = first {
                    write!(f, "{first}")?;
                }
                f.write_str("..")?;
                last.map_or(Ok(()), |last| write!(f, "{last}"))
            }
        }
    }
}

/// Unites periods: those that overlap or adjoin become one. The order in which they come does not matter.
#[must_use]
pub fn union(periods: impl IntoIterator<Item = Period>) -> Vec<Period> {
    let mut all: Vec<Period> = periods.into_iter().collect();
    all.sort_by_key(|period| (period.first, period.last));
    let mut united: Vec<Period> = Vec::new();
    for period in all {
        match united.last_mut() {
            Some(before) if before.adjoins(&period) => before.last = before.last.max(period.last),
            _ => united.push(period),
        }
    }
    united
}

/// Returns the period from the first to the last of all; none where there is none.
#[must_use]
pub fn hull(periods: impl IntoIterator<Item = Period>) -> Option<Period> {
    periods.into_iter().reduce(|all, one| Period {
        first: all.first.min(one.first),
        last: all.last.max(one.last),
    })
}

/// Returns the first and the last day of observations, as far as these are known. A last day alone is no first day.
#[must_use]
pub fn ends<'a>(
    observations: impl IntoIterator<Item = &'a Observation> + Clone,
) -> (Option<Date>, Option<Date>) {
    let has_first = observations
        .clone()
        .into_iter()
        .any(|one| one.first_seen.is_some());
    let all = hull(observations.into_iter().filter_map(Period::of));
    let first = all.and_then(|all| all.first()).filter(|_| has_first);
    (first, all.and_then(|all| all.last()))
}

/// Unites what observations say; those without a date say nothing of time.
#[must_use]
pub fn seen<'a>(observations: impl IntoIterator<Item = &'a Observation>) -> Vec<Period> {
    union(observations.into_iter().filter_map(Period::of))
}

/// Reads a day.
///
/// # Errors
/// What was expected.
pub fn parse_day(text: &str) -> Result<Date, String> {
    let text = text.trim();
    // The parser takes moments, too.
    let day = (text.len() == 10).then(|| text.parse().ok()).flatten();
    day.ok_or_else(|| format!("{text:?} is no day; expected one like 2013-05-20"))
}

/// Reads a length of time: `60d`, `60 days`, `2 months`; a number alone is days.
///
/// # Errors
/// What was expected.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let text = text.trim();
    let days = text.parse::<i64>().ok().map(|days| Span::new().try_days(days));
    let span: Option<Span> = match days {
        Some(days) => days.ok(),
        None => text.parse().ok(),
    };
    span.filter(|span| !span.is_negative())
        .ok_or_else(|| format!("{text:?} is no length of time; expected one like 60d, 8 weeks or 2 months"))
}

/// Returns the first or the last day of a year, a month or a day.
fn whole(text: &str, is_last: bool) -> Option<Date> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let first: Date = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        10 => text.to_owned(),
        _ => return None,
    }
    .parse()
    .ok()
    .filter(|_| is_digits)?;
    Some(match text.len() {
        4 if is_last => first.last_of_year(),
        7 if is_last => first.last_of_month(),
        _ => first,
    })
}
