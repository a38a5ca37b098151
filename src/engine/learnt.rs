//! Remembers what kept answers call sinkholes, whichever question they answered, so that every other answer can be
//! marked. Made from the stored answers at start; no provider is asked for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::cache::{AnswerKey, Entry};
use super::store::Store;
use crate::domain::{Capability, Mark, Marks, marks};

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
pub struct Learnt {
    scopes: RwLock<HashMap<String, Scope>>,
    /// Grows with every change; rendered bodies depend on it.
    generation: AtomicU64,
}

#[derive(Debug, Default)]
struct Scope {
    /// By the answer's key.
    answers: BTreeMap<AnswerKey, Told>,
    marks: Arc<Marks>,
}

/// Is what one answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    mark: Mark,
    values: Vec<String>,
}

impl Told {
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
    fn rebuild(&mut self) {
        while self.answers.len() > MOST_ANSWERS {
            let oldest = self.answers.iter().min_by_key(|(_, told)| told.mark.at);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            self.answers.remove(&key);
        }
        let mut marks = Marks::default();
        for told in self.answers.values() {
            for value in &told.values {
                marks.add(value, told.mark.clone());
            }
        }
        self.marks = Arc::new(marks);
    }
}

impl Learnt {
    /// Learns from all stored answers, and forgets what others said.
    pub(super) fn read(&self, store: &Store) {
        let mut scopes: HashMap<String, Scope> = HashMap::new();
        let read = store.each_answer(|key, bytes| {
            // Most answers call nothing a sinkhole; those need not be understood.
            let may = SAY_SO
                .iter()
                .any(|capability| key.contains(&format!("\"{}\"", capability.name())))
                && bytes.windows(7).any(|part| part == b"inkhole");
            let Some(entry) = may.then(|| serde_json::from_slice::<Entry>(bytes).ok()).flatten() else {
                return;
            };
            let (key, told) = (AnswerKey::stored(key), Told::of(&entry));
            if let Some(scope) = key.scope().filter(|_| !told.values.is_empty())
                && (scopes.len() < MOST_SCOPES || scopes.contains_key(&scope))
            {
                scopes.entry(scope).or_default().answers.insert(key, told);
            }
        });
        if let Err(error) = read {
            tracing::error!(%error, "stored answers could not be read for what they call sinkholes");
        }
        scopes.values_mut().for_each(Scope::rebuild);
        *self.scopes.write().unwrap_or_else(PoisonError::into_inner) = scopes;
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Learns from an answer that is kept from now on, in place of what the one before it said.
    pub(super) fn learn(&self, key: &AnswerKey, entry: &Entry) {
        if !SAY_SO.contains(&entry.answer.query.capability) {
            return;
        }
        let told = Told::of(entry);
        let Some(name) = key.scope() else { return };
        if told.values.is_empty() {
            let scopes = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
            if !scopes
                .get(&name)
                .is_some_and(|scope| scope.answers.contains_key(key))
            {
                return;
            }
        }
        let mut scopes = self.scopes.write().unwrap_or_else(PoisonError::into_inner);
        if scopes.len() >= MOST_SCOPES && !scopes.contains_key(&name) {
            return;
        }
        let scope = scopes.entry(name).or_default();
        if told.values.is_empty() {
            scope.answers.remove(key);
        } else {
            scope.answers.insert(key.clone(), told);
        }
        scope.rebuild();
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Returns what answers of these scopes call sinkholes at `now`, with the generation that this is of.
    #[must_use]
    pub fn marks<'a>(&self, scopes: impl IntoIterator<Item = &'a str>, now: Timestamp) -> (Arc<Marks>, u64) {
        let known = self.scopes.read().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock under which it grows.
        let generation = self.generation();
        let mut found = scopes.into_iter().filter_map(|name| known.get(name));
        let mut marks = found
            .next()
            .map_or_else(Arc::default, |scope| Arc::clone(&scope.marks));
        for scope in found {
            Arc::make_mut(&mut marks).join(&scope.marks);
        }
        drop(known);
        if marks.until().is_some_and(|until| until <= now) {
            Arc::make_mut(&mut marks).expire(now);
        }
        (marks, generation)
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

    fn source(learnt: &Learnt, scopes: &[&str], value: &str, now: u8) -> Option<String> {
        let (marks, _) = learnt.marks(scopes.iter().copied(), at(now));
        marks.of(value).map(Mark::source)
    }

    #[test]
    fn the_newest_answer_of_a_scope_counts_until_its_time() {
        let learnt = Learnt::default();
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
    fn what_a_users_own_key_paid_for_marks_nothing_of_others() {
        let learnt = Learnt::default();
        let one = entry("acme", "192.0.2.7", 3, true);
        learnt.learn(&key(&one, "user/7f"), &one);
        assert_eq!(source(&learnt, &["server/a"], "192.0.2.7", 4), None);
        let both = source(&learnt, &["server/a", "user/7f"], "192.0.2.7", 4);
        assert_eq!(both.as_deref(), Some("acme, 2026-11-03"));
    }
}
