use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;

use super::vendor;
use crate::catalogue::Catalogue;
use crate::config::{ConfigErrors, Loaded, Report, read};

const SERVER: &str = "[providers.domaintools]\nusername = \"u\"\napi_key = \"k\"\nbudget = \"9/day\"\n";
const CANARY: &str = "canary-acme-31f8";

fn with(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigErrors> {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    read(
        "my.toml",
        &format!("{SERVER}{text}"),
        false,
        &variables,
        &vendor::ALL,
    )
}

#[test]
fn a_tenant_has_a_key_a_budget_or_a_rate_of_its_own() {
    let text = format!(
        "[providers.domaintools.tenants.acme]\nusername = {{ env = \"ACME_USER\" }}\napi_key = \"{CANARY}\"\n\
         [providers.domaintools.tenants.globex]\nbudget = [\"7/day\", {{ product = \"whois\", limit = \"2/hour\" }}]\n\
         rate = \"30/min\"\n"
    );
    let loaded = with(&text, &[("ACME_USER", "acme-user")]).unwrap();
    assert!(!format!("{loaded:?}").contains(CANARY));
    let tenants = &loaded.settings.providers["domaintools"].tenants;
    let key = tenants["acme"].key.as_ref().unwrap();
    assert_eq!(key.fault, None);
    assert_eq!(key.parts["api_key"].value.expose_secret(), CANARY);
    assert_eq!(key.parts["username"].value.expose_secret(), "acme-user");
    assert!(tenants["acme"].budget.is_none() && tenants["acme"].rate.is_none());
    let globex = &tenants["globex"];
    assert!(globex.key.is_none());
    assert_eq!(globex.rate.as_ref().unwrap().len(), 1);
    let labels: Vec<&str> = globex
        .budget
        .iter()
        .flatten()
        .map(|budget| budget.label.as_str())
        .collect();
    assert_eq!(
        labels,
        [
            "7/day calls for tenant globex",
            "2/hour calls of whois for tenant globex"
        ]
    );
    let shown: Vec<_> = loaded.origins.iter().map(|one| (&one.path, &one.value)).collect();
    let value = |path: &str| {
        let found = shown.iter().find(|(known, _)| *known == path);
        found.map(|(_, value)| value.as_str())
    };
    let path = "providers.domaintools.tenants";
    assert_eq!(
        value(&format!("{path}.acme.username")),
        Some("•••••• (variable ACME_USER)")
    );
    assert_eq!(value(&format!("{path}.acme.api_key")), Some("\"••••••\""));
    assert_eq!(value(&format!("{path}.globex.rate")), Some("\"30/min\""));
}

#[test]
fn what_is_wrong_with_a_tenant_is_told_with_its_place() {
    for (text, told) in [
        (
            "[providers.domaintools.tenants.default]\nrate = \"1/s\"",
            "my.toml:5:32: tenants: \"default\" is the tenant that the provider's own settings are for; write them there",
        ),
        (
            "[providers.domaintools.tenants.\"a|b\"]\nrate = \"1/s\"",
            "my.toml:5:32: tenants: \"a|b\" is no name of a tenant; it has up to 64 letters, digits, and -_.@ only",
        ),
        (
            "[providers.domaintools.tenants.acme]",
            "my.toml:5:32: tenants: \"acme\" has nothing of its own; give it a key, a budget or a rate, or leave its table out",
        ),
        (
            "[providers.domaintools.tenants.acme]\nbudgets = \"1/day\"",
            "my.toml:6:1: unknown key \"budgets\", did you mean \"budget\"?",
        ),
        (
            "[providers.domaintools.tenants.acme]\nbudget = \"many\"",
            "my.toml:6:10: budget: expected a budget such as 2000/day, 5000/month or 500/total, found \"many\"",
        ),
        (
            "[providers.domaintools.tenants.acme]\nbase_url = \"https://x.example\"\nrate = \"1/s\"",
            "my.toml:6:1: unknown key \"base_url\"",
        ),
        (
            "[providers.domaintools.tenants]\nacme = 3",
            "my.toml:6:8: expected a table, found ",
        ),
    ] {
        let found = with(text, &[]).unwrap_err().to_string();
        assert!(
            found.lines().any(|line| line.starts_with(told)),
            "{text}: {found}"
        );
    }
}

#[test]
fn a_tenants_key_that_cannot_be_read_is_its_own_fault_and_not_the_providers() {
    let text =
        "[providers.domaintools.tenants.acme]\nusername = \"u\"\napi_key = { file = \"/nowhere/key\" }\n";
    let loaded = with(text, &[]).unwrap();
    let provider = &loaded.settings.providers["domaintools"];
    assert_eq!(provider.key_fault, None);
    assert!(provider.has_key(&vendor::DESCRIPTOR));
    let fault = provider.tenants["acme"]
        .key
        .as_ref()
        .unwrap()
        .fault
        .as_ref()
        .unwrap();
    assert!(fault.starts_with("/nowhere/key cannot be read: "), "{fault}");
    let told: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    let told: Vec<_> = told.iter().filter(|told| told.contains("/nowhere/key")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("my.toml:5:1: the tenant has no key: /nowhere/key"),
        "{told:?}"
    );
}

#[test]
fn a_variable_gives_a_tenant_its_key() {
    let text = "[providers.domaintools.tenants.acme]\nusername = \"u\"\n";
    let variables = [("PIVOTD__PROVIDERS__DOMAINTOOLS__TENANTS__ACME__API_KEY", CANARY)];
    let loaded = with(text, &variables).unwrap();
    let key = loaded.settings.providers["domaintools"].tenants["acme"]
        .key
        .clone()
        .unwrap();
    assert_eq!(key.fault, None);
    assert_eq!(key.parts["api_key"].value.expose_secret(), CANARY);
}

#[test]
fn a_check_shows_tenants_below_their_provider_and_is_not_content_with_a_broken_key() {
    let text = format!(
        "[providers.domaintools.tenants.acme]\nusername = \"a\"\napi_key = \"{CANARY}\"\n\
         [providers.domaintools.tenants.globex]\nbudget = \"7/day\"\n\
         [providers.domaintools.tenants.initech]\napi_key = \"{CANARY}\"\nrate = \"1/s\"\n"
    );
    let loaded = with(&text, &[]).unwrap();
    let catalogue = Catalogue::build(&loaded.settings, 1);
    let report = Report {
        loaded: &loaded,
        catalogue: &catalogue,
        refused: &BTreeMap::new(),
    };
    let rows = report.providers();
    assert!(!format!("{rows:?} {:?}", report.values()).contains(CANARY));
    let tenants: Vec<_> = rows
        .iter()
        .filter(|row| row[1].starts_with("for tenant"))
        .map(|[name, tenant, state, limits, why]| {
            assert_eq!(name, "domaintools");
            [tenant, state, limits, why].map(String::as_str)
        })
        .collect();
    let inherited = rows[0][3].as_str();
    assert_eq!(
        tenants,
        [
            ["for tenant acme", "key configured", inherited, ""],
            [
                "for tenant globex",
                "shared key",
                "7/day calls for tenant globex",
                ""
            ],
            [
                "for tenant initech",
                "key unreadable",
                "1 in 1s; 9/day calls",
                "username is not configured"
            ],
        ]
    );
    let verdict = report.verdict();
    assert!(!verdict.is_clean);
    let told = "not ready: domaintools has no key for tenant initech: username is not configured";
    assert!(verdict.line.starts_with(told), "{}", verdict.line);

    // What a running server has learnt of a tenant's key is told, too.
    let said = ("domaintools.tenants.acme".to_owned(), "no such key".to_owned());
    let report = Report {
        refused: &BTreeMap::from([said]),
        ..report
    };
    let rows = report.providers();
    let acme = rows.iter().find(|row| row[1] == "for tenant acme").unwrap();
    assert_eq!(
        (acme[2].as_str(), acme[4].as_str()),
        ("key refused", "no such key")
    );
    let told = "not ready: domaintools refuses the key of tenant acme: no such key";
    assert!(
        report.verdict().line.starts_with(told),
        "{}",
        report.verdict().line
    );
}
