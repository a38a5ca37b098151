//! The engine: one attempt for equal questions, never over the rate, always in the ledger.

use std::time::Duration;

use futures_util::future::join_all;
use pivotd::replay::{Fault, Gate, Matcher};

use crate::support::{Builder, Entity, TestApp, rate};

#[tokio::test]
async fn a_thousand_equal_questions_make_one_attempt() {
    let app = TestApp::start().await;
    let gate = Gate::new();
    app.vendor.inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    let questions =
        join_all((0..1000).map(|_| app.run("domaintools.ip-history", Entity::domain("example.com"))));
    let release = async {
        app.vendor.wait_for_attempts(1).await;
        gate.release();
    };
    let (answers, ()) = tokio::join!(questions, release);
    assert_eq!(answers.len(), 1000);
    assert!(
        answers
            .iter()
            .all(|answer| answer.body == answers[0].body && !answer.entities().is_empty())
    );
    assert_eq!(app.vendor.attempts(), 1);
}

#[tokio::test]
async fn sixty_selected_domains_at_sixty_a_minute_are_all_answered() {
    let builder = Builder::new().manual_clock().settings(|settings| {
        settings.providers.get_mut("domaintools").unwrap().rate = vec![rate(60, 60)];
    });
    let app = builder.start().await;
    let names: Vec<String> = (0..60).map(|n| format!("selected-{n}.example")).collect();
    let questions = join_all(
        names
            .iter()
            .map(|name| app.run("domaintools.ip-history", Entity::domain(name))),
    );
    // The fixtures know none of these names: each is answered with "knows nothing of it".
    let answers = app.while_moving(Duration::from_secs(5), questions).await;
    for (name, answer) in names.iter().zip(&answers) {
        assert!(
            answer.messages().iter().any(|(_, text)| text.starts_with(name)),
            "{}",
            answer.body
        );
        assert!(answer.said("Inform").contains("knows nothing"), "{}", answer.body);
    }
    assert_eq!(app.vendor.attempts(), 60);
}
