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

fn of(transform: &str, query: Query) -> Vec<Entity> {
    entities(transform, &[walk(query).unwrap().answer()])
}

#[test]
fn every_transform_makes_its_type() {
    let contacts = |transform: &str| shown(&of(transform, of_hash(Capability::Contacts, SHA256)));
    assert_eq!(
        contacts("threatgrid.domains"),
        [
            "maltego.DNSName update.career-offers.example",
            "maltego.Domain tendrit.example",
        ]
    );
    assert_eq!(
        contacts("threatgrid.ips"),
        [
            "maltego.IPv4Address 192.0.2.44",
            "maltego.IPv4Address 198.51.100.7",
            "maltego.IPv6Address 2001:db8::25",
        ]
    );
    assert_eq!(contacts("threatgrid.urls").len(), 2);
    assert_eq!(
        contacts("threatgrid.user-agents"),
        ["pivotd.UserAgent Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; TNDT)"]
    );
    let files = of("threatgrid.files", of_hash(Capability::SandboxFiles, MD5));
    assert_eq!(files.len(), 2);
    assert!(
        files
            .iter()
            .all(|file| file.type_id == "maltego.Hash" && file.value.len() == 64)
    );
    let traces = |transform: &str| shown(&of(transform, of_hash(Capability::SandboxTraces, SHA256)));
    assert_eq!(
        traces("threatgrid.mutexes"),
        ["pivotd.Mutex Global\\TNDT-7", "pivotd.Mutex ShimCacheMutex"]
    );
    assert_eq!(traces("threatgrid.registry-keys").len(), 3);
}

#[test]
fn samples_are_banded_by_score() {
    let query = question(Capability::Samples, IndicatorKind::Domain, "tendrit.example");
    let samples = of("threatgrid.samples", query);
    assert_eq!(samples.len(), 3);
    let band = |value: &str| {
        let sample = samples.iter().find(|sample| sample.value == value).unwrap();
        sample.bookmark
    };
    use crate::maltego::response::Bookmark;
    assert_eq!(band(SHA256), Some(Bookmark::Red), "95");
    let private = "5dd0a0731533afe0376848b668913030f85835286877400de52ab907e706efdb";
    assert_eq!(band(private), Some(Bookmark::Blue), "40");
    let unscored = "494a2b10fd59362e6fa10053c87fe92855c7733b87ae14ecdb05b418f88fe569";
    assert_eq!(band(unscored), None, "unknown is in no band");
}
