//! Maps answers with the transforms that are compiled in.

use super::*;
use crate::domain::Answer;
use crate::maltego::Entity;

/// Maps answers about an input that equals none of the entities.
fn entities(transform: &str, answers: &[&Answer]) -> Vec<Entity> {
    let other = ("maltego.Hash", "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f");
    crate::provider_tests::testing::entities(transform, other, answers)
}

/// Lists types and values, sorted.
fn shown(entities: &[Entity]) -> Vec<String> {
    let mut shown: Vec<_> = entities
        .iter()
        .map(|entity| format!("{} {}", entity.type_id, entity.value))
        .collect();
    shown.sort();
    shown
}

fn walked(query: Query) -> LookupTrace {
    walk(&lookup(query)).unwrap()
}

fn property<'a>(entity: &'a Entity, name: &str) -> Option<&'a str> {
    let found = entity.properties.iter().find(|property| property.name == name);
    found.map(|property| property.value.as_ref())
}

#[test]
fn resolutions_name_both_sides() {
    let query = question(Capability::Resolutions, IndicatorKind::Domain, "tendrit.example");
    let found = entities("virustotal.resolutions", &[walked(query).answer()]);
    assert_eq!(
        shown(&found),
        [
            "maltego.Domain tendrit.example",
            "maltego.IPv4Address 192.0.2.44",
            "maltego.IPv4Address 198.51.100.7",
            "maltego.IPv6Address 2001:db8::25",
        ],
        "of which the one that was asked about is left out"
    );
}

#[test]
fn a_file_keeps_its_value() {
    let found = entities(
        "file-hashes",
        &[walked(of_hash(Capability::File, SHA256)).answer()],
    );
    assert_eq!(shown(&found), ["maltego.Hash 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"]);
    assert_eq!(property(&found[0], "virustotal.sha256"), Some(SHA256));
    assert_eq!(property(&found[0], "virustotal.detections"), Some("51 of 69"));
}

#[test]
fn sandboxes_are_merged() {
    use crate::providers::threatgrid::ThreatGrid;
    let query = of_hash(Capability::Contacts, SHA256);
    let ours = walked(query.clone());
    let other = testing::lookup(&ThreatGrid, query, "analysis");
    let other = testing::walk_fixtures(&ThreatGrid, &other).unwrap();
    let found = entities("sandbox", &[other.answer(), ours.answer()]);
    let hosts: Vec<_> = found
        .iter()
        .filter(|entity| entity.value == "tendrit.example")
        .collect();
    assert_eq!(hosts.len(), 1);
    assert_eq!(property(hosts[0], "threatgrid.score"), Some("95"));
    assert_eq!(property(hosts[0], "virustotal.malicious"), Some("9"));
    let alone = entities("virustotal.contacted-hosts", &[ours.answer()]);
    assert_eq!(alone.len(), 4);
}
