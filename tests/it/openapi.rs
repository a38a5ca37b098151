//! The description of the API: three editions for tools, and a page for people.

use serde_json::json;

use crate::support::{Answer, Builder, TestApp};

/// Asks without a token, as a tool does that has yet to learn how to ask.
async fn anonymous(app: &TestApp, path: &str) -> Answer {
    let request = app.http.get(format!("{}{path}", app.base));
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn every_edition_is_served_to_whoever_asks() {
    let app = TestApp::start().await;
    for (path, member, edition) in [
        ("/openapi.json", "openapi", "3.1"),
        ("/openapi-3.0.json", "openapi", "3.0.3"),
        ("/swagger.json", "swagger", "2.0"),
    ] {
        let answer = anonymous(&app, path).await;
        assert_eq!(
            (
                answer.status,
                answer.header("content-type"),
                answer.header("x-content-type-options")
            ),
            (200, "application/json", "nosniff"),
            "{path}"
        );
        let document = answer.json();
        assert!(document[member].as_str().unwrap().starts_with(edition), "{path}");
        assert!(
            document["paths"]["/v1/alerts/score"]["post"].is_object(),
            "{path}"
        );
        assert_eq!(anonymous(&app, path).await.body, answer.body, "{path}");
    }
}

#[tokio::test]
async fn the_page_may_load_nothing_but_its_own_style() {
    let app = TestApp::start().await;
    let page = anonymous(&app, "/docs").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(
        (
            page.header("x-content-type-options"),
            page.header("referrer-policy")
        ),
        ("nosniff", "no-referrer")
    );
    for link in ["openapi.json", "openapi-3.0.json", "swagger.json"] {
        assert!(page.body.contains(&format!("href=\"{link}\"")), "{link}");
        assert_eq!(anonymous(&app, &format!("/{link}")).await.status, 200, "{link}");
    }
    assert!(page.body.contains("https://pivot.example.org/v1/alerts/score"));
}

#[tokio::test]
async fn the_examples_of_the_page_call_the_public_url() {
    let url = "https://soc.example.net/pivot?a&b";
    let app = Builder::new()
        .settings(move |settings| settings.server.public_url = Some(url.to_owned()))
        .start()
        .await;
    let page = anonymous(&app, "/docs").await.body;
    assert!(page.contains("https://soc.example.net/pivot?a&amp;b/v1/alerts/score"));
    assert!(!page.contains("pivot.example.org"));
}

/// An example that the server refuses would teach the wrong thing.
#[tokio::test]
async fn the_examples_of_the_document_are_answered() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").await.json();
    let mut asked = 0;
    for (path, _, operation) in pivotd::openapi::operations(&document) {
        let example = pivotd::openapi::request(&document, path, operation).expect(path);
        let answer = match &example.body {
            Some(body) => app.post_json(&example.target, body).await,
            None => app.get(&example.target).await,
        };
        // No decision has the example's id.
        let status = if path.starts_with("/v1/decisions/") {
            404
        } else {
            200
        };
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        asked += 1;
    }
    assert_ne!(asked, 0);
    // Lists, as the edition without alternatives has them.
    let document = app.get("/swagger.json").await.json();
    let lists = &document["definitions"]["Alert"]["example"];
    assert_eq!(lists["ip"], json!(["192.0.2.44"]));
    assert_eq!(app.post_json("/v1/alerts/score", lists).await.status, 200);
}
