//! Drives a provider's step machine in tests, against fixtures and made-up replies, without a socket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::json;

use super::{
    Call, Charge, Exposed, Judgement, Lookup, Method, ProductId, Provider, ProviderError, Providers, Replied,
    Reply, Step, Verdict,
};
use crate::catalogue::Catalogue;
use crate::config;
use crate::domain::{
    Answer, Capability, Denial, Failure, FailureKind, Indicator, IndicatorKind, Query, Record, Value,
};
use crate::mapping::{Heard, MappedInput, Selection};
use crate::replay::{SeenRequest, Vendor, demo};

/// Asks a question.
pub(super) fn question(capability: Capability, kind: IndicatorKind, value: &str) -> Query {
    Query::new(capability, Indicator::parse(kind, value).unwrap())
}

/// Looks a question up, twelve records wanted, with the reference files that are compiled in.
pub(super) fn lookup(provider: &dyn Provider, query: Query, product: impl Into<ProductId>) -> Lookup {
    let files = provider.descriptor().files.iter();
    let files: BTreeMap<_, _> = files
        .map(|file| (file.name.clone(), file.bundled.clone()))
        .collect();
    Lookup {
        want: 12,
        files: files.into(),
        options: options(provider),
        ..Lookup::new(query, product)
    }
}

/// Returns a provider's own settings as they are where nobody sets any.
fn options(provider: &dyn Provider) -> BTreeMap<String, String> {
    let options = provider.descriptor().options.iter();
    options
        .map(|option| (option.name.to_string(), option.values[0].to_string()))
        .collect()
}

/// Makes a reply of JSON.
pub(super) fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        content_type: "application/json;charset=utf-8".to_owned(),
        retry_after: None,
        headers: BTreeMap::new(),
        body: body.to_owned().into(),
    }
}

/// Makes a vendor that says the same to every call, whatever bytes these are.
pub(super) fn anything(status: u16, body: &[u8]) -> impl Fn(&Call) -> Reply {
    move |_| Reply {
        body: body.to_vec().into(),
        ..reply(status, "")
    }
}

/// Answers every call of these look-ups so. An error is as good as an answer; a panic or a misfit is not.
pub(super) fn feed(provider: &dyn Provider, lookups: &[Lookup], reply: &Reply) {
    for lookup in lookups {
        let _ = walk(provider, lookup, |_| reply.clone());
    }
}

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
        let exposed = Exposed::new(&key, &options);
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

/// Turns a judged reply into what the engine hands back.
pub(super) fn replied(provider: &dyn Provider, judgement: &Judgement, reply: Reply) -> Replied {
    let name = &provider.descriptor().name;
    let failed = |kind, message: &str| Replied::Failed(Failure::new(kind, name, message));
    match &judgement.verdict {
        Verdict::Good => Replied::Good(reply),
        Verdict::NotFound => Replied::NotFound(reply),
        Verdict::Limited { message, .. } => failed(FailureKind::Limited, message),
        Verdict::KeyRefused(message) | Verdict::SessionEnded(message) => {
            failed(FailureKind::Denied(Denial::ServerKey), message)
        }
        Verdict::NotEntitled(message) => failed(FailureKind::Denied(Denial::NotEntitled), message),
        Verdict::Retry(message) => failed(FailureKind::Unavailable, message),
        Verdict::Refused(message) => failed(FailureKind::Refused, message),
        Verdict::Malformed(message) => failed(FailureKind::Malformed, message),
    }
}

/// Holds what a whole look-up did.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) answers: Vec<Answer>,
    pub(super) calls: Vec<Call>,
    pub(super) charges: Vec<Charge>,
}

impl Walked {
    pub(super) fn answer(&self) -> &Answer {
        &self.answers[0]
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.answers[0].records
    }
}

/// Walks a look-up to its end; `answer` plays the vendor. What any provider has to keep to is checked on the way.
pub(super) fn walk(
    provider: &dyn Provider,
    lookup: &Lookup,
    answer: impl Fn(&Call) -> Reply,
) -> Result<Walked, ProviderError> {
    let descriptor = provider.descriptor();
    let offer = descriptor.offer(lookup.queries[0].capability).unwrap();
    let (mut made, mut charges) = (Vec::new(), Vec::new());
    let mut step = provider.start(lookup)?;
    loop {
        match step {
            Step::Done(answers) => {
                for answer in &answers {
                    let schema = answer.query.capability.schema();
                    for record in &answer.records {
                        assert_eq!(record.misfit(schema), None, "{record:?}");
                    }
                }
                if let [query] = lookup.queries.as_slice() {
                    assert_eq!(answers[0].query, *query, "the first answer is the one asked for");
                } else {
                    let asked = |answer: &Answer| lookup.queries.contains(&answer.query);
                    assert!(answers.iter().all(asked), "several are asked without siblings");
                }
                return Ok(Walked {
                    answers,
                    calls: made,
                    charges,
                });
            }
            Step::Calls { calls, then } => {
                let mut replies = Vec::new();
                for call in &calls {
                    assert!(descriptor.has_product(&call.product), "{}", call.product);
                    let declared = descriptor.origins.iter().any(|origin| origin.name == call.origin);
                    let named = |server: &String| provider.servers(&lookup.files).contains(server);
                    assert!(call.server.as_ref().map_or(declared, named), "{call:?}");
                    let reply = answer(call);
                    let judgement = provider.judge(call, &reply);
                    charges.push(judgement.charge);
                    replies.push(replied(provider, &judgement, reply));
                }
                made.extend(calls);
                assert!(made.len() <= offer.max_calls, "more calls than declared");
                step = then(replies)?;
            }
        }
    }
}

/// Walks a look-up against the provider's fixtures.
pub(super) fn walk_fixtures(provider: &dyn Provider, lookup: &Lookup) -> Result<Walked, ProviderError> {
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
fn render(walked: &Walked) -> serde_json::Value {
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

/// Brings a record to plain JSON, raw whois text left out.
pub(super) fn plain(record: &Record) -> serde_json::Value {
    let fields: BTreeMap<String, serde_json::Value> = record
        .iter()
        .filter(|(name, _)| *name != "record")
        .map(|(name, value)| (name.to_owned(), plain_value(value)))
        .collect();
    serde_json::json!(fields)
}

fn plain_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Integer(number) => serde_json::json!(number),
        Value::Flag(flag) => serde_json::json!(flag),
        Value::Texts(texts) => serde_json::json!(texts),
        Value::Records(records) => records.iter().map(plain).collect(),
        other => serde_json::json!(other.text()),
    }
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
    let answers = [Heard::whole(walked.answer(), jiff::Timestamp::UNIX_EPOCH)];
    let rules = spec.rules(
        &loaded.settings.scales,
        &loaded.settings.lists,
        crate::domain::Marks::none(),
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

/// Asks every product of an offer about an indicator, with each word that a parameter can be.
pub(super) fn ask_all(
    provider: &dyn Provider,
    offer: &super::Offer,
    indicator: &Indicator,
    all: &mut Vec<Lookup>,
) {
    let mut plain = Query::new(offer.capability, indicator.clone());
    for param in &offer.params {
        plain = plain.with(&param.name, &param.values.default());
    }
    let mut queries = vec![plain.clone()];
    for param in &offer.params {
        if let super::Values::OneOf(words) = &param.values {
            queries.extend(words.iter().map(|word| plain.clone().with(&param.name, word)));
        }
    }
    for product in &offer.products {
        for query in &queries {
            let asked = lookup(provider, query.clone(), &product.id);
            let known = |other: &Lookup| (&other.queries, &other.product) == (&asked.queries, &asked.product);
            if provider.start(&asked).is_ok() && !all.iter().any(known) {
                all.push(asked);
            }
        }
    }
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
    let rules = spec.rules(&settings.scales, &settings.lists, crate::domain::Marks::none());
    let input = MappedInput {
        type_id,
        value,
        properties: &[],
        instead: None,
    };
    let at = "2026-03-01T10:11:12Z".parse().unwrap();
    let answers: Vec<_> = answers.iter().map(|answer| Heard::whole(answer, at)).collect();
    crate::mapping::map(&answers, &rules, &input, &Selection::up_to(100)).entities
}
