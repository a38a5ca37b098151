//! Ends the process at every write of a commit: what was written together is there wholly, or not at all.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use crate::storage::redb::failing::FailingDisk;
use crate::storage::redb::{Opening, Store};
use crate::storage::{
    AnswerStore as _, AuditEntry, Commit as _, LedgerStore as _, Line, RecordStore as _, Reserve,
    ReserveError, Row, Settlement, Table, Upkeep as _, WriteBatch,
};

const FIRST: Uuid = Uuid::from_u128(1);
const SECOND: Uuid = Uuid::from_u128(2);

fn reserve(id: Uuid, node: Uuid) -> Reserve {
    let line = |key: &str| Line {
        key: key.to_owned(),
        amount: 30,
        limit: Some(100),
        floor: 0,
    };
    Reserve {
        id,
        node,
        lease: None,
        lines: vec![line("calls"), line("records")],
        spend: json!({"at_us": 5}),
        known: None,
    }
}

fn row(key: &str) -> Row {
    Row {
        table: Table::Decisions,
        key: key.to_owned(),
        until_us: i64::MAX,
        // More than one page.
        value: key.repeat(2000).into_bytes(),
    }
}

/// Makes a store that holds one of each, and a reservation that is open; then its disk fails for good after so many writes.
async fn before_the_crash(folder: &Path, writes: u64) -> (Store, FailingDisk) {
    let disk = FailingDisk::default();
    let opening = Opening {
        page_cache: 1 << 20,
        disk: Arc::new(disk.clone()),
        ..Opening::default()
    };
    let store = Store::open_as(folder, &opening).unwrap();
    store.reserve(reserve(FIRST, store.node())).await.unwrap();
    let old = WriteBatch {
        answers: vec![("old".to_owned(), Some(vec![1]))],
        rows: vec![row("old")],
        tokens: vec![("old".to_owned(), Some(vec![1]))],
        ..WriteBatch::default()
    };
    store.commit(old).await.unwrap();
    disk.crash_after(writes);
    (store, disk)
}

/// Returns what the next process finds: what is spent, the audit, and which of the old and the new is there.
async fn found(folder: &Path) -> (i64, i64, Vec<serde_json::Value>, [Vec<bool>; 2]) {
    let store = Store::open(folder, 1 << 20).unwrap();
    let tokens = store.tokens().await.unwrap();
    let mut there = [const { Vec::new() }; 2];
    for (there, (key, value)) in there.iter_mut().zip([("old", 1), ("new", 2)]) {
        there.push(store.answer(key).await.unwrap().is_some());
        there.push(store.row(Table::Decisions, key, 0).await.unwrap() == Some(row(key)));
        there.push(tokens.contains(&vec![value]));
    }
    there[1].push(store.meta("new").await.unwrap().is_some());
    let audit = store.audit(10).await.unwrap();
    (store.spent("calls"), store.spent("records"), audit, there)
}

#[tokio::test]
async fn a_batch_is_there_wholly_or_not_at_all_after_a_crash_at_any_write() {
    let (mut crashes, mut kept, mut lost) = (0, 0, 0);
    for writes in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let (store, disk) = before_the_crash(folder.path(), writes).await;
        let batch = WriteBatch {
            settlements: vec![Settlement {
                id: FIRST,
                refunds: vec![("calls".to_owned(), 10), ("records".to_owned(), 20)],
                spend: json!({"settled": "by the batch"}),
                at: 5,
            }],
            answers: vec![("old".to_owned(), None), ("new".to_owned(), Some(vec![2]))],
            gone: vec![(Table::Decisions, "old".to_owned())],
            rows: vec![row("new")],
            tokens: vec![("old".to_owned(), None), ("new".to_owned(), Some(vec![2]))],
            meta: vec![("new", vec![2])],
            audit: vec![AuditEntry {
                id: SECOND,
                at: 6,
                row: json!({"token": "made"}),
            }],
        };
        let committed = store.commit(batch).await;
        let is_over = !disk.has_crashed();
        drop(store);
        let (calls, records, audit, [old, new]) = found(folder.path()).await;
        let is_whole = new.iter().all(|is_there| *is_there);
        if is_whole {
            assert_eq!((calls, records), (20, 10), "after {writes} writes");
            let told = [json!({"token": "made"}), json!({"settled": "by the batch"})];
            assert_eq!(audit, told);
            assert_eq!(old, [false; 3]);
        } else {
            assert!(committed.is_err(), "what was said to be on disk is there");
            assert_eq!((calls, records), (30, 30), "after {writes} writes");
            let charged = json!({"at_us": 5, "settled": "found open at start; charged in full"});
            assert_eq!(audit, [charged]);
            assert_eq!((old, new), (vec![true; 3], vec![false; 4]));
        }
        if is_over {
            assert_eq!(committed, Ok(()));
            break;
        }
        crashes += 1;
        kept += u64::from(is_whole);
        lost += u64::from(!is_whole);
    }
    // Some crashes come before the write that counts, and some behind it.
    assert!(
        crashes > 5 && lost > 0,
        "{crashes} crashes: {kept} kept, {lost} lost"
    );
}

#[tokio::test]
async fn a_reservation_that_was_acknowledged_is_there_after_a_crash_at_any_write() {
    for writes in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let (store, disk) = before_the_crash(folder.path(), writes).await;
        let reserved = store.reserve(reserve(SECOND, store.node())).await;
        let is_over = !disk.has_crashed();
        drop(store);
        let (calls, records, audit, _) = found(folder.path()).await;
        assert_eq!(calls, records, "all lines or none, after {writes} writes");
        assert_eq!(audit.len() as i64 * 30, calls, "each is charged once");
        match reserved {
            Ok(()) => assert_eq!(calls, 60),
            Err(ReserveError::Store(_)) => assert!(calls == 30 || calls == 60, "{calls}"),
            Err(error) => panic!("{error:?}"),
        }
        if is_over {
            assert_eq!(reserved, Ok(()));
            break;
        }
    }
}
