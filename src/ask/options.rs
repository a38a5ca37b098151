//! Reads the settings that a client sends with a transform.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::SecretString;

use crate::catalogue::{
    EXCLUDE_DYNAMIC_DNS, EXCLUDE_SINKHOLES, INCLUDE_DYNAMIC_DNS, INCLUDE_SINKHOLES, TransformSpec, UNDATED,
};
use crate::engine::keyring::Key;
use crate::maltego::settings;
use crate::mapping::DateWindow;
use crate::providers::Descriptor;

/// The slider where the client sends none.
pub const DEFAULT_LIMIT: usize = 256;

/// Holds what a client asks for, beside the entity.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which results belong.
    pub window: DateWindow,
    /// Parameters that the vendor sees.
    pub params: BTreeMap<String, String>,
    /// The greatest age of an answer; zero asks again.
    pub max_age: Option<Duration>,
    /// Whether a priced answer may be bought.
    pub buy: bool,
    /// Whether sinkholes are left out.
    pub exclude_sinkholes: bool,
    /// Whether sinkholes are asked about, too.
    pub include_sinkholes: bool,
    /// Whether names of dynamic DNS services are left out.
    pub exclude_dynamic_dns: bool,
    /// Whether names of dynamic DNS services are asked about, too.
    pub include_dynamic_dns: bool,
    /// The user's own key.
    pub key: Option<Arc<Key>>,
}

/// Says which setting is wrong, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the setting {name} cannot be read: expected {expected}")]
pub struct OptionError {
    /// The setting.
    pub name: String,
    /// What was expected.
    pub expected: String,
}

/// Is the name of a setting, in parts: so many are looked for in each run that none is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingName<'a> {
    is_global: bool,
    owner: &'a str,
    what: &'a str,
    /// Whether dashes stand for the underscores of a field's name.
    is_field: bool,
}

impl<'a> SettingName<'a> {
    fn of_provider(owner: &'a str, what: &'a str) -> Self {
        Self {
            is_global: false,
            owner,
            what,
            is_field: false,
        }
    }

    fn of_all(what: &'a str) -> Self {
        Self {
            is_global: true,
            ..Self::of_provider("pivotd", what)
        }
    }

    fn of_key(owner: &'a str, field: &'a str) -> Self {
        Self {
            is_global: true,
            is_field: true,
            ..Self::of_provider(owner, field)
        }
    }

    /// Tells whether a setting has this name.
    #[must_use]
    pub fn is(&self, id: &str) -> bool {
        let rest = if self.is_global {
            id.strip_prefix("global#")
        } else {
            Some(id)
        };
        let what = rest.and_then(|rest| rest.strip_prefix(self.owner)?.strip_prefix('.'));
        what.is_some_and(|what| what.len() == self.what.len() && what.bytes().eq(self.last_bytes()))
    }

    fn last_bytes(&self) -> impl Iterator<Item = u8> {
        let is_field = self.is_field;
        self.what
            .bytes()
            .map(move |byte| if is_field && byte == b'_' { b'-' } else { byte })
    }
}

impl fmt::Display for SettingName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let global = if self.is_global { "global#" } else { "" };
        write!(formatter, "{global}{}.", self.owner)?;
        self.last_bytes()
            .try_for_each(|byte| formatter.write_char(char::from(byte)))
    }
}

fn wrong(name: &SettingName<'_>, expected: impl Into<String>) -> OptionError {
    OptionError {
        name: name.to_string(),
        expected: expected.into(),
    }
}

impl Options {
    /// Reads the settings that bear on a transform at one provider; others are left alone.
    ///
    /// `setting` finds a setting by its name; blank ones count as absent.
    ///
    /// # Errors
    /// [`OptionError`] for the first setting that cannot be read.
    pub fn read<'a>(
        spec: &TransformSpec,
        descriptor: &Descriptor,
        setting: impl Fn(&SettingName<'_>) -> Option<&'a str>,
    ) -> Result<Self, OptionError> {
        let provider = &descriptor.name;
        let day = |what: &str| {
            for name in [
                SettingName::of_provider(provider, what),
                SettingName::of_all(what),
            ] {
                if let Some(day) = setting(&name)
                    .map(settings::date)
                    .transpose()
                    .map_err(|error| wrong(&name, error.expected))?
                    .flatten()
                {
                    return Ok(Some(day));
                }
            }
            Ok(None)
        };
        // Clients send what stands in their form at first, which is true: either says that dates are wanted.
        let mut dated_only = false;
        for name in [
            SettingName::of_provider(provider, UNDATED),
            SettingName::of_all(UNDATED),
        ] {
            let read = setting(&name).map(settings::boolean).transpose();
            let undated = read.map_err(|error| wrong(&name, error.expected))?.flatten();
            dated_only |= undated == Some(false);
        }
        let window = DateWindow {
            since: day("since")?,
            until: day("until")?,
            near: day("near")?,
            dated_only,
        };
        if let (Some(since), Some(until)) = (window.since, window.until)
            && since > until
        {
            return Err(wrong(
                &SettingName::of_provider(provider, "since"),
                format!("a day not after {until}, where `until` ends"),
            ));
        }
        let offer = descriptor.offer(spec.capability);
        let mut params = BTreeMap::new();
        for param in offer.iter().flat_map(|offer| &offer.params) {
            let name = SettingName::of_provider(provider, &param.name);
            // The value itself is not repeated in an error: it may have been meant for another field.
            let asked = setting(&name)
                .map(|text| param.values.read(text))
                .transpose()
                .map_err(|expected| wrong(&name, expected))?;
            let value = asked.or_else(|| spec.params.get(param.name.as_str()).cloned());
            params.insert(
                param.name.to_string(),
                value.unwrap_or_else(|| param.values.default()),
            );
        }
        if offer.is_some_and(|offer| offer.window) {
            for (name, day) in [("since", window.since), ("until", window.until)] {
                params.extend(day.map(|day| (name.to_owned(), day.to_string())));
            }
        }
        let name = SettingName::of_provider(provider, "max-age");
        let max_age = setting(&name)
            .map(age)
            .transpose()
            .map_err(|expected| wrong(&name, expected))?;
        let flag = |what: &str| {
            let name = SettingName::of_provider(provider, what);
            let read = setting(&name).map(settings::boolean).transpose();
            read.map(|flag| flag.flatten().unwrap_or(false))
                .map_err(|error| wrong(&name, error.expected))
        };
        let key = own_key(descriptor, &setting)?;
        Ok(Self {
            window,
            params,
            max_age,
            buy: flag("buy")?,
            exclude_sinkholes: flag(EXCLUDE_SINKHOLES)?,
            include_sinkholes: flag(INCLUDE_SINKHOLES)?,
            exclude_dynamic_dns: flag(EXCLUDE_DYNAMIC_DNS)?,
            include_dynamic_dns: flag(INCLUDE_DYNAMIC_DNS)?,
            key,
        })
    }
}

/// Reads an age: `0`, a number of hours, or a duration such as `12h` or `7d`.
fn age(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "0, a number of hours, or a duration such as 12h or 7d";
    if let Ok(hours) = text.trim().parse::<u32>() {
        return Ok(Duration::from_secs(u64::from(hours) * 3600));
    }
    let friendly = text.trim().replace('d', "d ");
    let span: jiff::Span = friendly.parse().map_err(|_| EXPECTED)?;
    let relative = jiff::SpanRelativeTo::days_are_24_hours();
    let duration: SignedDuration = span.to_duration(relative).map_err(|_| EXPECTED)?;
    Duration::try_from(duration).map_err(|_| EXPECTED)
}

/// Takes a user's own key from `global#<provider>.<field>`; all of it or none.
fn own_key<'a>(
    descriptor: &Descriptor,
    setting: &impl Fn(&SettingName<'_>) -> Option<&'a str>,
) -> Result<Option<Arc<Key>>, OptionError> {
    let given = |field: &str| {
        setting(&SettingName::of_key(&descriptor.name, field))
            .map(str::trim)
            .filter(|value| !value.is_empty())
    };
    if !descriptor
        .credentials
        .iter()
        .any(|field| given(&field.name).is_some())
    {
        return Ok(None);
    }
    let mut key = Key::new();
    for field in &descriptor.credentials {
        // Which parts make up a key may hang on how it signs; a user's own may sign otherwise than the server's.
        let mut same_way = descriptor
            .credentials
            .iter()
            .filter(|other| other.only == field.only);
        let other_way = field.only.is_some() && !same_way.any(|other| given(&other.name).is_some());
        if (field.optional || other_way) && given(&field.name).is_none() {
            continue;
        }
        let value = given(&field.name).ok_or_else(|| {
            wrong(
                &SettingName::of_key(&descriptor.name, &field.name),
                format!(
                    "a value, since you gave another part of your own {} key",
                    descriptor.title
                ),
            )
        })?;
        key.insert(field.name.to_string(), SecretString::from(value));
    }
    Ok(Some(Arc::new(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_parts_is_the_whole_name() {
        let names = [
            (SettingName::of_provider("acme", "since"), "acme.since"),
            (SettingName::of_provider("acme", "a_b"), "acme.a_b"),
            (SettingName::of_all("until"), "global#pivotd.until"),
            (SettingName::of_key("acme", "api_key"), "global#acme.api-key"),
        ];
        for (name, whole) in names {
            assert_eq!(name.to_string(), whole);
            for (_, other) in names {
                assert_eq!(name.is(other), whole == other, "{whole} {other}");
            }
            assert!(!name.is(&format!("{whole}x")) && !name.is("acme") && !name.is(""));
        }
    }

    #[test]
    fn ages_are_hours_or_durations() {
        assert_eq!(age("0"), Ok(Duration::ZERO));
        assert_eq!(age(" 12 "), Ok(Duration::from_secs(12 * 3600)));
        assert_eq!(age("7d"), Ok(Duration::from_secs(7 * 86_400)));
        assert_eq!(age("1d12h"), Ok(Duration::from_secs(36 * 3600)));
        assert_eq!(age("90m"), Ok(Duration::from_secs(5400)));
        for bad in ["soon", "-1h", "", "99999999999999999999d"] {
            assert!(age(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_users_own_key_is_whole_for_one_way_to_sign() {
        let known = crate::providers::Providers::built_in();
        let descriptor = known.descriptor("threatconnect").unwrap();
        let key = |given: &[(&str, &str)]| {
            let given: std::collections::BTreeMap<String, &str> = given
                .iter()
                .map(|(name, value)| (format!("global#threatconnect.{name}"), *value))
                .collect();
            own_key(descriptor, &|name: &SettingName<'_>| {
                given.get(&name.to_string()).copied()
            })
            .map(|key| key.map(|key| key.keys().cloned().collect::<Vec<_>>()))
            .map_err(|error| error.name)
        };
        let names = |names: &[&str]| Ok(Some(names.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(key(&[]), Ok(None));
        assert_eq!(key(&[("api-token", " ")]), Ok(None));
        assert_eq!(key(&[("api-token", "t")]), names(&["api_token"]));
        let pair = [("access-id", "1"), ("secret-key", "k")];
        assert_eq!(key(&pair), names(&["access_id", "secret_key"]));
        let lacking = Err("global#threatconnect.secret-key".to_owned());
        assert_eq!(key(&pair[..1]), lacking);
    }
}
