//! The model: it keeps the history of what was accepted, and who holds which name, and works out from that what must be seen.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{KEYS, META, ROWS};
use crate::spend::{QUARTER_S, Rollup, Rollups, add_to, audited};
use crate::storage::{
    Changed, Lease, Line, Reserve, Row, Settlement, Storage, Table, Version, gather_answers, gather_audit,
    gather_rollups, gather_rows,
};

/// Is a reservation that was accepted, and what became of it.
#[derive(Debug)]
pub(super) struct Reserved {
    pub(super) node: usize,
    pub(super) asked: Reserve,
    /// How it was closed; gives nothing back where its node ended first.
    pub(super) end: Option<Settlement>,
    /// Whether its audit row was removed.
    pub(super) is_forgotten: bool,
}

/// Is until when a row is kept, and what it holds.
pub(super) type Kept = (i64, Vec<u8>);

/// Holds the history.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) reserved: Vec<Reserved>,
    pub(super) answers: Vec<(usize, Option<Vec<u8>>)>,
    pub(super) rows: Vec<((Table, usize), Option<Kept>)>,
    pub(super) tokens: Vec<(usize, Option<Vec<u8>>)>,
    pub(super) notes: Vec<(usize, Vec<u8>)>,
    /// Sums of no settlement.
    pub(super) noted: Vec<Rollup>,
    /// Audit rows of no reservation, by time and id.
    pub(super) told: BTreeMap<(i64, Uuid), serde_json::Value>,
    /// All that was changed, oldest first.
    pub(super) changed: Vec<Changed>,
    /// Versions that were seen, each with how much had been changed by then.
    pub(super) versions: Vec<(Version, usize)>,
    /// How much had been changed when a node was started last: older versions may tell nothing.
    pub(super) started: usize,
    /// All leases that were granted, by the order of their grants.
    pub(super) granted: Vec<Lease>,
    /// The latest lease of each name, its node, and until when.
    pub(super) held: BTreeMap<String, (Lease, usize, i64)>,
}

pub(super) fn last<K: PartialEq + Copy, V>(history: &[(K, V)], key: K) -> Option<&V> {
    let mut newest = history.iter().rev();
    newest.find(|(of, _)| *of == key).map(|(_, value)| value)
}

impl Model {
    pub(super) fn spent(&self, key: &str) -> i64 {
        let of = |reserved: &Reserved| -> i64 {
            let lines = reserved.asked.lines.iter().filter(|line| line.key == key);
            let back = reserved.end.iter().flat_map(|end| &end.refunds);
            let back = back.filter(|(of, _)| of == key).map(|(_, amount)| amount);
            lines.map(|line| line.amount).sum::<i64>() - back.sum::<i64>()
        };
        self.reserved.iter().map(of).sum()
    }

    /// Says which line stands in the way.
    pub(super) fn refusal(&self, lines: &[Line]) -> Option<(usize, i64)> {
        let mut refused = lines.iter().enumerate().filter_map(|(at, line)| {
            // Lines of one row add up.
            let before = lines[..at].iter().filter(|before| before.key == line.key);
            let used = self.spent(&line.key) + before.map(|before| before.amount).sum::<i64>();
            let counted = used.max(line.floor);
            let is_over = line.amount > 0 && counted + line.amount > line.limit?;
            is_over.then_some((at, counted))
        });
        refused.next()
    }

    fn audit(&self) -> Vec<serde_json::Value> {
        let mut rows = self.told.clone();
        for reserved in self.reserved.iter().filter(|one| !one.is_forgotten) {
            if let Some(end) = &reserved.end {
                rows.insert((end.at, end.id), end.spend.clone());
            }
        }
        rows.into_values().rev().collect()
    }

    /// Returns the sums: of all that was closed, whether its audit row is still there or not, and of what was noted.
    fn rollups(&self) -> Vec<Rollup> {
        let mut sums = Rollups::new();
        let ends = self.reserved.iter().filter_map(|one| one.end.as_ref());
        let ended = ends
            .filter_map(|end| audited(end.at, &end.spend))
            .map(|told| told.rollup);
        for row in ended.chain(self.noted.iter().cloned()) {
            add_to(&mut sums, row);
        }
        let rows = sums.into_iter();
        rows.map(|((start, key), columns)| Rollup { start, key, columns })
            .collect()
    }

    /// Tells whether a lease is the latest of its name.
    pub(super) fn is_held(&self, lease: &Lease) -> bool {
        let held = self.held.get(&lease.name);
        held.is_some_and(|(held, ..)| held == lease)
    }

    /// Returns one of the leases that were granted.
    pub(super) fn lease(&self, which: usize) -> Option<Lease> {
        let at = which.checked_rem(self.granted.len())?;
        self.granted.get(at).cloned()
    }

    pub(super) fn end(&mut self, nodes: &[usize]) {
        self.started = self.changed.len();
        self.versions.retain(|(_, seen)| *seen < self.started);
        self.held.retain(|_, (_, node, _)| !nodes.contains(node));
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

    pub(super) fn row(&self, shelf: Table, key: usize) -> Option<&Kept> {
        last(&self.rows, (shelf, key))?.as_ref()
    }

    /// Checks all that a node sees.
    pub(super) async fn check(&self, store: &dyn Storage) {
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

        let mut rollups = self.rollups();
        let gathered = async |within| {
            let mut rows = gather_rollups(store, within, Vec::new(), |rows, row| rows.push(row.clone()))
                .await
                .unwrap();
            rows.sort_by(|one: &Rollup, other| (one.start, &one.key).cmp(&(other.start, &other.key)));
            rows
        };
        assert_eq!(gathered(0..i64::MAX).await, rollups);
        rollups.retain(|row| row.start == QUARTER_S);
        assert_eq!(gathered(1..QUARTER_S + 1).await, rollups);
        let oldest = gather_audit(store, 0..i64::MAX, Vec::new(), |rows, _, row| {
            rows.push(row.clone());
            rows.len() < 3
        });
        let expected: Vec<_> = audit.iter().rev().take(3).cloned().collect();
        assert_eq!(oldest.await.unwrap(), expected);

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
                        table: shelf,
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
                            table: shelf,
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
