//! What a client discovers, and the headers around it.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::Method;
use serde_json::{Value, json};

use super::V3;
use crate::support::{Answer, Builder, TestApp};

#[tokio::test]
async fn documents_are_served_with_and_without_the_prefix() {
    let app = TestApp::start().await;
    for prefix in ["", "/api/v3"] {
        let client = V3 {
            prefix: prefix.to_owned(),
            ..V3::new(&app)
        };
        for path in [
            "/status",
            "/transforms",
            "/transforms/domaintools.whois",
            "/assets",
            "/assets/entities",
            "/assets/icons",
            "/assets/machines",
            "/assets/sets",
            "/assets/oauthservice",
            "/hub_item",
            "/.well-known/supported_capabilities",
        ] {
            let answer = client.get(path).await;
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (200, "application/json"),
                "{prefix}{path}"
            );
            assert_eq!(answer.header("maltego-protocol-version"), "3.3");
            assert!(answer.header("vary").contains("Maltego-Client-Capabilities"));
            answer.json();
        }
    }
    let status = V3::new(&app).get("").await.json();
    assert_eq!(status["v2TransformCount"], 0);
    let listing = V3::new(&app).get("/transforms").await.json();
    assert_eq!(
        status["v3TransformCount"],
        listing["transforms"].as_array().unwrap().len()
    );
    let health = Answer::of(app.http.get(format!("{}/health", app.base)).send().await.unwrap()).await;
    assert_eq!(
        (health.status, health.json()),
        (200, json!({"status": "ok"})),
        "without a token"
    );
    let hub = V3::new(&app).get("/hub_item").await.json();
    assert_eq!(
        (hub["iconUrl"].clone(), hub["provider"]["phone"].clone()),
        (json!(format!("{}/icon.png", app.base)), Value::Null)
    );
}

#[tokio::test]
async fn a_document_that_the_client_has_is_not_sent_again() {
    let app = TestApp::start().await;
    let get = |path: &str, tag: Option<String>| {
        let mut request = app
            .http
            .get(format!("{}{path}", app.base))
            .bearer_auth(&app.token);
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        async move { Answer::of(request.send().await.unwrap()).await }
    };
    for path in [
        "/transforms",
        "/assets",
        "/assets/icons",
        "/api/v3/transforms/domaintools.whois",
    ] {
        let whole = get(path, None).await;
        let tag = whole.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        for held in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
            let same = get(path, Some(held)).await;
            assert_eq!(
                (same.status, same.body.as_str(), same.header("etag")),
                (304, "", tag.as_str()),
                "{path}"
            );
        }
        assert_eq!(get(path, Some("\"other\"".to_owned())).await.status, 200);
    }
}

#[tokio::test]
async fn large_documents_are_packed_as_the_client_asks() {
    let app = TestApp::start().await;
    // One that leaves packed what is packed.
    let http = reqwest::Client::builder()
        .no_proxy()
        .no_gzip()
        .no_zstd()
        .no_brotli()
        .build()
        .unwrap();
    let get = |path: &str, coding: &'static str| {
        let request = http.get(format!("{}{path}", app.base)).bearer_auth(&app.token);
        async move { request.header("accept-encoding", coding).send().await.unwrap() }
    };
    let plain = get("/transforms", "identity").await;
    assert!(!plain.headers().contains_key("content-encoding"));
    let plain = plain.bytes().await.unwrap();
    let packed = get("/transforms", "deflate, gzip;q=0.5").await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(
        packed.headers()["vary"]
            .to_str()
            .unwrap()
            .contains("Accept-Encoding")
    );
    let packed = packed.bytes().await.unwrap();
    let mut unpacked = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == plain && packed.len() * 5 < plain.len());
    let packed = get("/transforms", "gzip, zstd").await;
    assert_eq!(packed.headers()["content-encoding"], "zstd");
    assert!(zstd::bulk::decompress(&packed.bytes().await.unwrap(), plain.len()).unwrap() == plain);
    for (path, coding) in [("/transforms", "gzip;q=0"), ("/status", "gzip")] {
        assert!(
            !get(path, coding).await.headers().contains_key("content-encoding"),
            "{path} {coding}"
        );
    }
}

#[tokio::test]
async fn the_protocol_is_the_one_that_the_client_names() {
    let app = TestApp::start().await;
    let request = app
        .http
        .get(format!("{}/status", app.base))
        .bearer_auth(&app.token);
    let answer = Answer::of(
        request
            .header("maltego-protocol-version", "3.1")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(answer.header("maltego-protocol-version"), "3.1");
    for (path, named, spoken) in [
        ("/status", "banana", "banana"),
        ("/assets", "banana", "3.3"),
        ("/assets", "3.2", "3.2"),
    ] {
        let request = app
            .http
            .get(format!("{}{path}", app.base))
            .bearer_auth(&app.token);
        let answer = Answer::of(
            request
                .header("maltego-protocol-version", named)
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(answer.header("maltego-protocol-version"), spoken, "{path}");
    }
    let wanted = V3::new(&app)
        .get("/transforms?capabilities=inputConstraints")
        .await
        .json();
    assert_eq!(wanted["transforms"], json!([]), "no transform has it");
}

#[tokio::test]
async fn pages_of_configured_origins_may_call() {
    let app = Builder::new()
        .settings(|settings| settings.maltego.cors_origins = vec!["https://graph.example".to_owned()])
        .start()
        .await;
    let preflight = |origin: &'static str| {
        let url = format!("{}/api/v3/transforms/domaintools.whois/run", app.base);
        let request = app.http.request(Method::OPTIONS, url).header("origin", origin);
        let request = request
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,authorization")
            .header("access-control-request-private-network", "true");
        async move { Answer::of(request.send().await.unwrap()).await }
    };
    let allowed = preflight("https://graph.example").await;
    assert_eq!((allowed.status, allowed.body.as_str()), (200, "OK"));
    for (name, value) in [
        ("access-control-allow-origin", "https://graph.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-headers", "content-type,authorization"),
        ("access-control-allow-private-network", "true"),
    ] {
        assert_eq!(allowed.header(name), value, "{name}");
    }
    let denied = preflight("https://app.maltego.com").await;
    assert_eq!(
        (denied.status, denied.body.as_str()),
        (400, "Disallowed CORS origin")
    );
    assert_eq!(denied.header("access-control-allow-origin"), "");
    let request = app
        .http
        .get(format!("{}/transforms", app.base))
        .bearer_auth(&app.token);
    let read = Answer::of(
        request
            .header("origin", "https://graph.example")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert!(
        read.header("access-control-expose-headers")
            .contains("maltego-run-state")
    );
    // What is refused can be read, too.
    let request = app.http.get(format!("{}/transforms", app.base));
    let refused = Answer::of(
        request
            .header("origin", "https://graph.example")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin")),
        (401, "https://graph.example")
    );
}
