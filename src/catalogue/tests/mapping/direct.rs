//! Compares the two ways to write: an entity that is made and then written has the bytes of one that is written at once.

use jiff::civil::date;
use proptest::prelude::*;

use super::{INPUT, answer, at, settings};
use crate::catalogue::TransformSpec;
use crate::config::Settings;
use crate::domain::{Answer, Field, Kind, Marks, Record, Schema, Value};
use crate::maltego::{Property, TransformResponse, response};
use crate::mapping::{DateWindow, MappedInput, Selection, SourceAnswer, arrange};
use crate::providers::Providers;

/// Writes what a transform makes of answers in both ways, and returns it with the number of entities.
fn both(
    settings: &Settings,
    spec: &TransformSpec,
    answers: &[SourceAnswer<'_>],
    input: &MappedInput<'_>,
    extra: Option<&Property>,
) -> (String, String, usize) {
    let rules = spec.rules(&settings.scales, &settings.lists, Marks::none());
    let arranged = arrange(answers, &rules, input, &Selection::up_to(100));
    let mut entities = arranged.entities();
    for entity in &mut entities {
        entity.properties.extend(extra.cloned());
    }
    let count = entities.len();
    let made = response::write(&TransformResponse {
        entities,
        messages: Vec::new(),
    });
    let mut direct = response::begin();
    arranged.write(&mut direct, extra);
    response::finish(&mut direct, &[]);
    (made, direct, count)
}

/// Texts that lists, types and writers treat in their own ways.
const TEXTS: [&str; 22] = [
    "example.com",
    "a.example",
    "xn--mnchen-3ya.example",
    "me.duckdns.org",
    "192.0.2.7",
    "192.0.2.8",
    "2001:db8::7",
    "198.51.100.1",
    "https://user.github.io/x?a=1&b=2",
    "Dana.Weber@mail.example",
    "Anton Kranz",
    "KRANZ, Anton",
    "REDACTED FOR PRIVACY",
    "d41d8cd98f00b204e9800998ecf8427e",
    "<b>\"x\" & 'y'</b>\r\n\tz",
    "\u{1}\u{fffe}",
    "\u{200b} ",
    " ",
    "M\u{fc}ller\u{202e} GmbH",
    "true",
    "registrant",
    "sinkhole",
];

fn text() -> impl Strategy<Value = String> {
    let known = prop::sample::select(&TEXTS[..]).prop_map(str::to_owned);
    prop_oneof![6 => known, 1 => "\\PC{0,12}", 1 => "[ -~]{0,40}"]
}

fn value(field: &'static Field) -> BoxedStrategy<Value> {
    match field.kind {
        Kind::Integer => (-5i64..120).prop_map(Value::from).boxed(),
        Kind::Flag => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Date => prop_oneof![
            (1990i16..2026, 1i8..13).prop_map(|(year, month)| Value::from(date(year, month, 7))),
            (0i64..1_700_000_000).prop_map(|at| Value::from(jiff::Timestamp::from_second(at).unwrap())),
        ]
        .boxed(),
        Kind::Texts => prop::collection::vec(text(), 0..4).prop_map(Value::from).boxed(),
        Kind::Records(inner) => prop::collection::vec(record(inner), 0..3)
            .prop_map(Value::from)
            .boxed(),
        _ => text().prop_map(Value::from).boxed(),
    }
}

/// Makes records of a type in which each field is there or not.
fn record(schema: &'static Schema) -> BoxedStrategy<Record> {
    let fields = schema.fields.iter();
    let fields: Vec<_> = fields
        .map(|field| prop::option::weighted(0.7, value(field)).prop_map(move |value| (field.name, value)))
        .collect();
    let record = fields.prop_map(|fields| {
        let mut record = Record::new();
        for (name, value) in fields {
            if let Some(value) = value {
                record.set(name, value);
            }
        }
        record
    });
    record.boxed()
}

fn whole(spec: &TransformSpec, provider: &str, records: Vec<Record>) -> Answer {
    let mut answer = answer(spec.capability, records);
    provider.clone_into(&mut answer.source.provider);
    answer.source.blind = Some("what <b>others</b> see".to_owned());
    answer
}

fn built_in() -> Settings {
    let descriptors = Providers::built_in();
    crate::config::load(None, &[], &descriptors).unwrap().settings
}

#[test]
fn entities_of_random_records_are_the_same_in_both_ways_for_every_transform() {
    let settings = built_in();
    let sample = Property::loose("pivotd.sample", "Sample data", "true");
    let entities = std::cell::Cell::new(0);
    for spec in &settings.transforms {
        let config = ProptestConfig {
            cases: 12,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let mut runner = proptest::test_runner::TestRunner::new(config);
        let records = prop::collection::vec(record(spec.capability.schema()), 1..6);
        let input = (text(), prop::sample::select(spec.inputs.clone()));
        let case = (
            records,
            input,
            any::<bool>(),
            prop::option::of(0..spec.providers().len().max(1)),
        );
        let result = runner.run(&case, |(records, (value, input), is_sample, second)| {
            let names = spec.providers();
            let provider = names.first().map_or("pivotd", String::as_str);
            let one = whole(spec, provider, records.clone());
            let other = second.and_then(|at| Some(whole(spec, names.get(at)?, records)));
            let answers = std::iter::once(&one).chain(&other);
            let answers: Vec<_> = answers.map(|answer| SourceAnswer::whole(answer, at())).collect();
            let input = MappedInput {
                type_id: &input.type_id,
                value: &value,
                ..INPUT
            };
            let extra = Some(&sample).filter(|_| is_sample);
            let (made, direct, count) = both(&settings, spec, &answers, &input, extra);
            prop_assert_eq!(direct, made, "{}", spec.name);
            entities.set(entities.get() + count);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{}: {error}", spec.name));
    }
    assert!(entities.get() > 2000, "{entities:?} entities were compared");
}

/// Titles and properties that may stand in each other's way.
const TITLES: [&str; 7] = [
    "Registrar",
    "registrar",
    "DNS Name",
    "IP Address",
    "Created",
    "<Title>",
    "URL",
];
const PROPERTIES: [&str; 8] = [
    "fqdn",
    "ipv4-address",
    "acme.registrar",
    "domaintools.source",
    "domaintools.first_seen",
    "x.sinkhole",
    "pivotd.sinkhole",
    "pivotd.unicode",
];

/// Writes a rule on whois records.
fn rule() -> impl Strategy<Value = String> {
    const FIELDS: [&str; 8] = [
        "registrar",
        "registrant",
        "created",
        "expires",
        "statuses",
        "dnssec",
        "country",
        "name_servers",
    ];
    let field = (
        prop::option::of(prop::sample::select(&TITLES[..])),
        prop::option::of(prop::sample::select(&PROPERTIES[..])),
        any::<bool>(),
    );
    let fields = (
        prop::sample::subsequence(&FIELDS[..], 0..5),
        prop::collection::vec(field, 5),
    );
    let value = prop::sample::select(vec![
        "value = \"domain\"",
        "value = \"ip\"",
        "value = \"registrar\"\ntype = \"maltego.Person\"",
        "value = \"server\"\ntype = \"maltego.URL\"",
        "value = \"{domain}[ {registrar}]\"\ntype = \"maltego.WHOISRecord\"",
        "value = \"email\"\neach = \"contacts\"",
        "value = \"record\"\ntype = \"maltego.Hash\"",
    ]);
    let link = prop::sample::select(vec![
        "",
        "link = \"{created}[ by {registrar}]\"",
        "link = \"[{statuses}]\"",
    ]);
    let show = prop::collection::vec(prop::sample::select(&FIELDS[..]), 0..3);
    let rest = prop::sample::select(vec![
        "",
        "mark = { when = { dnssec = true }, overlay = \"Signed <1>\", bookmark = \"blue\" }",
        "mark = [{ when = { country = \"true\" }, overlay = \"Sinkhole\" }, { when = { registrar = true }, bookmark = \"green\" }]",
        "when = { registrant = true }",
    ]);
    (value, fields, link, show, rest).prop_map(|(value, fields, link, show, rest)| {
        let fields = fields.0.into_iter().zip(fields.1);
        let fields = fields.map(|(name, (title, property, strict))| {
            let title = title.map(|title| format!("title = \"{title}\", "));
            let property = property.map(|name| format!("property = \"{name}\", "));
            let (title, property) = (title.unwrap_or_default(), property.unwrap_or_default());
            format!("{name} = {{ {title}{property}strict = {strict} }}\n")
        });
        let fields: String = fields.collect();
        format!("[[transform.entity]]\n{value}\n{link}\nshow = {show:?}\n{rest}\n[transform.entity.fields]\n{fields}")
    })
}

proptest! {
    #[test]
    fn entities_of_random_rules_are_the_same_in_both_ways(
        rules in prop::collection::vec(rule(), 1..3),
        records in prop::collection::vec(record(crate::domain::Capability::Whois.schema()), 1..5),
        window in prop::option::of((1990i16..2026).prop_map(|year| date(year, 1, 1))),
    ) {
        let settings = settings("whois", &rules.join("\n"));
        let spec = &settings.transforms[0];
        let answer = whole(spec, "domaintools", records);
        let window = DateWindow { since: window, ..DateWindow::default() };
        let source = SourceAnswer { window, ..SourceAnswer::whole(&answer, at()) };
        let (made, direct, _) = both(&settings, spec, &[source], &INPUT, None);
        prop_assert_eq!(direct, made, "{}", rules.join("\n"));
    }
}

/// Rules without a shape cost more: each of those in the manual is here for a reason.
#[test]
fn most_rules_have_a_shape_for_each_of_their_types() {
    let settings = built_in();
    let mut without = Vec::new();
    for spec in &settings.transforms {
        for provider in spec.providers() {
            for type_id in spec.plan.unshaped(&spec.entities, provider).unwrap() {
                without.push(format!("{} of {provider}, {type_id}", spec.name));
            }
        }
    }
    assert_eq!(without, [""; 0]);
}
