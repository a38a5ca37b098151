//! Knows what answers called a sinkhole, whichever provider gave them: an address, or a name server.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Answer, Capability, Indicator, IndicatorKind, Record, Value};

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

/// Holds marks by the canonical value that they are about. Of several the newest counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks(BTreeMap<String, Mark>);

static NONE: Marks = Marks(BTreeMap::new());

impl Marks {
    /// Returns no marks.
    #[must_use]
    pub fn none() -> &'static Self {
        &NONE
    }

    /// Adds all marks of others.
    pub fn join(&mut self, others: &Self) {
        for (value, mark) in &others.0 {
            self.add(value, mark.clone());
        }
    }

    /// Adds a mark, unless a newer one is there.
    pub fn add(&mut self, value: &str, mark: Mark) {
        match self.0.get(value) {
            Some(known) if known.at >= mark.at => {}
            _ => {
                self.0.insert(value.to_owned(), mark);
            }
        }
    }

    /// Returns the mark of a canonical value.
    #[must_use]
    pub fn of(&self, value: &str) -> Option<&Mark> {
        self.0.get(value)
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the first time at which one of them no longer counts.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.0.values().map(|mark| mark.until).min()
    }

    /// Drops what no longer counts.
    pub fn expire(&mut self, now: Timestamp) {
        self.0.retain(|_, mark| now < mark.until);
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
    if let Some(Value::Flag(flag)) = record.get("sinkhole") {
        return *flag;
    }
    ["tags", "classification", "word"]
        .iter()
        .any(|name| match record.get(name) {
            Some(Value::Texts(texts)) => texts.iter().any(|text| is_word(text)),
            Some(Value::Text(text)) => is_word(text),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Query, Source};

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

    #[test]
    fn the_newest_mark_counts_until_its_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mark = |provider: &str, day: &str| Mark {
            provider: provider.to_owned(),
            at: at(&format!("{day}T00:00:00Z")),
            until: at("2026-12-01T00:00:00Z"),
        };
        let mut marks = Marks::default();
        marks.add("192.0.2.7", mark("acme", "2026-11-02"));
        marks.add("192.0.2.7", mark("other", "2026-11-01"));
        assert_eq!(marks.of("192.0.2.7").unwrap().source(), "acme, 2026-11-02");
        marks.expire(at("2026-12-01T00:00:00Z"));
        assert!(marks.is_empty());
    }
}
