//! Disks that are full or nearly so: what needs no write goes on, what does is refused, and all is well again without a
//! restart.

use pivotd::storage::redb::failing::FailingDisk;
use serde_json::json;

use crate::support::{Builder, Entity, TestApp};

const TRANSFORM: &str = "domaintools.ip-history";

async fn on(disk: &FailingDisk) -> TestApp {
    Builder::new().disk(disk).start().await
}

/// Asks for what was asked before, which is answered, and for what is new, which is not: nothing is spent for it.
async fn goes_on_with_what_it_has(app: &TestApp, decided: &str, reply: &str) {
    let seen = app.vendor.attempts();
    let held = app.run(TRANSFORM, Entity::domain("example.com")).await;
    assert!(!held.entities().is_empty(), "{}", held.body);
    let again = app
        .post_json("/v1/alerts/score", &json!({"domain": "career-offers.example"}))
        .await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(app.get(decided).await.status, 200, "decisions are read");
    let named = json!({"domain": "career-offers.example"}).to_string();
    let replayed = app.post_named("/v1/alerts/score", "one", named).await;
    assert_eq!((replayed.status, replayed.body.as_str()), (200, reply));
    let named = json!({"domain": "career-offers.example"}).to_string();
    let unkept = app.post_named("/v1/alerts/score", "another", named).await;
    assert_eq!(unkept.status, 200, "{}", unkept.body);
    let spent = app.run(TRANSFORM, Entity::domain("example.org")).await;
    assert!(spent.entities().is_empty());
    assert!(spent.body.contains("nothing was spent"), "{}", spent.body);
    let fresh = json!({"domain": "never-asked.example"});
    let refused = app.post_json("/v1/alerts/score", &fresh).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(refused.json()["type"], "urn:pivotd:problem:store");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
    let batch = app
        .post_json(
            "/v1/enrich/batch",
            &json!({"indicators": ["also-never-asked.example"]}),
        )
        .await;
    let item = &batch.json()["items"][0];
    assert_eq!(
        (&item["status"], item["retry_after_s"].is_u64()),
        (&json!(503), true),
        "{}",
        batch.body
    );
    assert_eq!(app.vendor.attempts(), seen, "nothing was asked");
    assert_eq!(app.get("/healthz").await.status, 200);
    let ready = app.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("nothing is spent"), "{}", ready.body);
}

/// Asks for something, so that the server has it.
async fn prepare(app: &TestApp) -> (String, String) {
    assert_eq!(app.get("/readyz").await.status, 200);
    app.run(TRANSFORM, Entity::domain("example.com")).await;
    let named = json!({"domain": "career-offers.example"}).to_string();
    let reply = app.post_named("/v1/alerts/score", "one", named).await;
    let id = reply.json()["decision_id"].as_str().unwrap().to_owned();
    (format!("/v1/decisions/{id}"), reply.body)
}

async fn is_well_again(app: &TestApp) {
    let ready = app.get("/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.body);
    let fresh = app
        .post_json("/v1/alerts/score", &json!({"domain": "never-asked.example"}))
        .await;
    assert_eq!(fresh.status, 200, "{}", fresh.body);
    let spent = app.run(TRANSFORM, Entity::domain("example.org")).await;
    assert!(!spent.body.contains("nothing was spent"), "{}", spent.body);
}

fn metric(text: &str, name: &str) -> i64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn a_full_disk_is_survived_without_a_restart() {
    let disk = FailingDisk::default();
    let app = on(&disk).await;
    let (decided, reply) = prepare(&app).await;
    disk.fill(true);
    goes_on_with_what_it_has(&app, &decided, &reply).await;
    let metrics = app.get("/metrics").await.body;
    assert_eq!(metric(&metrics, "pivotd_store_writable"), 0);
    assert!(metric(&metrics, "pivotd_store_failed_writes_total") > 0);
    disk.fill(false);
    is_well_again(&app).await;
    let metrics = app.get("/metrics").await.body;
    assert_eq!(metric(&metrics, "pivotd_store_writable"), 1);
    assert_eq!(metric(&metrics, "pivotd_store_reopened_total"), 1);
    assert!(metric(&metrics, "pivotd_replies_kept_bytes") > 0);
    // What was kept while it failed, before and after is there in the next process.
    let app = Builder::new().after(app.stop().await).start().await;
    assert_eq!(app.get(&decided).await.status, 200);
}

#[tokio::test]
async fn spending_and_decisions_stop_before_the_disk_is_full() {
    let disk = FailingDisk::default();
    let app = on(&disk).await;
    let (decided, reply) = prepare(&app).await;
    disk.say_free(60 << 20);
    goes_on_with_what_it_has(&app, &decided, &reply).await;
    let metrics = app.get("/metrics").await.body;
    assert_eq!(metric(&metrics, "pivotd_store_free_bytes"), 60 << 20);
    disk.say_free(80 << 20);
    is_well_again(&app).await;
    let metrics = app.get("/metrics").await.body;
    assert_eq!(metric(&metrics, "pivotd_store_reopened_total"), 0);
}
