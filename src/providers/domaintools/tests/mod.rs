//! Drives the machine against fixtures, recordings and made-up bodies, without a socket.

mod cases;
mod contacts;
mod fixtures;
mod machine;
mod properties;
mod recordings;
mod signatures;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::DomainTools;
use crate::domain::{
    Answer, Capability, Denial, Failure, FailureKind, Indicator, IndicatorKind, Query, Record, Value,
};
use crate::providers::{
    Call, Charge, Judgement, Lookup, Method, Provider, ProviderError, Replied, Reply, Step, Verdict,
};
use crate::replay::{SeenRequest, Vendor};

fn question(capability: Capability, kind: IndicatorKind, value: &str) -> Query {
    Query::new(capability, Indicator::parse(kind, value).unwrap())
}

fn lookup(query: Query, product: &'static str) -> Lookup {
    Lookup {
        queries: vec![query],
        product,
        want: 12,
        held: None,
        buy: None,
    }
}

fn of_domain(capability: Capability, domain: &str, product: &'static str) -> Lookup {
    lookup(question(capability, IndicatorKind::Domain, domain), product)
}

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        content_type: "application/json;charset=utf-8".to_owned(),
        retry_after: None,
        body: body.to_owned().into(),
    }
}

fn vendor() -> Vendor {
    Vendor::from_path(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/domaintools")).unwrap()
}

/// Plays the vendor's part of one call.
fn play(vendor: &Vendor, call: &Call) -> Reply {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&call.form)
        .finish();
    let request = SeenRequest {
        at: 1,
        method: match call.method {
            Method::Get => "GET".to_owned(),
            Method::Post => "POST".to_owned(),
        },
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
    Reply {
        status: answer.status,
        content_type: answer.header("content-type").unwrap_or_default().to_lowercase(),
        retry_after: answer.header("retry-after").map(str::to_owned),
        body: answer.body,
    }
}

/// Turns a judged reply into what the engine hands back.
fn replied(judgement: &Judgement, reply: Reply) -> Replied {
    let failed = |kind, message: &str| Replied::Failed(Failure::new(kind, "domaintools", message));
    match &judgement.verdict {
        Verdict::Good => Replied::Good(reply),
        Verdict::NotFound => Replied::NotFound(reply),
        Verdict::Limited { message, .. } => failed(FailureKind::Limited, message),
        Verdict::KeyRefused(message) => failed(FailureKind::Denied(Denial::ServerKey), message),
        Verdict::NotEntitled(message) => failed(FailureKind::Denied(Denial::NotEntitled), message),
        Verdict::Retry(message) => failed(FailureKind::Unavailable, message),
        Verdict::Refused(message) => failed(FailureKind::Refused, message),
        Verdict::Malformed(message) => failed(FailureKind::Malformed, message),
    }
}

/// Holds what a whole look-up did.
#[derive(Debug)]
struct Walked {
    answers: Vec<Answer>,
    calls: Vec<Call>,
    charges: Vec<Charge>,
}

impl Walked {
    fn answer(&self) -> &Answer {
        &self.answers[0]
    }

    fn records(&self) -> &[Record] {
        &self.answers[0].records
    }
}

/// Walks a look-up to its end; `answer` plays the vendor.
fn walk(lookup: &Lookup, answer: impl Fn(&Call) -> Reply) -> Result<Walked, ProviderError> {
    let offer = DomainTools
        .descriptor()
        .offer(lookup.queries[0].capability)
        .unwrap();
    let (mut made, mut charges) = (Vec::new(), Vec::new());
    let mut step = DomainTools.start(lookup)?;
    loop {
        match step {
            Step::Done(answers) => {
                for answer in &answers {
                    let schema = answer.query.capability.schema();
                    for record in &answer.records {
                        assert_eq!(record.misfit(schema), None, "{record:?}");
                    }
                }
                assert_eq!(
                    answers[0].query, lookup.queries[0],
                    "the first answer is the one asked for"
                );
                return Ok(Walked {
                    answers,
                    calls: made,
                    charges,
                });
            }
            Step::Calls { calls, then } => {
                let mut replies = Vec::new();
                for call in &calls {
                    assert!(
                        DomainTools.descriptor().has_product(call.product),
                        "{}",
                        call.product
                    );
                    let reply = answer(call);
                    let judgement = DomainTools.judge(call, &reply);
                    charges.push(judgement.charge);
                    replies.push(replied(&judgement, reply));
                }
                made.extend(calls);
                assert!(made.len() <= offer.max_calls, "more calls than declared");
                step = then(replies)?;
            }
        }
    }
}

fn walk_fixtures(lookup: &Lookup) -> Result<Walked, ProviderError> {
    let vendor = vendor();
    walk(lookup, |call| play(&vendor, call))
}

/// Brings a record to plain JSON, raw whois text left out.
fn plain(record: &Record) -> serde_json::Value {
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
