//! Signs calls in each way.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::providers::ExposedKey;

const KEY: &str = "k3y-of-nobody";

fn signed(call: &mut Call, auth: &str, key: &str) -> Result<(), ProviderError> {
    let fields = BTreeMap::from([("api_key".to_owned(), SecretString::from(key))]);
    let options = BTreeMap::from([("auth".to_owned(), auth.to_owned())]);
    let now = "2013-05-20T08:15:00Z".parse().unwrap();
    ThreatGrid.sign(call, &ExposedKey::new(&fields, &options), now)
}

#[test]
fn the_key_goes_where_the_option_says() {
    let mut call = Call::get("api", "search", "/api/v2/search/submissions").with("q", "x");
    signed(&mut call, "query", KEY).unwrap();
    assert!(call.headers.is_empty());
    let expected = [
        ("q".to_owned(), "x".to_owned()),
        ("api_key".to_owned(), KEY.to_owned()),
    ];
    assert_eq!(call.query, expected);
    signed(&mut call, "header", KEY).unwrap();
    signed(&mut call, "header", KEY).unwrap();
    assert_eq!(call.query.len(), 1, "nothing of the last attempt stays");
    assert_eq!(call.headers.len(), 1);
    let (name, value) = &call.headers[0];
    assert_eq!(
        (name.as_str(), value.expose_secret()),
        ("authorization", format!("bearer {KEY}").as_str())
    );
    assert!(signed(&mut call, "telepathy", KEY).is_err());
    assert!(signed(&mut call, "header", "").is_err());
}
