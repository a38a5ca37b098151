//! Plants keys and searches everything that anybody can see for them.

use std::path::Path;
use std::process::Command;

use pivotd::replay::{Fault, Matcher};
use serde_json::json;

use crate::support::{API_KEY, Builder, Entity, USERNAME};

const OWN_KEY: &str = "canary-own-key-51d0";

/// Reads every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.is_file() {
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    all
}

pub(crate) fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

/// Makes a vendor that repeats the key that it was asked with.
fn echo(code: u16, [username, key]: [&str; 2]) -> Fault {
    let message = format!("Is {key} of {username} right? They do not match an active account.");
    Fault::Status {
        code,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: json!({"error": {"code": code, "message": message}}).to_string(),
    }
}

#[tokio::test]
async fn no_key_is_in_an_answer_a_log_a_metric_a_page_or_a_file() {
    let app = Builder::new()
        .settings(|settings| {
            settings.log.level = "trace".to_owned();
            settings.providers.get_mut("domaintools").unwrap().attempts = 1;
        })
        .start()
        .await;
    let own = [
        ("global#domaintools.username", "canary-own-user"),
        ("global#domaintools.api-key", OWN_KEY),
    ];
    let mut shown = Vec::new();
    for (settings, key) in [
        (&own[..], ["canary-own-user", OWN_KEY]),
        (&[], [USERNAME, API_KEY]),
    ] {
        for (value, fault) in [
            ("echo.example", Some(echo(400, key))),
            ("example.com", None),
            ("one.example", Some(Fault::Reset)),
            ("two.example", Some(Fault::HtmlInsteadOfJson)),
            (
                "three.example",
                Some(Fault::Redirect {
                    to: "http://127.0.0.1:1/".to_owned(),
                }),
            ),
            ("four.example", Some(echo(403, key))),
        ] {
            app.vendor.clear_faults();
            if let Some(fault) = fault {
                app.vendor.inject(Matcher::any(), fault, None);
            }
            let answer = app
                .run("domaintools.ip-history", Entity::domain(value).with(settings))
                .await;
            shown.push(format!("{:?} {}", answer.headers, answer.body));
        }
    }
    let struck = shown
        .iter()
        .filter(|text| text.contains("Is [key] of [key] right?"));
    assert!(struck.count() >= 2, "the vendor's words were shown of both keys");
    let sent = app.vendor.seen();
    assert!(
        sent.iter()
            .any(|request| format!("{request:?}").contains(USERNAME)),
        "the canary was at work"
    );
    assert!(
        sent.iter()
            .all(|request| !format!("{request:?}").contains(API_KEY)),
        "a signed call sends no key"
    );
    for path in [
        "/metrics",
        "/openapi.json",
        "/swagger.json",
        "/docs",
        "/",
        "/readyz",
        "/run/domaintools.ip-history",
    ] {
        shown.push(app.get(path).await.body);
    }
    shown.push(
        app.post_json("/v1/alerts/score", &json!({"domain": "example.com"}))
            .await
            .body,
    );
    shown.push(format!("{:?}", app.app));
    shown.push(format!("{:?}", app.app.engine.store().audit(1000).unwrap()));
    shown.push(app.log());
    let (token, folder) = (app.token.clone(), app.folder.clone());
    drop(app.stop().await);
    let kept = files(folder.path());
    assert!(kept.iter().any(|(path, _)| path.ends_with("pivotd.redb")));
    for canary in [API_KEY, OWN_KEY, "canary-own-user", &token] {
        for text in &shown {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
        for (path, bytes) in &kept {
            assert!(!holds(bytes, canary), "{canary} in {path}");
        }
    }
}

#[test]
fn no_command_prints_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let pivotd = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_pivotd"))
            .args(arguments)
            .env("DOMAINTOOLS_USERNAME", "somebody")
            .env("DOMAINTOOLS_API_KEY", API_KEY)
            .env("PIVOTD__SERVER__DATA", folder.path().join("data"))
            // Nobody listens there, so that nothing leaves this machine.
            .env("PIVOTD__PROVIDERS__DOMAINTOOLS__BASE_URL", "http://127.0.0.1:1")
            .env("PIVOTD__PROVIDERS__DOMAINTOOLS__ATTEMPTS", "1")
            .output()
            .unwrap();
        [output.stdout, output.stderr].concat()
    };
    let out = folder.path().join("export");
    let out = out.to_str().unwrap();
    for arguments in [
        &["check"][..],
        &["keys", "test"],
        &["run", "domaintools.ip-history", "example.com"],
        &["run", "domaintools.ip-history", "example.com", "--format", "json"],
        &["enrich", "example.com"],
        &["cache", "stats"],
        &[
            "export",
            "csv",
            "--public-url",
            "https://pivot.example.org",
            "--out",
            out,
        ],
    ] {
        let printed = pivotd(arguments);
        assert!(!printed.is_empty(), "{arguments:?}");
        assert!(
            !holds(&printed, API_KEY),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&printed)
        );
    }
    for (path, bytes) in files(folder.path()) {
        assert!(!holds(&bytes, API_KEY), "{path}");
    }
}
