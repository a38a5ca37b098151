//! Finds the entries that a name, an address for mail or a hash matches, in a time that does not grow with the lists.
//!
//! Names stand in one hash table. What a name stands below are its own suffixes, so a look-up asks once for each of
//! its labels: this is a suffix trie whose edges are hashed. The text of all keys is one string, so that a million names
//! stay small.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Numbers a list.
pub(super) type ListId = u16;

/// Holds one entry: where its key stands, and whose it is.
#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    list: ListId,
    /// No key is longer than a name or an address for mail, which are at most 254 octets.
    len: u8,
    exact: bool,
}

/// Tells of an entry that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct IndexHit {
    pub(super) list: ListId,
    /// Whether the entry stands for itself only, and for nothing below.
    pub(super) exact: bool,
}

/// Holds the entries of all lists.
#[derive(Clone, Default)]
pub(super) struct Index {
    /// Seeded by chance. Only lists add entries, so that no client can choose which of them collide.
    hasher: DefaultHashBuilder,
    text: String,
    entries: Vec<Entry>,
    keys: HashTable<u32>,
}

impl Index {
    /// Adds a name, an address for mail or a hash, in canonical form. `exact` says that nothing below is meant; an
    /// entry that is added both ways means what is below, too.
    ///
    /// # Errors
    /// Where it is too long, or there are more than 4 GiB of entries.
    pub(super) fn add_key(&mut self, key: &str, list: ListId, exact: bool) -> Result<(), String> {
        let hash = self.hasher.hash_one(key);
        let mut known = None;
        for &at in self.keys.iter_hash(hash) {
            let Some(entry) = self.entries.get_mut(at as usize) else {
                continue;
            };
            if key_of(&self.text, entry) == key {
                if entry.list == list {
                    entry.exact &= exact;
                    return Ok(());
                }
                known = Some(entry.start);
            }
        }
        let full = |_| "the lists have too many entries".to_owned();
        let entry = Entry {
            start: known.map_or_else(|| u32::try_from(self.text.len()).map_err(full), Ok)?,
            list,
            len: u8::try_from(key.len()).map_err(|_| "the entry is too long".to_owned())?,
            exact,
        };
        let at = u32::try_from(self.entries.len()).map_err(full)?;
        if known.is_none() {
            self.text.push_str(key);
        }
        self.entries.push(entry);
        let (hasher, text, entries) = (&self.hasher, &self.text, &self.entries);
        self.keys.insert_unique(hash, at, |&at| {
            hasher.hash_one(entries.get(at as usize).map_or("", |entry| key_of(text, entry)))
        });
        Ok(())
    }

    /// Gives back memory that was held for more entries.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    /// Finds the entries of exactly this key.
    pub(super) fn at<'a>(&'a self, key: &'a str) -> impl Iterator<Item = IndexHit> + use<'a> {
        self.keys
            .iter_hash(self.hasher.hash_one(key))
            .filter_map(|&at| self.entries.get(at as usize))
            .filter(move |entry| key_of(&self.text, entry) == key)
            .map(|entry| IndexHit {
                list: entry.list,
                exact: entry.exact,
            })
    }
}

/// Walks a name and the names that it stands below, the nearest first.
pub(super) fn suffixes(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |rest| rest.split_once('.').map(|(_, above)| above))
}

fn key_of<'a>(text: &'a str, entry: &Entry) -> &'a str {
    let start = entry.start as usize;
    text.get(start..start + usize::from(entry.len))
        .unwrap_or_default()
}
