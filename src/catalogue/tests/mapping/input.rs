use super::{answer, at, property, rules_of, settings, values};
use crate::domain::{Capability, Record};
use crate::maltego::{Entity, Property};
use crate::mapping::{DateWindow, MappedInput, MappingResult, Selection, SourceAnswer, map};

const RULES: &str = "[[transform.entity]]\non = \"input\"\nfields = { score = \"Risk score\", components = \"Components\" }\nband = { by = \"score\", scale = \"risk\" }";

fn annotate(type_id: &str, value: &str, properties: &[Property], records: Vec<Record>) -> MappingResult {
    let settings = settings("risk", RULES);
    let answer = answer(Capability::Risk, records);
    let input = MappedInput {
        type_id,
        value,
        properties,
        instead: None,
    };
    map(
        &[SourceAnswer::whole(&answer, at())],
        &rules_of(&settings),
        &input,
        &Selection::up_to(0),
    )
}

fn risk() -> Vec<Record> {
    let component = |name: &str, score: i64| Record::new().with("name", name).with("score", score);
    vec![
        Record::new()
            .with("domain", "example.com")
            .with("score", 87)
            .with(
                "components",
                vec![component("proximity", 87), component("threat_profile", 60)],
            ),
    ]
}

#[test]
fn an_annotated_input_keeps_type_value_and_strict_properties() {
    let given = [
        Property::strict("url", "URL", " HTTPS://Example.COM/A?b "),
        Property::strict("my.case", "Case", "42 "),
    ];
    let mapped = annotate("maltego.URL", "Short title", &given, risk());
    assert!(mapped.annotated);
    assert_eq!(
        (mapped.shown, mapped.total_mapped),
        (0, 0),
        "an annotation is no result"
    );
    let entity: &Entity = &mapped.entities[0];
    assert_eq!(
        (entity.type_id.as_str(), entity.value.as_str()),
        ("maltego.URL", "Short title")
    );
    assert_eq!(entity.properties[..2], given);
    assert_eq!(property(entity, "domaintools.score"), Some("87"));
    assert_eq!(
        property(entity, "domaintools.components"),
        Some("proximity 87, threat_profile 60")
    );
    assert!(entity.properties[2..].iter().all(|one| !one.strict));
    assert_eq!(entity.overlays.len(), 1);
}

#[test]
fn the_value_property_is_set_where_the_client_left_it_out() {
    let mapped = annotate("maltego.Domain", "Example.com", &[], risk());
    assert_eq!(property(&mapped.entities[0], "fqdn"), Some("Example.com"));
    let custom = annotate("my.Thing", "x", &[], risk());
    assert!(
        custom.entities[0]
            .properties
            .iter()
            .all(|one| one.name.starts_with("domaintools."))
    );
}

#[test]
fn the_dates_that_an_input_came_with_are_widened_and_never_narrowed() {
    let said = |first: &str, last: &str| {
        let given = [
            Property::loose("domaintools.first_seen", "First seen", first),
            Property::loose("domaintools.last_seen", "Last seen", last),
        ];
        let mut records = risk();
        records[0] = records[0]
            .clone()
            .with("first_seen", jiff::civil::date(2013, 1, 6))
            .with("last_seen", jiff::civil::date(2013, 5, 15));
        let mapped = annotate("maltego.Domain", "example.com", &given, records);
        let entity = mapped.entities[0].clone();
        let of = |name: &str| property(&entity, name).unwrap_or_default().to_owned();
        (of("domaintools.first_seen"), of("domaintools.last_seen"))
    };
    let pair = |first: &str, last: &str| (first.to_owned(), last.to_owned());
    assert_eq!(said("2013-02-06", "2013-06-15"), pair("2013-01-06", "2013-06-15"));
    assert_eq!(said("2012-02-06", "2013-04-15"), pair("2012-02-06", "2013-05-15"));
    assert_eq!(said("some day", "2014-01-01"), pair("some day", "2014-01-01"));
}

#[test]
fn nothing_is_annotated_without_a_record() {
    let mapped = annotate("maltego.Domain", "example.com", &[], Vec::new());
    assert_eq!(mapped, MappingResult::default());
}

#[test]
fn what_equals_the_input_is_left_out() {
    let rules = "[[transform.entity]]\nvalue = \"domain\"";
    let records = ["example.com", "other.example"]
        .map(|name| Record::new().with("domain", name))
        .to_vec();
    let found = super::run(
        "neighbours",
        "[[transform.entity]]\neach = \"domains\"\nvalue = \"domain\"",
        vec![Record::new().with("domains", records.clone())],
        &DateWindow::default(),
        9,
    );
    assert_eq!(
        (values(&found.entities), found.total_mapped),
        (vec!["other.example"], 1)
    );
    let settings = settings("domains-on-ip", rules);
    let answer = answer(Capability::DomainsOnIp, records);
    let input = MappedInput {
        type_id: "maltego.DNSName",
        value: "example.com",
        properties: &[],
        instead: None,
    };
    let mapped = map(
        &[SourceAnswer::whole(&answer, at())],
        &rules_of(&settings),
        &input,
        &Selection::up_to(9),
    );
    assert_eq!(
        mapped.total_mapped, 2,
        "an entity of another type is another entity"
    );
}

#[test]
fn an_equally_named_entity_with_another_strict_property_is_found() {
    let settings = settings(
        "domains-on-ip",
        "[[transform.entity]]\nvalue = \"domain\"\nfields = { ip = { property = \"my.ip\", title = \"IP\", strict = true } }",
    );
    let record = |ip: &str| Record::new().with("domain", "example.com").with("ip", ip);
    let answer = answer(
        Capability::DomainsOnIp,
        vec![record("192.0.2.1"), record("192.0.2.2")],
    );
    let found = |properties: &[Property]| {
        let input = MappedInput {
            type_id: "maltego.Domain",
            value: "Example.com",
            properties,
            instead: None,
        };
        let source = [SourceAnswer::whole(&answer, at())];
        let mapped = map(&source, &rules_of(&settings), &input, &Selection::up_to(9));
        let ips: Vec<String> = mapped
            .entities
            .iter()
            .filter_map(|one| property(one, "my.ip").map(str::to_owned))
            .collect();
        (ips, mapped.dropped.unplaced.equal)
    };
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    assert_eq!(found(&[]), (owned(&["192.0.2.1", "192.0.2.2"]), 0));
    let first = Property::strict("my.ip", "IP", "192.0.2.1");
    assert_eq!(found(&[first]), (owned(&["192.0.2.2"]), 1));
}

#[test]
fn dynamic_names_and_sinkholes_are_marked_with_who_says_so() {
    use crate::domain::Purpose;
    use crate::maltego::response::Bookmark;
    let mut settings = settings(
        "ip-history",
        "[[transform.entity]]\nvalue = \"ip\"\n[[transform.entity]]\nvalue = \"domain\"",
    );
    let mut lists = (*settings.lists).clone();
    lists.add(Purpose::Sinkhole, "192.0.2.0/28", "soc.txt").unwrap();
    lists.add(Purpose::DynamicDns, "dyn.example", "dyn.txt").unwrap();
    settings.lists = lists.into();
    let record = |ip: &str, domain: &str| Record::new().with("ip", ip).with("domain", domain);
    let answer = answer(
        Capability::IpHistory,
        vec![
            record("192.0.2.7", "a.dyn.example"),
            record("192.0.2.77", "www.example.org"),
            record("192.0.2.78", "alice.github.io"),
            record("192.0.2.79", "evil.us.com"),
        ],
    );
    let input = MappedInput {
        type_id: "maltego.Phrase",
        value: "x",
        properties: &[],
        instead: None,
    };
    let all = map(
        &[SourceAnswer::whole(&answer, at())],
        &rules_of(&settings),
        &input,
        &Selection::up_to(9),
    );
    let told: Vec<_> = all
        .entities
        .iter()
        .map(|entity| {
            let names = ["pivotd.sinkhole", "pivotd.dynamic_dns", "pivotd.hosting"];
            let said = names.iter().find_map(|name| property(entity, name));
            let overlay = entity
                .overlays
                .first()
                .map(|overlay| overlay.property_name.as_str());
            (entity.value.as_str(), said, overlay, entity.bookmark)
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "192.0.2.7",
                Some("soc.txt"),
                Some("Sinkhole"),
                Some(Bookmark::Red)
            ),
            (
                "a.dyn.example",
                Some("dyn.txt"),
                Some("Dynamic DNS"),
                Some(Bookmark::Yellow)
            ),
            ("192.0.2.77", None, None, None),
            ("www.example.org", None, None, None),
            ("192.0.2.78", None, None, None),
            (
                "alice.github.io",
                Some("Public Suffix List, private section"),
                Some("Hosting"),
                Some(Bookmark::Yellow)
            ),
            ("192.0.2.79", None, None, None),
            ("evil.us.com", None, None, None),
        ]
    );
    let us_com = all.entities.last().unwrap();
    assert_eq!(us_com.type_id, "maltego.Domain", "it is registered there");
    let without = Selection {
        exclude_sinkholes: true,
        ..Selection::up_to(9)
    };
    let rest = map(
        &[SourceAnswer::whole(&answer, at())],
        &rules_of(&settings),
        &input,
        &without,
    );
    assert_eq!((rest.dropped.sinkholes, rest.shown, rest.total_mapped), (1, 7, 8));
    assert!(!values(&rest.entities).contains(&"192.0.2.7"));
}

/// Lists know a name by its canonical form, and people type it as they like.
#[test]
fn an_input_is_marked_however_it_is_typed() {
    use crate::domain::Purpose;
    let mut settings = settings(
        "ip-history",
        "[[transform.entity]]\non = \"input\"\nfields = { domain = \"Domain\" }",
    );
    let mut lists = (*settings.lists).clone();
    lists.add(Purpose::DynamicDns, "dyn.example", "dyn.txt").unwrap();
    settings.lists = lists.into();
    let answer = answer(
        Capability::IpHistory,
        vec![Record::new().with("domain", "a.dyn.example")],
    );
    let input = MappedInput {
        type_id: "maltego.Domain",
        value: "A.Dyn.Example.",
        properties: &[],
        instead: None,
    };
    let mapped = map(
        &[SourceAnswer::whole(&answer, at())],
        &rules_of(&settings),
        &input,
        &Selection::up_to(9),
    );
    let entity = &mapped.entities[0];
    assert_eq!(entity.value, "A.Dyn.Example.");
    assert_eq!(property(entity, "pivotd.dynamic_dns"), Some("dyn.txt"));
}
