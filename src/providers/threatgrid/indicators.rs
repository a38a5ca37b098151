//! Asks which contacts the vendor's behavioral indicators name, and how severe and sure these are.
//!
//! The streams of a run hold everything that it contacted, updates of the operating system included. The feeds of
//! indicators hold only what a behavior names, with severity and confidence from 0 to 100; the vendor starts both at
//! 80. They are asked only where the question sets a threshold.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ANALYSIS;
use super::common::{call, number};
use super::reports::parsed;
use super::search::{Run, texts};
use crate::domain::{IndicatorKind, Query};
use crate::providers::tolerant::{Node, address, host};
use crate::providers::{Call, Replied};

/// How many rows one feed returns; the vendor's default.
const PAGE: usize = 100;

/// The feeds that name contacts, with the record's field.
pub(super) const FEEDS: [(&str, &str, &str); 3] = [
    ("domains", "domain", "host"),
    ("ips", "ip", "ip"),
    ("urls", "url", "url"),
];

/// Says how strict a question is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Threshold {
    pub(super) severity: i64,
    pub(super) confidence: i64,
}

impl Threshold {
    /// Returns the question's threshold; `None` where it takes all contacts.
    pub(super) fn of(query: &Query) -> Option<Self> {
        let threshold = Self {
            severity: number(query, "severity"),
            confidence: number(query, "confidence"),
        };
        (threshold.severity > 0 || threshold.confidence > 0).then_some(threshold)
    }

    /// Makes the calls to the feeds, one for all runs each.
    pub(super) fn calls(self, query: &Query, runs: &[&Run]) -> Vec<Call> {
        let ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
        let day = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
        let times = || runs.iter().filter_map(|run| run.at);
        // The feeds want a window; the days of the runs hold their rows, and what is unknown is the question's.
        let after = times()
            .min()
            .map(|time| day(time).to_string())
            .or_else(|| query.param("since").map(str::to_owned))
            .map(|day| format!("{day}T00:00:00Z"));
        let before = times()
            .max()
            .and_then(|time| day(time).tomorrow().ok())
            .map(|day| day.to_string())
            .or_else(|| query.param("until").map(str::to_owned))
            .map(|day| format!("{day}T23:59:59Z"));
        FEEDS
            .iter()
            .map(|(feed, ..)| {
                let mut call = call(ANALYSIS, format!("/api/v2/iocs/feeds/{feed}"))
                    .with("sample", ids.join(","))
                    .with("severity", self.severity.to_string())
                    .with("confidence", self.confidence.to_string())
                    .with("limit", PAGE.to_string());
                for (name, time) in [("after", &after), ("before", &before)] {
                    if let Some(time) = time {
                        call.add(name, time);
                    }
                }
                call
            })
            .collect()
    }
}

/// Holds what the behaviors say of one contact.
#[derive(Debug, Clone, Default)]
pub(super) struct Rating {
    pub(super) severity: Option<i64>,
    pub(super) confidence: Option<i64>,
    pub(super) behaviors: Vec<String>,
}

/// Holds the contacts that behaviors name.
#[derive(Debug, Default)]
pub(super) struct Ratings {
    by_value: HashMap<(&'static str, String), Rating>,
    /// The fields whose feed failed, so that nothing is known of them.
    unknown: Vec<&'static str>,
    pub(super) missing: Vec<String>,
}

impl Ratings {
    /// Reads the feeds' replies.
    pub(super) fn read(threshold: Threshold, replies: Vec<Replied>) -> Self {
        let mut ratings = Self::default();
        for ((feed, name, field), replied) in FEEDS.into_iter().zip(replies) {
            match parsed(replied) {
                Ok(Some(body)) => {
                    let data = Node::of(&body).get("data");
                    let rows = if data.is_list() { data } else { data.get("items") };
                    let count = rows.many().take(PAGE).count();
                    if count == PAGE {
                        let text = format!("the feed of {feed} gave its first {count} rows");
                        ratings.missing.push(text);
                    }
                    for row in rows.many() {
                        ratings.take(threshold, field, row.get(name), row);
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    ratings.unknown.push(field);
                    ratings
                        .missing
                        .push(format!("{feed} are not held against the thresholds: {error}"));
                }
            }
        }
        ratings
    }

    fn take(&mut self, threshold: Threshold, field: &'static str, value: Node<'_>, row: Node<'_>) {
        let Some(value) = value.text().and_then(|text| match field {
            "host" => host(&text),
            "ip" => address(&text),
            _ => super::common::canonical(IndicatorKind::Url, &text),
        }) else {
            return;
        };
        let percent = |name: &str| {
            row.get(name)
                .integer()
                .filter(|number| (0..=100).contains(number))
        };
        let (severity, confidence) = (percent("severity"), percent("confidence"));
        // The vendor filters; an appliance of an old version may not.
        if severity.is_some_and(|severity| severity < threshold.severity)
            || confidence.is_some_and(|confidence| confidence < threshold.confidence)
        {
            return;
        }
        let rating = self.by_value.entry((field, value)).or_default();
        rating.severity = rating.severity.max(severity);
        rating.confidence = rating.confidence.max(confidence);
        rating.behaviors.extend(row.get("ioc").text());
        rating.behaviors = texts(std::mem::take(&mut rating.behaviors).into_iter());
    }

    /// Returns what is said of a contact.
    pub(super) fn of(&self, field: &'static str, value: &str) -> Option<&Rating> {
        self.by_value.get(&(field, value.to_owned()))
    }

    /// Tells whether a contact passes: it is named itself, or it went to a host or address that is.
    pub(super) fn pass(&self, field: &'static str, value: &str, to: &[String]) -> bool {
        let named = |field: &'static str, value: &str| {
            self.unknown.contains(&field) || self.of(field, value).is_some()
        };
        named(field, value)
            || to.iter().any(|to| {
                let field = if address(to).is_some() { "ip" } else { "host" };
                named(field, to)
            })
    }
}
