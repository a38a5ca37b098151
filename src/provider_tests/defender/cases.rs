//! Classifies the failing cases, and checks sessions and how calls are signed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::providers::{Charge, ExposedKey};

const PERMISSION: &str =
    "the application lacks the permission ThreatIntelligence.Read.All, or an administrator's consent to it";
const LICENCE: &str = "the tenant has no licence for threat intelligence (Defender XDR or Sentinel)";

fn key(tenant: &str) -> BTreeMap<String, SecretString> {
    [
        ("tenant_id", tenant),
        ("client_id", "client"),
        ("client_secret", "s&cret"),
    ]
    .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
    .into()
}

fn signed(mut call: Call, tenant: &str, token: Option<&str>) -> Result<Call, ProviderError> {
    let (fields, options) = (key(tenant), BTreeMap::new());
    let token = token.map(SecretString::from);
    let exposed = ExposedKey::new(&fields, &options).in_session(token.as_ref());
    Defender.sign(&mut call, &exposed, Timestamp::UNIX_EPOCH)?;
    Defender.sign(&mut call, &exposed, Timestamp::UNIX_EPOCH)?;
    Ok(call)
}

#[test]
fn every_case_has_its_verdict() {
    let vendor = testing::vendor("defender");
    let refused = |text: &str| ReplyClass::NotEntitled(text.to_owned());
    for (host, class) in [
        ("notfound", ReplyClass::NotFound),
        (
            "limited",
            ReplyClass::Limited {
                after: Some(17),
                message: "Too many requests.".to_owned(),
            },
        ),
        (
            "ended",
            ReplyClass::SessionEnded("Lifetime validation failed, the token is expired.".to_owned()),
        ),
        (
            "unlicensed",
            refused(&format!(
                "{LICENCE} (\"The tenant is not licensed for this feature.\")"
            )),
        ),
        (
            "unpermitted",
            refused(&format!("{PERMISSION} (\"Missing application permissions.\")")),
        ),
        (
            "forbidden",
            refused(&format!("either {PERMISSION}, or {LICENCE} (\"UnknownError\")")),
        ),
        ("badrequest", ReplyClass::Refused("Invalid host.".to_owned())),
        ("failing", ReplyClass::Retry("HTTP 500".to_owned())),
        (
            "malformed",
            ReplyClass::Malformed("the answer is no JSON object of Graph's".to_owned()),
        ),
        (
            "wrongbase",
            ReplyClass::Malformed("404 without Graph's error body: is the base URL right?".to_owned()),
        ),
        ("nobody-has-this", ReplyClass::NotFound),
    ] {
        let path = format!("/v1.0/security/threatIntelligence/hosts/{host}.example/components");
        let call = Call::get("graph", "components", path);
        let classified = Defender.classify(&call, &testing::play(&Defender, &vendor, &call));
        assert_eq!(
            (classified.class, classified.charge),
            (class, Charge::Most),
            "{host}"
        );
    }
}

#[test]
fn a_token_is_free_and_its_refusal_speaks_of_the_key() {
    let vendor = testing::vendor("defender");
    for (tenant, class) in [
        ("00000000-0000-0000-0000-00000000000a", ReplyClass::Good),
        (
            "refused.example",
            ReplyClass::KeyRefused("AADSTS7000215: Invalid client secret provided.".to_owned()),
        ),
        (
            "unknown.example",
            ReplyClass::KeyRefused("AADSTS90002: Tenant not found.".to_owned()),
        ),
        (
            "limited.example",
            ReplyClass::Limited {
                after: Some(30),
                message: "too many tokens were asked for".to_owned(),
            },
        ),
        (
            "malformed.example",
            ReplyClass::Malformed("the answer holds no token".to_owned()),
        ),
    ] {
        let call = signed(Defender.session().unwrap(), tenant, None).unwrap();
        let classified = Defender.classify(&call, &testing::play(&Defender, &vendor, &call));
        assert_eq!(
            (classified.class, classified.charge),
            (class, Charge::Free),
            "{tenant}"
        );
    }
    let call = Defender.session().unwrap();
    let class = |status, body: &str| Defender.classify(&call, &reply(status, body)).class;
    assert_eq!(class(503, "<html>"), ReplyClass::Retry("HTTP 503".to_owned()));
    let busy = class(400, r#"{"error":"temporarily_unavailable"}"#);
    assert_eq!(busy, ReplyClass::Retry("temporarily_unavailable".to_owned()));
    // Something in between that is not the vendor says nothing of the key.
    for status in [400, 401, 403, 404, 302] {
        for body in [
            "<html>",
            "{}",
            r#"{"message":"blocked by policy"}"#,
            r#"{"error":""}"#,
        ] {
            let class = class(status, body);
            assert!(matches!(class, ReplyClass::Malformed(_)), "{status} {body}");
        }
    }
}

#[test]
fn a_token_is_read_with_its_time() {
    let admitted = |body: &str| Defender.admitted(&reply(200, body));
    let whole = admitted(r#"{"token_type":"Bearer","expires_in":"3599","access_token":"t"}"#).unwrap();
    assert_eq!((whole.token.expose_secret(), whole.lifetime_s), ("t", 3599));
    assert_eq!(
        admitted(r#"{"access_token":"t","expires_in":-5}"#)
            .unwrap()
            .lifetime_s,
        0
    );
    assert!(matches!(admitted("{}"), Err(ProviderError::Malformed(_))));
}

#[test]
fn the_key_buys_the_token_and_the_token_signs() {
    let bought = signed(Defender.session().unwrap(), "tenant.example", None).unwrap();
    assert_eq!(
        (bought.origin.as_str(), bought.path.as_str()),
        ("login", "/tenant.example/oauth2/v2.0/token")
    );
    let form: Vec<_> = bought
        .form
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        form,
        [
            "client_id=client",
            "client_secret=s&cret",
            "scope=https://graph.microsoft.com/.default",
            "grant_type=client_credentials"
        ]
    );
    assert!(bought.headers.is_empty() && bought.query.is_empty());
    let asked = signed(Call::get("graph", "hosts", "/x"), "tenant.example", Some("t")).unwrap();
    let [(name, value)] = asked.headers.as_slice() else {
        panic!("one header, however often it is signed");
    };
    assert_eq!(
        (name.as_str(), value.expose_secret()),
        ("authorization", "Bearer t")
    );
    assert!(asked.form.is_empty() && asked.query.is_empty());
    for tenant in ["", "..", "a/b", "a b", "ä"] {
        let told = signed(Defender.session().unwrap(), tenant, None);
        assert!(matches!(told, Err(ProviderError::Unsupported(_))), "{tenant}");
    }
    let unsigned = signed(Call::get("graph", "hosts", "/x"), "tenant.example", None);
    assert!(matches!(unsigned, Err(ProviderError::Unsupported(_))));
}

#[test]
fn an_answer_without_its_list_is_malformed() {
    for offer in &Defender.descriptor().offers {
        if offer.capability == Capability::IpDetails {
            continue;
        }
        let told = walk(
            &about(offer.capability, IndicatorKind::Domain, "example.com"),
            |_| reply(200, r#"{"@odata.context":"x"}"#),
        );
        assert!(
            matches!(told, Err(ProviderError::Malformed(_))),
            "{}",
            offer.capability
        );
    }
}
