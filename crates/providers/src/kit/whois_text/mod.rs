//! Reads the contacts of raw whois text, in whatever layout its registry or registrar writes.
//!
//! There is no standard. The text becomes lines (`lines`), lines become blocks (`blocks`), and each block is read by
//! its layout (`layouts`): an object of `key: value` lines that is referred to by its handle (`objects`), a heading with
//! labelled or free lines under it (`free`, with `places` for addresses), or lines whose keys name role and field. What is
//! said of one contact is gathered in `draft`. What is read depends on this structure and never on which registry wrote
//! it. A value counts only under a key that is known (`keys`, with the words in `tables`), so that unknown keys, sentences
//! and handles become no name and no line of an address; `providers::contact` checks what is left.

mod blocks;
mod draft;
mod free;
mod keys;
mod layouts;
mod lines;
mod objects;
mod places;
mod tables;

#[cfg(test)]
mod tests;

use super::contact::{self, WithheldFields};
use pivotd_domain::Record;

/// Contacts and text read from one record at most; whois text is the registrant's.
const MOST_CONTACTS: usize = 60;
const MOST_BYTES: usize = 256 * 1024;

/// Reads the contacts of a raw record, in the order of the text.
pub fn contacts(record: &str) -> Vec<Record> {
    read(record).0
}

/// Reads the contacts of a raw record, in the order of the text, and says what of them is not told.
pub fn read(record: &str) -> (Vec<Record>, WithheldFields) {
    let mut end = record.len().min(MOST_BYTES);
    while !record.is_char_boundary(end) {
        end -= 1;
    }
    let record = record.get(..end).unwrap_or_default();
    let lines = lines::read(record);
    let blocks = blocks::split(&lines);
    let mut read = layouts::read(&blocks, &lines);
    contact::mark_services(&mut read);
    let mut contacts = contact::records(&read);
    contacts.truncate(MOST_CONTACTS);
    (contacts, contact::untold(&read))
}
