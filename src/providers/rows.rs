//! Tells rows that were read from those that were left out on purpose and those that were not understood.
//!
//! An answer whose rows nobody understands is no "not found": that would be kept, and believed.

use super::tolerant::malformed;
use super::{Descriptor, ProviderError};
use crate::domain::{Answer, Query, Record};

/// Says what a row of an answer turned out to be.
#[derive(Debug)]
pub(super) enum Row {
    /// It gives a record.
    Record(Record),
    /// It was understood, and says nothing beyond what was asked about.
    Known,
    /// It was not understood.
    Unread,
}

impl Row {
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

/// Gathers what the rows of an answer gave.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The records.
    pub(super) records: Vec<Record>,
    /// How many rows say nothing beyond what was asked about.
    pub(super) known: usize,
    /// How many rows were not understood.
    pub(super) unread: usize,
}

impl FromIterator<Row> for Rows {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Self {
        let mut gathered = Self::default();
        for row in rows {
            match row {
                Row::Record(record) => gathered.records.push(record),
                Row::Known => gathered.known += 1,
                Row::Unread => gathered.unread += 1,
            }
        }
        gathered
    }
}

impl Rows {
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
        let understood = self.records.len() + self.known;
        let missing = missing(understood, self.unread)?;
        let mut answer = super::common::answer(descriptor, query, product, self.records);
        answer.missing.extend(missing);
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

    #[test]
    fn what_was_left_out_on_purpose_was_understood() {
        let rows: Rows = [Row::Known, Row::from(None), Row::Known].into_iter().collect();
        assert_eq!((rows.records.len(), rows.known, rows.unread), (0, 2, 1));
        assert!(missing(rows.known, rows.unread).is_ok());
    }
}
