//! Turns records into entities, by the rules of `transforms.toml`. Pure.
//!
//! `rules` holds the mapping language as data, `template` reads and fills its templates, `plan` compiles the rules of a
//! transform: `compiled` resolves the names of each, `scope` finds the fields that they name, and `shape` holds what entities
//! share as XML. `fold` gathers what several records say of one entity, `period` says when it was so, `canonical` brings values
//! into one form and `texts` several of them into one, `input` holds what a mapping is given, `map` puts entities in order, and
//! `dropped` counts what is not shown. `entity` builds an entity for a Maltego client, `properties` knows those that a value has
//! by itself and `entity_types` what a type can be; `direct` writes an entity without making it.

mod agreement;
pub mod canonical;
mod compiled;
mod direct;
mod dropped;
mod entity;
mod entity_types;
mod fold;
mod input;
mod map;
mod period;
mod plan;
mod properties;
pub mod rules;
mod scope;
mod seen;
mod shape;
mod template;
mod texts;

pub use canonical::entity_value;
pub use dropped::{DroppedCounts, UnmappedCounts};
pub use entity::humanised;
pub use input::{DateWindow, MappedInput, Rules, SourceAnswer};
pub use map::{MappingResult, OrderedGroups, Selection, arrange, map};
pub use plan::Plan;
pub use rules::{Band, Colour, Condition, EntityRule, MarkRule, PropertyRule, Scale, Template, TemplatePart};
pub use template::TemplateError;
