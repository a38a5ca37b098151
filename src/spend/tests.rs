//! Tests that sums are whole, whatever they are divided by.

use jiff::tz::TimeZone;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/New_York",
    "Australia/Lord_Howe",
];

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

fn amounts() -> impl Strategy<Value = Amounts> {
    (0..100_i64, 0..100_i64, 0..9_000_000_i64).prop_map(|(calls, records, micros)| Amounts {
        calls,
        records,
        micros,
    })
}

fn columns() -> impl Strategy<Value = Columns> {
    (amounts(), amounts(), amounts(), amounts()).prop_map(|(reserved, settled, avoided, refused)| Columns {
        reserved,
        settled,
        avoided,
        refused,
    })
}

fn name(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    (0..of.len()).prop_map(|at| of[at].to_owned())
}

/// Makes a row in the days around both changes of the clocks of 2026 in Europe, and one in America.
fn row() -> impl Strategy<Value = Rollup> {
    let days = prop::sample::select(vec![
        "2026-03-28T00:00:00Z",
        "2026-10-24T00:00:00Z",
        "2026-10-31T12:00:00Z",
    ]);
    let key = (
        name(&["soc", "lab"]),
        name(&["soar", "anna", "="]),
        name(&["dns", "domaintools"]),
        name(&["", "USD", "EUR"]),
        name(&["good", "cached"]),
    );
    (days, 0..288_i64, key, columns()).prop_map(|(day, quarter, key, columns)| {
        let (tenant, client, provider, currency, outcome) = key;
        Rollup {
            start: at(day) + quarter * QUARTER_S,
            key: RollupKey {
                tenant,
                client,
                provider,
                currency,
                outcome,
                ..RollupKey::default()
            },
            columns,
        }
    })
}

fn query(group_by: Vec<Dimension>, bucket: Option<Bucket>, zone: &str) -> ReportQuery {
    ReportQuery {
        period: Period {
            from: 0,
            to: i64::MAX,
        },
        zone: TimeZone::get(zone).unwrap(),
        bucket,
        group_by,
        filters: Vec::new(),
    }
}

fn report(query: ReportQuery, rows: &[Rollup]) -> Report {
    let mut report = Report::new(query);
    rows.iter().for_each(|row| report.add(row));
    report
}

fn add(all: &mut Sum, more: &Sum) {
    all.calls += more.calls;
    all.records += more.records;
    for (currency, micros) in &more.money_micros {
        *all.money_micros.entry(currency.clone()).or_default() += micros;
    }
}

/// Reads a report page by page, and adds its rows up.
fn sum_of_pages(report: &Report, max: usize) -> (Sums, usize) {
    let (mut all, mut count, mut after) = (Sums::default(), 0, None);
    loop {
        let (rows, next) = report.page(after.as_ref(), max).unwrap();
        for row in &rows {
            add(&mut all.reserved, &row.sums.reserved);
            add(&mut all.settled, &row.sums.settled);
            add(&mut all.refunded, &row.sums.refunded);
            add(&mut all.avoided, &row.sums.avoided);
            add(&mut all.refused, &row.sums.refused);
        }
        count += rows.len();
        match next {
            Some(next) => after = Some(next),
            None => return (without_zeros(all), count),
        }
    }
}

fn without_zeros(mut sums: Sums) -> Sums {
    for sum in [
        &mut sums.reserved,
        &mut sums.settled,
        &mut sums.refunded,
        &mut sums.avoided,
        &mut sums.refused,
    ] {
        sum.money_micros.retain(|_, micros| *micros != 0);
    }
    sums
}

proptest! {
    #[test]
    fn the_sum_over_any_partition_zone_and_bucket_is_the_whole(
        rows in vec(row(), 0..60),
        group_by in vec(0..Dimension::ALL.len(), 0..4),
        bucket in prop::option::of(0..Bucket::ALL.len()),
        zone in 0..ZONES.len(),
        max in 1..9_usize,
    ) {
        let group_by: Vec<_> = group_by.into_iter().map(|at| Dimension::ALL[at]).collect();
        let whole = report(query(Vec::new(), None, "UTC"), &rows);
        let parts = report(query(group_by, bucket.map(|at| Bucket::ALL[at]), ZONES[zone]), &rows);
        prop_assert_eq!(parts.total(), whole.total());
        let (sums, _) = sum_of_pages(&parts, max);
        prop_assert_eq!(sums, without_zeros(whole.total().clone()));
    }

    #[test]
    fn ranges_that_meet_sum_to_the_range_of_both(rows in vec(row(), 0..60), cut in 0..288_i64) {
        let cut = at("2026-10-24T00:00:00Z") + cut * QUARTER_S;
        let part = |period| {
            let query = ReportQuery { period, ..query(vec![Dimension::Client], None, "UTC") };
            report(query, &rows).total().clone()
        };
        let (first, second) = (part(Period { from: 0, to: cut }), part(Period { from: cut, to: i64::MAX }));
        let mut both = first;
        add(&mut both.settled, &second.settled);
        let whole = part(Period { from: 0, to: i64::MAX });
        prop_assert_eq!(both.settled, whole.settled);
    }

    #[test]
    fn keys_and_columns_are_read_as_they_were_stored(row in row(), person in ".{0,20}") {
        let key = RollupKey { person, ..row.key };
        prop_assert_eq!(RollupKey::read(&key.stored()), Some(key));
        prop_assert_eq!(Columns::read(&row.columns.stored()), Some(row.columns));
    }

    #[test]
    fn sums_of_audit_rows_are_what_reports_by_question_say(
        spends in vec((0..200_i64, 0..3_usize, 0..50_i64, 0..50_i64), 0..40),
    ) {
        let mut sums = Rollups::new();
        let mut by_question = Report::new(query(vec![Dimension::Question, Dimension::Client], None, "UTC"));
        for (quarter, client, reserved, cost) in spends {
            let at_us = quarter * QUARTER_S * 1_000_000 + 17;
            let row = json!({
                "provider": "dns", "client": (["soar", "anna", "eve"][client]), "verdict": "good", "currency": "USD",
                "question": format!("risk domain {}.example", quarter % 7),
                "reserved": {"calls": 1, "records": 0, "micros": reserved},
                "cost": {"calls": 1, "records": 0, "micros": cost},
            });
            let told = audited(at_us, &row).unwrap();
            by_question.add_audited(&told);
            add_to(&mut sums, told.rollup);
        }
        let mut of_rollups = Report::new(query(vec![Dimension::Client], None, "UTC"));
        for ((start, key), columns) in sums {
            of_rollups.add(&Rollup { start, key, columns });
        }
        prop_assert_eq!(by_question.total(), of_rollups.total());
    }
}

#[test]
fn days_on_which_clocks_change_are_counted_once_and_whole() {
    for (day, zone, quarters) in [
        ("2026-03-29", "Europe/Berlin", 92),
        ("2026-10-25", "Europe/Berlin", 100),
        ("2026-11-01", "America/New_York", 100),
        ("2026-04-05", "Australia/Lord_Howe", 98),
        ("2026-06-01", "Asia/Kathmandu", 96),
    ] {
        let zone_of = super::zone(zone).unwrap();
        let now = "2026-12-01T00:00:00Z".parse().unwrap();
        let period = Period::read(Some(day), Some(day), &zone_of, now).unwrap();
        assert_eq!(period.to - period.from, quarters * QUARTER_S, "{day} {zone}");
        let row = |start| Rollup {
            start,
            key: RollupKey::default(),
            columns: Columns {
                settled: Amounts {
                    calls: 1,
                    ..Amounts::default()
                },
                ..Columns::default()
            },
        };
        // A quarter around the day belongs to other days.
        let all: Vec<_> = (-1..=quarters)
            .map(|at| row(period.from + at * QUARTER_S))
            .collect();
        let days = report(query(Vec::new(), Some(Bucket::Day), zone), &all);
        let (rows, _) = days.page(None, 9).unwrap();
        let calls: Vec<_> = rows.iter().map(|row| row.sums.settled.calls).collect();
        assert_eq!(calls, [1, quarters, 1], "{day} {zone}");
        assert!(rows[1].start.as_deref().unwrap().starts_with(day), "{rows:?}");
    }
}

#[test]
fn times_are_read_as_people_write_them() {
    let zone = super::zone("Europe/Berlin").unwrap();
    let now: Timestamp = "2026-11-21T12:07:00Z".parse().unwrap();
    let read =
        |from, to| Period::read(from, to, &zone, now).map(|period| (time(period.from), time(period.to)));
    fn time(at: i64) -> String {
        Timestamp::from_second(at).unwrap().to_string()
    }
    for (from, to, begins, ends) in [
        (None, None, "2026-10-31T23:00:00Z", "2026-11-21T12:15:00Z"),
        (
            Some("yesterday"),
            Some("yesterday"),
            "2026-11-19T23:00:00Z",
            "2026-11-20T23:00:00Z",
        ),
        (
            Some("today"),
            None,
            "2026-11-20T23:00:00Z",
            "2026-11-21T12:15:00Z",
        ),
        (
            Some("2026-02"),
            Some("2026-02"),
            "2026-01-31T23:00:00Z",
            "2026-02-28T23:00:00Z",
        ),
        (
            Some("2026-11-01T10:07:00Z"),
            Some("2026-11-01T10:15:00Z"),
            "2026-11-01T10:00:00Z",
            "2026-11-01T10:15:00Z",
        ),
    ] {
        assert_eq!(
            read(from, to),
            Ok((begins.to_owned(), ends.to_owned())),
            "{from:?}"
        );
    }
    for (from, to, parameter) in [
        (Some("2026-13"), None, "from"),
        (Some("tomorrow"), None, "from"),
        (None, Some("2026"), "to"),
        (Some("2026-11-02"), Some("2026-11-01"), "to"),
    ] {
        assert_eq!(read(from, to).unwrap_err().0, parameter, "{from:?} {to:?}");
    }
    let month = Period::month("last", &zone, now).unwrap();
    assert_eq!(time(month.from), "2026-09-30T22:00:00Z");
    assert!(Period::month("2026-1", &zone, now).is_err());
}

#[test]
fn audit_rows_of_older_versions_are_read() {
    let old = json!({
        "at_us": 1, "tenant": "soc", "provider": "domaintools", "account": "team", "product": "whois", "client": "soar",
        "face": "enrich", "operation": "/v1/x", "question": "risk domain example.com", "request_id": "1",
        "cost": {"calls": 1, "records": 2, "cents": 25}, "verdict": "good",
    });
    let told = audited(QUARTER_S * 1_000_000, &old).unwrap();
    let cost = Amounts {
        calls: 1,
        records: 2,
        micros: 250_000,
    };
    assert_eq!(told.rollup.start, QUARTER_S);
    assert_eq!(
        (told.rollup.columns.settled, told.rollup.columns.reserved),
        (cost, cost)
    );
    assert_eq!(
        (told.rollup.key.token.as_str(), told.rollup.key.client.as_str()),
        ("", "soar")
    );
    assert_eq!(told.question, "risk domain example.com");
    // One that a crash left open is charged in full, where its row says how much that was.
    let open = json!({"provider": "dns", "reserved": {"calls": 3}, "settled": "found open at start; charged in full"});
    let told = audited(0, &open).unwrap();
    assert_eq!(told.rollup.columns.settled.calls, 3);
    assert_eq!(told.rollup.key.outcome, "unsettled");
    assert_eq!(audited(0, &json!({"token": "made"})), None);
}

#[test]
fn what_is_too_much_to_be_told_apart_is_summed_as_other() {
    let tally = Tally::default();
    let row = |client: usize| Rollup {
        start: 0,
        key: RollupKey {
            client: client.to_string(),
            ..RollupKey::default()
        },
        columns: Columns {
            avoided: Amounts {
                calls: 1,
                ..Amounts::default()
            },
            ..Columns::default()
        },
    };
    let start = std::time::Duration::ZERO;
    for client in 0..5000 {
        assert_eq!(tally.add(row(client), start), None);
    }
    let due = tally.add(row(1), std::time::Duration::from_secs(60)).unwrap();
    assert_eq!(due.len(), 4097);
    assert_eq!(due.iter().map(|row| row.columns.avoided.calls).sum::<i64>(), 5001);
    let other: Vec<_> = due.iter().filter(|row| row.key.client == OTHER).collect();
    assert_eq!(other.len(), 1);
    assert_eq!(other[0].columns.avoided.calls, 904);
    let whole = report(query(vec![Dimension::Client], None, "UTC"), &due);
    assert!(whole.has_other());
    assert!(tally.take().is_empty());
}

#[test]
fn a_report_of_too_many_rows_is_refused_and_not_cut() {
    let row = |client: usize| Rollup {
        start: 0,
        key: RollupKey {
            client: client.to_string(),
            ..RollupKey::default()
        },
        columns: Columns::default(),
    };
    let rows: Vec<_> = (0..50_001).map(row).collect();
    assert!(
        report(query(vec![Dimension::Client], None, "UTC"), &rows[..50_000])
            .page(None, 1)
            .is_ok()
    );
    let report = report(query(vec![Dimension::Client], None, "UTC"), &rows);
    assert_eq!(report.page(None, 1), Err(TooMany));
}
