//! The life of a run: created, read page by page, cancelled, deleted, forgotten.

use std::time::Duration;

use pivotd::http::admin::cache::Purge;
use pivotd::replay::{Fault, Gate, Matcher};
use reqwest::Method;
use serde_json::{Value, json};

use super::{V3, domain, example, found, of, request, told};
use crate::support::{Builder, Entity, TestApp};

const IP_HISTORY: &str = "domaintools.ip-history";
const NAME: &str = "tendrit.example";

#[tokio::test]
async fn a_run_is_created_read_and_deleted() {
    let app = TestApp::start().await;
    let client = V3::new(&app);
    let run = client.create(IP_HISTORY, &domain(NAME)).await;
    let mut events = Vec::new();
    assert_eq!(client.read_until(&run, &mut events, |_| false).await, "COMPLETED");
    let xml = app.run(IP_HISTORY, Entity::domain(NAME)).await;
    assert_eq!(found(&events), xml.entities(), "as by the other protocol");
    let links = of(&events, "ADD LINK");
    let ids: Vec<_> = of(&events, "ADD ENTITY")
        .iter()
        .map(|data| data["entity"]["id"].clone())
        .collect();
    let ends: Vec<_> = links
        .iter()
        .map(|data| data["link"]["targetId"].clone())
        .collect();
    assert_eq!(ids, ends);
    assert!(links.iter().all(|data| data["link"]["sourceId"] == "e0"));
    let labels = links
        .iter()
        .flat_map(|data| data["link"]["properties"].as_array().unwrap());
    assert!(labels.clone().any(|one| one["name"] == "maltego.link.label"));

    // The same page is sent as often as it is asked for, whole or in parts.
    let page = client.page(&run, 0).await;
    assert_eq!(
        page.json()["result"]["events"].as_array().unwrap()[..],
        events[..]
    );
    let part = client
        .get(&format!("{run}/status?eventPointer=1&eventLimit=1"))
        .await
        .json();
    assert_eq!(part["result"]["events"], json!([events[1]]));
    let last = client.get(&format!("{run}/results?eventPointer=-2")).await.json();
    assert_eq!(
        last["result"]["events"].as_array().unwrap()[..],
        events[events.len() - 2..]
    );
    let beyond = client.get(&format!("{run}/results?eventPointer=999")).await;
    assert_eq!(
        (beyond.status, beyond.json()["result"]["events"].clone()),
        (200, json!([]))
    );

    let deleted = client.send(Method::DELETE, &run, None).await;
    let summary = deleted.json();
    assert_eq!(
        (summary["state"].as_str(), &summary["atomicEntityCount"]),
        (Some("COMPLETED"), &json!(ids.len()))
    );
    assert_eq!(
        summary["entities"]["added"]["maltego.IPv4Address"],
        json!(ids.len())
    );
    let added: serde_json::Value = serde_json::from_str(deleted.header("maltego-entities-added")).unwrap();
    assert_eq!(added, summary["entities"]["added"]);
    for method in [Method::GET, Method::DELETE] {
        let path = if method == Method::GET {
            format!("{run}/results")
        } else {
            run.clone()
        };
        let gone = client.send(method, &path, None).await;
        assert_eq!(
            (gone.status, gone.json()),
            (404, json!({"detail": "Transform run not found"}))
        );
    }
    assert!(app.app.runs.is_empty() && app.app.runs.bytes() == 0);
    let log = app.log();
    let line = log
        .lines()
        .find(|line| line.contains("status=201"))
        .unwrap_or_else(|| panic!("{log}"));
    assert!(
        line.contains(IP_HISTORY) && line.contains("outcome=found") && line.contains(NAME),
        "{line}"
    );
}

#[tokio::test]
async fn a_run_that_comes_again_tells_the_same_under_ids_of_its_own() {
    let app = TestApp::start().await;
    let client = V3::new(&app);
    let as_if = |events: &[Value]| -> (Vec<Value>, Vec<String>) {
        let mut ids = Vec::new();
        let mut events = events.to_vec();
        for event in &mut events {
            event["timestamp"].take();
            for kind in ["entity", "link"] {
                for name in ["id", "targetId"] {
                    if let Some(id) = event["data"].get_mut(kind).and_then(|one| one.get_mut(name)) {
                        ids.push(id.take().as_str().unwrap().to_owned());
                    }
                }
            }
        }
        (events, ids)
    };
    let (state, first) = client.run(IP_HISTORY, &domain(NAME)).await;
    let (first, mut seen) = as_if(&first);
    let mut odd = domain(NAME);
    odd["input"]["graph"]["entities"][0]["id"] = json!("e\"0\\");
    for (body, source) in [
        (domain(NAME), "e0"),
        (domain(NAME), "e0"),
        (domain(NAME), "e0"),
        (odd, "e\"0\\"),
    ] {
        let (ended, events) = client.run(IP_HISTORY, &body).await;
        assert_eq!(ended, state);
        let links = of(&events, "ADD LINK");
        assert!(links.iter().all(|data| data["link"]["sourceId"] == source));
        let ends = of(&events, "ADD ENTITY").into_iter().zip(links);
        for (entity, link) in ends {
            assert_eq!(entity["entity"]["id"], link["link"]["targetId"]);
        }
        let (mut events, ids) = as_if(&events);
        assert!(ids.iter().all(|id| !seen.contains(id)), "no id comes twice");
        seen.extend(ids);
        for event in &mut events {
            if let Some(at) = event["data"]
                .get_mut("link")
                .and_then(|link| link.get_mut("sourceId"))
            {
                *at = json!("e0");
            }
        }
        assert_eq!(events, first);
    }
    let log = app.log();
    assert_eq!(log.matches("cache=hit").count(), 4, "{log}");
    // A smaller limit is another question, and an answer that was removed is asked for again.
    let mut two = domain(NAME);
    two["limit"] = json!(2);
    for _ in 0..3 {
        let (_, events) = client.run(IP_HISTORY, &two).await;
        assert_eq!(found(&events).len(), 2);
    }
    let attempts = app.vendor.attempts();
    let purge = Purge {
        provider: Some("domaintools".to_owned()),
        ..Purge::default()
    };
    app.operator(&purge).await.unwrap();
    let (_, events) = client.run(IP_HISTORY, &domain(NAME)).await;
    assert_eq!(as_if(&events).0.len(), first.len());
    assert!(app.vendor.attempts() > attempts, "it was asked for again");
}

#[tokio::test]
async fn a_token_in_the_path_serves_all_of_it() {
    let app = TestApp::start().await;
    for prefix in ["/api/v3", ""] {
        let client = V3 {
            prefix: format!("/t/{}{prefix}", app.token),
            token: None,
            ..V3::new(&app)
        };
        let (state, events) = client.run(IP_HISTORY, &domain(NAME)).await;
        assert_eq!(state, "COMPLETED");
        assert!(!found(&events).is_empty());
        let listing = client.get("/transforms").await;
        assert_eq!(
            (listing.status, listing.header("cache-control")),
            (200, "no-store")
        );
        // A token of another issuer says nothing about the one in the path.
        let signed = V3 {
            token: Some("eyJhbGciOiJSUzI1NiJ9.e30.c2ln".to_owned()),
            ..client
        };
        assert_eq!(signed.get("/transforms").await.status, 200);
    }
}

#[tokio::test]
async fn cancelling_gives_up_what_was_asked_and_keeps_what_was_told() {
    let app = TestApp::start().await;
    let client = V3::new(&app);
    let gate = Gate::new();
    app.vendor.inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    let run = client.create(IP_HISTORY, &domain(NAME)).await;
    app.vendor.wait_for_attempts(1).await;
    let cancelled = client.send(Method::POST, &format!("{run}/cancel"), None).await;
    assert_eq!(
        (cancelled.status, cancelled.header("maltego-run-state")),
        (200, "CANCELED")
    );
    assert_eq!(cancelled.json()["state"], "CANCELED");
    let page = client.page(&run, 0).await;
    assert_eq!(page.json()["result"]["state"], "CANCELED");
    let deleted = client.send(Method::DELETE, &run, None).await;
    assert_eq!(deleted.json()["state"], "CANCELED");
    gate.release();

    // Deleting a run that is under way cancels it; one that ended can be called cancelled afterwards.
    let held = Gate::new();
    app.vendor.inject(Matcher::any(), Fault::Hold(held.clone()), None);
    let run = client.create("domaintools.whois", &domain(NAME)).await;
    assert_eq!(
        client.send(Method::DELETE, &run, None).await.json()["state"],
        "CANCELED"
    );
    held.release();
    app.vendor.clear_faults();
    let run = client.create(IP_HISTORY, &domain(NAME)).await;
    client.read_until(&run, &mut Vec::new(), |_| false).await;
    let deleted = client
        .send(Method::DELETE, &format!("{run}?Cancelled=TRUE"), None)
        .await;
    assert_eq!(deleted.json()["state"], "CANCELED");
    assert!(app.log().contains("outcome=canceled"));
}

#[tokio::test]
async fn a_forgotten_run_ends_and_goes() {
    let app = Builder::new().manual_clock().start().await;
    let client = V3::new(&app);
    let gate = Gate::new();
    app.vendor.inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    let run = client.create(IP_HISTORY, &domain(NAME)).await;
    app.vendor.wait_for_attempts(1).await;
    // A client that asks keeps it.
    for _ in 0..2 {
        app.clock().advance(Duration::from_secs(20));
        assert_eq!(client.page(&run, 0).await.header("maltego-run-state"), "RUNNING");
    }
    app.clock().advance(Duration::from_secs(60));
    while !app.log().contains("outcome=timed_out") {
        tokio::task::yield_now().await;
    }
    let page = client.page(&run, 0).await;
    assert_eq!(
        (
            page.header("maltego-run-state"),
            page.json()["result"]["state"].as_str()
        ),
        ("TIMED_OUT", Some("FAILED"))
    );
    let events = page.json()["result"]["events"].as_array().unwrap().clone();
    let messages = told(&events);
    assert!(
        messages
            .iter()
            .any(|(kind, text)| kind == "ERROR" && text.contains("inactive for 60s")),
        "{messages:?}"
    );
    let expired = json!({"reason": "COMPLETED", "result": {}});
    let prompt = client
        .send(Method::POST, &format!("{run}/prompts/p"), Some(&expired))
        .await;
    assert_eq!(
        (prompt.status, prompt.header("maltego-run-state")),
        (410, "TIMED_OUT")
    );
    while !app.app.runs.is_empty() {
        app.clock().advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    let gone = client.get(&format!("{run}/results")).await;
    assert_eq!(
        (gone.status, gone.header("maltego-run-state")),
        (404, "TIMED_OUT")
    );
    assert_eq!(app.app.runs.bytes(), 0);
    gate.release();
    // The next run is looked for again.
    app.vendor.clear_faults();
    let run = client.create(IP_HISTORY, &domain("career-offers.example")).await;
    client.read_until(&run, &mut Vec::new(), |_| false).await;
    while !app.app.runs.is_empty() {
        app.clock().advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn several_inputs_are_one_run_whose_errors_are_told() {
    let app = TestApp::start().await;
    let client = V3::new(&app);
    let body = request(
        "maltego.Domain",
        &[NAME, "not a name", &example(&app, IP_HISTORY)],
        &[],
    );
    let (state, events) = client.run(IP_HISTORY, &body).await;
    assert_eq!(state, "COMPLETED");
    let sources: std::collections::BTreeSet<_> = of(&events, "ADD LINK")
        .iter()
        .map(|data| data["link"]["sourceId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["e0", "e2"]);
    let messages = told(&events);
    assert!(
        messages
            .iter()
            .any(|(kind, text)| kind == "ERROR" && text.starts_with("not a name")),
        "{messages:?}"
    );
    let progress = of(&events, "ADD STATUS_MESSAGE");
    let progress: Vec<f64> = progress
        .iter()
        .map(|data| data["statusMessage"]["progress"].as_f64().unwrap())
        .collect();
    assert!(
        progress.is_sorted() && progress.iter().all(|part| (0.0..=1.0).contains(part)),
        "{progress:?}"
    );
    let (state, events) = client.run(IP_HISTORY, &domain("not a name")).await;
    assert_eq!((state.as_str(), found(&events).len()), ("FAILED", 0));
}

#[tokio::test]
async fn settings_and_the_limit_count() {
    let app = TestApp::start().await;
    let client = V3::new(&app);
    let mut body = domain(NAME);
    body["limit"] = json!(1);
    let (_, events) = client.run(IP_HISTORY, &body).await;
    assert_eq!(found(&events).len(), 1);
    let messages = told(&events);
    assert!(
        messages
            .iter()
            .any(|(kind, text)| kind == "INFO" && text.contains("1 of ")),
        "{messages:?}"
    );
    let wrong = request("maltego.Domain", &[NAME], &[("domaintools.since", json!("soon"))]);
    let (state, events) = client.run(IP_HISTORY, &wrong).await;
    let messages = told(&events);
    assert_eq!(state, "FAILED");
    assert!(
        messages[0].1.contains("domaintools.since") && !messages[0].1.contains("soon"),
        "{messages:?}"
    );
    // As a client writes it: with the transform's name, and as milliseconds.
    let late = request(
        "maltego.Domain",
        &[NAME],
        &[(
            &format!("{IP_HISTORY}.domaintools.since"),
            json!(4_102_444_800_000_i64),
        )],
    );
    let (_, events) = client.run(IP_HISTORY, &late).await;
    assert!(found(&events).is_empty());
    assert!(told(&events)[0].1.contains("2100-01-01"), "{:?}", told(&events));
}

#[tokio::test]
async fn an_annotated_input_is_updated_in_place() {
    let app = TestApp::start().await;
    let client = V3::new(&app);
    let (state, events) = client
        .run("domaintools.whois", &domain(&example(&app, "domaintools.whois")))
        .await;
    assert_eq!(state, "COMPLETED");
    let updates = of(&events, "UPDATE ENTITY");
    assert_eq!(updates.len(), 1, "{events:?}");
    let entity = &updates[0]["entity"];
    assert_eq!(entity["id"], "e0");
    assert!(entity.get("type").is_none() && !entity["properties"].as_array().unwrap().is_empty());
    assert!(
        of(&events, "ADD LINK")
            .iter()
            .all(|data| data["link"]["targetId"] != "e0")
    );
}
