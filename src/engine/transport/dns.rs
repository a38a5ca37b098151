//! Asks a resolver one question: over UDP, and over TCP where the answer was cut.
//!
//! There is no timer, no repeat and no cache here: the engine bounds each attempt by its own clock, repeats it and keeps
//! what came. What is asked may hold a key, so no error names it.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, Record, RecordType as WireType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::address::AddressPolicy;
use super::{AttemptError, unsigned};
use crate::config::values::{self, Resolver};
use crate::providers::Reply;
use crate::providers::kit::resource::{NOERROR, NXDOMAIN, RecordType, Resource};

/// Where the machine's resolvers are written down (resolv.conf(5)).
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// The port of DNS.
const PORT: u16 = 53;
/// The largest answer over UDP that is asked for: it fits a packet on every common path, so it is not cut on the way.
const PAYLOAD: u16 = 1232;
/// The bytes of a message's header.
const HEADER: usize = 12;
/// The most aliases that are followed in an answer.
const MAX_ALIASES: usize = 16;
/// The most records of an answer that are read.
const MAX_RECORDS: usize = 256;

/// Holds where the questions of an origin go.
#[derive(Debug)]
pub(super) struct Resolvers {
    text: String,
    resolver: Resolver,
    /// Which of the machine's resolvers is asked next.
    next: AtomicUsize,
}

impl Resolvers {
    /// Reads the base URL of an origin that is asked over DNS.
    ///
    /// A resolver stands at an address that was written into the configuration, mostly a private one or this machine's:
    /// both are allowed as they are written. Link-local and metadata addresses are not.
    pub(super) fn new(base: &str) -> Result<Self, String> {
        let resolver = values::resolver(base)?;
        let policy = AddressPolicy {
            private: true,
            loopback: true,
        };
        match resolver {
            Resolver::At(at) if !policy.allows(at.ip()) => {
                Err(format!("{} is an address that a resolver may not have", at.ip()))
            }
            _ => Ok(Self {
                text: resolver.to_string(),
                resolver,
                next: AtomicUsize::new(0),
            }),
        }
    }

    /// Returns the base URL.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Asks for the records of `kind` that `name` has.
    pub(super) async fn ask(&self, name: &str, kind: RecordType) -> Result<Reply, AttemptError> {
        let question = Question::new(name, kind)?;
        let servers = match self.resolver {
            Resolver::At(address) => vec![address],
            Resolver::System => system().await?,
        };
        let at = self.next.load(Ordering::Relaxed);
        // An attempt that is given up never comes back here: then the next one asks the next server.
        self.next.store(at.wrapping_add(1), Ordering::Relaxed);
        let server = servers.get(at % servers.len().max(1)).copied();
        let server = server.ok_or_else(|| AttemptError::NotSent("there is no resolver".to_owned()))?;
        let reply = match question.over_udp(server).await? {
            Some(message) => message,
            None => question.over_tcp(server).await?,
        };
        self.next.store(at, Ordering::Relaxed);
        Ok(question.reply(&reply))
    }
}

/// Reads the machine's resolvers; they change as the machine moves between networks.
async fn system() -> Result<Vec<SocketAddr>, AttemptError> {
    let read = tokio::task::spawn_blocking(|| std::fs::read_to_string(RESOLV_CONF));
    match read.await {
        Ok(Ok(text)) => Ok(servers(&text)),
        // Without the file there is a resolver on this machine, says its manual page.
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Ok(servers("")),
        Ok(Err(error)) => Err(AttemptError::NotSent(format!("{RESOLV_CONF}: {error}"))),
        Err(error) => Err(AttemptError::NotSent(error.to_string())),
    }
}

/// Lists the servers that a text in the form of resolv.conf(5) names, in its order.
///
/// The machine sends all its own questions there, so that every address is taken that a server can have at all. One
/// with a zone (`fe80::1%eth0`) is passed over.
fn servers(text: &str) -> Vec<SocketAddr> {
    let read = |line: &str| {
        let mut words = line.split_whitespace();
        let address = words
            .next()
            .filter(|word| *word == "nameserver")
            .and(words.next())?;
        let address: IpAddr = address.parse().ok()?;
        let usable = !(address.is_unspecified() || address.is_multicast());
        usable.then(|| SocketAddr::new(address, PORT))
    };
    let found: Vec<SocketAddr> = text.lines().filter_map(read).collect();
    if found.is_empty() {
        return vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT)];
    }
    found
}

/// Holds one question as it goes on the wire.
struct Question {
    id: u16,
    query: Query,
    bytes: Vec<u8>,
}

/// Says what a message is to a question.
enum Seen {
    /// Not its answer.
    Foreign,
    /// Its answer, cut.
    Cut,
    /// Its answer.
    Whole(Message),
}

impl Question {
    fn new(name: &str, kind: RecordType) -> Result<Self, AttemptError> {
        let broken = || unsigned("this is no name that can be asked over DNS".to_owned());
        // Names are asked as they are: a label may hold what no host name does.
        let labels = name.trim_end_matches('.').split('.').map(str::as_bytes);
        let mut name = Name::from_labels(labels).map_err(|_| broken())?;
        name.set_fqdn(true);
        let mut id = [0; 2];
        getrandom::fill(&mut id).map_err(|error| unsigned(error.to_string()))?;
        let id = u16::from_ne_bytes(id);
        let query = Query::query(name, wire_type(kind));
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(query.clone());
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD);
        message.set_edns(edns);
        let bytes = message.to_vec().map_err(|_| broken())?;
        Ok(Self { id, query, bytes })
    }

    /// Says what a message is to this question. Only the id and the question tell: a sender that guesses both is no stranger.
    fn look(&self, bytes: &[u8]) -> Result<Seen, AttemptError> {
        let &[high, low, flags, ..] = bytes else {
            return Ok(Seen::Foreign);
        };
        let is_answer = flags & 0x80 != 0;
        if bytes.len() < HEADER || u16::from_be_bytes([high, low]) != self.id || !is_answer {
            return Ok(Seen::Foreign);
        }
        if flags & 0x02 != 0 {
            return Ok(Seen::Cut);
        }
        let message = Message::from_vec(bytes).map_err(|_| {
            // What it says of the fault may hold names.
            AttemptError::Undecodable("it is no DNS message".to_owned())
        })?;
        let code = u16::from(message.metadata.response_code);
        Ok(match message.queries.as_slice() {
            [query] if *query == self.query => Seen::Whole(message),
            // A server that could not read the question cannot repeat it.
            [] if code != NOERROR && code != NXDOMAIN => Seen::Whole(message),
            _ => Seen::Foreign,
        })
    }

    /// Asks over UDP; `None` where the answer was cut.
    async fn over_udp(&self, server: SocketAddr) -> Result<Option<Message>, AttemptError> {
        let any: IpAddr = if server.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        let not_sent = |error: std::io::Error| AttemptError::NotSent(error.to_string());
        // A port of its own for each question, from which only the server's packets are taken.
        let socket = UdpSocket::bind((any, 0)).await.map_err(not_sent)?;
        socket.connect(server).await.map_err(not_sent)?;
        socket.send(&self.bytes).await.map_err(not_sent)?;
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            let length = socket.recv(&mut buffer).await.map_err(|error| {
                // The machine there says that no process took the question.
                if error.kind() == ErrorKind::ConnectionRefused {
                    AttemptError::NotSent(error.to_string())
                } else {
                    AttemptError::Broken(error.to_string())
                }
            })?;
            match self.look(buffer.get(..length).unwrap_or_default())? {
                Seen::Foreign => {}
                Seen::Cut => return Ok(None),
                Seen::Whole(message) => return Ok(Some(message)),
            }
        }
    }

    /// Asks over TCP (RFC 7766): each message follows its length. What is wrong here came after bytes were sent.
    async fn over_tcp(&self, server: SocketAddr) -> Result<Message, AttemptError> {
        let broken = |error: std::io::Error| AttemptError::Broken(format!("over TCP: {error}"));
        let mut stream = TcpStream::connect(server).await.map_err(broken)?;
        let length = u16::try_from(self.bytes.len()).unwrap_or(u16::MAX);
        let framed = [&length.to_be_bytes(), self.bytes.as_slice()].concat();
        stream.write_all(&framed).await.map_err(broken)?;
        let length = stream.read_u16().await.map_err(broken)?;
        let mut bytes = vec![0; usize::from(length)];
        stream.read_exact(&mut bytes).await.map_err(broken)?;
        match self.look(&bytes)? {
            Seen::Whole(message) => Ok(message),
            Seen::Cut => Err(AttemptError::Undecodable("it is cut over TCP, too".to_owned())),
            Seen::Foreign => Err(AttemptError::Undecodable(
                "it answers another question".to_owned(),
            )),
        }
    }

    /// Brings the answer to the form that providers read.
    fn reply(&self, message: &Message) -> Reply {
        // Whatever stands for the name by an alias counts as the name itself; nothing else in the answer does.
        let mut owners = vec![&self.query.name];
        while let Some(alias) = owners.last().and_then(|last| alias(&message.answers, last)) {
            if owners.len() > MAX_ALIASES {
                break;
            }
            owners.push(alias);
        }
        let own = message
            .answers
            .iter()
            .filter(|record| owners.contains(&&record.name));
        let records: Vec<Resource> = own
            .filter(|record| record.data.record_type() == self.query.query_type)
            .filter_map(|record| resource(&record.data))
            .take(MAX_RECORDS)
            .collect();
        Reply::of_dns(message.metadata.response_code.into(), &records)
    }
}

/// Returns the name that another one stands for.
fn alias<'a>(answers: &'a [Record], name: &Name) -> Option<&'a Name> {
    answers.iter().find_map(|record| match &record.data {
        RData::CNAME(target) if record.name == *name => Some(&target.0),
        _ => None,
    })
}

fn resource(data: &RData) -> Option<Resource> {
    Some(match data {
        RData::A(address) => Resource::A(address.0),
        RData::AAAA(address) => Resource::Aaaa(address.0),
        RData::MX(server) => Resource::Mx {
            preference: server.preference,
            exchange: server
                .exchange
                .to_lowercase()
                .to_ascii()
                .trim_end_matches('.')
                .to_owned(),
        },
        RData::TXT(text) => Resource::Txt(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
        _ => return None,
    })
}

fn wire_type(kind: RecordType) -> WireType {
    match kind {
        RecordType::A => WireType::A,
        RecordType::Aaaa => WireType::AAAA,
        RecordType::Mx => WireType::MX,
        RecordType::Txt => WireType::TXT,
    }
}

#[cfg(test)]
mod tests;
