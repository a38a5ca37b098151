//! Holds the small steps that look-ups of this vendor share.

use jiff::Timestamp;

use super::{DESCRIPTOR, ORIGIN};
use crate::kit::dates;
use crate::kit::tolerant::Node;
use crate::{Call, ProviderError};
use pivotd_domain::indicator::HashType;
use pivotd_domain::{Answer, IndicatorKind, Query, Record};

/// Makes a GET billed to `product`.
pub(super) fn call(product: &'static str, path: impl Into<String>) -> Call {
    Call::get(ORIGIN, product, path)
}

/// Makes the answer of one object, or of a vendor that knows none.
pub(super) fn answer(query: Query, product: &str, records: Vec<Record>) -> Answer {
    crate::kit::common::object(&DESCRIPTOR, query, product, records)
}

/// Makes the answer of a vendor that knows nothing.
pub(super) fn nothing(query: Query, product: &str) -> Answer {
    crate::kit::common::nothing(&DESCRIPTOR, query, product)
}

/// Refuses a SHA-512, which the vendor does not take as a file's id.
///
/// # Errors
/// [`ProviderError::Unsupported`].
pub(super) fn known_hash(query: &Query) -> Result<(), ProviderError> {
    let indicator = &query.indicator;
    if indicator.kind() == IndicatorKind::Hash && HashType::of(indicator.value()) == Some(HashType::Sha512) {
        return Err(ProviderError::Unsupported(
            "VirusTotal knows files by MD5, SHA-1 or SHA-256".to_owned(),
        ));
    }
    Ok(())
}

/// Reads a time, which the vendor writes as seconds since 1970; 0 is none.
pub(super) fn time(node: Node<'_>) -> Option<Timestamp> {
    dates::of_seconds(node.integer()?)
}

/// Holds what the vendor's engines say: how many call it malicious, suspicious and harmless, of how many.
pub(super) struct Statistics {
    pub(super) malicious: i64,
    pub(super) suspicious: i64,
    pub(super) harmless: i64,
    pub(super) engines: i64,
}

impl Statistics {
    /// Reads `last_analysis_stats`.
    ///
    /// Engines that ran out of time, failed, or do not know the type gave no verdict and do not count.
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        if !node.is_object() {
            return None;
        }
        let count = |name: &str| {
            let number = node.get(name).count().unwrap_or(0).min(100_000);
            i64::try_from(number).unwrap_or(0)
        };
        let (malicious, suspicious, harmless) = (count("malicious"), count("suspicious"), count("harmless"));
        Some(Self {
            malicious,
            suspicious,
            harmless,
            engines: malicious + suspicious + harmless + count("undetected"),
        })
    }
}
