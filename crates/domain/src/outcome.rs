//! Defines what comes back: an answer with its source and age, or a failure as data.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Query, Record};

/// Name of the provider that stands for pivotd itself.
pub const OWN: &str = "pivotd";

/// Says who answered, by which product, and what that product cannot see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The provider's name in `transforms.toml`.
    pub provider: String,
    /// The vendor's product id.
    pub product: String,
    /// What this product cannot see, in plain words, where another product could.
    pub blind: Option<String>,
}

/// Holds the price of a question that is paid apart from the subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Hundredths of the unit.
    pub cents: i64,
    /// The unit, an ISO 4217 code.
    pub unit: String,
    /// How many records the purchase would give.
    pub count: u64,
    /// Whether the records were bought (they are then in the answer).
    pub bought: bool,
}

impl Price {
    /// Returns the amount as people read it: `20 USD`, `0.50 USD`.
    #[must_use]
    pub fn amount(&self) -> String {
        money(self.cents, &self.unit)
    }
}

/// Formats hundredths of a unit: `20 USD`, `0.50 USD`.
#[must_use]
pub fn money(cents: i64, unit: &str) -> String {
    if cents % 100 == 0 {
        format!("{} {unit}", cents / 100)
    } else {
        format!("{}.{:02} {unit}", cents / 100, (cents % 100).abs())
    }
}

/// Says where a vendor's list goes on, in the vendor's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextPage {
    /// Which of the question's lists.
    pub list: String,
    /// How many of its rows were read.
    pub rows: usize,
    /// The parameters that ask for its next page.
    pub query: Vec<(String, String)>,
}

/// Says what a provider told that is shown in no record, on purpose: it was understood, and is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OmittedRecords {
    /// How many; 0 where it is no number of things, such as that something exists and is empty.
    pub count: u64,
    /// What they are, in the form that fits the count: `records of other types (SOA, TXT)`.
    pub what: String,
}

impl OmittedRecords {
    /// Says it in plain words: `3 records of other types (SOA, TXT)`.
    #[must_use]
    pub fn text(&self) -> String {
        match self.count {
            0 => self.what.clone(),
            count => format!("{count} {}", self.what),
        }
    }
}

/// Holds what one provider answered to one question. No records, no price and nothing left out means "not found".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    pub query: Query,
    /// The records, newest or nearest first as the vendor gives them.
    pub records: Vec<Record>,
    /// How many records exist in all, where the vendor says.
    pub total: Option<u64>,
    /// Whether asking again for more would give more records.
    pub more: bool,
    /// What is missing and why, when the answer is partial.
    pub missing: Vec<String>,
    /// What the vendor told that is no record, and is lacking in no other place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<OmittedRecords>,
    /// Where the vendor's lists go on that were not read to their end; for the provider that wrote it, and no other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rest: Vec<NextPage>,
    /// The price, where the question is sold by the piece.
    pub price: Option<Price>,
    /// Who answered.
    pub source: Source,
}

impl Answer {
    /// Makes the answer of which everything is in these records.
    #[must_use]
    pub fn whole(query: Query, records: Vec<Record>, source: Source) -> Self {
        Self {
            total: u64::try_from(records.len()).ok(),
            query,
            records,
            more: false,
            missing: Vec::new(),
            left_out: Vec::new(),
            rest: Vec::new(),
            price: None,
            source,
        }
    }

    /// Tells whether the vendor knows nothing. What it knows and is shown in no record is something.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        let empty = self.records.is_empty() && self.missing.is_empty() && self.left_out.is_empty();
        empty && self.price.is_none() && !self.more
    }

    /// Tells whether this is a price without the goods.
    #[must_use]
    pub fn is_quote(&self) -> bool {
        self.price.as_ref().is_some_and(|price| !price.bought)
    }

    /// Estimates the bytes that the answer takes in memory.
    #[must_use]
    pub fn weight(&self) -> usize {
        let pairs = self.rest.iter().flat_map(|rest| &rest.query);
        let rest: usize = pairs.map(|(name, value)| name.len() + value.len() + 64).sum();
        let left_out: usize = self.left_out.iter().map(|left| left.what.len() + 48).sum();
        256 + rest + left_out + self.records.iter().map(Record::weight).sum::<usize>()
    }
}

/// Says why access was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// The vendor refuses the server's key.
    ServerKey,
    /// The vendor refuses the user's own key.
    UserKey,
    /// The product is not in the subscription.
    NotEntitled,
    /// No key is configured.
    NoKey,
    /// The token may not do this (for example buy).
    Scope,
    /// The price is over the configured maximum.
    Price,
    /// The asker's marking (TLP, PAP) keeps the question from leaving.
    Marking,
}

/// Says how a question failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// A rate or a budget stands in the way; `until` says when it opens.
    Limited,
    /// Access was denied.
    Denied(Denial),
    /// The vendor could not be reached or answered with an error.
    Unavailable,
    /// The deadline passed.
    TimedOut,
    /// The vendor's answer could not be understood.
    Malformed,
    /// The vendor cannot answer this question (for example a report that is too large).
    Refused,
}

impl FailureKind {
    /// Returns the word used in logs, metrics and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::Denied(_) => "denied",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Malformed => "malformed",
            Self::Refused => "refused",
        }
    }
}

/// Holds a failure as data; text for people is made at the frontend from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// The provider asked.
    pub provider: String,
    /// The product asked, where one was chosen.
    pub product: Option<String>,
    /// The cause in plain words, without secrets and without the vendor's markup.
    pub message: String,
    /// When it makes sense to ask again.
    pub until: Option<Timestamp>,
    /// Whether a budget or a rate that is configured here stands in the way, and not one of the vendor's.
    #[serde(default)]
    pub is_own_limit: bool,
    /// What the ledger was charged for the attempt, in plain words; empty when nothing.
    pub charged: String,
}

impl Failure {
    /// Makes a failure without product, time and charge.
    #[must_use]
    pub fn new(kind: FailureKind, provider: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            provider: provider.to_owned(),
            product: None,
            message: message.into(),
            until: None,
            is_own_limit: false,
            charged: String::new(),
        }
    }

    /// Says that a limit configured here stands in the way, and returns the failure.
    #[must_use]
    pub fn by_own_limit(mut self) -> Self {
        self.is_own_limit = true;
        self
    }

    /// Names the product and returns the failure.
    #[must_use]
    pub fn of(mut self, product: &str) -> Self {
        self.product = Some(product.to_owned());
        self
    }

    /// Sets when it makes sense to ask again and returns the failure.
    #[must_use]
    pub fn until(mut self, until: Option<Timestamp>) -> Self {
        self.until = until;
        self
    }
}

/// Says what became of a question. Every frontend renders the same outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Something is known (whole or partial), or a price is quoted.
    Found(Arc<Answer>),
    /// The provider answered, and knows nothing.
    NotFound(Arc<Answer>),
    /// The question failed.
    Failed(Failure),
}

impl Outcome {
    /// Sorts an answer into found and not found.
    #[must_use]
    pub fn of(answer: Arc<Answer>) -> Self {
        if answer.is_not_found() {
            Self::NotFound(answer)
        } else {
            Self::Found(answer)
        }
    }

    /// Returns the word used in logs and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Found(answer) if answer.is_quote() => "quoted",
            Self::Found(answer) if !answer.missing.is_empty() => "partial",
            Self::Found(_) => "found",
            Self::NotFound(_) => "not_found",
            Self::Failed(failure) => failure.kind.name(),
        }
    }
}
