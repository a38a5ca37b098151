//! Reads recorded requests, from the folder that `PIVOTD_WIRE` names: `trx/*.req` and, perhaps, `canari/*.req`.
#![expect(clippy::disallowed_methods, reason = "the test reads recordings")]

use crate::request::{ReadErrorKind as Kind, ReadLimits, read};
use std::path::Path;

fn expected_value(case: &str) -> Option<&'static str> {
    Some(match case {
        "11-empty-value" | "20-unicode" | "10-missing-value" => return None,
        "21-amp" => "a & b <c> 'q' \"d\"",
        "22-raw-amp" => "a & b",
        "23-cdata-value" => "cd <b> & x",
        "24-mixed-cdata" => "pre mid post",
        "25-value-comment" => "after",
        "26-charref-ctrl" | "27-raw-ctrl" => "ab",
        "28-newline-value" => "l1\nl2\tt",
        "29-latin1-decl" | "30-latin1-nodecl" => "café",
        "41-wrong-root" => "v",
        "01-normal" | "12-missing-weight" | "17-no-genealogy" | "19-missing-type" | "31-utf8-bom"
        | "32-utf16" | "36-multi-entity" | "37-dup-field" | "42-namespace" => "example.com",
        _ => return None,
    })
}

fn expected_error(case: &str) -> Option<fn(&Kind) -> bool> {
    Some(match case {
        "04-get" | "06-root" | "08-empty-body" | "44-head" => |kind| *kind == Kind::Empty,
        "07-malformed" => |kind| matches!(kind, Kind::Malformed(_)),
        "09-no-entity" => |kind| *kind == Kind::NoEntity,
        "39-xxe" | "40-internal-entity" => |kind| *kind == Kind::Doctype,
        _ => return None,
    })
}

fn check(path: &Path) {
    let case = path.file_stem().unwrap().to_str().unwrap();
    let bytes = std::fs::read(path).unwrap();
    let blank = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let outcome = read(&bytes[blank + 4..], &ReadLimits::default());
    match (outcome, expected_error(case)) {
        (Ok(request), None) => {
            if let Some(value) = expected_value(case) {
                assert_eq!(request.entities[0].value(), value, "{case}");
            }
            assert_eq!(
                request.entities.len(),
                if case == "36-multi-entity" { 2 } else { 1 },
                "{case}"
            );
        }
        (Err(error), Some(expected)) => assert!(expected(&error.kind), "{case}: {error}"),
        (outcome, _) => panic!("{case}: {outcome:?}"),
    }
}

#[test]
#[ignore = "needs recordings"]
fn recorded_requests_are_read() {
    let wire = std::env::var_os("PIVOTD_WIRE")
        .unwrap_or_else(|| panic!("PIVOTD_WIRE names no folder of recordings"));
    let wire = Path::new(&wire);
    let read_dir = |name: &str| std::fs::read_dir(wire.join(name));
    let mut seen = 0;
    for entry in read_dir("trx")
        .unwrap()
        .chain(read_dir("canari").into_iter().flatten())
    {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "req") {
            check(&path);
            seen += 1;
        }
    }
    assert!(seen > 0, "no recordings in {}", wire.display());
}
