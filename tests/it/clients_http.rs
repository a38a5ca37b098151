//! What clients may do by the rules of HTTP that costs a server: expectations, other protocols, packed bodies, heads that do not
//! end, bodies that the server does not read, answers that are taken slowly, requests that wait.

use std::time::Duration;

use pivotd::tokens::NewToken;
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::clients::{IP_HISTORY, PATIENCE, begin, connect, first, metric, patient, rest, send, until};
use crate::support::{Entity, TestApp, answering, rate};

const INTERIM: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// Reads an answer, with the interim one before it where there is one.
async fn answer(app: &TestApp, request: String) -> String {
    rest(send(app, request.as_bytes()).await).await
}

fn post(path: &str, headers: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: pivotd\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_body_is_asked_for_where_it_is_read_and_not_where_it_is_not() {
    let app = patient().start().await;
    let token = format!("Authorization: Bearer {}\r\n", app.token);
    let expect = "Expect: 100-continue\r\n";
    for (path, headers, length, status) in [
        ("/v1/enrich", "", 100, "401"),
        (
            "/v1/enrich",
            "Authorization: Bearer pvtd_nonsense\r\n",
            100,
            "401",
        ),
        ("/v1/enrich", token.as_str(), 99_999_999, "413"),
        ("/v1/nothing", token.as_str(), 100, "404"),
        ("/run/no.such-transform", token.as_str(), 100, "404"),
    ] {
        let mut stream = begin(&app, path, &format!("{headers}{expect}"), length, 0).await;
        let answer = first(&mut stream).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {answer}"
        );
    }
    for path in [
        format!("/run/{IP_HISTORY}"),
        format!("/t/{}/run/{IP_HISTORY}", app.token),
    ] {
        let body = Entity::domain("example.com").request();
        let headers = format!("{token}{expect}Connection: close\r\n");
        let mut stream = begin(&app, &path, &headers, body.len(), 0).await;
        assert_eq!(first(&mut stream).await, INTERIM, "{path}");
        stream.write_all(body.as_bytes()).await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        assert!(answer.contains("maltego.IPv4Address"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn other_expectations_are_refused() {
    let app = patient().start().await;
    let token = format!("Authorization: Bearer {}\r\n", app.token);
    let run = format!("/run/{IP_HISTORY}");
    for (path, part) in [
        ("/v1/enrich", "urn:pivotd:problem:expectation"),
        (run.as_str(), "<MaltegoTransformExceptionMessage>"),
    ] {
        let headers = format!("{token}Expect: something-else\r\n");
        let answer = answer(&app, post(path, &headers, "{}")).await;
        assert!(answer.starts_with("HTTP/1.1 417"), "{path}: {answer}");
        assert!(answer.contains(part), "{path}: {answer}");
    }
    assert_eq!(app.vendor.attempts(), 0);
}

#[tokio::test]
async fn a_request_for_another_protocol_is_answered_in_this_one() {
    let app = patient().start().await;
    let token = format!("Authorization: Bearer {}\r\n", app.token);
    let body = json!({"indicator": "no indicator"}).to_string();
    for upgrade in [
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\n",
        "Upgrade: websocket\r\n",
        "Upgrade: TLS/1.2\r\nConnection: Upgrade\r\n",
    ] {
        let get = format!("GET /healthz HTTP/1.1\r\nHost: pivotd\r\n{upgrade}\r\n");
        // Not `close`: an answer that does not come would end with the connection.
        let post = format!(
            "POST /v1/enrich HTTP/1.1\r\nHost: pivotd\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{token}{upgrade}\r\n{body}",
            body.len()
        );
        for (request, status) in [(get, "200"), (post, "200")] {
            let mut stream = send(&app, request.as_bytes()).await;
            let answer = first(&mut stream).await.to_lowercase();
            assert!(
                answer.starts_with(&format!("http/1.1 {status}")),
                "{upgrade}: {answer}"
            );
            assert!(answer.contains("connection: close"), "{upgrade}: {answer}");
        }
    }
    let connect = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n".to_owned();
    assert!(answer(&app, connect).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_packed_body_is_refused_and_what_is_taken_is_named() {
    let app = patient().start().await;
    let token = format!("Authorization: Bearer {}\r\n", app.token);
    for (encoding, status) in [
        ("gzip", "415"),
        ("identity, br", "415"),
        ("x-unknown", "415"),
        ("identity", "400"),
        ("", "400"),
    ] {
        for path in ["/v1/enrich", "/v1/enrich/batch", "/v1/alerts/score"] {
            let headers = format!("{token}Content-Encoding: {encoding}\r\n");
            let answer = answer(&app, post(path, &headers, "no JSON")).await.to_lowercase();
            assert!(
                answer.starts_with(&format!("http/1.1 {status}")),
                "{encoding}: {answer}"
            );
            let is_named = answer.contains("accept-encoding: identity\r\n");
            assert_eq!(is_named, status == "415", "{encoding}: {answer}");
        }
    }
    let headers = format!("{token}Content-Encoding: gzip\r\n");
    let run = answer(&app, post(&format!("/run/{IP_HISTORY}"), &headers, "packed")).await;
    assert!(run.starts_with("HTTP/1.1 200"), "{run}");
    assert!(run.contains("Content-Encoding"), "{run}");
    assert_eq!(
        metric(&app, "pivotd_bodies_refused_total{reason=\"encoded\"}"),
        10
    );
}

#[tokio::test]
async fn a_head_that_does_not_end_is_refused_and_one_that_fits_is_taken() {
    let app = patient().start().await;
    let head = |bytes: usize| {
        let start = "GET /healthz HTTP/1.1\r\nHost: pivotd\r\nConnection: close\r\nX-Long: ";
        format!("{start}{}", "a".repeat(bytes - start.len()))
    };
    let whole = answer(&app, head((32 << 10) - 4) + "\r\n\r\n").await;
    assert!(whole.starts_with("HTTP/1.1 200"), "{whole}");
    let mut stream = send(&app, head(120_000).as_bytes()).await;
    let refused = first(&mut stream).await;
    assert!(refused.starts_with("HTTP/1.1 431"), "{refused}");
    assert!(refused.contains("urn:pivotd:problem:head-too-large"), "{refused}");
    assert_eq!(
        metric(&app, "pivotd_heads_refused_total{reason=\"too_large\"}"),
        1
    );
    // What is held is told, and given back with the connection.
    let waits = send(&app, head(5_000).as_bytes()).await;
    until(&app, "pivotd_heads_bytes", 5_000).await;
    drop((waits, stream));
    until(&app, "pivotd_heads_bytes", 0).await;
}

#[tokio::test]
async fn heads_take_no_more_than_their_memory() {
    let builder = patient().settings(|settings| settings.server.connections = 200);
    let app = builder.start().await;
    let mut slow = Vec::new();
    // Each may have so much; all of them together may not.
    for _ in 0..100 {
        slow.push(
            send(
                &app,
                &[b"GET / HTTP/1.1\r\nX: ", &vec![b'a'; 30_000][..]].concat(),
            )
            .await,
        );
    }
    while metric(&app, "pivotd_heads_refused_total{reason=\"memory\"}") < 30 {
        tokio::task::yield_now().await;
    }
    assert!(metric(&app, "pivotd_heads_bytes") <= (200 * 8) << 10);
    assert_eq!(app.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_keep_a_connection() {
    let app = patient().start().await;
    let head = "POST /v1/nothing HTTP/1.1\r\nHost: pivotd\r\nTransfer-Encoding: chunked\r\n\r\n";
    // Drop by drop.
    let mut stream = send(&app, head.as_bytes()).await;
    assert!(first(&mut stream).await.starts_with("HTTP/1.1 404"));
    stream.write_all(b"1\r\nx\r\n").await.unwrap();
    let left = app.while_moving(PATIENCE / 10, rest(stream)).await;
    assert!(!left.contains("HTTP/1.1"), "{left}");
    // In masses.
    let mut stream = send(&app, head.as_bytes()).await;
    assert!(first(&mut stream).await.starts_with("HTTP/1.1 404"));
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let sending = async {
        let mut sent = 0_usize;
        while stream.write_all(chunk.as_bytes()).await.is_ok() {
            sent += 1;
            assert!(sent < 20_000, "it is read on");
        }
    };
    app.while_moving(PATIENCE / 10, sending).await;
    // One that ends is read, and its connection goes on.
    let whole = format!(
        "{head}1\r\nx\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: pivotd\r\nConnection: close\r\n\r\n"
    );
    let both = answer(&app, whole).await;
    assert!(
        both.contains("HTTP/1.1 404") && both.contains("HTTP/1.1 200"),
        "{both}"
    );
}

#[tokio::test]
async fn large_answers_take_no_more_than_their_room() {
    let names = ["a.example", "b.example"];
    let exchanges = names.map(|name| {
        let rows: Vec<_> = (0..40_000)
            .map(|at| {
                let ip = format!("203.{}.{}.{}", at / 40_000, at / 200 % 200, at % 200);
                json!({"domain": name, "post_ip": ip, "pre_ip": null, "action": "N", "actiondate": "2013-01-10", "action_in_words": "New"})
            })
            .collect();
        let body = json!({"response": {"domain_name": name, "ip_history": rows, "registrar_history": [], "nameserver_history": []}});
        (format!("GET /v1/{name}/hosting-history"), body)
    });
    let builder = patient()
        .plays(
            "domaintools",
            answering("domaintools", exchanges.into_iter().collect()),
        )
        .settings(|settings| settings.server.answers = 1 << 20);
    let app = builder.start().await;
    let ask = |name: &'static str| {
        let body = Entity::domain(name).limit(10_000).request();
        let token = format!("Authorization: Bearer {}\r\n", app.token);
        post(&format!("/run/{IP_HISTORY}"), &token, &body)
    };
    // It reads the beginning, and no more than that.
    let mut slow = send(&app, ask(names[0]).as_bytes()).await;
    assert!(first(&mut slow).await.starts_with("HTTP/1.1 200"));
    assert!(metric(&app, "pivotd_answers_bytes") > 1 << 20);
    let refused = answer(&app, ask(names[1])).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.to_lowercase().contains("retry-after: 1\r\n"), "{refused}");
    assert_eq!(metric(&app, "pivotd_answers_refused_total"), 1);
    // Once it had its turn, it makes room.
    app.clock().advance(Duration::from_secs(10));
    let taken = answer(&app, ask(names[1])).await;
    assert!(taken.starts_with("HTTP/1.1 200"), "{:?}", taken.lines().next());
    assert!(taken.ends_with("</MaltegoMessage>"));
    assert_eq!(metric(&app, "pivotd_answers_made_room_total"), 1);
    let left = rest(slow).await;
    assert!(!left.ends_with("</MaltegoMessage>"));
    until(&app, "pivotd_answers_bytes", 0).await;
}

#[tokio::test]
async fn requests_of_one_client_that_wait_keep_no_other_client_out() {
    let builder = patient().settings(|settings| {
        settings.server.connections = 40;
        // The clock stands still, so all but the first question wait for their turn.
        settings.providers.get_mut("domaintools").unwrap().rate = vec![rate(1, 4)];
    });
    let app = builder.start().await;
    let run = format!("/run/{IP_HISTORY}");
    let token = format!("Authorization: Bearer {}\r\n", app.token);
    let first_run = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert!(!first_run.entities().is_empty(), "{}", first_run.body);
    let mut waiting = Vec::new();
    let mut bytes = 0;
    for at in 0..20 {
        let body = Entity::domain(&format!("example-{at}.net")).request();
        waiting.push(send(&app, post(&run, &token, &body).as_bytes()).await);
        bytes += body.len() as u64;
    }
    until(&app, "pivotd_bodies_bytes", bytes).await;
    // One more of the same client finds no share, and what was answered before is beyond it, too; others get theirs.
    let refused = answer(&app, post(&run, &token, &Entity::domain("example.com").request())).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.to_lowercase().contains("retry-after: 1\r\n"), "{refused}");
    assert_eq!(metric(&app, "pivotd_requests_over_share_total"), 1);
    let another = NewToken::for_everyday("another");
    let (other, _) = app.app.tokens.create(another).await.unwrap();
    let other = format!("Authorization: Bearer {}\r\n", other.expose_secret());
    let taken = answer(&app, post(&run, &other, &Entity::domain("example.com").request())).await;
    assert!(taken.starts_with("HTTP/1.1 200"), "{taken}");
    let unknown = answer(
        &app,
        "GET /openapi.json HTTP/1.1\r\nHost: pivotd\r\nConnection: close\r\n\r\n".to_owned(),
    )
    .await;
    assert!(unknown.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn bodies_that_do_not_come_take_no_share() {
    let builder = patient().settings(|settings| settings.server.connections = 40);
    let app = builder.start().await;
    let mut slow = Vec::new();
    for _ in 0..30 {
        slow.push(begin(&app, &format!("/run/{IP_HISTORY}"), "", 200_000, 1).await);
    }
    until(&app, "pivotd_bodies_bytes", 30).await;
    let get = "GET /openapi.json HTTP/1.1\r\nHost: pivotd\r\nConnection: close\r\n\r\n";
    let taken = answer(&app, get.to_owned()).await;
    assert!(taken.starts_with("HTTP/1.1 200"), "{taken}");
}

#[tokio::test]
async fn what_is_sent_ahead_behind_many_refusals_is_not_answered() {
    let builder = patient().settings(|settings| {
        settings.server.connections = 40;
        settings.providers.get_mut("domaintools").unwrap().rate = vec![rate(1, 4)];
    });
    let app = builder.start().await;
    let run = format!("/run/{IP_HISTORY}");
    let token = format!("Authorization: Bearer {}\r\n", app.token);
    app.run(IP_HISTORY, Entity::domain("example.com")).await;
    let mut waiting: Vec<TcpStream> = Vec::new();
    let mut bytes = 0;
    for at in 0..20 {
        let body = Entity::domain(&format!("example-{at}.net")).request();
        waiting.push(send(&app, post(&run, &token, &body).as_bytes()).await);
        bytes += body.len() as u64;
    }
    until(&app, "pivotd_bodies_bytes", bytes).await;
    let one = format!("GET / HTTP/1.1\r\nHost: pivotd\r\n{token}\r\n");
    // One that waits for its answers is kept.
    let mut stream = connect(&app).await;
    for _ in 0..20 {
        stream.write_all(one.as_bytes()).await.unwrap();
        let mut told = first(&mut stream).await;
        while !told.ends_with('}') {
            told.push(char::from(stream.read_u8().await.unwrap()));
        }
        assert!(told.starts_with("HTTP/1.1 503"), "{told}");
    }
    // One on which they are sent ahead is not.
    let mut stream = connect(&app).await;
    stream.write_all(one.repeat(25).as_bytes()).await.unwrap();
    let mut told = String::new();
    let _ = app
        .while_moving(Duration::from_secs(5), stream.read_to_string(&mut told))
        .await;
    assert_eq!(told.matches("HTTP/1.1 503").count(), 8, "{told}");
}
