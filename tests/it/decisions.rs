//! Decisions that are kept, requests that are sent again, and what people say.

use std::time::Duration;

use pivotd::clock::Clock as _;
use pivotd::decisions::ChosenDecisions;
use pivotd::http::admin::decisions::{ExplainDecision, FindDecisions, ReplayDecisions};
use pivotd::replay::{Fault, Matcher};
use pivotd::tokens::{NewToken, Scope};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{Answer, Builder, TestApp};

const DAY: Duration = Duration::from_secs(86_400);

async fn token(app: &TestApp, new: NewToken) -> String {
    let (token, _) = app.app.tokens.create(new).await.unwrap();
    token.expose_secret().to_owned()
}

async fn with_key(app: &TestApp, path: &str, key: &str, body: &Value) -> Answer {
    app.post_named(path, key, body.to_string()).await
}

#[tokio::test]
async fn a_decision_is_explained_later_and_to_its_tenant_only() {
    let app = TestApp::start().await;
    let alert = json!({"domain": "career-offers.example", "ip": "192.0.2.44"});
    let answer = app.post_json("/v1/alerts/score", &alert).await.json();
    let id = answer["decision_id"].as_str().unwrap();
    let path = format!("/v1/decisions/{id}");
    let kept = app.get(&path).await.json();
    assert_eq!(kept["decision_id"], id);
    assert_eq!(kept["answer"]["summary"], answer["summary"]);
    assert_eq!(kept["policy_version"], answer["policy_version"]);
    assert_eq!(kept["client"], "tester");
    let digests = kept["evidence_digests"][0].as_array().unwrap();
    assert_eq!(
        digests.len(),
        answer["indicators"][0]["evidence"].as_array().unwrap().len()
    );
    assert!(digests.iter().all(|digest| digest.as_str().unwrap().len() == 64));
    // Equal evidence under equal rules is the same decision, wherever the evidence came from.
    let again = app.post_json("/v1/alerts/score", &alert).await.json();
    assert_eq!(
        (&again["decision_id"], &again["cost"]["calls"]),
        (&json!(id), &json!(0))
    );
    let other = json!({"domain": "career-offers.example", "ip": "192.0.2.44", "threshold": 90});
    let other = app.post_json("/v1/alerts/score", &other).await.json();
    assert_ne!(other["decision_id"], id);

    let elsewhere = NewToken {
        tenant: "elsewhere".to_owned(),
        ..NewToken::for_everyday("stranger")
    };
    let stranger = token(&app, elsewhere).await;
    let request = app.http.get(format!("{}{path}", app.base)).bearer_auth(stranger);
    assert_eq!(request.send().await.unwrap().status(), 404);
    assert_eq!(app.get("/v1/decisions/no-id").await.status, 404);

    let app = Builder::new().after(app.stop().await).start().await;
    assert_eq!(
        app.get(&path).await.json()["answer"]["summary"],
        answer["summary"]
    );
}

#[tokio::test]
async fn a_decision_is_kept_for_as_long_as_is_configured_after_it_was_last_made() {
    let app = Builder::new()
        .manual_clock()
        .settings(|settings| settings.decisions_kept = 3 * DAY)
        .start()
        .await;
    let alert = json!({"domain": "career-offers.example"});
    let score = async || {
        let answer = app.post_json("/v1/alerts/score", &alert).await.json();
        format!("/v1/decisions/{}", answer["decision_id"].as_str().unwrap())
    };
    let first = score().await;
    app.clock().advance(2 * DAY);
    assert_eq!(score().await, first, "the same evidence");
    app.clock().advance(2 * DAY);
    let kept = app.get(&first).await.json();
    assert_ne!(kept["decided_at"], kept["last_decided_at"]);
    app.clock().advance(2 * DAY);
    assert_eq!(app.get(&first).await.status, 404);
}

#[tokio::test]
async fn a_request_that_is_sent_again_gets_the_same_reply() {
    let app = Builder::new().manual_clock().start().await;
    let alert = json!({"domain": "career-offers.example"});
    let first = with_key(&app, "/v1/alerts/score", "alert-1", &alert).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, ""));
    let again = with_key(&app, "/v1/alerts/score", "alert-1", &alert).await;
    assert_eq!(
        (again.body.as_str(), again.header("idempotent-replayed")),
        (first.body.as_str(), "true")
    );
    let other = with_key(
        &app,
        "/v1/alerts/score",
        "alert-1",
        &json!({"domain": "example.com"}),
    )
    .await;
    assert_eq!(other.status, 422, "{}", other.body);
    // The same name on another route is another request.
    let elsewhere = with_key(
        &app,
        "/v1/enrich",
        "alert-1",
        &json!({"indicator": "example.com"}),
    )
    .await;
    assert_eq!(elsewhere.status, 422);
    let named = with_key(&app, "/v1/alerts/score", &"x".repeat(256), &alert).await;
    assert_eq!(named.status, 400);

    let clock = app.clock().clone();
    let stopped = app.stop().await;
    let app = Builder::new().clock(clock).after(stopped).start().await;
    let after = with_key(&app, "/v1/alerts/score", "alert-1", &alert).await;
    assert_eq!(after.body, first.body, "also after a restart");
    app.clock().advance(DAY);
    let late = with_key(&app, "/v1/alerts/score", "alert-1", &alert).await;
    assert_eq!((late.status, late.header("idempotent-replayed")), (200, ""));
    assert_ne!(late.json()["request_id"], first.json()["request_id"]);
}

#[tokio::test]
async fn a_request_under_way_is_not_started_twice() {
    let app = TestApp::start().await;
    let held = Fault::Hold(pivotd::replay::Gate::new());
    let gate = held.gate().unwrap().clone();
    app.vendor.inject(Matcher::any(), held, None);
    let alert = json!({"domain": "career-offers.example"});
    let (first, ()) = tokio::join!(with_key(&app, "/v1/alerts/score", "k", &alert), async {
        while app.vendor.attempts() == 0 {
            tokio::task::yield_now().await;
        }
        let second = with_key(&app, "/v1/alerts/score", "k", &alert).await;
        assert_eq!((second.status, second.header("retry-after")), (409, "1"));
        gate.release();
    });
    assert_eq!(first.status, 200);
    let third = with_key(&app, "/v1/alerts/score", "k", &alert).await;
    assert_eq!(third.body, first.body);
}

#[tokio::test]
async fn what_people_say_is_evidence_until_it_ends() {
    let app = Builder::new().manual_clock().start().await;
    let score = async |app: &TestApp| {
        let answer = app
            .get("/v1/domain/career-offers.example/reputation?max_age=86400")
            .await;
        answer.json()
    };
    let before = score(&app).await;
    assert_eq!(before["decision"], "exceeds");
    let path = format!(
        "/v1/decisions/{}/feedback",
        before["decision_id"].as_str().unwrap()
    );
    let wrong =
        json!({"verdict": "false_positive", "reason": "our campaign, ticket 7", "expires_in_days": 2});
    let said = app.post_json(&path, &wrong).await;
    assert_eq!(said.status, 200, "{}", said.body);
    assert_eq!(said.json()["expires_at"], "2026-11-23T00:00:00Z");

    let after = score(&app).await;
    let item = &after["indicators"][0];
    assert_eq!(
        (
            &after["decision"],
            &item["score"],
            &item["uncapped_score"],
            &item["conflict"]
        ),
        (&json!("below"), &json!(20), &json!(87), &json!(true))
    );
    assert!(
        item["explanation"].to_string().contains("our campaign, ticket 7"),
        "{item}"
    );
    let explained = app.get(path.trim_end_matches("/feedback")).await.json();
    assert_eq!(explained["feedback"][0]["verdict"], "false_positive");

    let clock = app.clock().clone();
    let stopped = app.stop().await;
    let app = Builder::new().clock(clock).after(stopped).start().await;
    assert_eq!(score(&app).await["decision"], "below", "also after a restart");
    app.clock().advance(2 * DAY);
    assert_eq!(score(&app).await["decision"], "exceeds", "it has ended");

    let confirmed = json!({"verdict": "confirmed", "reason": "seen in an incident"});
    let nobody = app.get("/v1/domain/nobody-knows-this.example/reputation");
    // The first call of a server asks for the account besides.
    let unknown = app.while_moving(Duration::from_secs(5), nobody).await.json();
    assert_eq!(unknown["decision"], "unknown");
    let path = format!(
        "/v1/decisions/{}/feedback",
        unknown["decision_id"].as_str().unwrap()
    );
    assert_eq!(app.post_json(&path, &confirmed).await.status, 200);
    let known = app
        .get("/v1/domain/nobody-knows-this.example/reputation")
        .await
        .json();
    assert_eq!(
        (&known["decision"], &known["max_score"]),
        (&json!("exceeds"), &json!(95))
    );
    let withdrawn = json!({"verdict": "withdrawn", "reason": "it was another one"});
    assert_eq!(app.post_json(&path, &withdrawn).await.status, 200);
    let again = app
        .get("/v1/domain/nobody-knows-this.example/reputation")
        .await
        .json();
    assert_eq!(again["decision"], "unknown");
}

/// Nobody's mailboxes differ in capitals alone: what is said of one holds for the other.
#[tokio::test]
async fn a_mailbox_is_the_same_in_capitals() {
    let app = Builder::new().start().await;
    let score = async |app: &TestApp, of: Value| app.post_json("/v1/alerts/score", &of).await.json();
    let twice = json!({"email": ["Bad.Guy@gmail.com", "bad.guy@gmail.com", "BAD.GUY@GMAIL.COM"]});
    let alert = score(&app, twice).await;
    let named: Vec<&str> = alert["indicators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["indicator"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["Bad.Guy@gmail.com"], "{alert}");

    let path = format!(
        "/v1/decisions/{}/feedback",
        alert["decision_id"].as_str().unwrap()
    );
    let said =
        json!({"verdict": "confirmed", "reason": "seen in an incident", "indicator": "BAD.guy@gmail.com"});
    let answer = app.post_json(&path, &said).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let stopped = app.stop().await;
    let app = Builder::new().after(stopped).start().await;
    let later = score(&app, json!({"email": "bad.guy@gmail.com"})).await;
    assert_eq!(
        (&later["decision"], &later["max_score"]),
        (&json!("exceeds"), &json!(95)),
        "{later}"
    );

    let path = format!(
        "/v1/decisions/{}/feedback",
        later["decision_id"].as_str().unwrap()
    );
    let withdrawn = json!({"verdict": "withdrawn", "reason": "it was another one"});
    assert_eq!(app.post_json(&path, &withdrawn).await.status, 200);
    let stopped = app.stop().await;
    let app = Builder::new().after(stopped).start().await;
    let again = score(&app, json!({"email": "BAD.GUY@gmail.com"})).await;
    assert_eq!(again["max_score"], json!(null), "{again}");
}

#[tokio::test]
async fn feedback_needs_its_scope_an_indicator_and_a_reason() {
    let app = TestApp::start().await;
    let alert = json!({"domain": "career-offers.example", "ip": "192.0.2.44"});
    let answer = app.post_json("/v1/alerts/score", &alert).await.json();
    let path = format!(
        "/v1/decisions/{}/feedback",
        answer["decision_id"].as_str().unwrap()
    );
    for (body, part) in [
        (json!({"verdict": "false_positive", "reason": "x"}), "indicator"),
        (
            json!({"indicator": "example.com", "verdict": "false_positive", "reason": "x"}),
            "none of this decision's",
        ),
        (
            json!({"indicator": "192.0.2.44", "verdict": "false_positive", "reason": " "}),
            "reason",
        ),
        (
            json!({"indicator": "192.0.2.44", "verdict": "maybe", "reason": "x"}),
            "maybe",
        ),
        (
            json!({"indicator": "192.0.2.44", "verdict": "confirmed", "reason": "x", "expires_in_days": 400}),
            "expires_in_days",
        ),
    ] {
        let answer = app.post_json(&path, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(part),
            "{}",
            answer.body
        );
    }
    let enrich = token(&app, NewToken::for_everyday("playbook")).await;
    let said = json!({"indicator": "192.0.2.44", "verdict": "confirmed", "reason": "x"});
    let request = app
        .http
        .post(format!("{}{path}", app.base))
        .bearer_auth(&enrich)
        .body(said.to_string());
    assert_eq!(request.send().await.unwrap().status(), 403);
    let scoped = NewToken {
        scopes: vec![Scope::Feedback],
        ..NewToken::for_everyday("analyst")
    };
    let scoped = token(&app, scoped).await;
    let request = app
        .http
        .post(format!("{}{path}", app.base))
        .bearer_auth(&scoped)
        .body(said.to_string());
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn nothing_of_one_tenant_or_client_is_told_to_or_decides_for_another() {
    let app = TestApp::start().await;
    let of = |client: &str, tenant: &str| NewToken {
        tenant: tenant.to_owned(),
        scopes: Scope::ALL.to_vec(),
        ..NewToken::for_everyday(client)
    };
    let [ours, colleague, stranger] = [
        token(&app, of("ours", "default")).await,
        token(&app, of("colleague", "default")).await,
        token(&app, of("ours", "elsewhere")).await,
    ];
    let alert = json!({"domain": "career-offers.example"});
    let post = async |token: &str, path: &str, key: Option<&str>, body: &Value| {
        let mut request = app
            .http
            .post(format!("{}{path}", app.base))
            .bearer_auth(token)
            .body(body.to_string());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Answer::of(request.send().await.unwrap()).await
    };
    let first = post(&ours, "/v1/alerts/score", Some("same"), &alert).await.json();
    for other in [&colleague, &stranger] {
        let reply = post(other, "/v1/alerts/score", Some("same"), &alert).await;
        assert_eq!((reply.status, reply.header("idempotent-replayed")), (200, ""));
        assert_ne!(reply.json()["request_id"], first["request_id"]);
        // Nor does it tell that somebody used the name for something else.
        let another = json!({"domain": "example.com"});
        let reply = post(other, "/v1/alerts/score", Some("other"), &another).await;
        assert_eq!(reply.status, 200);
    }
    let id = first["decision_id"].as_str().unwrap();
    let feedback = format!("/v1/decisions/{id}/feedback");
    let harmless = json!({"verdict": "false_positive", "reason": "our own campaign"});
    assert_eq!(post(&stranger, &feedback, None, &harmless).await.status, 404);
    assert_eq!(post(&ours, &feedback, None, &harmless).await.status, 200);
    let decision =
        async |token: &str| post(token, "/v1/alerts/score", None, &alert).await.json()["decision"].clone();
    assert_eq!(decision(&ours).await, "below");
    assert_eq!(
        decision(&colleague).await,
        "below",
        "what a tenant's people say holds for it"
    );
    assert_eq!(decision(&stranger).await, "exceeds");
}

#[tokio::test]
async fn a_request_that_failed_may_be_sent_again_under_its_name() {
    let app = TestApp::start().await;
    let wrong = json!({"domain": "career-offers.example", "threshold": 1000});
    for _ in 0..2 {
        assert_eq!(
            with_key(&app, "/v1/alerts/score", "twice", &wrong).await.status,
            400
        );
    }
    let right = json!({"domain": "career-offers.example"});
    let answer = with_key(&app, "/v1/alerts/score", "twice", &right).await;
    assert_eq!((answer.status, answer.header("idempotent-replayed")), (200, ""));
}

/// Asks about so many names of which a list says something, so that each is a decision of its own.
async fn decide(app: &TestApp, token: &str, range: std::ops::Range<usize>) -> Vec<String> {
    let names: Vec<String> = range
        .map(|at| format!("host-{at}.career-offers.example"))
        .collect();
    let mut ids = Vec::new();
    for name in names {
        let request = app
            .http
            .post(format!("{}/v1/enrich", app.base))
            .bearer_auth(token);
        let answer = Answer::of(
            request
                .body(json!({"indicator": name}).to_string())
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        ids.push(answer.json()["decision_id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn are_kept(app: &TestApp, ids: &[String]) -> Vec<bool> {
    let mut kept = Vec::new();
    for id in ids {
        kept.push(app.get(&format!("/v1/decisions/{id}")).await.status == 200);
    }
    kept
}

fn gauge(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn decisions_take_no_more_than_their_room_and_a_clients_own_oldest_go_first() {
    let app = Builder::new()
        .manual_clock()
        .settings(|settings| settings.store.decisions_per_client = 16 << 10)
        .start()
        .await;
    let other = token(&app, NewToken::for_everyday("other")).await;
    let others = decide(&app, &other, 0..2).await;
    let own_token = app.token.clone();
    let mut own = Vec::new();
    for at in 10..40 {
        app.clock().advance(Duration::from_secs(1));
        own.extend(decide(&app, &own_token, at..at + 1).await);
    }
    let kept = are_kept(&app, &own).await;
    let first = kept.iter().position(|kept| *kept).unwrap();
    assert!(first > 0, "none was given up");
    assert!(kept[first..].iter().all(|kept| *kept), "{kept:?}");
    assert_eq!(are_kept(&app, &others).await, [true, true]);
    let metrics = app.get("/metrics").await.body;
    assert_eq!(gauge(&metrics, "pivotd_decisions_given_up_total"), first as u64);
    let bytes = gauge(&metrics, "pivotd_decisions_kept_bytes");
    assert!(bytes > 0 && bytes < 32 << 10, "{bytes}");
    // One that was given up is kept again when it is made again.
    assert_eq!(decide(&app, &own_token, 10..11).await, own[..1]);
    assert_eq!(are_kept(&app, &own[..1]).await, [true]);
    // What is kept is known after a restart.
    let bytes = app.app.decisions.bytes();
    let clock = app.clock().clone();
    let app = Builder::new().clock(clock).after(app.stop().await).start().await;
    assert_eq!(app.app.decisions.bytes(), bytes);
    let clients = app.app.decisions.clients();
    let names: Vec<&str> = clients.iter().map(|one| one.client.as_str()).collect();
    assert_eq!(names, ["tester", "other"], "{clients:?}");
}

#[tokio::test]
async fn a_decision_that_is_made_again_is_counted_once() {
    let app = Builder::new().manual_clock().start().await;
    let own = app.token.clone();
    decide(&app, &own, 0..1).await;
    let bytes = app.app.decisions.bytes();
    app.clock().advance(2 * DAY);
    decide(&app, &own, 0..1).await;
    let clients = app.app.decisions.clients();
    assert_eq!((clients.len(), clients[0].count), (1, 1));
    assert!(app.app.decisions.bytes().abs_diff(bytes) < 64, "{bytes}");
}

#[tokio::test]
async fn decisions_are_removed_by_client_and_age() {
    let app = Builder::new().manual_clock().start().await;
    let own = app.token.clone();
    let other = token(&app, NewToken::for_everyday("other")).await;
    let old = decide(&app, &own, 0..2).await;
    let others = decide(&app, &other, 2..4).await;
    app.clock().advance(3 * DAY);
    let new = decide(&app, &own, 4..6).await;
    let remove = async |client: Option<&str>, older_than_s| {
        let chosen = ChosenDecisions {
            client: client.map(str::to_owned),
            tenant: None,
            older_than_s,
        };
        app.operator(&chosen).await.unwrap().count
    };
    assert_eq!(remove(Some("tester"), Some(2 * 86_400)).await, 2);
    assert_eq!(are_kept(&app, &old).await, [false, false]);
    assert_eq!(are_kept(&app, &new).await, [true, true]);
    assert_eq!(are_kept(&app, &others).await, [true, true]);
    // One that was removed is kept again when it is asked about again, and not sent as it was rendered.
    assert_eq!(decide(&app, &own, 4..5).await, new[..1]);
    assert_eq!(remove(Some("nobody"), None).await, 0);
    assert_eq!(remove(None, None).await, 4);
    assert_eq!(are_kept(&app, &new).await, [false, false]);
    assert_eq!(
        (app.app.decisions.bytes(), app.app.decisions.clients().len()),
        (0, 0)
    );
    assert_eq!(decide(&app, &own, 4..6).await, new);
    assert_eq!(are_kept(&app, &new).await, [true, true]);
}

#[tokio::test]
async fn an_answer_for_which_nobody_was_asked_is_not_kept() {
    let app = TestApp::start().await;
    let hash = "07b8ef109aae055418a43301ebe6b5b18b9f6b711bfdbcde4538bf76c5d68e00";
    let answer = app
        .post_json("/v1/enrich", &json!({"indicator": hash}))
        .await
        .json();
    assert_eq!(answer["decision"], "unsupported", "{answer}");
    let path = format!("/v1/decisions/{}", answer["decision_id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.app.decisions.bytes(), 0);
}

#[tokio::test]
async fn a_decision_is_found_and_explained_under_the_policy_of_then_and_of_today() {
    let app = Builder::new().manual_clock().start().await;
    let asked = json!({"domain": "career-offers.example", "ip": "192.0.2.44"});
    let answer = app.post_json("/v1/alerts/score", &asked).await.json();
    assert_eq!(answer["decision"], "exceeds", "{answer}");
    let id = answer["decision_id"].as_str().unwrap().to_owned();
    // A day later another one is made of another indicator.
    app.clock().advance(DAY);
    let other = json!({"domain": "example.org"});
    let other = app.post_json("/v1/alerts/score", &other).await.json();
    let find = async |find: FindDecisions| {
        let found = app.operator(&find).await.unwrap();
        let ids = found.decisions.iter().map(|one| one.decision_id.clone());
        (ids.collect::<Vec<_>>(), found.next)
    };
    let (latest, second) = (other["decision_id"].as_str().unwrap().to_owned(), id.clone());
    assert_eq!(
        find(FindDecisions::default()).await,
        (vec![latest.clone(), second.clone()], None)
    );
    let one = |cursor| FindDecisions {
        limit: Some(1),
        cursor,
        ..FindDecisions::default()
    };
    let (page, next) = find(one(None)).await;
    assert_eq!(page, std::slice::from_ref(&latest));
    assert_eq!(find(one(next)).await, (vec![second.clone()], None));
    let day_ago = app.clock().now() - one_day();
    for (wanted, expected) in [
        (
            FindDecisions {
                indicator: Some("career-offers[.]example".to_owned()),
                ..FindDecisions::default()
            },
            vec![second.clone()],
        ),
        (
            FindDecisions {
                decision: Some("exceeds".to_owned()),
                ..FindDecisions::default()
            },
            vec![second.clone()],
        ),
        (
            FindDecisions {
                client: Some("nobody".to_owned()),
                ..FindDecisions::default()
            },
            vec![],
        ),
        (
            FindDecisions {
                tenant: Some("elsewhere".to_owned()),
                ..FindDecisions::default()
            },
            vec![],
        ),
        (
            FindDecisions {
                to: Some(day_ago + jiff::SignedDuration::from_secs(1)),
                ..FindDecisions::default()
            },
            vec![second.clone()],
        ),
        (
            FindDecisions {
                from: Some(day_ago + jiff::SignedDuration::from_secs(1)),
                ..FindDecisions::default()
            },
            vec![latest.clone()],
        ),
    ] {
        assert_eq!(find(wanted.clone()).await.0, expected, "{wanted:?}");
    }
    for (wrong, reason) in [
        (
            FindDecisions {
                limit: Some(201),
                ..FindDecisions::default()
            },
            "limit",
        ),
        (
            FindDecisions {
                cursor: Some("none".to_owned()),
                ..FindDecisions::default()
            },
            "cursor",
        ),
        (
            FindDecisions {
                decision: Some("malicious".to_owned()),
                ..FindDecisions::default()
            },
            "decision",
        ),
    ] {
        let refused = app.operator(&wrong).await.unwrap_err().to_string();
        assert!(refused.starts_with(reason), "{refused}");
    }
    // Under the same policy, the same evidence comes to the same.
    let explain = ExplainDecision {
        decision_id: id.clone(),
    };
    let explained = app.operator(&explain).await.unwrap();
    assert_eq!(explained.decision.answer["summary"], answer["summary"]);
    assert_eq!(
        (explained.replay.not_replayed, explained.replay.changes),
        (None, vec![])
    );
    let report = app.operator(&ReplayDecisions::default()).await.unwrap();
    assert_eq!(
        (report.replayed, report.changed, report.rescored),
        (2, 0, 0),
        "{report:?}"
    );
    // A policy that is tried changes nothing but the report.
    let text = "extends = \"built-in\"\n[reputation]\nthreshold = 100\n".to_owned();
    let tried = ReplayDecisions {
        configuration: Some(text),
        ..ReplayDecisions::default()
    };
    let report = app.operator(&tried).await.unwrap();
    assert_eq!((report.replayed, report.changed), (2, 1), "{report:?}");
    assert_eq!(report.decisions[0].found.decision_id, id);
    let because: Vec<&String> = report.decisions[0]
        .changes
        .iter()
        .flat_map(|change| &change.because)
        .collect();
    assert!(
        because
            .iter()
            .any(|why| why.contains("threshold: ") && why.contains("100 now")),
        "{because:?}"
    );
    // Another policy holds from now on: both are told.
    let mut loaded = app.app.configured.load().loaded.clone();
    loaded.settings.reputation.thresholds.all = Some(100);
    app.app.reload(loaded).unwrap();
    let explained = app.operator(&explain).await.unwrap();
    assert_eq!(explained.decision.answer["decision"], "exceeds");
    assert_ne!(explained.replay.policy_version, explained.decision.policy_version);
    let whole = &explained.replay.changes[0];
    assert_eq!(
        (whole.indicator.as_deref(), whole.before.decision.as_str()),
        (None, "exceeds")
    );
    assert_ne!(whole.after.decision, "exceeds");
    // What clients are shown holds no more than before.
    let shown = app.get(&format!("/v1/decisions/{id}")).await.json();
    assert_eq!(shown.get("inputs"), None);
    let none = ExplainDecision {
        decision_id: "00000000-0000-8000-8000-000000000000".to_owned(),
    };
    assert!(
        app.operator(&none)
            .await
            .unwrap_err()
            .to_string()
            .contains("no such decision")
    );
}

#[tokio::test]
async fn an_explanation_says_what_people_said_and_what_that_changed() {
    let app = TestApp::start().await;
    let asked = json!({"domain": "career-offers.example"});
    let first = app.post_json("/v1/alerts/score", &asked).await.json();
    let first = first["decision_id"].as_str().unwrap().to_owned();
    let said = json!({"verdict": "false_positive", "reason": "our own campaign"});
    let given = app
        .post_json(&format!("/v1/decisions/{first}/feedback"), &said)
        .await;
    assert_eq!(given.status, 200, "{}", given.body);
    let second = app.post_json("/v1/alerts/score", &asked).await.json();
    let second = second["decision_id"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    let explain = async |decision_id: &String| {
        let explain = ExplainDecision {
            decision_id: decision_id.clone(),
        };
        app.operator(&explain).await.unwrap()
    };
    let before = explain(&first).await;
    assert_eq!(before.feedback[0].reason, "our own campaign");
    assert!(before.replay.changes.is_empty() && before.replay.without_feedback.is_empty());
    let after = explain(&second).await;
    assert!(after.replay.changes.is_empty(), "{:?}", after.replay);
    let without = &after.replay.without_feedback[0];
    assert_eq!(without.after.decision, "exceeds", "{without:?}");
}

fn one_day() -> jiff::SignedDuration {
    jiff::SignedDuration::from_hours(24)
}
