//! Finds the calendar window that a moment belongs to, in the provider's own time zone.

use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan, Zoned};

use super::known_time::Moment;
use crate::config::settings::{BudgetWindow, Resets};

/// Bounds a window of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Names it in ledger rows: the kind and its local start, for example `month 2026-11-15T00:00:00`.
    pub id: String,
    /// When it opened; `None` for a budget that never resets.
    pub start: Option<Timestamp>,
    /// When the next one opens; `None` for a budget that never resets.
    pub next: Option<Timestamp>,
}

/// Returns the window of `kind` that `now` belongs to.
#[must_use]
pub fn window(kind: BudgetWindow, resets: &Resets, now: Timestamp) -> Window {
    let local = now.to_zoned(resets.zone.clone());
    let (name, start, next) = match kind {
        BudgetWindow::Total => {
            return Window {
                id: "total".to_owned(),
                start: None,
                next: None,
            };
        }
        BudgetWindow::Hour => {
            let start = local.datetime().date().at(local.hour(), 0, 0, 0);
            ("hour", start, start.checked_add(1.hour()))
        }
        BudgetWindow::Day => {
            let start = at_or_before(&local, local.date().to_datetime(resets.time), |at| {
                at.checked_sub(1.day())
            });
            ("day", start, start.checked_add(1.day()))
        }
        BudgetWindow::Month => {
            let this = local
                .date()
                .with()
                .day(resets.day)
                .build()
                .unwrap_or_else(|_| local.date().first_of_month());
            let start = at_or_before(&local, this.to_datetime(resets.time), |at| {
                at.checked_sub(1.month())
            });
            ("month", start, start.checked_add(1.month()))
        }
    };
    let in_zone = |at: DateTime| Some(at.to_zoned(resets.zone.clone()).ok()?.timestamp());
    Window {
        id: format!("{name} {start}"),
        start: in_zone(start),
        next: next.ok().and_then(in_zone),
    }
}

/// Returns the windows of a kind that a moment belongs to: one, or two where the clock is not believed.
pub(super) fn windows(kind: BudgetWindow, resets: &Resets, moment: Moment) -> Vec<Window> {
    let mut all: Vec<Window> = Vec::with_capacity(1);
    for time in moment.times() {
        let found = window(kind, resets, time);
        if !all.contains(&found) {
            all.push(found);
        }
    }
    all
}

fn at_or_before(
    local: &Zoned,
    start: DateTime,
    step: impl FnOnce(DateTime) -> Result<DateTime, jiff::Error>,
) -> DateTime {
    if start > local.datetime() {
        step(start).unwrap_or(start)
    } else {
        start
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn resets(day: i8, hour: i8, zone: &str) -> Resets {
        Resets {
            day,
            time: jiff::civil::time(hour, 0, 0, 0),
            zone: TimeZone::get(zone).unwrap(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_start_at_the_reset_time_of_the_zone() {
        let utc = resets(1, 0, "UTC");
        let found = window(BudgetWindow::Day, &utc, at("2026-11-21T23:59:59Z"));
        assert_eq!(found.id, "day 2026-11-21T00:00:00");
        assert_eq!(found.next, Some(at("2026-11-22T00:00:00Z")));
        let late = resets(1, 6, "UTC");
        assert_eq!(
            window(BudgetWindow::Day, &late, at("2026-11-21T05:59:59Z")).id,
            "day 2026-11-20T06:00:00"
        );
    }

    #[test]
    fn months_start_on_the_reset_day_and_follow_daylight_saving() {
        let new_york = resets(15, 0, "America/New_York");
        let before = window(BudgetWindow::Month, &new_york, at("2026-03-15T03:59:59Z"));
        assert_eq!(before.id, "month 2026-02-15T00:00:00");
        assert_eq!(before.next, Some(at("2026-03-15T04:00:00Z")));
        assert_eq!(
            window(BudgetWindow::Month, &new_york, at("2026-03-15T04:00:00Z")).id,
            "month 2026-03-15T00:00:00"
        );
    }

    #[test]
    fn hours_and_totals() {
        let utc = resets(1, 0, "UTC");
        assert_eq!(
            window(BudgetWindow::Hour, &utc, at("2026-11-21T10:59:59Z")).id,
            "hour 2026-11-21T10:00:00"
        );
        assert_eq!(
            window(BudgetWindow::Total, &utc, at("2026-11-21T10:59:59Z")).next,
            None
        );
    }
}
