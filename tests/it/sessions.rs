//! Sessions: a key buys a token once, for all who ask; the token is kept, bought anew when it ended, and never seen.

use std::time::Duration;

use futures_util::future::join_all;
use pivotd::config::settings::{Credential, Rate, SecretOrigin};
use pivotd::replay::{DEFENDER_TOKEN, Fault, Gate, Matcher, Replay, Vendor, defender_auth, invalid_token};
use secrecy::SecretString;

use crate::support::{Builder, Entity, TestApp, rate};

const TENANT: &str = "tenant.example";
const CLIENT: &str = "application";
const SECRET: &str = "canary-secret-19ab";
const TOKEN_PATH: &str = "/tenant.example/oauth2/v2.0/token";
const TRANSFORM: &str = "defender.components";

/// Starts pivotd on a replayed Graph that takes one application's key, and gives pivotd this secret.
async fn start(secret: &'static str) -> (TestApp, Replay) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/defender");
    let vendor = Vendor::from_path(folder).unwrap();
    let vendor = vendor.with_authenticator(defender_auth(TENANT, CLIENT, SECRET));
    let replay = Replay::start(vendor).await.unwrap();
    let url = replay.base_url();
    let builder = Builder::new().manual_clock().settings(move |settings| {
        settings.log.level = "trace".to_owned();
        let provider = settings.providers.get_mut("defender").unwrap();
        provider.enabled = true;
        for base_url in provider.base_urls.values_mut() {
            url.clone_into(base_url);
        }
        provider.credentials = [
            ("tenant_id", TENANT),
            ("client_id", CLIENT),
            ("client_secret", secret),
        ]
        .map(|(name, value)| {
            let credential = Credential {
                value: SecretString::from(value),
                origin: SecretOrigin::Inline,
            };
            (name.to_owned(), credential)
        })
        .into();
        provider.missing.clear();
        provider.concurrency = 64;
        // Generous, burst included: a clock that stands still gives no second token.
        provider.rate = vec![Rate {
            burst: std::num::NonZeroU32::MAX,
            ..rate(1_000_000, 1)
        }];
    });
    (builder.start().await, replay)
}

/// Looks for what must never be seen, in what was shown and in everything that is kept or told of the run.
async fn nothing_leaked(app: &TestApp, shown: &str) {
    let audit = format!("{:?}", app.app.engine.store().audit(1000).await.unwrap());
    let pages = [shown.to_owned(), app.log(), audit, app.get("/metrics").await.body];
    for text in pages {
        for canary in [SECRET, DEFENDER_TOKEN] {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
    }
}

#[tokio::test]
async fn one_token_is_bought_for_all_and_kept_and_bought_anew_when_it_ended() {
    let (app, graph) = start(SECRET).await;
    // The token is held back until all look-ups are under way, so that each of them finds none.
    let gate = Gate::new();
    graph.inject(Matcher::path("oauth2"), Fault::Hold(gate.clone()), None);
    let names: Vec<String> = (0..20).map(|n| format!("name-{n}.example")).collect();
    let questions = join_all(names.iter().map(|name| app.run(TRANSFORM, Entity::domain(name))));
    let release = async {
        graph.wait_for_attempts(1).await;
        while app.app.engine.in_flight() < names.len() {
            tokio::task::yield_now().await;
        }
        gate.release();
    };
    let (answers, ()) = tokio::join!(questions, release);
    for (name, answer) in names.iter().zip(&answers) {
        let said = answer.said("Inform");
        assert!(
            said.starts_with(&format!("{name}: Defender TI knows nothing")),
            "{}",
            answer.body
        );
    }
    let sold = || graph.attempts_to(TOKEN_PATH);
    assert_eq!(
        (sold(), graph.attempts()),
        (1, 21),
        "one token for twenty look-ups"
    );

    let kept = app.run(TRANSFORM, Entity::domain("tendrit.example")).await;
    assert_eq!(kept.entities().len(), 2, "{}", kept.body);
    assert_eq!((sold(), graph.attempts()), (1, 22), "the next one uses the same");

    let ended = invalid_token();
    let fault = Fault::Status {
        code: ended.status,
        headers: ended.headers,
        body: String::from_utf8(ended.body.to_vec()).unwrap(),
    };
    graph.inject(Matcher::path("passiveDns"), fault, Some(1));
    let again = app.run("defender.resolutions", Entity::domain("tendrit.example"));
    let again = app.while_moving(Duration::from_secs(20), again).await;
    assert!(
        !again.entities().is_empty() && again.said("PartialError").is_empty(),
        "{}",
        again.body
    );
    assert_eq!(sold(), 2, "another one is bought once");

    // In its last minute a token is not used any more.
    app.clock().advance(Duration::from_secs(3599 - 60));
    app.run(TRANSFORM, Entity::domain("later.example")).await;
    assert_eq!(sold(), 3);

    let with_key = graph.seen();
    let buys = |request: &&pivotd::replay::SeenRequest| request.path == TOKEN_PATH;
    assert!(with_key.iter().filter(buys).all(|request| {
        let form = request.form();
        form.contains(&("client_secret".to_owned(), SECRET.to_owned())) && request.query.is_empty()
    }));
    let others = with_key.iter().filter(|request| !buys(request));
    for request in others {
        assert!(
            !format!("{request:?}").contains(SECRET),
            "the secret goes where tokens are sold"
        );
    }
    let shown = format!("{answers:?} {kept:?} {again:?} {:?}", app.app);
    nothing_leaked(&app, &shown).await;
}

#[tokio::test]
async fn a_wrong_secret_is_told_as_a_refused_key_and_not_tried_again() {
    let (app, graph) = start("wrong-secret-77").await;
    let first = app.run(TRANSFORM, Entity::domain("tendrit.example")).await;
    let told = first.said("FatalError");
    assert!(
        told.contains("Invalid client secret provided") && !told.contains("Trace ID"),
        "{}",
        first.body
    );
    let second = app.run(TRANSFORM, Entity::domain("example.com")).await;
    assert!(!second.said("FatalError").is_empty(), "{}", second.body);
    assert_eq!((graph.attempts(), graph.attempts_to(TOKEN_PATH)), (1, 1));
    let shown = format!("{first:?} {second:?} {:?}", app.app);
    assert!(!shown.contains("wrong-secret-77") && !app.log().contains("wrong-secret-77"));
    nothing_leaked(&app, &shown).await;
}
