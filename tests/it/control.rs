//! The control socket within its bounds: what waits, what is too much, and who may not.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pivotd::control::client::Client;
use pivotd::control::client::ControlError;
use pivotd::control::server::{ControlServer, MOST_CONNECTIONS, MOST_TURNS};
use pivotd::control::socket;
use pivotd::http::admin::tokens::{ListTokens, RevokeTokens};
use pivotd::http::api_call::ApiCall;
use pivotd::http::soar::alert::ScoreIndicators;
use pivotd::http::transforms::{RunRequest, RunTransform};
use pivotd::replay::{Fault, Gate, Matcher};
use pivotd::tokens::NewToken;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::support::{Builder, TestApp};

async fn listen(app: &TestApp) -> (ControlServer, std::path::PathBuf) {
    let data = app.app.engine.store().path().parent().unwrap().to_path_buf();
    let server = ControlServer::start(Arc::clone(&app.app), &data).unwrap();
    (server, data)
}

async fn all_of(mut stream: UnixStream) -> String {
    let mut said = Vec::new();
    // A connection that makes room may end in the middle.
    drop(stream.read_to_end(&mut said).await);
    String::from_utf8_lossy(&said).into_owned()
}

async fn ask<C: ApiCall>(data: &Path, call: &C) -> Result<C::Reply, ControlError> {
    let client = Client::find(data).await.unwrap().unwrap();
    client.call(call, None).await
}

fn head(length: usize) -> String {
    format!(
        "POST /v1/admin/tokens HTTP/1.1\r\nHost: pivotd\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_command_that_does_not_come_whole_is_waited_for_a_while() {
    let app = Builder::new().manual_clock().start().await;
    let (server, data) = listen(&app).await;
    let mut stream = UnixStream::connect(socket(&data)).await.unwrap();
    stream.write_all(head(100).as_bytes()).await.unwrap();
    stream.write_all(b"\"hel").await.unwrap();
    let said = app.while_moving(Duration::from_secs(10), all_of(stream)).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("did not come in time"), "{said}");
    server.stop().await;
}

#[tokio::test]
async fn a_command_that_is_too_large_is_refused_before_it_is_read() {
    let app = TestApp::start().await;
    let (server, data) = listen(&app).await;
    let mut stream = UnixStream::connect(socket(&data)).await.unwrap();
    stream.write_all(head(64 << 20).as_bytes()).await.unwrap();
    let mut said = vec![0; 1024];
    let read = stream.read(&mut said).await.unwrap();
    let said = String::from_utf8_lossy(&said[..read]).into_owned();
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn connections_that_send_nothing_make_room_for_a_command() {
    let app = TestApp::start().await;
    let (server, data) = listen(&app).await;
    let mut idle = Vec::new();
    for _ in 0..2 * MOST_CONNECTIONS {
        idle.push(UnixStream::connect(socket(&data)).await.unwrap());
    }
    assert!(ask(&data, &ListTokens::default()).await.is_ok());
    // The first ones made room.
    let first = idle.remove(0);
    assert_eq!(all_of(first).await, "");
    drop(idle);
    server.stop().await;
}

#[tokio::test]
async fn more_commands_than_are_worked_on_are_told_so_and_what_an_operator_needs_goes_on() {
    let app = TestApp::start().await;
    let (server, data) = listen(&app).await;
    let gate = Gate::new();
    app.vendor.inject(Matcher::any(), Fault::Hold(gate.clone()), None);
    let run = |at: usize| RunTransform {
        transform: "domaintools.ip-history".to_owned(),
        request: RunRequest {
            value: format!("held-{at}.example"),
            ..RunRequest::default()
        },
    };
    let mut held = Vec::new();
    for at in 0..MOST_TURNS {
        let (data, run) = (data.clone(), run(at));
        held.push(tokio::spawn(async move { ask(&data, &run).await }));
    }
    app.vendor.wait_for_attempts(MOST_TURNS as u64).await;
    let reason = ask(&data, &run(MOST_TURNS)).await.unwrap_err().to_string();
    assert!(reason.contains("works on 32 commands already"), "{reason}");
    assert!(ask(&data, &ListTokens::default()).await.is_ok());
    gate.release();
    for held in held {
        assert!(held.await.unwrap().is_ok());
    }
    assert!(ask(&data, &run(MOST_TURNS)).await.is_ok());
    server.stop().await;
}

#[tokio::test]
async fn the_socket_is_its_owners() {
    let app = TestApp::start().await;
    let (server, data) = listen(&app).await;
    let mode = std::fs::metadata(socket(&data)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.stop().await;
    assert!(!socket(&data).exists());
}

#[tokio::test]
async fn a_socket_that_was_removed_is_made_anew() {
    let app = Builder::new().manual_clock().start().await;
    let (server, data) = listen(&app).await;
    std::fs::remove_file(socket(&data)).unwrap();
    assert!(Client::find(&data).await.unwrap().is_none());
    let clock = app.clock().clone();
    clock.wait_for_sleeper(Duration::from_secs(5)).await;
    clock.advance(Duration::from_secs(5));
    while !socket(&data).exists() {
        tokio::task::yield_now().await;
    }
    assert!(ask(&data, &ListTokens::default()).await.is_ok());
    server.stop().await;
    assert!(!socket(&data).exists());
}

#[tokio::test]
async fn the_local_operator_runs_and_scores_by_the_routes_of_clients() {
    let app = TestApp::start().await;
    let run = RunTransform {
        transform: "domaintools.ip-history".to_owned(),
        request: RunRequest {
            value: "example[.]com".to_owned(),
            ..RunRequest::default()
        },
    };
    let ran = app.operator(&run).await.unwrap();
    assert_eq!(
        (ran.report.input_value.as_str(), ran.sample),
        ("example.com", false)
    );
    assert!(!ran.report.entities.is_empty());
    let score = ScoreIndicators {
        indicators: vec!["example.com".to_owned(), "no indicator".to_owned()],
        threshold: Some(70),
    };
    let answer = app.operator(&score).await.unwrap();
    assert_eq!(answer["indicators"][0]["threshold"], 70);
    assert_eq!(answer["unreadable"].as_array().unwrap().len(), 1);
    let metrics = app.app.engine.metrics().render();
    assert!(metrics.contains("face=\"terminal\""), "{metrics}");
}

#[tokio::test]
async fn what_is_refused_says_why_whole() {
    let app = TestApp::start().await;
    let unknown = RunTransform {
        transform: "domaintools.ip-histori".to_owned(),
        ..RunTransform::default()
    };
    let reason = app.operator(&unknown).await.unwrap_err().to_string();
    assert!(
        reason.contains("did you mean \"domaintools.ip-history\""),
        "{reason}"
    );
    let none = app.operator(&RevokeTokens("a/b c".to_owned())).await.unwrap_err();
    assert!(none.to_string().starts_with("there is no token"), "{none}");
    let made = NewToken {
        scopes: Vec::new(),
        ..NewToken::for_everyday("x")
    };
    let reason = app.operator(&made).await.unwrap_err().to_string();
    assert!(reason.contains("without a scope"), "{reason}");
}
