//! Says which replies are kept, by client and age, and which are given up where there is no room for another.

use std::collections::{BTreeMap, HashMap};

use super::fingerprint;
use crate::config::settings::StoreSettings;

/// What a reply takes besides its own bytes: its key, its place on a page, and its entry here.
const BESIDES: usize = 512;

/// Names a reply: whose it is, and under which name. Neither can be read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    client: u64,
    request: u128,
}

impl Name {
    /// Names the reply to a request that a client named.
    pub(super) fn of(tenant: &str, client: &str, name: &str) -> Self {
        let first = |parts: &[&[u8]], digits: usize| {
            let digits: String = fingerprint(parts).chars().take(digits).collect();
            u128::from_str_radix(&digits, 16).unwrap_or_default()
        };
        let (tenant, client, name) = (tenant.as_bytes(), client.as_bytes(), name.as_bytes());
        Self {
            client: u64::try_from(first(&[tenant, client], 16)).unwrap_or_default(),
            request: first(&[tenant, client, name], 32),
        }
    }

    /// Returns the key of its row.
    pub(super) fn key(self) -> String {
        format!("{:016x}|{:032x}", self.client, self.request)
    }

    /// Reads the key of a row.
    pub(super) fn read(key: &str) -> Option<Self> {
        let (client, request) = key.split_once('|')?;
        Some(Self {
            client: u64::from_str_radix(client, 16).ok()?,
            request: u128::from_str_radix(request, 16).ok()?,
        })
    }
}

/// Is a reply that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) name: Name,
    until_us: i64,
    bytes: u64,
}

/// Holds what makes room for a reply.
#[derive(Debug)]
pub(super) struct Replaced {
    /// What goes.
    pub(super) gone: Vec<Gone>,
}

/// Holds the replies of one client, the oldest first.
#[derive(Debug, Default)]
struct Client {
    bytes: u64,
    kept: BTreeMap<(i64, Name), u64>,
}

/// Knows which replies are kept.
#[derive(Debug)]
pub(super) struct Replies {
    clients: HashMap<u64, Client>,
    bytes: u64,
    given_up: u64,
    settings: StoreSettings,
}

impl Replies {
    pub(super) fn new(settings: StoreSettings) -> Self {
        Self {
            clients: HashMap::new(),
            bytes: 0,
            given_up: 0,
            settings,
        }
    }

    pub(super) fn resize(&mut self, settings: StoreSettings) {
        self.settings = settings;
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Notes a reply of so many bytes.
    pub(super) fn put(&mut self, name: Name, until_us: i64, bytes: usize) {
        self.note(Gone {
            name,
            until_us,
            bytes: (bytes + BESIDES) as u64,
        });
    }

    fn note(&mut self, reply: Gone) {
        let client = self.clients.entry(reply.name.client).or_default();
        let before = client.kept.insert((reply.until_us, reply.name), reply.bytes);
        let before = before.unwrap_or(0);
        client.bytes = client.bytes + reply.bytes - before;
        self.bytes = self.bytes + reply.bytes - before;
    }

    /// Notes a reply, and takes out what goes for it: what is past its time, then the client's own oldest, then the
    /// oldest of the client that has most.
    pub(super) fn make_room(&mut self, name: Name, until_us: i64, bytes: usize, now_us: i64) -> Replaced {
        let mut gone = Vec::new();
        let needed = (bytes + BESIDES) as u64;
        while let Some(past) = self.oldest(name.client).filter(|past| past.until_us <= now_us) {
            gone.push(self.take(past));
        }
        while self.held_by(name.client).saturating_add(needed) > self.settings.replies_per_client
            && let Some(own) = self.oldest(name.client)
        {
            gone.push(self.take(own));
        }
        while self.bytes.saturating_add(needed) > self.settings.replies
            && let Some(other) = self.most().and_then(|client| self.oldest(client))
        {
            gone.push(self.take(other));
        }
        self.put(name, until_us, bytes);
        Replaced { gone }
    }

    /// Counts what was given up before its time.
    pub(super) fn count_given_up(&mut self, gone: &[Gone], now_us: i64) {
        let before = gone.iter().filter(|gone| gone.until_us > now_us).count();
        self.given_up += before as u64;
    }

    /// Takes a reply back that could not be written, and puts back what was to go for it.
    pub(super) fn undo(&mut self, name: Name, gone: Vec<Gone>) {
        let put = self
            .clients
            .get(&name.client)
            .and_then(|client| client.kept.iter().rev().find(|((_, kept), _)| *kept == name))
            .map(|((until_us, name), bytes)| Gone {
                name: *name,
                until_us: *until_us,
                bytes: *bytes,
            });
        if let Some(put) = put {
            self.take(put);
        }
        for reply in gone {
            self.note(reply);
        }
    }

    fn held_by(&self, client: u64) -> u64 {
        self.clients.get(&client).map_or(0, |client| client.bytes)
    }

    fn most(&self) -> Option<u64> {
        let most = self.clients.iter().max_by_key(|(_, client)| client.bytes);
        most.map(|(name, _)| *name)
    }

    fn oldest(&self, client: u64) -> Option<Gone> {
        let ((until_us, name), bytes) = self.clients.get(&client)?.kept.first_key_value()?;
        Some(Gone {
            name: *name,
            until_us: *until_us,
            bytes: *bytes,
        })
    }

    fn take(&mut self, reply: Gone) -> Gone {
        if let Some(client) = self.clients.get_mut(&reply.name.client)
            && let Some(bytes) = client.kept.remove(&(reply.until_us, reply.name))
        {
            client.bytes -= bytes;
            self.bytes -= bytes;
            if client.kept.is_empty() {
                self.clients.remove(&reply.name.client);
            }
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(all: u64, one: u64) -> Replies {
        Replies::new(StoreSettings {
            min_free: 0,
            replies: all,
            replies_per_client: one,
        })
    }

    fn names(gone: &Replaced) -> Vec<Name> {
        gone.gone.iter().map(|gone| gone.name).collect()
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
            shelf.count_given_up(&gone.gone, 1);
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
        shelf.count_given_up(&gone.gone, 50);
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
        assert_eq!(gone.gone.len(), 1);
        shelf.undo(new, gone.gone);
        assert_eq!(shelf.bytes(), 2000);
        assert_eq!(
            names(&shelf.make_room(new, 9, 488, -1)),
            [Name::of("soc", "playbook", "0")]
        );
    }
}
