//! Gathers what several records say of one entity, and places it in time.

use std::borrow::Cow;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use jiff::civil::Date;

use super::canonical::{canonical, is_name, is_shouted, name_key, told_apart_by};
use super::compiled::CompiledRule;
use super::dropped::UnmappedCounts;
use super::entity_types::{DOMAIN, HOST, V4, V6, can_be_sinkhole};
use super::input::{DateWindow, MappedInput, Rules, SourceAnswer};
use super::period::Period;
use super::rules::EntityRule;
use super::scope::Scope;
use pivotd_domain::indicator::NameKind;
use pivotd_domain::lists::ZoneKind;
use pivotd_domain::marks;
use pivotd_domain::{Indicator, IndicatorKind, Kind, Lists, Value};
use pivotd_maltego::{Property, visible};

/// Is one record's part in an entity.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// The rule that made it.
    pub(super) rule: &'a EntityRule,
    /// The same, compiled.
    pub(super) compiled: &'a CompiledRule,
    /// Where its names resolve.
    pub(super) scope: Scope<'a>,
    /// Which answer it came from.
    pub(super) answer: usize,
}

impl Part<'_> {
    pub(super) fn period(&self) -> Period {
        self.scope.period(&self.compiled.times)
    }
}

/// Holds the parts of an entity. Mostly there is one, which costs no list.
#[derive(Default)]
pub(super) struct Parts<'a> {
    first: Option<Part<'a>>,
    others: Vec<Part<'a>>,
}

impl<'a> Parts<'a> {
    fn push(&mut self, part: Part<'a>) {
        match &self.first {
            None => self.first = Some(part),
            Some(_) => self.others.push(part),
        }
    }

    /// Walks them in the order of the records.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Part<'a>> {
        self.first.iter().chain(&self.others)
    }

    /// Returns the only one.
    pub(super) fn only(&self) -> Option<&Part<'a>> {
        self.first.as_ref().filter(|_| self.others.is_empty())
    }
}

/// Is what becomes one entity.
pub(super) struct Group<'a> {
    pub(super) type_id: &'a str,
    pub(super) value: Cow<'a, str>,
    pub(super) parts: Parts<'a>,
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
            parts: Parts::default(),
            period: Period::default(),
            inside: false,
            undated: Undated::None,
            distance: u32::MAX,
            near: None,
            count: None,
            is_asked: false,
        }
    }

    fn add(&mut self, part: Part<'a>, window: &DateWindow) {
        let period = part.period();
        if period.is_undated() {
            self.undated = match self.undated {
                Undated::None | Undated::Unwanted if window.dated_only => Undated::Unwanted,
                Undated::Kept => Undated::Kept,
                _ if *window != DateWindow::default() => Undated::Kept,
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
        if let Some(Value::Integer(count)) = part.scope.at(part.compiled.count) {
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
pub(super) struct MergedGroups<'a> {
    pub(super) groups: Vec<Group<'a>>,
    pub(super) on_input: Option<Group<'a>>,
    /// The records that nothing was made of.
    pub(super) unplaced: UnmappedCounts,
}

/// Says what a rule made of a record; the greatest of all rules counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RuleOutcome {
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

/// Tells where in the list of groups each key's group stands. Its hashes are seeded by chance, since vendors choose keys.
type GroupIndex<'a> = HashMap<Key<'a>, usize>;

/// Walks all records by all rules.
pub(super) fn fold<'a>(
    answers: &[SourceAnswer<'a>],
    rules: &Rules<'a>,
    input: &MappedInput<'a>,
) -> MergedGroups<'a> {
    let (schema, lists) = (rules.schema, rules.lists);
    let count = answers.iter().map(|source| source.answer.records.len()).sum();
    let mut known: GroupIndex<'a> = HashMap::with_capacity(count);
    let mut folded = MergedGroups {
        groups: Vec::with_capacity(count),
        on_input: None,
        unplaced: UnmappedCounts::default(),
    };
    for (answer, source) in answers.iter().enumerate() {
        for record in &source.answer.records {
            let mut made = RuleOutcome::Nothing;
            for (rule, compiled) in rules.entities.iter().zip(&rules.plan.rules) {
                let mut walk = |item| {
                    let part = Part {
                        rule,
                        compiled,
                        scope: Scope { item, record },
                        answer,
                    };
                    let state = (lists, &mut known);
                    made = made.max(folded.place(part, input, source, state));
                };
                match compiled.each {
                    None => walk(None),
                    Some((list, declared)) => {
                        let items = record.field(list).map_or(&[][..], Value::records);
                        items.iter().for_each(|item| walk(Some((item, declared))));
                    }
                }
            }
            match made {
                RuleOutcome::Made => {}
                // What type a record is of says more than that it names the value: SOA and TXT rows do.
                RuleOutcome::Equal if record.get("type").is_none() => folded.unplaced.equal += 1,
                RuleOutcome::Redacted => folded.unplaced.redacted += 1,
                RuleOutcome::Equal | RuleOutcome::Nothing => {
                    let asked = source.answer.query.indicator.value();
                    folded.unplaced.add_other(schema, record, asked);
                }
            }
        }
    }
    folded
}

impl<'a> MergedGroups<'a> {
    fn place(
        &mut self,
        part: Part<'a>,
        input: &MappedInput<'a>,
        source: &SourceAnswer<'a>,
        (lists, known): (&Lists, &mut GroupIndex<'a>),
    ) -> RuleOutcome {
        let (rule, compiled) = (part.rule, part.compiled);
        if !part.scope.meets(&compiled.when) {
            return RuleOutcome::Nothing;
        }
        if rule.on_input {
            let asked = source.answer.query.indicator.value();
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
                group.add(part, &source.window);
            }
            return RuleOutcome::Made;
        }
        let Some(value) = compiled.value.fill(|place| part.scope.text_at(*place)) else {
            return RuleOutcome::Nothing;
        };
        let country = match compiled.kind {
            Some(Kind::Phone) => part.scope.country(),
            _ => None,
        };
        let kind = compiled.kind.filter(|_| !compiled.is_operator);
        let Some(value) = canonical(kind, value, country.as_deref()) else {
            return RuleOutcome::Redacted;
        };
        if value.is_empty() {
            return RuleOutcome::Nothing;
        }
        let Some(type_id) = type_of(&part, &value, lists) else {
            return RuleOutcome::Nothing;
        };
        let is_value_of_input = || {
            value.eq_ignore_ascii_case(input.value.trim())
                || is_name(compiled.kind) && name_key(&value) == name_key(input.value)
        };
        if type_id == input.type_id
            && is_value_of_input()
            && agrees(&part, &source.answer.source.provider, input.properties)
        {
            return RuleOutcome::Equal;
        }
        let strict = strict_values(&part);
        let key = (type_id, told_apart_by(compiled.kind, &value), strict);
        if let Some(group) = self.group(key, value.clone(), known) {
            if group.value != value && is_shouted(&group.value) && !is_shouted(&value) {
                group.value = value;
            }
            group.add(part, &source.window);
        }
        RuleOutcome::Made
    }

    /// Finds the group of a key, or begins it with a value.
    fn group(
        &mut self,
        key: Key<'a>,
        value: Cow<'a, str>,
        known: &mut GroupIndex<'a>,
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
        NameKind::Domain => DOMAIN,
        NameKind::Host => HOST,
    }
}

/// Decides the entity type. An address and a name are told by their value, for every provider alike.
fn type_of<'a>(part: &Part<'a>, value: &str, lists: &Lists) -> Option<&'a str> {
    match (part.rule.type_id.as_deref(), part.compiled.kind) {
        (Some(V4 | V6) | None, Some(Kind::Address)) => Some(if value.contains(':') { V6 } else { V4 }),
        (Some(type_id), _) => Some(type_id),
        (None, Some(Kind::Host)) => Some(name_type(value, lists)),
        (None, kind) => kind.and_then(|kind| kind.entity_type()),
    }
}

/// Tells whether the input has what identifies an entity beside type and value.
fn agrees(part: &Part<'_>, provider: &str, input: &[Property]) -> bool {
    let mut strict = part.rule.fields.iter().filter(|field| field.strict);
    strict.all(|field| {
        let name = field.id(provider);
        let came = input.iter().find(|property| property.name == *name);
        let said = part
            .scope
            .get(&field.field)
            .and_then(Value::text)
            .unwrap_or_default();
        came.map_or("", |property| property.value.as_str()) == visible(said)
    })
}

/// Gathers the values that entities are told apart by beside type and value; `None` for rules without such.
fn strict_values(part: &Part<'_>) -> Option<String> {
    let places = &part.compiled.strict;
    (!places.is_empty()).then(|| {
        places.iter().fold(String::new(), |mut key, place| {
            key.push_str(&part.scope.text_at(*place).unwrap_or_default());
            key.push('\0');
            key
        })
    })
}
