use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Graph, Link, Node, read_graphml, to_dot, to_graphml};
use crate::ask::report::EntityView;

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
    }
}

#[test]
fn equal_entities_become_one_and_keep_what_everybody_said() {
    let mut graph = Graph::default();
    let input = graph.add(Node::from(view(
        "maltego.Domain",
        "example.com",
        &[("fqdn", "example.com")],
        &["fqdn"],
    )));
    let ip =
        |properties: &[(&str, &str)]| view("maltego.IPv4Address", "192.0.2.7", properties, &["ipv4-address"]);
    graph.found(
        input,
        "a.resolutions",
        vec![ip(&[("ipv4-address", "192.0.2.7"), ("a.first_seen", "2013")])],
    );
    graph.found(
        input,
        "b.resolutions",
        vec![
            ip(&[("ipv4-address", "192.0.2.7"), ("b.first_seen", "2014")]),
            view("maltego.Domain", "example.com", &[("b.score", "7")], &[]),
        ],
    );
    assert_eq!(graph.nodes().len(), 2, "{graph:?}");
    assert_eq!(graph.links().count(), 2);
    let ip = &graph.nodes()[1];
    assert!(ip.properties.contains_key("a.first_seen") && ip.properties.contains_key("b.first_seen"));
    assert_eq!(
        graph.nodes()[0].properties["b.score"],
        "7",
        "an annotation is the input's"
    );
}

#[test]
fn strict_properties_keep_entities_apart() {
    let mut graph = Graph::default();
    let incident = |id: &str| {
        Node::from(view(
            "pivotd.Incident",
            "Same name",
            &[("threatconnect.id", id)],
            &["threatconnect.id"],
        ))
    };
    assert_ne!(graph.add(incident("1")), graph.add(incident("2")));
}

#[test]
fn a_picture_holds_no_language_of_others() {
    let mut graph = Graph::default();
    graph.add(Node {
        type_id: "maltego.Phrase".to_owned(),
        value: "a\"]; evil [label=\"\\\n".to_owned(),
        ..Node::default()
    });
    let dot = to_dot(&graph);
    assert!(
        dot.contains(r#"label="a\"]; evil [label=\"\\\n\nPhrase""#),
        "{dot}"
    );
}

#[test]
fn what_is_no_graph_is_said() {
    for text in [
        "",
        "<x/>",
        "<graphml><node id='n0'/></graphml>",
        "<graphml><edge source='a' target='b'/></graphml>",
        "<!DOCTYPE x><graphml/>",
    ] {
        assert!(read_graphml(text).is_err(), "{text}");
    }
    assert!(read_graphml("<graphml/>").is_ok());
}

proptest! {
    #[test]
    fn a_graph_comes_back_as_it_was_written(values in prop::collection::vec(("[a-z.]{1,12}", "[^\u{0}-\u{1f}\u{a0}\u{fffe}\u{ffff}]{0,12}", any::<bool>()), 1..8)) {
        let mut graph = Graph::default();
        for (name, value, strict) in &values {
            let strict = strict.then(|| name.clone()).into_iter().collect();
            let to = graph.add(Node {
                type_id: "maltego.Phrase".to_owned(),
                value: value.clone(),
                properties: BTreeMap::from([(name.clone(), format!("v{value}"))]),
                strict,
                marks: BTreeSet::from(["Sinkhole".to_owned()]),
            });
            graph.link(Link { from: 0, to, transform: name.clone(), label: value.clone() });
        }
        let text = to_graphml(&graph).unwrap();
        prop_assert_eq!(read_graphml(&text).unwrap(), graph, "{}", text);
    }

    #[test]
    fn no_text_panics(text in "(<|>|/|graphml|node|data|key|=|'| |&|;|a){0,40}") {
        let _ = read_graphml(&text);
    }
}
