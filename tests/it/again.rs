//! Scores that are asked for again in the same words: sent from what was rendered, and true nevertheless.

use std::time::Duration;

use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use pivotd::replay::{Fault, Matcher};
use pivotd::tokens::NewToken;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::{Builder, TestApp, answering, budget};

const ALERT: &str = r#"{"domain":"career-offers.example","ip":"192.0.2.44"}"#;

async fn post(app: &TestApp, body: &str) -> Value {
    let request = app
        .http
        .post(format!("{}/v1/alerts/score", app.base))
        .bearer_auth(&app.token)
        .body(body.to_owned());
    let response = request.send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["request_id"], id.as_str());
    answer
}

/// Counts what the cache holds, rendered answers included.
async fn held(app: &TestApp) -> u64 {
    let cache = app.app.engine.cache();
    cache
        .stats(app.app.engine.clock().now())
        .await
        .unwrap()
        .memory_entries
}

fn nameless(mut answer: Value) -> Value {
    answer.as_object_mut().unwrap().remove("request_id");
    answer
}

async fn start() -> TestApp {
    Builder::new()
        .manual_clock()
        .settings(|settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.budget = vec![budget(None, 10, BudgetUnit::Calls, BudgetWindow::Day)];
        })
        .start()
        .await
}

#[tokio::test]
async fn the_same_words_get_the_same_answer_with_its_own_id_ages_and_budgets() {
    let app = start().await;
    assert_eq!(post(&app, ALERT).await["cost"], json!({"calls": 2, "cached": 0}));
    let before = held(&app).await;
    let second = post(&app, ALERT).await;
    assert_eq!(second["cost"], json!({"calls": 0, "cached": 1}));
    assert_eq!(held(&app).await, before + 1, "what was rendered is kept");
    assert_eq!(second["budget"][0]["left"], 8);

    app.clock().advance(Duration::from_millis(61_500));
    post(&app, r#"{"domain":"example.com"}"#).await;
    let third = post(&app, ALERT).await;
    assert_ne!(third["request_id"], second["request_id"]);
    let age = |answer: &Value| answer["indicators"][0]["evidence"][0]["age_s"].clone();
    assert_eq!((age(&second), age(&third)), (json!(0), json!(61)));
    assert_eq!(third["budget"][0]["left"], 7);
    // The same alert in other words is concluded anew.
    let anew = post(&app, &format!(" {ALERT}")).await;
    assert_eq!(nameless(third), nameless(anew));

    // A look-up in a path, too.
    let path = "/v1/domain/career-offers.example/reputation";
    let (one, other) = (app.get(path).await.json(), app.get(path).await.json());
    assert_ne!(one["request_id"], other["request_id"]);
    assert_eq!(nameless(one), nameless(other));
    assert_eq!(
        app.get(&format!("{path}?threshold=90")).await.json()["decision"],
        "below"
    );

    app.clock().advance(Duration::from_secs(7 * 3600));
    let late = post(&app, ALERT).await;
    assert_eq!(
        late["cost"]["cached"], 0,
        "what is no longer fresh is asked again"
    );
}

#[tokio::test]
async fn a_greatest_age_bounds_how_long_an_answer_is_sent_again() {
    let app = start().await;
    let alert = r#"{"domain":"career-offers.example","max_age":3600}"#;
    post(&app, alert).await;
    let before = held(&app).await;
    let second = post(&app, alert).await;
    assert_eq!(held(&app).await, before + 1, "what was rendered is kept");
    app.clock().advance(Duration::from_secs(3599));
    let third = post(&app, alert).await;
    assert_eq!(
        (&third["decision_id"], &third["cost"]),
        (&second["decision_id"], &json!({"calls": 0, "cached": 1}))
    );
    assert_eq!(nameless(third), nameless(post(&app, &format!(" {alert}")).await));
    app.clock().advance(Duration::from_secs(2));
    let fourth = post(&app, alert).await;
    assert_eq!(fourth["cost"], json!({"calls": 1, "cached": 0}), "it is too old");

    // Without an age that is accepted, nothing is sent again.
    let none = r#"{"domain":"career-offers.example","max_age":0}"#;
    for _ in 0..3 {
        let before = held(&app).await;
        assert_eq!(post(&app, none).await["cost"]["calls"], 1);
        assert_eq!(held(&app).await, before);
    }
}

#[tokio::test]
async fn a_token_that_may_not_refresh_gets_nothing_that_another_of_its_client_asked_for() {
    let app = start().await;
    let alert = r#"{"domain":"career-offers.example","max_age":60}"#;
    for _ in 0..3 {
        post(&app, alert).await;
    }
    let (other, _) = app
        .app
        .tokens
        .create(NewToken::for_everyday("tester"))
        .await
        .unwrap();
    let request = app
        .http
        .post(format!("{}/v1/alerts/score", app.base))
        .bearer_auth(other.expose_secret())
        .body(alert);
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn what_people_say_holds_for_what_was_rendered_before() {
    let app = start().await;
    post(&app, ALERT).await;
    let exceeds = post(&app, ALERT).await;
    assert_eq!(exceeds["decision"], "exceeds");
    let path = format!(
        "/v1/decisions/{}/feedback",
        exceeds["decision_id"].as_str().unwrap()
    );
    let wrong = json!({
        "verdict": "false_positive", "indicator": "career-offers.example", "reason": "ours", "expires_in_days": 1,
    });
    let said = app.post_json(&path, &wrong).await;
    assert_eq!(said.status, 200, "{}", said.body);
    for _ in 0..2 {
        let capped = post(&app, ALERT).await;
        assert_eq!(capped["indicators"][0]["decision"], "below");
        assert_eq!(capped["decision"], "unknown", "no source scores the address");
    }
    let withdrawn = json!({"verdict": "withdrawn", "indicator": "career-offers.example", "reason": "no"});
    assert_eq!(app.post_json(&path, &withdrawn).await.status, 200);
    assert_eq!(post(&app, ALERT).await["decision"], "exceeds");
}

#[tokio::test]
async fn a_reload_and_another_client_change_what_was_rendered() {
    let app = start().await;
    post(&app, ALERT).await;
    let first = post(&app, ALERT).await;
    let mut loaded = pivotd::config::load(None, &[], &crate::support::providers()).unwrap();
    loaded.settings = app.app.configured.load().settings().clone();
    loaded.settings.reputation.thresholds.all = Some(90);
    app.app.reload(loaded).unwrap();
    let other = post(&app, ALERT).await;
    assert_eq!(
        (&first["decision"], &other["indicators"][0]["decision"]),
        (&json!("exceeds"), &json!("below"))
    );
}

#[tokio::test]
async fn evidence_that_loses_weight_is_sent_again_until_it_has_lost_some() {
    let app = Builder::new()
        .manual_clock()
        .with(["virustotal"])
        .settings(|settings| {
            settings.providers.get_mut("domaintools").unwrap().enabled = false;
            let rules = &mut settings.reputation;
            rules.decay_power = 1;
            rules.sources.get_mut("virustotal").unwrap().lifetime_s = Some(10 * 86_400);
        })
        .start()
        .await;
    let alert = r#"{"domain":"career-offers.example"}"#;
    post(&app, alert).await;
    let mut scores = Vec::new();
    let mut sent_again = 0;
    // Within the six hours that a reputation is kept; a step of its age takes fourteen minutes.
    for round in 0..50_usize {
        app.clock().advance(Duration::from_secs(6 * 60));
        let before = held(&app).await;
        let (one, other) = (post(&app, alert).await, post(&app, alert).await);
        sent_again += u32::from(held(&app).await == before);
        let anew = post(&app, &format!("{}{alert}", " ".repeat(round + 1))).await;
        assert_eq!(nameless(one.clone()), nameless(anew.clone()), "round {round}");
        assert_eq!(nameless(other), nameless(anew), "round {round}");
        let score = &one["indicators"][0]["score"];
        scores.push(score.as_u64().unwrap_or_else(|| panic!("{one}")));
    }
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert!(scores.first() > scores.last(), "{scores:?}");
    assert!(sent_again > 5, "{sent_again}");
}

#[tokio::test]
async fn a_product_that_the_account_does_not_include_is_not_missed_around_an_indicator() {
    let product = |id: &str| json!({"id": id, "usage": {"today": "0", "month": "0"}});
    let account = json!({"response": {
        "account": {"api_username": "analyst", "active": true},
        "products": [product("account-information"), product("risk")],
    }});
    let risk = json!({"response": {"domain": "career-offers.example", "risk_score": 87, "components": []}});
    let exchanges = vec![
        ("GET /v1/account".to_owned(), account),
        (
            "GET /v1/risk\nquery: domain=career-offers.example".to_owned(),
            risk,
        ),
    ];
    let app = Builder::new()
        .manual_clock()
        .shipped()
        .plays("domaintools", answering("domaintools", exchanges))
        .start()
        .await;
    post(&app, r#"{"domain":"career-offers.example"}"#).await;
    for alert in [
        ALERT,
        r#"{"ip":"192.0.2.44"}"#,
        r#"{"email":"billing@career-offers.example"}"#,
    ] {
        let first = post(&app, alert).await;
        assert_eq!(first["causes"], json!([]), "{first}");
        let (before, asked) = (held(&app).await, app.vendor.attempts());
        post(&app, alert).await;
        assert_eq!(held(&app).await, before + 1, "what was rendered is kept: {alert}");
        let again = post(&app, alert).await;
        assert_eq!(nameless(again), nameless(post(&app, &format!(" {alert}")).await));
        assert_eq!(app.vendor.attempts(), asked, "{alert}");
    }
}

#[tokio::test]
async fn a_product_that_was_refused_is_asked_for_again_when_it_may_be_included() {
    let app = Builder::new().manual_clock().shipped().start().await;
    let refused = || Fault::Status {
        code: 403,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: r#"{"error":{"code":403,"message":"You do not have access to this product."}}"#.to_owned(),
    };
    // What is refused is in the account's list here, as where a product ended since.
    app.vendor.inject(Matcher::path("host-domains"), refused(), None);
    let alert = r#"{"ip":"192.0.2.44"}"#;
    let first = post(&app, alert).await;
    let evidence = &first["indicators"][0]["evidence"][0];
    assert_eq!(
        evidence["reasons"],
        json!(["the list of its domains is not in the subscription"]),
        "{first}"
    );
    assert_eq!(first["causes"], json!([]));
    for _ in 0..3 {
        let left_out = post(&app, alert).await;
        assert_eq!(
            (&left_out["cost"]["calls"], &left_out["causes"]),
            (&json!(0), &json!([]))
        );
    }
    app.vendor.clear_faults();
    app.clock().advance(Duration::from_secs(25 * 3600));
    // The risks of its domains wait a moment for each other.
    let later = app.while_moving(Duration::from_secs(1), post(&app, alert)).await;
    assert_ne!(later["cost"]["calls"], 0, "{later}");
    assert_ne!(later["indicators"][0]["evidence"], json!([]), "{later}");
}
