//! A frontend that is added asks through the same look-up as transforms and scores: sources are chosen, asked side by side and
//! told one by one.

use std::collections::BTreeSet;

use pivotd::ask::lookup::{Lookup, Source, SourceResult, blocked_reason, providers_for};
use pivotd::domain::{Capability, Indicator, IndicatorKind, Outcome, Pap, Tlp};
use pivotd::engine::Requester;
use pivotd::engine::ledger::{Claims, Priority};

use super::beacon::{self, Beacon};
use crate::support::{Builder, TestApp};

const CAPABILITY: Capability = Capability::IpDetails;

/// Answers a question as a door would: of whom is known what.
async fn asked(app: &TestApp, value: &str, only: Option<&[&str]>, tlp: Tlp) -> Vec<SourceResult> {
    let requester = Requester {
        client: "door".to_owned(),
        token: String::new(),
        claims: Claims::default(),
        tenant: "default".to_owned(),
        frontend: "door",
        operation: "/door".to_owned(),
        request_id: "1".to_owned(),
        priority: Priority::Interactive,
        may_buy: false,
    };
    let engine = &app.app.engine;
    let configured = app.app.configured.load_full();
    let indicator = Indicator::parse(IndicatorKind::Ipv4, value).unwrap();
    let only: Option<BTreeSet<String>> =
        only.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    let providers = providers_for(
        engine,
        &requester.tenant,
        CAPABILITY,
        indicator.kind(),
        only.as_ref(),
    );
    let sources = providers.iter().map(|descriptor| Source {
        blocked_reason: blocked_reason(engine, descriptor, CAPABILITY, tlp, Pap::Clear),
        ..Source::of(descriptor, CAPABILITY)
    });
    let lookup = Lookup {
        engine,
        lists: &configured.settings().lists,
        requester: &requester,
        deadline: engine.clock().elapsed() + configured.settings().deadlines.enrich,
        ttl: None,
    };
    lookup.ask_all(sources.collect(), CAPABILITY, &indicator).await
}

fn told(results: &[SourceResult]) -> Vec<(&str, &str)> {
    let told = results.iter().map(|result| {
        let what = match &result.response.outcome {
            Outcome::Found(_) => "found",
            Outcome::NotFound(_) => "not found",
            Outcome::Failed(failure) => failure.message.as_str(),
        };
        (result.descriptor.name.as_str(), what)
    });
    told.collect()
}

#[tokio::test]
async fn sources_with_a_key_are_asked_and_each_tells_what_it_knows() {
    let (provider, _) = Beacon::named("beacon");
    let app = Builder::new()
        .manual_clock()
        .with(["defender", "passivetotal"])
        .adds(provider, beacon::vendor(), &beacon::configuration("beacon"))
        .settings(|settings| {
            let passivetotal = settings.providers.get_mut("passivetotal").unwrap();
            passivetotal.credentials.clear();
        })
        .start()
        .await;
    // DomainTools offers nothing of the kind, and PassiveTotal has no key.
    let results = asked(&app, "192.0.2.44", None, Tlp::Clear).await;
    assert_eq!(told(&results), [("beacon", "not found"), ("defender", "found")]);
    assert!(results[1].response.attempts > 0, "it was asked");
    let again = asked(&app, "192.0.2.44", Some(&["defender", "whoever"]), Tlp::Clear).await;
    assert_eq!(told(&again), [("defender", "found")]);
    assert_eq!(again[0].response.attempts, 0, "the answer is held");
    let red = asked(&app, "198.51.100.66", Some(&["beacon"]), Tlp::Red).await;
    assert_eq!(
        told(&red),
        [(
            "beacon",
            "TLP:red is not told to beacon, which is asked up to amber"
        )]
    );
    assert_eq!(app.others["beacon"].seen().len(), 1, "and nothing left for it");
}
