//! Tests look-ups, settings of transforms, and the parts of a value.

mod mapping;

use super::{Catalogue, OWN, own};
use crate::config::tests::vendor;
use crate::config::{load, read};
use crate::domain::{Indicator, IndicatorKind};
use crate::maltego::settings::SettingKind;

fn manual() -> Catalogue {
    let loaded = load(None, &[], &vendor::all()).unwrap_or_else(|errors| panic!("{errors}"));
    Catalogue::build(&loaded.settings, 7)
}

#[test]
fn names_are_found_in_any_case_and_with_a_slash() {
    let catalogue = manual();
    for name in ["domaintools.risk", "DomainTools.Risk", "domaintools.risk/"] {
        assert_eq!(catalogue.find(name).unwrap().name, "domaintools.risk");
    }
    assert!(catalogue.find("domaintools.risk//").is_none() && catalogue.find("").is_none());
    assert_eq!(catalogue.generation(), 7);
}

#[test]
fn transforms_of_a_disabled_provider_are_not_served() {
    let text = crate::config::DEFAULT_FILE.replace("# enabled  = true ", "enabled = false");
    let loaded =
        read("my.toml", &text, false, &[], &vendor::all()).unwrap_or_else(|errors| panic!("{errors}"));
    let catalogue = Catalogue::build(&loaded.settings, 1);
    let names: Vec<_> = catalogue
        .transforms()
        .iter()
        .map(|spec| spec.name.as_str())
        .collect();
    assert!(
        names.contains(&"pivotd.parts") && !names.iter().any(|name| name.starts_with("domaintools.")),
        "{names:?}"
    );
}

#[test]
fn settings_follow_what_the_offer_can_do() {
    let catalogue = manual();
    let names = |transform: &str| -> Vec<String> {
        let settings = catalogue.find(transform).unwrap().settings(&vendor::DESCRIPTOR);
        settings.into_iter().map(|setting| setting.name).collect()
    };
    let keys = [
        "global#pivotd.token",
        "global#domaintools.username",
        "global#domaintools.api-key",
    ];
    assert_eq!(
        names("domaintools.risk"),
        [&keys[..], &["domaintools.max-age"]].concat()
    );
    let dates = [
        "global#pivotd.since",
        "global#pivotd.until",
        "global#pivotd.near",
        "domaintools.since",
        "domaintools.until",
        "domaintools.near",
        "global#pivotd.undated",
        "domaintools.undated",
    ];
    assert_eq!(
        names("domaintools.ip-history"),
        [
            &keys[..],
            &dates,
            &["domaintools.max-age", "domaintools.exclude-sinkholes"]
        ]
        .concat()
    );
    let has = |transform: &str, what: &str| names(transform).contains(&format!("domaintools.{what}"));
    for (transform, what, there) in [
        ("domaintools.domains-on-ip", "include-sinkholes", true),
        ("domaintools.domains-on-ip", "exclude-dynamic-dns", true),
        ("domaintools.domains-on-ip", "undated", false),
        ("domaintools.nameserver-history", "exclude-sinkholes", true),
        ("domaintools.ip-history", "include-sinkholes", false),
        ("domaintools.ip-history", "exclude-dynamic-dns", false),
        ("domaintools.risk", "exclude-sinkholes", false),
    ] {
        if catalogue.find(transform).is_some() {
            assert_eq!(has(transform, what), there, "{transform} {what}");
        }
    }
    let all = catalogue
        .find("domaintools.reverse-whois")
        .unwrap()
        .settings(&vendor::DESCRIPTOR);
    let setting = |name: &str| all.iter().find(|setting| setting.name == name).unwrap();
    let buy = setting("domaintools.buy");
    assert_eq!(
        (buy.kind, buy.popup, buy.default.as_deref()),
        (SettingKind::Boolean, true, Some("false"))
    );
    assert_eq!(
        setting("domaintools.scope").default.as_deref(),
        Some("historic"),
        "the transform's own goes first"
    );
    assert!(setting("global#pivotd.token").secret && setting("global#domaintools.api-key").secret);
    assert!(all.iter().all(|setting| setting.optional));
    let own = catalogue.find("pivotd.parts").unwrap().settings(&own::DESCRIPTOR);
    assert_eq!(own.len(), 1);
}

#[test]
fn an_input_is_found_by_the_nearest_ancestor() {
    let catalogue = manual();
    let spec = catalogue.find("domaintools.ip-history").unwrap();
    let found = spec
        .input_for(["maltego.MXRecord", "maltego.DNSName"].into_iter())
        .unwrap();
    assert_eq!(
        (found.type_id.as_str(), found.registrable),
        ("maltego.DNSName", true)
    );
    assert!(spec.input_for(["maltego.Hash"].into_iter()).is_none());
    assert_eq!(
        spec.output_types(),
        ["maltego.IPv4Address", "maltego.IPv6Address"]
    );
}

#[test]
fn a_value_is_taken_apart() {
    let parts = |kind, text: &str| {
        let record = own::parts(
            &Indicator::parse(kind, text).unwrap(),
            &crate::domain::Lists::built_in(),
        );
        record
            .iter()
            .map(|(name, value)| format!("{name}={}", value.text().unwrap()))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        parts(IndicatorKind::Url, "https://www.example.co.uk/x"),
        "domain=example.co.uk host=www.example.co.uk"
    );
    assert_eq!(parts(IndicatorKind::Url, "http://192.0.2.7/x"), "ip=192.0.2.7");
    assert_eq!(
        parts(IndicatorKind::Email, "a@mail.example.com"),
        "domain=example.com email_domain=mail.example.com"
    );
    assert_eq!(
        parts(IndicatorKind::Hostname, "www.example.com"),
        "domain=example.com host=www.example.com"
    );
    let (answer, _) = own::answer(
        &Indicator::parse(IndicatorKind::Hostname, "www.example.com").unwrap(),
        &crate::domain::Lists::built_in(),
    );
    assert_eq!((answer.source.provider.as_str(), answer.records.len()), (OWN, 1));
    assert_eq!(
        answer.records[0].misfit(crate::domain::Capability::Parts.schema()),
        None
    );
}
