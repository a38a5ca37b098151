//! Reads HTTP/1.1 requests off a socket, bounded before they are parsed.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::form_urlencoded;

use super::log::{Log, SeenRequest};

/// The most bytes of a request's head, and of one line of chunk framing.
pub(super) const MAX_HEAD: usize = 64 << 10;
/// The most bytes of a request's body.
pub(super) const MAX_BODY: usize = 1 << 20;
const MAX_HEADERS: usize = 128;

/// Says why no request could be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// The client has gone, between two requests or within one.
    Gone,
    /// The client is to be told this status, and the connection closed.
    Refuse(u16),
}

impl From<io::Error> for Unreadable {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Holds a request that was read whole.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) request: SeenRequest,
    pub(super) keep_alive: bool,
}

enum Framing {
    Length(usize),
    Chunked,
}

struct Head {
    request: SeenRequest,
    framing: Framing,
    keep_alive: bool,
    expects_continue: bool,
}

/// Reads the next request of a connection and logs it; `buffer` keeps what was read beyond it. The caller settles a request
/// that was read whole, once its answer is decided.
pub(super) async fn read_request(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
    log: &Log,
) -> Result<Received, Unreadable> {
    let head = loop {
        if let Some((head, length)) = parse_head(buffer)? {
            // The parser has just read that many bytes of this buffer.
            drop(buffer.split_to(length));
            break head;
        }
        if buffer.len() >= MAX_HEAD {
            return Err(Unreadable::Refuse(431));
        }
        fill(stream, buffer).await?;
    };
    let mut request = log.begin(head.request);
    if head.expects_continue {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let body = match head.framing {
        Framing::Length(length) => read_length(stream, buffer, length).await,
        Framing::Chunked => read_chunks(stream, buffer).await,
    };
    if body.is_err() {
        log.settle(request.at, None);
    }
    request.body = body?;
    request.whole = true;
    Ok(Received {
        request,
        keep_alive: head.keep_alive,
    })
}

async fn fill(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<(), Unreadable> {
    match stream.read_buf(buffer).await? {
        0 => Err(Unreadable::Gone),
        _ => Ok(()),
    }
}

fn parse_head(buffer: &[u8]) -> Result<Option<(Head, usize)>, Unreadable> {
    const BAD: Unreadable = Unreadable::Refuse(400);
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Unreadable::Refuse(431)),
        Err(_) => return Err(BAD),
    };
    if length > MAX_HEAD {
        return Err(Unreadable::Refuse(431));
    }
    let target = parsed.path.filter(|target| target.starts_with('/')).ok_or(BAD)?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|header| {
            (
                header.name.to_ascii_lowercase(),
                String::from_utf8_lossy(header.value).into_owned(),
            )
        })
        .collect();
    let request = SeenRequest {
        at: 0,
        method: parsed.method.unwrap_or("").to_owned(),
        path: path.to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers,
        body: Bytes::new(),
        whole: false,
    };
    let says = |name: &str, word: &str| {
        request
            .header(name)
            .unwrap_or("")
            .split(',')
            .any(|one| one.trim().eq_ignore_ascii_case(word))
    };
    let head = Head {
        framing: framing(&request)?,
        keep_alive: parsed.version == Some(1) && !says("connection", "close"),
        expects_continue: says("expect", "100-continue"),
        request,
    };
    Ok(Some((head, length)))
}

/// Decides how long the body is. Two answers to that question are refused, as RFC 9112 section 6.3 wants it.
fn framing(request: &SeenRequest) -> Result<Framing, Unreadable> {
    let all = |name: &'static str| request.headers.iter().filter(move |(present, _)| present == name);
    let mut lengths = all("content-length").map(|(_, value)| value.trim());
    let mut codings = all("transfer-encoding").map(|(_, value)| value.trim());
    match (codings.next(), codings.next(), lengths.next(), lengths.next()) {
        (None, _, None, _) => Ok(Framing::Length(0)),
        (Some(coding), None, None, _) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        (None, _, Some(length), None) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            match length.parse::<usize>() {
                Ok(length) if length <= MAX_BODY => Ok(Framing::Length(length)),
                Err(_) if length.is_empty() => Err(Unreadable::Refuse(400)),
                _ => Err(Unreadable::Refuse(413)),
            }
        }
        _ => Err(Unreadable::Refuse(400)),
    }
}

async fn read_length(
    stream: &mut TcpStream,
    buffer: &mut BytesMut,
    length: usize,
) -> Result<Bytes, Unreadable> {
    while buffer.len() < length {
        fill(stream, buffer).await?;
    }
    Ok(buffer.split_to(length).freeze())
}

async fn read_chunks(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<Bytes, Unreadable> {
    let mut body = BytesMut::new();
    loop {
        let size = loop {
            match httparse::parse_chunk_size(buffer) {
                Ok(httparse::Status::Complete((line, size))) => {
                    drop(buffer.split_to(line));
                    break size;
                }
                Ok(httparse::Status::Partial) if buffer.len() < MAX_HEAD => fill(stream, buffer).await?,
                _ => return Err(Unreadable::Refuse(400)),
            }
        };
        if size == 0 {
            while !read_line(stream, buffer).await?.is_empty() {}
            return Ok(body.freeze());
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > MAX_BODY.saturating_sub(body.len()) {
            return Err(Unreadable::Refuse(413));
        }
        body.extend_from_slice(&read_length(stream, buffer, size).await?);
        if !read_line(stream, buffer).await?.is_empty() {
            return Err(Unreadable::Refuse(400));
        }
    }
}

/// Reads a line and takes its end away.
async fn read_line(stream: &mut TcpStream, buffer: &mut BytesMut) -> Result<Bytes, Unreadable> {
    loop {
        if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let mut line = buffer.split_to(end + 1);
            line.truncate(end);
            if line.ends_with(b"\r") {
                line.truncate(end - 1);
            }
            return Ok(line.freeze());
        }
        if buffer.len() >= MAX_HEAD {
            return Err(Unreadable::Refuse(400));
        }
        fill(stream, buffer).await?;
    }
}
