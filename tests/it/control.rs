//! The control socket within its bounds: what waits, what is too much, and who may not.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pivotd::control::client::Client;
use pivotd::control::server::{ControlServer, MOST_COMMANDS, MOST_CONNECTIONS};
use pivotd::control::{ControlReply, ControlRequest, RunRequest, socket};
use pivotd::replay::{Fault, Gate, Matcher};
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

async fn ask(data: &Path, request: &ControlRequest) -> ControlReply {
    let client = Client::find(data).await.unwrap().unwrap();
    client.ask(request, Duration::from_secs(600)).await.unwrap()
}

fn head(length: usize) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: pivotd\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
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
    assert!(said.contains("did not come whole within 10 s"), "{said}");
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
    assert!(matches!(
        ask(&data, &ControlRequest::TokenList).await,
        ControlReply::Tokens(_)
    ));
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
    let run = |at: usize| {
        ControlRequest::Run(RunRequest {
            transform: "domaintools.ip-history".to_owned(),
            value: format!("held-{at}.example"),
            ..RunRequest::default()
        })
    };
    let mut held = Vec::new();
    for at in 0..MOST_COMMANDS {
        let (data, run) = (data.clone(), run(at));
        held.push(tokio::spawn(async move { ask(&data, &run).await }));
    }
    app.vendor.wait_for_attempts(MOST_COMMANDS as u64).await;
    let ControlReply::Refused { reason } = ask(&data, &run(MOST_COMMANDS)).await else {
        panic!("it was not refused");
    };
    assert!(reason.contains("works on 32 commands already"), "{reason}");
    assert!(matches!(
        ask(&data, &ControlRequest::TokenList).await,
        ControlReply::Tokens(_)
    ));
    gate.release();
    for held in held {
        assert!(matches!(held.await.unwrap(), ControlReply::Ran { .. }));
    }
    assert!(matches!(
        ask(&data, &run(MOST_COMMANDS)).await,
        ControlReply::Ran { .. }
    ));
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
    assert!(matches!(
        ask(&data, &ControlRequest::TokenList).await,
        ControlReply::Tokens(_)
    ));
    server.stop().await;
    assert!(!socket(&data).exists());
}
