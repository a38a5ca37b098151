//! What holds while many callers use every node at once, and what one caller alone can rely on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use uuid::Uuid;

use super::subject::{Embedded, Nodes, Subject};
use crate::storage::{Changed, Claimed, Lease, Line, Reserve, ReserveError, Settlement, StoreError, Table};

fn line(key: &str, amount: i64, limit: i64) -> Line {
    Line {
        key: key.to_owned(),
        amount,
        limit: Some(limit),
        floor: 0,
    }
}

fn reserve(id: u64, lines: Vec<Line>) -> Reserve {
    Reserve {
        id: Uuid::from_u128(id.into()),
        node: Uuid::nil(),
        lease: None,
        lines,
        spend: serde_json::json!({"at_us": 1}),
        known: None,
    }
}

const TASKS: u64 = 40;
const EACH: u64 = 20;

/// Lets many tasks reserve on all nodes at once; each does `then` with what was reserved.
async fn crowd(
    subject: &dyn Subject,
    lines: impl Fn(u64) -> Vec<Line>,
    then: fn(u64) -> Option<i64>,
) -> (u64, i64) {
    let (accepted, back) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicI64::new(0)));
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let store = subject.node(usize::try_from(task).unwrap() % subject.nodes());
        let (accepted, back) = (Arc::clone(&accepted), Arc::clone(&back));
        let asked: Vec<Reserve> = (task * EACH..(task + 1) * EACH)
            .map(|id| reserve(id, lines(id)))
            .collect();
        tasks.push(tokio::spawn(async move {
            for (id, asked) in (task * EACH..).zip(asked) {
                let key = asked.lines[0].key.clone();
                let limit = asked.lines[0].limit.unwrap();
                match store.reserve(asked).await {
                    Ok(()) => accepted.fetch_add(1, Ordering::Relaxed),
                    Err(ReserveError::Exhausted(..)) => continue,
                    Err(error) => panic!("{error:?}"),
                };
                assert!(store.spent(&key) <= limit, "over the limit");
                if let Some(amount) = then(id) {
                    back.fetch_add(amount, Ordering::Relaxed);
                    store.settle(Settlement {
                        id: Uuid::from_u128(id.into()),
                        refunds: vec![(key, amount)],
                        spend: serde_json::json!({}),
                        at: 2,
                    });
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    for at in 0..subject.nodes() {
        subject.node(at).settled().await;
    }
    (accepted.load(Ordering::Relaxed), back.load(Ordering::Relaxed))
}

async fn fills_a_limit_exactly(subject: &dyn Subject) {
    // More is asked for than there is.
    let (accepted, _) = crowd(subject, |_| vec![line("a", 1, 300)], |_| None).await;
    assert_eq!((accepted, subject.node(0).spent("a")), (300, 300));
}

async fn never_passes_a_limit_while_some_is_given_back(subject: &dyn Subject) {
    let refund = |id: u64| id.is_multiple_of(3).then_some(2);
    let (accepted, back) = crowd(subject, |_| vec![line("a", 3, 400)], refund).await;
    let spent = subject.node(0).spent("a");
    assert_eq!(spent, 3 * i64::try_from(accepted).unwrap() - back);
    assert!(spent <= 400, "{spent}");
    assert!(
        accepted > 400 / 3,
        "what is given back is spent again: {accepted}"
    );
}

async fn reserves_all_lines_or_none(subject: &dyn Subject) {
    // Both orders, so that neither row is charged for what the other refuses.
    let both = |id: u64| {
        let mut lines = vec![line("a", 1, 500), line("b", 1, 200)];
        if id.is_multiple_of(2) {
            lines.reverse();
        }
        lines
    };
    let (accepted, _) = crowd(subject, both, |_| None).await;
    let spent = ["a", "b"].map(|key| subject.node(0).spent(key));
    assert_eq!((accepted, spent), (200, [200, 200]));
}

async fn sums_the_lines_of_one_row(subject: &dyn Subject) {
    let store = subject.node(0);
    let lines = |amounts: [i64; 3], limit| amounts.map(|amount| line("a", amount, limit)).to_vec();
    store.reserve(reserve(1, lines([3, 4, 5], 12))).await.unwrap();
    assert_eq!(store.spent("a"), 12);
    // Each line fits, and all together do not.
    let refused = store.reserve(reserve(2, lines([3, 4, 5], 23))).await;
    assert_eq!(refused, Err(ReserveError::Exhausted(2, 19)));
    assert_eq!(store.spent("a"), 12, "all lines, or none");
    store.settle(Settlement {
        id: Uuid::from_u128(1),
        refunds: vec![("a".to_owned(), 2), ("a".to_owned(), 5)],
        spend: serde_json::json!({}),
        at: 2,
    });
    store.settled().await;
    assert_eq!(store.spent("a"), 5);
}

async fn grants_a_name_to_one_of_many_at_once(subject: &dyn Subject) {
    for round in 0..5 {
        let mut tasks = Vec::new();
        for task in 0..20 {
            let store = subject.node(task % subject.nodes());
            tasks.push(tokio::spawn(async move {
                let claimed = store.claim("flight".to_owned(), store.node(), round, round + 1);
                claimed.await.unwrap()
            }));
        }
        let mut granted = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Claimed::Mine(fence) => granted.push(fence),
                Claimed::Theirs(until) => assert_eq!(until, round + 1),
            }
        }
        assert_eq!(granted.len(), 1, "in round {round}");
    }
}

async fn reserves_by_no_lease_that_another_took(subject: &dyn Subject) {
    let (first, second) = (subject.node(0), subject.node(1));
    let name = || "flight".to_owned();
    let lease = |claimed| match claimed {
        Claimed::Mine(fence) => Lease { name: name(), fence },
        Claimed::Theirs(until) => panic!("held until {until}"),
    };
    let under = |id, lease: &Lease| Reserve {
        lease: Some(lease.clone()),
        ..reserve(id, vec![line("a", 1, 9)])
    };
    let late = lease(first.claim(name(), first.node(), 0, 10).await.unwrap());
    first.reserve(under(1, &late)).await.unwrap();
    assert_eq!(
        second.claim(name(), second.node(), 9, 30).await,
        Ok(Claimed::Theirs(10))
    );
    let taken = lease(second.claim(name(), second.node(), 10, 30).await.unwrap());
    assert_eq!(first.reserve(under(2, &late)).await, Err(ReserveError::Fenced));
    assert_eq!(first.renew(late.clone(), 50).await, Ok(false));
    assert_eq!(first.release(late).await, Ok(false));
    second.reserve(under(3, &taken)).await.unwrap();
    assert_eq!(first.spent("a"), 2);
    assert_eq!(second.renew(taken.clone(), 50).await, Ok(true));
    assert_eq!(
        first.claim(name(), first.node(), 40, 60).await,
        Ok(Claimed::Theirs(50))
    );
    assert_eq!(second.release(taken.clone()).await, Ok(true));
    assert_eq!(second.reserve(under(4, &taken)).await, Err(ReserveError::Fenced));
    lease(first.claim(name(), first.node(), 40, 60).await.unwrap());
}

async fn tells_every_node_what_any_of_them_changed(subject: &dyn Subject) {
    let (first, second) = (subject.node(0), subject.node(1));
    let before = second.version().await.unwrap();
    first.put_answer_now("answer".to_owned(), vec![1]).await.unwrap();
    first.put_token("token".to_owned(), None).await.unwrap();
    first.note("latest", vec![1]);
    second
        .swap_rows(Vec::new(), vec![(Table::Replies, "row".to_owned())])
        .await
        .unwrap();
    let changes = second.changes(before).await.unwrap();
    let changed = [
        Changed::Answer("answer".to_owned()),
        Changed::Token("token".to_owned()),
        Changed::Row(Table::Replies, "row".to_owned()),
    ];
    assert_eq!(changes.changed.as_deref(), Some(&changed[..]));
    assert_eq!(changes, first.changes(before).await.unwrap());
    assert_eq!(
        first.changes(changes.now).await.unwrap().changed,
        Some(Vec::new())
    );
}

async fn refuses_writes_once_it_is_closed(subject: &dyn Subject) {
    let store = subject.node(0);
    store.put_answer("kept".to_owned(), vec![1]).await;
    store.close().await;
    assert_eq!(
        store.answer("kept").await,
        Ok(Some(vec![1])),
        "what was handed over is kept"
    );
    assert_eq!(
        store.put_answer_now("late".to_owned(), vec![1]).await,
        Err(StoreError::Closed)
    );
    let refused = store.reserve(reserve(1, vec![line("a", 1, 5)])).await;
    assert!(matches!(refused, Err(ReserveError::Store(_))), "{refused:?}");
    assert_eq!(store.spent("a"), 0);
}

/// Makes a test of each demand for each implementation.
macro_rules! demands {
    ($($demand:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $demand() {
                super::$demand(&super::Embedded::new(2)).await;
            })+
        }

        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $demand() {
                super::$demand(&super::Nodes::new(2)).await;
            })+
        }
    };
}

demands![
    fills_a_limit_exactly,
    never_passes_a_limit_while_some_is_given_back,
    reserves_all_lines_or_none,
    sums_the_lines_of_one_row,
    grants_a_name_to_one_of_many_at_once,
    reserves_by_no_lease_that_another_took,
    tells_every_node_what_any_of_them_changed,
    refuses_writes_once_it_is_closed,
];
