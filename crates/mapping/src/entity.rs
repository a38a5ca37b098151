//! Builds a merged entity for a Maltego client: properties, link, marks and the detail view.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};

use super::agreement::{Agreement, Testimony};
use super::entity_types::can_be_sinkhole;
use super::fold::{Group, Part, zone};
use super::input::{MappedInput, Rules, SourceAnswer};
use super::period::Period;
use super::properties::{declared, value_properties};
use super::rules::{EntityRule, Scale};
use super::seen;
use super::texts::Reading;
use pivotd_domain::lists::ZoneKind;
use pivotd_domain::{Indicator, IndicatorKind, OWN, Schema, Value};
use pivotd_maltego::response::{
    Bookmark, DisplayInformation, LinkProperty, Overlay, OverlayKind, OverlayPosition, Sighting,
};
use pivotd_maltego::{Entity, Property, types};

/// The property that says how many independent sources tell of an entity.
const SOURCES: &str = "pivotd.sources";
/// The property that says of which days all of them do.
const COMMON_PERIOD: &str = "pivotd.common_period";

/// Holds what all entities from one answer share.
pub(super) struct Provenance<'a> {
    provider: &'a str,
    family: &'a str,
    asked_on: Date,
    pub(super) source: SmolStr,
    pub(super) retrieved_at: SmolStr,
    pub(super) blind: Option<&'a str>,
}

/// Says where an answer came from.
pub(super) fn provenance<'a>(heard: &SourceAnswer<'a>) -> Provenance<'a> {
    let (source, at) = (&heard.answer.source, heard.retrieved_at);
    Provenance {
        provider: &source.provider,
        family: heard.family,
        asked_on: at.to_zoned(TimeZone::UTC).date(),
        source: format_smolstr!("{} {}", source.provider, source.product),
        retrieved_at: Timestamp::from_second(at.as_second()).unwrap_or(at).to_smolstr(),
        blind: source.blind.as_deref(),
    }
}

/// Builds the entities of one run.
pub(super) struct EntityBuilder<'a> {
    title: &'a str,
    schema: &'static Schema,
    scales: &'a BTreeMap<String, Scale>,
    rules: Rules<'a>,
    answers: Vec<Provenance<'a>>,
    /// Each provider once, in the order of the answers.
    providers: Vec<Names<'a>>,
}

/// Holds the ids and labels under one provider's name, which are the same for every entity of a run.
struct Names<'a> {
    provider: &'a str,
    first_seen: Label,
    last_seen: Label,
    source: Label,
    retrieved_at: Label,
    blind: Label,
}

/// Is the id and the label of a property.
struct Label(SmolStr, SmolStr);

impl Label {
    fn new(provider: &str, what: &str, title: &str) -> Self {
        Self(
            format_smolstr!("{provider}.{what}"),
            format_smolstr!("{title} ({provider})"),
        )
    }

    fn says(&self, value: impl Into<SmolStr>) -> Property {
        Property::loose(self.0.clone(), self.1.clone(), value)
    }
}

impl<'a> Names<'a> {
    fn new(provider: &'a str) -> Self {
        Self {
            provider,
            first_seen: Label::new(provider, "first_seen", "First seen"),
            last_seen: Label::new(provider, "last_seen", "Last seen"),
            source: Label::new(provider, "source", "Source"),
            retrieved_at: Label::new(provider, "retrieved_at", "Retrieved at"),
            blind: Label::new(provider, "blind", "Not covered"),
        }
    }
}

impl<'a> EntityBuilder<'a> {
    pub(super) fn new(answers: &[SourceAnswer<'a>], rules: &Rules<'a>) -> Self {
        let mut providers: Vec<Names<'_>> = Vec::new();
        for heard in answers {
            let provider = &heard.answer.source.provider;
            if !providers.iter().any(|names| names.provider == provider) {
                providers.push(Names::new(provider));
            }
        }
        let answers = answers.iter().map(provenance).collect();
        Self {
            title: rules.title,
            schema: rules.schema,
            scales: rules.scales,
            rules: *rules,
            answers,
            providers,
        }
    }

    /// Makes the entity of a group.
    pub(super) fn build(&self, group: &Group<'_>) -> Entity {
        let mut entity = Entity::new(group.type_id, group.value.as_ref());
        entity.properties.reserve(10);
        value_properties(group.type_id, &group.value, &mut entity.properties);
        self.finish(group, &group.value, &mut entity);
        let agreement = self.agreement(group);
        if let Some(agreement) = &agreement {
            agree(agreement, &mut entity);
        }
        self.link(group, agreement.as_ref(), &mut entity);
        entity
    }

    /// Makes a copy of the input with what was learnt. Type, value and strict properties stay byte for byte, since
    /// a second node appears otherwise.
    pub(super) fn annotate(&self, group: &Group<'_>, input: &MappedInput<'_>) -> Entity {
        let mut entity = Entity::new(input.type_id, input.value);
        entity.properties.extend_from_slice(input.properties);
        if let Some(name) = types::value_property(input.type_id)
            && !has(&entity.properties, name)
        {
            entity.properties.push(declared(input.type_id, name, input.value));
        }
        self.finish(group, &canonical(input.type_id, input.value), &mut entity);
        entity
    }

    fn finish(&self, group: &Group<'_>, value: &str, entity: &mut Entity) {
        let mut rows: Vec<(Cow<'_, str>, SmolStr)> = Vec::new();
        for names in &self.providers {
            self.provider_properties(group, names, entity, &mut rows);
        }
        for rule in rules_of(group) {
            for name in &rule.show {
                let parts = group.parts.iter().filter(|part| std::ptr::eq(part.rule, rule));
                let text = self.joined(parts, name, "\n");
                // A field that is a property, too, has its title there.
                let field = rule.fields.iter().find(|field| field.field == *name);
                let title = field.map_or_else(
                    || Cow::Owned(humanised(name)),
                    |field| Cow::Borrowed(field.title.as_str()),
                );
                push_row(&mut rows, title, text, None);
            }
            self.mark(group, rule, entity);
        }
        self.mark_known(group, value, entity);
        if !rows.is_empty() {
            entity
                .display_information
                .push(DisplayInformation::table(self.title, rows));
        }
    }

    /// Adds what one provider says: the rule's fields, dates and where they come from, all under the provider's name.
    fn provider_properties<'r>(
        &self,
        group: &Group<'r>,
        names: &Names<'_>,
        entity: &mut Entity,
        rows: &mut Vec<(Cow<'r, str>, SmolStr)>,
    ) {
        let provider = names.provider;
        let is_his = |part: &&Part<'r>| {
            self.answers
                .get(part.answer)
                .is_some_and(|a| a.provider == provider)
        };
        let Some(first_part) = group.parts.iter().find(is_his) else {
            return;
        };
        for rule in rules_of(group) {
            let of_rule = |part: &&Part<'r>| is_his(part) && std::ptr::eq(part.rule, rule);
            for field in &rule.fields {
                let text = self.joined(group.parts.iter().filter(of_rule), &field.field, ", ");
                if text.is_empty() {
                    continue;
                }
                let name = field.id(provider);
                if !rule.show.contains(&field.field) {
                    let owner = (self.providers.len() > 1).then_some(provider);
                    push_row(rows, Cow::Borrowed(field.title.as_str()), text.clone(), owner);
                }
                let strict =
                    field.strict || types::property(group.type_id, &name).is_some_and(|known| known.strict);
                let known = entity.properties.iter_mut().find(|known| known.name == name);
                match known {
                    // Two rules may say differing things of one entity; the value's own properties stay.
                    Some(known) if field.property.is_none() && !strict && known.value != text => {
                        known.value = format_smolstr!("{}, {text}", known.value);
                    }
                    Some(_) => {}
                    None => {
                        let is_taken = |one: &Property| one.display_name.eq_ignore_ascii_case(&field.title);
                        let display_name = if entity.properties.iter().any(is_taken) {
                            format_smolstr!("{} ({provider})", field.title)
                        } else {
                            field.title.to_smolstr()
                        };
                        entity.properties.push(Property {
                            name,
                            display_name,
                            value: text,
                            strict,
                        });
                    }
                }
            }
        }
        if provider == OWN {
            return;
        }
        // With one provider, all parts are his.
        let period = if self.providers.len() == 1 {
            group.period
        } else {
            let his = group.parts.iter().filter(is_his);
            his.fold(Period::default(), |all, one| all.join(one.period()))
        };
        let his = group.parts.iter().filter(is_his);
        let periods = seen::periods(his.map(Part::period)).into_iter();
        entity.seen.extend(periods.map(|(first, last)| Sighting {
            source: provider.into(),
            first,
            last,
        }));
        if let Some(day) = period.first() {
            widen(
                &mut entity.properties,
                names.first_seen.says(day.to_smolstr()),
                day,
                Date::min,
            );
        }
        if let Some(day) = period.last() {
            widen(
                &mut entity.properties,
                names.last_seen.says(day.to_smolstr()),
                day,
                Date::max,
            );
        }
        let mut say = |property| add(&mut entity.properties, property);
        let Some(first) = self.answers.get(first_part.answer) else {
            return;
        };
        // Answers of one provider to one question differ at most in their product.
        let others = group
            .parts
            .iter()
            .filter(is_his)
            .filter_map(|part| self.answers.get(part.answer));
        let latest = others
            .map(|one| &one.retrieved_at)
            .max()
            .unwrap_or(&first.retrieved_at);
        say(names.source.says(first.source.clone()));
        say(names.retrieved_at.says(latest.clone()));
        if let Some(blind) = first.blind {
            say(names.blind.says(blind));
        }
    }

    /// Compares what the sources of a group say; `None` where there is one.
    fn agreement(&self, group: &Group<'_>) -> Option<Agreement> {
        if self.providers.len() < 2 {
            return None;
        }
        let testimonies = group.parts.iter().filter_map(|part| {
            let answer = self.answers.get(part.answer)?;
            Some(Testimony {
                family: answer.family,
                period: part.period(),
                asked_on: answer.asked_on,
            })
        });
        Agreement::of(testimonies)
    }

    /// Puts label, dates and agreement on the link.
    fn link(&self, group: &Group<'_>, agreement: Option<&Agreement>, entity: &mut Entity) {
        let resolve = |name: &str| -> Option<Cow<'_, str>> {
            match name {
                "first_seen" => group.period.first().map(|day| Cow::Owned(day.to_string())),
                "last_seen" => group.period.last().map(|day| Cow::Owned(day.to_string())),
                _ => {
                    let text = self.joined(group.parts.iter(), name, ", ");
                    (!text.is_empty()).then(|| Cow::Owned(text.into()))
                }
            }
        };
        let label = rules_of(group).find_map(|rule| rule.link.as_ref()?.fill(|name| resolve(name)));
        let label = label.filter(|label| !label.trim().is_empty());
        let label = match (label, agreement.map(Agreement::label)) {
            (Some(label), Some(agreement)) => Some(format!("{label} ({agreement})")),
            (label, agreement) => label.map(Cow::into_owned).or(agreement),
        };
        if let Some(label) = label {
            entity.link.push(LinkProperty::Label(label.into()));
        }
        for property in &entity.properties {
            let is_date = property.name.ends_with(".first_seen") || property.name.ends_with(".last_seen");
            if is_date || [SOURCES, COMMON_PERIOD].contains(&property.name.as_str()) {
                entity.link.push(LinkProperty::Custom(
                    property.name.clone(),
                    property.display_name.clone(),
                    property.value.clone(),
                ));
            }
        }
    }

    /// Marks names of dynamic DNS services and of hosting, and sinkholes, with who says so; `value` is the entity's in
    /// canonical form.
    fn mark_known(&self, group: &Group<'_>, value: &str, entity: &mut Entity) {
        if let Some((property, service)) = zone_mark(&entity.type_id, value, &self.rules) {
            add(&mut entity.properties, property);
            overlay(entity, service, OverlayPosition::South, OverlayKind::Text);
            entity.bookmark = entity.bookmark.or(Some(Bookmark::Yellow));
        }
        if !can_be_sinkhole(&entity.type_id) {
            return;
        }
        let mut properties = entity.properties.iter();
        let is_said = properties.any(|one| one.name.ends_with(".sinkhole") && one.value == "true");
        let provider_of = |answer: usize| self.answers.get(answer).map(|answer| answer.provider);
        let source = sinkhole_source(&self.rules, group, value, is_said, provider_of);
        if let Some(source) = &source {
            add(&mut entity.properties, sinkhole_property(source));
        }
        if is_said || source.is_some() {
            overlay(entity, "Sinkhole", OverlayPosition::North, OverlayKind::Text);
            entity.bookmark = Some(Bookmark::Red);
        }
    }

    /// Joins the differing texts of a field, in the order of the records.
    fn joined<'p, 'r: 'p>(
        &self,
        parts: impl Iterator<Item = &'p Part<'r>>,
        name: &str,
        separator: &str,
    ) -> SmolStr {
        let values = parts.filter_map(|part| part.scope.get(name));
        Reading::of(self.schema, name).join(values, separator)
    }

    fn mark(&self, group: &Group<'_>, rule: &EntityRule, entity: &mut Entity) {
        let parts = || group.parts.iter().filter(|part| std::ptr::eq(part.rule, rule));
        for mark in &rule.marks {
            if parts().any(|part| part.scope.holds(&mark.when)) {
                if let Some(text) = &mark.overlay {
                    overlay(entity, text, OverlayPosition::North, OverlayKind::Text);
                }
                entity.bookmark = entity.bookmark.or(mark.bookmark.map(Into::into));
            }
        }
        let Some((by, scale)) = &rule.band else { return };
        let numbers = parts().filter_map(|part| match part.scope.get(by) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        });
        let band = numbers
            .max()
            .and_then(|number| self.scales.get(scale)?.band(number));
        let Some(band) = band else { return };
        if let Some(colour) = &band.overlay {
            overlay(entity, colour, OverlayPosition::NorthWest, OverlayKind::Colour);
        }
        entity.bookmark = entity.bookmark.or(band.bookmark.map(Into::into));
    }
}

/// Says on an entity that several sources agree.
fn agree(agreement: &Agreement, entity: &mut Entity) {
    let sources = agreement.sources.to_smolstr();
    add(
        &mut entity.properties,
        Property::loose(SOURCES, "Independent sources", sources),
    );
    if let Some(text) = agreement.common_text() {
        add(
            &mut entity.properties,
            Property::loose(COMMON_PERIOD, "Period that sources agree on", text),
        );
    }
    // The overlay shows the property's value.
    overlay(entity, SOURCES, OverlayPosition::SouthWest, OverlayKind::Text);
}

/// Walks the rules that made a group, each once.
fn rules_of<'g, 'r>(group: &'g Group<'r>) -> impl Iterator<Item = &'r EntityRule> + use<'g, 'r> {
    let mut known: Vec<&EntityRule> = Vec::new();
    group.parts.iter().filter_map(move |part| {
        let is_new = !known.iter().any(|known| std::ptr::eq(*known, part.rule));
        is_new.then(|| known.push(part.rule)).map(|()| part.rule)
    })
}

/// Says as what a customer has the name that an entity is, or stands on: a property, and the service's name.
pub(super) fn zone_mark(type_id: &str, value: &str, rules: &Rules<'_>) -> Option<(Property, &'static str)> {
    let (kind, source) = zone(type_id, value, rules)?;
    let (name, service) = match kind {
        ZoneKind::DynamicDns => ("pivotd.dynamic_dns", "Dynamic DNS"),
        ZoneKind::Hosting => ("pivotd.hosting", "Hosting"),
        ZoneKind::Registry => return None,
    };
    let title = format_smolstr!("{service} according to");
    Some((Property::loose(name, title, source), service))
}

/// Finds who calls an entity a sinkhole: a list, else the provider of a record, else an earlier answer. Where a provider's own
/// property says it in this run (`is_said`), only a list says it besides.
pub(super) fn sinkhole_source<'a>(
    rules: &Rules<'a>,
    group: &Group<'_>,
    value: &str,
    is_said: bool,
    provider_of: impl FnOnce(usize) -> Option<&'a str>,
) -> Option<Cow<'a, str>> {
    if let Some(list) = rules.lists.sinkhole(value) {
        return Some(Cow::Borrowed(list));
    }
    if is_said {
        return None;
    }
    let by_record = group.called_sinkhole_by().and_then(provider_of);
    let by_answer = || rules.marks.of(value).map(|mark| Cow::Owned(mark.source()));
    by_record.map(Cow::Borrowed).or_else(by_answer)
}

/// Makes the property that says who calls an entity a sinkhole.
pub(super) fn sinkhole_property(source: &str) -> Property {
    Property::loose("pivotd.sinkhole", "Sinkhole according to", source)
}

fn has(properties: &[Property], name: &str) -> bool {
    properties.iter().any(|property| property.name == name)
}

/// Adds a property; one that is there stays, so that values and what came with the input are never overwritten.
fn add(properties: &mut Vec<Property>, property: Property) {
    if !has(properties, &property.name) {
        properties.push(property);
    }
}

/// Adds a date; where an annotated input came with one, that which makes its period the union of both stays.
fn widen(properties: &mut Vec<Property>, property: Property, day: Date, outer: fn(Date, Date) -> Date) {
    match properties.iter_mut().find(|known| known.name == property.name) {
        None => properties.push(property),
        Some(known) => {
            if known
                .value
                .parse()
                .is_ok_and(|came: Date| outer(came, day) != came)
            {
                known.value = property.value;
            }
        }
    }
}

/// Adds a row. No title stands twice: what another provider says differently is named after it, and what else differs
/// stands below in the same row.
fn push_row<'r>(
    rows: &mut Vec<(Cow<'r, str>, SmolStr)>,
    title: Cow<'r, str>,
    text: SmolStr,
    provider: Option<&str>,
) {
    if text.is_empty() {
        return;
    }
    let known = rows
        .iter_mut()
        .find(|(known, _)| known.eq_ignore_ascii_case(&title));
    match (known, provider) {
        (None, _) => rows.push((title, text)),
        (Some((_, shown)), _) if *shown == text => {}
        (Some(_), Some(provider)) => push_row(rows, Cow::Owned(format!("{title} ({provider})")), text, None),
        (Some((_, shown)), None) => {
            for line in text.lines() {
                if !shown.lines().any(|known| known == line) {
                    *shown = format_smolstr!("{shown}\n{line}");
                }
            }
        }
    }
}

fn overlay(entity: &mut Entity, what: &str, position: OverlayPosition, kind: OverlayKind) {
    let overlay = Overlay {
        property_name: what.to_owned(),
        position,
        kind,
    };
    if !entity.overlays.contains(&overlay) {
        entity.overlays.push(overlay);
    }
}

/// Makes a title of a field's name: `name_servers` becomes `Name servers`.
pub fn humanised(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first
        .into_iter()
        .chain(chars.map(|c| if c == '_' { ' ' } else { c }))
        .collect()
}

/// Returns the canonical form of a value as it was typed, where lists know names and addresses by that.
fn canonical<'v>(type_id: &str, value: &'v str) -> Cow<'v, str> {
    let kind = match type_id {
        "maltego.Domain" | "maltego.DNSName" | "maltego.Website" | "maltego.NSRecord" => {
            IndicatorKind::Hostname
        }
        "maltego.IPv4Address" => IndicatorKind::Ipv4,
        "maltego.IPv6Address" => IndicatorKind::Ipv6,
        _ => return Cow::Borrowed(value),
    };
    Indicator::parse(kind, value).map_or(Cow::Borrowed(value), |read| Cow::Owned(read.value().to_owned()))
}
