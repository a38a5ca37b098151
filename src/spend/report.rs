//! Sums rows by what a report groups them by.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Amounts, Audited, Bucket, Columns, Period, Rollup, RollupKey};

/// So many rows a report has at most.
const MOST_GROUPS: usize = 50_000;

macro_rules! dimensions {
    ($($(#[$meta:meta])* $name:ident = $text:literal,)*) => {
        /// Names what rows can be grouped by and chosen by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Dimension {
            $($(#[$meta])* $name,)*
        }

        impl Dimension {
            /// Lists all of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the name in requests and reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

dimensions! {
    /// The client's tenant.
    Tenant = "tenant",
    /// The token's name at that time.
    Client = "client",
    /// The token's id.
    Token = "token",
    /// On whose behalf the client said that it asked.
    Person = "person",
    /// The frontend.
    Face = "face",
    /// The provider.
    Provider = "provider",
    /// The account that paid.
    Account = "account",
    /// The vendor's product.
    Product = "product",
    /// The transform or route.
    Operation = "operation",
    /// What became of it.
    Outcome = "outcome",
    /// What was asked.
    Question = "question",
    /// The case that the client said it asked for.
    Case = "case",
}

impl Dimension {
    /// Returns the dimension of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// Tells whether audit rows alone know it.
    #[must_use]
    pub fn is_audited(self) -> bool {
        matches!(self, Self::Question | Self::Case)
    }

    fn of<'a>(self, row: &Seen<'a>) -> &'a str {
        let key = row.key;
        match self {
            Self::Tenant => &key.tenant,
            Self::Client => &key.client,
            Self::Token => &key.token,
            Self::Person => &key.person,
            Self::Face => &key.face,
            Self::Provider => &key.provider,
            Self::Account => &key.account,
            Self::Product => &key.product,
            Self::Operation => &key.operation,
            Self::Outcome => &key.outcome,
            Self::Question => row.question,
            Self::Case => row.case,
        }
    }
}

/// Chooses the rows that have this value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of what.
    pub dimension: Dimension,
    /// The value.
    pub value: String,
}

/// Says what a report shows.
#[derive(Debug, Clone)]
pub struct ReportQuery {
    /// Of which time.
    pub period: Period,
    /// In which zone hours, days, weeks and months begin.
    pub zone: TimeZone,
    /// Into what the time is divided; `None` for the whole.
    pub bucket: Option<Bucket>,
    /// By what rows are summed.
    pub group_by: Vec<Dimension>,
    /// Which rows are summed.
    pub filters: Vec<Filter>,
}

impl ReportQuery {
    /// Tells whether audit rows are needed.
    #[must_use]
    pub fn is_audited(&self) -> bool {
        let filtered = self.filters.iter().map(|filter| filter.dimension);
        let mut named = self.group_by.iter().copied().chain(filtered);
        named.any(Dimension::is_audited)
    }
}

struct Seen<'a> {
    key: &'a RollupKey,
    question: &'a str,
    case: &'a str,
}

/// Is an amount in each unit; money by currency, in millionths of the currency's unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Calls on the wire.
    pub calls: i64,
    /// Records.
    pub records: i64,
    /// Millionths by currency.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub money_micros: BTreeMap<String, i64>,
}

impl Sum {
    fn add(&mut self, more: Amounts, currency: &str) {
        self.calls = self.calls.saturating_add(more.calls);
        self.records = self.records.saturating_add(more.records);
        if more.micros != 0 {
            let money = self.money_micros.entry(currency.to_owned()).or_default();
            *money = money.saturating_add(more.micros);
        }
    }

    /// Tells whether there is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.calls == 0 && self.records == 0 && self.money_micros.values().all(|money| *money == 0)
    }
}

/// Is what a row of a report sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// The most that the calls could have cost.
    pub reserved: Sum,
    /// What they did cost, by our count.
    pub settled: Sum,
    /// What was reserved and not spent.
    pub refunded: Sum,
    /// What the answers from the cache would have cost at the time of the answers.
    pub avoided: Sum,
    /// The most that the calls could have cost that a budget refused.
    pub refused: Sum,
}

impl Sums {
    fn add(&mut self, more: &Columns, currency: &str) {
        let (reserved, settled) = (more.reserved, more.settled);
        let refunded = Amounts {
            calls: reserved.calls.saturating_sub(settled.calls),
            records: reserved.records.saturating_sub(settled.records),
            micros: reserved.micros.saturating_sub(settled.micros),
        };
        self.reserved.add(reserved, currency);
        self.settled.add(settled, currency);
        self.refunded.add(refunded, currency);
        self.avoided.add(more.avoided, currency);
        self.refused.add(more.refused, currency);
    }
}

/// Says where a row stands in a report: rows are in the order of the times and of what they are grouped by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// When its time begins, in seconds; 0 where the time is not divided.
    pub start: i64,
    /// What it is grouped by, in the order of the request.
    pub group: Vec<String>,
}

/// Is a row of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportRow {
    /// When its time begins, with the zone's offset; none where the time is not divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// What it is grouped by.
    pub group: BTreeMap<String, String>,
    /// The sums.
    #[serde(flatten)]
    pub sums: Sums,
}

/// Says that a report would have more rows than are summed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the report would have more than {MOST_GROUPS} rows: ask for a shorter time, longer buckets, or fewer groups"
)]
pub struct TooMany;

/// Sums rows.
#[derive(Debug)]
pub struct Report {
    query: ReportQuery,
    rows: BTreeMap<Position, Sums>,
    total: Sums,
    has_other: bool,
    is_full: bool,
}

impl Report {
    /// Begins a report.
    #[must_use]
    pub fn new(query: ReportQuery) -> Self {
        Self {
            query,
            rows: BTreeMap::new(),
            total: Sums::default(),
            has_other: false,
            is_full: false,
        }
    }

    /// Returns what it shows.
    #[must_use]
    pub fn query(&self) -> &ReportQuery {
        &self.query
    }

    /// Adds a row of 15 minutes or of a month, where it is chosen.
    pub fn add(&mut self, row: &Rollup) {
        let seen = Seen {
            key: &row.key,
            question: "",
            case: "",
        };
        self.sum(row, &seen);
    }

    /// Adds an audit row, where it is chosen.
    pub fn add_audited(&mut self, row: &Audited) {
        let seen = Seen {
            key: &row.rollup.key,
            question: &row.question,
            case: &row.case,
        };
        self.sum(&row.rollup, &seen);
    }

    fn sum(&mut self, row: &Rollup, seen: &Seen<'_>) {
        let ReportQuery {
            period,
            zone,
            bucket,
            group_by,
            filters,
        } = &self.query;
        let is_in = (period.from..period.to).contains(&row.start);
        if !is_in
            || filters
                .iter()
                .any(|filter| filter.dimension.of(seen) != filter.value)
        {
            return;
        }
        let position = Position {
            // The first bucket begins where the range does.
            start: bucket.map_or(0, |bucket| bucket.start_of(row.start, zone)),
            group: group_by.iter().map(|one| one.of(seen).to_owned()).collect(),
        };
        self.has_other |= row.key.client == super::OTHER;
        if self.rows.len() >= MOST_GROUPS && !self.rows.contains_key(&position) {
            self.is_full = true;
            return;
        }
        let currency = &row.key.currency;
        self.rows.entry(position).or_default().add(&row.columns, currency);
        self.total.add(&row.columns, currency);
    }

    /// Returns the sums of all rows.
    #[must_use]
    pub fn total(&self) -> &Sums {
        &self.total
    }

    /// Tells whether some of it was not told apart when it was gathered.
    #[must_use]
    pub fn has_other(&self) -> bool {
        self.has_other
    }

    /// Returns at most `max` rows behind a position, and the position of the last one where there are more.
    ///
    /// # Errors
    /// [`TooMany`] where not all rows could be summed.
    pub fn page(
        &self,
        after: Option<&Position>,
        max: usize,
    ) -> Result<(Vec<ReportRow>, Option<Position>), TooMany> {
        use std::ops::Bound::{Excluded, Unbounded};
        if self.is_full {
            return Err(TooMany);
        }
        let behind = after.map_or(Unbounded, Excluded);
        let mut found = self.rows.range::<Position, _>((behind, Unbounded)).peekable();
        let mut rows = Vec::new();
        let mut last = None;
        while rows.len() < max
            && let Some((position, sums)) = found.next()
        {
            rows.push(self.row(position, sums));
            last = Some(position);
        }
        let next = found.peek().and(last).cloned();
        Ok((rows, next))
    }

    fn row(&self, position: &Position, sums: &Sums) -> ReportRow {
        let zone = &self.query.zone;
        let start = self.query.bucket.and_then(|_| {
            let start = Timestamp::from_second(position.start).ok()?;
            let local = start.to_zoned(zone.clone());
            Some(start.display_with_offset(local.offset()).to_string())
        });
        let names = self.query.group_by.iter().map(|one| one.name().to_owned());
        ReportRow {
            start,
            group: names.zip(position.group.iter().cloned()).collect(),
            sums: sums.clone(),
        }
    }
}
