//! The story of a phishing alert: its playbook asks about three indicators and branches on one word.

use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use pivotd::replay::{DnsFault, Fault, Matcher};
use serde_json::{Value, json};

use crate::support::{Builder, TestApp, answering, budget};

const ALERT: &str = "/v1/alerts/score";

/// A vendor's answer that gives this risk, as JSON writes it.
pub(crate) fn risk(domain: &str, score: &str) -> Fault {
    Fault::Status {
        code: 200,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: format!(
            r#"{{"response":{{"domain":"{domain}","risk_score":{score},"results":[{{"domain":"{domain}","domain_risk":{{"risk_score":{score}}}}}],"missing_domains":[]}}}}"#
        ),
    }
}

/// Asks about a domain whose risk the vendor gives so.
async fn rated(app: &TestApp, domain: &str, score: &str) -> Value {
    app.vendor.clear_faults();
    app.vendor.inject(Matcher::any(), risk(domain, score), None);
    app.post_json(ALERT, &json!({"domain": domain})).await.json()
}

async fn story(app: &TestApp, email: &str, domain: &str, ip: &str) -> Value {
    let alert = json!({"email": email, "domain": domain, "ip": ip});
    let answer = app.post_json(ALERT, &alert).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// What a playbook of one line would do: the answer's own word, and the comparison that people write themselves.
fn branches(answer: &Value) -> (&str, bool) {
    let over = answer["scores"]
        .as_object()
        .unwrap()
        .values()
        .any(|score| score.as_u64().is_some_and(|score| score > 50));
    (answer["decision"].as_str().unwrap(), over)
}

#[tokio::test]
async fn one_indicator_over_the_threshold_decides() {
    let app = Builder::new()
        .with(["virustotal", "abuseipdb", "greynoise", "emailrep"])
        .start()
        .await;
    let answer = story(
        &app,
        "billing@career-offers.example",
        "career-offers.example",
        "192.0.2.44",
    )
    .await;
    assert_eq!(branches(&answer), ("exceeds", true), "{answer}");
    assert!(
        answer["decisive"]
            .as_array()
            .unwrap()
            .contains(&json!("career-offers.example"))
    );
    assert!(
        answer["summary"]
            .as_str()
            .unwrap()
            .contains("career-offers.example scores")
    );
    let note = answer["markdown"].as_str().unwrap();
    assert!(note.starts_with("**Exceeds"), "{note}");
    assert!(
        !note.contains("career-offers.example"),
        "a link is in the note: {note}"
    );
}

#[tokio::test]
async fn none_over_is_below_and_unknown_and_unsupported_stay_apart() {
    let app = TestApp::start().await;
    app.vendor
        .inject(Matcher::any(), risk("harmless.example", "12"), None);
    // The mailbox stands at the same domain.
    let known = json!({"email": "desk@harmless.example", "domain": "harmless.example"});
    let below = app.post_json(ALERT, &known).await.json();
    assert_eq!(branches(&below), ("below", false), "{below}");
    assert_eq!(below["max_score"], 12);
    // Addresses have no source here, so nothing vouches for this one.
    let open = story(&app, "desk@harmless.example", "harmless.example", "192.0.2.44").await;
    assert_eq!(branches(&open), ("unknown", false), "{open}");
    assert_eq!(
        (&open["max_score"], &open["unsupported"]),
        (&json!(12), &json!(["192.0.2.44"]))
    );
    app.vendor.clear_faults();
    let nobody = "nobody-knows-this.example";
    let unknown = story(&app, &format!("a@{nobody}"), nobody, "192.0.2.44").await;
    assert_eq!(branches(&unknown), ("unknown", false), "{unknown}");
    assert_eq!(unknown["max_score"], Value::Null);
    let unsupported = app
        .post_json(ALERT, &json!({"ip": "192.0.2.44", "email": "x@gmail.com"}))
        .await
        .json();
    assert_eq!(branches(&unsupported), ("unsupported", false), "{unsupported}");
}

#[tokio::test]
async fn what_a_failed_source_could_have_known_leaves_the_alert_undetermined() {
    let app = Builder::new().with(["abuseipdb"]).start().await;
    for vendor in app.others.values() {
        vendor.inject(Matcher::any(), Fault::busy_503(), None);
    }
    let nobody = "nobody-knows-this.example";
    let open = story(&app, &format!("a@{nobody}"), nobody, "192.0.2.44").await;
    assert_eq!(branches(&open), ("undetermined", false), "{open}");
    assert_eq!(open["undetermined"], json!(["192.0.2.44"]));
    assert!(open["retry_after_s"].as_u64().unwrap() > 0);
    assert!(open["summary"].as_str().unwrap().contains("AbuseIPDB"), "{open}");
    // A score over the threshold decides without it.
    let decided = story(&app, "a@b.example", "career-offers.example", "192.0.2.44").await;
    assert_eq!(branches(&decided), ("exceeds", true), "{decided}");
    assert_eq!(decided["undetermined"], json!(["192.0.2.44"]));
}

#[tokio::test]
async fn more_than_fifty_is_over_however_little_and_fifty_is_not() {
    let app = TestApp::start().await;
    for (at, (score, expected, decision)) in [
        ("49.2", 50, "below"),
        ("50", 50, "below"),
        ("50.0", 50, "below"),
        ("\"50\"", 50, "below"),
        ("50.000001", 51, "exceeds"),
        ("50.1", 51, "exceeds"),
        ("\"50.1\"", 51, "exceeds"),
        ("51", 51, "exceeds"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = rated(&app, &format!("edge-{at}.example"), score).await;
        assert_eq!(
            (&answer["max_score"], &answer["decision"]),
            (&json!(expected), &json!(decision)),
            "{score}: {answer}"
        );
        assert_eq!(branches(&answer).1, decision == "exceeds", "{score}");
    }
    for (at, score) in ["100.1", "-1", "101", "\"high\"", "{}"].into_iter().enumerate() {
        let answer = rated(&app, &format!("wrong-{at}.example"), score).await;
        assert_eq!(
            (&answer["max_score"], &answer["decision"]),
            (&Value::Null, &json!("undetermined")),
            "{score}: {answer}"
        );
    }
}

#[tokio::test]
async fn every_risk_is_its_own_score() {
    let app = TestApp::start().await;
    for risk in 0..=100_u8 {
        let answer = rated(&app, &format!("risk-{risk}.example"), &risk.to_string()).await;
        let expected = if risk > 50 { "exceeds" } else { "below" };
        assert_eq!(
            (&answer["max_score"], &answer["decision"]),
            (&json!(risk), &json!(expected)),
            "{risk}: {answer}"
        );
        let lines = answer["indicators"][0]["explanation"].as_array().unwrap();
        let points: i64 = lines.iter().map(|line| line["points"].as_i64().unwrap()).sum();
        assert_eq!(points, i64::from(risk));
    }
}

/// Decimals of other vendors are rounded up, too: 74.2 stands where the vendor says to act.
#[tokio::test]
async fn a_decimal_of_a_calibrated_number_counts_as_the_next_whole_one() {
    for (confidence, decision) in [
        ("74", "below"),
        ("74.0", "below"),
        ("74.2", "exceeds"),
        ("75", "exceeds"),
    ] {
        let app = Builder::new().with(["abuseipdb"]).start().await;
        let fault = Fault::Status {
            code: 200,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body: format!(
                r#"{{"data": {{"ipAddress": "203.0.113.7", "isWhitelisted": null, "abuseConfidenceScore": {confidence},
                    "totalReports": 9, "numDistinctUsers": 4, "lastReportedAt": null}}}}"#
            ),
        };
        app.others["abuseipdb"].inject(Matcher::any(), fault, None);
        let answer = app.post_json(ALERT, &json!({"ip": "203.0.113.7"})).await.json();
        assert_eq!(answer["decision"], decision, "{confidence}: {answer}");
    }
}

#[tokio::test]
async fn a_gap_that_could_not_matter_closes_the_alert_and_one_that_could_does_not() {
    let app = Builder::new()
        .with(["dns"])
        .settings(|settings| settings.providers.get_mut("dns").unwrap().attempts = 1)
        .start()
        .await;
    app.others["dns"].inject(Matcher::any(), Fault::Dns(DnsFault::Code(2)), None);
    let sender = async |domain: &str, score: &str| {
        app.vendor.clear_faults();
        app.vendor.inject(Matcher::any(), risk(domain, score), None);
        let alert = json!({"email": format!("desk@{domain}")});
        app.post_json(ALERT, &alert).await.json()
    };
    let low = sender("harmless.example", "3").await;
    assert_eq!(branches(&low), ("below", false), "{low}");
    let item = &low["indicators"][0];
    assert_eq!(
        (&item["complete"], &item["causes"], &low["causes"]),
        (&json!(false), &json!([]), &json!([])),
        "{low}"
    );
    for text in [&low["notes"][0], &low["summary"]] {
        let text = text.as_str().unwrap();
        assert!(
            text.contains("that could not have taken a score over its threshold"),
            "{text}"
        );
    }
    // With what is there, the same gap could take this one over.
    let near = sender("career-offers.example", "45").await;
    assert_eq!(branches(&near), ("undetermined", false), "{near}");
    let cause = &near["causes"][0];
    assert_eq!(
        (&cause["kind"], &cause["source"], &cause["retry"]),
        (&json!("source"), &json!("dns"), &json!(true)),
        "{near}"
    );
    assert_eq!(near["indicators"][0]["causes"], near["causes"]);
}

#[tokio::test]
async fn a_budget_that_is_used_up_is_named_as_ones_own_and_says_when_it_opens() {
    let app = Builder::new()
        .manual_clock()
        .settings(|settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.budget = vec![budget(None, 2, BudgetUnit::Calls, BudgetWindow::Day)];
        })
        .start()
        .await;
    assert_eq!(branches(&rated(&app, "harmless.example", "3").await).0, "below");
    let open = rated(&app, "career-offers.example", "3").await;
    assert_eq!(branches(&open), ("undetermined", false), "{open}");
    let cause = &open["causes"][0];
    assert_eq!(
        (&cause["kind"], &cause["source"], &cause["retry"], &cause["value"]),
        (
            &json!("budget"),
            &json!("domaintools"),
            &json!(true),
            &json!("career-offers.example")
        ),
        "{open}"
    );
    let wait = cause["retry_after_s"].as_u64().unwrap();
    assert!((1..=86_400).contains(&wait), "{wait}");
    assert_eq!(open["retry_after_s"], wait);
    assert!(
        open["summary"].as_str().unwrap().contains("your own limit"),
        "{open}"
    );
}

#[tokio::test]
async fn with_domaintools_alone_a_domain_an_address_and_a_mailbox_have_a_reputation() {
    let app = Builder::new().shipped().start().await;
    let answer = story(
        &app,
        "billing@career-offers.example",
        "career-offers.example",
        "192.0.2.44",
    )
    .await;
    assert_eq!(branches(&answer), ("exceeds", true), "{answer}");
    for role in ["email", "domain", "ip"] {
        assert!(answer["scores"][role].as_u64() > Some(0), "{role}: {answer}");
    }
    assert_eq!(answer["causes"], json!([]), "{answer}");
    let items = answer["indicators"].as_array().unwrap();
    let said: Vec<&Value> = items
        .iter()
        .flat_map(|item| item["evidence"].as_array().unwrap())
        .collect();
    let by = |measure: &str| said.iter().any(|one| one["measure"] == measure);
    // Of the domains on the address; the account has no list of those that the mailbox registered.
    assert!(by("hosted-domains"), "{answer}");
    assert!(!by("registered-domains"), "{answer}");
    let bought = |request: &pivotd::replay::SeenRequest| format!("{request:?}").contains("purchase");
    assert!(!app.vendor.seen().iter().any(bought));
}

#[tokio::test]
async fn what_a_mailbox_registered_counts_where_the_account_includes_it_and_is_never_bought() {
    let app = Builder::new().shipped().start().await;
    let told = |answer: &Value| {
        let evidence = answer["indicators"][0]["evidence"].as_array().unwrap().iter();
        evidence
            .filter(|one| one["measure"] == "registered-domains")
            .count()
    };
    let asked = |app: &TestApp, product: &str| {
        let seen = app.vendor.seen();
        seen.iter()
            .filter(|request| format!("{request:?}").contains(product))
            .count()
    };
    let alert = json!({"email": "a.kranz@mailbox.example"});
    let answer = app.post_json(ALERT, &alert).await.json();
    assert_eq!(told(&answer), 1, "{answer}");
    assert!(asked(&app, "iris-investigate") > 0 && asked(&app, "purchase") == 0);

    // Without the product the list is sold by the piece: nobody is asked, and nothing is missing.
    let product = |id: &str| json!({"id": id, "usage": {"today": "0", "month": "0"}});
    let account = json!({"response": {
        "account": {"api_username": "analyst", "active": true},
        "products": [product("account-information"), product("risk")],
    }});
    let app = Builder::new()
        .shipped()
        .plays(
            "domaintools",
            answering("domaintools", vec![("GET /v1/account".to_owned(), account)]),
        )
        .start()
        .await;
    app.post_json(ALERT, &alert).await;
    let answer = app.post_json(ALERT, &alert).await.json();
    assert_eq!((told(&answer), &answer["causes"]), (0, &json!([])), "{answer}");
    assert_eq!((asked(&app, "iris-investigate"), asked(&app, "purchase")), (0, 0));
}

#[tokio::test]
async fn a_source_that_is_missing_is_thought_to_say_what_it_says_of_that_kind() {
    let app = Builder::new()
        .with(["threatgrid"])
        .settings(|settings| settings.providers.get_mut("threatgrid").unwrap().attempts = 1)
        .start()
        .await;
    app.others["threatgrid"].inject(Matcher::any(), Fault::too_many_requests(Some("3600")), None);
    // What samples touched never exceeds alone, whatever a file of theirs may score.
    let low = rated(&app, "harmless.example", "3").await;
    assert_eq!(branches(&low), ("below", false), "{low}");
    assert_eq!(low["indicators"][0]["complete"], false, "{low}");
    let file = json!({"hash": "9e575845f3f6b5eb81c4a3b31cdea7849f02bcbb4cd832ad82866be2f1b43e0d"});
    let file = app.post_json(ALERT, &file).await.json();
    assert_eq!(branches(&file), ("undetermined", false), "{file}");
    assert_eq!(file["causes"][0]["source"], "threatgrid", "{file}");
}
