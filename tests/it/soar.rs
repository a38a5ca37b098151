//! The SOAR face.

use pivotd::replay::{Fault, Matcher};
use serde_json::{Value, json};

use crate::support::{Answer, Builder, TestApp};

#[tokio::test]
async fn a_domain_scores_with_reasons_that_sum_to_the_score() {
    let app = TestApp::start().await;
    let answer = app.get("/v1/domain/career-offers.example/reputation").await;
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!(
        (&answer["decision"], &answer["max_score"], &answer["any_exceeds"]),
        (&json!("exceeds"), &json!(87), &json!(true))
    );
    let indicator = &answer["indicators"][0];
    let points: i64 = indicator["explanation"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["points"].as_i64().unwrap())
        .sum();
    assert_eq!(points, 87);
    assert!(
        answer["summary"]
            .as_str()
            .unwrap()
            .contains("DomainTools risk 87"),
        "{answer}"
    );
    assert_eq!(answer["cost"]["cached"], 0);
    let again = app
        .get("/v1/domain/career-offers.example/reputation")
        .await
        .json();
    assert_eq!(
        (&again["cost"], &again["max_score"]),
        (&json!({"calls": 0, "cached": 1}), &json!(87))
    );
}

#[tokio::test]
async fn an_alert_tells_unsupported_unknown_and_failed_apart() {
    let app = TestApp::start().await;
    let alert = json!({"domain": "nobody-knows-this.example", "ip": "192.0.2.44"});
    let answer = app.post_json("/v1/alerts/score", &alert).await.json();
    assert_eq!(answer["decision"], "unknown");
    assert_eq!(answer["unknown"], json!(["nobody-knows-this.example"]));
    assert_eq!(answer["unsupported"], json!(["192.0.2.44"]));
    assert_eq!(answer["scores"], json!({"domain": null, "ip": null}));
    assert_eq!(answer["max_score"], Value::Null);

    app.vendor.inject(Matcher::any(), Fault::unauthorized_401(), None);
    let answer = app
        .post_json("/v1/alerts/score", &json!({"domain": "example.org"}))
        .await
        .json();
    assert_eq!(answer["decision"], "undetermined");
    assert_eq!(
        (&answer["any_exceeds"], &answer["max_score"]),
        (&json!(false), &Value::Null)
    );
}

#[tokio::test]
async fn a_threshold_is_compared_strictly_and_is_the_callers_to_choose() {
    let app = TestApp::start().await;
    let decision = async |threshold: &str| {
        let path = format!("/v1/domain/career-offers.example/reputation?threshold={threshold}");
        app.get(&path).await.json()["decision"].clone()
    };
    assert_eq!(decision("86").await, "exceeds");
    assert_eq!(decision("87").await, "below");
    let refused = app
        .get("/v1/domain/career-offers.example/reputation?threshold=101")
        .await;
    assert_eq!(
        (refused.status, refused.json()["status"].clone()),
        (400, json!(400))
    );
}

fn is_problem(answer: &Answer, status: u16, part: &str) {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (status, "application/problem+json"),
        "{}",
        answer.body
    );
    let problem = answer.json();
    assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
}

#[tokio::test]
async fn wrong_requests_are_problems_that_say_what_and_where() {
    let app = TestApp::start().await;
    is_problem(
        &app.post_json("/v1/alerts/score", &json!({})).await,
        400,
        "at least one of",
    );
    is_problem(
        &app.post_json("/v1/alerts/score", &json!({"domian": "example.com"}))
            .await,
        400,
        "domian",
    );
    // A value that cannot be read is no wrong request.
    let unreadable = app
        .post_json("/v1/alerts/score", &json!({"ip": "999.0.2.1"}))
        .await;
    assert_eq!(unreadable.status, 200, "{}", unreadable.body);
    let unreadable = unreadable.json();
    assert_eq!(unreadable["decision"], "undetermined");
    assert!(
        unreadable["unreadable"][0]["reason"]
            .as_str()
            .unwrap()
            .starts_with("ip: 999.0.2.1 is not"),
        "{unreadable}"
    );
    // The client has its answer while it still sends.
    let huge = json!({"domain": "a.example", "email": "x".repeat(17 << 20)});
    for _ in 0..8 {
        is_problem(&app.post_json("/v1/alerts/score", &huge).await, 413, "bytes");
    }
    is_problem(&app.get("/v1/domain/com/reputation").await, 400, "domain");
    is_problem(&app.get("/nowhere").await, 404, "openapi.json");
    let anonymous = app
        .http
        .get(format!("{}/v1/domain/example.com/reputation", app.base))
        .send()
        .await
        .unwrap();
    is_problem(&Answer::of(anonymous).await, 401, "token");
    let wrong = app
        .http
        .get(format!("{}/v1/domain/example.com/reputation", app.base))
        .bearer_auth("pvtd_no");
    is_problem(
        &Answer::of(wrong.send().await.unwrap()).await,
        401,
        "not a pivotd token",
    );
    assert_eq!(app.vendor.attempts(), 0, "nothing was asked");
}

#[tokio::test]
async fn a_member_in_the_query_of_a_posted_request_is_refused() {
    let app = TestApp::start().await;
    let body = json!({"indicator": "career-offers.example"});
    let alert = json!({"domain": "career-offers.example"});
    let batch = json!({"indicators": ["career-offers.example"]});
    for (path, body) in [
        ("/v1/enrich", &body),
        ("/v1/alerts/score", &alert),
        ("/v1/enrich/batch", &batch),
    ] {
        assert_eq!(app.post_json(path, body).await.status, 200, "{path}");
        for query in ["?tlp=red", "?threshold=1", "?x"] {
            let answer = app.post_json(&format!("{path}{query}"), body).await;
            assert_eq!(answer.status, 400, "{path}{query}");
            assert!(answer.body.contains("stands in the body"), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_wrong_member_of_a_query_is_named() {
    let app = TestApp::start().await;
    let path = "/v1/domain/career-offers.example/reputation";
    for (query, wanted) in [
        ("max_age=abc", "the query: max_age: expected a whole number"),
        (
            "on_unknown=exceed",
            "the query: on_unknown: unknown variant `exceed`",
        ),
        ("threshold=101", "the query: threshold: expected"),
        ("emial=1", "the query: unknown field `emial`"),
    ] {
        let answer = app.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.status, 400);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(wanted), "{detail}");
    }
    for query in [
        "on_unknown=EXCEEDS",
        "threshold=",
        "tlp=AMBER",
        "max_age=86400&providers=domaintools,",
    ] {
        assert_eq!(app.get(&format!("{path}?{query}")).await.status, 200, "{query}");
    }
    for kind in ["", "Domain", "DOMAIN "] {
        let body = json!({"indicator": "career-offers.example", "kind": kind});
        assert_eq!(app.post_json("/v1/enrich", &body).await.status, 200, "{kind}");
    }
}

#[tokio::test]
async fn the_demo_marks_its_answers_and_refuses_other_sites() {
    let app = Builder::new().demo().start().await;
    let answer = app
        .get("/v1/domain/career-offers.example/reputation")
        .await
        .json();
    assert_eq!(answer["sample_data"], true);
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let request = app
            .http
            .get(format!("{}/v1/domain/example.com/reputation", app.base))
            .header(name, value);
        assert_eq!(request.send().await.unwrap().status(), 403, "{name}");
        let request = app
            .http
            .post(format!("{}/run/domaintools.risk", app.base))
            .header(name, value)
            .body("<x/>");
        assert_eq!(request.send().await.unwrap().status(), 403, "{name}");
    }
}

#[tokio::test]
async fn the_openapi_document_describes_every_route() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").await.json();
    assert!(
        document["openapi"].as_str().unwrap().starts_with("3.1"),
        "{}",
        document["openapi"]
    );
    let routes: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let mut routes = routes;
    routes.sort();
    assert_eq!(
        routes,
        [
            "/v1/alerts/score",
            "/v1/context/{indicator}",
            "/v1/decisions/{decision}",
            "/v1/decisions/{decision}/feedback",
            "/v1/domain/{domain}/reputation",
            "/v1/email/{email}/reputation",
            "/v1/enrich",
            "/v1/enrich/batch",
            "/v1/file/{digest}/reputation",
            "/v1/ip/{ip}/reputation",
            "/v1/url/reputation",
        ]
    );
    let text = document.to_string();
    let references = text.split("\"$ref\":\"#").skip(1);
    for reference in references.filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
}

/// Each kind of indicator has a route; one that no configured source scores is `unsupported`, never a score of 0.
#[tokio::test]
async fn every_kind_of_indicator_is_asked_for_by_itself() {
    let app = TestApp::start().await;
    let sha256 = "07b8ef109aae055418a43301ebe6b5b18b9f6b711bfdbcde4538bf76c5d68e00";
    for (path, role, kind, value) in [
        ("/v1/ip/192.0.2.44/reputation", "ip", "ipv4", "192.0.2.44"),
        ("/v1/ip/2001:DB8::44/reputation", "ip", "ipv6", "2001:db8::44"),
        (
            "/v1/email/Billing%40career-offers.example/reputation",
            "email",
            "email",
            "Billing@career-offers.example",
        ),
        (
            "/v1/url/reputation?indicator=hxxp%3A%2F%2Fcareer-offers%5B.%5Dexample%2Fapply",
            "url",
            "url",
            "http://career-offers.example/apply",
        ),
        (
            &format!("/v1/file/{}/reputation", sha256.to_uppercase()),
            "hash",
            "hash",
            sha256,
        ),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let answer = answer.json();
        let indicator = &answer["indicators"][0];
        assert_eq!(
            (&indicator["role"], &indicator["type"], &indicator["indicator"]),
            (&json!(role), &json!(kind), &json!(value)),
            "{path}"
        );
        // DomainTools rates domains: an e-mail address and a URL have one.
        let (decision, score) = if matches!(role, "email" | "url") {
            (json!("exceeds"), json!(87))
        } else {
            (json!("unsupported"), Value::Null)
        };
        assert_eq!(
            (&answer["decision"], &answer["scores"][role]),
            (&decision, &score),
            "{path}"
        );
    }
    for (path, named) in [
        ("/v1/ip/300.1.1.1/reputation", "ip"),
        ("/v1/email/nobody/reputation", "email"),
        ("/v1/file/abc/reputation", "hash"),
        ("/v1/url/reputation?indicator=nowhere", "url"),
        ("/v1/url/reputation", "indicator"),
        ("/v1/ip/192.0.2.44/reputation?treshold=70", "treshold"),
        ("/v1/ip/192.0.2.44/reputation?threshold=101", "threshold"),
    ] {
        is_problem(&app.get(path).await, 400, named);
    }
}

#[tokio::test]
async fn an_indicator_of_any_kind_is_told_by_its_form() {
    let app = TestApp::start().await;
    for (indicator, role) in [
        ("career-offers[.]example", "domain"),
        ("192.0.2.44", "ip"),
        ("billing@career-offers.example", "email"),
        ("hxxps://career-offers.example/apply", "url"),
        ("da39a3ee5e6b4b0d3255bfef95601890afd80709", "hash"),
    ] {
        let guessed = app
            .post_json("/v1/enrich", &json!({"indicator": indicator}))
            .await
            .json();
        assert_eq!(guessed["indicators"][0]["role"], role, "{guessed}");
        let named = json!({"indicator": indicator, "kind": role});
        let named = app.post_json("/v1/enrich", &named).await.json();
        assert_eq!(named["indicators"][0]["role"], role, "{named}");
        assert_eq!(named["max_score"], guessed["max_score"], "{indicator}");
    }
    let wrong = json!({"indicator": "192.0.2.44", "kind": "email"});
    let unreadable = app.post_json("/v1/enrich", &wrong).await.json();
    assert_eq!(unreadable["decision"], "undetermined", "{unreadable}");
    assert_eq!(unreadable["unreadable"][0]["role"], "email");
    let wrong = json!({"indicator": "192.0.2.44", "type": "ip"});
    is_problem(&app.post_json("/v1/enrich", &wrong).await, 400, "type");
    let long = json!({"indicator": "x".repeat(70_000)});
    is_problem(&app.post_json("/v1/enrich", &long).await, 413, "at most");
}
