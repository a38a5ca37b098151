//! What a SOAR's templates and an attacker's texts make of a request: one value never costs the others.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::{Answer, Builder, TestApp};

const ALERT: &str = "/v1/alerts/score";
const GOOD: &str = "career-offers.example";

/// Values that nobody can read, one for each way in which they are written.
fn junk() -> Vec<Value> {
    [
        "http://a.example:99999/",
        "999.0.2.1",
        "not a name",
        "a@@b",
        "\u{200e}",
        "http://",
        "javascript:alert(1)",
        "....",
    ]
    .into_iter()
    .map(Value::from)
    .chain([json!({}), json!({"value": "x"}), json!(true), json!(7)])
    .collect()
}

#[tokio::test]
async fn one_value_that_cannot_be_read_costs_no_other_and_is_told() {
    let app = TestApp::start().await;
    let scores = app.post_json(ALERT, &json!({"domain": GOOD})).await.json();
    for member in ["domain", "ip", "url", "email", "hash"] {
        for wrong in junk() {
            let mut body = json!({"domain": [GOOD]});
            match member {
                "domain" => body["domain"] = json!([wrong, GOOD]),
                _ => body[member] = json!([wrong]),
            }
            let answer = app.post_json(ALERT, &body).await;
            assert_eq!(answer.status, 200, "{body}: {}", answer.body);
            let answer = answer.json();
            // It exceeds whatever else stands there.
            assert_eq!(answer["decision"], "exceeds", "{body}: {answer}");
            assert_eq!(
                answer["indicators"][0]["score"], scores["indicators"][0]["score"],
                "{body}"
            );
            let told = &answer["unreadable"][0];
            assert_eq!(told["role"], member, "{body}: {answer}");
            assert!(
                told["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
                "{told}"
            );
        }
    }
}

#[tokio::test]
async fn an_alert_of_which_something_could_not_be_read_is_not_closed() {
    let app = TestApp::start().await;
    for body in [
        json!({"url": ["http://a.example:99999/"]}),
        json!({"domain": ["nobody-knows-this.example", "not a name"]}),
        json!({"ip": "999.0.2.1"}),
    ] {
        let answer = app.post_json(ALERT, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["decision"], "undetermined", "{}", answer.body);
    }
    let enrich = app
        .post_json("/v1/enrich", &json!({"indicator": "http://a.example:99999/"}))
        .await;
    assert_eq!(enrich.status, 200, "{}", enrich.body);
    let enrich = enrich.json();
    assert_eq!(enrich["decision"], "undetermined");
    assert_eq!(enrich["unreadable"][0]["value"], "http://a.example:99999/");
    let batch = json!({"indicators": ["http://a.example:99999/", {}, GOOD]});
    let batch = app.post_json("/v1/enrich/batch", &batch).await.json();
    let statuses: Vec<&Value> = batch["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["status"])
        .collect();
    assert_eq!(statuses, [400, 400, 200]);
    assert_eq!(app.get("/v1/ip/999.0.2.1/reputation").await.status, 400);
}

#[tokio::test]
async fn shapes_that_templates_write_are_read() {
    let app = TestApp::start().await;
    for domains in [
        json!([null, GOOD, "", null]),
        json!(format!("{GOOD}, nobody-knows-this.example")),
        json!(format!("{GOOD}\nnobody-knows-this.example\n")),
        json!(format!("[\"{GOOD}\", \"nobody-knows-this.example\"]")),
        json!(format!("['{GOOD}', 'nobody-knows-this.example']")),
        json!([[GOOD], ["nobody-knows-this.example"]]),
    ] {
        let answer = app.post_json(ALERT, &json!({"domain": domains})).await;
        assert_eq!(answer.status, 200, "{domains}: {}", answer.body);
        let answer = answer.json();
        assert_eq!(answer["indicators"][0]["indicator"], GOOD, "{domains}");
        assert_eq!(answer["unreadable"], json!([]), "{domains}");
        let batch = app
            .post_json("/v1/enrich/batch", &json!({"indicators": domains}))
            .await;
        assert_eq!(
            batch.json()["items"][0]["assessment"]["indicator"],
            GOOD,
            "{domains}: {}",
            batch.body
        );
    }
    // A text that a template cut, or took from a mail as it was.
    for body in [
        format!("{{\"domain\": [\"{GOOD}\", \"caf\\udce9.example\"]}}").into_bytes(),
        [
            b"{\"domain\": [\"",
            GOOD.as_bytes(),
            b"\"], \"url\": \"http://x.example/\xe9\"}",
        ]
        .concat(),
        format!("{{\"domain\": \"{GOOD}\nnobody-knows-this.example\"}}").into_bytes(),
    ] {
        let request = app
            .http
            .post(format!("{}{ALERT}", app.base))
            .bearer_auth(&app.token)
            .body(body.clone());
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(
            answer.status,
            200,
            "{}: {}",
            String::from_utf8_lossy(&body),
            answer.body
        );
        assert_eq!(answer.json()["decision"], "exceeds", "{}", answer.body);
    }
    for (body, named) in [
        (
            json!({"domain": {"value": GOOD}}),
            "domain: expected a text or a list",
        ),
        (
            json!({"domain": GOOD, "threshold": []}),
            "threshold: expected a whole number",
        ),
        (json!({"domain": GOOD, "tlp": {}}), "tlp: expected a word"),
        (
            json!({"domain": GOOD, "on_unknown": "maybe"}),
            "on_unknown: unknown variant",
        ),
        (json!({"domain": GOOD, "message": 5}), "message: invalid type"),
    ] {
        let refused = app.post_json(ALERT, &body).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
        assert!(
            refused.json()["detail"].as_str().unwrap().contains(named),
            "{}",
            refused.body
        );
    }
}

#[tokio::test]
async fn numbers_of_marks_are_thehives() {
    for (red, marks) in [
        (
            3,
            [("0", true), ("1", true), ("2", true), ("3", false), ("4", false)],
        ),
        (
            4,
            [("0", true), ("1", true), ("2", true), ("3", false), ("4", false)],
        ),
    ] {
        let app = Builder::new()
            .settings(move |settings| {
                if red == 4 {
                    settings.tlp_red = pivotd::domain::marking::TlpRed::Four;
                }
                // Asked up to amber+strict, so that the two scales differ.
                for provider in settings.providers.values_mut() {
                    provider.max_tlp = pivotd::domain::Tlp::AmberStrict;
                }
            })
            .start()
            .await;
        for (at, (mark, asked)) in marks.into_iter().enumerate() {
            let asked = asked || (red == 4 && mark == "3");
            for (form, tlp) in [json!(mark), json!(mark.parse::<u8>().unwrap())]
                .into_iter()
                .enumerate()
            {
                let domain = format!("n{red}{at}{form}.example");
                let answer = app
                    .post_json(ALERT, &json!({"domain": domain, "tlp": tlp}))
                    .await
                    .json();
                let skipped = answer["indicators"][0]["coverage"]["skipped"].as_u64();
                assert_eq!(skipped == Some(0), asked, "{red} {mark}: {answer}");
            }
        }
        let strict = json!({"domain": "n.example", "tlp": "AMBER-strict"});
        assert_eq!(
            app.post_json(ALERT, &strict).await.json()["indicators"][0]["coverage"]["skipped"],
            0
        );
        assert_eq!(
            app.post_json(ALERT, &json!({"domain": GOOD, "tlp": 5}))
                .await
                .status,
            400
        );
        assert_eq!(
            app.post_json(ALERT, &json!({"domain": GOOD, "pap": 4}))
                .await
                .status,
            400
        );
        let none = app
            .post_json(ALERT, &json!({"domain": "p.example", "pap": 3}))
            .await
            .json();
        assert_eq!(none["indicators"][0]["coverage"]["skipped"], 1);
    }
}

#[tokio::test]
async fn a_request_is_the_same_by_what_it_means() {
    let app = TestApp::start().await;
    let post = async |body: &str| app.post_named(ALERT, "case-17", body.to_owned()).await;
    let first = post(r#"{"domain": ["career-offers.example"], "threshold": 50, "on_unknown": "keep"}"#).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let again =
        post("{\n\"threshold\":50.0,\"on_unknown\":\"k\\u0065ep\",\"domain\":[ \"career-offers.example\" ]}")
            .await;
    assert_eq!(again.header("idempotent-replayed"), "true", "{}", again.body);
    assert_eq!(again.body, first.body);
    let other = post(r#"{"domain": ["career-offers.example"], "threshold": 51, "on_unknown": "keep"}"#).await;
    assert_eq!(other.status, 422, "{}", other.body);
}

#[tokio::test]
async fn an_undetermined_reply_is_not_kept_and_asking_again_asks_again() {
    let app = TestApp::start().await;
    let post = async |path, key, body: Value| app.post_named(path, key, body.to_string()).await;
    let body = json!({"domain": "career-offers.example", "url": "http://a.example:99999/", "threshold": 99});
    let mut attempts = Vec::new();
    for _ in 0..2 {
        let answer = post(ALERT, "open", body.clone()).await;
        assert_eq!(answer.json()["decision"], "undetermined", "{}", answer.body);
        assert!(answer.headers.get("idempotent-replayed").is_none());
        attempts.push(app.vendor.attempts());
    }
    // What was known is held, and costs nothing again.
    assert_eq!(attempts[0], attempts[1]);
    // What a fallback settles is settled.
    let settled = json!({"domain": "career-offers.example", "threshold": 99});
    post(ALERT, "settled", settled.clone()).await;
    let again = post(ALERT, "settled", settled).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
}

/// Any JSON, and often something that is nearly a question.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,30}",
        "[a-z]{1,8}\\.example",
        "https?://[a-z]{1,8}\\.example(/.{0,8})?",
        Just("red".to_owned()),
        Just("https://urldefense.com/v3/broken".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_u64..200).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let name = prop_oneof![
            Just("indicator".to_owned()),
            Just("indicators".to_owned()),
            Just("kind".to_owned()),
            Just("domain".to_owned()),
            Just("url".to_owned()),
            Just("ip".to_owned()),
            Just("email".to_owned()),
            Just("hash".to_owned()),
            Just("message".to_owned()),
            Just("message_base64".to_owned()),
            Just("tlp".to_owned()),
            Just("pap".to_owned()),
            Just("threshold".to_owned()),
            Just("min_sources".to_owned()),
            Just("deadline_s".to_owned()),
            Just("max_age".to_owned()),
            Just("providers".to_owned()),
            Just("on_unknown".to_owned()),
            Just("verdict".to_owned()),
            ".{0,6}",
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[tokio::test]
async fn no_json_is_answered_by_a_fault_of_the_server() {
    const BODIES: usize = 150;
    let app = TestApp::start().await;
    let mut runner = TestRunner::deterministic();
    let strategy = any_json();
    let feedback = "/v1/decisions/00000000-0000-0000-0000-000000000000/feedback";
    let mut answered = 0;
    for at in 0..BODIES {
        let value = strategy.new_tree(&mut runner).unwrap().current();
        for (path, member) in [
            (ALERT, "domain"),
            ("/v1/enrich", "indicator"),
            ("/v1/enrich/batch", "indicators"),
            (feedback, "indicator"),
        ] {
            // As it is, and as the member that the route is about.
            let body = if at % 2 == 0 {
                value.clone()
            } else {
                json!({ member: value })
            };
            let answer = app.post_json(path, &body).await;
            assert!(
                answer.status < 500,
                "{path} {body}: {} {}",
                answer.status,
                answer.body
            );
            assert!(answer.json().is_object(), "{path} {body}: {}", answer.body);
            answered += usize::from(answer.status == 200);
        }
    }
    assert!(answered > BODIES / 4, "{answered}");
}

#[tokio::test]
async fn a_link_behind_more_copies_of_another_than_are_looked_at_is_not_hidden() {
    let app = TestApp::start().await;
    let good = json!({"domain": "example.com"});
    assert_eq!(app.post_json(ALERT, &good).await.json()["decision"], "below");
    let mut domains = vec!["example.com"; 2_000];
    domains.push(GOOD);
    for domains in [
        json!(domains),
        json!(domains.join(", ")),
        json!(domains.join("\n")),
    ] {
        let answer = app.post_json(ALERT, &json!({ "domain": domains })).await.json();
        assert_eq!(answer["decision"], "undetermined", "{}", answer["summary"]);
        let told = &answer["excess"][0];
        assert_eq!(
            (&told["role"], &told["type"]),
            (&json!("domain"), &json!("domain")),
            "{told}"
        );
        assert!(told["reason"].as_str().unwrap().contains("2000"), "{told}");
        let cause = &answer["causes"][0];
        assert_eq!(
            (&cause["kind"], &cause["retry"]),
            (&json!("excess"), &json!(false)),
            "{cause}"
        );
    }
}

#[tokio::test]
async fn a_number_that_has_lost_digits_is_no_value() {
    let app = TestApp::start().await;
    let body = r#"{"hash":12345678901234567890123456789012,"domain":"example.com"}"#;
    let answer = app
        .http
        .post(format!("{}{ALERT}", app.base))
        .bearer_auth(&app.token)
        .body(body);
    let answer = Answer::of(answer.send().await.unwrap()).await.json();
    assert_eq!(answer["decision"], "undetermined", "{answer}");
    assert_eq!(answer["unreadable"][0]["role"], "hash", "{answer}");
    assert_eq!(answer["indicators"].as_array().unwrap().len(), 1, "{answer}");
}

#[tokio::test]
async fn rehearsals_tell_what_could_not_be_read_and_what_is_sealed_and_keep_their_branch() {
    let app = Builder::new().manual_clock().start().await;
    let message = "From: a@b.example\r\n\r\nhttp://a.example:99999/\r\n";
    let urls = ["http://c.example:99999/", "https://urldefense.com/v3/broken"];
    let body = json!({"domain": "b.example", "url": urls, "message": message});
    for branch in ["exceeds", "below", "unknown", "unsupported", "undetermined"] {
        let request = app
            .http
            .post(format!("{}{ALERT}", app.base))
            .bearer_auth(&app.token)
            .header("x-pivotd-rehearse", branch)
            .body(body.to_string());
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, 200, "{branch}: {}", answer.body);
        let answer = answer.json();
        assert_eq!(answer["decision"], branch, "{answer}");
        let values = |member: &str| -> Vec<String> {
            let told = answer[member].as_array().unwrap().iter();
            told.map(|one| format!("{} {}", one["type"], one["value"]))
                .collect()
        };
        assert_eq!(
            values("unreadable"),
            [
                "\"url\" \"http://c.example:99999/\"",
                "\"url\" \"http://a.example:99999/\""
            ],
            "{answer}"
        );
        assert_eq!(
            values("sealed"),
            ["\"url\" \"https://urldefense.com/v3/broken\""],
            "{answer}"
        );
    }
    assert_eq!(app.vendor.attempts(), 0);
}

#[tokio::test]
async fn a_wrapper_of_a_link_is_no_link_to_its_host_at_any_route() {
    const WRAPPED: &str = "https://www.google.com/url?q=https://career-offers.example/apply";
    const SEALED: &str = "https://secure-web.cisco.com/1aB-c_d/token";
    let app = TestApp::start().await;
    let url = |given: &str| {
        let encoded: String = given.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("/v1/url/reputation?indicator={encoded}")
    };
    let answers = [
        app.post_json(ALERT, &json!({"url": WRAPPED})).await.json(),
        app.post_json("/v1/enrich", &json!({"indicator": WRAPPED}))
            .await
            .json(),
        app.post_json("/v1/enrich", &json!({"indicator": WRAPPED, "kind": "url"}))
            .await
            .json(),
        app.get(&url(WRAPPED)).await.json(),
    ];
    for answer in &answers {
        assert_eq!(answer["decision"], "exceeds", "{answer}");
        let item = &answer["indicators"][0];
        assert_eq!(
            item["indicator"], "https://career-offers.example/apply",
            "{answer}"
        );
        let note = answer["notes"][0].as_str().unwrap();
        assert!(note.contains("taken out of the wrapper"), "{answer}");
    }
    let named = json!({"verdict": "false_positive", "indicator": WRAPPED, "reason": "a test"});
    let path = format!(
        "/v1/decisions/{}/feedback",
        answers[0]["decision_id"].as_str().unwrap()
    );
    let fed = app.post_json(&path, &named).await;
    assert_eq!(fed.status, 200, "{}", fed.body);
    let answers = [
        app.post_json(ALERT, &json!({"url": SEALED})).await.json(),
        app.post_json("/v1/enrich", &json!({"indicator": SEALED}))
            .await
            .json(),
        app.get(&url(SEALED)).await.json(),
    ];
    for answer in &answers {
        assert_eq!(answer["decision"], "undetermined", "{answer}");
        assert_eq!(answer["sealed"][0]["value"], SEALED, "{answer}");
        assert_eq!(answer["indicators"], json!([]), "{answer}");
    }
    let batch = json!({"indicators": [WRAPPED, SEALED]});
    let batch = app.post_json("/v1/enrich/batch", &batch).await.json();
    let (first, second) = (&batch["items"][0], &batch["items"][1]);
    assert_eq!(
        first["assessment"]["indicator"], "https://career-offers.example/apply",
        "{batch}"
    );
    assert_eq!(second["status"], 400, "{batch}");
    assert!(second["detail"].as_str().unwrap().contains("gateway"), "{batch}");
}
