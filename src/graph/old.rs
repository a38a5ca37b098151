//! Reads out of files of version 1 when something was seen: their links had labels only, their nodes the dates of the
//! run that came last.

use std::collections::BTreeSet;

use super::period::parse_day;
use super::{Graph, Link, Node};
use crate::ask::report::Observation;

/// Takes what the properties of a node say of each source.
pub(super) fn date_node(node: &mut Node) {
    let property = |name: &str| node.properties.get(name).map(String::as_str);
    let sources = node.properties.keys();
    let sources = sources.filter_map(|name| Observation::source_of(name));
    node.observations = sources
        .map(|source| Observation::read(source, property))
        .collect();
}

/// Takes the days of a label such as `2013-01-06 to 2013-05-15`, of the provider whose transform it was.
///
/// A transform that asks several providers does not say which of them it was; where the node knows one source alone, it
/// was that.
pub(super) fn date_link(link: &mut Link, graph: &Graph) {
    let Some(found) = graph.nodes().get(link.to) else {
        return;
    };
    let sources = found.sources();
    let named = link.transform.split_once('.').map(|(provider, _)| provider);
    let source = match named.filter(|provider| sources.contains(provider)) {
        Some(provider) => provider,
        None => match sources.iter().next() {
            Some(only) if sources.len() == 1 => only,
            _ => return,
        },
    };
    let (first, last) = match link.label.split_once(" to ") {
        Some((first, last)) => (parse_day(first).ok(), parse_day(last).ok()),
        None => (parse_day(&link.label).ok(), None),
    };
    link.observations = BTreeSet::from([Observation {
        source: source.to_owned(),
        first_seen: first,
        last_seen: last.filter(|last| first.is_some_and(|first| first <= *last)),
    }]);
}
