//! A running server reads its configuration again, and says what came of it.

use std::path::Path;

use crate::place::{Place, fails};

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_reload_says_what_changed_what_waits_for_a_start_and_what_is_refused() {
    let place = Place::new();
    let config = place.folder.path().join("my.toml");
    let log = place.folder.path().join("log");
    let named = |command: &'static str| {
        let mut process = place.command(&[command, "--config", "my.toml"]);
        process
            .env("DOMAINTOOLS_API_KEY", "canary-4b1c")
            .env_remove("PIVOTD__LOG__FILE");
        process
    };
    let text = |rest: &str| format!("[log]\nfile = \"log\"\nformat = \"json\"\n{rest}");
    write(&config, &text("[deadlines]\nenrich = \"20s\"\n"));
    let said = fails(named("reload").output().unwrap(), 1);
    assert!(said.contains("no server runs over the data directory"), "{said}");
    let server = place.spawn(named("serve"));
    let reload = || named("reload").output().unwrap();
    let good = || {
        let output = reload();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(good().contains("nothing changed"));
    write(
        &config,
        &text(
            "level = \"warn\"\n[deadlines]\nenrich = \"21s\"\n[reputation]\nthreshold = 60\n[server]\nworkers = 3\n",
        ),
    );
    let said = good();
    assert!(said.contains("changed: deadlines.enrich, reputation"), "{said}");
    assert!(
        said.contains("taken over at the next start: log.level, server.workers"),
        "{said}"
    );
    write(&config, &text("[deadlines]\nenrich = \"21\"\n"));
    let said = fails(reload(), 1);
    assert!(said.contains("the old one goes on"), "{said}");
    assert!(
        said.contains("my.toml:5:10: enrich: expected a duration"),
        "{said}"
    );
    // Another start than the last reload's: what is not taken over is told again.
    write(
        &config,
        &text("[deadlines]\nenrich = \"21s\"\n[reputation]\nthreshold = 60\n[server]\nworkers = 3\n"),
    );
    let said = good();
    assert!(
        said.contains("taken over at the next start: server.workers"),
        "{said}"
    );
    assert!(!said.contains("changed:"), "{said}");
    server.stop();
    // The log lies beside the file that names it, and says the same.
    let log = std::fs::read_to_string(log).unwrap();
    let told: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| {
            let said = line["fields"]["message"].as_str().unwrap_or_default();
            said.contains("configuration")
        })
        .collect();
    let of = |said: &str| {
        let found = told.iter().filter(|line| line["fields"]["message"] == said);
        found.map(|line| line["fields"].clone()).collect::<Vec<_>>()
    };
    let reloaded = of("the configuration was reloaded");
    assert_eq!(reloaded.len(), 3, "{told:?}");
    assert_eq!(reloaded[0]["changed"], "nothing");
    let changed = reloaded[1]["changed"].as_str().unwrap();
    assert!(changed.starts_with("deadlines.enrich, reputation"), "{changed}");
    assert_eq!(reloaded[1]["at_next_start"], "log.level, server.workers");
    assert_eq!(
        of("the new configuration is refused; the old one goes on").len(),
        1
    );
    assert!(!log.contains("canary"), "{log}");
}

#[test]
fn a_key_that_changed_is_named_and_not_shown() {
    let place = Place::new();
    let config = place.folder.path().join("my.toml");
    let key = place.folder.path().join("key");
    write(
        &config,
        "[providers.domaintools]\nusername = { env = \"DOMAINTOOLS_USERNAME\" }\napi_key = { file = \"key\" }\n",
    );
    let named = |command: &'static str| place.command(&[command, "--config", "my.toml"]);
    write(&key, "canary-one");
    let server = place.spawn(named("serve"));
    write(&key, "canary-two");
    let output = named("reload").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("changed: providers.domaintools: its key"), "{said}");
    assert!(!said.contains("canary"), "{said}");
    server.stop();
}

#[test]
fn what_changed_in_files_that_the_configuration_names_is_named() {
    let place = Place::new();
    let here = place.folder.path();
    let certify = || {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        write(&here.join("chain.pem"), &made.cert.pem());
        write(&here.join("key.pem"), &made.signing_key.serialize_pem());
    };
    certify();
    write(&here.join("own.txt"), "one.example\n");
    write(
        &here.join("my.toml"),
        "[server]\ntls = { certificate = \"chain.pem\", key = \"key.pem\" }\n[lists]\nown = [\"own.txt\"]\n",
    );
    let named = |command: &'static str| place.command(&[command, "--config", "my.toml"]);
    let server = place.spawn(named("serve"));
    assert!(server.url.starts_with("https://"));
    let reload = || String::from_utf8(named("reload").output().unwrap().stdout).unwrap();
    assert!(reload().contains("nothing changed"));
    write(&here.join("own.txt"), "two.example\n");
    let said = reload();
    assert!(said.contains("changed: lists"), "{said}");
    certify();
    let said = reload();
    assert!(said.contains("changed: server.tls: its files"), "{said}");
    assert!(reload().contains("nothing changed"));
    server.stop();
}

#[test]
fn a_change_of_who_may_sign_tokens_is_told() {
    let place = Place::new();
    let file = place.folder.path().join("my.toml");
    let named = |command: &'static str| place.command(&[command, "--config", "my.toml"]);
    let issuer = |members: [&str; 4]| {
        let [issuer, keys, client, audience] = members;
        format!(
            "[issuers.corp]\nissuer = \"https://{issuer}\"\njwks_url = \"https://{keys}/jwks\"\nclient = \"{client}\"\n\
             audience = \"{audience}\"\n"
        )
    };
    let first = ["id.example", "id.example", "corp", "pivotd"];
    write(&file, &issuer(first));
    let server = place.spawn(named("serve"));
    for (at, member) in ["issuer", "jwks_url", "client", "audience"]
        .into_iter()
        .enumerate()
    {
        let mut changed = first;
        changed[at] = "other.example";
        write(&file, &issuer(changed));
        let said = String::from_utf8(named("reload").output().unwrap().stdout).unwrap();
        let path = format!("issuers.corp.{member}");
        assert!(said.contains(&path), "{said}");
        write(&file, &issuer(first));
        assert!(named("reload").output().unwrap().status.success());
    }
    server.stop();
}

#[test]
fn a_file_that_hides_where_the_server_is_stops_a_command_with_its_place() {
    let place = Place::new();
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.args(["--config", "typo.toml"]);
        fails(command.output().unwrap(), 1)
    };
    let all = |said: &str| {
        for arguments in [
            &["tokens", "revoke", "anna"][..],
            &["cache", "stats"],
            &["reload"],
        ] {
            let told = run(arguments);
            assert!(told.contains(said), "{arguments:?}: {told}");
        }
    };
    all("typo.toml: cannot be read");
    for (text, said) in [
        ("[server]\ndta = \"x\"\n", "typo.toml:2:1: unknown key \"dta\""),
        (
            "[sever]\ndata = \"x\"\n",
            "unknown key \"sever\", did you mean \"server\"?",
        ),
        ("no TOML\n", "typo.toml:1:"),
    ] {
        write(&place.folder.path().join("typo.toml"), text);
        all(said);
    }
}

#[test]
fn a_reload_of_another_file_than_the_servers_is_refused() {
    let place = Place::new();
    for name in ["my.toml", "other.toml"] {
        write(&place.folder.path().join(name), "[deadlines]\nenrich = \"20s\"\n");
    }
    let server = place.spawn(place.command(&["serve", "--config", "my.toml"]));
    let said = place.good(&["reload", "--config", "./my.toml"]);
    assert!(
        said.contains("reloaded from /") && said.contains("my.toml"),
        "{said}"
    );
    let said = place.bad(&["reload", "--config", "other.toml"]);
    assert!(
        said.contains("nothing was reloaded") && said.contains("my.toml"),
        "{said}"
    );
    server.stop();
}
