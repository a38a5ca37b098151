//! Signs calls by HTTP Basic authentication.

use crate::kit::common::basic;
use crate::{Call, ExposedKey, ProviderError};

/// Signs a call with user name and key.
///
/// # Errors
/// [`ProviderError::Unsupported`] where either is missing, or the user name has a colon, which would end it early.
pub(super) fn sign(call: &mut Call, key: &ExposedKey<'_>) -> Result<(), ProviderError> {
    if basic(call, key.field("username"), key.field("api_key")) {
        return Ok(());
    }
    Err(ProviderError::Unsupported(
        "PassiveTotal needs a user name without a colon, and a key".to_owned(),
    ))
}
