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
    assert!(page.body.contains(&format!("{}/v1/alerts/score", app.base)));
    assert!(page.body.contains("$PIVOTD_TOKEN") && page.body.contains("Example of an answer"));
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

#[tokio::test]
async fn a_document_names_the_server_that_it_came_from() {
    let app = TestApp::start().await;
    for path in ["/openapi.json", "/openapi-3.0.json"] {
        let document = anonymous(&app, path).await.json();
        assert_eq!(document["servers"][0]["url"], app.base, "{path}");
    }
    let strange = app
        .http
        .get(format!("{}/openapi.json", app.base))
        .header("host", "a.example/\"},{\"x\":\"y@b");
    let status = strange.send().await.map(|answer| answer.status().as_u16());
    assert!(status.is_err() || status.is_ok_and(|status| status != 500));
    let url = "https://soc.example.net/pivot";
    let public = Builder::new()
        .settings(move |settings| settings.server.public_url = Some(url.to_owned()))
        .start()
        .await;
    let document = anonymous(&public, "/openapi.json").await.json();
    assert_eq!(document["servers"][0]["url"], url);
}

#[tokio::test]
async fn the_page_of_a_demo_sends_no_token_and_the_first_page_leads_there() {
    let demo = Builder::new().demo().start().await;
    let page = anonymous(&demo, "/docs").await.body;
    assert!(!page.contains("PIVOTD_TOKEN") && page.contains(&demo.base));
    let first = anonymous(&demo, "/").await;
    assert!(first.body.contains("<a href=\"/docs\">"), "{}", first.body);
}

/// Lists the members of objects, those of lists by their first element.
fn members(value: &serde_json::Value, path: &str, found: &mut std::collections::BTreeSet<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{path}.{name}");
                found.insert(path.clone());
                members(value, &path, found);
            }
        }
        serde_json::Value::Array(items) => items
            .iter()
            .for_each(|item| members(item, &format!("{path}[]"), found)),
        _ => {}
    }
}

#[tokio::test]
async fn example_answers_have_the_members_of_answers() {
    let app = Builder::new()
        .with(["virustotal", "rdap"])
        .shipped()
        .start()
        .await;
    let document = anonymous(&app, "/openapi.json").await.json();
    let example = |path: &str, method: &str| {
        let response = &document["paths"][path][method]["responses"]["200"];
        response["content"]["application/json"]["example"].clone()
    };
    let score = app.get("/v1/ip/192.0.2.44/reputation").await.json();
    let decision = format!("/v1/decisions/{}", score["decision_id"].as_str().unwrap());
    let feedback = json!({ "verdict": "false_positive", "reason": "our own scanner" });
    let said = app
        .post_json(&format!("{decision}/feedback"), &feedback)
        .await
        .json();
    let batch = json!({ "indicators": ["192.0.2.44"] });
    for (path, method, answer) in [
        ("/v1/ip/{ip}/reputation", "get", score),
        ("/v1/decisions/{decision}", "get", app.get(&decision).await.json()),
        ("/v1/decisions/{decision}/feedback", "post", said),
        (
            "/v1/enrich/batch",
            "post",
            app.post_json("/v1/enrich/batch", &batch).await.json(),
        ),
        (
            "/v1/context/{indicator}",
            "get",
            app.get("/v1/context/192.0.2.44").await.json(),
        ),
    ] {
        let (mut shown, mut sent) = Default::default();
        members(&example(path, method), "", &mut shown);
        members(&answer, "", &mut sent);
        // What stands in a list may differ from element to element.
        let whole = |all: &std::collections::BTreeSet<String>| {
            let top = all
                .iter()
                .filter(|path| !path.contains("[]") && path.matches('.').count() == 1);
            top.cloned().collect::<Vec<_>>()
        };
        assert!(!shown.is_empty(), "{path}");
        assert_eq!(whole(&shown), whole(&sent), "{path}");
    }
    for (path, method) in [("/v1/alerts/score", "post"), ("/v1/url/reputation", "get")] {
        let parameters = document["paths"][path][method]["parameters"].to_string();
        assert!(parameters.contains("X-Pivotd-Rehearse"), "{path}");
        let refused = &document["paths"][path][method]["responses"]["403"];
        assert!(
            refused.to_string().contains("urn:pivotd:problem:scope-missing"),
            "{path}"
        );
    }
}
