//! Feeds any bytes to the reader of runs of protocol v3: it answers or refuses, and what it lets through keeps to its limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pivotd::maltego::constraint::{InputConstraint, Pattern, PropertyConstraint, PropertyPart};
use pivotd::maltego::json::graph::{constrained, contradictions, inputs};
use pivotd::maltego::json::request::{RunLimits, read};
use pivotd::maltego::json::values::settings;
use pivotd::maltego::listing::ListedTransform;

fuzz_target!(|bytes: &[u8]| {
    let limits = RunLimits::default();
    let request = match read(bytes, &limits) {
        Ok(request) => request,
        Err(refusal) => {
            assert!(matches!(refusal.status(), 400 | 413 | 422));
            let body: Result<serde_json::Value, _> = serde_json::from_slice(&refusal.body());
            assert!(body.is_ok(), "a refusal is JSON");
            return;
        }
    };
    assert!(request.entities.len() <= limits.entities && request.links.len() <= limits.links);
    assert!(request.limit > 0);
    let _ = contradictions(&request);
    let _ = settings(&request.settings, "acme.t", &[]);
    let Ok(found) = inputs(&request) else { return };
    assert!(found.is_sorted_by(|one, other| one.id < other.id));
    let Ok(pattern) = Pattern::try_from("^[a-f0-9]+$".to_owned()) else { return };
    let listed = ListedTransform {
        name: "acme.t".to_owned(),
        title: "T".to_owned(),
        about: String::new(),
        set: String::new(),
        inputs: Vec::new(),
        constraint: Some(InputConstraint::Property(PropertyConstraint::Regex { part: PropertyPart::Value, pattern })),
        outputs: Vec::new(),
        settings: Vec::new(),
        is_offered: true,
    };
    let count = found.len();
    let (kept, rejected) = constrained(&listed, &request, found);
    assert_eq!(kept.len() + rejected.len(), count);
});
