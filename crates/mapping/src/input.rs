//! Holds what a mapping is given: answers, rules, the input entity, and the window of time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use pivotd_domain::{Answer, Lists, Marks, Schema};
use pivotd_maltego::Property;

use super::plan::Plan;
use super::rules::{EntityRule, Scale};

/// Holds the input entity as far as the mapping needs it.
#[derive(Debug, Clone, Copy)]
pub struct MappedInput<'a> {
    /// Full type id.
    pub type_id: &'a str,
    /// The value, byte for byte as it came.
    pub value: &'a str,
    /// The properties that an annotated copy has to carry, byte for byte as they came
    /// (see [`pivotd_maltego::InputEntity::echo_fields`]).
    pub properties: &'a [Property],
    /// The registrable domain's name, where that is asked instead: what describes it is an entity of its own.
    pub instead: Option<&'a str>,
}

/// Holds the window of time that the asker looks at; all ends may be open, all days belong to it. What has no date
/// belongs to it, unless only what has one is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DateWindow {
    /// First day.
    pub since: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
    /// The day to which the nearest comes first.
    pub near: Option<Date>,
    /// Whether what has no date is left out.
    pub dated_only: bool,
}

/// Holds what a mapping reads beside answers and input.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Title of the transform, for tables of the detail view.
    pub title: &'a str,
    /// What the records are.
    pub schema: &'static Schema,
    /// How records become entities.
    pub entities: &'a [EntityRule],
    /// The same, compiled.
    pub plan: &'a Plan,
    /// Named scales.
    pub scales: &'a BTreeMap<String, Scale>,
    /// What is known of dynamic DNS, hosting and sinkholes, and where registrations begin.
    pub lists: &'a Lists,
    /// What answers called sinkholes.
    pub marks: &'a Marks,
}

/// Holds an answer as the mapping takes it.
#[derive(Debug, Clone, Copy)]
pub struct SourceAnswer<'a> {
    /// The answer.
    pub answer: &'a Answer,
    /// The family of the provider: those of one resell one collection, and count once where sources agree.
    pub family: &'a str,
    /// When the provider gave it.
    pub retrieved_at: Timestamp,
    /// The window of time that is wanted of this provider.
    pub window: DateWindow,
}

impl<'a> SourceAnswer<'a> {
    /// Takes an answer with all its times.
    #[must_use]
    pub fn whole(answer: &'a Answer, retrieved_at: Timestamp) -> Self {
        Self {
            answer,
            family: &answer.source.provider,
            retrieved_at,
            window: DateWindow::default(),
        }
    }
}
