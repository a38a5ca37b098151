//! `pivotd check` says what `pivotd serve` would say: whatever keeps a server from starting.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pivotd::storage::redb::Store;

use crate::place::{Place, fails};

/// What is broken: which arguments and variables make it so, and what both commands say of it.
struct Broken {
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
    said: &'static str,
}

fn set(name: &'static str, value: impl Into<String>, said: &'static str) -> Broken {
    Broken {
        arguments: Vec::new(),
        variables: vec![(name, value.into())],
        said,
    }
}

fn both_refuse(place: &Place, what: &str, broken: &Broken) {
    for command in ["check", "serve"] {
        let mut process = place.command(&[command]);
        process.args(&broken.arguments);
        process.envs(broken.variables.iter().map(|(name, value)| (name, value)));
        let said = fails(process.output().unwrap(), 1);
        // Lines may be broken between any two words.
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(broken.said), "{what}: {command}: {said}");
    }
}

fn write(place: &Place, name: &str, text: &str, mode: u32) -> String {
    let path = place.folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.display().to_string()
}

#[test]
fn check_and_serve_refuse_the_same_configurations() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let file = write(&place, "file", "no folder", 0o600);
    let short = write(&place, "short", "guess-me", 0o600);
    let garbage = write(&place, "garbage.pem", "no certificate", 0o600);
    let public = write(
        &place,
        "public.toml",
        "[providers.domaintools]\napi_key = \"inline\"\n",
        0o644,
    );
    let unknown = write(&place, "unknown.toml", "[server]\nlsten = \"x\"\n", 0o600);
    let authorities = write(
        &place,
        "authorities.toml",
        "[providers.domaintools]\nusername = { env = \"DOMAINTOOLS_USERNAME\" }\napi_key = { env = \"DOMAINTOOLS_API_KEY\" }\n\
         ca_file = \"nowhere.pem\"\n",
        0o600,
    );
    let folder = place.folder.path().display().to_string();
    let named = |path: &str, said| Broken {
        arguments: vec!["--config".to_owned(), path.to_owned()],
        variables: Vec::new(),
        said,
    };
    let tls = |certificate: &str| format!("{{ certificate = {certificate:?}, key = {certificate:?} }}");
    const CA_FILE: &str = "PIVOTD__PROVIDERS__DOMAINTOOLS__CA_FILE";
    for (what, broken) in [
        (
            "a file that is not there",
            named("nowhere.toml", "nowhere.toml: cannot be read"),
        ),
        (
            "a key that is unknown",
            named(&unknown, "did you mean \"listen\"?"),
        ),
        (
            "a secret that everybody can read",
            named(&public, "everybody on this machine can read"),
        ),
        (
            "a level that is unknown",
            set(
                "PIVOTD__LOG__LEVEL",
                "loud",
                "PIVOTD__LOG__LEVEL: level: unknown level \"loud\"",
            ),
        ),
        (
            "a level of nothing",
            set(
                "PIVOTD__LOG__LEVEL",
                "pivtod=debug",
                "unknown target \"pivtod\", did you mean \"pivotd\"?",
            ),
        ),
        (
            "beyond this machine",
            set(
                "PIVOTD__SERVER__LISTEN",
                "0.0.0.0:0",
                "server.public_url is not set",
            ),
        ),
        (
            "an address that is taken",
            set("PIVOTD__SERVER__LISTEN", taken, "cannot listen on 127.0.0.1:"),
        ),
        (
            "TLS files that are missing",
            set(
                "PIVOTD__SERVER__TLS",
                tls("/nowhere/tls.pem"),
                "server.tls: /nowhere/tls.pem",
            ),
        ),
        (
            "TLS files that hold nothing",
            set("PIVOTD__SERVER__TLS", tls(&garbage), "garbage.pem"),
        ),
        (
            "a data directory that is a file",
            set("PIVOTD__SERVER__DATA", file.clone(), "the data directory"),
        ),
        (
            "a data directory below a file",
            set(
                "PIVOTD__SERVER__DATA",
                format!("{file}/data"),
                "the data directory",
            ),
        ),
        (
            "a log that is a folder",
            set("PIVOTD__LOG__FILE", folder.clone(), "log.file: "),
        ),
        (
            "a log in a folder that is not there",
            set(
                "PIVOTD__LOG__FILE",
                format!("{folder}/logs/log"),
                "cannot be written",
            ),
        ),
        (
            "authorities that are missing",
            set(
                CA_FILE,
                "/nowhere/ca.pem",
                "PIVOTD__PROVIDERS__DOMAINTOOLS__CA_FILE: providers.domaintools: ca_file: /nowhere/ca.pem",
            ),
        ),
        (
            "authorities of a file that are missing",
            named(
                &authorities,
                "authorities.toml:4:11: providers.domaintools: ca_file: ",
            ),
        ),
        (
            "authorities that hold nothing",
            set(CA_FILE, garbage.clone(), "there is no certificate in it"),
        ),
        (
            "an address that providers may not have",
            set(
                "PIVOTD__PROVIDERS__DOMAINTOOLS__BASE_URL",
                "https://169.254.169.254",
                "169.254.169.254 is an address that providers may not have",
            ),
        ),
        (
            "a first token that is not there",
            set(
                "PIVOTD_FIRST_TOKEN_FILE",
                "/nowhere/token",
                "/nowhere/token cannot be read",
            ),
        ),
        (
            "a first token that can be guessed",
            set("PIVOTD_FIRST_TOKEN_FILE", short, "holds less than 32 characters"),
        ),
    ] {
        both_refuse(&place, what, &broken);
    }
    let left = std::fs::read_dir(place.data()).unwrap().count();
    assert_eq!(left, 0, "nothing was made");
}

#[test]
fn check_and_serve_refuse_the_same_stores() {
    let place = Place::new();
    place.good(&["tokens", "create", "soar"]);
    let path = place.data().join("pivotd.redb");
    let bytes = std::fs::read(&path).unwrap();
    let nothing = |said| Broken {
        arguments: Vec::new(),
        variables: Vec::new(),
        said,
    };
    let store = Store::open(&place.data(), 1 << 20).unwrap();
    both_refuse(&place, "in use", &nothing("is in use by another pivotd"));
    drop(store);
    for (what, held, said) in [
        ("empty", &b""[..], "is empty (0 bytes)"),
        ("cut", &bytes[..bytes.len() / 3], "is damaged ("),
        ("another file", &[b'x'; 8192][..], "is damaged ("),
    ] {
        std::fs::write(&path, held).unwrap();
        both_refuse(&place, what, &nothing(said));
        assert_eq!(std::fs::read(&path).unwrap(), held, "{what}: it is left alone");
    }
    std::fs::write(&path, &bytes).unwrap();
    place.good(&["check"]);
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "looking changes nothing");
}

#[test]
fn a_second_server_is_told_that_another_one_runs_there() {
    let place = Place::new();
    let server = place.serve();
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    for listen in ["127.0.0.1:0".to_owned(), address] {
        let mut second = place.command(&["serve"]);
        second.env("PIVOTD__SERVER__LISTEN", listen);
        let said = fails(second.output().unwrap(), 1);
        assert!(said.contains("is in use by another pivotd"), "{said}");
    }
    server.stop();
}

#[test]
fn what_check_finds_right_is_served() {
    let place = Place::new();
    let data = place.folder.path().join("not/yet/there");
    let served = |variables: &[(&str, &Path)]| {
        let mut check = place.command(&["check"]);
        let output = check.envs(variables.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{variables:?}: {output:?}");
        let mut serve = place.command(&["serve"]);
        serve.envs(variables.iter().copied());
        let server = place.spawn(serve);
        // What the server itself holds is no fault.
        let output = check.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{variables:?}: {output:?}");
        server.stop();
    };
    served(&[("PIVOTD__SERVER__DATA", &data)]);
    served(&[
        ("PIVOTD__SERVER__DATA", &data),
        ("PIVOTD__LOG__FILE", &data.join("log")),
        // There is a token already, so the first is not needed.
        ("PIVOTD_FIRST_TOKEN_FILE", Path::new("/nowhere/token")),
    ]);
}

#[test]
fn a_key_that_cannot_be_read_is_told_by_both_and_keeps_neither() {
    let place = Place::new();
    let key = [(
        "PIVOTD__PROVIDERS__DOMAINTOOLS__API_KEY",
        "{ file = \"/nowhere/key\" }",
    )];
    let mut check = place.command(&["check"]);
    let output = check.envs(key).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("/nowhere/key cannot be read"), "{said}");
    let mut serve = place.command(&["serve"]);
    serve.envs(key);
    place.spawn(serve).stop();
}
