//! Feeds any text to the reading of indicators: it reads or refuses, and what it read is canonical.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pivotd::domain::indicator::{is_invisible, name_kind, registrable_domain, to_unicode};
use pivotd::domain::{Indicator, IndicatorKind, Lists};

/// Reads what was read again: it is the same, and nothing has to be taken out of it.
fn again(indicator: &Indicator) {
    let read = Indicator::read_as(&[indicator.kind()], indicator.value()).expect("canonical text is read");
    assert_eq!(read.indicator, *indicator);
    assert_eq!(read.note, None);
}

fuzz_target!(|text: &str| {
    let lists = Lists::default();
    for kind in IndicatorKind::ALL {
        if let Ok(taken) = Indicator::read_as(&[kind], text) {
            again(&taken.indicator);
        }
    }
    match Indicator::read(text) {
        Ok(taken) => again(&taken.indicator),
        Err(error) => assert!(!error.given().chars().any(is_invisible)),
    }
    if let Ok(taken) = Indicator::read_name(text) {
        let name = taken.indicator.value();
        assert!(name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len())));
        let _ = (to_unicode(name), name_kind(name), lists.zone(name));
        if let Some(domain) = registrable_domain(name) {
            assert!(name.ends_with(&domain));
            assert_eq!(registrable_domain(&domain).as_ref(), Some(&domain));
        }
    }
});
