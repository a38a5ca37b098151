//! What vendors say that was used, beside what was counted here. No vendor is asked for it: what they said last is compared.

use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::administrator::Administrator;
use super::spend::{credentials, time};
use crate::app::App;
use crate::config::settings::BudgetWindow;
use crate::engine::windows::{Window, window};
use crate::http::api_call::ApiCall;
use crate::http::problem::Problem;
use crate::spend::{Counts, DriftClass, audited};
use crate::storage::gather_audit;

const MICROS: i64 = 1_000_000;
const DAY_S: i64 = 86_400;

/// Asks how the vendors' counts and ours differ.
#[derive(Debug, Clone, Copy)]
pub struct Reconcile;

impl ApiCall for Reconcile {
    type Reply = ReconciliationView;
    const METHOD: &'static str = "GET";
    const TAKES_LONG: bool = true;

    fn path(&self) -> String {
        "/v1/admin/reconciliation".to_owned()
    }
}

/// Shows how the vendors' counts and ours differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconciliationView {
    /// A row for each count that a vendor told.
    pub rows: Vec<ReconciledRow>,
    /// The providers with a key that told a count.
    pub checked: Vec<String>,
    /// The providers with a key that told none: their counts cannot be compared.
    pub unchecked: Vec<String>,
}

/// Compares the counts of a window, in calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconciledRow {
    /// The provider.
    pub provider: String,
    /// The account.
    pub account: String,
    /// The tenant whose key it is; none for the server's.
    pub tenant: Option<String>,
    /// The vendor's product.
    pub product: String,
    /// The window, such as `month 2026-11-01T00:00:00`.
    pub window: String,
    /// When the vendor told its count.
    pub told_at: Timestamp,
    /// What the vendor counts.
    pub vendor_used: i64,
    /// The vendor's limit, where it told one.
    pub vendor_limit: Option<i64>,
    /// What was settled here until the vendor told its count.
    pub ours_settled: i64,
    /// What is reserved here and not settled.
    pub ours_open: i64,
    /// How much more the vendor counts.
    pub drift: i64,
    /// Where the difference comes from.
    pub class: DriftClass,
}

/// Names the calls of a product of an account; those of a tenant's key with the tenant.
type Counted = (String, String, Option<String>, String);

/// Is a count that a vendor told.
struct Told {
    counted: Counted,
    ledger: String,
    window: Window,
    at: Timestamp,
    used: i64,
    limit: Option<i64>,
}

pub(super) async fn show(
    _administrator: Administrator,
    app: Data<App>,
) -> Result<Json<ReconciliationView>, Problem> {
    let mut told = Vec::new();
    let (mut checked, mut unchecked) = (Vec::new(), Vec::new());
    for (name, runtime) in app.engine.runtimes().iter() {
        if !runtime.keyring.has_key() {
            continue;
        }
        let before = told.len();
        for (credential, tenant) in credentials(runtime) {
            if tenant.is_some() && !credential.is_tenants_own() {
                continue;
            }
            let account = &credential.account.account;
            for (product, entitlement) in credential.account.entitled().unwrap_or_default() {
                let usage = entitlement.usage;
                let Some(at) = usage.learned else { continue };
                for (kind, used, limit) in [
                    (BudgetWindow::Day, usage.today, None),
                    (BudgetWindow::Month, usage.month, usage.month_limit),
                ] {
                    let Some(used) = used else { continue };
                    told.push(Told {
                        counted: (
                            name.clone(),
                            account.account.clone(),
                            tenant.map(str::to_owned),
                            product.clone(),
                        ),
                        ledger: account.tenant.clone(),
                        window: window(kind, &runtime.settings.resets, at),
                        at,
                        used,
                        limit,
                    });
                }
            }
        }
        let list = if told.len() > before {
            &mut checked
        } else {
            &mut unchecked
        };
        list.push(name.clone());
    }
    let ours = settled(&app, &told).await?;
    let used = app.engine.ledger().usage();
    let rows = told.into_iter().map(|told| {
        let (provider, account, tenant, product) = told.counted.clone();
        let none = Vec::new();
        let ours = ours.get(&told.counted).unwrap_or(&none);
        let start = told.window.start.map_or(0, Timestamp::as_second);
        let next = told.window.next.map_or(i64::MAX, Timestamp::as_second);
        let in_window = ours.iter().filter(|(at, _)| (start..next).contains(at));
        let settled: i64 = in_window.map(|(_, calls)| calls).sum();
        let row = used.iter().find(|row| {
            (&row.tenant, &row.provider, &row.account) == (&told.ledger, &provider, &account)
                && row.product == product
                && row.unit == "calls"
                && row.window == told.window.id
        });
        let counts = Counts {
            start,
            told_at: told.at.as_second(),
            vendor: told.used,
            ours,
            open: row.map_or(0, |row| (row.used - settled).max(0)),
        };
        ReconciledRow {
            provider,
            account,
            tenant,
            product,
            window: told.window.id,
            told_at: told.at,
            vendor_used: told.used,
            vendor_limit: told.limit,
            ours_settled: counts.settled(),
            ours_open: counts.open,
            drift: told.used - counts.settled(),
            class: counts.class(),
        }
    });
    Ok(Json(ReconciliationView {
        rows: rows.collect(),
        checked,
        unchecked,
    }))
}

/// Returns the calls that were settled of what vendors told counts of, each with its time in seconds, from a day before the first
/// window on.
async fn settled(app: &App, told: &[Told]) -> Result<BTreeMap<Counted, Vec<(i64, i64)>>, Problem> {
    let starts = told.iter().filter_map(|told| told.window.start);
    let Some(first) = starts.min() else {
        return Ok(BTreeMap::new());
    };
    let store = app.engine.store();
    store.settled().await;
    let from = time(first.as_second() - DAY_S).as_microsecond();
    let wanted: BTreeMap<_, _> = told
        .iter()
        .map(|told| (told.counted.clone(), Vec::new()))
        .collect();
    let until = app.engine.ledger().now().as_microsecond().saturating_add(MICROS);
    let gathered = gather_audit(store.as_ref(), from..until, wanted, |wanted, at, row| {
        if let Some(told) = audited(at, row) {
            let key = told.rollup.key;
            let calls = (at.div_euclid(MICROS), told.rollup.columns.settled.calls);
            // A tenant's own key is the tenant's alone.
            for tenant in [None, Some(key.tenant)] {
                let counted = (
                    key.provider.clone(),
                    key.account.clone(),
                    tenant,
                    key.product.clone(),
                );
                if let Some(all) = wanted.get_mut(&counted) {
                    all.push(calls);
                }
            }
        }
        true
    });
    gathered.await.map_err(|error| Problem::store(&error))
}
