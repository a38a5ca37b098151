//! Reads audit rows of what was spent, those of older versions too.

use serde_json::Value;

use super::{Amounts, Columns, Rollup, RollupKey, quarter_of};

/// So many millionths are a hundredth.
const MICROS_PER_CENT: i64 = 10_000;

/// Is what a row that was found open at the start came to.
const UNSETTLED: &str = "unsettled";

/// Is what an audit row says of a spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// What it adds to which row of 15 minutes.
    pub rollup: Rollup,
    /// What was asked.
    pub question: String,
    /// The case that the client said it asked for; empty where it did not.
    pub case: String,
}

/// Reads the audit row of a time in microseconds; `None` where it tells of no spend.
///
/// A row without a cost is one of a reservation that a crash left open: it is charged in full. Rows of older versions do not say
/// what was reserved, nor the token, nor the currency; what they settled counts as reserved.
#[must_use]
pub fn audited(at_us: i64, row: &Value) -> Option<Audited> {
    let text = |member: &str| {
        row.get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let provider = row.get("provider").and_then(Value::as_str)?.to_owned();
    let amounts = |of: &Value| {
        let number = |member: &str| of.get(member).and_then(Value::as_i64);
        let cents = || Some(number("cents")?.saturating_mul(MICROS_PER_CENT));
        Amounts {
            calls: number("calls").unwrap_or(0),
            records: number("records").unwrap_or(0),
            micros: number("micros").or_else(cents).unwrap_or(0),
        }
    };
    let cost = row.get("cost").map(amounts);
    let reserved = row.get("reserved").map(amounts);
    let settled = cost.or(reserved).unwrap_or_default();
    let outcome = match text("verdict") {
        verdict if verdict.is_empty() => UNSETTLED.to_owned(),
        verdict => verdict,
    };
    Some(Audited {
        rollup: Rollup {
            start: quarter_of(at_us),
            key: RollupKey {
                tenant: text("tenant"),
                token: text("token"),
                client: text("client"),
                face: text("face"),
                person: text("person"),
                provider,
                account: text("account"),
                product: text("product"),
                operation: text("operation"),
                outcome,
                currency: text("currency"),
            },
            columns: Columns {
                reserved: reserved.unwrap_or(settled),
                settled,
                ..Columns::default()
            },
        },
        question: text("question"),
        case: text("case_id"),
    })
}
