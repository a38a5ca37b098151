//! Gathers what several records say of one entity, and places it in time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};

use jiff::civil::Date;

use super::canonical::{canonical, is_name, is_shouted, name_key, told_apart_by};
use super::dropped::Unplaced;
use super::rules::{Condition, EntityRule};
use super::{Heard, MappedInput, Rules, Window};
use crate::catalogue::TransformSpec;
use crate::domain::indicator::NameKind;
use crate::domain::lists::ZoneKind;
use crate::domain::marks;
use crate::domain::{Indicator, IndicatorKind, Kind, Lists, Record, Schema, Value};
use crate::maltego::{Property, visible};

/// Resolves names: in the item of a list what its type declares, and the rest in the record around it. What an item does
/// not say of itself, the record around it says of something else.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    item: Option<(&'a Record, &'static Schema)>,
    record: &'a Record,
}

impl<'a> Scope<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        match self.item {
            Some((item, declared)) if declared.field(name).is_some() => item.get(name),
            _ => self.record.get(name),
        }
    }

    /// Returns the item, or the record where there is none.
    fn own(&self) -> &'a Record {
        self.item.map_or(self.record, |(item, _)| item)
    }

    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(Value::text)
    }

    pub(super) fn holds(&self, when: &BTreeMap<String, Condition>) -> bool {
        when.iter().all(|(name, condition)| match condition {
            Condition::Present(wanted) => {
                let there = self.get(name).is_some_and(|value| *value != Value::Flag(false));
                there == *wanted
            }
            Condition::AnyOf(wanted) => self.get(name).is_some_and(|value| {
                let is = |text: &str| wanted.iter().any(|one| one.eq_ignore_ascii_case(text));
                match value {
                    Value::Texts(texts) => texts.iter().any(|text| is(text)),
                    other => other.text().is_some_and(|text| is(&text)),
                }
            }),
        })
    }

    /// Returns the country of the item alone: that of the record around it may be another's.
    fn country(&self) -> Option<Cow<'a, str>> {
        self.own().text("country")
    }

    fn period(&self) -> Period {
        let day = |name| self.get(name).and_then(Value::day);
        let (first, last) = (day("first_seen"), day("last_seen"));
        let current = matches!(self.get("current"), Some(Value::Flag(true)));
        Period {
            // A vendor may turn the two around.
            earliest: [first, last].into_iter().flatten().min(),
            latest: first.max(last),
            has_first: first.is_some(),
            has_last: last.is_some(),
            current,
        }
    }
}

/// Holds when something was so, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Period {
    earliest: Option<Date>,
    latest: Option<Date>,
    has_first: bool,
    has_last: bool,
    current: bool,
}

impl Period {
    /// Joins two periods; the order does not matter.
    pub(super) fn join(self, other: Self) -> Self {
        Self {
            earliest: [self.earliest, other.earliest].into_iter().flatten().min(),
            latest: self.latest.max(other.latest),
            has_first: self.has_first || other.has_first,
            has_last: self.has_last || other.has_last,
            current: self.current || other.current,
        }
    }

    /// Returns the first day known.
    pub(super) fn first(&self) -> Option<Date> {
        self.earliest.filter(|_| self.has_first)
    }

    /// Returns the last day known; none while it still holds.
    pub(super) fn last(&self) -> Option<Date> {
        self.latest.filter(|_| self.has_last && !self.current)
    }

    /// Tells whether it still holds.
    pub(super) fn is_current(&self) -> bool {
        self.current
    }

    /// Tells whether nothing is known of when it was so.
    fn is_undated(&self) -> bool {
        !self.has_first && !self.has_last && !self.current
    }

    /// Tells whether it touches the window. A bound that nobody knows excludes nothing.
    fn touches(&self, window: &Window) -> bool {
        let ends_before = |since: Date| self.has_last && !self.current && self.latest < Some(since);
        let begins_after = |until: Date| self.has_first && self.earliest > Some(until);
        !window.since.is_some_and(ends_before) && !window.until.is_some_and(begins_after)
    }

    /// Counts the days between a day and the nearest day of it; the most where no day is known.
    fn distance(&self, near: Date) -> u32 {
        let days = |from: Date, to: Date| {
            from.until(to)
                .map_or(u32::MAX - 1, |span| span.get_days().unsigned_abs())
        };
        match (self.earliest, self.latest) {
            (Some(earliest), _) if near < earliest => days(near, earliest),
            (_, Some(latest)) if near > latest && !self.current => days(latest, near),
            (None, None) if !self.current => u32::MAX,
            _ => 0,
        }
    }

    /// Counts the days between a day and the farthest day of it; the most where an end is not known.
    fn reach(&self, near: Date) -> u32 {
        let days = |end: Date| {
            near.until(end)
                .map_or(u32::MAX, |span| span.get_days().unsigned_abs())
        };
        match (self.earliest, self.latest) {
            (Some(earliest), Some(latest)) if !self.current => days(earliest).max(days(latest)),
            _ => u32::MAX,
        }
    }

    fn newest(&self) -> Option<Date> {
        if self.current {
            Some(Date::MAX)
        } else {
            self.latest
        }
    }
}

/// Is one record's part in an entity.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// The rule that made it.
    pub(super) rule: &'a EntityRule,
    /// Where its names resolve.
    pub(super) scope: Scope<'a>,
    /// Which answer it came from.
    pub(super) answer: usize,
}

impl Part<'_> {
    pub(super) fn period(&self) -> Period {
        self.scope.period()
    }
}

/// Is what becomes one entity.
pub(super) struct Group<'a> {
    pub(super) type_id: &'a str,
    pub(super) value: Cow<'a, str>,
    pub(super) parts: Vec<Part<'a>>,
    pub(super) period: Period,
    inside: bool,
    undated: Undated,
    distance: u32,
    near: Option<Date>,
    count: Option<i64>,
    /// Whether it is what was asked about instead of the input: no window and no setting leaves it out.
    is_asked: bool,
}

/// Says what records without a date do to an entity that no dated record puts into the window.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undated {
    /// There are none.
    None,
    /// They keep it, and no time was asked for.
    Plain,
    /// They keep it, although a time is asked for.
    Kept,
    /// They do not keep it.
    Unwanted,
}

impl<'a> Group<'a> {
    fn new(type_id: &'a str, value: Cow<'a, str>) -> Self {
        Self {
            type_id,
            value,
            parts: Vec::with_capacity(1),
            period: Period::default(),
            inside: false,
            undated: Undated::None,
            distance: u32::MAX,
            near: None,
            count: None,
            is_asked: false,
        }
    }

    fn add(&mut self, part: Part<'a>, window: &Window) {
        let period = part.period();
        if period.is_undated() {
            self.undated = match self.undated {
                Undated::None | Undated::Unwanted if window.dated_only => Undated::Unwanted,
                Undated::Kept => Undated::Kept,
                _ if *window != Window::default() => Undated::Kept,
                _ => Undated::Plain,
            };
        } else {
            self.inside |= period.touches(window);
        }
        if let Some(near) = window.near {
            self.distance = self.distance.min(period.distance(near));
            self.near = Some(near);
        }
        self.period = self.period.join(period);
        if let Some(Value::Integer(count)) = part.scope.get("count") {
            self.count = Some(self.count.map_or(*count, |known| known.min(*count)));
        }
        self.parts.push(part);
    }

    /// Tells whether it belongs to the window.
    pub(super) fn is_inside(&self) -> bool {
        self.inside || self.is_asked || self.is_undated() || self.undated == Undated::Plain
    }

    /// Tells whether only records without a date put it into a window.
    pub(super) fn is_undated(&self) -> bool {
        !self.inside && self.undated == Undated::Kept
    }

    /// Tells whether it would belong to the window if records without a date were wanted.
    pub(super) fn lacks_date(&self) -> bool {
        !self.inside && self.undated == Undated::Unwanted
    }

    /// Tells whether it is a sinkhole: a list says so of the value, an earlier answer, or the vendor of a record.
    pub(super) fn is_sinkhole(&self, rules: &Rules<'_>) -> bool {
        !self.is_asked
            && can_be_sinkhole(self.type_id)
            && (rules.lists.sinkhole(&self.value).is_some()
                || rules.marks.of(&self.value).is_some()
                || self.called_sinkhole_by().is_some())
    }

    /// Returns the answer of which a record calls it a sinkhole.
    pub(super) fn called_sinkhole_by(&self) -> Option<usize> {
        let mut parts = self.parts.iter();
        let found = parts.find(|part| marks::says_sinkhole(part.scope.own()))?;
        Some(found.answer)
    }

    /// Tells whether it is a name of a dynamic DNS service, or stands on one.
    pub(super) fn is_dynamic_dns(&self, rules: &Rules<'_>) -> bool {
        !self.is_asked
            && matches!(
                zone(self.type_id, &self.value, rules),
                Some((ZoneKind::DynamicDns, _))
            )
    }

    /// Returns what to sort by: what was asked about instead of the input, nearest, then what was so only around that day, then rarest, then newest.
    pub(super) fn rank(&self) -> (bool, u32, u32, i64, std::cmp::Reverse<Option<Date>>) {
        (
            !self.is_asked,
            self.distance,
            self.near.map_or(0, |near| self.period.reach(near)),
            self.count.unwrap_or(i64::MAX),
            std::cmp::Reverse(self.period.newest()),
        )
    }
}

/// Tells whether entities of a type can be sinkholes.
pub(super) fn can_be_sinkhole(type_id: &str) -> bool {
    matches!(
        type_id,
        "maltego.IPv4Address" | "maltego.IPv6Address" | "maltego.NSRecord"
    )
}

/// Says as what a customer has the name that an entity is, or stands on, and which list says so; the value has to be
/// canonical.
pub(super) fn zone<'a>(type_id: &str, value: &str, rules: &Rules<'a>) -> Option<(ZoneKind, &'a str)> {
    let host = match type_id {
        "maltego.Domain" | "maltego.DNSName" | "maltego.Website" => Cow::Borrowed(value),
        "maltego.URL" => Cow::Owned(Indicator::parse(IndicatorKind::Url, value).ok()?.host()?),
        _ => return None,
    };
    let zone = rules.lists.zone(&host)?;
    Some((zone.kind, zone.list))
}

/// Holds the groups in the order in which the answers named them, and what annotates the input.
pub(super) struct Folded<'a> {
    pub(super) groups: Vec<Group<'a>>,
    pub(super) on_input: Option<Group<'a>>,
    /// The records that nothing was made of.
    pub(super) unplaced: Unplaced,
}

/// Says what a rule made of a record; the greatest of all rules counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Placed {
    /// It has no value for the rule, or the rule is for others.
    Nothing,
    /// Its value is a redaction.
    Redacted,
    /// Its value is the input itself.
    Equal,
    /// An entity, or a part of one.
    Made,
}

/// Is a group's key: type, value, and the values of strict properties.
type Key<'a> = (&'a str, Cow<'a, str>, Option<String>);

/// Walks all records by all rules.
pub(super) fn fold<'a>(
    answers: &[Heard<'a>],
    spec: &'a TransformSpec,
    input: &MappedInput<'a>,
    lists: &Lists,
) -> Folded<'a> {
    let schema = spec.capability.schema();
    let rules: Vec<_> = spec
        .entities
        .iter()
        .map(|rule| Prepared::new(rule, schema))
        .collect();
    let mut known: HashMap<Key<'a>, usize> = HashMap::new();
    let mut folded = Folded {
        groups: Vec::new(),
        on_input: None,
        unplaced: Unplaced::default(),
    };
    for (answer, heard) in answers.iter().enumerate() {
        for record in &heard.answer.records {
            let mut made = Placed::Nothing;
            for prepared in &rules {
                let mut walk = |item| {
                    let part = Part {
                        rule: prepared.rule,
                        scope: Scope { item, record },
                        answer,
                    };
                    let state = (lists, &mut known);
                    made = made.max(folded.place(prepared, part, input, heard, state));
                };
                match prepared.rule.each.as_deref().zip(prepared.list) {
                    None => walk(None),
                    Some((list, declared)) => {
                        let items = record.records(list).iter();
                        items.for_each(|item| walk(Some((item, declared))));
                    }
                }
            }
            match made {
                Placed::Made => {}
                // What type a record is of says more than that it names the value: SOA and TXT rows do.
                Placed::Equal if record.get("type").is_none() => folded.unplaced.equal += 1,
                Placed::Redacted => folded.unplaced.redacted += 1,
                Placed::Equal | Placed::Nothing => {
                    let asked = heard.answer.query.indicator.value();
                    folded.unplaced.add_other(schema, record, asked);
                }
            }
        }
    }
    folded
}

impl<'a> Folded<'a> {
    fn place(
        &mut self,
        prepared: &Prepared<'a>,
        part: Part<'a>,
        input: &MappedInput<'a>,
        heard: &Heard<'a>,
        (lists, known): (&Lists, &mut HashMap<Key<'a>, usize>),
    ) -> Placed {
        let rule = prepared.rule;
        if !part.scope.holds(&rule.when) {
            return Placed::Nothing;
        }
        if rule.on_input {
            let asked = heard.answer.query.indicator.value();
            let group = match input.instead.filter(|domain| *domain == asked) {
                // What is said of a registrable domain is not said of a name below it.
                Some(domain) => {
                    let value = Cow::Borrowed(domain);
                    self.group((name_type(domain, lists), value.clone(), None), value, known)
                }
                None => {
                    let input = || Group::new(input.type_id, Cow::Borrowed(input.value));
                    Some(self.on_input.get_or_insert_with(input))
                }
            };
            if let Some(group) = group {
                group.is_asked = true;
                group.add(part, &heard.window);
            }
            return Placed::Made;
        }
        let Some(value) = rule.value.fill(|name| part.scope.text(name)) else {
            return Placed::Nothing;
        };
        let country = match prepared.kind {
            Some(Kind::Phone) => part.scope.country(),
            _ => None,
        };
        let kind = prepared.kind.filter(|_| !prepared.is_operator);
        let Some(value) = canonical(kind, value, country.as_deref()) else {
            return Placed::Redacted;
        };
        if value.is_empty() {
            return Placed::Nothing;
        }
        let Some(type_id) = prepared.type_of(&value, lists) else {
            return Placed::Nothing;
        };
        let is_value_of_input = || {
            value.eq_ignore_ascii_case(input.value.trim())
                || is_name(prepared.kind) && name_key(&value) == name_key(input.value)
        };
        if type_id == input.type_id
            && is_value_of_input()
            && prepared.agrees(&part.scope, &heard.answer.source.provider, input.properties)
        {
            return Placed::Equal;
        }
        let strict = prepared.strict_values(&part.scope);
        let key = (type_id, told_apart_by(prepared.kind, &value), strict);
        if let Some(group) = self.group(key, value.clone(), known) {
            if is_shouted(&group.value) && !is_shouted(&value) {
                group.value = value;
            }
            group.add(part, &heard.window);
        }
        Placed::Made
    }

    /// Finds the group of a key, or begins it with a value.
    fn group(
        &mut self,
        key: Key<'a>,
        value: Cow<'a, str>,
        known: &mut HashMap<Key<'a>, usize>,
    ) -> Option<&mut Group<'a>> {
        let type_id = key.0;
        let at = match known.entry(key) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                self.groups.push(Group::new(type_id, value));
                *entry.insert(self.groups.len() - 1)
            }
        };
        self.groups.get_mut(at)
    }
}

/// Decides the entity type of a name.
fn name_type(name: &str, lists: &Lists) -> &'static str {
    match lists.name_kind(name) {
        NameKind::Domain => "maltego.Domain",
        NameKind::Host => "maltego.DNSName",
    }
}

/// Is a rule with what need not be looked up for every record.
struct Prepared<'a> {
    rule: &'a EntityRule,
    /// What the items of the rule's list are.
    list: Option<&'static Schema>,
    kind: Option<Kind>,
    has_strict: bool,
    /// Whether it names a registrar or an operator, whose name may sound like that of a privacy service.
    is_operator: bool,
}

impl<'a> Prepared<'a> {
    fn new(rule: &'a EntityRule, schema: &'static Schema) -> Self {
        let list = rule.each.as_deref().and_then(|name| schema.list(name));
        let find = |name| {
            list.and_then(|list| list.field(name))
                .or_else(|| schema.field(name))
        };
        let kind = rule.value.single_field().and_then(find).map(|field| field.kind);
        Self {
            rule,
            list,
            kind,
            has_strict: rule.fields.iter().any(|field| field.strict),
            is_operator: matches!(
                rule.value.single_field(),
                Some("registrar" | "as_name" | "hosting")
            ),
        }
    }

    /// Decides the entity type. An address and a name are told by their value, for every provider alike.
    fn type_of(&self, value: &str, lists: &Lists) -> Option<&'a str> {
        const V4: &str = "maltego.IPv4Address";
        const V6: &str = "maltego.IPv6Address";
        match (self.rule.type_id.as_deref(), self.kind) {
            (Some(V4 | V6) | None, Some(Kind::Address)) => Some(if value.contains(':') { V6 } else { V4 }),
            (Some(type_id), _) => Some(type_id),
            (None, Some(Kind::Host)) => Some(name_type(value, lists)),
            (None, kind) => kind.and_then(|kind| kind.entity_type()),
        }
    }

    /// Tells whether the input has what identifies an entity beside type and value.
    fn agrees(&self, scope: &Scope<'_>, provider: &str, input: &[Property]) -> bool {
        let mut strict = self.rule.fields.iter().filter(|field| field.strict);
        strict.all(|field| {
            let name = field.id(provider);
            let came = input.iter().find(|property| property.name == *name);
            let said = scope.text(&field.field).unwrap_or_default();
            came.map_or("", |property| property.value.as_str()) == visible(said)
        })
    }

    fn strict_values(&self, scope: &Scope<'_>) -> Option<String> {
        self.has_strict.then(|| {
            let strict = self.rule.fields.iter().filter(|field| field.strict);
            strict.fold(String::new(), |mut key, field| {
                key.push_str(&scope.text(&field.field).unwrap_or_default());
                key.push('\0');
                key
            })
        })
    }
}
