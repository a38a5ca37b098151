//! Signs calls for the DomainTools API, in each of its three ways.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::SecretString;
use sha2::Sha256;

use crate::{Call, ExposedKey, Method, ProviderError};
use pivotd_domain::hex::hex;

/// Names of everything that signing adds, so that a call can be signed again.
const ADDED: &[&str] = &[
    "api_username",
    "api_key",
    "timestamp",
    "signature",
    "app_name",
    "app_version",
    "app_partner",
];

const KEY_HEADER: &str = "x-api-key";

/// Signs a call as the option `auth` says: `signed`, `open-key` or `header`.
///
/// The fields go into the query of a GET and the form of a POST, as the vendor's client does.
///
/// # Errors
/// [`ProviderError::Unsupported`] where username or key are missing, or `auth` is unknown.
pub(super) fn sign(call: &mut Call, key: &ExposedKey<'_>, now: Timestamp) -> Result<(), ProviderError> {
    let (username, api_key) = (key.field("username"), key.field("api_key"));
    if username.is_empty() || api_key.is_empty() {
        return Err(ProviderError::Unsupported(
            "DomainTools needs a username and a key".to_owned(),
        ));
    }
    let old = |(name, _): &(String, String)| !ADDED.contains(&name.as_str());
    match call.method {
        Method::Get | Method::Dns(_) => call.query.retain(old),
        Method::Post => call.form.retain(old),
    }
    call.headers.retain(|(name, _)| *name != KEY_HEADER);
    call.add("app_name", "pivotd");
    call.add("app_version", env!("CARGO_PKG_VERSION"));
    call.add("app_partner", "pivotd");
    call.add("api_username", username);
    match key.option("auth") {
        "signed" | "" => {
            let timestamp = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let signature = signature(username, api_key, &timestamp, &call.path)?;
            call.add("timestamp", timestamp);
            call.add("signature", signature);
        }
        "open-key" => call.add("api_key", api_key),
        "header" => call
            .headers
            .push((KEY_HEADER.into(), SecretString::from(api_key))),
        other => {
            return Err(ProviderError::Unsupported(format!(
                "unknown way to sign: {other}"
            )));
        }
    }
    Ok(())
}

/// Computes the signature: hex HMAC-SHA256 under the key of username, timestamp and path, joined
/// without separators; the path is as requested, without the query.
pub(super) fn signature(
    username: &str,
    api_key: &str,
    timestamp: &str,
    path: &str,
) -> Result<String, ProviderError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(api_key.as_bytes())
        .map_err(|_| ProviderError::Unsupported("the key cannot sign".to_owned()))?;
    for part in [username, timestamp, path] {
        mac.update(part.as_bytes());
    }
    Ok(hex(&mac.finalize().into_bytes()))
}
