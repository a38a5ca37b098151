//! Puts the entities of a transform run in order: which belong to the window, which come first, how many are shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::entity::Dresser;
use super::fold::{Group, fold};
use super::rules::Scale;
use crate::catalogue::TransformSpec;
use crate::domain::{Answer, Lists};
use crate::maltego::{Entity, Property};

/// Holds the input entity as far as the mapping needs it.
#[derive(Debug, Clone, Copy)]
pub struct MappedInput<'a> {
    /// Full type id.
    pub type_id: &'a str,
    /// The value, byte for byte as it came.
    pub value: &'a str,
    /// The properties that an annotated copy has to carry, byte for byte as they came
    /// (see [`crate::maltego::InputEntity::echo_fields`]).
    pub properties: &'a [Property],
}

/// Holds the window of time that the asker looks at; all ends may be open, all days belong to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// First day.
    pub since: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
    /// The day to which the nearest comes first.
    pub near: Option<Date>,
}

/// Holds what a mapping reads beside answers and input.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The transform.
    pub spec: &'a TransformSpec,
    /// Named scales.
    pub scales: &'a BTreeMap<String, Scale>,
    /// What is known of dynamic DNS and sinkholes.
    pub lists: &'a Lists,
}

/// Holds an answer as the mapping takes it.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// The answer.
    pub answer: &'a Answer,
    /// When the provider gave it.
    pub retrieved_at: Timestamp,
    /// The window of time that is wanted of this provider.
    pub window: Window,
}

impl<'a> Heard<'a> {
    /// Takes an answer with all its times.
    #[must_use]
    pub fn whole(answer: &'a Answer, retrieved_at: Timestamp) -> Self {
        Self {
            answer,
            retrieved_at,
            window: Window::default(),
        }
    }
}

/// Says which results are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Whether sinkholes are left out.
    pub exclude_sinkholes: bool,
    /// How many are shown at most.
    pub limit: usize,
}

impl Selection {
    /// Wants up to so many, sinkholes too.
    #[must_use]
    pub fn up_to(limit: usize) -> Self {
        Self {
            exclude_sinkholes: false,
            limit,
        }
    }
}

/// Holds the entities of a run, with the counts for "14 of 60 shown; 31 outside 2013-01-01..2013-12-31".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapped {
    /// The annotated input, if any, then what was found, in order.
    pub entities: Vec<Entity>,
    /// How many found entities are in `entities`; an annotated input does not count.
    pub shown: usize,
    /// How many entities there are after folding, outside the window and beyond the limit included.
    pub total_mapped: usize,
    /// How many of them lie outside the window.
    pub outside_window: usize,
    /// How many of those inside are sinkholes that were left out.
    pub sinkholes: usize,
    /// Whether the first entity is the annotated input.
    pub annotated: bool,
}

/// Turns answers into entities.
///
/// Entities of equal type, value and strict properties become one: dates widen, differing texts are joined. One
/// belongs to the window if the period of any of its records touches the one of its provider; a bound that nobody knows excludes nothing.
/// With `near` the closest come first, of these what was so only around that day, else the rarest where counts are known, else the newest; what is equal keeps the order of the answers.
/// Sinkholes are left out where that is wanted. At most `limit` are shown. An entity equal to the input, in type and value, is left out.
#[must_use]
pub fn map(
    answers: &[Heard<'_>],
    rules: &Rules<'_>,
    input: &MappedInput<'_>,
    selection: &Selection,
) -> Mapped {
    let folded = fold(answers, rules.spec, input);
    let dresser = Dresser::new(answers, rules);
    let total_mapped = folded.groups.len();
    let mut groups = folded.groups;
    groups.retain(Group::is_inside);
    let inside = groups.len();
    if selection.exclude_sinkholes {
        groups.retain(|group| !group.is_sinkhole(rules.lists));
    }
    let sinkholes = inside - groups.len();
    groups.sort_by_cached_key(Group::rank);
    groups.truncate(selection.limit);
    let annotated = folded.on_input.map(|group| dresser.annotate(&group, input));
    let mut mapped = Mapped {
        shown: groups.len(),
        total_mapped,
        outside_window: total_mapped - inside,
        sinkholes,
        annotated: annotated.is_some(),
        entities: Vec::with_capacity(groups.len() + 1),
    };
    mapped.entities.extend(annotated);
    mapped
        .entities
        .extend(groups.iter().map(|group| dresser.dress(group)));
    mapped
}
