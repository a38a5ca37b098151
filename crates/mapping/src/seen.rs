//! Says when a provider saw an entity: the periods of its records, where one ends before the next begins.

use jiff::civil::Date;

use super::period::Period;

/// Is one period: its first and its last day, as far as they are known.
pub(super) type Days = (Option<Date>, Option<Date>);

/// Unites the periods of one provider's records. Those without a date say nothing beside others; where none has a date,
/// one period without days is left.
pub(super) fn periods(all: impl Iterator<Item = Period>) -> Vec<Days> {
    let mut dated: Vec<Days> = Vec::new();
    let mut is_still_so = false;
    for period in all {
        match (period.first(), period.last()) {
            (None, None) => is_still_so |= period.is_current(),
            days => dated.push(days),
        }
    }
    dated.sort_unstable();
    let mut united: Vec<Days> = Vec::with_capacity(1);
    for (first, last) in dated {
        match united.last_mut() {
            Some(before) if continues(*before, first) => {
                before.1 = before.1.zip(last).map(|(one, other)| one.max(other));
            }
            Some(before) if *before == (first, last) => {}
            _ => united.push((first, last)),
        }
    }
    match united.last_mut() {
        None => united.push((None, None)),
        Some((_, last)) if is_still_so => *last = None,
        Some(_) => {}
    }
    united
}

/// Tells whether no day lies between a period whose beginning is known and a later one.
fn continues(before: Days, first: Option<Date>) -> bool {
    let (Some(_), Some(first)) = (before.0, first) else {
        return false;
    };
    before
        .1
        .is_none_or(|last| first <= last.tomorrow().unwrap_or(Date::MAX))
}
