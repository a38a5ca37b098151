//! Who spent what: two clients of two tenants, on replayed vendors, and the sums of both.

use std::time::Duration;

use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use pivotd::http::admin::keys::TestKeys;
use pivotd::http::admin::reconciliation::Reconcile;
use pivotd::http::admin::spend::{AskSpend, AskWho, SpendFilters, SpendView, WhichWindow};
use pivotd::http::api_call::ApiCall;
use pivotd::spend::{DriftClass, ReportRow, Sums};
use pivotd::tokens::{NewToken, Scope};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::{Builder, Entity, TestApp, budget};

const IP_HISTORY: &str = "domaintools.ip-history";

async fn token(app: &TestApp, name: &str, tenant: &str, scopes: &[Scope]) -> String {
    let new = NewToken {
        tenant: tenant.to_owned(),
        scopes: scopes.to_vec(),
        ..NewToken::for_everyday(name)
    };
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    token.expose_secret().to_owned()
}

fn grouped(names: &str) -> AskSpend {
    AskSpend {
        group_by: Some(names.to_owned()),
        ..AskSpend::default()
    }
}

async fn report(app: &TestApp, ask: AskSpend) -> SpendView {
    app.operator(&ask).await.unwrap()
}

fn row<'a>(view: &'a SpendView, name: &str, value: &str) -> &'a Sums {
    let is = |row: &&ReportRow| row.group.get(name).is_some_and(|found| found == value);
    let found: Vec<_> = view.rows.iter().filter(is).collect();
    assert_eq!(found.len(), 1, "{name} {value}: {view:?}");
    &found[0].sums
}

#[tokio::test]
async fn two_clients_of_two_tenants_spend_and_each_is_told() {
    let app = Builder::new()
        .manual_clock()
        .settings(|settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.budget = vec![budget(None, 100, BudgetUnit::Calls, BudgetWindow::Day)];
        })
        .start()
        .await;
    let anna = token(&app, "anna", "soc", &[Scope::Transforms]).await;
    let bert = token(&app, "bert", "lab", &[Scope::Transforms]).await;
    for (token, domain) in [
        (&anna, "example.com"),
        (&anna, "example.com"),
        (&bert, "example.com"),
        (&bert, "example.org"),
        (&anna, "example.com"),
    ] {
        app.run_as(token, IP_HISTORY, Entity::domain(domain)).await;
    }
    let attempts = app.vendor.attempts() as i64;
    let view = report(&app, AskSpend::default()).await;
    assert_eq!(view.group_by, ["client", "provider"]);
    assert_eq!(view.total.settled.calls, attempts, "as many as the vendor saw");
    let (of_anna, of_bert) = (row(&view, "client", "anna"), row(&view, "client", "bert"));
    assert_eq!(of_anna.settled.calls + of_bert.settled.calls, attempts);
    assert!(of_bert.settled.calls > of_anna.settled.calls, "{view:?}");
    assert_eq!(
        of_anna.avoided.calls, 2,
        "what the cache answered, by a reply that was kept, too"
    );
    assert_eq!(of_bert.avoided.calls, 0, "a tenant has answers of its own");
    // Every partition has the same sum.
    for names in [
        "",
        "tenant",
        "token,product",
        "person,face,account,operation,outcome",
        "question",
        "case",
    ] {
        let view = report(&app, grouped(names)).await;
        assert_eq!(view.total.settled.calls, attempts, "{names}");
    }
    let questions = report(&app, grouped("question,client")).await;
    assert!(
        questions
            .rows
            .iter()
            .any(|row| row.group["question"] == "ip-history domain example.org"),
        "{questions:?}"
    );
    assert!(
        questions.notes[0].contains("what the cache saved"),
        "{:?}",
        questions.notes
    );
    let lab = AskSpend {
        filters: SpendFilters {
            tenant: Some("lab".to_owned()),
            ..SpendFilters::default()
        },
        ..grouped("client,tenant")
    };
    let lab = report(&app, lab).await;
    assert_eq!((lab.rows.len(), &lab.total.settled), (1, &of_bert.settled));
    // Page by page it is the same.
    let mut ask = AskSpend {
        limit: Some("1".to_owned()),
        ..AskSpend::default()
    };
    let mut rows = Vec::new();
    loop {
        let page = report(&app, ask.clone()).await;
        rows.extend(page.rows);
        match page.next {
            Some(next) => ask.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(rows, view.rows);

    let who = AskWho {
        provider: "domaintools".to_owned(),
        window: WhichWindow::Current,
    };
    let windows = app.operator(&who).await.unwrap();
    let window = &windows[0];
    assert_eq!((window.limit, window.used), (Some(100), attempts));
    let names: Vec<_> = window.clients.iter().map(|one| one.client.as_str()).collect();
    assert_eq!(names, ["bert", "anna"], "the largest first");
    assert_eq!(window.clients[0].share_permille, Some(of_bert.settled.calls * 10));
    app.clock().advance(Duration::from_secs(86_400));
    let today = app.operator(&who).await.unwrap();
    assert_eq!((today[0].used, today[0].clients.len()), (0, 0));
    let yesterday = AskWho {
        window: WhichWindow::Previous,
        ..who
    };
    assert_eq!(app.operator(&yesterday).await.unwrap()[0].used, attempts);
    let yesterday = AskSpend {
        from: Some("yesterday".to_owned()),
        to: Some("yesterday".to_owned()),
        ..AskSpend::default()
    };
    assert_eq!(report(&app, yesterday).await.total.settled.calls, attempts);
}

#[tokio::test]
async fn what_a_budget_refuses_is_told_and_costs_nothing() {
    let app = Builder::new()
        .manual_clock()
        .settings(|settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.budget = vec![budget(None, 0, BudgetUnit::Calls, BudgetWindow::Day)];
        })
        .start()
        .await;
    app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert_eq!(app.vendor.attempts(), 0);
    let view = report(&app, grouped("outcome,client")).await;
    let refused = row(&view, "outcome", "over_budget");
    assert!(refused.refused.calls > 0 && refused.settled.is_zero(), "{view:?}");
}

/// Asks for a path as it stands.
struct Path(&'static str);

impl ApiCall for Path {
    type Reply = serde_json::Value;
    const METHOD: &'static str = "GET";

    fn path(&self) -> String {
        self.0.to_owned()
    }
}

#[tokio::test]
async fn what_vendors_count_is_compared_with_what_was_counted_here() {
    let app = Builder::new().manual_clock().start().await;
    let before = app.operator(&Reconcile).await.unwrap();
    assert!(before.rows.is_empty());
    assert_eq!(before.unchecked, ["domaintools"]);
    app.run(IP_HISTORY, Entity::domain("example.com")).await;
    let keys = TestKeys {
        provider: Some("domaintools".to_owned()),
    };
    let keys = app.operator(&keys).await.unwrap();
    let view = app.operator(&Reconcile).await.unwrap();
    assert_eq!(
        (&view.checked[..], view.unchecked.len()),
        (&["domaintools".to_owned()][..], 0)
    );
    let told: usize = keys[0]
        .products
        .iter()
        .map(|product| {
            usize::from(product.vendor_today.is_some()) + usize::from(product.vendor_month.is_some())
        })
        .sum();
    assert_eq!(view.rows.len(), told);
    for row in &view.rows {
        let product = keys[0]
            .products
            .iter()
            .find(|product| product.product == row.product)
            .unwrap();
        let (vendor, ours) = if row.window.starts_with("day") {
            (product.vendor_today, product.our_today)
        } else {
            (product.vendor_month, product.our_month)
        };
        assert_eq!(
            (Some(row.vendor_used), row.ours_settled + row.ours_open),
            (vendor, ours),
            "{row:?}"
        );
        assert_eq!(row.drift, row.vendor_used - row.ours_settled);
        let agrees = row.class == DriftClass::Agrees;
        assert_eq!(agrees, (0..=row.ours_open).contains(&row.drift), "{row:?}");
    }
}

#[tokio::test]
async fn parameters_that_are_not_understood_are_named_with_what_is_expected() {
    let app = TestApp::start().await;
    let ask = |change: fn(&mut AskSpend)| {
        let mut ask = AskSpend::default();
        change(&mut ask);
        ask
    };
    for (ask, parts) in [
        (
            ask(|ask| ask.tz = Some("Mars".to_owned())),
            ["tz: ", "Europe/Berlin"],
        ),
        (
            ask(|ask| ask.bucket = Some("year".to_owned())),
            ["bucket: ", "week"],
        ),
        (
            ask(|ask| ask.group_by = Some("colour".to_owned())),
            ["group_by: ", "provider"],
        ),
        (
            ask(|ask| ask.limit = Some("201".to_owned())),
            ["limit: ", "1 to 200"],
        ),
        (
            ask(|ask| ask.from = Some("soon".to_owned())),
            ["from: ", "yesterday"],
        ),
        (
            ask(|ask| ask.month = Some("13".to_owned())),
            ["month: ", "2026-11"],
        ),
        (ask(|ask| ask.cursor = Some("x".to_owned())), ["cursor: ", "next"]),
    ] {
        let said = app.operator(&ask).await.unwrap_err().to_string();
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    }
    for (path, part) in [
        ("/v1/admin/spend?colour=red", "colour"),
        ("/v1/admin/spend?limit=many", "limit: "),
        ("/v1/admin/spend?month=this&from=today", "month: "),
        ("/v1/admin/spend/who?provider=domaintools&window=next", "window"),
        ("/v1/admin/spend/who", "provider"),
    ] {
        let said = app.operator(&Path(path)).await.unwrap_err().to_string();
        assert!(said.contains(part), "{path}: {said}");
    }
    let unknown = AskWho {
        provider: "nobody".to_owned(),
        window: WhichWindow::Current,
    };
    let said = app.operator(&unknown).await.unwrap_err().to_string();
    assert!(
        said.contains("provider: ") && said.contains("domaintools"),
        "{said}"
    );
}

#[tokio::test]
async fn a_client_that_may_says_for_whom_it_asks() {
    let app = Builder::new().manual_clock().start().await;
    let soar = token(&app, "soar", "soc", &[Scope::Enrich, Scope::Delegate]).await;
    let plain = token(&app, "plain", "lab", &[Scope::Enrich]).await;
    let ask = async |token: &str, person: &[u8]| {
        let request = app
            .http
            .get(format!("{}/v1/domain/example.com/reputation", app.base));
        let person = reqwest::header::HeaderValue::from_bytes(person).unwrap();
        let request = request.bearer_auth(token).header("x-on-behalf-of", person);
        let answer = request.header("x-case-id", "case-7").send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(ask(&soar, "anna é".as_bytes()).await.0, 200);
    assert_eq!(ask(&plain, b"anna").await.0, 200);
    let too_long = "x".repeat(129);
    for wrong in [&b"a\tb"[..], b"\xff", too_long.as_bytes()] {
        let (status, said) = ask(&soar, wrong).await;
        assert_eq!(status, 400, "{said}");
        assert!(
            said.contains("X-On-Behalf-Of") && said.contains("128 characters"),
            "{said}"
        );
        assert_eq!(ask(&plain, wrong).await.0, 200, "it is ignored without the scope");
    }
    let view = report(&app, grouped("client,person,case")).await;
    let of = |client: &str| {
        let rows = view.rows.iter().filter(|row| row.group["client"] == client);
        rows.map(|row| (row.group["person"].as_str(), row.group["case"].as_str()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("soar"), [("anna é", "case-7")]);
    assert_eq!(of("plain"), [("", "")]);
    let audit = app.app.engine.store().audit(100).await.unwrap();
    let told = audit.iter().find(|row| row["client"] == "soar").unwrap();
    assert_eq!(
        (&told["person"], &told["case_id"]),
        (&json!("anna é"), &json!("case-7"))
    );
    assert_eq!(
        told["token"].as_str().unwrap().len(),
        app.app.tokens.list()[0].id.len()
    );
}

#[tokio::test]
async fn what_was_noted_in_memory_is_kept_when_the_server_stops() {
    let app = Builder::new().manual_clock().start().await;
    for _ in 0..3 {
        app.run(IP_HISTORY, Entity::domain("example.com")).await;
    }
    let clock = app.clock().clone();
    let stopped = app.stop().await;
    let app = Builder::new().after(stopped).clock(clock).start().await;
    let view = report(&app, AskSpend::default()).await;
    assert_eq!(row(&view, "client", "tester").avoided.calls, 2);
}
