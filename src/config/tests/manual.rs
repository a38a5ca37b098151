use std::collections::BTreeSet;

use super::vendor;
use crate::catalogue::{Catalogue, InputSpec, TransformSource};
use crate::config::{DEFAULT_FILE, Loaded, Origin, Report, load, read};
use crate::domain::{Indicator, IndicatorKind, Purpose};

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn manual(pairs: &[(&str, &str)]) -> Loaded {
    load(None, &variables(pairs), &vendor::all()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Writes what `pivotd check --values` prints.
fn report(loaded: &Loaded, catalogue: &Catalogue) -> String {
    let report = Report {
        loaded,
        catalogue,
        refused: &std::collections::BTreeMap::new(),
    };
    let mut lines: Vec<String> = report.providers().iter().map(|row| row.join("  ")).collect();
    lines.extend(report.transforms().iter().map(|row| row.join("  ")));
    lines.push(report.remarks());
    lines.extend(report.values().iter().map(|row| row.join("  ")));
    lines.push(report.verdict().line);
    lines.join("\n")
}

fn inputs(loaded: &Loaded, name: &str) -> Vec<InputSpec> {
    let catalogue = Catalogue::build(&loaded.settings, 1);
    catalogue.find(name).unwrap().inputs.clone()
}

#[test]
fn the_compiled_in_file_loads_with_every_transform() {
    let loaded = manual(&[("DOMAINTOOLS_USERNAME", "u"), ("DOMAINTOOLS_API_KEY", "k")]);
    let of_domaintools = |text: &str| text.to_lowercase().contains("domaintools");
    assert!(
        !loaded
            .warnings
            .iter()
            .any(|warning| of_domaintools(&warning.message))
    );
    let names: Vec<_> = loaded
        .settings
        .transforms
        .iter()
        .map(|spec| spec.name.as_str())
        .filter(|name| of_domaintools(name))
        .collect();
    assert_eq!(
        names,
        [
            "domaintools.whois-history",
            "domaintools.registrant-emails",
            "domaintools.registrants",
            "domaintools.nameserver-history",
            "domaintools.registrar-history",
            "domaintools.ip-history",
            "domaintools.whois",
            "domaintools.reverse-whois",
            "domaintools.domains-on-ip",
            "domaintools.neighbours",
            "domaintools.domains-on-nameserver",
            "domaintools.risk",
            "domaintools.pivots",
        ]
    );
    let own = loaded.settings.transforms.iter();
    let own: Vec<_> = own.filter(|spec| spec.answerer == TransformSource::Own).collect();
    assert!(own.iter().any(|spec| spec.name == "pivotd.parts"));
    assert!(loaded.settings.providers["domaintools"].has_key(&vendor::DESCRIPTOR));
}

/// What is commented out has to be right, too: uncommented, the settings load.
#[test]
fn the_settings_that_are_commented_out_load() {
    let marks = ["# --- Transforms", "# [[transform]]"];
    let head = DEFAULT_FILE.split(marks[0]).next().unwrap();
    let is_setting = |line: &str| {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let key = bare.split('=').next().unwrap_or_default().trim();
        let named = !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let is_header = bare.starts_with('[') && bare.ends_with(']') && !bare.contains(' ');
        line.starts_with("# ")
            && (is_header || named && bare.contains('=') || bare.starts_with("  ") || bare == "]")
    };
    let mut lines: Vec<String> = Vec::new();
    let mut header_is_over = false;
    for line in head.lines() {
        header_is_over |= line.starts_with('[');
        let is_alternative = line.contains("tls = \"before\"");
        if header_is_over && is_setting(line) && !is_alternative {
            lines.push(line.trim_start_matches("# ").to_owned());
        } else {
            lines.push(line.to_owned());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    // Lists are read with the settings, so their files have to be there.
    let section = lines.iter().skip_while(|line| *line != "[lists]").skip(1);
    for line in section.take_while(|line| !line.starts_with('[')) {
        let named = line.split("/etc/pivotd/").nth(1);
        let Some(file) = named.and_then(|rest| rest.split('"').next()) else {
            continue;
        };
        let text = match file {
            "empty.txt" => "0123456789abcdef0123456789abcdef\n",
            _ => "list.example\n",
        };
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let own = format!("[\"{}/", folder.path().display());
    let text = lines.join("\n").replace("[\"/etc/pivotd/", &own);
    assert!(
        text.contains("\nresets  = ")
            && text.contains("\nproxy_password = ")
            && text.contains("\nworkers  = ")
    );
    let loaded =
        read("manual", &text, false, &[], &vendor::all()).unwrap_or_else(|errors| panic!("{errors}"));
    let provider = &loaded.settings.providers["domaintools"];
    let labels: Vec<_> = provider
        .budget
        .iter()
        .map(|budget| budget.label.as_str())
        .collect();
    assert_eq!(
        labels,
        [
            "2000/day calls",
            "5000/month records of whois-history",
            "200/month USD of reverse-whois"
        ]
    );
    let lists = &loaded.settings.lists;
    assert_eq!(lists.dynamic_dns("a.list.example"), Some("dynamic-dns.txt"));
    assert_eq!(lists.sinkhole("list.example"), Some("sinkholes.json"));
    let hits = lists.hits(&Indicator::guess("list.example").unwrap());
    let known: BTreeSet<_> = hits.iter().map(|hit| hit.purpose).collect();
    // Where a registration begins is no hit.
    let of_names = |purpose: &Purpose| {
        !matches!(
            purpose,
            Purpose::EmptyFile | Purpose::DynamicDns | Purpose::Registry
        )
    };
    assert!(
        known.into_iter().eq(Purpose::ALL.into_iter().filter(of_names)),
        "every purpose has its line"
    );
    assert!(
        loaded
            .origins
            .iter()
            .any(|setting| setting.path == "lists.empty_file")
    );
    assert_eq!(provider.budget[2].limit, 20_000);
    assert_eq!(provider.budget[2].max_price, Some(2_000));
}

#[test]
fn a_transform_on_domains_takes_what_stands_on_a_domain() {
    let loaded = manual(&[]);
    let widened = inputs(&loaded, "domaintools.ip-history");
    let shown: Vec<_> = widened
        .iter()
        .map(|input| (input.type_id.as_str(), input.kinds[0], input.registrable))
        .collect();
    assert_eq!(
        shown,
        [
            ("maltego.Domain", IndicatorKind::Domain, true),
            ("maltego.DNSName", IndicatorKind::Hostname, true),
            ("maltego.Website", IndicatorKind::Hostname, true),
            ("maltego.URL", IndicatorKind::Url, true),
            ("maltego.EmailAddress", IndicatorKind::Email, true),
        ]
    );
    let pivots = inputs(&loaded, "domaintools.pivots");
    let email = pivots
        .iter()
        .find(|input| input.type_id == "maltego.EmailAddress")
        .unwrap();
    assert!(!email.registrable, "an e-mail address that can be asked is asked");
    let hash = pivots
        .iter()
        .find(|input| input.type_id == "maltego.Hash")
        .unwrap();
    assert_eq!(hash.kinds, [IndicatorKind::Certificate]);
    let server = &inputs(&loaded, "domaintools.domains-on-nameserver")[0];
    assert_eq!(
        (server.kinds.as_slice(), server.registrable),
        ([IndicatorKind::Hostname].as_slice(), false)
    );
}

#[test]
fn widen_false_takes_only_what_is_named() {
    let text = DEFAULT_FILE.replace(
        "capability = \"ip-history\"\ninput      = [\"maltego.Domain\"]",
        "capability = \"ip-history\"\nwiden = false\ninput      = [\"maltego.Domain\"]",
    );
    assert_ne!(text, DEFAULT_FILE);
    let loaded =
        read("manual", &text, false, &[], &vendor::all()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(inputs(&loaded, "domaintools.ip-history").len(), 1);
}

#[test]
fn the_report_names_keys_values_and_where_they_came_from_without_secrets() {
    let loaded = manual(&[
        ("DOMAINTOOLS_USERNAME", "canary-user"),
        ("DOMAINTOOLS_API_KEY", "canary-key"),
        ("PIVOTD__SERVER__LISTEN", "127.0.0.1:9999"),
        ("PIVOTD__PROVIDERS__DOMAINTOOLS__PROXY_PASSWORD", "canary-proxy"),
    ]);
    let catalogue = Catalogue::build(&loaded.settings, 1);
    let text = report(&loaded, &catalogue);
    assert!(!text.contains("canary"), "{text}");
    assert!(!format!("{loaded:?}").contains("canary"));
    let has = |parts: &[&str]| {
        assert!(
            text.lines()
                .any(|line| parts.iter().all(|part| line.contains(part))),
            "{parts:?} in\n{text}"
        );
    };
    has(&["domaintools", "DomainTools", "key configured", "20 in 1m"]);
    has(&[
        "domaintools.ip-history",
        "Domain, DNSName, Website, URL, EmailAddress -> IPv4Address, IPv6Address",
        "ready",
    ]);
    has(&["domaintools.risk", "the input, annotated"]);
    has(&["server.listen", "\"127.0.0.1:9999\"", "PIVOTD__SERVER__LISTEN"]);
    has(&["server.data", "\"./data\"", "transforms.toml:18:10"]);
    has(&["providers.domaintools.attempts", "3", "default"]);
    has(&[
        "providers.domaintools.api_key",
        "variable DOMAINTOOLS_API_KEY",
        "transforms.toml:",
    ]);
    let lacking = manual(&[("DOMAINTOOLS_USERNAME", "u")]);
    let text = report(&lacking, &catalogue);
    assert!(text.contains("DOMAINTOOLS_API_KEY is not set"), "{text}");
    assert!(
        lacking
            .warnings
            .iter()
            .any(|warning| warning.message == "api_key: DOMAINTOOLS_API_KEY is not set")
    );
    assert!(matches!(lacking.warnings[0].origin, Origin::File { .. }));
}

#[test]
fn the_compiled_in_file_fits_the_providers_of_this_program() {
    let descriptors = crate::providers::Providers::built_in();
    let loaded = load(None, &[], &descriptors).unwrap_or_else(|errors| panic!("{errors}"));
    let catalogue = Catalogue::build(&loaded.settings, 1);
    let specs = loaded.settings.transforms.iter();
    let is_served = |spec: &&std::sync::Arc<crate::catalogue::TransformSpec>| {
        let mut providers = spec.providers().iter();
        spec.providers().is_empty() || providers.any(|name| loaded.settings.providers[name].enabled)
    };
    let served = specs.filter(is_served).count();
    assert_eq!(catalogue.transforms().len(), served);
    for spec in catalogue.transforms() {
        assert!(
            !spec.inputs.is_empty() && spec.inputs.iter().all(|input| !input.kinds.is_empty()),
            "{}",
            spec.name
        );
        let first = &spec.inputs[0];
        let readable = first
            .kinds
            .iter()
            .any(|kind| crate::domain::Indicator::parse(*kind, &spec.example).is_ok());
        assert!(readable, "{}: the example is no {}", spec.name, first.type_id);
    }
}

#[test]
fn a_notice_is_told_where_the_provider_is_enabled() {
    let (off, on) = (
        manual(&[]),
        manual(&[("PIVOTD__PROVIDERS__PASSIVETOTAL__ENABLED", "true")]),
    );
    for (loaded, told) in [(off, false), (on, true)] {
        let catalogue = Catalogue::build(&loaded.settings, 1);
        let text = report(&loaded, &catalogue);
        let notes = text.split("\nNotes\n").nth(1).unwrap_or_default();
        assert_eq!(
            notes.contains("passivetotal: the public PassiveTotal service was retired"),
            told,
            "{text}"
        );
    }
}

#[test]
fn a_resolver_is_named_where_a_provider_is_asked_over_dns_and_nowhere_else() {
    let known = crate::providers::Providers::built_in();
    let loaded = |pairs: &[(&str, &str)]| load(None, &variables(pairs), &known);
    let resolver = "PIVOTD__PROVIDERS__SPAMHAUS__BASE_URL";
    let settings = loaded(&[(resolver, "dns://192.0.2.53")]).unwrap().settings;
    assert_eq!(
        settings.providers["spamhaus"].base_urls["resolver"],
        "dns://192.0.2.53:53"
    );
    assert_eq!(settings.providers["dns"].base_urls["resolver"], "dns:system");
    for (name, url, expected) in [
        (resolver, "https://zen.example", "expected dns:system"),
        (
            "PIVOTD__PROVIDERS__DNSDB__BASE_URL",
            "dns:system",
            "begins with https://",
        ),
    ] {
        let fault = loaded(&[(name, url)]).unwrap_err().to_string();
        assert!(fault.contains(expected), "{fault}");
    }
    let public = [("PIVOTD__PROVIDERS__SPAMHAUS__SERVICE", "public")];
    for (pairs, told) in [(&[][..], false), (&public, true)] {
        let loaded = loaded(pairs).unwrap();
        assert_eq!(
            loaded.settings.providers["spamhaus"].no_key().is_none(),
            told,
            "the public lists need no key"
        );
        let text = report(&loaded, &Catalogue::build(&loaded.settings, 1));
        assert_eq!(
            text.contains("spamhaus: free use is non-commercial"),
            told,
            "{text}"
        );
    }
}

#[test]
fn the_room_of_the_store_has_defaults_and_is_checked() {
    let store = manual(&[]).settings.store;
    assert_eq!(
        (store.min_free, store.replies, store.replies_per_client),
        (64 << 20, 256 << 20, 64 << 20)
    );
    let given = [
        ("PIVOTD__STORE__MIN_FREE", "2GB"),
        ("PIVOTD__STORE__REPLIES", "32MB"),
        ("PIVOTD__STORE__REPLIES_PER_CLIENT", "8MB"),
    ];
    let store = manual(&given).settings.store;
    assert_eq!(
        (store.min_free, store.replies, store.replies_per_client),
        (2 << 30, 32 << 20, 8 << 20)
    );
    assert_eq!(
        manual(&[("PIVOTD__STORE__MIN_FREE", "0")])
            .settings
            .store
            .min_free,
        0
    );
    for (name, value) in [
        ("PIVOTD__STORE__MIN_FREE", "plenty"),
        ("PIVOTD__STORE__REPLIES", "1KB"),
        ("PIVOTD__STORE__REPLIES_PER_CLIENT", "0"),
    ] {
        let refused = load(None, &variables(&[(name, value)]), &vendor::all()).unwrap_err();
        assert!(refused.to_string().contains(name), "{refused}");
    }
}
