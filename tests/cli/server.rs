//! Tests how commands and servers share a data directory.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use pivotd::storage::redb::Store;

use crate::place::{Place, Server, bare};

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
    let store = Store::open(&place.data(), 1 << 20).unwrap();
    let said = place.bad(&["tokens", "list"]);
    assert!(said.contains("in use") && said.contains("control.sock"), "{said}");
    drop(store);
}

#[test]
fn an_empty_store_is_refused_and_begun_anew_only_where_that_is_said() {
    let place = Place::new();
    let file = place.data().join("pivotd.redb");
    std::fs::create_dir_all(place.data()).unwrap();
    std::fs::write(&file, b"").unwrap();
    for command in [&["serve"][..], &["tokens", "list"]] {
        let said = place.bad(command);
        assert!(said.contains("is empty (0 bytes)"), "{said}");
        assert!(said.contains("pivotd serve --new"), "{said}");
    }
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 0);
    let server = place.serve_with(&["--new"]);
    place.good(&["tokens", "create", "soar"]);
    server.stop();
    // What is there now is kept, also by the one that was told so.
    let server = place.serve_with(&["--new"]);
    assert!(place.good(&["tokens", "list"]).contains("soar"));
    server.stop();
}

#[test]
fn a_damaged_store_ends_with_a_message_that_says_what_to_do() {
    let place = Place::new();
    place.good(&["tokens", "create", "soar"]);
    let file = place.data().join("pivotd.redb");
    let bytes = std::fs::read(&file).unwrap();
    let mut flipped = bytes.clone();
    for byte in flipped.iter_mut().skip(4096) {
        *byte ^= 0x55;
    }
    for damaged in [&bytes[..bytes.len() / 3], &flipped[..], &[b'x'; 8192][..]] {
        std::fs::write(&file, damaged).unwrap();
        let said = place.bad(&["serve"]);
        assert!(said.contains("is damaged ("), "{said}");
        assert!(said.contains("put a copy of the store back"), "{said}");
        assert!(said.contains("pivotd.redb"), "{said}");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), damaged.len() as u64);
    }
    std::fs::write(&file, &bytes).unwrap();
    assert!(place.good(&["tokens", "list"]).contains("soar"));
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
