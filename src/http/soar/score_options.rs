//! How a question for scores is meant: the members that all routes share, read and checked.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::de::{IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer};

use crate::app::App;
use crate::ask::score::ScoreOptions;
use crate::config::problem::expected_of;
use crate::domain::echo::echoed;
use crate::domain::{Capability, Pap, Tlp};
use crate::http::principal::Principal;
use crate::http::problem::Problem;
use crate::reputation::{Fallback, Fallbacks, Policy};
use crate::tokens::Scope;

/// The longest that a caller may wait for scores: an hour.
const LONGEST_S: u64 = 3600;
/// What a threshold is.
const THRESHOLD: &str = "threshold: expected a whole number from 0 to 100";
/// The most sources that may be demanded to agree.
const MOST_SOURCES: u32 = 20;

/// Holds the options as they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawScoreOptions {
    /// Scores over this exceed.
    pub threshold: Option<u8>,
    /// So many independent sources must speak against an indicator before it exceeds.
    pub min_sources: Option<u32>,
    /// What an undetermined alert comes to.
    pub on_undetermined: Option<Fallback>,
    /// What an alert comes to of which a value could not be read.
    pub on_unreadable: Option<Fallback>,
    /// What an alert comes to with a link that only the vendor of its wrapper can unwrap.
    pub on_sealed: Option<Fallback>,
    /// What an unknown alert comes to.
    pub on_unknown: Option<Fallback>,
    /// Seconds to wait.
    pub deadline_s: Option<u64>,
    /// Seconds that an answer may be old.
    pub max_age: Option<u64>,
    /// How far the indicators may travel.
    pub tlp: Option<String>,
    /// What may be done with them.
    pub pap: Option<String>,
    /// The only sources to ask.
    pub providers: Vec<String>,
}

/// Lists names of sources, however they were sent.
pub trait Names {
    /// Returns them.
    fn names(&self) -> Vec<String>;
}

impl Names for Option<String> {
    /// Takes them apart at commas.
    fn names(&self) -> Vec<String> {
        let names = self.as_deref().unwrap_or_default().split(',').map(str::trim);
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }
}

/// Is a number or a text as tools write it.
enum NumberOrText {
    Nothing,
    Number(u64),
    Decimal(f64),
    Text(String),
}

impl<'de> Deserialize<'de> for NumberOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictReader)
    }
}

/// Reads it, and nothing else: a derived reader would first gather a list of any length.
struct StrictReader;

impl<'de> Visitor<'de> for StrictReader {
    type Value = NumberOrText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(NumberOrText::Nothing)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(NumberOrText::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(NumberOrText::Number(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(NumberOrText::Decimal(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(NumberOrText::Text(text.to_owned()))
    }
}

/// Reads a whole number, or its text: tools that fill in templates send numbers as texts. In JSON 20.0 is a whole number,
/// too.
pub(crate) fn number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let wrong = || serde::de::Error::custom("expected a whole number, 0 or more");
    let number = match NumberOrText::deserialize(deserializer).map_err(|_| wrong())? {
        NumberOrText::Nothing => return Ok(None),
        NumberOrText::Number(number) => number,
        NumberOrText::Decimal(number) => whole(number).ok_or_else(wrong)?,
        NumberOrText::Text(text) if text.trim().is_empty() => return Ok(None),
        NumberOrText::Text(text) => text.trim().parse().map_err(|_| wrong())?,
    };
    T::try_from(number).map(Some).map_err(|_| wrong())
}

/// Reads a threshold; what is no whole number from 0 to 100 is refused with these words.
pub(crate) fn threshold<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let wrong = || serde::de::Error::custom(THRESHOLD);
    let number: Option<u64> = number(deserializer).map_err(|_: D::Error| wrong())?;
    match number.map(u8::try_from).transpose() {
        Ok(threshold) if threshold.is_none_or(|threshold| threshold <= 100) => Ok(threshold),
        _ => Err(wrong()),
    }
}

/// Reads one of several words, in small letters or large ones; an empty text stands for none.
pub(crate) fn chosen<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let word = Option::<String>::deserialize(deserializer)?.filter(|word| !word.trim().is_empty());
    word.map(|word| T::deserialize(word.trim().to_ascii_lowercase().into_deserializer()))
        .transpose()
}

/// Reads a mark: a word, or the number that stands for it.
pub(crate) fn mark<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let wrong = || serde::de::Error::custom("expected a word or a whole number");
    Ok(
        match NumberOrText::deserialize(deserializer).map_err(|_| wrong())? {
            NumberOrText::Nothing => None,
            NumberOrText::Number(number) => Some(number.to_string()),
            NumberOrText::Decimal(number) => Some(whole(number).ok_or_else(wrong)?.to_string()),
            NumberOrText::Text(text) => Some(text),
        },
    )
}

/// Returns a decimal number that is whole, as far as every whole number has a decimal of its own.
fn whole(number: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_whole = number.fract() == 0.0 && (0.0..EXACT).contains(&number);
    is_whole.then(|| format!("{number:.0}").parse().ok()).flatten()
}

/// Declares a question with the members that all questions for scores share. `$attribute` is `schema` for a body and
/// `param` for a query; `$names` is how it lists sources.
macro_rules! score_params {
    (
        $attribute:ident, $names:ty;
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// Scores over this exceed; the server's own threshold where it is left out.
            #[$attribute(maximum = 100)]
            #[serde(default, deserialize_with = "crate::http::soar::score_options::threshold")]
            pub threshold: Option<u8>,
            /// So many independent sources must speak against an indicator before it exceeds; 1 to 20.
            #[$attribute(minimum = 1, maximum = 20)]
            #[serde(default, deserialize_with = "crate::http::soar::score_options::number")]
            pub min_sources: Option<u32>,
            /// What the alert comes to where a source that could have known is missing: `keep` (undetermined), `exceeds` or `below`.
            #[$attribute(inline)]
            #[serde(default, deserialize_with = "crate::http::soar::score_options::chosen")]
            pub on_undetermined: Option<$crate::reputation::Fallback>,
            /// What the alert comes to where a value of it could not be read: `keep` (undetermined), `exceeds` or `below` (as if it had scored below). The server's own setting where it is left out.
            #[$attribute(inline)]
            #[serde(default, deserialize_with = "crate::http::soar::score_options::chosen")]
            pub on_unreadable: Option<$crate::reputation::Fallback>,
            /// What the alert comes to where only the vendor of a link's wrapper can tell where it leads: `keep` (undetermined), `exceeds` or `below` (as if it had scored below). The server's own setting where it is left out.
            #[$attribute(inline)]
            #[serde(default, deserialize_with = "crate::http::soar::score_options::chosen")]
            pub on_sealed: Option<$crate::reputation::Fallback>,
            /// What the alert comes to where no source knows: `keep` (unknown or unsupported), `exceeds` or `below`.
            #[$attribute(inline)]
            #[serde(default, deserialize_with = "crate::http::soar::score_options::chosen")]
            pub on_unknown: Option<$crate::reputation::Fallback>,
            /// Seconds to wait for sources; what is not there by then is missing. The server's own deadline where it is left out.
            #[$attribute(minimum = 1, maximum = 3600)]
            #[serde(default, deserialize_with = "crate::http::soar::score_options::number")]
            pub deadline_s: Option<u64>,
            /// The greatest age of a stored answer in seconds. Less than the time for which answers are kept needs the scope `refresh`.
            #[serde(default, deserialize_with = "crate::http::soar::score_options::number")]
            pub max_age: Option<u64>,
            /// How far the indicators may travel: clear, green, amber, amber+strict or red, or TheHive's number for it. A source above whose mark it is is not asked.
            #[$attribute(example = "amber")]
            #[serde(default, deserialize_with = "crate::http::soar::score_options::mark")]
            pub tlp: Option<String>,
            /// What may be done with the indicators: clear, green (sources that their owner can notice), amber (passive sources) or red (no source is asked).
            #[$attribute(example = "amber")]
            #[serde(default, deserialize_with = "crate::http::soar::score_options::mark")]
            pub pap: Option<String>,
            /// The only sources to ask, by name; all where it is left out.
            pub providers: $names,
        }

        impl $name {
            /// Returns how the question is meant.
            #[must_use]
            pub fn score_options(&self) -> $crate::http::soar::score_options::RawScoreOptions {
                $crate::http::soar::score_options::RawScoreOptions {
                    threshold: self.threshold,
                    min_sources: self.min_sources,
                    on_undetermined: self.on_undetermined,
                    on_unreadable: self.on_unreadable,
                    on_sealed: self.on_sealed,
                    on_unknown: self.on_unknown,
                    deadline_s: self.deadline_s,
                    max_age: self.max_age,
                    tlp: self.tlp.clone(),
                    pap: self.pap.clone(),
                    providers: $crate::http::soar::score_options::Names::names(&self.providers),
                }
            }
        }
    };
}
pub(crate) use score_params;

impl RawScoreOptions {
    /// Checks the options, and resolves them by what holds for the client. `deadline` is the server's own, `asks` what
    /// sources may be asked.
    ///
    /// # Errors
    /// [`Problem`] that names the member.
    pub fn resolve(
        &self,
        app: &App,
        principal: &Principal,
        deadline: Duration,
        asks: &[Capability],
    ) -> Result<(Policy, ScoreOptions), Problem> {
        let wrong = |detail: String| Problem::invalid(detail);
        let configured = app.configured.load();
        let mut policy = configured.policy.of_client(&principal.client);
        if let Some(threshold) = self.threshold {
            if threshold > 100 {
                return Err(wrong(THRESHOLD.to_owned()));
            }
            policy = policy.with_threshold(threshold);
        }
        if let Some(sources) = self.min_sources {
            if !(1..=MOST_SOURCES).contains(&sources) {
                return Err(wrong(format!(
                    "min_sources: expected a whole number from 1 to {MOST_SOURCES}"
                )));
            }
            policy = policy.with_min_sources(sources);
        }
        let wait = match self.deadline_s {
            None => deadline,
            Some(seconds) if (1..=LONGEST_S).contains(&seconds) => Duration::from_secs(seconds),
            Some(_) => {
                return Err(wrong(format!(
                    "deadline_s: expected a whole number of seconds from 1 to {LONGEST_S}"
                )));
            }
        };
        let max_age = self.max_age.map(Duration::from_secs);
        if max_age.is_some_and(|max| max < longest_ttl(app, asks)) && !principal.may(Scope::Refresh) {
            let detail = format!(
                "max_age: answers are kept for up to {} s, and asking again before needs a token with the scope `refresh`",
                longest_ttl(app, asks).as_secs()
            );
            return Err(Problem::scope(detail));
        }
        let fallbacks = Fallbacks {
            undetermined: self.on_undetermined.unwrap_or_default(),
            unreadable: self.on_unreadable.unwrap_or(policy.rules.on_unreadable),
            sealed: self.on_sealed.unwrap_or(policy.rules.on_sealed),
            unknown: self.on_unknown.unwrap_or_default(),
        };
        let given = |mark: &'_ Option<String>| mark.clone().filter(|mark| !mark.trim().is_empty());
        let red = configured.settings().tlp_red;
        let tlp = given(&self.tlp).map_or(Ok(Tlp::Clear), |mark| Tlp::read(&mark, red));
        let pap = given(&self.pap).map_or(Ok(Pap::Clear), |mark| Pap::read(&mark));
        Ok((
            policy,
            ScoreOptions {
                deadline: app.engine.clock().elapsed() + wait,
                max_age,
                tlp: tlp.map_err(|expected| wrong(format!("tlp: {expected}")))?,
                pap: pap.map_err(|expected| wrong(format!("pap: {expected}")))?,
                providers: self.sources(app).map_err(wrong)?,
                fallbacks,
            },
        ))
    }

    fn sources(&self, app: &App) -> Result<Option<BTreeSet<String>>, String> {
        if self.providers.is_empty() {
            return Ok(None);
        }
        let runtimes = app.engine.runtimes();
        for name in &self.providers {
            if !runtimes.contains_key(name) {
                let hint = expected_of(name, runtimes.keys().map(String::as_str));
                let name = echoed(name);
                return Err(format!(
                    "providers: \"{name}\" is not configured on this server{hint}"
                ));
            }
        }
        Ok(Some(self.providers.iter().cloned().collect()))
    }
}

/// Returns the longest time for which a source's answer is kept.
fn longest_ttl(app: &App, asks: &[Capability]) -> Duration {
    let runtimes = app.engine.runtimes();
    let ttls = runtimes
        .values()
        .filter(|runtime| runtime.keyring.has_key())
        .flat_map(|runtime| {
            let (ttl, descriptor) = (&runtime.settings.ttl, runtime.provider.descriptor());
            let offered = asks
                .iter()
                .filter(|capability| descriptor.offer(**capability).is_some());
            offered.map(|capability| {
                ttl.by_capability
                    .get(capability.name())
                    .copied()
                    .unwrap_or(ttl.default)
            })
        });
    ttls.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, SeqDeserializer};

    use super::*;

    #[test]
    fn a_list_is_refused_at_its_start() {
        let mut read = 0_u32;
        let numbers = (0..1_000_000_u32).inspect(|_| read += 1);
        let list = SeqDeserializer::<_, Error>::new(numbers);
        assert!(number::<_, u32>(list).is_err());
        assert_eq!(read, 0);
        assert_eq!(
            number::<_, u32>(&mut serde_json::Deserializer::from_str("20.0")).unwrap(),
            Some(20)
        );
        assert_eq!(
            number::<_, u32>(&mut serde_json::Deserializer::from_str("\" 7 \"")).unwrap(),
            Some(7)
        );
        assert_eq!(
            number::<_, u32>(&mut serde_json::Deserializer::from_str("null")).unwrap(),
            None
        );
        assert!(number::<_, u32>(&mut serde_json::Deserializer::from_str("-1")).is_err());
    }
}
