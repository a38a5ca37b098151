//! Feeds any reply to every provider: nothing panics, every record fits its schema, and no call is made that the
//! descriptor does not declare. `testing::walk` asserts the last two.
//!
//! What replies are made of comes from the provider's own fixtures: the names of members, the texts, and whole replies
//! some places of which are something else.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::{FOUND, Found, Played, Providers};
use crate::domain::{Indicator, IndicatorKind, Query, Record};
use crate::provider_tests::fixtures::{case, files, folder, value};
use crate::provider_tests::testing::{ask_all, examples, feed, lookup, reply, shapes};
use crate::providers::kit::common::object;
use crate::providers::kit::resource::Resource;
use crate::providers::{
    Call, Classification, Descriptor, ExposedKey, Lookup, Origin, Provider, ProviderError, Reply, Step,
};

/// Stands where something is written that is no [`Value`]; no fixture has it.
const HERE: &str = "\u{e000}";
/// In how many places of a reply, at most, depth and size are tried.
const TRIED_PLACES: usize = 2;

/// Holds what a provider is asked, and what its replies are made of.
struct Tried {
    provider: Arc<dyn Provider>,
    lookups: Vec<Lookup>,
    /// The replies of the fixtures that are JSON, or lines of it.
    bodies: Vec<Vec<Value>>,
    names: Vec<String>,
    texts: Vec<String>,
}

static TRIED: LazyLock<Vec<Tried>> = LazyLock::new(|| Providers::built_in().iter().map(Tried::of).collect());

impl Tried {
    fn of(provider: &Arc<dyn Provider>) -> Self {
        let descriptor = provider.descriptor();
        let all = files(&folder(descriptor)).into_iter();
        let fixtures = all.filter(|path| path.extension().is_some_and(|end| end == "http" || end == "dns"));
        let replies = fixtures.map(|path| (path.display().to_string(), case(descriptor, &path)));
        let bodies: Vec<_> = replies
            .filter_map(|(name, reply)| Some(Played::of(name, reply)?.lines))
            .filter(|lines| !lines.is_empty())
            .collect();
        let (mut names, mut texts) = (BTreeSet::new(), BTreeSet::new());
        for line in bodies.iter().flatten() {
            words(line, &mut names, &mut texts);
        }
        Self {
            provider: Arc::clone(provider),
            lookups: lookups(provider.as_ref()),
            bodies,
            names: names.into_iter().collect(),
            texts: texts.into_iter().collect(),
        }
    }

    fn name(&self) -> &str {
        &self.provider.descriptor().name
    }

    fn is_dns(&self) -> bool {
        self.provider.descriptor().origins.iter().any(Origin::is_dns)
    }

    /// Answers every look-up, and the purchase of a session, with this.
    fn feed(&self, reply: &Reply) {
        feed(self.provider.as_ref(), &self.lookups, reply);
        if let Some(call) = self.provider.session() {
            let _ = (
                self.provider.classify(&call, reply),
                self.provider.admitted(reply),
            );
        }
    }

    fn feed_body(&self, status: u16, body: impl Into<bytes::Bytes>) {
        self.feed(&Reply {
            body: body.into(),
            ..reply(status, "")
        });
    }

    /// Lists one look-up of each capability and product.
    fn firsts(&self) -> Vec<Lookup> {
        let mut seen = BTreeSet::new();
        let is_new =
            |asked: &&Lookup| seen.insert((asked.queries[0].capability.name(), asked.product.to_string()));
        self.lookups.iter().filter(is_new).cloned().collect()
    }

    fn shapes(&self) -> BoxedStrategy<Value> {
        shapes(self.names.clone(), self.texts.clone()).boxed()
    }

    /// Makes places of a reply something else.
    fn changes(&self) -> BoxedStrategy<Vec<Change>> {
        proptest::collection::vec((any::<Index>(), any::<Index>(), self.shapes()), 1..4).boxed()
    }

    fn found(&self) -> Vec<&'static Found> {
        let all = FOUND.iter();
        all.filter(|found| found.provider.descriptor().name == self.provider.descriptor().name)
            .collect()
    }
}

/// Collects the names of members, and the texts but for long ones.
fn words(value: &Value, names: &mut BTreeSet<String>, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() <= 80 => {
            texts.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| words(item, names, texts)),
        Value::Object(members) => {
            for (name, member) in members {
                names.insert(name.clone());
                words(member, names, texts);
            }
        }
        _ => {}
    }
}

/// Asks everything that a provider offers, of each product, with each word of a parameter, about each kind of input:
/// once with little wanted and nothing bought, once with much of both. Products of batches are asked several at once.
fn lookups(provider: &dyn Provider) -> Vec<Lookup> {
    let mut all = examples(provider);
    for offer in &provider.descriptor().offers {
        for kind in &offer.inputs {
            // The files of public facts name no server for a system that is set aside for examples.
            let assigned = (*kind == IndicatorKind::Asn).then_some("AS3333");
            for text in [value(*kind)].into_iter().chain(assigned) {
                let indicator = Indicator::parse(*kind, text).unwrap();
                ask_all(provider, offer, &indicator, &mut all);
            }
        }
    }
    let more: Vec<_> = all
        .iter()
        .map(|asked| Lookup {
            wanted: 500,
            buy: Some(1_000_000),
            ..asked.clone()
        })
        .collect();
    all.extend(more);
    for offer in &provider.descriptor().offers {
        for product in offer.products.iter().filter(|product| product.max_batch > 1) {
            for kind in &offer.inputs {
                let indicators = (1..=3).filter_map(|number| numbered(*kind, number));
                let queries: Vec<_> = indicators
                    .map(|indicator| {
                        let params = offer.params.iter();
                        params.fold(Query::new(offer.capability, indicator), |query, param| {
                            query.with(&param.name, &param.values.default())
                        })
                    })
                    .collect();
                let Some(first) = queries.first() else { continue };
                let one = lookup(provider, first.clone(), &product.id);
                let asked = Lookup { queries, ..one };
                if provider.start(&asked).is_ok() {
                    all.push(asked);
                }
            }
        }
    }
    all
}

/// Makes one of several indicators of a kind; of a kind that is counted by no number, none.
fn numbered(kind: IndicatorKind, number: usize) -> Option<Indicator> {
    let text = match kind {
        IndicatorKind::Domain => format!("example{number}.com"),
        IndicatorKind::Hostname => format!("www.example{number}.com"),
        IndicatorKind::Ipv4 => format!("192.0.2.{number}"),
        IndicatorKind::Ipv6 => format!("2001:db8::{number}"),
        IndicatorKind::Url => format!("http://example.com/{number}"),
        IndicatorKind::Email => format!("office{number}@example.com"),
        IndicatorKind::Hash | IndicatorKind::Certificate => format!("{number:040}"),
        _ => return None,
    };
    Some(Indicator::parse(kind, &text).unwrap())
}

/// Lists every place of a reply: the line, and a pointer into it.
fn places(lines: &[Value]) -> Vec<(usize, String)> {
    fn below(value: &Value, pointer: &str, line: usize, all: &mut Vec<(usize, String)>) {
        all.push((line, pointer.to_owned()));
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    below(item, &format!("{pointer}/{index}"), line, all);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    below(member, &format!("{pointer}/{name}"), line, all);
                }
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    for (line, value) in lines.iter().enumerate() {
        below(value, "", line, &mut all);
    }
    all
}

/// Says how deep a place is, which of those that are so deep, and what stands there: few places are near the root, and
/// they are changed as often as others.
type Change = (Index, Index, Value);

fn changed(lines: &[Value], changes: &[Change]) -> String {
    let depth = |(_, pointer): &(usize, String)| pointer.matches('/').count();
    let mut lines = lines.to_vec();
    for (level, which, value) in changes {
        let mut all = places(&lines);
        let deepest = all.iter().map(depth).max().unwrap_or_default();
        let wanted = level.index(deepest + 1);
        all.retain(|place| depth(place) == wanted);
        let (line, pointer) = which.get(&all);
        *lines[*line].pointer_mut(pointer).unwrap() = value.clone();
    }
    written(&lines)
}

fn written(lines: &[Value]) -> String {
    let lines: Vec<_> = lines.iter().map(Value::to_string).collect();
    lines.join("\n")
}

fn status(tried: &Tried) -> BoxedStrategy<u16> {
    if tried.is_dns() {
        (0_u16..24).boxed()
    } else {
        prop_oneof![4 => Just(200), 1 => Just(206), 1 => Just(403), 1 => Just(404), 4 => 100_u16..600].boxed()
    }
}

/// Tries each provider by itself, so that a failure names it.
fn each<T: std::fmt::Debug>(
    cases: u32,
    strategy: impl Fn(&'static Tried) -> BoxedStrategy<T>,
    test: impl Fn(&'static Tried, T),
) {
    for tried in TRIED.iter() {
        let config = ProptestConfig {
            cases,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let outcome = TestRunner::new(config).run(&strategy(tried), |input| {
            test(tried, input);
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{}: {error}", tried.name());
        }
    }
}

/// Whatever a provider offers is tried, about each kind of input and in batches, from fixtures of its own.
#[test]
fn everything_that_is_offered_is_tried() {
    for tried in TRIED.iter() {
        let asks = |matches: &dyn Fn(&Lookup) -> bool| tried.lookups.iter().any(matches);
        for offer in &tried.provider.descriptor().offers {
            let of_offer = |asked: &Lookup| asked.queries[0].capability == offer.capability;
            for kind in &offer.inputs {
                let asked = asks(&|asked| of_offer(asked) && asked.queries[0].indicator.kind() == *kind);
                assert!(asked, "{} {} of {kind:?}", tried.name(), offer.capability);
            }
            for product in &offer.products {
                let of_product = |asked: &Lookup| of_offer(asked) && asked.product == product.id;
                let batch = asks(&|asked| of_product(asked) && asked.queries.len() > 1);
                assert_eq!(batch, product.max_batch > 1, "{} {}", tried.name(), product.id);
            }
        }
        assert!(!tried.names.is_empty(), "{} has fixtures", tried.name());
        assert!(tried.is_dns() || !tried.found().is_empty(), "{}", tried.name());
    }
}

/// Breaks a rule in the place of another provider: asks without end, or tells a field that no schema has.
struct Broken {
    is_endless: bool,
    other: Arc<dyn Provider>,
}

fn without_end(call: Call) -> Step {
    Step::Calls {
        calls: vec![call.clone()],
        then: Box::new(move |_| Ok(without_end(call))),
    }
}

impl Provider for Broken {
    fn descriptor(&self) -> &Arc<Descriptor> {
        self.other.descriptor()
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let descriptor = self.descriptor();
        if self.is_endless {
            let origin = &descriptor.origins[0].name;
            return Ok(without_end(Call::get(
                origin.clone(),
                lookup.product.clone(),
                "/",
            )));
        }
        let records = vec![Record::new().with("no-such-field", "x")];
        let answer = object(descriptor, lookup.queries[0].clone(), &lookup.product, records);
        Ok(Step::Done(vec![answer]))
    }

    fn classify(&self, call: &Call, reply: &Reply) -> Classification {
        self.other.classify(call, reply)
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, now: jiff::Timestamp) -> Result<(), ProviderError> {
        self.other.sign(call, key, now)
    }
}

fn feed_broken(is_endless: bool) {
    let other = Arc::clone(&TRIED[0].provider);
    let broken = Broken { is_endless, other };
    feed(&broken, &TRIED[0].lookups[..1], &reply(200, "{}"));
}

#[test]
#[should_panic(expected = "more calls than declared")]
fn a_provider_that_asks_without_end_is_found_out() {
    feed_broken(true);
}

#[test]
#[should_panic(expected = "no-such-field")]
fn a_record_that_fits_no_schema_is_found_out() {
    feed_broken(false);
}

#[test]
fn any_bytes() {
    each(
        48,
        |tried| (status(tried), any::<Vec<u8>>(), "\\PC{0,8}").boxed(),
        |tried, (status, body, header)| {
            let named = tried.provider.descriptor().reply_headers.iter();
            tried.feed(&Reply {
                headers: named.map(|name| (name.clone(), header.clone())).collect(),
                retry_after: Some(header.clone()),
                body: body.into(),
                ..reply(status, "")
            });
        },
    );
}

#[test]
fn any_shape() {
    each(
        48,
        |tried| (status(tried), tried.shapes()).boxed(),
        |tried, (status, body)| tried.feed_body(status, body.to_string()),
    );
}

#[test]
fn any_place_of_any_reply_to_any_question() {
    each(
        32,
        |tried| (status(tried), any::<Index>(), tried.changes()).boxed(),
        |tried, (status, body, changes)| {
            tried.feed_body(
                status,
                changed(&tried.bodies[body.index(tried.bodies.len())], &changes),
            );
        },
    );
}

/// The replies before and after are as they were, so that the machine comes as far as this one.
#[test]
fn any_place_of_a_reply_that_is_found() {
    each(
        96,
        |tried| (any::<Index>(), any::<Index>(), tried.changes()).boxed(),
        |tried, (found, played, changes)| {
            let all = tried.found();
            if all.is_empty() {
                return;
            }
            let found = *found.get(&all);
            let played = played.get(&found.replies);
            let _ = found.again(
                played,
                &Reply {
                    body: changed(&played.lines, &changes).into(),
                    ..played.reply.clone()
                },
            );
        },
    );
}

#[test]
fn any_records_of_dns() {
    let resource = |tried: &Tried| {
        let pieces = tried
            .texts
            .iter()
            .flat_map(|text| text.split_inclusive(['=', ';', ':', '|', ' ']));
        let pieces: Vec<_> = pieces.map(str::to_owned).collect();
        let text = prop_oneof![3 => select(pieces), 1 => "\\PC{0,3}"];
        prop_oneof![
            1 => any::<[u8; 4]>().prop_map(|code| Resource::A(code.into())),
            1 => (0_u8..4, any::<u8>()).prop_map(|(zone, last)| Resource::A([127, 0, zone, last].into())),
            1 => any::<[u8; 16]>().prop_map(|address| Resource::Aaaa(address.into())),
            1 => (any::<u16>(), "\\PC{0,12}")
                .prop_map(|(preference, exchange)| Resource::Mx { preference, exchange }),
            3 => proptest::collection::vec(text, 0..12).prop_map(|texts| Resource::Txt(texts.concat())),
        ]
    };
    each(
        256,
        |tried| {
            let records = if tried.is_dns() {
                proptest::collection::vec(resource(tried), 0..9).boxed()
            } else {
                Just(Vec::new()).boxed()
            };
            (prop_oneof![Just(0), 0_u16..24], records).boxed()
        },
        |tried, (code, records)| {
            if tried.is_dns() {
                tried.feed(&Reply::of_dns(code, &records));
            }
        },
    );
}

#[test]
fn any_file_of_public_facts() {
    each(
        96,
        |_| (any::<Vec<u8>>(), "(\\PC{0,12}[,\n\"]){0,8}").boxed(),
        |tried, (body, text)| {
            for file in &tried.provider.descriptor().files {
                let _ = (file.check)(&body);
                let bundled = String::from_utf8_lossy(&file.bundled);
                let head = bundled.lines().next().unwrap_or_default();
                let _ = (file.check)(format!("{head}\n{text}").as_bytes());
            }
        },
    );
}

#[test]
fn depth_and_size_are_survived() {
    let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
    let huge = "9".repeat(400);
    let raw = |lines: &[Value], raw: &str| written(lines).replace(&format!("\"{HERE}\""), raw);
    for tried in TRIED.iter() {
        let lookups = tried.firsts();
        let feed_body = |body: &str| feed(tried.provider.as_ref(), &lookups, &reply(200, body));
        tried.feed_body(200, "[".repeat(200_000));
        feed_body(&"{\"a\":".repeat(100_000));
        let mut tries = BTreeSet::new();
        for lines in &tried.bodies {
            let numbers = places(lines).into_iter();
            let numbers = numbers.filter(|(line, at)| lines[*line].pointer(at).is_some_and(Value::is_number));
            let mut large = lines.clone();
            for (line, at) in numbers {
                *large[line].pointer_mut(&at).unwrap() = Value::from(HERE);
            }
            tries.insert(raw(&large, &huge));
        }
        for body in &tries {
            feed_body(body);
        }
        for (at, found) in tried.found().into_iter().enumerate() {
            for played in &found.replies {
                let all = places(&played.lines);
                // Equal replies to several questions are tried in other places.
                for (line, pointer) in all.iter().skip(at % 7).step_by(all.len().div_ceil(TRIED_PLACES)) {
                    let mut lines = played.lines.clone();
                    *lines[*line].pointer_mut(pointer).unwrap() = Value::from(HERE);
                    for other in [&deep, &huge] {
                        let body = raw(&lines, other).into();
                        let reply = Reply {
                            body,
                            ..played.reply.clone()
                        };
                        let _ = found.again(played, &reply);
                    }
                }
            }
        }
    }
}
