//! Counts what came and is not shown, by why.

use std::collections::BTreeMap;

use super::humanised;
use pivotd_domain::{Record, Schema};

/// The most kinds of records that are told apart.
const MOST_KINDS: usize = 12;

/// Counts what was not made into entities that are shown, by why. What merged into another entity is no drop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DroppedCounts {
    /// Entities outside the window.
    pub outside: usize,
    /// Entities without a date, where only dated ones are wanted.
    pub undated: usize,
    /// Sinkholes, where they are not wanted.
    pub sinkholes: usize,
    /// Names of dynamic DNS services, where they are not wanted.
    pub dynamic_dns: usize,
    /// Entities beyond the limit.
    pub over_limit: usize,
    /// Records that nothing was made of.
    pub unplaced: UnmappedCounts,
}

impl DroppedCounts {
    /// Counts the entities.
    #[must_use]
    pub fn entities(&self) -> usize {
        self.outside + self.undated + self.sinkholes + self.dynamic_dns + self.over_limit
    }
}

/// Counts the records that no rule made anything of, by why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnmappedCounts {
    /// Those whose value is the input itself.
    pub equal: usize,
    /// Those whose value is a redaction.
    pub redacted: usize,
    /// Those that hold nothing of what the transform shows.
    pub other: usize,
    /// What those are, as far as records of their type tell: `SOA`, `registry key`.
    pub kinds: BTreeMap<String, usize>,
}

impl UnmappedCounts {
    /// Counts all.
    #[must_use]
    pub fn count(&self) -> usize {
        self.equal + self.redacted + self.other
    }

    /// Counts a record that holds nothing of what is shown; `asked` is the value that was asked about.
    pub(super) fn add_other(&mut self, schema: &Schema, record: &Record, asked: &str) {
        self.other += 1;
        let named = ["type", "measure"].iter().find_map(|name| record.text(name));
        let kind = named.map(|kind| kind.replace('-', " ")).or_else(|| {
            // Schemas name first what a record is about.
            let first = schema
                .fields
                .iter()
                .find(|field| record.get(field.name).is_some())?;
            let is_asked = record.text(first.name).is_some_and(|text| text == asked);
            (!is_asked).then(|| humanised(first.name).to_lowercase())
        });
        if let Some(kind) = kind
            && (self.kinds.len() < MOST_KINDS || self.kinds.contains_key(&kind))
        {
            *self.kinds.entry(kind).or_default() += 1;
        }
    }
}
