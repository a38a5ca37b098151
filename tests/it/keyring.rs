//! Tenants at a provider: their own keys and budgets, and what they share.

use std::collections::{BTreeMap, BTreeSet};

use pivotd::config::settings::{
    BudgetUnit, BudgetWindow, Credential, ProviderSettings, SecretOrigin, TenantKey, TenantSettings,
};
use pivotd::http::admin::keys::TestKeys;
use pivotd::replay::{self, AuthResult, Authenticator, SeenRequest};
use pivotd::tokens::{NewToken, Scope};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::support::{API_KEY, Answer, Builder, Entity, TestApp, budget, fixtures};

const RESOLUTIONS: &str = "virustotal.resolutions";
/// A key that the vendor refuses.
const REFUSED: &str = "acme-key-of-yesterday";
const ACME: &str = "acme-key";
const GLOBEX: &str = "globex-key";

fn key(text: &str) -> TenantKey {
    let part = Credential {
        value: SecretString::from(text),
        origin: SecretOrigin::Inline,
    };
    TenantKey {
        parts: BTreeMap::from([("api_key".to_owned(), part)]),
        fault: None,
    }
}

/// A tenant that has these of its own.
fn tenant(own_key: Option<&str>, calls: Option<i64>) -> TenantSettings {
    let own = |calls| vec![budget(None, calls, BudgetUnit::Calls, BudgetWindow::Day)];
    TenantSettings {
        key: own_key.map(key),
        rate: None,
        budget: calls.map(own),
    }
}

/// Takes every key but one, as the vendor refuses keys.
struct AllButOne;

impl Authenticator for AllButOne {
    fn check(&self, request: &SeenRequest) -> AuthResult {
        match request.header("x-apikey") {
            Some(REFUSED) => AuthResult::Refused,
            Some(_) => AuthResult::Ok,
            None => AuthResult::Missing,
        }
    }

    fn refusal(&self, _: AuthResult) -> replay::Answer {
        let body = json!({"error": {"code": "WrongCredentialsError", "message": "Wrong API key"}});
        replay::Answer::json(401, body.to_string())
    }
}

/// A server that asks a vendor, which refuses one key.
async fn started(tweak: impl FnOnce(&mut ProviderSettings) + 'static) -> TestApp {
    Builder::new()
        .with(["virustotal"])
        .plays("virustotal", fixtures("virustotal").with_authenticator(AllButOne))
        .settings(|settings| tweak(settings.providers.get_mut("virustotal").unwrap()))
        .start()
        .await
}

/// Makes a token of a tenant.
async fn token(app: &TestApp, tenant: &str) -> String {
    let new = NewToken {
        tenant: tenant.to_owned(),
        scopes: Scope::ALL.to_vec(),
        ..NewToken::for_everyday(&format!("client-of-{tenant}"))
    };
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    token.expose_secret().to_owned()
}

/// Asks about a name as a client of a tenant.
async fn ask(app: &TestApp, tenant: &str, name: &str) -> Answer {
    let token = token(app, tenant).await;
    app.run_as(&token, RESOLUTIONS, Entity::domain(name)).await
}

/// The keys that the vendor saw, in the order of the requests.
fn seen(app: &TestApp) -> Vec<String> {
    let requests = app.others["virustotal"].seen().into_iter();
    requests
        .map(|request| request.header("x-apikey").unwrap_or_default().to_owned())
        .collect()
}

/// The calls of today by tenant.
fn charged(app: &TestApp) -> Vec<(String, i64)> {
    let rows = app.app.engine.ledger().usage().into_iter();
    rows.filter(|row| row.provider == "virustotal" && row.product == "*" && row.unit == "calls")
        .filter(|row| row.window.starts_with("day"))
        .map(|row| (row.tenant, row.used))
        .collect()
}

fn row(tenant: &str, used: i64) -> (String, i64) {
    (tenant.to_owned(), used)
}

#[tokio::test]
async fn the_vendor_sees_the_key_of_the_tenant_and_the_ledger_its_account() {
    let app = started(|provider| {
        provider
            .tenants
            .insert("acme".to_owned(), tenant(Some(ACME), None));
    })
    .await;
    for (tenant, name) in [
        ("default", "one.example"),
        ("acme", "two.example"),
        ("elsewhere", "three.example"),
    ] {
        ask(&app, tenant, name).await;
    }
    assert_eq!(seen(&app), [API_KEY, ACME, API_KEY]);
    assert_eq!(charged(&app), [row("acme", 1), row("default", 2)]);
    let own = [("global#virustotal.api-key", "jane-key")];
    let client = token(&app, "acme").await;
    app.run_as(&client, RESOLUTIONS, Entity::domain("four.example").with(&own))
        .await;
    assert_eq!(seen(&app).last().unwrap(), "jane-key", "a user's own goes first");
    app.app.engine.store().settled().await;
    let audit = app.app.engine.store().audit(10).await.unwrap();
    let tenants = audit.iter().filter(|row| row["tenant"] == "acme").count();
    assert_eq!(tenants, 2, "{audit:?}");
}

#[tokio::test]
async fn tenants_with_different_keys_share_no_answer() {
    let app = started(|provider| {
        for (name, key) in [("acme", ACME), ("globex", GLOBEX)] {
            provider.tenants.insert(name.to_owned(), tenant(Some(key), None));
        }
    })
    .await;
    for _ in 0..2 {
        for tenant in ["acme", "globex", "default"] {
            ask(&app, tenant, "example.com").await;
        }
    }
    assert_eq!(
        seen(&app),
        [ACME, GLOBEX, API_KEY],
        "each paid once for its own answer"
    );
}

#[tokio::test]
async fn a_budget_of_a_tenants_own_stops_that_tenant_only() {
    let app = started(|provider| {
        provider.tenants.insert("acme".to_owned(), tenant(None, Some(1)));
        provider
            .tenants
            .insert("globex".to_owned(), tenant(Some(GLOBEX), Some(1)));
    })
    .await;
    for tenant in ["acme", "globex"] {
        ask(&app, tenant, "one.example").await;
        let stopped = ask(&app, tenant, "two.example").await;
        let said = stopped.said("PartialError");
        assert!(said.contains("is used up"), "{}", stopped.body);
    }
    ask(&app, "default", "one.example").await;
    ask(&app, "elsewhere", "two.example").await;
    assert_eq!(seen(&app), [API_KEY, GLOBEX, API_KEY, API_KEY]);
    // What a tenant spends of the shared key counts for the key, too.
    assert_eq!(
        charged(&app),
        [row("acme", 1), row("default", 3), row("globex", 1)]
    );
}

#[tokio::test]
async fn the_budget_of_a_shared_key_holds_over_all_who_share_it() {
    let app = started(|provider| {
        provider.budget = vec![budget(None, 2, BudgetUnit::Calls, BudgetWindow::Day)];
        provider.tenants.insert("acme".to_owned(), tenant(None, Some(9)));
        provider
            .tenants
            .insert("globex".to_owned(), tenant(Some(GLOBEX), None));
    })
    .await;
    ask(&app, "default", "one.example").await;
    ask(&app, "acme", "two.example").await;
    for tenant in ["default", "acme", "elsewhere"] {
        let stopped = ask(&app, tenant, "three.example").await;
        assert!(
            stopped.said("PartialError").contains("is used up"),
            "{}",
            stopped.body
        );
    }
    ask(&app, "globex", "three.example").await;
    assert_eq!(seen(&app), [API_KEY, API_KEY, GLOBEX]);
    let metrics = app.get("/metrics").await.body;
    let series = metrics
        .lines()
        .filter(|line| line.starts_with("pivotd_budget_used{") && line.contains("provider=\"virustotal\""));
    assert_eq!(
        series.count(),
        3,
        "the key's, acme's share, globex's own: {metrics}"
    );
    let budgets = app.app.engine.budgets("virustotal", "acme");
    let left: Vec<i64> = budgets.iter().map(|budget| budget.left).collect();
    assert_eq!(left, [8, 0]);
}

#[tokio::test]
async fn a_refused_key_of_a_tenant_shuts_only_its_account_until_a_reload_changes_it() {
    let app = started(|provider| {
        provider.attempts = 1;
        provider
            .tenants
            .insert("acme".to_owned(), tenant(Some(REFUSED), None));
    })
    .await;
    for name in ["one.example", "two.example"] {
        let refused = ask(&app, "acme", name).await;
        assert_eq!(refused.entities(), []);
        assert!(!refused.body.contains(REFUSED), "{}", refused.body);
    }
    ask(&app, "default", "one.example").await;
    assert_eq!(seen(&app), [REFUSED, API_KEY], "a refused key is not tried again");
    assert!(!app.log().contains(REFUSED));
    let refused = app.app.state().refused;
    let names: Vec<_> = refused.keys().collect();
    assert_eq!(names, ["virustotal.tenants.acme"], "{refused:?}");

    let mut loaded = pivotd::config::load(None, &[], &crate::support::providers()).unwrap();
    loaded.settings = app.app.configured.load().settings().clone();
    let provider = loaded.settings.providers.get_mut("virustotal").unwrap();
    provider
        .tenants
        .insert("acme".to_owned(), tenant(Some(ACME), None));
    app.app.reload(loaded).unwrap();
    ask(&app, "acme", "three.example").await;
    ask(&app, "default", "three.example").await;
    assert_eq!(seen(&app), [REFUSED, API_KEY, ACME, API_KEY]);
}

#[tokio::test]
async fn a_test_of_keys_tries_the_keys_of_tenants_too() {
    let app = started(|provider| {
        provider.attempts = 1;
        for (name, key) in [("acme", REFUSED), ("globex", GLOBEX)] {
            provider
                .tenants
                .insert(name.to_owned(), tenant(Some(key), Some(9)));
        }
        provider
            .tenants
            .insert("initech".to_owned(), tenant(None, Some(9)));
    })
    .await;
    let request = TestKeys {
        provider: Some("virustotal".to_owned()),
    };
    let keys = app.operator(&request).await.unwrap();
    assert_eq!(seen(&app), [API_KEY, REFUSED, GLOBEX]);
    let told: Vec<_> = keys
        .iter()
        .map(|key| (key.title.as_str(), key.failure.is_some(), key.budgets.len()))
        .collect();
    assert_eq!(
        told,
        [
            ("VirusTotal", false, 0),
            ("VirusTotal, tenant acme", true, 0),
            ("VirusTotal, tenant globex", false, 1),
        ]
    );
    let marks: BTreeSet<_> = keys.iter().filter_map(|key| key.fingerprint.clone()).collect();
    assert_eq!(marks.len(), 3, "each key has a fingerprint of its own");
}

#[tokio::test]
async fn a_tenant_whose_key_cannot_be_read_never_spends_from_the_servers() {
    let app = started(|provider| {
        let mut acme = tenant(Some(ACME), None);
        acme.key = Some(TenantKey {
            parts: BTreeMap::new(),
            fault: Some("ACME_KEY is not set".to_owned()),
        });
        provider.tenants.insert("acme".to_owned(), acme);
    })
    .await;
    let told = ask(&app, "acme", "example.com").await;
    assert!(told.body.contains("cannot be read"), "{}", told.body);
    assert!(!told.body.contains("ACME_KEY"), "{}", told.body);
    assert!(seen(&app).is_empty());
}

#[tokio::test]
async fn a_tenant_with_a_key_is_answered_where_the_server_has_none() {
    let app = started(|provider| {
        provider.credentials.clear();
        provider
            .missing
            .insert("api_key".to_owned(), "KEY is not set".to_owned());
        provider
            .tenants
            .insert("acme".to_owned(), tenant(Some(ACME), None));
    })
    .await;
    let told = ask(&app, "default", "example.com").await;
    assert!(
        told.body.contains("no VirusTotal key is configured"),
        "{}",
        told.body
    );
    let client = token(&app, "acme").await;
    let path = format!("{}/v1/domain/example.com/reputation", app.base);
    let scored = app.http.get(path).bearer_auth(&client).send().await.unwrap();
    let scored = Answer::of(scored).await.json();
    assert!(scored.to_string().contains("virustotal"), "{scored}");
    assert_eq!(seen(&app), [ACME]);
}
