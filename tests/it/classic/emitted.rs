//! What clients are given is what they know: each entity type and property that a transform gives is a standard one or one of our
//! definitions, or a property of the provider's or our own; what is put into a configuration file leads nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use pivotd::config::values;
use pivotd::maltego::discovery::Seed;
use pivotd::maltego::icons::{HUB, HUB_SIZE, icon};
use pivotd::maltego::listing::ListingEntry;
use pivotd::maltego::machine::machines;
use pivotd::maltego::mtz::configuration;
use pivotd::maltego::types;

use super::client::{ClassicClient, Element, elements};
use super::{everything, plain, token, value};
use crate::support::{TestApp, providers};

/// What stands before the names of fields that are no property of the entity.
const BESIDE: [&str; 3] = ["link#", "notes#", "bookmark#"];

/// Tells whether a property may stand on any entity: it is named for the provider that says it, or is our own.
fn is_dynamic(name: &str) -> bool {
    let before = name.split_once('.').map(|(before, _)| before);
    before.is_some_and(|before| {
        before == "pivotd" || providers().descriptors().any(|known| known.name == before)
    })
}

/// Returns what a client could not place of an entity's field.
fn unknown(type_id: &str, field: &Element) -> Option<String> {
    let name = field.attribute("Name");
    if BESIDE.iter().any(|beside| name.starts_with(beside)) {
        return None;
    }
    let is_strict = field.attribute("MatchingRule") == "strict";
    match types::property(type_id, name) {
        Some(known) if known.strict == is_strict => None,
        Some(_) => Some(format!("{type_id} {name}: declared with the other matching rule")),
        None if !is_dynamic(name) => Some(format!("{type_id} {name}: not declared")),
        None if is_strict => Some(format!("{type_id} {name}: strict, and not declared")),
        None => None,
    }
}

#[tokio::test]
async fn every_entity_that_is_given_is_of_a_known_type_with_known_properties() {
    let app = everything().start().await;
    let token = token(&app, &[pivotd::tokens::Scope::Transforms]).await;
    let seed = format!("{}/t/{token}/seed", app.base);
    let client = ClassicClient::discover(plain(), &seed).await;
    let (mut seen, mut faults) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    for transform in &client.transforms {
        let answer = client.run(transform, &value(&app, transform)).await;
        let (mut type_id, mut text, mut value_field) = (String::new(), String::new(), None);
        let end = Element {
            name: "Entity".to_owned(),
            ..Element::default()
        };
        for element in elements(&answer.body).into_iter().chain([end]) {
            match element.name.as_str() {
                "Entity" => {
                    let named = types::value_property(&type_id);
                    if !type_id.is_empty() && value_field.take() != Some(text.clone()) {
                        faults.insert(format!("{type_id}: {named:?} does not hold its value"));
                    }
                    type_id = element.attribute("Type").to_owned();
                    if !type_id.is_empty() {
                        *seen.entry(type_id.clone()).or_default() += 1;
                    }
                }
                "Value" => text = element.text,
                "Field" if !type_id.is_empty() => {
                    if types::lookup(&type_id).is_none() {
                        faults.insert(format!("{type_id}: no such type"));
                    }
                    if types::value_property(&type_id) == Some(element.attribute("Name")) {
                        value_field = Some(element.text.clone());
                    }
                    faults.extend(unknown(&type_id, &element));
                }
                _ => {}
            }
        }
    }
    assert_eq!(faults, BTreeSet::new());
    for type_id in [
        "pivotd.Incident",
        "pivotd.Mutex",
        "pivotd.Tracker",
        "maltego.Domain",
    ] {
        assert!(seen.contains_key(type_id), "no {type_id} in {seen:?}");
    }
}

#[tokio::test]
async fn the_catalogue_names_known_types_and_properties() {
    let app = everything().start().await;
    let configured = app.app.configured.load();
    for transform in configured.listing.transforms() {
        for id in transform.inputs.iter().chain(&transform.outputs) {
            assert!(types::lookup(id).is_some(), "{}: {id}", transform.name);
        }
    }
    for spec in configured.catalogue.transforms() {
        for rule in &spec.entities {
            for field in &rule.fields {
                let Some(name) = &field.property else { continue };
                let declared = match &rule.type_id {
                    Some(id) => types::property(id, name).is_some(),
                    // The value decides: on one of the types that it can have, the property is declared.
                    None => spec
                        .output_types()
                        .iter()
                        .any(|id| types::property(id, name).is_some()),
                };
                assert!(declared || is_dynamic(name), "{}: {name}", spec.name);
            }
        }
    }
}

fn seed(app: &TestApp) -> Seed {
    Seed {
        name: "pivotd".to_owned(),
        base_url: values::public_url(&app.base).unwrap(),
        version: "0.1.0".to_owned(),
    }
}

#[tokio::test]
async fn the_icon_of_the_hub_is_served_without_a_token() {
    let app = everything().start().await;
    let png = icon(HUB).unwrap().sized(HUB_SIZE).unwrap();
    for path in ["/icon.png", "/t/anything/icon.png"] {
        let answer = plain().get(format!("{}{path}", app.base)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "image/png");
        assert_eq!(&answer.bytes().await.unwrap()[..], png);
    }
}

#[tokio::test]
async fn machines_run_transforms_of_the_catalogue_on_what_they_take() {
    let app = everything().start().await;
    let configured = app.app.configured.load();
    let listing = &configured.listing;
    for machine in machines() {
        for (name, input) in machine.candidates() {
            let entry = listing
                .entries()
                .find(|entry| entry.transform.name == name && types::is_a(input, entry.input));
            assert!(entry.is_some(), "{} runs {name} on {input}", machine.id);
        }
        let code = machine.code(listing, |entry: ListingEntry<'_>| entry.name.to_owned());
        let code = code.unwrap_or_else(|| panic!("{} is not written", machine.id));
        let runs = code.matches("run(\"").count();
        assert_eq!(
            runs,
            machine.length(),
            "{}: no path is left out\n{code}",
            machine.id
        );
        for run in code.split("run(\"").skip(1) {
            let name = run.split('"').next().unwrap();
            assert!(listing.find(name).is_some(), "{}: {name}", machine.id);
        }
    }
    let bytes = configuration(listing, &seed(&app)).unwrap();
    assert_eq!(bytes, configuration(listing, &seed(&app)).unwrap());
    let entries = listing.offered_entries().count();
    let archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes[..])).unwrap();
    let transforms = archive
        .file_names()
        .filter(|name| name.as_ref().unwrap().ends_with(".transform"));
    assert_eq!(transforms.count(), entries);
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
}
