//! Reads rows in every shape that vendors give them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{plain, question, reply};
use pivotd_domain::Capability;

fn rows(kind: IndicatorKind, asked: &str, row: &Value) -> Rows {
    let query = question(Capability::Resolutions, kind, asked);
    super::read(super::row(Node::of(&Json::from(row))), &query)
        .into_iter()
        .collect()
}

fn read(kind: IndicatorKind, asked: &str, row: &Value) -> Vec<Value> {
    rows(kind, asked, row).records().iter().map(plain).collect()
}

#[test]
fn the_format_as_it_is_written() {
    let row = json!({"rrname": "WWW.Example.com.", "rrtype": "A", "rdata": ["192.0.2.44", "192.0.2.45"],
        "time_first": 1368057600, "time_last": 1369008000, "count": 97, "sensor_id": "s1", "meta": {}});
    let record = |ip: &str| {
        json!({"name": "www.example.com", "type": "A", "value": ip, "ip": ip, "observations": 97,
        "first_seen": "2013-05-09T00:00:00Z", "last_seen": "2013-05-20T00:00:00Z", "collector": "s1"})
    };
    assert_eq!(
        read(IndicatorKind::Hostname, "www.example.com", &row),
        [record("192.0.2.44"), record("192.0.2.45")]
    );
    // Asked about an address, the others of its row are not what was asked.
    assert_eq!(
        read(IndicatorKind::Ipv4, "192.0.2.45", &row),
        [record("192.0.2.45")]
    );
}

#[test]
fn swapped_and_as_text() {
    let row = json!({"rrname": "192.0.2.44", "rrtype": 1, "rdata": "www.example.com.",
        "time_first": "1368057600", "time_last": "1369008000", "count": "19"});
    let expected = json!({"name": "www.example.com", "type": "A", "value": "192.0.2.44", "ip": "192.0.2.44",
        "observations": 19, "first_seen": "2013-05-09T00:00:00Z", "last_seen": "2013-05-20T00:00:00Z"});
    assert_eq!(
        read(IndicatorKind::Ipv4, "192.0.2.44", &row),
        vec![expected.clone()]
    );
    assert_eq!(read(IndicatorKind::Hostname, "www.example.com", &row), [expected]);
    let six = json!({"rrname": "2001:DB8:0::44", "rrtype": "28", "rdata": "www.example.com"});
    assert_eq!(
        read(IndicatorKind::Ipv6, "2001:db8::44", &six),
        [json!({"name": "www.example.com", "type": "AAAA", "value": "2001:DB8:0::44", "ip": "2001:db8::44"})]
    );
}

#[test]
fn parts_of_a_second_cost_no_date() {
    for (first, last) in [
        (json!("1368057600.0"), json!("1369008000.75")),
        (json!(1_368_057_600.0), json!(1_369_008_000.75)),
    ] {
        let row = json!({"rrname": "www.example.com", "rrtype": "A", "rdata": "192.0.2.44",
            "time_first": first, "time_last": last});
        let read = read(IndicatorKind::Hostname, "www.example.com", &row);
        assert_eq!(
            (&read[0]["first_seen"], &read[0]["last_seen"]),
            (&json!("2013-05-09T00:00:00Z"), &json!("2013-05-20T00:00:00Z"))
        );
    }
}

#[test]
fn a_service_names_the_host_that_gives_it() {
    let row =
        json!({"rrname": "_sip._tcp.example.com", "rrtype": "SRV", "rdata": "0 5 5060 sip.example.net."});
    let read = read(IndicatorKind::Hostname, "_sip._tcp.example.com", &row);
    assert_eq!(read[0]["host"], "sip.example.net");
}

#[test]
fn types_and_times() {
    let one = |kind: &str, data: &str| {
        let row = json!({"rrname": "example.com", "rrtype": kind, "rdata": data});
        let read = read(IndicatorKind::Domain, "example.com", &row);
        read.first()
            .and_then(|record| record["host"].as_str().map(str::to_owned))
    };
    assert_eq!(
        one("mx", "10 Mail.Example.net."),
        Some("mail.example.net".to_owned())
    );
    assert_eq!(one("NS", "ns1.example.net."), Some("ns1.example.net".to_owned()));
    assert_eq!(
        one("CNAME", "cdn.example.net."),
        Some("cdn.example.net".to_owned())
    );
    assert_eq!(one("TXT", "\"v=spf1 -all\""), None);
    assert_eq!(one("SOA", "ns1.example.net. x. 1 2 3 4 5"), None);
    assert_eq!(one("A", "no address"), None);
    let reverse = json!({"rrname": "44.2.0.192.in-addr.arpa.", "rrtype": "PTR", "rdata": "www.example.com."});
    assert_eq!(
        read(IndicatorKind::Ipv4, "192.0.2.44", &reverse)[0]["name"],
        "www.example.com"
    );
    let times = |row: Value| {
        super::row(Node::of(&Json::from(&row)))
            .and_then(|row| row.first)
            .map(|time| time.to_string())
    };
    let base = |name: &str, value: Value| {
        let mut row = json!({"rrname": "example.com", "rrtype": "A", "rdata": "192.0.2.44"});
        row[name] = value;
        row
    };
    for (name, value) in [
        ("time_first", json!(1_368_057_600)),
        ("zone_time_first", json!("1368057600")),
        ("time_first", json!("2013-05-09T00:00:00Z")),
        ("time_first_rfc3339", json!("2013-05-09T02:00:00+02:00")),
        ("time_first_ms", json!(1_368_057_600_123_i64)),
    ] {
        assert_eq!(
            times(base(name, value.clone())),
            Some("2013-05-09T00:00:00Z".to_owned()),
            "{name} {value}"
        );
    }
    assert_eq!(times(base("time_first", json!("soon"))), None);
}

#[test]
fn reverse_records_name_the_address() {
    let row = |name: &str, data: &str| json!({"rrname": name, "rrtype": "PTR", "rdata": data});
    let told = |kind, asked: &str, row: Value| {
        let records = read(kind, asked, &row);
        let shown = |record: &Value| ["name", "ip", "host"].map(|field| record[field].clone());
        records.first().map(shown)
    };
    let pair = |ip: &str| Some([json!("www.example.com"), json!(ip), Value::Null]);
    let (four, six) = ("192.0.2.44", "2001:db8::44");
    let arpa = "44.2.0.192.IN-ADDR.ARPA.";
    let arpa6 = "4.4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
    let name = "www.example.com.";
    for (kind, asked) in [
        (IndicatorKind::Hostname, "www.example.com"),
        (IndicatorKind::Hostname, "44.2.0.192.in-addr.arpa"),
        (IndicatorKind::Ipv4, four),
    ] {
        for (left, right) in [(arpa, name), (name, arpa), (four, name), (name, four)] {
            assert_eq!(told(kind, asked, row(left, right)), pair(four), "{left} {asked}");
        }
    }
    assert_eq!(
        told(IndicatorKind::Hostname, "www.example.com", row(arpa6, name)),
        pair(six)
    );
    assert_eq!(told(IndicatorKind::Ipv6, six, row(name, arpa6)), pair(six));
    // Another address than the one asked about is not what was asked.
    assert_eq!(told(IndicatorKind::Ipv4, "192.0.2.45", row(arpa, name)), None);
    // A name that holds no whole address stays a name; that it was found by the address says which it is.
    for part in [
        "44.0-63.2.0.192.in-addr.arpa",
        "2.0.192.in-addr.arpa",
        "4.4.ip6.arpa",
        "444.2.0.192.in-addr.arpa",
    ] {
        assert_eq!(
            told(IndicatorKind::Hostname, "www.example.com", row(part, name)),
            Some([json!(part), Value::Null, json!("www.example.com")])
        );
        assert_eq!(told(IndicatorKind::Ipv4, four, row(part, name)), pair(four));
    }
}

#[test]
fn the_newest_come_first() {
    let record = |seconds: Option<i64>, name: &str| {
        let time = seconds.map(|seconds| Timestamp::from_second(seconds).unwrap());
        Record::new().with("name", name).with_some("last_seen", time)
    };
    let records = [
        record(None, "a"),
        record(Some(5), "b"),
        record(Some(9), "c"),
        record(Some(5), "d"),
    ];
    let mut rows: Rows = records.into_iter().map(Read::Record).collect();
    assert_eq!(arrange(&mut rows), None);
    let names: String = rows
        .records()
        .iter()
        .map(|record| record.text("name").unwrap().into_owned())
        .collect();
    assert_eq!(names, "cbda");
}

#[test]
fn a_bad_line_costs_itself() {
    let of = |body: &str| {
        let read = lines(&reply(200, body));
        (read.objects.len(), read.unread, read.broken)
    };
    assert_eq!(of("{\"a\":1}\r\n\n {\"b\":2}\n{\"c\":"), (2, 0, true));
    assert_eq!(of("\n"), (0, 0, false));
    assert_eq!(of("[]"), (0, 0, true));
    assert_eq!(
        of("{\"a\":1}\nnot this\n{\"b\":\"\\udce9\",\"c\":NaN}\n[]\n"),
        (2, 2, false)
    );
    assert_eq!(of("\u{feff}{\"a\":1}"), (1, 0, false));
}

/// What a row is, where it gives no record: what was there is told, and what was not understood is missing.
#[test]
fn rows_without_a_record_are_left_out_or_not_understood() {
    for (row, left_out, unread) in [
        (
            json!({"rrname": "example.com", "rrtype": "SOA", "rdata": "x"}),
            "1 record of another type (SOA)",
            0,
        ),
        (
            json!({"rrname": "example.com", "rrtype": 16, "rdata": ["a", "b"]}),
            "2 records of other types (TXT)",
            0,
        ),
        (
            json!({"rrname": "example.com", "rrtype": 65534, "rdata": "x"}),
            "1 record of another type (TYPE65534)",
            0,
        ),
        (
            json!({"rrname": "example.com", "rrtype": "MX", "rdata": "0 ."}),
            "1 record that names no host (MX)",
            0,
        ),
        (
            json!({"rrname": "example.com", "rrtype": "A", "rdata": "192.0.2.9"}),
            "1 row about something else than what was asked",
            0,
        ),
        (
            json!({"rrname": "example.com", "rrtype": "A", "rdata": "no address"}),
            "",
            1,
        ),
        (
            json!({"rrname": "example.com", "rrtype": "A", "rdata": [null, {}]}),
            "",
            2,
        ),
        (
            json!({"rrname": "example.com", "rrtype": "A", "rdata": []}),
            "",
            1,
        ),
        (
            json!({"rrname": "example.com", "rrtype": "\u{fffd}?", "rdata": "x"}),
            "",
            1,
        ),
        (json!({"rrname": "example.com", "rdata": "192.0.2.44"}), "", 1),
        (json!(1), "", 1),
        (Value::Null, "", 1),
    ] {
        let rows = rows(IndicatorKind::Ipv4, "192.0.2.44", &row);
        let said: Vec<String> = rows
            .left_out()
            .iter()
            .map(pivotd_domain::OmittedRecords::text)
            .collect();
        assert_eq!(
            (rows.records().len(), said.join(", ").as_str(), rows.unread()),
            (0, left_out, unread),
            "{row}"
        );
    }
}

#[test]
fn a_mail_server_stands_behind_any_white_space() {
    for data in [
        "10 mail.example.net.",
        "10\tmail.example.net",
        " 10 \t mail.example.net ",
    ] {
        let row = json!({"rrname": "example.com", "rrtype": "MX", "rdata": data});
        let read = read(IndicatorKind::Domain, "example.com", &row);
        assert_eq!(read[0]["host"], "mail.example.net", "{data:?}");
    }
}

proptest! {
    #[test]
    fn any_row_fits(name in "\\PC{0,12}|192\\.0\\.2\\.44|example\\.com", kind in "\\PC{0,4}|A|AAAA|MX|PTR|NS|1",
        data in "\\PC{0,12}|192\\.0\\.2\\.44|10 mail\\.example\\.com", first: i64, count: i64) {
        let row = json!({"rrname": name, "rrtype": kind, "rdata": [data], "time_first": first, "time_last_ms": first, "count": count});
        for (asked, value) in [(IndicatorKind::Domain, "example.com"), (IndicatorKind::Ipv4, "192.0.2.44")] {
            for record in rows(asked, value, &row).records() {
                prop_assert_eq!(record.misfit(Capability::Resolutions.schema()), None);
            }
        }
    }
}
