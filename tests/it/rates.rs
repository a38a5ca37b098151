//! What a token may ask about, what made-up keys can do, and what is told of limits.

use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::future::join_all;
use pivotd::clock::Clock;
use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use pivotd::replay::{Fault, Matcher};
use pivotd::tokens::NewToken;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{Answer, Builder, Entity, TestApp, budget};

const IP_HISTORY: &str = "domaintools.ip-history";

/// Makes a token that may ask about so many indicators a minute.
async fn token(app: &TestApp, per_minute: u32) -> String {
    let new = NewToken {
        per_minute: NonZeroU32::new(per_minute),
        ..NewToken::for_everyday("soar")
    };
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    token.expose_secret().to_owned()
}

async fn post(app: &TestApp, token: &str, path: &str, body: &Value) -> Answer {
    let request = app.http.post(format!("{}{path}", app.base)).bearer_auth(token);
    let answer = async { Answer::of(request.body(body.to_string()).send().await.unwrap()).await };
    // The first call of a server asks for the account besides.
    app.while_moving(Duration::from_secs(2), answer).await
}

#[tokio::test]
async fn each_indicator_of_a_batch_costs_one_and_a_large_batch_leaves_a_debt() {
    let app = Builder::new().manual_clock().start().await;
    let token = token(&app, 10).await;
    let batch = |count: usize| {
        // Nobody is asked about these, and each counts.
        let values: Vec<String> = (0..count).map(|at| format!("no indicator {at}")).collect();
        json!({ "indicators": values })
    };
    let path = "/v1/enrich/batch";
    let first = post(&app, &token, path, &batch(4)).await;
    assert_eq!((first.status, first.header("ratelimit-remaining")), (200, "6"));
    // It would fit only into a full minute, and asking too early costs nothing.
    for _ in 0..3 {
        let early = post(&app, &token, path, &batch(30)).await;
        assert_eq!(
            (early.status, early.header("retry-after")),
            (429, "24"),
            "{}",
            early.body
        );
    }
    app.clock().advance(Duration::from_secs(24));
    let large = post(&app, &token, path, &batch(30)).await;
    assert_eq!(
        (large.status, large.header("ratelimit-reset")),
        (200, "180"),
        "{}",
        large.body
    );
    let after = post(&app, &token, path, &batch(1)).await;
    assert_eq!(
        (after.status, after.header("retry-after")),
        (429, "126"),
        "{}",
        after.body
    );
}

#[tokio::test]
async fn each_indicator_of_an_alert_costs_one() {
    let app = Builder::new().manual_clock().start().await;
    let token = token(&app, 10).await;
    let alert = json!({"domain": ["one.example", "two.example"], "ip": "192.0.2.44"});
    let path = "/v1/alerts/score";
    let answer = post(&app, &token, path, &alert).await;
    assert_eq!(
        (answer.status, answer.header("ratelimit-remaining")),
        (200, "7"),
        "{}",
        answer.body
    );
    let single = json!({"domain": "three.example"});
    assert_eq!(
        post(&app, &token, path, &single)
            .await
            .header("ratelimit-remaining"),
        "6"
    );
    let message = "From: Desk <desk@example.org>\r\nContent-Type: text/plain\r\n\r\n\
                   http://a.example/1 http://b.example/2 http://c.example/3 http://d.example/4 http://e.example/5 http://f.example/6 http://g.example/7\r\n";
    let refused = post(&app, &token, path, &json!({ "message": message })).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
}

/// Asks with so many keys that are made up.
async fn with_made_up_keys(app: &TestApp, count: usize) -> Vec<Answer> {
    join_all((0..count).map(async |at| {
        let key = format!("made-up-{at}");
        let own = [
            ("global#domaintools.username", "somebody"),
            ("global#domaintools.api-key", key.as_str()),
        ];
        let name = format!("name-{at}.example");
        app.run(IP_HISTORY, Entity::domain(&name).with(&own)).await
    }))
    .await
}

#[tokio::test]
async fn made_up_keys_share_one_rate_and_few_are_tried() {
    for fault in [
        Fault::unauthorized_401(),
        Fault::forbidden_key_403(),
        Fault::forbidden_product_403(),
    ] {
        let app = Builder::new().manual_clock().start().await;
        app.vendor.inject(Matcher::any(), fault.clone(), None);
        let before = app.clock().elapsed();
        let asking = with_made_up_keys(&app, 60);
        let answers = app.while_moving(Duration::from_secs(10), asking).await;
        let attempts = app.vendor.attempts();
        // A quarter of a minute's may go at once, before the vendor has refused any, and one in each second.
        let seconds = (app.clock().elapsed() - before).as_secs();
        assert!(
            (5..=16 + seconds).contains(&attempts),
            "{attempts} in {seconds} s with {fault:?}"
        );
        let barred = |answer: &&Answer| answer.body.contains("too many different keys");
        assert_eq!(
            answers.iter().filter(barred).count() as u64,
            60 - attempts,
            "{fault:?}"
        );
        // The next are refused without the vendor.
        with_made_up_keys(&app, 5).await;
        assert_eq!(app.vendor.attempts(), attempts);
    }
}

#[tokio::test]
async fn a_vendor_that_refuses_nothing_is_asked_with_new_keys_once_a_second() {
    let app = Builder::new().manual_clock().start().await;
    let fault = || Fault::Status {
        code: 400,
        headers: Vec::new(),
        body: json!({"error": {"code": 400, "message": "No."}}).to_string(),
    };
    app.vendor.inject(Matcher::any(), fault(), None);
    let started = app.clock().elapsed();
    let asking = with_made_up_keys(&app, 40);
    app.while_moving(Duration::from_secs(10), asking).await;
    let seconds = (app.clock().elapsed() - started).as_secs();
    assert_eq!(app.vendor.attempts(), 40);
    assert!((25..=40).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_reload_takes_the_metrics_of_what_it_removed() {
    let builder = Builder::new().with(["virustotal"]).settings(|settings| {
        for provider in ["domaintools", "virustotal"] {
            let provider = settings.providers.get_mut(provider).unwrap();
            provider.budget = vec![budget(None, 7, BudgetUnit::Calls, BudgetWindow::Day)];
        }
    });
    let app = builder.start().await;
    let series = async |name: &str| {
        let text = app.get("/metrics").await.body;
        text.lines().filter(|line| line.starts_with(name)).count()
    };
    let names = [
        "pivotd_budget_used{",
        "pivotd_budget_limit{",
        "pivotd_provider_waiting{",
    ];
    for name in names {
        assert_eq!(series(name).await, 2, "{name}");
    }
    let mut loaded = pivotd::config::load(None, &[], &crate::support::providers()).unwrap();
    loaded.settings = app.app.configured.load().settings().clone();
    loaded.settings.providers.get_mut("domaintools").unwrap().budget = Vec::new();
    loaded.settings.providers.get_mut("virustotal").unwrap().enabled = false;
    app.app.reload(loaded).unwrap();
    for (name, left) in names.into_iter().zip([0, 0, 1]) {
        assert_eq!(series(name).await, left, "{name}");
    }
}

#[tokio::test]
async fn a_limit_of_this_server_is_told_as_its_own_and_one_of_the_vendor_is_not() {
    let own = Builder::new()
        .settings(|settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.budget = vec![budget(None, 1, BudgetUnit::Calls, BudgetWindow::Day)];
        })
        .start()
        .await;
    own.run(IP_HISTORY, Entity::domain("one.example")).await;
    let said = own
        .run(IP_HISTORY, Entity::domain("two.example"))
        .await
        .said("PartialError");
    assert!(
        said.contains("a limit of this server's own is reached: the budget of"),
        "{said}"
    );

    let theirs = Builder::new()
        .settings(|settings| settings.providers.get_mut("domaintools").unwrap().attempts = 1)
        .start()
        .await;
    theirs
        .vendor
        .inject(Matcher::any(), Fault::too_many_requests(Some("600")), None);
    let said = theirs
        .run(IP_HISTORY, Entity::domain("two.example"))
        .await
        .said("PartialError");
    assert!(
        said.contains("it opens at") && !said.contains("this server's own"),
        "{said}"
    );
}
