//! Discovery by a classic client that is given a URL and nothing else: it finds the transforms, runs each, and merges the results.

mod client;
mod emitted;
mod proxy;

use std::collections::{BTreeMap, BTreeSet};

use pivotd::config::settings::TlsFiles;
use pivotd::tokens::{NewToken, Scope};
use secrecy::ExposeSecret;

use self::client::{ClassicClient, Graph, Installed, elements};
use crate::support::{Answer, Builder, TestApp, providers};

/// Starts a server whose providers all have keys, and are played.
fn everything() -> Builder {
    let known = providers();
    let names = known.descriptors().map(|descriptor| descriptor.name.to_string());
    Builder::new().with(names.collect::<Vec<_>>())
}

async fn token(app: &TestApp, scopes: &[Scope]) -> String {
    let new = NewToken {
        scopes: scopes.to_vec(),
        ..NewToken::for_everyday("anna")
    };
    let (text, _) = app.app.tokens.create(new).await.unwrap();
    text.expose_secret().to_owned()
}

fn plain() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    client.build().unwrap()
}

/// Returns a value of a type, as an analyst has one on the graph.
fn value(app: &TestApp, transform: &Installed) -> String {
    let configured = app.app.configured.load();
    let entry = configured.listing.find(&transform.name).unwrap();
    let spec = configured.catalogue.find(&entry.transform.name).unwrap();
    if transform.name == spec.name {
        return spec.example.clone();
    }
    let value = match transform.input.as_str() {
        "maltego.Domain" | "maltego.Phrase" => "example.com",
        "maltego.DNSName" | "maltego.Website" | "maltego.NSRecord" | "maltego.MXRecord" => "www.example.com",
        "maltego.URL" => "https://www.example.com/login",
        "maltego.EmailAddress" => "a.kranz@mailbox.example",
        "maltego.IPv4Address" => "192.0.2.44",
        "maltego.IPv6Address" => "2001:db8:a1::15",
        "maltego.Hash" => "07b8ef109aae055418a43301ebe6b5b18b9f6b711bfdbcde4538bf76c5d68e00",
        "maltego.AS" => "64500",
        "maltego.Person" => "Anton Kranz",
        "maltego.Organization" => "Parkside",
        "maltego.PhoneNumber" => "+49 30 12345678",
        _ => "1184230",
    };
    value.to_owned()
}

/// Returns the transform that an entry of the list stands for.
fn entry_of(app: &TestApp, installed: &Installed) -> String {
    let configured = app.app.configured.load();
    configured
        .listing
        .find(&installed.name)
        .unwrap()
        .transform
        .name
        .clone()
}

/// Runs all that the client found, and checks that a client could show each answer. Returns what is on the graph, and which
/// transforms gave nothing, with what they said.
async fn run_all(app: &TestApp, client: &ClassicClient) -> (Graph, BTreeMap<String, String>) {
    let (mut graph, mut silent) = (Graph::default(), BTreeMap::new());
    let mut gave = BTreeSet::new();
    for transform in &client.transforms {
        let value = value(app, transform);
        let answer = client.run(transform, &value).await;
        assert_eq!(answer.status, 200, "{}: {}", transform.name, answer.body);
        for (kind, text) in answer.messages() {
            assert!(
                !kind.starts_with("Exception") && kind != "FatalError",
                "{} on {value}: {kind}: {text}",
                transform.name
            );
        }
        let told = !answer.messages().is_empty() || !answer.entities().is_empty();
        assert!(
            told,
            "{} on {value} gives nothing and says nothing",
            transform.name
        );
        // What costs money is quoted, and what leads from a sinkhole to those who use it is not asked.
        if [" USD from ", "sinkhole"]
            .iter()
            .any(|part| answer.said("Inform").contains(part))
        {
            gave.insert(entry_of(app, transform));
        }
        silent
            .entry(entry_of(app, transform))
            .or_insert(answer.said("Inform"));
        for (type_id, value) in answer.entities() {
            assert!(
                transform.outputs.contains(&type_id),
                "{} gives {type_id} {value}, which its outputs do not name",
                transform.name
            );
            gave.insert(entry_of(app, transform));
        }
        graph.merge(&answer);
    }
    silent.retain(|name, _| !gave.contains(name));
    (graph, silent)
}

fn check_install(client: &ClassicClient) {
    assert!(client.transforms.len() > 60, "{}", client.transforms.len());
    let mut seen = BTreeMap::new();
    for transform in &client.transforms {
        assert!(
            seen.insert(&transform.name, ()).is_none(),
            "{} is there twice",
            transform.name
        );
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        assert!(transform.name.chars().all(is_plain), "{}", transform.name);
        assert!(!transform.display.is_empty() && !transform.input.is_empty());
        assert!(
            !transform.outputs.is_empty(),
            "{} names no output",
            transform.name
        );
        let has_token = transform
            .settings
            .iter()
            .any(|(name, _)| name == "global#pivotd.token");
        assert!(has_token, "{}", transform.name);
        let kept = format!(
            "TransformRepositories/Remote/paterva.v2.{}.transform",
            transform.name
        );
        assert!(client.configuration.contains_key(&kept), "{kept}");
    }
    let base = client.application.strip_suffix("/runner").unwrap();
    for (member, url) in [
        ("Seeds/pivotd.seed", format!("{base}/seed")),
        ("Servers/pivotd.tas", client.application.clone()),
    ] {
        let text = String::from_utf8(client.configuration[member].clone()).unwrap();
        assert!(text.contains(&format!("\"{url}\"")), "{member}: {text}");
    }
}

#[tokio::test]
async fn one_url_is_enough_for_a_client_that_can_send_no_header() {
    let app = everything().start().await;
    let token = token(&app, &[Scope::Transforms]).await;
    let client = ClassicClient::discover(plain(), &format!("{}/t/{token}/seed", app.base)).await;
    assert!(
        client
            .application
            .starts_with(&format!("{}/t/{token}/", app.base)),
        "it points only at itself"
    );
    check_install(&client);
    let (graph, silent) = run_all(&app, &client).await;
    assert!(silent.is_empty(), "{silent:?}");
    assert!(
        graph.nodes.len() > 100 && graph.nodes.len() < graph.received,
        "{}",
        graph.nodes.len()
    );
    let two_sources = |fields: &BTreeMap<String, String>| {
        let sources = fields.keys().filter(|name| name.ends_with(".retrieved_at"));
        sources.count() > 1
    };
    assert!(
        graph.nodes.values().any(two_sources),
        "no entity has what two providers say"
    );
    assert!(!app.log().contains(&token));
}

#[tokio::test]
async fn the_demo_needs_no_token() {
    let app = everything().demo().start().await;
    let client = ClassicClient::discover(plain(), &format!("{}/seed", app.base)).await;
    assert_eq!(client.application, format!("{}/runner", app.base));
    check_install(&client);
    let first = client
        .transforms
        .iter()
        .find(|one| one.name == "domaintools.ip-history")
        .unwrap();
    assert!(!client.run(first, "example.com").await.entities().is_empty());
}

#[tokio::test]
async fn a_client_comes_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    let certify = || {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        let ca = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
        client.tls_certs_only([ca]).build().unwrap()
    };
    let http = certify();
    let given = files.clone();
    let app = Builder::new()
        .manual_clock()
        .settings(move |settings| settings.server.tls = Some(given))
        .start()
        .await;
    let token = token(&app, &[Scope::Transforms]).await;
    let port = app.base.rsplit_once(':').unwrap().1;
    let seed = format!("https://localhost:{port}/t/{token}/seed");
    let client = ClassicClient::discover(http.clone(), &seed).await;
    assert!(
        client
            .application
            .starts_with(&format!("https://localhost:{port}/"))
    );
    let first = client
        .transforms
        .iter()
        .find(|one| one.name == "domaintools.ip-history")
        .unwrap();
    assert!(!client.run(first, "example.com").await.entities().is_empty());
    let log = app.log();
    let found = log.lines().filter(|line| line.contains("status=200"));
    let found: Vec<_> = found.filter(|line| !line.contains("ip-history")).collect();
    assert!(
        !found.is_empty() && found.iter().all(|line| line.contains("outcome=served")),
        "{found:?}"
    );
    // The key is renewed in place, and taken over when the server looks at its files again.
    let renewed = certify();
    let trusted = async |http: &reqwest::Client| http.get(&seed).send().await.is_ok();
    assert!(trusted(&http).await && !trusted(&renewed).await);
    let until = async {
        while !trusted(&renewed).await {
            tokio::task::yield_now().await;
        }
    };
    app.while_moving(std::time::Duration::from_secs(60), until).await;
    assert!(!trusted(&http).await, "the former certificate is gone");
}

#[tokio::test]
async fn a_client_comes_through_a_proxy_that_takes_a_prefix_away() {
    let builder = everything().settings(|settings| {
        settings.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let app = builder.start().await;
    let token = token(&app, &[Scope::Transforms]).await;
    let to = app.base.strip_prefix("http://").unwrap().parse().unwrap();
    let headers = "X-Forwarded-Proto: http\r\nX-Forwarded-Prefix: /ti\r\n";
    let proxy = proxy::start(to, "/ti", headers).await;
    let base = format!("http://{proxy}/ti/t/{token}");
    let client = ClassicClient::discover(plain(), &format!("{base}/seed")).await;
    assert_eq!(client.application, format!("{base}/runner"));
    check_install(&client);
    for transform in client.transforms.iter().take(5) {
        let answer = client.run(transform, &value(&app, transform)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[tokio::test]
async fn who_may_not_ask_is_told_how_to_get_a_url_of_their_own() {
    let app = TestApp::start().await;
    let plain = plain();
    let get =
        async |path: &str| Answer::of(plain.get(format!("{}{path}", app.base)).send().await.unwrap()).await;
    for path in ["/seed", "/runner?Command=_TRANSFORMS", "/runner?Command=_CONFIG"] {
        let refused = get(path).await;
        assert_eq!(refused.status, 401, "{path}");
        assert!(
            refused.body.contains("tokens create NAME --maltego"),
            "{}",
            refused.body
        );
        assert_eq!(elements(&refused.body)[0].name, "MaltegoMessage");
    }
    let wrong = get("/t/pvd_nothing/seed").await;
    assert_eq!(wrong.status, 401);
    assert!(
        wrong.body.contains("ask the administrator") && !wrong.body.contains("--maltego"),
        "{}",
        wrong.body
    );
    let enrich = token(&app, &[Scope::Enrich]).await;
    assert_eq!(get(&format!("/t/{enrich}/seed")).await.status, 403);
    // A token in a header is one, too; what is handed out then holds none.
    let seen = plain.get(format!("{}/seed", app.base)).bearer_auth(&app.token);
    let seen = Answer::of(seen.send().await.unwrap()).await;
    assert_eq!(seen.status, 200);
    assert!(
        !seen.body.contains(&app.token) && seen.body.contains("/runner\""),
        "{}",
        seen.body
    );
}

#[tokio::test]
async fn commands_and_methods_that_there_are_not_are_told_apart() {
    let app = TestApp::start().await;
    let plain = plain();
    let ask = async |method: &str, path: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = plain
            .request(method, format!("{}{path}", app.base))
            .bearer_auth(&app.token);
        Answer::of(request.send().await.unwrap()).await
    };
    for (method, path, status, part) in [
        ("HEAD", "/seed", 200, ""),
        ("OPTIONS", "/seed", 200, "null"),
        ("OPTIONS", "/runner", 200, "null"),
        ("POST", "/seed", 405, "GET, HEAD, OPTIONS"),
        ("GET", "/runner", 400, "_TRANSFORMS, _CONFIG or _RUN"),
        ("GET", "/runner?Command=nonsense", 400, "&quot;nonsense&quot;"),
        ("GET", "/runner?Command=_RUN&TransformToRun=x", 405, "POST"),
        (
            "POST",
            "/runner?Command=_RUN&TransformToRun=no.such",
            404,
            "there is no transform",
        ),
        ("POST", "/runner?Command=_RUN", 404, "there is no transform"),
        ("POST", "/runner?Command=_TRANSFORMS", 200, "TransformName"),
        ("GET", "/runner?command=_transforms", 200, "TransformName"),
        ("GET", "/runner?Command=_PERFORMANCE", 200, "100"),
        ("DELETE", "/runner", 405, "GET, HEAD, POST, OPTIONS"),
    ] {
        let answer = ask(method, path).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        let escaped = answer.body.replace('"', "&quot;");
        assert!(escaped.contains(part), "{method} {path}: {}", answer.body);
    }
}
