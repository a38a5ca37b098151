//! The fault matrix of scores: every fault of every source that speaks for them. Whatever fails, no score falls, nothing
//! comes to exceed, and nothing is called clean.

use std::collections::BTreeMap;
use std::time::Duration;

use pivotd::replay::{Fault, Matcher, Replay};
use serde_json::{Value, json};

use crate::support::{Builder, TestApp};

const ALERT: &str = "/v1/alerts/score";

/// What may be asked of every kind.
fn loud() -> Value {
    json!({
        "email": ["billing@career-offers.example", "somebody@nowhere.example"],
        "domain": ["career-offers.example", "example.com"],
        "ip": ["192.0.2.44", "198.51.100.7"],
        "url": ["http://career-offers.example/apply"],
        "hash": ["07b8ef109aae055418a43301ebe6b5b18b9f6b711bfdbcde4538bf76c5d68e00"],
    })
}

/// The same without anything that a source besides calls bad.
fn quiet() -> Value {
    json!({
        "email": ["nobody@nothing.example"],
        "domain": ["nothing.example", "unheard-of.com"],
        "ip": ["198.51.100.9"],
        "url": ["http://nothing.example/page"],
        "hash": ["0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"],
    })
}

/// A source that answers beside the one that fails.
fn companion(source: &str) -> &'static str {
    if source == "domaintools" {
        "virustotal"
    } else {
        "domaintools"
    }
}

/// Starts a server whose sources are the companion and, where it is `played`, the one that is to fail.
async fn server(source: &'static str, played: bool) -> TestApp {
    let companion = companion(source);
    let wanted: Vec<&'static str> = [companion, source]
        .into_iter()
        .filter(|name| *name != "domaintools" && (*name == companion || played))
        .collect();
    let absent = (!played).then_some(source);
    let builder = Builder::new()
        .manual_clock()
        .with(&wanted)
        .settings(move |settings| {
            for (name, provider) in &mut settings.providers {
                provider.attempts = 1;
                provider.max_answer = 1 << 20;
                // Longer than any wait of the engine's own, so that the clock passes the one and not the other.
                provider.timeout = Duration::from_secs(90);
                provider.enabled &= Some(name.as_str()) != absent;
            }
            // Shorter than the hour for which a limit without an end is believed: that is told, not waited for.
            settings.deadlines.enrich = Duration::from_secs(3000);
        });
    let app = builder.start().await;
    // What the companion says is held, so that moving the clock for the other does not touch it.
    let mut alert = all();
    alert["providers"] = json!([companion]);
    score(&app, &alert).await;
    app
}

/// Both.
fn all() -> Value {
    let (mut all, quiet) = (loud(), quiet());
    for (kind, values) in quiet.as_object().unwrap() {
        let list = all[kind].as_array_mut().unwrap();
        list.extend(values.as_array().unwrap().iter().cloned());
    }
    all
}

async fn score(app: &TestApp, alert: &Value) -> Value {
    let asked = app.post_json(ALERT, alert);
    let answer = app.while_moving(Duration::from_secs(70), asked).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// Scores where the vendor holds its answers: once it has seen an attempt, the clock passes the end of it.
async fn held(app: &TestApp, vendor: &Replay, alert: &Value) -> Value {
    let asked = app.post_json(ALERT, alert);
    tokio::pin!(asked);
    let answer = tokio::select! {
        biased;
        answer = app.while_moving(Duration::from_secs(70), &mut asked) => answer,
        () = vendor.wait_for_attempts(vendor.attempts() + 1) => {
            app.while_moving(Duration::from_secs(100), asked).await
        }
    };
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

type Items<'a> = BTreeMap<(&'a str, &'a str), &'a Value>;

fn items(answer: &Value) -> Items<'_> {
    let items = answer["indicators"].as_array().unwrap().iter();
    items
        .map(|item| {
            let of = |name: &str| item[name].as_str().unwrap();
            ((of("role"), of("indicator")), item)
        })
        .collect()
}

/// Tells how an indicator's source answered: whether it was asked, and whether something of it failed.
fn standing(item: &Value, source: &str) -> (bool, bool) {
    let evidence = item["evidence"].as_array().unwrap();
    let own: Vec<&str> = evidence
        .iter()
        .filter(|one| one["source"] == source)
        .map(|one| one["status"].as_str().unwrap())
        .collect();
    let answered = |status: &&str| matches!(*status, "ok" | "no_data");
    (!own.is_empty(), !own.iter().all(answered))
}

/// Compares an alert where a source is faulty with the same where it is absent; returns whether the source failed.
fn compare(what: &str, source: &str, absent: &Value, faulty: &Value, answers: bool) -> bool {
    let (before, after) = (items(absent), items(faulty));
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>(),
        "{what}"
    );
    let (mut asked, mut failed) = (false, false);
    for (key, item) in &after {
        let was = before[key];
        let (is_asked, has_failed) = standing(item, source);
        asked |= is_asked;
        failed |= has_failed;
        let of = |item: &Value| item["score"].as_u64();
        assert!(of(item) >= of(was), "{what} {key:?} fell: {was} {item}");
        if !is_asked {
            assert_eq!(of(item), of(was), "{what} {key:?}");
            continue;
        }
        if has_failed && !answers {
            assert_eq!(
                of(item),
                of(was),
                "{what} {key:?} a failure moved the score: {item}"
            );
            assert_eq!(
                item["exceeds_threshold"], was["exceeds_threshold"],
                "{what} {key:?}"
            );
            assert_eq!(item["complete"], false, "{what} {key:?}: {item}");
            let causes = item["causes"].as_array().unwrap();
            let named = causes.iter().any(|cause| cause["source"] == source);
            if was["exceeds_threshold"] == true {
                assert_eq!(item["decision"], "exceeds", "{what} {key:?}: {item}");
            } else if named || !seldom_matters(source, key.0) {
                assert!(named, "{what} {key:?}: {item}");
                assert_eq!(item["decision"], "undetermined", "{what} {key:?}: {item}");
                assert_ne!(item["verdict"], "benign", "{what} {key:?}: {item}");
                assert_ne!(item["recommend"], "none", "{what} {key:?}: {item}");
            } else {
                assert_ne!(item["decision"], "exceeds", "{what} {key:?}: {item}");
            }
        } else if has_failed {
            // In part: what came counts.
            assert_eq!(item["complete"], false, "{what} {key:?}: {item}");
        } else if source == "rdap" && !key.1.ends_with(".com") {
            // No registry has a server for it, so nobody failed.
            assert_eq!(of(item), of(was), "{what} {key:?}");
        } else {
            assert!(answers, "{what} {key:?}: the fault passed for an answer: {item}");
        }
    }
    assert!(asked, "{what}: {source} was not asked");
    if failed && !answers {
        if absent["any_exceeds"] == true {
            assert_eq!(faulty["decision"], "exceeds", "{what}");
        } else if tells_circumstances_only(source) {
            assert_ne!(faulty["decision"], "exceeds", "{what}");
        } else {
            assert_eq!(faulty["decision"], "undetermined", "{what}");
        }
        assert_eq!(faulty["any_exceeds"], absent["any_exceeds"], "{what}");
    }
    failed
}

/// Tells faults that are answers: the right body under another label, and that nothing is known. DNS has no labels,
/// and repeats over TCP what was cut; what cannot happen to it leaves the answer as it is.
fn answers(source: &str, fault: &str) -> bool {
    let labelled = fault.starts_with("labelled-");
    labelled || fault == "not-found-404" || (matches!(source, "spamhaus" | "dns") && fault == "redirect")
}

async fn every_fault(source: &'static str) {
    let absent = server(source, false).await;
    let before = score(&absent, &all()).await;
    let quiet_before = score(&absent, &quiet()).await;
    assert_eq!(before["any_exceeds"], true, "{source}: {before}");
    assert_eq!(quiet_before["any_exceeds"], false, "{source}: {quiet_before}");
    drop(absent.stop().await);
    for (name, fault) in Fault::all() {
        let gated = fault.gate().is_some();
        let app = server(source, true).await;
        let vendor = app.others.get(source).unwrap_or(&app.vendor);
        vendor.inject(Matcher::any(), fault, None);
        let answers = answers(source, name);
        let what = format!("{source} {name}");
        let after = if gated {
            held(&app, vendor, &all()).await
        } else {
            score(&app, &all()).await
        };
        let failed = compare(&what, source, &before, &after, answers);
        // Where nothing exceeds, the whole alert is open.
        if matches!(name, "busy-503" | "invalid-json" | "reset") {
            let after = score(&app, &quiet()).await;
            compare(&what, source, &quiet_before, &after, answers);
        }
        assert!(failed || answers, "{source} {name}: nothing failed");
        assert!(
            vendor.attempts() > 0,
            "{source} {name}: the vendor was never asked"
        );
    }
}

macro_rules! matrix {
    ($($source:ident)*) => {
        /// Lists the sources whose faults are walked.
        const WALKED: &[&str] = &[$(stringify!($source)),*];

        $(
            #[tokio::test]
            async fn $source() {
                every_fault(stringify!($source)).await;
            }
        )*
    };
}

matrix! {
    domaintools virustotal threatconnect threatgrid defender abuseipdb greynoise emailrep ipqs rdap spamhaus dns
}

#[test]
fn no_source_of_scores_is_left_out() {
    use pivotd::domain::Capability;
    let speaks = |descriptor: &&std::sync::Arc<pivotd::providers::Descriptor>| {
        [Capability::Risk, Capability::Reputation, Capability::MailPolicy]
            .into_iter()
            .any(|capability| descriptor.offer(capability).is_some())
    };
    for descriptor in crate::support::providers().descriptors().filter(speaks) {
        // The old service's own interface is that of Defender.
        let is_walked = WALKED.contains(&descriptor.name.as_str()) || descriptor.name == "passivetotal";
        assert!(is_walked, "{} is not walked", descriptor.name);
    }
}

/// Tells sources that know of an indicator only what surrounds it: what they would say seldom matters.
fn tells_circumstances_only(source: &str) -> bool {
    matches!(source, "rdap" | "dns")
}

/// Tells what a source could say of an indicator of this role that does not exceed alone.
fn seldom_matters(source: &str, role: &str) -> bool {
    // Of what samples touched Threat Grid knows that they touched it, and scores files only.
    tells_circumstances_only(source) || (source == "threatgrid" && role != "hash")
}
