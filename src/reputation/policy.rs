//! What an administrator decides about scores.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::evidence::{Evidence, Reliability};

const DAY: u64 = 86_400;

/// Holds the rules of a score. Its content is its version, so equal policies have equal versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// A score above it exceeds; from 0 to 100.
    pub threshold: u8,
    /// A score above it is at least suspicious; from 0 to 100.
    pub suspicious: u8,
    /// The score that hard benign evidence leaves, at most; never more than the threshold.
    pub hard_cap: u8,
    /// Seconds since retrieval after which evidence does not score.
    pub max_stale_s: u64,
    /// Seconds after observation at which evidence has lost all weight; 0 keeps it for ever. Scores that pass
    /// through keep theirs.
    pub lifetime_s: u64,
    /// Lifetimes of single sources in seconds.
    pub lifetimes: BTreeMap<String, u64>,
    /// How long evidence keeps its weight before it loses it: weight is 1 - (age / lifetime) to this power.
    /// It is the inverse of MISP's decay speed, from 1 (loses evenly) to 8.
    pub decay_power: u32,
    /// Grades of single sources; they come before the grade that evidence carries.
    pub reliability: BTreeMap<String, Reliability>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            threshold: 50,
            suspicious: 25,
            hard_cap: 20,
            max_stale_s: 7 * DAY,
            lifetime_s: 90 * DAY,
            lifetimes: BTreeMap::new(),
            decay_power: 3,
            reliability: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// Grows when the model itself changes, so that old and new decisions have different versions.
    const MODEL: u32 = 1;

    /// Returns the policy with another threshold, as a caller may ask for; more than 100 is 100.
    #[must_use]
    pub fn with_threshold(&self, threshold: u8) -> Self {
        Self {
            threshold: threshold.min(100),
            ..self.clone()
        }
    }

    /// Returns the policy's version: 12 hexadecimal digits of the SHA-256 of its content.
    pub fn version(&self) -> String {
        // Fields have a fixed order and maps are sorted, so equal policies read equally.
        let rules = serde_json::to_string(self).unwrap_or_else(|_| format!("{self:?}"));
        let content = format!("{} {rules}", Self::MODEL);
        let mut version = String::with_capacity(12);
        for byte in Sha256::digest(content.as_bytes()).iter().take(6) {
            // Writing to a string cannot fail.
            let _ = write!(version, "{byte:02x}");
        }
        version
    }

    /// Returns the grade of a piece of evidence.
    pub(super) fn grade(&self, evidence: &Evidence) -> Reliability {
        self.reliability
            .get(&evidence.source)
            .copied()
            .unwrap_or(evidence.reliability)
    }

    /// Returns the lifetime of a source's evidence in seconds.
    pub(super) fn lifetime(&self, source: &str) -> u64 {
        self.lifetimes.get(source).copied().unwrap_or(self.lifetime_s)
    }
}
