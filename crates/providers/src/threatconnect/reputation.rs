//! Answers how the owners of an indicator rate it. The same indicator exists once in each owner that has it.

use std::cmp::Reverse;

use super::groups::known_hash;
use super::indicators::indicator;
use super::{DESCRIPTOR, INDICATORS, ORIGIN, tql};
use crate::kit::common::{one, one_query, uncovered};
use crate::kit::rows::{Row, Rows, SkipReason};
use crate::kit::tolerant::{Node, clean, json, malformed};
use crate::{Call, Lookup, ProviderError, Step};
use pivotd_domain::{Query, Record, Value};

/// How many owners are asked for, and how many of them are told.
const PAGE: usize = 100;
const MOST_OWNERS: usize = 5;
/// How many of an owner's tags are told.
const MOST_TAGS: usize = 30;

/// Starts a look-up: one call for the indicator in every owner that the API user can see.
///
/// # Errors
/// [`ProviderError::Unsupported`] for a hash that the vendor keeps of no file.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    known_hash(&query)?;
    let mut call = Call::get(ORIGIN, INDICATORS, "/v3/indicators").with("tql", tql::listed(&query.indicator));
    for field in ["tags", "threatAssess", "falsePositives"] {
        call.add("fields", field);
    }
    call.add("resultStart", "0");
    call.add("resultLimit", PAGE.to_string());
    Ok(one(call, move |reply| {
        let body = reply.map(|reply| json(&reply)).transpose()?;
        let root = body.as_ref().map(Node::of);
        let data = root.map(|root| root.get("data"));
        if data.is_some_and(|data| !data.exists()) {
            return Err(malformed("data"));
        }
        let (mut held, mut rows) = (Vec::new(), Rows::default());
        for row in data.into_iter().flat_map(Node::rows) {
            match OwnerIndicator::read(row) {
                Some(one) if one.is(&query) => held.push(one),
                // A server that did not filter gives others.
                Some(_) => rows.extend([Row::LeftOut(SkipReason::Elsewhere, None)]),
                None => rows.lose(1),
            }
        }
        let (records, mut notes) = told(held);
        if root.is_some_and(|root| root.get("next").exists()) {
            notes.push(format!("The first {PAGE} owners; ThreatConnect has more."));
        }
        rows.extend(records.into_iter().map(Row::Record));
        let mut found = rows.answer(&DESCRIPTOR, query, INDICATORS)?;
        uncovered(&mut found, &notes);
        Ok(Step::Done(vec![found]))
    }))
}

/// Holds an indicator as one owner has it.
struct OwnerIndicator {
    record: Record,
    /// From 0 to 5 in the vendor's skulls; 0 is none.
    rating: Option<f64>,
    /// From 0 to 100; 0 is none.
    confidence: Option<i64>,
    /// How often it was reported as a false positive.
    false_positives: u64,
}

impl OwnerIndicator {
    fn read(row: Node<'_>) -> Option<Self> {
        let record = indicator(row)?;
        let wrong = row.get("falsePositives");
        let list = wrong.get("data");
        Some(Self {
            rating: record
                .text("rating")
                .and_then(|text| text.parse().ok())
                .filter(|rating| *rating > 0.0),
            confidence: integer(&record, "confidence").filter(|percent| *percent > 0),
            false_positives: wrong
                .count()
                .or_else(|| wrong.get("count").count())
                .unwrap_or_else(|| list.many().count() as u64),
            record,
        })
    }

    /// Tells whether it is the indicator that was asked about.
    fn is(&self, query: &Query) -> bool {
        const NAMES: [&str; 8] = ["host", "ip", "url", "email", "md5", "sha1", "sha256", "value"];
        let asked = query.indicator.value();
        let is = |name: &&str| {
            let text = self.record.text(name);
            // The local part of an address is kept as it was typed.
            text.is_some_and(|text| text == asked || (*name == "email" && text.eq_ignore_ascii_case(asked)))
        };
        NAMES.iter().any(is)
    }

    /// Returns the rating on a scale from 0 to 100. One that its owner holds for possible, or that has no confidence, counts
    /// whole; one that its owner doubts stays below a high threat; what is improbable counts by its confidence.
    fn value(&self) -> Option<i64> {
        const DOUBTFUL: i64 = 30;
        const POSSIBLE: i64 = 50;
        const BELOW_HIGH: f64 = 79.0;
        let rating = self.rating? * 20.0;
        let value = match self.confidence {
            Some(percent) if percent < DOUBTFUL => {
                rating * f64::from(i32::try_from(percent).unwrap_or(0)) / 100.0
            }
            Some(percent) if percent < POSSIBLE => rating.min(BELOW_HIGH),
            _ => rating,
        };
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
        Some((value + 0.5).floor() as i64)
    }

    fn owner(&self) -> String {
        let owner = self.record.text("owner");
        owner.map_or_else(|| "an owner".to_owned(), |owner| clean(&owner))
    }

    /// Makes the owner's record: measure `rating` with a value from 0 to 100, or `listed` where nothing is rated.
    fn told(&self) -> Record {
        let owner = self.owner();
        let value = self.value();
        let why = match (self.rating, self.confidence) {
            (Some(rating), Some(percent)) => {
                format!("rating {rating:.1}, confidence {percent} by {owner}")
            }
            (Some(rating), None) => format!("rating {rating:.1} by {owner}, without a confidence"),
            (None, Some(percent)) => format!("listed by {owner}, confidence {percent}, not rated"),
            (None, None) => format!("listed by {owner}, not rated"),
        };
        let mut reasons = vec![why];
        match self.false_positives {
            0 => {}
            1 => reasons.push("reported as a false positive once".to_owned()),
            many => reasons.push(format!("reported as a false positive {many} times")),
        }
        let tags = match self.record.get("tags") {
            Some(Value::Texts(tags)) => tags.iter().take(MOST_TAGS).cloned().collect(),
            _ => Vec::new(),
        };
        let record = match value {
            Some(value) => Record::new()
                .with("measure", "rating")
                .with("value", value)
                .with("scale", "0-100"),
            None => Record::new().with("measure", "listed").with("word", "listed"),
        };
        record
            .with("reasons", reasons)
            .with_some("first_seen", self.record.day("first_seen"))
            .with_some("last_seen", self.record.day("last_seen"))
            .with("tags", tags)
            .with_some("link", self.record.get("link").cloned())
    }
}

/// Makes the records: the vendor's own score once, as measure `threat-assess`, then each owner's, the weightiest first.
/// Also says how many owners are left out.
fn told(mut held: Vec<OwnerIndicator>) -> (Vec<Record>, Vec<String>) {
    let scores = held
        .iter()
        .filter_map(|held| Some((integer(&held.record, "score")?, held)));
    let mut records: Vec<Record> = scores
        .max_by_key(|(score, held)| (*score, held.record.day("last_seen")))
        .map(|(score, held)| {
            Record::new()
                .with("measure", "threat-assess")
                .with("value", score)
                .with("scale", "0-1000")
                .with("reasons", vec![format!("ThreatAssess score {score} of 1000")])
                .with_some("last_seen", held.record.day("last_seen"))
                .with_some("link", held.record.get("link").cloned())
        })
        .into_iter()
        .collect();
    held.sort_by_cached_key(|held| {
        let newest = held.record.day("last_seen");
        (Reverse(held.value()), Reverse(newest), held.owner())
    });
    let more = held.len().saturating_sub(MOST_OWNERS);
    records.extend(held.iter().take(MOST_OWNERS).map(OwnerIndicator::told));
    let notes = match more {
        0 => Vec::new(),
        1 => vec!["1 more owner has it.".to_owned()],
        many => vec![format!("{many} more owners have it.")],
    };
    (records, notes)
}

fn integer(record: &Record, name: &str) -> Option<i64> {
    match record.get(name) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}
