//! Puts the entities of a transform run in order: which belong to the window, which come first, how many are shown.

use super::direct::DirectWriter;
use super::dropped::DroppedCounts;
use super::entity::EntityBuilder;
use super::fold::{Group, fold};
use super::input::{MappedInput, Rules, SourceAnswer};
use pivotd_maltego::{Entity, Property, xml};

/// Says which results are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Whether sinkholes are left out.
    pub exclude_sinkholes: bool,
    /// Whether names of dynamic DNS services are left out.
    pub exclude_dynamic_dns: bool,
    /// How many are shown at most.
    pub limit: usize,
}

impl Selection {
    /// Wants up to so many, sinkholes and names of dynamic DNS services too.
    #[must_use]
    pub fn up_to(limit: usize) -> Self {
        Self {
            exclude_sinkholes: false,
            exclude_dynamic_dns: false,
            limit,
        }
    }
}

/// Holds the entities of a run, with the counts for "14 of 60 shown; 31 outside 2013-01-01..2013-12-31".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MappingResult {
    /// The annotated input, if any, then what was found, in order.
    pub entities: Vec<Entity>,
    /// How many found entities are in `entities`; an annotated input does not count.
    pub shown: usize,
    /// How many entities there are after folding, those that are left out included.
    pub total_mapped: usize,
    /// How many of those shown have no date, although a time is asked for.
    pub undated: usize,
    /// What is not shown, by why.
    pub dropped: DroppedCounts,
    /// Whether the first entity is the annotated input.
    pub annotated: bool,
}

impl MappingResult {
    /// Tells whether nothing is shown, made into entities or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shown == 0 && !self.annotated
    }
}

/// Turns answers into entities.
///
/// Entities of equal type, value and strict properties become one: dates widen, differing texts are joined. One
/// belongs to the window if the period of any of its records touches the one of its provider; an unknown bound excludes nothing.
/// With `near` the closest come first, of these what was so only around that day, else the rarest where counts are known, else the newest; what is equal keeps the order of the answers.
/// Sinkholes and names of dynamic DNS services are left out where that is wanted. At most `limit` are shown. An entity equal to the input, in type, value and strict properties, is left out.
/// Whatever is left out is counted: what is in `answers` is in `entities` or in `dropped`.
#[must_use]
pub fn map(
    answers: &[SourceAnswer<'_>],
    rules: &Rules<'_>,
    input: &MappedInput<'_>,
    selection: &Selection,
) -> MappingResult {
    let arranged = arrange(answers, rules, input, selection);
    MappingResult {
        entities: arranged.entities(),
        ..arranged.counts()
    }
}

/// Holds what is shown of answers, in order, before it is made into entities or written.
pub struct OrderedGroups<'r, 'a> {
    answers: &'r [SourceAnswer<'a>],
    rules: Rules<'a>,
    input: MappedInput<'a>,
    on_input: Option<Group<'a>>,
    groups: Vec<Group<'a>>,
    total_mapped: usize,
    dropped: DroppedCounts,
}

/// Does the first half of [`map`]: gathers, chooses and sorts.
#[must_use]
pub fn arrange<'r, 'a>(
    answers: &'r [SourceAnswer<'a>],
    rules: &Rules<'a>,
    input: &MappedInput<'a>,
    selection: &Selection,
) -> OrderedGroups<'r, 'a> {
    let folded = fold(answers, rules, input);
    let total_mapped = folded.groups.len();
    let mut dropped = DroppedCounts {
        unplaced: folded.unplaced,
        ..DroppedCounts::default()
    };
    let mut groups = folded.groups;
    groups.retain(|group| {
        let reason = if group.is_inside() {
            if selection.exclude_sinkholes && group.is_sinkhole(rules) {
                &mut dropped.sinkholes
            } else if selection.exclude_dynamic_dns && group.is_dynamic_dns(rules) {
                &mut dropped.dynamic_dns
            } else {
                return true;
            }
        } else if group.lacks_date() {
            &mut dropped.undated
        } else {
            &mut dropped.outside
        };
        *reason += 1;
        false
    });
    groups.sort_by_cached_key(Group::rank);
    dropped.over_limit = groups.len().saturating_sub(selection.limit);
    groups.truncate(selection.limit);
    OrderedGroups {
        answers,
        rules: *rules,
        input: *input,
        on_input: folded.on_input,
        groups,
        total_mapped,
        dropped,
    }
}

impl OrderedGroups<'_, '_> {
    /// Counts what is shown and what is not; the entities are none yet.
    #[must_use]
    pub fn counts(&self) -> MappingResult {
        MappingResult {
            entities: Vec::new(),
            shown: self.groups.len(),
            total_mapped: self.total_mapped,
            undated: self.groups.iter().filter(|group| group.is_undated()).count(),
            dropped: self.dropped.clone(),
            annotated: self.on_input.is_some(),
        }
    }

    /// Makes the entities.
    #[must_use]
    pub fn entities(&self) -> Vec<Entity> {
        let builder = EntityBuilder::new(self.answers, &self.rules);
        let annotated = self.on_input.iter();
        let annotated = annotated.map(|group| builder.annotate(group, &self.input));
        let found = self.groups.iter().map(|group| builder.build(group));
        let mut entities = Vec::with_capacity(self.groups.len() + 1);
        entities.extend(annotated.chain(found));
        entities
    }

    /// Writes the entities as XML, without making those that need no merging. `extra` is given to each of them.
    pub fn write(&self, out: &mut String, extra: Option<&Property>) {
        if let Some(group) = &self.on_input {
            let mut entity = EntityBuilder::new(self.answers, &self.rules).annotate(group, &self.input);
            entity.properties.extend(extra.cloned());
            xml::push_entity(out, &entity);
        }
        let mut direct = DirectWriter::new(self.answers, &self.rules, extra);
        let length = self.groups.first().map_or(0, |group| direct.length(group));
        // Beside the entities there are a few messages.
        out.reserve(self.groups.len().saturating_mul(length) + 512);
        for group in &self.groups {
            direct.write(out, group);
        }
    }
}
