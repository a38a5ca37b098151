//! Turns records into entities, by the rules of `transforms.toml`. Pure.
//!
//! `rules` holds the mapping language as data, `template` reads and fills its templates, `fold` gathers
//! what several records say of one entity, `canonical` brings values into one form, `entity` dresses an entity for a
//! Maltego client, `map` puts them in order, and `dropped` counts what is not shown.

pub(crate) mod canonical;
mod dropped;
mod entity;
mod fold;
mod map;
pub mod rules;
mod seen;
mod template;
#[cfg(test)]
mod tests;

pub use canonical::entity_value;
pub use dropped::{Dropped, Unplaced};
pub(crate) use entity::humanised;
pub use map::{Heard, Mapped, MappedInput, Rules, Selection, Window, map};
pub use rules::{Band, Colour, Condition, EntityRule, MarkRule, Piece, PropertyRule, Scale, Template};
pub use template::TemplateError;
