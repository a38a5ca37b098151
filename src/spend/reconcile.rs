//! Compares what a vendor counts in a window with what is counted here.

use serde::{Deserialize, Serialize};

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;
/// Below this, a window of another offset agrees by chance.
const MOST_BY_CHANCE: i64 = 20;

/// Says what the difference between the vendor's count and ours comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftClass {
    /// There is none beyond what is under way.
    Agrees,
    /// The vendor counts more: the key is used elsewhere, too.
    OutsideUse,
    /// The vendor counts less, by no more than the last 24 hours: its count comes late.
    Late,
    /// The vendor counts less: more was charged here than the vendor counts.
    OverCounted,
    /// A window that opens at another hour would agree: `resets` is set wrongly, probably.
    UnknownWindow,
}

impl DriftClass {
    /// Returns the name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::OutsideUse => "outside_use",
            Self::Late => "late",
            Self::OverCounted => "over_counted",
            Self::UnknownWindow => "unknown_window",
        }
    }
}

/// Holds both counts of a window.
#[derive(Debug, Clone, Copy)]
pub struct Counts<'a> {
    /// When the window opened, in seconds.
    pub start: i64,
    /// When the vendor told its count, in seconds.
    pub told_at: i64,
    /// What the vendor counts.
    pub vendor: i64,
    /// The calls that were settled here, each with its time in seconds; from a day before the window on.
    pub ours: &'a [(i64, i64)],
    /// Calls that are under way.
    pub open: i64,
}

impl Counts<'_> {
    fn from(&self, start: i64) -> i64 {
        let until = self
            .ours
            .iter()
            .filter(|(at, _)| (start..=self.told_at).contains(at));
        until.map(|(_, calls)| calls).sum()
    }

    /// Returns what was settled here of the window until the vendor told its count.
    #[must_use]
    pub fn settled(&self) -> i64 {
        self.from(self.start)
    }

    /// Says what the difference comes from.
    #[must_use]
    pub fn class(&self) -> DriftClass {
        let (settled, vendor) = (self.settled(), self.vendor);
        if (settled..=settled.saturating_add(self.open.max(0))).contains(&vendor) {
            return DriftClass::Agrees;
        }
        if vendor > MOST_BY_CHANCE && self.has_other_offset() {
            return DriftClass::UnknownWindow;
        }
        if vendor > settled {
            return DriftClass::OutsideUse;
        }
        let before = settled - self.from(self.start.max(self.told_at - DAY_S));
        if vendor >= before {
            DriftClass::Late
        } else {
            DriftClass::OverCounted
        }
    }

    /// Tells whether a window that opens some hours earlier or later has what the vendor counts.
    fn has_other_offset(&self) -> bool {
        let mut hours = (-23..=23).filter(|hours| *hours != 0);
        hours.any(|hours| self.from(self.start + hours * HOUR_S) == self.vendor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call an hour for three days; the window opened a day ago.
    fn class(vendor: i64, open: i64) -> DriftClass {
        let ours: Vec<_> = (0..72).map(|hour| (hour * HOUR_S + 60, 1)).collect();
        let counts = Counts {
            start: DAY_S,
            told_at: 3 * DAY_S,
            vendor,
            ours: &ours,
            open,
        };
        assert_eq!(counts.settled(), 48);
        counts.class()
    }

    #[test]
    fn a_difference_is_told_by_where_it_comes_from() {
        for (vendor, open, expected) in [
            (48, 0, DriftClass::Agrees),
            (50, 2, DriftClass::Agrees),
            (50, 0, DriftClass::UnknownWindow),
            (40, 0, DriftClass::UnknownWindow),
            (200, 0, DriftClass::OutsideUse),
            (10, 0, DriftClass::OverCounted),
        ] {
            assert_eq!(class(vendor, open), expected, "{vendor} {open}");
        }
        let counts = Counts {
            start: 0,
            told_at: 20 * DAY_S,
            vendor: 5,
            ours: &[(DAY_S, 5), (20 * DAY_S - 7, 4)],
            open: 0,
        };
        assert_eq!(counts.class(), DriftClass::Late);
    }
}
