//! Says how many independent sources tell of one entity, and of which days all of them do.
//!
//! Providers of one family resell one collection and count once. Compared are sources that name a period: from the first to the last
//! day that they name, or to the day on which they were asked where they say that something still holds. A source that names one
//! day says nothing of others, so it neither agrees on a period nor speaks against one.

use jiff::civil::Date;

use super::period::Period;

/// So many periods are written; the number of others stands behind them.
const WRITTEN: usize = 3;

/// Is one period, both days belonging to it.
type Days = (Date, Date);

/// Is what one answer says of when something was so.
pub(super) struct Testimony<'a> {
    /// The family of the provider.
    pub(super) family: &'a str,
    /// What it says.
    pub(super) period: Period,
    /// The day on which it was asked.
    pub(super) asked_on: Date,
}

/// Says that several independent sources tell of one entity.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Agreement {
    /// How many there are: two or more.
    pub(super) sources: usize,
    /// How many of them name periods.
    dated: usize,
    /// The periods of which all of these tell; none where there are fewer than two.
    common: Option<Vec<Days>>,
}

impl Agreement {
    /// Compares what is said; `None` where it comes from one source.
    pub(super) fn of<'a>(testimonies: impl Iterator<Item = Testimony<'a>>) -> Option<Self> {
        let mut families: Vec<(&str, Vec<Days>)> = Vec::new();
        for one in testimonies {
            let at = families.iter().position(|(known, _)| *known == one.family);
            let at = at.unwrap_or_else(|| {
                families.push((one.family, Vec::new()));
                families.len() - 1
            });
            if let (Some((_, days)), Some(known)) = (families.get_mut(at), days(&one)) {
                days.push(known);
            }
        }
        if families.len() < 2 {
            return None;
        }
        let sources = families.len();
        let mut dated = families
            .into_iter()
            .map(|(_, days)| days)
            .filter(|days| !days.is_empty())
            .map(united);
        let first = dated.next();
        let rest: Vec<_> = dated.collect();
        let dated = usize::from(first.is_some()) + rest.len();
        let common = first
            .filter(|_| !rest.is_empty())
            .map(|first| rest.iter().fold(first, |common, days| shared(&common, days)));
        Some(Self {
            sources,
            dated,
            common,
        })
    }

    /// Writes the periods on which sources agree; `None` where fewer than two name any.
    pub(super) fn common_text(&self) -> Option<String> {
        let common = self.common.as_ref()?;
        if common.is_empty() {
            return Some("no day in common".to_owned());
        }
        let periods = common.iter().take(WRITTEN).map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first} to {last}")
            }
        });
        let mut text = periods.collect::<Vec<_>>().join(", ");
        if let Some(more) = common.len().checked_sub(WRITTEN).filter(|more| *more > 0) {
            text.push_str(&format!(" and {more} more"));
        }
        Some(text)
    }

    /// Writes it for the label of a link.
    pub(super) fn label(&self) -> String {
        let Self { sources, dated, .. } = self;
        let Some(text) = self.common_text() else {
            return format!("{sources} sources");
        };
        let is_all = dated == sources;
        let agrees = self.common.as_ref().is_some_and(|common| !common.is_empty());
        match (agrees, is_all) {
            (true, true) => format!("{sources} sources agree on {text}"),
            (true, false) => format!("{sources} sources, {dated} of them agree on {text}"),
            (false, true) => format!("{sources} sources, {text}"),
            (false, false) => format!("{sources} sources, {dated} of them with {text}"),
        }
    }
}

/// Returns the period that a source names.
fn days(one: &Testimony<'_>) -> Option<Days> {
    let first = one.period.first()?;
    let last = one.period.last();
    let last = last.or(one.period.is_current().then_some(one.asked_on))?;
    Some((first.min(last), first.max(last)))
}

/// Sorts periods and joins those between which no day lies.
fn united(mut all: Vec<Days>) -> Vec<Days> {
    all.sort_unstable();
    let mut united: Vec<Days> = Vec::with_capacity(all.len());
    for (first, last) in all {
        match united.last_mut() {
            Some(before) if first <= before.1.tomorrow().unwrap_or(Date::MAX) => {
                before.1 = before.1.max(last);
            }
            _ => united.push((first, last)),
        }
    }
    united
}

/// Returns the days that stand in both of two sorted lists.
fn shared(one: &[Days], other: &[Days]) -> Vec<Days> {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut shared = Vec::new();
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        let days = (a.0.max(b.0), a.1.min(b.1));
        if days.0 <= days.1 {
            shared.push(days);
        }
        if a.1 < b.1 {
            one.next();
        } else {
            other.next();
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Option<Date> {
        (!text.is_empty()).then(|| text.parse().unwrap())
    }

    fn said<'a>(family: &'a str, first: &str, last: &str, is_current: bool) -> Testimony<'a> {
        Testimony {
            family,
            period: Period::of(day(first), day(last), is_current),
            asked_on: day("2026-11-30").unwrap(),
        }
    }

    fn label(all: Vec<Testimony<'_>>) -> Option<String> {
        Agreement::of(all.into_iter()).map(|found| found.label())
    }

    #[test]
    fn independent_sources_are_counted_and_the_days_that_all_name_are_told() {
        for (all, expected) in [
            (vec![said("a", "2013-01-01", "2013-02-01", false)], None),
            (
                vec![
                    said("a", "2013-01-01", "2013-02-01", false),
                    said("a", "2013-01-05", "2013-01-20", false),
                ],
                None,
            ),
            (
                vec![
                    said("a", "2013-01-01", "2013-02-01", false),
                    said("b", "2013-01-20", "2013-03-01", false),
                ],
                Some("2 sources agree on 2013-01-20 to 2013-02-01"),
            ),
            (
                vec![
                    said("a", "2013-01-01", "2013-02-01", false),
                    said("b", "2014-01-20", "2014-01-20", false),
                ],
                Some("2 sources, no day in common"),
            ),
            (
                vec![
                    said("a", "2013-01-01", "2013-02-01", false),
                    said("b", "", "", false),
                ],
                Some("2 sources"),
            ),
            // A source that names one day neither agrees on a period nor speaks against one.
            (
                vec![
                    said("a", "2013-01-01", "2013-02-01", false),
                    said("b", "", "2014-01-20", false),
                ],
                Some("2 sources"),
            ),
            (
                vec![
                    said("a", "2013-01-01", "2013-02-01", false),
                    said("b", "2015-01-01", "", false),
                    said("c", "2013-01-05", "2013-01-20", false),
                ],
                Some("3 sources, 2 of them agree on 2013-01-05 to 2013-01-20"),
            ),
            (
                vec![
                    said("a", "2013-01-01", "2013-02-01", false),
                    said("b", "2015-01-01", "", false),
                    said("c", "2014-01-05", "2014-01-20", false),
                ],
                Some("3 sources, 2 of them with no day in common"),
            ),
            // What still holds was so when it was asked.
            (
                vec![
                    said("a", "2013-01-01", "", true),
                    said("b", "2020-01-01", "", true),
                ],
                Some("2 sources agree on 2020-01-01 to 2026-11-30"),
            ),
            (
                vec![
                    said("a", "2013-01-01", "2013-01-05", false),
                    said("a", "2013-01-06", "2013-01-10", false),
                    said("a", "2015-01-01", "2015-12-31", false),
                    said("b", "2013-01-03", "2015-02-01", false),
                    said("c", "", "", false),
                ],
                Some("3 sources, 2 of them agree on 2013-01-03 to 2013-01-10, 2015-01-01 to 2015-02-01"),
            ),
        ] {
            assert_eq!(label(all).as_deref(), expected);
        }
    }

    #[test]
    fn many_periods_are_counted() {
        let years = 2001..2008;
        let mut all: Vec<_> = years
            .map(|year| said("a", &format!("{year}-01-01"), &format!("{year}-02-01"), false))
            .collect();
        all.push(said("b", "2000-01-01", "2020-01-01", false));
        assert!(
            label(all)
                .unwrap()
                .ends_with("2003-01-01 to 2003-02-01 and 4 more")
        );
    }

    proptest! {
        #[test]
        fn a_day_is_common_if_each_source_names_it(
            one in prop::collection::vec((0..60_i32, 0..20_i32), 1..6),
            other in prop::collection::vec((0..60_i32, 0..20_i32), 1..6),
        ) {
            let start: Date = "2013-01-01".parse().unwrap();
            let at = |offset: i32| start.checked_add(jiff::Span::new().days(offset)).unwrap();
            let of = |family, all: &[(i32, i32)]| all.iter().map(move |(first, length)| Testimony {
                family,
                period: Period::of(Some(at(*first)), Some(at(first + length)), false),
                asked_on: start,
            }).collect::<Vec<_>>();
            let names = |all: &[(i32, i32)], day: i32| all.iter().any(|(first, length)| (*first..=first + length).contains(&day));
            let found = Agreement::of(of("a", &one).into_iter().chain(of("b", &other))).unwrap();
            let common = found.common.unwrap();
            for day in -1..90 {
                let holds = common.iter().any(|(first, last)| (*first..=*last).contains(&at(day)));
                prop_assert_eq!(holds, names(&one, day) && names(&other, day), "{}", at(day));
            }
        }
    }
}
