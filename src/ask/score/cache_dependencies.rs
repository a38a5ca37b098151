//! Says what an answer depends on that asking again would not change: it is the same as long as that is.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::Outcome;
use crate::engine::cache::AnswerKey;
use crate::engine::{CacheState, EngineResponse};
use crate::reputation::Rules;
use crate::reputation::decay::constant_until;
use crate::reputation::score::Assessment;

/// A source that an account does not include is looked for again after this.
const LEFT_OUT: SignedDuration = SignedDuration::from_mins(10);

/// Names the kept answers that a score was made of, where nothing but they, rules, lists and feedback can change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheDependencies {
    /// Answers with their versions.
    pub entries: Vec<(AnswerKey, u64)>,
    /// Until when all of them are fresh, and count as they do now.
    pub fresh_until: Timestamp,
    /// When the latest was retrieved.
    pub retrieved_at: Timestamp,
    /// The sources, one for each look-up.
    pub answered: Vec<String>,
}

impl CacheDependencies {
    /// Depends on nothing.
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            fresh_until: Timestamp::MAX,
            retrieved_at: Timestamp::MIN,
            answered: Vec::new(),
        }
    }

    /// Takes in a look-up; `None` where its answer is not a fresh one that is kept.
    fn with(
        mut self,
        source: &str,
        response: &EngineResponse,
        rules: &Rules,
        max_age: Option<Duration>,
    ) -> Option<Self> {
        let (Some(entry), Some(key)) = (&response.entry, &response.key) else {
            return None;
        };
        let known = !matches!(response.outcome, Outcome::Failed(_)) && !entry.answer.is_quote();
        if response.cache != CacheState::Hit || !known {
            return None;
        }
        let after = |limit: Duration| entry.retrieved_at.checked_add(limit).unwrap_or(Timestamp::MAX);
        self.fresh_until = self
            .fresh_until
            .min(entry.fresh_until)
            .min(after(Duration::from_secs(rules.max_stale_s)));
        // What was bought is not asked again by its age; to conclude anew from it then is right, too.
        self.fresh_until = self.fresh_until.min(max_age.map_or(Timestamp::MAX, after));
        self.retrieved_at = self.retrieved_at.max(entry.retrieved_at);
        self.entries.push((key.clone(), entry.version));
        self.answered.push(source.to_owned());
        Some(self)
    }

    /// Ends within a while: a source was left out, which may be asked then.
    pub(super) fn for_a_while(mut self, now: Timestamp) -> Self {
        let end = now.checked_add(LEFT_OUT).unwrap_or(now);
        self.fresh_until = self.fresh_until.min(end);
        self
    }

    /// Depends on both.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self.fresh_until = self.fresh_until.min(other.fresh_until);
        self.retrieved_at = self.retrieved_at.max(other.retrieved_at);
        self.answered.extend(other.answered);
        self
    }

    /// Returns the sources, each once.
    #[must_use]
    pub fn sources(&self) -> BTreeSet<String> {
        self.answered.iter().cloned().collect()
    }
}

/// Finds out what an assessment made at `now` depends on; `None` where it can change by itself, as failures end. An
/// answer that is older than `max_age` is asked for again.
pub(super) fn of<'a>(
    assessment: &Assessment,
    mut response: impl Iterator<Item = (&'a str, &'a EngineResponse)>,
    rules: &Rules,
    max_age: Option<Duration>,
    now: Timestamp,
) -> Option<CacheDependencies> {
    let mut dependencies = CacheDependencies::new();
    for item in &assessment.evidence {
        dependencies.fresh_until = dependencies.fresh_until.min(constant_until(item, rules, now)?);
    }
    response.try_fold(dependencies, |all, (source, response)| {
        all.with(source, response, rules, max_age)
    })
}
