//! Operations at random.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{KEYS, META, NAMES, ROWS};
use crate::storage::{Line, Table};

/// Is a row to be put: its table, its key, until when, and what it holds.
pub(super) type Put = (Table, usize, i64, Vec<u8>);
/// Is a value by its key to be put, or removed.
pub(super) type Value = (usize, Option<Vec<u8>>);

/// Is a batch; reservations are named by a number among those made, and closed with what is given back.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) settles: Vec<(usize, Vec<i64>)>,
    pub(super) answers: Vec<Value>,
    pub(super) rows: Vec<Put>,
    pub(super) gone: Vec<(Table, usize)>,
    pub(super) tokens: Vec<Value>,
    pub(super) meta: Vec<(usize, Vec<u8>)>,
    /// When what is written to the audit was.
    pub(super) audit: Vec<i64>,
}

#[derive(Debug, Clone)]
pub(super) enum Operation {
    Reserve(Vec<Line>),
    /// Reserves by one of the leases that were granted.
    ReserveUnder(usize, Vec<Line>),
    /// Sends a reservation once more.
    ReserveAgain(usize),
    /// Settles one of those made; one that is settled already gives nothing back.
    Settle(usize, Vec<i64>),
    Commit(Box<Batch>),
    PutAnswer(usize, Vec<u8>, bool),
    DropAnswers(Vec<usize>),
    SwapRows(Vec<Put>, Vec<(Table, usize)>),
    SweepRows(i64),
    PutToken(usize, Option<Vec<u8>>),
    Note(usize, Vec<u8>),
    /// Adds to sums what belongs to no settlement: calls of a quarter of an hour.
    NoteRollups(Vec<(i64, i64)>),
    ForgetBefore(i64),
    /// Claims a name at a time, until another.
    Claim(usize, i64, i64),
    /// Renews one of the leases that were granted.
    Renew(usize, i64),
    Release(usize),
    /// Asks what was changed since one of the versions that were seen.
    Changes(usize),
    Restart {
        crash: bool,
    },
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..20)
}

fn key() -> std::ops::Range<usize> {
    0..KEYS.len()
}

fn time() -> std::ops::Range<i64> {
    0..100
}

fn shelf() -> impl Strategy<Value = Table> {
    (0..Table::ALL.len()).prop_map(|at| Table::ALL[at])
}

fn put() -> impl Strategy<Value = Put> {
    (shelf(), key(), time(), bytes())
}

fn value() -> impl Strategy<Value = Value> {
    (key(), prop::option::of(bytes()))
}

fn note() -> impl Strategy<Value = (usize, Vec<u8>)> {
    (0..META.len(), bytes())
}

/// Says which reservation is settled, and what is given back of each of its lines.
fn settle() -> impl Strategy<Value = (usize, Vec<i64>)> {
    (any::<usize>(), vec(-5..60_i64, LINES))
}

/// So many lines a reservation has at most; some name the same row.
const LINES: usize = 5;

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = (0..ROWS.len(), 0..60_i64, prop::option::of(0..250_i64), 0..120_i64);
    let line = line.prop_map(|(row, amount, limit, floor)| Line {
        key: ROWS[row].to_owned(),
        amount,
        limit,
        floor,
    });
    vec(line, 1..=LINES)
}

fn batch() -> impl Strategy<Value = Box<Batch>> {
    let members = (
        vec(settle(), 0..3),
        vec(value(), 0..3),
        vec(put(), 0..3),
        vec((shelf(), key()), 0..2),
        vec(value(), 0..2),
        vec(note(), 0..2),
        vec(time(), 0..3),
    );
    members.prop_map(|(settles, answers, rows, gone, tokens, meta, audit)| {
        Box::new(Batch {
            settles,
            answers,
            rows,
            gone,
            tokens,
            meta,
            audit,
        })
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => lines().prop_map(Operation::Reserve),
        2 => (any::<usize>(), lines()).prop_map(|(which, lines)| Operation::ReserveUnder(which, lines)),
        1 => any::<usize>().prop_map(Operation::ReserveAgain),
        5 => settle().prop_map(|(which, back)| Operation::Settle(which, back)),
        5 => batch().prop_map(Operation::Commit),
        3 => (key(), bytes(), any::<bool>()).prop_map(|(key, value, now)| Operation::PutAnswer(key, value, now)),
        1 => vec(key(), 0..3).prop_map(Operation::DropAnswers),
        3 => (vec(put(), 0..3), vec((shelf(), key()), 0..2))
            .prop_map(|(rows, gone)| Operation::SwapRows(rows, gone)),
        1 => time().prop_map(Operation::SweepRows),
        2 => value().prop_map(|(key, value)| Operation::PutToken(key, value)),
        1 => note().prop_map(|(key, value)| Operation::Note(key, value)),
        2 => vec((0..3_i64, 1..9_i64), 1..4).prop_map(Operation::NoteRollups),
        1 => time().prop_map(Operation::ForgetBefore),
        3 => (0..NAMES.len(), time(), time()).prop_map(|(name, now, until)| Operation::Claim(name, now, until)),
        1 => (any::<usize>(), time()).prop_map(|(which, until)| Operation::Renew(which, until)),
        1 => any::<usize>().prop_map(Operation::Release),
        3 => any::<usize>().prop_map(Operation::Changes),
        1 => any::<bool>().prop_map(|crash| Operation::Restart { crash }),
    ]
}

/// Makes operations, each with the node that it is done on.
pub(super) fn operations(max: usize) -> impl Strategy<Value = Vec<(usize, Operation)>> {
    vec((0..2_usize, operation()), 1..max)
}
