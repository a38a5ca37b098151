//! Feeds any bytes to the reader of an alert's body: it answers or refuses, and no value costs another.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pivotd::http::soar::alert::{decode, members};

fuzz_target!(|bytes: &[u8]| {
    let Ok(alert) = decode(bytes) else { return };
    let asked = members(&alert);
    assert!(asked.indicators.len() <= 50);
    for (role, indicator) in &asked.indicators {
        assert!(!role.is_empty() && !indicator.value().is_empty());
    }
    // What is told of a value that could not be read is short, and says why.
    for one in asked.unreadable.iter().chain(&asked.excess) {
        assert!(one.value.chars().count() <= 200 && !one.reason.is_empty());
    }
    // Read twice, it is the same.
    assert_eq!(members(&alert).indicators, asked.indicators);
});
