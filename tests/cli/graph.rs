//! Merges several runs into one graph.

use super::place::{Desk, Place};

#[test]
fn runs_are_merged_into_a_graph_that_can_be_drawn() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.graphml");
    let file = file.to_str().unwrap();
    let first = [
        "run",
        "--demo",
        "domaintools.ip-history",
        "example.com",
        "example.net",
        "--graph",
        file,
    ];
    let told = place.good(&first);
    assert!(
        told.contains("example.com:\n") && told.contains("example.net:\n"),
        "{told}"
    );
    let written = std::fs::read_to_string(file).unwrap();
    let second = [
        "run",
        "--demo",
        "domaintools.domains-on-ip",
        "--on",
        "IPv4Address",
        "--graph",
        file,
        "--format",
        "dot",
    ];
    let dot = place.good(&second);
    assert!(
        dot.starts_with("digraph pivotd {") && dot.contains("label=\"example.com\\nDomain\""),
        "{dot}"
    );
    let merged = std::fs::read_to_string(file).unwrap();
    assert!(
        merged.len() > written.len(),
        "the second run is merged into the first"
    );
    assert_eq!(
        merged.matches(">example.com</data>").count(),
        written.matches(">example.com</data>").count()
    );
    let nothing = place.bad(&["run", "--demo", "pivotd.parts", "--on", "Person", "--graph", file]);
    assert!(nothing.contains("no entity of type Person"), "{nothing}");
    std::fs::write(file, "<html/>").unwrap();
    let broken = place.bad(&[
        "run",
        "--demo",
        "domaintools.ip-history",
        "example.com",
        "--graph",
        file,
    ]);
    assert!(broken.contains("no graph that pivotd wrote"), "{broken}");
}

#[test]
fn two_sides_of_the_story_overlap_and_each_step_says_what_is_new() {
    let desk = Desk::new();
    let incident = "--graph|incident.graphml";
    desk.good(&format!(
        "run|--demo|threatconnect.incidents|20130520A|{incident}"
    ));
    let step = desk.good("run|--demo|threatconnect.indicators|--on|incident.graphml|--type|Incident");
    assert!(
        step.starts_with("incident.graphml, step 2 (threatconnect.indicators): 16 IPv4 addresses, "),
        "{step}"
    );
    let step = desk.good("run|--demo|passivetotal.resolutions|--on|incident.graphml");
    assert!(step.contains("now have two sources"), "{step}");
    assert!(step.lines().count() < 70, "a summary, not everything:\n{step}");

    let pivots = "--graph|pivots.graphml";
    let reverse = "run|--demo|domaintools.reverse-whois";
    let bought = format!("--set|buy=true|{pivots}");
    desk.good(&format!("{reverse}|h.brandt@postbox.example|{bought}"));
    let near = "--set|near=2013-05-20";
    desk.good(&format!(
        "run|--demo|domaintools.registrant-emails|office-sync.example|{near}|{pivots}"
    ));
    let second = desk.good(&format!("{reverse}|i.maron@mailhaven.example|{bought}"));
    assert!(
        second.contains("3 domains are new, 1 entity was known"),
        "{second}"
    );
    desk.good(&format!(
        "run|--demo|domaintools.registrant-emails|--on|pivots.graphml|--type|Domain|{near}"
    ));
    desk.good(&format!(
        "run|--demo|domaintools.registrants|--on|pivots.graphml|--type|Domain|{near}"
    ));
    desk.good(&format!("{reverse}|maron.ilse@postbox.example|{bought}"));
    desk.good(&format!("{reverse}|Ilse Maron|--type|Person|{bought}"));
    desk.good("run|--demo|domaintools.ip-history|--on|pivots.graphml|--type|Domain");

    let compared = "graph|overlap|incident.graphml|pivots.graphml";
    let all = desk.json(&format!("{compared}|--format|json"));
    assert_eq!(all["count"], 39, "{all:#}");
    for one in all["overlaps"].as_array().unwrap() {
        let sources = |side: &str| -> Vec<String> {
            let all = one[side].as_array().unwrap().iter();
            all.map(|said| said["source"].as_str().unwrap().to_owned())
                .collect()
        };
        assert!(sources("b").iter().all(|source| source == "domaintools"), "{one}");
        assert!(
            !sources("a").is_empty() && !sources("a").contains(&"domaintools".to_owned()),
            "{one}"
        );
    }
    let table = desk.good(compared);
    assert!(
        table.contains("39 entities overlap: 25 IPv4 addresses, 13 domains, 1 email address"),
        "{table}"
    );
    assert!(desk.bad("graph|overlap|incident.graphml").contains("--from"));
    the_marks_of_what_both_reached(&desk, compared);
}

/// What is marked on either side is marked in the comparison, and can be left out of it.
fn the_marks_of_what_both_reached(desk: &Desk, compared: &str) {
    desk.good("run|--demo|passivetotal.ip-details|203.0.113.103|--graph|incident.graphml");
    let all = desk.json(&format!("{compared}|--format|json"));
    assert_eq!(all["left_out"].as_array().unwrap().len(), 0, "{all:#}");
    let marked = |value: &serde_json::Value| {
        let marks = value["marks"].as_array().unwrap();
        marks.iter().any(|mark| mark == "sinkhole")
    };
    let overlaps = all["overlaps"].as_array().unwrap();
    let sinkholes = overlaps.iter().filter(|one| marked(one)).count();
    assert!(
        overlaps
            .iter()
            .any(|one| one["value"] == "203.0.113.103" && marked(one))
    );
    let rest = desk.json(&format!("{compared}|--not|sinkhole|--format|json"));
    assert_eq!(rest["count"], overlaps.len() - sinkholes);
    assert_eq!(rest["left_out"][0]["why"], "marked sinkhole");
    assert_eq!(rest["left_out"][0]["count"], sinkholes);
    let only = desk.json(&format!("{compared}|--mark|sinkhole|--format|json"));
    assert_eq!(only["count"], sinkholes);
    let table = desk.good(&format!("{compared}|--mark|sinkhole"));
    let others = overlaps.len() - sinkholes;
    assert!(
        table.contains(&format!("left out: {others} not marked sinkhole")),
        "{table}"
    );
    assert!(
        table
            .lines()
            .any(|line| line.contains("203.0.113.103") && line.contains("sinkhole")),
        "{table}"
    );
    let csv = desk.good(&format!("{compared}|--format|csv"));
    assert!(csv.starts_with("Type,Value,Times,Marks,"), "{csv}");
    let wrong = desk.bad(&format!("{compared}|--not|sinkhle"));
    assert!(wrong.contains("nothing is ever marked sinkhle"), "{wrong}");
}

#[test]
fn a_run_chooses_its_inputs_on_a_graph_and_says_what_it_left_out() {
    let desk = Desk::new();
    let names = "camera.homelink.example|printer.homelink.example|briefing-press.example";
    desk.good(&format!(
        "run|--demo|passivetotal.resolutions|{names}|--graph|case.json"
    ));
    let addresses = [
        "203.0.113.102",
        "203.0.113.103",
        "203.0.113.112",
        "203.0.113.113",
        "203.0.113.114",
    ];
    let details = "run|--demo|passivetotal.ip-details|--on|case.json";
    let first = desk.good(details);
    assert!(first.contains("step 2"), "{first}");
    let shown = desk.json("graph|show|case.json|--type|IPv4Address|--not|sinkhole|--format|json");
    let values: Vec<&str> = shown["entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["value"].as_str().unwrap())
        .collect();
    assert!(
        addresses
            .iter()
            .all(|address| *address == "203.0.113.103" || values.contains(address)),
        "{values:?}"
    );
    assert!(!values.contains(&"203.0.113.103"), "{values:?}");
    // Two names had it, at times that begin and end a month apart: it belongs to what is around either end.
    for day in ["2013-01-10", "2013-06-10"] {
        let filter = format!("graph|show|case.json|--near|{day}|--within|4d|--format|csv");
        assert!(desk.good(&filter).contains("203.0.113.113"), "{day}");
    }
    let some = desk.good(&format!(
        "{details}|--seen|within 20 days of 2013-01-20|--not|sinkhole"
    ));
    assert!(
        some.starts_with("runs on ") && some.contains("seen outside 2012-12-31..2013-02-09 only"),
        "{some}"
    );
    let nothing = desk.bad(&format!("{details}|--seen|1999"));
    assert!(
        nothing.contains("nothing to run on") && nothing.contains("seen outside 1999"),
        "{nothing}"
    );
    assert!(
        desk.bad(&format!("{details}|--not|sinkhle"))
            .contains("marks are")
    );
    assert!(
        desk.bad(&format!("{details}|--step|9"))
            .contains("1 passivetotal.resolutions")
    );
    assert!(
        desk.bad("run|--demo|passivetotal.ip-details|192.0.2.1|--new")
            .contains("--on")
    );
    let weak = desk.json("graph|show|case.json|--weak|--seen|2012|--format|json");
    let weak: Vec<&str> = weak["weak"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["value"].as_str().unwrap())
        .collect();
    assert!(
        weak.contains(&"203.0.113.113"),
        "one source, and later than 2012: {weak:?}"
    );
}

#[test]
fn a_run_that_was_refused_is_no_step_of_a_graph() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.graphml");
    let file = file.to_str().unwrap();
    place.good(&[
        "run",
        "--demo",
        "domaintools.ip-history",
        "example.com",
        "--graph",
        file,
    ]);
    let before = std::fs::read(file).unwrap();
    let history = ["run", "--demo", "domaintools.ip-history"];
    let refused = [
        [
            &history[..],
            &["example.net", "--set", "since=20", "--graph", file],
        ]
        .concat(),
        [&history[..], &["no name at all", "--graph", file]].concat(),
    ];
    for run in refused {
        place.bad(&run);
        assert_eq!(std::fs::read(file).unwrap(), before, "{run:?}");
    }
}
