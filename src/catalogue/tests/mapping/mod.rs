//! Tests the mapping with records made by hand.

mod direct;
mod golden;
mod input;
mod order;
mod properties;

use jiff::Timestamp;
use jiff::civil::{Date, date};

use crate::catalogue::{Catalogue, TransformSpec};
use crate::config::tests::vendor;
use crate::domain::{Answer, Capability, Indicator, IndicatorKind, Query, Record, Source};
use crate::maltego::Entity;
use crate::mapping::{DateWindow, MappedInput, MappingResult, Rules, Selection, SourceAnswer, map};

/// Builds the settings of a file with one transform on a capability and these entity rules.
pub(super) fn settings(capability: &str, rules: &str) -> crate::config::Settings {
    let input = match capability {
        "reverse-whois" => "maltego.EmailAddress",
        "domains-on-ip" => "maltego.IPv4Address",
        _ => "maltego.Domain",
    };
    let text = format!(
        "[providers.domaintools]\n[scales]\nrisk = [{{ from = 0, name = \"clean\", bookmark = \"green\" }}, {{ from = 70, name = \"high\", bookmark = \"red\", overlay = \"#d32f2f\" }}]\n\
         [[transform]]\nname = \"test\"\ntitle = \"Test\"\nabout = \"Test.\"\nset = \"Test\"\nexample = \"example.com\"\n\
         provider = \"domaintools\"\ncapability = \"{capability}\"\ninput = \"{input}\"\n{rules}"
    );
    let read = crate::config::read("test.toml", &text, false, &[], &vendor::ALL);
    read.map(|loaded| loaded.settings)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

pub(super) fn answer(capability: Capability, records: Vec<Record>) -> Answer {
    let indicator = Indicator::parse(IndicatorKind::Domain, "example.com").unwrap();
    let source = Source {
        provider: "domaintools".to_owned(),
        product: "hosting-history".to_owned(),
        blind: None,
    };
    Answer::whole(Query::new(capability, indicator), records, source)
}

pub(super) const INPUT: MappedInput<'static> = MappedInput {
    type_id: "maltego.Domain",
    value: "example.com",
    properties: &[],
    instead: None,
};

pub(super) fn at() -> Timestamp {
    "2026-03-01T10:11:12.5Z".parse().unwrap()
}

/// Maps one answer with the rules of one transform.
pub(super) fn run(
    capability: &str,
    rules: &str,
    records: Vec<Record>,
    window: &DateWindow,
    limit: usize,
) -> MappingResult {
    let settings = settings(capability, rules);
    let answer = answer(capability.parse().unwrap(), records);
    let heard = SourceAnswer {
        window: *window,
        ..SourceAnswer::whole(&answer, at())
    };
    map(&[heard], &rules_of(&settings), &INPUT, &Selection::up_to(limit))
}

/// Maps by the first transform of the settings.
pub(super) fn rules_of(settings: &crate::config::Settings) -> Rules<'_> {
    settings.transforms[0].rules(&settings.scales, &settings.lists, crate::domain::Marks::none())
}

pub(super) fn mapped(capability: &str, rules: &str, records: Vec<Record>) -> Vec<Entity> {
    run(capability, rules, records, &DateWindow::default(), 100).entities
}

pub(super) fn day(year: i16) -> Date {
    date(year, 5, 20)
}

pub(super) fn property<'a>(entity: &'a Entity, name: &str) -> Option<&'a str> {
    entity
        .properties
        .iter()
        .find(|property| property.name == name)
        .map(|property| property.value.as_str())
}

pub(super) fn values(entities: &[Entity]) -> Vec<&str> {
    entities.iter().map(|entity| entity.value.as_str()).collect()
}

/// Writes an entity the way these tests read it: one line each for the entity, its properties and its link.
pub(super) fn written(entity: &Entity) -> String {
    use crate::maltego::response::LinkProperty;
    let mut out = format!("{} {}\n", entity.type_id, entity.value);
    for property in &entity.properties {
        let strict = if property.strict { " strict" } else { "" };
        out.push_str(&format!("  {} = {}{strict}\n", property.name, property.value));
    }
    for link in &entity.link {
        match link {
            LinkProperty::Label(label) => out.push_str(&format!("  link: {label}\n")),
            LinkProperty::Custom(name, _, value) => out.push_str(&format!("  link {name} = {value}\n")),
            other => out.push_str(&format!("  link {other:?}\n")),
        }
    }
    out
}

#[test]
fn the_transform_of_the_manual_maps_end_to_end() {
    let loaded = crate::config::load(None, &[], &vendor::all()).unwrap_or_else(|errors| panic!("{errors}"));
    let catalogue = Catalogue::build(&loaded.settings, 1);
    let spec: &TransformSpec = catalogue.find("DomainTools.ip-history/").unwrap();
    let records = vec![
        Record::new()
            .with("domain", "example.com")
            .with("ip", "192.0.2.7")
            .with("first_seen", day(2012))
            .with("last_seen", day(2013))
            .with("action", "Change"),
        Record::new()
            .with("domain", "example.com")
            .with("ip", "2001:db8::7")
            .with("first_seen", day(2013))
            .with("current", true)
            .with("action", "New"),
    ];
    let answer = answer(Capability::IpHistory, records);
    let mapped = map(
        &[SourceAnswer::whole(&answer, at())],
        &spec.rules(
            &loaded.settings.scales,
            &loaded.settings.lists,
            crate::domain::Marks::none(),
        ),
        &INPUT,
        &Selection::up_to(12),
    );
    let written: Vec<String> = mapped.entities.iter().map(written).collect();
    assert_eq!(
        written,
        [
            "maltego.IPv6Address 2001:db8::7\n  ipv6-address = 2001:db8::7 strict\n  domaintools.action = New\n  \
         domaintools.first_seen = 2013-05-20\n  domaintools.source = domaintools hosting-history\n  \
         domaintools.retrieved_at = 2026-03-01T10:11:12Z\n  link: 2013-05-20\n  link domaintools.first_seen = 2013-05-20\n",
            "maltego.IPv4Address 192.0.2.7\n  ipv4-address = 192.0.2.7 strict\n  domaintools.action = Change\n  \
         domaintools.first_seen = 2012-05-20\n  domaintools.last_seen = 2013-05-20\n  \
         domaintools.source = domaintools hosting-history\n  domaintools.retrieved_at = 2026-03-01T10:11:12Z\n  \
         link: 2012-05-20 to 2013-05-20\n  link domaintools.first_seen = 2012-05-20\n  \
         link domaintools.last_seen = 2013-05-20\n",
        ]
    );
}
