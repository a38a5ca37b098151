//! A clock that is wrong once: budgets, decisions and what is kept are as before when it is right again.

use std::time::Duration;

use jiff::SignedDuration;
use pivotd::clock::manual::ManualClock;
use pivotd::config::Settings;
use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use pivotd::replay::{Fault, Matcher};
use serde_json::json;

use crate::support::{Builder, Entity, TestApp, budget, start_of_time};

const IP_HISTORY: &str = "domaintools.ip-history";
const ALERT: &str = "/v1/alerts/score";
const HOUR: Duration = Duration::from_secs(3600);

const fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

fn shifted(by: SignedDuration) -> ManualClock {
    let clock = start_of_time();
    clock.shift_wall(by);
    clock
}

/// Allows so many calls a month.
fn calls(count: i64) -> impl FnOnce(&mut Settings) + 'static {
    move |settings| {
        let provider = settings.providers.get_mut("domaintools").unwrap();
        provider.attempts = 1;
        provider.budget = vec![budget(None, count, BudgetUnit::Calls, BudgetWindow::Month)];
    }
}

/// Asks about a new name; tells whether the vendor was asked.
async fn asks(app: &TestApp, name: &str) -> bool {
    let before = app.vendor.attempts();
    let answer = app.run(IP_HISTORY, Entity::domain(name)).await;
    let asked = app.vendor.attempts() > before;
    assert_eq!(answer.said("PartialError").is_empty(), asked, "{}", answer.body);
    asked
}

#[tokio::test]
async fn one_start_with_a_wrong_clock_freezes_no_budget_and_removes_no_decision() {
    for wrong in [days(500), days(-500)] {
        let app = Builder::new().manual_clock().settings(calls(6)).start().await;
        let alert = json!({"domain": "career-offers.example"});
        let decision = app.post_json(ALERT, &alert).await.json();
        let id = format!("/v1/decisions/{}", decision["decision_id"].as_str().unwrap());
        let spent = i64::try_from(app.vendor.attempts()).unwrap();
        let left = 6 - spent;
        assert!(left >= 3, "{spent}");
        let before = app.get(&id).await.json();

        let builder = Builder::new().after(app.stop().await).settings(calls(6));
        let app = builder.clock(shifted(wrong)).start().await;
        let metrics = app.get("/metrics").await.body;
        assert!(metrics.contains("pivotd_clock_doubted 1"), "{metrics}");
        assert_eq!(app.app.engine.sweep().await.unwrap(), 0);
        assert_eq!(app.get(&id).await.status, 200, "{wrong}");
        // What is spent meanwhile passes neither window.
        for at in 0..left {
            assert!(asks(&app, &format!("wrong-{at}.example")).await, "{wrong} {at}");
        }
        assert!(!asks(&app, "wrong-too-many.example").await, "{wrong}");
        // The same decision, made while the clock is wrong, is kept for as long as it was.
        app.post_json(ALERT, &alert).await;

        let builder = Builder::new().after(app.stop().await).settings(calls(8));
        let app = builder.manual_clock().start().await;
        let metrics = app.get("/metrics").await.body;
        assert!(metrics.contains("pivotd_clock_doubted 0"), "{metrics}");
        app.app.engine.sweep().await.unwrap();
        let after = app.get(&id).await.json();
        assert_eq!(after["answer"], before["answer"], "{wrong}");
        // The month's window goes on where it was.
        assert!(asks(&app, "right-0.example").await, "{wrong}");
        assert!(asks(&app, "right-1.example").await, "{wrong}");
        assert!(!asks(&app, "right-2.example").await, "{wrong}");
        app.stop().await;
    }
}

#[tokio::test]
async fn a_jump_while_running_opens_no_window_shuts_none_and_leaves_no_trace() {
    for jump in [days(500), days(-500)] {
        let app = Builder::new().manual_clock().settings(calls(4)).start().await;
        assert!(asks(&app, "before.example").await);
        app.clock().shift_wall(jump);
        assert!(asks(&app, "meanwhile-0.example").await, "{jump}");
        // What the vendor says then must not shut it when the clock is right.
        app.vendor
            .inject(Matcher::any(), Fault::too_many_requests(Some("600")), Some(1));
        app.run(IP_HISTORY, Entity::domain("limited.example")).await;
        app.clock().shift_wall(-jump);
        app.clock().advance(HOUR);
        assert!(asks(&app, "after.example").await, "{jump}");
        assert!(!asks(&app, "too-many.example").await, "{jump}");
        // Of an answer from a time that never was nobody is told as of a fresh one for ever.
        assert_eq!(app.vendor.attempts(), 4, "{jump}");
    }
}

#[tokio::test]
async fn a_jump_that_lasts_is_believed_and_then_windows_open_and_what_is_old_is_removed() {
    let app = Builder::new().manual_clock().settings(calls(1)).start().await;
    assert!(asks(&app, "before.example").await);
    app.clock().shift_wall(days(60));
    let answer = app.run(IP_HISTORY, Entity::domain("meanwhile.example")).await;
    let said = answer.said("PartialError");
    assert!(
        said.contains("which the clock's jump has not opened")
            && said.contains("it opens at 2027-01-20 01:00:00"),
        "{said}"
    );
    app.clock().advance(HOUR);
    assert!(asks(&app, "later.example").await);
    assert!(app.app.engine.sweep().await.unwrap() > 0);
    assert!(!asks(&app, "too-many.example").await);
}

#[tokio::test]
async fn an_operator_confirms_a_jump_and_the_log_tells_of_it() {
    let app = Builder::new().manual_clock().settings(calls(1)).start().await;
    assert!(asks(&app, "before.example").await);
    app.clock().shift_wall(days(60));
    assert!(!asks(&app, "meanwhile.example").await);
    let view = app.app.engine.time().confirm();
    assert_eq!(view.believed_at, None);
    assert!(asks(&app, "confirmed.example").await);
}

#[tokio::test]
async fn tokens_live_by_the_known_time() {
    let app = Builder::new().manual_clock().start().await;
    let new = pivotd::tokens::NewToken {
        lifetime_s: Some(86_400),
        ..pivotd::tokens::NewToken::for_everyday("anna")
    };
    let (text, _) = app.app.tokens.create(new).await.unwrap();
    let text = secrecy::ExposeSecret::expose_secret(&text);
    app.clock().shift_wall(days(500));
    assert!(app.app.tokens.find(text, None).is_ok());
    app.clock().advance(HOUR);
    assert!(app.app.tokens.find(text, None).is_err(), "the jump has lasted");
}
