//! Says which limit holds of those that an administrator and a vendor set.

use jiff::Timestamp;

use super::waiters::Priority;
use crate::config::settings::{Budget, BudgetUnit, BudgetWindow};

/// Holds what the vendor says of a product of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VendorUsage {
    /// When the vendor said so; what was used counts only in the windows of that moment.
    pub learned: Option<Timestamp>,
    /// Used today.
    pub today: Option<i64>,
    /// Used this month.
    pub month: Option<i64>,
    /// The month's limit.
    pub month_limit: Option<i64>,
    /// The hour's limit.
    pub hour_limit: Option<i64>,
}

/// Returns the lowest budget of a product, a unit and a window.
pub(super) fn tightest<'a>(
    budgets: &'a [Budget],
    scope: &str,
    unit: BudgetUnit,
    kind: BudgetWindow,
) -> Option<&'a Budget> {
    budgets
        .iter()
        .filter(|budget| budget.product.as_deref().unwrap_or("*") == scope)
        .filter(|budget| budget.unit == unit && budget.window == kind)
        .min_by_key(|budget| budget.limit)
}

pub(super) fn vendor_limit(
    vendor: &VendorUsage,
    scope: &str,
    unit: BudgetUnit,
    kind: BudgetWindow,
) -> Option<i64> {
    match (scope, unit, kind) {
        ("*", _, _) => None,
        (_, BudgetUnit::Calls, BudgetWindow::Month) => vendor.month_limit,
        (_, BudgetUnit::Calls, BudgetWindow::Hour) => vendor.hour_limit,
        _ => None,
    }
}

pub(super) fn vendor_used(vendor: &VendorUsage, scope: &str, unit: BudgetUnit, kind: BudgetWindow) -> i64 {
    match (scope, unit, kind) {
        ("*", _, _) => 0,
        (_, BudgetUnit::Calls, BudgetWindow::Day) => vendor.today.unwrap_or(0),
        (_, BudgetUnit::Calls, BudgetWindow::Month) => vendor.month.unwrap_or(0),
        _ => 0,
    }
}

/// Joins our budget and the vendor's limit: the lower one holds; batches stop at the reserve.
pub(super) fn limit(
    budget: Option<&Budget>,
    theirs: Option<i64>,
    reserve: u8,
    priority: Priority,
    product: &str,
) -> (Option<i64>, String) {
    let ours = budget.map(|budget| budget.limit);
    let (limit, label) = match (ours, theirs) {
        (Some(ours), Some(theirs)) if theirs < ours => {
            (Some(theirs), format!("the vendor's own limit on {product}"))
        }
        (Some(ours), _) => (
            Some(ours),
            budget.map(|budget| budget.label.clone()).unwrap_or_default(),
        ),
        (None, Some(theirs)) => (
            Some(theirs),
            format!("the vendor's own limit of {theirs} on {product}"),
        ),
        (None, None) => (None, String::new()),
    };
    match priority {
        Priority::Interactive | Priority::Several => (limit, label),
        Priority::Batch => (limit.map(|limit| limit - limit * i64::from(reserve) / 100), label),
    }
}
