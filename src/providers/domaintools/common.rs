//! Holds the small steps that every look-up of this vendor takes.

use super::{DESCRIPTOR, NAME, ORIGIN};
use crate::domain::{Answer, Query, Record, Source};
use crate::providers::{Call, Lookup, ProviderError, Replied, Reply};

/// Makes a GET billed to `product`.
pub(super) fn call(product: &'static str, path: impl Into<String>) -> Call {
    Call::get(ORIGIN, product, path)
}

/// Makes a POST of a form, billed to `product`.
pub(super) fn post(product: &'static str, path: impl Into<String>) -> Call {
    Call::post(ORIGIN, product, path)
}

/// Returns the question of a look-up.
pub(super) fn one_query(lookup: &Lookup) -> Result<&Query, ProviderError> {
    lookup
        .queries
        .first()
        .ok_or_else(|| ProviderError::Unsupported("nothing was asked".to_owned()))
}

/// Returns the reply to the only call.
pub(super) fn first(replies: Vec<Replied>) -> Result<Replied, ProviderError> {
    replies
        .into_iter()
        .next()
        .ok_or_else(|| ProviderError::Malformed("no reply came".to_owned()))
}

/// Returns a good reply, or `None` where the vendor knows nothing.
///
/// # Errors
/// The failure of the call.
pub(super) fn replied_good(replied: Replied) -> Result<Option<Reply>, ProviderError> {
    match replied {
        Replied::Good(reply) => Ok(Some(reply)),
        Replied::NotFound(_) => Ok(None),
        Replied::Failed(failure) => Err(ProviderError::Failed(failure)),
    }
}

/// Makes a whole answer of these records.
pub(super) fn answer(query: Query, product: &str, records: Vec<Record>) -> Answer {
    let blind = DESCRIPTOR
        .offer(query.capability)
        .and_then(|offer| offer.products.iter().find(|known| known.id == product))
        .and_then(|product| product.blind)
        .map(str::to_owned);
    Answer {
        total: u64::try_from(records.len()).ok(),
        query,
        records,
        more: false,
        missing: Vec::new(),
        price: None,
        source: Source {
            provider: NAME.to_owned(),
            product: product.to_owned(),
            blind,
        },
    }
}
