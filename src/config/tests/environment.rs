use std::time::Duration;

use super::vendor;
use crate::config::settings::{LogFormat, Rate};
use crate::config::{ConfigErrors, Loaded, Origin, read};

fn with(text: &str, pairs: &[(&str, &str)]) -> Result<Loaded, ConfigErrors> {
    let variables: Vec<_> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    read("my.toml", text, false, &variables, vendor::ALL)
}

const TEXT: &str = "[server]\nlisten = \"127.0.0.1:1\"\n[providers.domaintools]\nrate = \"1/s\"\n";

#[test]
fn variables_go_before_the_file() {
    let loaded = with(
        TEXT,
        &[
            ("PIVOTD__SERVER__LISTEN", "127.0.0.1:2"),
            ("PIVOTD__SERVER__WORKERS", "3"),
            ("PIVOTD__LOG__FORMAT", "json"),
            ("PIVOTD__PROVIDERS__DOMAINTOOLS__RATE", "60/min, 5/s"),
            (
                "PIVOTD__PROVIDERS__DOMAINTOOLS__BUDGET",
                "[\"5/day\", { limit = \"7/month\", unit = \"records\" }]",
            ),
            ("PIVOTD__PROVIDERS__DOMAINTOOLS__TTL__WHOIS_HISTORY", "48h"),
            ("PIVOTD__PROVIDERS__DOMAINTOOLS__ALLOW_PRIVATE", "true"),
            ("PIVOTD__PROVIDERS__DOMAINTOOLS__NO_PROXY", "10.0.0.0/8,.example"),
            ("PIVOTD__SERVER__TLS", "before"),
        ],
    )
    .unwrap();
    let settings = &loaded.settings;
    assert_eq!(settings.server.listen.port(), 2);
    assert_eq!(settings.server.workers, Some(3));
    assert!(settings.server.tls_ends_before);
    assert_eq!(settings.log.format, LogFormat::Json);
    let provider = &settings.providers["domaintools"];
    let rates: Vec<_> = provider
        .rate
        .iter()
        .map(|Rate { limit, per, .. }| (limit.get(), per.as_secs()))
        .collect();
    assert_eq!(rates, [(60, 60), (5, 1)]);
    let labels: Vec<_> = provider
        .budget
        .iter()
        .map(|budget| budget.label.as_str())
        .collect();
    assert_eq!(labels, ["5/day calls", "7/month records"]);
    assert_eq!(
        provider.ttl.by_capability["whois-history"],
        Duration::from_secs(48 * 3600)
    );
    assert!(provider.network.allow_private);
    assert_eq!(provider.network.no_proxy, ["10.0.0.0/8", ".example"]);
    let origin = |path: &str| {
        loaded
            .origins
            .iter()
            .find(|one| one.path == path)
            .unwrap()
            .origin
            .clone()
    };
    assert_eq!(
        origin("server.listen"),
        Origin::Variable("PIVOTD__SERVER__LISTEN".into())
    );
}

#[test]
fn a_fault_names_the_variable_it_came_from() {
    let told = with(TEXT, &[("PIVOTD__SERVER__LISTEN", "here")])
        .unwrap_err()
        .to_string();
    assert_eq!(
        told,
        "PIVOTD__SERVER__LISTEN: listen: expected an address and a port such as 127.0.0.1:8080, found \"here\""
    );
}

#[test]
fn a_variable_that_matches_nothing_is_a_warning() {
    let cases = [
        (
            "PIVOTD__SERVER__LSTEN",
            "matches no setting; it is ignored, did you mean \"listen\"?",
        ),
        (
            "PIVOTD__SERVR__LISTEN",
            "matches no setting; it is ignored, did you mean \"server\"?",
        ),
        (
            "PIVOTD__SERVER__LISTEN__PORT",
            "matches no setting; it is ignored",
        ),
        (
            "PIVOTD__PROVIDERS__DOMAINTOOL__RATE",
            "unknown provider \"domaintool\"; it is ignored, did you mean \"domaintools\"?",
        ),
        ("PIVOTD__", "matches no setting; it is ignored"),
    ];
    for (name, expected) in cases {
        let loaded = with(TEXT, &[(name, "1")]).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        let told: Vec<_> = loaded
            .warnings
            .iter()
            .filter(|warning| warning.origin.is_variable())
            .map(ToString::to_string)
            .collect();
        assert_eq!(told, [format!("{name}: {expected}")], "{name}");
    }
}

#[test]
fn other_programs_variables_are_no_business_of_ours() {
    let loaded = with(TEXT, &[("PIVOTD_CONFIG", "x"), ("PIVOTDX__SERVER__LISTEN", "x")]).unwrap();
    assert!(
        loaded
            .warnings
            .iter()
            .all(|warning| !warning.origin.is_variable())
    );
}

#[test]
fn listening_beyond_this_machine_needs_a_public_url_and_tls() {
    let reasons = |pairs: &[(&str, &str)]| {
        with(TEXT, pairs)
            .unwrap()
            .settings
            .check_exposure()
            .err()
            .map_or(0, |all| all.len())
    };
    let open = ("PIVOTD__SERVER__LISTEN", "0.0.0.0:80");
    let url = ("PIVOTD__SERVER__PUBLIC_URL", "https://pivot.example.org/");
    assert_eq!(reasons(&[]), 0);
    assert_eq!(reasons(&[("PIVOTD__SERVER__LISTEN", "[::1]:80")]), 0);
    assert_eq!(reasons(&[open]), 2);
    assert_eq!(reasons(&[open, url]), 1);
    assert_eq!(reasons(&[open, url, ("PIVOTD__SERVER__TLS", "before")]), 0);
    assert_eq!(
        reasons(&[
            open,
            url,
            ("PIVOTD__SERVER__TLS", "{ certificate = \"c\", key = \"k\" }")
        ]),
        0
    );
    let settings = with(TEXT, &[url]).unwrap().settings;
    assert_eq!(
        settings.server.public_url.as_deref(),
        Some("https://pivot.example.org")
    );
}
