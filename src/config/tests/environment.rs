use std::time::Duration;

use super::vendor;
use crate::config::settings::{LogFormat, Rate};
use crate::config::{ConfigErrors, Loaded, Origin, read};

fn with(text: &str, pairs: &[(&str, &str)]) -> Result<Loaded, ConfigErrors> {
    let variables: Vec<_> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    read("my.toml", text, false, &variables, &vendor::ALL)
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

/// Every setting that is a list or a table in the file can be one in a variable.
#[test]
fn variables_hold_tables_and_lists() {
    let vendor = "PIVOTD__PROVIDERS__DOMAINTOOLS";
    let transform = "[{ name = \"acme.a\", title = \"T\", about = \"A\", provider = \"domaintools\", \
                     capability = \"ip-history\", input = [\"maltego.Domain\"], set = \"S\", example = \"example.com\", \
                     entity = [{ value = \"ip\" }] }]";
    let given: Vec<(String, &str)> = vec![
        (
            "PIVOTD__SERVER".to_owned(),
            "{ listen = \"127.0.0.1:7\", workers = 2 }",
        ),
        ("PIVOTD__LOG".to_owned(), "{ format = \"json\" }"),
        ("PIVOTD__ALERTS__TRUSTED_RELAYS".to_owned(), "[\"192.0.2.0/24\"]"),
        ("PIVOTD__LISTS__OWN_ENTRIES".to_owned(), "[\"own.example\"]"),
        ("PIVOTD__LISTS__BUILT_IN".to_owned(), "[\"popular\"]"),
        (
            "PIVOTD__SCALES__RISK".to_owned(),
            "[{ from = 0, name = \"low\" }, { from = 70, name = \"high\" }]",
        ),
        ("PIVOTD__REPUTATION__THRESHOLDS".to_owned(), "{ ip = 61 }"),
        ("PIVOTD__REPUTATION__WEIGHTS".to_owned(), "{ B = 100 }"),
        (
            "PIVOTD__REPUTATION__CLIENTS".to_owned(),
            "{ soar = { threshold = 33 } }",
        ),
        (
            "PIVOTD__REPUTATION__REQUIRED".to_owned(),
            "{ ip = [\"domaintools\"] }",
        ),
        ("PIVOTD__REPUTATION__NEVER_BLOCK".to_owned(), "[\"own\"]"),
        ("PIVOTD__REPUTATION__LISTS".to_owned(), "{ popular = \"soft\" }"),
        (
            "PIVOTD__REPUTATION__SOURCES".to_owned(),
            "{ domaintools = { reliability = \"A\" } }",
        ),
        (format!("{vendor}__RATE"), "{ limit = \"9/min\", burst = 2 }"),
        (
            format!("{vendor}__BUDGET"),
            "[{ limit = \"7/month\", unit = \"records\" }]",
        ),
        (
            format!("{vendor}__TTL"),
            "{ default = \"3h\", whois-history = \"4h\" }",
        ),
        (format!("{vendor}__API_KEY"), "{ env = \"KEY\" }"),
        ("KEY".to_owned(), "k"),
        ("PIVOTD__TRANSFORM".to_owned(), transform),
    ];
    let pairs: Vec<(&str, &str)> = given
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let loaded = with(TEXT, &pairs).unwrap_or_else(|errors| panic!("{errors}"));
    let told: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert!(
        told.iter().all(|warning| !warning.contains("PIVOTD__")),
        "{told:?}"
    );
    let settings = &loaded.settings;
    assert_eq!(
        (settings.server.listen.port(), settings.server.workers),
        (7, Some(2))
    );
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(settings.trusted_relays.len(), 1);
    assert_eq!(settings.scales["risk"].bands.len(), 2);
    assert_eq!(settings.reputation.clients["soar"].all, Some(33));
    assert_eq!(settings.reputation.never_block, ["own"]);
    let provider = &settings.providers["domaintools"];
    assert_eq!(
        (provider.rate[0].limit.get(), provider.rate[0].burst.get()),
        (9, 2)
    );
    assert_eq!(provider.budget[0].limit, 7);
    assert_eq!(provider.ttl.default, Duration::from_secs(3 * 3600));
    assert!(provider.credentials.contains_key("api_key"));
    assert_eq!(settings.transforms[0].name, "acme.a");
}

#[test]
fn one_setting_of_a_table_and_names_with_dashes_can_be_given() {
    let pairs = [
        ("PIVOTD__REPUTATION__LISTS__FREE_MAIL", "soft"),
        (
            "PIVOTD__REPUTATION__SOURCES__VIRUSTOTAL__SUSPICIOUS_ENGINES",
            "[[0, 0], [9, 44]]",
        ),
        ("PIVOTD__SERVER__TLS", "{ certificate = \"c\", key = \"k\" }"),
        ("PIVOTD__SERVER__TLS__KEY", "other"),
    ];
    let variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let loaded = read("my.toml", TEXT, false, &variables, &vendor::all());
    let settings = loaded.unwrap_or_else(|errors| panic!("{errors}")).settings;
    let names: Vec<&String> = settings.reputation.lists.keys().collect();
    let is_known = |name: &&String| crate::domain::Purpose::ALL.iter().any(|one| one.name() == *name);
    assert!(names.iter().all(is_known), "{names:?}");
    let measures = &settings.reputation.sources["virustotal"].measures;
    assert!(measures.contains_key("suspicious-engines") && !measures.contains_key("suspicious_engines"));
    assert_eq!(settings.server.tls.unwrap().key.display().to_string(), "other");
}

#[test]
fn a_variable_that_is_no_toml_is_told_as_what_it_is() {
    for (name, value) in [
        ("PIVOTD__SERVER__TLS", "{ certificate = c"),
        ("PIVOTD__LOG", "{ format: json }"),
        ("PIVOTD__REPUTATION__WEIGHTS", "[\"A\""),
    ] {
        let told = with(TEXT, &[(name, value)]).unwrap_err().to_string();
        assert!(told.starts_with(name), "{told}");
    }
    let told = with(TEXT, &[("PIVOTD__LOG", "{ format: json }")])
        .unwrap_err()
        .to_string();
    assert_eq!(
        told,
        "PIVOTD__LOG: expected a table, found what is no list or table of TOML"
    );
}
