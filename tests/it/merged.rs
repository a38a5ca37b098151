//! Transforms that ask several providers side by side and merge what came.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use pivotd::replay::{Fault, Gate, Matcher};
use serde_json::json;

use crate::support::{Builder, Entity, TestApp, answering, providers};

const FIVE: [&str; 5] = ["passivetotal", "dnsdb", "mnemonic", "circl", "virustotal"];
const ALL: &str = "resolutions";
/// A name that every one of them knows.
const NAME: &str = "tendrit.example";

async fn app() -> TestApp {
    let builder = Builder::new().with(FIVE);
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
    let apart = self::app().await;
    let mut alone = BTreeSet::new();
    for provider in FIVE {
        let answer = apart
            .run(&format!("{provider}.resolutions"), Entity::domain(NAME))
            .await;
        assert_eq!(
            app.others[provider].attempts(),
            apart.others[provider].attempts(),
            "{provider}: as many calls as alone"
        );
        assert!(
            merged.body.contains(&format!("Name=\"{provider}.source\"")),
            "{provider}"
        );
        alone.extend(values(&answer));
        let kept = app
            .run(&format!("{provider}.resolutions"), Entity::domain(NAME))
            .await;
        assert_eq!(
            kept.header("pivotd-cache"),
            "hit",
            "{provider}: what was merged is kept by provider"
        );
    }
    assert_eq!(values(&merged), alone);
}

#[tokio::test]
async fn one_slow_one_failing_one_fine() {
    let builder = Builder::new().with(FIVE).manual_clock();
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
        while app.app.engine.in_flight() != 1 {
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

/// One refused key of the user's own spoils nothing that others found; alone, it makes the client ask for it again.
#[tokio::test]
async fn a_users_refused_key_is_told_beside_what_others_found() {
    let app = app().await;
    let own = [("global#virustotal.api-key", "wrong")];
    app.others["virustotal"].inject(Matcher::any(), Fault::unauthorized_401(), None);
    let merged = app.run(ALL, Entity::domain(NAME).with(&own)).await;
    assert!(merged.body.contains("dnsdb.source") && !merged.body.contains("virustotal.source"));
    let said = merged.said("PartialError");
    assert!(
        said.contains("VirusTotal") && said.contains("the key you set yourself"),
        "{said}"
    );
    let alone = app
        .run("virustotal.resolutions", Entity::domain(NAME).with(&own))
        .await;
    assert!(!alone.said("Exception 600").is_empty(), "{}", alone.body);
}

/// A window of one provider's is not applied to the others.
#[tokio::test]
async fn each_provider_has_its_own_window() {
    let app = app().await;
    let all = app.run(ALL, Entity::domain(NAME)).await;
    let window = [("global#passivetotal.since", "2100-01-01")];
    let without = app.run(ALL, Entity::domain(NAME).with(&window)).await;
    let only_there: BTreeSet<String> = {
        let shown = values(&without);
        values(&all)
            .into_iter()
            .filter(|value| !shown.contains(value))
            .collect()
    };
    assert!(!values(&without).is_empty(), "{}", without.body);
    let apart = app.run("passivetotal.resolutions", Entity::domain(NAME)).await;
    assert!(only_there.is_subset(&values(&apart)), "{only_there:?}");
    let said = without.said("Inform");
    assert_eq!(
        said.contains("outside the window"),
        !only_there.is_empty(),
        "{said}"
    );
    let of_last = [("global#virustotal.since", "2100-01-01")];
    let rest = app.run(ALL, Entity::domain(NAME).with(&of_last)).await;
    assert!(
        values(&apart).is_subset(&values(&rest)),
        "the first provider's are all there"
    );
}

/// Who cannot be asked about an address is left out there; with nobody else's key, it is the registry that answers.
#[tokio::test]
async fn whois_asks_everybody_who_can_be_asked() {
    let app = Builder::new().with(["defender", "rdap"]).start().await;
    let domain = app.run("whois", Entity::domain("tendrit.example")).await;
    for provider in ["domaintools", "defender", "rdap"] {
        let said = domain.said("PartialError") + &domain.said("Inform");
        let known = providers();
        let title = known.descriptor(provider).unwrap().title.as_str();
        assert!(
            domain.body.contains(&format!("{provider}.source")) || said.contains(title),
            "{provider}: {}",
            domain.body
        );
    }
    let before = app.others["defender"].attempts();
    let address = app
        .run("whois", Entity::new("maltego.IPv6Address", "2001:db8::44"))
        .await;
    assert_eq!(app.others["defender"].attempts(), before, "{}", address.body);
    assert!(!address.body.contains("cannot be asked"), "{}", address.body);
}

#[tokio::test]
async fn a_provider_without_a_key_is_not_asked_and_not_missed() {
    let builder = Builder::new().with(FIVE);
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

/// The kinds of entities that are compared, whichever provider they come from.
const COMPARED: [&str; 8] = [
    "name",
    "address",
    "e-mail address",
    "file",
    "tracker",
    "telephone",
    "person",
    "location",
];

/// Says what an entity is, by its type.
fn kind_of(type_id: &str) -> Option<&'static str> {
    Some(match type_id {
        "maltego.Domain" | "maltego.DNSName" => "name",
        "maltego.IPv4Address" | "maltego.IPv6Address" => "address",
        "maltego.EmailAddress" => "e-mail address",
        "maltego.Hash" => "file",
        // What a provider without an own type for them would draw them as.
        "pivotd.Tracker" | "maltego.UniqueIdentifier" => "tracker",
        "maltego.PhoneNumber" => "telephone",
        "maltego.Person" => "person",
        "maltego.Location" | "maltego.Country" => "location",
        _ => return None,
    })
}

/// Writes a value so that the spellings of one thing become one.
fn loosely(kind: &str, value: &str) -> String {
    let lower = value.to_lowercase();
    match kind {
        "telephone" => lower.chars().filter(char::is_ascii_digit).collect(),
        "person" => {
            let mut words: Vec<&str> = lower
                .split(|letter: char| !letter.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .collect();
            words.sort_unstable();
            words.join(" ")
        }
        "location" => match pivotd::domain::Country::find(value) {
            Some(country) => country.code.to_owned(),
            None => lower,
        },
        _ => {
            let bare = lower.trim_end_matches('.');
            match bare.parse::<std::net::IpAddr>() {
                Ok(address) => address.to_canonical().to_string(),
                Err(_) => bare.to_owned(),
            }
        }
    }
}

/// The same host, address, e-mail address, file, tracker, telephone, person or place is one entity, whoever tells of it.
#[tokio::test]
async fn an_entity_is_the_same_from_every_provider() {
    let known = providers();
    let names: Vec<String> = known
        .descriptors()
        .map(|descriptor| descriptor.name.to_string())
        .collect();
    let app = Builder::new().with(&names).manual_clock().start().await;
    let configured = app.app.configured.load_full();
    // By what it is, however it is spelt: how each provider's transforms spell it, and what they draw it as.
    let mut spellings: BTreeMap<(&str, String), BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for spec in configured.catalogue.transforms() {
        let [provider] = spec.providers() else { continue };
        for example in [
            spec.example.as_str(),
            NAME,
            "example.com",
            "office-sync.example",
            "192.0.2.44",
            "203.0.113.105",
        ] {
            let run = app.run(&spec.name, Entity::new(&spec.inputs[0].type_id, example));
            let answer = app.while_moving(Duration::from_secs(10), run).await;
            for (type_id, value) in answer.entities() {
                // An input comes back as it was sent, whatever it would be drawn as.
                if value == example {
                    continue;
                }
                let Some(kind) = kind_of(&type_id) else { continue };
                let loose = loosely(kind, &value);
                let spelt = spellings.entry((kind, loose)).or_default();
                spelt
                    .entry(format!("{type_id} {value}"))
                    .or_default()
                    .insert(provider.clone());
            }
        }
    }
    let several = |spelt: &&BTreeMap<String, BTreeSet<String>>| {
        spelt.values().flatten().collect::<BTreeSet<_>>().len() > 1
    };
    let shared = spellings.values().filter(several).count();
    assert!(
        shared >= 15,
        "only {shared} entities come from more than one provider"
    );
    for kind in COMPARED {
        let of_kind = spellings.iter().filter(|((known, _), _)| *known == kind);
        let of_several = of_kind.map(|(_, spelt)| spelt).filter(several);
        assert!(
            of_several.count() > 0 || kind == "file",
            "no {kind} comes from more than one provider"
        );
    }
    assert!(spellings.keys().any(|(kind, _)| *kind == "file"));
    for (entity, spelt) in &spellings {
        assert_eq!(spelt.len(), 1, "{entity:?} is drawn as {spelt:?}");
    }
}

/// Three providers that tell of one tracker draw one entity: type, value and the property that parts entities.
#[tokio::test]
async fn a_tracker_is_the_same_from_every_provider() {
    const HOST: &str = "market-lane.example";
    const ID: &str = "UA-7712345-2";
    let iris = json!({"response": {
        "limit_exceeded": false, "has_more_results": false, "results_count": 1, "total_count": 1,
        "results": [{
            "domain": HOST,
            "google_analytics": {"value": ID, "count": 4},
            "fb_codes": [{"value": "2002002002", "count": 2}],
        }],
    }});
    let passivetotal = json!({"totalRecords": 2, "success": true, "results": [
        {"hostname": HOST, "attributeType": "GoogleAnalyticsTrackingId", "attributeValue": ID,
         "firstSeen": "2024-04-03 00:00:00", "lastSeen": "2024-06-30 12:00:00"},
        {"hostname": HOST, "attributeType": "FacebookId", "attributeValue": 2_002_002_002_u32,
         "firstSeen": "2024-04-03 00:00:00", "lastSeen": "2024-06-30 12:00:00"},
    ]});
    let defender = json!({"value": [
        {"id": "eA==", "firstSeenDateTime": "2024-04-03T10:31:12Z", "lastSeenDateTime": "2024-06-30T13:19:35Z",
         "kind": "GoogleAnalyticsTrackingId", "value": ID, "host": {"id": HOST}},
        {"id": "eB==", "firstSeenDateTime": "2024-04-03T10:31:12Z", "lastSeenDateTime": "2024-06-30T13:19:35Z",
         "kind": "FacebookId", "value": "2002002002", "host": {"id": HOST}},
    ]});
    let played = [
        (
            "domaintools",
            "domaintools.pivots",
            format!("POST /v1/iris-investigate/\nform: domain={HOST}"),
            iris,
        ),
        (
            "passivetotal",
            "passivetotal.trackers",
            format!("GET /host-attributes/trackers\nquery: query={HOST}&page=0"),
            passivetotal,
        ),
        (
            "defender",
            "defender.trackers",
            format!("GET /v1.0/security/threatIntelligence/hosts/{HOST}/trackers"),
            defender,
        ),
    ];
    let mut builder = Builder::new().with(["passivetotal", "defender"]);
    for (provider, _, request, body) in &played {
        let mut exchanges = vec![(request.clone(), body.clone())];
        if *provider == "defender" {
            let token = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": pivotd::replay::DEFENDER_TOKEN});
            exchanges.push(("POST /{tenant}/oauth2/v2.0/token\nform: grant_type=client_credentials&client_id=*&client_secret=*&scope=*".to_owned(), token));
        }
        let vendor = answering(provider, exchanges);
        builder = builder.plays(provider, vendor);
    }
    let app = builder.start().await;
    for (_, transform, _, _) in played {
        let answer = app.run(transform, Entity::domain(HOST)).await;
        let mut trackers: Vec<(String, String)> = answer
            .entities()
            .into_iter()
            .filter(|(_, value)| value != HOST)
            .collect();
        trackers.sort();
        let expected = [ID, "2002002002"].map(|id| ("pivotd.Tracker".to_owned(), id.to_owned()));
        assert_eq!(
            trackers.into_iter().collect::<BTreeSet<_>>(),
            BTreeSet::from(expected),
            "{transform}: {}",
            answer.body
        );
        for (id, kind) in [(ID, "google-analytics"), ("2002002002", "facebook")] {
            let entity = answer
                .body
                .split("<Entity Type=\"")
                .find(|part| part.contains(&format!("<Value>{id}</Value>")))
                .unwrap();
            let field = entity
                .split("<Field ")
                .find(|field| field.contains("Name=\"pivotd.tracker-kind\""))
                .unwrap_or_else(|| panic!("{transform}: {entity}"));
            assert!(
                field.contains("MatchingRule=\"strict\"") && field.contains(&format!(">{kind}<")),
                "{transform}: {field}"
            );
            let strict = entity.matches("MatchingRule=\"strict\"").count();
            let known = entity.matches("Name=\"text\"").count();
            assert!(
                strict <= 1 + known,
                "{transform}: nothing else parts trackers: {entity}"
            );
        }
    }
}

#[tokio::test]
async fn without_a_paid_provider_registrations_come_from_the_registries() {
    let builder = Builder::new().with(["rdap"]).settings(|settings| {
        let provider = settings.providers.get_mut("domaintools").unwrap();
        provider.credentials.clear();
        let reason = "DOMAINTOOLS_API_KEY is not set".to_owned();
        provider.missing.insert("api_key".to_owned(), reason);
    });
    let app = builder.start().await;
    let answer = app.run("whois", Entity::domain("example.com")).await;
    assert!(answer.body.contains("Name=\"rdap.source\""), "{}", answer.body);
    assert!(answer.messages().is_empty(), "{:?}", answer.messages());
    assert_eq!(app.vendor.attempts(), 0);
    let nowhere = app.run("rdap.whois", Entity::domain("nowhere.example")).await;
    let said = nowhere.said("PartialError");
    assert!(said.contains("knows no server for .example"), "{}", nowhere.body);
    let configured = app.app.configured.load();
    let listed = |name: &str| configured.catalogue.listed().iter().any(|spec| spec.name == name);
    assert!(listed("whois") && listed("rdap.whois") && !listed("domaintools.whois"));
}

#[tokio::test]
async fn a_registration_is_told_by_everybody_who_knows_it() {
    let app = Builder::new().with(["rdap"]).start().await;
    let answer = app.run("whois", Entity::domain("example.com")).await;
    for provider in ["rdap", "domaintools"] {
        let source = format!("Name=\"{provider}.source\"");
        assert!(answer.body.contains(&source), "{provider}: {}", answer.body);
    }
    let domains = answer
        .entities()
        .into_iter()
        .filter(|(type_id, _)| type_id == "maltego.Domain");
    assert_eq!(domains.count(), 1, "the input is annotated once: {}", answer.body);
}
