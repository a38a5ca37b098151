//! Merges graphs, reads out of them, and writes them for other tools.

mod files;
mod merging;
mod properties;
mod reading;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::changes::{EarlierGraph, GraphChanges};
use super::overlap::{OverlapSide, Start, Times, only_given, overlaps};
use super::period::{Period, hull, parse_day, parse_span, seen, union};
use super::select::{MARKS, Selection, SelectionError, mark_name, marks, select};
use super::support::Support;
use super::{Graph, Link, Node, read, read_graphml, read_json, to_dot, to_graphml, to_json};
use crate::ask::report::{EntityView, Observation};

/// Makes what a run found: an address that a source saw in a period.
fn seen_by(source: &str, value: &str, first: &str, last: &str) -> EntityView {
    let names = [
        format!("{source}.source"),
        format!("{source}.first_seen"),
        format!("{source}.last_seen"),
    ];
    let said: Vec<(&str, &str)> = names
        .iter()
        .map(String::as_str)
        .zip([source, first, last])
        .filter(|(_, text)| !text.is_empty())
        .collect();
    let mut entity = view("maltego.IPv4Address", value, &said, &[]);
    let property = |name: &str| {
        said.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| *text)
    };
    entity.observations = vec![Observation::read(source, property)];
    entity
}

fn domain(value: &str) -> Node {
    Node::from(view("maltego.Domain", value, &[], &[]))
}

fn period(text: &str) -> Period {
    Period::parse(text).unwrap()
}

fn view(type_id: &str, value: &str, properties: &[(&str, &str)], strict: &[&str]) -> EntityView {
    let own = |texts: &[&str]| -> BTreeSet<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
    EntityView {
        type_id: type_id.to_owned(),
        value: value.to_owned(),
        properties: properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        strict: own(strict),
        marks: BTreeSet::new(),
        link: Some("2013-05-20".to_owned()),
        observations: Vec::new(),
    }
}
