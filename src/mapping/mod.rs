//! Turns records into entities, by the rules of `transforms.toml`. Pure.
//!
//! `rules` holds the mapping language as data, `template` reads and fills its templates, `fold` gathers
//! what several records say of one entity, `entity` dresses it for a Maltego client, and `map` puts them in order.

mod entity;
mod fold;
mod map;
pub mod rules;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use entity::humanised;
pub use map::{Heard, Mapped, MappedInput, Rules, Selection, Window, map};
pub use rules::{Band, Colour, Condition, EntityRule, MarkRule, Piece, PropertyRule, Scale, Template};
pub use template::TemplateError;
