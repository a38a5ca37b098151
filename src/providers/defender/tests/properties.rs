//! Feeds anything to the machine: nothing panics, and what comes out fits its schema.

use proptest::prelude::*;

use super::*;

fn feed(status: u16, body: &[u8]) {
    let anything = testing::anything(status, body);
    for offer in &Defender.descriptor().offers {
        for kind in &offer.inputs {
            let value = match kind {
                IndicatorKind::Ipv4 => "192.0.2.44",
                IndicatorKind::Ipv6 => "2001:db8::44",
                _ => "example.com",
            };
            // An error is as good as an answer; a panic or a misfit is not.
            let _ = walk(&about(offer.capability, *kind, value), &anything);
        }
    }
    let call = Defender.session().unwrap();
    let answer = anything(&call);
    let _ = (Defender.judge(&call, &answer), Defender.admitted(&answer));
}

const NAMES: &[&str] = &[
    "value",
    "@odata.nextLink",
    "@odata.count",
    "parentHost",
    "childHost",
    "artifact",
    "host",
    "id",
    "name",
    "kind",
    "recordType",
    "firstSeenDateTime",
    "lastSeenDateTime",
    "registrant",
    "registrar",
    "abuse",
    "address",
    "street",
    "countryOrRegion",
    "telephone",
    "email",
    "domainStatus",
    "nameservers",
    "rawWhoisText",
    "autonomousSystem",
    "number",
    "netblock",
    "classification",
    "score",
    "rules",
    "description",
    "severity",
    "error",
    "code",
    "message",
    "access_token",
    "expires_in",
    "error_description",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes(status in prop_oneof![Just(200), 100_u16..600], body: Vec<u8>) {
        feed(status, &body);
    }

    #[test]
    fn any_shape(body in testing::shapes(NAMES)) {
        feed(200, body.to_string().as_bytes());
        let rows = serde_json::json!({ "value": body, "@odata.nextLink": "?$skip=7" });
        feed(200, rows.to_string().as_bytes());
        feed(403, body.to_string().as_bytes());
    }
}
