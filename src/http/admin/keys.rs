//! Keys of providers, tested with the provider's account call.

use std::sync::Arc;

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};

use super::administrator::Administrator;
use super::{FRONTEND, refused};
use crate::app::App;
use crate::config::settings::{BudgetWindow, TenantKey};
use crate::engine::Requester;
use crate::engine::keyring::account::AccountState;
use crate::engine::keyring::{Credential, DEFAULT_TENANT};
use crate::engine::runtime::Runtime;
use crate::engine::windows::window;
use crate::http::api_call::json_call;
use crate::http::problem::Problem;
use crate::http::request::RequestContext;
use crate::http::request_body::{BodyKind, RequestBody};

/// Asks for a test of keys.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestKeys {
    /// The provider; all of them where it is left out.
    pub provider: Option<String>,
}

json_call!(TestKeys => POST "/v1/admin/keys/test" -> Vec<KeyView>, takes_long: true);

impl BodyKind for TestKeys {
    const MOST_BYTES: usize = 16 << 10;
    const NAME: &'static str = "a choice of keys";
}

/// Shows a tested key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyView {
    /// The provider.
    pub provider: String,
    /// The provider's name for people.
    pub title: String,
    /// Why the key cannot be used; none where it can.
    pub failure: Option<String>,
    /// The account that the key belongs to, as the ledger names it.
    pub account: Option<String>,
    /// The key's fingerprint, as the log names it; none where there is no key.
    pub fingerprint: Option<String>,
    /// The products that the key is entitled to.
    pub products: Vec<ProductView>,
    /// The configured budgets.
    pub budgets: Vec<BudgetView>,
}

/// Shows a product of a key: the vendor's limits, and what both sides counted in calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductView {
    /// The vendor's product id.
    pub product: String,
    /// Calls a minute.
    pub per_minute: Option<u32>,
    /// Calls an hour.
    pub per_hour: Option<i64>,
    /// Calls a month.
    pub per_month: Option<i64>,
    /// Calls today, by the vendor's count.
    pub vendor_today: Option<i64>,
    /// Calls this month, by the vendor's count.
    pub vendor_month: Option<i64>,
    /// Calls today, by our count.
    pub our_today: i64,
    /// Calls this month, by our count.
    pub our_month: i64,
}

/// Shows a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetView {
    /// As it was written.
    pub label: String,
    /// What is used in the present window, hundredths where it counts money.
    pub used: i64,
    /// The currency, where it counts money.
    pub currency: Option<String>,
}

pub(super) async fn test(
    administrator: Administrator,
    app: Data<App>,
    context: RequestContext,
    body: RequestBody<TestKeys>,
) -> Result<Json<Vec<KeyView>>, Problem> {
    let TestKeys { provider } = body.json()?;
    let provider = provider.as_deref();
    let runtimes = app.engine.runtimes();
    if let Some(name) = provider
        && !runtimes.contains_key(name)
    {
        let known: Vec<&str> = runtimes.keys().map(String::as_str).collect();
        return Err(refused(format!(
            "no provider of this name is enabled; there are: {}",
            known.join(", ")
        )));
    }
    // What has no key, and needs one, is left out unless it is named; a part of one is a fault that is told.
    let is_asked = |runtime: &Runtime| {
        let settings = &runtime.settings;
        settings.no_key().is_none() || !settings.credentials.is_empty() || settings.key_fault.is_some()
    };
    let requester = administrator
        .principal
        .requester(FRONTEND, "keys test", context.id().to_string());
    let mut keys = Vec::new();
    let meant = runtimes
        .iter()
        .filter(|(name, _)| provider.is_none_or(|one| one == *name));
    for (_, runtime) in meant {
        if provider.is_some() || is_asked(runtime) {
            keys.push(key_test(&app, runtime, DEFAULT_TENANT, &requester).await);
        }
        for (tenant, _) in tenants_with_key(runtime) {
            keys.push(key_test(&app, runtime, tenant, &requester).await);
        }
    }
    Ok(Json(keys))
}

/// Returns the tenants that were given a key of their own, each with it.
fn tenants_with_key(runtime: &Runtime) -> impl Iterator<Item = (&str, &TenantKey)> {
    let tenants = runtime.settings.tenants.iter();
    tenants.filter_map(|(tenant, settings)| Some((tenant.as_str(), settings.key.as_ref()?)))
}

async fn key_test(app: &App, runtime: &Arc<Runtime>, tenant: &str, requester: &Requester) -> KeyView {
    let (name, title) = (&runtime.settings.name, &runtime.provider.descriptor().title);
    let own = tenants_with_key(runtime).find(|(known, _)| *known == tenant);
    let no_key = match own {
        Some((_, key)) => key.fault.as_ref().map(|fault| format!("no key: {fault}")),
        None => runtime.settings.no_key(),
    };
    let known = runtime.keyring.resolve(tenant, None).ok();
    let known = known.filter(|credential| !credential.key.is_empty());
    let mut view = KeyView {
        provider: name.clone(),
        title: own.map_or_else(|| title.to_string(), |_| format!("{title}, tenant {tenant}")),
        failure: None,
        account: None,
        fingerprint: known.map(|credential| credential.fingerprint().to_owned()),
        products: Vec::new(),
        budgets: Vec::new(),
    };
    if let Some(reason) = no_key {
        view.failure = Some(reason);
        return view;
    }
    let deadline = app.engine.clock().elapsed() + app.configured.load().settings().deadlines.maltego;
    match app
        .engine
        .test_key(name, tenant, requester.clone(), deadline)
        .await
    {
        Ok(credential) => {
            view.products = products(app, runtime, &credential.account);
            view.budgets = budgets(app, runtime, &credential);
            view.account = Some(credential.account.account.account.clone());
        }
        Err(failure) => view.failure = Some(failure.message),
    }
    view
}

fn products(app: &App, runtime: &Runtime, state: &AccountState) -> Vec<ProductView> {
    let now = app.engine.ledger().now();
    let usage = app.engine.ledger().usage();
    let [day, month] =
        [BudgetWindow::Day, BudgetWindow::Month].map(|kind| window(kind, &runtime.settings.resets, now).id);
    let account = &state.account;
    let used = |product: &str, window: &str| {
        let own = usage.iter().filter(|row| {
            row.provider == account.provider && row.tenant == account.tenant && row.account == account.account
        });
        own.filter(|row| row.product == product && row.unit == "calls" && row.window == window)
            .map(|row| row.used)
            .sum()
    };
    let entitled = state.entitled().unwrap_or_default();
    entitled
        .into_iter()
        .map(|(product, entitlement)| ProductView {
            per_minute: entitlement.per_minute,
            per_hour: entitlement.usage.hour_limit,
            per_month: entitlement.usage.month_limit,
            vendor_today: entitlement.usage.today,
            vendor_month: entitlement.usage.month,
            our_today: used(&product, &day),
            our_month: used(&product, &month),
            product,
        })
        .collect()
}

fn budgets(app: &App, runtime: &Runtime, credential: &Credential) -> Vec<BudgetView> {
    let (ledger, resets) = (app.engine.ledger(), &runtime.settings.resets);
    let budgets = credential.budgets();
    budgets
        .map(|(account, budget)| BudgetView {
            label: budget.label.clone(),
            used: ledger.used(account, resets, budget),
            currency: budget.currency.clone(),
        })
        .collect()
}
