//! Knows what answers called a sinkhole, whichever provider gave them: an address, or a name server.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use super::{Answer, Capability, FieldId, Indicator, IndicatorKind, Record, Value};

/// Says who called something a sinkhole, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The provider's name in settings.
    pub provider: String,
    /// When the answer was retrieved.
    pub at: Timestamp,
    /// Until when it counts.
    pub until: Timestamp,
}

impl Mark {
    /// Says who says so, and of when that is.
    #[must_use]
    pub fn source(&self) -> String {
        let day = self.at.to_zoned(jiff::tz::TimeZone::UTC).date();
        format!("{}, {day}", self.provider)
    }
}

/// Holds marks by the canonical value that they are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarksByValue {
    values: BTreeMap<String, Vec<Mark>>,
    /// How many marks count until when.
    untils: BTreeMap<Timestamp, usize>,
}

impl MarksByValue {
    /// Adds a mark.
    pub fn add(&mut self, value: &str, mark: Mark) {
        *self.untils.entry(mark.until).or_default() += 1;
        self.values.entry(value.to_owned()).or_default().push(mark);
    }

    /// Takes a mark back that was added.
    pub fn take_back(&mut self, value: &str, mark: &Mark) {
        let Some(marks) = self.values.get_mut(value) else {
            return;
        };
        let Some(at) = marks.iter().position(|known| known == mark) else {
            return;
        };
        marks.swap_remove(at);
        if marks.is_empty() {
            self.values.remove(value);
        }
        if let Some(count) = self.untils.get_mut(&mark.until) {
            *count -= 1;
            if *count == 0 {
                self.untils.remove(&mark.until);
            }
        }
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Is what the marks of some scopes say at a time.
#[derive(Debug, Clone)]
pub struct Marks {
    scopes: Vec<Arc<MarksByValue>>,
    now: Timestamp,
}

static NONE: Marks = Marks {
    scopes: Vec::new(),
    now: Timestamp::MIN,
};

impl Marks {
    /// Takes the marks of these scopes as they count at `now`.
    #[must_use]
    pub fn at(now: Timestamp, scopes: Vec<Arc<MarksByValue>>) -> Self {
        Self { scopes, now }
    }

    /// Returns no marks.
    #[must_use]
    pub fn none() -> &'static Self {
        &NONE
    }

    /// Returns the newest mark of a canonical value that still counts.
    #[must_use]
    pub fn of(&self, value: &str) -> Option<&Mark> {
        self.scopes
            .iter()
            .filter_map(|scope| scope.values.get(value))
            .flatten()
            .filter(|mark| self.now < mark.until)
            .max_by(|a, b| a.at.cmp(&b.at).then_with(|| b.provider.cmp(&a.provider)))
    }

    /// Returns the first time at which one of those that count no longer does.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        let later = (Bound::Excluded(self.now), Bound::Unbounded);
        let first = |scope: &Arc<MarksByValue>| scope.untils.range(later).next().map(|(until, _)| *until);
        self.scopes.iter().filter_map(first).min()
    }
}

/// Lists the addresses and name servers that an answer calls sinkholes, in canonical form.
///
/// A record speaks of the address or host in it; one of details or reputation speaks of what was asked about. What is
/// tagged in a record of a file is the file.
#[must_use]
pub fn sinkholes(answer: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    let asked = &answer.query.indicator;
    let of_asked = matches!(
        answer.query.capability,
        Capability::IpDetails | Capability::Reputation
    ) && matches!(asked.kind(), IndicatorKind::Ipv4 | IndicatorKind::Ipv6);
    for record in answer.records.iter().filter(|record| says_sinkhole(record)) {
        let subjects = ["ip", "nameserver", "host"];
        let named = subjects.iter().find_map(|name| match record.get(name) {
            Some(Value::Text(text)) => Some(canonical(text)),
            _ => None,
        });
        let about = named.or_else(|| of_asked.then(|| asked.value().to_owned()));
        if let Some(about) = about.filter(|about| !found.contains(about)) {
            found.push(about);
        }
    }
    found
}

/// Returns the form by which marks and lists know an address or a name.
#[must_use]
pub fn canonical(text: &str) -> String {
    let kinds = [IndicatorKind::Ipv4, IndicatorKind::Ipv6, IndicatorKind::Hostname];
    let read = kinds
        .into_iter()
        .find_map(|kind| Indicator::parse(kind, text).ok());
    read.map_or_else(
        || text.trim().to_ascii_lowercase(),
        |read| read.value().to_owned(),
    )
}

/// Tells whether a record calls its subject a sinkhole: by its flag, its class or a tag.
#[must_use]
pub fn says_sinkhole(record: &Record) -> bool {
    let is_word = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        words.any(|word| {
            let word = word.to_ascii_lowercase();
            matches!(word.as_str(), "sinkhole" | "sinkholed" | "sinkholes")
        })
    };
    let [flag, words @ ..] = &*SAYING;
    let at = |id: &Option<FieldId>| record.field((*id)?);
    if let Some(Value::Flag(flag)) = at(flag) {
        return *flag;
    }
    words.iter().any(|id| match at(id) {
        Some(Value::Texts(texts)) => texts.iter().any(|text| is_word(text)),
        Some(Value::Text(text)) => is_word(text),
        _ => false,
    })
}

/// The fields that call a record's subject a sinkhole: first the flag, then those that hold words.
static SAYING: LazyLock<[Option<FieldId>; 4]> =
    LazyLock::new(|| ["sinkhole", "tags", "classification", "word"].map(FieldId::of));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Query, Source};

    /// What one record of an answer about 192.0.2.7 marks.
    fn of(capability: Capability, record: &Record) -> Vec<String> {
        let source = Source {
            provider: "acme".to_owned(),
            product: "x".to_owned(),
            blind: None,
        };
        let indicator = Indicator::parse(IndicatorKind::Ipv4, "192.0.2.7").unwrap();
        let answer = Answer::whole(Query::new(capability, indicator), vec![record.clone()], source);
        sinkholes(&answer)
    }

    #[test]
    fn whatever_says_sinkhole_is_heard() {
        let flag = Record::new().with("ip", "2001:DB8::7").with("sinkhole", true);
        let tag = Record::new().with("tags", vec!["c2".to_owned(), "Acme-Sinkhole".to_owned()]);
        let class = Record::new().with("classification", "sinkholed");
        let host = Record::new()
            .with("host", "NS1.Sink.Example.")
            .with("tags", vec!["sinkhole".to_owned()]);
        assert_eq!(of(Capability::IpDetails, &flag), ["2001:db8::7"]);
        assert_eq!(of(Capability::IpDetails, &tag), ["192.0.2.7"]);
        assert_eq!(of(Capability::Reputation, &class), ["192.0.2.7"]);
        assert_eq!(of(Capability::IncidentIndicators, &host), ["ns1.sink.example"]);
    }

    #[test]
    fn what_is_said_of_a_file_or_denied_marks_nothing() {
        let tag = Record::new().with("tags", vec!["sinkhole".to_owned()]);
        let denied = tag.clone().with("ip", "192.0.2.7").with("sinkhole", false);
        let other = Record::new().with("tags", vec!["sinkholeish".to_owned()]);
        assert!(of(Capability::Samples, &tag).is_empty());
        assert!(of(Capability::IpDetails, &denied).is_empty());
        assert!(of(Capability::IpDetails, &other).is_empty());
    }

    fn at(day: &str) -> Timestamp {
        format!("{day}T00:00:00Z").parse().unwrap()
    }

    fn mark(provider: &str, day: &str, until: &str) -> Mark {
        Mark {
            provider: provider.to_owned(),
            at: at(day),
            until: at(until),
        }
    }

    #[test]
    fn the_newest_mark_that_still_counts_is_told() {
        let (long, short) = (
            mark("acme", "2026-11-01", "2026-12-01"),
            mark("other", "2026-11-02", "2026-11-03"),
        );
        let (mut one, mut two) = (MarksByValue::default(), MarksByValue::default());
        one.add("192.0.2.7", long.clone());
        one.add("192.0.2.7", short.clone());
        two.add("192.0.2.7", mark("third", "2026-10-01", "2027-01-01"));
        let (one, two) = (Arc::new(one), Arc::new(two));
        for (now, source, until) in [
            ("2026-11-02", Some("other, 2026-11-02"), Some("2026-11-03")),
            ("2026-11-03", Some("acme, 2026-11-01"), Some("2026-12-01")),
            ("2026-12-01", Some("third, 2026-10-01"), Some("2027-01-01")),
            ("2027-01-01", None, None),
        ] {
            let marks = Marks::at(at(now), vec![Arc::clone(&one), Arc::clone(&two)]);
            assert_eq!(
                marks.of("192.0.2.7").map(Mark::source).as_deref(),
                source,
                "{now}"
            );
            assert_eq!(marks.until(), until.map(at), "{now}");
            assert_eq!(marks.of("192.0.2.8"), None);
        }
    }

    #[test]
    fn a_mark_that_is_taken_back_leaves_the_others() {
        let (one, other) = (
            mark("acme", "2026-11-01", "2026-12-01"),
            mark("acme", "2026-11-02", "2026-12-02"),
        );
        let mut marks = MarksByValue::default();
        marks.add("192.0.2.7", one.clone());
        let alone = marks.clone();
        marks.add("192.0.2.7", other.clone());
        marks.take_back("192.0.2.7", &other);
        marks.take_back("192.0.2.7", &other);
        marks.take_back("192.0.2.9", &one);
        assert_eq!(marks, alone);
        marks.take_back("192.0.2.7", &one);
        assert!(marks.is_empty() && marks == MarksByValue::default());
    }
}
