//! Classifies the failing cases, and walks every product's fixtures against the answer written beside them.

use super::*;

fn classified(phrase: &str) -> ReplyClass {
    let vendor = testing::vendor("threatconnect");
    let tql = format!("typeName in (\"Incident\") and summary contains \"{phrase}\"");
    let call = Call::get("api", "groups", "/v3/groups").with("tql", tql);
    let reply = testing::play(&ThreatConnect, &vendor, &call);
    ThreatConnect.classify(&call, &reply).class
}

#[test]
fn every_case_has_its_verdict() {
    let text = str::to_owned;
    for (phrase, class) in [
        ("badkey", ReplyClass::KeyRefused(text("The token has expired."))),
        (
            "badsignature",
            ReplyClass::KeyRefused(text("Signature data did not match expected result")),
        ),
        (
            "clock",
            ReplyClass::Refused(text(
                "Timestamp out of acceptable time range (is this machine's clock right?)",
            )),
        ),
        (
            "limited",
            ReplyClass::Limited {
                after: Some(30),
                message: text("Too many requests."),
            },
        ),
        (
            "notlicensed",
            ReplyClass::NotEntitled(text("This instance does not have the API enabled.")),
        ),
        (
            "unknownowner",
            ReplyClass::Refused(text("The requested owner does not exist or you cannot see it.")),
        ),
        ("notfound", ReplyClass::NotFound),
        (
            "failure",
            ReplyClass::Refused(text(
                "Encountered an unexpected error while processing the TQL query.",
            )),
        ),
        (
            "failing",
            ReplyClass::Retry(text("An unexpected error occurred.")),
        ),
        (
            "malformed",
            ReplyClass::Malformed(text("a web page came instead of JSON")),
        ),
        ("cut", ReplyClass::Malformed(text("the answer is no JSON object"))),
        (
            "wrongshape",
            ReplyClass::Malformed(text("the answer has no `data`")),
        ),
        ("nobody has this", ReplyClass::Good),
    ] {
        assert_eq!(classified(phrase), class, "{phrase}");
    }
}

#[test]
fn the_message_decides_where_the_status_does_not() {
    let call = Call::get("api", "groups", "/v3/groups");
    let class = |status, message: &str| {
        let body = serde_json::json!({"status": "Failure", "message": message}).to_string();
        ThreatConnect.classify(&call, &reply(status, &body)).class
    };
    let is = |status, message, wanted: fn(&ReplyClass) -> bool| {
        let found = class(status, message);
        assert!(wanted(&found), "{status} {message}: {found:?}");
    };
    is(401, "Access Denied", |v| matches!(v, ReplyClass::KeyRefused(_)));
    is(401, "You do not have permission to read groups", |v| {
        matches!(v, ReplyClass::NotEntitled(_))
    });
    is(403, "Forbidden", |v| matches!(v, ReplyClass::Refused(_)));
    is(403, "Your role may not use the API", |v| {
        matches!(v, ReplyClass::NotEntitled(_))
    });
    is(403, "Access ID is unknown", |v| {
        matches!(v, ReplyClass::KeyRefused(_))
    });
    // A wrong token of a query is none of the key's.
    is(400, "Unexpected token at 12", |v| {
        matches!(v, ReplyClass::Refused(_))
    });
    is(500, "The TQL query timed out", |v| {
        matches!(v, ReplyClass::Refused(_))
    });
    is(504, "Gateway timeout", |v| matches!(v, ReplyClass::Retry(_)));
    is(503, "Down for maintenance", |v| matches!(v, ReplyClass::Retry(_)));
    is(200, "No", |v| matches!(v, ReplyClass::Refused(_)));
    let signature = "Signature data did not match expected result";
    for status in [200, 400, 401, 403, 500] {
        is(status, signature, |v| matches!(v, ReplyClass::KeyRefused(_)));
    }
    is(418, "", |v| matches!(v, ReplyClass::Refused(_)));
    is(302, "", |v| matches!(v, ReplyClass::Malformed(_)));
}

#[test]
fn what_a_message_repeats_of_the_question_closes_nothing() {
    let call = Call::get("api", "groups", "/v3/groups");
    for searched in [
        "Credential harvesting",
        "authentication bypass",
        "license token role permission",
        "Signature data did not match",
        "Timestamp out of acceptable time range",
    ] {
        for (status, message) in [
            (200, format!("No group is named {searched}")),
            (400, format!("Cannot parse: name contains \"{searched}\"")),
            (403, format!("The owner '{searched}' is unknown")),
        ] {
            let body = serde_json::json!({"status": "Failure", "message": message}).to_string();
            let class = ThreatConnect.classify(&call, &reply(status, &body)).class;
            assert_eq!(class, ReplyClass::Refused(message), "{status}");
        }
    }
}

#[test]
fn web_pages_are_told_from_answers() {
    let page = |status, path: &str| {
        let page = Reply {
            content_type: "text/html".to_owned(),
            ..reply(status, "<html>no</html>")
        };
        ThreatConnect
            .classify(&Call::get("api", "groups", path), &page)
            .class
    };
    assert!(matches!(page(503, "/v3/groups"), ReplyClass::Retry(_)));
    assert!(matches!(page(404, "/v3/groups"), ReplyClass::Malformed(_)));
    // Old instances do not know the list of owners of version 3, and say so as they like.
    assert_eq!(page(404, "/v3/security/owners"), ReplyClass::NotFound);
    let list = reply(200, "[]");
    let classified = ThreatConnect.classify(&Call::get("api", "groups", "/v3/groups"), &list);
    assert!(matches!(classified.class, ReplyClass::Malformed(_)));
}

#[test]
fn fixtures_give_what_is_written_beside_them() {
    use Capability::{Incidents, IncidentsOf, Owners};
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let cases = [
        ("owners/found", of(Owners, IndicatorKind::Phrase, "*")),
        ("groups/text", incidents("Parkside")),
        ("groups/all", incidents("*")),
        (
            "groups/community",
            of(Incidents, IndicatorKind::Community, "Common Community"),
        ),
        (
            "groups/of-host",
            of(IncidentsOf, IndicatorKind::Hostname, "Mail.Parkside.example."),
        ),
        ("groups/of-file", of(IncidentsOf, IndicatorKind::Hash, sha1)),
        ("indicators/found", indicators("1184230")),
        ("indicators/page-1", indicators("1201500")),
    ];
    for (name, lookup) in cases {
        testing::expect(&ThreatConnect, name, &lookup);
    }
}

#[test]
fn nothing_found_is_said_so() {
    for lookup in [
        incidents("nobody has this"),
        incidents("notfound"),
        indicators("7"),
        of(Capability::IncidentsOf, IndicatorKind::Ipv4, "203.0.113.9"),
    ] {
        let walked = walk_fixtures(&lookup).unwrap();
        assert!(walked.answer().is_not_found(), "{lookup:?}");
    }
}
