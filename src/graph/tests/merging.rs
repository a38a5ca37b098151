//! Merges what transforms found: equal entities, annotations, steps.

use super::*;

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
fn a_name_is_one_entity_however_it_is_spelt() {
    let named = |type_id: &str, property: &str, value: &str, strict: &[&str]| {
        view(type_id, value, &[(property, value)], strict)
    };
    let spelt = |graph: &mut Graph, values: &[&str]| {
        let from = graph.give(domain("a.example"));
        for value in values {
            let of_company = named("maltego.Organization", "title", value, &["title"]);
            let of_person = named("maltego.Person", "person.fullname", value, &[]);
            graph.found(from, "acme.whois", vec![of_company, of_person]);
        }
    };
    let mut graph = Graph::default();
    spelt(
        &mut graph,
        &[
            "Acme, Inc.",
            "ACME INC",
            "acme inc",
            "M\u{fc}ller",
            "Mu\u{308}ller",
            "Inc Acme",
        ],
    );
    let values: Vec<&str> = graph
        .nodes()
        .iter()
        .skip(1)
        .step_by(2)
        .map(|one| one.value.as_str())
        .collect();
    assert_eq!(values, ["Acme, Inc.", "M\u{fc}ller", "Inc Acme"]);
    assert_eq!(graph.nodes().len(), 7);
    assert_eq!(graph.nodes()[1].properties["title"], "Acme, Inc.");
    assert_eq!(graph.nodes()[2].properties["person.fullname"], "Acme, Inc.");
    for text in [to_graphml(&graph).unwrap(), to_json(&graph).unwrap()] {
        assert_eq!(read(&text).unwrap(), graph, "{text}");
    }
    let mut other = Graph::default();
    spelt(&mut other, &["ACME INC"]);
    let both = overlaps(&OverlapSide::whole(&graph), &OverlapSide::whole(&other));
    let shown: Vec<&str> = both.iter().map(|one| one.identity.1.as_str()).collect();
    assert_eq!(shown, ["Acme, Inc.", "Acme, Inc."]);
}

#[test]
fn a_node_reached_twice_has_both_periods_and_its_links_one_each() {
    let mut graph = Graph::default();
    graph.begin("passivetotal.resolutions");
    let (one, other) = (graph.give(domain("a.example")), graph.give(domain("b.example")));
    let found = |first, last| vec![seen_by("passivetotal", "203.0.113.113", first, last)];
    graph.found(
        other,
        "passivetotal.resolutions",
        found("2013-02-06", "2013-06-15"),
    );
    graph.found(one, "passivetotal.resolutions", found("2013-01-06", "2013-05-15"));
    let node = &graph.nodes()[2];
    assert_eq!(node.seen(), [period("2013-01-06..2013-06-15")]);
    assert_eq!(node.properties["passivetotal.first_seen"], "2013-01-06");
    assert_eq!(node.properties["passivetotal.last_seen"], "2013-06-15");
    let selection = Selection {
        seen: Some(period("within 5 days of 2013-06-10")),
        ..Selection::default()
    };
    assert!(select(&graph, &selection).unwrap().chosen.contains(&2));
    for text in [to_graphml(&graph).unwrap(), to_json(&graph).unwrap()] {
        let read = read(&text).unwrap();
        assert_eq!(read, graph, "{text}");
        let periods: Vec<Vec<Period>> = read.links().map(|link| seen(&link.observations)).collect();
        assert_eq!(
            periods,
            [
                [period("2013-01-06..2013-05-15")],
                [period("2013-02-06..2013-06-15")]
            ]
        );
    }
    let graphml = to_graphml(&graph).unwrap();
    for name in ["label", "first_seen", "last_seen"] {
        for of in ["node", "edge"] {
            let key = format!("for=\"{of}\" attr.name=\"{name}\"");
            assert!(graphml.contains(&key), "{key} in {graphml}");
        }
    }
    assert!(
        graphml.contains("<y:NodeLabel>203.0.113.113</y:NodeLabel>"),
        "{graphml}"
    );
    let dot = to_dot(&graph);
    for days in [
        r#"first_seen="2013-01-06", last_seen="2013-05-15""#,
        r#"first_seen="2013-02-06", last_seen="2013-06-15""#,
    ] {
        assert!(dot.contains(days), "{dot}");
    }
}

#[test]
fn an_annotation_keeps_the_whole_period_that_its_source_says() {
    let mut graph = Graph::default();
    let from = graph.give(domain("a.example"));
    let seen = |source, first, last| vec![seen_by(source, "203.0.113.7", first, last)];
    graph.found(
        from,
        "defender.resolutions",
        seen("defender", "2013-01-01", "2013-02-01"),
    );
    graph.found(
        1,
        "defender.ip-details",
        seen("defender", "2010-01-01", "2020-01-01"),
    );
    assert_eq!(graph.nodes()[1].seen(), [period("2010-01-01..2020-01-01")]);
    let selection = Selection {
        seen: Some(period("2015")),
        dated: true,
        ..Selection::default()
    };
    assert_eq!(select(&graph, &selection).unwrap().chosen, [1]);
}

#[test]
fn an_equally_named_entity_with_another_strict_property_is_not_the_input() {
    let incident = |properties: &[(&str, &str)]| {
        let strict: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
        view("pivotd.Incident", "Same name", properties, &strict)
    };
    let named: [&[(&str, &str)]; 3] = [&[], &[("threatconnect.id", "1")], &[("threatconnect.id", "2")]];
    let mut graph = Graph::default();
    let input = graph.give(Node::from(incident(named[0])));
    graph.found(
        input,
        "threatconnect.incidents",
        named.map(incident).into_iter().collect(),
    );
    assert_eq!((graph.nodes().len(), graph.links().count()), (3, 2));
}

#[test]
fn a_copy_of_an_unknown_type_repeats_what_the_input_came_with_and_adds_only_what_is_new() {
    let seen_by = |source: &str, value: &str, first: &str, last: &str| EntityView {
        type_id: "acme.Address".to_owned(),
        ..seen_by(source, value, first, last)
    };
    let mut graph = Graph::default();
    let from = graph.give(domain("a.example"));
    let found = |first, last| vec![seen_by("passivetotal", "203.0.113.7", first, last)];
    graph.found(
        from,
        "passivetotal.resolutions",
        found("2010-01-01", "2010-02-01"),
    );
    graph.found(from, "defender.resolutions", found("2013-01-01", "2013-02-01"));
    let known = graph.nodes()[1].seen();
    assert_eq!(known.len(), 2, "the years between were seen by nobody");
    let mut echo = seen_by("passivetotal", "203.0.113.7", "2010-01-01", "2013-02-01");
    echo.properties
        .insert("passivetotal.sinkhole".to_owned(), "true".to_owned());
    graph.found(1, "passivetotal.ip-details", vec![echo]);
    assert_eq!(graph.nodes()[1].seen(), known);
    assert!(marks(&graph.nodes()[1]).contains("sinkhole"));
    let wider = seen_by("passivetotal", "203.0.113.7", "2009-03-01", "2013-02-01");
    graph.found(1, "passivetotal.reputation", vec![wider]);
    assert_eq!(
        graph.nodes()[1].properties["passivetotal.first_seen"],
        "2009-03-01"
    );
    let (seen, gap) = (graph.nodes()[1].seen(), period("2009-06"));
    assert!(
        seen[0] == period("2009-03-01") && !seen.iter().any(|one| one.touches(&gap)),
        "{seen:?}"
    );
    graph.found(
        1,
        "other.context",
        vec![seen_by("other", "203.0.113.7", "2015-01-01", "")],
    );
    assert_eq!(graph.nodes()[1].sources().len(), 2);
    assert_eq!(hull(graph.nodes()[1].seen()), Some(period("2009-03-01..")));
}

#[test]
fn a_step_says_what_is_new_what_was_known_and_what_agrees() {
    let mut graph = Graph::default();
    graph.begin("acme.history");
    let from = graph.give(domain("a.example"));
    let all = |source: &str, values: &[&str]| -> Vec<EntityView> {
        values
            .iter()
            .map(|value| seen_by(source, value, "2013-01-01", "2013-02-01"))
            .collect()
    };
    graph.found(from, "acme.history", all("acme", &["192.0.2.1", "192.0.2.2"]));
    let before = EarlierGraph::of(&graph);
    graph.begin("other.history");
    graph.found(
        from,
        "other.history",
        all("other", &["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.3"]),
    );
    let news = GraphChanges::of(&before, &graph);
    assert_eq!(
        (news.step, &news.new, &*news.known),
        (2, &BTreeSet::from([3, 4]), &[2][..])
    );
    assert_eq!(
        news.text(&graph),
        "2 IPv4 addresses are new, 1 entity was known, 1 now has two sources"
    );
    let before = EarlierGraph::of(&graph);
    graph.begin("other.history");
    graph.found(from, "other.history", all("other", &["192.0.2.3"]));
    let again = GraphChanges::of(&before, &graph);
    assert_eq!(again.text(&graph), "nothing is new, 1 entity was known");
}

#[test]
fn what_a_step_ran_on_is_not_new_although_the_step_told_of_it() {
    let mut graph = Graph::default();
    let before = EarlierGraph::of(&graph);
    graph.begin("acme.context");
    let from = graph.give(domain("a.example"));
    let copy = view("maltego.Domain", "a.example", &[("acme.score", "7")], &[]);
    let found = seen_by("acme", "192.0.2.1", "2013-01-01", "");
    graph.found(from, "acme.context", vec![copy, found]);
    let news = GraphChanges::of(&before, &graph);
    assert_eq!(news.text(&graph), "1 IPv4 address is new");
    let selection = Selection {
        new: true,
        ..Selection::default()
    };
    assert_eq!(select(&graph, &selection).unwrap().chosen, [1]);
}
