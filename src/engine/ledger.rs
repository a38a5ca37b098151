//! Counts what is spent, on disk before the bytes leave: reserve the most a call can cost, settle what it did cost.
//!
//! A crash can over-count by what was in flight and never under-counts: a reservation that was not
//! settled stays charged. Refunds happen only where no byte was sent or the vendor's facts say free.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::Serialize;
use uuid::{ContextV7, Uuid};

use super::known_time::{KnownTime, Moment};
pub use super::limits::VendorUsage;
use super::limits::{limit, tightest, vendor_limit, vendor_used};
use super::units::{from_row, row_unit, to_row};
pub use super::waiters::Priority;
use super::windows::{window, windows};
use crate::config::settings::{Budget, BudgetUnit, BudgetWindow, Resets};
use crate::domain::outcome::money;
use crate::providers::{Cost, Name};
use crate::spend::{Amounts, Columns, Rollup, RollupKey, Tally, quarter_of};
use crate::storage::{LedgerStore, Line, Reserve, ReserveError, RowKey, Settlement};

/// Names who pays: a tenant's use of one key at one provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    /// The tenant.
    pub tenant: String,
    /// The provider.
    pub provider: String,
    /// The key: the user name of the server's key, or `user:<keyed hash>` for a user's own.
    pub account: String,
}

/// Says for whom and for which case a client says that it asks: claimed, not proven. Empty where it does not say so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// The person.
    pub person: String,
    /// The case.
    pub case_id: String,
}

/// Attributes a spend to a client, a transform or route, and a question.
#[derive(Debug, Clone, Serialize)]
pub struct Spend {
    /// The client token's name.
    pub client: String,
    /// The token's id; empty where no token asked.
    pub token: String,
    /// For whom the client says that it asks.
    pub claims: Claims,
    /// The client's tenant.
    pub tenant: String,
    /// The frontend that asked.
    pub face: String,
    /// The transform or route.
    pub operation: String,
    /// The question: capability and indicator.
    pub question: String,
    /// The request id.
    pub request_id: String,
}

/// Holds a reservation until it is settled. Dropping it unsettled leaves it charged.
#[derive(Debug)]
#[must_use = "settle it, or it stays charged in full"]
pub struct Reservation {
    id: Uuid,
    rows: Vec<(RowKey, BudgetUnit)>,
    reserved: Cost,
    spend: serde_json::Value,
}

/// Says why a reservation was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A budget is used up.
    Exhausted {
        /// The budget as the administrator wrote it, or the vendor's limit.
        budget: String,
        /// What is used.
        used: i64,
        /// When it opens again.
        opens: Option<Timestamp>,
        /// Whether only the part kept for people at work is left.
        reserve: bool,
    },
    /// The ledger could not be written; nothing may be spent.
    Store(String),
}

/// Is an account that a call is charged to, with what bounds it.
#[derive(Debug)]
pub struct ChargedAccount<'a> {
    /// The account.
    pub account: &'a Account,
    /// Its budgets.
    pub budgets: &'a [Budget],
    /// What the vendor says was used of it.
    pub vendor: VendorUsage,
}

/// Describes what is about to be spent.
#[derive(Debug)]
pub struct ChargeRequest<'a> {
    /// The account of the key; the audit names it.
    pub account: &'a Account,
    /// All accounts that are charged, the key's included.
    pub accounts: Vec<ChargedAccount<'a>>,
    /// When windows open.
    pub resets: &'a Resets,
    /// Per cent of each budget kept for people at work.
    pub reserve: u8,
    /// The product that is billed.
    pub product: &'a str,
    /// The most it can cost.
    pub cost: Cost,
    /// The currency of its money; empty where the product is not sold for money.
    pub currency: Name,
    /// Who waits.
    pub priority: Priority,
}

/// Holds the rows of a charge, in step with why each may be refused.
#[derive(Default)]
struct Plan {
    lines: Vec<Line>,
    causes: Vec<Cause>,
}

impl Plan {
    /// Adds the rows of an account in the windows of one kind.
    fn add(
        &mut self,
        charge: &ChargeRequest<'_>,
        charged: &ChargedAccount<'_>,
        (scope, unit, kind): (&str, BudgetUnit, BudgetWindow),
        moment: Moment,
    ) {
        let budget = tightest(charged.budgets, scope, unit, kind);
        let theirs = vendor_limit(&charged.vendor, scope, unit, kind);
        let shown = matches!(kind, BudgetWindow::Day | BudgetWindow::Month);
        if budget.is_none() && theirs.is_none() && !shown {
            return;
        }
        let (limit, label) = limit(budget, theirs, charge.reserve, charge.priority, charge.product);
        let all = windows(kind, charge.resets, moment);
        for (at, found) in all.iter().enumerate() {
            let told = charged.vendor.learned;
            let told = told.filter(|learned| window(kind, charge.resets, *learned) == *found);
            let told = told.map_or(0, |_| vendor_used(&charged.vendor, scope, unit, kind));
            self.lines.push(Line {
                key: Ledger::key(charged.account, scope, unit, &found.id),
                amount: to_row(amount(charge.cost, unit), unit),
                limit: limit.map(|limit| to_row(limit, unit)),
                floor: to_row(told, unit),
            });
            let other = all.len() > 1 && at == 0;
            self.causes.push(Cause {
                label: if other {
                    format!("{label}, which the clock's jump has not opened")
                } else {
                    label.clone()
                },
                // Of a window that the clock has left, the end of the doubt is what counts.
                opens: if other {
                    moment.believed_at.max(found.next)
                } else {
                    found.next
                },
                reserve: charge.priority == Priority::Batch && charge.reserve > 0,
                unit,
            });
        }
    }
}

struct Cause {
    label: String,
    opens: Option<Timestamp>,
    reserve: bool,
    unit: BudgetUnit,
}

impl Cause {
    /// Says that this was the cause; `used` is what the row has.
    fn refusal(&self, used: i64) -> Refusal {
        Refusal::Exhausted {
            budget: self.label.clone(),
            used: from_row(used, self.unit),
            opens: self.opens,
            reserve: self.reserve,
        }
    }
}

/// Keeps the ledger of all accounts.
#[derive(Debug)]
pub struct Ledger {
    store: Arc<dyn LedgerStore>,
    time: Arc<KnownTime>,
    /// Keeps ids of the same millisecond in order.
    ids: Mutex<ContextV7>,
    /// What the cache saved and budgets refused since it was written last.
    tally: Tally,
}

/// Shows one row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// The tenant.
    pub tenant: String,
    /// The provider.
    pub provider: String,
    /// The account.
    pub account: String,
    /// The product, `*` for all together.
    pub product: String,
    /// `calls`, `records` or `cents`.
    pub unit: String,
    /// The window.
    pub window: String,
    /// What is used by our count.
    pub used: i64,
}

fn amount(cost: Cost, unit: BudgetUnit) -> i64 {
    match unit {
        BudgetUnit::Calls => cost.calls,
        BudgetUnit::Records => cost.records,
        BudgetUnit::Cents => cost.cents,
    }
}

/// Says a cost in the units of sums.
pub(super) fn amounts(cost: Cost) -> Amounts {
    Amounts {
        calls: cost.calls,
        records: cost.records,
        micros: to_row(cost.cents, BudgetUnit::Cents),
    }
}

/// Is the outcome, in sums, of what a budget refused.
const OVER_BUDGET: &str = "over_budget";

/// Says in plain words what a cost is: `1 call and 25 records`.
#[must_use]
pub fn cost_text(cost: Cost, currency: &str) -> String {
    let plural = |n: i64, one: &str| {
        if n == 1 {
            format!("1 {one}")
        } else {
            format!("{n} {one}s")
        }
    };
    let mut parts = Vec::new();
    if cost.calls > 0 {
        parts.push(plural(cost.calls, "call"));
    }
    if cost.records > 0 {
        parts.push(plural(cost.records, "record"));
    }
    if cost.cents > 0 {
        parts.push(money(cost.cents, currency));
    }
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(" and ")
    }
}

impl Ledger {
    /// Opens the ledger of a store.
    #[must_use]
    pub fn new(store: Arc<dyn LedgerStore>, time: Arc<KnownTime>) -> Self {
        Self {
            store,
            time,
            ids: Mutex::new(ContextV7::new()),
            tally: Tally::default(),
        }
    }

    /// Returns the time for windows: a clock that goes back or jumps opens none.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    fn key(account: &Account, product: &str, unit: BudgetUnit, window: &str) -> RowKey {
        let Account {
            tenant,
            provider,
            account,
        } = account;
        format!(
            "{tenant}|{provider}|{account}|{product}|{}|{window}",
            row_unit(unit)
        )
    }

    /// Says whether a reservation would be refused now, without making it, so that no caller waits for the rate in vain.
    ///
    /// # Errors
    /// [`Refusal::Exhausted`] where a budget stands in the way.
    pub fn check(&self, charge: &ChargeRequest<'_>) -> Result<(), Refusal> {
        let plan = Self::plan(charge, self.time.look());
        for (line, cause) in plan.lines.iter().zip(&plan.causes) {
            let used = self.store.spent(&line.key).max(line.floor);
            if line
                .limit
                .is_some_and(|limit| used.saturating_add(line.amount) > limit)
            {
                return Err(cause.refusal(used));
            }
        }
        Ok(())
    }

    /// Reserves the most that a call can cost; on disk when it returns.
    ///
    /// # Errors
    /// [`Refusal`] where a budget stands in the way, or the disk does not take it.
    pub async fn reserve(&self, charge: &ChargeRequest<'_>, spend: &Spend) -> Result<Reservation, Refusal> {
        let moment = self.time.look();
        let Plan { lines, causes } = Self::plan(charge, moment);
        let id = self.new_id(moment);
        let record = Self::record(charge, spend, moment);
        let units = causes.iter().map(|cause| cause.unit);
        let rows = lines.iter().map(|line| line.key.clone()).zip(units).collect();
        let known = moment
            .believed_at
            .is_none()
            .then(|| moment.known.as_microsecond());
        let reserve = Reserve {
            id,
            node: self.store.node(),
            // The flights of one process are one by themselves.
            lease: None,
            lines,
            spend: record.clone(),
            known,
        };
        match self.store.reserve(reserve).await {
            Ok(()) => Ok(Reservation {
                id,
                rows,
                reserved: charge.cost,
                spend: record,
            }),
            Err(ReserveError::Exhausted(index, used)) => Err(causes.get(index).map_or_else(
                || Refusal::Store("unknown line".to_owned()),
                |cause| cause.refusal(used),
            )),
            Err(ReserveError::Fenced) => Err(Refusal::Store("its lease is not held any more".to_owned())),
            Err(ReserveError::Store(reason)) => Err(Refusal::Store(reason)),
        }
    }

    /// Names a reservation by the time that spending goes by.
    fn new_id(&self, moment: Moment) -> Uuid {
        let micros = u64::try_from(moment.known.as_microsecond()).unwrap_or(0);
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let nanos = u32::try_from(micros * 1000).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(&self.ids, seconds, nanos))
    }

    /// Lists the rows that a charge touches: the product's and the account's, in every window that has
    /// a budget or a vendor's limit, and in day and month for people to look at. While the clock is not believed, the windows
    /// of both times count, so that none is passed whichever is right.
    fn plan(charge: &ChargeRequest<'_>, moment: Moment) -> Plan {
        let mut plan = Plan::default();
        for charged in &charge.accounts {
            for scope in [charge.product, "*"] {
                for unit in [BudgetUnit::Calls, BudgetUnit::Records, BudgetUnit::Cents] {
                    if amount(charge.cost, unit) == 0 {
                        continue;
                    }
                    for kind in [
                        BudgetWindow::Hour,
                        BudgetWindow::Day,
                        BudgetWindow::Month,
                        BudgetWindow::Total,
                    ] {
                        plan.add(charge, charged, (scope, unit, kind), moment);
                    }
                }
            }
        }
        plan
    }

    fn record(charge: &ChargeRequest<'_>, spend: &Spend, moment: Moment) -> serde_json::Value {
        let (account, reserved) = (charge.account, amounts(charge.cost));
        let mut record = serde_json::json!({
            "at": moment.reading, "at_us": moment.known.as_microsecond(),
            "tenant": spend.tenant, "provider": account.provider, "account": account.account, "product": charge.product,
            "client": spend.client, "token": spend.token, "face": spend.face, "operation": spend.operation,
            "question": spend.question, "request_id": spend.request_id,
            "reserved": {"calls": reserved.calls, "records": reserved.records, "micros": reserved.micros},
        });
        let said = [
            ("currency", charge.currency.as_str()),
            ("person", spend.claims.person.as_str()),
            ("case_id", spend.claims.case_id.as_str()),
        ];
        if let Some(fields) = record.as_object_mut() {
            let said = said.into_iter().filter(|(_, value)| !value.is_empty());
            fields.extend(said.map(|(name, value)| (name.to_owned(), value.into())));
        }
        record
    }

    /// Notes what a budget refused.
    pub(super) fn note_refused(&self, charge: &ChargeRequest<'_>, spend: &Spend) {
        let key = RollupKey {
            tenant: spend.tenant.clone(),
            token: spend.token.clone(),
            client: spend.client.clone(),
            face: spend.face.clone(),
            person: spend.claims.person.clone(),
            provider: charge.account.provider.clone(),
            account: charge.account.account.clone(),
            product: charge.product.to_owned(),
            operation: spend.operation.clone(),
            outcome: OVER_BUDGET.to_owned(),
            currency: charge.currency.to_string(),
        };
        let columns = Columns {
            refused: amounts(charge.cost),
            ..Columns::default()
        };
        self.note(key, columns);
    }

    /// Notes what is not written with a settlement: it is kept in memory until the next one, and for a minute at most while more
    /// comes.
    pub(super) fn note(&self, key: RollupKey, columns: Columns) {
        let row = Rollup {
            start: quarter_of(self.time.now().as_microsecond()),
            key,
            columns,
        };
        if let Some(due) = self.tally.add(row, self.time.clock().elapsed()) {
            self.store.note_rollups(due);
        }
    }

    /// Hands over what was noted in memory.
    pub fn hand_over_notes(&self) {
        let noted = self.tally.take();
        if !noted.is_empty() {
            self.store.note_rollups(noted);
        }
    }

    /// Settles a reservation: `cost` is what it did cost, never more than was reserved is given back.
    pub fn settle(&self, reservation: Reservation, cost: Cost, class: &str) {
        let Reservation {
            id,
            rows,
            reserved,
            mut spend,
        } = reservation;
        let refunds = rows
            .into_iter()
            .map(|(key, unit)| (key, to_row(amount(reserved, unit) - amount(cost, unit), unit)))
            .filter(|(_, back)| *back != 0)
            .collect();
        let at = spend
            .get("at_us")
            .and_then(serde_json::Value::as_i64)
            .unwrap_or(0);
        if let Some(fields) = spend.as_object_mut() {
            fields.insert(
                "cost".to_owned(),
                serde_json::json!({"calls": cost.calls, "records": cost.records, "cents": cost.cents}),
            );
            fields.insert("verdict".to_owned(), class.into());
        }
        self.store.settle(Settlement {
            id,
            refunds,
            spend,
            at,
        });
        // They ride with the commit of the settlement.
        self.hand_over_notes();
    }

    /// Returns what is left of the tightest of the money budgets that bound a product, in hundredths; `None` without one.
    #[must_use]
    pub fn money_left<'a>(
        &self,
        budgets: impl Iterator<Item = (&'a Account, &'a Budget)>,
        resets: &Resets,
        product: &str,
    ) -> Option<i64> {
        budgets
            .filter(|(_, budget)| budget.unit == BudgetUnit::Cents)
            .filter(|(_, budget)| budget.product.as_deref().is_none_or(|named| named == product))
            .map(|(account, budget)| budget.limit - self.used(account, resets, budget))
            .min()
    }

    /// Returns what one budget has used in its present window by our count: the most of both, where the clock is not believed.
    #[must_use]
    pub fn used(&self, account: &Account, resets: &Resets, budget: &Budget) -> i64 {
        let scope = budget.product.as_deref().unwrap_or("*");
        let used = windows(budget.window, resets, self.time.look())
            .into_iter()
            .map(|found| {
                self.store
                    .spent(&Self::key(account, scope, budget.unit, &found.id))
            });
        from_row(used.max().unwrap_or(0), budget.unit)
    }

    /// Returns all rows, sorted; money in hundredths.
    #[must_use]
    pub fn usage(&self) -> Vec<Usage> {
        self.store
            .spent_under("")
            .into_iter()
            .filter_map(|(key, used)| {
                let mut parts = key.splitn(6, '|').map(str::to_owned);
                let mut next = || parts.next();
                let (tenant, provider, account, product) = (next()?, next()?, next()?, next()?);
                let (unit, used) = match next()? {
                    unit if unit == row_unit(BudgetUnit::Cents) => {
                        ("cents".to_owned(), from_row(used, BudgetUnit::Cents))
                    }
                    unit => (unit, used),
                };
                Some(Usage {
                    tenant,
                    provider,
                    account,
                    product,
                    unit,
                    window: next()?,
                    used,
                })
            })
            .collect()
    }

    /// Sums the rows of the widest kept windows by product, for tests and the terminal: calls by product.
    #[must_use]
    pub fn calls_by_product(&self, provider: &str) -> BTreeMap<String, i64> {
        let mut sums = BTreeMap::new();
        for row in self.usage() {
            if row.provider == provider && row.unit == "calls" && row.window.starts_with("month") {
                *sums.entry(row.product).or_default() += row.used;
            }
        }
        sums
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
