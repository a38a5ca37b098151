use super::*;

#[test]
fn only_what_has_the_form_of_a_signed_token_is_looked_at() {
    for (text, is) in [
        ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", true),
        ("eyJ.x", false),
        ("pvtd_0123", false),
        ("a.b.c", false),
        ("ey.b.c.d", false),
        ("", false),
    ] {
        assert_eq!(has_form(text), is, "{text}");
    }
    assert!(!has_form(&format!("ey.{}.", "x".repeat(LONGEST))));
}

#[test]
fn a_token_without_a_key_id_needs_an_only_key() {
    let key = |kid: &str| {
        let pair = rcgen::KeyPair::generate().unwrap();
        let encoding = jsonwebtoken::EncodingKey::from_ec_der(&pair.serialize_der());
        let mut key = jsonwebtoken::jwk::Jwk::from_encoding_key(&encoding, Algorithm::ES256).unwrap();
        key.common.key_id = Some(kid.to_owned());
        key
    };
    let (one, two) = (key("one"), key("two"));
    let found =
        |keys: &[jsonwebtoken::jwk::Jwk], kid, algorithm| keys::matching(keys, kid, algorithm).is_some();
    let both = [one.clone(), two];
    assert!(found(&both, Some("two"), Algorithm::ES256));
    assert!(!found(&both, Some("three"), Algorithm::ES256));
    assert!(
        !found(&both, None, Algorithm::ES256),
        "which of the two would be a guess"
    );
    assert!(found(&both[..1], None, Algorithm::ES256));
    assert!(!found(&both[..1], Some("one"), Algorithm::RS256));
    let mut encrypting = one;
    encrypting.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Encryption);
    assert!(!found(&[encrypting], Some("one"), Algorithm::ES256));
}
