use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;
use crate::clock::SharedClock;
use crate::clock::manual::ManualClock;
use crate::net::connections::ConnectionGuard;
use crate::telemetry::network::NetworkMetrics;

type Stream = PacedStream<tokio::io::DuplexStream>;

/// Makes a stream to which bytes were sent.
async fn with(sent: &[u8]) -> (Stream, tokio::io::DuplexStream, ConnectionGuard, ManualClock) {
    let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
    let shared: SharedClock = Arc::new(clock.clone());
    let connections = Connections::new(8, Duration::from_secs(120), shared, NetworkMetrics::default());
    let place = connections.enter(None).unwrap();
    let (server, mut client) = duplex(sent.len().max(2048));
    client.write_all(sent).await.unwrap();
    let stream = PacedStream::new(server, Arc::clone(&place.connection), connections, |_, max| {
        format!("at most {max} bytes")
    });
    (stream, client, place, clock)
}

/// Makes a stream to which so many bytes were sent.
async fn paced(sent: usize) -> (Stream, tokio::io::DuplexStream, ConnectionGuard) {
    let (stream, client, place, _) = with(&vec![7; sent]).await;
    (stream, client, place)
}

/// Reads all that can be read in some turns.
fn read(stream: &mut Stream, turns: usize) -> usize {
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut whole = 0;
    for _ in 0..turns {
        loop {
            let mut bytes = [0; 3000];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *stream).poll_read(&mut context, &mut buffer) {
                Poll::Ready(read) => read.unwrap(),
                Poll::Pending => break,
            }
            if buffer.filled().is_empty() {
                return whole;
            }
            whole += buffer.filled().len();
        }
    }
    whole
}

#[tokio::test]
async fn what_is_sent_ahead_is_read_when_its_turn_comes() {
    let (mut stream, _client, place) = paced(20 * AHEAD).await;
    assert!(read(&mut stream, 1) < 2 * AHEAD);
    let work = place.connection.enter(Phase::Working);
    assert!(read(&mut stream, 20) < 2 * AHEAD);
    let body = place.connection.enter(Phase::Body);
    assert!(read(&mut stream, 5) >= 4 * AHEAD, "a body is read on");
    drop(body);
    assert!(read(&mut stream, 20) < 2 * AHEAD);
    drop(work);
    let sending = place.connection.enter(Phase::Sending);
    assert_eq!(
        read(&mut stream, 20),
        0,
        "the client has its answer to take first"
    );
    drop(sending);
    assert!(read(&mut stream, 5) >= 4 * AHEAD);
}

#[tokio::test]
async fn nothing_is_read_from_a_client_that_takes_nothing() {
    let (mut stream, _client, place) = paced(20 * AHEAD).await;
    place.connection.stalls(true);
    assert!(read(&mut stream, 20) < 2 * AHEAD);
    place.connection.stalls(false);
    assert!(read(&mut stream, 5) >= 4 * AHEAD);
}

/// Tells whether a stream is at its end.
fn is_at_end(stream: &mut Stream) -> bool {
    let mut context = Context::from_waker(std::task::Waker::noop());
    (0..50).any(|_| {
        let mut bytes = [0; 100];
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = Pin::new(&mut *stream).poll_read(&mut context, &mut buffer);
        read.is_ready() && buffer.filled().is_empty()
    })
}

fn write(stream: &mut Stream, bytes: &[u8]) {
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut rest = bytes;
    while !rest.is_empty() {
        let Poll::Ready(written) = Pin::new(&mut *stream).poll_write(&mut context, rest) else {
            panic!("there is room");
        };
        rest = &rest[written.unwrap()..];
    }
    assert!(Pin::new(stream).poll_flush(&mut context).is_ready());
}

#[tokio::test]
async fn few_heads_are_looked_at_at_once_and_ahead_and_none_is_lost() {
    let one = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let count = 100;
    let (mut stream, _client, place, _) = with(&one.repeat(count)).await;
    assert_eq!(read(&mut stream, 1), HEADS * one.len());
    let work = place.connection.enter(Phase::Working);
    place.connection.begins(false);
    assert_eq!(read(&mut stream, 20), HEADS * one.len(), "ahead");
    drop(work);
    assert_eq!(read(&mut stream, 1), HEADS * one.len());
    let mut whole = 3 * HEADS * one.len();
    for _ in 0..count {
        place.connection.begins(false);
        whole += read(&mut stream, 1);
    }
    assert_eq!(whole, count * one.len());
}

#[test]
fn ends_of_heads_are_found() {
    for (text, max, expected) in [
        ("a\r\n\r\nb", 1, (5, 1)),
        ("a\n\nb", 1, (3, 1)),
        ("a\r\n\r\nb\r\n\r\nc", 2, (10, 2)),
        ("a\r\n\r\nb\r\n\r\nc", 3, (11, 2)),
        ("a\r\nb\r\n", 1, (6, 0)),
        ("", 1, (0, 0)),
    ] {
        assert_eq!(whole(text.as_bytes(), max), expected, "{text:?}");
    }
}

#[tokio::test]
async fn a_head_that_does_not_end_is_refused() {
    let (mut stream, mut client, place, clock) = with(&vec![b'a'; 4 * MOST_HEAD]).await;
    let came = read(&mut stream, 1000);
    assert!((MOST_HEAD..MOST_HEAD + 2 * AHEAD).contains(&came), "{came}");
    // What comes behind it is thrown away for a while, and not all of it.
    assert!(!is_at_end(&mut stream));
    clock.advance(DRAINED_FOR);
    assert!(is_at_end(&mut stream));
    drop((stream, place));
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert!(answer.contains("at most 32768 bytes"), "{answer}");
}

#[tokio::test]
async fn a_large_head_that_ends_is_taken_and_the_next_has_its_own_bytes() {
    let (mut stream, _client, place, _) = with(&vec![b'a'; 4 * MOST_HEAD]).await;
    for _ in 0..3 {
        let mut came = 0;
        while came < MOST_HEAD - AHEAD {
            came += read(&mut stream, 1);
        }
        place.connection.begins(false);
    }
    assert!(!place.connection.is_leaving());
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_thrown_away_for_so_long_and_no_longer() {
    let rest = |place: &ConnectionGuard| {
        place.connection.begins(true);
        drop(place.connection.enter(Phase::Working));
    };
    let (mut stream, _client, place, clock) = with(b"some of it").await;
    rest(&place);
    assert_eq!(read(&mut stream, 5), 10);
    assert!(!is_at_end(&mut stream));
    clock.advance(DRAINED_FOR);
    assert!(is_at_end(&mut stream));
    let (mut stream, _client, place, clock) = with(&vec![7; 2 * MOST_DRAINED]).await;
    rest(&place);
    let came = read(&mut stream, 1000);
    assert!((MOST_DRAINED..MOST_DRAINED + 2 * AHEAD).contains(&came), "{came}");
    // The connection stays open for the client to read its answer.
    assert!(!is_at_end(&mut stream));
    clock.advance(DRAINED_FOR);
    assert!(is_at_end(&mut stream));
    // Where it ends in time, the next request is taken.
    let (mut stream, _client, place, clock) = with(&vec![7; AHEAD]).await;
    rest(&place);
    assert_eq!(read(&mut stream, 5), AHEAD);
    place.connection.begins(false);
    clock.advance(DRAINED_FOR * 2);
    assert!(!is_at_end(&mut stream));
}

#[tokio::test]
async fn a_body_is_asked_for_where_it_is_read_and_not_before() {
    let answer = b"HTTP/1.1 401 Unauthorized\r\n\r\n";
    let both = [CONTINUE, answer].concat();
    // The server does not ask for it; asks before or after it would be written; others wait for none.
    for (asks, expects, expected) in [
        (None, true, answer.to_vec()),
        (Some(0), true, both.clone()),
        (Some(1), true, both.clone()),
        (None, false, both.clone()),
    ] {
        let (mut stream, mut client, place, _) = with(b"").await;
        if expects {
            place.connection.expects();
        }
        for step in 0..2 {
            if asks == Some(step) {
                place.connection.asks_for_body();
            }
            write(&mut stream, if step == 0 { CONTINUE } else { b"" });
        }
        write(&mut stream, answer);
        // The next request asks for nothing.
        write(&mut stream, answer);
        drop((stream, place));
        let mut came = Vec::new();
        client.read_to_end(&mut came).await.unwrap();
        assert_eq!(came, [&expected[..], answer].concat(), "{asks:?}");
    }
}
