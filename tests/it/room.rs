//! Room for what is large: large answers and batches wait for each other, and nothing fails by that.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pivotd::engine::memory_budget::MemoryBudget;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, Builder, Entity, TestApp, answering};

const IP_HISTORY: &str = "domaintools.ip-history";
const BATCH: &str = "/v1/enrich/batch";
const LARGE: [&str; 3] = ["large-0.example", "large-1.example", "large-2.example"];
const ALL: usize = 2 << 20;

/// An answer of some 600 KB.
fn history(name: &str) -> (String, serde_json::Value) {
    let rows: Vec<serde_json::Value> = (0..4000)
        .map(|at| {
            let ip = format!("203.0.{}.{}", at / 200 % 100, at % 200);
            json!({"domain": name, "post_ip": ip, "pre_ip": null, "action": "N", "actiondate": "2013-01-10", "action_in_words": "New"})
        })
        .collect();
    let body = json!({"response": {"domain_name": name, "ip_history": rows, "registrar_history": [], "nameserver_history": []}});
    (format!("GET /v1/{name}/hosting-history"), body)
}

async fn start() -> TestApp {
    let exchanges = LARGE.map(history).into_iter().collect();
    let builder = Builder::new()
        .manual_clock()
        .plays("domaintools", answering("domaintools", exchanges))
        .settings(|settings| settings.server.working_memory = ALL);
    builder.start().await
}

async fn waits(room: &MemoryBudget, count: i64) {
    while room.waiting() != count {
        tokio::task::yield_now().await;
    }
}

/// Resolves when all room is free again.
async fn is_free(room: &MemoryBudget) {
    while room.taken() != 0 {
        tokio::task::yield_now().await;
    }
}

fn entities(answer: &Answer) -> usize {
    answer.entities().len()
}

#[tokio::test]
async fn large_answers_wait_for_each_other_and_small_ones_for_none() {
    let app = start().await;
    let room = Arc::clone(app.app.engine.answers());
    let place = room.take(ALL, Duration::MAX).await.unwrap();
    let asking = join_all(LARGE.map(|name| app.run(IP_HISTORY, Entity::domain(name))));
    let mut asking = Box::pin(asking);
    let meanwhile = async {
        waits(&room, 3).await;
        let small = app.run(IP_HISTORY, Entity::domain("small.example")).await;
        assert!(small.said("Inform").contains("knows nothing"), "{}", small.body);
        let metrics = app.get("/metrics").await.body;
        assert!(
            metrics.contains("pivotd_working_memory_bytes{of=\"answers\"} 2097152"),
            "{metrics}"
        );
        assert!(
            metrics.contains("pivotd_working_memory_waiting{of=\"answers\"} 3"),
            "{metrics}"
        );
    };
    tokio::select! {
        _ = &mut asking => panic!("there is no room"),
        () = meanwhile => {}
    }
    drop(place);
    for answer in (&mut asking).await {
        assert_eq!(entities(&answer), 256, "{}", answer.body);
    }
    drop(asking);
    is_free(&room).await;
    // What was kept needs room again when it comes from disk, and gives it back.
    let stopped = app.stop().await;
    let app = Builder::new()
        .after(stopped)
        .manual_clock()
        .settings(|settings| settings.server.working_memory = ALL)
        .start()
        .await;
    let room = Arc::clone(app.app.engine.answers());
    let place = room.take(ALL, Duration::MAX).await.unwrap();
    let asking = app.run(IP_HISTORY, Entity::domain(LARGE[0]));
    tokio::pin!(asking);
    tokio::select! {
        _ = &mut asking => panic!("there is no room"),
        () = waits(&room, 1) => {}
    }
    drop(place);
    let answer = asking.await;
    assert_eq!((entities(&answer), answer.header("pivotd-cache")), (256, "hit"));
    is_free(&room).await;
}

#[tokio::test]
async fn a_selection_of_large_answers_comes_through_little_room() {
    let app = start().await;
    // Each alone takes all the room, twice over.
    let twice = LARGE.iter().chain(&LARGE);
    let answers = join_all(twice.map(|name| app.run(IP_HISTORY, Entity::domain(name)))).await;
    assert!(answers.iter().all(|answer| entities(answer) == 256));
    assert_eq!(app.vendor.attempts(), 3);
    is_free(app.app.engine.answers()).await;
}

#[tokio::test]
async fn a_batch_waits_for_room_and_is_told_when_there_was_none_in_its_time() {
    let app = start().await;
    let room = Arc::clone(app.app.engine.batches());
    let place = room.take(ALL, Duration::MAX).await.unwrap();
    let body = json!({"indicators": ["no indicator", "none either"]});
    let asking = app.post_json(BATCH, &body);
    tokio::pin!(asking);
    tokio::select! {
        _ = &mut asking => panic!("there is no room"),
        () = waits(&room, 1) => {}
    }
    app.clock().advance(Duration::from_mins(5));
    let told = asking.await;
    assert_eq!(
        (told.status, told.header("retry-after")),
        (503, "30"),
        "{}",
        told.body
    );
    let asking = app.post_json(BATCH, &body);
    tokio::pin!(asking);
    tokio::select! {
        _ = &mut asking => panic!("there is no room"),
        () = waits(&room, 1) => {}
    }
    drop(place);
    assert_eq!(asking.await.status, 200);
    is_free(&room).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_lines_keeps_no_other_from_a_batch() {
    let app = Builder::new()
        .settings(|settings| settings.server.working_memory = ALL)
        .start()
        .await;
    let batch = json!({"indicators": vec!["career-offers.example"; 1000]}).to_string();
    let address: std::net::SocketAddr = app.base.trim_start_matches("http://").parse().unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head = format!(
        "POST {BATCH} HTTP/1.1\r\nHost: pivotd\r\nAuthorization: Bearer {}\r\nAccept: application/x-ndjson\r\n\
         Content-Length: {}\r\n\r\n",
        app.token,
        batch.len()
    );
    // More is answered than the sockets of both sides hold.
    stream
        .write_all((head + &batch).repeat(8).as_bytes())
        .await
        .unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    // Each takes its turn behind one that is under way, until those wait for their client.
    for _ in 0..10 {
        let body = json!({"indicators": ["example.com"], "deadline_s": 60});
        let other = app.post_json(BATCH, &body).await;
        assert_eq!(other.status, 200, "{}", other.body);
    }
    is_free(app.app.engine.batches()).await;
    assert!(
        app.get("/metrics")
            .await
            .body
            .contains("pivotd_requests_in_flight 1")
    );
}
