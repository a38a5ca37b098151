//! Tests over all transforms, with what all providers answer in the fixtures: whatever comes is shown, or said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use jiff::civil::date;

use super::*;
use crate::catalogue::TransformSpec;
use crate::config::Settings;
use crate::domain::{
    Answer, Capability, Indicator, IndicatorKind, Kind, Lists, Mark, Marks, MarksByValue, OmittedRecords,
    Purpose, Query, Record, Schema, Source,
};
use crate::engine::Requester;
use crate::engine::ledger::{Claims, Priority};
use crate::maltego::{InputEntity, is_invisible, response};
use crate::providers::Providers;

static PROVIDERS: LazyLock<Providers> = LazyLock::new(Providers::built_in);

fn settings() -> Settings {
    let descriptors = Providers::built_in();
    crate::config::load(None, &[], &descriptors).unwrap().settings
}

/// Reads a record as the fixtures have it written down.
fn record(json: &serde_json::Value, schema: &'static Schema) -> Record {
    let mut record = Record::new();
    for field in schema.fields {
        let value = &json[field.name];
        if value.is_null() {
            continue;
        }
        match field.kind {
            Kind::Integer => record.set(field.name, value.as_i64().unwrap()),
            Kind::Flag => record.set(field.name, value.as_bool().unwrap()),
            Kind::Date => {
                let text = value.as_str().unwrap();
                record.set(
                    field.name,
                    text.get(..10).unwrap().parse::<jiff::civil::Date>().unwrap(),
                );
            }
            Kind::Texts => {
                let texts = value.as_array().unwrap().iter();
                let texts: Vec<String> = texts.map(|text| text.as_str().unwrap().to_owned()).collect();
                record.set(field.name, texts);
            }
            Kind::Records(inner) => {
                let records = value.as_array().unwrap().iter();
                let records: Vec<Record> = records.map(|one| super::tests::record(one, inner)).collect();
                record.set(field.name, records);
            }
            _ => record.set(field.name, value.as_str().unwrap()),
        }
    }
    record
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.to_string_lossy().ends_with(".expect.json") {
            found.push(path);
        }
    }
    found.sort();
}

/// Gathers what the fixtures of a provider answer, by capability.
fn answers(provider: &str) -> Vec<(Capability, Vec<Record>)> {
    let mut paths = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(provider);
    if folder.is_dir() {
        files(&folder, &mut paths);
    }
    let mut all = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        for answer in json["answers"].as_array().into_iter().flatten() {
            let capability: Capability = answer["capability"].as_str().unwrap().parse().unwrap();
            let records = answer["records"].as_array().into_iter().flatten();
            all.push((
                capability,
                records.map(|one| record(one, capability.schema())).collect(),
            ));
        }
    }
    all
}

/// Holds one trial: which provider answered what, and what was asked for.
struct Trial<'a> {
    settings: &'a Settings,
    spec: &'a TransformSpec,
    answers: Vec<(Arc<Descriptor>, Answer)>,
    options: Options,
    type_id: String,
    value: String,
    limit: usize,
    marks: Marks,
}

impl Trial<'_> {
    fn asked(&self) -> QuestionResult {
        let told = self.answers.iter().map(|(descriptor, answer)| {
            let told = EngineResponse::local(answer.clone());
            (Arc::clone(descriptor), Arc::new(self.options.clone()), told)
        });
        QuestionResult {
            entity: InputEntity {
                type_id: self.type_id.clone(),
                value: self.value.clone(),
                ..InputEntity::default()
            },
            echo: Vec::new(),
            indicator: Indicator::parse(IndicatorKind::Phrase, "x").unwrap(),
            instead: None,
            note: None,
            responses: told.collect(),
        }
    }

    fn run(&self) -> (MappingResult, Reply) {
        let requester = Requester {
            client: "c".to_owned(),
            token: String::new(),
            claims: Claims::default(),
            tenant: "default".to_owned(),
            frontend: "maltego",
            operation: self.spec.name.clone(),
            request_id: "r".to_owned(),
            priority: Priority::Interactive,
            may_buy: false,
        };
        let run = Run {
            spec: self.spec,
            settings: self.settings,
            requester: &requester,
            may_refresh: true,
            deadline: Duration::ZERO,
            sample: false,
        };
        let known = KnownSinkholes {
            marks: self.marks.clone(),
            generation: 0,
        };
        let asked = self.asked();
        let now = "2026-11-28T00:00:00Z".parse().unwrap();
        let extra = Property::loose("pivotd.sample", "Sample data", "true");
        let map = |output: &mut Output<'_>| mapped(&run, &asked, self.limit, &known, output, Some(&extra));
        let mapped = map(&mut Output::Entities);
        let mut written = response::begin();
        let counts = map(&mut Output::Xml(&mut written));
        response::finish(&mut written, &[]);
        let mut entities = mapped.entities.clone();
        for entity in &mut entities {
            entity.properties.push(extra.clone());
        }
        let messages = Vec::new();
        let made = response::write(&TransformResponse { entities, messages });
        assert_eq!(
            written, made,
            "{} is written in another way than it is made",
            self.spec.name
        );
        let entities = mapped.entities.clone();
        assert_eq!(MappingResult { entities, ..counts }, mapped);
        (mapped.clone(), reply(&run, &asked, mapped, now, false))
    }

    /// Checks that whatever came is shown or said, and how it is shown.
    fn check(&self) -> (MappingResult, Reply) {
        let (mapped, reply) = self.run();
        let name = &self.spec.name;
        let said: Vec<&str> = reply.messages().iter().map(|one| one.text.as_str()).collect();
        let said = said.join("\n");
        assert_eq!(
            mapped.shown + mapped.dropped.entities(),
            mapped.total_mapped,
            "{name}: an entity was lost: {:?}",
            mapped.dropped
        );
        let came = self
            .answers
            .iter()
            .any(|(_, answer)| !answer.records.is_empty() || !answer.left_out.is_empty());
        if reply.entities().is_empty() {
            assert!(!said.trim().is_empty(), "{name} is silent");
            assert!(
                !came || !said.contains("nothing of it can be shown here"),
                "{name} does not say why nothing is shown: {:?} {said}",
                mapped.dropped
            );
        }
        for (count, words) in [
            (mapped.dropped.outside, "outside"),
            (mapped.dropped.sinkholes, "sinkhole"),
            (mapped.dropped.dynamic_dns, "dynamic DNS"),
            (mapped.dropped.undated, "undated=false"),
            (mapped.undated, "without a date"),
        ] {
            assert!(
                count == 0 || said.contains(&count.to_string()) && said.contains(words),
                "{name} does not say that {count} are {words}: {said}"
            );
        }
        for entity in reply.entities() {
            self.check_entity(entity);
        }
        (mapped, reply)
    }

    fn check_entity(&self, entity: &crate::maltego::Entity) {
        let name = &self.spec.name;
        let mut labels: Vec<String> = Vec::new();
        for property in &entity.properties {
            let label = property.display_name.to_lowercase();
            assert!(
                !labels.contains(&label),
                "{name}: two fields of {} are called {label}: {:?}",
                entity.value,
                entity.properties
            );
            labels.push(label);
            assert!(!property.value.chars().any(is_invisible), "{name}: {property:?}");
        }
        for table in &entity.display_information {
            let rows = table.html.split("<tr><td><b>").skip(1);
            let rows: Vec<(String, String)> = rows
                .filter_map(|row| row.split_once("</b></td><td>"))
                .map(|(title, text)| {
                    let lines: Vec<&str> = text.trim_end_matches("</table>").split("<br>").collect();
                    (title.to_lowercase(), lines.join(", "))
                })
                .collect();
            for (at, (title, text)) in rows.iter().enumerate() {
                for (other, shown) in rows.iter().skip(at + 1) {
                    assert_ne!(title, other, "{name}: a row stands twice: {}", table.html);
                    // Dates and short words may well be the same in two rows; a text is not.
                    assert!(
                        text != shown || text.len() < 40,
                        "{name}: {title} and {other} say the same: {text}"
                    );
                }
            }
        }
    }
}

fn answer(capability: Capability, descriptor: &Descriptor, records: Vec<Record>) -> Answer {
    let source = Source {
        provider: descriptor.name.to_string(),
        product: "p".to_owned(),
        blind: None,
    };
    let query = Query::new(capability, Indicator::parse(IndicatorKind::Phrase, "x").unwrap());
    Answer {
        total: None,
        ..Answer::whole(query, records, source)
    }
}

/// Walks all transforms with answers of their providers: each of them, and of several providers all together.
fn each_trial(mut visit: impl FnMut(Trial<'_>)) -> usize {
    let settings = settings();
    let mut known: BTreeMap<String, Vec<(Capability, Vec<Record>)>> = BTreeMap::new();
    let mut count = 0;
    for spec in &settings.transforms {
        let mut last: Vec<(Arc<Descriptor>, Answer)> = Vec::new();
        let mut sets: Vec<Vec<(Arc<Descriptor>, Answer)>> = Vec::new();
        for provider in spec.providers() {
            let descriptor = PROVIDERS.descriptor(provider).unwrap();
            let all = known.entry(provider.clone()).or_insert_with(|| answers(provider));
            let of_spec = all
                .iter()
                .filter(|(capability, _)| *capability == spec.capability);
            let of_spec: Vec<_> = of_spec
                .map(|(capability, records)| {
                    (
                        Arc::clone(descriptor),
                        answer(*capability, descriptor, records.clone()),
                    )
                })
                .collect();
            last.extend(of_spec.first().cloned());
            sets.extend(of_spec.into_iter().map(|one| vec![one]));
        }
        if last.len() > 1 {
            sets.push(last);
        }
        for answers in sets {
            count += 1;
            visit(Trial {
                settings: &settings,
                spec,
                answers,
                options: Options::default(),
                type_id: spec.inputs[0].type_id.clone(),
                value: "nobody.example".to_owned(),
                limit: 256,
                marks: Marks::none().clone(),
            });
        }
    }
    count
}

#[test]
fn whatever_comes_is_shown_or_said() {
    let windows = [
        DateWindow::default(),
        DateWindow {
            since: Some(date(2013, 5, 1)),
            until: Some(date(2013, 5, 31)),
            ..DateWindow::default()
        },
        DateWindow {
            until: Some(date(1990, 1, 1)),
            dated_only: true,
            ..DateWindow::default()
        },
        DateWindow {
            near: Some(date(2013, 5, 20)),
            ..DateWindow::default()
        },
        DateWindow {
            dated_only: true,
            ..DateWindow::default()
        },
    ];
    let count = each_trial(|trial| {
        let full = trial.check().0;
        // Each entity that was found is the input of another trial, and a sinkhole of one more.
        let found: Vec<(String, String)> = full
            .entities
            .iter()
            .map(|entity| (entity.type_id.to_string(), entity.value.to_string()))
            .collect();
        let mut marks = MarksByValue::default();
        for (_, value) in &found {
            let mark = Mark {
                provider: "other".to_owned(),
                at: jiff::Timestamp::UNIX_EPOCH,
                until: jiff::Timestamp::MAX,
            };
            marks.add(value, mark);
        }
        let marks = Marks::at(jiff::Timestamp::UNIX_EPOCH, vec![Arc::new(marks)]);
        for window in windows {
            for limit in [1, 256] {
                let options = Options {
                    window,
                    exclude_sinkholes: limit == 256,
                    exclude_dynamic_dns: limit == 256,
                    ..Options::default()
                };
                let trial = Trial {
                    options,
                    limit,
                    answers: trial.answers.clone(),
                    marks: marks.clone(),
                    type_id: trial.type_id.clone(),
                    value: trial.value.clone(),
                    ..trial
                };
                trial.check();
            }
        }
        // One record alone, in each of them the input itself.
        for (descriptor, answer) in &trial.answers {
            for record in &answer.records {
                let mut one = answer.clone();
                one.records = vec![record.clone()];
                let (type_id, value) = found.first().cloned().unwrap_or_default();
                let trial = Trial {
                    answers: vec![(Arc::clone(descriptor), one)],
                    options: Options::default(),
                    type_id,
                    value,
                    marks: Marks::none().clone(),
                    ..trial
                };
                trial.check();
            }
            let mut empty = answer.clone();
            empty.records.clear();
            empty.left_out = vec![OmittedRecords {
                count: 3,
                what: "records of other types (SOA)".to_owned(),
            }];
            let trial = Trial {
                answers: vec![(Arc::clone(descriptor), empty)],
                options: Options::default(),
                type_id: trial.type_id.clone(),
                value: trial.value.clone(),
                marks: Marks::none().clone(),
                ..trial
            };
            let reply = trial.check().1;
            let said = &reply.messages()[0].text;
            assert!(said.contains("3 records of other types (SOA) left out"), "{said}");
        }
    });
    assert!(count > 100, "{count} answers were tried");
}

/// An answer to one transform of a capability has records that another one is for.
#[test]
fn records_for_another_transform_are_told() {
    let settings = settings();
    let mut tried = 0;
    for spec in &settings.transforms {
        let Some(provider) = spec.providers().first() else {
            continue;
        };
        if spec.entities.iter().any(|rule| rule.on_input) {
            continue;
        }
        let descriptor = PROVIDERS.descriptor(provider).unwrap();
        let schema = spec.capability.schema();
        let used: Vec<&str> = spec
            .entities
            .iter()
            .flat_map(|rule| rule.value.fields().chain(rule.each.as_deref()))
            .collect();
        for field in schema.fields.iter().filter(|field| field.kind == Kind::Text) {
            if used.contains(&field.name) {
                continue;
            }
            tried += 1;
            let records = vec![Record::new().with(field.name, "something")];
            let trial = Trial {
                settings: &settings,
                spec,
                answers: vec![(
                    Arc::clone(descriptor),
                    answer(spec.capability, descriptor, records),
                )],
                options: Options::default(),
                type_id: spec.inputs[0].type_id.clone(),
                value: "nobody.example".to_owned(),
                limit: 9,
                marks: Marks::none().clone(),
            };
            let reply = trial.check().1;
            let said = &reply.messages()[0].text;
            assert!(
                said.starts_with("nobody.example: ")
                    && said.contains("1 record")
                    && said.contains("holds no "),
                "{}: {said}",
                spec.name
            );
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn a_list_of_sinkholes_and_of_dynamic_names_leaves_out_all_of_them() {
    let mut lists = Lists::default();
    let halves = "0.0.0.0/1\n128.0.0.0/1\n::/1\n8000::/1\n";
    lists.add(Purpose::Sinkhole, halves, "all").unwrap();
    each_trial(|trial| {
        for entity in trial.check().0.entities {
            if matches!(entity.type_id.as_str(), "maltego.Domain" | "maltego.DNSName")
                && let Some((_, zone)) = entity.value.split_once('.')
            {
                // Those of a whole registry are refused.
                let _ = lists.add_entry(Purpose::DynamicDns, zone, "all");
            }
        }
    });
    let lists = Arc::new(lists);
    let (mut sinkholes, mut names) = (0, 0);
    each_trial(|trial| {
        let settings = Settings {
            lists: Arc::clone(&lists),
            ..trial.settings.clone()
        };
        let trial = Trial {
            settings: &settings,
            options: Options {
                exclude_sinkholes: true,
                exclude_dynamic_dns: true,
                ..Options::default()
            },
            ..trial
        };
        let (mapped, reply) = trial.check();
        sinkholes += mapped.dropped.sinkholes;
        names += mapped.dropped.dynamic_dns;
        for entity in reply.entities().iter().skip(usize::from(mapped.annotated)) {
            assert!(
                !matches!(
                    entity.type_id.as_str(),
                    "maltego.IPv4Address" | "maltego.IPv6Address"
                ),
                "{}: {} is left",
                trial.spec.name,
                entity.value
            );
        }
    });
    assert!(sinkholes > 20 && names > 20, "{sinkholes} {names}");
}

#[test]
fn what_cannot_be_seen_reaches_no_graph() {
    let hidden = "a\u{202e}b\u{200b}\u{feff}c\u{2066}";
    let fill = |schema: &'static Schema| -> Record {
        let mut record = Record::new();
        for field in schema.fields {
            match field.kind {
                kind if kind.is_textual() => record.set(field.name, hidden),
                Kind::Texts => record.set(field.name, vec![hidden.to_owned()]),
                Kind::Records(inner) => {
                    let text = inner.fields.iter().filter(|field| field.kind.is_textual());
                    let mut item = Record::new();
                    text.for_each(|field| item.set(field.name, hidden));
                    record.set(field.name, vec![item]);
                }
                _ => {}
            }
        }
        record
    };
    each_trial(|trial| {
        let answers = trial.answers.iter().map(|(descriptor, given)| {
            let mut told = answer(
                trial.spec.capability,
                descriptor,
                vec![fill(trial.spec.capability.schema())],
            );
            told.missing = vec![hidden.to_owned()];
            told.source.product.clone_from(&given.source.product);
            (Arc::clone(descriptor), told)
        });
        let trial = Trial {
            answers: answers.collect(),
            ..trial
        };
        let response = {
            let mut response = TransformResponse::default();
            trial.check().1.add_to(&mut response);
            response
        };
        let written = crate::maltego::response::write(&response);
        assert!(
            !written.chars().any(is_invisible),
            "{}: {}",
            trial.spec.name,
            written.escape_unicode()
        );
    });
}

/// Passive DNS answers rows of types that no entity is made of, a sandbox traces of another kind.
#[test]
fn what_there_was_is_said_where_nothing_of_it_is_shown() {
    let settings = settings();
    let row = |kind: &str| {
        Record::new()
            .with("name", "nobody.example")
            .with("type", kind)
            .with("value", "v=spf1 -all")
    };
    let keys = vec![Record::new().with("registry_key", "HKLM\\Software\\Run"); 2];
    let own = Record::new().with("hash", "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    for (name, input, records, told) in [
        (
            "passivetotal.resolutions",
            ("maltego.Domain", "nobody.example"),
            vec![row("SOA"), row("TXT"), row("TXT")],
            "3 records (1 SOA, 2 TXT) hold no address or name or host",
        ),
        (
            "threatgrid.mutexes",
            ("maltego.Hash", "x"),
            keys,
            "2 records (2 registry key) hold no mutex",
        ),
        (
            "threatgrid.samples",
            ("maltego.Hash", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"),
            vec![own],
            "1 record names nothing but the value itself",
        ),
    ] {
        let spec = settings.transforms.iter().find(|spec| spec.name == name).unwrap();
        let descriptor = PROVIDERS.descriptor(&spec.providers()[0]).unwrap();
        let trial = Trial {
            settings: &settings,
            spec,
            answers: vec![(
                Arc::clone(descriptor),
                answer(spec.capability, descriptor, records),
            )],
            options: Options::default(),
            type_id: input.0.to_owned(),
            value: input.1.to_owned(),
            limit: 9,
            marks: Marks::none().clone(),
        };
        let reply = trial.check().1;
        assert!(reply.entities().is_empty(), "{name}");
        let said = &reply.messages()[0].text;
        assert!(said.contains(told), "{name}: {said}");
    }
}

#[test]
fn nobody_was_asked_where_there_is_no_key() {
    let failed = |kind| {
        asked_where(&EngineResponse::failed(crate::domain::Failure::new(
            kind, "acme", "x",
        )))
    };
    assert_eq!(failed(FailureKind::Denied(Denial::NoKey)), "local");
    assert_eq!(failed(FailureKind::Denied(Denial::Marking)), "local");
    assert_eq!(failed(FailureKind::Denied(Denial::ServerKey)), "miss");
    assert_eq!(failed(FailureKind::TimedOut), "miss");
}
