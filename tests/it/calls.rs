//! What calls cost that failed.

use std::time::Duration;

use pivotd::replay::{Fault, Gate, Matcher};
use serde_json::json;

use crate::support::{Builder, TestApp};

const ALERT: &str = "/v1/alerts/score";

/// A server that asks one vendor, which answers so.
async fn faulty(fault: Fault) -> TestApp {
    let app = Builder::new()
        .manual_clock()
        .with(["virustotal"])
        .settings(|settings| {
            let provider = settings.providers.get_mut("virustotal").unwrap();
            provider.attempts = 3;
            // Longer than any wait of the engine's own, so that the clock passes the one and not the other.
            provider.timeout = Duration::from_secs(90);
            settings.deadlines.enrich = Duration::from_secs(3000);
        })
        .start()
        .await;
    app.others["virustotal"].inject(Matcher::any(), fault, None);
    app
}

#[tokio::test]
async fn attempts_that_failed_are_calls() {
    let broken = Fault::Status {
        code: 500,
        headers: Vec::new(),
        body: String::new(),
    };
    for (fault, least) in [
        (broken, 3),
        (Fault::too_many_requests(Some("7200")), 1),
        (Fault::InvalidJson, 1),
    ] {
        let what = format!("{fault:?}");
        let app = faulty(fault).await;
        let alert = json!({"domain": "example.com", "providers": ["virustotal"]});
        let asked = app.post_json(ALERT, &alert);
        let answer = app.while_moving(Duration::from_secs(70), asked).await.json();
        let seen = app.others["virustotal"].attempts();
        assert_eq!(answer["cost"]["calls"], seen, "{what}: {answer}");
        assert!(seen >= least, "{what}: {seen}");
        assert_eq!(answer["indicators"][0]["complete"], false, "{what}: {answer}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_answered_before_the_deadline_is_one() {
    let gate = Gate::new();
    let app = faulty(Fault::Hold(gate)).await;
    let alert = json!({"domain": "example.com", "providers": ["virustotal"], "deadline_s": 2});
    let asked = app.post_json(ALERT, &alert);
    tokio::pin!(asked);
    let vendor = &app.others["virustotal"];
    let answer = tokio::select! {
        biased;
        answer = &mut asked => answer,
        () = vendor.wait_for_attempts(1) => app.while_moving(Duration::from_secs(70), asked).await,
    };
    assert_eq!(answer.json()["cost"]["calls"], 1, "{}", answer.body);
}
