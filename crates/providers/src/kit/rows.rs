//! Tells rows that were read from those that were left out on purpose and those that were not understood.
//!
//! An answer whose rows cannot be read is no "not found": that would be kept, and believed. One whose rows were all
//! left out is none either: what was there is told with it.

//!
//! The answer to a question for a list is made by [`Rows::answer`] alone, or by [`nothing`] where the vendor says that it
//! knows nothing, so that no provider can pass rows over in silence.

use super::tolerant::Node;
use crate::{Descriptor, Name, ProviderError};
use pivotd_domain::{Answer, Capability, OmittedRecords, Query, Record, Source};

/// Says what a row of an answer turned out to be.
#[derive(Debug)]
pub enum Row {
    /// It gives a record.
    Record(Record),
    /// It says the same as a row before it.
    Same,
    /// It was understood, and is not what was asked for; beside the reason of which sort it is, where that tells more.
    LeftOut(SkipReason, Option<String>),
    /// It was not understood.
    Unread,
}

/// Says why a row that was understood gives no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// It names nothing but what was asked about.
    Itself,
    /// It is a record of the DNS of a type that names no other host.
    OtherType,
    /// It is a record of the DNS that says that there is none: the root as a name (RFC 7505).
    NoHost,
    /// It is about something else than what was asked about.
    Elsewhere,
    /// It is the file that was asked about, as a sandbox keeps it.
    OwnFile,
    /// It is a sample that merely brought the file along.
    Brought,
    /// It is a domain all of whose values are its own.
    Alone,
    /// It names a privacy service or is a redaction.
    Redacted,
    /// It went to an address or a name inside the sandbox's own network.
    Inside,
    /// It asked the DNS for the name of an address.
    Reverse,
    /// It is below the thresholds that were asked for.
    Below,
}

impl SkipReason {
    const ALL: &'static [Self] = &[
        Self::Itself,
        Self::OtherType,
        Self::NoHost,
        Self::Elsewhere,
        Self::OwnFile,
        Self::Brought,
        Self::Alone,
        Self::Redacted,
        Self::Inside,
        Self::Reverse,
        Self::Below,
    ];

    /// Says it of one row, and of several.
    const fn words(self) -> [&'static str; 2] {
        match self {
            Self::Itself => [
                "row about nothing but what was asked",
                "rows about nothing but what was asked",
            ],
            Self::OtherType => ["record of another type", "records of other types"],
            Self::NoHost => ["record that names no host", "records that name no host"],
            Self::OwnFile => [
                "artifact that is the file itself",
                "artifacts that are the file itself",
            ],
            Self::Brought => [
                "sample that merely brought the file along",
                "samples that merely brought the file along",
            ],
            Self::Alone => [
                "domain that shares no value with others",
                "domains that share no value with others",
            ],
            Self::Redacted => ["redacted row", "redacted rows"],
            Self::Inside => [
                "contact inside the sandbox's own network",
                "contacts inside the sandbox's own network",
            ],
            Self::Reverse => ["reverse look-up", "reverse look-ups"],
            Self::Below => [
                "contact that no behavior of the asked severity and confidence names",
                "contacts that no behavior of the asked severity and confidence names",
            ],
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
    pub const ITSELF: Self = Self::LeftOut(SkipReason::Itself, None);

    /// Completes the record, where the row gives one.
    pub fn map(self, complete: impl FnOnce(Record) -> Record) -> Self {
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
struct SkippedRows {
    why: SkipReason,
    count: u64,
    sorts: Vec<String>,
}

/// Gathers what the rows of an answer gave.
#[derive(Debug, Default)]
pub struct Rows {
    records: Vec<Record>,
    skipped: Vec<SkippedRows>,
    /// How many rows say the same as one before them.
    same: usize,
    unread: usize,
    /// What is told in place of records, where there are none.
    empty: Option<String>,
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
    /// Reads the rows of a list, or the one that stands in its place.
    pub fn of<'a>(list: Node<'a>, read: impl FnMut(Node<'a>) -> Row) -> Self {
        list.rows().map(read).collect()
    }

    /// Returns the records that the rows gave so far.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns how many rows were not understood so far.
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// Adds rows that were not understood.
    pub fn lose(&mut self, unread: usize) {
        self.unread += unread;
    }

    /// Says what is told where there is no row: that what was asked about is known, and why nothing is shown.
    pub fn if_empty(&mut self, what: impl Into<String>) {
        self.empty = Some(what.into());
    }

    /// Puts the records in order; equal ones keep theirs. Keeps the first `max` of them, and returns how many went.
    pub fn arrange<K: Ord>(&mut self, max: usize, key: impl FnMut(&Record) -> K) -> usize {
        self.records.sort_by_key(key);
        let more = self.records.len().saturating_sub(max);
        self.records.truncate(max);
        more
    }

    fn leave(&mut self, why: SkipReason, count: u64, sorts: impl IntoIterator<Item = String>) {
        let place = self.skipped.iter().position(|left| left.why == why);
        let place = place.unwrap_or_else(|| {
            let sorts = Vec::new();
            self.skipped.push(SkippedRows { why, count: 0, sorts });
            self.skipped.len() - 1
        });
        if let Some(left) = self.skipped.get_mut(place) {
            left.count += count;
            for sort in sorts {
                if !left.sorts.contains(&sort) && left.sorts.len() < MOST_SORTS {
                    left.sorts.push(sort);
                }
            }
        }
    }

    /// Returns how many rows were understood.
    pub fn understood(&self) -> usize {
        let left = self.skipped.iter().map(|left| left.count).sum::<u64>();
        self.records.len() + self.same + usize::try_from(left).unwrap_or(usize::MAX)
    }

    /// Takes over what other rows gave.
    pub fn join(&mut self, other: Self) {
        let records = self.take(other);
        self.records.extend(records);
    }

    /// Takes over what the rows of another page gave, but for its records, which are returned.
    pub fn take(&mut self, other: Self) -> Vec<Record> {
        for left in other.skipped {
            self.leave(left.why, left.count, left.sorts);
        }
        self.same += other.same;
        self.unread += other.unread;
        other.records
    }

    /// Takes over what an earlier part of the answer left out and could not read; `missing` loses what is counted on.
    pub fn go_on(&mut self, left_out: &[OmittedRecords], missing: &mut Vec<String>) {
        for left in left_out {
            let (words, sorts) = left.what.split_once(" (").unwrap_or((&left.what, ""));
            let why = SkipReason::ALL.iter().find(|why| why.words().contains(&words));
            let sorts = sorts.trim_end_matches(')').split(", ");
            let sorts = sorts.filter(|sort| !sort.is_empty()).map(str::to_owned);
            if let Some(why) = why {
                self.leave(*why, left.count, sorts);
            }
        }
        self.unread += take_unread(missing);
    }

    /// Says what was left out, by reasons.
    pub fn left_out(&self) -> Vec<OmittedRecords> {
        let said = self.skipped.iter().map(|left| {
            let [one, many] = left.why.words();
            let mut what = if left.count == 1 { one } else { many }.to_owned();
            if !left.sorts.is_empty() {
                what.push_str(&format!(" ({})", left.sorts.join(", ")));
            }
            OmittedRecords {
                count: left.count,
                what,
            }
        });
        said.collect()
    }

    /// Makes the answer of what the rows gave. Those that were not understood are missing in it.
    ///
    /// # Errors
    /// [`ProviderError::Malformed`] where there are rows and none was understood.
    pub fn answer(
        self,
        descriptor: &Descriptor,
        query: Query,
        product: &str,
    ) -> Result<Answer, ProviderError> {
        self.answer_lacking(descriptor, query, product, Vec::new())
    }

    /// Makes the answer of what the rows gave, which lacks what `missing` says besides.
    ///
    /// # Errors
    /// [`ProviderError::Malformed`] where there are rows and none was understood.
    pub fn answer_lacking(
        self,
        descriptor: &Descriptor,
        query: Query,
        product: &str,
        mut missing: Vec<String>,
    ) -> Result<Answer, ProviderError> {
        let is_empty = self.records.is_empty() && missing.is_empty() && self.unread == 0;
        missing.extend(self::missing(self.understood(), self.unread)?);
        let mut left_out = self.left_out();
        let empty = self
            .empty
            .or_else(|| emptiness(query.capability).map(str::to_owned));
        if let Some(what) = empty.filter(|_| is_empty) {
            left_out.push(OmittedRecords { count: 0, what });
        }
        let mut answer = made(descriptor, query, product, self.records);
        answer.missing = missing;
        answer.left_out = left_out;
        Ok(answer)
    }
}

/// Says what a list without a row says that the vendor keeps of everything that it could be asked about.
fn emptiness(capability: Capability) -> Option<&'static str> {
    match capability {
        Capability::ReverseWhois => Some("no domain is registered with it"),
        _ => None,
    }
}

/// Makes the answer of a vendor that says that it knows nothing.
pub fn nothing(descriptor: &Descriptor, query: Query, product: &str) -> Answer {
    made(descriptor, query, product, Vec::new())
}

/// Makes the answer of what one object says, such as a registration or a reputation: all of it is in these records.
pub fn object(descriptor: &Descriptor, query: Query, product: &str, records: Vec<Record>) -> Answer {
    debug_assert!(!is_list(query.capability), "{} is a list: Rows", query.capability);
    made(descriptor, query, product, records)
}

/// Tells whether a capability is answered by a list of rows, each of which may be one that cannot be read.
pub fn is_list(capability: Capability) -> bool {
    match capability {
        Capability::Whois
        | Capability::Risk
        | Capability::Reputation
        | Capability::IpDetails
        | Capability::MailPolicy
        | Capability::File
        | Capability::Parts => false,
        Capability::WhoisHistory
        | Capability::IpHistory
        | Capability::NameserverHistory
        | Capability::RegistrarHistory
        | Capability::ReverseWhois
        | Capability::DomainsOnIp
        | Capability::Neighbours
        | Capability::DomainsOnNameserver
        | Capability::Pivots
        | Capability::Resolutions
        | Capability::Subdomains
        | Capability::Components
        | Capability::Trackers
        | Capability::HostPairs
        | Capability::Owners
        | Capability::Incidents
        | Capability::IncidentsOf
        | Capability::IncidentIndicators
        | Capability::Contacts
        | Capability::SandboxFiles
        | Capability::SandboxTraces
        | Capability::Samples
        | Capability::Account => true,
    }
}

fn made(descriptor: &Descriptor, query: Query, product: &str, records: Vec<Record>) -> Answer {
    let offer = descriptor.offer(query.capability);
    let known = offer.and_then(|offer| offer.products.iter().find(|known| known.id == product));
    let source = Source {
        provider: descriptor.name.to_string(),
        product: product.to_owned(),
        blind: known
            .and_then(|product| product.blind.as_ref())
            .map(Name::to_string),
    };
    Answer::whole(query, records, source)
}

/// Says what rows that were not understood leave missing.
///
/// # Errors
/// [`ProviderError::Malformed`] where there are such rows and no other.
fn missing(understood: usize, unread: usize) -> Result<Option<String>, ProviderError> {
    match unread {
        0 => Ok(None),
        _ if understood == 0 => Err(ProviderError::Malformed(format!(
            "the answer has no row that can be read ({unread} could not be read)"
        ))),
        1 => Ok(Some(format!("1{ONE}"))),
        many => Ok(Some(format!("{many}{MANY}"))),
    }
}

const ONE: &str = " row could not be read";
const MANY: &str = " rows could not be read";

/// Takes the number of rows that were not understood out of what an earlier part of the answer lacks.
fn take_unread(missing: &mut Vec<String>) -> usize {
    let count = |text: &String| {
        let number = text.strip_suffix(ONE).or_else(|| text.strip_suffix(MANY))?;
        number.parse::<usize>().ok()
    };
    let unread = missing.iter().filter_map(count).sum();
    missing.retain(|text| count(text).is_none());
    unread
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads the sources of providers")]
mod tests {
    use super::*;
    use pivotd_domain::{Indicator, IndicatorKind};

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
        Row::LeftOut(SkipReason::OtherType, Some(kind.to_owned()))
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
        assert_eq!(
            (rows.records().len(), rows.understood(), rows.unread()),
            (0, 5, 1)
        );
        let said: Vec<String> = rows.left_out().iter().map(OmittedRecords::text).collect();
        assert_eq!(
            said,
            [
                "1 row about nothing but what was asked",
                "3 records of other types (SOA, TXT)"
            ]
        );
    }

    #[test]
    fn a_list_without_a_row_that_is_known_says_so_and_one_with_a_row_does_not() {
        let query = || {
            Query::new(
                Capability::ReverseWhois,
                Indicator::parse(IndicatorKind::Email, "a@example.com").unwrap(),
            )
        };
        let answer = |rows: Rows| rows.answer(&Descriptor::new("", ""), query(), "any");
        let empty = answer(Rows::default()).unwrap();
        assert!(empty.records.is_empty() && !empty.is_not_found());
        assert_eq!(empty.left_out[0].text(), "no domain is registered with it");
        assert!(nothing(&Descriptor::new("", ""), query(), "any").is_not_found());
        let one = answer([Row::Record(Record::new())].into_iter().collect()).unwrap();
        assert!(one.left_out.is_empty());
        let part = answer([Row::Same, Row::Unread, Row::Unread].into_iter().collect()).unwrap();
        assert_eq!(part.missing, ["2 rows could not be read"]);
        assert!(part.left_out.is_empty());
        let none = answer([Row::Unread, Row::Unread].into_iter().collect());
        assert!(matches!(none, Err(ProviderError::Malformed(text)) if text.contains('2')));
    }

    /// A provider that made an answer besides could pass rows over.
    #[test]
    fn answers_are_made_here_alone() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for path in sources(&folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy();
            let own = name == "rows.rs"
                || name.ends_with("tests.rs")
                || path.components().any(|part| part.as_os_str() == "tests");
            let made = text.lines().filter(|line| {
                let line = line.trim();
                let whole = line.contains("Answer {") && !line.contains(" -> ") && !line.contains("..");
                whole
                    || line.contains("answer.records =")
                    || line.contains(".records.push(") && line.contains("answer")
            });
            let made: Vec<&str> = made.collect();
            assert!(own || made.is_empty(), "{}: {made:?}", path.display());
        }
    }

    fn sources(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
            .collect()
    }

    #[test]
    fn what_an_earlier_part_left_out_is_counted_on() {
        let first: Rows = [typed("SOA"), Row::ITSELF].into_iter().collect();
        let mut missing = vec!["2 rows could not be read".to_owned(), "else".to_owned()];
        let mut on = Rows::default();
        on.go_on(&first.left_out(), &mut missing);
        on.extend([typed("TXT"), Row::ITSELF]);
        let said: Vec<String> = on.left_out().iter().map(OmittedRecords::text).collect();
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
