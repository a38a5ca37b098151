//! Merges several runs into one graph.

use super::place::Place;

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
