//! Does what a command asks for, over an open store.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::{
    AnswerView, BudgetView, ControlReply, ControlRequest, KeyView, ProductView, Purge, ShownOnce, TokenView,
    VERSION, lookup,
};
use crate::app::App;
use crate::config::settings::BudgetWindow;
use crate::decisions::ChosenDecisions;
use crate::domain::Indicator;
use crate::engine::account::AccountState;
use crate::engine::cache::Entry;
use crate::engine::known_time::ClockView;
use crate::engine::runtime::Runtime;
use crate::engine::store::StoreError;
use crate::engine::windows::window;
use crate::tokens::NewToken;

/// The longest name of a token or tenant.
const LONGEST_NAME: usize = 64;

/// Does what is asked, as somebody at the terminal with all rights.
pub async fn execute(app: &App, request: ControlRequest) -> ControlReply {
    let done = match request {
        ControlRequest::Hello => Ok(ControlReply::Hello {
            version: VERSION.to_owned(),
        }),
        ControlRequest::State => Ok(ControlReply::State(super::state::state(app))),
        ControlRequest::Run(run) => lookup::run(app, run).await,
        ControlRequest::Inputs { transform } => lookup::inputs(app, &transform),
        ControlRequest::Enrich {
            indicators,
            threshold,
        } => lookup::enrich(app, &indicators, threshold).await,
        ControlRequest::KeysTest { provider } => keys_test(app, provider.as_deref()).await,
        ControlRequest::TokenCreate(new) => token_create(app, new).await,
        ControlRequest::TokenList => Ok(ControlReply::Tokens(
            app.tokens.list().into_iter().map(Into::into).collect(),
        )),
        ControlRequest::TokenRevoke { which } => token_revoke(app, &which).await,
        ControlRequest::CacheStats => {
            let stats = app.engine.cache().stats(app.engine.clock().now()).await;
            stats.map(ControlReply::Cache).map_err(text)
        }
        ControlRequest::CacheShow { value } => cache_show(app, &value),
        ControlRequest::CachePurge(purge) => cache_purge(app, &purge).await,
        ControlRequest::Reload => app.reload_source().map(ControlReply::Reloaded),
        ControlRequest::DecisionStats => Ok(ControlReply::Decisions(app.decisions.clients())),
        ControlRequest::DecisionRemove(chosen) => decisions_remove(app, &chosen).await,
        ControlRequest::Clock { confirm } => Ok(ControlReply::Clock(clock(app, confirm).await)),
    };
    done.unwrap_or_else(|reason| ControlReply::Refused { reason })
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` takes")]
fn text(error: StoreError) -> String {
    error.to_string()
}

async fn token_create(app: &App, new: NewToken) -> Result<ControlReply, String> {
    for (what, name) in [("name", &new.name), ("tenant", &new.tenant)] {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
        if name.is_empty() || name.chars().count() > LONGEST_NAME || !name.chars().all(plain) {
            return Err(format!(
                "the {what} of a token has up to {LONGEST_NAME} letters, digits, and -_.@ only, since ledger and log name it"
            ));
        }
    }
    if new.scopes.is_empty() {
        return Err("a token without a scope may do nothing; give at least one".to_owned());
    }
    let (token, record) = app.tokens.create(new).await.map_err(text)?;
    Ok(ControlReply::TokenCreated {
        token: ShownOnce(token.expose_secret().to_owned()),
        record: record.into(),
    })
}

async fn token_revoke(app: &App, which: &str) -> Result<ControlReply, String> {
    let gone = app.tokens.revoke(which).await.map_err(text)?;
    if gone.is_empty() {
        return Err(
            "there is no token of this name or id; `pivotd tokens list` shows those that there are"
                .to_owned(),
        );
    }
    Ok(ControlReply::Revoked(
        gone.into_iter().map(TokenView::from).collect(),
    ))
}

/// Returns what a value may be stored under: as it is, and canonical.
fn spellings(value: &str) -> Vec<String> {
    let canonical = Indicator::guess(value)
        .ok()
        .map(|indicator| indicator.value().to_owned());
    let mut all = vec![value.to_owned()];
    all.extend(canonical.filter(|canonical| canonical != value));
    all
}

fn cache_show(app: &App, value: &str) -> Result<ControlReply, String> {
    let now = app.engine.clock().now();
    let mut all = Vec::new();
    for spelling in spellings(value) {
        let entries = app.engine.cache().about(&spelling).map_err(text)?;
        all.extend(entries.iter().map(|entry| answer_view(entry, now)));
    }
    Ok(ControlReply::Answers(all))
}

fn answer_view(entry: &Entry, now: jiff::Timestamp) -> AnswerView {
    let answer = &entry.answer;
    AnswerView {
        provider: answer.source.provider.clone(),
        product: answer.source.product.clone(),
        capability: answer.query.capability.name().to_owned(),
        params: answer
            .query
            .params
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        records: answer.records.len(),
        total: answer.total,
        bought: answer
            .price
            .as_ref()
            .filter(|price| price.bought)
            .map(crate::domain::outcome::Price::amount),
        retrieved_at: entry.retrieved_at,
        fresh_until: entry.fresh_until,
        fresh: entry.is_fresh(now),
    }
}

async fn clock(app: &App, confirm: bool) -> ClockView {
    let time = app.engine.time();
    if !confirm {
        return time.view();
    }
    let view = time.confirm();
    app.engine.store().settled().await;
    view
}

async fn cache_purge(app: &App, purge: &Purge) -> Result<ControlReply, String> {
    let values = purge.indicator.as_deref().map(spellings);
    let count = app
        .engine
        .cache()
        .purge(|stored| {
            purge
                .provider
                .as_deref()
                .is_none_or(|provider| provider == stored.provider)
                && purge
                    .capability
                    .as_deref()
                    .is_none_or(|name| stored.capability.is_some_and(|c| c.name() == name))
                && values
                    .as_ref()
                    .is_none_or(|values| values.iter().any(|value| value == stored.value))
        })
        .await
        .map_err(text)?;
    Ok(ControlReply::Purged { count })
}

async fn decisions_remove(app: &App, chosen: &ChosenDecisions) -> Result<ControlReply, String> {
    let count = app.decisions.remove(chosen).await.map_err(text)?;
    // The room is the disk's again where that needs it.
    app.engine.store().compact().await.map_err(text)?;
    Ok(ControlReply::DecisionsRemoved { count })
}

async fn keys_test(app: &App, provider: Option<&str>) -> Result<ControlReply, String> {
    let runtimes = app.engine.runtimes();
    if let Some(name) = provider
        && !runtimes.contains_key(name)
    {
        let known: Vec<&str> = runtimes.keys().map(String::as_str).collect();
        return Err(format!(
            "no provider of this name is enabled; there are: {}",
            known.join(", ")
        ));
    }
    // What has no key, and needs one, is left out unless it is named; a part of one is a fault that is told.
    let is_asked = |runtime: &Runtime| {
        let settings = &runtime.settings;
        settings.no_key().is_none() || !settings.credentials.is_empty() || settings.key_fault.is_some()
    };
    let mut keys = Vec::new();
    for (name, runtime) in runtimes.iter() {
        let meant = provider.map_or_else(|| is_asked(runtime), |one| one == name);
        if meant {
            keys.push(key_test(app, name, runtime).await);
        }
    }
    Ok(ControlReply::Keys(keys))
}

async fn key_test(app: &App, name: &str, runtime: &Arc<Runtime>) -> KeyView {
    let mut view = KeyView {
        provider: name.to_owned(),
        title: runtime.provider.descriptor().title.to_string(),
        failure: None,
        account: None,
        fingerprint: (!runtime.settings.credentials.is_empty() && runtime.own.is_some())
            .then(|| runtime.fingerprint().to_owned()),
        products: Vec::new(),
        budgets: Vec::new(),
    };
    if let Some(reason) = runtime.settings.no_key() {
        view.failure = Some(reason);
        return view;
    }
    let deadline = app.engine.clock().elapsed() + app.configured.load().settings().deadlines.maltego;
    match app
        .engine
        .test_key(name, lookup::asker("keys test"), deadline)
        .await
    {
        Ok(state) => {
            view.products = products(app, runtime, &state);
            view.budgets = budgets(app, runtime, &state);
            view.account = Some(state.account.account.clone());
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

fn budgets(app: &App, runtime: &Runtime, state: &AccountState) -> Vec<BudgetView> {
    let settings = &runtime.settings;
    settings
        .budget
        .iter()
        .map(|budget| BudgetView {
            label: budget.label.clone(),
            used: app.engine.ledger().used(&state.account, settings, budget),
            currency: budget.currency.clone(),
        })
        .collect()
}
