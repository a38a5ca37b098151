//! Chooses entities of a graph: by type, time, marks, sources and steps, and counts what each filter left out.

use std::collections::{BTreeMap, BTreeSet};

use super::period::Period;
use super::{Graph, Node};
use crate::maltego::settings::is_said;
use crate::maltego::types;

/// Says which entities are wanted; what is empty wants all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Types, full or short; any of them.
    pub types: Vec<String>,
    /// The period in which it was seen; it is enough that one day is shared.
    pub seen: Option<Period>,
    /// Whether entities without a date are left out where a period is wanted.
    pub dated: bool,
    /// Marks that it must not have, such as `sinkhole`.
    pub without: Vec<String>,
    /// Marks of which it must have one.
    pub with: Vec<String>,
    /// The fewest sources that tell of it.
    pub sources: usize,
    /// Steps that found it, by number or by the name of the transform; any of them.
    pub steps: Vec<String>,
    /// Whether the last step found it, and nothing had before.
    pub new: bool,
}

/// Holds what a selection came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selected {
    /// The chosen entities, by index.
    pub chosen: Vec<usize>,
    /// How many entities of the types there are.
    pub of_type: usize,
    /// What the filters left out, in their order; an entity counts for the first that it fails.
    pub left_out: Vec<(String, usize)>,
    /// How many of the chosen have no date, where a period is wanted.
    pub undated: usize,
}

/// Says which part of a selection cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// A step that the graph does not have.
    #[error("the graph has no step {0}; it has {1}")]
    Step(String, String),
    /// A mark that nothing has.
    #[error("nothing is ever marked {0}; marks are {1}")]
    Mark(String, String),
}

/// Marks that entities can have in any graph.
pub(super) const MARKS: [&str; 11] = [
    "blocklist",
    "common-service",
    "dynamic-dns",
    "hosting",
    "malicious",
    "private",
    "sinkhole",
    "suspicious",
    "tor",
    "whitelisted",
    "zero-listed",
];

/// Writes a mark as filters name it: `Dynamic DNS` is `dynamic-dns`.
#[must_use]
pub fn mark_name(mark: &str) -> String {
    mark.trim().to_lowercase().replace([' ', '_'], "-")
}

/// Lists what is marked on an entity, by the marks of its icon and by properties that say the same.
#[must_use]
pub fn marks(node: &Node) -> BTreeSet<String> {
    marks_of(&node.marks, &node.properties)
}

/// Lists what these marks and properties of an entity say.
#[must_use]
pub fn marks_of(marks: &BTreeSet<String>, properties: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = marks.iter().map(|mark| mark_name(mark)).collect();
    for (name, value) in properties {
        let last = types::last_part(name);
        if is_said(value) && matches!(last, "sinkhole" | "dynamic_dns") {
            all.insert(mark_name(last));
        }
    }
    all
}

/// Tells whether a type is meant: by its id, or by the last part of it in any case of letters.
#[must_use]
pub fn is_type(node: &Node, wanted: &str) -> bool {
    node.type_id == wanted || node.short_type().eq_ignore_ascii_case(wanted)
}

/// Chooses entities.
///
/// # Errors
/// [`SelectionError`] for a step or a mark that cannot be meant.
pub fn select(graph: &Graph, selection: &Selection) -> Result<Selected, SelectionError> {
    let known = graph.nodes().iter().flat_map(marks);
    known_marks(known, selection.without.iter().chain(&selection.with))?;
    let steps = steps(graph, &selection.steps)?;
    let last = graph.steps().len();
    let filters = filters(selection, &steps, last);
    let mut left_out = vec![0; filters.len()];
    let mut selected = Selected::default();
    for (at, node) in graph.nodes().iter().enumerate() {
        let is_meant = selection.types.is_empty() || selection.types.iter().any(|one| is_type(node, one));
        if !is_meant {
            continue;
        }
        selected.of_type += 1;
        if let Some(failed) = filters.iter().position(|filter| !(filter.keeps)(node)) {
            if let Some(count) = left_out.get_mut(failed) {
                *count += 1;
            }
            continue;
        }
        if selection.seen.is_some() && node.seen().is_empty() {
            selected.undated += 1;
        }
        selected.chosen.push(at);
    }
    let counted = filters.into_iter().map(|filter| filter.name).zip(left_out);
    selected.left_out = counted.filter(|(_, count)| *count > 0).collect();
    Ok(selected)
}

struct Filter<'a> {
    /// What is said of those that it leaves out.
    name: String,
    keeps: Box<dyn Fn(&Node) -> bool + 'a>,
}

fn filters<'a>(selection: &'a Selection, steps: &'a BTreeSet<usize>, last: usize) -> Vec<Filter<'a>> {
    let mut all: Vec<Filter<'a>> = Vec::new();
    let mut add = |name: String, keeps: Box<dyn Fn(&Node) -> bool + 'a>| all.push(Filter { name, keeps });
    if selection.new {
        add(
            "not new in the last step".to_owned(),
            Box::new(move |node| node.is_new_in(last)),
        );
    }
    if !selection.steps.is_empty() {
        add(
            format!("not found by step {}", selection.steps.join(" or ")),
            Box::new(|node| node.steps.intersection(steps).next().is_some()),
        );
    }
    if let Some(wanted) = selection.seen {
        add(
            format!("seen outside {wanted} only"),
            Box::new(move |node| {
                let seen = node.seen();
                seen.is_empty() || seen.iter().any(|period| period.touches(&wanted))
            }),
        );
        if selection.dated {
            add(
                "without a date".to_owned(),
                Box::new(|node| !node.seen().is_empty()),
            );
        }
    }
    for MarkFilter { name, keeps } in mark_filters(&selection.without, &selection.with) {
        add(name, Box::new(move |node| keeps(&marks(node))));
    }
    let fewest = selection.sources;
    if fewest > 1 {
        add(
            format!("with fewer than {fewest} sources"),
            Box::new(move |node| node.sources().len() >= fewest),
        );
    }
    all
}

/// Tells of marks whether they are wanted.
type MarkPredicate = Box<dyn Fn(&BTreeSet<String>) -> bool>;

struct MarkFilter {
    /// What is said of those that it leaves out.
    name: String,
    keeps: MarkPredicate,
}

fn mark_filters(without: &[String], with: &[String]) -> Vec<MarkFilter> {
    let mut all: Vec<MarkFilter> = Vec::new();
    for mark in without {
        let mark = mark_name(mark);
        all.push(MarkFilter {
            name: format!("marked {mark}"),
            keeps: Box::new(move |marks| !marks.contains(&mark)),
        });
    }
    if !with.is_empty() {
        let wanted: BTreeSet<String> = with.iter().map(|mark| mark_name(mark)).collect();
        all.push(MarkFilter {
            name: format!("not marked {}", with.join(" or ")),
            keeps: Box::new(move |marks| marks.intersection(&wanted).next().is_some()),
        });
    }
    all
}

/// Holds what marks left of several things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptByMarks<T> {
    /// What was kept.
    pub kept: Vec<T>,
    /// What the marks left out, in their order; each counts for the first that it fails.
    pub left_out: Vec<(String, usize)>,
}

/// Keeps what is not marked as any of `without`, and is marked as one of `with`. `known` are the marks that there are.
///
/// # Errors
/// [`SelectionError::Mark`] for a mark that cannot be meant.
pub fn keep_marked<T>(
    all: Vec<T>,
    known: impl Iterator<Item = String>,
    (without, with): (&[String], &[String]),
    marks: impl Fn(&T) -> &BTreeSet<String>,
) -> Result<KeptByMarks<T>, SelectionError> {
    known_marks(known, without.iter().chain(with))?;
    let mut kept = all;
    let mut left_out = Vec::new();
    for MarkFilter { name, keeps } in mark_filters(without, with) {
        let before = kept.len();
        kept.retain(|one| keeps(marks(one)));
        if kept.len() < before {
            left_out.push((name, before - kept.len()));
        }
    }
    Ok(KeptByMarks { kept, left_out })
}

fn known_marks<'a>(
    on_it: impl Iterator<Item = String>,
    wanted: impl Iterator<Item = &'a String>,
) -> Result<(), SelectionError> {
    let mut known: BTreeSet<String> = MARKS.iter().map(|&mark| mark.to_owned()).collect();
    known.extend(on_it);
    for mark in wanted {
        if !known.contains(&mark_name(mark)) {
            let known: Vec<String> = known.into_iter().collect();
            return Err(SelectionError::Mark(mark.clone(), known.join(", ")));
        }
    }
    Ok(())
}

/// Finds the numbers of steps: a number, the name of a transform, or the last part of that name.
fn steps(graph: &Graph, wanted: &[String]) -> Result<BTreeSet<usize>, SelectionError> {
    let mut found = BTreeSet::new();
    for one in wanted {
        let number = one.parse::<usize>().ok();
        let is_meant = |(at, transform): &(usize, &String)| {
            let last = transform.split_once('.').map(|(_, last)| last);
            number == Some(*at) || *transform == one || last == Some(one)
        };
        let mut meant = (1..).zip(graph.steps()).filter(is_meant).peekable();
        if meant.peek().is_none() {
            return Err(SelectionError::Step(one.clone(), known_steps(graph)));
        }
        found.extend(meant.map(|(at, _)| at));
    }
    Ok(found)
}

/// Lists the steps of a graph: `1 acme.history, 2 acme.whois`.
fn known_steps(graph: &Graph) -> String {
    let steps = graph.steps().iter().enumerate();
    let steps: Vec<String> = steps
        .map(|(at, transform)| format!("{} {transform}", at + 1))
        .collect();
    if steps.is_empty() {
        "none; files of older versions kept none".to_owned()
    } else {
        steps.join(", ")
    }
}
