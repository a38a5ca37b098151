//! A merged look-up tells what each provider knows as soon as it knows it.

use std::collections::BTreeSet;

use pivotd::replay::{Fault, Gate, Matcher};

use super::{V3, domain, found, of, told};
use crate::support::{Builder, Entity};

const THREE: [&str; 3] = ["passivetotal", "dnsdb", "virustotal"];
const NAME: &str = "tendrit.example";

#[tokio::test]
async fn each_provider_is_told_as_it_answers() {
    let builder = Builder::new().with(THREE);
    let app = builder
        .settings(|settings| settings.providers.get_mut("domaintools").unwrap().enabled = false)
        .start()
        .await;
    let gates = THREE.map(|provider| {
        let gate = Gate::new();
        app.others[provider].inject(Matcher::any(), Fault::Hold(gate.clone()), None);
        gate
    });
    let client = V3::new(&app);
    let run = client.create("pivotd.resolutions", &domain(NAME)).await;
    for provider in THREE {
        app.others[provider].wait_for_attempts(1).await;
    }
    let mut events = Vec::new();
    for (at, gate) in gates.iter().enumerate() {
        gate.release();
        let done = at + 1;
        let state = client
            .read_until(&run, &mut events, |events| {
                told(events)
                    .iter()
                    .any(|(_, text)| text.contains(&format!("{done} of 3 sources")))
            })
            .await;
        if done < 3 {
            assert_eq!(state, "RUNNING", "others are still asked");
        } else {
            assert_eq!(state, "COMPLETED");
        }
        let sources = |kind: &str| -> BTreeSet<String> {
            let entities = of(&events, kind).into_iter().map(|data| &data["entity"]);
            let properties = entities.filter_map(|entity| entity["properties"].as_array());
            let names = properties
                .flatten()
                .filter_map(|one| one["name"].as_str()?.strip_suffix(".source"));
            names.map(str::to_owned).collect()
        };
        let mut all = sources("ADD ENTITY");
        all.extend(sources("UPDATE ENTITY"));
        let expected: BTreeSet<String> = THREE[..done].iter().map(|&name| name.to_owned()).collect();
        assert_eq!(all, expected, "after {done}");
    }
    assert!(
        !of(&events, "UPDATE ENTITY").is_empty(),
        "several know the same address"
    );
    let progress = of(&events, "ADD STATUS_MESSAGE");
    let progress: Vec<f64> = progress
        .iter()
        .map(|data| data["statusMessage"]["progress"].as_f64().unwrap())
        .collect();
    assert!(
        progress.is_sorted() && progress[0] > 0.3 && progress[0] < 0.4,
        "{progress:?}"
    );

    // In the end the client has what it would have been answered at once.
    let xml = app.run("resolutions", Entity::domain(NAME)).await;
    let at_once: BTreeSet<_> = xml.entities().into_iter().collect();
    assert_eq!(found(&events).into_iter().collect::<BTreeSet<_>>(), at_once);
    assert_eq!(found(&events).len(), at_once.len(), "each is added once");
    let merged = merged(&events);
    for part in xml.body.split("<Entity Type=").skip(1) {
        let value = part
            .split("<Value>")
            .nth(1)
            .and_then(|rest| rest.split('<').next())
            .unwrap();
        let names: BTreeSet<&str> = part
            .split("<Field Name=\"")
            .skip(1)
            .filter_map(|field| field.split('"').next())
            .filter(|name| !name.starts_with("link#") && !name.ends_with('#'))
            .collect();
        assert_eq!(
            merged[value].iter().map(String::as_str).collect::<BTreeSet<_>>(),
            names,
            "{value}"
        );
    }
    // What is kept is told at once.
    let (_, again) = client.run("pivotd.resolutions", &domain(NAME)).await;
    assert!(of(&again, "UPDATE ENTITY").is_empty());
    assert_eq!(found(&again).into_iter().collect::<BTreeSet<_>>(), at_once);
}

/// Names the properties that the client has of each value in the end.
fn merged(events: &[serde_json::Value]) -> std::collections::HashMap<String, BTreeSet<String>> {
    let mut of_id = std::collections::HashMap::new();
    let mut all: std::collections::HashMap<String, BTreeSet<String>> = std::collections::HashMap::new();
    for kind in ["ADD ENTITY", "UPDATE ENTITY"] {
        for data in of(events, kind) {
            let entity = &data["entity"];
            let properties = entity["properties"].as_array().cloned().unwrap_or_default();
            if let Some(name) = entity["valueRef"].as_str() {
                let value = properties.iter().find(|one| one["name"] == name).unwrap();
                of_id.insert(
                    entity["id"].as_str().unwrap().to_owned(),
                    value["value"].as_str().unwrap().to_owned(),
                );
            }
            let value = &of_id[entity["id"].as_str().unwrap()];
            let names = properties
                .iter()
                .map(|one| one["name"].as_str().unwrap().to_owned());
            all.entry(value.clone()).or_default().extend(names);
        }
    }
    all
}
