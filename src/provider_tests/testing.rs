//! Drives providers in tests against their fixtures, and maps what they answer by the transforms that are compiled in.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::json;

use crate::catalogue::Catalogue;
use crate::config;
use crate::domain::{Answer, Indicator};
use crate::mapping::{MappedInput, Selection, SourceAnswer};
pub(super) use crate::providers::testing::*;
use crate::providers::{Call, ExposedKey, Lookup, Method, Provider, ProviderError, Providers, Reply};
use crate::replay::{SeenRequest, Vendor, demo};

/// Returns the folder of recordings that a variable names. Tests that ask for it are ignored unless they are asked for.
pub(super) fn recordings(variable: &str) -> PathBuf {
    let folder = std::env::var_os(variable);
    PathBuf::from(folder.unwrap_or_else(|| panic!("{variable} names no folder of recordings")))
}

fn fixtures(provider: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(provider)
}

/// Loads the replayed vendor of a provider.
pub(super) fn vendor(provider: &str) -> Vendor {
    Vendor::from_path(fixtures(provider)).unwrap()
}

/// Plays the vendor's part of one call.
pub(super) fn play(provider: &dyn Provider, vendor: &Vendor, call: &Call) -> Reply {
    if let Method::Dns(kind) = call.method {
        // What is asked is known only once it is signed.
        let key = demo::credentials(provider.descriptor(), demo::USERNAME, demo::API_KEY).into_iter();
        let key = key.map(|(name, part)| (name, part.value)).collect();
        let (mut signed, options) = (call.clone(), options(provider));
        let exposed = ExposedKey::new(&key, &options);
        provider
            .sign(&mut signed, &exposed, jiff::Timestamp::UNIX_EPOCH)
            .unwrap();
        let answer = vendor.resolve(&signed.path, kind);
        return Reply::of_dns(answer.code, &answer.records);
    }
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&call.form)
        .finish();
    let request = SeenRequest {
        at: 1,
        method: call.method.name().to_owned(),
        path: call.path.clone(),
        query: call.query.clone(),
        headers: vec![(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        )],
        body: form.into(),
        whole: true,
    };
    let answer = vendor.answer(&request);
    let read = provider.descriptor().reply_headers.iter();
    Reply {
        status: answer.status,
        content_type: answer.header("content-type").unwrap_or_default().to_lowercase(),
        retry_after: answer.header("retry-after").map(str::to_owned),
        headers: read
            .filter_map(|name| Some((name.clone(), answer.header(name)?.to_owned())))
            .collect(),
        body: answer.body,
    }
}

/// Walks a look-up against the provider's fixtures.
pub(super) fn walk_fixtures(provider: &dyn Provider, lookup: &Lookup) -> Result<LookupTrace, ProviderError> {
    let vendor = vendor(&provider.descriptor().name);
    walk(provider, lookup, |call| play(provider, &vendor, call))
}

/// Walks a look-up against the fixtures and compares with `fixtures/<provider>/<name>.expect.json`; with
/// `PIVOTD_WRITE_EXPECTED` set it writes the file, to be read by a person.
pub(super) fn expect(provider: &dyn Provider, name: &str, lookup: &Lookup) {
    let walked = walk_fixtures(provider, lookup).unwrap_or_else(|error| panic!("{name}: {error}"));
    let path = fixtures(&provider.descriptor().name).join(format!("{name}.expect.json"));
    let rendered = render(&walked);
    if std::env::var_os("PIVOTD_WRITE_EXPECTED").is_some() {
        std::fs::write(&path, serde_json::to_string_pretty(&rendered).unwrap() + "\n").unwrap();
    }
    let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(rendered, expected, "{name}");
}

/// Renders what a look-up gave: calls as they go on the wire, then the answers.
fn render(walked: &LookupTrace) -> serde_json::Value {
    let calls: Vec<String> = walked
        .calls
        .iter()
        .map(|call| {
            let pairs = call.query.iter().chain(&call.form);
            let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
            format!(
                "{:?} {} {} [{}]",
                call.method,
                call.path,
                pairs.join("&"),
                call.product
            )
        })
        .collect();
    let answers: Vec<serde_json::Value> = walked
        .answers
        .iter()
        .map(|answer| {
            json!({
                "capability": answer.query.capability.name(),
                "product": answer.source.product,
                "blind": answer.source.blind,
                "total": answer.total,
                "more": answer.more,
                "missing": answer.missing,
                "price": answer.price.as_ref().map(|price| json!({
                    "amount": price.amount(), "count": price.count, "bought": price.bought
                })),
                "records": answer.records.iter().map(plain).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "calls": calls, "answers": answers })
}

/// Runs a transform of the compiled-in file against the provider's fixtures, and writes each entity as a line:
/// type, value, properties, link, overlays and bookmark. Source and time of retrieval are left out.
pub(super) fn mapped(
    provider: &dyn Provider,
    transform: &str,
    type_id: &str,
    lookup: &Lookup,
) -> Vec<String> {
    use crate::maltego::response::LinkProperty;
    let loaded = compiled_in(provider);
    let catalogue = Catalogue::build(&loaded.settings, 1);
    let spec = catalogue.find(transform).unwrap();
    let input = MappedInput {
        type_id,
        value: lookup.queries[0].indicator.value(),
        properties: &[],
        instead: None,
    };
    let walked = walk_fixtures(provider, lookup).unwrap();
    let answers = [SourceAnswer::whole(walked.answer(), jiff::Timestamp::UNIX_EPOCH)];
    let rules = spec.rules(
        &loaded.settings.scales,
        &loaded.settings.lists,
        pivotd_domain::Marks::none(),
    );
    let mapped = crate::mapping::map(&answers, &rules, &input, &Selection::up_to(100));
    for entity in mapped.entities.iter().skip(usize::from(mapped.annotated)) {
        // A client that merges entities keeps the dates of the last one only; its links keep each.
        for property in &entity.properties {
            let is_date = property.name.ends_with(".first_seen") || property.name.ends_with(".last_seen");
            let is_on_link = entity.link.iter().any(|link| {
                matches!(link, LinkProperty::Custom(name, _, value) if *name == property.name && *value == property.value)
            });
            assert!(
                !is_date || is_on_link,
                "{transform}: {} of {}",
                property.name,
                entity.value
            );
        }
    }
    let written = mapped.entities.iter().map(|entity| {
        let mut line = format!("{} {}", entity.type_id, entity.value);
        for property in &entity.properties {
            if ![".source", ".retrieved_at"]
                .iter()
                .any(|end| property.name.ends_with(end))
            {
                let strict = if property.strict { "!" } else { "" };
                line.push_str(&format!("; {}{strict}={}", property.name, property.value));
            }
        }
        for link in &entity.link {
            if let LinkProperty::Label(label) = link {
                line.push_str(&format!("; -> {label}"));
            }
        }
        for overlay in &entity.overlays {
            line.push_str(&format!("; [{}]", overlay.property_name));
        }
        if let Some(bookmark) = entity.bookmark {
            line.push_str(&format!("; {bookmark:?}"));
        }
        line
    });
    written.collect()
}

fn compiled_in(provider: &dyn Provider) -> config::Loaded {
    let name = provider.descriptor().name.to_uppercase();
    let enabled = format!("PIVOTD__PROVIDERS__{name}__ENABLED");
    let descriptors = Providers::built_in();
    config::load(None, &[(enabled, "true".to_owned())], &descriptors).unwrap()
}

/// Runs each transform that asks this provider alone on its example, against the fixtures: each finds something.
pub(super) fn every_example_is_found(provider: &dyn Provider) {
    let descriptor = provider.descriptor();
    let loaded = compiled_in(provider);
    let specs = loaded.settings.transforms.iter();
    for spec in specs.filter(|spec| *spec.providers() == [descriptor.name.as_str()]) {
        let input = &spec.inputs[0];
        let offer = descriptor.offer(spec.capability).unwrap();
        let query = question(spec.capability, input.kinds[0], &spec.example);
        let lookup = lookup(provider, query, offer.products[0].id.clone());
        let found = mapped(provider, &spec.name, &input.type_id, &lookup);
        assert!(!found.is_empty(), "{}", spec.name);
    }
}

/// Asks what the transforms of a provider ask about their examples, of each product that can be asked it; what no
/// transform asks, about the examples of the others. Each question once.
pub(super) fn examples(provider: &dyn Provider) -> Vec<Lookup> {
    let descriptor = provider.descriptor();
    let loaded = compiled_in(provider);
    let asks = |spec: &&std::sync::Arc<crate::catalogue::TransformSpec>| {
        spec.providers().iter().any(|name| *name == descriptor.name)
    };
    let specs: Vec<_> = loaded.settings.transforms.iter().filter(asks).collect();
    let mut all: Vec<Lookup> = Vec::new();
    for offer in &descriptor.offers {
        let own: Vec<_> = specs
            .iter()
            .filter(|spec| spec.capability == offer.capability)
            .collect();
        let of_others = own.is_empty();
        let asked: Vec<_> = if of_others { specs.iter().collect() } else { own };
        for spec in asked {
            for kind in &offer.inputs {
                let mut kinds = spec.inputs.iter().flat_map(|input| &input.kinds);
                if !of_others && !kinds.any(|known| known == kind) {
                    continue;
                }
                if let Ok(indicator) = Indicator::parse(*kind, &spec.example) {
                    ask_all(provider, offer, &indicator, &mut all);
                }
            }
        }
    }
    all
}

/// Makes JSON with the names and texts that a vendor uses, in any shape.
pub(super) fn shapes(names: Vec<String>, texts: Vec<String>) -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        2 => proptest::sample::select(texts).prop_map(serde_json::Value::from),
        1 => Just(serde_json::Value::Null),
        1 => any::<bool>().prop_map(serde_json::Value::from),
        1 => any::<i64>().prop_map(serde_json::Value::from),
        1 => any::<f64>().prop_map(serde_json::Value::from),
        1 => "\\PC{0,12}".prop_map(serde_json::Value::from),
        1 => prop_oneof![
            Just("192.0.2.44"),
            Just("2001:db8::/32"),
            Just("2013-05-20"),
            Just("2013-05-20T10:00:00Z"),
            Just("NS1.EXAMPLE.NET"),
            Just("a@example.com"),
            Just("192.0.2.9-192.0.2.1"),
            Just("AS64500"),
            Just("?$skip=7&$skiptoken=x"),
            Just("Registrant:\n Anton Kranz\n +1.5550100\n\nAdmin Name: x"),
        ]
        .prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        let name = proptest::sample::select(names.clone());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            proptest::collection::vec((name, inner), 0..6)
                .prop_map(|pairs| { pairs.into_iter().collect::<serde_json::Value>() }),
        ]
    })
}

/// Maps answers with a transform of the compiled-in file, about an input of a type and a value.
pub(super) fn entities(
    transform: &str,
    (type_id, value): (&str, &str),
    answers: &[&Answer],
) -> Vec<crate::maltego::Entity> {
    let descriptors = Providers::built_in();
    let settings = crate::config::load(None, &[], &descriptors).unwrap().settings;
    let spec = settings
        .transforms
        .iter()
        .find(|spec| spec.name == transform)
        .unwrap();
    let rules = spec.rules(&settings.scales, &settings.lists, pivotd_domain::Marks::none());
    let input = MappedInput {
        type_id,
        value,
        properties: &[],
        instead: None,
    };
    let at = "2026-03-01T10:11:12Z".parse().unwrap();
    let answers: Vec<_> = answers
        .iter()
        .map(|answer| SourceAnswer::whole(answer, at))
        .collect();
    crate::mapping::map(&answers, &rules, &input, &Selection::up_to(100)).entities
}
