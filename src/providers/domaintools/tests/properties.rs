//! Feeds anything to the machine: nothing panics, and what comes out fits its schema.

use proptest::prelude::*;

use super::*;

/// Every offer of the descriptor with each product and input, as look-ups.
fn lookups() -> Vec<Lookup> {
    let value = |kind: IndicatorKind| match kind {
        IndicatorKind::Ipv4 => "192.0.2.44".to_owned(),
        IndicatorKind::Email => "a.kranz@mailbox.example".to_owned(),
        IndicatorKind::Certificate => "3f".repeat(20),
        IndicatorKind::Phone => "+1 555 0100".to_owned(),
        IndicatorKind::Hostname => "ns1.example.net".to_owned(),
        IndicatorKind::Domain => "example.com".to_owned(),
        _ => "Anton Kranz".to_owned(),
    };
    let mut lookups = Vec::new();
    for offer in &DomainTools.descriptor().offers {
        for product in &offer.products {
            for kind in &offer.inputs {
                for scope in ["historic", "current"] {
                    let query = question(offer.capability, *kind, &value(*kind)).with("scope", scope);
                    let buy = (scope == "current").then_some(1_000_000);
                    lookups.push(Lookup {
                        buy,
                        ..lookup(query, &product.id)
                    });
                }
            }
        }
    }
    let names = ["example.com", "example.net", "example.org"];
    let queries = names.map(|name| question(Capability::Risk, IndicatorKind::Domain, name));
    lookups.push(Lookup::of(queries.to_vec(), "iris-enrich"));
    lookups
}

fn feed(status: u16, body: &[u8]) {
    testing::feed(&DomainTools, &lookups(), status, body);
}

/// Names that the vendor uses.
const NAMES: &[&str] = &[
    "response",
    "history",
    "record_count",
    "whois",
    "registration",
    "record",
    "ip_history",
    "post_ip",
    "nameserver_history",
    "post_mns",
    "registrar_history",
    "registrar",
    "ip_addresses",
    "domain_count",
    "domain_names",
    "results",
    "domain",
    "value",
    "count",
    "ip",
    "address",
    "registrant_contact",
    "email",
    "risk_score",
    "components",
    "name",
    "report_price",
    "historic",
    "current",
    "domains",
    "date",
    "contacts",
    "parsed_whois",
    "networks",
    "range",
    "products",
    "id",
    "usage",
    "name_server",
    "primary_domains",
    "domain_risk",
    "position",
    "has_more_results",
    "actiondate",
    "whois_record",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes(status in prop_oneof![Just(200), Just(206), 100_u16..600], body: Vec<u8>) {
        feed(status, &body);
    }

    #[test]
    fn any_shape(body in crate::providers::testing::shapes(NAMES)) {
        feed(200, serde_json::json!({ "response": body }).to_string().as_bytes());
    }

    #[test]
    fn any_record(text in "(\\PC{0,20}[:\n ]){0,12}") {
        for contact in crate::providers::kit::whois_text::contacts(&text) {
            prop_assert_eq!(contact.misfit(&crate::domain::schemas::CONTACT), None);
        }
    }
}

#[test]
fn depth_and_size_are_survived() {
    feed(200, "[".repeat(200_000).as_bytes());
    feed(
        200,
        format!("{{\"response\":{}{}}}", "[".repeat(120), "]".repeat(120)).as_bytes(),
    );
    let huge = "9".repeat(400);
    feed(
        200,
        format!("{{\"response\":{{\"record_count\":{huge},\"risk_score\":{huge}}}}}").as_bytes(),
    );
}
