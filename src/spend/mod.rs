//! Says what was spent by whom: rows of 15 minutes, what an audit row adds to them, and reports of both. Pure: it knows no store and
//! no clock.
//!
//! Amounts are calls, records, and money in millionths of a currency's unit. What differs in unit or currency is never added.

mod audited;
mod period;
mod reconcile;
mod report;
mod tally;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

pub use audited::{Audited, audited};
pub use period::{Bucket, Period, zone};
pub use reconcile::{Counts, DriftClass};
pub use report::{Dimension, Filter, Position, Report, ReportQuery, ReportRow, Sum, Sums, TooMany};
pub use tally::{OTHER, Tally};

/// A row covers so many seconds: a quarter of an hour, since there are zones at half and at three quarters of an hour.
pub const QUARTER_S: i64 = 900;

/// Rows of 15 minutes and audit rows are kept for 400 days: a year, and time to look at it.
pub const KEPT_DAYS: i64 = 400;

/// Rows of months are kept for five years.
const MONTHS_KEPT_DAYS: i64 = 5 * 366;

const DAY_S: i64 = 86_400;

/// Names what a row of 15 minutes sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RollupKey {
    /// The client's tenant.
    pub tenant: String,
    /// The token's id; empty where no token asked, and in rows of older versions.
    pub token: String,
    /// The token's name at that time.
    pub client: String,
    /// The frontend.
    pub face: String,
    /// On whose behalf the client said that it asked; empty where it did not.
    pub person: String,
    /// The provider.
    pub provider: String,
    /// The account that paid.
    pub account: String,
    /// The vendor's product.
    pub product: String,
    /// The transform or route.
    pub operation: String,
    /// What became of it.
    pub outcome: String,
    /// The currency of the money; empty where the product is not sold for money.
    pub currency: String,
}

impl RollupKey {
    /// Writes the key as stores keep it.
    #[must_use]
    pub fn stored(&self) -> Vec<u8> {
        let Self {
            tenant,
            token,
            client,
            face,
            person,
            provider,
            account,
            product,
            operation,
            outcome,
            currency,
        } = self;
        let parts = [
            tenant, token, client, face, person, provider, account, product, operation, outcome, currency,
        ];
        serde_json::to_vec(&parts).unwrap_or_default()
    }

    /// Reads a key; `None` for one of another form.
    #[must_use]
    pub fn read(stored: &[u8]) -> Option<Self> {
        let parts: [String; 11] = serde_json::from_slice(stored).ok()?;
        let [
            tenant,
            token,
            client,
            face,
            person,
            provider,
            account,
            product,
            operation,
            outcome,
            currency,
        ] = parts;
        Some(Self {
            tenant,
            token,
            client,
            face,
            person,
            provider,
            account,
            product,
            operation,
            outcome,
            currency,
        })
    }
}

/// Is an amount in each unit; the money is of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Calls on the wire.
    pub calls: i64,
    /// Records.
    pub records: i64,
    /// Millionths of the currency's unit.
    pub micros: i64,
}

impl Amounts {
    fn add(&mut self, more: Self) {
        self.calls = self.calls.saturating_add(more.calls);
        self.records = self.records.saturating_add(more.records);
        self.micros = self.micros.saturating_add(more.micros);
    }

    /// Tells whether there is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

/// Is what a row of 15 minutes sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Columns {
    /// The most that the calls could have cost.
    pub reserved: Amounts,
    /// What they did cost, by our count.
    pub settled: Amounts,
    /// What the answers from the cache would have cost at the time of the answers.
    pub avoided: Amounts,
    /// The most that the calls could have cost that a budget refused.
    pub refused: Amounts,
}

/// A stored row of columns has so many bytes.
const STORED: usize = 12 * size_of::<i64>();

impl Columns {
    /// Adds more of the same row.
    pub fn add(&mut self, more: &Self) {
        self.reserved.add(more.reserved);
        self.settled.add(more.settled);
        self.avoided.add(more.avoided);
        self.refused.add(more.refused);
    }

    /// Writes the columns as stores keep them.
    #[must_use]
    pub fn stored(&self) -> [u8; STORED] {
        let all = [self.reserved, self.settled, self.avoided, self.refused];
        let numbers = all.iter().flat_map(|one| [one.calls, one.records, one.micros]);
        let mut bytes = [0; STORED];
        for (place, number) in bytes.chunks_exact_mut(size_of::<i64>()).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// Reads columns; `None` for those of another form.
    #[must_use]
    pub fn read(stored: &[u8]) -> Option<Self> {
        let stored: &[u8; STORED] = stored.try_into().ok()?;
        let (numbers, _) = stored.as_chunks::<{ size_of::<i64>() }>();
        let mut numbers = numbers.iter().map(|bytes| i64::from_le_bytes(*bytes));
        let mut next = || {
            Some(Amounts {
                calls: numbers.next()?,
                records: numbers.next()?,
                micros: numbers.next()?,
            })
        };
        Some(Self {
            reserved: next()?,
            settled: next()?,
            avoided: next()?,
            refused: next()?,
        })
    }
}

/// Says what an answer from the cache saved: what its question would have cost at the time of the answer, at least.
#[derive(Debug, Clone)]
pub struct Saving {
    /// The provider.
    pub provider: String,
    /// The account that would have paid.
    pub account: String,
    /// The product that answered.
    pub product: String,
    /// The currency of the money; empty where the product is not sold for money.
    pub currency: String,
    /// What it would have cost.
    pub amounts: Amounts,
}

/// Is a row of 15 minutes, or of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollup {
    /// When its time begins, in seconds since the epoch.
    pub start: i64,
    /// What it sums.
    pub key: RollupKey,
    /// The sums.
    pub columns: Columns,
}

/// Returns the beginning of the quarter of an hour of a time in microseconds, in seconds.
#[must_use]
pub fn quarter_of(at_us: i64) -> i64 {
    at_us.div_euclid(1_000_000).div_euclid(QUARTER_S) * QUARTER_S
}

/// Returns the beginning of the month, in UTC, of a time in seconds.
#[must_use]
pub fn month_of(at_s: i64) -> i64 {
    let first = Timestamp::from_second(at_s).ok().and_then(|at| {
        let first = at.to_zoned(TimeZone::UTC).first_of_month().ok()?;
        first.start_of_day().ok()
    });
    first.map_or(at_s, |first| first.timestamp().as_second())
}

/// Says what becomes of old rows where audit rows from before `at_us` are removed: those of 15 minutes from before the first time
/// become rows of months, and rows of months from before the second are removed. Both are in seconds.
#[must_use]
pub fn retention(at_us: i64) -> (i64, i64) {
    let at = at_us.div_euclid(1_000_000);
    let months = at.saturating_sub((MONTHS_KEPT_DAYS - KEPT_DAYS) * DAY_S);
    (month_of(at), month_of(months))
}

/// Sums what differs in time alone: rows by their beginning and key.
pub type Rollups = BTreeMap<(i64, RollupKey), Columns>;

/// Adds a row to those that there are.
pub fn add_to(rows: &mut Rollups, row: Rollup) {
    rows.entry((row.start, row.key)).or_default().add(&row.columns);
}

#[cfg(test)]
mod tests;
