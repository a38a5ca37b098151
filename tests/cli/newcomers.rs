//! Tests what people meet who have only the README: where the data is, what `check` says, what a start says.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::Value;

use crate::place::{Place, Server, bare, fails};

#[test]
fn commands_make_no_data_directory_and_name_the_one_that_they_miss() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = bare(arguments);
        command
            .current_dir(folder.path())
            .env("PIVOTD__SERVER__DATA", "store");
        command.output().unwrap()
    };
    for arguments in [
        &["run", "pivotd.parts", "https://www.example.com/"][..],
        &["score", "example.com"],
        &["tokens", "list"],
        &["tokens", "create", "anna"],
        &["tokens", "revoke", "anna"],
        &["cache", "stats"],
    ] {
        let said = fails(run(arguments), 1);
        let whole = folder.path().join("store");
        assert!(
            said.contains(whole.to_str().unwrap()) && said.contains("PIVOTD_CONFIG"),
            "{arguments:?}: {said}"
        );
    }
    // A key is tried before there is a server, and what it is tried with is gone afterwards.
    let tried = fails(run(&["keys", "test", "domaintools"]), 1);
    assert!(tried.contains("DOMAINTOOLS_API_KEY is not set"), "{tried}");
    assert!(run(&["check"]).status.success());
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Writes a configuration of the place's server.
fn write_config(place: &Place, extra: &str) -> std::path::PathBuf {
    let file = place.folder.path().join("own.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ndata = {:?}\n{extra}",
        place.data().display().to_string()
    );
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file
}

#[test]
fn a_fault_in_the_file_stops_no_command_that_needs_only_the_store() {
    let place = Place::new();
    let file = write_config(&place, "[cache]\nmemory = \"nonsense\"\n[log]\nlevel = 7\n");
    let config = file.to_str().unwrap();
    let broken = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--config", config]);
        let mut command = place.command(&all);
        command.env_remove("PIVOTD__SERVER__DATA").output().unwrap()
    };
    let all = || {
        let made = broken(&["tokens", "create", "gone"]);
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        let gone = broken(&["tokens", "revoke", "gone"]);
        assert_eq!(gone.status.code(), Some(0), "{gone:?}");
        assert!(broken(&["cache", "stats"]).status.success());
        assert!(fails(broken(&["score", "example.com"]), 1).contains("own.toml"));
    };
    all();
    let server = place.serve();
    all();
    server.stop();
}

#[test]
fn a_command_says_where_the_running_server_has_another_configuration() {
    let place = Place::new();
    let server = place.serve();
    let same = place.command(&["score", "example.com"]).output().unwrap();
    let said = String::from_utf8(same.stderr).unwrap();
    assert!(!said.contains("another"), "{said}");
    let other = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("PIVOTD__PROVIDERS__DOMAINTOOLS__RATE", "7/min");
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8(text).unwrap()
    };
    for arguments in [&["score", "example.com"][..], &["check"]] {
        let said = other(arguments);
        assert!(
            said.contains("providers.domaintools.rate") && said.contains("\"7/min\" here"),
            "{said}"
        );
    }
    server.stop();
    assert!(!other(&["check"]).contains("7/min\" here"));
}

#[test]
fn a_check_ends_with_its_verdict_and_shows_values_where_they_are_wanted() {
    let place = Place::new();
    let plain = place.good(&["check"]);
    let last = plain.lines().last().unwrap();
    assert!(
        last.starts_with("the configuration is right: 1 of 16 providers"),
        "{last}"
    );
    assert!(!plain.contains("Effective values"), "{plain}");
    assert!(!plain.contains("VirusTotal key allows"), "no key is set: {plain}");
    let whole = place.good(&["check", "--values"]);
    assert!(whole.contains("providers.domaintools.attempts"), "{whole}");
    assert_eq!(whole.lines().last(), plain.lines().last());
}

#[test]
fn an_unreadable_key_file_is_told_by_check_and_at_the_start() {
    let place = Place::new();
    let missing = place.folder.path().join("no-such-key");
    let with = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env(
            "PIVOTD__PROVIDERS__DOMAINTOOLS__API_KEY",
            format!("{{ file = {:?} }}", missing.display().to_string()),
        );
        command
    };
    let check = with(&["check"]).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{check:?}");
    let text = String::from_utf8(check.stdout).unwrap();
    assert!(
        text.contains("key unreadable") && text.contains("no-such-key cannot be read"),
        "{text}"
    );
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("not ready: domaintools has no key"), "{last}");
    let strict = with(&["check", "--strict"]).output().unwrap();
    assert_eq!(strict.status.code(), Some(1), "{strict:?}");
    assert_eq!(
        place.command(&["check", "--strict"]).status().unwrap().code(),
        Some(0)
    );

    let mut child = with(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // The log has a writer of its own, so either may come first.
    let (mut serves, mut warned) = (false, false);
    for line in lines.map_while(Result::ok) {
        serves |= line.starts_with("pivotd serves on");
        warned |= line.contains("WARN") && line.contains("no-such-key");
        if serves && warned {
            break;
        }
    }
    drop(Server {
        child,
        url: String::new(),
    });
    assert!(serves && warned);
}

#[test]
fn a_log_of_json_is_all_of_json() {
    let place = Place::new();
    let json = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command
            .env("PIVOTD__LOG__FORMAT", "json")
            .env("PIVOTD__PROVIDERS__ABUSEIPDB__ENABLED", "true")
            .env(
                "PIVOTD__PROVIDERS__ABUSEIPDB__API_KEY",
                "{ file = \"/no/such/key\" }",
            )
            .env("PIVOTD__SERVER__LSTEN", "x")
            .stderr(Stdio::piped());
        command
    };
    let mut child = json(&["serve"]).spawn().unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let is_serving = line["fields"]["message"] == "serving";
        said.push(line);
        if is_serving {
            break;
        }
    }
    let text = format!("{said:?}");
    assert!(text.contains("/no/such/key") && text.contains("LSTEN"), "{text}");
    // A second server finds the store taken, and says so as its log does.
    let second = json(&["serve"]).output().unwrap();
    drop(Server {
        child,
        url: String::new(),
    });
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8(second.stderr).unwrap();
    for line in told.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    assert!(told.contains("the server does not start"), "{told}");
}

#[test]
fn a_demo_with_tokens_refuses_as_a_server_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = bare(&["demo", "--tokens", "--listen", "127.0.0.1:0"])
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let first = lines.next().unwrap();
    let base = first
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap()
        .trim_end_matches(&['.', ','][..])
        .to_owned();
    let mut tokens = Vec::new();
    for line in lines.by_ref() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let (Some(name), Some(token)) = (words.first(), words.last())
            && line.starts_with("  ")
            && token.starts_with("pvtd_")
        {
            tokens.push(((*name).to_owned(), (*token).to_owned()));
        }
        if line.contains("Stop with Ctrl-C") {
            break;
        }
    }
    let demo = Server { child, url: base };
    std::thread::spawn(move || lines.for_each(drop));
    let token = |name: &str| tokens.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let status = |token: Option<String>| {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = http.get(format!("{}/v1/domain/example.com/reputation", demo.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        runtime.block_on(request.send()).unwrap().status().as_u16()
    };
    assert_eq!(status(None), 401);
    assert_eq!(status(Some(token("anna"))), 403);
    assert_eq!(status(Some(token("soar"))), 200);
}

#[test]
fn a_key_that_the_vendor_refuses_is_logged_once_and_check_says_so() {
    let place = Place::new();
    let log = place.folder.path().join("log");
    let with = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command
            .env("DOMAINTOOLS_API_KEY", "a-key-that-nobody-knows")
            .env("PIVOTD__LOG__FILE", &log)
            .stderr(Stdio::piped());
        command
    };
    let mut child = with(&["serve"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("pivotd serves on")));
    std::thread::spawn(move || lines.for_each(drop));
    let server = Server {
        child,
        url: String::new(),
    };
    // Two questions at least, of which the first may be the server's own of its account.
    for _ in 0..2 {
        let run = with(&["run", "domaintools.ip-history", "example.com"])
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(1), "{run:?}");
    }
    let check = with(&["check", "--strict"]).output().unwrap();
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    let text = String::from_utf8(check.stdout).unwrap();
    assert!(
        text.contains("key refused") && text.contains("not ready: domaintools refuses the key"),
        "{text}"
    );
    server.stop();
    let logged = std::fs::read_to_string(&log).unwrap();
    let told: Vec<&str> = logged
        .lines()
        .filter(|line| line.contains("refuses this server's key"))
        .collect();
    assert_eq!(told.len(), 1, "{logged}");
    assert!(
        told[0].contains("WARN") && told[0].contains("provider=domaintools") && told[0].contains("key="),
        "{told:?}"
    );
    assert!(!logged.contains("a-key-that-nobody-knows"));
}
