//! Runs the program as people do: every command with and without a running server, on replayed vendors.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use pivotd::engine::store::Store;
use pivotd::replay::demo::{API_KEY, DemoVendors, USERNAME};
use serde_json::Value;

/// Holds a data directory and replayed vendors that a configured pivotd reaches.
struct Place {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    vendors: DemoVendors,
}

impl Place {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let vendors = runtime.block_on(DemoVendors::start()).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            runtime,
            vendors,
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn socket(&self) -> PathBuf {
        self.data().join("control.sock")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let base_url = self.vendors.vendor("domaintools").unwrap().base_url();
        let mut command = bare(arguments);
        command
            .current_dir(self.folder.path())
            .env("PIVOTD__SERVER__LISTEN", "127.0.0.1:0")
            .env("PIVOTD__SERVER__DATA", self.data())
            .env("PIVOTD__PROVIDERS__DOMAINTOOLS__BASE_URL", base_url)
            .env("DOMAINTOOLS_USERNAME", USERNAME)
            .env("DOMAINTOOLS_API_KEY", API_KEY);
        command
    }

    /// Runs a command that must end well; returns its standard output.
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must end with code 1; returns its standard error.
    fn bad(&self, arguments: &[&str]) -> String {
        fails(self.command(arguments).output().unwrap(), 1)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.good(arguments)).unwrap()
    }

    fn vendor_calls(&self) -> u64 {
        self.vendors.vendor("domaintools").unwrap().attempts()
    }

    fn serve(&self) -> Server {
        let mut child = self.command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let url = lines
            .find_map(|line| Some(line.split_once("serves on ")?.1.to_owned()))
            .unwrap();
        // Read on, so that the server is never held up by a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Server { child, url }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _guard = self.runtime.enter();
    }
}

/// Is a running server; it ends with the test.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Ends it as an administrator does, and waits.
    fn stop(mut self) {
        let killed = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(killed.success());
        assert!(self.child.wait().unwrap().success());
    }

    /// Ends it as a crash does.
    fn crash(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pivotd"));
    command
        .args(arguments)
        .env_remove("PIVOTD_CONFIG")
        .env("COLUMNS", "100")
        .stdin(Stdio::null());
    command
}

fn fails(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Runs a test alone, and again beside a running server.
fn both_ways(test: impl Fn(&Place)) {
    let alone = Place::new();
    test(&alone);
    assert!(!alone.socket().exists());
    let served = Place::new();
    let server = served.serve();
    test(&served);
    assert!(served.socket().exists());
    server.stop();
    assert!(!served.socket().exists(), "the socket goes with the server");
}

#[test]
fn tokens_are_shown_once_listed_and_revoked() {
    both_ways(|place| {
        let arguments = [
            "tokens",
            "create",
            "anna",
            "--scope",
            "enrich",
            "--scope",
            "buy",
            "--rate",
            "60",
            "--expires",
            "90d",
        ];
        let token = place.good(&arguments);
        assert_eq!(token.lines().count(), 1, "alone on standard output");
        assert!(token.starts_with("pvtd_"));
        let list = place.good(&["tokens", "list"]);
        let row = list.lines().find(|line| line.contains("anna")).unwrap();
        assert!(
            row.contains("enrich buy") && row.contains("60") && row.contains("default"),
            "{row}"
        );
        assert!(!list.contains(token.trim()));
        let id = row.split_whitespace().next().unwrap();
        assert!(place.good(&["tokens", "revoke", id]).contains("anna"));
        assert!(!place.good(&["tokens", "list"]).contains("anna"));
        assert!(place.bad(&["tokens", "revoke", "anna"]).contains("tokens list"));
        assert!(place.bad(&["tokens", "create", "a|b"]).contains("letters"));
    });
}

#[test]
fn a_token_made_beside_the_server_is_taken_at_once() {
    let place = Place::new();
    let server = place.serve();
    let token = place.good(&["tokens", "create", "soar"]);
    let url = format!("{}/v1/domain/career-offers.example/reputation", server.url);
    let ask = |token: String| {
        place.runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            client
                .get(&url)
                .bearer_auth(token)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        })
    };
    assert_eq!(ask(token.trim().to_owned()), 200);
    place.good(&["tokens", "revoke", "soar"]);
    assert_eq!(ask(token.trim().to_owned()), 401);
}

#[test]
fn a_transform_runs_in_every_format_and_is_asked_once() {
    both_ways(|place| {
        let ask = [
            "run",
            "domaintools.ip-history",
            "hxxp://www.example[.]com/",
            "--type",
            "url",
        ];
        let table = place.good(&ask);
        assert!(
            table.contains("192.0.2.10") && table.contains("2004-05-08"),
            "{table}"
        );
        assert!(table.contains("asked now"), "{table}");
        assert!(table.contains("asked for example.com"), "{table}");
        let calls = place.vendor_calls();
        assert!(calls > 0);
        let json = place.json(&["run", "domaintools.ip-history", "example.com", "--format", "json"]);
        assert_eq!(json["cache"], "hit");
        assert!(json.get("sample_data").is_none() && json.get("xml").is_none());
        let entities = json["entities"].as_array().unwrap();
        assert!(entities.iter().any(|entity| entity["value"] == "192.0.2.10"));
        let xml = place.good(&[
            "run",
            "domaintools.ip-history",
            "example.com",
            "--format",
            "xml",
            "--limit",
            "2",
        ]);
        assert!(
            xml.starts_with("<MaltegoMessage>") || xml.starts_with("<?xml"),
            "{xml}"
        );
        assert_eq!(xml.matches("<Entity ").count(), 2);
        assert_eq!(
            place.vendor_calls(),
            calls,
            "later runs are answered by the store"
        );
        let window = ["--set", "since=2013-01-01", "--format", "json"];
        let some = place.json(&[&["run", "domaintools.ip-history", "example.com"], &window[..]].concat());
        let some = some["entities"].as_array().unwrap();
        assert!(!some.is_empty() && some.len() < entities.len());
    });
}

#[test]
fn what_cannot_be_run_is_said_with_what_can() {
    both_ways(|place| {
        let unknown = place.bad(&["run", "domaintools.ip-histori", "example.com"]);
        assert!(
            unknown.contains("did you mean \"domaintools.ip-history\""),
            "{unknown}"
        );
        let value = place.bad(&["run", "domaintools.ip-history", "not a name"]);
        assert!(value.contains("expected"), "{value}");
        let setting = place.bad(&[
            "run",
            "domaintools.ip-history",
            "example.com",
            "--set",
            "colour=red",
        ]);
        assert!(setting.contains("domaintools.since"), "{setting}");
        let date = place.bad(&[
            "run",
            "domaintools.ip-history",
            "example.com",
            "--set",
            "since=soon",
        ]);
        assert!(date.contains("since"), "{date}");
        let secret = [
            "run",
            "domaintools.ip-history",
            "example.com",
            "--set",
            "global#domaintools.api-key=canary",
        ];
        let refused = place.bad(&secret);
        assert!(
            refused.contains("secret") && !refused.contains("canary"),
            "{refused}"
        );
        assert_eq!(place.vendor_calls(), 0);
    });
}

#[test]
fn indicators_are_scored() {
    both_ways(|place| {
        let table = place.good(&["enrich", "career-offers[.]example", "192.0.2.44"]);
        let row = table
            .lines()
            .find(|line| line.starts_with("career-offers.example"))
            .unwrap();
        assert!(
            row.contains("87") && row.contains("malicious") && row.contains("exceeds"),
            "{row}"
        );
        let other = table.lines().find(|line| line.starts_with("192.0.2.44")).unwrap();
        assert!(other.contains(" - "), "nobody knows is no score: {other}");
        let json = place.json(&[
            "enrich",
            "career-offers.example",
            "--threshold",
            "87",
            "--format",
            "json",
        ]);
        assert_eq!(json["max_score"], 87);
        assert_eq!(json["decision"], "below", "87 is not more than 87");
        let wrong = place.bad(&["enrich", "career-offers.example", "no indicator"]);
        assert!(wrong.contains("no indicator"), "{wrong}");
    });
}

#[test]
fn stored_answers_are_counted_shown_and_removed() {
    both_ways(|place| {
        place.good(&["run", "domaintools.ip-history", "example.com"]);
        place.good(&["enrich", "career-offers.example"]);
        // The engine writes answers soon, not at once; the next commit waits for all before it.
        place.good(&["tokens", "create", "sync"]);
        assert!(place.good(&["cache", "stats"]).contains("ip-history"));
        let shown = place.good(&["cache", "show", "example[.]com"]);
        assert!(shown.contains("ip-history") && !shown.contains("risk"), "{shown}");
        let purged = place.good(&[
            "cache",
            "purge",
            "--indicator",
            "example.com",
            "--capability",
            "ip-history",
        ]);
        assert!(purged.contains("removed 1 stored answer"), "{purged}");
        let shown = place.good(&["cache", "show", "example.com"]);
        // The vendor's one answer told the name servers, too; that part was not chosen.
        assert!(!shown.contains("ip-history"), "{shown}");
        let calls = place.vendor_calls();
        place.good(&["run", "domaintools.ip-history", "example.com"]);
        assert!(place.vendor_calls() > calls, "what was removed is asked again");
        place.good(&["cache", "purge", "--all"]);
        assert!(
            place
                .good(&["cache", "show", "career-offers.example"])
                .contains("nothing")
        );
    });
    let place = Place::new();
    fails(place.command(&["cache", "purge"]).output().unwrap(), 2);
}

#[test]
fn keys_are_tested_without_being_shown() {
    both_ways(|place| {
        let output = place.command(&["keys", "test"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("the key works") && text.contains("hosting-history"),
            "{text}"
        );
        assert!(!text.contains(API_KEY) && !String::from_utf8_lossy(&output.stderr).contains(API_KEY));
        assert!(place.bad(&["keys", "test", "nobody"]).contains("domaintools"));
    });
    let place = Place::new();
    let wrong = "another-key-that-must-not-be-shown";
    let refused = fails(
        place
            .command(&["keys", "test"])
            .env("DOMAINTOOLS_API_KEY", wrong)
            .output()
            .unwrap(),
        1,
    );
    assert!(
        refused.contains("DomainTools") && !refused.contains(wrong),
        "{refused}"
    );
    let online = place
        .command(&["check", "--online"])
        .env("DOMAINTOOLS_API_KEY", wrong)
        .output()
        .unwrap();
    assert!(fails(online, 1).contains("DomainTools"));
    assert!(place.good(&["check", "--online"]).contains("the key works"));
}

#[test]
fn the_server_and_the_commands_share_one_store() {
    let place = Place::new();
    let server = place.serve();
    place.good(&["run", "domaintools.ip-history", "example.com"]);
    let calls = place.vendor_calls();
    server.stop();
    assert!(
        place
            .good(&["run", "domaintools.ip-history", "example.com"])
            .contains("from the cache")
    );
    assert_eq!(place.vendor_calls(), calls);
}

#[test]
fn only_the_owner_can_use_the_socket_and_a_stale_one_is_no_server() {
    let place = Place::new();
    let server = place.serve();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.socket()), 0o600);
    assert_eq!(mode(&place.data()), 0o700);
    let left: Vec<_> = std::fs::read_dir(place.data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !left.iter().any(|name| name.to_string_lossy().starts_with(".ctl")),
        "{left:?}"
    );
    server.crash();
    assert!(place.socket().exists(), "a crash leaves it behind");
    place.good(&["tokens", "list"]);
    let server = place.serve();
    place.good(&["tokens", "list"]);
    server.stop();
}

#[test]
fn a_store_that_somebody_holds_silently_is_said() {
    let place = Place::new();
    std::fs::create_dir(place.data()).unwrap();
    let store = Store::open(&place.data(), 1 << 20).unwrap();
    let said = place.bad(&["tokens", "list"]);
    assert!(said.contains("in use") && said.contains("control.sock"), "{said}");
    drop(store);
}

#[test]
fn exports_can_be_read_back() {
    let place = Place::new();
    let out = place.folder.path().join("tds");
    let folder = out.to_str().unwrap();
    let refused = place.bad(&["export", "csv", "--out", folder]);
    assert!(refused.contains("public_url"), "{refused}");
    place.good(&[
        "export",
        "csv",
        "--out",
        folder,
        "--public-url",
        "https://pivot.example.org/",
    ]);
    let rows = read_all(&out, "transforms");
    let column =
        |row: &[String], name: &str| row[rows[0].iter().position(|head| head == name).unwrap()].clone();
    let history: Vec<_> = rows
        .iter()
        .filter(|row| column(row, "URL") == "https://pivot.example.org/run/domaintools.ip-history")
        .collect();
    assert!(history.len() > 1, "a row for each input type");
    assert_eq!(column(history[0], "Name"), "domaintools.ip-history");
    assert_eq!(column(history[0], "entityName"), "maltego.Domain");
    let dns = history
        .iter()
        .find(|row| column(row, "entityName") == "maltego.DNSName")
        .unwrap();
    assert_eq!(column(dns, "Name"), "domaintools.ip-history-dnsname");
    assert!(
        column(dns, "transformSettingIDs")
            .split(';')
            .any(|id| id == "global#pivotd.token")
    );
    assert!(
        column(dns, "outputEntities")
            .split(';')
            .any(|id| id == "maltego.IPv4Address")
    );
    let mut names: Vec<String> = rows[1..].iter().map(|row| column(row, "Name")).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "names are distinct");
    let settings = read_all(&out, "settings");
    assert_eq!(
        settings[0],
        ["Name", "Type", "Display", "DefaultValue", "Optional", "Popup"]
    );
    let named = |name: &str| settings.iter().filter(|row| row[0] == name).collect::<Vec<_>>();
    assert_eq!(named("global#pivotd.token").len(), 1, "once");
    let buy = named("domaintools.buy");
    assert_eq!(
        buy[0][1..],
        ["boolean", buy[0][2].as_str(), "false", "True", "Yes"]
    );
    for row in &rows[1..] {
        for id in column(row, "transformSettingIDs").split(';') {
            assert_eq!(named(id).len(), 1, "{id} is described");
        }
    }
    let openapi: Value = serde_json::from_str(&place.good(&["export", "openapi"])).unwrap();
    assert!(openapi["paths"]["/v1/alerts/score"].is_object());
    assert!(!place.data().exists(), "an export opens no store");
}

/// Reads `name.csv`, or its parts, under one head.
fn read_all(folder: &Path, name: &str) -> Vec<Vec<String>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name));
    paths.sort();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for path in paths {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_path(path)
            .unwrap();
        let part: Vec<Vec<String>> = reader
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        assert!(part.len() <= 101);
        let skip = usize::from(!rows.is_empty());
        assert!(rows.is_empty() || rows[0] == part[0]);
        rows.extend(part.into_iter().skip(skip));
    }
    rows
}

#[test]
fn a_broken_file_is_refused_with_its_line() {
    let place = Place::new();
    assert!(place.good(&["check"]).contains("domaintools.ip-history"));
    let file = place.folder.path().join("broken.toml");
    std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:0\"\nlissen = \"x\"\n").unwrap();
    let said = place.bad(&["check", "--config", file.to_str().unwrap()]);
    assert!(
        said.contains("broken.toml:3") && said.contains("listen"),
        "{said}"
    );
    assert!(!place.data().exists(), "a check opens no store");
    let exposed = place
        .command(&["check"])
        .env("PIVOTD__SERVER__LISTEN", "0.0.0.0:8080")
        .output()
        .unwrap();
    assert!(fails(exposed, 1).contains("public_url"));
}

#[test]
fn a_healthcheck_tells_a_server_from_none() {
    let place = Place::new();
    let server = place.serve();
    let url = server.url.clone();
    assert!(place.good(&["healthcheck", "--url", &url]).contains("ready"));
    let listen = url.strip_prefix("http://").unwrap();
    let configured = place
        .command(&["healthcheck"])
        .env("PIVOTD__SERVER__LISTEN", listen)
        .output()
        .unwrap();
    assert!(configured.status.success(), "{configured:?}");
    server.stop();
    assert!(
        place
            .bad(&["healthcheck", "--url", &url])
            .contains("does not answer")
    );
}

#[test]
fn newcomers_need_neither_key_nor_server() {
    let folder = tempfile::tempdir().unwrap();
    let demo = |arguments: &[&str]| {
        let output = bare(arguments).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let table = demo(&["run", "--demo", "domaintools.ip-history", "example.com"]);
    assert!(
        table.contains("192.0.2.10") && table.contains("sample data"),
        "{table}"
    );
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let json: Value = serde_json::from_str(&demo(&[
        "run",
        "--demo",
        "domaintools.ip-history",
        "example.com",
        "--format",
        "json",
    ]))
    .unwrap();
    assert_eq!(json["sample_data"], true);
    assert!(demo(&["enrich", "--demo", "career-offers.example"]).contains("sample data"));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn commands_reach_a_demo_by_its_data_directory() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = bare(&["demo", "--listen", "127.0.0.1:0"])
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let welcome = lines.next().unwrap();
    let demo = Server { child, url: welcome };
    assert!(
        demo.url.starts_with("pivotd demo on http://127.0.0.1:"),
        "{}",
        demo.url
    );
    std::thread::spawn(move || lines.for_each(drop));
    let data = std::fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let ask = |arguments: &[&str]| {
        let output = bare(arguments)
            .env("PIVOTD__SERVER__DATA", &data)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(ask(&["run", "domaintools.ip-history", "example.com"]).contains("sample data"));
    assert!(ask(&["cache", "stats"]).contains("in memory"));
    demo.stop();
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "its folder goes with it"
    );
}
