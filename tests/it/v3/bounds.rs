//! Whose runs are whose, and how many there may be.

use pivotd::tokens::{NewToken, Scope};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{V3, domain, request};
use crate::support::{Builder, TestApp};

async fn token(app: &TestApp, name: &str, scopes: &[Scope]) -> String {
    let new = NewToken {
        scopes: scopes.to_vec(),
        ..NewToken::for_everyday(name)
    };
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    token.expose_secret().to_owned()
}

/// A transform that pivotd answers itself, and something to ask it.
fn own(app: &TestApp) -> (String, Value) {
    let configured = app.app.configured.load();
    let spec = configured
        .catalogue
        .transforms()
        .iter()
        .find(|spec| spec.providers().is_empty())
        .unwrap();
    let body = request(&spec.inputs[0].type_id, &[&spec.example], &[]);
    (spec.name.clone(), body)
}

#[tokio::test]
async fn a_run_is_its_clients_own() {
    let app = TestApp::start().await;
    let (transform, body) = own(&app);
    let client = V3::new(&app);
    let run = client.create(&transform, &body).await;
    let stranger = V3::of(&app, &token(&app, "stranger", &[Scope::Transforms]).await);
    for (method, path) in [
        (Method::GET, format!("{run}/results")),
        (Method::GET, format!("{run}/status")),
        (Method::POST, format!("{run}/cancel")),
        (Method::DELETE, run.clone()),
    ] {
        let refused = stranger.send(method, &path, None).await;
        assert_eq!(refused.status, 404, "{path}: {}", refused.body);
        let nobody = V3 {
            token: None,
            ..V3::new(&app)
        };
        assert_eq!(nobody.get(&format!("{run}/results")).await.status, 404);
    }
    assert_eq!(client.page(&run, 0).await.status, 200, "it is still there");
    let other = run.replace(&transform, "domaintools.whois");
    assert_eq!(
        client.get(&format!("{other}/results")).await.status,
        404,
        "another transform's"
    );
}

/// A client whose token stands in the body reads its run by the id alone, which no other can guess.
#[tokio::test]
async fn a_token_in_the_body_runs_and_its_run_can_be_read() {
    let app = TestApp::start().await;
    let (transform, mut body) = own(&app);
    let client = V3 {
        token: None,
        ..V3::new(&app)
    };
    let path = format!("/transforms/{transform}/run");
    let refused = client.send(Method::POST, &path, Some(&body)).await;
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (401, "application/problem+json")
    );
    assert_eq!(refused.json()["error_code"], "auth.credentials_missing");
    body["transformSettings"] = json!([{"name": "global#pivotd.token", "value": "pvtd_wrong"}]);
    let refused = client.send(Method::POST, &path, Some(&body)).await;
    assert_eq!(
        (refused.status, refused.json()["reason"].as_str()),
        (401, Some("invalid"))
    );
    body["transformSettings"] = json!([{"name": "global#pivotd.token", "value": app.token}]);
    let (state, _) = client.run(&transform, &body).await;
    assert_eq!(state, "COMPLETED");
    assert_eq!(
        client.get("/transforms").await.status,
        401,
        "discovery asks for a token all the same"
    );
}

#[tokio::test]
async fn who_asks_is_looked_at_before_the_body() {
    let app = TestApp::start().await;
    let no_scope = token(&app, "scorer", &[Scope::Enrich]).await;
    let path = format!("/transforms/{}/run", own(&app).0);
    for (token, status) in [
        ("pvtd_wrong", 401),
        (no_scope.as_str(), 403),
        (app.token.as_str(), 422),
    ] {
        let client = V3::of(&app, token);
        let answer = client.send(Method::POST, &path, Some(&json!([]))).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

#[tokio::test]
async fn runs_that_are_not_read_are_bounded() {
    let app = TestApp::start().await;
    let (transform, body) = own(&app);
    let client = V3::new(&app);
    let mut runs = Vec::new();
    let refused = loop {
        let path = format!("/transforms/{transform}/run");
        let created = client.send(Method::POST, &path, Some(&body)).await;
        if created.status != 201 {
            break created;
        }
        runs.push(format!(
            "{path}/{}",
            created.json()["result"]["runId"].as_str().unwrap()
        ));
        assert!(runs.len() <= 1000);
    };
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert!(!refused.header("retry-after").is_empty());
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .contains("did not read"),
        "{}",
        refused.body
    );
    // Another client has room, and one that is read makes some.
    let other = V3::of(&app, &token(&app, "other", &[Scope::Transforms]).await);
    other.create(&transform, &body).await;
    client.read_until(&runs[0], &mut Vec::new(), |_| false).await;
    client.create(&transform, &body).await;
    assert_eq!(client.get(&format!("{}/results", runs[0])).await.status, 404);
}

#[tokio::test]
async fn a_tokens_rate_counts_each_input() {
    let app = Builder::new().manual_clock().start().await;
    let new = NewToken {
        scopes: vec![Scope::Transforms],
        per_minute: std::num::NonZeroU32::new(3),
        ..NewToken::for_everyday("slow")
    };
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    let client = V3::of(&app, token.expose_secret());
    let transform = "domaintools.ip-history";
    let two = request("maltego.Domain", &["a.example", "b.example"], &[]);
    let run = client.create(transform, &two).await;
    client.read_until(&run, &mut Vec::new(), |_| false).await;
    let refused = client
        .send(Method::POST, &format!("/transforms/{transform}/run"), Some(&two))
        .await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let app = TestApp::start().await;
    let client = V3::new(&app);
    let transform = own(&app).0;
    let path = format!("/transforms/{transform}/run");
    let values: Vec<String> = (0..2_001).map(|number| format!("n{number}.example")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let refused = client
        .send(
            Method::POST,
            &path,
            Some(&request("maltego.Domain", &values, &[])),
        )
        .await;
    assert_eq!(refused.status, 413, "{}", refused.body);
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .contains("2000 entities")
    );
    let mut heavy = domain("a.example");
    heavy["input"]["graph"]["entities"][0]["note"] = json!("x".repeat(3 << 20));
    let refused = client.send(Method::POST, &path, Some(&heavy)).await;
    assert_eq!(refused.status, 413, "{}", refused.body);
    assert!(app.app.runs.is_empty());
}
