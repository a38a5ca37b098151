//! Defines the provider-neutral record that a look-up yields and that the mapping reads.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::schema::{Kind, Schema};

/// Holds one value of a record's field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Holds text, host names and addresses included; canonical where the field's kind says so.
    Text(SmolStr),
    /// Holds a whole number.
    Integer(i64),
    /// Holds true or false.
    Flag(bool),
    /// Holds a calendar day.
    Day(Date),
    /// Holds a point in time.
    Time(Timestamp),
    /// Holds several texts.
    Texts(Vec<String>),
    /// Holds a list of records inside a record.
    Records(Vec<Record>),
}

impl Value {
    /// Returns the text that people read, or `None` for a list of records.
    ///
    /// Days are ISO 8601 (`2013-05-20`), times RFC 3339 in UTC, lists are joined by a comma.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Integer(number) => Some(Cow::Owned(number.to_string())),
            Self::Flag(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Self::Day(day) => Some(Cow::Owned(day.to_string())),
            Self::Time(time) => Some(Cow::Owned(time.to_string())),
            Self::Texts(texts) => Some(Cow::Owned(texts.join(", "))),
            Self::Records(_) => None,
        }
    }

    /// Returns the calendar day of a day or a time, in UTC.
    #[must_use]
    pub fn day(&self) -> Option<Date> {
        match self {
            Self::Day(day) => Some(*day),
            Self::Time(time) => Some(time.to_zoned(jiff::tz::TimeZone::UTC).date()),
            _ => None,
        }
    }

    /// Returns the point in time of a time, or the start of a day in UTC.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Day(day) => day
                .to_zoned(jiff::tz::TimeZone::UTC)
                .ok()
                .map(|day| day.timestamp()),
            _ => None,
        }
    }

    /// Tells whether the value carries nothing: empty text or an empty list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Texts(texts) => texts.is_empty(),
            Self::Records(records) => records.is_empty(),
            _ => false,
        }
    }

    /// Tells whether the value is one that a field of `kind` may hold.
    #[must_use]
    pub fn fits(&self, kind: &Kind) -> bool {
        match (self, kind) {
            (Self::Integer(_), Kind::Integer)
            | (Self::Flag(_), Kind::Flag)
            | (Self::Day(_) | Self::Time(_), Kind::Date)
            | (Self::Texts(_), Kind::Texts) => true,
            (Self::Records(records), Kind::Records(schema)) => {
                records.iter().all(|record| record.misfit(schema).is_none())
            }
            (Self::Text(_), kind) => kind.is_textual(),
            _ => false,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<SmolStr> for Value {
    fn from(text: SmolStr) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Date> for Value {
    fn from(day: Date) -> Self {
        Self::Day(day)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl From<Vec<Record>> for Value {
    fn from(records: Vec<Record>) -> Self {
        Self::Records(records)
    }
}

/// Holds the fields of one record by name. Empty values are never stored, so presence means content.
///
/// Three names mean the same in every schema: `first_seen` and `last_seen` bound the period of a
/// relation, and `current` says that the relation still held when it was retrieved (its `last_seen`
/// is then left out).
///
/// An answer may have hundreds of thousands of records of a few fields each, so these lie side by side, in the order of
/// their names; short texts and the names take no memory beside.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record(Vec<(SmolStr, Value)>);

impl Record {
    /// Makes an empty record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field and returns the record; an empty value is left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Adds a field if there is a value; an empty value is left out.
    #[must_use]
    pub fn with_some(mut self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.set(name, value);
        }
        self
    }

    /// Sets a field; an empty value removes it.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.put(SmolStr::new_static(name), value.into());
    }

    fn put(&mut self, name: SmolStr, value: Value) {
        match (self.place(&name), value.is_empty()) {
            (Ok(at), true) => {
                self.0.remove(at);
            }
            (Ok(at), false) => {
                if let Some(field) = self.0.get_mut(at) {
                    field.1 = value;
                }
            }
            (Err(_), true) => {}
            (Err(at), false) => {
                // Most records have a few fields, and most of them come one by one.
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(if self.0.is_empty() { 4 } else { 2 });
                }
                self.0.insert(at, (name, value));
            }
        }
    }

    /// Returns where a field stands, or where it would.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(name))
    }

    /// Returns a field's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.place(name).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Returns a field's text as people read it.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).and_then(Value::text)
    }

    /// Returns a field's day.
    #[must_use]
    pub fn day(&self, name: &str) -> Option<Date> {
        self.get(name).and_then(Value::day)
    }

    /// Returns the point in time that a field holds, or the start of its day in UTC.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.get(name).and_then(Value::time)
    }

    /// Returns the records of a list field; none where the field is missing or of another kind.
    #[must_use]
    pub fn records(&self, name: &str) -> &[Record] {
        match self.get(name) {
            Some(Value::Records(records)) => records,
            _ => &[],
        }
    }

    /// Walks the fields in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Tells whether the record has no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names the first field that `schema` does not know or whose value is of another kind.
    #[must_use]
    pub fn misfit(&self, schema: &Schema) -> Option<String> {
        self.iter().find_map(|(name, value)| match schema.field(name) {
            Some(field) if value.fits(&field.kind) => None,
            _ => Some(format!("{}.{name}", schema.name)),
        })
    }

    /// Estimates the bytes that the record takes in memory, for the cache's weigher.
    #[must_use]
    pub fn weight(&self) -> usize {
        let values = self.iter().map(|(_, value)| match value {
            Value::Text(text) if text.is_heap_allocated() => text.len() + 32,
            Value::Texts(texts) => texts.iter().map(|text| text.len() + 40).sum(),
            Value::Records(records) => records.iter().map(Self::weight).sum(),
            _ => 0,
        });
        let fields = self.0.capacity() * size_of::<(SmolStr, Value)>();
        values.sum::<usize>() + fields + size_of::<Self>()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Record;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the fields of a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let mut record = Record::new();
        while let Some((name, value)) = map.next_entry()? {
            record.put(name, value);
        }
        Ok(record)
    }
}
