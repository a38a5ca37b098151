//! Remembers what kept answers call sinkholes, whichever question they answered, so that every other answer can be
//! marked. Made from the stored answers at start; no provider is asked for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::{AnswerKey, Entry, stored};
use crate::domain::{Capability, Mark, Marks, MarksByValue, marks};
use crate::storage::{AnswerStore, gather_answers};

/// The most answers of one scope that are remembered; beyond it the oldest go.
const MOST_ANSWERS: usize = 10_000;
/// The most values of one answer.
const MOST_VALUES: usize = 1_000;
/// The most scopes: tenants, and users' own keys.
const MOST_SCOPES: usize = 1_000;

/// Capabilities whose answers can call something a sinkhole.
const SAY_SO: [Capability; 3] = [
    Capability::IpDetails,
    Capability::Reputation,
    Capability::IncidentIndicators,
];

/// Remembers sinkholes by the scope of the answers: what a user's own key paid for marks nothing of others.
#[derive(Debug, Default)]
pub struct LearnedMarks {
    scopes: RwLock<HashMap<String, Scope>>,
    /// Grows with every change; rendered bodies depend on it.
    generation: AtomicU64,
}

#[derive(Debug, Default)]
struct Scope {
    /// By the answer's key.
    answers: BTreeMap<AnswerKey, EngineResponse>,
    marks: Arc<MarksByValue>,
}

/// Is what one answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EngineResponse {
    mark: Mark,
    values: Vec<String>,
}

impl EngineResponse {
    fn of(entry: &Entry) -> Self {
        let mut values = marks::sinkholes(&entry.answer);
        values.truncate(MOST_VALUES);
        Self {
            mark: Mark {
                provider: entry.answer.source.provider.clone(),
                at: entry.retrieved_at,
                until: entry.stale_until.max(entry.fresh_until),
            },
            values,
        }
    }
}

impl Scope {
    /// Takes what stored answers say: the newest, if they are too many.
    fn of(mut answers: Vec<(AnswerKey, EngineResponse)>) -> Self {
        answers.sort_by_key(|(_, told)| std::cmp::Reverse(told.mark.at));
        answers.truncate(MOST_ANSWERS);
        let mut scope = Self::default();
        for (key, told) in answers {
            scope.put(key, told);
        }
        scope
    }

    /// Keeps what an answer says, in place of what it said before.
    fn put(&mut self, key: AnswerKey, told: EngineResponse) {
        self.forget(&key);
        let marks = Arc::make_mut(&mut self.marks);
        for value in &told.values {
            marks.add(value, told.mark.clone());
        }
        self.answers.insert(key, told);
        if self.answers.len() > MOST_ANSWERS {
            let oldest = self.answers.iter().min_by_key(|(_, told)| told.mark.at);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                self.forget(&key);
            }
        }
    }

    /// Forgets what an answer says; tells whether it said anything.
    fn forget(&mut self, key: &AnswerKey) -> bool {
        let Some(told) = self.answers.remove(key) else {
            return false;
        };
        let marks = Arc::make_mut(&mut self.marks);
        for value in &told.values {
            marks.take_back(value, &told.mark);
        }
        true
    }
}

impl LearnedMarks {
    /// Learns from all stored answers.
    pub(super) async fn read(&self, store: &dyn AnswerStore) {
        let found: HashMap<String, Vec<(AnswerKey, EngineResponse)>> = HashMap::new();
        let read = gather_answers(store, found, |found, key, bytes| {
            // Most answers call nothing a sinkhole; those need not be understood.
            let may = SAY_SO
                .iter()
                .any(|capability| key.contains(&format!("\"{}\"", capability.name())))
                && stored::says(bytes, b"inkhole");
            let Some(entry) = may.then(|| stored::read(bytes).ok()).flatten() else {
                return;
            };
            let (key, told) = (AnswerKey::stored(key), EngineResponse::of(&entry));
            if let Some(scope) = key.scope().filter(|_| !told.values.is_empty())
                && (found.len() < MOST_SCOPES || found.contains_key(&scope))
            {
                found.entry(scope).or_default().push((key, told));
            }
        });
        let found = read.await.unwrap_or_else(|error| {
            tracing::error!(%error, "stored answers could not be read for what they call sinkholes");
            HashMap::new()
        });
        let scopes = found
            .into_iter()
            .map(|(name, answers)| (name, Scope::of(answers)));
        *self.scopes.write().unwrap_or_else(PoisonError::into_inner) = scopes.collect();
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Learns from an answer that is kept from now on, in place of what the one before it said.
    pub(super) fn learn(&self, key: &AnswerKey, entry: &Entry) {
        if !SAY_SO.contains(&entry.answer.query.capability) {
            return;
        }
        let told = EngineResponse::of(entry);
        if told.values.is_empty() {
            self.forget(std::iter::once(key));
            return;
        }
        let Some(name) = key.scope() else { return };
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        if scopes.len() >= MOST_SCOPES && !scopes.contains_key(&name) {
            return;
        }
        scopes.entry(name).or_default().put(key.clone(), told);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Forgets what answers said that are no longer kept.
    pub(super) fn forget<'a>(&self, keys: impl IntoIterator<Item = &'a AnswerKey>) {
        let said = |scopes: &HashMap<String, Scope>, key: &AnswerKey| {
            let name = key.scope()?;
            let scope = scopes.get(&name)?;
            scope.answers.contains_key(key).then_some(name)
        };
        let known = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<(String, &AnswerKey)> = keys
            .into_iter()
            .filter_map(|key| Some((said(&known, key)?, key)))
            .collect();
        drop(known);
        if gone.is_empty() {
            return;
        }
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        for (name, key) in gone {
            if let Some(scope) = scopes.get_mut(&name) {
                scope.forget(key);
                if scope.answers.is_empty() {
                    scopes.remove(&name);
                }
            }
        }
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Returns what answers of these scopes call sinkholes at `now`, with the generation that this is of.
    #[must_use]
    pub fn marks<'a>(&self, scopes: impl IntoIterator<Item = &'a str>, now: Timestamp) -> (Marks, u64) {
        let known = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock under which it grows.
        let generation = self.generation();
        let found = scopes.into_iter().filter_map(|name| known.get(name));
        let marks = found.map(|scope| Arc::clone(&scope.marks)).collect();
        (Marks::at(now, marks), generation)
    }

    /// Returns the number that grows with every change.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Answer, Indicator, IndicatorKind, Query, Record, Source};

    fn at(day: u8) -> Timestamp {
        format!("2026-11-{day:02}T00:00:00Z").parse().unwrap()
    }

    fn entry(provider: &str, value: &str, day: u8, sinkhole: bool) -> Entry {
        let indicator = Indicator::parse(IndicatorKind::Ipv4, value).unwrap();
        let record = Record::new().with("ip", value).with("sinkhole", sinkhole);
        let source = Source {
            provider: provider.to_owned(),
            product: "p".to_owned(),
            blind: None,
        };
        let answer = Answer::whole(Query::new(Capability::IpDetails, indicator), vec![record], source);
        Entry {
            answer: Arc::new(answer),
            retrieved_at: at(day),
            fresh_until: at(day + 1),
            stale_until: at(day + 7),
            wanted: 0,
            version: 1,
        }
    }

    fn key(entry: &Entry, scope: &str) -> AnswerKey {
        let provider = &entry.answer.source.provider;
        AnswerKey::new(provider, "https://x.example", &entry.answer.query, scope)
    }

    fn source(learnt: &LearnedMarks, scopes: &[&str], value: &str, now: u8) -> Option<String> {
        let (marks, _) = learnt.marks(scopes.iter().copied(), at(now));
        marks.of(value).map(Mark::source)
    }

    #[test]
    fn the_newest_answer_of_a_scope_counts_until_its_time() {
        let learnt = LearnedMarks::default();
        let one = entry("acme", "192.0.2.7", 3, true);
        learnt.learn(&key(&one, "server/a"), &one);
        let other = entry("other", "192.0.2.7", 2, true);
        learnt.learn(&key(&other, "server/a"), &other);
        let of = |now| source(&learnt, &["server/a"], "192.0.2.7", now);
        assert_eq!(of(4).as_deref(), Some("acme, 2026-11-03"));
        assert_eq!(of(10), None, "it is no longer kept");
        assert_eq!(
            source(&learnt, &["server/b"], "192.0.2.7", 4),
            None,
            "another tenant's"
        );
        // The newer answer takes back what the same provider said; the other's stands.
        let generation = learnt.generation();
        let back = entry("acme", "192.0.2.7", 4, false);
        learnt.learn(&key(&back, "server/a"), &back);
        assert_eq!(of(5).as_deref(), Some("other, 2026-11-02"));
        assert!(
            learnt.generation() > generation,
            "what was rendered before is made anew"
        );
        let generation = learnt.generation();
        learnt.learn(&key(&back, "server/a"), &back);
        assert_eq!(
            learnt.generation(),
            generation,
            "an answer that says nothing new changes nothing"
        );
    }

    #[test]
    fn a_newer_mark_of_a_short_life_hides_no_older_one_that_still_counts() {
        let learnt = LearnedMarks::default();
        let long = entry("acme", "192.0.2.7", 3, true);
        let mut short = entry("other", "192.0.2.7", 4, true);
        (short.fresh_until, short.stale_until) = (at(5), at(5));
        for entry in [&long, &short] {
            learnt.learn(&key(entry, "server/a"), entry);
        }
        let of = |now| source(&learnt, &["server/a"], "192.0.2.7", now);
        assert_eq!(of(4).as_deref(), Some("other, 2026-11-04"));
        assert_eq!(of(5).as_deref(), Some("acme, 2026-11-03"));
        let until = |now| learnt.marks(["server/a"], at(now)).0.until();
        assert_eq!((until(4), until(5), until(10)), (Some(at(5)), Some(at(10)), None));
    }

    #[test]
    fn what_is_purged_is_forgotten_and_nothing_else_is() {
        let learnt = LearnedMarks::default();
        let (one, other) = (
            entry("acme", "192.0.2.7", 3, true),
            entry("other", "192.0.2.7", 2, true),
        );
        for entry in [&one, &other] {
            learnt.learn(&key(entry, "server/a"), entry);
        }
        let of = || source(&learnt, &["server/a", "server/b"], "192.0.2.7", 4);
        let generation = learnt.generation();
        learnt.forget([&key(&one, "server/b")]);
        assert_eq!(of().as_deref(), Some("acme, 2026-11-03"));
        assert_eq!(learnt.generation(), generation, "it said nothing");
        learnt.forget([&key(&one, "server/a")]);
        assert_eq!(of().as_deref(), Some("other, 2026-11-02"));
        assert!(learnt.generation() > generation);
        learnt.forget([&key(&other, "server/a")]);
        assert_eq!(of(), None);
        assert!(learnt.scopes.read().unwrap().is_empty());
    }

    #[test]
    fn of_too_many_answers_the_oldest_go() {
        let of = |count: usize| {
            let name = |number: usize| AnswerKey::stored(&format!("{number:06}"));
            let told = |number: usize| EngineResponse {
                mark: Mark {
                    provider: "acme".to_owned(),
                    at: Timestamp::from_second(i64::try_from(number).unwrap()).unwrap(),
                    until: Timestamp::MAX,
                },
                values: vec![format!("value {number}")],
            };
            Scope::of((0..count).map(|number| (name(number), told(number))).collect())
        };
        let scope = of(MOST_ANSWERS + 2);
        assert_eq!(scope.answers.len(), MOST_ANSWERS);
        let marks = Marks::at(Timestamp::UNIX_EPOCH, vec![scope.marks]);
        assert!(marks.of("value 1").is_none() && marks.of("value 2").is_some());
    }

    #[test]
    fn what_a_users_own_key_paid_for_marks_nothing_of_others() {
        let learnt = LearnedMarks::default();
        let one = entry("acme", "192.0.2.7", 3, true);
        learnt.learn(&key(&one, "user/7f"), &one);
        assert_eq!(source(&learnt, &["server/a"], "192.0.2.7", 4), None);
        let both = source(&learnt, &["server/a", "user/7f"], "192.0.2.7", 4);
        assert_eq!(both.as_deref(), Some("acme, 2026-11-03"));
    }
}
