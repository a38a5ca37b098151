//! Old sums: quarters of an hour become months, and months end; on each implementation. What is settled is summed at once.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::block_on;
use super::subject::{Embedded, Nodes, Subject};
use crate::spend::{Amounts, Columns, KEPT_DAYS, QUARTER_S, Rollup, RollupKey, Rollups, add_to, audited};
use crate::storage::redb::failing::FailingDisk;
use crate::storage::redb::{Opening, Store, forget_sums};
use crate::storage::{
    LedgerStore as _, Line, Reserve, Settlement, SpendStore as _, Storage, Upkeep as _, gather_audit,
    gather_rollups,
};

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

/// Returns what the audit rows add up to.
async fn audit_sums(store: &dyn Storage) -> Rollups {
    let sums = gather_audit(store, 0..i64::MAX, Rollups::new(), |sums, at, row| {
        if let Some(told) = audited(at, row) {
            add_to(sums, told.rollup);
        }
        true
    });
    sums.await.unwrap()
}

async fn rollups(store: &dyn Storage) -> Rollups {
    let rows = gather_rollups(store, 0..i64::MAX, Rollups::new(), |sums, row: &Rollup| {
        add_to(sums, row.clone());
    });
    rows.await.unwrap()
}

#[tokio::test]
async fn sums_are_those_of_the_audit_rows_after_a_crash_at_any_write_of_a_settlement() {
    for writes in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let disk = FailingDisk::default();
        let opening = Opening {
            page_cache: 1 << 20,
            disk: Arc::new(disk.clone()),
            ..Opening::default()
        };
        let store = Store::open_as(folder.path(), &opening).unwrap();
        spend(&store, 1, QUARTER_S).await;
        store.settled().await;
        disk.crash_after(writes);
        // Of the second one the crash may leave nothing, a reservation that is charged, or a settlement.
        let at_us = 2 * QUARTER_S * MICROS;
        let reserve = Reserve {
            id: Uuid::from_u128(2),
            node: store.node(),
            lease: None,
            lines: Vec::new(),
            spend: json!({"at_us": at_us, "provider": "dns", "reserved": {"calls": 2}}),
            known: None,
        };
        let settlement = Settlement {
            id: reserve.id,
            refunds: Vec::new(),
            spend: json!({"at_us": at_us, "provider": "dns", "verdict": "good", "cost": {"calls": 1}}),
            at: at_us,
        };
        if store.reserve(reserve).await.is_ok() {
            store.settle(settlement);
            store.settled().await;
        }
        let is_over = !disk.has_crashed();
        drop(store);
        let store = Store::open(folder.path(), 1 << 20).unwrap();
        let sums = rollups(&store).await;
        assert_eq!(sums, audit_sums(&store).await, "after {writes} writes");
        if is_over {
            assert_eq!(sums.len(), 2);
            break;
        }
    }
}

#[tokio::test]
async fn what_is_noted_is_counted_once_although_its_commit_is_done_again() {
    let row = Rollup {
        start: 0,
        key: RollupKey::default(),
        columns: Columns {
            avoided: settled(1),
            ..Columns::default()
        },
    };
    let mut failed = 0;
    for writes in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let disk = FailingDisk::default();
        let opening = Opening {
            page_cache: 1 << 20,
            disk: Arc::new(disk.clone()),
            ..Opening::default()
        };
        let store = Store::open_as(folder.path(), &opening).unwrap();
        store.note_rollups(vec![row.clone()]);
        store.settled().await;
        disk.crash_after(writes);
        store.note_rollups(vec![row.clone()]);
        store.settled().await;
        let has_crashed = disk.has_crashed();
        failed += u64::from(has_crashed);
        drop(store);
        let store = Store::open(folder.path(), 1 << 20).unwrap();
        let sums = rollups(&store).await;
        let calls = sums.values().map(|columns| columns.avoided.calls).sum::<i64>();
        assert!(
            calls == 2 || (calls == 1 && has_crashed),
            "{calls} after {writes} writes"
        );
        if !has_crashed {
            break;
        }
    }
    assert!(failed > 0);
}

#[tokio::test]
async fn a_store_that_was_written_before_there_were_sums_is_summed_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), 1 << 20).unwrap();
    for id in 1..20 {
        spend(&store, id, QUARTER_S * id as i64 / 3).await;
    }
    store.settled().await;
    let sums = rollups(&store).await;
    assert_eq!(sums.len(), 7);
    drop(store);
    forget_sums(folder.path());
    for _ in 0..2 {
        let store = Store::open(folder.path(), 1 << 20).unwrap();
        assert_eq!(rollups(&store).await, sums);
        assert_eq!(audit_sums(&store).await, sums);
    }
}

#[test]
fn quarters_become_months_and_months_end_in_the_embedded_store() {
    block_on(async { ages(&mut Embedded::new(1)).await });
}

#[test]
fn quarters_become_months_and_months_end_in_memory() {
    block_on(async { ages(&mut Nodes::new(1)).await });
}
