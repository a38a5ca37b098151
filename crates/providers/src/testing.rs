//! Drives a provider's step machine in tests, against replies that a test makes, without a socket. By the feature `testing`, tests
//! of other crates do so, too.
#![expect(clippy::unwrap_used, reason = "tests alone call this, with what is right")]

use std::collections::BTreeMap;

use super::{
    Call, Charge, Classification, Lookup, ProductId, Provider, ProviderError, Replied, Reply, ReplyClass,
    Step,
};
use pivotd_domain::{
    Answer, Capability, Denial, Failure, FailureKind, Indicator, IndicatorKind, Query, Record, Value,
};

/// Asks a question.
pub fn question(capability: Capability, kind: IndicatorKind, value: &str) -> Query {
    Query::new(capability, Indicator::parse(kind, value).unwrap())
}

/// Looks a question up, twelve records wanted, with the reference files that are compiled in.
pub fn lookup(provider: &dyn Provider, query: Query, product: impl Into<ProductId>) -> Lookup {
    let files = provider.descriptor().files.iter();
    let files: BTreeMap<_, _> = files
        .map(|file| (file.name.clone(), file.bundled.clone()))
        .collect();
    Lookup {
        wanted: 12,
        files: files.into(),
        options: options(provider),
        ..Lookup::new(query, product)
    }
}

/// Returns a provider's own settings as they are where none is set.
pub fn options(provider: &dyn Provider) -> BTreeMap<String, String> {
    let options = provider.descriptor().options.iter();
    options
        .map(|option| (option.name.to_string(), option.values[0].to_string()))
        .collect()
}

/// Makes a reply of JSON.
pub fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        content_type: "application/json;charset=utf-8".to_owned(),
        retry_after: None,
        headers: BTreeMap::new(),
        body: body.to_owned().into(),
    }
}

/// Makes a vendor that says the same to every call, whatever bytes these are.
pub fn anything(status: u16, body: &[u8]) -> impl Fn(&Call) -> Reply {
    move |_| Reply {
        body: body.to_vec().into(),
        ..reply(status, "")
    }
}

/// Answers every call of these look-ups so. An error is as good as an answer; a panic or a misfit is not.
pub fn feed(provider: &dyn Provider, lookups: &[Lookup], reply: &Reply) {
    for lookup in lookups {
        let _ = walk(provider, lookup, |_| reply.clone());
    }
}

/// Turns a classified reply into what the engine hands back.
pub fn replied(provider: &dyn Provider, classification: &Classification, reply: Reply) -> Replied {
    let name = &provider.descriptor().name;
    let failed = |kind, message: &str| Replied::Failed(Failure::new(kind, name, message));
    match &classification.class {
        ReplyClass::Good => Replied::Good(reply),
        ReplyClass::NotFound => Replied::NotFound(reply),
        ReplyClass::Limited { message, .. } => failed(FailureKind::Limited, message),
        ReplyClass::KeyRefused(message) | ReplyClass::SessionEnded(message) => {
            failed(FailureKind::Denied(Denial::ServerKey), message)
        }
        ReplyClass::NotEntitled(message) => failed(FailureKind::Denied(Denial::NotEntitled), message),
        ReplyClass::Retry(message) => failed(FailureKind::Unavailable, message),
        ReplyClass::Refused(message) => failed(FailureKind::Refused, message),
        ReplyClass::Malformed(message) => failed(FailureKind::Malformed, message),
    }
}

/// Holds what a whole look-up did.
#[derive(Debug)]
pub struct LookupTrace {
    /// The answers.
    pub answers: Vec<Answer>,
    /// The calls that were made, in order.
    pub calls: Vec<Call>,
    /// What each call cost.
    pub charges: Vec<Charge>,
}

impl LookupTrace {
    /// Returns the answer to the question.
    #[must_use]
    pub fn answer(&self) -> &Answer {
        &self.answers[0]
    }

    /// Returns the records of that answer.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.answers[0].records
    }
}

/// Walks a look-up to its end; `answer` plays the vendor. What any provider has to keep to is checked on the way.
pub fn walk(
    provider: &dyn Provider,
    lookup: &Lookup,
    answer: impl Fn(&Call) -> Reply,
) -> Result<LookupTrace, ProviderError> {
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
                return Ok(LookupTrace {
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
                    let classification = provider.classify(call, &reply);
                    charges.push(classification.charge);
                    replies.push(replied(provider, &classification, reply));
                }
                made.extend(calls);
                assert!(made.len() <= offer.max_calls, "more calls than declared");
                step = then(replies)?;
            }
        }
    }
}

/// Brings a record to plain JSON, raw whois text left out.
pub fn plain(record: &Record) -> serde_json::Value {
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

/// Asks every product of an offer about an indicator, with each word that a parameter can be.
pub fn ask_all(provider: &dyn Provider, offer: &super::Offer, indicator: &Indicator, all: &mut Vec<Lookup>) {
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
