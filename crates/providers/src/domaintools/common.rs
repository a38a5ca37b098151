//! Holds the small steps that look-ups of this vendor share.

use super::{DESCRIPTOR, ORIGIN};
use crate::Call;
pub(super) use crate::kit::common::{first, one_query, replied_good};
use pivotd_domain::{Answer, Query, Record};

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
    crate::kit::common::object(&DESCRIPTOR, query, product, records)
}

/// Makes the answer of a vendor that knows nothing.
pub(super) fn nothing(query: Query, product: &str) -> Answer {
    crate::kit::common::nothing(&DESCRIPTOR, query, product)
}
