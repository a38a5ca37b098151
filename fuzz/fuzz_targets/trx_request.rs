//! Feeds any bytes to the reader of v2 requests: it answers or refuses, and never lets through what XML forbids.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pivotd::maltego::request::{ReadLimits, read};
use pivotd::maltego::response::{Entity, TransformResponse, write};
use pivotd::maltego::{is_xml_char, settings};

fuzz_target!(|bytes: &[u8]| {
    let limits = ReadLimits::default();
    let Ok(request) = read(bytes, &limits) else { return };
    for (_, value) in &request.settings {
        let _ = settings::date_range(value);
        let _ = settings::date_time(value);
    }
    for input in request.entities {
        assert!(input.value.chars().all(is_xml_char));
        let echo = Entity { properties: input.echo_fields(), ..Entity::new(input.type_id, input.value.clone()) };
        let written = write(&TransformResponse { entities: vec![echo], messages: Vec::new() });
        // Escapes and markup can make an answer longer than a request may be.
        if written.len() <= limits.bytes
            && let Ok(back) = read(written.as_bytes(), &limits)
        {
            assert_eq!(back.entities.first().map(|entity| &entity.value), Some(&input.value));
        }
    }
});
