//! Tests `[issuers]` and whose word the server takes for its own URL.

use jsonwebtoken::Algorithm;

use crate::config::{Settings, read};
use crate::providers::Providers;

fn settings(text: &str) -> Settings {
    read("my.toml", text, false, &[], &Providers::default())
        .unwrap()
        .settings
}

fn errors(text: &str) -> String {
    let refused = read("my.toml", text, false, &[], &Providers::default());
    refused.unwrap_err().to_string()
}

const WHOLE: &str = "[issuers.corp]\nissuer = \"https://login.example/\"\naudience = [\"pivotd\", \"maltego\"]\n\
                     jwks_url = \"https://login.example/keys/\"\nclient = \"sign-on\"\n";

#[test]
fn an_issuer_is_read_with_what_is_usual() {
    let text = format!("{WHOLE}rate = \"60/min\"\nalgorithms = [\"PS256\", \"EdDSA\"]\n");
    let read = settings(&text).issuers;
    let [one] = read.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!(
        (one.name.as_str(), one.client.as_str(), one.tenant.as_str()),
        ("corp", "sign-on", "default")
    );
    assert_eq!(one.audience, ["pivotd", "maltego"]);
    assert_eq!(one.algorithms, [Algorithm::PS256, Algorithm::EdDSA]);
    assert_eq!(one.per_minute.map(std::num::NonZeroU32::get), Some(60));
    let usual = settings(&WHOLE.replace("[\"pivotd\", \"maltego\"]", "\"pivotd\"")).issuers;
    assert_eq!(usual[0].audience, ["pivotd"]);
    assert_eq!(usual[0].algorithms, [Algorithm::RS256, Algorithm::ES256]);
    assert!(!usual[0].allow_private);
}

#[test]
fn what_is_wrong_with_an_issuer_is_said_with_its_place() {
    for (from, to, wanted) in [
        ("client = \"sign-on\"", "", "\"client\" is missing"),
        (
            "client = \"sign-on\"",
            "client = \"a b|c\"",
            "my.toml:5:10: client: expected a name",
        ),
        (
            "issuer = \"https://login.example/\"\n",
            "",
            "\"issuer\" is missing",
        ),
        (
            "audience = [\"pivotd\", \"maltego\"]\n",
            "",
            "\"audience\" is missing",
        ),
        (
            "[\"pivotd\", \"maltego\"]",
            "[]",
            "my.toml:3:12: audience: expected who its tokens are for",
        ),
        ("https://login.example/keys/", "login", "my.toml:4:12: jwks_url: "),
        (
            "client =",
            "algorithms = [\"HS256\"]\nclient =",
            "\"HS256\" is none of RS256",
        ),
        (
            "client =",
            "algorithms = [\"none\"]\nclient =",
            "\"none\" is none of RS256",
        ),
        (
            "client =",
            "rate = \"5/s\"\nclient =",
            "rate: expected so many indicators a minute",
        ),
        (
            "client =",
            "jwks = \"x\"\nclient =",
            "my.toml:5:1: unknown key \"jwks\"",
        ),
    ] {
        let text = WHOLE.replace(from, to);
        let said = errors(&text);
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let twice = format!("{WHOLE}{}", WHOLE.replace("issuers.corp", "issuers.other"));
    assert!(errors(&twice).contains("another one has \"https://login.example/\" already"));
}

#[test]
fn proxies_are_addresses_or_networks() {
    let text = "[server]\ntrusted_proxies = [\"10.0.0.5\", \"2001:db8::/32\"]\n";
    let read: Vec<String> = settings(text)
        .server
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(read, ["10.0.0.5/32", "2001:db8::/32"]);
    let said = errors("[server]\ntrusted_proxies = [\"10.0.0.5\", \"proxy.example\"]\n");
    assert!(
        said.contains("trusted_proxies: entry 2: expected an address or a network"),
        "{said}"
    );
}
