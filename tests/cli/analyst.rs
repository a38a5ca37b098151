//! Tests what analysts do in a terminal: several values, lists from a file, spreadsheets, runs side by side on one graph.

use std::io::Write;
use std::process::{Output, Stdio};

use crate::place::{Desk, bare};

fn texts(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_value_that_cannot_be_read_costs_no_other_wherever_it_stands() {
    let desk = Desk::new();
    for values in [
        "no domain|example.com|example.org",
        "example.com|no domain|example.org",
        "example.com|example.org|no domain",
    ] {
        let run = format!("run|--demo|domaintools.ip-history|{values}");
        let (code, out, said) = texts(desk.command(&run));
        assert_eq!(code, Some(1));
        assert!(
            out.contains("192.0.2.77") && out.contains("example.org:"),
            "{values}: {out}"
        );
        assert!(said.contains("no domain: this is not what"), "{values}: {said}");
        let (code, out, _) = texts(desk.command(&format!("{run}|--format|json")));
        assert_eq!(code, Some(1));
        let all: serde_json::Value = serde_json::from_str(&out).unwrap();
        let outcomes = all
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["outcome"].as_str().unwrap());
        let at = values.split('|').position(|one| one == "no domain").unwrap();
        assert_eq!(outcomes.collect::<Vec<_>>()[at], "bad_input");
    }
    // An address is no URL for lack of anything better.
    let (_, _, said) = texts(desk.command("run|--demo|domaintools.ip-history|192.0.2.1"));
    assert!(said.contains("192.0.2.1: this is not what"), "{said}");
}

#[test]
fn what_a_spreadsheet_has_no_place_for_is_said_beside_it() {
    let desk = Desk::new();
    for (line, wanted) in [
        (
            "run|--demo|domaintools.reverse-whois|h.brandt@postbox.example",
            "run it again with --set buy=true",
        ),
        ("run|--demo|domaintools.domains-on-ip|198.51.100.7", "sinkhole"),
        (
            "run|--demo|domaintools.risk|nosuch.example",
            "knows nothing of it",
        ),
        (
            "run|--demo|domaintools.ip-history|example.com|--limit|2",
            "of 11 shown",
        ),
        ("run|--demo|domaintools.ip-history|no domain", "this is not what"),
        ("score|--demo|example.com", "sample data"),
    ] {
        for format in ["csv", "dot", "graphml"] {
            if format == "csv" || line.starts_with("run") {
                let (_, _, said) = texts(desk.command(&format!("{line}|--format|{format}")));
                assert!(said.contains(wanted), "{line} as {format}: {said}");
            }
        }
    }
    let (_, table, _) = texts(desk.command("score|--demo|nobody-knows.example|nonsense|--format|csv"));
    assert!(
        !table.contains("'-") && table.contains("nonsense,,,unreadable"),
        "{table}"
    );
}

#[test]
fn a_result_that_is_not_written_whole_is_an_error() {
    for arguments in [
        &["run", "--demo", "domaintools.ip-history", "example.com"][..],
        &[
            "run",
            "--demo",
            "domaintools.ip-history",
            "example.com",
            "--format",
            "json",
        ],
        &["score", "--demo", "example.com"],
        &["export", "openapi"],
        &["export", "config"],
        &["check"],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = bare(arguments).stdout(full).output().unwrap();
        let (code, _, said) = texts(output);
        assert_eq!(code, Some(1), "{arguments:?}");
        assert!(
            said.contains("standard output is not whole"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn runs_side_by_side_lose_nothing_of_a_graph() {
    let desk = Desk::new();
    let values = [
        "example.com",
        "tendrit.example",
        "career-offers.example",
        "example.org",
    ];
    for value in values {
        desk.command(&format!(
            "run|--demo|resolutions|{value}|--graph|one-by-one.graphml"
        ));
    }
    let runs = values.map(|value| {
        bare(&[
            "run",
            "--demo",
            "resolutions",
            value,
            "--graph",
            "together.graphml",
        ])
        .current_dir(desk.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
    });
    for mut run in runs {
        run.wait().unwrap();
    }
    let shown = |file: &str| {
        let graph = desk.json(&format!("graph|show|{file}|--format|json"));
        let values = |node: &serde_json::Value| format!("{} {}", node["type_id"], node["value"]);
        let mut nodes: Vec<String> = graph["entities"].as_array().unwrap().iter().map(values).collect();
        nodes.sort();
        nodes
    };
    assert!(shown("one-by-one.graphml").len() > 8);
    assert_eq!(shown("together.graphml"), shown("one-by-one.graphml"));
}

#[test]
fn a_graph_is_drawn_as_it_is_and_names_that_are_not_on_it_are_refused() {
    let desk = Desk::new();
    desk.good("run|--demo|domaintools.ip-history|example.com|--graph|case.graphml");
    assert!(
        desk.good("graph|show|case.graphml|--format|dot")
            .starts_with("digraph")
    );
    desk.good("graph|show|case.graphml|--format|graphml");
    let said = desk.bad("graph|show|case.graphml|--format|dot|--new");
    assert!(said.contains("whole graph"), "{said}");
    let overlap =
        "graph|overlap|case.graphml|--from|example.com|--from|192.0.2.10|--via|domaintolls|--via|domaintools";
    let said = desk.bad(overlap);
    assert!(said.contains("did you mean \"domaintools\""), "{said}");
    for line in [
        "graph|show|case.graphml|--type|IPv4Adress",
        "run|--demo|pivotd.parts|--on|case.graphml|--type|IPv4Adress",
    ] {
        let said = desk.bad(line);
        assert!(said.contains("did you mean \"IPv4Address\""), "{line}: {said}");
    }
    let said = desk.bad("graph|show|case.graphml|--type|Phrase");
    assert!(said.contains("the graph has no entity of type Phrase"), "{said}");
}

#[test]
fn values_come_from_standard_input_and_a_file_in_their_place_is_told() {
    let desk = Desk::new();
    for arguments in [
        &["score", "--demo", "-", "--format", "csv"][..],
        &["run", "--demo", "domaintools.ip-history", "-", "--format", "csv"],
    ] {
        let mut command = bare(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let list = "\u{feff}example.com\r\n\r\n# a note\r\nexample.org\r\n";
        child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
        let (_, table, _) = texts(child.wait_with_output().unwrap());
        assert!(
            table.lines().any(|line| line.starts_with("example.com,")),
            "{table}"
        );
        assert!(
            !table.contains("a note") && !table.contains('\u{feff}'),
            "{table}"
        );
    }
    std::fs::write(desk.folder.path().join("list.csv"), "example.com\n").unwrap();
    let (_, _, said) = texts(desk.command("score|--demo|list.csv"));
    assert!(said.contains("pivotd score - < list.csv"), "{said}");
}
