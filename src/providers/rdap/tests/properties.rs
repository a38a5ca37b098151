//! Feeds anything to the machine: nothing panics, and what comes out fits its schema.

use proptest::prelude::*;

use super::*;

fn feed(status: u16, body: &[u8]) {
    for (kind, value, product) in [
        (IndicatorKind::Domain, "example.com", "domain"),
        (IndicatorKind::Ipv4, "192.0.2.44", "ip"),
        (IndicatorKind::Ipv6, "2001:db8::44", "ip"),
        (IndicatorKind::Asn, "AS64500", "autnum"),
    ] {
        // An error is as good as an answer; a panic or a misfit is not.
        let _ = walk(&Rdap, &of(kind, value, product), |_| Reply {
            body: body.to_vec().into(),
            ..reply(status, "")
        });
    }
}

/// JSON with the names that servers use, in any shape.
fn shapes() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        "\\PC{0,12}".prop_map(serde_json::Value::from),
        proptest::sample::select(vec![
            "vcard",
            "fn",
            "org",
            "kind",
            "adr",
            "tel",
            "email",
            "registrar",
            "registrant",
            "abuse",
            "192.0.2.0",
            "192.0.2.255",
            "registration",
            "2013-05-20T00:00:00Z",
            "related",
            "application/rdap+json",
            "https://rdap.registrar.example/v1/x",
            "tel:+1.5555550100",
            "a.kranz@mailbox.example",
            "64500",
        ])
        .prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let name = proptest::sample::select(vec![
            "objectClassName",
            "ldhName",
            "handle",
            "entities",
            "roles",
            "vcardArray",
            "publicIds",
            "type",
            "identifier",
            "events",
            "eventAction",
            "eventDate",
            "nameservers",
            "links",
            "rel",
            "href",
            "status",
            "secureDNS",
            "delegationSigned",
            "startAddress",
            "endAddress",
            "cidr0_cidrs",
            "v4prefix",
            "length",
            "startAutnum",
            "endAutnum",
            "name",
            "country",
            "label",
            "cc",
            "port43",
            "errorCode",
            "title",
        ]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            proptest::collection::vec((name, inner), 0..7).prop_map(|pairs| {
                pairs
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<serde_json::Value>()
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_bytes(status in prop_oneof![Just(200), 100_u16..600], body: Vec<u8>) {
        feed(status, &body);
    }

    #[test]
    fn any_shape(body in shapes()) {
        feed(200, body.to_string().as_bytes());
    }

    #[test]
    fn any_file(body: Vec<u8>, text in "(\\PC{0,12}[,\n\"]){0,8}") {
        for file in Rdap.descriptor().files {
            let _ = (file.check)(&body);
            let _ = (file.check)(format!("ID,RDAP Base URL\n{text}").as_bytes());
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let mut entity = serde_json::json!({"roles": ["registrant"], "vcardArray": ["vcard", [["fn", {}, "text", "Anton Kranz"]]]});
    for _ in 0..20 {
        entity = serde_json::json!({"roles": ["technical"], "entities": [entity]});
    }
    feed(200, entity.to_string().as_bytes());
    let many: Vec<_> = (0..500)
        .map(|number| {
            let name = format!("Person {number}");
            serde_json::json!({"roles": ["technical"], "vcardArray": ["vcard", [["fn", {}, "text", name]]]})
        })
        .collect();
    let body = serde_json::json!({"objectClassName": "domain", "handle": "x", "entities": many}).to_string();
    let walked = walk(&Rdap, &of_domain("example.com"), |_| reply(200, &body)).unwrap();
    assert_eq!(walked.records()[0].records("contacts").len(), 60);
}
