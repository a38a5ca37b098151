//! Who spent what: reports of a time, and who used a provider's budgets.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::administrator::Administrator;
use super::refused;
use crate::app::App;
use crate::config::settings::{Budget, BudgetUnit, BudgetWindow};
use crate::domain::echo::brief;
use crate::engine::keyring::{Credential, DEFAULT_TENANT};
use crate::engine::ledger::Account;
use crate::engine::runtime::Runtime;
use crate::engine::windows::window;
use crate::hex::hex;
use crate::http::api_call::ApiCall;
use crate::http::problem::Problem;
use crate::http::target::query;
use crate::spend::{
    Bucket, Dimension, Filter, KEPT_DAYS, Period, Position, QUARTER_S, Report, ReportQuery, ReportRow, Sum,
    Sums, TooMany, audited, retention, zone,
};
use crate::storage::{StoreError, gather_audit, gather_rollups};

/// So many rows one answer has at most.
const MOST_ROWS: usize = 200;
/// So many audit rows are read for a report by question or case.
const MOST_AUDITED: usize = 200_000;
const MICROS: i64 = 1_000_000;
/// So many millionths are a hundredth.
const MICROS_PER_CENT: i64 = 10_000;
/// So many clients of a window are told.
const MOST_CLIENTS: usize = 200;

/// Asks what was spent in a time. What is left out of the filters chooses all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AskSpend {
    /// Where the time begins: a day, a month, a time, `today` or `yesterday`; the present month otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Where it ends; a day or a month is part of it. Now otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The month instead of both: `2026-11`, `this` or `last`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// The zone in which days begin; UTC otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tz: Option<String>,
    /// Into what the time is divided: `hour`, `day`, `week` or `month`; not at all otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// By what rows are summed, with commas between; by client and provider otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<String>,
    /// How many rows an answer has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Where to go on, as an answer before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The values that are chosen, by dimension.
    #[serde(flatten)]
    pub filters: SpendFilters,
}

macro_rules! filters {
    ($($name:ident: $dimension:ident,)*) => {
        /// Chooses rows by their values.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct SpendFilters {
            $(
                #[doc = concat!("Those whose ", stringify!($name), " is this.")]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<String>,
            )*
        }

        impl SpendFilters {
            fn filters(&self) -> Vec<Filter> {
                let all = [$((Dimension::$dimension, &self.$name)),*];
                let given = all.into_iter().filter_map(|(dimension, value)| Some((dimension, value.clone()?)));
                given.map(|(dimension, value)| Filter { dimension, value }).collect()
            }
        }
    };
}

filters! {
    tenant: Tenant,
    client: Client,
    token: Token,
    person: Person,
    face: Face,
    provider: Provider,
    account: Account,
    product: Product,
    operation: Operation,
    outcome: Outcome,
    question: Question,
    case: Case,
}

impl ApiCall for AskSpend {
    type Reply = SpendView;
    const METHOD: &'static str = "GET";
    const TAKES_LONG: bool = true;

    fn path(&self) -> String {
        format!("/v1/admin/spend?{}", written(self))
    }
}

fn written(query: &impl Serialize) -> String {
    serde_urlencoded::to_string(query).unwrap_or_default()
}

/// Shows what was spent in a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendView {
    /// Where the time begins, on a quarter of an hour.
    pub from: Timestamp,
    /// Where it ends.
    pub to: Timestamp,
    /// The zone.
    pub tz: String,
    /// Into what the time is divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// By what rows are summed.
    pub group_by: Vec<String>,
    /// The rows, in the order of their times and groups.
    pub rows: Vec<ReportRow>,
    /// The sums of all rows, those of other pages included.
    pub total: Sums,
    /// What is to be known of the numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Where the next page begins; none where this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Says where a page ends, and of which report.
#[derive(Serialize, Deserialize)]
struct Cursor {
    report: String,
    period: (i64, i64),
    after: Position,
}

/// Is the problem of a parameter.
fn expected(parameter: &str, expected: impl std::fmt::Display) -> Problem {
    Problem::invalid(format!("the query: {parameter}: {expected}"))
}

fn one_of<'a>(parameter: &str, given: &str, names: impl Iterator<Item = &'a str>) -> Problem {
    let names: Vec<&str> = names.collect();
    let given = brief(given);
    expected(
        parameter,
        format_args!("one of {} is expected, not {given:?}", names.join(", ")),
    )
}

impl AskSpend {
    fn read(&self, now: Timestamp) -> Result<(ReportQuery, usize, Option<Position>), Problem> {
        let zone = zone(self.tz.as_deref().unwrap_or("UTC")).map_err(|reason| expected("tz", reason))?;
        let bucket = |name: &str| {
            let found = Bucket::ALL.into_iter().find(|bucket| bucket.name() == name);
            found.ok_or_else(|| one_of("bucket", name, Bucket::ALL.iter().map(|bucket| bucket.name())))
        };
        let bucket = self.bucket.as_deref().map(bucket).transpose()?;
        let names = self.group_by.as_deref().unwrap_or("client,provider").split(',');
        let mut group_by = Vec::new();
        for name in names.map(str::trim).filter(|name| !name.is_empty()) {
            let all = || Dimension::ALL.iter().map(|one| one.name());
            let dimension = Dimension::named(name).ok_or_else(|| one_of("group_by", name, all()))?;
            if !group_by.contains(&dimension) {
                group_by.push(dimension);
            }
        }
        let limit = |text: &str| {
            let number = text.parse().ok().filter(|limit| (1..=MOST_ROWS).contains(limit));
            number.ok_or_else(|| {
                expected(
                    "limit",
                    format_args!("a number from 1 to {MOST_ROWS} is expected"),
                )
            })
        };
        let limit = self.limit.as_deref().map_or(Ok(MOST_ROWS), limit)?;
        let mut period = match (&self.month, &self.from, &self.to) {
            (Some(month), None, None) => {
                Period::month(month, &zone, now).map_err(|reason| expected("month", reason))?
            }
            (Some(_), ..) => {
                return Err(expected(
                    "month",
                    "`month` or `from` and `to` are expected, not both",
                ));
            }
            (None, from, to) => Period::read(from.as_deref(), to.as_deref(), &zone, now)
                .map_err(|(parameter, reason)| expected(parameter, reason))?,
        };
        let mut after = None;
        if let Some(cursor) = &self.cursor {
            let cursor = self
                .cursor(cursor)
                .ok_or_else(|| expected("cursor", "`next` of an answer to the same question is expected"))?;
            // Further pages are of the time of the first one.
            (period.from, period.to) = cursor.period;
            after = Some(cursor.after);
        }
        let query = ReportQuery {
            period,
            zone,
            bucket,
            group_by,
            filters: self.filters.filters(),
        };
        Ok((query, limit, after))
    }

    /// Names the report among others.
    fn digest(&self) -> String {
        let report = Self {
            limit: None,
            cursor: None,
            ..self.clone()
        };
        let digest = Sha256::digest(written(&report));
        hex(digest.get(..8).unwrap_or_default())
    }

    fn cursor(&self, text: &str) -> Option<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let cursor: Cursor = serde_json::from_slice(&bytes).ok()?;
        (cursor.report == self.digest()).then_some(cursor)
    }

    fn next(&self, period: Period, after: Position) -> String {
        let cursor = Cursor {
            report: self.digest(),
            period: (period.from, period.to),
            after,
        };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
    }
}

pub(super) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}

/// Sums the rows of a report; returns how far, in seconds, where not all audit rows were read.
async fn summed(app: &App, query: ReportQuery) -> Result<(Report, Option<i64>), StoreError> {
    let store = app.engine.store();
    // What was noted in memory is part of it.
    app.engine.ledger().hand_over_notes();
    store.settled().await;
    let Period { from, to } = query.period;
    if !query.is_audited() {
        let gathered = gather_rollups(store.as_ref(), from..to, Report::new(query), |report, row| {
            report.add(row);
        });
        return Ok((gathered.await?, None));
    }
    let within = from.saturating_mul(MICROS)..to.saturating_mul(MICROS);
    let start = (Report::new(query), 0_usize, None);
    let gathered = gather_audit(store.as_ref(), within, start, |(report, count, cut), at, row| {
        if *count == MOST_AUDITED {
            *cut = Some(at.div_euclid(MICROS));
            return false;
        }
        *count += 1;
        if let Some(told) = audited(at, row) {
            report.add_audited(&told);
        }
        true
    });
    let (report, _, cut) = gathered.await?;
    Ok((report, cut))
}

/// Leaves of a report what the administrator may see.
fn within_reach(administrator: &Administrator, query: &mut ReportQuery) -> Result<(), Problem> {
    let named = query
        .filters
        .iter()
        .find(|one| one.dimension == Dimension::Tenant);
    let named = named.map(|one| one.value.clone());
    let is_named = named.is_some();
    if let (Some(value), false) = (administrator.tenant(named)?, is_named) {
        let dimension = Dimension::Tenant;
        query.filters.push(Filter { dimension, value });
    }
    Ok(())
}

pub(super) async fn report(
    administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
) -> Result<Json<SpendView>, Problem> {
    let ask: AskSpend = query(&http)?;
    let now = app.engine.ledger().now();
    let (mut query, limit, after) = ask.read(now)?;
    within_reach(&administrator, &mut query)?;
    let is_audited = query.is_audited();
    let (report, cut) = summed(&app, query)
        .await
        .map_err(|error| Problem::store(&error))?;
    let page = report.page(after.as_ref(), limit);
    let (rows, next) = page.map_err(|TooMany| Problem::invalid(format!("the query: {TooMany}")))?;
    let ReportQuery {
        period,
        bucket,
        group_by,
        ..
    } = report.query();
    let mut notes = Vec::new();
    if let Some(cut) = cut {
        notes.push(format!(
            "only the first {MOST_AUDITED} audit rows were read: nothing from {} on is in these sums; ask for a shorter time",
            time(cut)
        ));
    }
    if is_audited {
        notes.push(
            "questions and cases are told by audit rows: what the cache saved and what budgets refused is not in them".to_owned(),
        );
    }
    let (months_before, _) = retention(now.as_microsecond() - KEPT_DAYS * 86_400 * MICROS);
    if period.from < months_before && !is_audited {
        notes.push(format!(
            "from before {} only months (UTC) are kept: their sums stand at the first of the month",
            time(months_before)
        ));
    }
    if report.has_other() {
        notes.push("what stands at (other) was too much to be told apart in memory".to_owned());
    }
    Ok(Json(SpendView {
        from: time(period.from),
        to: time(period.to),
        tz: ask.tz.clone().unwrap_or_else(|| "UTC".to_owned()),
        bucket: bucket.map(|bucket| bucket.name().to_owned()),
        group_by: group_by.iter().map(|one| one.name().to_owned()).collect(),
        rows,
        total: report.total().clone(),
        notes,
        next: next.map(|after| ask.next(*period, after)),
    }))
}

/// Names a window of a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhichWindow {
    /// The present one.
    #[default]
    Current,
    /// The one before.
    Previous,
}

/// Asks who used the budgets of a provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskWho {
    /// The provider.
    pub provider: String,
    /// Of which window.
    #[serde(default)]
    pub window: WhichWindow,
}

impl ApiCall for AskWho {
    type Reply = Vec<WindowView>;
    const METHOD: &'static str = "GET";
    const TAKES_LONG: bool = true;

    fn path(&self) -> String {
        format!("/v1/admin/spend/who?{}", written(self))
    }
}

/// Shows who used a window of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowView {
    /// The budget as it was written; none where the account has none.
    pub budget: Option<String>,
    /// The account.
    pub account: String,
    /// The product that the budget is of; none for all together.
    pub product: Option<String>,
    /// The tenant whose budget it is; none for one that tenants share.
    pub tenant: Option<String>,
    /// What is counted: `calls`, `records`, or the millionths of a currency, such as `USD micros`.
    pub unit: String,
    /// When the window opened; none for a budget that never resets.
    pub from: Option<Timestamp>,
    /// When the next one opens.
    pub to: Option<Timestamp>,
    /// The limit, in its unit.
    pub limit: Option<i64>,
    /// What all clients used, in its unit.
    pub used: i64,
    /// The clients, the largest use first.
    pub clients: Vec<ClientUse>,
    /// What is to be known of the numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Shows what a client used of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientUse {
    /// The token's name.
    pub client: String,
    /// The client's tenant.
    pub tenant: String,
    /// What it used, in the unit of the window.
    pub used: i64,
    /// The same in thousandths of the limit, where there is one.
    pub share_permille: Option<i64>,
}

pub(super) async fn who(
    _administrator: Administrator,
    app: Data<App>,
    http: HttpRequest,
) -> Result<Json<Vec<WindowView>>, Problem> {
    let AskWho { provider, window } = query(&http)?;
    let runtimes = app.engine.runtimes();
    let Some(runtime) = runtimes.get(&provider) else {
        let known = runtimes.keys().map(String::as_str);
        return Err(one_of("provider", &provider, known));
    };
    let mut windows = Vec::new();
    for (credential, tenant) in credentials(runtime) {
        let budgets: Vec<(&Account, &Budget)> = match tenant {
            Some(_) => credential.own_budgets().collect(),
            None => credential.budgets().collect(),
        };
        let own = &credential.account.account;
        if budgets.is_empty() && tenant.is_none_or(|_| credential.is_tenants_own()) {
            windows.push(used(&app, runtime, (own, tenant), None, window).await?);
        }
        for (account, budget) in budgets {
            windows.push(used(&app, runtime, (account, tenant), Some(budget), window).await?);
        }
    }
    if windows.is_empty() {
        return Err(refused(format!(
            "{provider} has no key here, so nothing was spent by one"
        )));
    }
    Ok(Json(windows))
}

/// Returns the credentials of a provider, those of tenants with their tenant.
pub(super) fn credentials(runtime: &Runtime) -> impl Iterator<Item = (&Credential, Option<&str>)> {
    let shared = runtime.keyring.configured_for(DEFAULT_TENANT);
    let tenants = runtime.keyring.tenant_credentials();
    let tenants = tenants.map(|one| {
        let share = one.own_budgets().next().map(|(account, _)| account);
        let account = share.unwrap_or(&one.account.account);
        (one, Some(account.tenant.as_str()))
    });
    shared.map(|one| (one, None)).into_iter().chain(tenants)
}

/// Says who used a window of a budget, or of the present month where there is none.
async fn used(
    app: &App,
    runtime: &Runtime,
    (account, tenant): (&Account, Option<&str>),
    budget: Option<&Budget>,
    which: WhichWindow,
) -> Result<WindowView, Problem> {
    let (resets, now) = (&runtime.settings.resets, app.engine.ledger().now());
    let kind = budget.map_or(BudgetWindow::Month, |budget| budget.window);
    let mut found = window(kind, resets, now);
    if let (WhichWindow::Previous, Some(start)) = (which, found.start) {
        found = window(kind, resets, time(start.as_second() - 1));
    }
    let bound = |at: Option<Timestamp>| at.map(Timestamp::as_second);
    let (from, to) = (bound(found.start).unwrap_or(0), bound(found.next));
    let quarter = |at: i64| at.div_euclid(QUARTER_S) * QUARTER_S;
    let period = Period {
        from: quarter(from),
        to: quarter(to.unwrap_or_else(|| now.as_second() + QUARTER_S)),
    };
    let product = budget.and_then(|budget| budget.product.clone());
    let filter = |dimension, value: &str| Filter {
        dimension,
        value: value.to_owned(),
    };
    let mut filters = vec![
        filter(Dimension::Provider, &account.provider),
        filter(Dimension::Account, &account.account),
    ];
    filters.extend(
        product
            .as_deref()
            .map(|product| filter(Dimension::Product, product)),
    );
    filters.extend(tenant.map(|tenant| filter(Dimension::Tenant, tenant)));
    let query = ReportQuery {
        period,
        zone: jiff::tz::TimeZone::UTC,
        bucket: None,
        group_by: vec![Dimension::Client, Dimension::Tenant],
        filters,
    };
    let (report, _) = summed(app, query).await.map_err(|error| Problem::store(&error))?;
    let unit = budget.map_or(BudgetUnit::Calls, |budget| budget.unit);
    let currency = budget
        .and_then(|budget| budget.currency.as_deref())
        .unwrap_or_default();
    let amount = |sum: &Sum| match unit {
        BudgetUnit::Calls => sum.calls,
        BudgetUnit::Records => sum.records,
        BudgetUnit::Cents => sum.money_micros.get(currency).copied().unwrap_or(0),
    };
    let limit = budget.map(|budget| match unit {
        BudgetUnit::Cents => budget.limit.saturating_mul(MICROS_PER_CENT),
        BudgetUnit::Calls | BudgetUnit::Records => budget.limit,
    });
    let share = |used: i64| {
        let limit = limit.filter(|limit| *limit > 0)?;
        i64::try_from(i128::from(used) * 1000 / i128::from(limit)).ok()
    };
    let (rows, _) = report
        .page(None, usize::MAX)
        .map_err(|TooMany| Problem::invalid(TooMany.to_string()))?;
    let name = |row: &ReportRow, of: Dimension| row.group.get(of.name()).cloned().unwrap_or_default();
    let clients = rows.iter().map(|row| {
        let used = amount(&row.sums.settled);
        ClientUse {
            client: name(row, Dimension::Client),
            tenant: name(row, Dimension::Tenant),
            used,
            share_permille: share(used),
        }
    });
    let mut clients: Vec<ClientUse> = clients.filter(|one| one.used != 0).collect();
    clients.sort_by(|one, other| {
        other
            .used
            .cmp(&one.used)
            .then_with(|| one.client.cmp(&other.client))
    });
    let mut notes = Vec::new();
    if clients.len() > MOST_CLIENTS {
        notes.push(format!("{} more clients used less", clients.len() - MOST_CLIENTS));
        clients.truncate(MOST_CLIENTS);
    }
    if from % QUARTER_S != 0 {
        notes.push("the window does not open on a quarter of an hour, so that the quarter in which it opened counts whole".to_owned());
    }
    Ok(WindowView {
        budget: budget.map(|budget| budget.label.clone()),
        account: account.account.clone(),
        product,
        tenant: tenant.map(str::to_owned),
        unit: match unit {
            BudgetUnit::Calls => "calls".to_owned(),
            BudgetUnit::Records => "records".to_owned(),
            BudgetUnit::Cents => format!("{currency} micros"),
        },
        from: found.start,
        to: found.next,
        limit,
        used: amount(&report.total().settled),
        clients,
        notes,
    })
}
