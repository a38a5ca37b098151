//! A configuration file lies over the compiled-in one: what `check` says of it, and how a server runs on it.

use std::path::PathBuf;

use crate::place::{Place, Server, fails};

const OVERLAY: &str = "extends = \"built-in\"
[providers.domaintools]
rate = [\"90/min\"]
api_key = \"canary-2f6d\"
[[transform]]
name = \"domaintools.risk\"
remove = true
[[transform]]
name = \"corp.addresses\"
title = \"To addresses\"
about = \"The addresses of a domain.\"
set = \"Corp\"
example = \"example.com\"
provider = \"domaintools\"
capability = \"ip-history\"
input = [\"maltego.Domain\"]
[[transform.entity]]
value = \"ip\"
";

const QUESTION: &str = "<MaltegoMessage><MaltegoTransformRequestMessage><Entities><Entity Type=\"maltego.Domain\">\
                        <Value>career-offers.example</Value></Entity></Entities></MaltegoTransformRequestMessage></MaltegoMessage>";

/// Writes a file that only its owner can read.
fn write(place: &Place, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let file = place.folder.path().join("my.toml");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// Runs a transform; returns the status.
fn run(place: &Place, server: &Server, token: &str, name: &str) -> u16 {
    place.runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("{}/run/{name}", server.url));
        let request = request.bearer_auth(token).body(QUESTION);
        request.send().await.unwrap().status().as_u16()
    })
}

#[test]
fn check_prints_what_differs_from_the_built_in_configuration_without_secrets() {
    let place = Place::new();
    write(&place, OVERLAY);
    let said = place.good(&["check", "--config", "my.toml"]);
    let (_, rest) = said
        .split_once("\nDifferences from the built-in configuration\n")
        .unwrap();
    let rows = rest.split("\n\n").find(|part| part.contains("Setting")).unwrap();
    let cells = |line: &str| {
        line.split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect::<Vec<_>>()
            .join(" | ")
    };
    let told: Vec<String> = rows.trim().lines().map(cells).collect();
    assert_eq!(told[0], "Setting | Built-in | Here | From");
    assert_eq!(
        told[2..],
        [
            "providers.domaintools.rate | [\"20/min\"] | [\"90/min\"] | my.toml:3",
            "providers.domaintools.api_key | { env = \"DOMAINTOOLS_API_KEY\" } | \"••••••\" | my.toml:4",
            "transform.domaintools.risk | \"To risk score [DomainTools]\" | removed | my.toml:5",
            "transform.corp.addresses | - | \"To addresses\" | my.toml:8",
        ],
        "{said}"
    );
    assert!(!said.contains("canary"), "{said}");
    assert!(
        said.contains("corp.addresses") && said.contains("domaintools.whois-history"),
        "{said}"
    );
    // A complete file is not compared.
    write(&place, &place.good(&["export", "config"]));
    assert!(
        !place
            .good(&["check", "--config", "my.toml"])
            .contains("Differences")
    );
    assert!(!place.good(&["check"]).contains("Differences"));
}

#[test]
fn the_file_to_start_from_differs_in_nothing_and_its_lines_can_be_taken_over() {
    let place = Place::new();
    let printed = place.good(&["export", "config", "--overlay"]);
    write(&place, &printed);
    let said = place.good(&["check", "--config", "my.toml"]);
    assert!(
        said.contains("Differences from the built-in configuration\n\nnone\n"),
        "{said}"
    );
    let bare = |line: &str| {
        let is_setting = line.starts_with("# [") || line.contains(" = ") && !line.contains('`');
        line.strip_prefix("# ")
            .filter(|_| is_setting)
            .unwrap_or(line)
            .to_owned()
    };
    let lines: Vec<String> = printed.lines().map(bare).collect();
    write(&place, &lines.join("\n"));
    let said = place.good(&["check", "--config", "my.toml"]);
    for path in [
        "server.public_url",
        "providers.virustotal.rate",
        "providers.virustotal.budget",
        "providers.domaintools ",
        "transform.threatgrid.mutexes",
    ] {
        assert!(said.contains(&format!("\n{path}")), "{path}: {said}");
    }
}

#[test]
fn a_server_runs_on_what_lies_over_the_built_in_configuration_and_reloads_it() {
    let place = Place::new();
    write(&place, &OVERLAY.replace("api_key = \"canary-2f6d\"\n", ""));
    let server = place.spawn(place.command(&["serve", "--config", "my.toml"]));
    let token = place.good(&["tokens", "create", "anna", "--scope", "transforms"]);
    let status = |name: &str| run(&place, &server, token.trim(), name);
    assert_eq!(status("domaintools.risk"), 404);
    assert_eq!(status("corp.addresses"), 200);
    assert_eq!(status("domaintools.ip-history"), 200);
    assert_eq!(status("corp.more"), 404);
    let more = OVERLAY
        .replace("api_key = \"canary-2f6d\"\n", "")
        .replace("90/min", "80/min")
        .replace("corp.addresses", "corp.more")
        .replace("name = \"domaintools.risk\"", "name = \"domaintools.whois\"");
    write(&place, &more);
    let said = place.good(&["reload", "--config", "my.toml"]);
    for path in [
        "providers.domaintools.rate",
        "transform.corp.addresses",
        "transform.corp.more",
        "transform.domaintools.risk",
        "transform.domaintools.whois",
    ] {
        assert!(said.contains(path), "{path}: {said}");
    }
    assert_eq!(status("domaintools.risk"), 200);
    assert_eq!(status("domaintools.whois"), 404);
    assert_eq!(status("corp.addresses"), 404);
    assert_eq!(status("corp.more"), 200);
    write(
        &place,
        "extends = \"built-in\"\n[scales]\nrisk = { remove = true }\n",
    );
    let said = fails(
        place
            .command(&["reload", "--config", "my.toml"])
            .output()
            .unwrap(),
        1,
    );
    assert!(
        said.contains("the old one goes on")
            && said.contains("built-in transforms.toml:")
            && said.contains("my.toml:3:1 takes scales.risk away"),
        "{said}"
    );
    assert_eq!(status("corp.more"), 200);
    server.stop();
}
