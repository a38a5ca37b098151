//! What a source's own numbers and words mean: from a record on the vendor's scale to evidence.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::evidence::{
    BenignClass, Evidence, EvidenceStatus, Knowledge, Millionths, Polarity, RawScore, RawValue, Reliability,
    printable,
};
use super::policy::{Rules, SourceRules};
use pivotd_domain::{Record, Value};

const DAY: i64 = 86_400;

/// Says what a measure's numbers or words mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Calibration {
    /// The source publishes a risk from 0 to 100, which passes through as it is.
    Published,
    /// Between these points a number's probability lies on a straight line; outside them it is that of the nearest.
    Points(Vec<(i64, Millionths)>),
    /// As points, of the days since the record's first date; past the last point age says nothing.
    Age(Vec<(i64, Millionths)>),
    /// Words and what they mean; a word that is not listed says nothing.
    Words(BTreeMap<String, WordMeaning>),
}

impl Calibration {
    /// Tells whether it has words that hold a score down.
    #[must_use]
    pub fn speaks_for(&self) -> bool {
        let down = |meaning: &WordMeaning| {
            matches!(
                meaning,
                WordMeaning::Benign(BenignClass::Hard | BenignClass::Soft)
            )
        };
        matches!(self, Self::Words(words) if words.values().any(down))
    }

    /// Returns the most that it can say against an indicator: the greatest probability, and the word that says so where
    /// it has words; of words that are circumstances and of those that are not, each its own.
    fn greatest(&self, measure: &str, own: &SourceRules) -> Vec<(Option<&str>, Millionths)> {
        match self {
            Self::Words(words) => {
                let mut greatest: BTreeMap<Knowledge, (Option<&str>, Millionths)> = BTreeMap::new();
                for (word, meaning) in words {
                    let WordMeaning::Malicious(probability) = *meaning else {
                        continue;
                    };
                    let said = (Some(word.as_str()), probability);
                    let max = greatest
                        .entry(own.knowledge(measure, Some(word.as_str())))
                        .or_insert(said);
                    if probability > max.1 {
                        *max = said;
                    }
                }
                greatest.into_values().collect()
            }
            _ if self.counts() => vec![(None, self.highest())],
            _ => Vec::new(),
        }
    }

    /// Returns the highest probability that speaks against an indicator.
    #[must_use]
    pub fn highest(&self) -> Millionths {
        let highest = match self {
            Self::Published => Some(Millionths::ONE),
            Self::Points(points) | Self::Age(points) => points.iter().map(|(_, share)| *share).max(),
            Self::Words(words) => words.values().filter_map(WordMeaning::against).max(),
        };
        highest.unwrap_or(Millionths::ZERO)
    }

    /// Returns what becomes this once a weight was taken of it; at most certain.
    #[must_use]
    pub fn before(&self, weight: Millionths) -> Self {
        let points = |points: &[(i64, Millionths)]| {
            let before = |(at, share): &(i64, Millionths)| (*at, share.before(weight));
            points.iter().map(before).collect()
        };
        match self {
            Self::Published => Self::Published,
            Self::Points(given) => Self::Points(points(given)),
            Self::Age(given) => Self::Age(points(given)),
            Self::Words(words) => {
                let before = |(word, meaning): (&String, &WordMeaning)| {
                    let meaning = match meaning {
                        WordMeaning::Malicious(share) => WordMeaning::Malicious(share.before(weight)),
                        benign @ WordMeaning::Benign(_) => *benign,
                    };
                    (word.clone(), meaning)
                };
                Self::Words(words.iter().map(before).collect())
            }
        }
    }

    /// Tells whether anything that is measured counts; what does not is told only.
    #[must_use]
    pub fn counts(&self) -> bool {
        match self {
            Self::Published => true,
            Self::Points(points) | Self::Age(points) => !points.is_empty(),
            Self::Words(words) => !words.is_empty(),
        }
    }
}

/// Says what a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WordMeaning {
    /// It speaks against the indicator, with this probability.
    Malicious(Millionths),
    /// It speaks for it.
    Benign(BenignClass),
}

impl WordMeaning {
    /// Returns the probability with which it speaks against an indicator.
    fn against(&self) -> Option<Millionths> {
        match self {
            Self::Malicious(probability) => Some(*probability),
            Self::Benign(_) => None,
        }
    }
}

/// Says where an answer came from and how old it is.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// When it was retrieved.
    pub retrieved_at: Option<Timestamp>,
    /// Seconds since then.
    pub age_s: Option<u64>,
    /// Whether it came from the cache.
    pub cached: bool,
    /// Whether it is past its time.
    pub stale: bool,
}

impl Origin {
    /// Is what was not retrieved but found out here.
    pub const HERE: Self = Self {
        retrieved_at: None,
        age_s: None,
        cached: false,
        stale: false,
    };
}

/// Returns the most that a source can say against an indicator on some measures, at once and now.
pub(super) fn greatest<'a>(
    source: &str,
    measures: impl Iterator<Item = (&'a String, &'a Calibration)>,
    rules: &Rules,
) -> Vec<Evidence> {
    let nothing = SourceRules::default();
    let own = rules.source(source).unwrap_or(&nothing);
    let mut found = Vec::new();
    for (measure, calibration) in measures {
        for (word, probability) in calibration.greatest(measure, own) {
            found.push(Evidence {
                measure: measure.clone(),
                family: own.family.clone().unwrap_or_else(|| source.to_owned()),
                reliability: own.reliability.unwrap_or(Reliability::C),
                polarity: Polarity::Malicious,
                probability: Some(probability),
                passthrough: *calibration == Calibration::Published,
                knowledge: own.knowledge(measure, word),
                ..Evidence::absent(source, EvidenceStatus::Ok)
            });
        }
    }
    found
}

/// Makes evidence of what a source says, by the rules; a measure that they do not know says neither for nor against.
#[must_use]
pub fn from_record(
    source: &str,
    record: &Record,
    rules: &Rules,
    origin: &Origin,
    now: Timestamp,
) -> Evidence {
    let status = if origin.stale {
        EvidenceStatus::Stale
    } else {
        EvidenceStatus::Ok
    };
    let own = rules.source(source);
    let first = record.time("first_seen");
    let mut evidence = Evidence {
        family: own
            .and_then(|own| own.family.clone())
            .unwrap_or_else(|| source.to_owned()),
        reliability: own.and_then(|own| own.reliability).unwrap_or(Reliability::C),
        observed_at: record.time("last_seen"),
        age_s: origin.age_s,
        cached: origin.cached,
        retrieved_at: origin.retrieved_at,
        reasons: reasons(record),
        ..Evidence::absent(source, status)
    };
    let Some(measure) = record.text("measure") else {
        return evidence;
    };
    evidence.measure = measure.into_owned();
    let number = match record.get("value") {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    let word = record.text("word").map(|word| printable(&word));
    let scale = record
        .text("scale")
        .map(|scale| printable(&scale))
        .unwrap_or_default();
    evidence.raw = number
        .map(RawValue::Whole)
        .or_else(|| word.clone().map(RawValue::Text))
        .map(|value| RawScore { value, scale });
    evidence.word.clone_from(&word);
    evidence.first_seen = first;
    evidence.knowledge = own.map_or(Knowledge::Indicator, |own| {
        own.knowledge(&evidence.measure, word.as_deref())
    });
    let calibration = own.and_then(|own| own.measures.get(&evidence.measure));
    evidence.lasting = own.is_some_and(|own| own.lasting.contains(&evidence.measure));
    evidence.scaled =
        own.is_some_and(|own| matches!(own.alone.get(&evidence.measure), Some(Calibration::Points(_))));
    let said = match calibration {
        None => return evidence,
        Some(Calibration::Published) => {
            let Some(number) = number else { return evidence };
            let Some(percent) = u8::try_from(number).ok().filter(|percent| *percent <= 100) else {
                evidence.status = EvidenceStatus::ProviderError;
                evidence.reasons.insert(0, format!("{number} is off the scale"));
                return evidence;
            };
            evidence.passthrough = true;
            Some(WordMeaning::Malicious(Millionths::percent(percent)))
        }
        Some(Calibration::Points(points)) => number
            .and_then(|number| between(points, number))
            .map(WordMeaning::Malicious),
        Some(Calibration::Age(points)) => {
            evidence.observed_at = None;
            evidence.says_until = first.and_then(|first| next_day(first, now));
            first
                .and_then(|first| aged(points, first, now))
                .map(WordMeaning::Malicious)
        }
        Some(Calibration::Words(words)) => word.and_then(|word| words.get(&word).copied()),
    };
    match said {
        Some(WordMeaning::Malicious(probability)) => {
            evidence.polarity = Polarity::Malicious;
            evidence.probability = Some(probability);
        }
        Some(WordMeaning::Benign(class)) => {
            evidence.polarity = Polarity::Benign(class);
            evidence.probability = Some(Millionths::ZERO);
        }
        None => {}
    }
    evidence
}

/// Takes the vendor's reasons. The number comes first, unless they begin with it: it is what was calibrated.
fn reasons(record: &Record) -> Vec<String> {
    let given: Vec<String> = match record.get("reasons") {
        Some(Value::Texts(texts)) => texts.iter().take(5).map(|text| printable(text)).collect(),
        _ => Vec::new(),
    };
    let said = match record.get("value") {
        // Where a word stands beside the number, the word is what counts.
        Some(Value::Integer(number)) => Some(match record.text("word") {
            Some(word) => format!("{number}, {}", printable(&word)),
            None => number.to_string(),
        }),
        // A word is said by its reasons, where there are any.
        _ => record
            .text("word")
            .filter(|_| given.is_empty())
            .map(|word| printable(&word)),
    };
    let starts = |said: &String| {
        given
            .first()
            .is_some_and(|first| first.starts_with(said.as_str()))
    };
    let measure = record.text("measure").unwrap_or_default();
    let number = said
        .filter(|said| !starts(said))
        .map(|said| format!("{measure} {said}"));
    number.into_iter().chain(given).collect()
}

/// Finds the probability of a number on the line between the points beside it.
fn between(points: &[(i64, Millionths)], number: i64) -> Option<Millionths> {
    let after = points.partition_point(|(at, _)| *at <= number);
    let Some(before) = after.checked_sub(1) else {
        return points.first().map(|(_, probability)| *probability);
    };
    let (from, low) = *points.get(before)?;
    let Some((to, high)) = points.get(after) else {
        return Some(low);
    };
    let (low, high) = (i128::from(low.get()), i128::from(high.get()));
    let (part, whole) = (
        i128::from(number) - i128::from(from),
        i128::from(*to) - i128::from(from),
    );
    let millionths = low + (high - low) * part / whole.max(1);
    Some(Millionths::new(u32::try_from(millionths).unwrap_or(0)))
}

/// Counts whole days from the first date; none before it.
fn days(first: Timestamp, now: Timestamp) -> i64 {
    now.as_second().saturating_sub(first.as_second()).max(0) / DAY
}

/// Finds out when it will be a day more.
fn next_day(first: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let second = first.as_second().saturating_add((days(first, now) + 1) * DAY);
    Timestamp::from_second(second).ok()
}

/// Finds the probability by age in days; `None` past the last point.
fn aged(points: &[(i64, Millionths)], first: Timestamp, now: Timestamp) -> Option<Millionths> {
    let days = days(first, now);
    let last = points.last()?.0;
    (days < last).then(|| between(points, days)).flatten()
}

/// Checks that points ascend and have one at least.
///
/// # Errors
/// What is wrong.
pub fn check(points: &[(i64, Millionths)]) -> Result<(), String> {
    if points.is_empty() {
        return Err("expected at least one point [number, per cent]".to_owned());
    }
    if points.windows(2).any(|pair| matches!(pair, [a, b] if a.0 >= b.0)) {
        return Err("points ascend by their first number".to_owned());
    }
    Ok(())
}
