//! Says amounts as rows of the ledger count them: money in millionths of its unit, of which budgets count hundredths.

use crate::config::settings::BudgetUnit;

/// Names what a row of the store counts: money is kept in millionths of its unit.
pub(super) fn row_unit(unit: BudgetUnit) -> &'static str {
    match unit {
        BudgetUnit::Calls => "calls",
        BudgetUnit::Records => "records",
        BudgetUnit::Cents => "micros",
    }
}

/// Returns how many of what a row counts are one of what a budget counts.
fn row_scale(unit: BudgetUnit) -> i64 {
    match unit {
        BudgetUnit::Calls | BudgetUnit::Records => 1,
        BudgetUnit::Cents => 10_000,
    }
}

/// Says an amount as rows count it.
pub(super) fn to_row(amount: i64, unit: BudgetUnit) -> i64 {
    amount.saturating_mul(row_scale(unit))
}

/// Says what a row has as budgets count it, rounded up.
pub(super) fn from_row(used: i64, unit: BudgetUnit) -> i64 {
    let scale = row_scale(unit);
    let part = i64::from(used.rem_euclid(scale) != 0);
    used.div_euclid(scale).saturating_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_kept_in_millionths_and_all_else_as_it_is() {
        assert_eq!(to_row(1800, BudgetUnit::Cents), 18_000_000);
        assert_eq!(from_row(18_000_000, BudgetUnit::Cents), 1800);
        for unit in [BudgetUnit::Calls, BudgetUnit::Records] {
            assert_eq!((to_row(7, unit), from_row(7, unit)), (7, 7));
        }
        assert_eq!(to_row(i64::MAX, BudgetUnit::Cents), i64::MAX, "over every limit");
    }

    #[test]
    fn part_of_a_hundredth_counts_as_a_whole_one() {
        for (row, shown) in [(1, 1), (10_000, 1), (10_001, 2), (0, 0), (-1, 0), (-10_000, -1)] {
            assert_eq!(from_row(row, BudgetUnit::Cents), shown, "{row}");
        }
    }
}
