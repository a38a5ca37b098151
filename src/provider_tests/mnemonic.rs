//! Drives the machine against fixtures and made-up pages, without a socket.

use secrecy::ExposeSecret;

use crate::provider_tests::testing::{self, question, reply, walk};
use crate::providers::ReplyClass;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::domain::{Capability, IndicatorKind};
use crate::providers::mnemonic::*;
use crate::providers::*;

fn of(kind: IndicatorKind, value: &str) -> Lookup {
    testing::lookup(&Mnemonic, question(Capability::Resolutions, kind, value), PDNS)
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
        testing::expect(&Mnemonic, name, &of(kind, value));
    }
    let nothing = testing::walk_fixtures(&Mnemonic, &of_name("notfound.example")).unwrap();
    assert!(nothing.answer().is_not_found());
}

#[test]
fn every_case_has_its_verdict() {
    let limited = |after, message: &str| ReplyClass::Limited {
        after,
        message: message.to_owned(),
    };
    let malformed = |message: &str| ReplyClass::Malformed(message.to_owned());
    let vendor = testing::vendor("mnemonic");
    for (name, class) in [
        ("notfound.example", ReplyClass::Good),
        ("wrapped.example", ReplyClass::NotFound),
        ("limited.example", limited(Some(60), "Resource limit exceeded")),
        ("overquota.example", limited(None, "Quota exceeded")),
        (
            "badkey.example",
            ReplyClass::KeyRefused("Invalid API key".to_owned()),
        ),
        (
            "forbidden.example",
            ReplyClass::NotEntitled("Access denied".to_owned()),
        ),
        (
            "toomany.example",
            ReplyClass::Refused("Limit must be at most 1000".to_owned()),
        ),
        ("failing.example", ReplyClass::Retry("HTTP 502".to_owned())),
        ("malformed.example", malformed("the answer is no JSON object")),
        ("wrongshape.example", malformed("the answer has no `data`")),
        (
            "wrongpath.example",
            malformed("404 without the vendor's envelope: is the base URL right?"),
        ),
    ] {
        let call = Call::get(ORIGIN, PDNS, format!("/pdns/v3/{name}"));
        let reply = testing::play(&Mnemonic, &vendor, &call);
        assert_eq!(Mnemonic.classify(&call, &reply).class, class, "{name}");
    }
}

/// Plays a vendor that has `count` rows.
fn rows(call: &Call, count: usize) -> Reply {
    let number = |name: &str| -> usize {
        let pair = call.query.iter().find(|(known, _)| known == name).unwrap();
        pair.1.parse().unwrap()
    };
    let (limit, offset) = (number("limit"), number("offset"));
    assert!((1..=1000).contains(&limit), "the public service refuses more");
    let data: Vec<_> = (offset..count.min(offset + limit))
        .map(|at| {
            let ip = format!("192.0.{}.{}", at / 256, at % 256);
            serde_json::json!({"query": "example.com", "rrtype": "a", "answer": ip})
        })
        .collect();
    reply(
        200,
        &serde_json::json!({"data": data, "count": count}).to_string(),
    )
}

#[test]
fn pages_are_read_as_far_as_they_are_wanted() {
    let lookup = |want, held| Lookup {
        wanted: want,
        earlier: held,
        ..of_name("example.com")
    };
    let first = walk(&Mnemonic, &lookup(12, None), |call| rows(call, 2500)).unwrap();
    assert_eq!(
        (first.records().len(), first.answer().more, first.answer().total),
        (100, true, Some(2500))
    );
    let held = Some(first.answers[0].clone());
    let same = walk(&Mnemonic, &lookup(100, held.clone()), |_| {
        panic!("nothing is asked")
    })
    .unwrap();
    assert_eq!(same.answer(), first.answer());
    let all = walk(&Mnemonic, &lookup(5000, held), |call| rows(call, 2500)).unwrap();
    assert_eq!(
        (all.records().len(), all.answer().more, all.calls.len()),
        (2500, false, 3)
    );
    let max = walk(&Mnemonic, &lookup(50_000, None), |call| rows(call, 20_000)).unwrap();
    assert_eq!((max.records().len(), max.answer().more), (10_000, false));
    // Another try would bring no more: that is no reason to ask again soon.
    assert!(max.answer().missing.is_empty());
    assert_eq!(
        max.answer().source.blind.as_deref(),
        Some("The first 10000 rows; mnemonic has more.")
    );
    assert_eq!(max.answer().total, Some(20_000));
    // A page that fails costs what is on it; the first one costs the answer.
    let failing = |at: &'static str| {
        move |call: &Call| {
            let offset = &call.query.iter().find(|(name, _)| name == "offset").unwrap().1;
            if offset == at {
                reply(500, "")
            } else {
                rows(call, 2500)
            }
        }
    };
    let part = walk(&Mnemonic, &lookup(2500, None), failing("1000")).unwrap();
    assert_eq!(part.answer().missing, ["rows beyond the first 1000: HTTP 500"]);
    assert!(part.answer().more && part.records().len() == 1000);
    assert!(walk(&Mnemonic, &lookup(2500, None), failing("0")).is_err());
}

/// Plays a vendor that has `count` rows of which only the last one makes a record.
fn texts(call: &Call, count: usize) -> Reply {
    let mut reply = rows(call, count);
    let mut body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let last = format!("192.0.{}.{}", (count - 1) / 256, (count - 1) % 256);
    for row in body["data"].as_array_mut().unwrap() {
        if row["answer"] != last.as_str() {
            row["rrtype"] = "txt".into();
        }
    }
    reply.body = body.to_string().into();
    reply
}

#[test]
fn rows_that_name_nobody_are_no_records() {
    let few = of_name("example.com");
    let walked = walk(&Mnemonic, &few, |call| texts(call, 1500)).unwrap();
    assert_eq!((walked.records().len(), walked.answer().more), (1, false));
    let asked: Vec<&str> = walked.calls.iter().map(|call| call.query[0].1.as_str()).collect();
    assert_eq!(
        asked,
        ["100", "1000", "1000"],
        "pages are full once one was not enough"
    );
    // Ten pages of them are no proof that nothing is known.
    let max = walk(&Mnemonic, &few, |call| texts(call, 20_000)).unwrap();
    assert_eq!((max.calls.len(), max.records().len()), (MAX_PAGES, 0));
    assert_eq!(max.answer().missing, ["The first 9100 rows; mnemonic has more"]);
    assert!(!max.answer().is_not_found());
    let empty = walk(&Mnemonic, &few, |_| reply(200, r#"{"data":[],"count":5}"#)).unwrap();
    assert_eq!(
        empty.answer().missing,
        ["rows beyond the first 0: an empty page came"]
    );
}

#[test]
fn without_a_count_a_full_page_is_one_of_several() {
    let uncounted = |call: &Call| {
        let mut reply = rows(call, 150);
        let mut body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        body.as_object_mut().unwrap().remove("count");
        reply.body = body.to_string().into();
        reply
    };
    let few = of_name("example.com");
    let first = walk(&Mnemonic, &few, uncounted).unwrap();
    assert_eq!(
        (first.records().len(), first.answer().more, first.answer().total),
        (100, true, None)
    );
    let all = walk(&Mnemonic, &Lookup { wanted: 200, ..few }, uncounted).unwrap();
    assert_eq!(
        (all.records().len(), all.answer().more, all.answer().total),
        (150, false, Some(150))
    );
}

#[test]
fn the_key_is_optional() {
    let mut call = Call::get(ORIGIN, PDNS, "/pdns/v3/example.com");
    let (none, options) = (Default::default(), Default::default());
    let now = Timestamp::UNIX_EPOCH;
    Mnemonic
        .sign(&mut call, &ExposedKey::new(&none, &options), now)
        .unwrap();
    assert!(call.headers.is_empty());
    let fields = [("api_key".to_owned(), SecretString::from("secret-key"))].into();
    for _ in 0..2 {
        Mnemonic
            .sign(&mut call, &ExposedKey::new(&fields, &options), now)
            .unwrap();
    }
    assert_eq!(call.headers.len(), 1);
    assert_eq!(call.headers[0].1.expose_secret(), "secret-key");
}

#[test]
fn an_hour_to_wait_is_an_hour() {
    let call = Call::get(ORIGIN, PDNS, "/pdns/v3/example.com");
    let body = r#"{"responseCode":429,"messages":[{"message":"Resource limit exceeded, please wait 3600 seconds"}]}"#;
    let classified = Mnemonic.classify(&call, &reply(429, body));
    assert!(
        matches!(
            &classified.class,
            ReplyClass::Limited {
                after: Some(3600),
                ..
            }
        ),
        "{classified:?}"
    );
}
