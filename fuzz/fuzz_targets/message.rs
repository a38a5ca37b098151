//! Feeds any bytes to the reader of messages: it reads or refuses within its limits, and what it read reads the same
//! again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pivotd::mail::{MAX_INDICATORS, MAX_NAMED, Relay, TrustPolicy, read};
use pivotd::domain::Indicator;

fuzz_target!(|bytes: &[u8]| {
    let relays: Vec<Relay> = ["mx1.corp.example", "outlook.com", "mx.google.com", "10.0.0.0/8"]
        .iter()
        .filter_map(|relay| relay.parse().ok())
        .collect();
    for keep_query in [false, true] {
        let trust = TrustPolicy { relays: &relays, is_own: &|_| None, is_popular: &|_, _| None, is_inside: &|_| false, keep_query };
        let Ok(message) = read(bytes, &trust) else { return };
        assert!(message.indicators.len() <= MAX_INDICATORS);
        assert!(message.excess.len() <= MAX_NAMED && message.ignored.len() <= MAX_NAMED);
        for found in message.indicators.iter().chain(&message.excess) {
            let again = Indicator::parse(found.indicator.kind(), found.indicator.value());
            assert_eq!(again.as_ref(), Ok(&found.indicator));
        }
        // What is shown of a stranger's text steers no terminal.
        for shown in message.unreadable.iter().chain(&message.sealed) {
            assert!(!shown.value.chars().any(char::is_control) && shown.value.chars().count() <= 2_000);
        }
        // Without relays, nothing that a header claims of the way counts.
        let none = TrustPolicy { relays: &[], is_own: &|_| None, is_popular: &|_, _| None, is_inside: &|_| false, keep_query };
        let unsure = read(bytes, &none).map(|message| message.authentication);
        assert_eq!(unsure, Ok(Vec::new()));
    }
});
