//! Signs calls by HTTP Basic authentication.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::providers::{Call, Exposed, ProviderError};

const AUTHORIZATION: &str = "authorization";

/// Signs a call with user name and key (RFC 7617).
///
/// # Errors
/// [`ProviderError::Unsupported`] where either is missing, or the user name has a colon, which would end it early.
pub(super) fn sign(call: &mut Call, key: &Exposed<'_>) -> Result<(), ProviderError> {
    let (username, api_key) = (key.field("username"), key.field("api_key"));
    if username.is_empty() || api_key.is_empty() || username.contains(':') {
        return Err(ProviderError::Unsupported(
            "PassiveTotal needs a user name without a colon, and a key".to_owned(),
        ));
    }
    call.headers.retain(|(name, _)| *name != AUTHORIZATION);
    let value = format!("Basic {}", STANDARD.encode(format!("{username}:{api_key}")));
    call.headers.push((AUTHORIZATION, SecretString::from(value)));
    Ok(())
}
