//! Does operations on an implementation and on the model.

use uuid::Uuid;

use super::model::{Model, Reserved};
use super::operations::{Batch, Operation, Put};
use super::subject::Subject;
use super::{CLIENTS, KEYS, META, NAMES};
use crate::spend::{Amounts, Columns, QUARTER_S, Rollup, RollupKey};
use crate::storage::{
    AuditEntry, Changed, Claimed, Lease, Line, Reserve, ReserveError, Row, Settlement, Storage, Table,
    WriteBatch,
};

/// Does operations, each on the node that is said with it, and checks after each what all nodes see.
pub(super) async fn run(subject: &mut dyn Subject, operations: Vec<(usize, Operation)>) {
    let mut model = Model::default();
    for (step, (node, operation)) in operations.into_iter().enumerate() {
        let node = node % subject.nodes();
        apply(&mut model, subject, (step, node), operation).await;
        for at in 0..subject.nodes() {
            model.check(subject.node(at).as_ref()).await;
        }
    }
}

/// Returns one of a node's own reservations.
fn own(model: &Model, node: usize, which: usize) -> Option<usize> {
    let own = model
        .reserved
        .iter()
        .enumerate()
        .filter(|(_, one)| one.node == node);
    let own: Vec<usize> = own.map(|(at, _)| at).collect();
    (!own.is_empty()).then(|| own[which % own.len()])
}

fn stored((shelf, key, until_us, value): &Put) -> Row {
    Row {
        table: *shelf,
        key: KEYS[*key].to_owned(),
        until_us: *until_us,
        value: value.clone(),
    }
}

fn named((shelf, key): &(Table, usize)) -> (Table, String) {
    (*shelf, KEYS[*key].to_owned())
}

fn swap(model: &mut Model, rows: Vec<Put>, gone: Vec<(Table, usize)>) {
    let rows_gone = gone.iter().copied();
    let changed = rows_gone.chain(rows.iter().map(|(shelf, key, ..)| (*shelf, *key)));
    let changed = changed.map(|one| named(&one));
    model
        .changed
        .extend(changed.map(|(shelf, key)| Changed::Row(shelf, key)));
    model.rows.extend(gone.into_iter().map(|named| (named, None)));
    let rows = rows.into_iter();
    model
        .rows
        .extend(rows.map(|(shelf, key, until, value)| ((shelf, key), Some((until, value)))));
}

fn put_answers(model: &mut Model, answers: Vec<(usize, Option<Vec<u8>>)>) {
    let changed = answers.iter();
    model
        .changed
        .extend(changed.map(|(key, _)| Changed::Answer(KEYS[*key].to_owned())));
    model.answers.extend(answers);
}

fn put_tokens(model: &mut Model, tokens: Vec<(usize, Option<Vec<u8>>)>) {
    let changed = tokens.iter();
    model
        .changed
        .extend(changed.map(|(key, _)| Changed::Token(KEYS[*key].to_owned())));
    model.tokens.extend(tokens);
}

/// Closes a reservation in the model; returns how. One that is closed stays as it is.
fn settle(
    model: &mut Model,
    (step, node): (usize, usize),
    (which, back): (usize, Vec<i64>),
) -> Option<Settlement> {
    let reserved = own(model, node, which).map(|at| &mut model.reserved[at])?;
    let lines = reserved.asked.lines.iter();
    let refunds = lines
        .zip(back)
        .map(|(line, back)| (line.key.clone(), back.min(line.amount)))
        .collect();
    let settlement = Settlement {
        id: reserved.asked.id,
        refunds,
        spend: serde_json::json!({
            "settled_in": step, "provider": "dns", "client": CLIENTS[step % 2], "verdict": "good",
            "reserved": {"calls": 9, "records": 0, "micros": 7}, "currency": "USD",
            "cost": {"calls": step, "records": 1, "micros": 5},
        }),
        at: step as i64,
    };
    reserved.end.get_or_insert(settlement.clone());
    Some(settlement)
}

/// Writes a batch in the model; returns it as a store takes it.
fn batch(model: &mut Model, (step, node): (usize, usize), batch: Batch) -> WriteBatch {
    let Batch {
        settles,
        answers,
        rows,
        gone,
        tokens,
        meta,
        audit,
    } = batch;
    let by_key = |(key, value): &(usize, Option<Vec<u8>>)| (KEYS[*key].to_owned(), value.clone());
    let entries = audit.into_iter().enumerate().map(|(at, time)| AuditEntry {
        // Behind all reservations of that time.
        id: Uuid::from_u128((1 << 64) + (step as u128) * 16 + at as u128),
        at: time,
        row: serde_json::json!({"told_in": step, "at": at}),
    });
    let entries: Vec<AuditEntry> = entries.collect();
    let settlements = settles.into_iter();
    let batch = WriteBatch {
        settlements: settlements
            .filter_map(|one| settle(model, (step, node), one))
            .collect(),
        answers: answers.iter().map(by_key).collect(),
        gone: gone.iter().map(named).collect(),
        rows: rows.iter().map(stored).collect(),
        tokens: tokens.iter().map(by_key).collect(),
        meta: meta
            .iter()
            .map(|(key, value)| (META[*key], value.clone()))
            .collect(),
        audit: entries.clone(),
    };
    put_answers(model, answers);
    swap(model, rows, gone);
    put_tokens(model, tokens);
    model.notes.extend(meta);
    let entries = entries.into_iter();
    model
        .told
        .extend(entries.map(|entry| ((entry.at, entry.id), entry.row)));
    batch
}

async fn reserve(
    model: &mut Model,
    store: &dyn Storage,
    (step, node): (usize, usize),
    (lease, lines): (Option<Lease>, Vec<Line>),
) {
    let at = step as i64;
    let asked = Reserve {
        id: Uuid::from_u128(step as u128),
        node: store.node(),
        lease,
        lines,
        spend: serde_json::json!({
            "at_us": at, "client": CLIENTS[node], "provider": "dns", "reserved": {"calls": 3, "records": 2},
        }),
        known: (step % 3 > 0).then_some(at),
    };
    let is_fenced = asked.lease.as_ref().is_some_and(|lease| !model.is_held(lease));
    let expected = model.refusal(&asked.lines);
    let expected = expected.map_or(Ok(()), |(at, used)| Err(ReserveError::Exhausted(at, used)));
    let expected = if is_fenced {
        Err(ReserveError::Fenced)
    } else {
        expected
    };
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

async fn claim(model: &mut Model, store: &dyn Storage, node: usize, (name, now, until): (usize, i64, i64)) {
    let name = NAMES[name].to_owned();
    let held = model.held.get(&name).map(|(_, _, until)| *until);
    let claimed = store.claim(name.clone(), store.node(), now, until).await.unwrap();
    match (claimed, held.filter(|until| *until > now)) {
        (Claimed::Theirs(found), Some(expected)) => assert_eq!(found, expected),
        (Claimed::Mine(fence), None) => {
            let lease = Lease {
                name: name.clone(),
                fence,
            };
            assert!(!model.granted.contains(&lease), "no lease is like one before");
            model.granted.push(lease.clone());
            model.held.insert(name, (lease, node, until));
        }
        (found, expected) => panic!("{found:?}, and {expected:?} was expected"),
    }
}

/// Asks what was changed since a version that was seen, and sees the present one.
async fn changes(model: &mut Model, store: &dyn Storage, which: usize) {
    let now = store.version().await.unwrap();
    let since = which.checked_rem(model.versions.len());
    if let Some((version, seen)) = since.and_then(|at| model.versions.get(at)) {
        let told = store.changes(*version).await.unwrap();
        assert_eq!(told.now, now);
        match told.changed {
            Some(changed) => assert_eq!(changed, model.changed[*seen..]),
            None => assert!(*seen < model.started, "what is known is told"),
        }
    }
    model.versions.push((now, model.changed.len()));
}

async fn apply(
    model: &mut Model,
    subject: &mut dyn Subject,
    (step, node): (usize, usize),
    operation: Operation,
) {
    let store = subject.node(node);
    match operation {
        Operation::Reserve(lines) => reserve(model, store.as_ref(), (step, node), (None, lines)).await,
        Operation::ReserveUnder(which, lines) => {
            if let Some(lease) = model.lease(which) {
                reserve(model, store.as_ref(), (step, node), (Some(lease), lines)).await;
            }
        }
        Operation::ReserveAgain(which) => {
            let again = own(model, node, which).map(|at| &model.reserved[at]);
            if let Some(again) = again.filter(|one| one.end.is_none()) {
                assert_eq!(store.reserve(again.asked.clone()).await, Ok(()));
            }
        }
        Operation::Settle(which, back) => {
            if let Some(settlement) = settle(model, (step, node), (which, back)) {
                store.settle(settlement);
            }
        }
        Operation::Commit(written) => {
            let batch = batch(model, (step, node), *written);
            store.commit(batch).await.unwrap();
        }
        Operation::PutAnswer(key, value, waits) => {
            put_answers(model, vec![(key, Some(value.clone()))]);
            if waits {
                store.put_answer_now(KEYS[key].to_owned(), value).await.unwrap();
            } else {
                store.put_answer(KEYS[key].to_owned(), value).await;
            }
        }
        Operation::DropAnswers(keys) => {
            let named = keys.iter().map(|key| KEYS[*key].to_owned());
            store.drop_answers(named.collect()).await.unwrap();
            put_answers(model, keys.into_iter().map(|key| (key, None)).collect());
        }
        Operation::SwapRows(rows, gone) => {
            let put = rows.iter().map(stored).collect();
            let removed = gone.iter().map(named).collect();
            store.swap_rows(put, removed).await.unwrap();
            swap(model, rows, gone);
        }
        Operation::SweepRows(now) => {
            store.sweep_rows(now).await.unwrap();
            for (_, row) in &mut model.rows {
                *row = row.take().filter(|(until, _)| *until > now);
            }
            model.held.retain(|_, (_, _, until)| *until > now);
        }
        Operation::PutToken(key, value) => {
            store
                .put_token(KEYS[key].to_owned(), value.clone())
                .await
                .unwrap();
            put_tokens(model, vec![(key, value)]);
        }
        Operation::Note(key, value) => {
            store.note(META[key], value.clone());
            model.notes.push((key, value));
        }
        Operation::NoteRollups(rows) => {
            let rows = rows.into_iter().map(|(at, calls)| Rollup {
                start: at * QUARTER_S,
                key: RollupKey {
                    client: CLIENTS[node].to_owned(),
                    provider: "dns".to_owned(),
                    outcome: "cached".to_owned(),
                    ..RollupKey::default()
                },
                columns: Columns {
                    avoided: Amounts {
                        calls,
                        ..Amounts::default()
                    },
                    ..Columns::default()
                },
            });
            let rows: Vec<Rollup> = rows.collect();
            store.note_rollups(rows.clone());
            model.noted.extend(rows);
        }
        Operation::ForgetBefore(before) => {
            store.forget_before(before).await.unwrap();
            for reserved in &mut model.reserved {
                reserved.is_forgotten |= reserved.end.as_ref().is_some_and(|end| end.at < before);
            }
            model.told.retain(|(at, _), _| *at >= before);
        }
        Operation::Claim(name, now, until) => {
            claim(model, store.as_ref(), node, (name, now, until)).await;
        }
        Operation::Renew(which, until) => {
            if let Some(lease) = model.lease(which) {
                let is_held = model.is_held(&lease);
                assert_eq!(store.renew(lease.clone(), until).await, Ok(is_held));
                let held = model.held.get_mut(&lease.name).filter(|_| is_held);
                held.into_iter().for_each(|held| held.2 = until);
            }
        }
        Operation::Release(which) => {
            if let Some(lease) = model.lease(which) {
                let is_held = model.is_held(&lease);
                assert_eq!(store.release(lease.clone()).await, Ok(is_held));
                model.held.retain(|_, (held, ..)| *held != lease);
            }
        }
        Operation::Changes(which) => changes(model, store.as_ref(), which).await,
        Operation::Restart { crash } => {
            store.settled().await;
            drop(store);
            let ended = subject.restart(node, crash);
            model.end(&ended);
        }
    }
}
