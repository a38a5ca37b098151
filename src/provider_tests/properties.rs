//! Demands of every provider that one bad place in an answer costs no more than itself, and that no reply at all
//! (`anything.rs`) breaks it.
//!
//! What the transforms of the compiled-in file find with their examples is found again while one text, one element of a
//! list or one header of the vendor's replies is something else. The answer then holds the good rows and says what is
//! missing; it is never "not found", which would be kept, and believed. Providers that are asked over DNS are tried in
//! their own tests: their replies are no JSON, in which places could be changed.

mod anything;
mod bad_bytes;

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::testing::{examples, play, vendor, walk};
use crate::domain::{Answer, Capability, Failure, FailureKind};
use crate::providers::kit::lenient;
use crate::providers::{Call, Lookup, Provider, ProviderError, Providers, Reply};
use crate::replay::Vendor;

/// Is a question that is found, with the replies that it took.
struct Found {
    provider: Arc<dyn Provider>,
    vendor: &'static Vendor,
    lookup: Lookup,
    replies: Vec<Played>,
    records: usize,
}

/// Is a reply of JSON, or of lines of it.
struct Played {
    target: String,
    reply: Reply,
    lines: Vec<Value>,
    is_stream: bool,
    /// The places of its texts, and those of the elements of its lists.
    texts: Vec<Place>,
    elements: Vec<Place>,
}

/// Names a place in a reply: the line, a pointer into it, and how many stand side by side there: the elements of the
/// longest list around it.
#[derive(Debug, Clone)]
struct Place {
    line: usize,
    pointer: String,
    beside: usize,
}

fn target(call: &Call) -> String {
    format!(
        "{:?} {} {} {:?}",
        call.method,
        call.product,
        call.target(""),
        call.form
    )
}

impl Played {
    fn of(target: String, reply: Reply) -> Option<Self> {
        let (lines, is_stream) = match lenient::value(&reply.body) {
            Ok(value) => (vec![value.tree()], false),
            Err(_) => {
                let lines = reply.body.split(|byte| *byte == b'\n');
                let lines = lines.filter(|line| !line.trim_ascii().is_empty());
                let read: Result<Vec<Value>, serde_json::Error> =
                    lines.map(|line| Ok(lenient::value(line)?.tree())).collect();
                (read.ok()?, true)
            }
        };
        let (mut texts, mut elements) = (Vec::new(), Vec::new());
        for (line, value) in lines.iter().enumerate() {
            let place = Place {
                line,
                pointer: String::new(),
                beside: if is_stream { lines.len() } else { 1 },
            };
            if is_stream {
                elements.push(place.clone());
            }
            places(value, &place, &mut texts, &mut elements);
        }
        Some(Self {
            target,
            reply,
            lines,
            is_stream,
            texts,
            elements,
        })
    }

    /// Makes the reply with another value at a place.
    fn with(&self, place: &Place, value: &Value) -> Reply {
        let mut lines = self.lines.clone();
        *lines[place.line].pointer_mut(&place.pointer).unwrap() = value.clone();
        let end = if self.is_stream { "\n" } else { "" };
        let lines: Vec<String> = lines.iter().map(|line| format!("{line}{end}")).collect();
        Reply {
            body: lines.concat().into(),
            ..self.reply.clone()
        }
    }
}

fn places(value: &Value, at: &Place, texts: &mut Vec<Place>, elements: &mut Vec<Place>) {
    let below = |name: &str, beside: usize| Place {
        pointer: format!("{}/{}", at.pointer, name.replace('~', "~0").replace('/', "~1")),
        beside: at.beside.max(beside),
        ..*at
    };
    match value {
        Value::String(_) => texts.push(at.clone()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let place = below(&index.to_string(), items.len());
                elements.push(Place {
                    beside: items.len(),
                    ..place.clone()
                });
                places(item, &place, texts, elements);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                places(member, &below(name, 1), texts, elements);
            }
        }
        _ => {}
    }
}

static FOUND: LazyLock<Vec<Found>> = LazyLock::new(|| {
    let mut found = Vec::new();
    for provider in &Providers::built_in() {
        // What comes over DNS is no JSON of a vendor's.
        if provider
            .descriptor()
            .origins
            .iter()
            .any(crate::providers::Origin::is_dns)
        {
            continue;
        }
        let vendor: &'static Vendor = Box::leak(Box::new(vendor(&provider.descriptor().name)));
        for lookup in examples(provider.as_ref()) {
            let seen = std::cell::RefCell::new(Vec::new());
            let walked = walk(provider.as_ref(), &lookup, |call| {
                let reply = play(provider.as_ref(), vendor, call);
                seen.borrow_mut().push((target(call), reply.clone()));
                reply
            });
            let Ok(walked) = walked else { continue };
            let replies = seen.into_inner().into_iter();
            let replies = replies.filter(|(_, reply)| reply.status == 200);
            found.push(Found {
                provider: Arc::clone(provider),
                vendor,
                records: walked.records().len(),
                replies: replies
                    .filter_map(|(target, reply)| Played::of(target, reply))
                    .collect(),
                lookup,
            });
        }
    }
    found.retain(|one| one.records > 0 && !one.replies.is_empty());
    found
});

impl Found {
    /// Asks again while the vendor's reply to one call is another.
    fn again(&self, played: &Played, reply: &Reply) -> Result<Answer, ProviderError> {
        let walked = walk(self.provider.as_ref(), &self.lookup, |call| {
            if target(call) == played.target {
                reply.clone()
            } else {
                play(self.provider.as_ref(), self.vendor, call)
            }
        });
        walked.map(|walked| walked.answers.into_iter().next().unwrap())
    }

    fn capability(&self) -> Capability {
        self.lookup.queries[0].capability
    }

    /// Says what is wrong with an answer one place of whose `beside` is bad.
    fn fault(&self, answer: &Result<Answer, ProviderError>, beside: usize) -> Option<String> {
        let answer = match answer {
            Ok(answer) => answer,
            // Where all that there was is bad, nothing could be read.
            Err(_) if beside < 2 || self.records < 2 => return None,
            Err(error) => return Some(format!("one bad place of {beside} fails all: {error}")),
        };
        if answer.is_not_found() {
            return Some("it passes for not found".to_owned());
        }
        // What an object says is there or is not.
        let says = !crate::providers::kit::rows::is_list(self.capability());
        let says = says || !answer.missing.is_empty() || !answer.left_out.is_empty();
        (answer.records.len() < self.records && !says)
            .then(|| format!("{} of {} records, in silence", answer.records.len(), self.records))
    }

    fn name(&self) -> String {
        let query = &self.lookup.queries[0];
        let name = &self.provider.descriptor().name;
        format!(
            "{name} {} of {} ({})",
            self.capability(),
            query.indicator.value(),
            self.lookup.product
        )
    }
}

fn pick<T>(all: &[T], seed: usize) -> Option<&T> {
    all.get(seed.checked_rem(all.len())?)
}

/// Tries one place of every question that is found, and lists what is wrong.
fn faults(seed: usize, places: fn(&Played) -> &[Place], value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for found in FOUND.iter() {
        let Some(played) = pick(&found.replies, seed) else {
            continue;
        };
        let Some(place) = pick(places(played), seed / 7) else {
            continue;
        };
        let answer = found.again(played, &played.with(place, value));
        if let Some(fault) = found.fault(&answer, place.beside) {
            faults.push(format!("{}: {fault}; {} is {value}", found.name(), place.pointer));
        }
    }
    faults
}

/// Every capability of every provider that tells of something is among those that are tried.
#[test]
fn every_capability_is_tried() {
    for provider in &Providers::built_in() {
        let descriptor = provider.descriptor();
        if descriptor.origins.iter().any(crate::providers::Origin::is_dns) {
            continue;
        }
        for offer in descriptor
            .offers
            .iter()
            .filter(|offer| offer.capability != Capability::Account)
        {
            let tried = FOUND.iter().any(|found| {
                found.provider.descriptor().name == descriptor.name && found.capability() == offer.capability
            });
            assert!(tried, "{} {}", descriptor.name, offer.capability);
        }
    }
}

/// What is tried is told apart from what is right: an answer that hides a bad row is found out.
#[test]
fn a_bad_answer_is_found_out() {
    let is_list =
        |found: &&Found| crate::providers::kit::rows::is_list(found.capability()) && found.records > 1;
    let found = FOUND.iter().find(is_list).unwrap();
    let whole = found.again(&found.replies[0], &found.replies[0].reply).unwrap();
    assert_eq!(found.fault(&Ok(whole.clone()), 2), None);
    let hidden = Answer {
        records: whole.records[1..].to_vec(),
        missing: Vec::new(),
        left_out: Vec::new(),
        ..whole.clone()
    };
    assert!(found.fault(&Ok(hidden), 2).unwrap().contains("in silence"));
    let none = Answer {
        records: Vec::new(),
        missing: Vec::new(),
        left_out: Vec::new(),
        more: false,
        ..whole
    };
    assert!(found.fault(&Ok(none), 1).unwrap().contains("not found"));
    let failed = ProviderError::Failed(Failure::new(FailureKind::Malformed, "any", "bad"));
    assert_eq!(found.fault(&Err(failed.clone()), 1), None);
    assert!(found.fault(&Err(failed), 2).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_in_the_place_of_a_text_costs_its_row_at_most(seed in 0..100_000_usize,
        text in prop_oneof![any::<String>(), Just("\u{fffd}".to_owned()), Just("-".to_owned())]) {
        let faults = faults(seed, |played| &played.texts, &json!(text));
        prop_assert!(faults.is_empty(), "{faults:#?}");
    }

    #[test]
    fn junk_in_the_place_of_a_row_costs_that_row(seed in 0..100_000_usize,
        junk in prop_oneof![Just(Value::Null), Just(json!(1)), Just(json!("x")), Just(json!({})), Just(json!([]))]) {
        let faults = faults(seed, |played| &played.elements, &junk);
        prop_assert!(faults.is_empty(), "{faults:#?}");
    }

    #[test]
    fn any_header_costs_no_row(seed in 0..100_000_usize, text in prop_oneof![
        any::<String>(), Just("text/html".to_owned()), Just("-1".to_owned()), Just("{\"error\":\"x\"}".to_owned())]) {
        let mut faults = Vec::new();
        for found in FOUND.iter() {
            let Some(played) = pick(&found.replies, seed) else { continue };
            let mut reply = played.reply.clone();
            let names = &found.provider.descriptor().reply_headers;
            match seed % (names.len() + 2) {
                0 => reply.content_type = text.to_lowercase(),
                1 => reply.retry_after = Some(text.clone()),
                at => {
                    reply.headers.insert(names[at - 2].clone(), text.clone());
                }
            }
            let answer = found.again(played, &reply);
            match &answer {
                Ok(whole) if whole.records.len() >= found.records => {}
                _ => faults.push(format!("{}: {answer:?} with {text:?}", found.name())),
            }
        }
        prop_assert!(faults.is_empty(), "{faults:#?}");
    }
}
