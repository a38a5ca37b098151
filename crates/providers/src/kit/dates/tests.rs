#![expect(clippy::disallowed_methods, reason = "a test reads the sources of providers")]

use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> Option<String> {
    day(text).map(|day| day.to_string())
}

#[test]
fn days_are_read_in_every_form() {
    for text in [
        "2013-05-20",
        "2013-05-20Z",
        "2013-05-20z",
        "2013-05-20t00:00:00z",
        "2013-05-20T10:00:00",
        "2013-05-20T10:00:00.123456Z",
        "2013-05-20T10:00:00+0000",
        "2013-05-20 10:00:00 UTC",
        "2013-05-20 10:00:00 (GMT)",
        "2013-05-20 10:00:00+00",
        "2013-05-20+02:00",
        "2013-5-20",
        "2013/05/20",
        "2013/05/20 10:00:00 (JST)",
        "2013.05.20",
        "2013.05.20 10:00:00",
        "2013. 05. 20.",
        "2013. 5. 20",
        "2013\u{5e74}05\u{6708}20\u{65e5}",
        "20130520",
        "20130520T100000Z",
        "20130520100000",
        "20130520 10:00:00",
        "20-May-2013",
        "20-may-2013 10:00:00 UTC",
        "20 May 2013",
        "20. May 2013",
        "20.05.2013",
        "20.5.2013 10:00:00",
        "20/05/2013",
        "05/20/2013",
        "20-05-2013",
        "May 20, 2013",
        "May 20 2013",
        "Mon, 20 May 2013 10:00:00 GMT",
        "Monday, 20 May 2013",
        "Mon May 20 10:00:00 2013",
        "Mon May 20 10:00:00 UTC 2013",
        "1369044000",
        "1369044000000",
        "2013-05-20T10:00:00Z | 2014-01-01T00:00:00Z",
        " 2013-05-20 ",
    ] {
        assert_eq!(shown(text).as_deref(), Some("2013-05-20"), "{text}");
    }
    assert_eq!(shown("2007-03-02t00:00:00z").as_deref(), Some("2007-03-02"));
    assert_eq!(shown("2007. 03. 02.").as_deref(), Some("2007-03-02"));
}

#[test]
fn days_are_those_of_utc() {
    for (text, expected) in [
        ("2018-08-24T17:20:58-0700", "2018-08-25"),
        ("2018-08-24T17:20:58-07:00", "2018-08-25"),
        ("2018-08-24 17:20:58 -07", "2018-08-25"),
        ("2018-08-24T16:59:59-0700", "2018-08-24"),
        ("2018-08-25T08:59:59+09:00", "2018-08-24"),
        ("2018-08-25T08:59:59 (UTC+9)", "2018-08-24"),
        ("Fri, 24 Aug 2018 17:20:58 -0700", "2018-08-25"),
        ("2018-12-31T23:30:00-0100", "2019-01-01"),
    ] {
        assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
    }
    let at = |text| time(text).map(|time| time.to_string());
    assert_eq!(
        at("2018-08-24T17:20:58-0700").as_deref(),
        Some("2018-08-25T00:20:58Z")
    );
    assert_eq!(
        at("2018-08-24t17:20:58z").as_deref(),
        Some("2018-08-24T17:20:58Z")
    );
    // A time of no known zone is no point in time.
    assert_eq!(at("2018-08-24T17:20:58"), None);
    assert_eq!(at("2018-08-24"), None);
}

#[test]
fn what_stands_for_none_is_none() {
    for text in [
        "",
        "never",
        "n/a",
        "None",
        "0000-00-00",
        "0000-00-00T00:00:00Z",
        "0001-01-01",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "1601-01-01T00:00:00Z",
        "1899-12-30",
        "1970-01-01",
        "1970-01-01T00:00:00Z",
        "1970-01-01T01:00:00+0100",
        "1969-12-31T23:59:59Z",
        "9999-12-31",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-0700",
        "2013-02-30",
        "2013-13-01",
        "05/06/2013",
        "05-06-2013",
        "2013",
        "20",
        "123456789012",
        "May",
        "10:00:00",
        "2013-05",
    ] {
        assert_eq!(shown(text), None, "{text}");
        assert_eq!(time(text), None, "{text}");
    }
    assert_eq!(of_seconds(0), None);
    assert_eq!(of_seconds(-1), None);
    assert_eq!(of_milliseconds(999), None);
    assert_eq!(of_seconds(999).unwrap().to_string(), "1970-01-01T00:16:39Z");
    assert_eq!(of_seconds(i64::MAX), None);
    assert_eq!(month_first("05/06/2013").unwrap().to_string(), "2013-05-06");
    assert_eq!(month_first("never"), None);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = (day(&text), time(&text), month_first(&text));
    }

    #[test]
    fn what_looks_like_a_date_is_read_or_refused(
        text in "[0-9]{0,4}[-/. ]{0,2}([A-Za-z]{0,4}|[0-9]{0,3})[-/. ,]{0,2}[0-9]{0,4}[Tt ]?[0-9:.]{0,12}[zZ+-]?[0-9:]{0,6}",
    ) {
        if let Some(found) = day(&text) {
            prop_assert!((1970..9999).contains(&found.year()));
        }
    }

    #[test]
    fn every_form_of_a_time_gives_its_day_of_utc(seconds in 86_400_i64..253_370_000_000, minutes in -839_i32..840) {
        let at = Timestamp::from_second(seconds).unwrap();
        let offset = Offset::from_seconds(minutes * 60).unwrap();
        let there = at.to_zoned(offset.to_time_zone());
        let expected = at.to_zoned(TimeZone::UTC).date();
        for form in [
            "%Y-%m-%dT%H:%M:%S%z",
            "%Y-%m-%dT%H:%M:%S%:z",
            "%Y-%m-%d %H:%M:%S %z",
            "%Y/%m/%d %H:%M:%S%z",
            "%Y%m%dT%H%M%S%z",
            "%d-%b-%Y %H:%M:%S %z",
            "%a, %d %b %Y %H:%M:%S %z",
            "%d.%m.%Y %H:%M:%S %z",
        ] {
            let text = there.strftime(form).to_string();
            prop_assert_eq!(day(&text), Some(expected), "{}", text);
            prop_assert_eq!(time(&text), Some(at), "{}", text);
        }
    }
}

/// A vendor's date that is read elsewhere would be one day off, or speak of the year 1.
#[test]
fn no_provider_reads_dates_by_itself() {
    fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                walk(&path, found);
            } else if name.ends_with(".rs") && !name.contains("test") && !name.ends_with("/dates.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let reads = [
                    "Timestamp::from_",
                    "parse::<Timestamp>",
                    "Date::new(",
                    "parse::<Date>",
                    "strptime",
                ];
                found.extend(
                    reads
                        .iter()
                        .filter(|read| text.contains(**read))
                        .map(|read| format!("{name}: {read}")),
                );
            }
        }
    }
    let mut found = Vec::new();
    walk(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert_eq!(found, Vec::<String>::new());
}
