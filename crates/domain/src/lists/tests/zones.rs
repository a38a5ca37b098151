//! Registries, dynamic DNS and hosting are told apart.

use super::*;
use crate::indicator::{NameKind, name_kind, registrable_domain, registries};

fn kind<'n>(lists: &Lists, name: &'n str) -> Option<(ZoneKind, &'n str)> {
    lists.zone(name).map(|zone| (zone.kind, zone.name))
}

#[test]
fn the_private_section_holds_three_kinds_of_zones() {
    let lists = Lists::built_in();
    for (name, expected) in [
        ("evil.ru.com", Some((ZoneKind::Registry, "ru.com"))),
        ("www.evil.us.com", Some((ZoneKind::Registry, "us.com"))),
        ("evil.com.de", Some((ZoneKind::Registry, "com.de"))),
        ("evil.pp.ua", Some((ZoneKind::Registry, "pp.ua"))),
        ("evil.eu.org", Some((ZoneKind::Registry, "eu.org"))),
        ("evil.asso.eu.org", Some((ZoneKind::Registry, "asso.eu.org"))),
        ("evil.duckdns.org", Some((ZoneKind::DynamicDns, "duckdns.org"))),
        ("a.evil.ddns.net", Some((ZoneKind::DynamicDns, "ddns.net"))),
        (
            "evil.home.dyndns.org",
            Some((ZoneKind::DynamicDns, "home.dyndns.org")),
        ),
        ("evil.mooo.com", Some((ZoneKind::DynamicDns, "mooo.com"))),
        ("evil.dy.fi", Some((ZoneKind::DynamicDns, "dy.fi"))),
        ("alice.github.io", Some((ZoneKind::Hosting, "github.io"))),
        (
            "bucket.s3.amazonaws.com",
            Some((ZoneKind::Hosting, "s3.amazonaws.com")),
        ),
        ("shop.myshopify.com", Some((ZoneKind::Hosting, "myshopify.com"))),
        ("ru.com", None),
        ("duckdns.org", None),
        ("github.io", None),
        ("www.example.com", None),
        ("example.co.uk", None),
    ] {
        assert_eq!(kind(&lists, name), expected, "{name}");
        let is = |kind| expected.is_some_and(|(known, _)| known == kind);
        assert_eq!(
            lists.dynamic_dns(name).is_some(),
            is(ZoneKind::DynamicDns),
            "{name}"
        );
        assert_eq!(lists.hosting(name).is_some(), is(ZoneKind::Hosting), "{name}");
        let purposes: Vec<_> = lists
            .hits(&indicator(name))
            .iter()
            .map(|hit| hit.purpose)
            .collect();
        assert_eq!(
            purposes.contains(&Purpose::DynamicDns),
            is(ZoneKind::DynamicDns),
            "{name}"
        );
        assert_eq!(
            purposes.contains(&Purpose::SharedHosting),
            is(ZoneKind::Hosting),
            "{name}"
        );
    }
}

#[test]
fn a_name_below_a_registry_is_registered_by_itself() {
    let lists = Lists::built_in();
    for zone in registries() {
        let zone = indicator(zone).value().to_owned();
        let name = format!("evil.{zone}");
        let host = format!("www.{name}");
        // What the suffix list drops has no place on this list.
        assert_eq!(registrable_domain(&host).as_deref(), Some(name.as_str()));
        assert_eq!(name_kind(&name), NameKind::Domain);
        assert_eq!(name_kind(&host), NameKind::Host);
        assert_eq!(lists.registrable(&indicator(&host)).unwrap().value(), name);
        assert_eq!(kind(&lists, &host), Some((ZoneKind::Registry, zone.as_str())));
        assert!(lists.hits(&indicator(&host)).is_empty(), "{host}");
        // The zone's own name is registered, too.
        let above = registrable_domain(&zone).unwrap();
        assert!(zone.ends_with(&above));
    }
    for name in ["foo.github.io", "foo.duckdns.org"] {
        assert_eq!(name_kind(name), NameKind::Host, "{name}");
    }
    assert_eq!(registrable_domain("ru.com").as_deref(), Some("ru.com"));
    assert_eq!(
        registrable_domain("a.b.evil.eu.org").as_deref(),
        Some("evil.eu.org")
    );
    assert_eq!(
        registrable_domain("x.alice.github.io").as_deref(),
        Some("github.io")
    );
}

#[test]
fn the_administrators_lists_go_first() {
    let mut own = Lists::built_in();
    for (purpose, entry) in [
        (Purpose::Registry, "names.example"),
        (Purpose::Registry, "github.io"),
        (Purpose::DynamicDns, "us.com"),
        (Purpose::SharedHosting, "ru.com"),
        (Purpose::SharedHosting, "duckdns.org"),
    ] {
        own.add_entry(purpose, entry, "own.txt").unwrap();
    }
    for (name, expected, registrable) in [
        (
            "a.b.names.example",
            (ZoneKind::Registry, "names.example"),
            "b.names.example",
        ),
        (
            "x.alice.github.io",
            (ZoneKind::Registry, "github.io"),
            "alice.github.io",
        ),
        ("evil.us.com", (ZoneKind::DynamicDns, "us.com"), "us.com"),
        ("evil.ru.com", (ZoneKind::Hosting, "ru.com"), "ru.com"),
        (
            "evil.duckdns.org",
            (ZoneKind::Hosting, "duckdns.org"),
            "duckdns.org",
        ),
    ] {
        let zone = own.zone(name).unwrap();
        assert_eq!(
            ((zone.kind, zone.name), zone.list),
            (expected, "own.txt"),
            "{name}"
        );
        let asked = indicator(name);
        assert_eq!(own.registrable(&asked).unwrap().value(), registrable, "{name}");
        let is_registered = own.name_kind(registrable) == NameKind::Domain;
        assert!(is_registered, "{registrable}");
        assert_eq!(own.name_kind(name), NameKind::Host, "{name}");
        // No list of ours says otherwise beside them.
        let hits = own.hits(&asked);
        let said = |purpose| hits.iter().any(|hit| hit.purpose == purpose);
        assert_eq!(
            said(Purpose::DynamicDns),
            expected.0 == ZoneKind::DynamicDns,
            "{name}"
        );
        assert_eq!(
            said(Purpose::SharedHosting),
            expected.0 == ZoneKind::Hosting,
            "{name}"
        );
    }
    // What they do not name stays as it was.
    assert_eq!(kind(&own, "evil.com.de"), Some((ZoneKind::Registry, "com.de")));
}

proptest::proptest! {
    #[test]
    fn what_is_registered_below_a_zone_is_its_own_registrable_domain(
        label in "[a-z0-9]{1,12}", below in "([a-z]{1,5}\\.){0,3}", pick in proptest::sample::select(registries().collect::<Vec<_>>()),
    ) {
        let name = indicator(&format!("{label}.{pick}"));
        let host = indicator(&format!("{below}{label}.{pick}"));
        let known = registrable_domain(host.value()).unwrap();
        // A label may name a zone of its own below the registry's, as asso.eu.org.
        let is_below = known.ends_with(&format!(".{}", name.value()));
        proptest::prop_assert!(known == name.value() || is_below, "{known}");
    }
}
