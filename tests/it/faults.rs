//! The fault matrix: every fault on every transform, and every transform found, not found and limited.

use std::collections::BTreeSet;
use std::time::Duration;

use pivotd::catalogue::TransformSpec;
use pivotd::replay::{Fault, Matcher, Replay};

use crate::support::{API_KEY, Answer, Builder, Entity, TestApp, USERNAME, providers};

/// Lists the transforms that DomainTools answers, and those that ask nobody.
fn specs(app: &TestApp) -> Vec<TransformSpec> {
    specs_of(app, "domaintools")
}

/// Lists the transforms that this provider answers alone, and those that ask nobody.
fn specs_of(app: &TestApp, provider: &str) -> Vec<TransformSpec> {
    let configured = app.app.configured.load();
    configured
        .catalogue
        .transforms()
        .iter()
        .filter(|spec| spec.providers().iter().all(|name| name == provider))
        .map(|spec| spec.as_ref().clone())
        .collect()
}

/// Lists the providers that are played beside DomainTools.
fn others() -> Vec<String> {
    let known = providers();
    let names = known.descriptors().map(|descriptor| descriptor.name.to_string());
    names.filter(|name| name != "domaintools").collect()
}

fn asks_a_vendor(spec: &TransformSpec) -> bool {
    !spec.providers().is_empty()
}

/// The printed example as somebody types it: a value, and no property.
fn example(spec: &TransformSpec) -> Entity<'_> {
    Entity::new(&spec.inputs[0].type_id, &spec.example)
}

/// Values that no fixture knows, by the transform's first input.
fn unheard_of(spec: &TransformSpec) -> Entity<'_> {
    let value = match spec.inputs[0].type_id.as_str() {
        "maltego.EmailAddress" => "nobody@nowhere.example",
        "maltego.IPv4Address" => "203.0.113.250",
        "maltego.NSRecord" => "ns9.nowhere.example",
        "maltego.Hash" => "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
        "pivotd.Incident" => {
            return Entity::new("pivotd.Incident", "999999").fields(&[("threatconnect.id", "999999")]);
        }
        _ => "nowhere.example",
    };
    Entity::new(&spec.inputs[0].type_id, value)
}

/// Calls that the ledger has, by our count, over all products.
fn charged(app: &TestApp, provider: &str) -> i64 {
    app.app
        .engine
        .ledger()
        .calls_by_product(provider)
        .get("*")
        .copied()
        .unwrap_or(0)
}

/// Attempts at a vendor, by the metrics.
fn counted(app: &TestApp, provider: &str) -> i64 {
    let text = app.app.engine.metrics().render();
    let label = format!("provider=\"{provider}\"");
    let lines = text
        .lines()
        .filter(|line| line.starts_with("pivotd_provider_attempts_total") && line.contains(&label));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<i64>().ok())
        .sum()
}

fn is_clean(app: &TestApp, what: &str, answer: &Answer) {
    for canary in [API_KEY, USERNAME] {
        assert!(!answer.body.contains(canary), "{what}: {}", answer.body);
        assert!(!format!("{:?}", answer.headers).contains(canary), "{what}");
    }
    assert!(!app.log().contains(API_KEY), "{what}");
    assert!(!app.app.engine.metrics().render().contains(API_KEY), "{what}");
}

#[tokio::test]
async fn every_transform_finds_its_example() {
    let app = TestApp::start().await;
    for spec in specs(&app) {
        let answer = app.run(&spec.name, example(&spec)).await;
        let quoted = answer.said("Inform").contains("domains for");
        assert!(
            !answer.entities().is_empty() || quoted,
            "{}: {}",
            spec.name,
            answer.body
        );
        assert_eq!(answer.said("PartialError"), "", "{}", spec.name);
        is_clean(&app, &spec.name, &answer);
    }
}

#[tokio::test]
async fn every_transform_says_that_nothing_is_known() {
    let app = TestApp::start().await;
    for spec in specs(&app).iter().filter(|spec| asks_a_vendor(spec)) {
        let entity = unheard_of(spec);
        let answer = app.run(&spec.name, entity).await;
        let said = answer.said("Inform");
        assert!(answer.entities().is_empty(), "{}: {}", spec.name, answer.body);
        assert!(
            // A count of none is an answer: what was asked about is known, and nothing is registered with it.
            said.starts_with(entity.value)
                && (said.contains("knows nothing") || said.contains("no domain is registered with it")),
            "{}: {}",
            spec.name,
            answer.body
        );
    }
}

#[tokio::test]
async fn every_transform_says_that_it_is_limited_and_until_when() {
    let app = impatient().await;
    app.vendor
        .inject(Matcher::any(), Fault::too_many_requests(Some("7200")), None);
    for spec in specs(&app).iter().filter(|spec| asks_a_vendor(spec)) {
        let answer = app.run(&spec.name, example(spec)).await;
        let said = answer.said("PartialError");
        assert!(
            said.starts_with(&spec.example) && said.contains("it opens at 2026-11-21 0"),
            "{}: {said}",
            spec.name
        );
    }
}

/// A server that makes one attempt per call, so that the matrix needs no waiting.
async fn impatient() -> TestApp {
    impatient_with(&[]).await
}

async fn impatient_with(providers: &[&str]) -> TestApp {
    let builder = Builder::new()
        .manual_clock()
        .with(providers)
        .settings(|settings| {
            for provider in settings.providers.values_mut() {
                provider.attempts = 1;
                provider.max_answer = 1 << 20;
                // Longer than any wait of the engine's own, so that a test can move the clock past one and not the other.
                provider.timeout = Duration::from_secs(90);
            }
            settings.deadlines.maltego = Duration::from_secs(6000);
        });
    builder.start().await
}

/// What the table of messages says of a fault: the kind of message, and a part of its text.
fn expected(fault: &str) -> Option<(&'static str, &'static str)> {
    Some(match fault {
        "unauthorized-401" | "forbidden-key-403" => ("FatalError", "administrator"),
        "forbidden-product-403" => ("PartialError", "subscription"),
        "busy-503" => ("PartialError", "it opens at"),
        name if name.starts_with("too-many-requests") => ("PartialError", "it opens at"),
        "not-found-404" => ("Inform", "knows nothing"),
        // Some products say it as an error, Iris as an answer that is not whole.
        "limit-exceeded-200" => ("PartialError", "DomainTools"),
        // The right body under another label is an answer all the same.
        "labelled-text" | "labelled-image" => return None,
        _ => ("PartialError", "(request "),
    })
}

/// Runs a transform while the clock passes its waits. A held answer never comes: once the vendor has seen the attempt,
/// the clock moves to its end, too.
async fn meet(app: &TestApp, vendor: &Replay, held: bool, spec: &TransformSpec) -> Answer {
    let run = app.run(&spec.name, example(spec));
    tokio::pin!(run);
    if held {
        tokio::select! {
            biased;
            answer = app.while_moving(Duration::from_secs(70), &mut run) => return answer,
            () = vendor.wait_for_attempts(vendor.attempts() + 1) => {}
        }
        return app.while_moving(Duration::from_secs(100), run).await;
    }
    app.while_moving(Duration::from_secs(70), run).await
}

#[tokio::test]
async fn every_fault_on_every_transform_is_told_and_booked() {
    let mut seen = BTreeSet::new();
    for (name, fault) in Fault::all() {
        let gated = fault.gate().is_some();
        let app = impatient().await;
        app.vendor.inject(Matcher::any(), fault, None);
        for spec in specs(&app).iter().filter(|spec| asks_a_vendor(spec)) {
            let what = format!("{name} on {}", spec.name);
            let answer = meet(&app, &app.vendor, gated, spec).await;
            is_clean(&app, &what, &answer);
            let Some((kind, part)) = expected(name) else {
                continue;
            };
            seen.insert(kind);
            let said = answer.said(kind);
            // A breaker that an earlier transform opened tells its own story, under the same kind.
            let open = said.contains("failures in a row");
            assert!(
                said.contains(&spec.example) && (said.contains(part) || open),
                "{what}: {}",
                answer.body
            );
            assert!(answer.entities().is_empty(), "{what}");
        }
        app.app.engine.store().settled().await;
        let attempts = i64::try_from(app.vendor.attempts()).unwrap();
        assert!(
            attempts > 0 && charged(&app, "domaintools") >= attempts,
            "{name}: {} charged for {attempts}",
            charged(&app, "domaintools")
        );
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["FatalError", "Inform", "PartialError"]
    );
}

#[tokio::test]
async fn every_transform_of_every_provider_finds_its_example() {
    let app = Builder::new().with(others()).start().await;
    for provider in &others() {
        let specs = specs_of(&app, provider);
        assert!(specs.iter().any(asks_a_vendor), "{provider} has no transform");
        for spec in specs.iter().filter(|spec| asks_a_vendor(spec)) {
            let answer = app.run(&spec.name, example(spec)).await;
            assert!(!answer.entities().is_empty(), "{}: {}", spec.name, answer.body);
            assert_eq!(answer.said("PartialError"), "", "{}", spec.name);
            is_clean(&app, &spec.name, &answer);
        }
    }
}

#[tokio::test]
async fn every_transform_of_every_provider_says_that_it_is_limited_and_until_when() {
    for provider in &others() {
        let app = impatient_with(&[provider]).await;
        let limit = Fault::too_many_requests(Some("7200"));
        app.others[provider].inject(Matcher::any(), limit, None);
        for spec in specs_of(&app, provider).iter().filter(|spec| asks_a_vendor(spec)) {
            let answer = app.run(&spec.name, example(spec)).await;
            let said = answer.said("PartialError");
            assert!(
                said.starts_with(&spec.example) && said.contains("it opens at 2026-11-21 0"),
                "{}: {}",
                spec.name,
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn every_fault_on_every_other_provider_is_told_and_booked() {
    for provider in &others() {
        for (name, fault) in Fault::all() {
            let gated = fault.gate().is_some();
            // The right body under another label is an answer all the same.
            let answers = name.starts_with("labelled-");
            let app = impatient_with(&[provider]).await;
            app.others[provider].inject(Matcher::any(), fault, None);
            for spec in specs_of(&app, provider).iter().filter(|spec| asks_a_vendor(spec)) {
                let what = format!("{name} on {}", spec.name);
                let answer = meet(&app, &app.others[provider], gated, spec).await;
                is_clean(&app, &what, &answer);
                if answers {
                    continue;
                }
                assert!(answer.entities().is_empty(), "{what}: {}", answer.body);
                let told = answer.messages();
                assert!(
                    !told.is_empty() && told.iter().all(|(_, text)| text.starts_with(&spec.example)),
                    "{what}: {}",
                    answer.body
                );
            }
            app.app.engine.store().settled().await;
            let attempts = i64::try_from(app.others[provider].attempts()).unwrap();
            let (charged, counted) = (charged(&app, provider), counted(&app, provider));
            // What went out is counted, and nothing that did not is charged. Some vendors' refusals are free. An attempt
            // whose time ran out may not have reached the vendor's eyes.
            let agrees = if gated {
                counted >= attempts
            } else {
                counted == attempts
            };
            assert!(
                attempts > 0 && agrees && charged <= counted,
                "{provider} {name}: {charged} charged and {counted} counted for {attempts}"
            );
        }
    }
}

#[tokio::test]
async fn every_transform_of_every_provider_says_that_nothing_is_known() {
    // RDAP knows no server for a name that is set aside, and says that instead.
    for provider in others().iter().filter(|name| *name != "rdap") {
        let app = Builder::new().with([provider]).start().await;
        for spec in specs_of(&app, provider).iter().filter(|spec| asks_a_vendor(spec)) {
            let entity = unheard_of(spec);
            let answer = app.run(&spec.name, entity).await;
            let said = answer.said("Inform");
            let lists_all = spec.name == "threatconnect.owners";
            assert!(
                lists_all || (said.contains("knows nothing") && answer.entities().is_empty()),
                "{}: {}",
                spec.name,
                answer.body
            );
        }
    }
}
