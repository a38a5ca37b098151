use std::io::ErrorKind;

use reqwest::Response;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::tests::{client, exchange};
use super::*;

const BODY: &str = r#"{"response":{"domain_name":"example.com"}}"#;

async fn start() -> Replay {
    let exchanges = vec![
        exchange("get", "GET /a/{b}", BODY),
        exchange("post", "POST /a/{b}", BODY),
    ];
    Replay::start(Vendor::from_exchanges("acme", exchanges).unwrap())
        .await
        .unwrap()
}

async fn ask(replay: &Replay, fault: Fault) -> reqwest::Result<Response> {
    replay.clear_faults();
    replay.inject(Matcher::any(), fault, Some(1));
    client().get(format!("{}/a/b", replay.base_url())).send().await
}

async fn body_of(replay: &Replay, fault: Fault) -> reqwest::Result<String> {
    ask(replay, fault).await?.text().await
}

#[tokio::test]
async fn the_first_fault_that_matches_and_is_left_wins() {
    let replay = start().await;
    let status = |code| Fault::Status {
        code,
        headers: Vec::new(),
        body: String::new(),
    };
    replay.inject(Matcher::path("/a/x"), status(501), Some(0));
    replay.inject(Matcher::path("/x").with_method("POST"), status(502), Some(1));
    replay.inject(Matcher::path("/x"), status(503), Some(1));
    replay.inject(Matcher::any().with_method("POST"), status(504), None);
    let mut answers = Vec::new();
    for (method, path) in [
        ("POST", "/a/x"),
        ("POST", "/a/x"),
        ("POST", "/a/x"),
        ("POST", "/a/y"),
        ("GET", "/a/x"),
        ("GET", "/a/y"),
    ] {
        let request = client().request(method.parse().unwrap(), format!("{}{path}", replay.base_url()));
        answers.push(request.send().await.unwrap().status().as_u16());
    }
    assert_eq!(answers, [502, 503, 504, 504, 200, 200]);
    replay.clear_faults();
    assert_eq!(
        client()
            .post(format!("{}/a/y", replay.base_url()))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn statuses_come_in_the_vendor_s_shape() {
    let replay = start().await;
    for (fault, status, phrase) in [
        (Fault::too_many_requests(None), 429, ""),
        (Fault::busy_503(), 503, ""),
        (Fault::too_large_503(), 503, "exceeds the maximum"),
        (Fault::unauthorized_401(), 401, ""),
        (
            Fault::forbidden_key_403(),
            403,
            "credentials you entered do not match an active account",
        ),
        (Fault::forbidden_product_403(), 403, ""),
        (Fault::not_found_404(), 404, ""),
    ] {
        let answer = ask(&replay, fault).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert!(!answer.headers().contains_key("retry-after"));
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["code"], status);
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains(phrase), "{message}");
        let tells = ["exceeds the maximum", "do not match"]
            .iter()
            .any(|phrase| message.contains(phrase));
        assert_eq!(
            tells,
            !phrase.is_empty(),
            "no other message has a phrase that clients match: {message}"
        );
    }
    let limited = ask(&replay, Fault::too_many_requests(Some("7"))).await.unwrap();
    assert_eq!(
        (
            limited.status().as_u16(),
            limited.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "7")
    );
    let moved = ask(
        &replay,
        Fault::Redirect {
            to: "http://elsewhere.example/x".to_owned(),
        },
    )
    .await
    .unwrap();
    assert_eq!(moved.status(), 302);
    assert_eq!(moved.headers()["location"], "http://elsewhere.example/x");
}

#[tokio::test]
async fn wrong_answers_are_wrong_as_announced() {
    let replay = start().await;
    let html = ask(&replay, Fault::HtmlInsteadOfJson).await.unwrap();
    assert_eq!(
        (
            html.status().as_u16(),
            html.headers()["content-type"].to_str().unwrap()
        ),
        (200, "text/html; charset=utf-8")
    );
    let mislabelled = ask(&replay, Fault::WrongContentType("image/png")).await.unwrap();
    assert_eq!(
        mislabelled
            .headers()
            .get_all("content-type")
            .iter()
            .collect::<Vec<_>>(),
        ["image/png"]
    );
    assert_eq!(mislabelled.text().await.unwrap(), BODY);

    let limited: Value =
        serde_json::from_str(&body_of(&replay, Fault::LimitExceeded200).await.unwrap()).unwrap();
    assert_eq!(limited["response"]["limit_exceeded"], true);
    assert!(limited["response"].get("results").is_none());
    let shape: Value = serde_json::from_str(&body_of(&replay, Fault::WrongShape).await.unwrap()).unwrap();
    assert!(shape.is_array());
    let invalid = body_of(&replay, Fault::InvalidJson).await.unwrap();
    assert!(serde_json::from_str::<Value>(&invalid).unwrap_err().is_syntax());
    let deep = body_of(&replay, Fault::DeepJson).await.unwrap();
    assert_eq!(deep.matches('[').count(), 100_000);
    assert_eq!(deep.matches(']').count(), 100_000);
    assert!(
        serde_json::from_str::<Value>(&deep)
            .unwrap_err()
            .to_string()
            .contains("recursion limit")
    );
    assert!(body_of(&replay, Fault::BrokenGzip).await.unwrap_err().is_decode());
    assert!(body_of(&replay, Fault::TruncatedBody).await.is_err());
}

#[tokio::test]
async fn connections_break_as_announced() {
    let replay = start().await;
    for (fault, expected) in [
        (Fault::Reset, Some(ErrorKind::ConnectionReset)),
        (Fault::CloseBeforeAnswer, None),
    ] {
        replay.inject(Matcher::any(), fault, Some(1));
        let mut stream = TcpStream::connect(replay.address()).await.unwrap();
        stream.write_all(b"GET /a/b HTTP/1.1\r\n\r\n").await.unwrap();
        let mut rest = Vec::new();
        let result = stream.read_to_end(&mut rest).await;
        assert_eq!(result.err().map(|error| error.kind()), expected);
        assert_eq!(rest, b"");
    }
    replay.inject(Matcher::any(), Fault::TruncatedBody, Some(1));
    let mut stream = TcpStream::connect(replay.address()).await.unwrap();
    stream.write_all(b"GET /a/b HTTP/1.1\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(
        text.contains(&format!("Content-Length: {}\r\n", BODY.len())),
        "{text}"
    );
    assert!(text.ends_with(BODY.split_at(BODY.len() / 2).0), "{text}");
    assert_eq!(replay.attempts(), 3);
}

#[tokio::test]
async fn a_held_answer_waits_for_its_gate() {
    let replay = start().await;
    let gate = Gate::new();
    replay.inject(Matcher::any(), Fault::Hold(gate.clone()), Some(1));
    let url = format!("{}/a/b", replay.base_url());
    let held = tokio::spawn(client().get(&url).send());
    replay.wait_for_attempts(1).await;
    // A later request overtakes it, so it is held and not only slow.
    assert_eq!(client().get(&url).send().await.unwrap().status(), 200);
    assert!(!held.is_finished());
    gate.release();
    assert_eq!(held.await.unwrap().unwrap().text().await.unwrap(), BODY);

    replay.inject(Matcher::any(), Fault::Hold(Gate::new()), Some(1));
    let held = tokio::spawn(client().get(&url).send());
    replay.wait_for_attempts(3).await;
    replay.stop().await;
    assert!(held.await.unwrap().is_err(), "stopping does not wait for a gate");
}

#[tokio::test]
async fn a_drip_sends_a_byte_for_each_step() {
    let replay = start().await;
    let gate = Gate::new();
    let mut answer = ask(&replay, Fault::SlowDrip(gate.clone())).await.unwrap();
    let mut got = answer.chunk().await.unwrap().unwrap().to_vec();
    assert_eq!(got, b"{");
    for steps in 1..=5 {
        gate.step();
        got.extend_from_slice(&answer.chunk().await.unwrap().unwrap());
        assert_eq!(got.len(), steps + 1);
    }
    gate.release();
    while let Some(more) = answer.chunk().await.unwrap() {
        got.extend_from_slice(&more);
    }
    assert_eq!(got, BODY.as_bytes());
}

#[tokio::test]
async fn large_answers_are_as_large_as_announced_and_can_be_left() {
    let replay = start().await;
    let bytes = 300_000;
    let huge = body_of(&replay, Fault::HugeBody { bytes }).await.unwrap();
    assert_eq!(huge.len() as u64, bytes);
    assert!(serde_json::from_str::<Value>(&huge).is_ok());

    let decoded_bytes = 3 << 20;
    let bomb = body_of(&replay, Fault::GzipBomb { decoded_bytes }).await.unwrap();
    assert!(bomb.len() >= decoded_bytes as usize);
    assert!(serde_json::from_str::<Value>(&bomb).is_ok());
    replay.inject(Matcher::any(), Fault::GzipBomb { decoded_bytes }, Some(1));
    let mut stream = TcpStream::connect(replay.address()).await.unwrap();
    stream.write_all(b"GET /a/b HTTP/1.1\r\n\r\n").await.unwrap();
    let mut wire = Vec::new();
    stream.read_to_end(&mut wire).await.unwrap();
    assert!(wire.len() < 16 << 10, "{} bytes on the wire", wire.len());

    for fault in [
        Fault::HugeBody { bytes: 100 << 20 },
        Fault::GzipBomb {
            decoded_bytes: 100 << 20,
        },
    ] {
        let mut answer = ask(&replay, fault).await.unwrap();
        let mut seen = 0;
        while seen < 1 << 20 {
            seen += answer.chunk().await.unwrap().unwrap().len();
        }
    }
    replay.stop().await;
}

#[tokio::test]
async fn every_fault_is_listed_once_and_answers_or_breaks() {
    let replay = start().await;
    let all = Fault::all();
    let mut names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all.len());
    for (name, fault) in all {
        let large = matches!(fault, Fault::HugeBody { .. } | Fault::GzipBomb { .. });
        if let Some(gate) = fault.gate() {
            gate.release();
        }
        match ask(&replay, fault).await {
            Ok(answer) if large => assert_eq!(answer.status(), 200),
            Ok(answer) => {
                let status = answer.status();
                let normal = answer
                    .text()
                    .await
                    .is_ok_and(|body| status == 200 && body == BODY);
                assert_eq!(
                    normal,
                    ["hold", "slow-drip", "labelled-text", "labelled-image"].contains(&name),
                    "{name}"
                );
            }
            Err(_) => assert!(["reset", "close-before-answer"].contains(&name), "{name}"),
        }
    }
}
