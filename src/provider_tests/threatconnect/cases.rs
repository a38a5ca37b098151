//! Judges the failing cases, and walks every product's fixtures against the answer written beside them.

use super::*;

fn judged(phrase: &str) -> Verdict {
    let vendor = testing::vendor("threatconnect");
    let tql = format!("typeName in (\"Incident\") and summary contains \"{phrase}\"");
    let call = Call::get("api", "groups", "/v3/groups").with("tql", tql);
    let reply = testing::play(&ThreatConnect, &vendor, &call);
    ThreatConnect.judge(&call, &reply).verdict
}

#[test]
fn every_case_has_its_verdict() {
    let text = str::to_owned;
    for (phrase, verdict) in [
        ("badkey", Verdict::KeyRefused(text("The token has expired."))),
        (
            "badsignature",
            Verdict::KeyRefused(text("Signature data did not match expected result")),
        ),
        (
            "clock",
            Verdict::Refused(text(
                "Timestamp out of acceptable time range (is this machine's clock right?)",
            )),
        ),
        (
            "limited",
            Verdict::Limited {
                after: Some(30),
                message: text("Too many requests."),
            },
        ),
        (
            "notlicensed",
            Verdict::NotEntitled(text("This instance does not have the API enabled.")),
        ),
        (
            "unknownowner",
            Verdict::Refused(text("The requested owner does not exist or you cannot see it.")),
        ),
        ("notfound", Verdict::NotFound),
        (
            "failure",
            Verdict::Refused(text(
                "Encountered an unexpected error while processing the TQL query.",
            )),
        ),
        ("failing", Verdict::Retry(text("An unexpected error occurred."))),
        (
            "malformed",
            Verdict::Malformed(text("a web page came instead of JSON")),
        ),
        ("cut", Verdict::Malformed(text("the answer is no JSON object"))),
        ("wrongshape", Verdict::Malformed(text("the answer has no `data`"))),
        ("nobody has this", Verdict::Good),
    ] {
        assert_eq!(judged(phrase), verdict, "{phrase}");
    }
}

#[test]
fn the_message_decides_where_the_status_does_not() {
    let call = Call::get("api", "groups", "/v3/groups");
    let verdict = |status, message: &str| {
        let body = serde_json::json!({"status": "Failure", "message": message}).to_string();
        ThreatConnect.judge(&call, &reply(status, &body)).verdict
    };
    let is = |status, message, wanted: fn(&Verdict) -> bool| {
        let found = verdict(status, message);
        assert!(wanted(&found), "{status} {message}: {found:?}");
    };
    is(401, "Access Denied", |v| matches!(v, Verdict::KeyRefused(_)));
    is(401, "You do not have permission to read groups", |v| {
        matches!(v, Verdict::NotEntitled(_))
    });
    is(403, "Forbidden", |v| matches!(v, Verdict::Refused(_)));
    is(403, "Your role may not use the API", |v| {
        matches!(v, Verdict::NotEntitled(_))
    });
    is(403, "Access ID is unknown", |v| {
        matches!(v, Verdict::KeyRefused(_))
    });
    // A wrong token of a query is none of the key's.
    is(400, "Unexpected token at 12", |v| {
        matches!(v, Verdict::Refused(_))
    });
    is(500, "The TQL query timed out", |v| {
        matches!(v, Verdict::Refused(_))
    });
    is(504, "Gateway timeout", |v| matches!(v, Verdict::Retry(_)));
    is(503, "Down for maintenance", |v| matches!(v, Verdict::Retry(_)));
    is(200, "No", |v| matches!(v, Verdict::Refused(_)));
    let signature = "Signature data did not match expected result";
    for status in [200, 400, 401, 403, 500] {
        is(status, signature, |v| matches!(v, Verdict::KeyRefused(_)));
    }
    is(418, "", |v| matches!(v, Verdict::Refused(_)));
    is(302, "", |v| matches!(v, Verdict::Malformed(_)));
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
            let verdict = ThreatConnect.judge(&call, &reply(status, &body)).verdict;
            assert_eq!(verdict, Verdict::Refused(message), "{status}");
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
            .judge(&Call::get("api", "groups", path), &page)
            .verdict
    };
    assert!(matches!(page(503, "/v3/groups"), Verdict::Retry(_)));
    assert!(matches!(page(404, "/v3/groups"), Verdict::Malformed(_)));
    // Old instances do not know the list of owners of version 3, and say so as they like.
    assert_eq!(page(404, "/v3/security/owners"), Verdict::NotFound);
    let list = reply(200, "[]");
    let judged = ThreatConnect.judge(&Call::get("api", "groups", "/v3/groups"), &list);
    assert!(matches!(judged.verdict, Verdict::Malformed(_)));
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
