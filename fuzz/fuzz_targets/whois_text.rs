//! Feeds any text to the reader of whois records: it ends, and what it calls a name is one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pivotd::domain::party::{Label, Party};
use pivotd::domain::schemas::CONTACT;
use pivotd::providers::kit::whois_text::contacts;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for contact in contacts(&text) {
        assert_eq!(contact.misfit(&CONTACT), None);
        for (field, label) in [("name", Label::Name), ("organization", Label::Organization)] {
            let Some(name) = contact.text(field) else { continue };
            assert!(!name.contains([':', '@']), "{name}");
            assert!(Party::read(&name, label).is_some(), "{name}");
        }
    }
});
