//! Old sums: quarters of an hour become months, and months end; on each implementation. What is settled is summed at once.

use serde_json::json;
use uuid::Uuid;

use super::block_on;
use super::subject::{Embedded, Nodes, Subject};
use crate::spend::{Amounts, KEPT_DAYS, QUARTER_S, Rollup};
use crate::storage::{Line, Reserve, Settlement, Storage, gather_rollups};

const MICROS: i64 = 1_000_000;

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

async fn spend(store: &dyn Storage, id: u128, at_s: i64) {
    let at_us = at_s * MICROS;
    let line = Line {
        key: "calls".to_owned(),
        amount: 2,
        limit: None,
        floor: 0,
    };
    let row = json!({"at_us": at_us, "provider": "dns", "client": "soar", "reserved": {"calls": 2}});
    let reserve = Reserve {
        id: Uuid::from_u128(id),
        node: store.node(),
        lease: None,
        lines: vec![line],
        spend: row.clone(),
        known: None,
    };
    store.reserve(reserve).await.unwrap();
    let mut row = row;
    row["cost"] = json!({"calls": 1, "records": 0, "cents": 300});
    row["verdict"] = "good".into();
    store.settle(Settlement {
        id: Uuid::from_u128(id),
        refunds: Vec::new(),
        spend: row,
        at: at_us,
    });
}

/// Returns the beginnings and the settled amounts of all sums.
async fn sums(store: &dyn Storage) -> Vec<(i64, Amounts)> {
    store.settled().await;
    let all = gather_rollups(store, 0..i64::MAX, Vec::new(), |rows, row: &Rollup| {
        rows.push((row.start, row.columns.settled));
    });
    all.await.unwrap()
}

fn settled(calls: i64) -> Amounts {
    Amounts {
        calls,
        records: 0,
        micros: calls * 3 * MICROS,
    }
}

async fn ages(subject: &mut dyn Subject) {
    let store = subject.node(0);
    let (first, second, next) = (
        at("2025-03-01T00:00:00Z"),
        at("2025-03-31T23:45:00Z"),
        at("2025-04-01T00:00:00Z"),
    );
    for (id, start) in [(1, first), (2, second), (3, second), (4, next)] {
        spend(store.as_ref(), id, start + 7).await;
    }
    let quarters = vec![(first, settled(1)), (second, settled(2)), (next, settled(1))];
    assert_eq!(sums(store.as_ref()).await, quarters);
    // What is settled twice is summed once.
    spend(store.as_ref(), 5, next + QUARTER_S).await;
    let again = Settlement {
        id: Uuid::from_u128(5),
        refunds: Vec::new(),
        spend: json!({"provider": "dns", "cost": {"calls": 1}}),
        at: next * MICROS,
    };
    store.settle(again);
    // A month becomes one row once all of it is old.
    store.forget_before((next - 1) * MICROS).await.unwrap();
    assert_eq!(sums(store.as_ref()).await.len(), 4);
    store.forget_before((next + QUARTER_S) * MICROS).await.unwrap();
    let months = vec![
        (first, settled(3)),
        (next, settled(1)),
        (next + QUARTER_S, settled(1)),
    ];
    assert_eq!(sums(store.as_ref()).await, months);
    drop(store);
    subject.restart(0, true);
    let store = subject.node(0);
    assert_eq!(sums(store.as_ref()).await, months);
    // Months end after five years.
    let years = at("2030-03-31T00:00:00Z") - KEPT_DAYS * 86_400;
    store.forget_before(years * MICROS).await.unwrap();
    assert_eq!(
        sums(store.as_ref()).await,
        [(first, settled(3)), (next, settled(2))]
    );
    let later = at("2030-04-05T00:00:00Z") - KEPT_DAYS * 86_400;
    store.forget_before(later * MICROS).await.unwrap();
    assert_eq!(sums(store.as_ref()).await, [(next, settled(2))]);
}

#[test]
fn quarters_become_months_and_months_end_in_the_embedded_store() {
    block_on(async { ages(&mut Embedded::new(1)).await });
}

#[test]
fn quarters_become_months_and_months_end_in_memory() {
    block_on(async { ages(&mut Nodes::new(1)).await });
}
