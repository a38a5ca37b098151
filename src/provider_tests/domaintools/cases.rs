//! Classifies the failing cases: what each reply means and what it cost.

use super::*;
use crate::providers::Cost;

fn call(product: &'static str, cost: Cost) -> Call {
    Call::get("api", product, "/v1/example.com/whois").costing(cost)
}

fn classified(domain: &str) -> Classification {
    let path = format!("/v1/{domain}/hosting-history");
    let call = Call::get("api", "hosting-history", path);
    DomainTools.classify(&call, &play(&vendor(), &call))
}

#[test]
fn every_case_has_its_verdict() {
    let limited = |after, message: &str| ReplyClass::Limited {
        after,
        message: message.to_owned(),
    };
    for (domain, class) in [
        ("notfound.example", ReplyClass::NotFound),
        (
            "limited.example",
            limited(
                Some(60),
                "You have made more requests than your per-minute limit allows.",
            ),
        ),
        ("limited429.example", limited(Some(17), "Too many requests.")),
        (
            "badkey.example",
            ReplyClass::KeyRefused("The credentials you entered do not match an active account.".to_owned()),
        ),
        (
            "notentitled.example",
            ReplyClass::NotEntitled("You do not have access to this product.".to_owned()),
        ),
        (
            "badrequest.example",
            ReplyClass::Refused(
                "We could not understand your request. Consult the documentation.".to_owned(),
            ),
        ),
        (
            "failing.example",
            ReplyClass::Retry("Internal server error".to_owned()),
        ),
        (
            "malformed.example",
            ReplyClass::Malformed("a web page came instead of JSON".to_owned()),
        ),
        (
            "cut.example",
            ReplyClass::Malformed("the answer is no JSON".to_owned()),
        ),
        (
            "wrongshape.example",
            ReplyClass::Malformed("the answer has no `response`".to_owned()),
        ),
        ("nobody-has-this.example", ReplyClass::NotFound),
    ] {
        assert_eq!(classified(domain).class, class, "{domain}");
    }
}

#[test]
fn the_message_decides_what_503_and_403_mean() {
    let call = call("whois", Cost::CALL);
    let class = |status, message: &str| {
        let body = serde_json::json!({"error": {"code": status, "message": message}}).to_string();
        DomainTools.classify(&call, &reply(status, &body)).class
    };
    assert!(matches!(
        class(503, "The size of this report exceeds the maximum allowed"),
        ReplyClass::Refused(_)
    ));
    assert!(matches!(
        class(503, "Rate limit exceeded"),
        ReplyClass::Limited { after: Some(60), .. }
    ));
    assert!(matches!(class(503, "Down for maintenance"), ReplyClass::Retry(_)));
    assert!(matches!(class(401, "Unauthorized"), ReplyClass::KeyRefused(_)));
    assert!(matches!(
        class(403, "The signature does not match"),
        ReplyClass::KeyRefused(_)
    ));
    assert!(matches!(class(403, "Forbidden"), ReplyClass::NotEntitled(_)));
    assert!(matches!(class(422, "Unprocessable"), ReplyClass::Refused(_)));
    // A gateway may wrap the vendor's error in a 200.
    let wrapped = reply(200, r#"{"error":{"code":404,"message":"nothing"}}"#);
    assert_eq!(DomainTools.classify(&call, &wrapped).class, ReplyClass::NotFound);
    let page = Reply {
        content_type: "text/html".to_owned(),
        ..reply(503, "<html>down</html>")
    };
    assert!(matches!(
        DomainTools.classify(&call, &page).class,
        ReplyClass::Retry(_)
    ));
    let page = Reply {
        content_type: "text/html".to_owned(),
        ..reply(404, "<html>where?</html>")
    };
    assert!(matches!(
        DomainTools.classify(&call, &page).class,
        ReplyClass::Malformed(_)
    ));
    let dated = Reply {
        retry_after: Some("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()),
        ..reply(429, r#"{"error":{"code":429,"message":"slow"}}"#)
    };
    assert!(matches!(
        DomainTools.classify(&call, &dated).class,
        ReplyClass::Limited { after: None, .. }
    ));
}

#[test]
fn messages_are_cleaned_and_bounded() {
    let long = format!("{}<script>alert(1)</script>\u{7}", "word ".repeat(500));
    let body = serde_json::json!({"error": {"code": 400, "message": long}}).to_string();
    let ReplyClass::Refused(message) = DomainTools
        .classify(&call("whois", Cost::CALL), &reply(400, &body))
        .class
    else {
        panic!("a 400 is refused");
    };
    assert!(
        message.chars().count() <= 300 && !message.contains(['<', '\u{7}']),
        "{message}"
    );
}

#[test]
fn what_is_not_said_to_be_free_was_charged() {
    let error = |status| reply(status, r#"{"error":{"code":0,"message":"no"}}"#);
    let history = call("whois-history", Cost::records(100));
    let three = reply(200, r#"{"response":{"record_count":9,"history":[{},{},{}]}}"#);
    assert_eq!(
        DomainTools.classify(&history, &three).charge,
        Charge::Known(Cost::records(3))
    );
    // Records are billed as returned, and an error returns none; the call itself counts.
    for status in [403, 404, 500, 503] {
        assert_eq!(
            DomainTools.classify(&history, &error(status)).charge,
            Charge::Known(Cost::CALL),
            "{status}"
        );
    }
    assert_eq!(
        DomainTools.classify(&history, &reply(200, "<html>")).charge,
        Charge::Most
    );
    assert_eq!(
        DomainTools.classify(&history, &reply(502, "<html>")).charge,
        Charge::Most
    );
    let purchase = call(
        "reverse-whois",
        Cost {
            calls: 1,
            records: 0,
            cents: 1800,
        },
    );
    for status in [403, 404, 500, 503] {
        let charge = DomainTools.classify(&purchase, &error(status)).charge;
        assert_eq!(
            charge,
            Charge::Known(Cost {
                calls: 1,
                records: 0,
                cents: 1800
            }),
            "{status}"
        );
    }
}

#[test]
fn a_part_says_that_it_is_one() {
    let query = question(Capability::DomainsOnIp, IndicatorKind::Ipv4, "192.0.2.99");
    let walked = walk_fixtures(&lookup(query, "reverse-ip")).unwrap();
    assert_eq!(walked.answer().total, Some(900));
    assert_eq!(walked.answer().missing.len(), 1);

    let query = question(Capability::ReverseWhois, IndicatorKind::Email, "info@example.com");
    let walked = walk_fixtures(&lookup(query.with("scope", "current"), "iris-investigate")).unwrap();
    assert_eq!(walked.calls.len(), 1, "a refusal in a 200 is not tried again");
    assert!(!walked.answer().is_not_found());
    assert_eq!(
        walked.answer().missing,
        ["Maximum 5000 returned - you may need to refine your query."]
    );
}
