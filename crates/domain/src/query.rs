//! Defines the question: a capability, an indicator, and the parameters that the vendor sees.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Capability, Indicator};

/// Holds one question to one provider.
///
/// `params` holds exactly the parameters that change what the vendor is asked (for example
/// `scope = historic`), so they are part of the cache key. Filters, limits and display choices of
/// the asker are not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Query {
    /// What is asked.
    pub capability: Capability,
    /// What it is asked about, canonical.
    pub indicator: Indicator,
    /// Parameters that the vendor sees, by name.
    pub params: BTreeMap<String, String>,
}

impl Query {
    /// Makes a question without parameters.
    #[must_use]
    pub fn new(capability: Capability, indicator: Indicator) -> Self {
        Self {
            capability,
            indicator,
            params: BTreeMap::new(),
        }
    }

    /// Adds a parameter and returns the question.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Returns a parameter's value.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }
}
