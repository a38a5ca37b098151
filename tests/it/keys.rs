//! Keys that cannot be used: nobody takes silence for an answer.

use crate::support::{Builder, Entity};

#[tokio::test]
async fn a_key_that_cannot_be_read_leaves_scores_undetermined_and_readiness_says_so() {
    let app = Builder::new()
        .settings(|settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.credentials.remove("api_key");
            provider
                .missing
                .insert("api_key".to_owned(), "/run/key cannot be read".to_owned());
            provider.key_fault = Some("/run/key cannot be read".to_owned());
        })
        .start()
        .await;
    let answer = app
        .get("/v1/domain/career-offers.example/reputation")
        .await
        .json();
    assert_eq!(answer["decision"], "undetermined", "{answer}");
    assert!(answer["causes"].to_string().contains("domaintools"), "{answer}");
    assert!(!answer.to_string().contains("/run/key"), "{answer}");
    let ready = app.get("/readyz").await;
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (200, "ready\nwithout domaintools: its key cannot be read\n")
    );
    let run = app
        .run("domaintools.ip-history", Entity::domain("example.com"))
        .await;
    assert!(run.body.contains("cannot be read"), "{}", run.body);
    assert!(app.vendor.seen().is_empty());
}

#[tokio::test]
async fn a_provider_without_any_key_is_not_missed() {
    let app = Builder::new()
        .settings(|settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.credentials.clear();
            provider
                .missing
                .insert("api_key".to_owned(), "KEY is not set".to_owned());
        })
        .start()
        .await;
    let answer = app
        .get("/v1/domain/career-offers.example/reputation")
        .await
        .json();
    assert_eq!(answer["decision"], "unsupported", "{answer}");
    assert_eq!(app.get("/readyz").await.body, "ready\n");
}

#[tokio::test]
async fn a_server_of_scores_alone_is_ready() {
    let scores = Builder::new()
        .settings(|settings| settings.transforms.clear())
        .start()
        .await;
    assert_eq!(scores.get("/readyz").await.status, 200);
    let neither = Builder::new()
        .settings(|settings| {
            settings.transforms.clear();
            for provider in settings.providers.values_mut() {
                provider.enabled = false;
            }
        })
        .start()
        .await;
    assert_eq!(neither.get("/readyz").await.status, 503);
}
