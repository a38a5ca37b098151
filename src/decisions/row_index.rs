//! Says which replies or decisions are kept, by client and age, and which are given up where there is no room for another.

use std::collections::{BTreeMap, HashMap};

use super::fingerprint;

/// What a row takes besides its own bytes: its key, its place on a page, and its entry here.
const BESIDES: usize = 512;
/// So many rows go for another at once at most. Where more is too much, as under a smaller bound, they go with those after it.
const MOST_GONE: usize = 1_000;

/// Says how many bytes are kept at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Of all clients.
    pub(super) all: u64,
    /// Of one client.
    pub(super) one: u64,
}

/// Names a row: whose it is, and under which name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    pub(super) client: u64,
    pub(super) item: [u8; 16],
}

/// Names a client of a tenant; neither can be read from it.
pub(super) fn client_of(tenant: &str, client: &str) -> u64 {
    digits(&[tenant.as_bytes(), client.as_bytes()], 16)
        .try_into()
        .unwrap_or_default()
}

/// Makes a number of the first digits of what texts are.
fn digits(parts: &[&[u8]], digits: usize) -> u128 {
    let digits: String = fingerprint(parts).chars().take(digits).collect();
    u128::from_str_radix(&digits, 16).unwrap_or_default()
}

impl Name {
    /// Names the reply to a request that a client named.
    pub(super) fn of(tenant: &str, client: &str, name: &str) -> Self {
        let parts = [tenant, client, name].map(str::as_bytes);
        Self {
            client: client_of(tenant, client),
            item: digits(&parts, 32).to_be_bytes(),
        }
    }

    /// Returns the key of a reply's row.
    pub(super) fn key(self) -> String {
        format!("{:016x}|{:032x}", self.client, u128::from_be_bytes(self.item))
    }

    /// Reads the key of a reply's row.
    pub(super) fn read(key: &str) -> Option<Self> {
        let (client, request) = key.split_once('|')?;
        Some(Self {
            client: u64::from_str_radix(client, 16).ok()?,
            item: u128::from_str_radix(request, 16).ok()?.to_be_bytes(),
        })
    }
}

/// Is a row that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EvictedRow {
    pub(super) name: Name,
    until_us: i64,
    bytes: u32,
}

/// Holds the rows of one client, the oldest first.
#[derive(Debug, Default)]
struct Client {
    bytes: u64,
    kept: BTreeMap<(i64, [u8; 16]), u32>,
}

/// Knows which rows are kept.
#[derive(Debug)]
pub(super) struct RowIndex {
    clients: HashMap<u64, Client>,
    bytes: u64,
    given_up: u64,
    limits: Limits,
}

impl RowIndex {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            clients: HashMap::new(),
            bytes: 0,
            given_up: 0,
            limits,
        }
    }

    pub(super) fn resize(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Lists the clients with how many rows and bytes each has.
    pub(super) fn clients(&self) -> impl Iterator<Item = (u64, usize, u64)> {
        let clients = self.clients.iter();
        clients.map(|(name, client)| (*name, client.kept.len(), client.bytes))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Notes a row of so many bytes.
    pub(super) fn put(&mut self, name: Name, until_us: i64, bytes: usize) {
        self.note(EvictedRow {
            name,
            until_us,
            bytes: u32::try_from(bytes + BESIDES).unwrap_or(u32::MAX),
        });
    }

    fn note(&mut self, row: EvictedRow) {
        let client = self.clients.entry(row.name.client).or_default();
        let before = client.kept.insert((row.until_us, row.name.item), row.bytes);
        let before = before.map_or(0, u64::from);
        client.bytes = client.bytes + u64::from(row.bytes) - before;
        self.bytes = self.bytes + u64::from(row.bytes) - before;
    }

    /// Takes out a row that another takes the place of, or that was removed.
    pub(super) fn remove(&mut self, name: Name, until_us: i64) -> Option<EvictedRow> {
        let bytes = *self.clients.get(&name.client)?.kept.get(&(until_us, name.item))?;
        Some(self.take(EvictedRow {
            name,
            until_us,
            bytes,
        }))
    }

    /// Forgets rows that are past their time, which a sweep removes.
    pub(super) fn forget_past(&mut self, now_us: i64) {
        let clients: Vec<u64> = self.clients.keys().copied().collect();
        for client in clients {
            while let Some(past) = self.oldest(client).filter(|past| past.until_us <= now_us) {
                self.take(past);
            }
        }
    }

    /// Notes a row, and takes out what goes for it: what is past its time, then the client's own oldest, then the
    /// oldest of the client that has most.
    pub(super) fn make_room(
        &mut self,
        name: Name,
        until_us: i64,
        bytes: usize,
        now_us: i64,
    ) -> Vec<EvictedRow> {
        let mut gone = Vec::new();
        let needed = (bytes + BESIDES) as u64;
        while gone.len() < MOST_GONE
            && let Some(past) = self.oldest(name.client).filter(|past| past.until_us <= now_us)
        {
            gone.push(self.take(past));
        }
        while gone.len() < MOST_GONE
            && self.held_by(name.client).saturating_add(needed) > self.limits.one
            && let Some(own) = self.oldest(name.client)
        {
            gone.push(self.take(own));
        }
        while gone.len() < MOST_GONE
            && self.bytes.saturating_add(needed) > self.limits.all
            && let Some(other) = self.heaviest().and_then(|client| self.oldest(client))
        {
            gone.push(self.take(other));
        }
        self.put(name, until_us, bytes);
        gone
    }

    /// Counts what was given up before its time.
    pub(super) fn count_given_up(&mut self, gone: &[EvictedRow], now_us: i64) {
        let before = gone.iter().filter(|gone| gone.until_us > now_us).count();
        self.given_up += before as u64;
    }

    /// Takes a row back that could not be written, and puts back what was to go for it.
    pub(super) fn undo(&mut self, name: Name, until_us: i64, gone: Vec<EvictedRow>) {
        self.remove(name, until_us);
        for row in gone {
            self.note(row);
        }
    }

    fn held_by(&self, client: u64) -> u64 {
        self.clients.get(&client).map_or(0, |client| client.bytes)
    }

    fn heaviest(&self) -> Option<u64> {
        let heaviest = self.clients.iter().max_by_key(|(_, client)| client.bytes);
        heaviest.map(|(name, _)| *name)
    }

    fn oldest(&self, client: u64) -> Option<EvictedRow> {
        let ((until_us, item), bytes) = self.clients.get(&client)?.kept.first_key_value()?;
        let item = *item;
        Some(EvictedRow {
            name: Name { client, item },
            until_us: *until_us,
            bytes: *bytes,
        })
    }

    fn take(&mut self, row: EvictedRow) -> EvictedRow {
        if let Some(client) = self.clients.get_mut(&row.name.client)
            && let Some(bytes) = client.kept.remove(&(row.until_us, row.name.item))
        {
            client.bytes -= u64::from(bytes);
            self.bytes -= u64::from(bytes);
            if client.kept.is_empty() {
                self.clients.remove(&row.name.client);
            }
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(all: u64, one: u64) -> RowIndex {
        RowIndex::new(Limits { all, one })
    }

    fn names(gone: &[EvictedRow]) -> Vec<Name> {
        gone.iter().map(|gone| gone.name).collect()
    }

    #[test]
    fn a_name_is_read_as_it_was_written_and_those_of_earlier_versions_are_none() {
        let name = Name::of("soc", "playbook", "alert-4711");
        assert_eq!(Name::read(&name.key()), Some(name));
        assert_ne!(Name::of("soc", "playbook", "alert-4712"), name);
        assert_ne!(Name::of("soc", "other", "alert-4711"), name);
        assert_eq!(Name::read(&fingerprint(&[b"soc", b"playbook"])), None);
    }

    #[test]
    fn a_client_gives_up_its_own_oldest_and_nobody_elses() {
        let mut shelf = shelf(1 << 30, 4096);
        let other = Name::of("soc", "other", "first");
        shelf.make_room(other, 10, 488, 0);
        let own: Vec<Name> = (0..6)
            .map(|at| Name::of("soc", "playbook", &at.to_string()))
            .collect();
        let mut given_up = Vec::new();
        for (at, name) in own.iter().enumerate() {
            let gone = shelf.make_room(*name, 100 + at as i64, 488, 1);
            shelf.count_given_up(&gone, 1);
            given_up.extend(names(&gone));
        }
        // Each counts 1000 bytes.
        assert_eq!(given_up, own.iter().take(2).copied().collect::<Vec<_>>());
        assert_eq!((shelf.bytes(), shelf.given_up()), (5000, 2));
    }

    #[test]
    fn all_together_the_one_that_has_most_gives_up() {
        let mut shelf = shelf(4096, 1 << 30);
        let heavy: Vec<Name> = (0..3)
            .map(|at| Name::of("soc", "heavy", &at.to_string()))
            .collect();
        for (at, name) in heavy.iter().enumerate() {
            shelf.make_room(*name, 200 + at as i64, 488, 1);
        }
        // The light one is older, and keeps what it has.
        let light = Name::of("soc", "light", "0");
        assert!(names(&shelf.make_room(light, 100, 488, 1)).is_empty());
        let gone = shelf.make_room(Name::of("soc", "light", "1"), 101, 488, 1);
        assert_eq!(names(&gone), [heavy[0]]);
    }

    #[test]
    fn what_is_past_its_time_goes_and_is_not_counted() {
        let mut shelf = shelf(1 << 30, 1 << 30);
        let old = Name::of("soc", "playbook", "old");
        shelf.make_room(old, 10, 488, 0);
        let gone = shelf.make_room(Name::of("soc", "playbook", "new"), 100, 488, 50);
        shelf.count_given_up(&gone, 50);
        assert_eq!(names(&gone), [old]);
        assert_eq!((shelf.bytes(), shelf.given_up()), (1000, 0));
    }

    #[test]
    fn a_write_that_failed_leaves_everything_as_it_was() {
        let mut shelf = shelf(1 << 30, 2048);
        for at in 0..2 {
            shelf.make_room(Name::of("soc", "playbook", &at.to_string()), at, 488, -1);
        }
        let new = Name::of("soc", "playbook", "new");
        let gone = shelf.make_room(new, 9, 488, -1);
        assert_eq!(gone.len(), 1);
        shelf.undo(new, 9, gone);
        assert_eq!(shelf.bytes(), 2000);
        assert_eq!(
            names(&shelf.make_room(new, 9, 488, -1)),
            [Name::of("soc", "playbook", "0")]
        );
    }

    #[test]
    fn what_is_removed_or_past_its_time_is_forgotten() {
        let mut shelf = shelf(1 << 30, 1 << 30);
        let names = ["a", "b", "c"].map(|name| Name::of("soc", "playbook", name));
        for (name, until) in names.into_iter().zip([10, 20, 30]) {
            shelf.make_room(name, until, 488, 0);
        }
        assert!(shelf.remove(names[1], 21).is_none());
        assert!(shelf.remove(names[1], 20).is_some());
        assert_eq!(shelf.bytes(), 2000);
        shelf.forget_past(10);
        assert_eq!(
            shelf.clients().map(|(_, count, _)| count).collect::<Vec<_>>(),
            [1]
        );
        shelf.forget_past(30);
        assert_eq!((shelf.bytes(), shelf.clients().count()), (0, 0));
    }

    #[test]
    fn no_row_makes_many_others_go_at_once() {
        let mut shelf = shelf(1 << 30, 1 << 30);
        for at in 0..3 * MOST_GONE {
            shelf.put(Name::of("soc", "playbook", &at.to_string()), 100 + at as i64, 488);
        }
        shelf.resize(Limits { all: 4096, one: 4096 });
        let mut left = 3 * MOST_GONE;
        for at in 0..4 {
            let gone = shelf.make_room(Name::of("soc", "other", &at.to_string()), 5000 + at, 488, 1);
            assert!(gone.len() <= MOST_GONE);
            left = left + 1 - gone.len();
        }
        assert_eq!((left, shelf.bytes()), (4, 4000));
    }
}
