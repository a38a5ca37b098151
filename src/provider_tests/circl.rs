//! Drives the machine against fixtures and made-up pages, without a socket.

use secrecy::ExposeSecret;

use crate::provider_tests::testing::{self, question, reply, walk};
use crate::providers::ReplyClass;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::{Capability, FailureKind, IndicatorKind};
use crate::providers::circl::*;
use crate::providers::*;

fn of(kind: IndicatorKind, value: &str) -> Lookup {
    testing::lookup(&Circl, question(Capability::Resolutions, kind, value), PDNS)
}

fn of_name(name: &str) -> Lookup {
    of(IndicatorKind::Hostname, name)
}

#[test]
fn fixtures() {
    use IndicatorKind::{Domain, Ipv4};
    for (name, kind, value) in [
        ("pdns/found", Domain, "example.com"),
        ("pdns/tendrit", Domain, "tendrit.example"),
        ("pdns/address", Ipv4, "192.0.2.44"),
    ] {
        testing::expect(&Circl, name, &of(kind, value));
    }
    for name in ["notfound.example", "unknown.example"] {
        let walked = testing::walk_fixtures(&Circl, &of_name(name)).unwrap();
        assert!(walked.answer().is_not_found(), "{name}");
    }
    let cut = testing::walk_fixtures(&Circl, &of_name("cut.example")).unwrap();
    assert_eq!(cut.records().len(), 1);
    assert_eq!(
        cut.answer().missing,
        ["rows beyond the first 1: the answer broke off"]
    );
}

#[test]
fn every_case_has_its_verdict() {
    let vendor = testing::vendor("circl");
    for (name, class) in [
        ("notfound.example", ReplyClass::Good),
        ("unknown.example", ReplyClass::NotFound),
        (
            "limited.example",
            ReplyClass::Limited {
                after: Some(60),
                message: "Too many requests".to_owned(),
            },
        ),
        ("badkey.example", ReplyClass::KeyRefused("HTTP 401".to_owned())),
        (
            "forbidden.example",
            ReplyClass::KeyRefused("Not authorised".to_owned()),
        ),
        ("failing.example", ReplyClass::Retry("HTTP 500".to_owned())),
        (
            "malformed.example",
            ReplyClass::Malformed("the answer has no rows of JSON".to_owned()),
        ),
        (
            "wrongpath.example",
            ReplyClass::Malformed("404: is the base URL right?".to_owned()),
        ),
    ] {
        let call = Call::get(ORIGIN, PDNS, format!("/pdns/query/{name}"));
        let reply = testing::play(&Circl, &vendor, &call);
        assert_eq!(Circl.classify(&call, &reply).class, class, "{name}");
    }
}

fn header<'a>(call: &'a Call, wanted: &str) -> Option<&'a str> {
    let found = call.headers.iter().find(|(name, _)| *name == wanted)?;
    Some(found.1.expose_secret())
}

/// Plays a vendor that has `pages` pages of 400 rows, and says from where to go on.
fn pages(call: &Call, pages: usize) -> Reply {
    assert_eq!(header(call, "dribble-disable-active-query"), Some("1"));
    assert_eq!(header(call, "dribble-paginate-count"), Some("1000"));
    let page: usize = header(call, "dribble-paginate-cursor")
        .map_or(0, |cursor| cursor.trim_start_matches('c').parse().unwrap());
    let rows: Vec<String> = (page * 400..(page + 1) * 400)
        .map(|at| {
            let ip = format!("192.0.{}.{}", at / 256, at % 256);
            serde_json::json!({"rrname": "example.com", "rrtype": "A", "rdata": ip}).to_string()
        })
        .collect();
    let mut reply = reply(200, &rows.join("\n"));
    if page + 1 < pages {
        reply.headers.insert(CURSOR.into(), format!("c{}", page + 1));
    }
    reply
}

#[test]
fn cursors_are_followed_as_far_as_they_are_wanted() {
    let lookup = |want, held| Lookup {
        wanted: want,
        earlier: held,
        ..of_name("example.com")
    };
    let first = walk(&Circl, &lookup(12, None), |call| pages(call, 6)).unwrap();
    assert_eq!(
        (first.calls.len(), first.records().len(), first.answer().more),
        (3, 1200, true)
    );
    assert_eq!(first.answer().total, None);
    let held = Some(first.answers[0].clone());
    let same = walk(&Circl, &lookup(1200, held.clone()), |_| {
        panic!("nothing is asked")
    })
    .unwrap();
    assert_eq!(same.answer(), first.answer());
    let all = walk(&Circl, &lookup(2300, held), |call| pages(call, 6)).unwrap();
    assert_eq!(
        (all.records().len(), all.answer().more, all.answer().total),
        (2400, false, Some(2400))
    );
    let max = walk(&Circl, &lookup(50_000, None), |call| pages(call, 50)).unwrap();
    assert_eq!((max.calls.len(), max.answer().more), (10, false));
    // Another try would bring no more: that is no reason to ask again soon.
    assert!(max.answer().missing.is_empty());
    assert_eq!(
        max.answer().source.blind.as_deref(),
        Some("The first 4000 rows; CIRCL has more.")
    );
    assert_eq!(max.answer().total, None);
    let part = walk(&Circl, &lookup(2000, None), |call| {
        if header(call, "dribble-paginate-cursor").is_some() {
            return reply(500, "");
        }
        pages(call, 6)
    })
    .unwrap();
    assert_eq!(part.answer().missing, ["rows beyond the first 400: HTTP 500"]);
}

#[test]
fn a_cursor_that_cannot_be_followed_leaves_the_answer_partial() {
    let with = |cursor: String| {
        let row = r#"{"rrname":"example.com","rrtype":"A","rdata":"192.0.2.44"}"#;
        walk(&Circl, &of_name("example.com"), |_| {
            let mut reply = reply(200, row);
            reply.headers.insert(CURSOR.into(), cursor.clone());
            reply
        })
        .unwrap()
    };
    for (cursor, calls, missing) in [
        (
            "same".to_owned(),
            2,
            "rows beyond the first 2: the vendor does not say anew from where to go on",
        ),
        (
            "c".repeat(LONGEST_CURSOR + 1),
            1,
            "rows beyond the first 1: the vendor's cursor is too long to be sent back",
        ),
    ] {
        let walked = with(cursor);
        assert_eq!((walked.calls.len(), walked.answer().more), (calls, false));
        assert_eq!(walked.answer().missing, [missing]);
        assert_eq!(walked.answer().total, None, "how many there are is not known");
    }
    let longest = with("c".repeat(LONGEST_CURSOR));
    assert_eq!(longest.calls.len(), 2, "as long as it may be");
}

#[test]
fn rows_that_name_nobody_are_no_records() {
    let texts = |call: &Call, all: usize| {
        let mut page = pages(call, all);
        if page.headers.contains_key(CURSOR) {
            let body = String::from_utf8(page.body.to_vec()).unwrap();
            page.body = body.replace(r#""A""#, r#""TXT""#).into();
        }
        page
    };
    let last = walk(&Circl, &of_name("example.com"), |call| texts(call, 6)).unwrap();
    assert_eq!((last.calls.len(), last.records().len()), (6, 400));
    // Ten pages of them are no proof that nothing is known.
    let max = walk(&Circl, &of_name("example.com"), |call| texts(call, 50)).unwrap();
    assert_eq!((max.calls.len(), max.records().len()), (MAX_PAGES, 0));
    assert_eq!(max.answer().missing, ["The first 4000 rows; CIRCL has more"]);
    assert!(!max.answer().is_not_found());
}

#[test]
fn the_key_is_basic() {
    let options = Default::default();
    let now = Timestamp::UNIX_EPOCH;
    let field = |username: &str| {
        [
            ("username".to_owned(), SecretString::from(username)),
            ("password".to_owned(), SecretString::from("open sesame")),
        ]
        .into()
    };
    let mut call = Call::get(ORIGIN, PDNS, "/pdns/query/example.com");
    let fields = field("Aladdin");
    for _ in 0..2 {
        Circl
            .sign(&mut call, &ExposedKey::new(&fields, &options), now)
            .unwrap();
    }
    // The example of RFC 7617.
    assert_eq!(
        header(&call, "authorization"),
        Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    );
    assert_eq!(call.headers.len(), 1);
    for wrong in ["", "a:b"] {
        let fields = field(wrong);
        assert!(
            Circl
                .sign(&mut call, &ExposedKey::new(&fields, &options), now)
                .is_err()
        );
    }
}

/// What goes wrong behind a status of 200 is told in a header.
#[test]
fn errors_in_a_header_are_no_answer_and_cost_no_row() {
    let row = r#"{"rrname":"example.com","rrtype":"A","rdata":"192.0.2.44"}"#;
    let answer = |header: &str, body: &str| {
        walk(&Circl, &of_name("example.com"), |_| {
            let mut reply = reply(200, body);
            reply.headers.insert(ERRORS.into(), header.to_owned());
            reply
        })
    };
    for (header, said) in [
        (r#"{"error":"too many results"}"#, "too many results"),
        (r#"[{"error":"one"},{"message":"two"}]"#, "one; two"),
        (r#""too many""#, "too many"),
        ("not JSON", "not JSON"),
        (r#"{"why":1}"#, r#"{"why":1}"#),
    ] {
        let part = answer(header, row).unwrap();
        assert_eq!(part.records().len(), 1, "{header}");
        assert_eq!(
            part.answer().missing,
            [format!("rows beyond the first 1: {said}")]
        );
        let Err(ProviderError::Failed(failure)) = answer(header, "") else {
            panic!("{header}: nothing came");
        };
        assert_eq!(
            (failure.kind, failure.message.as_str()),
            (FailureKind::Unavailable, said)
        );
    }
    for nothing in ["", "{}", "[]", "null", r#"{"error":null}"#, r#"{"error":""}"#] {
        let whole = answer(nothing, row).unwrap();
        assert!(whole.answer().missing.is_empty(), "{nothing}");
    }
}

/// A row that cannot be read leaves the answer partial; one that is left out is told; neither is "not found".
#[test]
fn no_row_is_passed_over_in_silence() {
    let of = |rows: &[&str]| {
        walk(&Circl, &of(IndicatorKind::Ipv4, "192.0.2.44"), |_| {
            reply(200, &rows.join("\n"))
        })
    };
    let good =
        r#"{"rrname":"*.example.com","rrtype":"A","rdata":"192.0.2.44","time_first":1352505600,"count":3}"#;
    let bad = r#"{"rrname":"example.com","rrtype":"A"}"#;
    let text = r#"{"rrname":"example.com","rrtype":"TXT","rdata":"x"}"#;
    let read = of(&[good, bad, "no JSON", good.replace("*.", "www.").as_str()]).unwrap();
    let names: Vec<_> = read
        .records()
        .iter()
        .filter_map(|record| record.text("name"))
        .collect();
    assert_eq!(names, ["*.example.com", "www.example.com"]);
    assert_eq!(read.answer().missing, ["2 rows could not be read"]);
    assert!(matches!(of(&[bad]), Err(ProviderError::Malformed(_))));
    let other = of(&[text, text]).unwrap();
    assert!(other.records().is_empty() && !other.answer().is_not_found());
    assert_eq!(
        other.answer().left_out[0].text(),
        "2 records of other types (TXT)"
    );
}
