//! Plants keys and searches everything that anybody can see for them.

use std::path::Path;
use std::process::Command;

use pivotd::config::settings::LogIndicators;
use pivotd::replay::{Fault, Matcher, Replay};
use pivotd::tokens::NewToken;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::{API_KEY, Answer, Builder, Entity, TestApp, USERNAME};

const OWN_KEY: &str = "canary-own-key-51d0";
const TENANT_KEY: &str = "canary-tenant-key-c04d";

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
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.attempts = 1;
            let descriptor = pivotd::providers::Providers::built_in()
                .descriptor("domaintools")
                .unwrap()
                .clone();
            let key = pivotd::config::settings::TenantKey {
                parts: pivotd::replay::demo::credentials(&descriptor, "canary-tenant-user", TENANT_KEY),
                fault: None,
            };
            let acme = pivotd::config::settings::TenantSettings {
                key: Some(key),
                rate: None,
                budget: None,
            };
            provider.tenants.insert("acme".to_owned(), acme);
        })
        .start()
        .await;
    let of_tenant = NewToken {
        tenant: "acme".to_owned(),
        ..NewToken::for_everyday("acme")
    };
    let (of_tenant, _) = app.app.tokens.create(of_tenant).await.unwrap();
    let own = [
        ("global#domaintools.username", "canary-own-user"),
        ("global#domaintools.api-key", OWN_KEY),
    ];
    // First: a key that was refused is asked with no more.
    let mut shown = shown_by_v3(&app, &own).await;
    for (token, settings, key) in [
        (app.token.as_str(), &own[..], ["canary-own-user", OWN_KEY]),
        (of_tenant.expose_secret(), &[], ["canary-tenant-user", TENANT_KEY]),
        (&app.token, &[], [USERNAME, API_KEY]),
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
            let entity = Entity::domain(value).with(settings);
            let answer = app.run_as(token, "domaintools.ip-history", entity).await;
            shown.push(format!("{:?} {}", answer.headers, answer.body));
        }
    }
    let struck = shown
        .iter()
        .filter(|text| text.contains("Is [key] of [key] right?"));
    assert!(
        struck.count() >= 3,
        "the vendor's words were shown of all three keys"
    );
    let sent = app.vendor.seen();
    let of_tenant = sent
        .iter()
        .filter(|request| format!("{request:?}").contains("canary-tenant-user"));
    assert!(of_tenant.count() > 0, "the tenant's canary was at work");
    assert!(
        sent.iter()
            .any(|request| format!("{request:?}").contains(USERNAME)),
        "the canary was at work"
    );
    assert!(
        sent.iter().all(|request| [API_KEY, TENANT_KEY]
            .iter()
            .all(|key| !format!("{request:?}").contains(key))),
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
        "/seed",
        "/runner?Command=_TRANSFORMS",
        "/runner?Command=_CONFIG",
        "/v1/transforms",
        "/status",
        "/transforms",
        "/assets",
        "/hub_item",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        shown.push(format!("{:?} {}", answer.headers, answer.body));
    }
    shown.push(
        app.post_json("/v1/alerts/score", &json!({"domain": "example.com"}))
            .await
            .body,
    );
    shown.push(format!("{:?}", app.app));
    shown.push(format!("{:?}", app.app.engine.store().audit(1000).await.unwrap()));
    shown.push(app.log());
    let (token, folder) = (app.token.clone(), app.folder.clone());
    drop(app.stop().await);
    let kept = files(folder.path());
    assert!(kept.iter().any(|(path, _)| path.ends_with("pivotd.redb")));
    for canary in [API_KEY, OWN_KEY, "canary-own-user", TENANT_KEY, &token] {
        for text in &shown {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
        for (path, bytes) in &kept {
            assert!(!holds(bytes, canary), "{canary} in {path}");
        }
    }
}

/// Runs a transform by protocol v3 with a user's own key, which the vendor repeats; returns all that is shown of it.
async fn shown_by_v3(app: &TestApp, own: &[(&str, &str)]) -> Vec<String> {
    app.vendor.clear_faults();
    app.vendor
        .inject(Matcher::any(), echo(400, ["canary-own-user", OWN_KEY]), None);
    let settings: Vec<_> = own
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let body = json!({
        "input": {
            "metadata": {"entitiesTypesStat": {"maltego.Domain": 1}, "entitiesTotalCount": 1},
            "graph": {"entities": [{
                "id": "e1", "type": "maltego.Domain", "valueRef": "fqdn",
                "properties": [{"name": "fqdn", "value": "echoed.example", "type": "STRING"}]
            }], "links": []}
        },
        "transformSettings": settings
    });
    let runs = "/transforms/domaintools.ip-history/run";
    let post = |body: String| {
        let request = app
            .http
            .post(format!("{}{runs}", app.base))
            .bearer_auth(&app.token);
        request
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    let created = Answer::of(post(body.to_string()).await.unwrap()).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let run = created.json()["result"]["runId"].as_str().unwrap().to_owned();
    let mut shown = vec![format!("{:?} {}", created.headers, created.body)];
    loop {
        let page = app.get(&format!("{runs}/{run}/results")).await;
        let is_under_way = ["INITIALIZED", "RUNNING"].contains(&page.header("maltego-run-state"));
        shown.push(format!("{:?} {}", page.headers, page.body));
        if !is_under_way {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(
        shown.last().unwrap().contains("Is [key] of [key] right?"),
        "{shown:?}"
    );
    // A value that cannot be read is not repeated either.
    let wrong = body
        .to_string()
        .replace("\"transformSettings\":[", "\"transformSettings\":[7,");
    let refused = post(wrong).await.unwrap();
    assert_eq!(refused.status(), 422);
    shown.push(refused.text().await.unwrap());
    shown
}

/// Words of a message that nobody but its sender and its readers has to see.
const SUBJECT: &str = "canary-subject-4e1b";
const BODY_WORDS: &str = "canary-body-9c27";

/// A message whose words are searched for afterwards; some stand where parsers stumble.
fn telling_message() -> String {
    format!(
        "From: \"{BODY_WORDS} {SUBJECT}\" <billing@career-offers.example>\r\nTo: {BODY_WORDS}@corp.example\r\n\
         Subject: {SUBJECT}\r\nX-Note: {BODY_WORDS}\r\nContent-Type: multipart/mixed; boundary={BODY_WORDS}\r\n\r\n\
         --{BODY_WORDS}\r\n\r\nDear {BODY_WORDS}, go to http://career-offers.example/apply?id={BODY_WORDS}#{SUBJECT} \
         or http://[broken/ now\r\n--{BODY_WORDS}\r\nContent-Type: application/pdf; name={SUBJECT}.pdf\r\n\
         Content-Disposition: attachment; filename={SUBJECT}.pdf\r\n\r\n{BODY_WORDS}\r\n--{BODY_WORDS}--\r\n"
    )
}

#[tokio::test]
async fn no_key_and_no_word_of_a_message_is_in_what_a_soar_gets_or_what_is_kept() {
    let app = Builder::new()
        .with(["virustotal", "abuseipdb", "emailrep", "ipqs", "spamhaus", "dns"])
        .settings(|settings| {
            settings.log.level = "trace".to_owned();
            for provider in settings.providers.values_mut() {
                provider.attempts = 1;
            }
        })
        .start()
        .await;
    let alert = json!({
        "email": "billing@career-offers.example", "domain": "career-offers.example", "ip": "192.0.2.44",
        "url": "http://career-offers.example/apply", "hash": "07b8ef109aae055418a43301ebe6b5b18b9f6b711bfdbcde4538bf76c5d68e00",
    });
    let mut shown = Vec::new();
    let show = |answer: crate::support::Answer| format!("{:?} {}", answer.headers, answer.body);
    let ids = [
        None,
        Some(echo(400, [USERNAME, API_KEY])),
        Some(echo(403, [USERNAME, API_KEY])),
    ];
    for (round, fault) in ids.into_iter().enumerate() {
        for vendor in app.others.values().chain([&app.vendor]) {
            vendor.clear_faults();
            if let Some(fault) = &fault {
                vendor.inject(Matcher::any(), fault.clone(), None);
            }
        }
        let mut fresh = alert.clone();
        fresh["max_age"] = json!(0);
        // Limits are told, not waited for.
        fresh["deadline_s"] = json!(2);
        let scored = app.post_json("/v1/alerts/score", &fresh).await;
        assert_eq!(scored.status, 200, "{}", scored.body);
        let id = scored.json()["decision_id"].as_str().unwrap().to_owned();
        shown.push(show(scored));
        let batch = json!({"indicators": ["career-offers.example", "192.0.2.44", "no indicator"], "max_age": 0, "deadline_s": 2});
        shown.push(show(app.post_json("/v1/enrich/batch", &batch).await));
        let lines = app
            .http
            .post(format!("{}/v1/enrich/batch", app.base))
            .bearer_auth(&app.token)
            .header("accept", "application/x-ndjson")
            .header("idempotency-key", format!("round-{round}"))
            .body(batch.to_string());
        let lines = crate::support::Answer::of(lines.send().await.unwrap()).await;
        assert!(lines.body.contains("\"summary\""), "{}", lines.body);
        shown.push(show(lines));
        for path in [
            "/v1/context/career-offers.example?max_age=0&deadline_s=2",
            "/v1/context/192.0.2.44?max_age=0&deadline_s=2",
            "/v1/domain/career-offers.example/reputation?deadline_s=2",
            "/v1/email/billing%40career-offers.example/reputation?max_age=0&deadline_s=2",
            "/v1/url/reputation?indicator=http%3A%2F%2Fcareer-offers.example%2Fapply&deadline_s=2",
        ] {
            let answer = app.get(path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            shown.push(show(answer));
        }
        let said =
            json!({"indicator": "192.0.2.44", "verdict": "confirmed", "reason": "seen in ticket 4711"});
        let feedback = app
            .post_json(&format!("/v1/decisions/{id}/feedback"), &said)
            .await;
        assert_eq!(feedback.status, 200, "{}", feedback.body);
        shown.push(show(feedback));
        shown.push(show(app.get(&format!("/v1/decisions/{id}")).await));
    }
    let echoed = shown.iter().filter(|text| text.contains("[key]"));
    assert!(
        echoed.count() > 0,
        "the vendors' words were shown, without the key"
    );

    for vendor in app.others.values().chain([&app.vendor]) {
        vendor.clear_faults();
    }
    let message = telling_message();
    let scored = app
        .post_json(
            "/v1/alerts/score",
            &json!({"message": message, "max_age": 0, "deadline_s": 2}),
        )
        .await;
    assert_eq!(scored.status, 200, "{}", scored.body);
    assert!(scored.body.contains("career-offers.example"));
    let id = scored.json()["decision_id"].as_str().unwrap().to_owned();
    // The facts of the message are the caller's, and nobody else's.
    let facts = scored.json()["message"].clone();
    assert_eq!(facts["subject"], SUBJECT);
    let for_others = |body: &str| body.replace(&format!(",\"message\":{facts}"), "");
    let without_facts = for_others(&scored.body);
    assert_ne!(without_facts, scored.body);
    let mut of_message = vec![without_facts, show(app.get(&format!("/v1/decisions/{id}")).await)];
    // One that cannot be read is told of without its words.
    let broken = format!("{SUBJECT}\r\n\r\n{BODY_WORDS}");
    let refused = app
        .post_json("/v1/alerts/score", &json!({"message": broken}))
        .await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    of_message.push(show(refused));
    let keyed = app
        .http
        .post(format!("{}/v1/alerts/score", app.base))
        .bearer_auth(&app.token)
        .header("idempotency-key", "message-1")
        .body(json!({"message": message, "deadline_s": 2}).to_string());
    // Sent again, the reply is the kept one, with the facts of the message that came again.
    let again = keyed.try_clone().unwrap();
    let first = crate::support::Answer::of(keyed.send().await.unwrap()).await;
    let again = crate::support::Answer::of(again.send().await.unwrap()).await;
    assert_eq!(
        (again.header("idempotent-replayed"), &again.body),
        ("true", &first.body)
    );
    assert_eq!(first.json()["message"], facts);
    of_message.push(for_others(&first.body));

    for path in [
        "/docs",
        "/openapi.json",
        "/openapi-3.0.json",
        "/swagger.json",
        "/metrics",
        "/readyz",
        "/",
    ] {
        shown.push(app.get(path).await.body);
    }
    shown.push(format!("{:?}", app.app));
    shown.push(format!("{:?}", app.app.engine.store().audit(1000).await.unwrap()));
    shown.push(app.log());
    let sent: Vec<String> = app
        .others
        .values()
        .chain([&app.vendor])
        .flat_map(Replay::seen)
        .map(|request| format!("{request:?}"))
        .collect();
    assert!(sent.iter().any(|request| request.contains("career-offers")));
    let (token, folder) = (app.token.clone(), app.folder.clone());
    drop(app.stop().await);
    let kept = files(folder.path());
    assert!(kept.iter().any(|(path, _)| path.ends_with("pivotd.redb")));
    for canary in [API_KEY, &token] {
        for text in shown.iter().chain(&of_message) {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
    }
    for canary in [SUBJECT, BODY_WORDS] {
        for text in shown.iter().chain(&of_message).chain(&sent) {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
    }
    for canary in [API_KEY, &token, SUBJECT, BODY_WORDS] {
        for (path, bytes) in &kept {
            assert!(!holds(bytes, canary), "{canary} in {path}");
        }
    }
}

#[tokio::test]
async fn no_line_tells_who_asks_in_a_url_or_what_its_query_holds() {
    let app = Builder::new()
        .settings(|settings| {
            settings.log.level = "trace".to_owned();
            settings.log.indicators = LogIndicators::Full;
        })
        .start()
        .await;
    let url = "https://canary-user:canary-word@career-offers.example/x?token=canary-query#canary-part";
    let answer = app.run("domaintools.ip-history", Entity::domain(url)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    for member in ["url", "domain", "email"] {
        app.post_json("/v1/alerts/score", &json!({ member: [url, "example.com"] }))
            .await;
    }
    app.post_json("/v1/enrich", &json!({ "indicator": url })).await;
    app.post_json("/v1/enrich/batch", &json!({ "indicators": [url] }))
        .await;
    let encoded: String = url.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for path in [
        format!("/v1/url/reputation?indicator={encoded}"),
        format!("/v1/context/{encoded}"),
        format!("/v1/url/reputation?canary-query={encoded}"),
        format!("/nothing/{encoded}?{encoded}"),
    ] {
        app.get(&path).await;
    }
    let log = app.log();
    let told = log.lines().filter(|line| line.contains("career-offers.example"));
    assert!(told.count() > 4, "{log}");
    assert!(!log.contains("canary"), "{log}");
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
    let file = folder.path().join("pivotd.mtz");
    let file = file.to_str().unwrap();
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
        &[
            "export",
            "mtz",
            "--public-url",
            "https://pivot.example.org",
            "--out",
            file,
        ],
        &["export", "hub-item", "--public-url", "https://pivot.example.org"],
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
