//! Answers what pivotd knows itself: the parts of a value. No provider is asked.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use crate::domain::{Answer, Capability, Indicator, IndicatorKind, Lists, Query, Record, Source};
use crate::providers::{Descriptor, Offer};

pub use crate::domain::OWN;

/// Says what pivotd answers itself, in the shape of a provider.
pub static DESCRIPTOR: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        offers: vec![Offer {
            max_calls: 0,
            ..Offer::of(
                Capability::Parts,
                &[
                    IndicatorKind::Url,
                    IndicatorKind::Email,
                    IndicatorKind::Hostname,
                    IndicatorKind::Domain,
                ],
                [],
            )
        }],
        default_rate: Vec::new(),
        ..Descriptor::new(OWN, OWN)
    })
});

/// Takes a value apart: host or address, registrable domain, and the domain of an e-mail address.
#[must_use]
pub fn parts(indicator: &Indicator, lists: &Lists) -> Record {
    let host = indicator.host();
    let is_email = indicator.kind() == IndicatorKind::Email;
    let domain = lists
        .registrable(indicator)
        .map(|domain| domain.value().to_owned());
    let address = (indicator.kind() == IndicatorKind::Url)
        .then(|| indicator.ip())
        .flatten();
    Record::new()
        .with_some("host", host.clone().filter(|_| !is_email))
        .with_some("email_domain", host.filter(|_| is_email))
        .with_some("domain", domain)
        .with_some("ip", address.map(|ip| ip.to_canonical().to_string()))
}

/// Answers a question that no provider is asked; the record is missing where the value has no parts.
#[must_use]
pub fn answer(indicator: &Indicator, lists: &Lists) -> (Answer, Timestamp) {
    let record = Some(parts(indicator, lists)).filter(|record| !record.is_empty());
    let records: Vec<_> = record.into_iter().collect();
    let source = Source {
        provider: OWN.to_owned(),
        product: "parts".to_owned(),
        blind: None,
    };
    let query = Query::new(Capability::Parts, indicator.clone());
    (Answer::whole(query, records, source), Timestamp::UNIX_EPOCH)
}
