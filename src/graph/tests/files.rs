//! Writes graphs for other tools and reads them back.

use super::*;

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
fn files_of_version_1_are_read_with_the_dates_that_they_have() {
    let old = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
 <key id="k0" for="node" attr.name="passivetotal.first_seen" attr.type="string"/>
 <key id="k1" for="node" attr.name="passivetotal.last_seen" attr.type="string"/>
 <key id="k2" for="node" attr.name="passivetotal.source" attr.type="string"/>
 <key id="k3" for="node" attr.name="pivotd:type" attr.type="string"/>
 <key id="k4" for="node" attr.name="pivotd:value" attr.type="string"/>
 <key id="e0" for="edge" attr.name="pivotd:transform" attr.type="string"/>
 <key id="e1" for="edge" attr.name="pivotd:label" attr.type="string"/>
 <graph id="pivotd" edgedefault="directed">
  <node id="n0"><data key="k3">maltego.Domain</data><data key="k4">a.example</data></node>
  <node id="n1"><data key="k3">maltego.Domain</data><data key="k4">b.example</data></node>
  <node id="n2"><data key="k3">maltego.IPv4Address</data><data key="k4">203.0.113.113</data>
   <data key="k2">passivetotal dns</data><data key="k0">2013-01-06</data><data key="k1">2013-05-15</data></node>
  <edge source="n0" target="n2"><data key="e0">passivetotal.resolutions</data><data key="e1">2013-01-06 to 2013-05-15</data></edge>
  <edge source="n1" target="n2"><data key="e0">resolutions</data><data key="e1">2013-02-06 to 2013-06-15</data></edge>
 </graph>
</graphml>"#;
    let graph = read(old).unwrap();
    assert_eq!(graph.nodes()[2].seen(), [period("2013-01-06..2013-06-15")]);
    assert!(graph.links().all(|link| link.observations.len() == 1));
    let newer = to_graphml(&graph).unwrap();
    assert_eq!(read(&newer).unwrap(), graph, "and written anew");
    let future = newer.replacen(">2</data>", ">3</data>", 1);
    assert!(read(&future).unwrap_err().to_string().contains("newer pivotd"));
    let future = to_json(&graph)
        .unwrap()
        .replacen("\"version\": 2", "\"version\": 3", 1);
    assert!(read(&future).unwrap_err().to_string().contains("newer pivotd"));
}

#[test]
fn what_hangs_on_one_entity_alone_is_drawn_as_one_box() {
    let mut graph = Graph::default();
    let from = graph.give(domain("a.example"));
    let other = graph.give(domain("b.example"));
    let mut found: Vec<EntityView> = (1..=60)
        .map(|at| seen_by("acme", &format!("192.0.2.{at}"), "2013-01-01", "2013-02-01"))
        .collect();
    found[6].marks.insert("Sinkhole".to_owned());
    graph.found(from, "acme.history", found);
    graph.found(
        other,
        "acme.history",
        vec![seen_by("acme", "192.0.2.9", "2013-03-01", "")],
    );
    let dot = to_dot(&graph);
    let boxes = dot.lines().filter(|line| line.contains("fillcolor")).count();
    assert_eq!(
        boxes, 5,
        "two domains, the shared one, the marked one, and the rest:\n{dot}"
    );
    assert!(
        dot.contains("58 × IPv4Address") && dot.contains("… and 50 more"),
        "{dot}"
    );
    for at in 1..=60 {
        assert!(dot.contains(&format!("192.0.2.{at}")), "no entity is lost: {at}");
    }
    assert_eq!(
        dot.lines().filter(|line| line.contains(" -> ")).count(),
        4,
        "{dot}"
    );
}

#[test]
fn properties_spelt_like_keys_come_back() {
    let mut graph = Graph::default();
    graph.add(Node {
        type_id: "maltego.Phrase".to_owned(),
        value: "a".to_owned(),
        properties: ["label", "first_seen", "pivotd:type", "pivotd:property:label"]
            .into_iter()
            .map(|name| (name.to_owned(), format!("of {name}")))
            .collect(),
        ..Node::default()
    });
    assert_eq!(read_graphml(&to_graphml(&graph).unwrap()).unwrap(), graph);
}

#[test]
fn what_is_no_graph_is_said() {
    for text in [
        "",
        "<x/>",
        "<graphml><node id='n0'/></graphml>",
        "<graphml><edge source='a' target='b'/></graphml>",
        "<!DOCTYPE x><graphml/>",
        "<graphml><graph>",
    ] {
        assert!(read_graphml(text).is_err(), "{text}");
    }
    assert!(read_graphml("<graphml/>").is_ok());
    let mut graph = Graph::default();
    graph.add(domain("a.example"));
    let whole = to_graphml(&graph).unwrap();
    let whole = whole.trim_end();
    for (cut, _) in whole.char_indices() {
        assert!(read_graphml(whole.get(..cut).unwrap()).is_err(), "cut at {cut}");
    }
}

#[test]
fn nothing_turns_the_direction_of_a_graph() {
    let turned = "invoice\u{202e}fdp.exe\u{2066}";
    let mut graph = Graph::default();
    let at = graph.give(domain(turned));
    let mut found = view("maltego.Phrase", turned, &[("note", turned)], &[]);
    found.link = Some(turned.to_owned());
    graph.found(at, "acme.t", vec![found]);
    for text in [
        to_graphml(&graph).unwrap(),
        to_dot(&graph),
        to_json(&graph).unwrap(),
    ] {
        assert!(text.contains("invoicefdp.exe"), "{text}");
        assert!(!text.contains(['\u{202e}', '\u{2066}']), "{text}");
    }
    assert_eq!(graph.find(&domain(turned)), Some(at));
}
