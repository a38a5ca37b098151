//! Says when something was so, and how that lies to a window of time.

use jiff::civil::Date;

use super::DateWindow;

/// Holds when something was so, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Period {
    earliest: Option<Date>,
    latest: Option<Date>,
    has_first: bool,
    has_last: bool,
    current: bool,
}

impl Period {
    /// Takes what a record says of its first and its last day, and of whether it still holds.
    pub(super) fn of(first: Option<Date>, last: Option<Date>, current: bool) -> Self {
        Self {
            // A vendor may turn the two around.
            earliest: [first, last].into_iter().flatten().min(),
            latest: first.max(last),
            has_first: first.is_some(),
            has_last: last.is_some(),
            current,
        }
    }

    /// Joins two periods; the order does not matter.
    pub(super) fn join(self, other: Self) -> Self {
        Self {
            earliest: [self.earliest, other.earliest].into_iter().flatten().min(),
            latest: self.latest.max(other.latest),
            has_first: self.has_first || other.has_first,
            has_last: self.has_last || other.has_last,
            current: self.current || other.current,
        }
    }

    /// Returns the first day known.
    pub(super) fn first(&self) -> Option<Date> {
        self.earliest.filter(|_| self.has_first)
    }

    /// Returns the last day known; none while it still holds.
    pub(super) fn last(&self) -> Option<Date> {
        self.latest.filter(|_| self.has_last && !self.current)
    }

    /// Tells whether it still holds.
    pub(super) fn is_current(&self) -> bool {
        self.current
    }

    /// Tells whether nothing is known of when it was so.
    pub(super) fn is_undated(&self) -> bool {
        !self.has_first && !self.has_last && !self.current
    }

    /// Tells whether it touches the window. A unknown bound excludes nothing.
    pub(super) fn touches(&self, window: &DateWindow) -> bool {
        let ends_before = |since: Date| self.has_last && !self.current && self.latest < Some(since);
        let begins_after = |until: Date| self.has_first && self.earliest > Some(until);
        !window.since.is_some_and(ends_before) && !window.until.is_some_and(begins_after)
    }

    /// Counts the days between a day and the nearest day of it; the most where no day is known.
    pub(super) fn distance(&self, near: Date) -> u32 {
        let days = |from: Date, to: Date| {
            from.until(to)
                .map_or(u32::MAX - 1, |span| span.get_days().unsigned_abs())
        };
        match (self.earliest, self.latest) {
            (Some(earliest), _) if near < earliest => days(near, earliest),
            (_, Some(latest)) if near > latest && !self.current => days(latest, near),
            (None, None) if !self.current => u32::MAX,
            _ => 0,
        }
    }

    /// Counts the days between a day and the farthest day of it; the most where an end is not known.
    pub(super) fn reach(&self, near: Date) -> u32 {
        let days = |end: Date| {
            near.until(end)
                .map_or(u32::MAX, |span| span.get_days().unsigned_abs())
        };
        match (self.earliest, self.latest) {
            (Some(earliest), Some(latest)) if !self.current => days(earliest).max(days(latest)),
            _ => u32::MAX,
        }
    }

    pub(super) fn newest(&self) -> Option<Date> {
        if self.current {
            Some(Date::MAX)
        } else {
            self.latest
        }
    }
}
