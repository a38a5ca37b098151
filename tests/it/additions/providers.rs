//! A provider that is added at run time is configured, asked, scored, counted and taken away as those that are compiled in.

use pivotd::config::{self, DEFAULT_FILE, Loaded};
use pivotd::replay::{Replay, demo};
use serde_json::json;

use super::beacon::{self, Beacon};
use crate::support::{API_KEY, Builder, Entity, TestApp, USERNAME};

const BAD: &str = "198.51.100.66";
const UNSEEN: &str = "198.51.100.67";

/// Asks a transform of the provider as a Maltego client does: what is known, and what is not.
async fn is_asked(app: &TestApp, name: &str) {
    let transform = format!("{name}.details");
    let answer = app.run(&transform, Entity::new("maltego.IPv4Address", BAD)).await;
    assert_eq!(
        answer.entities(),
        [("maltego.Organization".to_owned(), "Quayside Hosting".to_owned())],
        "{}",
        answer.body
    );
    assert!(
        answer.body.contains(&format!("{name}.last_seen")),
        "{}",
        answer.body
    );
    let answer = app
        .run(&transform, Entity::new("maltego.IPv4Address", UNSEEN))
        .await;
    let said = answer.said("Inform");
    assert!(said.starts_with(UNSEEN) && said.contains("Beacon"), "{said}");
}

async fn is_scored(app: &TestApp, name: &str) {
    let answer = app
        .post_json("/v1/alerts/score", &json!({ "ip": BAD }))
        .await
        .json();
    assert_eq!(answer["scores"]["ip"], 91, "{answer}");
    assert_eq!(answer["indicators"][0]["explanation"][0]["source"], name);
}

#[tokio::test]
async fn a_provider_is_asked_and_scored_like_any_other() {
    let name = format!("beacon{}", std::process::id());
    let (provider, _) = Beacon::named(&name);
    let app = Builder::new()
        .manual_clock()
        .adds(provider, beacon::vendor(), &beacon::configuration(&name))
        .start()
        .await;
    is_asked(&app, &name).await;
    is_scored(&app, &name).await;
    let metrics = app.get("/metrics").await.body;
    assert!(
        metrics.contains(&format!("provider=\"{name}\",product=\"address\"")),
        "{metrics}"
    );
    let request = &app.others[&name].seen()[0];
    assert_eq!(request.header("x-beacon-key"), Some(API_KEY));
}

/// Reads the default configuration with `added`, pointed at the vendors that `app` plays.
fn configured(
    app: &TestApp,
    added: &str,
    beacon: Option<(&str, &Replay)>,
) -> Result<Loaded, config::ConfigErrors> {
    let text = format!("{DEFAULT_FILE}\n{added}");
    let known = app.app.providers.current();
    let mut loaded = config::read("own.toml", &text, false, &[], &known)?;
    let running = app.app.configured.load_full();
    loaded.settings.server = running.settings().server.clone();
    for (name, settings) in &mut loaded.settings.providers {
        if let Some(own) = running.settings().providers.get(name) {
            settings.clone_from(own);
        }
        if let Some((_, replay)) = beacon.filter(|(beacon, _)| beacon == name) {
            let descriptor = known.descriptor(name).unwrap();
            demo::point(settings, descriptor, &replay.base_url(), app.folder.path()).unwrap();
            settings.credentials = demo::credentials(descriptor, USERNAME, API_KEY);
        }
    }
    Ok(loaded)
}

#[tokio::test]
async fn a_provider_comes_and_goes_with_reloads_and_leaves_nothing() {
    let app = Builder::new().manual_clock().start().await;
    let replay = Replay::start(beacon::vendor().with_credentials(USERNAME, API_KEY))
        .await
        .unwrap();
    for round in 0..3 {
        // A name that this run makes: nothing of it is compiled in.
        let name = format!("beacon{}x{round}", std::process::id());
        let text = beacon::configuration(&name);
        let unknown = configured(&app, &text, None).unwrap_err().to_string();
        assert!(
            unknown.contains(&format!("unknown provider \"{name}\"")),
            "{unknown}"
        );
        let (provider, gone) = Beacon::named(&name);
        app.app.providers.register(&provider);
        drop(provider);
        let loaded = configured(&app, &text, Some((&name, &replay))).unwrap();
        app.app.reload(loaded).unwrap();
        is_asked(&app, &name).await;
        is_scored(&app, &name).await;
        // The registry alone changes nothing that is at work.
        app.app.providers.remove(&name);
        is_asked(&app, &name).await;
        app.app.reload(configured(&app, "", None).unwrap()).unwrap();
        let run = format!("{name}.details");
        let entity = Entity::new("maltego.IPv4Address", BAD);
        assert_eq!(app.run_raw(&run, entity.request().into_bytes()).await.status, 404);
        let answer = app
            .post_json("/v1/alerts/score", &json!({ "ip": BAD }))
            .await
            .json();
        assert_eq!(answer["scores"]["ip"], json!(null), "{answer}");
        assert!(gone.upgrade().is_none(), "{} hold it still", gone.strong_count());
    }
    replay.stop().await;
}
