//! Tests what the machine decides: pages, purchases, siblings, substitutions.

use super::*;
use crate::providers::Cost;

const DOMAIN: &str = "example.com";

fn capture(day: u64, registrant: &str) -> serde_json::Value {
    serde_json::json!({
        "date": format!("20{:02}-01-{:02}", 40 - day / 28, 28 - day % 28),
        "is_private": "0",
        "whois": {
            "registrant": registrant,
            "registration": {"created": "", "registrar": "R", "statuses": []},
            "name_servers": ["NS1.EXAMPLE.NET"],
            "record": format!("Registrant Name: {registrant}\nRegistrant Email: {registrant}@example.net"),
        }
    })
}

/// Plays a whois history of `count` captures whose registrant changes every `run` captures.
fn history(call: &Call, count: u64, run: u64) -> Reply {
    let number = |name: &str| -> u64 {
        call.query
            .iter()
            .find(|(known, _)| known == name)
            .unwrap()
            .1
            .parse()
            .unwrap()
    };
    let (limit, offset) = (number("limit"), number("offset"));
    assert!((1..=100).contains(&limit));
    assert_eq!(
        call.max_cost.records,
        i64::try_from(limit).unwrap(),
        "no more is reserved than is asked"
    );
    let rows: Vec<_> = (offset..count.min(offset + limit))
        .map(|at| capture(at, &format!("r{}", at / run)))
        .collect();
    reply(
        200,
        &serde_json::json!({"response": {"record_count": count, "history": rows}}).to_string(),
    )
}

fn whois_history(want: usize, held: Option<Answer>) -> Lookup {
    Lookup {
        wanted: want,
        earlier: held,
        ..of_domain(Capability::WhoisHistory, DOMAIN, "whois-history")
    }
}

#[test]
fn pages_fold_into_the_same_periods_wherever_they_are_cut() {
    let whole = walk(&whois_history(500, None), |call| history(call, 130, 7)).unwrap();
    assert_eq!(whole.records().len(), 19);
    assert_eq!(whole.answer().total, Some(19), "all periods are known");
    assert_eq!(whole.calls.len(), 2);
    assert!(!whole.answer().more);
    for cut in [1, 6, 7, 8, 50, 100, 129] {
        let first = walk(&whois_history(cut, None), |call| history(call, 130, 7)).unwrap();
        assert!(first.answer().more);
        assert_eq!(
            first.answer().total,
            Some(130),
            "captures, until all periods are known"
        );
        let held = Some(first.answers[0].clone());
        let second = walk(&whois_history(500, held), |call| history(call, 130, 7)).unwrap();
        assert_eq!(second.answer(), whole.answer(), "cut at {cut}");
        let bought = first
            .charges
            .iter()
            .chain(&second.charges)
            .map(|charge| match charge {
                Charge::Known(cost) => cost.records,
                other => panic!("{other:?}"),
            });
        assert_eq!(bought.sum::<i64>(), 130, "nothing is bought twice");
    }
}

#[test]
fn no_more_captures_are_bought_than_wanted() {
    let walked = walk(&whois_history(12, None), |call| history(call, 130, 12)).unwrap();
    assert_eq!(walked.records().len(), 1);
    assert_eq!(
        walked.charges,
        [Charge::Known(crate::providers::Cost::records(12))]
    );
    let again = walk(&whois_history(12, Some(walked.answers[0].clone())), |_| {
        panic!("nothing is asked")
    })
    .unwrap();
    assert_eq!(again.answer(), walked.answer());
}

#[test]
fn a_history_that_grew_is_read_again() {
    let held = walk(&whois_history(10, None), |call| history(call, 30, 5))
        .unwrap()
        .answers[0]
        .clone();
    let walked = walk(&whois_history(40, Some(held)), |call| history(call, 33, 5)).unwrap();
    let whole = walk(&whois_history(40, None), |call| history(call, 33, 5)).unwrap();
    assert_eq!(walked.answer(), whole.answer());
    assert!(
        walked.calls[1]
            .query
            .contains(&("offset".to_owned(), "0".to_owned()))
    );
    // A count that never holds still ends, and does not end as "not found".
    let count = std::cell::Cell::new(200);
    let restless = walk(&whois_history(500, None), |call| {
        count.set(count.get() + 1);
        history(call, count.get(), 5)
    });
    assert!(restless.map_or(true, |walked| !walked.answer().is_not_found()));
}

#[test]
fn a_page_that_fails_spoils_nothing_that_was_bought() {
    let walked = walk(&whois_history(200, None), |call| {
        if call.query.contains(&("offset".to_owned(), "100".to_owned())) {
            return reply(500, "{}");
        }
        history(call, 130, 7)
    })
    .unwrap();
    assert_eq!(walked.answer().missing.len(), 1);
    assert!(walked.answer().more && walked.records().len() == 15);
    let failed = walk(&whois_history(200, None), |_| reply(500, "{}"));
    assert!(matches!(failed, Err(ProviderError::Failed(_))));
    let held = walk(&whois_history(10, None), |call| history(call, 130, 7))
        .unwrap()
        .answers[0]
        .clone();
    let failed = walk(&whois_history(200, Some(held)), |_| reply(500, "{}"));
    assert!(
        matches!(failed, Err(ProviderError::Failed(_))),
        "nothing new came"
    );
}

#[test]
fn one_hosting_history_answers_its_siblings() {
    let walked = walk_fixtures(&of_domain(
        Capability::NameserverHistory,
        "example.net",
        "hosting-history",
    ))
    .unwrap();
    let capabilities: Vec<Capability> = walked
        .answers
        .iter()
        .map(|answer| answer.query.capability)
        .collect();
    assert_eq!(
        capabilities,
        [
            Capability::NameserverHistory,
            Capability::IpHistory,
            Capability::RegistrarHistory
        ]
    );
    // An empty list is no answer: no client may be told that there never was a registrar.
    let walked = walk_fixtures(&of_domain(
        Capability::IpHistory,
        "tendrit.example",
        "hosting-history",
    ))
    .unwrap();
    assert_eq!(walked.answers.len(), 1);
    assert_eq!(walked.calls.len(), 1);
}

#[test]
fn name_servers_are_derived_where_hosting_history_has_none() {
    let walked = walk_fixtures(&of_domain(
        Capability::NameserverHistory,
        "tendrit.example",
        "hosting-history",
    ))
    .unwrap();
    assert_eq!(walked.calls[1].product, "whois-history");
    let record = &walked.records()[0];
    assert_eq!(record.text("nameserver").as_deref(), Some("ns1.example.net"));
    assert_eq!(record.text("first_seen").as_deref(), Some("2012-11-10"));
    assert_eq!(record.text("last_seen").as_deref(), Some("2013-07-20"));
    assert_eq!(record.get("current"), None);
    let others: Vec<Capability> = walked.answers[1..]
        .iter()
        .map(|answer| answer.query.capability)
        .collect();
    assert_eq!(others, [Capability::WhoisHistory, Capability::IpHistory]);
    let alone = walk_fixtures(&of_domain(
        Capability::NameserverHistory,
        "tendrit.example",
        "whois-history",
    ))
    .unwrap();
    assert_eq!(alone.records(), walked.records());
}

fn events(rows: &serde_json::Value) -> Vec<Record> {
    let body = serde_json::json!({"response": {"ip_history": rows}}).to_string();
    let lookup = of_domain(Capability::IpHistory, DOMAIN, "hosting-history");
    walk(&lookup, |_| reply(200, &body))
        .unwrap()
        .answers
        .remove(0)
        .records
}

#[test]
fn events_become_periods() {
    let event = |pre: &str, post: &str, action: &str, date: &str| serde_json::json!({"pre_ip": pre, "post_ip": post, "action": action, "action_in_words": "x", "actiondate": date});
    let periods = |records: &[Record]| -> Vec<String> {
        let text = |record: &Record, name: &str| {
            record
                .text(name)
                .map_or_else(|| "-".to_owned(), std::borrow::Cow::into_owned)
        };
        records
            .iter()
            .map(|record| {
                ["ip", "first_seen", "last_seen", "current"]
                    .map(|name| text(record, name))
                    .join(" ")
            })
            .collect()
    };
    // Out of order, a repeat, an end, and a value that the list never opened.
    let records = events(&serde_json::json!([
        event("192.0.2.2", "", "D", "2012-01-01"),
        event("192.0.2.9", "192.0.2.1", "C", "2010-01-01"),
        event("192.0.2.1", "192.0.2.1", "C", "2010-06-01"),
        event("192.0.2.1", "192.0.2.2", "C", "2011-01-01"),
        event("", "2001:DB8::0001", "N", "2013-01-01"),
    ]));
    assert_eq!(
        periods(&records),
        [
            "2001:db8::1 2013-01-01 - true",
            "192.0.2.2 2011-01-01 2012-01-01 -",
            "192.0.2.1 2010-01-01 2011-01-01 -",
            "192.0.2.9 - 2010-01-01 -",
        ]
    );
    assert!(events(&serde_json::json!([])).is_empty());
    // One side that cannot be read takes nothing from the other, nor from the day.
    let half = serde_json::json!([
        event("", "192.0.2.1", "N", "2010-01-01"),
        event("192.0.2.1", "no address", "C", "2015-01-01"),
        event("no address", "192.0.2.3", "C", "2018-01-01"),
    ]);
    assert_eq!(
        periods(&events(&half)),
        ["192.0.2.3 2018-01-01 - true", "192.0.2.1 2010-01-01 2015-01-01 -"]
    );
    // What cannot be read may have ended the last value, unless it was before.
    for (row, current) in [
        (event("192.0.2.1", "192.0.2.2", "C", "no date"), "-"),
        (event("no address", "none either", "C", "2015-01-01"), "-"),
        (event("no address", "none either", "C", "2009-01-01"), "true"),
    ] {
        let rows = serde_json::json!([event("", "192.0.2.1", "N", "2010-01-01"), row]);
        assert_eq!(
            periods(&events(&rows)),
            [format!("192.0.2.1 2010-01-01 - {current}")]
        );
    }
}

#[test]
fn each_event_that_is_read_in_part_or_not_at_all_is_counted() {
    let lost = |row: serde_json::Value| {
        let opened = serde_json::json!({"post_ip": "192.0.2.1", "action": "N", "actiondate": "2010-01-01"});
        let body = serde_json::json!({"response": {"ip_history": [opened, row]}}).to_string();
        let lookup = of_domain(Capability::IpHistory, DOMAIN, "hosting-history");
        walk(&lookup, |_| reply(200, &body))
            .unwrap()
            .answers
            .remove(0)
            .missing
    };
    let day = "2015-01-01";
    for row in [
        serde_json::json!({"pre_ip": "192.0.2.1", "post_ip": "no address", "actiondate": day}),
        serde_json::json!({"pre_ip": "no address", "post_ip": "192.0.2.2", "actiondate": day}),
        serde_json::json!({"pre_ip": "no address", "post_ip": "none either", "actiondate": day}),
        serde_json::json!({"pre_ip": "192.0.2.1", "post_ip": "192.0.2.2", "actiondate": "no date"}),
        // A change has two sides, and what is new came.
        serde_json::json!({"pre_ip": "192.0.2.1", "post_ip": "", "action": "C", "actiondate": day}),
        serde_json::json!({"post_ip": "192.0.2.2", "action": "C", "actiondate": day}),
        serde_json::json!({"pre_ip": "192.0.2.1", "action": "N", "actiondate": day}),
        serde_json::json!(null),
    ] {
        assert_eq!(lost(row.clone()), ["1 row could not be read"], "{row}");
    }
    let whole = serde_json::json!({"pre_ip": "192.0.2.1", "post_ip": "192.0.2.2", "actiondate": day});
    assert!(lost(whole).is_empty());
    let went = serde_json::json!({"pre_ip": "192.0.2.1", "action": "D", "actiondate": day});
    assert!(lost(went).is_empty());
}

fn reverse(buy: Option<i64>, held: Option<Answer>) -> Lookup {
    let query = question(
        Capability::ReverseWhois,
        IndicatorKind::Email,
        "a.kranz@mailbox.example",
    );
    Lookup {
        buy,
        earlier: held,
        ..lookup(query, "reverse-whois")
    }
}

#[test]
fn a_report_is_quoted_then_bought_once() {
    let quoted = walk_fixtures(&reverse(None, None)).unwrap();
    assert!(quoted.answer().is_quote());
    assert_eq!(quoted.calls[0].max_cost.cents, 0);
    let bought = walk_fixtures(&reverse(Some(1800), None)).unwrap();
    let modes: Vec<&str> = bought
        .calls
        .iter()
        .flat_map(|call| &call.query)
        .filter(|(name, _)| name == "mode")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(modes, ["quote", "purchase"]);
    assert_eq!(bought.calls[1].max_cost.cents, 1800);
    assert!(bought.calls[0].repeatable && !bought.calls[1].repeatable);
    assert_eq!(
        bought.answer().price.as_ref().map(|price| price.bought),
        Some(true)
    );
    let held = walk_fixtures(&reverse(Some(1800), Some(quoted.answers[0].clone()))).unwrap();
    assert_eq!(
        held.calls.len(),
        2,
        "a price of yesterday is asked again before it is paid"
    );
    assert_eq!(held.answer(), bought.answer());
    for held in [None, Some(quoted.answers[0].clone())] {
        let refused = walk_fixtures(&reverse(Some(1799), held));
        let Err(ProviderError::TooExpensive { message }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(
            message,
            "the report costs 18 USD, and at most 17.99 USD may be paid"
        );
    }
}

#[test]
fn the_historic_scope_never_goes_to_iris() {
    let query = question(
        Capability::ReverseWhois,
        IndicatorKind::Email,
        "a.kranz@mailbox.example",
    );
    // Not even as a reverse whois in disguise: a purchase would then be made once for each product.
    let historic = walk_fixtures(&lookup(query.clone(), "iris-investigate"));
    assert!(
        matches!(historic, Err(ProviderError::Unsupported(_))),
        "{historic:?}"
    );
    let historic = walk_fixtures(&lookup(query.clone(), "reverse-whois")).unwrap();
    assert_eq!(historic.answer().source.product, "reverse-whois");
    let current = walk_fixtures(&Lookup {
        wanted: 3,
        ..lookup(query.with("scope", "current"), "iris-investigate")
    })
    .unwrap();
    assert_eq!(current.calls.len(), 1, "no page is read that is not wanted");
    assert_eq!(
        (
            current.records().len(),
            current.answer().total,
            current.answer().more
        ),
        (3, Some(5), true)
    );
    let nothing = question(
        Capability::ReverseWhois,
        IndicatorKind::Email,
        "nobody@nowhere.example",
    );
    // That there are none is known, which is not the same as to know nothing.
    let none = walk_fixtures(&lookup(nothing, "reverse-whois")).unwrap();
    assert!(none.records().is_empty() && none.answer().price.is_none());
    assert_eq!(
        none.answer().left_out[0].text(),
        "no domain is registered with it"
    );
}

#[test]
fn the_apex_may_answer_for_a_host_and_nobody_else() {
    let body = |domain: &str| format!(r#"{{"response":{{"domain":"{domain}","risk_score":"49.1"}}}}"#);
    let lookup = of_domain(Capability::Risk, "www.example.com", "risk");
    let walked = walk(&lookup, |_| reply(200, &body("EXAMPLE.com"))).unwrap();
    assert_eq!(walked.records()[0].text("domain").as_deref(), Some("example.com"));
    assert_eq!(
        walked.records()[0].get("score"),
        Some(&Value::Integer(50)),
        "rounded up"
    );
    for other in ["ample.com", "example.net", "com.example"] {
        let error = walk(&lookup, |_| reply(200, &body(other))).unwrap_err();
        assert!(matches!(error, ProviderError::Malformed(_)), "{other}");
    }
    for score in ["100.5", "-1", "1e99", "\"high\""] {
        let body = format!(r#"{{"response":{{"domain":"example.com","risk_score":{score}}}}}"#);
        assert!(walk(&lookup, |_| reply(200, &body)).is_err(), "{score}");
    }
}

#[test]
fn paths_are_encoded_and_foreign_questions_refused() {
    assert_eq!(
        crate::providers::kit::common::segment("a/b?c#d e%.example"),
        "a%2Fb%3Fc%23d%20e%25.example"
    );
    let query = question(Capability::WhoisHistory, IndicatorKind::Email, "a@example.com");
    assert!(matches!(
        DomainTools.start(&lookup(query, "whois-history")),
        Err(ProviderError::Unsupported(_))
    ));
    for offer in &DomainTools.descriptor().offers {
        assert!(!offer.products.is_empty() && offer.max_calls > 0);
    }
    assert!(
        crate::providers::Providers::built_in()
            .find("domaintools")
            .is_some()
    );
}

/// The service level was reached in the middle of an answer: what came is kept, charged as what came, and not asked again.
#[test]
fn a_part_that_comes_with_a_limit_is_kept() {
    let said = "Only partial results are available: the service level was reached.";
    let with = |response: serde_json::Value| {
        let mut response = response;
        response["error"] = said.into();
        serde_json::json!({"response": response}).to_string()
    };
    let body = with(serde_json::json!({"record_count": 9, "history": [capture(0, "a"), capture(1, "b")]}));
    let walked = walk(&whois_history(50, None), |_| reply(429, &body)).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (1, 2));
    assert_eq!(
        walked.answer().missing,
        [format!("7 of 9 whois records: {}", said.trim_end_matches(' '))]
    );
    assert!(walked.answer().more, "the rest can be asked for another time");
    assert_eq!(walked.charges, [Charge::Known(Cost::records(2))]);
    // The same of the vendor's other products.
    for (lookup, response) in [
        (
            of_domain(Capability::Neighbours, DOMAIN, "reverse-ip"),
            serde_json::json!({"ip_addresses": [{"ip_address": "192.0.2.44", "domain_count": 1, "domain_names": ["a.example"]}]}),
        ),
        (
            of_domain(Capability::IpHistory, DOMAIN, "hosting-history"),
            serde_json::json!({"ip_history": [{"actiondate": "2013-01-01", "post_ip": "192.0.2.44"}]}),
        ),
        (
            of_domain(Capability::Pivots, DOMAIN, "iris-investigate"),
            serde_json::json!({"results": [{"domain": DOMAIN, "ip": [{"address": {"value": "192.0.2.44", "count": 2}}]}]}),
        ),
    ] {
        let walked = walk(&lookup, |_| reply(429, &with(response.clone()))).unwrap();
        assert_eq!(walked.records().len(), 1, "{lookup:?}");
        assert_eq!(walked.answer().missing, [said], "{lookup:?}");
    }
    // A limit without a part is a limit.
    for body in [
        with(serde_json::json!({"record_count": 9, "history": []})),
        r#"{"error":{"code":429,"message":"too many"}}"#.to_owned(),
    ] {
        let limited = walk(&whois_history(50, None), |_| reply(429, &body));
        let Err(ProviderError::Failed(failure)) = limited else {
            panic!("{body}");
        };
        assert_eq!(failure.kind, FailureKind::Limited);
    }
}
