//! Signs calls in each way.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::providers::ExposedKey;

const ACCESS_ID: &str = "99999999999999999999";
const SECRET_KEY: &str = "sample-secret-of-nobody-0123456789";

fn signed(call: &mut Call, fields: &[(&str, &str)], auth: &str, prefix: &str) -> Result<(), ProviderError> {
    let fields: BTreeMap<_, _> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), SecretString::from(*value)))
        .collect();
    let options = BTreeMap::from([("auth".to_owned(), auth.to_owned())]);
    let now = "2017-12-19T17:16:27.5Z".parse().unwrap();
    ThreatConnect.sign(call, &ExposedKey::new(&fields, &options).below(prefix), now)
}

fn header<'a>(call: &'a Call, wanted: &str) -> Option<&'a str> {
    let found: Vec<_> = call.headers.iter().filter(|(name, _)| *name == wanted).collect();
    assert!(found.len() <= 1, "{wanted} stands once");
    found.first().map(|(_, value)| value.expose_secret())
}

const PAIR: &[(&str, &str)] = &[("access_id", ACCESS_ID), ("secret_key", SECRET_KEY)];
const TOKEN: &[(&str, &str)] = &[("api_token", "APIV2:1:a:2:b")];

#[test]
fn the_path_of_the_base_url_and_the_query_are_signed() {
    let mut call =
        Call::get("api", "groups", "/v2/indicators/hosts/example.com").with("owner", "Common Community");
    signed(&mut call, PAIR, "hmac", "/api").unwrap();
    assert_eq!(
        header(&call, "authorization"),
        Some("TC 99999999999999999999:RhAn6k2ANJfULik9BUkzB85XdD4IPlMdNDvsSUGmKww=")
    );
    assert_eq!(header(&call, "timestamp"), Some("1513703787"));
    let mut call = Call::get("api", "groups", "/v3/groups")
        .with("tql", "typeName in (\"Incident\")")
        .with("fields", "tags")
        .with("resultStart", "0");
    signed(&mut call, PAIR, "hmac", "").unwrap();
    assert_eq!(
        header(&call, "authorization"),
        Some("TC 99999999999999999999:fomozWinmJ+eAw3Q/n+HW1WsnBvFRYAs7YfiE5dt6HA=")
    );
}

#[test]
fn a_token_is_sent_as_it_is_and_nothing_of_the_last_attempt_stays() {
    let mut call = Call::get("api", "groups", "/v3/groups");
    signed(&mut call, PAIR, "hmac", "").unwrap();
    signed(&mut call, TOKEN, "token", "").unwrap();
    assert_eq!(header(&call, "authorization"), Some("TC-Token APIV2:1:a:2:b"));
    assert_eq!(header(&call, "timestamp"), None);
    signed(&mut call, PAIR, "hmac", "").unwrap();
    signed(&mut call, PAIR, "hmac", "").unwrap();
    assert_eq!(call.headers.len(), 2);
}

#[test]
fn a_users_own_key_may_be_of_the_other_kind() {
    let mut call = Call::get("api", "groups", "/v3/groups");
    signed(&mut call, PAIR, "token", "").unwrap();
    assert!(header(&call, "authorization").unwrap().starts_with("TC 9"));
    signed(&mut call, TOKEN, "hmac", "").unwrap();
    assert!(header(&call, "authorization").unwrap().starts_with("TC-Token "));
    let both = [PAIR, TOKEN].concat();
    signed(&mut call, &both, "hmac", "").unwrap();
    assert!(header(&call, "authorization").unwrap().starts_with("TC 9"));
    signed(&mut call, &both, "token", "").unwrap();
    assert!(header(&call, "authorization").unwrap().starts_with("TC-Token "));
}

#[test]
fn half_a_key_signs_nothing() {
    for fields in [&[][..], &PAIR[..1], &PAIR[1..]] {
        for auth in ["token", "hmac"] {
            let mut call = Call::get("api", "groups", "/v3/groups");
            let refused = signed(&mut call, fields, auth, "").unwrap_err();
            assert!(matches!(refused, ProviderError::Unsupported(_)));
            assert!(call.headers.is_empty());
        }
    }
}

/// Which parts of a key have to be there hangs on how calls are signed.
#[test]
fn settings_know_which_parts_are_missing() {
    let state = |text: &str| {
        let text = format!("[providers.threatconnect]\n{text}");
        let descriptor = ThreatConnect.descriptor();
        let loaded = crate::config::read(
            "my.toml",
            &text,
            false,
            &[],
            &crate::config::tests::vendor::described(&[descriptor]),
        )
        .unwrap();
        let warnings: Vec<_> = loaded
            .warnings
            .iter()
            .map(|warning| warning.message.clone())
            .filter(|message| message.contains("NOT_SET"))
            .collect();
        let provider = &loaded.settings.providers["threatconnect"];
        assert_eq!(provider.has_key(descriptor), provider.no_key().is_none());
        (provider.no_key(), warnings)
    };
    assert_eq!(
        state("").0.as_deref(),
        Some("no key: api_token is not configured")
    );
    assert_eq!(state("api_token = \"t\"").0, None);
    assert_eq!(
        state("auth = \"hmac\"\napi_token = \"t\"").0.as_deref(),
        Some("no key: access_id is not configured, secret_key is not configured")
    );
    assert_eq!(
        state("auth = \"hmac\"\naccess_id = \"1\"").0.as_deref(),
        Some("no key: secret_key is not configured")
    );
    // What another way would need is not missed.
    let whole = "auth = \"hmac\"\naccess_id = \"1\"\nsecret_key = \"k\"\napi_token = { env = \"NOT_SET\" }";
    assert_eq!(state(whole), (None, Vec::new()));
}
