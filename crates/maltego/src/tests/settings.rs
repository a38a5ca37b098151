use crate::settings::{
    SettingKind, SettingValue, boolean, date, date_range, date_time, double, integer, parse, text,
};
use jiff::Timestamp;
use jiff::civil::Date;
use proptest::prelude::*;

const KINDS: [SettingKind; 7] = [
    SettingKind::Text,
    SettingKind::Int,
    SettingKind::Double,
    SettingKind::Boolean,
    SettingKind::Date,
    SettingKind::DateTime,
    SettingKind::DateRange,
];

fn at(moment: &str) -> Timestamp {
    moment.parse().unwrap()
}

#[test]
fn every_wire_form_is_read() {
    assert_eq!(text(" two words "), Some("two words"));
    assert_eq!(integer(" 111 "), Ok(Some(111)));
    assert_eq!(integer("-9223372036854775808"), Ok(Some(i64::MIN)));
    assert_eq!(double("123.321"), Ok(Some(123.321)));
    assert_eq!(
        (boolean("true"), boolean(" FALSE")),
        (Ok(Some(true)), Ok(Some(false)))
    );
    assert_eq!(date("2023-02-16"), Ok(Some(Date::constant(2023, 2, 16))));
    assert_eq!(
        date("2023-02-16 00:30:00.000 +0100"),
        Ok(Some(Date::constant(2023, 2, 16)))
    );
    assert_eq!(parse(SettingKind::Int, "7"), Ok(Some(SettingValue::Int(7))));
}

#[test]
fn moments_are_read_with_any_offset() {
    for (raw, moment) in [
        ("2023-02-11 12:47:51.584 +0100", "2023-02-11T11:47:51.584Z"),
        (" 2023-02-11 12:47:51 -0530 ", "2023-02-11T18:17:51Z"),
        ("2023-02-11T12:47:51Z", "2023-02-11T12:47:51Z"),
        ("2023-02-11T12:47:51.5+01:00", "2023-02-11T11:47:51.5Z"),
        ("2023-02-11T12:47+01", "2023-02-11T11:47:00Z"),
        ("2023-02-11 12:47:51", "2023-02-11T12:47:51Z"),
        ("2023-02-11", "2023-02-11T00:00:00Z"),
    ] {
        assert_eq!(date_time(raw), Ok(Some(at(moment))), "{raw}");
    }
}

#[test]
fn ranges_are_read_as_seconds_and_as_dates() {
    for (raw, start, end) in [
        (
            "1686703386.087-1686746586.087",
            "2023-06-14T00:43:06.087Z",
            "2023-06-14T12:43:06.087Z",
        ),
        (
            ".000-1676544467.070",
            "1970-01-01T00:00:00Z",
            "2023-02-16T10:47:47.07Z",
        ),
        ("-86400.000-.000", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("-2.5--1.5", "1969-12-31T23:59:57.5Z", "1969-12-31T23:59:58.5Z"),
        (
            "2013-01-01..2013-12-31",
            "2013-01-01T00:00:00Z",
            "2013-12-31T23:59:59.999999999Z",
        ),
        (
            "2013-01-01 / 2013-01-01T06:00:00Z",
            "2013-01-01T00:00:00Z",
            "2013-01-01T06:00:00Z",
        ),
    ] {
        let range = date_range(raw).unwrap().unwrap();
        assert_eq!((range.start, range.end), (at(start), at(end)), "{raw}");
    }
}

#[test]
fn blank_is_absent_and_nonsense_says_what_was_expected() {
    for kind in KINDS {
        for blank in ["", " ", "\t\r\n"] {
            assert_eq!(parse(kind, blank), Ok(None), "{kind:?}");
        }
        if kind != SettingKind::Text {
            let error = parse(kind, "hunter2!").unwrap_err();
            assert!(error.to_string().starts_with("expected ") && !error.to_string().contains("hunter2"));
        }
    }
    for (kind, raw) in [
        (SettingKind::Int, "9223372036854775808"),
        (SettingKind::Int, "1.0"),
        (SettingKind::Double, "NaN"),
        (SettingKind::Double, "1e999"),
        (SettingKind::Date, "2023-02-30"),
        (SettingKind::Date, "2023-2-3"),
        (SettingKind::DateTime, "2023-02-11 25:00:00"),
        (SettingKind::DateTime, "2023-02-11 12:00:00 +9900"),
        (SettingKind::DateTime, "2023-02-11 12:00:00 +0160"),
        (SettingKind::DateRange, "99999999999999999999.000-.000"),
        (SettingKind::DateRange, "9223372036854775807-9223372036854775807"),
        (SettingKind::DateRange, "2.000-1.000"),
        (SettingKind::DateRange, "2013-01-02..2013-01-01"),
        (SettingKind::DateRange, "1.000"),
        (SettingKind::DateRange, ".-."),
        (SettingKind::DateRange, "9999-12-31..9999-12-31"),
    ] {
        assert!(parse(kind, raw).is_err(), "{kind:?} {raw}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(raw in "\\PC{0,40}|[-0-9.:TZ+/ ]{0,40}") {
        for kind in KINDS {
            let _ = parse(kind, &raw);
        }
    }

    #[test]
    fn ranges_in_milliseconds_round_trip(a in -10_000_000_000_000_i64..10_000_000_000_000, b in 0_i64..10_000_000_000_000) {
        let (start, end) = (a, a + b);
        let form = |ms: i64| format!("{}{}.{:03}", if ms < 0 { "-" } else { "" }, ms.unsigned_abs() / 1000, ms.unsigned_abs() % 1000);
        let range = date_range(&format!("{}-{}", form(start), form(end))).unwrap().unwrap();
        prop_assert_eq!((range.start.as_millisecond(), range.end.as_millisecond()), (start, end));
    }
}
