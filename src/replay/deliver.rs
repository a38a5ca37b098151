//! Sends an answer, or what a fault makes of it. Bytes are written raw, so that a fault is exactly what it says.

use std::io;

use flate2::{Compress, Compression, Crc, FlushCompress};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::answer::Answer;
use super::fault::Fault;
use crate::clock::SystemClock;

/// A gzip header without name and time (RFC 1952 section 2.3).
pub(super) const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

const OPENING: &[u8] = br#"{"response":{"filler":""#;
const CLOSING: &[u8] = br#""}}"#;

/// Says what becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionFate {
    KeepAlive,
    Close,
}

/// Tells the sender about the request it answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestFacts {
    /// A HEAD request has an answer without a body.
    pub(super) head: bool,
    pub(super) keep_alive: bool,
}

/// Sends `answer`, distorted by the fault.
pub(super) async fn deliver(
    stream: &mut TcpStream,
    asked: RequestFacts,
    mut answer: Answer,
    fault: Option<Fault>,
) -> io::Result<ConnectionFate> {
    if let Some(instead) = fault.as_ref().and_then(Fault::answer) {
        return plain(stream, asked, &instead).await;
    }
    match fault {
        Some(Fault::Hold(gate)) => {
            gate.released().await;
            plain(stream, asked, &answer).await
        }
        Some(Fault::Late(by)) => {
            let clock = SystemClock::shared();
            clock.sleep_until(clock.elapsed() + by).await;
            plain(stream, asked, &answer).await
        }
        Some(Fault::WrongContentType(label)) => {
            answer.set_header("Content-Type", label);
            plain(stream, asked, &answer).await
        }
        Some(Fault::TruncatedBody) => {
            let (sent, _) = answer.body.split_at(answer.body.len() / 2);
            let announced = answer.body.len().max(1);
            stream
                .write_all(
                    answer
                        .head(&format!("Content-Length: {announced}\r\n"))
                        .as_bytes(),
                )
                .await?;
            stream.write_all(sent).await?;
            Ok(ConnectionFate::Close)
        }
        Some(Fault::SlowDrip(gate)) => {
            stream.write_all(answer.head(&length(&answer)).as_bytes()).await?;
            for (count, byte) in (0_u64..).zip(&answer.body) {
                gate.passed(count).await;
                stream.write_all(&[*byte]).await?;
            }
            Ok(ConnectionFate::Close)
        }
        Some(Fault::HugeBody { bytes }) => huge(stream, bytes).await,
        Some(Fault::GzipBomb { decoded_bytes }) => bomb(stream, decoded_bytes).await,
        Some(Fault::Reset) => {
            stream.set_zero_linger()?;
            Ok(ConnectionFate::Close)
        }
        Some(Fault::CloseBeforeAnswer) => Ok(ConnectionFate::Close),
        _ => plain(stream, asked, &answer).await,
    }
}

fn length(answer: &Answer) -> String {
    match answer.status {
        // RFC 9110 section 8.6: no length where there can be no body.
        204 | 304 => String::new(),
        _ => format!("Content-Length: {}\r\n", answer.body.len()),
    }
}

/// Sends an answer as it is.
pub(super) async fn plain(
    stream: &mut TcpStream,
    asked: RequestFacts,
    answer: &Answer,
) -> io::Result<ConnectionFate> {
    let mut framing = length(answer);
    if !asked.keep_alive {
        framing.push_str("Connection: close\r\n");
    }
    let mut bytes = answer.head(&framing).into_bytes();
    if !asked.head && !matches!(answer.status, 204 | 304) {
        bytes.extend_from_slice(&answer.body);
    }
    stream.write_all(&bytes).await?;
    Ok(if asked.keep_alive {
        ConnectionFate::KeepAlive
    } else {
        ConnectionFate::Close
    })
}

async fn chunk(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    stream.write_all(&framed).await
}

const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

async fn huge(stream: &mut TcpStream, bytes: u64) -> io::Result<ConnectionFate> {
    let block = vec![b'a'; 64 << 10];
    let mut left = bytes.saturating_sub((OPENING.len() + CLOSING.len()) as u64);
    stream
        .write_all(
            Answer::json(200, "")
                .head("Transfer-Encoding: chunked\r\n")
                .as_bytes(),
        )
        .await?;
    chunk(stream, OPENING).await?;
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        let (part, _) = block.split_at(now);
        chunk(stream, part).await?;
        left -= now as u64;
    }
    chunk(stream, CLOSING).await?;
    stream.write_all(LAST_CHUNK).await?;
    Ok(ConnectionFate::Close)
}

/// Sends one compressed mebibyte over and over: blocks that end in a full flush stand for themselves.
async fn bomb(stream: &mut TcpStream, decoded_bytes: u64) -> io::Result<ConnectionFate> {
    let plain = vec![b'a'; 1 << 20];
    let packed = deflate(&plain, FlushCompress::Full)?;
    let mut block_crc = Crc::new();
    block_crc.update(&plain);

    let head = Answer::json(200, "")
        .with_header("Content-Encoding", "gzip")
        .head("Transfer-Encoding: chunked\r\n");
    stream.write_all(head.as_bytes()).await?;
    chunk(stream, &GZIP_HEADER).await?;
    chunk(stream, &deflate(OPENING, FlushCompress::Full)?).await?;
    let mut crc = Crc::new();
    crc.update(OPENING);
    let mut sent = OPENING.len() as u64;
    while sent < decoded_bytes {
        chunk(stream, &packed).await?;
        crc.combine(&block_crc);
        sent += plain.len() as u64;
    }
    crc.update(CLOSING);
    sent += CLOSING.len() as u64;
    chunk(stream, &deflate(CLOSING, FlushCompress::Finish)?).await?;
    let mut trailer = crc.sum().to_le_bytes().to_vec();
    // RFC 1952: the length modulo 2^32.
    trailer.extend((sent % (1 << 32)).to_le_bytes().iter().take(4));
    chunk(stream, &trailer).await?;
    stream.write_all(LAST_CHUNK).await?;
    Ok(ConnectionFate::Close)
}

fn deflate(plain: &[u8], flush: FlushCompress) -> io::Result<Vec<u8>> {
    // Far more than is needed, so that one call takes the whole input.
    let mut packed = Vec::with_capacity(plain.len() + 1024);
    Compress::new(Compression::best(), false).compress_vec(plain, &mut packed, flush)?;
    Ok(packed)
}
