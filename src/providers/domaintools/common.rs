//! Holds the small steps that look-ups of this vendor share.

use super::{DESCRIPTOR, ORIGIN};
use crate::domain::{Answer, Query, Record};
use crate::providers::Call;
pub(super) use crate::providers::kit::common::{first, one_query, replied_good};

/// Makes a GET billed to `product`.
pub(super) fn call(product: &'static str, path: impl Into<String>) -> Call {
    Call::get(ORIGIN, product, path)
}

/// Makes a POST of a form, billed to `product`.
pub(super) fn post(product: &'static str, path: impl Into<String>) -> Call {
    Call::post(ORIGIN, product, path)
}

/// Makes the answer of one object, or of a vendor that knows none.
pub(super) fn answer(query: Query, product: &str, records: Vec<Record>) -> Answer {
    crate::providers::kit::common::object(&DESCRIPTOR, query, product, records)
}

/// Makes the answer of a vendor that knows nothing.
pub(super) fn nothing(query: Query, product: &str) -> Answer {
    crate::providers::kit::common::nothing(&DESCRIPTOR, query, product)
}
