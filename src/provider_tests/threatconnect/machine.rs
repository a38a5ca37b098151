//! Checks paging, the list of owners of old instances, and what is read of single items.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;

fn start_of(call: &Call) -> usize {
    let (_, start) = call.query.iter().find(|(name, _)| name == "resultStart").unwrap();
    start.parse().unwrap()
}

/// Plays a list of this many hosts, `size` to a page.
fn pages(call: &Call, all: usize, size: usize) -> Reply {
    let start = start_of(call);
    let end = (start + size).min(all);
    let items: Vec<_> = (start..end)
        .map(|n| json!({"type": "Host", "summary": format!("h{n}.example.com"), "ownerName": "O"}))
        .collect();
    let mut body = json!({"data": items, "status": "Success"});
    if start == 0 {
        body["count"] = json!(all);
    }
    if end < all {
        body["next"] = json!(format!(
            "https://evil.example/steal?resultStart={end}&resultLimit=1"
        ));
    }
    reply(200, &body.to_string())
}

#[test]
fn pages_are_read_as_far_as_is_wanted_and_gone_on_from() {
    let wanted = |want| Lookup {
        wanted: want,
        ..indicators("1")
    };
    let walked = walk(&wanted(5), |call| pages(call, 300, 4)).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (2, 8));
    assert_eq!((walked.answer().total, walked.answer().more), (Some(300), true));
    assert!(walked.calls.iter().all(|call| call.path == "/v3/indicators"));
    let on = Lookup {
        wanted: 12,
        earlier: Some(walked.answer().clone()),
        ..indicators("1")
    };
    let walked = walk(&on, |call| pages(call, 300, 4)).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (1, 12));
    assert_eq!(start_of(&walked.calls[0]), 8);
    assert_eq!(walked.answer().total, Some(300), "the count is kept");
    assert_eq!(
        walked.records()[11].text("host").as_deref(),
        Some("h11.example.com")
    );
    // The last page says that there is none behind it.
    let walked = walk(&wanted(500), |call| pages(call, 9, 4)).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (3, 9));
    assert_eq!((walked.answer().total, walked.answer().more), (Some(9), false));
    // A look-up has an end, and says that there is more.
    let walked = walk(&wanted(500), |call| pages(call, 300, 4)).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (10, 40));
    assert!(walked.answer().more);
}

#[test]
fn a_next_page_that_leads_nowhere_ends_the_list() {
    let calls = AtomicUsize::new(0);
    let walked = walk(
        &Lookup {
            wanted: 500,
            ..incidents("*")
        },
        |_| {
            calls.fetch_add(1, Ordering::Relaxed);
            let data = if calls.load(Ordering::Relaxed) == 1 {
                json!([{"id": "1", "type": "Incident", "name": "One"}])
            } else {
                json!([])
            };
            // Backwards, and not to a place in use.
            let body = json!({"data": data, "next": "ftp://x/?resultStart=0", "status": "Success"});
            reply(200, &body.to_string())
        },
    )
    .unwrap();
    assert_eq!(walked.calls.len(), 2);
    assert_eq!(start_of(&walked.calls[1]), 1);
    assert!(!walked.answer().more && walked.answer().missing.len() == 1);
}

#[test]
fn a_failed_page_makes_an_answer_partial_and_the_first_one_fails() {
    let failing = r#"{"status":"Failure","message":"no"}"#;
    let wanted = Lookup {
        wanted: 500,
        ..indicators("1")
    };
    let walked = walk(&wanted, |call| match start_of(call) {
        0 => pages(call, 9, 4),
        _ => reply(500, failing),
    })
    .unwrap();
    assert_eq!((walked.records().len(), walked.answer().more), (4, true));
    assert_eq!(walked.answer().missing, ["later pages: no"]);
    let failed = walk(&wanted, |_| reply(500, failing)).unwrap_err();
    assert!(
        matches!(&failed, ProviderError::Failed(failure) if failure.kind == FailureKind::Unavailable),
        "{failed:?}"
    );
}

#[test]
fn items_that_cannot_be_read_are_not_taken_for_nothing() {
    let body =
        |items: serde_json::Value| reply(200, &json!({"data": items, "status": "Success"}).to_string());
    let failed = walk(&incidents("*"), |_| body(json!([{"id": 1}, 7]))).unwrap_err();
    assert!(matches!(failed, ProviderError::Malformed(_)), "{failed:?}");
    let one = json!([{"id": 1}, {"id": 2, "type": "Incident", "name": "Two"}]);
    let walked = walk(&incidents("*"), |_| body(one.clone())).unwrap();
    assert_eq!(walked.records().len(), 1);
    assert_eq!(walked.answer().missing, ["1 row could not be read"]);
    // What is missing of a part stays missing of the whole, and is counted on.
    let held = Answer {
        more: true,
        missing: [
            "later pages: no".to_owned(),
            "1 row could not be read".to_owned(),
            "something else".to_owned(),
        ]
        .into(),
        ..walked.answer().clone()
    };
    let on = Lookup {
        earlier: Some(held),
        ..incidents("*")
    };
    let rest = json!([{"id": 3}, {"id": 4, "type": "Incident", "name": "Four"}]);
    let walked = walk(&on, |_| body(rest.clone())).unwrap();
    assert_eq!(
        start_of(&walked.calls[0]),
        2,
        "the row that was not read is not asked for again"
    );
    assert_eq!(walked.records().len(), 2);
    assert_eq!(
        walked.answer().missing,
        ["something else", "2 rows could not be read"]
    );
    // Old instances answer one item where others have a list of one.
    let single = json!({"id": 2, "type": "Incident", "name": "Two"});
    let walked = walk(&incidents("*"), |_| body(single.clone())).unwrap();
    assert_eq!(walked.records().len(), 1);
}

#[test]
fn an_instance_without_the_list_of_owners_is_asked_for_the_older_one() {
    let vendor = testing::vendor("threatconnect");
    let owners = of(Capability::Owners, IndicatorKind::Phrase, "*");
    let walked = walk(&owners, |call| match call.path.as_str() {
        "/v3/security/owners" => Reply {
            content_type: "text/html".to_owned(),
            ..reply(404, "<html>no such page</html>")
        },
        _ => testing::play(&ThreatConnect, &vendor, call),
    })
    .unwrap();
    let names: Vec<_> = walked
        .records()
        .iter()
        .map(|record| record.text("owner").unwrap().into_owned())
        .collect();
    assert_eq!(names, ["Example Organization", "Common Community"]);
    assert_eq!(walked.calls[1].path, "/v2/owners");
    // One owner is an object there.
    let walked = walk(&owners, |call| match call.path.as_str() {
        "/v2/owners" => reply(
            200,
            r#"{"status":"Success","data":{"resultCount":1,"owner":{"id":1,"name":"Mine"}}}"#,
        ),
        _ => reply(404, ""),
    })
    .unwrap();
    assert_eq!(walked.records()[0].text("owner").as_deref(), Some("Mine"));
    // Any other failure is none of age.
    let failed = walk(&owners, |_| reply(401, r#"{"status":"Failure","message":"no"}"#));
    assert!(failed.is_err());
    let walked = walk(&owners, |_| reply(404, "")).unwrap();
    assert!(walked.answer().is_not_found());
}

#[test]
fn an_incident_is_asked_about_by_its_number_only() {
    for wrong in ["20121114B: Parkside Mailer", "7) or hasGroup(id=8", "-1", "1.5"] {
        let refused = ThreatConnect.start(&indicators(wrong)).unwrap_err();
        assert!(matches!(refused, ProviderError::Unsupported(_)), "{wrong}");
    }
}

#[test]
fn a_group_is_described_by_its_attribute() {
    let described = |attributes: serde_json::Value| {
        let item = json!({"id": 1, "type": "Incident", "name": "N", "attributes": attributes});
        let body = json!({"data": [item], "status": "Success"}).to_string();
        let walked = walk(&incidents("*"), |_| reply(200, &body)).unwrap();
        let text = walked.records()[0].text("description");
        text.map(std::borrow::Cow::into_owned)
    };
    let attribute =
        |kind: &str, value: &str, default: bool| json!({"type": kind, "value": value, "default": default});
    let two = json!({"data": [
        attribute("Source", "s", true),
        attribute("Description", "first", false),
        attribute("Description", "default", true),
    ]});
    assert_eq!(described(two).as_deref(), Some("default"));
    let one = json!({"data": [{"type": "Description", "value": "only"}]});
    assert_eq!(described(one).as_deref(), Some("only"));
    for none in [
        json!(null),
        json!({"data": []}),
        json!({"data": [attribute("Source", "s", true)]}),
    ] {
        assert_eq!(described(none), None);
    }
}

#[test]
fn a_hash_that_files_do_not_have_is_no_question() {
    let ask = |digits| {
        let hash = "a".repeat(digits);
        ThreatConnect.start(&of(Capability::IncidentsOf, IndicatorKind::Hash, &hash))
    };
    assert!(matches!(ask(128), Err(ProviderError::Unsupported(_))));
    for digits in [32, 40, 64] {
        assert!(ask(digits).is_ok(), "{digits}");
    }
}

#[test]
fn values_become_what_they_are() {
    let record = |item: serde_json::Value| {
        let body = json!({"data": [item], "status": "Success"}).to_string();
        walk(&indicators("1"), |_| reply(200, &body)).unwrap().records()[0].clone()
    };
    let text =
        |item: serde_json::Value, field: &str| record(item).text(field).map(std::borrow::Cow::into_owned);
    for (item, field, wanted) in [
        (
            json!({"type": "Host", "summary": "WWW.Example.COM"}),
            "host",
            Some("www.example.com"),
        ),
        (json!({"type": "Host", "summary": "localhost"}), "host", None),
        (
            json!({"type": "Address", "ip": "2001:DB8:0:0:0:0:0:1"}),
            "ip",
            Some("2001:db8::1"),
        ),
        (
            json!({"type": "Address", "summary": "not an address"}),
            "ip",
            None,
        ),
        (
            json!({"type": "Email Address", "summary": "A@Example.com"}),
            "email",
            Some("A@example.com"),
        ),
        (
            json!({"type": "URL", "text": "HTTP://Example.com/A"}),
            "url",
            Some("http://example.com/A"),
        ),
        (
            json!({"type": "ASN", "AS Number": "ASN64500"}),
            "asn",
            Some("64500"),
        ),
        (json!({"type": "ASN", "summary": "AS64500"}), "asn", Some("64500")),
        (json!({"type": "ASN", "summary": "XY64500"}), "asn", None),
        (
            json!({"type": "CIDR", "Block": "2001:db8::/127"}),
            "cidr",
            Some("2001:db8::-2001:db8::1"),
        ),
        (json!({"type": "Mutex", "summary": "m"}), "mutex", Some("m")),
        (json!({"type": "Hashtag", "summary": "#x"}), "value", Some("#x")),
        (
            json!({"type": "Host", "summary": "a.example.com", "rating": 0}),
            "rating",
            Some("0"),
        ),
        (
            json!({"type": "Host", "summary": "a.example.com", "rating": "2.50"}),
            "rating",
            Some("2.5"),
        ),
        (
            json!({"type": "Host", "summary": "a.example.com", "rating": 9}),
            "rating",
            None,
        ),
        (
            json!({"type": "Host", "summary": "a.example.com", "confidence": 101}),
            "confidence",
            None,
        ),
        (
            json!({"type": "Host", "summary": "a.example.com", "owner": {"name": "O"}}),
            "owner",
            Some("O"),
        ),
        (
            json!({"type": "Host", "summary": "a.example.com", "webLink": "javascript:alert(1)"}),
            "link",
            None,
        ),
    ] {
        assert_eq!(text(item.clone(), field).as_deref(), wanted, "{item}");
    }
    let (md5, sha1) = ("A".repeat(32), "B".repeat(40));
    let file = record(json!({"type": "File", "summary": format!("{md5} : {sha1} : ")}));
    assert_eq!(file.text("hash").as_deref(), Some("b".repeat(40).as_str()));
    assert_eq!(file.text("md5").as_deref(), Some("a".repeat(32).as_str()));
    assert!(file.get("sha256").is_none());
    // Fields stand for a summary that is not there.
    let file = record(json!({"type": "File", "md5": md5}));
    assert_eq!(file.text("hash"), file.text("md5"));
}

/// An incident without indicators is told from one that does not exist, and neither from one of which nothing can be known.
#[test]
fn an_incident_without_indicators_exists() {
    let empty = r#"{"data":[],"status":"Success"}"#;
    let group = r#"{"data":[{"id":1184230,"type":"Incident","name":"A"}],"status":"Success"}"#;
    let of = |group: Reply| {
        walk(&indicators("1184230"), move |call| match call.path.as_str() {
            "/v3/groups" => {
                assert!(
                    call.query
                        .contains(&("tql".to_owned(), "id = 1184230".to_owned()))
                );
                group.clone()
            }
            _ => reply(200, empty),
        })
    };
    let exists = of(reply(200, group)).unwrap();
    assert!(exists.records().is_empty() && !exists.answer().is_not_found());
    let left_out = &exists.answer().left_out;
    assert_eq!(left_out[0].text(), "it exists and has no indicators");
    assert!(of(reply(200, empty)).unwrap().answer().is_not_found());
    assert!(
        of(reply(404, r#"{"status":"Failure"}"#))
            .unwrap()
            .answer()
            .is_not_found()
    );
    assert!(matches!(of(reply(500, "{}")), Err(ProviderError::Failed(_))));
    // What has indicators is not asked about.
    let some = walk(&indicators("1"), |call| pages(call, 3, 4)).unwrap();
    assert_eq!(some.calls.len(), 1);
}
