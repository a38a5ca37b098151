//! The engine: one attempt for equal questions, never over the rate, always in the ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use pivotd::clock::Clock;
use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use pivotd::replay::{Fault, Gate, Matcher};

use crate::support::{Builder, Entity, TestApp, budget, rate};

const IP_HISTORY: &str = "domaintools.ip-history";

#[tokio::test]
async fn a_thousand_equal_questions_make_one_attempt() {
    let app = TestApp::start().await;
    let gate = Gate::new();
    app.vendor.inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    let questions = join_all((0..1000).map(|_| app.run(IP_HISTORY, Entity::domain("example.com"))));
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
async fn five_hundred_questions_at_ten_a_second_never_pass_the_rate() {
    let builder = Builder::new().manual_clock().settings(|settings| {
        settings.deadlines.maltego = Duration::from_secs(30);
        settings.providers.get_mut("domaintools").unwrap().rate = vec![rate(10, 1)];
    });
    let app = builder.start().await;
    let clock = app.clock().clone();
    let names: Vec<String> = (0..500).map(|n| format!("name-{n}.example")).collect();
    let questions = join_all(names.iter().map(|name| app.run(IP_HISTORY, Entity::domain(name))));
    // The clock stands still while anything is on the wire: each step gives one token, and what comes of it comes.
    let limiter = app.app.engine.runtimes()["domaintools"]
        .keyring
        .server_account()
        .unwrap()
        .limiter
        .clone();
    let mut max = BTreeMap::new();
    tokio::pin!(questions);
    let answers = loop {
        let step = async {
            let wait = clock.wait_for_sleeper(Duration::from_millis(150)).await;
            while app.app.engine.in_flight() > limiter.waiting() {
                tokio::task::yield_now().await;
            }
            wait
        };
        tokio::select! {
            biased;
            answers = &mut questions => break answers,
            wait = step => {
                max.insert(clock.elapsed(), app.vendor.attempts());
                clock.advance(wait);
            }
        }
    };
    for (at, seen) in &max {
        let allowed = at.as_millis() / 100 + 1;
        assert!(
            u128::from(*seen) <= allowed,
            "{seen} attempts by {at:?}, {allowed} allowed"
        );
    }
    let (mut answered, mut told) = (0, 0);
    for (name, answer) in names.iter().zip(&answers) {
        let (knows, late) = (answer.said("Inform"), answer.said("PartialError"));
        if knows.starts_with(&format!("{name}: ")) {
            answered += 1;
        } else {
            assert!(
                late.starts_with(&format!("{name}: ")) && late.contains("it opens at"),
                "{}",
                answer.body
            );
            assert!(late.contains("charged nothing"), "{late}");
            told += 1;
        }
    }
    assert_eq!(answered, app.vendor.attempts());
    assert!(
        answered >= 250 && told > 0,
        "{answered} answered, {told} told when, of 500 within 30 s at 10/s"
    );
}

#[tokio::test]
async fn sixty_selected_domains_at_sixty_a_minute_are_all_answered() {
    let builder = Builder::new().manual_clock().settings(|settings| {
        settings.providers.get_mut("domaintools").unwrap().rate = vec![rate(60, 60)];
    });
    let app = builder.start().await;
    let names: Vec<String> = (0..60).map(|n| format!("selected-{n}.example")).collect();
    let questions = join_all(names.iter().map(|name| app.run(IP_HISTORY, Entity::domain(name))));
    // The fixtures know none of these names: each is answered with "knows nothing of it".
    let answers = app.while_moving(Duration::from_secs(5), questions).await;
    for (name, answer) in names.iter().zip(&answers) {
        let said = answer.said("Inform");
        assert!(
            said.starts_with(&format!("{name}: DomainTools knows nothing")),
            "{}",
            answer.body
        );
    }
    assert_eq!(app.vendor.attempts(), 60);
}

#[tokio::test]
async fn a_failing_vendor_is_asked_again_and_every_attempt_is_booked() {
    let app = Builder::new().manual_clock().start().await;
    let fault = || Fault::Status {
        code: 502,
        headers: Vec::new(),
        body: "bad gateway".into(),
    };
    app.vendor.inject(Matcher::any(), fault(), Some(2));
    let answer = app
        .while_moving(
            Duration::from_secs(12),
            app.run(IP_HISTORY, Entity::domain("example.com")),
        )
        .await;
    assert!(!answer.entities().is_empty(), "{}", answer.body);
    assert_eq!(app.vendor.attempts(), 3);
    app.app.engine.store().settled().await;
    assert_eq!(app.app.engine.ledger().calls_by_product("domaintools")["*"], 3);
    let metrics = app.get("/metrics").await.body;
    let counted: f64 = metrics
        .lines()
        .filter(|line| line.starts_with("pivotd_provider_attempts_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum();
    assert!((counted - 3.0).abs() < f64::EPSILON, "{metrics}");
}

#[tokio::test]
async fn the_schedule_keeps_what_retry_after_says() {
    let builder = Builder::new().manual_clock().settings(|settings| {
        // Longer than the wait, so that the clock can be moved past one and not the other.
        settings.providers.get_mut("domaintools").unwrap().timeout = Duration::from_secs(90);
    });
    let app = builder.start().await;
    app.vendor
        .inject(Matcher::any(), Fault::too_many_requests(Some("40")), Some(1));
    let started = app.clock().elapsed();
    let answer = app
        .while_moving(
            Duration::from_secs(45),
            app.run(IP_HISTORY, Entity::domain("example.com")),
        )
        .await;
    let waited = app.clock().elapsed() - started;
    assert!(!answer.entities().is_empty(), "{}", answer.body);
    assert!(waited >= Duration::from_secs(40), "{waited:?}");
}

#[tokio::test]
async fn a_caller_who_leaves_before_the_spend_costs_nothing_and_after_it_is_kept() {
    let builder = Builder::new().manual_clock().settings(|settings| {
        settings.providers.get_mut("domaintools").unwrap().rate = vec![rate(1, 60)];
    });
    let app = builder.start().await;
    let gate = Gate::new();
    app.vendor
        .inject(Matcher::any(), Fault::Hold(gate.clone()), Some(1));
    let engine = &app.app.engine;
    let first = app.run(IP_HISTORY, Entity::domain("example.com"));
    tokio::select! {
        _ = first => panic!("the answer is held"),
        () = app.vendor.wait_for_attempts(1) => {}
    }
    gate.release();
    // The first caller is gone; its bytes had left, so its answer is kept and the next one pays nothing.
    while engine.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
    let again = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert_eq!((again.header("pivotd-cache"), app.vendor.attempts()), ("hit", 1));
}

#[tokio::test]
async fn a_day_opens_a_budget_again_and_a_clock_that_goes_back_does_not() {
    let builder = Builder::new().manual_clock().settings(|settings| {
        let provider = settings.providers.get_mut("domaintools").unwrap();
        provider.budget = vec![budget(None, 1, BudgetUnit::Calls, BudgetWindow::Day)];
    });
    let app = builder.start().await;
    let run = async |name: &str| {
        app.run(IP_HISTORY, Entity::domain(name))
            .await
            .said("PartialError")
    };
    assert_eq!(run("one.example").await, "");
    assert!(
        run("two.example")
            .await
            .contains("it opens at 2026-11-22 00:00:00 UTC")
    );
    app.clock().shift_wall(jiff::SignedDuration::from_hours(-48));
    assert!(
        run("three.example").await.contains("it opens at 2026-11-22"),
        "no window opens by going back"
    );
    app.clock().shift_wall(jiff::SignedDuration::from_hours(48));
    app.clock().advance(Duration::from_secs(24 * 3600));
    assert_eq!(run("four.example").await, "");
    assert_eq!(app.vendor.attempts(), 2);
}

#[tokio::test]
async fn the_ledger_survives_a_restart_and_names_who_asked_what() {
    let limited = |settings: &mut pivotd::config::Settings| {
        let provider = settings.providers.get_mut("domaintools").unwrap();
        provider.budget = vec![budget(None, 1, BudgetUnit::Calls, BudgetWindow::Month)];
    };
    let app = Builder::new().settings(limited).start().await;
    app.run(IP_HISTORY, Entity::domain("example.com")).await;
    let app = Builder::new()
        .after(app.stop().await)
        .settings(limited)
        .start()
        .await;
    let answer = app.run(IP_HISTORY, Entity::domain("example.org")).await;
    assert!(answer.said("PartialError").contains("used up"), "{}", answer.body);
    let audit = app.app.engine.store().audit(10).await.unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!(audit[0]["client"], "tester");
    assert_eq!(audit[0]["operation"], IP_HISTORY);
    assert_eq!(audit[0]["question"], "ip-history domain example.com");
    assert_eq!(audit[0]["cost"]["calls"], 1);
}

#[tokio::test]
async fn a_vendor_that_failed_and_recovers_is_asked_again_after_the_pause() {
    let builder = Builder::new().manual_clock().settings(|settings| {
        settings.providers.get_mut("domaintools").unwrap().attempts = 1;
    });
    let app = builder.start().await;
    let fault = Fault::Status {
        code: 502,
        headers: Vec::new(),
        body: "bad gateway".into(),
    };
    app.vendor.inject(Matcher::any(), fault, Some(5));
    for n in 0..6 {
        let answer = app
            .run(IP_HISTORY, Entity::domain(&format!("failing-{n}.example")))
            .await;
        assert!(
            answer.said("PartialError").contains("(request "),
            "{}",
            answer.body
        );
    }
    assert_eq!(app.vendor.attempts(), 5, "the sixth is not sent");
    app.clock().advance(Duration::from_secs(16));
    for name in ["example.com", "example.net"] {
        let answer = app.run(IP_HISTORY, Entity::domain(name)).await;
        assert!(!answer.entities().is_empty(), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_purchase_that_fails_is_sent_once_and_told_as_a_failure() {
    let builder = Builder::new().manual_clock().settings(|settings| {
        let mut money = budget(
            Some("reverse-whois"),
            20_000,
            BudgetUnit::Cents,
            BudgetWindow::Month,
        );
        money.max_price = Some(10_000);
        settings.providers.get_mut("domaintools").unwrap().budget = vec![money];
    });
    let app = builder.start().await;
    let entity = Entity::new("maltego.EmailAddress", "a.kranz@mailbox.example");
    assert!(
        app.run("domaintools.reverse-whois", entity)
            .await
            .said("Inform")
            .contains("domaintools.buy")
    );
    let quotes = app.vendor.attempts_to("/v1/reverse-whois");
    // The quote is asked once more, then the purchase fails; the vendor's limit would allow another attempt in time.
    let open = Gate::new();
    open.release();
    app.vendor
        .inject(Matcher::path("reverse-whois"), Fault::Hold(open), Some(1));
    app.vendor
        .inject(Matcher::path("reverse-whois"), Fault::busy_503(), None);
    let buy = [("domaintools.buy", "true")];
    let answer = app
        .while_moving(
            Duration::from_secs(25),
            app.run("domaintools.reverse-whois", entity.with(&buy)),
        )
        .await;
    let said = answer.said("PartialError");
    assert!(
        said.contains("the ledger was charged") && said.contains("18 USD"),
        "{}",
        answer.body
    );
    assert!(!answer.said("Inform").contains("to buy"), "{}", answer.body);
    assert_eq!(
        app.vendor.attempts_to("/v1/reverse-whois") - quotes,
        2,
        "one quote, one purchase"
    );
}
