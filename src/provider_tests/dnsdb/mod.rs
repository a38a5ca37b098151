//! Drives the machine against fixtures, recordings and made-up streams, without a socket.

use secrecy::ExposeSecret;

use crate::domain::{Capability, FailureKind, IndicatorKind, Query};
use crate::provider_tests::testing::{self, LookupTrace, question, reply, walk};
use crate::providers::dnsdb::Dnsdb;
use crate::providers::{Call, Charge, ExposedKey, Lookup, Provider, ProviderError, Reply, ReplyClass};

fn asked(kind: IndicatorKind, value: &str) -> Query {
    question(Capability::Resolutions, kind, value)
}

fn of_name(name: &str) -> Lookup {
    testing::lookup(&Dnsdb, asked(IndicatorKind::Hostname, name), "lookup")
}

fn walk_fixtures(lookup: &Lookup) -> Result<LookupTrace, ProviderError> {
    testing::walk_fixtures(&Dnsdb, lookup)
}

#[test]
fn fixtures() {
    use IndicatorKind::{Domain, Hostname, Ipv4, Ipv6};
    for (name, kind, value) in [
        ("lookup/found", Domain, "example.com"),
        ("lookup/host", Hostname, "www.example.com"),
        ("lookup/address", Ipv4, "192.0.2.44"),
        ("lookup/v6", Ipv6, "2001:db8::44"),
        ("lookup/limited-rows", Hostname, "many.example"),
        ("lookup/failed-rows", Hostname, "halfway.example"),
        ("lookup/cut-rows", Hostname, "cut.example"),
    ] {
        testing::expect(
            &Dnsdb,
            name,
            &testing::lookup(&Dnsdb, asked(kind, value), "lookup"),
        );
    }
    let account = question(Capability::Account, IndicatorKind::Phrase, "account");
    testing::expect(
        &Dnsdb,
        "rate_limit/found",
        &testing::lookup(&Dnsdb, account, "rate_limit"),
    );
}

#[test]
fn every_case_has_its_verdict() {
    let limited = |after, message: &str| ReplyClass::Limited {
        after,
        message: message.to_owned(),
    };
    let vendor = testing::vendor("dnsdb");
    for (name, class) in [
        ("notfound.example", ReplyClass::Good),
        (
            "limited.example",
            limited(Some(3600), "Error: Rate limit exceeded"),
        ),
        (
            "used-up.example",
            limited(Some(5400), "Error: Rate limit exceeded"),
        ),
        (
            "connections.example",
            limited(Some(5), "Error: too many concurrent connections"),
        ),
        (
            "badkey.example",
            ReplyClass::KeyRefused("Error: Invalid API key".to_owned()),
        ),
        (
            "expired.example",
            ReplyClass::NotEntitled("Error: Quota is expired".to_owned()),
        ),
        (
            "badrequest.example",
            ReplyClass::Refused("Error: invalid rrtype".to_owned()),
        ),
        ("failing.example", ReplyClass::Retry("HTTP 500".to_owned())),
        (
            "malformed.example",
            ReplyClass::Malformed("the answer is no stream of results".to_owned()),
        ),
        (
            "empty.example",
            ReplyClass::Malformed("the answer is no stream of results".to_owned()),
        ),
        (
            "wrongpath.example",
            ReplyClass::Malformed("404: is the base URL right?".to_owned()),
        ),
    ] {
        let call = Call::get("api", "lookup", format!("/dnsdb/v2/lookup/rrset/name/{name}"));
        let classification = Dnsdb.classify(&call, &testing::play(&Dnsdb, &vendor, &call));
        assert_eq!(classification.class, class, "{name}");
        assert_eq!(classification.charge, Charge::Most, "{name}");
    }
    assert!(
        walk_fixtures(&of_name("notfound.example"))
            .unwrap()
            .answer()
            .is_not_found()
    );
    // A failure that brought nothing is one, and a stream without its end is never "not found".
    let Err(ProviderError::Failed(failure)) = walk_fixtures(&of_name("failed.example")) else {
        panic!("the vendor gave up")
    };
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Unavailable, "Processing timeout")
    );
    let cut = walk(&Dnsdb, &of_name("example.com"), |_| {
        reply(200, "{\"cond\":\"begin\"}\n")
    });
    assert!(matches!(cut, Err(ProviderError::Malformed(_))));
}

/// Plays a vendor that has `count` rows.
fn rows(call: &Call, count: usize) -> Reply {
    let limit = call.query.iter().find(|(name, _)| name == "limit").unwrap();
    let limit: usize = limit.1.parse().unwrap();
    let row = |at: usize| {
        let ip = format!("192.0.{}.{}", at / 256, at % 256);
        serde_json::json!({"obj": {"rrname": "example.com.", "rrtype": "A", "rdata": [ip], "time_last": at}})
            .to_string()
    };
    let mut lines: Vec<String> = (0..count.min(limit)).map(row).collect();
    lines.insert(0, r#"{"cond":"begin"}"#.to_owned());
    let end = if count > limit { "limited" } else { "succeeded" };
    lines.push(format!(r#"{{"cond":"{end}"}}"#));
    reply(200, &lines.join("\n"))
}

#[test]
fn more_rows_are_a_larger_question() {
    let first = walk(&Dnsdb, &of_name("example.com"), |call| rows(call, 1500)).unwrap();
    assert_eq!((first.records().len(), first.answer().more), (1000, true));
    assert_eq!(first.answer().total, None, "how many there are is not said");
    assert_eq!(
        first.records()[0].text("last_seen").as_deref(),
        Some("1970-01-01T00:16:39Z")
    );
    let held = |want| Lookup {
        wanted: want,
        earlier: Some(first.answers[0].clone()),
        ..of_name("example.com")
    };
    let enough = walk(&Dnsdb, &held(900), |_| panic!("nothing is asked")).unwrap();
    assert_eq!(enough.answer(), first.answer());
    let all = walk(&Dnsdb, &held(1001), |call| rows(call, 1500)).unwrap();
    assert_eq!(
        (all.records().len(), all.answer().more, all.answer().total),
        (1500, false, Some(1500))
    );
    assert!(all.answer().missing.is_empty());
    let max = walk(&Dnsdb, &held(50_000), |call| rows(call, 12_000)).unwrap();
    assert!(!max.answer().more && max.answer().missing.is_empty());
    assert_eq!(
        max.answer().source.blind.as_deref(),
        Some("Rows beyond the first 10000: the query's limit was reached.")
    );
}

#[test]
fn rows_that_name_nobody_are_asked_beyond_once() {
    let texts = |call: &Call, count: usize| {
        let mut reply = rows(call, count);
        let body = String::from_utf8(reply.body.to_vec()).unwrap();
        let lines: Vec<String> = body
            .lines()
            .enumerate()
            .map(|(at, line)| {
                let kind = if at <= 1200 { "\"TXT\"" } else { "\"A\"" };
                line.replace("\"A\"", kind)
            })
            .collect();
        reply.body = lines.join("\n").into();
        reply
    };
    let limits = |walked: &LookupTrace| -> Vec<String> {
        let calls = walked.calls.iter();
        calls.map(|call| call.query[0].1.clone()).collect()
    };
    let found = walk(&Dnsdb, &of_name("example.com"), |call| texts(call, 1500)).unwrap();
    assert_eq!(limits(&found), ["1000", "10000"]);
    assert_eq!((found.records().len(), found.answer().more), (300, false));
    // Once more is enough: what has no owner in so many rows is not known to have none.
    let nothing = walk(&Dnsdb, &of_name("example.com"), |call| {
        let mut reply = rows(call, 12_000);
        let body = String::from_utf8(reply.body.to_vec()).unwrap();
        reply.body = body.replace("\"A\"", "\"TXT\"").into();
        reply
    })
    .unwrap();
    assert_eq!(limits(&nothing), ["1000", "10000"]);
    assert_eq!(
        nothing.answer().missing,
        ["Rows beyond the first 10000: the query's limit was reached"]
    );
    assert!(!nothing.answer().is_not_found());
    // A whole answer of such rows says so, and costs one query.
    let whole = walk(&Dnsdb, &of_name("example.com"), |call| texts(call, 900)).unwrap();
    assert_eq!(whole.calls.len(), 1);
    assert!(whole.records().is_empty() && whole.answer().missing.is_empty());
    assert_eq!(
        whole.answer().left_out[0].text(),
        "900 records of other types (TXT)"
    );
}

#[test]
fn a_quota_opens_when_the_vendor_says() {
    let after = |status, headers: &[(&'static str, &str)]| {
        let call = Call::get("api", "lookup", "/dnsdb/v2/lookup/rrset/name/example.com");
        let mut reply = reply(status, "");
        reply.headers.extend(
            headers
                .iter()
                .map(|(name, text)| ((*name).into(), (*text).to_owned())),
        );
        match Dnsdb.classify(&call, &reply).class {
            ReplyClass::Limited { after, .. } => after,
            other => panic!("{other:?}"),
        }
    };
    let date = ("date", "Sat, 21 Nov 2026 22:30:00 GMT");
    // 2026-11-22T00:00:00Z
    let reset = ("x-ratelimit-reset", "1795305600");
    let none = ("x-ratelimit-remaining", "0");
    assert_eq!(after(429, &[date, reset, none]), Some(5400));
    assert_eq!(after(429, &[date, reset, ("x-ratelimit-remaining", "985")]), None);
    assert_eq!(after(429, &[date, reset]), None);
    assert_eq!(after(429, &[reset, none]), None, "no time to count from");
    assert_eq!(
        after(503, &[date, reset, none]),
        Some(5),
        "other limits open sooner"
    );
    for other in [
        "n/a",
        "",
        "60",
        "1795300000",
        "1895305600",
        "-9223372036854775808",
    ] {
        let reset = ("x-ratelimit-reset", other);
        assert_eq!(after(429, &[date, reset, none]), None, "{other}");
    }
    assert_eq!(after(429, &[("date", "soon"), reset, none]), None);
}

#[test]
fn the_key_is_in_a_header_and_nowhere_else() {
    let fields = [("api_key".to_owned(), "secret-key".into())].into();
    let options = Default::default();
    let key = ExposedKey::new(&fields, &options);
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut call = Call::get("api", "lookup", "/dnsdb/v2/lookup/rrset/name/example.com");
    for _ in 0..2 {
        Dnsdb.sign(&mut call, &key, now).unwrap();
    }
    let headers: Vec<(&str, &str)> = call
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect();
    assert_eq!(
        headers,
        [("accept", "application/x-ndjson"), ("x-api-key", "secret-key")]
    );
    let names: Vec<&str> = call.query.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["swclient", "version"]);
    assert!(!format!("{:?}", (&call.query, &call.path)).contains("secret"));
    let none = Default::default();
    assert!(
        Dnsdb
            .sign(&mut call, &ExposedKey::new(&none, &options), now)
            .is_err()
    );
}

#[test]
fn quotas_are_read_with_their_words() {
    let account = question(Capability::Account, IndicatorKind::Phrase, "account");
    let lookup = testing::lookup(&Dnsdb, account, "rate_limit");
    let read = |rate: &str| {
        let body = format!(r#"{{"rate":{rate}}}"#);
        let walked = walk(&Dnsdb, &lookup, |_| reply(200, &body)).unwrap();
        testing::plain(&walked.records()[0])
    };
    assert_eq!(
        read(r#"{"limit":"unlimited","remaining":"n/a","reset":"n/a"}"#),
        serde_json::json!({"product": "lookup"})
    );
    assert_eq!(
        read(
            r#"{"limit":"600","remaining":"100","reset":"n/a","expires":1433980800,"burst_size":10,"burst_window":300}"#
        ),
        serde_json::json!({"product": "lookup", "absolute": 600, "expires": "2015-06-11T00:00:00Z"})
    );
}

#[test]
#[ignore = "needs recordings"]
fn recordings() {
    let folder = testing::recordings("PIVOTD_SAMPLES").join("dnsdb");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let walked = walk(&Dnsdb, &of_name("www.example.com"), |_| {
        reply(200, &read("saf_ok.ndjson"))
    })
    .unwrap();
    assert_eq!(
        testing::plain(&walked.records()[0]),
        serde_json::json!({"name": "www.example.com", "type": "A", "value": "198.51.100.5", "ip": "198.51.100.5",
            "observations": 10392, "first_seen": "2013-09-25T20:02:10Z", "last_seen": "2015-04-01T09:51:39Z"})
    );
    // Rows of these have no names: none can be read, which is never taken for not found.
    for (file, rows) in [
        ("saf_failed.ndjson", 1),
        ("saf_truncated.ndjson", 1),
        ("saf_limited.ndjson", 2),
    ] {
        let failed = walk(&Dnsdb, &of_name("example.com"), |_| reply(200, &read(file))).unwrap_err();
        let said = format!("the answer has no row that can be read ({rows} could not be read)");
        assert!(
            matches!(&failed, ProviderError::Malformed(text) if *text == said),
            "{file}: {failed:?}"
        );
    }
    // Lists of rows, as older clients saw them, with times as text.
    let framed = |file: &str| {
        let rows: Vec<serde_json::Value> = serde_json::from_str(&read(file)).unwrap();
        let mut lines: Vec<String> = rows
            .iter()
            .map(|row| serde_json::json!({"obj": row}).to_string())
            .collect();
        lines.push(r#"{"cond":"succeeded"}"#.to_owned());
        lines.join("\n")
    };
    let google = walk(&Dnsdb, &of_name("google.com"), |_| {
        reply(200, &framed("domain.json"))
    })
    .unwrap();
    assert_eq!(google.records().len(), 7);
    assert_eq!(
        google.records()[0].text("host").as_deref(),
        Some("ns1.google.com")
    );
    assert_eq!(
        google.records()[0].text("last_seen").as_deref(),
        Some("2013-12-31T17:12:26Z")
    );
    let address = testing::lookup(
        &Dnsdb,
        asked(IndicatorKind::Ipv6, "2001:db8:85a3::8a2e:370:7334"),
        "lookup",
    );
    let names = walk(&Dnsdb, &address, |_| reply(200, &framed("ipv6.json"))).unwrap();
    let names: Vec<_> = names
        .records()
        .iter()
        .filter_map(|record| record.text("name"))
        .collect();
    assert_eq!(names, ["dns2.tacnet.org", "dns3.tacnet.org"]);
}
