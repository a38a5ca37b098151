use std::fs;
use std::path::Path;

use secrecy::ExposeSecret as _;

use super::vendor;
use crate::config::settings::SecretOrigin;
use crate::config::{ConfigErrors, Loaded, load, read};

const CANARY: &str = "canary-0c5f";

fn with_key(key: &str, is_public: bool, variables: &[(String, String)]) -> Result<Loaded, ConfigErrors> {
    let text = format!("[providers.domaintools]\nusername = {{ env = \"NAME\" }}\napi_key = {key}\n");
    read("my.toml", &text, is_public, variables, &vendor::ALL)
}

fn key(loaded: &Loaded) -> Option<(String, SecretOrigin)> {
    let credential = loaded.settings.providers["domaintools"]
        .credentials
        .get("api_key")?;
    Some((
        credential.value.expose_secret().to_owned(),
        credential.origin.clone(),
    ))
}

fn set(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn a_key_comes_from_a_variable_or_the_file_itself() {
    let loaded = with_key("{ env = \"KEY\" }", true, &[set("KEY", "k1\n")]).unwrap();
    assert_eq!(
        key(&loaded),
        Some(("k1".to_owned(), SecretOrigin::Env("KEY".to_owned())))
    );
    let loaded = with_key("\"k2\"", false, &[]).unwrap();
    assert_eq!(key(&loaded), Some(("k2".to_owned(), SecretOrigin::Inline)));
    let laid_over = [set("PIVOTD__PROVIDERS__DOMAINTOOLS__API_KEY", "k3")];
    assert_eq!(
        key(&with_key("{ env = \"KEY\" }", true, &laid_over).unwrap())
            .unwrap()
            .0,
        "k3"
    );
    let named = [
        set("PIVOTD__PROVIDERS__DOMAINTOOLS__API_KEY", "{ env = \"K\" }"),
        set("K", "k4"),
    ];
    assert_eq!(key(&with_key("\"x\"", false, &named).unwrap()).unwrap().0, "k4");
}

#[test]
fn a_key_in_a_file_that_everybody_can_read_is_refused() {
    let told = with_key(&format!("\"{CANARY}\""), true, &[])
        .unwrap_err()
        .to_string();
    assert!(
        told.starts_with("my.toml:3:11: api_key: stands in a file that everybody on this machine can read"),
        "{told}"
    );
    assert!(!told.contains(CANARY));
}

#[test]
fn a_source_that_holds_nothing_leaves_the_provider_without_a_key() {
    let loaded = with_key("{ env = \"KEY\" }", false, &[set("NAME", "n")]).unwrap();
    let provider = &loaded.settings.providers["domaintools"];
    assert_eq!(provider.no_key().as_deref(), Some("no key: KEY is not set"));
    assert!(!provider.has_key(&vendor::DESCRIPTOR));
    let told: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert!(
        told.contains(&"my.toml:3:11: api_key: KEY is not set".to_owned()),
        "{told:?}"
    );
    let loaded = with_key("{ file = \"/nowhere/key\" }", false, &[set("NAME", "n")]).unwrap();
    let reason = loaded.settings.providers["domaintools"].no_key().unwrap();
    assert!(
        reason.starts_with("no key: /nowhere/key cannot be read: "),
        "{reason}"
    );
    let text = "[providers.domaintools]\nusername = { env = \"NAME\" }\n";
    let loaded = read("my.toml", text, false, &[set("NAME", "n")], &vendor::ALL).unwrap();
    let reason = loaded.settings.providers["domaintools"].no_key();
    assert_eq!(reason.as_deref(), Some("no key: api_key is not configured"));
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn permissions_of_files_count() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("key");
    fs::write(&secret, "k5\r\n").unwrap();
    let source = format!("{{ file = {:?} }}", secret.display().to_string());
    set_mode(&secret, 0o600);
    let loaded = with_key(&source, true, &[]).unwrap();
    assert_eq!(
        key(&loaded),
        Some(("k5".to_owned(), SecretOrigin::File(secret.clone())))
    );
    assert!(
        loaded
            .warnings
            .iter()
            .all(|warning| !warning.message.contains("chmod"))
    );
    set_mode(&secret, 0o644);
    let loaded = with_key(&source, false, &[]).unwrap();
    assert_eq!(key(&loaded).unwrap().0, "k5");
    assert!(
        loaded
            .warnings
            .iter()
            .any(|warning| warning.message.contains("can be read by everybody"))
    );

    let file = folder.path().join("my.toml");
    fs::write(&file, "[providers.domaintools]\napi_key = \"inline\"\n").unwrap();
    set_mode(&file, 0o644);
    assert!(load(Some(&file), &[], &vendor::ALL).is_err());
    set_mode(&file, 0o640);
    assert_eq!(
        key(&load(Some(&file), &[], &vendor::ALL).unwrap()).unwrap().0,
        "inline"
    );
}

#[test]
fn a_missing_file_is_a_fault_that_names_it() {
    let told = load(Some(Path::new("/nowhere/my.toml")), &[], &vendor::ALL)
        .unwrap_err()
        .to_string();
    assert!(told.starts_with("/nowhere/my.toml: cannot be read: "), "{told}");
}

#[test]
fn a_key_file_that_cannot_be_read_is_a_fault_of_the_key_and_a_variable_that_is_not_set_is_none() {
    let of = |text: &str, variables: &[(String, String)]| {
        read("my.toml", text, false, variables, &vendor::ALL).unwrap()
    };
    let faults = |loaded: &Loaded| {
        let provider = &loaded.settings.providers["domaintools"];
        let told = loaded
            .warnings
            .iter()
            .filter(|one| one.message.contains("cannot be read"));
        (provider.key_fault.is_some(), told.count())
    };
    let file = "{ file = \"/nowhere/key\" }";
    let both = format!("[providers.domaintools]\nusername = {file}\napi_key = {file}\n");
    assert_eq!(faults(&of(&both, &[])), (true, 2), "no part of the key is there");
    let neither = "[providers.domaintools]\nusername = { env = \"A\" }\napi_key = { env = \"B\" }\n";
    assert_eq!(faults(&of(neither, &[])), (false, 0));
    assert!(
        of(neither, &[set("A", "a")]).settings.providers["domaintools"]
            .key_fault
            .is_some()
    );
    let off = format!("{both}enabled = false\n");
    assert_eq!(faults(&of(&off, &[])), (false, 0));
    let proxy = format!(
        "{neither}proxy = \"http://proxy.example:3128\"\nproxy_username = \"u\"\nproxy_password = {file}\n"
    );
    assert_eq!(
        faults(&of(&proxy, &[])),
        (false, 1),
        "the password of the proxy is no key"
    );
}
