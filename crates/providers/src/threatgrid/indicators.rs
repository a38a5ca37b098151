//! Asks which contacts the vendor's behavioral indicators name, and how severe and sure these are.
//!
//! The streams of a run hold everything that it contacted, updates of the operating system included. The feeds of
//! indicators hold only what a behavior names, with severity and confidence from 0 to 100; the vendor starts both at
//! 80. They are asked only where the question sets a threshold.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ANALYSIS;
use super::common::{call, number};
use super::list::List;
use super::reports::parsed;
use super::search::{Run, texts};
use crate::kit::tolerant::{Node, address, host};
use crate::{Call, Replied};
use pivotd_domain::{IndicatorKind, Query};

/// How many pages of one feed are read.
const MOST_PAGES: usize = 3;
/// The most calls that all feeds of one question take.
pub(super) const MOST_CALLS: usize = FEEDS.len() * MOST_PAGES;

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

    /// Begins the feeds, one for all runs each.
    fn lists(self, query: &Query, runs: &[&Run]) -> Vec<List> {
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
                    .with("confidence", self.confidence.to_string());
                for (name, time) in [("after", &after), ("before", &before)] {
                    if let Some(time) = time {
                        call.add(name, time);
                    }
                }
                List::new(call, MOST_PAGES)
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

/// Holds one feed on its way.
struct Feed {
    /// Its name, the vendor's name of the value, and the record's field.
    names: (&'static str, &'static str, &'static str),
    list: List,
    /// How many rows were of runs that were not asked for.
    foreign: usize,
    /// How many rows had no value.
    unreadable: usize,
    /// Why the rest of it could not be read.
    failed: Option<String>,
}

/// Reads the feeds page by page.
pub(super) struct Feeds {
    threshold: Threshold,
    /// The runs that were asked for.
    runs: HashSet<String>,
    feeds: Vec<Feed>,
    ratings: Ratings,
}

impl Feeds {
    /// Begins to read what the behaviors of these runs name.
    pub(super) fn new(threshold: Threshold, query: &Query, runs: &[&Run]) -> Self {
        let lists = threshold.lists(query, runs);
        let feed = |(names, list)| Feed {
            names,
            list,
            foreign: 0,
            unreadable: 0,
            failed: None,
        };
        Self {
            threshold,
            runs: runs.iter().map(|run| run.id.clone()).collect(),
            feeds: FEEDS.into_iter().zip(lists).map(feed).collect(),
            ratings: Ratings::default(),
        }
    }

    /// Returns the calls for the next pages; none where all is read.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.feeds.iter().filter_map(|feed| feed.list.next()).collect()
    }

    /// Takes the replies to these calls in.
    pub(super) fn take(&mut self, replies: Vec<Replied>) {
        let open = self.feeds.iter_mut().filter(|feed| feed.list.next().is_some());
        for (feed, replied) in open.zip(replies) {
            let body = match parsed(replied) {
                Ok(Some(body)) => body,
                // An empty feed is a list. This one may not exist, which says nothing of the contacts.
                Ok(None) => {
                    feed.stop("the vendor does not have it".to_owned());
                    continue;
                }
                Err(error) => {
                    feed.stop(error.to_string());
                    continue;
                }
            };
            match feed.list.take(&body) {
                Ok(rows) => feed.read(&rows, &self.runs, self.threshold, &mut self.ratings),
                Err(error) => feed.stop(error.to_string()),
            }
        }
    }

    /// Returns what the feeds said.
    pub(super) fn ratings(mut self) -> Ratings {
        for feed in &self.feeds {
            feed.tell(&mut self.ratings);
        }
        self.ratings
    }
}

impl Feed {
    fn stop(&mut self, why: String) {
        self.list.stop();
        self.failed = Some(why);
    }

    fn read(
        &mut self,
        rows: &[Node<'_>],
        runs: &HashSet<String>,
        threshold: Threshold,
        ratings: &mut Ratings,
    ) {
        let (_, name, field) = self.names;
        for row in rows {
            let sample = row.get("sample_id").text();
            if sample.is_some_and(|sample| !runs.contains(&sample)) {
                self.foreign += 1;
            } else if row.get(name).text().is_none() {
                self.unreadable += 1;
            } else {
                ratings.take(threshold, field, row.get(name), *row);
            }
        }
    }

    /// Says what of it is missing, and whether it says nothing at all.
    fn tell(&self, ratings: &mut Ratings) {
        let (name, _, field) = self.names;
        let rows = self.list.rows();
        let nothing = match &self.failed {
            Some(why) if rows == 0 => Some(why.clone()),
            _ if rows > 0 && self.foreign == rows => Some("the feed gave rows of other samples".to_owned()),
            _ if rows > 0 && self.foreign + self.unreadable == rows => {
                Some("no row of the feed could be read".to_owned())
            }
            _ => None,
        };
        if let Some(why) = nothing {
            ratings.unknown.push(field);
            ratings
                .missing
                .push(format!("{name} are not held against the thresholds: {why}"));
            return;
        }
        if self.unreadable > 0 {
            let count = self.unreadable;
            ratings
                .missing
                .push(format!("{count} rows of the feed of {name} could not be read"));
        }
        let why = self
            .failed
            .as_ref()
            .map(|why| format!(": {why}"))
            .unwrap_or_default();
        if let Some(unread) = self.list.unread("rows") {
            ratings
                .missing
                .push(format!("the feed of {name} was read in part ({unread}){why}"));
        }
    }
}

impl Ratings {
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
    pub(super) fn pass(&self, field: &'static str, value: &str, to: &BTreeSet<String>) -> bool {
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
