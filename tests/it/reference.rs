//! Files of public facts: fetched anew, used at once, and never replaced by broken ones.

use std::time::Duration;

use pivotd::clock::Clock;
use pivotd::replay::{Fault, Gate, Matcher};

use crate::support::{Builder, Entity};

#[tokio::test]
async fn newer_files_are_fetched_and_used_and_broken_ones_are_not() {
    let app = Builder::new().with(["rdap"]).start().await;
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

/// A registrar that hangs costs its contacts only, and not for long; a registry that fails shuts no other.
#[tokio::test]
async fn one_server_of_many_holds_up_nothing() {
    let app = Builder::new().with(["rdap"]).manual_clock().start().await;
    let vendor = &app.others["rdap"];
    let gate = Gate::new();
    let registry = serde_json::json!({
        "objectClassName": "domain",
        "ldhName": "slow.com",
        "events": [{"eventAction": "registration", "eventDate": "2009-02-11T00:00:00Z"}],
        "links": [{
            "rel": "related",
            "type": "application/rdap+json",
            "href": format!("{}/rdap.registrar.example/of/slow.com", vendor.base_url()),
        }],
    });
    let answer = Fault::Status {
        code: 200,
        headers: vec![("Content-Type".to_owned(), "application/rdap+json".to_owned())],
        body: registry.to_string(),
    };
    vendor.inject(Matcher::path("/domain/slow.com"), answer, None);
    vendor.inject(
        Matcher::path("rdap.registrar.example"),
        Fault::Hold(gate.clone()),
        None,
    );
    let began = app.clock().elapsed();
    let run = app.run("rdap.whois", Entity::domain("slow.com"));
    let answer = async {
        tokio::pin!(run);
        tokio::select! {
            biased;
            // The registry's attempt, and the registrar's.
            () = vendor.wait_for_attempts(2) => {}
            answer = &mut run => return answer,
        }
        app.while_moving(Duration::from_secs(40), run).await
    };
    let answer = answer.await;
    let took = app.clock().elapsed() - began;
    assert!(
        answer.said("PartialError").contains("the registrar's contacts"),
        "{}",
        answer.body
    );
    assert!(!answer.entities().is_empty(), "{}", answer.body);
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(
        vendor.attempts_to("/rdap.registrar.example/of/slow.com"),
        1,
        "it is not asked twice"
    );
    gate.release();
}
