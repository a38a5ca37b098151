//! Compares two sides of an investigation: which entities both reached, and what each says of them.
//!
//! A side is a whole graph, or what was reached from where its pivots started. An entity was reached if a transform found
//! it; what was only given to transforms was not.

use std::collections::{BTreeMap, BTreeSet};

use super::period::{Period, seen};
use super::select::marks;
use super::{EntityKey, Graph, Link};
use crate::ask::report::Observation;
use crate::catalogue::OWN;

/// Holds what one side reached, with what its links say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OverlapSide {
    reached: BTreeMap<Key, (EntityKey, BTreeSet<Observation>)>,
    /// What the side has without having reached it.
    only_given: BTreeMap<Key, EntityKey>,
    /// How the entities of its graph are marked, as far as they are.
    marks: BTreeMap<Key, BTreeSet<String>>,
}

/// Tells entities apart, as a graph does.
type Key = EntityKey;

/// Says how the periods of both sides lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Times {
    /// They share a day.
    Overlap,
    /// They share none.
    Apart,
    /// One side says nothing of time.
    Undated,
}

impl Times {
    /// Returns the word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Overlap => "overlap",
            Self::Apart => "apart",
            Self::Undated => "undated",
        }
    }
}

/// Holds an entity that both sides reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// Type, value and strict properties.
    pub identity: EntityKey,
    /// How it is marked on either side.
    pub marks: BTreeSet<String>,
    /// What each side says of it.
    pub sides: [BTreeSet<Observation>; 2],
    /// How the periods of both lie to each other.
    pub times: Times,
}

/// Says from where a side starts, and which links it follows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// The entities, by index.
    pub at: BTreeSet<usize>,
    /// The providers whose links it follows; all where there is none.
    pub via: BTreeSet<String>,
}

impl OverlapSide {
    /// Takes a whole graph.
    #[must_use]
    pub fn whole(graph: &Graph) -> Self {
        let mut side = Self::of(graph);
        for link in graph.links() {
            side.reach(graph, &link, &BTreeSet::new());
        }
        side.note_given(graph, graph.nodes().iter().enumerate().map(|(at, _)| at));
        side
    }

    /// Takes what was reached from a start. It does not go on through where another side starts.
    #[must_use]
    pub fn reached(graph: &Graph, start: &Start, others: &BTreeSet<usize>) -> Self {
        let mut outgoing: BTreeMap<usize, Vec<Link>> = BTreeMap::new();
        for link in graph.links() {
            if follows(&link, &start.via) {
                outgoing.entry(link.from).or_default().push(link);
            }
        }
        let mut side = Self::of(graph);
        let mut open: Vec<usize> = start.at.iter().copied().collect();
        let mut walked = BTreeSet::new();
        while let Some(at) = open.pop() {
            if !walked.insert(at) {
                continue;
            }
            for link in outgoing.get(&at).into_iter().flatten() {
                side.reach(graph, link, &start.via);
                if !others.contains(&link.to) {
                    open.push(link.to);
                }
            }
        }
        side.note_given(graph, start.at.iter().copied());
        side
    }

    /// Reached nothing yet.
    fn of(graph: &Graph) -> Self {
        let mut side = Self::default();
        for node in graph.nodes() {
            let marks = marks(node);
            if !marks.is_empty() {
                side.marks.entry(node.key()).or_default().extend(marks);
            }
        }
        side
    }

    /// Lists the marks that anything has on the graph of the side.
    pub fn marks(&self) -> impl Iterator<Item = &str> {
        self.marks.values().flatten().map(String::as_str)
    }

    fn reach(&mut self, graph: &Graph, link: &Link, via: &BTreeSet<String>) {
        let Some(node) = graph.nodes().get(link.to) else {
            return;
        };
        let (_, said) = self
            .reached
            .entry(node.key())
            .or_insert_with(|| (node.identity(), BTreeSet::new()));
        let heard = link
            .observations
            .iter()
            .filter(|one| via.is_empty() || via.contains(&one.source));
        said.extend(heard.cloned());
        if link.observations.is_empty() {
            said.insert(Observation {
                source: provider_of(&link.transform).to_owned(),
                first_seen: None,
                last_seen: None,
            });
        }
    }

    fn note_given(&mut self, graph: &Graph, all: impl Iterator<Item = usize>) {
        let nodes = all.filter_map(|at| graph.nodes().get(at));
        self.only_given = nodes
            .map(|node| (node.key(), node.identity()))
            .filter(|(key, _)| !self.reached.contains_key(key))
            .collect();
    }

    /// Counts the entities that it reached.
    #[must_use]
    pub fn len(&self) -> usize {
        self.reached.len()
    }

    /// Tells whether it reached nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reached.is_empty()
    }
}

/// Returns the provider whose transform it is; a transform of several is called by its own name.
fn provider_of(transform: &str) -> &str {
    transform
        .split_once('.')
        .map_or(transform, |(provider, _)| provider)
}

/// Returns the providers that a link is of.
pub fn providers(link: &Link) -> impl Iterator<Item = &str> {
    let sources = link.observations.iter().map(|one| one.source.as_str());
    std::iter::once(provider_of(&link.transform)).chain(sources)
}

fn follows(link: &Link, via: &BTreeSet<String>) -> bool {
    via.is_empty() || providers(link).any(|one| via.contains(one))
}

/// Returns what both sides reached, by type and value.
#[must_use]
pub fn overlaps(a: &OverlapSide, b: &OverlapSide) -> Vec<Overlap> {
    let both = a
        .reached
        .iter()
        .filter_map(|(key, (identity, said))| Some((key, identity, said, b.reached.get(key)?)));
    both.map(|(key, identity, said_by_a, (_, said_by_b))| Overlap {
        identity: identity.clone(),
        marks: [a, b]
            .into_iter()
            .filter_map(|side| side.marks.get(key))
            .flatten()
            .cloned()
            .collect(),
        sides: [said_by_a.clone(), said_by_b.clone()],
        times: times(said_by_a, said_by_b),
    })
    .collect()
}

/// Returns what one side reached and the other was only given, so that it is no overlap.
#[must_use]
pub fn only_given(a: &OverlapSide, b: &OverlapSide) -> Vec<EntityKey> {
    let given = |one: &OverlapSide, other: &OverlapSide| -> Vec<(Key, EntityKey)> {
        let known = |key: &Key| other.reached.contains_key(key) || other.only_given.contains_key(key);
        one.only_given
            .iter()
            .filter(|(key, _)| known(key))
            .map(|(key, identity)| (key.clone(), identity.clone()))
            .collect()
    };
    let all: BTreeMap<Key, EntityKey> = given(a, b).into_iter().chain(given(b, a)).collect();
    all.into_values().collect()
}

fn times(a: &BTreeSet<Observation>, b: &BTreeSet<Observation>) -> Times {
    let (a, b) = (seen(a), seen(b));
    if a.is_empty() || b.is_empty() {
        Times::Undated
    } else if a.iter().any(|one| b.iter().any(|other| one.touches(other))) {
        Times::Overlap
    } else {
        Times::Apart
    }
}

/// Writes what one side says: each source with its periods.
#[must_use]
pub fn said_text(said: &BTreeSet<Observation>) -> String {
    let mut by_source: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
    for one in said {
        by_source.entry(&one.source).or_default().push(one);
    }
    let texts = by_source.into_iter().map(|(source, all)| {
        let source = if source == OWN {
            "pivotd (a part of it)"
        } else {
            source
        };
        let periods: Vec<String> = seen(all).iter().map(Period::to_string).collect();
        if periods.is_empty() {
            source.to_owned()
        } else {
            format!("{source} {}", periods.join(", "))
        }
    });
    texts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::super::select::{KeptByMarks, SelectionError, keep_marked};
    use super::*;
    use crate::ask::report::EntityView;

    /// Makes a graph in which a transform reached addresses, each with the marks of its icon.
    fn reached(all: &[(&str, &[&str])]) -> Graph {
        let entity = |(value, marks): &(&str, &[&str])| EntityView {
            type_id: "maltego.IPv4Address".to_owned(),
            value: (*value).to_owned(),
            properties: BTreeMap::new(),
            strict: BTreeSet::new(),
            marks: marks.iter().map(|&mark| mark.to_owned()).collect(),
            link: None,
            observations: Vec::new(),
        };
        let mut graph = Graph::default();
        let from = graph.give(Node {
            type_id: "maltego.Domain".to_owned(),
            value: "a.example".to_owned(),
            ..Node::default()
        });
        graph.found(from, "acme.history", all.iter().map(entity).collect());
        graph
    }

    #[test]
    fn a_share_has_the_marks_of_either_side_and_is_chosen_by_them() {
        let a = OverlapSide::whole(&reached(&[
            ("192.0.2.1", &[]),
            ("192.0.2.2", &["Sinkhole"]),
            ("192.0.2.3", &[]),
        ]));
        let b = OverlapSide::whole(&reached(&[
            ("192.0.2.1", &[]),
            ("192.0.2.2", &["Dynamic DNS"]),
            ("192.0.2.3", &["Sinkhole"]),
            ("192.0.2.4", &["Own"]),
        ]));
        let all = overlaps(&a, &b);
        let marks: Vec<Vec<&str>> = all
            .iter()
            .map(|one| one.marks.iter().map(String::as_str).collect())
            .collect();
        assert_eq!(marks, [vec![], vec!["dynamic-dns", "sinkhole"], vec!["sinkhole"]]);
        let keep = |without: &[&str], with: &[&str]| {
            let own = |marks: &[&str]| marks.iter().map(|&mark| mark.to_owned()).collect::<Vec<_>>();
            let known = a.marks().chain(b.marks()).map(str::to_owned);
            keep_marked(
                all.clone(),
                known,
                (&own(without), &own(with)),
                |one: &Overlap| &one.marks,
            )
        };
        let counted = |kept: Result<KeptByMarks<Overlap>, SelectionError>| {
            let kept = kept.unwrap();
            (kept.kept.len(), kept.left_out)
        };
        assert_eq!(counted(keep(&[], &[])), (3, vec![]));
        assert_eq!(
            counted(keep(&["dynamic-dns", "Sinkhole"], &[])),
            (
                1,
                vec![
                    ("marked dynamic-dns".to_owned(), 1),
                    ("marked sinkhole".to_owned(), 1)
                ]
            )
        );
        assert_eq!(
            counted(keep(&[], &["sinkhole"])),
            (2, vec![("not marked sinkhole".to_owned(), 1)])
        );
        assert_eq!(counted(keep(&["own"], &[])).0, 3, "a mark of one graph is known");
        assert!(matches!(keep(&["sinkhle"], &[]), Err(SelectionError::Mark(..))));
    }
}
