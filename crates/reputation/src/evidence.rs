//! What one source said of one indicator, before anything is concluded from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use pivotd_domain::indicator::is_invisible;

/// Counts millionths, from 0 to 1 000 000; serialised as a decimal number from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = f64, minimum = 0.0, maximum = 1.0)]
pub struct Millionths(u32);

impl Millionths {
    /// Holds 0.
    pub const ZERO: Self = Self(0);
    /// Holds 1.
    pub const ONE: Self = Self(1_000_000);

    /// Takes a number of millionths; more than a million is a million.
    pub const fn new(millionths: u32) -> Self {
        if millionths > 1_000_000 {
            Self::ONE
        } else {
            Self(millionths)
        }
    }

    /// Takes whole hundredths; more than a hundred is a hundred.
    pub const fn percent(percent: u8) -> Self {
        Self::new(percent as u32 * 10_000)
    }

    /// Returns the number of millionths.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Multiplies two shares, rounded down to a millionth.
    #[must_use]
    pub const fn times(self, other: Self) -> Self {
        // Neither factor exceeds a million, so the product fits and the quotient is one again.
        Self((self.0 as u64 * other.0 as u64 / 1_000_000) as u32)
    }

    /// Returns the least share of which a weight leaves this one, at most 1.
    #[must_use]
    pub const fn before(self, weight: Self) -> Self {
        if weight.0 == 0 {
            return Self::ONE;
        }
        // Rounded up, as weighing rounds down. The quotient of what is at most a million million fits, once it is capped.
        let share = (self.0 as u64 * 1_000_000).div_ceil(weight.0 as u64);
        if share > 1_000_000 {
            Self::ONE
        } else {
            Self(share as u32)
        }
    }

    /// Returns what is missing to 1.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(1_000_000 - self.0)
    }
}

impl Serialize for Millionths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A correctly rounded quotient prints as its shortest decimal: 870000 as 0.87.
        serializer.serialize_f64(f64::from(self.0) / 1_000_000.0)
    }
}

/// Tells how a source's answer came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceStatus {
    /// The source answered and knows the indicator.
    Ok,
    /// The source answered and does not know the indicator.
    NoData,
    /// The source does not score this kind of indicator; it counts as not asked.
    Unsupported,
    /// Policy, budget or reserve kept the source from being asked.
    Skipped,
    /// The source's rate or quota is used up.
    Limited,
    /// The source did not answer in time.
    Timeout,
    /// The source refused the key or the product.
    AuthError,
    /// The source failed, or its answer could not be read.
    ProviderError,
    /// The source could not be asked and an older answer of its stands in.
    Stale,
}

impl EvidenceStatus {
    /// Tells whether a source that could have known gave no answer.
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Limited | Self::Timeout | Self::AuthError | Self::ProviderError
        )
    }

    /// Says it in words that follow the name of a source.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Ok => "answered",
            Self::NoData => "knows nothing",
            Self::Unsupported => "does not score this kind",
            Self::Skipped => "was not asked",
            Self::Limited => "is limited",
            Self::Timeout => "did not answer in time",
            Self::AuthError => "refused the key",
            Self::ProviderError => "failed",
            Self::Stale => "has only an old answer",
        }
    }
}

/// Grades a source by the Admiralty scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Reliability {
    /// Completely reliable: weight 1, unless the policy says otherwise.
    A,
    /// Usually reliable: weight 0.85.
    B,
    /// Fairly reliable: weight 0.6.
    C,
    /// Not usually reliable: weight 0.35.
    D,
    /// Unreliable: weight 0.15.
    E,
    /// Cannot be judged: weight 0.1.
    F,
}

impl Reliability {
    /// Lists every grade, the best first.
    pub const ALL: [Self; 6] = [Self::A, Self::B, Self::C, Self::D, Self::E, Self::F];

    /// Returns the weight of the source's evidence where the policy has no other.
    pub const fn weight(self) -> Millionths {
        Millionths::percent(match self {
            Self::A => 100,
            Self::B => 85,
            Self::C => 60,
            Self::D => 35,
            Self::E => 15,
            Self::F => 10,
        })
    }
}

/// Tells how benign evidence acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BenignClass {
    /// Positive knowledge that the indicator is good, such as an allow list: caps the score low.
    Hard,
    /// Wide use, such as popularity or shared hosting: caps the score at the threshold.
    Soft,
    /// Worth knowing: a tag in the explanation.
    Context,
}

/// Tells which way evidence points; serialised as its [`Direction`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Polarity {
    /// Its probability is that of the indicator being malicious.
    Malicious,
    /// It speaks for the indicator.
    Benign(BenignClass),
    /// It says neither: dynamic DNS, a sinkhole, a shortener.
    Context,
}

/// Names a polarity on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Speaks against the indicator.
    Malicious,
    /// Speaks for it.
    Benign,
    /// Says neither.
    Context,
}

impl Serialize for Polarity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let direction = match self {
            Self::Malicious => Direction::Malicious,
            Self::Benign(BenignClass::Hard | BenignClass::Soft) => Direction::Benign,
            Self::Benign(BenignClass::Context) | Self::Context => Direction::Context,
        };
        direction.serialize(serializer)
    }
}

/// Holds a provider's own number or word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum RawValue {
    /// A whole number.
    Whole(i64),
    /// A word, or a decimal number as the provider wrote it.
    Text(String),
}

/// Holds what a provider reported, on the provider's scale.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct RawScore {
    /// The number.
    pub value: RawValue,
    /// The provider's scale in words, for example `0-100`.
    pub scale: String,
}

/// Says what evidence makes of its indicator, beside what it weighs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Knowledge {
    /// The source knows the indicator: a score of it is one of its own.
    #[default]
    Indicator,
    /// The indicator stands on a list of what is one's own, trusted or popular: known, with a score or without.
    Listed,
    /// It counts against the indicator and does not vouch for it: what is known of a host that strangers share says
    /// nothing good of a page there.
    CountsOnly,
    /// A circumstance, such as age or a missing DMARC record: it counts beside what is known, and is only told alone.
    Circumstance,
}

/// Says what a source that is missing could have said.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Potential {
    /// All that the policy knows of it; a risk of 100 where the policy knows nothing.
    #[default]
    Anything,
    /// A published risk from 0 to 100.
    Risk,
    /// Something on these measures.
    Measures(Vec<String>),
}

/// Says more of a source that is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Gap {
    /// What it could have said.
    pub could: Potential,
    /// Why it is missing, in plain words; empty where its status says enough.
    pub detail: String,
    /// Whether a budget or a rate that is configured here kept it from being asked.
    pub is_own_limit: bool,
    /// When asking again can help, where that is known.
    pub retry_at: Option<Timestamp>,
    /// Whether asking again cannot help.
    pub is_final: bool,
}

/// Holds what one source said of one indicator.
///
/// The order of the fields is the order in which evidence is sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
pub struct Evidence {
    /// The source's stable name.
    pub source: String,
    /// The family: sources that resell one list are one family and count once.
    #[serde(skip)]
    pub family: String,
    /// How the answer came about.
    pub status: EvidenceStatus,
    /// The provider's own number, if there is one.
    #[schema(required)]
    pub raw: Option<RawScore>,
    /// Which of the source's scales that is, where it has several.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub measure: String,
    /// What it was said of, where that is not the indicator itself but, for example, an address's domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Which way it points.
    #[schema(value_type = Direction)]
    pub polarity: Polarity,
    /// The calibrated probability; `None` where the source said nothing.
    #[schema(required, value_type = Option<f64>)]
    pub probability: Option<Millionths>,
    /// The source's grade; the policy's own comes first.
    pub reliability: Reliability,
    /// When the provider observed it.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Timestamp>,
    /// Seconds since it was retrieved.
    #[schema(required)]
    #[serde(serialize_with = "super::segments::age")]
    pub age_s: Option<u64>,
    /// Whether it came from the cache.
    pub cached: bool,
    /// The reasons in words, most important first; of a source that is missing, why it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Whether the provider publishes a risk from 0 to 100 that is a score already.
    #[serde(skip)]
    pub passthrough: bool,
    /// Whether its number lies on a scale of the source's own, whose low end says nothing bad.
    #[serde(skip)]
    pub scaled: bool,
    /// Whether the source keeps it up to date itself, so that age takes nothing from it.
    #[serde(skip)]
    pub lasting: bool,
    /// Whether pivotd knows it itself, by a list or from feedback; such a source does not count as asked.
    #[serde(skip)]
    pub local: bool,
    /// Why blocking the indicator would hit others too, or oneself.
    #[serde(skip)]
    pub hazard: Option<String>,
    /// When it was retrieved.
    #[serde(skip)]
    pub retrieved_at: Option<Timestamp>,
    /// Until when the same answer says this, where its meaning changes with the clock: how young a domain is.
    #[serde(skip)]
    pub says_until: Option<Timestamp>,
    /// What it makes of the indicator.
    #[serde(skip)]
    pub knowledge: Knowledge,
    /// More of a source that is missing.
    #[serde(skip)]
    pub gap: Gap,
    /// The word that it was read from, if there is one, so that other rules can read it.
    #[serde(skip)]
    pub word: Option<String>,
    /// The first date that it was read from, likewise.
    #[serde(skip)]
    pub first_seen: Option<Timestamp>,
}

impl Evidence {
    /// Makes the evidence of a source that had nothing to say.
    pub fn absent(source: &str, status: EvidenceStatus) -> Self {
        Self {
            source: source.to_owned(),
            family: source.to_owned(),
            status,
            raw: None,
            measure: String::new(),
            about: None,
            polarity: Polarity::Context,
            probability: None,
            reliability: Reliability::A,
            observed_at: None,
            age_s: None,
            cached: false,
            reasons: Vec::new(),
            passthrough: false,
            scaled: false,
            lasting: false,
            local: false,
            hazard: None,
            retrieved_at: None,
            says_until: None,
            knowledge: Knowledge::Indicator,
            gap: Gap::default(),
            word: None,
            first_seen: None,
        }
    }

    /// Says why its source is missing, in words that follow the source's name.
    pub(super) const fn missing_words(&self) -> &'static str {
        match self.status {
            EvidenceStatus::Limited if self.gap.is_own_limit => {
                "was not asked, since your own limit is used up"
            }
            status if status.is_failure() => status.words(),
            EvidenceStatus::Skipped => EvidenceStatus::Skipped.words(),
            // An answer that is too old is an old one, whatever its status.
            _ => EvidenceStatus::Stale.words(),
        }
    }

    /// Makes benign evidence, for example of an administrator's allow list.
    pub fn benign(source: &str, class: BenignClass, reason: &str) -> Self {
        Self {
            polarity: Polarity::Benign(class),
            probability: Some(Millionths::ZERO),
            reasons: vec![printable(reason)],
            ..Self::absent(source, EvidenceStatus::Ok)
        }
    }
}

/// Builds evidence from a risk answer on the scale 0 to 100 (DomainTools API, risk and its components).
///
/// `threats` are the names of threat profiles, `components` the partial scores. `None` is *no data*, a score
/// off the scale a provider error. A score of 0 that the provider gives because it lists the domain as harmless
/// (`zero_listed`) is hard benign evidence; any other passes through. Ages are seconds.
#[expect(
    clippy::too_many_arguments,
    reason = "one argument for each fact of a risk answer"
)]
pub fn from_risk(
    source: &str,
    score: Option<i64>,
    threats: &[String],
    components: &[(String, i64)],
    zero_listed: bool,
    observed_at: Option<Timestamp>,
    age_s: Option<u64>,
    cached: bool,
) -> Evidence {
    let status = match score {
        None => EvidenceStatus::NoData,
        Some(0..=100) => EvidenceStatus::Ok,
        Some(_) => EvidenceStatus::ProviderError,
    };
    let mut evidence = Evidence {
        observed_at,
        age_s,
        cached,
        ..Evidence::absent(source, status)
    };
    let Some(score) = score else { return evidence };
    evidence.raw = Some(RawScore {
        value: RawValue::Whole(score),
        scale: "0-100".to_owned(),
    });
    let Some(percent) = u8::try_from(score).ok().filter(|percent| *percent <= 100) else {
        evidence.reasons.push(format!("risk {score} is off the scale"));
        return evidence;
    };
    evidence.probability = Some(Millionths::percent(percent));
    evidence.reasons.push(format!("risk {score}"));
    if zero_listed && score == 0 {
        evidence.polarity = Polarity::Benign(BenignClass::Hard);
        evidence
            .reasons
            .push("listed as harmless by the provider".to_owned());
        return evidence;
    }
    evidence.polarity = Polarity::Malicious;
    evidence.passthrough = true;
    if !threats.is_empty() {
        let names: Vec<String> = threats.iter().take(5).map(|name| printable(name)).collect();
        evidence
            .reasons
            .push(format!("threat profile: {}", names.join(", ")));
    } else if let Some((name, value)) = components
        .iter()
        .max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)))
    {
        evidence
            .reasons
            .push(format!("highest component: {} {value}", printable(name)));
    }
    evidence
}

/// The longest text of a provider in an explanation, in characters.
const LONGEST: usize = 160;

/// Makes a provider's text fit for a line of an explanation: no control characters, and at most so many others; where it
/// is cut, it ends with an ellipsis.
pub(super) fn printable(text: &str) -> String {
    let mut kept: String = text
        .trim()
        .chars()
        .filter(|c| !is_invisible(*c))
        .take(LONGEST + 1)
        .collect();
    if kept.chars().count() > LONGEST {
        kept = kept.chars().take(LONGEST - 1).collect();
        if let Some((words, _)) = kept
            .rsplit_once(' ')
            .filter(|(words, _)| words.len() > LONGEST / 2)
        {
            kept = words.to_owned();
        }
        kept.push('…');
    }
    kept
}
