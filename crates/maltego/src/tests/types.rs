use crate::types::{LEGACY, all, by_any_name, is_a, lookup, property, value_property};

#[test]
fn the_table_is_sorted_and_closed_under_its_own_names() {
    let names: Vec<_> = all().map(super::super::types::EntityType::short).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    for entity in all() {
        assert_eq!(lookup(entity.id), Some(entity));
        assert_eq!(by_any_name(entity.short()), Some(entity));
        for base in entity.bases {
            let base = lookup(base).unwrap();
            assert!(
                base.bases.iter().all(|far| entity.bases.contains(far)),
                "{}",
                entity.id
            );
        }
        for name in entity.value_property.into_iter().chain(entity.display_property) {
            assert!(property(entity.id, name).is_some(), "{} {name}", entity.id);
        }
        assert!(entity.value_property.is_some() || entity.id == "maltego.Unknown");
    }
}

#[test]
fn the_types_that_are_mapped_to_are_there() {
    for (name, value) in [
        ("Domain", "fqdn"),
        ("DNSName", "fqdn"),
        ("Website", "fqdn"),
        ("MXRecord", "fqdn"),
        ("NSRecord", "fqdn"),
        ("IPv4Address", "ipv4-address"),
        ("IPv6Address", "ipv6-address"),
        ("Netblock", "ipv4-range"),
        ("CIDR", "cidr"),
        ("AS", "as.number"),
        ("URL", "url"),
        ("EmailAddress", "email"),
        ("Person", "person.fullname"),
        ("PhoneNumber", "phonenumber"),
        ("Alias", "alias"),
        ("Name", "name"),
        ("Organization", "title"),
        ("Company", "title"),
        ("Location", "location.name"),
        ("Country", "location.name"),
        ("Hash", "properties.hash"),
        ("SSLCertificateHash", "properties.hash"),
        ("JARMFingerprint", "jarm_fingerprint"),
        ("X509Certificate", "subject"),
        ("WHOISRecord", "name"),
        ("Phrase", "text"),
        ("Tag", "text"),
        ("UniqueIdentifier", "properties.uniqueidentifier"),
        ("Port", "port.number"),
        ("Service", "service.name"),
        ("Incident", "title"),
        ("Malware", "name"),
        ("File", "description"),
        ("Document", "url"),
        ("hashtag", "twitter.hashtag"),
    ] {
        assert_eq!(value_property(&format!("maltego.{name}")), Some(value));
    }
    assert_eq!(value_property("maltego.Unknown"), None);
    assert_eq!(lookup("Domain"), None);
    assert_eq!(lookup("maltego.Hashtag"), None);
    assert_eq!(by_any_name("ASNumber").map(|t| t.id), Some("maltego.AS"));
    assert_eq!(by_any_name("acme.Domain"), None);
}

#[test]
fn ancestry_and_inherited_properties_are_found() {
    assert!(is_a("maltego.MXRecord", "maltego.DNSName") && is_a("maltego.Domain", "maltego.Domain"));
    assert!(is_a("maltego.Incident", "maltego.Location") && is_a("acme.X", "acme.X"));
    assert!(!is_a("maltego.DNSName", "maltego.MXRecord") && !is_a("acme.X", "maltego.Domain"));
    assert!(property("maltego.Incident", "city").unwrap().strict);
    // A redeclaration goes before the base's own.
    assert!(!property("maltego.Country", "city").unwrap().strict);
    assert!(
        !property("maltego.SSLCertificateHash", "properties.hash")
            .unwrap()
            .strict
    );
    assert!(property("maltego.Hash", "properties.hash").unwrap().strict);
    assert!(!property("maltego.Netblock", "ipv4-range").unwrap().strict);
    assert_eq!(property("maltego.Hash", "owner"), None);
}

#[test]
fn legacy_ids_lead_to_properties_of_the_type() {
    for row in LEGACY {
        // IPv4Address is given the whois id by the vendor's mapping, though its type declares none.
        if lookup(row.type_id).is_some() && (row.type_id, row.old) != ("maltego.IPv4Address", "whois") {
            assert!(property(row.type_id, row.new).is_some(), "{row:?}");
        }
    }
}
