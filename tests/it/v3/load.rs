//! Many runs of many clients at once, on providers that are slow.

use std::time::Duration;

use futures_util::future::join_all;
use pivotd::replay::{Fault, Gate, Matcher};
use pivotd::tokens::{NewToken, Scope};
use secrecy::ExposeSecret;

use super::{V3, domain, found};
use crate::support::Builder;

const PROVIDERS: [&str; 2] = ["passivetotal", "dnsdb"];
const CLIENTS: usize = 50;
const RUNS: usize = 10;

#[tokio::test]
async fn no_run_is_lost_and_what_is_abandoned_goes() {
    let builder = Builder::new().with(PROVIDERS).manual_clock();
    let app = builder
        .settings(|settings| settings.providers.get_mut("domaintools").unwrap().enabled = false)
        .start()
        .await;
    let gate = Gate::new();
    for provider in PROVIDERS {
        app.others[provider].inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    }
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let new = NewToken {
            scopes: vec![Scope::Transforms],
            ..NewToken::for_everyday(&format!("client-{number}"))
        };
        let (token, _) = app.app.tokens.create(new).await.unwrap();
        clients.push(V3::of(&app, token.expose_secret()));
    }
    let body = domain("tendrit.example");
    let runs = join_all(clients.iter().map(async |client| {
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            runs.push(client.create("pivotd.resolutions", &body).await);
        }
        runs
    }))
    .await;
    assert_eq!(app.app.runs.len(), CLIENTS * RUNS);
    for provider in PROVIDERS {
        app.others[provider].wait_for_attempts(1).await;
        assert_eq!(
            app.others[provider].attempts(),
            1,
            "equal questions are asked once"
        );
    }
    gate.release();
    // Every second run is read to its end and deleted, the others are forgotten.
    let results = join_all(clients.iter().zip(&runs).map(async |(client, runs)| {
        let mut counts = Vec::new();
        for run in runs.iter().step_by(2) {
            let mut events = Vec::new();
            let state = client.read_until(run, &mut events, |_| false).await;
            counts.push((state, found(&events).len()));
            client.send(reqwest::Method::DELETE, run, None).await;
        }
        counts
    }))
    .await;
    let first = &results[0][0];
    assert!(first.0 == "COMPLETED" && first.1 > 3, "{first:?}");
    assert!(
        results.iter().flatten().all(|result| result == first),
        "{results:?}"
    );
    assert_eq!(app.app.runs.len(), CLIENTS * RUNS / 2);
    let bytes = app.app.runs.bytes() / app.app.runs.len();
    assert!(bytes < 64 << 10, "{bytes} bytes a run");
    while !app.app.runs.is_empty() {
        app.clock().advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert_eq!(app.app.runs.bytes(), 0);
}
