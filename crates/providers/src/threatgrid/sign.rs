//! Adds the key to calls for the Secure Malware Analytics API.

use secrecy::SecretString;

use crate::{Call, ExposedKey, ProviderError};

const HEADER: &str = "authorization";
const PARAMETER: &str = "api_key";

/// Signs a call as the option `auth` says: `header` (`Authorization: bearer`) or `query` (`api_key`).
///
/// # Errors
/// [`ProviderError::Unsupported`] where the key is missing, or `auth` is unknown.
pub(super) fn sign(call: &mut Call, key: &ExposedKey<'_>) -> Result<(), ProviderError> {
    let api_key = key.field("api_key");
    if api_key.is_empty() {
        return Err(ProviderError::Unsupported(
            "Secure Malware Analytics needs a key".to_owned(),
        ));
    }
    // Each attempt is signed anew; nothing of the last one may stay.
    call.query.retain(|(name, _)| name != PARAMETER);
    call.headers.retain(|(name, _)| *name != HEADER);
    match key.option("auth") {
        "header" | "" => {
            let value = SecretString::from(format!("bearer {api_key}"));
            call.set_header(HEADER, value);
        }
        "query" => call.query.push((PARAMETER.to_owned(), api_key.to_owned())),
        other => {
            return Err(ProviderError::Unsupported(format!(
                "unknown way to sign: {other}"
            )));
        }
    }
    Ok(())
}
