//! Resolves the names of a rule when the configuration is read: they become places of fields.

use std::collections::BTreeMap;

use super::rules::{Condition, EntityRule, Template};
use super::scope::{FieldSource, Times};
use super::texts::Reading;
use pivotd_domain::{FieldId, Kind, Schema};

/// Is a rule whose names are resolved.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CompiledRule {
    /// Where in the list of rules it stands.
    pub(super) at: usize,
    /// The list that it walks, and what its items are.
    pub(super) each: Option<(FieldId, &'static Schema)>,
    /// What becomes the value.
    pub(super) value: Template<FieldSource>,
    /// What the value is, where it is a field.
    pub(super) kind: Option<Kind>,
    /// Whether the value names a registrar or an operator, whose name may sound like that of a privacy service.
    pub(super) is_operator: bool,
    /// When the rule applies.
    pub(super) when: Vec<(FieldSource, Condition)>,
    /// The fields whose values tell entities apart.
    pub(super) strict: Vec<FieldSource>,
    /// The fields that place a record in time.
    pub(super) times: Times,
    /// The field that says how many others share the value.
    pub(super) count: FieldSource,
    /// Label of the link.
    pub(super) link: Option<Template<LinkField>>,
    /// When each of the marks is put.
    pub(super) marks: Vec<Vec<(FieldSource, Condition)>>,
    /// Field and scale for overlay and bookmark.
    pub(super) band: Option<(FieldSource, String)>,
}

/// Is a field of a link's label. Dates are those of the entity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum LinkField {
    FirstSeen,
    LastSeen,
    Other(FieldSource, Reading),
}

impl CompiledRule {
    /// Resolves the names of the rule that stands there in the list of rules, on records of this type.
    pub(super) fn compile(at: usize, rule: &EntityRule, schema: &'static Schema) -> Self {
        let list = rule.each.as_deref().and_then(|name| schema.list(name));
        let place = |name: &str| FieldSource::of(name, list);
        let kind = rule.value.single_field().and_then(|name| {
            let field = list.and_then(|list| list.field(name));
            field.or_else(|| schema.field(name)).map(|field| field.kind)
        });
        let strict = rule.fields.iter().filter(|field| field.strict);
        let conditions = |when: &BTreeMap<String, Condition>| {
            let when = when.iter();
            when.map(|(name, condition)| (place(name), condition.clone()))
                .collect()
        };
        let link_field = |name: &String| match name.as_str() {
            "first_seen" => LinkField::FirstSeen,
            "last_seen" => LinkField::LastSeen,
            other => LinkField::Other(place(other), Reading::of(schema, other)),
        };
        Self {
            at,
            each: rule.each.as_deref().and_then(FieldId::of).zip(list),
            value: rule.value.with_fields(|name| place(name)),
            kind,
            is_operator: matches!(
                rule.value.single_field(),
                Some("registrar" | "as_name" | "hosting")
            ),
            when: conditions(&rule.when),
            strict: strict.map(|field| place(&field.field)).collect(),
            times: Times::of(list),
            count: place("count"),
            link: rule.link.as_ref().map(|link| link.with_fields(link_field)),
            marks: rule.marks.iter().map(|mark| conditions(&mark.when)).collect(),
            band: rule.band.as_ref().map(|(by, scale)| (place(by), scale.clone())),
        }
    }

    /// Returns the type of the list that it walks.
    pub(super) fn list(&self) -> Option<&'static Schema> {
        self.each.map(|(_, list)| list)
    }
}
