//! Signs calls: the one for a token with the key, all others with the token.

use secrecy::SecretString;

use super::LOGIN;
use crate::kit::common::segment;
use crate::{Call, ExposedKey, ProviderError};

const AUTHORIZATION: &str = "authorization";
/// Asks for whatever the application was permitted to do (Microsoft identity platform, client credentials).
const SCOPE: &str = "https://graph.microsoft.com/.default";

/// Returns the path at which a tenant's applications buy tokens.
pub(super) fn path(tenant: &str) -> String {
    format!("/{}/oauth2/v2.0/token", segment(tenant))
}

/// Signs a call.
///
/// # Errors
/// [`ProviderError::Unsupported`] where a part of the key is missing, the tenant is none, or there is no token.
pub(super) fn sign(call: &mut Call, key: &ExposedKey<'_>) -> Result<(), ProviderError> {
    if call.origin == LOGIN {
        return buy(call, key);
    }
    let token = key.session();
    if token.is_empty() {
        return Err(unsupported("there is no token to sign with"));
    }
    let value = SecretString::from(format!("Bearer {token}"));
    call.set_header(AUTHORIZATION, value);
    Ok(())
}

fn buy(call: &mut Call, key: &ExposedKey<'_>) -> Result<(), ProviderError> {
    let [tenant, id, secret] = ["tenant_id", "client_id", "client_secret"].map(|name| key.field(name));
    if tenant.is_empty() || id.is_empty() || secret.is_empty() {
        return Err(unsupported(
            "Defender TI needs a tenant ID, a client ID and a client secret",
        ));
    }
    // A tenant is a GUID or a domain; dots alone would climb out of the path.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if !tenant.chars().all(is_plain) || tenant.chars().all(|c| c == '.') {
        return Err(unsupported("the tenant ID is neither a GUID nor a domain"));
    }
    call.path = path(tenant);
    call.form = [
        ("client_id", id),
        ("client_secret", secret),
        ("scope", SCOPE),
        ("grant_type", "client_credentials"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    Ok(())
}

fn unsupported(message: &str) -> ProviderError {
    ProviderError::Unsupported(message.to_owned())
}
