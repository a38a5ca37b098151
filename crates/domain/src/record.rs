//! Defines the provider-neutral record that a look-up yields and that the mapping reads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::schema::{FieldId, Kind, Schema};

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

/// Writes a day as ISO 8601 has it: `2013-05-20`.
pub fn push_day(out: &mut String, day: Date) {
    let (Ok(year), month, of_month) = (u16::try_from(day.year()), day.month(), day.day()) else {
        // Years before Christ have another form. Writing to a string cannot fail.
        let _ = write!(out, "{day}");
        return;
    };
    let [year, month, of_month] = [year, month.unsigned_abs().into(), of_month.unsigned_abs().into()];
    let digit = |number: u16| (number % 10) as u8 + b'0';
    let text = [
        digit(year / 1000),
        digit(year / 100),
        digit(year / 10),
        digit(year),
        b'-',
        digit(month / 10),
        digit(month),
        b'-',
        digit(of_month / 10),
        digit(of_month),
    ];
    out.extend(text.map(char::from));
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
            Self::Day(day) => {
                let mut text = String::with_capacity(10);
                push_day(&mut text, *day);
                Some(Cow::Owned(text))
            }
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

    /// Returns the records of a list; none of a value of another kind.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        match self {
            Self::Records(records) => records,
            _ => &[],
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

/// Holds the fields of one record. Empty values are never stored, so presence means content.
///
/// Three names mean the same in every schema: `first_seen` and `last_seen` bound the period of a
/// relation, and `current` says that the relation still held when it was retrieved (its `last_seen`
/// is then left out).
///
/// An answer may have hundreds of thousands of records of a few fields each, so a record is a row: pairs of field id and
/// value in the order of their names. Short texts take no memory beside.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    row: Vec<(FieldId, Value)>,
    /// The fields that no schema declares. Answers that an older version stored may have them.
    #[expect(
        clippy::box_collection,
        reason = "hardly any record has one, and all are smaller by it"
    )]
    undeclared: Option<Box<BTreeMap<SmolStr, Value>>>,
}

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
        self.put(name, value.into());
    }

    fn put(&mut self, name: &str, value: Value) {
        match FieldId::of(name) {
            Some(id) => self.put_declared(id, value),
            None => self.put_undeclared(name, value),
        }
    }

    fn put_declared(&mut self, id: FieldId, value: Value) {
        match (self.place(id), value.is_empty()) {
            (Ok(at), true) => {
                self.row.remove(at);
            }
            (Ok(at), false) => {
                if let Some(field) = self.row.get_mut(at) {
                    field.1 = value;
                }
            }
            (Err(_), true) => {}
            (Err(at), false) => {
                // Most records have a few fields, and most of them come one by one.
                if self.row.len() == self.row.capacity() {
                    self.row.reserve_exact(if self.row.is_empty() { 4 } else { 2 });
                }
                self.row.insert(at, (id, value));
            }
        }
    }

    fn put_undeclared(&mut self, name: &str, value: Value) {
        let mut fields = self.undeclared.take().unwrap_or_default();
        if value.is_empty() {
            fields.remove(name);
        } else {
            fields.insert(name.into(), value);
        }
        self.undeclared = Some(fields).filter(|fields| !fields.is_empty());
    }

    /// Returns where a field stands, or where it would.
    fn place(&self, id: FieldId) -> Result<usize, usize> {
        self.row.binary_search_by_key(&id, |(known, _)| *known)
    }

    /// Returns the value of a field by its id.
    #[must_use]
    pub fn field(&self, id: FieldId) -> Option<&Value> {
        let at = self.place(id).ok()?;
        self.row.get(at).map(|(_, value)| value)
    }

    /// Returns a field's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        // A row is shorter than the list of all names.
        match self.row.binary_search_by(|(id, _)| id.name().cmp(name)) {
            Ok(at) => self.row.get(at).map(|(_, value)| value),
            Err(_) => self.undeclared.as_ref()?.get(name),
        }
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
        self.get(name).map_or(&[], Value::records)
    }

    /// Walks the fields in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        let row = self.row.iter().map(|(id, value)| (id.name(), value));
        let undeclared = self.undeclared.iter().flat_map(|fields| fields.iter());
        let undeclared = undeclared.map(|(name, value)| (name.as_str(), value));
        let (mut row, mut undeclared) = (row.peekable(), undeclared.peekable());
        std::iter::from_fn(move || match (row.peek(), undeclared.peek()) {
            (Some((one, _)), Some((other, _))) if other < one => undeclared.next(),
            (None, _) => undeclared.next(),
            (Some(_), _) => row.next(),
        })
    }

    /// Tells whether the record has no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.row.is_empty() && self.undeclared.is_none()
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
        let row = self.row.capacity() * size_of::<(FieldId, Value)>();
        let undeclared = self.undeclared.as_ref().map_or(0, |fields| fields.len());
        let undeclared = undeclared * size_of::<(SmolStr, Value)>();
        values.sum::<usize>() + row + undeclared + size_of::<Self>()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.iter() {
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
        while let Some((name, value)) = map.next_entry::<SmolStr, _>()? {
            record.put(&name, value);
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn fields_that_no_schema_declares_stand_among_the_others_in_the_order_of_names() {
        let json = r#"{"zz":{"integer":1},"ip":{"text":"192.0.2.7"},"aa":{"flag":true},"first_seen":{"day":"2013-05-20"}}"#;
        let record: Record = serde_json::from_str(json).unwrap();
        let names: Vec<&str> = record.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["aa", "first_seen", "ip", "zz"]);
        assert_eq!(record.get("zz"), Some(&Value::Integer(1)));
        assert_eq!(record.text("ip").as_deref(), Some("192.0.2.7"));
        let stored = serde_json::to_string(&record).unwrap();
        assert_eq!(
            stored,
            r#"{"aa":{"flag":true},"first_seen":{"day":"2013-05-20"},"ip":{"text":"192.0.2.7"},"zz":{"integer":1}}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&stored).unwrap(), record);
    }

    #[test]
    fn days_are_written_as_the_calendar_writes_them() {
        for day in [
            Date::MIN,
            Date::ZERO,
            date(-1, 2, 3),
            date(1, 1, 1),
            date(987, 11, 30),
            date(2013, 5, 20),
            Date::MAX,
        ] {
            let mut text = String::new();
            push_day(&mut text, day);
            assert_eq!(text, day.to_string());
        }
    }

    #[test]
    fn an_empty_value_removes_a_field_wherever_it_stands() {
        let mut record = Record::new().with("ip", "192.0.2.7").with("zz", "x");
        record.set("ip", "");
        assert!(!record.is_empty());
        record.set("zz", "");
        assert_eq!(record, Record::new());
    }
}
