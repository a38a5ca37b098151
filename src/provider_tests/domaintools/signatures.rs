//! Signs calls in each way.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::providers::ExposedKey;

fn signed(call: &mut Call, auth: &str) -> Result<(), ProviderError> {
    let fields = BTreeMap::from([
        ("username".to_owned(), SecretString::from("analyst")),
        (
            "api_key".to_owned(),
            SecretString::from("12345-67890-abcde-fghij-klmno"),
        ),
    ]);
    let options = BTreeMap::from([("auth".to_owned(), auth.to_owned())]);
    let now = "2013-05-20T08:15:00Z".parse().unwrap();
    DomainTools.sign(call, &ExposedKey::new(&fields, &options), now)
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found: Vec<&str> = pairs
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
        .collect();
    assert!(found.len() <= 1, "{name} stands once");
    found.first().copied()
}

#[test]
fn the_signature_is_that_of_the_vendors_client() {
    // Made by the signing code of the vendor's Python client 2.10.0 from the same inputs.
    const HISTORY: &str = "1d6445ab496f9b2b72830efe99a6df10a614074187deb669eb75d75665815795";
    const INVESTIGATE: &str = "414aedc8cbf668e4538e85e99b07b962324805c6b3bc20cc192ec7b5186b5a3e";
    let mut call = Call::get("api", "whois-history", "/v1/example.com/whois/history").with("limit", "12");
    signed(&mut call, "signed").unwrap();
    assert_eq!(value(&call.query, "signature"), Some(HISTORY));
    assert_eq!(value(&call.query, "timestamp"), Some("2013-05-20T08:15:00Z"));
    assert_eq!(value(&call.query, "api_username"), Some("analyst"));
    assert_eq!(value(&call.query, "app_name"), Some("pivotd"));
    assert_eq!(value(&call.query, "app_partner"), Some("pivotd"));
    assert_eq!(value(&call.query, "app_version"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(value(&call.query, "limit"), Some("12"));

    let mut call =
        Call::post("api", "iris-investigate", "/v1/iris-investigate/").with("domain", "example.com");
    signed(&mut call, "signed").unwrap();
    assert_eq!(value(&call.form, "signature"), Some(INVESTIGATE));
    assert!(
        call.query.is_empty() && call.headers.is_empty(),
        "a POST carries everything in its form"
    );
}

#[test]
fn the_other_ways_send_the_key_where_it_belongs() {
    const KEY: &str = "12345-67890-abcde-fghij-klmno";
    let mut call = Call::get("api", "whois", "/v1/example.com/whois");
    signed(&mut call, "open-key").unwrap();
    assert_eq!(value(&call.query, "api_key"), Some(KEY));
    assert_eq!(value(&call.query, "signature"), None);
    // Each attempt is signed anew; nothing of the last one may stay.
    signed(&mut call, "header").unwrap();
    assert_eq!(value(&call.query, "api_key"), None);
    assert_eq!(call.headers.len(), 1);
    assert_eq!(
        (call.headers[0].0.as_str(), call.headers[0].1.expose_secret()),
        ("x-api-key", KEY)
    );
    signed(&mut call, "signed").unwrap();
    assert!(call.headers.is_empty());
    assert!(signed(&mut call, "telepathy").is_err());
}

#[test]
fn a_key_without_its_parts_signs_nothing() {
    let (fields, options) = (BTreeMap::new(), BTreeMap::new());
    let mut call = Call::get("api", "whois", "/v1/example.com/whois");
    let now = "2013-05-20T08:15:00Z".parse().unwrap();
    assert!(
        DomainTools
            .sign(&mut call, &ExposedKey::new(&fields, &options), now)
            .is_err()
    );
    assert!(call.query.is_empty());
}
