//! Questions of a batch that go in one look-up, where the vendor takes many at once.

use std::sync::Arc;
use std::time::Duration;

use pivotd::config::Settings;
use pivotd::engine::keyring::account::AccountState;
use pivotd::replay::{Fault, Gate, Matcher};
use serde_json::{Value, json};

use crate::support::{Builder, TestApp};

const BATCH: &str = "/v1/enrich/batch";
const ENRICH: &str = "/v1/iris-enrich/";

/// The replayed account may ask Iris Enrich once a second.
const TURN: Duration = Duration::from_secs(1);

/// Names that nobody knows, after some that the fixtures know.
fn names(count: usize) -> Vec<String> {
    let known = ["career-offers.example", "blocked.example", "example.com"].map(str::to_owned);
    let unknown = (0..).map(|at| format!("name-{at}.example"));
    known.into_iter().chain(unknown).take(count).collect()
}

fn one_attempt(settings: &mut Settings) {
    settings.providers.get_mut("domaintools").unwrap().attempts = 1;
}

fn account(app: &TestApp) -> Arc<AccountState> {
    let runtimes = app.app.engine.runtimes();
    Arc::clone(runtimes["domaintools"].keyring.server_account().unwrap())
}

/// Resolves when so many questions wait for others.
async fn gathered(app: &TestApp, count: usize) {
    let account = account(app);
    while account.batch_waiting() != count {
        tokio::task::yield_now().await;
    }
}

/// Resolves when so many questions have joined a batch, whether it has left or not.
async fn joined(app: &TestApp, count: u64) {
    let account = account(app);
    while account.batch_joined() != count {
        tokio::task::yield_now().await;
    }
}

async fn batch(app: &TestApp, names: &[String]) -> Value {
    let answer = app.post_json(BATCH, &json!({"indicators": names})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// Asks about a hundred names; the clock moves once they have left together.
async fn full_batch(app: &TestApp, names: &[String]) -> Value {
    let answering = batch(app, names);
    tokio::pin!(answering);
    tokio::select! {
        _ = &mut answering => panic!("halves wait for their turn"),
        () = app.vendor.wait_for_attempts(2) => {}
    }
    app.while_moving(TURN, answering).await
}

fn decisions(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().unwrap().iter();
    items
        .map(|item| item["assessment"]["decision"].as_str().unwrap())
        .collect()
}

/// The numbers of names that the vendor was asked about in each call.
fn asked(app: &TestApp) -> Vec<usize> {
    let seen = app.vendor.seen().into_iter();
    let calls = seen.filter(|request| request.path == ENRICH);
    calls
        .map(|request| {
            let form = request.form();
            let (_, domains) = form.iter().find(|(name, _)| name == "domain").unwrap();
            domains.split(',').count()
        })
        .collect()
}

#[tokio::test]
async fn the_names_of_a_long_alert_are_one_call_and_those_of_a_short_one_wait_for_nobody() {
    let app = Builder::new().manual_clock().start().await;
    let long = json!({"domain": names(12)});
    let answering = app.post_json("/v1/alerts/score", &long);
    tokio::pin!(answering);
    tokio::select! {
        _ = &mut answering => panic!("they wait for each other"),
        () = gathered(&app, 12) => {}
    }
    let answer = app.while_moving(TURN, answering).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(asked(&app), [12]);
    let short = json!({"domain": ["one.example", "two.example"]});
    let answering = app.post_json("/v1/alerts/score", &short);
    let answer = app.while_moving(TURN, answering).await.json();
    assert_eq!(answer["decision"], "unknown");
    assert_eq!(asked(&app), [12, 1, 1]);
}

#[tokio::test]
async fn two_hundred_and_fifty_names_are_three_calls_and_then_none() {
    let app = Builder::new().manual_clock().start().await;
    let names = names(250);
    let answering = batch(&app, &names);
    tokio::pin!(answering);
    // The full ones leave while the clock stands still.
    tokio::select! {
        _ = &mut answering => panic!("fifty wait for others"),
        () = joined(&app, 250) => {}
    }
    assert_eq!(account(&app).batch_waiting(), 50);
    let answer = app.while_moving(TURN, answering).await;
    assert_eq!(asked(&app), [100, 100, 50]);

    let items = answer["items"].as_array().unwrap();
    for (item, (name, score)) in items.iter().zip(names.iter().zip([87, 100, 3])) {
        assert_eq!(
            (&item["given"], &item["assessment"]["score"]),
            (&json!(name), &json!(score))
        );
    }
    let summary = &answer["summary"];
    assert_eq!(
        ["exceeds", "below", "unknown", "undetermined"].map(|name| summary[name].clone()),
        [2, 1, 247, 0].map(Value::from),
        "{summary}"
    );
    // The first question asked what the account is entitled to, too.
    assert_eq!(summary["cost"], json!({"calls": 4, "cached": 0}));

    let store = app.app.engine.store();
    store.settled().await;
    assert_eq!(
        app.app.engine.ledger().calls_by_product("domaintools")["iris-enrich"],
        3
    );
    let audit = store.audit(10).await.unwrap();
    let questions: Vec<&str> = audit
        .iter()
        .filter(|row| row["operation"] == BATCH && row["product"] == "iris-enrich")
        .map(|row| row["question"].as_str().unwrap())
        .collect();
    assert_eq!(questions.len(), 3, "{audit:?}");
    assert!(
        questions
            .iter()
            .all(|question| question.starts_with("risk domain "))
    );
    for (more, count) in [(" and 99 more", 2), (" and 49 more", 1)] {
        let ends = questions.iter().filter(|question| question.ends_with(more));
        assert_eq!(ends.count(), count, "{questions:?}");
    }

    // Each answer was kept under its own question: nothing waits for anybody.
    let again = batch(&app, &names).await;
    assert_eq!(again["summary"]["cost"], json!({"calls": 0, "cached": 250}));
    assert_eq!(decisions(&again), decisions(&answer));
    let alone = app.get("/v1/domain/blocked.example/reputation").await.json();
    assert_eq!(alone["cost"], json!({"calls": 0, "cached": 1}));
    assert_eq!(app.vendor.attempts_to(ENRICH), 3);

    // Asked anew, the same answers are of now.
    app.clock().advance(Duration::from_secs(60));
    let body = json!({"indicators": names[..100], "max_age": 0});
    let anew = app.post_json(BATCH, &body).await.json();
    assert_eq!(anew["summary"]["cost"], json!({"calls": 1, "cached": 0}));
    let items = anew["items"].as_array().unwrap();
    let ages = items
        .iter()
        .map(|item| &item["assessment"]["evidence"][0]["age_s"]);
    assert!(ages.into_iter().all(|age| *age == 0), "{anew}");
}

#[tokio::test]
async fn a_thousand_names_are_ten_calls() {
    let app = Builder::new().manual_clock().start().await;
    let names = names(1000);
    // All are full, and a quarter of a minute's calls may go at once: the clock need not move.
    let answer = batch(&app, &names).await;
    assert_eq!(asked(&app), [100; 10]);
    assert_eq!(answer["summary"]["unknown"], 997, "{}", answer["summary"]);
}

#[tokio::test]
async fn a_look_up_that_fails_is_told_to_each_and_kept_for_none() {
    let app = Builder::new().manual_clock().settings(one_attempt).start().await;
    let names = names(100);
    let fault = Fault::Status {
        code: 502,
        headers: Vec::new(),
        body: "bad gateway".into(),
    };
    app.vendor.inject(Matcher::path(ENRICH), fault, Some(1));
    let answer = batch(&app, &names).await;
    assert_eq!(decisions(&answer), ["undetermined"; 100]);
    let items = answer["items"].as_array().unwrap();
    let why = |item: &Value| item["assessment"]["evidence"][0]["status"].clone();
    assert!(items.iter().all(|item| why(item) == "provider_error"), "{answer}");
    assert_eq!(
        app.vendor.attempts_to("/v1/"),
        1 + 1,
        "the account, and the names"
    );
    app.clock().advance(TURN);
    let again = batch(&app, &names).await;
    assert_eq!(again["summary"]["undetermined"], 0, "{}", again["summary"]);
    assert_eq!(asked(&app), [100, 100]);
}

#[tokio::test]
async fn a_name_that_the_vendor_refuses_spoils_no_other() {
    let app = Builder::new().manual_clock().start().await;
    let mut names = names(100);
    names[70] = "badrequest.example".to_owned();
    let answer = full_batch(&app, &names).await;
    let told = decisions(&answer);
    assert_eq!(told[..3], ["exceeds", "exceeds", "below"]);
    let others = told[3..].iter().filter(|decision| **decision == "unknown");
    assert!(others.count() >= 96, "{told:?}");
    // Halves of halves, down to the one.
    let asked = asked(&app);
    assert!(asked.len() <= 15 && asked.contains(&1), "{asked:?}");
    assert_eq!(asked[..2], [100, 50]);
}

#[tokio::test]
async fn a_vendor_that_refuses_everything_is_not_asked_about_each() {
    let app = Builder::new().manual_clock().settings(one_attempt).start().await;
    let refusal = Fault::Status {
        code: 400,
        headers: Vec::new(),
        body: json!({"error": {"code": 400, "message": "No."}}).to_string(),
    };
    app.vendor.inject(Matcher::path("/v1/"), refusal, None);
    let own = account(&app);
    let answer = full_batch(&app, &names(100)).await;
    assert_eq!(decisions(&answer), ["undetermined"; 100]);
    assert_eq!(own.batch_waiting(), 0);
    let asked = asked(&app);
    assert!(asked.len() <= 2 * 16 + 1, "{asked:?}");
}

#[tokio::test]
async fn somebody_at_work_waits_for_no_batch() {
    let app = Builder::new().manual_clock().start().await;
    let names = names(2);
    let answering = batch(&app, &names);
    tokio::pin!(answering);
    tokio::select! {
        _ = &mut answering => panic!("the clock stands still, and two are not enough"),
        () = gathered(&app, 2) => {}
    }
    // Another name goes alone, at once.
    let other = app.get("/v1/domain/example.net/reputation").await.json();
    assert_eq!(other["max_score"], 12);
    assert_eq!((asked(&app), account(&app).batch_waiting()), (vec![1], 2));
    // One of these takes the others along.
    let same = app.get("/v1/domain/blocked.example/reputation");
    tokio::pin!(same);
    tokio::select! {
        _ = &mut same => panic!("its turn comes in a second"),
        _ = &mut answering => panic!("its turn comes in a second"),
        () = gathered(&app, 0) => {}
    }
    let same = app.while_moving(TURN, same).await.json();
    assert_eq!(same["max_score"], 100);
    assert_eq!(asked(&app), [1, 2]);
    assert_eq!(decisions(&answering.await), ["exceeds"; 2]);
}

#[tokio::test]
async fn each_waits_to_its_own_deadline_and_what_comes_later_is_kept() {
    let app = Builder::new().manual_clock().start().await;
    let gate = Gate::new();
    app.vendor
        .inject(Matcher::path(ENRICH), Fault::Hold(gate.clone()), None);
    let names = names(100);
    let body = |names: &[String], seconds: u32| json!({"indicators": names, "deadline_s": seconds});
    let (early, late) = (body(&names[..50], 5), body(&names[50..], 20));
    let late = app.post_json(BATCH, &late);
    let early = app.post_json(BATCH, &early);
    tokio::pin!(early, late);
    tokio::select! {
        _ = &mut early => panic!("the answer is held"),
        _ = &mut late => panic!("the answer is held"),
        () = app.vendor.wait_for_attempts(2) => {}
    }
    assert_eq!(asked(&app), [100], "two batches went together");
    app.clock().advance(Duration::from_secs(5));
    let told = tokio::select! {
        early = &mut early => early.json(),
        _ = &mut late => panic!("it has time"),
    };
    assert_eq!(decisions(&told), ["undetermined"; 50]);
    gate.release();
    assert_eq!(decisions(&late.await.json()), ["unknown"; 50]);
    let again = batch(&app, &names).await;
    assert_eq!(again["summary"]["cost"], json!({"calls": 0, "cached": 100}));
}
