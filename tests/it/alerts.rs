//! What an alert's caller may wish, and what pivotd knows itself.

use std::num::NonZeroU32;
use std::time::Duration;

use base64::Engine;
use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use pivotd::domain::Purpose;
use pivotd::replay::{Fault, Gate, Matcher};
use pivotd::reputation::policy::Registrations;
use pivotd::tokens::{NewToken, Scope};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{Answer, Builder, TestApp, budget, rate};

const ALERT: &str = "/v1/alerts/score";

/// The message of a phishing alert; it came by mx1.corp.example.
const MESSAGE: &[u8] = include_bytes!("../messages/phish.eml");

#[tokio::test]
async fn an_e_mail_address_implies_its_domain_unless_strangers_share_it() {
    let app = TestApp::start().await;
    let answer = app
        .post_json(ALERT, &json!({"email": "billing@career-offers.example"}))
        .await
        .json();
    assert_eq!(
        answer["scores"],
        json!({"email": 87, "email_domain": 87}),
        "{answer}"
    );
    // A domain that stands in the alert already is not asked about twice.
    let both = json!({"email": "billing@career-offers.example", "domain": "career-offers.example"});
    let answer = app.post_json(ALERT, &both).await.json();
    assert_eq!(answer["scores"], json!({"domain": 87, "email": 87}));

    let before = app.vendor.attempts();
    let shared = app
        .post_json(ALERT, &json!({"email": "somebody@gmail.com"}))
        .await
        .json();
    assert_eq!(shared["scores"], json!({"email": null}));
    assert_eq!(shared["decision"], "unsupported");
    assert_eq!(app.vendor.attempts(), before, "the domain is nobody's own");
    // Nor is a free-mail domain safe to block, whatever a source says of it.
    let domain = app.get("/v1/domain/gmail.com/reputation").await.json();
    assert_eq!(domain["indicators"][0]["safe_to_block"], false);
}

#[tokio::test]
async fn a_marking_keeps_the_question_here_and_what_is_held_may_still_answer() {
    let app = TestApp::start().await;
    let ask = async |tlp: &str, pap: &str| {
        let body = json!({"domain": "career-offers.example", "tlp": tlp, "pap": pap});
        app.post_json(ALERT, &body).await.json()
    };
    for (tlp, pap) in [("red", "clear"), ("TLP:AMBER+STRICT", "clear"), ("clear", "red")] {
        let barred = ask(tlp, pap).await;
        let item = &barred["indicators"][0];
        assert_eq!(
            (&barred["decision"], &item["coverage"]["skipped"], &item["score"]),
            (&json!("undetermined"), &json!(1), &Value::Null),
            "{tlp} {pap}"
        );
        assert_eq!(item["evidence"][0]["status"], "skipped");
    }
    assert_eq!(app.vendor.attempts(), 0, "no byte left");
    assert_eq!(ask("amber", "amber").await["decision"], "exceeds");
    assert_eq!(
        ask("red", "red").await["decision"],
        "exceeds",
        "what is held needs nobody"
    );
    let wrong = app
        .post_json(ALERT, &json!({"domain": "example.com", "tlp": "pink"}))
        .await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("amber+strict"), "{}", wrong.body);
}

#[tokio::test]
async fn asking_again_before_its_time_needs_a_scope() {
    let app = TestApp::start().await;
    let path = "/v1/domain/career-offers.example/reputation";
    app.get(path).await;
    let asked = app.vendor.attempts();
    app.get(&format!("{path}?max_age=0")).await;
    assert_eq!(app.vendor.attempts(), asked + 1, "the tester may refresh");
    let (token, _) = app
        .app
        .tokens
        .create(NewToken::for_everyday("soar"))
        .await
        .unwrap();
    let get = async |query: &str| {
        let request = app
            .http
            .get(format!("{}{path}?{query}", app.base))
            .bearer_auth(token.expose_secret());
        Answer::of(request.send().await.unwrap()).await
    };
    let refused = get("max_age=60").await;
    assert_eq!(refused.status, 403);
    assert!(refused.json()["detail"].as_str().unwrap().contains("refresh"));
    assert_eq!(get("max_age=999999999").await.status, 200);
    assert_eq!(app.vendor.attempts(), asked + 1);
}

#[tokio::test]
async fn only_the_named_sources_are_asked() {
    let app = Builder::new().with(["virustotal"]).start().await;
    let ask = async |providers: Value| {
        let body = json!({"domain": "career-offers.example", "providers": providers});
        app.post_json(ALERT, &body).await
    };
    let one = ask(json!(["virustotal"])).await.json();
    assert_eq!(one["indicators"][0]["coverage"]["asked"], 1);
    assert_eq!(app.vendor.attempts(), 0);
    let both = ask(Value::Null).await.json();
    assert_eq!(both["indicators"][0]["coverage"]["asked"], 2);
    let wrong = ask(json!(["virustotl"])).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("virustotal"), "{}", wrong.body);
    let query = "/v1/domain/career-offers.example/reputation?providers=virustotal,domaintools";
    assert_eq!(
        app.get(query).await.json()["indicators"][0]["coverage"]["asked"],
        2
    );
}

#[tokio::test]
async fn a_caller_says_how_many_must_agree_and_what_an_open_alert_comes_to() {
    let app = TestApp::start().await;
    let alone = json!({"domain": "career-offers.example", "min_sources": 2});
    let alone = app.post_json(ALERT, &alone).await.json();
    assert_eq!(
        (&alone["decision"], &alone["max_score"]),
        (&json!("below"), &json!(50))
    );
    // Tools that fill in templates send numbers as texts.
    let text =
        json!({"domain": "career-offers.example", "threshold": "90", "deadline_s": "5", "max_age": 86400.0});
    assert_eq!(app.post_json(ALERT, &text).await.json()["decision"], "below");
    for (body, part) in [
        (json!({"domain": "a.example", "min_sources": 0}), "min_sources"),
        (
            json!({"domain": "a.example", "deadline_s": 100_000}),
            "deadline_s",
        ),
        (json!({"domain": "a.example", "threshold": -1}), "whole number"),
        (json!({"domain": "a.example", "on_unknown": "maybe"}), "maybe"),
        (json!({"domain": "a.example", "pap": "violet"}), "pap"),
    ] {
        let answer = app.post_json(ALERT, &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        assert!(answer.body.contains(part), "{}", answer.body);
    }
    let nobody = json!({"domain": "nobody-knows-this.example", "on_unknown": "exceeds"});
    let nobody = app.post_json(ALERT, &nobody).await.json();
    assert_eq!(
        (&nobody["decision"], &nobody["decided_by"], &nobody["any_exceeds"]),
        (&json!("exceeds"), &json!("on_unknown"), &json!(false))
    );
    app.vendor
        .inject(Matcher::any(), Fault::too_many_requests(Some("30")), None);
    let failed = app
        .post_json(ALERT, &json!({"domain": "example.net"}))
        .await
        .json();
    assert_eq!(failed["decision"], "undetermined");
    let wait = failed["retry_after_s"].as_u64().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let treated = json!({"domain": "example.net", "on_undetermined": "exceeds"});
    assert_eq!(
        app.post_json(ALERT, &treated).await.json()["decided_by"],
        "on_undetermined"
    );
}

#[tokio::test]
async fn what_is_ones_own_is_told_to_nobody_and_never_exceeds() {
    let app = Builder::new()
        .settings(|settings| {
            let mut lists = pivotd::domain::Lists::clone(&settings.lists);
            lists
                .add_entry(Purpose::Own, "career-offers.example", "own.txt")
                .unwrap();
            settings.lists = lists.into();
        })
        .start()
        .await;
    let alert = json!({"domain": "www.career-offers.example", "ip": "10.1.2.3"});
    let answer = app.post_json(ALERT, &alert).await.json();
    for item in answer["indicators"].as_array().unwrap() {
        assert_eq!(
            (
                &item["score"],
                &item["verdict"],
                &item["recommend"],
                &item["safe_to_block"]
            ),
            (&json!(0), &json!("benign"), &json!("none"), &json!(false)),
            "{item}"
        );
    }
    assert_eq!(app.vendor.attempts(), 0);
}

#[tokio::test]
async fn a_message_is_read_scored_and_kept_nowhere() {
    let app = Builder::new()
        .settings(|settings| {
            settings.trusted_relays = vec!["10.0.0.0/8".parse().unwrap(), "corp.example".parse().unwrap()];
            let mut lists = pivotd::domain::Lists::clone(&settings.lists);
            lists.add_entry(Purpose::Own, "corp.example", "own.txt").unwrap();
            settings.lists = lists.into();
        })
        .start()
        .await;
    let message = base64::engine::general_purpose::STANDARD.encode(MESSAGE);
    let answer = app.post_json(ALERT, &json!({"message_base64": message})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let json = answer.json();
    assert_eq!(json["decision"], "exceeds", "{json}");
    let of = |role: &str| {
        let items = json["indicators"].as_array().unwrap();
        items
            .iter()
            .find(|item| item["role"] == role)
            .unwrap_or_else(|| panic!("no {role} in {json}"))
    };
    assert_eq!(of("sender")["indicator"], "billing@career-offers.example");
    assert_eq!(of("relay")["indicator"], "192.0.2.44");
    assert_eq!(of("url")["score"], 87);
    assert!(of("attachment")["type"] == "hash");
    // The text of the message is in nothing that stays.
    let text = String::from_utf8_lossy(MESSAGE);
    let subject = text
        .lines()
        .find_map(|line| line.strip_prefix("Subject: "))
        .unwrap();
    let id = json["decision_id"].as_str().unwrap();
    let kept = app.get(&format!("/v1/decisions/{id}")).await.body;
    let log = app.log();
    assert_eq!(json["message"]["subject"], subject);
    assert_eq!(json["message"]["attachments"][0]["name"], "offer.exe");
    assert!(!kept.contains(subject) && !log.contains(subject));
    let stopped = app.stop().await;
    let store = std::fs::read(stopped.folder.path().join("data/pivotd.redb")).unwrap();
    assert!(
        !store
            .windows(subject.len())
            .any(|part| part == subject.as_bytes())
    );

    let app = TestApp::start().await;
    for (body, part) in [
        (json!({"message": "no header at all"}), "no message"),
        (json!({"message_base64": "%%%"}), "Base64"),
        (json!({"message": "x", "message_base64": "eA=="}), "either"),
    ] {
        let refused = app.post_json(ALERT, &body).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
        assert!(refused.body.contains(part), "{}", refused.body);
    }
}

#[tokio::test]
async fn every_branch_of_a_playbook_can_be_rehearsed() {
    let app = Builder::new().manual_clock().start().await;
    let new = NewToken {
        scopes: vec![Scope::Rehearse],
        ..NewToken::for_everyday("rehearsal")
    };
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    let post = async |path: &str, branch: &str, body: Value| {
        let request = app
            .http
            .post(format!("{}{path}", app.base))
            .bearer_auth(token.expose_secret())
            .header("x-pivotd-rehearse", branch)
            .body(body.to_string());
        Answer::of(request.send().await.unwrap()).await
    };
    let alert = json!({"domain": "career-offers.example", "email": "a@b.example"});
    for branch in ["exceeds", "below", "unknown", "unsupported", "undetermined"] {
        let answer = post(ALERT, branch, alert.clone()).await;
        assert_eq!(answer.status, 200, "{branch}: {}", answer.body);
        let answer = answer.json();
        assert_eq!(
            (&answer["decision"], &answer["rehearsal"]),
            (&json!(branch), &json!(true))
        );
        let batch = post("/v1/enrich/batch", branch, json!({"indicators": ["example.com"]}))
            .await
            .json();
        assert_eq!(batch["items"][0]["assessment"]["decision"], branch);
        assert_eq!(batch["summary"]["rehearsal"], true);
    }
    // A message is read as ever, and does not change the branch.
    let links: String = (0..60).map(|at| format!("http://h{at}.example/\r\n")).collect();
    let message = format!(
        "Subject: x\r\nFrom: \"x@other.example\" <a@b.example>\r\nReceived: from x by y\r\n\r\n{links}"
    );
    for branch in ["exceeds", "below", "unknown", "unsupported", "undetermined"] {
        let told = post(ALERT, branch, json!({ "message": message })).await.json();
        assert_eq!(told["decision"], branch, "{told}");
        let excess = &told["excess"][0];
        assert_eq!(
            (&excess["role"], &excess["type"]),
            (&json!("url"), &json!("url")),
            "{told}"
        );
        assert!(told["notes"].as_array().unwrap().len() > 1, "{told}");
        let again = told["causes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|cause| cause["retry"] == true);
        assert_eq!(again, branch == "undetermined", "{told}");
        let wait = (branch == "undetermined").then_some(60);
        assert_eq!(told["retry_after_s"].as_u64(), wait, "{told}");
    }
    let limited = post(ALERT, "limited", alert.clone()).await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, "60"));
    let start = app.app.engine.clock().elapsed();
    let slow = app
        .while_moving(Duration::from_secs(60), post(ALERT, "slow", alert.clone()))
        .await
        .json();
    assert_eq!(slow["decision"], "undetermined");
    assert_eq!(app.app.engine.clock().elapsed() - start, Duration::from_secs(20));
    assert_eq!(post(ALERT, "sideways", alert.clone()).await.status, 400);
    assert_eq!(app.vendor.attempts(), 0);
    // Its token asks nobody, and others do not rehearse.
    let real = app
        .http
        .post(format!("{}{ALERT}", app.base))
        .bearer_auth(token.expose_secret())
        .body(alert.to_string());
    assert_eq!(real.send().await.unwrap().status(), 403);
    let (everyday, _) = app
        .app
        .tokens
        .create(NewToken::for_everyday("soar"))
        .await
        .unwrap();
    let rehearsed = app
        .http
        .post(format!("{}{ALERT}", app.base))
        .bearer_auth(everyday.expose_secret())
        .header("x-pivotd-rehearse", "below")
        .body(alert.to_string());
    assert_eq!(rehearsed.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_token_is_told_what_is_left_of_its_rate() {
    let app = Builder::new().manual_clock().start().await;
    let new = NewToken {
        per_minute: NonZeroU32::new(2),
        ..NewToken::for_everyday("soar")
    };
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    let get = async || {
        let request = app
            .http
            .get(format!("{}/v1/domain/example.com/reputation", app.base))
            .bearer_auth(token.expose_secret());
        Answer::of(request.send().await.unwrap()).await
    };
    let first = get().await;
    assert_eq!(
        [
            "ratelimit-policy",
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset"
        ]
        .map(|name| first.header(name)),
        ["2;w=60", "2", "1", "30"]
    );
    assert_eq!(get().await.header("ratelimit-remaining"), "0");
    let refused = get().await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "30"));
    assert_eq!(refused.json()["retry_after_s"], 30);
}

#[tokio::test]
async fn a_batch_answers_each_indicator_by_itself() {
    let app = TestApp::start().await;
    let indicators = json!([
        "career-offers.example",
        "no indicator",
        "192.0.2.44",
        "nobody-knows-this.example"
    ]);
    let answer = app
        .post_json("/v1/enrich/batch", &json!({"indicators": indicators}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = answer.json();
    let items = answer["items"].as_array().unwrap();
    let told: Vec<(u64, &Value)> = items
        .iter()
        .map(|item| (item["status"].as_u64().unwrap(), &item["assessment"]["decision"]))
        .collect();
    assert_eq!(
        told,
        [
            (200, &json!("exceeds")),
            (400, &Value::Null),
            (200, &json!("unsupported")),
            (200, &json!("unknown"))
        ]
    );
    let summary = &answer["summary"];
    assert_eq!(
        [
            "exceeds",
            "below",
            "unknown",
            "unsupported",
            "undetermined",
            "invalid"
        ]
        .map(|name| summary[name].as_u64().unwrap()),
        [1, 0, 1, 1, 0, 1]
    );
    let id = items[0]["decision_id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/v1/decisions/{id}")).await.status, 200);

    let lines = app
        .http
        .post(format!("{}/v1/enrich/batch", app.base))
        .bearer_auth(&app.token)
        .header("accept", "application/x-ndjson")
        .body(json!({"indicators": indicators}).to_string());
    let lines = Answer::of(lines.send().await.unwrap()).await;
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    let lines: Vec<Value> = lines
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut indexes: Vec<u64> = lines.iter().filter_map(|line| line["index"].as_u64()).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, [0, 1, 2, 3]);
    assert_eq!(lines.last().unwrap()["summary"]["exceeds"], 1);
    assert!(app.log().contains("/v1/enrich/batch"));

    for (body, part) in [
        (json!({"indicators": []}), "1 to 1000"),
        (json!({"indicators": vec!["a.example"; 1001]}), "1001"),
        (json!({"indicator": "a.example"}), "indicator"),
    ] {
        let refused = app.post_json("/v1/enrich/batch", &body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body.contains(part), "{}", refused.body);
    }
}

#[tokio::test]
async fn lines_that_nobody_reads_any_more_ask_nobody_and_are_logged() {
    let app = Builder::new()
        .manual_clock()
        .with(["virustotal"])
        .settings(|settings| {
            settings.providers.get_mut("domaintools").unwrap().enabled = false;
            settings.providers.get_mut("virustotal").unwrap().rate = vec![rate(1, 60)];
        })
        .start()
        .await;
    let gate = Gate::new();
    let vendor = &app.others["virustotal"];
    vendor.inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    // The first is answered at once; of the others one is asked about, and the rest wait for the rate.
    let mut indicators = vec!["no indicator".to_owned()];
    indicators.extend((0..30).map(|at| format!("waits-{at}.example")));
    let request = app
        .http
        .post(format!("{}/v1/enrich/batch", app.base))
        .bearer_auth(&app.token)
        .header("accept", "application/x-ndjson")
        .body(json!({"indicators": indicators}).to_string());
    let mut response = request.send().await.unwrap();
    let line = response.chunk().await.unwrap().unwrap();
    assert!(line.starts_with(br#"{"index":0,"#), "{line:?}");
    while vendor.attempts() == 0 {
        tokio::task::yield_now().await;
    }
    drop(response);
    while !app.log().contains("outcome=abandoned") {
        tokio::task::yield_now().await;
    }
    gate.release();
    let landed = async {
        while app.app.engine.in_flight() > 0 {
            tokio::task::yield_now().await;
        }
    };
    app.while_moving(Duration::from_secs(3600), landed).await;
    assert_eq!(vendor.attempts(), 1);
}

#[tokio::test]
async fn a_batch_leaves_the_reserve_to_people_at_work() {
    let app = Builder::new()
        .settings(|settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider.budget = vec![budget(None, 4, BudgetUnit::Calls, BudgetWindow::Day)];
            provider.reserve = 50;
        })
        .start()
        .await;
    let batch = async |round: u32| {
        let names: Vec<String> = (0..20).map(|at| format!("batch-{round}-{at}.example")).collect();
        let body = json!({"indicators": names});
        let answer = app.post_json("/v1/enrich/batch", &body).await.json();
        answer["summary"]["undetermined"].clone()
    };
    // The account call of the start is counted, too; the names of a batch are one.
    assert_eq!((batch(1).await, app.vendor.attempts()), (json!(0), 2));
    assert_eq!((batch(2).await, app.vendor.attempts()), (json!(20), 2));
    let alert = app
        .get("/v1/domain/career-offers.example/reputation")
        .await
        .json();
    assert_eq!(alert["decision"], "exceeds", "one alert may use the reserve");
    let left = &alert["budget"][0];
    assert_eq!((&left["left"], &left["limit"]), (&json!(1), &json!(4)));
    assert!(left["resets_at"].is_string());
}

#[tokio::test]
async fn the_facts_behind_a_score_have_dates_and_sources() {
    let app = Builder::new().with(["threatconnect", "threatgrid"]).start().await;
    let answer = app.get("/v1/context/example.com").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = answer.json();
    let facts = answer["facts"].as_array().unwrap();
    let registration = facts
        .iter()
        .find(|fact| fact["kind"] == "registration" && fact["source"] == "domaintools")
        .unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(registration["status"], "found");
    assert!(
        registration["records"][0]["created"].is_string(),
        "{registration}"
    );
    assert!(registration["retrieved_at"].is_string());
    let kinds: std::collections::BTreeSet<&str> =
        facts.iter().map(|fact| fact["kind"].as_str().unwrap()).collect();
    assert!(
        kinds.contains("incidents") && kinds.contains("samples"),
        "{kinds:?}"
    );
    // The registration of a URL's host is its domain's.
    let url = app
        .get("/v1/context/http%3A%2F%2Fwww.example.com%2Fapply")
        .await
        .json();
    let registration = url["facts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|fact| fact["kind"] == "registration");
    assert_eq!(registration.unwrap()["about"], "example.com");
    // What may name a person is told to nobody.
    let url = app
        .get("/v1/context/http%3A%2F%2Fwww.example.com%2Fapply%3Fwho%3Dwilhelmina")
        .await;
    assert_eq!(url.status, 200, "{}", url.body);
    for vendor in app.others.values().chain([&app.vendor]) {
        assert!(!format!("{:?}", vendor.seen()).contains("wilhelmina"));
    }
    assert_eq!(app.get("/v1/context/nonsense").await.status, 400);
    assert_eq!(app.get("/v1/context/example.com?records=0").await.status, 400);
}

#[tokio::test]
async fn thresholds_may_be_a_kind_s_and_a_client_s() {
    let app = Builder::new()
        .settings(|settings| {
            settings
                .reputation
                .thresholds
                .by_kind
                .insert(pivotd::reputation::Kind::Domain, 90);
        })
        .start()
        .await;
    let alert = json!({"domain": "career-offers.example", "url": "http://career-offers.example/apply"});
    let answer = app.post_json(ALERT, &alert).await.json();
    let items = answer["indicators"].as_array().unwrap();
    let told: Vec<(&Value, &Value)> = items
        .iter()
        .map(|item| (&item["threshold"], &item["decision"]))
        .collect();
    assert_eq!(
        told,
        [(&json!(90), &json!("below")), (&json!(50), &json!("exceeds"))]
    );
    assert_eq!(answer["decision"], "exceeds");
}

#[tokio::test]
async fn the_domains_around_an_indicator_count_where_the_policy_says_so() {
    let evidence = async |few: u32, registrations: bool, path: &str| {
        let app = Builder::new()
            .settings(move |settings| {
                settings.reputation.few_domains = few;
                settings.reputation.registrations = if registrations {
                    Registrations::Always
                } else {
                    Registrations::Never
                };
            })
            .start()
            .await;
        let answer = app.get(path).await.json();
        let items = answer["indicators"][0]["evidence"].as_array().unwrap().clone();
        let of = |item: &Value| {
            let measure = item["measure"].as_str()?;
            measure.contains("-domains").then(|| {
                let reasons = item["reasons"].to_string();
                (measure.to_owned(), item["probability"].as_f64(), reasons)
            })
        };
        items.iter().find_map(of)
    };
    let ip = "/v1/ip/192.0.2.44/reputation";
    assert_eq!(evidence(0, false, ip).await, None, "nobody is asked");
    let (measure, probability, reasons) = evidence(5, false, ip).await.unwrap();
    assert_eq!((measure.as_str(), probability), ("hosted-domains", Some(0.622)));
    assert!(
        reasons.contains("5 domains on it, the riskiest of 3 is career-offers.example with 87"),
        "{reasons}"
    );
    // Of many domains nobody can say whose fault the address is: their risk is told, not counted.
    let (measure, probability, _) = evidence(2, false, ip).await.unwrap();
    assert_eq!((measure.as_str(), probability), ("hosted-domains-many", None));

    let email = "/v1/email/a.kranz@mailbox.example/reputation";
    let (measure, _, reasons) = evidence(0, true, email).await.unwrap();
    assert_eq!(measure, "registered-domains");
    assert!(reasons.contains("registered with it"), "{reasons}");
}

/// Whoever is asked about what stands around an indicator, and knows nothing, was asked: that is no kind of indicator that
/// nobody scores.
#[tokio::test]
async fn a_source_that_knows_no_domain_around_an_indicator_is_told_with_its_call() {
    let app = Builder::new()
        .settings(|settings| {
            settings.reputation.few_domains = 5;
            settings.reputation.registrations = Registrations::Always;
        })
        .start()
        .await;
    for path in [
        "/v1/ip/203.0.113.250/reputation",
        "/v1/email/nobody@nobody-knows-this.example/reputation",
    ] {
        let answer = app.get(path).await.json();
        let item = &answer["indicators"][0];
        assert_eq!(item["decision"], "unknown", "{item}");
        let evidence = item["evidence"].as_array().unwrap();
        let told = evidence
            .iter()
            .find(|one| one["source"] == "domaintools" && one["status"] == "no_data");
        let told = told.unwrap_or_else(|| panic!("{item}"));
        assert_ne!(told["reasons"], json!([]), "{told}");
        assert_ne!(answer["cost"]["calls"], 0, "{answer}");
    }
}

#[tokio::test]
async fn facts_are_not_asked_for_anew_before_their_time_without_the_scope() {
    let app = Builder::new()
        .settings(|settings| {
            let ttl = &mut settings.providers.get_mut("domaintools").unwrap().ttl;
            ttl.by_capability
                .insert("risk".to_owned(), Duration::from_secs(60));
            ttl.by_capability
                .insert("whois".to_owned(), Duration::from_secs(7 * 86_400));
        })
        .start()
        .await;
    let (token, _) = app
        .app
        .tokens
        .create(NewToken::for_everyday("soar"))
        .await
        .unwrap();
    let get = async |path: &str| {
        let request = app
            .http
            .get(format!("{}{path}", app.base))
            .bearer_auth(token.expose_secret());
        Answer::of(request.send().await.unwrap()).await
    };
    assert_eq!(
        get("/v1/domain/example.com/reputation?max_age=3600").await.status,
        200
    );
    // A registration is kept for a week, whatever is true of risks.
    let refused = get("/v1/context/example.com?max_age=3600").await;
    assert_eq!(refused.status, 403, "{}", refused.body);
}

#[tokio::test]
async fn what_a_relay_found_of_a_sender_counts_whoever_named_the_sender() {
    let app = Builder::new()
        .settings(|settings| {
            settings.trusted_relays = vec!["10.0.0.0/8".parse().unwrap(), "corp.example".parse().unwrap()];
        })
        .start()
        .await;
    let message = base64::engine::general_purpose::STANDARD.encode(MESSAGE);
    for email in [Value::Null, json!("billing@career-offers.example")] {
        let alert = json!({"message_base64": message, "email": email});
        let answer = app.post_json(ALERT, &alert).await.json();
        let items = answer["indicators"].as_array().unwrap();
        let sender = items
            .iter()
            .find(|item| item["indicator"] == "billing@career-offers.example")
            .unwrap();
        let evidence = sender["evidence"].as_array().unwrap();
        assert!(
            evidence
                .iter()
                .any(|one| one["source"] == "message" && one["raw"]["value"] == "dmarc-fail"),
            "{email}: {sender}"
        );
    }
}

#[tokio::test]
async fn what_a_hosted_mail_service_found_counts() {
    let app = Builder::new()
        .settings(|settings| {
            settings.trusted_relays = ["outlook.com", "mx.google.com"]
                .map(|relay| relay.parse().unwrap())
                .to_vec();
        })
        .start()
        .await;
    let found = "spf=fail (sender IP is 192.0.2.7)\r\n smtp.mailfrom=career-offers.example; dkim=none (message not \
        signed)\r\n header.d=none;dmarc=fail action=none header.from=career-offers.example";
    let exchange = "Received: from mail.sender.example (192.0.2.7) by\r\n AM0EUR.mail.protection.outlook.com \
        (10.13.54.12) with\r\n Microsoft SMTP Server id 15.20.1.1; Mon, 2 Nov 2026 10:00:00 +0000\r\n";
    let google = "Received: by 2002:a05:7022:1:b0:8e:1:2 with SMTP id a; Mon, 2 Nov 2026 10:00:02 -0800 (PST)\r\n\
        Received: from mail.sender.example (mail.sender.example. [192.0.2.7])\r\n by mx.google.com with ESMTPS id c\r\n \
        for <a@corp.example>; Mon, 02 Nov 2026 10:00:00 -0800 (PST)\r\n";
    let results = |name: &str| format!("Authentication-Results: {name}{found}\r\n");
    let (hosted, named) = (results(""), results("mx.google.com; "));
    for heads in [
        format!("{hosted}{exchange}"),
        format!("\u{feff}{hosted}{exchange}"),
        format!("{google}{named}"),
        format!("\u{feff}{google}{named}"),
    ] {
        let message = format!("{heads}From: billing@career-offers.example\r\n\r\ntext\r\n");
        let answer = app.post_json(ALERT, &json!({ "message": message })).await.json();
        let items = answer["indicators"].as_array().unwrap();
        let of = |role: &str| {
            items
                .iter()
                .find(|item| item["role"] == role)
                .unwrap_or_else(|| panic!("{answer}"))
        };
        assert_eq!(of("relay")["indicator"], "192.0.2.7", "{heads}");
        let evidence = of("sender")["evidence"].as_array().unwrap().iter();
        let said: Vec<&Value> = evidence
            .filter(|one| one["source"] == "message")
            .map(|one| &one["raw"]["value"])
            .collect();
        assert!(said.contains(&&json!("dmarc-fail")), "{heads}: {said:?}");
        assert!(said.contains(&&json!("spf-fail")), "{heads}: {said:?}");
    }
}

#[tokio::test]
async fn an_answer_in_part_completes_nothing() {
    let app = Builder::new()
        .with(["spamhaus"])
        .settings(|settings| {
            settings.providers.get_mut("spamhaus").unwrap().attempts = 1;
            settings.providers.get_mut("domaintools").unwrap().enabled = false;
        })
        .start()
        .await;
    // The list says nothing of it, and how new it is cannot be asked.
    app.others["spamhaus"].inject(
        Matcher::path(".zrd."),
        Fault::Dns(pivotd::replay::DnsFault::Code(2)),
        None,
    );
    let answer = app
        .post_json(ALERT, &json!({"domain": "nobody-knows-this.example"}))
        .await
        .json();
    let item = &answer["indicators"][0];
    assert_eq!(
        (&item["complete"], &item["decision"]),
        (&json!(false), &json!("undetermined")),
        "{item}"
    );
    assert_eq!(answer["retry_after_s"], 60);
}

#[tokio::test]
async fn an_address_whose_domains_cannot_be_rated_is_not_called_clean() {
    // Of few domains, and of many: those are told only, so that a risk which nobody knows is not missed.
    for (few, broken) in [(100, false), (100, true), (2, false), (2, true)] {
        let app = Builder::new()
            .settings(move |settings| {
                settings.reputation.few_domains = few;
                settings.providers.get_mut("domaintools").unwrap().attempts = 1;
            })
            .start()
            .await;
        for product in ["/risk", "iris-enrich", "/reputation"]
            .into_iter()
            .filter(|_| broken)
        {
            app.vendor
                .inject(Matcher::path(product), Fault::InvalidJson, None);
        }
        let found = app.get("/v1/ip/192.0.2.44/reputation").await.json();
        let item = &found["indicators"][0];
        assert!(
            app.vendor.attempts_to("/v1/") > 0 && found["cost"]["calls"] != 0,
            "{found}"
        );
        if !broken {
            // The risks of all are one call.
            assert_eq!(app.vendor.attempts_to("/v1/iris-enrich/"), 1);
        }
        let missed = broken && few == 100;
        assert_eq!(item["complete"], !missed, "{item}");
        assert_eq!(item["decision"] == "undetermined", missed, "{item}");
    }
}
