//! Says what a step brought: what is new on a graph, what was known, and what more sources tell of than before.

use std::collections::{BTreeMap, BTreeSet};

use super::Graph;
use crate::maltego::types;

/// Remembers a graph as it was before a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierGraph {
    /// How many sources told of each entity.
    sources: Vec<usize>,
}

impl EarlierGraph {
    /// Remembers a graph.
    #[must_use]
    pub fn of(graph: &Graph) -> Self {
        let sources = graph.nodes().iter().map(|node| node.sources().len());
        Self {
            sources: sources.collect(),
        }
    }
}

/// Holds what a step brought; entities by index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphChanges {
    /// The number of the step.
    pub step: usize,
    /// What it found that was not on the graph, without what it ran on.
    pub new: BTreeSet<usize>,
    /// What it found that was on the graph.
    pub known: Vec<usize>,
    /// Those that were on the graph and now have two sources or more, where they had fewer.
    pub corroborated: Vec<usize>,
}

impl GraphChanges {
    /// Compares a graph with what it was before its last step.
    #[must_use]
    pub fn of(before: &EarlierGraph, graph: &Graph) -> Self {
        let step = graph.steps().len();
        let found = graph.nodes().iter().enumerate();
        let found = found.filter(|(_, node)| node.steps.contains(&step));
        let was_there = |at: usize| at < before.sources.len();
        let known: Vec<usize> = found
            .clone()
            .filter_map(|(at, _)| was_there(at).then_some(at))
            .collect();
        let new = found
            .filter_map(|(at, node)| (!was_there(at) && node.is_new_in(step)).then_some(at))
            .collect();
        let has_more = |at: &&usize| {
            let now = graph.nodes().get(**at).map_or(0, |node| node.sources().len());
            now > 1 && before.sources.get(**at).is_some_and(|then| *then < now)
        };
        Self {
            step,
            corroborated: known.iter().filter(has_more).copied().collect(),
            new,
            known,
        }
    }

    /// Says it in one line: `5 domains are new, 12 entities were known, 3 now have two sources`.
    #[must_use]
    pub fn text(&self, graph: &Graph) -> String {
        let mut parts = vec![new_text(graph, &self.new)];
        match self.known.len() {
            0 => {}
            1 => parts.push("1 entity was known".to_owned()),
            many => parts.push(format!("{many} entities were known")),
        }
        let mut by_sources: BTreeMap<usize, usize> = BTreeMap::new();
        for at in &self.corroborated {
            let sources = graph.nodes().get(*at).map_or(0, |node| node.sources().len());
            *by_sources.entry(sources).or_default() += 1;
        }
        for (sources, count) in by_sources {
            let have = if count == 1 { "has" } else { "have" };
            parts.push(format!("{count} now {have} {} sources", number(sources)));
        }
        parts.join(", ")
    }
}

fn new_text(graph: &Graph, new: &BTreeSet<usize>) -> String {
    let nodes = new.iter().filter_map(|at| graph.nodes().get(*at));
    let texts = counts(nodes.map(|node| node.type_id.as_str()));
    let verb = if new.len() == 1 { "is" } else { "are" };
    match texts.split_last() {
        None => "nothing is new".to_owned(),
        Some((only, [])) => format!("{only} {verb} new"),
        Some((last, others)) => format!("{} and {last} are new", others.join(", ")),
    }
}

/// Counts entities by their types, the most frequent first: `7 domains`, `2 URLs`.
#[must_use]
pub fn counts<'a>(types: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut by_type: BTreeMap<&str, usize> = BTreeMap::new();
    for type_id in types {
        *by_type.entry(type_id).or_default() += 1;
    }
    let mut counts: Vec<(usize, &str)> = by_type.into_iter().map(|(name, count)| (count, name)).collect();
    counts.sort_by_key(|(count, name)| (std::cmp::Reverse(*count), *name));
    let texts = counts.into_iter();
    texts
        .map(|(count, name)| format!("{count} {}", type_name(name, count)))
        .collect()
}

/// Writes the name of a type for so many of it: `domain`, `IPv4 addresses`.
#[must_use]
pub fn type_name(type_id: &str, count: usize) -> String {
    let short = types::last_part(type_id);
    let name = types::lookup(type_id).map_or(short, |known| known.display_name);
    let words = name.split(' ').map(|word| {
        // Abbreviations stay as they are.
        if word.chars().filter(|c| c.is_uppercase()).count() > 1 {
            word.to_owned()
        } else {
            word.to_lowercase()
        }
    });
    let name = words.collect::<Vec<_>>().join(" ");
    match name.as_str() {
        _ if count == 1 => name,
        "AS" => "autonomous systems".to_owned(),
        name if ["s", "x", "sh", "ch"].iter().any(|end| name.ends_with(end)) => format!("{name}es"),
        name => match name.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
            _ => format!("{name}s"),
        },
    }
}

fn number(count: usize) -> String {
    const WORDS: [&str; 9] = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    let word = count.checked_sub(1).and_then(|at| WORDS.get(at));
    word.map_or_else(|| count.to_string(), |word| (*word).to_owned())
}
