//! What every implementation of the traits does: the same operations, at random, on each of them, against a model; crashes at
//! random points; many callers at once.
//!
//! The model keeps no state but the history of what was accepted, and works out from that what must be seen.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::runtime;
use uuid::Uuid;

use super::memory::{Memory, Shared};
use super::redb::Store;
use super::{Line, Reserve, ReserveError, Row, Settlement, Storage, Table, gather_answers, gather_rows};

const ROWS: [&str; 4] = ["soc|a|calls", "soc|a|records", "soc|b|calls", "lab|a|calls"];
const KEYS: [&str; 5] = ["1", "10", "2", "a|b", "ä"];

/// Is an implementation under test, with so many nodes.
trait Subject {
    fn node(&self, at: usize) -> Arc<dyn Storage>;
    /// Ends a node in order, or as a crash does, and starts it again. Returns the nodes that ended.
    fn restart(&mut self, at: usize, crash: bool) -> Vec<usize>;
    fn nodes(&self) -> usize;
}

/// Is the embedded store; all its nodes are one process.
struct Embedded {
    store: Option<Store>,
    folder: TempDir,
    handles: usize,
}

impl Embedded {
    fn new(handles: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: Some(Store::open(folder.path(), 1 << 20).unwrap()),
            folder,
            handles,
        }
    }
}

impl Subject for Embedded {
    fn node(&self, _at: usize) -> Arc<dyn Storage> {
        Arc::new(self.store.clone().unwrap())
    }

    fn restart(&mut self, _at: usize, crash: bool) -> Vec<usize> {
        if crash {
            // What the file has while it is open is what a process leaves that is killed.
            let copy = tempfile::tempdir().unwrap();
            let file = |folder: &TempDir| folder.path().join("pivotd.redb");
            std::fs::copy(file(&self.folder), file(&copy)).unwrap();
            self.folder = copy;
        }
        self.store = None;
        self.store = Some(Store::open(self.folder.path(), 1 << 20).unwrap());
        (0..self.handles).collect()
    }

    fn nodes(&self) -> usize {
        self.handles
    }
}

/// Is the store in memory; each node can end alone.
struct Nodes {
    nodes: Vec<Arc<Memory>>,
    shared: Arc<Mutex<Shared>>,
}

impl Nodes {
    fn new(nodes: usize) -> Self {
        let shared = Arc::default();
        let start = |node| Arc::new(Memory::start(node, Arc::clone(&shared)));
        Self {
            nodes: (0..nodes).map(start).collect(),
            shared: Arc::clone(&shared),
        }
    }
}

impl Subject for Nodes {
    fn node(&self, at: usize) -> Arc<dyn Storage> {
        Arc::clone(&self.nodes[at]) as Arc<dyn Storage>
    }

    fn restart(&mut self, at: usize, _crash: bool) -> Vec<usize> {
        self.nodes[at] = Arc::new(Memory::start(at, Arc::clone(&self.shared)));
        vec![at]
    }

    fn nodes(&self) -> usize {
        self.nodes.len()
    }
}

#[derive(Debug, Clone)]
enum Operation {
    Reserve(Vec<Line>),
    /// Sends a reservation once more.
    ReserveAgain(usize),
    /// Settles one of those made; one that is settled already gives nothing back.
    Settle(usize, Vec<i64>),
    PutAnswer(usize, Vec<u8>, bool),
    DropAnswers(Vec<usize>),
    SwapRows(Vec<(Table, usize, i64, Vec<u8>)>, Vec<(Table, usize)>),
    SweepRows(i64),
    PutToken(usize, Option<Vec<u8>>),
    Note(usize, Vec<u8>),
    ForgetBefore(i64),
    Restart {
        crash: bool,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    let key = || 0..KEYS.len();
    let bytes = || vec(any::<u8>(), 0..20);
    let shelf = || (0..Table::ALL.len()).prop_map(|at| Table::ALL[at]);
    let line = (0..60_i64, prop::option::of(0..250_i64), 0..120_i64);
    // Each line names another row.
    let lines = prop::sample::subsequence(&ROWS[..], 1..=ROWS.len());
    let lines = lines.prop_flat_map(move |keys| {
        let count = keys.len();
        (Just(keys), vec(line.clone(), count)).prop_map(|(keys, lines)| {
            let line = |(key, (amount, limit, floor)): (&str, (i64, Option<i64>, i64))| Line {
                key: key.to_owned(),
                amount,
                limit,
                floor,
            };
            keys.into_iter().zip(lines).map(line).collect()
        })
    });
    prop_oneof![
        6 => lines.prop_map(Operation::Reserve),
        1 => any::<usize>().prop_map(Operation::ReserveAgain),
        5 => (any::<usize>(), vec(-5..60_i64, ROWS.len())).prop_map(|(which, back)| Operation::Settle(which, back)),
        3 => (key(), bytes(), any::<bool>()).prop_map(|(key, value, now)| Operation::PutAnswer(key, value, now)),
        1 => vec(key(), 0..3).prop_map(Operation::DropAnswers),
        3 => (vec((shelf(), key(), 0..100_i64, bytes()), 0..3), vec((shelf(), key()), 0..2))
            .prop_map(|(rows, gone)| Operation::SwapRows(rows, gone)),
        1 => (0..100_i64).prop_map(Operation::SweepRows),
        2 => (key(), prop::option::of(bytes())).prop_map(|(key, value)| Operation::PutToken(key, value)),
        1 => (0..2_usize, bytes()).prop_map(|(key, value)| Operation::Note(key, value)),
        1 => (0..100_i64).prop_map(Operation::ForgetBefore),
        1 => any::<bool>().prop_map(|crash| Operation::Restart { crash }),
    ]
}

const META: [&str; 2] = ["latest", "other"];

/// Is a reservation that was accepted, and what became of it.
#[derive(Debug)]
struct Reserved {
    node: usize,
    asked: Reserve,
    /// How it was closed; gives nothing back where its node ended first.
    end: Option<Settlement>,
    /// Whether its audit row was removed.
    is_forgotten: bool,
}

/// Is until when a row is kept, and what it holds.
type Kept = (i64, Vec<u8>);

/// Holds the history.
#[derive(Debug, Default)]
struct Model {
    reserved: Vec<Reserved>,
    answers: Vec<(usize, Option<Vec<u8>>)>,
    rows: Vec<((Table, usize), Option<Kept>)>,
    tokens: Vec<(usize, Option<Vec<u8>>)>,
    notes: Vec<(usize, Vec<u8>)>,
}

fn last<K: PartialEq + Copy, V>(history: &[(K, V)], key: K) -> Option<&V> {
    let mut newest = history.iter().rev();
    newest.find(|(of, _)| *of == key).map(|(_, value)| value)
}

impl Model {
    fn spent(&self, key: &str) -> i64 {
        let of = |reserved: &Reserved| -> i64 {
            let lines = reserved.asked.lines.iter().filter(|line| line.key == key);
            let back = reserved.end.iter().flat_map(|end| &end.refunds);
            let back = back.filter(|(of, _)| of == key).map(|(_, amount)| amount);
            lines.map(|line| line.amount).sum::<i64>() - back.sum::<i64>()
        };
        self.reserved.iter().map(of).sum()
    }

    /// Says which line stands in the way.
    fn refusal(&self, lines: &[Line]) -> Option<(usize, i64)> {
        let mut refused = lines.iter().enumerate().filter_map(|(at, line)| {
            let counted = self.spent(&line.key).max(line.floor);
            let is_over = line.amount > 0 && counted + line.amount > line.limit?;
            is_over.then_some((at, counted))
        });
        refused.next()
    }

    fn audit(&self) -> Vec<serde_json::Value> {
        let mut rows = BTreeMap::new();
        for reserved in self.reserved.iter().filter(|one| !one.is_forgotten) {
            if let Some(end) = &reserved.end {
                rows.insert((end.at, end.id), end.spend.clone());
            }
        }
        rows.into_values().rev().collect()
    }

    fn end(&mut self, nodes: &[usize]) {
        let ended = |reserved: &&mut Reserved| reserved.end.is_none() && nodes.contains(&reserved.node);
        for reserved in self.reserved.iter_mut().filter(ended) {
            let mut spend = reserved.asked.spend.clone();
            spend["settled"] = "found open at start; charged in full".into();
            let at = spend["at_us"].as_i64().unwrap();
            reserved.end = Some(Settlement {
                id: reserved.asked.id,
                refunds: Vec::new(),
                spend,
                at,
            });
        }
    }

    fn row(&self, shelf: Table, key: usize) -> Option<&Kept> {
        last(&self.rows, (shelf, key))?.as_ref()
    }

    /// Checks all that a node sees.
    async fn check(&self, store: &dyn Storage) {
        store.settled().await;
        let mut all = Vec::new();
        for key in ROWS {
            assert_eq!(store.spent(key), self.spent(key), "{key}");
            if self
                .reserved
                .iter()
                .any(|one| one.asked.lines.iter().any(|line| line.key == key))
            {
                all.push((key.to_owned(), self.spent(key)));
            }
        }
        all.sort();
        assert_eq!(store.spent_under(""), all);
        all.retain(|(key, _)| key.starts_with("soc|a"));
        assert_eq!(store.spent_under("soc|a"), all);
        let audit = self.audit();
        assert_eq!(store.audit(1000).await.unwrap(), audit);
        assert_eq!(store.audit(2).await.unwrap(), audit[..audit.len().min(2)]);

        let push = |found: &mut Vec<(String, Vec<u8>)>, key: &str, value: &[u8]| {
            found.push((key.to_owned(), value.to_vec()));
        };
        let mut answers = Vec::new();
        let mut tokens = Vec::new();
        for (at, key) in KEYS.iter().enumerate() {
            let answer = last(&self.answers, at).cloned().flatten();
            assert_eq!(store.answer(key).await.unwrap(), answer, "{key}");
            answers.extend(answer.map(|answer| ((*key).to_owned(), answer)));
            tokens.extend(last(&self.tokens, at).cloned().flatten());
        }
        assert_eq!(gather_answers(store, Vec::new(), push).await.unwrap(), answers);
        assert_eq!(store.tokens().await.unwrap(), tokens);
        for now in [0, 30, 99] {
            for shelf in Table::ALL {
                let mut rows = Vec::new();
                for (at, key) in KEYS.iter().enumerate() {
                    let kept = self.row(shelf, at).filter(|(until, _)| *until > now);
                    let row = kept.map(|(until_us, value)| Row {
                        shelf,
                        key: (*key).to_owned(),
                        until_us: *until_us,
                        value: value.clone(),
                    });
                    assert_eq!(store.row(shelf, key, now).await.unwrap(), row, "{shelf:?} {key}");
                    rows.extend(row);
                }
                let found = gather_rows(
                    store,
                    (shelf, now),
                    Vec::new(),
                    move |found, key, until_us, value| {
                        found.push(Row {
                            shelf,
                            key: key.to_owned(),
                            until_us,
                            value: value.to_vec(),
                        });
                    },
                );
                assert_eq!(found.await.unwrap(), rows, "{shelf:?}");
            }
        }
        for (at, key) in META.into_iter().enumerate() {
            assert_eq!(
                store.meta(key).await.unwrap().as_ref(),
                last(&self.notes, at),
                "{key}"
            );
        }
    }
}

/// Does operations, each on the node that is said with it, and checks after each what all nodes see.
async fn run(subject: &mut dyn Subject, operations: Vec<(usize, Operation)>) {
    let mut model = Model::default();
    for (step, (node, operation)) in operations.into_iter().enumerate() {
        let node = node % subject.nodes();
        apply(&mut model, subject, (step, node), operation).await;
        for at in 0..subject.nodes() {
            model.check(subject.node(at).as_ref()).await;
        }
    }
}

async fn apply(
    model: &mut Model,
    subject: &mut dyn Subject,
    (step, node): (usize, usize),
    operation: Operation,
) {
    let store = subject.node(node);
    let own = |model: &Model, which: usize| {
        let own = model
            .reserved
            .iter()
            .enumerate()
            .filter(|(_, one)| one.node == node);
        let own: Vec<usize> = own.map(|(at, _)| at).collect();
        (!own.is_empty()).then(|| own[which % own.len()])
    };
    match operation {
        Operation::Reserve(lines) => {
            let at = step as i64;
            let asked = Reserve {
                id: Uuid::from_u128(step as u128),
                lines,
                spend: serde_json::json!({"at_us": at, "client": node}),
                known: (step % 3 > 0).then_some(at),
            };
            let expected = model.refusal(&asked.lines);
            let expected = expected.map_or(Ok(()), |(at, used)| Err(ReserveError::Exhausted(at, used)));
            assert_eq!(store.reserve(asked.clone()).await, expected);
            if expected.is_ok() {
                let known = asked.known.map(|known| (0, known.to_le_bytes().to_vec()));
                model.notes.extend(known);
                model.reserved.push(Reserved {
                    node,
                    asked,
                    end: None,
                    is_forgotten: false,
                });
            }
        }
        Operation::ReserveAgain(which) => {
            let again = own(model, which).map(|at| &model.reserved[at]);
            if let Some(again) = again.filter(|one| one.end.is_none()) {
                assert_eq!(store.reserve(again.asked.clone()).await, Ok(()));
            }
        }
        Operation::Settle(which, back) => {
            let Some(reserved) = own(model, which).map(|at| &mut model.reserved[at]) else {
                return;
            };
            let lines = reserved.asked.lines.iter();
            let refunds = lines
                .zip(back)
                .map(|(line, back)| (line.key.clone(), back.min(line.amount)))
                .collect();
            let settlement = Settlement {
                id: reserved.asked.id,
                refunds,
                spend: serde_json::json!({"settled_in": step}),
                at: step as i64,
            };
            store.settle(settlement.clone());
            reserved.end.get_or_insert(settlement);
        }
        Operation::PutAnswer(key, value, waits) => {
            model.answers.push((key, Some(value.clone())));
            if waits {
                store.put_answer_now(KEYS[key].to_owned(), value).await.unwrap();
            } else {
                store.put_answer(KEYS[key].to_owned(), value).await;
            }
        }
        Operation::DropAnswers(keys) => {
            let named = keys.iter().map(|key| KEYS[*key].to_owned());
            store.drop_answers(named.collect()).await.unwrap();
            model.answers.extend(keys.into_iter().map(|key| (key, None)));
        }
        Operation::SwapRows(rows, gone) => {
            let put = rows.iter().map(|(shelf, key, until_us, value)| Row {
                shelf: *shelf,
                key: KEYS[*key].to_owned(),
                until_us: *until_us,
                value: value.clone(),
            });
            let removed = gone.iter().map(|(shelf, key)| (*shelf, KEYS[*key].to_owned()));
            store.swap_rows(put.collect(), removed.collect()).await.unwrap();
            model.rows.extend(gone.into_iter().map(|named| (named, None)));
            let rows = rows.into_iter();
            model
                .rows
                .extend(rows.map(|(shelf, key, until, value)| ((shelf, key), Some((until, value)))));
        }
        Operation::SweepRows(now) => {
            store.sweep_rows(now).await.unwrap();
            for (_, row) in &mut model.rows {
                *row = row.take().filter(|(until, _)| *until > now);
            }
        }
        Operation::PutToken(key, value) => {
            store
                .put_token(KEYS[key].to_owned(), value.clone())
                .await
                .unwrap();
            model.tokens.push((key, value));
        }
        Operation::Note(key, value) => {
            store.note(META[key], value.clone());
            model.notes.push((key, value));
        }
        Operation::ForgetBefore(before) => {
            store.forget_before(before).await.unwrap();
            for reserved in &mut model.reserved {
                reserved.is_forgotten |= reserved.end.as_ref().is_some_and(|end| end.at < before);
            }
        }
        Operation::Restart { crash } => {
            store.settled().await;
            drop(store);
            let ended = subject.restart(node, crash);
            model.end(&ended);
        }
    }
}

fn operations(most: usize) -> impl Strategy<Value = Vec<(usize, Operation)>> {
    vec((0..2_usize, operation()), 1..most)
}

fn block_on(future: impl Future<Output = ()>) {
    runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_embedded_store_does_what_the_model_says(operations in operations(60)) {
        block_on(run(&mut Embedded::new(1), operations));
    }

    #[test]
    fn two_handles_of_the_embedded_store_do_what_the_model_says(operations in operations(40)) {
        block_on(run(&mut Embedded::new(2), operations));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn memory_does_what_the_model_says(operations in operations(80)) {
        block_on(run(&mut Nodes::new(1), operations));
    }

    #[test]
    fn two_nodes_on_one_memory_do_what_the_model_says(operations in operations(80)) {
        block_on(run(&mut Nodes::new(2), operations));
    }
}

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
        Err(super::StoreError::Closed)
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
    refuses_writes_once_it_is_closed,
];
