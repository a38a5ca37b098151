//! How calls reach a vendor: proxies, certificate authorities, addresses.

use pivotd::config::settings::{NetworkSettings, TlsFiles};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{API_KEY, Builder, Entity};

const IP_HISTORY: &str = "domaintools.ip-history";

/// Takes one request as a proxy does and answers it; returns what it was sent.
async fn proxy_once(listener: TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let body = r#"{"response":{"domain_name":"example.com","ip_history":[]}}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn calls_go_through_the_proxy_with_its_password() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let builder = Builder::new().settings(move |settings| {
        settings.providers.get_mut("domaintools").unwrap().network = NetworkSettings {
            proxy: Some(proxy),
            proxy_auth: Some(("user".to_owned(), SecretString::from("canary-proxy"))),
            ..NetworkSettings::default()
        };
    });
    let app = builder.start().await;
    let (seen, answer) = tokio::join!(
        proxy_once(listener),
        app.run(IP_HISTORY, Entity::domain("example.com"))
    );
    assert!(
        seen.starts_with(&format!(
            "GET {}/v1/example.com/hosting-history?",
            app.vendor.base_url()
        )),
        "{seen}"
    );
    // "user:canary-proxy" in base64.
    assert!(
        seen.to_lowercase()
            .contains("proxy-authorization: basic dxnlcjpjyw5hcnktchjvehk="),
        "{seen}"
    );
    assert!(answer.said("Inform").contains("knows nothing"), "{}", answer.body);
    assert!(!app.log().contains("canary-proxy"));
    assert_eq!(app.vendor.attempts(), 0);
}

#[tokio::test]
async fn a_host_that_needs_no_proxy_is_reached_without_it() {
    let builder = Builder::new().settings(|settings| {
        settings.providers.get_mut("domaintools").unwrap().network = NetworkSettings {
            // Nobody listens there: a call that took this way would fail.
            proxy: Some("http://127.0.0.1:1".to_owned()),
            no_proxy: vec!["127.0.0.0/8".to_owned()],
            ..NetworkSettings::default()
        };
    });
    let app = builder.start().await;
    let answer = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert!(!answer.entities().is_empty(), "{}", answer.body);
}

#[tokio::test]
async fn a_further_authority_is_trusted_and_an_unknown_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let ca = files.certificate.clone();
    // Another pivotd, with TLS, stands in for a vendor: it knows no such path, which is an answer.
    let vendor = Builder::new()
        .settings(move |settings| settings.server.tls = Some(files))
        .start()
        .await;
    let base = format!("https://localhost:{}", vendor.base.rsplit_once(':').unwrap().1);
    for (trusted, part) in [(Some(ca), "knows nothing"), (None, "cannot be reached")] {
        let base = base.clone();
        let builder = Builder::new().settings(move |settings| {
            let provider = settings.providers.get_mut("domaintools").unwrap();
            provider
                .base_urls
                .values_mut()
                .for_each(|url| url.clone_from(&base));
            provider.network.ca_file = trusted;
            provider.attempts = 1;
        });
        let app = builder.start().await;
        let answer = app.run(IP_HISTORY, Entity::domain("example.com")).await;
        assert!(
            answer.messages().iter().any(|(_, text)| text.contains(part)),
            "{part}: {}",
            answer.body
        );
        app.app.engine.store().settled().await;
        let booked = app
            .app
            .engine
            .ledger()
            .calls_by_product("domaintools")
            .get("*")
            .copied()
            .unwrap_or(0);
        assert_eq!(
            booked,
            i64::from(part == "knows nothing"),
            "what was never sent is given back"
        );
        assert!(!answer.body.contains(API_KEY));
    }
}
