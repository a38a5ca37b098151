//! Transforms that ask several providers side by side and merge what came.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use pivotd::replay::{Fault, Gate, Matcher};

use crate::support::{Builder, Entity, TestApp};

const FIVE: [&str; 5] = ["passivetotal", "dnsdb", "mnemonic", "circl", "virustotal"];
const ALL: &str = "resolutions";
/// A name that every one of them knows.
const NAME: &str = "tendrit.example";

async fn app() -> TestApp {
    let builder = Builder::new().with(&FIVE);
    builder
        .settings(|settings| settings.providers.get_mut("domaintools").unwrap().enabled = false)
        .start()
        .await
}

fn values(app: &crate::support::Answer) -> BTreeSet<String> {
    app.entities().into_iter().map(|(_, value)| value).collect()
}

#[tokio::test]
async fn five_providers_are_asked_at_once_with_the_calls_of_each_alone() {
    let app = app().await;
    let gate = Gate::new();
    for provider in FIVE {
        app.others[provider].inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    }
    let merged = async {
        let merged = app.run(ALL, Entity::domain(NAME)).await;
        assert_eq!(merged.header("pivotd-cache"), "miss", "{}", merged.body);
        merged
    };
    let all_asked = async {
        // Nobody answers before everybody is asked: it takes as long as the slowest, whoever that is.
        join_all(FIVE.map(|provider| app.others[provider].wait_for_attempts(1))).await;
        gate.release();
    };
    let (merged, ()) = tokio::join!(merged, all_asked);
    assert!(merged.messages().is_empty(), "{:?}", merged.messages());
    let mut alone = BTreeSet::new();
    for provider in FIVE {
        let calls = app.others[provider].attempts();
        let answer = app
            .run(&format!("{provider}.resolutions"), Entity::domain(NAME))
            .await;
        assert_eq!(
            answer.header("pivotd-cache"),
            "hit",
            "{provider}: what was merged is kept by provider"
        );
        assert_eq!(app.others[provider].attempts(), calls);
        assert!(
            merged.body.contains(&format!("Name=\"{provider}.source\"")),
            "{provider}"
        );
        alone.extend(values(&answer));
    }
    assert_eq!(values(&merged), alone);
}

#[tokio::test]
async fn one_slow_one_failing_one_fine() {
    let builder = Builder::new().with(&FIVE).manual_clock();
    let app = builder
        .settings(|settings| {
            settings.deadlines.maltego = Duration::from_secs(10);
            for provider in ["mnemonic", "circl", "domaintools"] {
                settings.providers.get_mut(provider).unwrap().enabled = false;
            }
        })
        .start()
        .await;
    let gate = Gate::new();
    app.others["dnsdb"].inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    app.others["virustotal"].inject(Matcher::any(), Fault::unauthorized_401(), None);
    let run = app.run(ALL, Entity::domain(NAME));
    let pass_the_deadline = async {
        for provider in ["passivetotal", "dnsdb", "virustotal"] {
            app.others[provider].wait_for_attempts(1).await;
        }
        // Two of the three have landed when one flight is left.
        while app.app.engine.in_the_air() != 1 {
            tokio::task::yield_now().await;
        }
        app.clock().advance(Duration::from_secs(11));
    };
    let (answer, ()) = tokio::join!(run, pass_the_deadline);
    assert!(!answer.entities().is_empty(), "{}", answer.body);
    assert!(answer.body.contains("passivetotal.source") && !answer.body.contains("dnsdb.source"));
    let said = answer.said("PartialError");
    assert!(
        said.contains("DNSDB") && said.contains("before the deadline"),
        "{said}"
    );
    assert!(
        said.contains("VirusTotal") && !said.contains("PassiveTotal"),
        "{said}"
    );
    assert!(answer.said("FatalError").is_empty());
    gate.release();
}

#[tokio::test]
async fn a_provider_without_a_key_is_not_asked_and_not_missed() {
    let builder = Builder::new().with(&FIVE);
    let app = builder
        .settings(|settings| {
            let provider = settings.providers.get_mut("dnsdb").unwrap();
            provider.credentials.clear();
            provider
                .missing
                .insert("api_key".to_owned(), "DNSDB_API_KEY is not set".to_owned());
        })
        .start()
        .await;
    let answer = app.run(ALL, Entity::domain(NAME)).await;
    assert!(
        !answer.entities().is_empty() && answer.messages().is_empty(),
        "{:?}",
        answer.messages()
    );
    assert_eq!(app.others["dnsdb"].attempts(), 0);
    let alone = app.run("dnsdb.resolutions", Entity::domain(NAME)).await;
    assert!(
        alone.said("FatalError").contains("no DNSDB key"),
        "{:?}",
        alone.messages()
    );
    let configured = app.app.configured.load();
    let listed = |name: &str| configured.catalogue.listed().iter().any(|spec| spec.name == name);
    assert!(listed(ALL) && !listed("dnsdb.resolutions"));
}

/// The same host, address, e-mail address or file is one entity, whoever tells of it.
#[tokio::test]
async fn an_entity_is_the_same_from_every_provider() {
    let app = app().await;
    let mut spellings: std::collections::BTreeMap<String, BTreeSet<String>> =
        std::collections::BTreeMap::new();
    for provider in FIVE {
        let answer = app
            .run(&format!("{provider}.resolutions"), Entity::domain(NAME))
            .await;
        for (type_id, value) in answer.entities() {
            let loose = value
                .to_lowercase()
                .replace("2001:0db8", "2001:db8")
                .trim_end_matches('.')
                .to_owned();
            spellings
                .entry(loose)
                .or_default()
                .insert(format!("{type_id} {value}"));
        }
    }
    assert!(spellings.len() >= 2, "{spellings:?}");
    for (entity, spelt) in &spellings {
        assert_eq!(spelt.len(), 1, "{entity} is drawn as {spelt:?}");
    }
}
