//! Tells rows that were read from those that were left out on purpose and those that were not understood.
//!
//! An answer whose rows nobody understands is no "not found": that would be kept, and believed. One whose rows were all
//! left out is none either: what was there is told with it.

use super::tolerant::malformed;
use super::{Descriptor, ProviderError};
use crate::domain::{Answer, LeftOut, Query, Record};

/// Says what a row of an answer turned out to be.
#[derive(Debug)]
pub(super) enum Row {
    /// It gives a record.
    Record(Record),
    /// It says the same as a row before it.
    Same,
    /// It was understood, and is not what was asked for; beside the reason of which sort it is, where that tells more.
    LeftOut(Why, Option<String>),
    /// It was not understood.
    Unread,
}

/// Says why a row that was understood gives no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It names nothing but what was asked about.
    Itself,
    /// It is a record of the DNS of a type that names nobody else.
    OtherType,
    /// It is about something else than what was asked about.
    Elsewhere,
}

impl Why {
    const ALL: &'static [Self] = &[Self::Itself, Self::OtherType, Self::Elsewhere];

    /// Says it of one row, and of several.
    const fn words(self) -> [&'static str; 2] {
        match self {
            Self::Itself => [
                "row about nothing but what was asked",
                "rows about nothing but what was asked",
            ],
            Self::OtherType => ["record of another type", "records of other types"],
            Self::Elsewhere => [
                "row about something else than what was asked",
                "rows about something else than what was asked",
            ],
        }
    }
}

/// The most sorts of rows that are named with one reason.
const MOST_SORTS: usize = 8;

impl Row {
    /// Says that a row names nothing but what was asked about.
    pub(super) const ITSELF: Self = Self::LeftOut(Why::Itself, None);

    /// Completes the record, where the row gives one.
    pub(super) fn map(self, complete: impl FnOnce(Record) -> Record) -> Self {
        match self {
            Self::Record(record) => Self::Record(complete(record)),
            other => other,
        }
    }
}

/// Takes a row without a record for one that was not understood.
impl From<Option<Record>> for Row {
    fn from(record: Option<Record>) -> Self {
        record.map_or(Self::Unread, Self::Record)
    }
}

/// Counts the rows that were left out for one reason.
#[derive(Debug)]
struct Left {
    why: Why,
    count: u64,
    sorts: Vec<String>,
}

/// Gathers what the rows of an answer gave.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The records.
    pub(super) records: Vec<Record>,
    left: Vec<Left>,
    /// How many rows say the same as one before them.
    same: usize,
    /// How many rows were not understood.
    pub(super) unread: usize,
}

impl FromIterator<Row> for Rows {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Self {
        let mut gathered = Self::default();
        gathered.extend(rows);
        gathered
    }
}

impl Extend<Row> for Rows {
    fn extend<I: IntoIterator<Item = Row>>(&mut self, rows: I) {
        for row in rows {
            match row {
                Row::Record(record) => self.records.push(record),
                Row::Same => self.same += 1,
                Row::LeftOut(why, sort) => self.leave(why, 1, sort),
                Row::Unread => self.unread += 1,
            }
        }
    }
}

impl Rows {
    fn leave(&mut self, why: Why, count: u64, sorts: impl IntoIterator<Item = String>) {
        let place = self.left.iter().position(|left| left.why == why);
        let place = place.unwrap_or_else(|| {
            let sorts = Vec::new();
            self.left.push(Left { why, count: 0, sorts });
            self.left.len() - 1
        });
        if let Some(left) = self.left.get_mut(place) {
            left.count += count;
            for sort in sorts {
                if !left.sorts.contains(&sort) && left.sorts.len() < MOST_SORTS {
                    left.sorts.push(sort);
                }
            }
        }
    }

    /// Returns how many rows were understood.
    pub(super) fn understood(&self) -> usize {
        let left = self.left.iter().map(|left| left.count).sum::<u64>();
        self.records.len() + self.same + usize::try_from(left).unwrap_or(usize::MAX)
    }

    /// Takes over what the rows of another page gave, but for its records, which are returned.
    pub(super) fn take(&mut self, other: Self) -> Vec<Record> {
        for left in other.left {
            self.leave(left.why, left.count, left.sorts);
        }
        self.same += other.same;
        self.unread += other.unread;
        other.records
    }

    /// Takes over what an earlier part of the answer left out and could not read; `missing` loses what is counted on.
    pub(super) fn go_on(&mut self, left_out: &[LeftOut], missing: &mut Vec<String>) {
        for left in left_out {
            let (words, sorts) = left.what.split_once(" (").unwrap_or((&left.what, ""));
            let why = Why::ALL.iter().find(|why| why.words().contains(&words));
            let sorts = sorts.trim_end_matches(')').split(", ");
            let sorts = sorts.filter(|sort| !sort.is_empty()).map(str::to_owned);
            if let Some(why) = why {
                self.leave(*why, left.count, sorts);
            }
        }
        self.unread += take_unread(missing);
    }

    /// Says what was left out, by reasons.
    pub(super) fn left_out(&self) -> Vec<LeftOut> {
        let said = self.left.iter().map(|left| {
            let [one, many] = left.why.words();
            let mut what = if left.count == 1 { one } else { many }.to_owned();
            if !left.sorts.is_empty() {
                what.push_str(&format!(" ({})", left.sorts.join(", ")));
            }
            LeftOut {
                count: left.count,
                what,
            }
        });
        said.collect()
    }

    /// Makes the answer of a list that came in one piece.
    ///
    /// # Errors
    /// [`ProviderError::Malformed`] where there are rows and none was understood.
    pub(super) fn answer(
        self,
        descriptor: &Descriptor,
        query: Query,
        product: &str,
    ) -> Result<Answer, ProviderError> {
        let missing = missing(self.understood(), self.unread)?;
        let left_out = self.left_out();
        let mut answer = super::common::answer(descriptor, query, product, self.records);
        answer.missing.extend(missing);
        answer.left_out = left_out;
        Ok(answer)
    }
}

/// Says what rows that were not understood leave missing.
///
/// # Errors
/// [`ProviderError::Malformed`] where there are such rows and no other.
pub(super) fn missing(understood: usize, unread: usize) -> Result<Option<String>, ProviderError> {
    match unread {
        0 => Ok(None),
        _ if understood == 0 => Err(malformed("row that can be read")),
        1 => Ok(Some(format!("1{ONE}"))),
        many => Ok(Some(format!("{many}{MANY}"))),
    }
}

const ONE: &str = " row could not be read";
const MANY: &str = " rows could not be read";

/// Takes the number of rows that were not understood out of what an earlier part of the answer lacks.
pub(super) fn take_unread(missing: &mut Vec<String>) -> usize {
    let count = |text: &String| {
        let number = text.strip_suffix(ONE).or_else(|| text.strip_suffix(MANY))?;
        number.parse::<usize>().ok()
    };
    let unread = missing.iter().filter_map(count).sum();
    missing.retain(|text| count(text).is_none());
    unread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_and_read_back() {
        assert_eq!(missing(0, 0), Ok(None));
        assert!(matches!(missing(0, 1), Err(ProviderError::Malformed(_))));
        let mut said: Vec<String> = [missing(1, 1), missing(1, 12)]
            .into_iter()
            .filter_map(Result::unwrap)
            .collect();
        assert_eq!(said, ["1 row could not be read", "12 rows could not be read"]);
        said.push("parents: HTTP 500".to_owned());
        assert_eq!(take_unread(&mut said), 13);
        assert_eq!(said, ["parents: HTTP 500"]);
    }

    fn typed(kind: &str) -> Row {
        Row::LeftOut(Why::OtherType, Some(kind.to_owned()))
    }

    #[test]
    fn what_was_left_out_on_purpose_was_understood_and_is_said() {
        let rows: Rows = [
            Row::ITSELF,
            Row::from(None),
            typed("SOA"),
            Row::Same,
            typed("TXT"),
            typed("SOA"),
        ]
        .into_iter()
        .collect();
        assert_eq!((rows.records.len(), rows.understood(), rows.unread), (0, 5, 1));
        let said: Vec<String> = rows.left_out().iter().map(LeftOut::text).collect();
        assert_eq!(
            said,
            [
                "1 row about nothing but what was asked",
                "3 records of other types (SOA, TXT)"
            ]
        );
    }

    #[test]
    fn what_an_earlier_part_left_out_is_counted_on() {
        let first: Rows = [typed("SOA"), Row::ITSELF].into_iter().collect();
        let mut missing = vec!["2 rows could not be read".to_owned(), "else".to_owned()];
        let mut on = Rows::default();
        on.go_on(&first.left_out(), &mut missing);
        on.extend([typed("TXT"), Row::ITSELF]);
        let said: Vec<String> = on.left_out().iter().map(LeftOut::text).collect();
        assert_eq!(
            said,
            [
                "2 records of other types (SOA, TXT)",
                "2 rows about nothing but what was asked"
            ]
        );
        assert_eq!((on.unread, missing), (2, vec!["else".to_owned()]));
    }
}
