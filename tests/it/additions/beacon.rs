//! A provider of three fields for an address, made of the kit and registered at run time: its name is known then only.

use std::sync::{Arc, Weak};

use jiff::Timestamp;
use pivotd::domain::{Capability, IndicatorKind, Query, Record};
use pivotd::providers::kit::common::{key_header, object, offered, one, segment};
use pivotd::providers::kit::errors::{by_status, said};
use pivotd::providers::kit::lenient;
use pivotd::providers::kit::tolerant::{Node, clean, json, malformed};
use pivotd::providers::{
    Call, Charge, Classification, CredentialField, Descriptor, ExposedKey, Lookup, Offer, Origin, Product,
    Provider, ProviderError, Reply, ReplyClass, Step,
};
use pivotd::replay::Vendor;

const ORIGIN: &str = "api";
const ADDRESS: &str = "address";

/// What is written into `transforms.toml` for it, with its name.
pub fn configuration(name: &str) -> String {
    include_str!("beacon.toml").replace("NAME", name)
}

/// Plays its vendor.
pub fn vendor() -> Vendor {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/additions/beacon");
    Vendor::from_path(folder).unwrap()
}

/// Answers questions about addresses.
#[derive(Debug)]
pub struct Beacon {
    descriptor: Arc<Descriptor>,
}

impl Beacon {
    /// Makes the provider of a name; beside it, what tells when it is gone.
    pub fn named(name: &str) -> (Arc<dyn Provider>, Weak<Descriptor>) {
        let inputs = [IndicatorKind::Ipv4];
        let product = || [Product::calls(ADDRESS)];
        let descriptor = Arc::new(Descriptor {
            origins: vec![Origin::new(ORIGIN, "https://beacon.example")],
            credentials: vec![CredentialField::secret("api_key", "API key")],
            offers: vec![
                Offer::of(Capability::IpDetails, &inputs, product()),
                Offer::of(Capability::Reputation, &inputs, product()),
            ],
            ..Descriptor::new(name, &format!("Beacon ({name})"))
        });
        let gone = Arc::downgrade(&descriptor);
        (Arc::new(Self { descriptor }), gone)
    }
}

impl Provider for Beacon {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &self.descriptor
    }

    fn start(&self, lookup: &Lookup) -> Result<Step, ProviderError> {
        let query = offered(&self.descriptor, lookup)?.clone();
        let path = format!("/v1/address/{}", segment(query.indicator.value()));
        let descriptor = Arc::clone(&self.descriptor);
        let call = Call::get(ORIGIN, ADDRESS, path);
        Ok(one(call, move |reply| read(&descriptor, query, reply)))
    }

    fn classify(&self, _call: &Call, reply: &Reply) -> Classification {
        let parsed = lenient::value(&reply.body).ok();
        let root = parsed.as_ref().map(Node::of);
        let class = match reply.status {
            200 if root.is_some_and(Node::is_object) => ReplyClass::Good,
            404 => ReplyClass::NotFound,
            _ => by_status(reply, said(root, |root| root.get("message").text())),
        };
        Classification {
            class,
            charge: Charge::Most,
        }
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _now: Timestamp) -> Result<(), ProviderError> {
        key_header(call, &self.descriptor, "x-beacon-key", key)
    }
}

fn read(descriptor: &Descriptor, query: Query, reply: Option<Reply>) -> Result<Step, ProviderError> {
    let mut records = Vec::new();
    if let Some(reply) = reply {
        let body = json(&reply)?;
        records.push(record(Node::of(&body), &query)?);
    }
    Ok(Step::Done(vec![object(descriptor, query, ADDRESS, records)]))
}

fn record(root: Node<'_>, query: &Query) -> Result<Record, ProviderError> {
    let record = Record::new().with_some("last_seen", root.get("last_seen").day());
    let network = root.get("network").text().map(|name| clean(&name));
    if query.capability == Capability::IpDetails {
        return Ok(record
            .with("ip", query.indicator.value())
            .with_some("organization", network));
    }
    let risk = root.get("risk").score(100).ok_or_else(|| malformed("risk"))?;
    Ok(record
        .with("measure", "risk")
        .with("value", risk)
        .with("reasons", network.into_iter().collect::<Vec<_>>()))
}
