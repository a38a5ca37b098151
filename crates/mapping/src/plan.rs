//! Compiles the rules of a transform when the configuration is read: each rule, and what the entities of each provider share.

use std::fmt;

use super::compiled::CompiledRule;
use super::rules::EntityRule;
use super::shape::{Shapes, SharedParts, types_of};
use pivotd_domain::Schema;

/// Holds the compiled rules of a transform.
#[derive(Clone, PartialEq)]
pub struct Plan {
    /// One for each rule, in their order.
    pub(super) rules: Vec<CompiledRule>,
    /// What the entities of each provider share.
    shapes: Vec<Shapes>,
}

impl fmt::Debug for Plan {
    /// Leaves out all of it: the rules say the same.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Plan")
    }
}

impl Plan {
    /// Compiles the rules of a transform on records of this type, which these providers answer.
    #[must_use]
    pub fn compile(
        schema: &'static Schema,
        title: &str,
        rules: &[EntityRule],
        providers: &[impl AsRef<str>],
    ) -> Self {
        let compiled: Vec<_> = rules
            .iter()
            .enumerate()
            .map(|(at, rule)| CompiledRule::compile(at, rule, schema))
            .collect();
        let shapes = providers.iter().map(|provider| {
            let sharing = SharedParts {
                provider: provider.as_ref(),
                title,
                schema,
            };
            Shapes::compile(&sharing, rules.iter().zip(&compiled))
        });
        Self {
            shapes: shapes.collect(),
            rules: compiled,
        }
    }

    /// Lists the types of entities that these rules, those of the plan, have no shape for at a provider: writing them costs more.
    /// `None` where the provider is not one of the plan's.
    #[must_use]
    pub fn unshaped<'r>(&self, rules: &'r [EntityRule], provider: &str) -> Option<Vec<&'r str>> {
        let shapes = self.shapes(provider)?;
        let typed = rules.iter().zip(&self.rules).flat_map(|(rule, compiled)| {
            let types = types_of(rule, compiled).into_iter();
            types.filter(|type_id| shapes.find(compiled, type_id).is_none())
        });
        Some(typed.collect())
    }

    /// Returns what the entities of a provider share.
    pub(super) fn shapes(&self, provider: &str) -> Option<&Shapes> {
        self.shapes.iter().find(|shapes| shapes.provider == provider)
    }
}
