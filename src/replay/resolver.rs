//! The loopback DNS server: one port over UDP and TCP.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hickory_proto::op::{Message, MessageType, Query};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType as WireType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::fault::{DnsFault, Fault};
use super::log::SeenRequest;
use super::server::Shared;
use super::zone::DnsAnswer;
use crate::clock::SystemClock;
use crate::providers::kit::resource::{NXDOMAIN, REFUSED, RecordType, Resource, SERVFAIL};

/// The largest answer over UDP to a question that does not say what it takes (RFC 1035 section 4.2.1).
const SMALLEST_PAYLOAD: usize = 512;
/// How often ports are tried until one is free over both.
const PORTS_TRIED: usize = 16;
/// How long every record holds, in seconds.
const TTL: u32 = 60;

/// Answers that were cut over UDP, by the id of the question; what they meet over TCP is the same fault.
type TruncatedAnswers = Arc<Mutex<BTreeMap<u16, Option<Fault>>>>;

/// Takes a port of loopback over TCP and UDP; 0 is a free one.
pub(super) async fn bind(port: u16) -> io::Result<(TcpListener, UdpSocket)> {
    let mut tries = 0;
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        match UdpSocket::bind(listener.local_addr()?).await {
            Ok(socket) => return Ok((listener, socket)),
            // What is free over TCP may be taken over UDP.
            Err(_) if port == 0 && tries < PORTS_TRIED => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Answers until it is stopped.
pub(super) async fn serve(
    listener: TcpListener,
    socket: UdpSocket,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let socket = Arc::new(socket);
    let cut = TruncatedAnswers::default();
    let mut answers = JoinSet::new();
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = answers.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { answers.spawn(over_tcp(stream, Arc::clone(&shared), Arc::clone(&cut))); }
                Err(_) => tokio::task::yield_now().await,
            },
            received = socket.recv_from(&mut buffer) => match received {
                Ok((length, from)) => {
                    let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                    answers.spawn(over_udp(Arc::clone(&socket), from, bytes, Arc::clone(&shared), Arc::clone(&cut)));
                }
                Err(_) => tokio::task::yield_now().await,
            },
        }
    }
    drop(listener);
    answers.shutdown().await;
}

/// Holds a question that was read, with the answer and the fault that it meets.
struct DnsQuestion {
    question: Message,
    answer: Vec<u8>,
    fault: Option<Fault>,
}

/// Reads a question and decides its answer. `None` for what is no question.
fn asked(bytes: &[u8], shared: &Shared) -> Option<(Message, Query, Vec<u8>)> {
    let question = Message::from_vec(bytes).ok()?;
    let query = question.queries.first()?.clone();
    let kind = match query.query_type {
        WireType::A => RecordType::A,
        WireType::AAAA => RecordType::Aaaa,
        WireType::MX => RecordType::Mx,
        WireType::TXT => RecordType::Txt,
        _ => return None,
    };
    let answer = shared.vendor.resolve(&query.name.to_ascii(), kind);
    let answer = encoded(&question, &query, &answer)?;
    Some((question, query, answer))
}

/// Takes a question down, and the fault that it meets.
fn noted(query: &Query, shared: &Shared) -> Option<Fault> {
    let request = shared.log.begin(SeenRequest {
        at: 0,
        method: query.query_type.to_string(),
        path: query.name.to_ascii().trim_end_matches('.').to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Bytes::new(),
        whole: true,
    });
    let fault = shared.fault_for(&request);
    shared.log.settle(request.at, Some(Bytes::new()));
    fault
}

async fn over_udp(
    socket: Arc<UdpSocket>,
    from: SocketAddr,
    bytes: Vec<u8>,
    shared: Arc<Shared>,
    cut: TruncatedAnswers,
) -> Option<()> {
    let (question, query, answer) = asked(&bytes, &shared)?;
    let asked = DnsQuestion {
        fault: noted(&query, &shared),
        question,
        answer,
    };
    let max = usize::from(asked.question.max_payload()).max(SMALLEST_PAYLOAD);
    let whole = match &asked.fault {
        Some(Fault::Dns(DnsFault::Silent)) => return None,
        Some(Fault::Dns(DnsFault::WrongId)) => {
            let mut forged = asked.forged(&query)?;
            let other = asked.question.metadata.id.wrapping_add(1).to_be_bytes();
            forged.get_mut(..2)?.copy_from_slice(&other);
            socket.send_to(&forged, from).await.ok()?;
            asked.answer.clone()
        }
        Some(Fault::Dns(DnsFault::OtherQuestion)) => {
            let other = Query::query(Name::from_ascii("other.example.").ok()?, query.query_type);
            socket.send_to(&asked.forged(&other)?, from).await.ok()?;
            asked.answer.clone()
        }
        fault => match fault.as_ref().and_then(|fault| asked.instead(&query, fault)) {
            Some(instead) => instead,
            None => asked.answer.clone(),
        },
    };
    if whole.len() > max || asked.is_cut() {
        let mut short = asked.question.clone().into_response();
        short.metadata.message_type = MessageType::Response;
        short.metadata.truncation = true;
        let id = short.metadata.id;
        cut.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, asked.fault);
        socket.send_to(&short.to_vec().ok()?, from).await.ok()?;
        return Some(());
    }
    held(asked.fault.as_ref()).await;
    socket.send_to(&whole, from).await.ok()?;
    Some(())
}

async fn over_tcp(mut stream: TcpStream, shared: Arc<Shared>, cut: TruncatedAnswers) -> Option<()> {
    let length = stream.read_u16().await.ok()?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await.ok()?;
    let (question, query, answer) = asked(&bytes, &shared)?;
    let id = question.metadata.id;
    let known = cut.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    let asked = DnsQuestion {
        // The rest of an answer that was cut is no other question.
        fault: known.unwrap_or_else(|| noted(&query, &shared)),
        question,
        answer,
    };
    let fault = asked.fault.as_ref();
    held(fault).await;
    let instead = fault.and_then(|fault| asked.instead(&query, fault));
    let answer = instead.as_ref().unwrap_or(&asked.answer);
    let announced = u16::try_from(answer.len()).ok()?.to_be_bytes();
    match fault {
        Some(Fault::Reset) => {
            stream.set_zero_linger().ok()?;
            return None;
        }
        Some(Fault::CloseBeforeAnswer) => return None,
        Some(Fault::TruncatedBody) => {
            let (half, _) = answer.split_at(answer.len() / 2);
            stream.write_all(&[&announced, half].concat()).await.ok()?;
        }
        Some(Fault::HugeBody { .. } | Fault::GzipBomb { .. }) => {
            let mut huge = garbage(id);
            huge.resize(usize::from(u16::MAX), b'a');
            stream
                .write_all(&[&u16::MAX.to_be_bytes(), huge.as_slice()].concat())
                .await
                .ok()?;
        }
        _ => stream
            .write_all(&[&announced, answer.as_slice()].concat())
            .await
            .ok()?,
    }
    stream.shutdown().await.ok()
}

/// Waits for what the fault waits for.
async fn held(fault: Option<&Fault>) {
    match fault {
        Some(Fault::Hold(gate) | Fault::SlowDrip(gate)) => gate.released().await,
        Some(Fault::Late(by)) => {
            let clock = SystemClock::shared();
            clock.sleep_until(clock.elapsed() + *by).await;
        }
        _ => {}
    }
}

impl DnsQuestion {
    /// Tells whether the answer over UDP is cut, so that the fault is met over TCP.
    fn is_cut(&self) -> bool {
        matches!(
            self.fault,
            Some(
                Fault::Dns(DnsFault::Truncated)
                    | Fault::TruncatedBody
                    | Fault::Reset
                    | Fault::CloseBeforeAnswer
                    | Fault::HugeBody { .. }
                    | Fault::GzipBomb { .. }
            )
        )
    }

    /// Makes the answer of a fault that is an answer like any other: what vendors say in HTTP, as far as DNS has words
    /// for it.
    fn instead(&self, query: &Query, fault: &Fault) -> Option<Vec<u8>> {
        let code = match fault {
            Fault::Dns(DnsFault::Code(code)) => *code,
            Fault::Status { code: 404, .. } => NXDOMAIN,
            Fault::Status {
                code: 401 | 403 | 429,
                ..
            } => REFUSED,
            Fault::Status { .. } | Fault::Redirect { .. } => SERVFAIL,
            Fault::HtmlInsteadOfJson
            | Fault::BrokenGzip
            | Fault::InvalidJson
            | Fault::WrongShape
            | Fault::DeepJson
            | Fault::LimitExceeded200 => return Some(garbage(self.question.metadata.id)),
            _ => return None,
        };
        encoded(&self.question, query, &DnsAnswer::empty(code))
    }

    /// Makes an answer that must not be believed.
    fn forged(&self, query: &Query) -> Option<Vec<u8>> {
        let forged = DnsAnswer {
            records: vec![Resource::A(Ipv4Addr::new(127, 0, 0, 2))],
            ..DnsAnswer::empty(0)
        };
        encoded(&self.question, query, &forged)
    }
}

/// Begins like the answer to a question, and is none.
fn garbage(id: u16) -> Vec<u8> {
    let mut bytes = id.to_be_bytes().to_vec();
    // A response with one question and one record, of which nothing follows but a label that is too long.
    bytes.extend_from_slice(&[0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0x7f, b'x']);
    bytes
}

/// Writes an answer to a question about this.
fn encoded(question: &Message, query: &Query, answer: &DnsAnswer) -> Option<Vec<u8>> {
    let mut message = question.clone().into_response();
    message.metadata.message_type = MessageType::Response;
    message.metadata.recursion_available = true;
    message.metadata.response_code = answer.code.into();
    message.queries = vec![query.clone()];
    let mut owner = query.name.clone();
    for alias in &answer.aliases {
        let target = Name::from_ascii(format!("{alias}.")).ok()?;
        message.add_answer(Record::from_rdata(
            owner,
            TTL,
            RData::CNAME(CNAME(target.clone())),
        ));
        owner = target;
    }
    for resource in &answer.records {
        message.add_answer(Record::from_rdata(owner.clone(), TTL, data(resource)?));
    }
    message.to_vec().ok()
}

fn data(resource: &Resource) -> Option<RData> {
    Some(match resource {
        Resource::A(address) => RData::A(A(*address)),
        Resource::Aaaa(address) => RData::AAAA(AAAA(*address)),
        Resource::Mx { preference, exchange } => RData::MX(MX::new(
            *preference,
            Name::from_ascii(format!("{exchange}.")).ok()?,
        )),
        // A part of a text holds up to 255 bytes.
        Resource::Txt(text) => RData::TXT(TXT::from_bytes(text.as_bytes().chunks(255).collect())),
    })
}
