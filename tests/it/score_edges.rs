//! Scores at their edges: old answers, names of one's own, encoded paths, more than can be scored.

use std::time::Duration;

use pivotd::config::Settings;
use pivotd::domain::{Lists, Purpose};
use pivotd::replay::{Fault, Matcher};
use pivotd::tokens::{NewToken, Scope};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{Answer, Builder, TestApp};

const ALERT: &str = "/v1/alerts/score";
const DAY: Duration = Duration::from_secs(86_400);

async fn score(app: &TestApp, alert: &Value) -> Value {
    let answer = app.post_json(ALERT, alert).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// Calls a name one's own.
fn own(settings: &mut Settings, name: &str) {
    let mut lists = Lists::clone(&settings.lists);
    lists.add_entry(Purpose::Own, name, "own.txt").unwrap();
    settings.lists = lists.into();
}

/// Writes a mail from outside with these lines of its body.
fn mail(from: &str, body: &str) -> String {
    format!(
        "Received: from x ([192.0.2.44]) by mx1.corp.example; Sat, 21 Nov 2026 09:12:00 +0000\r\n\
         Authentication-Results: mx1.corp.example; dmarc=fail header.from=corp.example\r\n\
         From: <{from}>\r\nSubject: x\r\n\r\n{body}\r\n"
    )
}

#[tokio::test]
async fn what_was_known_once_is_not_what_a_source_that_fails_would_say() {
    let app = Builder::new()
        .manual_clock()
        .settings(|settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.attempts = 1;
            provider.timeout = Duration::from_secs(90);
            // Longer than any wait of the engine's own.
            settings.deadlines.enrich = Duration::from_secs(3000);
        })
        .start()
        .await;
    let score = async |app: &TestApp, alert: &Value| {
        app.while_moving(Duration::from_secs(70), score(app, alert)).await
    };
    let quiet = json!({"domain": "nobody-knows-this.example"});
    let loud = json!({"domain": "career-offers.example"});
    assert_eq!(score(&app, &quiet).await["decision"], "unknown");
    let before = score(&app, &loud).await;
    app.clock().advance(DAY);
    app.vendor.inject(Matcher::any(), Fault::InvalidJson, None);
    let answer = score(&app, &quiet).await;
    let item = &answer["indicators"][0];
    assert_eq!(
        (
            &item["evidence"][0]["status"],
            &item["complete"],
            &item["decision"]
        ),
        (&json!("stale"), &json!(false), &json!("undetermined")),
        "{item}"
    );
    assert!(answer["retry_after_s"].as_u64().unwrap() > 0);
    // What speaks against it still does.
    let answer = score(&app, &loud).await;
    let item = &answer["indicators"][0];
    assert_eq!(item["score"], before["indicators"][0]["score"]);
    assert_eq!(
        (&item["complete"], &item["decision"], &item["coverage"]["failed"]),
        (&json!(false), &json!("exceeds"), &json!(1))
    );
}

#[tokio::test]
async fn what_is_encoded_in_a_path_is_what_it_stands_for() {
    let app = TestApp::start().await;
    for (path, indicator) in [
        (
            "/v1/email/a%2Bb%40mailbox.example/reputation",
            "a+b@mailbox.example",
        ),
        (
            "/v1/email/a%25b@mailbox.example/reputation",
            "a%b@mailbox.example",
        ),
        ("/v1/email/a+b@mailbox.example/reputation", "a+b@mailbox.example"),
    ] {
        let answer = app.get(path).await;
        assert_eq!(
            answer.json()["indicators"][0]["indicator"],
            indicator,
            "{}",
            answer.body
        );
    }
    let found = app.get("/v1/context/a%2Bb%40mailbox.example").await.json();
    assert_eq!(found["indicator"], "a+b@mailbox.example");
    for path in ["/v1/email/%FF%40mailbox.example/reputation", "/v1/context/%FF"] {
        assert_eq!(app.get(path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    let app = TestApp::start().await;
    for (path, wrong, allowed) in [
        (ALERT, Method::GET, "POST"),
        ("/v1/enrich/batch", Method::PUT, "POST"),
        ("/v1/domain/example.com/reputation", Method::POST, "GET, HEAD"),
        ("/healthz", Method::DELETE, "GET, HEAD"),
    ] {
        let request = app.http.request(wrong, format!("{}{path}", app.base));
        let answer = Answer::of(request.bearer_auth(&app.token).send().await.unwrap()).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{path}");
        assert_eq!(answer.json()["type"], "urn:pivotd:problem:method-not-allowed");
    }
    let head = app
        .http
        .head(format!("{}/healthz", app.base))
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.text().await.unwrap(), "");
}

#[tokio::test]
async fn nobody_is_asked_for_facts_of_what_is_ones_own_or_nobodys() {
    let app = Builder::new()
        .settings(|settings| {
            own(settings, "corp.example");
        })
        .start()
        .await;
    for indicator in [
        "10.1.2.3",
        "corp.example",
        "desk@corp.example",
        "http%3A%2F%2Fcorp.example%2Fx",
    ] {
        let found = app.get(&format!("/v1/context/{indicator}")).await.json();
        assert_eq!(found["facts"], json!([]), "{found}");
        assert!(
            found["not_asked"].as_str().is_some_and(|why| !why.is_empty()),
            "{found}"
        );
    }
    assert_eq!(app.vendor.attempts_to("/v1/"), 0);
}

#[tokio::test]
async fn a_rehearsal_is_as_wide_as_the_alert_and_asks_nobody_for_facts_either() {
    let app = Builder::new().manual_clock().start().await;
    let new = NewToken {
        scopes: vec![Scope::Rehearse],
        ..NewToken::for_everyday("rehearsal")
    };
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    let alert = json!({"email": "a@career-offers.example", "min_sources": 3});
    let request = app
        .http
        .post(format!("{}{ALERT}", app.base))
        .bearer_auth(token.expose_secret())
        .header("x-pivotd-rehearse", "exceeds")
        .body(alert.to_string());
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = answer.json();
    assert_eq!(answer["decision"], "exceeds");
    assert!(answer["scores"]["email_domain"].is_number(), "{answer}");
    let context = async |branch: &str| {
        let request = app
            .http
            .get(format!("{}/v1/context/career-offers.example", app.base))
            .bearer_auth(token.expose_secret())
            .header("x-pivotd-rehearse", branch);
        Answer::of(request.send().await.unwrap()).await
    };
    let found = context("exceeds").await.json();
    assert_eq!((&found["rehearsal"], &found["facts"]), (&json!(true), &json!([])));
    assert_eq!(context("limited").await.status, 429);
    assert_eq!(app.vendor.attempts_to("/v1/"), 0);
}

#[tokio::test]
async fn what_is_too_much_to_score_leaves_an_alert_undetermined() {
    let app = Builder::new()
        .manual_clock()
        .with(["virustotal"])
        .settings(|settings| {
            settings.providers.get_mut("domaintools").unwrap().enabled = false;
        })
        .start()
        .await;
    let links = |hosts: usize, pages: usize| {
        let link = |at: usize| format!("http://harmless-{}.example/{at}", at % hosts);
        (0..pages).map(|at| link(at) + "\r\n").collect::<String>()
    };
    let body = links(30, 30);
    let answer = score(&app, &json!({"message": mail("a@sender.example", &body)})).await;
    assert_eq!(answer["decision"], "undetermined");
    assert!(!answer["excess"].as_array().unwrap().is_empty());
    for text in ["summary", "markdown"] {
        assert!(
            answer[text].as_str().unwrap().contains("oo many"),
            "{}",
            answer[text]
        );
    }
    // Many pages of a few hosts leave room for the one that counts.
    let body = links(3, 60) + "http://career-offers.example/apply\r\n";
    let answer = score(&app, &json!({"message": mail("a@sender.example", &body)})).await;
    assert_eq!(answer["decision"], "exceeds", "{}", answer["summary"]);
}

#[tokio::test]
async fn a_sender_of_ones_own_who_is_not_what_he_seems_is_told() {
    let app = Builder::new()
        .settings(|settings| {
            settings.trusted_relays = vec![
                "corp.example".parse().unwrap(),
                "mx1.corp.example".parse().unwrap(),
            ];
            own(settings, "corp.example");
        })
        .start()
        .await;
    let answer = score(
        &app,
        &json!({"message": mail("ceo@corp.example", "transfer it today")}),
    )
    .await;
    let notes = answer["notes"].to_string();
    assert!(
        notes.contains("ceo@corp.example was not scored, but mx1.corp.example found dmarc fail"),
        "{answer}"
    );
    // That the link is known does not vouch for the sender.
    let risk = crate::phishing::risk("harmless.example", "3");
    app.vendor.inject(Matcher::any(), risk, None);
    let text = "see http://harmless.example/";
    let named = |message: String| json!({"message": message, "domain": "harmless.example"});
    let linked = score(&app, &named(mail("ceo@corp.example", text))).await;
    assert_eq!(
        (&linked["decision"], &linked["scores"]["url"]),
        (&json!("unknown"), &json!(3)),
        "{linked}"
    );
    let plain = format!("From: <ceo@corp.example>\r\n\r\n{text}\r\n");
    let closed = score(&app, &named(plain.clone())).await;
    assert_eq!(closed["decision"], "below", "{closed}");
    // That the host is harmless vouches for a page there only where the alert names the host besides.
    let open = score(&app, &json!({ "message": plain })).await;
    assert_eq!(
        (&open["decision"], &open["scores"]["url"], &open["unknown"]),
        (&json!("unknown"), &json!(3), &json!(["http://harmless.example/"])),
        "{open}"
    );
    assert!(
        open["notes"].to_string().contains("only the host is known"),
        "{open}"
    );
    app.vendor.clear_faults();
    // Two alerts that differ in what is told beside the scores are two decisions.
    let other = score(
        &app,
        &json!({"message": mail("cfo@corp.example", "transfer it today")}),
    )
    .await;
    assert_ne!(answer["decision_id"], other["decision_id"]);
    let own = score(
        &app,
        &json!({"message": "From: <a@corp.example>\r\n\r\nhi\r\n", "on_unknown": "exceeds"}),
    )
    .await;
    assert_eq!(
        (&own["decision"], &own["any_exceeds"]),
        (&json!("unknown"), &json!(false))
    );
    assert_eq!(own["summary"], "Nothing was scored: a@corp.example ignored.");
}

#[tokio::test]
async fn a_name_below_a_public_suffix_is_its_customers_own() {
    let app = TestApp::start().await;
    let answer = score(&app, &json!({"email": "billing@evil.us.com"})).await;
    let roles: Vec<&str> = answer["scores"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(roles, ["email", "email_domain"]);
    let domain = &answer["indicators"][1];
    assert_eq!(domain["safe_to_block"], true, "{domain}");
}

#[tokio::test]
async fn a_host_is_asked_by_its_own_name_too_where_a_source_knows_hosts() {
    let app = Builder::new()
        .with(["virustotal"])
        .settings(|settings| {
            settings.providers.get_mut("domaintools").unwrap().enabled = false;
        })
        .start()
        .await;
    let vendor = &app.others["virustotal"];
    for (host, asked) in [("www.career-offers.example", 1), ("c2.sub.nobody.example", 2)] {
        vendor.forget();
        score(&app, &json!({"domain": host})).await;
        assert_eq!(vendor.attempts(), asked, "{host}");
    }
}

#[tokio::test]
async fn sources_of_one_family_do_not_agree_with_themselves() {
    for (family, decision) in [(None, "exceeds"), (Some("domaintools"), "below")] {
        let app = Builder::new()
            .with(["virustotal"])
            .settings(move |settings| {
                let rules = settings.reputation.sources.get_mut("virustotal").unwrap();
                rules.family = family.map(str::to_owned);
                let rules = settings.reputation.sources.get_mut("domaintools").unwrap();
                rules.family = family.map(|_| "domaintools".to_owned());
            })
            .start()
            .await;
        let answer = score(
            &app,
            &json!({"domain": "career-offers.example", "min_sources": 2}),
        )
        .await;
        assert_eq!(answer["decision"], decision, "{}", answer["indicators"]);
    }
}

#[tokio::test]
async fn what_people_said_of_a_host_counts_for_what_stands_there() {
    let app = Builder::new().manual_clock().start().await;
    let url = json!({"url": "http://career-offers.example/apply"});
    let answer = score(&app, &json!({"domain": "career-offers.example"})).await;
    assert_eq!(score(&app, &url).await["decision"], "exceeds");
    let path = format!(
        "/v1/decisions/{}/feedback",
        answer["decision_id"].as_str().unwrap()
    );
    let said = json!({"verdict": "false_positive", "reason": "our own campaign", "expires_in_days": 300});
    assert_eq!(app.post_json(&path, &said).await.status, 200);
    assert_eq!(score(&app, &url).await["indicators"][0]["score"], 20);
    // What was confirmed holds as long as people wanted it to, and loses no weight before.
    let said = json!({"verdict": "confirmed", "reason": "seen it", "expires_in_days": 300});
    assert_eq!(app.post_json(&path, &said).await.status, 200);
    app.clock().advance(299 * DAY);
    app.vendor.inject(Matcher::any(), Fault::InvalidJson, None);
    let late = score(&app, &url).await;
    assert_eq!(late["indicators"][0]["score"], 95, "{}", late["summary"]);
}

#[tokio::test]
async fn members_that_a_template_left_empty_are_left_out() {
    let app = TestApp::start().await;
    let alert = json!({
        "domain": "career-offers.example", "email": "", "ip": ["", " "], "message": "", "threshold": "", "tlp": "",
        "pap": "", "on_unknown": "", "on_undetermined": "", "providers": "", "max_age": "",
    });
    assert_eq!(score(&app, &alert).await["decision"], "exceeds");
    let named = json!({"domain": "career-offers.example", "providers": "domaintools, "});
    assert_eq!(score(&app, &named).await["decision"], "exceeds");
    for (body, part) in [
        (json!({"domain": "", "ip": []}), "there is no indicator"),
        (json!(["a@example.com", "example.com"]), "expected a JSON object"),
        (json!({"ip": {"value": 1}}), "expected a text or a list of texts"),
    ] {
        let refused = app.post_json(ALERT, &body).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
        assert!(refused.body.contains(part), "{}", refused.body);
    }
    assert!(
        app.log()
            .contains("client=\"tester\" face=enrich operation=\"/v1/alerts/score\" outcome=refused")
    );
}

#[tokio::test]
async fn links_without_a_scheme_and_defanged_ones_are_read() {
    let app = TestApp::start().await;
    for link in [
        "www.career-offers.example/apply",
        "hxxps://career-offers[.]example/pay",
        "(WWW.career-offers.example).",
    ] {
        let answer = score(
            &app,
            &json!({"message": mail("a@sender.example", &format!("see {link} today"))}),
        )
        .await;
        assert_eq!(answer["decision"], "exceeds", "{link}: {}", answer["summary"]);
    }
}

#[tokio::test]
async fn a_registry_without_a_server_is_no_failure() {
    let app = Builder::new().with(["rdap"]).start().await;
    let answer = score(&app, &json!({"domain": "nobody-knows-this.kg"})).await;
    assert_eq!(
        (&answer["decision"], &answer["indicators"][0]["complete"]),
        (&json!("unknown"), &json!(true)),
        "{answer}"
    );
}
