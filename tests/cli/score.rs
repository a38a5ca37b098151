//! Scores in the terminal: what is shown of them, however narrow it is and whatever is configured.

use super::place::{Desk, Place, bare};

fn told(command: &mut std::process::Command) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn reasons_are_read_whole_at_80_columns_and_what_could_not_be_read_has_a_row() {
    let table = told(
        bare(&[
            "score",
            "--demo",
            "career-offers.example",
            "203.0.113.103",
            "no indicator",
        ])
        .env("COLUMNS", "80"),
    );
    let rows = table.split_once("\n\n").unwrap().0;
    assert!(!rows.contains('\u{2026}'), "nothing is cut:\n{rows}");
    assert!(rows.contains("sinkhole") && rows.contains("Example AV"), "{rows}");
    assert!(rows.lines().all(|line| line.chars().count() <= 80), "{rows}");
    let row = rows
        .lines()
        .find(|line| line.starts_with("no indicator"))
        .unwrap();
    assert!(row.contains(" - ") && row.contains("unreadable"), "{row}");
    let explained = told(bare(&["score", "--demo", "--explain", "203.0.113.103"]).env("COLUMNS", "80"));
    assert!(
        explained.contains("Why") && explained.contains("sinkhole: 203.0.113.103"),
        "{explained}"
    );
}

#[test]
fn where_no_source_has_a_key_the_score_says_so_and_how_to_set_one() {
    let data = tempfile::tempdir().unwrap();
    let mut command = bare(&["score", "example.com"]);
    command.env("PIVOTD__SERVER__DATA", data.path());
    for name in ["RDAP", "DNS"] {
        // These need no key, and are not asked here.
        command.env(format!("PIVOTD__PROVIDERS__{name}__ENABLED"), "false");
    }
    let said = told(&mut command);
    assert!(
        said.contains("no source of scores with a key is configured") && said.contains("`pivotd check`"),
        "{said}"
    );
    assert!(said.contains("DOMAINTOOLS_API_KEY is not set"), "{said}");
    let place = Place::new();
    let with_key = place.good(&["score", "career-offers.example"]);
    assert!(!with_key.contains("no source of scores"), "{with_key}");
}

#[test]
fn scores_are_written_for_spreadsheets_and_whole() {
    let rows = |arguments: &[&str]| {
        let mut all = vec!["score", "--demo", "career-offers.example", "192.0.2.44"];
        all.extend(arguments);
        told(&mut bare(&all))
    };
    let table = rows(&["--format", "csv"]);
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("Indicator,Score,Verdict,Decision,Reasons"));
    assert!(
        lines.next().unwrap().starts_with("career-offers.example,100,"),
        "{table}"
    );
    let explained = rows(&["--format", "csv", "--explain"]);
    assert!(
        explained.starts_with("Indicator,Source,Status,") && explained.contains("192.0.2.44,domaintools,ok,"),
        "{explained}"
    );
    assert!(!rows(&["--wide", "--explain"]).contains("not shown for lack of room"));
}

#[test]
fn a_server_elsewhere_scores_for_a_client_with_a_token_of_it() {
    let (place, desk) = (Place::new(), Desk::new());
    let server = place.serve();
    for (name, scope) in [("soar", "enrich"), ("anna", "transforms")] {
        let token = place.good(&["tokens", "create", name, "--scope", scope]);
        std::fs::write(desk.folder.path().join(name), &token).unwrap();
    }
    let line = |name: &str| {
        let url = &server.url;
        format!("score|career-offers.example|--format|json|--server|{url}|--token-file|{name}")
    };
    let answer = desk.json(&line("soar"));
    assert_eq!(answer["indicators"][0]["indicator"], "career-offers.example");
    let refused = desk.bad(&line("anna"));
    assert!(refused.contains("enrich"), "{refused}");
    let both = desk.command(&format!("{}|--demo", line("soar")));
    assert_eq!(both.status.code(), Some(2), "{both:?}");
}

#[test]
fn a_server_elsewhere_may_have_a_certificate_of_ones_own_authority() {
    let (place, desk) = (Place::new(), Desk::new());
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (name, text) in [
        ("chain.pem", made.cert.pem()),
        ("key.pem", made.signing_key.serialize_pem()),
        (
            "my.toml",
            "[server]\ntls = { certificate = \"chain.pem\", key = \"key.pem\" }\n".to_owned(),
        ),
    ] {
        std::fs::write(place.folder.path().join(name), text).unwrap();
    }
    let named = ["--config", "my.toml"];
    let server = place.spawn(place.command(&[&["serve"], &named[..]].concat()));
    let url = server.url.replace("127.0.0.1", "localhost");
    let create = [
        "tokens",
        "create",
        "soar",
        "--scope",
        "enrich",
        "--scope",
        "transforms",
    ];
    let token = place.good(&[&create[..], &named[..]].concat());
    std::fs::write(desk.folder.path().join("token"), token).unwrap();
    std::fs::write(desk.folder.path().join("ca.pem"), made.cert.pem()).unwrap();
    let line = |url: &str, more: &str| {
        format!("score|career-offers.example|--format|json|--server|{url}|--token-file|token{more}")
    };
    let refused = desk.bad(&line(&url, ""));
    assert!(refused.contains("not trusted here; --ca-file"), "{refused}");
    let answer = desk.json(&line(&url, "|--ca-file|ca.pem"));
    assert_eq!(answer["indicators"][0]["indicator"], "career-offers.example");
    let refused = desk.bad(&line(&url.replace("https:", "http:"), ""));
    assert!(refused.contains("the URL begins with https://"), "{refused}");
    for below in ["/seed", "/t/canary-token/seed"] {
        let refused = desk.bad(&line(&format!("{url}{below}"), "|--ca-file|ca.pem"));
        assert!(
            refused.contains("without /seed") && !refused.contains("canary"),
            "{refused}"
        );
    }
    // The variable that names a configuration says nothing of a server elsewhere.
    let export = [
        "export",
        "mtz",
        "--local",
        "--server",
        &url,
        "--token-file",
        "token",
        "--ca-file",
        "ca.pem",
    ];
    let exported = bare(&export)
        .env("PIVOTD_CONFIG", "nowhere.toml")
        .current_dir(desk.folder.path())
        .output()
        .unwrap();
    assert!(exported.status.success(), "{exported:?}");
    server.stop();
}
