//! Divides a block into objects, where a new one begins without a blank line before it.

use super::blocks::Entry;

/// Divides the entries of a block: a new object begins where a key that stands first in objects comes again.
pub(super) fn objects<'a, 'b>(entries: &'b [Entry<'a>]) -> Vec<&'b [Entry<'a>]> {
    let begins = |at: usize, start: usize| {
        let key = |at: usize| match entries.get(at) {
            Some(Entry::Pair { key, .. }) => Some(*key),
            _ => None,
        };
        let Some(this) = key(at) else { return false };
        let starts = matches!(
            this,
            "contact hdl"
                | "contact id"
                | "contact"
                | "nic hdl"
                | "nic hdl br"
                | "personname"
                | "contact handle"
        );
        let before = || entries.get(start..at).unwrap_or_default();
        starts
            && before()
                .iter()
                .any(|entry| matches!(entry, Entry::Pair { key, .. } if *key == this))
            || matches!(this, "contact hdl") && at > start
    };
    let mut objects = Vec::new();
    let mut start = 0;
    for at in 0..entries.len() {
        if begins(at, start) {
            objects.extend(entries.get(start..at));
            start = at;
        }
    }
    objects.extend(entries.get(start..));
    objects
}
