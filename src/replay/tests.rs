use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::redirect::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

pub(super) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .build()
        .unwrap()
}

pub(super) fn exchange(name: &str, request: &str, body: &str) -> Exchange {
    let text = format!("{request}\n\nHTTP/1.1 200 OK\nContent-Type: application/json\n\n{body}");
    Exchange::parse(name, &text).unwrap()
}

pub(super) fn vendor(exchanges: &[(&str, &str)]) -> Vendor {
    let parsed = exchanges
        .iter()
        .map(|(name, request)| exchange(name, request, name))
        .collect();
    Vendor::from_exchanges("acme", parsed).unwrap()
}

pub(super) fn domaintools() -> Vendor {
    Vendor::from_path(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/domaintools")).unwrap()
}

const HISTORY: &str = "/v1/example.com/hosting-history";

#[tokio::test]
async fn answers_as_the_fixture_says_and_logs_what_it_saw() {
    let vendor = domaintools();
    let name = "domaintools/hosting-history/found.http";
    let fixture = vendor
        .exchanges()
        .iter()
        .find(|exchange| exchange.name() == name)
        .unwrap()
        .answer()
        .clone();
    let replay = Replay::start(vendor).await.unwrap();
    assert!(replay.address().ip().is_loopback());
    let client = client();
    let answer = client
        .get(format!("{}{HISTORY}?limit=3&q=a+b", replay.base_url()))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/json;charset=utf-8");
    assert_eq!(answer.bytes().await.unwrap(), fixture.body);
    let posted = client
        .post(format!("{}/v1/search", replay.base_url()))
        .form(&[("a", "1 2")])
        .send()
        .await
        .unwrap();
    assert_eq!(posted.status(), StatusCode::NOT_FOUND);

    let seen = replay.seen();
    assert_eq!(seen.iter().map(|request| request.at).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("GET", HISTORY));
    assert_eq!(
        (seen[0].query_value("limit"), seen[0].query_value("q")),
        (Some("3"), Some("a b"))
    );
    assert_eq!(
        seen[0].header("Host"),
        Some(replay.address().to_string().as_str())
    );
    assert_eq!(seen[1].form(), [("a".to_owned(), "1 2".to_owned())]);
    assert_eq!(
        (
            replay.attempts(),
            replay.attempts_to("/v1/example"),
            replay.attempts_to("/v2")
        ),
        (2, 1, 0)
    );
    replay.forget();
    assert_eq!((replay.attempts(), replay.seen().len()), (0, 0));
    client.get(replay.base_url()).send().await.unwrap();
    assert_eq!(replay.seen()[0].at, 3, "numbers are never used again");
    replay.stop().await;
}

/// Sends bytes as they are and reads until the server closes.
async fn raw(replay: &Replay, request: &str) -> String {
    let mut stream = TcpStream::connect(replay.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn speaks_http_1_1_and_bounds_it() {
    let replay = Replay::start(vendor(&[
        ("ok", "POST /a"),
        ("read", "GET /a"),
        ("head", "HEAD /a"),
    ]))
    .await
    .unwrap();
    let close = "Connection: close\r\n\r\n";
    let pipelined = raw(
        &replay,
        &format!("GET /a HTTP/1.1\r\n\r\nHEAD /a HTTP/1.1\r\n{close}"),
    )
    .await;
    assert_eq!(
        pipelined.matches("HTTP/1.1 200 OK\r\n").count(),
        2,
        "one connection serves both: {pipelined}"
    );
    assert_eq!(pipelined.matches("\r\n\r\nread").count(), 1);
    assert!(
        pipelined.ends_with("Content-Length: 4\r\nConnection: close\r\n\r\n"),
        "HEAD has no body: {pipelined}"
    );

    let chunked = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n";
    assert!(
        raw(&replay, chunked)
            .await
            .starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    );
    let last = replay.seen().pop().unwrap();
    assert_eq!((&*last.body, last.whole), (&b"abcde"[..], true));

    let before = replay.attempts();
    let long = "x".repeat(65 << 10);
    let refused = [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET http://a.example/ HTTP/1.1\r\n\r\n".to_owned(), 400),
        (format!("GET /a HTTP/1.1\r\nX: {long}\r\n\r\n"), 431),
        (
            "GET /a HTTP/1.1\r\n".to_owned() + &"X: y\r\n".repeat(200) + "\r\n",
            431,
        ),
        (
            "POST /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(),
            400,
        ),
        (
            "POST /a HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
            400,
        ),
        ("POST /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n".to_owned(), 400),
        (
            "POST /a HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n".to_owned(),
            413,
        ),
        (
            "POST /a HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n".to_owned(),
            413,
        ),
    ];
    for (request, status) in refused {
        let answer = raw(&replay, &request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{status}: {answer}"
        );
    }
    assert_eq!(replay.attempts(), before, "no head was read");
    for (chunks, status) in [
        ("zz\r\n", 400),
        ("1\r\nab\r\n", 400),
        ("100001\r\n", 413),
        ("ffffffffffffffff\r\n", 413),
    ] {
        let answer = raw(
            &replay,
            &format!("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
        )
        .await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{chunks:?}: {answer}"
        );
    }
    assert_eq!(replay.attempts(), before + 4);
    assert!(!replay.seen().pop().unwrap().whole);
}

#[tokio::test]
async fn waits_for_requests_and_ends_with_its_connections() {
    let replay = Arc::new(Replay::start(vendor(&[("ok", "GET /a")])).await.unwrap());
    let waiting = tokio::spawn({
        let replay = Arc::clone(&replay);
        async move { replay.wait_for_attempts(2).await }
    });
    let mut idle = TcpStream::connect(replay.address()).await.unwrap();
    let mut cut = TcpStream::connect(replay.address()).await.unwrap();
    idle.write_all(b"GET /a HTTP/1.1\r\n\r\n").await.unwrap();
    replay.wait_for_attempts(1).await;
    assert!(!waiting.is_finished());
    cut.write_all(b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nab")
        .await
        .unwrap();
    drop(cut);
    waiting.await.unwrap();
    assert_eq!(
        replay
            .seen()
            .iter()
            .map(|request| request.whole)
            .collect::<Vec<_>>(),
        [true, false]
    );

    let address = replay.address();
    Arc::into_inner(replay).unwrap().stop().await;
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"ok"), "the open connection was closed");
    assert!(TcpStream::connect(address).await.is_err(), "the port was closed");

    let dropped = Replay::start(vendor(&[("ok", "GET /a")])).await.unwrap();
    let mut idle = TcpStream::connect(dropped.address()).await.unwrap();
    idle.write_all(b"GET /a HTTP/1.1\r\n\r\n").await.unwrap();
    dropped.wait_for_attempts(1).await;
    drop(dropped);
    let _closed_or_reset = idle.read_to_end(&mut rest).await;
}

// openssl dgst -sha256 -hmac not-a-real-key, over "analyst2013-05-20T08:15:00Z/v1/example.com/hosting-history".
const SIGNATURE: &str = "aa04222c58955cce8d018c41ea22c2db0c7ca819cfcb765bcf7887a9e713ec00";
const TIMESTAMP: &str = "2013-05-20T08:15:00Z";

#[tokio::test]
async fn domaintools_accepts_its_three_ways_and_nothing_else() {
    let vendor = domaintools().with_authenticator(domaintools_auth("analyst", "not-a-real-key"));
    let replay = Replay::start(vendor).await.unwrap();
    let url = format!("{}{HISTORY}", replay.base_url());
    let client = client();
    let upper = SIGNATURE.to_ascii_uppercase();
    let signed = |timestamp, signature| {
        vec![
            ("api_username", "analyst"),
            ("timestamp", timestamp),
            ("signature", signature),
        ]
    };
    let cases = [
        (
            vec![("api_username", "analyst"), ("api_key", "not-a-real-key")],
            200,
        ),
        (vec![("api_username", "analyst"), ("api_key", "wrong")], 403),
        (
            vec![("api_username", "other"), ("api_key", "not-a-real-key")],
            403,
        ),
        (vec![("api_key", "not-a-real-key")], 403),
        (signed(TIMESTAMP, SIGNATURE), 200),
        (signed(TIMESTAMP, &upper), 200),
        (signed("2013-05-20T08:15:01Z", SIGNATURE), 403),
        (signed("yesterday", SIGNATURE), 403),
        (signed(TIMESTAMP, ""), 403),
        (
            vec![
                ("api_username", "other"),
                ("timestamp", TIMESTAMP),
                ("signature", SIGNATURE),
            ],
            403,
        ),
        (vec![("api_username", "analyst"), ("signature", SIGNATURE)], 403),
        (vec![("api_username", "analyst")], 403),
        (vec![], 403),
    ];
    for (query, status) in cases {
        let answer = client.get(&url).query(&query).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{query:?}");
        if status == 403 {
            let body: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(body["error"]["code"], 403);
            assert!(
                body["error"]["message"]
                    .as_str()
                    .unwrap()
                    .contains("do not match an active account")
            );
            assert!(body["resources"]["support"].is_string());
        }
    }
    let other_path = format!("{}/v1/example.net/hosting-history", replay.base_url());
    let answer = client
        .get(other_path)
        .query(&signed(TIMESTAMP, SIGNATURE))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403, "a signature is for one path");
    for (key, username, status) in [
        ("not-a-real-key", None, 200),
        ("not-a-real-key", Some("analyst"), 200),
        ("not-a-real-key", Some("other"), 403),
        ("wrong", Some("analyst"), 403),
    ] {
        let query: Vec<_> = username.map(|name| ("api_username", name)).into_iter().collect();
        let answer = client
            .get(&url)
            .header("X-Api-Key", key)
            .query(&query)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status, "{key} {username:?}");
    }
    let form = [
        ("api_username", "analyst"),
        ("api_key", "not-a-real-key"),
        ("domain", "example.com"),
    ];
    let answer = client.post(&url).form(&form).send().await.unwrap();
    assert_eq!(
        answer.status(),
        404,
        "the form's credentials count; there is only no such exchange"
    );
}
