use std::sync::Arc;

use include_dir::{Dir, DirEntry, File};
use proptest::prelude::*;
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

fn vendor(exchanges: &[(&str, &str)]) -> Vendor {
    let parsed = exchanges
        .iter()
        .map(|(name, request)| exchange(name, request, name))
        .collect();
    Vendor::from_exchanges("acme", parsed).unwrap()
}

fn domaintools() -> Vendor {
    Vendor::from_path(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/domaintools")).unwrap()
}

const HISTORY: &str = "/v1/example.com/hosting-history";

#[test]
fn reads_every_part_of_a_fixture() {
    let text = "# why\r\n# more\r\nPOST /v1/{domain}/x%20y\r\nquery: limit=100&offset=*\r\nform: terms=a%7Cb\r\n\r\nHTTP/1.1 206 Partial Content\r\nX-One: 1\r\nX-One:  two: 2 \r\n\r\n{\r\n\n}\n";
    let parsed = Exchange::parse("acme/x.http", text).unwrap();
    assert_eq!(parsed.name(), "acme/x.http");
    assert_eq!(parsed.answer().status, 206);
    let headers =
        [("X-One", "1"), ("X-One", "two: 2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(parsed.answer().headers, headers);
    assert_eq!(parsed.answer().body, "{\r\n\n}\n", "the body keeps every byte");
    assert_eq!(
        Exchange::parse("x", "GET /\n\nHTTP/1.1 204 No Content\n")
            .unwrap()
            .answer()
            .body,
        ""
    );
}

#[test]
fn names_file_and_line_of_a_fault() {
    let cases = [
        ("", 0, "no request line"),
        ("# only\n# comments\n", 2, "no request line"),
        ("GET\n", 1, "not a method and a path"),
        ("# c\nGET /a b\n", 2, "not a method and a path"),
        ("get /a\n", 1, "upper case"),
        ("GET a\n", 1, "begin with a slash"),
        ("GET /a?b=c\n", 1, "belong on a query: line"),
        ("GET /a\n", 1, "ends before the answer"),
        ("GET /a\nheader: x\n\n", 2, "neither a query: nor a form:"),
        ("GET /a\nquery: x\n\n", 2, "not name=value"),
        ("GET /a\nform: x=1&&y=2\n\n", 2, "not name=value"),
        ("GET /a\n\n", 2, "ends before the answer"),
        ("GET /a\n\nHTTP/1.1 99 Low\n", 3, "not a status line"),
        ("GET /a\n\nHTTP/2 200 OK\n", 3, "not a status line"),
        ("GET /a\n\nHTTP/1.1 200 OK\nno header\n", 4, "not a header"),
        ("GET /a\n\nHTTP/1.1 200 OK\nA: b\nC D: e\n", 5, "name of a header"),
        (
            "GET /a\n\nHTTP/1.1 200 OK\ncontent-length: 5\n\n",
            4,
            "written by the server",
        ),
        ("* *\nquery: a=b\n\n", 1, "takes no parameters"),
    ];
    for (text, line, reason) in cases {
        let error = Exchange::parse("acme/bad.http", text).unwrap_err();
        assert_eq!(
            (error.file.as_str(), error.line),
            ("acme/bad.http", line),
            "{text:?}: {error}"
        );
        assert!(error.reason.contains(reason), "{text:?}: {error}");
        let prefix = if line == 0 {
            "acme/bad.http: ".to_owned()
        } else {
            format!("acme/bad.http:{line}: ")
        };
        assert!(error.to_string().starts_with(&prefix), "{error}");
    }
}

proptest! {
    #[test]
    fn never_panics_on_any_text(text in "(GET|POST|#|query: |form: |HTTP/1.1 200 OK|/\\{a\\}|[a-z=&:*/% \r]|\n){0,40}") {
        let _parsed = Exchange::parse("any", &text);
    }
}

fn asked(method: &str, path: &str, query: &[(&str, &str)]) -> SeenRequest {
    SeenRequest {
        at: 1,
        method: method.to_owned(),
        path: path.to_owned(),
        query: query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        headers: Vec::new(),
        body: bytes::Bytes::new(),
        whole: true,
    }
}

fn chosen(vendor: &Vendor, path: &str, query: &[(&str, &str)]) -> String {
    let answer = vendor.answer(&asked("GET", path, query));
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[test]
fn the_most_specific_exchange_wins() {
    let vendor = vendor(&[
        ("any", "GET /v1/{domain}/whois"),
        ("any-paged", "GET /v1/{domain}/whois\nquery: limit=10&offset=*"),
        ("literal", "GET /v1/example.com/whois"),
        (
            "literal-first-page",
            "GET /v1/example.com/whois\nquery: limit=10&offset=0",
        ),
        (
            "literal-some-page",
            "GET /v1/example.com/whois\nquery: limit=10&offset=*",
        ),
    ]);
    let page = |offset| [("app_name", "pivotd"), ("limit", "10"), ("offset", offset)];
    assert_eq!(chosen(&vendor, "/v1/example.net/whois", &[]), "any");
    assert_eq!(chosen(&vendor, "/v1/example.net/whois", &page("0")), "any-paged");
    assert_eq!(
        chosen(&vendor, "/v1/example.com/whois", &[("limit", "10")]),
        "literal"
    );
    assert_eq!(
        chosen(&vendor, "/v1/example.com/whois", &page("0")),
        "literal-first-page"
    );
    assert_eq!(
        chosen(&vendor, "/v1/example.com/whois/", &page("10")),
        "literal-some-page"
    );
    assert_eq!(
        chosen(&vendor, "/v1/%65xample.com/whois", &[]),
        "literal",
        "segments are compared decoded"
    );
    for path in [
        "/v1/example.com",
        "/v1/example.com/whois/history",
        "/v1//whois",
        "/",
    ] {
        assert_eq!(vendor.answer(&asked("GET", path, &[])).status, 404, "{path}");
    }
    assert_eq!(
        vendor.answer(&asked("POST", "/v1/example.com/whois", &[])).status,
        404
    );
}

#[test]
fn a_form_is_matched_like_a_query() {
    let vendor = vendor(&[("form", "POST /v1/search\nform: domain=example.com&page=*")]);
    let mut request = asked("POST", "/v1/search", &[("domain", "example.com"), ("page", "1")]);
    assert_eq!(vendor.answer(&request).status, 404, "a query is no form");
    request.body = "page=2&domain=example%2Ecom".into();
    assert_eq!(
        vendor.answer(&request).status,
        404,
        "an unlabelled body is no form"
    );
    request.headers.push((
        "content-type".to_owned(),
        "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
    ));
    assert_eq!(vendor.answer(&request).status, 200);
    request.body = "domain=example.com".into();
    assert_eq!(vendor.answer(&request).status, 404);
}

#[test]
fn ties_are_found_at_load_or_named_loudly() {
    let load = |requests: [&str; 2]| {
        let [one, other] = requests;
        Vendor::from_exchanges(
            "acme",
            vec![exchange("one", one, ""), exchange("other", other, "")],
        )
    };
    for tied in [
        ["GET /a/{b}", "GET /a/{c}"],
        ["GET /a/{b}", "GET /{a}/b"],
        ["GET /a\nquery: x=1", "GET /a\nquery: x=1"],
        ["GET /a\nquery: x=1&y=*", "GET /a\nquery: x=*&y=2"],
    ] {
        let error = load(tied).unwrap_err();
        assert_eq!((error.file.as_str(), error.line), ("other", 1), "{tied:?}");
        assert!(error.reason.contains("same requests as one"), "{error}");
    }
    for distinct in [
        ["GET /a/{b}", "POST /a/{b}"],
        ["GET /a/{b}", "GET /a/b"],
        ["GET /a\nquery: x=1", "GET /a\nquery: x=2"],
        ["GET /a\nquery: x=1", "GET /a\nquery: x=*"],
        ["GET /a\nquery: x=1", "GET /a\nform: x=1"],
    ] {
        assert!(load(distinct).is_ok(), "{distinct:?}");
    }
    let vendor = load(["GET /a\nquery: x=1", "GET /a\nquery: y=1"]).unwrap();
    assert_eq!(vendor.answer(&asked("GET", "/a", &[("y", "1")])).status, 200);
    let both = vendor.answer(&asked("GET", "/a", &[("x", "1"), ("y", "1")]));
    assert_eq!(both.status, 500);
    assert_eq!(both.body, r#"{"error":"one and other both match this request"}"#);
    assert!(
        load(["GET /a", "* *"])
            .unwrap_err()
            .reason
            .contains("_default.http")
    );
}

#[test]
fn a_compiled_in_folder_is_the_same_as_one_on_disk() {
    const FOUND: &[u8] = include_bytes!("../../fixtures/domaintools/hosting-history/found.http");
    const DEFAULT: &[u8] = include_bytes!("../../fixtures/domaintools/_default.http");
    let product = [DirEntry::File(File::new(
        "domaintools/hosting-history/found.http",
        FOUND,
    ))];
    let entries = [
        DirEntry::File(File::new("domaintools/_default.http", DEFAULT)),
        DirEntry::File(File::new("domaintools/README.md", b"not a fixture")),
        DirEntry::Dir(Dir::new("domaintools/hosting-history", &product)),
    ];
    let compiled = Vendor::from_dir(&Dir::new("domaintools", &entries)).unwrap();
    let on_disk = domaintools();
    assert_eq!(compiled.name(), on_disk.name());
    let found = |vendor: &Vendor| {
        let name = "domaintools/hosting-history/found.http";
        vendor
            .exchanges()
            .iter()
            .find(|exchange| exchange.name() == name)
            .cloned()
            .unwrap()
    };
    assert_eq!(found(&compiled), found(&on_disk));
    let unknown = asked("GET", "/v1/unknown.example/hosting-history", &[]);
    assert_eq!(compiled.answer(&unknown), on_disk.answer(&unknown));
    assert!(String::from_utf8_lossy(&on_disk.answer(&unknown).body).contains(r#""code": 404"#));

    let error = Vendor::from_dir(&Dir::new(
        "acme",
        &[DirEntry::File(File::new("acme/b.http", b"GET a"))],
    ))
    .unwrap_err();
    assert_eq!((error.file.as_str(), error.line), ("acme/b.http", 1));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("b.http"), b"GET a").unwrap();
    let error = Vendor::from_path(&path).unwrap_err();
    assert_eq!((error.file.as_str(), error.line), ("acme/b.http", 1));
    assert_eq!(
        Vendor::from_path(folder.path().join("nothing")).unwrap_err().line,
        0
    );
}

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

#[test]
fn a_closure_is_an_authenticator() {
    let vendor = vendor(&[("ok", "GET /a")]).with_authenticator(|request: &SeenRequest| {
        match request.header("x-apikey") {
            Some("right") => AuthResult::Ok,
            Some(_) => AuthResult::Refused,
            None => AuthResult::Missing,
        }
    });
    for (key, status) in [(Some("right"), 200), (Some("wrong"), 401), (None, 401)] {
        let mut request = asked("GET", "/a", &[]);
        request
            .headers
            .extend(key.map(|key| ("x-apikey".to_owned(), key.to_owned())));
        assert_eq!(vendor.answer(&request).status, status, "{key:?}");
    }
}
