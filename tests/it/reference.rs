//! Files of public facts: fetched anew, used at once, and never replaced by broken ones.

use pivotd::replay::{Fault, Matcher};

use crate::support::{Builder, Entity};

#[tokio::test]
async fn newer_files_are_fetched_and_used_and_broken_ones_are_not() {
    let app = Builder::new().with(&["rdap"]).start().await;
    let data = app.folder.path().join("data");
    let folder = data.join("reference").join("rdap");
    let before = app.run("rdap.whois", Entity::domain("nowhere.example")).await;
    assert!(
        before
            .said("PartialError")
            .contains("knows no server for .example"),
        "{}",
        before.body
    );
    // What was fetched long ago counts as missing; here it is gone.
    std::fs::remove_dir_all(&folder).unwrap();
    let vendor = &app.others["rdap"];
    let newer = serde_json::json!({
        "version": "1.0",
        "publication": "2026-11-21T00:00:00Z",
        "services": [[["example"], [format!("{}/rdap.registry.example/", vendor.base_url())]]],
    });
    let fault = Fault::Status {
        code: 200,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: newer.to_string(),
    };
    vendor.inject(Matcher::path("dns.json"), fault, None);
    vendor.inject(Matcher::path("ipv4.json"), Fault::HtmlInsteadOfJson, None);
    app.app.engine.refresh_reference(&data).await;
    assert!(folder.join("dns.json").exists());
    assert!(!folder.join("ipv4.json").exists(), "a page is no list of servers");
    let after = app.run("rdap.whois", Entity::domain("nowhere.example")).await;
    assert!(
        after.said("Inform").contains("knows nothing"),
        "the new server was asked: {}",
        after.body
    );
    let asked = vendor.attempts_to("/rdap.registry.example/domain/nowhere.example");
    assert_eq!(asked, 1);
    // What is new enough is not fetched again.
    let attempts = vendor.attempts_to("/rdap/dns.json");
    app.app.engine.refresh_reference(&data).await;
    assert_eq!(vendor.attempts_to("/rdap/dns.json"), attempts);
}
