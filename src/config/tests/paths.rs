use std::path::{Path, PathBuf};

use super::vendor;
use crate::config::settings::SecretOrigin;
use crate::config::{load, read, server};

const FILE: &str = "[server]
data = \"data\"
tls = { certificate = \"tls/chain.pem\", key = \"/etc/key.pem\" }
[log]
file = \"../log\"
[lists]
own = [\"own.txt\"]
[providers.domaintools]
username = { file = \"user\" }
api_key = { env = \"KEY\" }
ca_file = \"ca.pem\"
";

fn set(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn a_relative_path_of_a_file_begins_where_that_file_lies() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let file = here.join("my.toml");
    std::fs::write(&file, FILE).unwrap();
    std::fs::write(here.join("user"), "someone").unwrap();
    std::fs::write(here.join("own.txt"), "corp.example\n").unwrap();
    let loaded = load(Some(&file), &[set("KEY", "k")], &vendor::ALL).unwrap();
    let settings = &loaded.settings;
    assert_eq!(settings.server.data, here.join("data"));
    let tls = settings.server.tls.as_ref().unwrap();
    assert_eq!(tls.certificate, here.join("tls/chain.pem"));
    assert_eq!(tls.key, Path::new("/etc/key.pem"));
    assert_eq!(settings.log.file.as_deref(), Some(&*here.join("../log")));
    let provider = &settings.providers["domaintools"];
    assert_eq!(
        provider.credentials["username"].origin,
        SecretOrigin::File(here.join("user"))
    );
    assert_eq!(provider.network.ca_file.as_deref(), Some(&*here.join("ca.pem")));
    assert_eq!(server(Some(&file), &[]).unwrap().data, here.join("data"));
}

#[test]
fn a_relative_path_of_a_variable_and_the_default_begin_in_the_current_folder() {
    let laid_over = [
        set("PIVOTD__SERVER__DATA", "there"),
        set("PIVOTD__LOG__FILE", "log"),
        set(
            "PIVOTD__SERVER__TLS",
            "{ certificate = \"c.pem\", key = \"k.pem\" }",
        ),
        set("PIVOTD__PROVIDERS__DOMAINTOOLS__CA_FILE", "ca.pem"),
    ];
    let text = FILE.replace("[lists]\nown = [\"own.txt\"]\n", "");
    let settings = read("/etc/pivotd/my.toml", &text, false, &laid_over, &vendor::ALL)
        .unwrap()
        .settings;
    assert_eq!(settings.server.data, Path::new("there"));
    assert_eq!(settings.log.file, Some(PathBuf::from("log")));
    assert_eq!(settings.server.tls.unwrap().key, Path::new("k.pem"));
    let network = &settings.providers["domaintools"].network;
    assert_eq!(network.ca_file, Some(PathBuf::from("ca.pem")));
    let silent = read("/etc/pivotd/my.toml", "", false, &[], &vendor::ALL).unwrap();
    assert_eq!(silent.settings.server.data, Path::new("./data"));
    assert_eq!(server(None, &[]).unwrap().data, Path::new("./data"));
}

#[test]
fn an_empty_path_is_refused() {
    let refused = read("my.toml", "[log]\nfile = \"\"\n", false, &[], &vendor::ALL).unwrap_err();
    assert_eq!(refused.to_string(), "my.toml:2:8: file: must not be empty");
}

#[test]
fn a_variable_that_was_meant_to_be_a_setting_is_told() {
    let warned = |name: &str| {
        let loaded = read("my.toml", "", false, &[set(name, "verbose")], &vendor::ALL).unwrap();
        let told = loaded.warnings.iter().map(ToString::to_string);
        told.filter(|told| told.starts_with(name)).collect::<Vec<_>>()
    };
    for (name, meant) in [
        ("PIVOTD_LOG", "PIVOTD__LOG__LEVEL"),
        ("PIVOTD_LOG_LEVEL", "PIVOTD__LOG__LEVEL"),
        ("PIVOTD_SERVER__DATA", "PIVOTD__SERVER__DATA"),
        ("PIVOTD_LISTEN", "PIVOTD__SERVER__LISTEN"),
        ("PIVOTD_PUBLIC_URL", "PIVOTD__SERVER__PUBLIC_URL"),
        ("PIVOTD_THRESHOLD", "PIVOTD__REPUTATION__THRESHOLD"),
    ] {
        let expected = format!("{name}: is no setting and is ignored, did you mean \"{meant}\"?");
        assert_eq!(warned(name), [expected]);
    }
    for other in [
        "PIVOTD_CONFIG",
        "PIVOTD_FIRST_TOKEN_FILE",
        // As Kubernetes sets for a service of this name.
        "PIVOTD_SERVICE_HOST",
        "PIVOTD_PORT_8080_TCP",
        "PIVOTDX",
        "LOG",
    ] {
        assert_eq!(warned(other), Vec::<String>::new(), "{other}");
    }
}
