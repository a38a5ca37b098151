use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use jiff::civil::Date;

use super::news::{Before, News};
use super::overlap::{Side, Start, Times, only_given, overlaps};
use super::period::{Period, hull, parse_day, parse_span, seen, union};
use super::select::{MARKS, Selection, SelectionError, mark_name, marks, select};
use super::standing::Standing;
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
    let both = overlaps(&Side::whole(&graph), &Side::whole(&other));
    let shown: Vec<&str> = both.iter().map(|one| one.identity.1.as_str()).collect();
    assert_eq!(shown, ["Acme, Inc.", "Acme, Inc."]);
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
    let before = Before::of(&graph);
    graph.begin("other.history");
    graph.found(
        from,
        "other.history",
        all("other", &["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.3"]),
    );
    let news = News::of(&before, &graph);
    assert_eq!(
        (news.step, &news.new, &*news.known),
        (2, &BTreeSet::from([3, 4]), &[2][..])
    );
    assert_eq!(
        news.text(&graph),
        "2 IPv4 addresses are new, 1 entity was known, 1 now has two sources"
    );
    let before = Before::of(&graph);
    graph.begin("other.history");
    graph.found(from, "other.history", all("other", &["192.0.2.3"]));
    let again = News::of(&before, &graph);
    assert_eq!(again.text(&graph), "nothing is new, 1 entity was known");
}

#[test]
fn what_a_step_ran_on_is_not_new_although_the_step_told_of_it() {
    let mut graph = Graph::default();
    let before = Before::of(&graph);
    graph.begin("acme.context");
    let from = graph.give(domain("a.example"));
    let copy = view("maltego.Domain", "a.example", &[("acme.score", "7")], &[]);
    let found = seen_by("acme", "192.0.2.1", "2013-01-01", "");
    graph.found(from, "acme.context", vec![copy, found]);
    let news = News::of(&before, &graph);
    assert_eq!(news.text(&graph), "1 IPv4 address is new");
    let selection = Selection {
        new: true,
        ..Selection::default()
    };
    assert_eq!(select(&graph, &selection).unwrap().chosen, [1]);
}

#[test]
fn filters_know_every_mark_that_entities_get() {
    let loaded = crate::config::load(None, &[], &crate::config::tests::vendor::all());
    let settings = loaded.unwrap_or_else(|errors| panic!("{errors}")).settings;
    let rules = settings.transforms.iter().flat_map(|spec| &spec.entities);
    let words = rules.flat_map(|rule| &rule.marks);
    let words = words.filter_map(|mark| mark.overlay.as_deref());
    // These three are made of what is known of names and addresses.
    let given: BTreeSet<String> = words
        .chain(["Sinkhole", "Dynamic DNS", "Hosting"])
        .map(mark_name)
        .collect();
    assert_eq!(
        MARKS.iter().map(|&mark| mark.to_owned()).collect::<BTreeSet<_>>(),
        given
    );
}

#[test]
fn filters_count_what_they_leave_out() {
    let mut graph = Graph::default();
    graph.begin("acme.history");
    let from = graph.give(domain("a.example"));
    let mut sinkhole = seen_by("acme", "192.0.2.3", "2013-05-01", "2013-05-30");
    sinkhole.marks.insert("Sinkhole".to_owned());
    let found = vec![
        seen_by("acme", "192.0.2.1", "2013-05-01", "2013-05-30"),
        seen_by("acme", "192.0.2.2", "2011-01-01", "2011-02-01"),
        sinkhole,
        seen_by("acme", "192.0.2.4", "", ""),
        seen_by("acme", "192.0.2.5", "2012-01-01", ""),
    ];
    graph.found(from, "acme.history", found);
    graph.begin("other.history");
    graph.found(
        from,
        "other.history",
        vec![seen_by("other", "192.0.2.1", "2013-05-01", "2013-05-30")],
    );
    let selection = Selection {
        types: vec!["ipv4address".to_owned()],
        seen: Some(period("2013-03..2013-06")),
        without: vec!["Sinkhole".to_owned()],
        ..Selection::default()
    };
    let selected = select(&graph, &selection).unwrap();
    assert_eq!(selected.of_type, 5);
    assert_eq!(
        selected.chosen,
        [1, 4, 5],
        "an end that nobody knows excludes nothing"
    );
    assert_eq!(selected.undated, 1);
    let left_out: Vec<(&str, usize)> = selected
        .left_out
        .iter()
        .map(|(why, n)| (why.as_str(), *n))
        .collect();
    assert_eq!(
        left_out,
        [
            ("seen outside 2013-03-01..2013-06-30 only", 1),
            ("marked sinkhole", 1)
        ]
    );
    let dated = Selection {
        dated: true,
        ..selection.clone()
    };
    assert_eq!(select(&graph, &dated).unwrap().chosen, [1, 5]);
    let two = Selection {
        sources: 2,
        ..Selection::default()
    };
    assert_eq!(select(&graph, &two).unwrap().chosen, [1]);
    for step in ["2", "other.history"] {
        let by_step = Selection {
            steps: vec![step.to_owned()],
            ..Selection::default()
        };
        assert_eq!(select(&graph, &by_step).unwrap().chosen, [1], "{step}");
    }
    let history = Selection {
        steps: vec!["history".to_owned()],
        new: true,
        ..Selection::default()
    };
    assert!(
        select(&graph, &history).unwrap().chosen.is_empty(),
        "the last step found nothing new"
    );
    let wrong = Selection {
        steps: vec!["9".to_owned()],
        ..Selection::default()
    };
    assert!(matches!(select(&graph, &wrong), Err(SelectionError::Step(..))));
    let wrong = Selection {
        without: vec!["sinkhle".to_owned()],
        ..Selection::default()
    };
    assert!(matches!(select(&graph, &wrong), Err(SelectionError::Mark(..))));
}

#[test]
fn overlaps_are_what_both_sides_reached_with_what_each_says() {
    let reach = |source: &str, transform: &str, from: &str, values: &[(&str, &str, &str)]| {
        let mut graph = Graph::default();
        graph.begin(transform);
        let from = graph.give(domain(from));
        let found = values
            .iter()
            .map(|(value, first, last)| seen_by(source, value, first, last));
        graph.found(from, transform, found.collect());
        graph
    };
    let a = reach(
        "acme",
        "acme.history",
        "a.example",
        &[
            ("192.0.2.1", "2013-01-01", "2013-05-01"),
            ("192.0.2.2", "2013-01-01", "2013-02-01"),
            ("192.0.2.3", "", ""),
            ("192.0.2.8", "", ""),
        ],
    );
    let mut b = reach(
        "other",
        "other.history",
        "b.example",
        &[
            ("192.0.2.1", "2013-04-01", "2014-01-01"),
            ("192.0.2.2", "2015-01-01", ""),
            ("192.0.2.3", "2013-01-01", ""),
            ("192.0.2.9", "", ""),
        ],
    );
    b.give(Node::from(view("maltego.IPv4Address", "192.0.2.8", &[], &[])));
    let (a, b) = (Side::whole(&a), Side::whole(&b));
    let found = overlaps(&a, &b);
    let named: Vec<(&str, Times)> = found
        .iter()
        .map(|one| (one.identity.1.as_str(), one.times))
        .collect();
    assert_eq!(
        named,
        [
            ("192.0.2.1", Times::Overlap),
            ("192.0.2.2", Times::Apart),
            ("192.0.2.3", Times::Undated)
        ]
    );
    assert_eq!(found[0].sides[0].first().unwrap().source, "acme");
    let given: Vec<String> = only_given(&a, &b)
        .into_iter()
        .map(|(_, value, _)| value)
        .collect();
    assert_eq!(given, ["192.0.2.8"], "given to one side, reached by the other");
}

#[test]
fn one_graph_has_two_sides_by_where_its_pivots_started() {
    let mut graph = Graph::default();
    graph.begin("threatconnect.indicators");
    let incident = graph.give(Node::from(view("pivotd.Incident", "An incident", &[], &[])));
    let mail = view("maltego.EmailAddress", "a@mail.example", &[], &[]);
    let ip = |source: &str| seen_by(source, "192.0.2.1", "", "");
    graph.found(
        incident,
        "threatconnect.indicators",
        vec![mail, ip("threatconnect")],
    );
    graph.found(
        1,
        "acme.reverse-whois",
        vec![view("maltego.Domain", "a.example", &[], &[])],
    );
    graph.found(3, "acme.history", vec![ip("acme")]);
    let start = |at: usize, via: &[&str]| Start {
        at: BTreeSet::from([at]),
        via: via.iter().map(|&name| name.to_owned()).collect(),
    };
    let side = |one: &Start, other: &Start| Side::reached(&graph, one, &other.at);
    let (one, other) = (start(incident, &[]), start(1, &[]));
    let found = overlaps(&side(&one, &other), &side(&other, &one));
    assert_eq!(found.len(), 1, "{found:?}");
    let sources = |at: usize| found[0].sides[at].first().unwrap().source.clone();
    assert_eq!(
        (sources(0), sources(1)),
        ("threatconnect".to_owned(), "acme".to_owned())
    );
    let (one, other) = (start(incident, &["acme"]), start(1, &["acme"]));
    assert!(side(&one, &other).is_empty(), "no link of that provider leads on");
    assert_eq!(side(&other, &one).len(), 2);
}

#[test]
fn what_an_entity_rests_on_is_judged_by_source_and_time() {
    let node = |said: &[(&str, &str, &str)]| {
        let mut graph = Graph::default();
        let from = graph.give(domain("a.example"));
        for (source, first, last) in said {
            graph.found(from, "x.y", vec![seen_by(source, "192.0.2.1", first, last)]);
        }
        graph.nodes().last().cloned().unwrap()
    };
    let may = Some(period("2013-05"));
    let (spring, old) = (("2013-03-01", "2013-06-01"), ("2009-01-01", "2010-01-01"));
    let judged = |said: &[(&str, (&str, &str))], wanted| {
        let said: Vec<(&str, &str, &str)> = said
            .iter()
            .map(|(source, (first, last))| (*source, *first, *last))
            .collect();
        Standing::of(&node(&said), wanted)
    };
    assert_eq!(judged(&[("acme", old)], may), Standing::Weak);
    assert_eq!(judged(&[("acme", spring)], may), Standing::Single);
    assert_eq!(judged(&[("acme", ("", ""))], may), Standing::Single);
    assert_eq!(judged(&[("acme", spring)], None), Standing::Weak);
    assert_eq!(
        judged(&[("acme", spring), ("other", spring)], may),
        Standing::Corroborated
    );
    assert_eq!(judged(&[("acme", old), ("other", old)], may), Standing::Apart);
    assert_eq!(
        judged(&[("acme", old), ("other", old)], None),
        Standing::Corroborated
    );
    assert_eq!(judged(&[("acme", old), ("other", spring)], may), Standing::Apart);
    assert_eq!(
        judged(&[("passivetotal", spring), ("defender", spring)], may),
        Standing::Single,
        "both sell the same data"
    );
    assert_eq!(Standing::of(&domain("a.example"), may), Standing::Given);
}

#[test]
fn a_source_saw_nothing_between_its_periods_nor_before_a_last_day_alone() {
    let mut graph = Graph::default();
    let from = graph.give(domain("a.example"));
    let mut twice = seen_by("acme", "192.0.2.81", "2012-01-05", "2012-02-09");
    twice.observations.push(Observation {
        source: "acme".to_owned(),
        first_seen: parse_day("2014-01-05").ok(),
        last_seen: parse_day("2014-03-09").ok(),
    });
    graph.found(from, "acme.resolutions", vec![twice]);
    graph.found(
        from,
        "other.resolutions",
        vec![seen_by("other", "192.0.2.81", "2013-06-01", "2013-07-01")],
    );
    graph.found(
        from,
        "virustotal.resolutions",
        vec![seen_by("virustotal", "192.0.2.82", "", "2013-06-12")],
    );
    graph.found(
        from,
        "acme.resolutions",
        vec![seen_by("acme", "192.0.2.82", "2010-01-01", "2010-02-01")],
    );
    let chosen = |text: &str| {
        let selection = Selection {
            types: vec!["IPv4Address".to_owned()],
            seen: Some(period(text)),
            ..Selection::default()
        };
        select(&graph, &selection).unwrap().chosen
    };
    assert_eq!(Standing::of(&graph.nodes()[1], None), Standing::Apart);
    assert_eq!(graph.nodes()[1].properties["acme.last_seen"], "2014-03-09");
    assert_eq!(chosen("2013-08..2013-12"), [0usize; 0]);
    assert_eq!(chosen("2005"), [0usize; 0]);
    assert_eq!(chosen("2010-01-15"), [2]);
    assert_eq!(chosen("2013-06-12"), [1, 2]);
    let last = &graph.nodes()[2];
    assert_eq!(
        last.seen(),
        [period("2010-01-01..2010-02-01"), period("2013-06-12")]
    );
    assert_eq!(last.properties.get("virustotal.first_seen"), None);
    assert!(
        !to_graphml(&graph)
            .unwrap()
            .contains("<data key=\"e4\">2013-06-12")
    );
}

#[test]
fn periods_are_read_as_people_write_them() {
    for (text, shown) in [
        ("2013-03..2013-06", "2013-03-01..2013-06-30"),
        ("2013-05-20", "2013-05-20"),
        ("2013-05", "2013-05-01..2013-05-31"),
        ("2012", "2012-01-01..2012-12-31"),
        ("2013..", "2013-01-01.."),
        ("..2013-02", "..2013-02-28"),
        ("2013-01-02 to 2013-01-03", "2013-01-02..2013-01-03"),
        ("within 60 days of 2013-05-20", "2013-03-21..2013-07-19"),
        ("60d of 2013-05-20", "2013-03-21..2013-07-19"),
    ] {
        assert_eq!(period(text).to_string(), shown, "{text}");
    }
    for text in [
        "",
        "..",
        "soon",
        "2013-13",
        "2013-02-30",
        "2013-06..2013-05",
        "2013-5",
        "20130520",
        "within of 2013-05-20",
        "within 60 days of May",
    ] {
        assert!(Period::parse(text).is_err(), "{text}");
    }
    assert!(
        parse_day("2013-05-20T00:00").is_err() && parse_span("-3d").is_err() && parse_span("soon").is_err()
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

fn day() -> impl Strategy<Value = Option<Date>> {
    prop::option::of((2000i16..2020, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| jiff::civil::date(y, m, d)))
}

fn observation() -> impl Strategy<Value = Observation> {
    ("[a-c]", day(), day()).prop_map(|(source, first, last)| {
        let turned = matches!((first, last), (Some(first), Some(last)) if first > last);
        Observation {
            source,
            first_seen: if turned { last } else { first },
            last_seen: if turned { first } else { last },
        }
    })
}

/// Builds a graph in which addresses are reached from names, in the order of the observations.
fn reached(found: &[(usize, usize, Observation)]) -> Graph {
    let mut graph = Graph::default();
    graph.begin("x.resolutions");
    for at in 0..4 {
        graph.give(domain(&format!("{at}.example")));
    }
    for address in 0..3 {
        graph.add(Node::from(view(
            "maltego.IPv4Address",
            &format!("192.0.2.{address}"),
            &[],
            &[],
        )));
    }
    for (from, address, observation) in found {
        let mut entity = view("maltego.IPv4Address", &format!("192.0.2.{address}"), &[], &[]);
        entity.observations = vec![observation.clone()];
        graph.found(*from, "x.resolutions", vec![entity]);
    }
    graph
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
                ..Node::default()
            });
            graph.link(Link { from: 0, to, transform: name.clone(), label: value.clone(), ..Link::default() });
        }
        let text = to_graphml(&graph).unwrap();
        prop_assert_eq!(&read_graphml(&text).unwrap(), &graph, "{}", text);
        let text = to_json(&graph).unwrap();
        prop_assert_eq!(read_json(&text).unwrap(), graph, "{}", text);
    }

    #[test]
    fn the_order_of_merging_does_not_matter_for_periods(
        found in prop::collection::vec((0usize..4, 0usize..3, observation()), 0..12),
        seed in any::<prop::sample::Index>(),
    ) {
        let graph = reached(&found);
        let mut turned = found.clone();
        turned.reverse();
        if !turned.is_empty() {
            let at = seed.index(turned.len());
            turned.rotate_left(at);
        }
        let other = reached(&turned);
        prop_assert_eq!(graph.nodes(), other.nodes());
        prop_assert_eq!(graph.links().collect::<Vec<_>>(), other.links().collect::<Vec<_>>());
        for link in graph.links() {
            let node = &graph.nodes()[link.to];
            for one in &link.observations {
                prop_assert!(node.observations.contains(one));
                let Some(period) = Period::of(one) else { continue };
                prop_assert!(node.seen().iter().any(|all| all.contains(&period)), "{:?} {}", node, period);
                // The properties that a client shows span it, too.
                let says = |what: &str| node.properties.get(&format!("{}.{what}", one.source));
                if let Some(first) = says("first_seen") {
                    let day = one.first_seen.or(one.last_seen);
                    prop_assert!(day.is_none_or(|day| *first <= day.to_string()));
                }
                if let Some(last) = says("last_seen") {
                    prop_assert!(one.last_seen.is_some_and(|day| *last >= day.to_string()));
                }
            }
        }
        for text in [to_graphml(&graph).unwrap(), to_json(&graph).unwrap()] {
            prop_assert_eq!(&read(&text).unwrap(), &graph, "{}", text);
        }
    }

    #[test]
    fn a_union_holds_each_period_and_no_day_more(all in prop::collection::vec(observation(), 0..8)) {
        let periods: Vec<Period> = all.iter().filter_map(Period::of).collect();
        let united = union(periods.iter().copied());
        for period in &periods {
            prop_assert_eq!(united.iter().filter(|one| one.contains(period)).count(), 1);
        }
        for (at, one) in united.iter().enumerate() {
            prop_assert!(united.iter().skip(at + 1).all(|other| !one.touches(other)));
            let ends = [one.first(), one.last()];
            for end in ends.into_iter().flatten() {
                prop_assert!(periods.iter().any(|period| [period.first(), period.last()].contains(&Some(end))));
            }
        }
    }

    #[test]
    fn no_text_panics(text in "(<|>|/|graphml|node|data|key|=|'| |&|;|a){0,40}") {
        let _ = read_graphml(&text);
    }
}
