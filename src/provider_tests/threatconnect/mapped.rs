//! Maps answers with the transforms that are compiled in.

use serde_json::json;

use super::*;
use crate::catalogue::Catalogue;
use crate::maltego::Entity;
use crate::providers::Providers;

fn catalogue() -> (Catalogue, crate::config::Settings) {
    let descriptors = Providers::built_in();
    let loaded = crate::config::load(None, &[], &descriptors).unwrap();
    (Catalogue::build(&loaded.settings, 1), loaded.settings)
}

fn entities(transform: &str, walked: &LookupTrace) -> Vec<Entity> {
    crate::provider_tests::testing::entities(transform, ("maltego.Phrase", "x"), &[walked.answer()])
}

fn strict(entity: &Entity) -> Vec<(&str, &str)> {
    let strict = entity.properties.iter().filter(|property| property.strict);
    strict
        .map(|property| (property.name.as_str(), property.value.as_str()))
        .collect()
}

fn types(transform: &str, lookup: &Lookup) -> Vec<String> {
    let mut types: Vec<_> = entities(transform, &walk_fixtures(lookup).unwrap())
        .iter()
        .map(|entity| entity.type_id.to_string())
        .collect();
    types.sort();
    types
}

#[test]
fn every_record_becomes_an_entity_of_its_type() {
    use Capability::{IncidentsOf, Owners};
    let owners = of(Owners, IndicatorKind::Phrase, "*");
    assert_eq!(types("threatconnect.owners", &owners), ["pivotd.Community"; 3]);
    let holding = of(IncidentsOf, IndicatorKind::Domain, "mail.parkside.example");
    assert_eq!(
        types("threatconnect.incidents-of", &holding),
        [
            "pivotd.Adversary",
            "pivotd.Campaign",
            "pivotd.Incident",
            "pivotd.Incident"
        ]
    );
    assert_eq!(
        types("threatconnect.indicators", &indicators("1184230")),
        [
            "maltego.AS",
            "maltego.DNSName",
            "maltego.EmailAddress",
            "maltego.Hash",
            "maltego.Hash",
            "maltego.IPv4Address",
            "maltego.IPv6Address",
            "maltego.Netblock",
            "maltego.URL",
            "pivotd.Mutex",
            "pivotd.RegistryKey",
            "pivotd.UserAgent",
        ]
    );
}

/// Names repeat: only number and owner say which incident it is.
#[test]
fn incidents_of_one_name_stay_apart() {
    let item = |id, owner| json!({"id": id, "type": "Incident", "name": "Same", "ownerName": owner});
    let body = json!({"data": [item(1, "A"), item(2, "A"), item(3, "B")], "status": "Success"});
    let walked = walk(&incidents("*"), |_| reply(200, &body.to_string())).unwrap();
    let entities = entities("threatconnect.incidents", &walked);
    let mut found: Vec<_> = entities.iter().map(|entity| strict(entity)).collect();
    found.sort_unstable();
    let one = |id, owner| vec![("threatconnect.id", id), ("threatconnect.owner", owner)];
    for known in &mut found {
        known.sort_unstable();
    }
    assert_eq!(found, [one("1", "A"), one("2", "A"), one("3", "B")]);
}

/// The number that an incident carries is what its indicators are asked by; a host is not cut to its domain.
#[test]
fn inputs_ask_what_they_hold() {
    let (catalogue, _) = catalogue();
    let input = |transform: &str, type_id: &str| {
        let spec = catalogue.find(transform).unwrap();
        spec.input_for([type_id].into_iter()).unwrap().clone()
    };
    let incident = input("threatconnect.indicators", "pivotd.Incident");
    assert_eq!(incident.query.as_deref(), Some("threatconnect.id"));
    assert_eq!(incident.kinds, [IndicatorKind::Incident]);
    let community = input("threatconnect.incidents", "pivotd.Community");
    assert_eq!(community.kinds, [IndicatorKind::Community]);
    let phrase = input("threatconnect.incidents", "maltego.Phrase");
    assert_eq!(phrase.kinds, [IndicatorKind::Phrase]);
    for type_id in [
        "maltego.Domain",
        "maltego.DNSName",
        "maltego.Website",
        "maltego.URL",
    ] {
        assert!(
            !input("threatconnect.incidents-of", type_id).registrable,
            "{type_id}"
        );
    }
}
