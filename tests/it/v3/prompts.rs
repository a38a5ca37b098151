//! What is sold is asked about before it is bought.

use std::time::Duration;

use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use pivotd::tokens::{NewToken, Scope};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{V3, found, of, request, told};
use crate::support::{Builder, TestApp, budget};

const REVERSE_WHOIS: &str = "domaintools.reverse-whois";
const MAIL: &str = "a.kranz@mailbox.example";

fn builder(max_price: i64) -> Builder {
    Builder::new().settings(move |settings| {
        let mut money = budget(
            Some("reverse-whois"),
            20_000,
            BudgetUnit::Cents,
            BudgetWindow::Month,
        );
        money.max_price = Some(max_price);
        money.currency = Some("USD".to_owned());
        settings.providers.get_mut("domaintools").unwrap().budget = vec![money];
    })
}

fn mail() -> Value {
    request("maltego.EmailAddress", &[MAIL], &[])
}

/// Reads a run until it asks; returns the prompt.
async fn asked(client: &V3<'_>, run: &str, events: &mut Vec<Value>) -> Value {
    let state = client
        .read_until(run, events, |events| !of(events, "ADD CHOICE_PROMPT").is_empty())
        .await;
    assert_eq!(state, "RUNNING", "{events:?}");
    of(events, "ADD CHOICE_PROMPT")[0].clone()
}

async fn answer(client: &V3<'_>, run: &str, prompt: &Value, reason: &str, choice: &str) {
    let path = format!("{run}/prompts/{}", prompt["id"].as_str().unwrap());
    let body = json!({"reason": reason, "result": {"control": choice}});
    let taken = client.send(Method::POST, &path, Some(&body)).await;
    assert_eq!(
        (taken.status, taken.header("maltego-run-state")),
        (204, "RUNNING"),
        "{}",
        taken.body
    );
}

#[tokio::test]
async fn the_price_is_asked_about_and_the_answer_buys() {
    let app = builder(10_000).start().await;
    let client = V3::new(&app);
    let run = client.create(REVERSE_WHOIS, &mail()).await;
    let mut events = Vec::new();
    let prompt = asked(&client, &run, &mut events).await;
    let message = prompt["message"].as_str().unwrap();
    assert!(
        message.contains("USD in all") && message.contains("of the budget would be left"),
        "{message}"
    );
    assert_eq!(prompt["options"].as_array().unwrap().len(), 2);
    assert_eq!(prompt["defaultOptionId"], "keep");
    assert!(found(&events).is_empty());
    answer(&client, &run, &prompt, "COMPLETED", "buy").await;
    assert_eq!(client.read_until(&run, &mut events, |_| false).await, "COMPLETED");
    assert!(!found(&events).is_empty(), "{events:?}");
    let attempts = app.vendor.attempts();
    // What was bought is held: no question, no second price.
    let (_, again) = client.run(REVERSE_WHOIS, &mail()).await;
    assert!(of(&again, "ADD CHOICE_PROMPT").is_empty());
    assert_eq!((found(&again), app.vendor.attempts()), (found(&events), attempts));
}

#[tokio::test]
async fn without_a_yes_nothing_is_bought() {
    let app = builder(10_000).manual_clock().start().await;
    let client = V3::new(&app);
    for (reason, choice) in [("COMPLETED", "keep"), ("CANCELLED", "buy"), ("TIMED_OUT", "buy")] {
        let run = client.create(REVERSE_WHOIS, &mail()).await;
        let mut events = Vec::new();
        let prompt = asked(&client, &run, &mut events).await;
        let before = app.vendor.attempts();
        answer(&client, &run, &prompt, reason, choice).await;
        assert_eq!(client.read_until(&run, &mut events, |_| false).await, "COMPLETED");
        assert!(
            told(&events)
                .iter()
                .any(|(_, text)| text.contains("nothing was bought")),
            "{events:?}"
        );
        assert_eq!((found(&events).len(), app.vendor.attempts()), (0, before));
    }
    // Where the user does not answer, the run ends after a while; it is not forgotten meanwhile.
    let run = client.create(REVERSE_WHOIS, &mail()).await;
    let mut events = Vec::new();
    asked(&client, &run, &mut events).await;
    for _ in 0..31 {
        app.clock().advance(Duration::from_secs(10));
    }
    assert_eq!(client.read_until(&run, &mut events, |_| false).await, "COMPLETED");
    assert!(found(&events).is_empty());
}

#[tokio::test]
async fn a_selection_is_asked_about_once_with_the_total() {
    let app = builder(10_000).start().await;
    let client = V3::new(&app);
    let both = request(
        "maltego.EmailAddress",
        &[MAIL, "nobody@unknown.example", MAIL],
        &[],
    );
    let run = client.create(REVERSE_WHOIS, &both).await;
    let mut events = Vec::new();
    let prompt = asked(&client, &run, &mut events).await;
    let message = prompt["message"].as_str().unwrap();
    assert!(message.contains("2 values"), "{message}");
    answer(&client, &run, &prompt, "COMPLETED", "buy").await;
    assert_eq!(client.read_until(&run, &mut events, |_| false).await, "COMPLETED");
    assert_eq!(of(&events, "ADD CHOICE_PROMPT").len(), 1);
    let sources: std::collections::BTreeSet<&str> = of(&events, "ADD LINK")
        .iter()
        .map(|data| data["link"]["sourceId"].as_str().unwrap())
        .collect();
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["e0", "e2"]);
}

#[tokio::test]
async fn who_may_not_buy_is_not_asked() {
    let app = builder(10_000).start().await;
    let new = NewToken {
        scopes: vec![Scope::Transforms],
        ..NewToken::for_everyday("reader")
    };
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    let no_scope = V3::of(&app, token.expose_secret());
    let in_path = V3 {
        prefix: format!("/t/{}", app.token),
        token: None,
        ..V3::new(&app)
    };
    let no_prompts = V3 {
        agent: "Maltego Desktop/4.5.0 (a; b; c)",
        ..V3::new(&app)
    };
    for (client, expected) in [
        (no_scope, "needs the scope `buy`"),
        (in_path, "global#pivotd.token"),
        (no_prompts, "domaintools.buy"),
    ] {
        let (state, events) = client.run(REVERSE_WHOIS, &mail()).await;
        assert_eq!(state, "COMPLETED");
        assert!(of(&events, "ADD CHOICE_PROMPT").is_empty() && found(&events).is_empty());
        let told = told(&events);
        assert!(
            told.iter().any(|(_, text)| text.contains(" USD")),
            "the price is told: {told:?}"
        );
        assert!(told.iter().any(|(_, text)| text.contains(expected)), "{told:?}");
    }
}

#[tokio::test]
async fn what_is_too_dear_is_not_asked_about() {
    let app: TestApp = builder(100).start().await;
    let client = V3::new(&app);
    let (_, events) = client.run(REVERSE_WHOIS, &mail()).await;
    assert!(of(&events, "ADD CHOICE_PROMPT").is_empty());
    assert!(
        told(&events)
            .iter()
            .any(|(_, text)| text.contains("may be paid for one report")),
        "{events:?}"
    );
    // The setting asks for a purchase without a question, and no more than is allowed is spent.
    let set = request(
        "maltego.EmailAddress",
        &[MAIL],
        &[("domaintools.buy", json!(true))],
    );
    let (_, events) = client.run(REVERSE_WHOIS, &set).await;
    assert!(
        of(&events, "ADD CHOICE_PROMPT").is_empty() && found(&events).is_empty(),
        "{events:?}"
    );
}
