//! Tells what a server that exaggerates comes to.

use super::*;

#[test]
fn nesting_is_bounded() {
    let mut entity = serde_json::json!({"roles": ["registrant"], "vcardArray": ["vcard", [["fn", {}, "text", "Anton Kranz"]]]});
    for _ in 0..20 {
        entity = serde_json::json!({"roles": ["technical"], "entities": [entity]});
    }
    let registered = question(Capability::Reputation, IndicatorKind::Domain, "example.com");
    let lookups = [
        of_domain("example.com"),
        of(IndicatorKind::Ipv4, "192.0.2.44", "ip"),
        of(IndicatorKind::Ipv6, "2001:db8::44", "ip"),
        of(IndicatorKind::Asn, "AS64500", "autnum"),
        Lookup {
            files: files(),
            ..testing::lookup(&Rdap, registered, "domain")
        },
    ];
    testing::feed(&Rdap, &lookups, &reply(200, &entity.to_string()));
    let many: Vec<_> = (0..u8::MAX)
        .map(|number| {
            let letter = |number: u8| char::from(b'a' + number);
            let name = format!("Person X{}{}", letter(number / 26), letter(number % 26));
            serde_json::json!({"roles": ["technical"], "vcardArray": ["vcard", [["fn", {}, "text", name]]]})
        })
        .collect();
    let body = serde_json::json!({"objectClassName": "domain", "handle": "x", "entities": many}).to_string();
    let walked = walk(&Rdap, &of_domain("example.com"), |_| reply(200, &body)).unwrap();
    assert_eq!(walked.records()[0].records("contacts").len(), 60);
}
