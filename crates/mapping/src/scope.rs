//! Finds the fields that a rule names: in the item of a list, or in the record around it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::period::Period;
use super::rules::Condition;
use pivotd_domain::{FieldId, Record, Schema, Value};

/// Says where a rule finds a field. It is known when the rule is compiled, since types declare their fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldSource {
    /// In the item of the rule's list.
    Item(FieldId),
    /// In the record.
    Record(FieldId),
    /// In neither: no schema declares it.
    Nowhere,
}

impl FieldSource {
    /// Finds the place of a name for a rule that walks a list of this type, or none.
    pub(super) fn of(name: &str, list: Option<&Schema>) -> Self {
        match FieldId::of(name) {
            None => Self::Nowhere,
            Some(id) if list.is_some_and(|list| list.field(name).is_some()) => Self::Item(id),
            Some(id) => Self::Record(id),
        }
    }
}

/// Holds the places of the fields that place a record in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    first_seen: FieldSource,
    last_seen: FieldSource,
    current: FieldSource,
}

impl Times {
    pub(super) fn of(list: Option<&Schema>) -> Self {
        Self {
            first_seen: FieldSource::of("first_seen", list),
            last_seen: FieldSource::of("last_seen", list),
            current: FieldSource::of("current", list),
        }
    }
}

/// Resolves names: in the item of a list what its type declares, and the rest in the record around it. What an item does
/// not say of itself, the record around it says of something else.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) item: Option<(&'a Record, &'static Schema)>,
    pub(super) record: &'a Record,
}

impl<'a> Scope<'a> {
    /// Returns the value at a place.
    pub(super) fn at(&self, place: FieldSource) -> Option<&'a Value> {
        match (place, self.item) {
            (FieldSource::Item(id), Some((item, _))) => item.field(id),
            (FieldSource::Item(id) | FieldSource::Record(id), _) => self.record.field(id),
            (FieldSource::Nowhere, _) => None,
        }
    }

    /// Returns the value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        match self.item {
            Some((item, declared)) if declared.field(name).is_some() => item.get(name),
            _ => self.record.get(name),
        }
    }

    /// Returns the item, or the record where there is none.
    pub(super) fn own(&self) -> &'a Record {
        self.item.map_or(self.record, |(item, _)| item)
    }

    /// Returns the text at a place.
    pub(super) fn text_at(&self, place: FieldSource) -> Option<Cow<'a, str>> {
        self.at(place).and_then(Value::text)
    }

    /// Tells whether all conditions of a compiled rule hold.
    pub(super) fn meets(&self, when: &[(FieldSource, Condition)]) -> bool {
        when.iter()
            .all(|(place, condition)| condition.is_met_by(self.at(*place)))
    }

    /// Tells whether all conditions hold.
    pub(super) fn holds(&self, when: &BTreeMap<String, Condition>) -> bool {
        when.iter()
            .all(|(name, condition)| condition.is_met_by(self.get(name)))
    }

    /// Returns the country of the item alone: that of the record around it may be another's.
    pub(super) fn country(&self) -> Option<Cow<'a, str>> {
        self.own().text("country")
    }

    /// Says when it was so.
    pub(super) fn period(&self, times: &Times) -> Period {
        let day = |place| self.at(place).and_then(Value::day);
        let current = matches!(self.at(times.current), Some(Value::Flag(true)));
        Period::of(day(times.first_seen), day(times.last_seen), current)
    }
}
