//! Clients that are known by signed tokens of an issuer, and the seed in JSON.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use pivotd::config::settings::{IssuerSettings, Settings};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{DESKTOP, V3, domain, request};
use crate::support::{Answer, Builder, TestApp, start_of_time};

const ISSUER: &str = "https://login.example.org/";
const AUDIENCE: &str = "pivotd";

/// A key of an issuer.
struct Key {
    kid: &'static str,
    encoding: EncodingKey,
}

impl Key {
    fn new(kid: &'static str) -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        Self {
            kid,
            encoding: EncodingKey::from_ec_der(&pair.serialize_der()),
        }
    }

    fn public(&self) -> Jwk {
        let mut key = Jwk::from_encoding_key(&self.encoding, Algorithm::ES256).unwrap();
        key.common.key_id = Some(self.kid.to_owned());
        key
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header {
            kid: Some(self.kid.to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        encode(&header, claims, &self.encoding).unwrap()
    }
}

/// What an issuer serves, and how often it was asked; nothing where it is down.
#[derive(Clone, Default)]
struct Served(Arc<Mutex<(Option<String>, usize)>>);

impl Served {
    fn set(&self, keys: &[&Key]) {
        let keys = keys.iter().map(|key| key.public()).collect();
        self.0.lock().unwrap().0 = Some(serde_json::to_string(&JwkSet { keys }).unwrap());
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }

    /// Serves a set of keys on loopback.
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = self.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let body = {
                    let mut state = served.0.lock().unwrap();
                    state.1 += 1;
                    state.0.clone()
                };
                let answer = match body {
                    Some(body) => format!(
                        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    ),
                    None => "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        address
    }
}

fn issuer(jwks: SocketAddr) -> IssuerSettings {
    IssuerSettings {
        name: "corp".to_owned(),
        issuer: ISSUER.to_owned(),
        audience: vec![AUDIENCE.to_owned()],
        jwks_url: format!("http://{jwks}/keys"),
        client: "sign-on".to_owned(),
        tenant: "default".to_owned(),
        per_minute: None,
        algorithms: vec![Algorithm::ES256],
        ca_file: None,
        allow_private: false,
    }
}

async fn start(served: &Served) -> TestApp {
    let one = issuer(served.start().await);
    let builder = Builder::new().manual_clock();
    builder
        .settings(move |settings: &mut Settings| settings.issuers = vec![one])
        .start()
        .await
}

fn now() -> i64 {
    use pivotd::clock::Clock;
    start_of_time().now().as_second()
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now() + 3600, "sub": "anna@example.org"})
}

async fn status(app: &TestApp, token: &str) -> (u16, Value) {
    let answer = V3::of(app, token).get("/transforms").await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_signed_token_of_a_configured_issuer_may_run_transforms_and_nothing_else() {
    let (served, key) = (Served::default(), Key::new("one"));
    served.set(&[&key]);
    let app = start(&served).await;
    let token = key.sign(&claims());
    let client = V3::of(&app, &token);
    assert_eq!(client.get("/transforms").await.status, 200);
    let (state, events) = client.run("domaintools.ip-history", &domain("example.com")).await;
    assert_eq!(state, "COMPLETED");
    assert!(!super::found(&events).is_empty());
    assert_eq!(served.asked(), 1, "keys are kept");
    assert!(app.log().contains("client=\"sign-on\""), "{}", app.log());
    assert!(!app.log().contains(&token));
    let score = app
        .http
        .get(format!("{}/v1/domain/example.com/reputation", app.base))
        .bearer_auth(&token);
    assert_eq!(score.send().await.unwrap().status(), 403);
    // The vendor's own sign-on puts it elsewhere.
    let other = app
        .http
        .get(format!("{}/transforms", app.base))
        .header("maltego-identity-authorization", format!("Bearer {token}"))
        .header("user-agent", DESKTOP);
    assert_eq!(Answer::of(other.send().await.unwrap()).await.status, 200);
    // Buying needs a scope that such a client does not have.
    let settings = [("domaintools.buy", json!(true))];
    let wish = request("maltego.EmailAddress", &["a.kranz@mailbox.example"], &settings);
    let (_, events) = client.run("domaintools.reverse-whois", &wish).await;
    assert!(super::found(&events).is_empty(), "{events:?}");
}

#[tokio::test]
async fn what_the_issuer_did_not_say_to_this_server_now_is_refused() {
    let (served, key, other) = (Served::default(), Key::new("one"), Key::new("one"));
    served.set(&[&key]);
    let app = start(&served).await;
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let good = key.sign(&claims());
    let (head, rest) = good.split_once('.').unwrap();
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let secret = EncodingKey::from_secret(serde_json::to_string(&key.public()).unwrap().as_bytes());
    let symmetric = encode(&Header::new(Algorithm::HS256), &claims(), &secret.unwrap()).unwrap();
    for (what, token, code) in [
        (
            "another key's signature",
            other.sign(&claims()),
            "credentials_invalid",
        ),
        (
            "no signature",
            format!("{unsigned}.{}.", rest.split('.').next().unwrap()),
            "credentials_invalid",
        ),
        ("a secret in place of a key", symmetric, "credentials_invalid"),
        (
            "another audience",
            key.sign(&with("aud", json!("other"))),
            "credentials_invalid",
        ),
        ("no audience", key.sign(&without("aud")), "credentials_invalid"),
        (
            "another issuer",
            key.sign(&with("iss", json!("https://evil.example/"))),
            "credentials_invalid",
        ),
        ("no issuer", key.sign(&without("iss")), "credentials_invalid"),
        ("no end", key.sign(&without("exp")), "credentials_invalid"),
        (
            "an end that is no number",
            key.sign(&with("exp", json!("soon"))),
            "credentials_invalid",
        ),
        (
            "a past end",
            key.sign(&with("exp", json!(now() - 61))),
            "token_expired",
        ),
        (
            "a later beginning",
            key.sign(&with("nbf", json!(now() + 61))),
            "credentials_invalid",
        ),
        ("a cut token", format!("{head}.x.y"), "credentials_invalid"),
    ] {
        let (status, problem) = status(&app, &token).await;
        assert_eq!(
            (status, problem["error_code"].clone()),
            (401, json!(format!("auth.{code}"))),
            "{what}"
        );
        assert!(!problem.to_string().contains(&token), "{what}");
    }
    // Clocks differ a little.
    for good in [
        with("exp", json!(now() - 30)),
        with("nbf", json!(now() + 30)),
        with("aud", json!(["x", AUDIENCE])),
        with("exp", json!(now() as f64 + 0.5)),
    ] {
        assert_eq!(status(&app, &key.sign(&good)).await.0, 200, "{good}");
    }
    // A token that was accepted ends all the same.
    let short = key.sign(&with("exp", json!(now() + 10)));
    assert_eq!(status(&app, &short).await.0, 200);
    app.clock().advance(Duration::from_secs(71));
    assert_eq!(status(&app, &short).await.1["error_code"], "auth.token_expired");
}

#[tokio::test]
async fn keys_are_fetched_again_where_a_token_names_a_new_one_and_not_for_every_token() {
    let (served, first, second) = (Served::default(), Key::new("one"), Key::new("two"));
    served.set(&[&first]);
    let app = start(&served).await;
    assert_eq!(status(&app, &first.sign(&claims())).await.0, 200);
    for _ in 0..5 {
        assert_eq!(status(&app, &second.sign(&claims())).await.0, 401);
    }
    assert_eq!(
        served.asked(),
        1,
        "what was fetched a moment ago is not fetched again"
    );
    served.set(&[&first, &second]);
    app.clock().advance(Duration::from_secs(11));
    assert_eq!(status(&app, &second.sign(&claims())).await.0, 200);
    assert_eq!(served.asked(), 2);
    // The issuer is down: what it said holds for an hour, and then it is not known who may ask.
    served.0.lock().unwrap().0 = None;
    app.clock().advance(Duration::from_secs(1800));
    assert_eq!(status(&app, &first.sign(&claims())).await.0, 200);
    app.clock().advance(Duration::from_secs(1801));
    let later = json!({"iss": ISSUER, "aud": AUDIENCE, "exp": now() + 9000});
    let (code, problem) = status(&app, &first.sign(&later)).await;
    assert_eq!(
        (code, problem["error_code"].clone()),
        (503, json!("auth.provider_unavailable"))
    );
}

#[tokio::test]
async fn a_token_in_the_path_goes_before_a_signed_one_of_another_issuer() {
    let (served, key) = (Served::default(), Key::new("one"));
    served.set(&[&key]);
    let app = start(&served).await;
    let client = V3 {
        prefix: format!("/t/{}", app.token),
        ..V3::of(&app, "eyJhbGciOiJSUzI1NiJ9.e30.c2ln")
    };
    assert_eq!(client.get("/transforms").await.status, 200);
    assert_eq!(served.asked(), 0);
}

#[tokio::test]
async fn one_url_is_a_seed_for_clients_of_both_protocols() {
    let app = TestApp::start().await;
    let path = format!("/t/{}", app.token);
    let ask = async |method: Method, headers: &[(&str, &str)]| {
        let mut request = app.http.request(method, format!("{}{path}/seed", app.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.send().await.unwrap()).await
    };
    let json_seed = ask(Method::GET, &[("accept", "application/json")]).await;
    let named = json_seed.json()["TransformApplications"][0].clone();
    let below = format!("{}{path}", app.base);
    assert_eq!(
        (named["URL"].clone(), named["V3URL"].clone()),
        (json!(below), json!(below))
    );
    assert_eq!(named["disclaimer"], Value::Null);
    assert_eq!(json_seed.header("maltego-protocol-version"), "3.3");
    assert_eq!(json_seed.header("cache-control"), "no-store", "a token is in it");
    let by_version = ask(Method::GET, &[("maltego-protocol-version", "3.1")]).await;
    assert_eq!(by_version.json()["TransformApplications"][0], named);
    let xml = ask(Method::GET, &[("accept", "text/xml")]).await;
    assert!(xml.body.starts_with("<MaltegoMessage>"), "{}", xml.body);
    let options = ask(Method::OPTIONS, &[("maltego-protocol-version", "3.2")]).await;
    assert_eq!(
        (options.body.as_str(), options.header("v3-page-size")),
        ("null", "50")
    );
    assert_eq!(options.header("maltego-protocol-version"), "3.2");
    let page = "https://app.maltego.com";
    let preflight = [("origin", page), ("access-control-request-method", "GET")];
    let allowed = ask(Method::OPTIONS, &preflight).await;
    assert_eq!(allowed.header("access-control-allow-origin"), page);
    let read = ask(Method::GET, &[("origin", page), ("accept", "application/json")]).await;
    assert_eq!(read.header("access-control-allow-origin"), page);
    let plain = app
        .http
        .get(format!("{}/seed", app.base))
        .header("accept", "application/json");
    let refused = Answer::of(plain.send().await.unwrap()).await;
    assert_eq!(
        (refused.status, refused.json()["error_code"].clone()),
        (401, json!("auth.credentials_missing"))
    );
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_holds_up_no_token_after_the_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let one = issuer(listener.local_addr().unwrap());
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            held.push(stream);
        }
    });
    let builder = Builder::new().manual_clock();
    let app = builder
        .settings(move |settings: &mut Settings| settings.issuers = vec![one])
        .start()
        .await;
    let key = Key::new("one");
    let tokens: Vec<String> = (0..6)
        .map(|at| {
            key.sign(&json!({
                "iss": ISSUER, "aud": AUDIENCE, "exp": now() + 3600, "sub": at.to_string()
            }))
        })
        .collect();
    let all = futures_util::future::join_all(tokens.iter().map(|token| status(&app, token)));
    let answers = app.while_moving(Duration::from_secs(15), all).await;
    assert!(answers.iter().all(|(status, _)| *status == 503), "{answers:?}");
    assert_eq!(
        asked.load(std::sync::atomic::Ordering::Relaxed),
        1,
        "all waited for one fetch"
    );
}
