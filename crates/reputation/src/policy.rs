//! What an administrator decides about scores, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::alert::Fallback;
use super::calibrate::Calibration;
use super::evidence::{BenignClass, Evidence, Knowledge, Millionths, Reliability};
use super::kind::Kind;
use pivotd_domain::hex::hex;

const DAY: u64 = 86_400;

/// Holds thresholds: one for all kinds of indicators, and others for single ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thresholds {
    /// Where nothing else is said.
    pub all: Option<u8>,
    /// By kind.
    pub by_kind: BTreeMap<Kind, u8>,
}

/// Says what a list of indicators means for scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ListMeaning {
    /// It speaks for the indicator.
    Benign(BenignClass),
    /// It speaks against it, with this probability.
    Malicious(Millionths),
}

/// Says where the domains that were registered with an e-mail address are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Registrations {
    /// Nowhere.
    Never,
    /// Of accounts whose products list them without a price.
    Free,
    /// Of all; where it has a price, that is asked for, and says nothing.
    Always,
}

/// Holds what is decided about one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceRules {
    /// Its grade.
    pub reliability: Option<Reliability>,
    /// The family it belongs to: sources that resell one list count once.
    pub family: Option<String>,
    /// Seconds after observation at which its evidence has lost all weight; 0 keeps it for ever.
    pub lifetime_s: Option<u64>,
    /// What its numbers and words mean, by measure: as probabilities, which the grade weighs.
    pub measures: BTreeMap<String, Calibration>,
    /// Measures, or single words of them (`measure.word`), that are circumstances: they do not make an indicator known.
    pub context: BTreeSet<String>,
    /// Of measures that say which score the source alone comes to: that score, instead of a probability. The grade does not
    /// move it. [`Rules::settle`] makes the probabilities of it.
    pub alone: BTreeMap<String, Calibration>,
    /// Measures that the source keeps up to date itself, so that age takes nothing from them.
    pub lasting: BTreeSet<String>,
    /// Who says that it means this, by measure; for people.
    #[serde(skip)]
    pub by: BTreeMap<String, String>,
}

impl SourceRules {
    /// Says what a measure, or a word of it, makes of an indicator.
    pub(super) fn knowledge(&self, measure: &str, word: Option<&str>) -> Knowledge {
        let is_context = |word: &str| self.context.contains(&format!("{measure}.{word}"));
        if self.context.contains(measure) || word.is_some_and(is_context) {
            Knowledge::Circumstance
        } else {
            Knowledge::Indicator
        }
    }
}

/// Says that a grade weighs less than what its source is to come to alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GradeCap {
    /// The source.
    pub source: String,
    /// The measure.
    pub measure: String,
    /// The source's grade.
    pub grade: Reliability,
    /// The weight of the grade, which is the most that the source comes to.
    pub weight: Millionths,
    /// The highest score that the measure says.
    pub highest: Millionths,
}

/// Holds the rules of scores, as they are configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// The administrator's name for this state of the rules.
    pub name: String,
    /// A score above it exceeds; from 0 to 100.
    pub thresholds: Thresholds,
    /// Thresholds of single clients, by the name of their token.
    pub clients: BTreeMap<String, Thresholds>,
    /// A score above it is at least suspicious; from 0 to 100.
    pub suspicious: u8,
    /// The score that hard benign evidence leaves, at most; never more than the threshold.
    pub hard_cap: u8,
    /// A score above it, that exceeds, is worth blocking; `None` for every one that exceeds.
    pub block: Option<u8>,
    /// Families that must speak against an indicator before it may exceed.
    pub min_sources: u32,
    /// Seconds since retrieval after which evidence does not score.
    pub max_stale_s: u64,
    /// Seconds after observation at which evidence has lost all weight; 0 keeps it for ever. Scores that pass
    /// through keep theirs.
    pub lifetime_s: u64,
    /// How long evidence keeps its weight before it loses it: weight is 1 - (age / lifetime) to this power.
    /// It is the inverse of MISP's decay speed, from 1 (loses evenly) to 8.
    pub decay_power: u32,
    /// The weight of evidence by its source's grade.
    pub weights: BTreeMap<Reliability, Millionths>,
    /// What is decided about single sources, by name.
    pub sources: BTreeMap<String, SourceRules>,
    /// What lists mean, by their purpose; the purpose's own class otherwise.
    pub lists: BTreeMap<String, ListMeaning>,
    /// Purposes of lists whose members are not safe to block.
    pub never_block: Vec<String>,
    /// Addresses that host at most so many domains answer for them; 0 asks for no domains.
    pub few_domains: u32,
    /// Whether the domains that were registered with an e-mail address are asked for.
    pub registrations: Registrations,
    /// What an alert comes to of which a value could not be read, where its caller does not say.
    pub on_unreadable: Fallback,
    /// What an alert comes to with a link that only the vendor of its wrapper can unwrap, where its caller does not say.
    pub on_sealed: Fallback,
    /// Sources without whose answer nothing of a kind is determined, unless it exceeds.
    pub required: BTreeMap<Kind, BTreeSet<String>>,
    /// Whether URLs keep user, query and fragment when a source is asked.
    pub whole_urls: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            name: "unnamed".to_owned(),
            thresholds: Thresholds {
                all: Some(Self::THRESHOLD),
                by_kind: BTreeMap::new(),
            },
            clients: BTreeMap::new(),
            suspicious: 25,
            hard_cap: 20,
            block: None,
            min_sources: 1,
            max_stale_s: 7 * DAY,
            lifetime_s: 90 * DAY,
            decay_power: 3,
            weights: Reliability::ALL
                .into_iter()
                .map(|grade| (grade, grade.weight()))
                .collect(),
            sources: BTreeMap::new(),
            lists: BTreeMap::new(),
            never_block: Vec::new(),
            few_domains: 5,
            registrations: Registrations::Free,
            on_unreadable: Fallback::Keep,
            on_sealed: Fallback::Keep,
            required: BTreeMap::new(),
            whole_urls: false,
        }
    }
}

impl Rules {
    /// Is the threshold where no other is set.
    pub const THRESHOLD: u8 = 50;
    /// Grows when the model itself changes, so that old and new decisions have different versions.
    const MODEL: u32 = 3;

    /// Returns the rules' version: their name and 12 hexadecimal digits of the SHA-256 of their content.
    fn version(&self) -> String {
        // Fields have a fixed order and maps are sorted, so equal rules read equally.
        let rules = serde_json::to_string(self).unwrap_or_else(|_| format!("{self:?}"));
        let content = format!("{} {rules}", Self::MODEL);
        let digits: String = hex(&Sha256::digest(content.as_bytes()))
            .chars()
            .take(12)
            .collect();
        format!("{}-{digits}", self.name)
    }

    /// Makes probabilities of the scores that sources come to alone, by their grades: the weight of the grade takes from the
    /// probability what is added here. A grade that weighs less than a score caps it; that is told.
    pub fn settle(&mut self) -> Vec<GradeCap> {
        let mut capped = Vec::new();
        let weights = &self.weights;
        for (name, source) in &mut self.sources {
            let grade = source.reliability.unwrap_or(Reliability::C);
            let weight = weights.get(&grade).copied().unwrap_or(grade.weight());
            for (measure, alone) in &source.alone {
                let highest = alone.highest();
                if highest > weight {
                    capped.push(GradeCap {
                        source: name.clone(),
                        measure: measure.clone(),
                        grade,
                        weight,
                        highest,
                    });
                }
                source.measures.insert(measure.clone(), alone.before(weight));
            }
        }
        capped
    }

    /// Tells whether a source has words for what is good, so that it is unknown what it would have said where it is
    /// missing.
    #[must_use]
    pub fn may_speak_for(&self, source: &str) -> bool {
        let measures = self.source(source).map(|own| &own.measures);
        measures.is_some_and(|measures| measures.values().any(Calibration::speaks_for))
    }

    /// Returns the sources that are required for a kind of indicator.
    pub fn required(&self, kind: Option<Kind>) -> impl Iterator<Item = &str> {
        let required = kind.and_then(|kind| self.required.get(&kind));
        required.into_iter().flatten().map(String::as_str)
    }

    /// Returns what is decided about a source.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&SourceRules> {
        self.sources.get(name)
    }

    /// Returns the grade of a piece of evidence.
    pub(super) fn grade(&self, evidence: &Evidence) -> Reliability {
        self.source(&evidence.source)
            .and_then(|source| source.reliability)
            .unwrap_or(evidence.reliability)
    }

    /// Returns the weight of a grade.
    pub(super) fn weight(&self, grade: Reliability) -> Millionths {
        self.weights.get(&grade).copied().unwrap_or(grade.weight())
    }

    /// Returns the lifetime of a source's evidence in seconds.
    pub(super) fn lifetime(&self, source: &str) -> u64 {
        self.source(source)
            .and_then(|source| source.lifetime_s)
            .unwrap_or(self.lifetime_s)
    }
}

/// Holds the rules as they hold for one question. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The rules.
    pub rules: Arc<Rules>,
    /// A score above it exceeds, where its kind has no threshold of its own; from 0 to 100.
    pub threshold: u8,
    /// Thresholds of single kinds.
    pub by_kind: BTreeMap<Kind, u8>,
    /// Families that must speak against an indicator before it may exceed.
    pub min_sources: u32,
    /// The threshold that a caller asked for.
    pub(super) asked_threshold: Option<u8>,
    /// The number of families that a caller asked for.
    pub(super) asked_min_sources: Option<u32>,
    version: Arc<str>,
}

impl Default for Policy {
    fn default() -> Self {
        Self::of(Rules::default())
    }
}

impl Policy {
    /// Holds rules as they are where nothing else is set. Its version is that of the rules' content.
    #[must_use]
    pub fn of(rules: Rules) -> Self {
        Self {
            threshold: rules.thresholds.all.unwrap_or(Rules::THRESHOLD),
            by_kind: rules.thresholds.by_kind.clone(),
            min_sources: rules.min_sources,
            asked_threshold: None,
            asked_min_sources: None,
            version: rules.version().into(),
            rules: Arc::new(rules),
        }
    }

    /// Returns the policy as it holds for a client, by the name of its token.
    #[must_use]
    pub fn of_client(&self, client: &str) -> Self {
        let mut policy = self.clone();
        if let Some(own) = self.rules.clients.get(client) {
            if let Some(all) = own.all {
                policy.threshold = all;
                policy.by_kind.clear();
            }
            policy.by_kind.extend(&own.by_kind);
        }
        policy
    }

    /// Returns the policy with one threshold for all kinds, as a caller may ask for; more than 100 is 100.
    #[must_use]
    pub fn with_threshold(&self, threshold: u8) -> Self {
        Self {
            threshold: threshold.min(100),
            by_kind: BTreeMap::new(),
            asked_threshold: Some(threshold.min(100)),
            ..self.clone()
        }
    }

    /// Returns the policy with another number of families that must speak against an indicator.
    #[must_use]
    pub fn with_min_sources(&self, min_sources: u32) -> Self {
        Self {
            min_sources,
            asked_min_sources: Some(min_sources),
            ..self.clone()
        }
    }

    /// Returns the threshold of a kind of indicator.
    #[must_use]
    pub fn threshold_of(&self, kind: Option<Kind>) -> u8 {
        kind.and_then(|kind| self.by_kind.get(&kind).copied())
            .unwrap_or(self.threshold)
    }

    /// Returns the version of the rules.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}
