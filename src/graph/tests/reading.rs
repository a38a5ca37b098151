//! Reads out of a graph: filters, shares of two sides, what an entity rests on, periods.

use super::*;

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
    let (a, b) = (OverlapSide::whole(&a), OverlapSide::whole(&b));
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
    let side = |one: &Start, other: &Start| OverlapSide::reached(&graph, one, &other.at);
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
        Support::of(&node(&said), wanted)
    };
    assert_eq!(judged(&[("acme", old)], may), Support::Weak);
    assert_eq!(judged(&[("acme", spring)], may), Support::Single);
    assert_eq!(judged(&[("acme", ("", ""))], may), Support::Single);
    assert_eq!(judged(&[("acme", spring)], None), Support::Weak);
    assert_eq!(
        judged(&[("acme", spring), ("other", spring)], may),
        Support::Corroborated
    );
    assert_eq!(judged(&[("acme", old), ("other", old)], may), Support::Apart);
    assert_eq!(
        judged(&[("acme", old), ("other", old)], None),
        Support::Corroborated
    );
    assert_eq!(judged(&[("acme", old), ("other", spring)], may), Support::Apart);
    assert_eq!(
        judged(&[("passivetotal", spring), ("defender", spring)], may),
        Support::Single,
        "both sell the same data"
    );
    assert_eq!(Support::of(&domain("a.example"), may), Support::Given);
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
    assert_eq!(Support::of(&graph.nodes()[1], None), Support::Apart);
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
