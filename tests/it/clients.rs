//! What clients do to the server before it knows them: slow bodies, large bodies, answers that are not read, connections that
//! are only opened, wrong tokens.

use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use pivotd::clock::Clock;
use pivotd::config::settings::{Rate, TlsFiles};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, Builder, Entity, TestApp, rate};

pub(crate) const IP_HISTORY: &str = "domaintools.ip-history";
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn patient() -> Builder {
    Builder::new()
        .manual_clock()
        .settings(|settings| settings.server.client_timeout = PATIENCE)
}

pub(crate) async fn connect(app: &TestApp) -> TcpStream {
    let (_, address) = app.base.split_once("://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// Opens a connection and sends bytes; a server that ends it meanwhile is no fault.
pub(crate) async fn send(app: &TestApp, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(app).await;
    let _ = stream.write_all(bytes).await;
    stream
}

/// Sends the head of a request and a part of its body.
pub(crate) async fn begin(
    app: &TestApp,
    path: &str,
    headers: &str,
    announced: usize,
    sent: usize,
) -> TcpStream {
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: pivotd\r\nContent-Length: {announced}\r\n{headers}\r\n");
    send(app, &[head.as_bytes(), &vec![b'x'; sent]].concat()).await
}

/// Reads what comes until the server ends the connection.
pub(crate) async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A server that refuses a body may end the connection before the body was sent.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads the head of an answer and as much behind it as came with it.
pub(crate) async fn first(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(piece.get(..read).unwrap());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sums a metric; read without a connection, so that a server that has none left can be asked.
pub(crate) fn metric(app: &TestApp, name: &str) -> u64 {
    let text = app.app.engine.metrics().render();
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
        .sum()
}

/// Waits until a metric has a value. The server works in threads of its own, so nothing here tells when it is done.
pub(crate) async fn until(app: &TestApp, name: &str, value: u64) {
    while metric(app, name) != value {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_waited_for_so_long_and_no_longer() {
    let app = patient().start().await;
    let token = format!("Authorization: Bearer {}\r\n", app.token);
    let run = format!("/run/{IP_HISTORY}");
    for (path, headers, status, part) in [
        (run.as_str(), "", "200", "did not come in time"),
        (run.as_str(), token.as_str(), "200", "did not come in time"),
        ("/v1/alerts/score", token.as_str(), "408", "too-slow"),
        ("/v1/enrich/batch", token.as_str(), "408", "too-slow"),
    ] {
        let stream = begin(&app, path, headers, 200_000, 1).await;
        until(&app, "pivotd_bodies_bytes", 1).await;
        let before = app.clock().elapsed();
        let answer = app.while_moving(PATIENCE, rest(stream)).await;
        let waited = app.clock().elapsed() - before;
        assert!(waited >= PATIENCE, "{path}: {waited:?}");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {answer}"
        );
        assert!(answer.contains(part), "{path}: {answer}");
    }
    assert_eq!(metric(&app, "pivotd_slow_clients_total{phase=\"body\"}"), 4);
    assert_eq!(metric(&app, "pivotd_bodies_bytes"), 0);
}

#[tokio::test]
async fn a_body_that_comes_drop_by_drop_is_not_waited_for_for_ever() {
    let app = patient().start().await;
    let mut stream = begin(&app, &format!("/run/{IP_HISTORY}"), "", 200_000, 1).await;
    let mut drops = 1;
    loop {
        // A byte that has been counted ended the wait for it.
        until(&app, "pivotd_bodies_bytes", drops).await;
        let wait = app.clock().wait_for_sleeper(PATIENCE).await;
        if wait < PATIENCE {
            app.clock().advance(wait);
            break;
        }
        app.clock().advance(PATIENCE - Duration::from_secs(1));
        stream.write_all(b"x").await.unwrap();
        drops += 1;
        assert!(drops < 20, "it is waited for still");
    }
    assert!(drops > 2, "a client that sends something is waited for again");
    assert!(rest(stream).await.contains("did not come in time"));
}

#[tokio::test]
async fn slow_clients_do_not_keep_others_out() {
    let builder = patient().settings(|settings| {
        settings.server.connections = 16;
        // One worker takes connections in as they come, so that the last one is newer than all others.
        settings.server.workers = Some(1);
    });
    let app = builder.start().await;
    let mut slow = Vec::new();
    for at in 0..64 {
        slow.push(match at % 4 {
            0 => begin(&app, &format!("/run/{IP_HISTORY}"), "", 200_000, 1).await,
            1 => send(&app, b"GET /heal").await,
            2 => send(&app, b"GET /healthz HTTP/1.1\r\nHost: pivotd\r\n\r\nGET /heal").await,
            _ => connect(&app).await,
        });
    }
    assert_eq!(app.get("/healthz").await.status, 200);
    assert!(metric(&app, "pivotd_connections_made_room_total") > 0);
    assert_eq!(metric(&app, "pivotd_connections_refused_total"), 0);
}

#[tokio::test]
async fn a_connection_on_which_no_request_comes_is_not_kept() {
    let app = patient().start().await;
    let mut slow = send(&app, b"GET /healthz HTTP/1.1\r\nHost: pivotd\r\n\r\n").await;
    assert!(first(&mut slow).await.starts_with("HTTP/1.1 200"));
    slow.write_all(b"GET /heal").await.unwrap();
    let slow_heads = "pivotd_slow_clients_total{phase=\"head\"}";
    while metric(&app, slow_heads) == 0 {
        app.clock().advance(PATIENCE * 2);
        // The next one to come looks for those.
        let health = b"GET /healthz HTTP/1.1\r\nHost: pivotd\r\nConnection: close\r\n\r\n";
        let health = rest(send(&app, health).await).await;
        assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    }
    rest(slow).await;
}

#[tokio::test]
async fn health_is_answered_while_the_server_works_on_as_many_connections_as_it_may() {
    let builder = patient().settings(|settings| {
        settings.server.connections = 2;
        // The clock stands still, so all but the first question wait for their turn.
        settings.providers.get_mut("domaintools").unwrap().rate = vec![rate(1, 20)];
    });
    let app = builder.start().await;
    let token = format!("Authorization: Bearer {}\r\n", app.token);
    let run = format!("/run/{IP_HISTORY}");
    let mut under_way = Vec::new();
    let mut bytes = 0;
    let first_run = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert!(!first_run.entities().is_empty(), "{}", first_run.body);
    for domain in ["example.net", "example.org"] {
        let body = Entity::domain(domain).request();
        let mut stream = begin(&app, &run, &token, body.len(), 0).await;
        stream.write_all(body.as_bytes()).await.unwrap();
        under_way.push(stream);
        bytes += body.len() as u64;
    }
    // A run holds its body until it ends.
    until(&app, "pivotd_bodies_bytes", bytes).await;
    for (request, status, part) in [
        ("GET /healthz", "200", "ok"),
        ("GET /readyz", "200", "ready"),
        ("GET /openapi.json", "503", "urn:pivotd:problem:busy"),
        (
            "POST /run/domaintools.ip-history",
            "503",
            "<MaltegoTransformExceptionMessage>",
        ),
    ] {
        let stream = send(
            &app,
            format!("{request} HTTP/1.1\r\nHost: pivotd\r\n\r\n").as_bytes(),
        )
        .await;
        let answer = rest(stream).await.to_lowercase();
        assert!(
            answer.starts_with(&format!("http/1.1 {status}")),
            "{request}: {answer}"
        );
        assert!(answer.contains(&part.to_lowercase()), "{request}: {answer}");
        assert_eq!(
            answer.contains("retry-after: 1\r\n"),
            status == "503",
            "{request}: {answer}"
        );
    }
    assert_eq!(metric(&app, "pivotd_connections_refused_total"), 2);
}

#[tokio::test]
async fn a_wrong_token_is_refused_before_the_body_comes() {
    let app = patient().start().await;
    let wrong = "Authorization: Bearer pvtd_nonsense\r\n";
    for (path, headers, status) in [
        (format!("/run/{IP_HISTORY}"), wrong, "200"),
        (format!("/t/pvtd_nonsense/run/{IP_HISTORY}"), "", "200"),
        ("/v1/alerts/score".to_owned(), wrong, "401"),
        ("/v1/enrich".to_owned(), wrong, "401"),
        ("/v1/enrich/batch".to_owned(), "", "401"),
        ("/v1/decisions/d/feedback".to_owned(), wrong, "401"),
    ] {
        let mut stream = begin(&app, &path, headers, 1_990_000, 0).await;
        let answer = first(&mut stream).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {answer}"
        );
    }
    assert_eq!(app.vendor.attempts(), 0);
    assert_eq!(
        metric(&app, "pivotd_tokens_refused_total{route=\"/run/{transform}\""),
        2
    );
}

#[tokio::test]
async fn a_run_whose_token_may_stand_in_the_body_has_a_small_body() {
    let app = patient().start().await;
    let run = format!("/run/{IP_HISTORY}");
    let stream = begin(&app, &run, "", (256 << 10) + 1, 0).await;
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("at most 262144 bytes"), "{answer}");
    let large = Entity::domain("example.com").request() + &" ".repeat(300_000);
    let answer = app.run_raw(IP_HISTORY, large.into_bytes()).await;
    assert!(!answer.entities().is_empty(), "{}", answer.body);
}

#[tokio::test]
async fn bodies_of_unknown_clients_take_no_memory_from_others_and_make_room() {
    let builder = patient().settings(|settings| settings.server.bodies = 1 << 20);
    let app = builder.start().await;
    let run = format!("/run/{IP_HISTORY}");
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(begin(&app, &run, "", 256 << 10, 250 << 10).await);
    }
    until(&app, "pivotd_bodies_bytes", 500 << 10).await;
    let small = Entity::domain("example.com").request() + &" ".repeat(64 << 10);
    let post = |body: String| app.http.post(format!("{}{run}", app.base)).body(body).send();
    let refused = post(small.clone()).await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    let known = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert!(!known.entities().is_empty(), "{}", known.body);
    // Those that began a while ago make room, although they go on byte by byte.
    app.clock().advance(Duration::from_secs(3));
    for stream in &mut held {
        stream.write_all(b"x").await.unwrap();
    }
    until(&app, "pivotd_bodies_bytes", (500 << 10) + 2).await;
    let taken = Answer::of(post(small).await.unwrap()).await;
    assert!(
        taken.said("Exception 600").contains("client token"),
        "{}",
        taken.body
    );
    // One of them at least; the other one where the first had not gone yet when more of the body came.
    while metric(&app, "pivotd_bodies_refused_total") < 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_answer_that_is_not_read_ends_with_its_connection() {
    let app = patient().start().await;
    let one = app.get("/openapi.json").await.body.len();
    let request = "GET /openapi.json HTTP/1.1\r\nHost: pivotd\r\n\r\n".repeat(1000);
    let stream = send(&app, request.as_bytes()).await;
    while metric(&app, "pivotd_slow_clients_total{phase=\"answer\"}") == 0 {
        app.clock().advance(PATIENCE);
        tokio::task::yield_now().await;
    }
    // What the sockets hold still comes; then the connection is at its end.
    let read = rest(stream).await;
    assert!(read.len() < 500 * one, "{} bytes of answers of {one}", read.len());
}

#[tokio::test]
async fn requests_that_are_sent_ahead_are_all_answered() {
    let app = patient().start().await;
    let count = 2000;
    let stream = connect(&app).await;
    let (mut reading, mut writing) = stream.into_split();
    let requests = "GET /healthz HTTP/1.1\r\nHost: pivotd\r\n\r\n".repeat(count - 1)
        + "GET /healthz HTTP/1.1\r\nHost: pivotd\r\nConnection: close\r\n\r\n";
    let sending = tokio::spawn(async move {
        writing.write_all(requests.as_bytes()).await.unwrap();
        writing
    });
    let mut text = String::new();
    reading.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.matches("HTTP/1.1 200").count(), count);
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn a_large_body_comes_whole() {
    let app = patient().start().await;
    let large = Entity::domain("example.com").request() + &" ".repeat(1_900_000);
    let answer = app.run_raw(IP_HISTORY, large.into_bytes()).await;
    assert!(!answer.entities().is_empty(), "{}", answer.body);
    assert_eq!(metric(&app, "pivotd_bodies_bytes"), 0);
}

#[tokio::test]
async fn wrong_tokens_are_counted_and_slowed_down_and_right_ones_are_not() {
    let builder = patient().settings(|settings| {
        // 20 go at once, then one in a second.
        settings.server.wrong_tokens = Rate {
            burst: NonZeroU32::new(20).unwrap(),
            ..rate(80, 60)
        };
    });
    let app = builder.start().await;
    let canary = "pvtd_canary-of-a-wrong-token";
    let path = "/v1/domain/example.com/reputation";
    let wrong = || async {
        let request = app.http.get(format!("{}{path}", app.base));
        Answer::of(request.bearer_auth(canary).send().await.unwrap()).await
    };
    for _ in 0..20 {
        assert_eq!(wrong().await.status, 401);
    }
    let mut more: FuturesUnordered<_> = (0..10).map(|_| wrong()).collect();
    for _ in 0..5 {
        let answer = more.next().await.unwrap();
        assert_eq!(answer.status, 429, "{}", answer.body);
        assert_eq!(answer.header("retry-after"), "6");
    }
    // A run is refused in its own format; a right token is answered as ever.
    let run = app
        .http
        .post(format!("{}/run/{IP_HISTORY}", app.base))
        .bearer_auth(canary);
    let run = Answer::of(run.send().await.unwrap()).await;
    assert_eq!(run.status, 429);
    assert!(
        run.body.contains("too many requests with wrong tokens"),
        "{}",
        run.body
    );
    let right = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert!(!right.entities().is_empty(), "{}", right.body);
    // No token at all is counted, and is no attempt to guess one.
    let missing = app.http.get(format!("{}{path}", app.base)).send().await.unwrap();
    assert_eq!(missing.status(), 401);
    app.clock().advance(Duration::from_secs(5));
    while let Some(answer) = more.next().await {
        assert_eq!(answer.status, 401);
    }
    let refused = |route: &str, reason: &str| {
        let labels = format!("{{route=\"{route}\",reason=\"{reason}\"}}");
        metric(&app, &format!("pivotd_tokens_refused_total{labels}"))
    };
    assert_eq!(refused("/v1/domain/{domain}/reputation", "misspelt"), 30);
    assert_eq!(refused("/v1/domain/{domain}/reputation", "missing"), 1);
    assert_eq!(refused("/run/{transform}", "misspelt"), 1);
    let log = app.log();
    assert!(!log.contains(canary), "{log}");
}

#[tokio::test]
async fn half_handshakes_delay_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let app = patient()
        .settings(|settings| settings.server.tls = Some(files))
        .start()
        .await;
    // The beginning of a record of a handshake.
    let mut half = Vec::new();
    for _ in 0..600 {
        half.push(send(&app, &[0x16, 0x03, 0x01, 0x02]).await);
    }
    let ca = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([ca])
        .build()
        .unwrap();
    let (_, port) = app.base.rsplit_once(':').unwrap();
    let health = || client.get(format!("https://localhost:{port}/healthz")).send();
    // The clock stands still: none of the others has ended.
    assert_eq!(health().await.unwrap().status(), 200);
    until(&app, "pivotd_connections ", 601).await;
    app.clock().advance(Duration::from_secs(10));
    until(&app, "pivotd_slow_clients_total{phase=\"handshake\"}", 600).await;
    assert_eq!(health().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_token_in_a_path_goes_no_further_whatever_the_rest_names() {
    let app = TestApp::start().await;
    let secret = |answer: &Answer| {
        assert_eq!(
            (answer.header("referrer-policy"), answer.header("cache-control")),
            ("no-referrer", "no-store"),
        );
    };
    for rest in [
        "",
        "/",
        "/nothing",
        "/run",
        "/run/",
        "/run/no.such-transform",
        "/run/a/b",
        "//run/a",
    ] {
        let answer = app.get(&format!("/t/{}{rest}", app.token)).await;
        assert_eq!(answer.status, 404, "{rest}");
        secret(&answer);
    }
    let run = format!("{}/t/{}/run/{IP_HISTORY}", app.base, app.token);
    for (method, status) in [("GET", 200), ("PUT", 405), ("POST", 200)] {
        let request = app.http.request(method.parse().unwrap(), &run);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, status, "{method}");
        secret(&answer);
    }
}
