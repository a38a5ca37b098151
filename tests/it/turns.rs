//! Turns of a rate: who left gives theirs away, who waits keeps theirs, and a server that stops tells all who wait.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pivotd::clock::Clock;
use pivotd::engine::rate_limiter::RateLimiter;
use pivotd::replay::{Fault, Gate, Matcher};

use crate::support::{Answer, Builder, Entity, TestApp, rate};

const IP_HISTORY: &str = "domaintools.ip-history";
const SOON: Duration = Duration::from_secs(2);

/// Starts a server whose vendor may be asked so many times a second, and takes the first turn.
async fn paced(limit: u32) -> TestApp {
    let builder = Builder::new().manual_clock().settings(move |settings| {
        settings.deadlines.maltego = Duration::from_secs(100);
        let provider = settings.providers.get_mut("domaintools").unwrap();
        provider.rate = vec![rate(limit, 1)];
        // A stop then waits for the shutdown's limit, not for an attempt's.
        provider.timeout = Duration::from_secs(600);
    });
    let app = builder.start().await;
    app.run(IP_HISTORY, Entity::domain("first.example")).await;
    app
}

fn limiter(app: &TestApp) -> Arc<RateLimiter> {
    let runtimes = app.app.engine.runtimes();
    Arc::clone(&runtimes["domaintools"].keyring.server_account().unwrap().limiter)
}

/// Resolves when so many calls wait for their turn.
async fn waiting(app: &TestApp, count: usize) {
    let limiter = limiter(app);
    while limiter.waiting() != count {
        tokio::task::yield_now().await;
    }
}

/// Asks about so many names; none of them is known.
async fn ask(app: &TestApp, count: usize) -> Vec<Answer> {
    let names: Vec<String> = (0..count).map(|at| format!("queued-{at}.example")).collect();
    join_all(names.iter().map(|name| app.run(IP_HISTORY, Entity::domain(name)))).await
}

#[tokio::test]
async fn a_hundred_questions_that_were_abandoned_delay_nobody() {
    let app = paced(2).await;
    tokio::select! {
        _ = ask(&app, 100) => panic!("nobody has a turn while the clock stands still"),
        () = waiting(&app, 100) => {}
    }
    // Their connections are closed now, and their flights end without the clock.
    waiting(&app, 0).await;
    while app.app.engine.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
    let before = app.clock().elapsed();
    let next = app.run(IP_HISTORY, Entity::domain("next.example"));
    let answer = app.while_moving(SOON, next).await;
    assert!(answer.said("Inform").contains("knows nothing"), "{}", answer.body);
    let waited = app.clock().elapsed() - before;
    assert!(waited <= Duration::from_millis(500), "{waited:?}");
    assert_eq!(app.vendor.attempts(), 2);
}

#[tokio::test]
async fn whoever_shares_a_flight_and_stays_keeps_its_place() {
    let app = paced(1).await;
    let stays = app.run(IP_HISTORY, Entity::domain("shared.example"));
    tokio::pin!(stays);
    {
        let leaves = app.run(IP_HISTORY, Entity::domain("shared.example"));
        tokio::pin!(leaves);
        let engine = &app.app.engine;
        let both = async {
            while engine.callers_of_flights() != 2 {
                tokio::task::yield_now().await;
            }
            waiting(&app, 1).await;
        };
        tokio::select! {
            _ = &mut stays => panic!("the clock stands still"),
            _ = &mut leaves => panic!("the clock stands still"),
            () = both => {}
        }
    }
    // Others come after it.
    let later = app.run(IP_HISTORY, Entity::domain("later.example"));
    tokio::pin!(later);
    tokio::select! {
        _ = &mut stays => panic!("the clock stands still"),
        _ = &mut later => panic!("the clock stands still"),
        () = waiting(&app, 2) => {}
    }
    let answer = app.while_moving(SOON, stays).await;
    assert!(answer.said("Inform").contains("knows nothing"), "{}", answer.body);
    app.while_moving(SOON, later).await;
    let asked: Vec<String> = app.vendor.seen().iter().map(|seen| seen.path.clone()).collect();
    let of = |name: &str| asked.iter().position(|path| path.contains(name));
    assert!(
        of("shared.example").is_some() && of("shared.example") < of("later.example"),
        "{asked:?}"
    );
    assert_eq!(app.vendor.attempts(), 3);
}

#[tokio::test]
async fn a_server_that_stops_tells_all_who_have_asked_nobody_yet() {
    let app = paced(1).await;
    let stopping = async {
        waiting(&app, 60).await;
        app.app.engine.close();
    };
    // The clock stands still: nobody is told by a deadline.
    let (answers, ()) = tokio::join!(ask(&app, 60), stopping);
    for answer in &answers {
        let said = answer.said("PartialError");
        assert!(
            said.contains("is being stopped") && said.contains("nothing was spent"),
            "{}",
            answer.body
        );
    }
    assert_eq!(app.vendor.attempts(), 1);
    app.app.engine.store().settled().await;
    assert_eq!(app.app.engine.ledger().calls_by_product("domaintools")["*"], 1);
    // What is held is still answered, and what would have to be asked is not.
    let held = app.run(IP_HISTORY, Entity::domain("first.example")).await;
    assert_eq!(held.header("pivotd-cache"), "hit");
    let new = app.run(IP_HISTORY, Entity::domain("new.example")).await;
    assert!(
        new.said("PartialError").contains("is being stopped"),
        "{}",
        new.body
    );
}

#[tokio::test]
async fn what_was_sent_is_waited_for_until_the_limit_of_the_shutdown() {
    let app = paced(1000).await;
    let gate = Gate::new();
    app.vendor.inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    let engine = Arc::clone(&app.app.engine);
    let limit = Duration::from_secs(30);
    let asked = app.run(IP_HISTORY, Entity::domain("sent.example"));
    tokio::pin!(asked);
    app.clock().advance(Duration::from_secs(1));
    tokio::select! {
        _ = &mut asked => panic!("the answer is held"),
        () = app.vendor.wait_for_attempts(2) => {}
    }
    // The signal came some time before the last connection closed.
    engine.close();
    app.clock().advance(Duration::from_secs(20));
    let before = app.clock().elapsed();
    app.while_moving(SOON, engine.flights_ended(limit)).await;
    let waited = app.clock().elapsed() - before;
    assert!(
        waited >= Duration::from_secs(10) && waited < Duration::from_secs(11),
        "{waited:?}"
    );
    gate.release();
    assert!(asked.await.said("Inform").contains("knows nothing"));
}
