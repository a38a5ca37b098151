//! Values of properties and settings, from JSON to the texts that all protocols share, and back.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::listing::TransformSetting;
use crate::settings::{self, SettingKind};
use crate::types::PropertyKind;

/// From this number on, a time is counted in milliseconds.
const MILLISECONDS_FROM: f64 = 1e11;

/// Reads a value as text; `None` for one that is none: null, or an object.
#[must_use]
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(all) => {
            let texts: Vec<String> = all
                .iter()
                .filter(|one| !one.is_array())
                .filter_map(text)
                .collect();
            (!texts.is_empty()).then(|| texts.join(", "))
        }
    }
}

/// Gives settings the names and the forms that all protocols share. Of a repeated one the last value counts; one that is null
/// or blank counts as not sent.
#[must_use]
pub fn settings(
    sent: &[(String, Value)],
    transform: &str,
    listed: &[TransformSetting],
) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::with_capacity(sent.len());
    for (sent, value) in sent {
        let name = name(sent, transform, listed);
        let setting = listed.iter().find(|setting| setting.name == name);
        let value = match setting {
            Some(setting) => coerced(value, setting.kind),
            None => text(value),
        };
        let value = value.unwrap_or_default();
        match all.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => all.push((name.to_owned(), value)),
        }
    }
    all
}

/// Finds the name that a setting is listed under: clients put the transform's name before it, and older ones more.
fn name<'a>(sent: &'a str, transform: &str, listed: &[TransformSetting]) -> &'a str {
    let is_listed = |name: &str| listed.iter().any(|setting| setting.name == name);
    let behind = |mark: &str| sent.find(mark).and_then(|at| sent.get(at..));
    let mut forms = [
        Some(sent),
        sent.strip_prefix(transform)
            .and_then(|rest| rest.strip_prefix('.')),
        behind("global#"),
    ]
    .into_iter()
    .flatten();
    forms.find(|name| is_listed(name)).unwrap_or(sent)
}

/// Gives a value the form of its type. What cannot be read stays as it is, so that it is refused in words.
fn coerced(value: &Value, kind: SettingKind) -> Option<String> {
    match (kind, value) {
        (SettingKind::Boolean, Value::Number(number)) => Some((number.as_f64() != Some(0.0)).to_string()),
        (SettingKind::Int, Value::Number(number)) => {
            let text = number.to_string();
            Some(text.strip_suffix(".0").map_or(text.clone(), str::to_owned))
        }
        (SettingKind::Int, Value::Bool(yes)) => Some(u8::from(*yes).to_string()),
        (SettingKind::Date, Value::Number(number)) => {
            let day = moment(number.as_f64()?).map(|at| at.to_zoned(TimeZone::UTC).date().to_string());
            day.or_else(|| text(value))
        }
        (SettingKind::DateTime, Value::Number(number)) => {
            let at = moment(number.as_f64()?).map(|at| at.to_string());
            at.or_else(|| text(value))
        }
        _ => text(value),
    }
}

fn moment(number: f64) -> Option<Timestamp> {
    let seconds = if number.abs() >= MILLISECONDS_FROM {
        number / 1000.0
    } else {
        number
    };
    let since = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(since).ok()
}

/// Writes the value at which a setting starts, in the form of its type.
#[must_use]
pub fn starting(text: &str, kind: SettingKind) -> Value {
    let typed = match kind {
        SettingKind::Boolean => settings::boolean(text).ok().flatten().map(Value::from),
        SettingKind::Int => settings::integer(text).ok().flatten().map(Value::from),
        SettingKind::Double => settings::double(text).ok().flatten().map(Value::from),
        SettingKind::Text | SettingKind::Date | SettingKind::DateTime | SettingKind::DateRange => None,
    };
    typed.unwrap_or_else(|| text.into())
}

/// Names the type of a setting on the wire.
#[must_use]
pub const fn setting_type(kind: SettingKind) -> &'static str {
    match kind {
        SettingKind::Text => "string",
        SettingKind::Int => "int",
        SettingKind::Double => "double",
        SettingKind::Boolean => "boolean",
        SettingKind::Date => "date",
        SettingKind::DateTime => "datetime",
        SettingKind::DateRange => "daterange",
    }
}

/// Writes the value of a property with the name of its type. A text that is none of its declared type stays a text.
pub(super) fn property<'a>(text: &'a str, kind: Option<PropertyKind>) -> (Written<'a>, &'static str) {
    let typed = match kind {
        Some(PropertyKind::Int) => text.parse().ok().map(|number| (Written::Int(number), "INT")),
        Some(PropertyKind::Double) => {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite());
            number.map(|number| (Written::Double(number), "DOUBLE"))
        }
        Some(PropertyKind::Boolean) => settings::boolean(text)
            .ok()
            .flatten()
            .map(|yes| (Written::Boolean(yes), "BOOLEAN")),
        Some(PropertyKind::DateTime) => settings::date_time(text)
            .ok()
            .flatten()
            .map(|at| (Written::Owned(millis(at)), "DATE_TIME")),
        Some(PropertyKind::Texts) => Some((Written::Texts([text]), "STRING")),
        Some(PropertyKind::Ints) => {
            let numbers: Result<Vec<i64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
            numbers.ok().map(|numbers| (Written::Ints(numbers), "INT"))
        }
        Some(PropertyKind::Text | PropertyKind::Url | PropertyKind::Color) | None => None,
    };
    typed.unwrap_or((Written::Text(text), "STRING"))
}

/// Is the value of a property, as it is written.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Written<'a> {
    /// A text.
    Text(&'a str),
    /// A text of its own.
    Owned(String),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// Yes or no.
    Boolean(bool),
    /// One text, where there may be several.
    Texts([&'a str; 1]),
    /// Whole numbers.
    Ints(Vec<i64>),
}

/// Writes a moment as this protocol does: UTC, in milliseconds.
fn millis(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}
