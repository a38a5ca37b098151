//! The loopback server: listens, reads, chooses, sends. What is asked over DNS has a server of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::answer::Answer;
use super::deliver::{ConnectionFate, RequestFacts, deliver, plain};
use super::fault::{Fault, Matcher};
use super::log::{Log, SeenRequest};
use super::resolver;
use super::vendor::Vendor;
use super::wire::{MAX_BODY, Unreadable, read_request};

/// More connections than that wait in the listener's backlog.
const MAX_CONNECTIONS: usize = 1024;

#[derive(Debug)]
struct Injected {
    matcher: Matcher,
    fault: Fault,
    remaining: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) vendor: Vendor,
    pub(super) log: Log,
    faults: Mutex<Vec<Injected>>,
}

/// Plays one vendor on a port of 127.0.0.1 until it is stopped or dropped, which ends its connections too.
#[derive(Debug)]
pub struct Replay {
    shared: Arc<Shared>,
    address: SocketAddr,
    scheme: &'static str,
    // Dropped to tell the server that it is over.
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Replay {
    /// Starts on a free port, on the caller's tokio runtime.
    ///
    /// # Errors
    /// What binding the port failed with.
    pub async fn start(vendor: Vendor) -> io::Result<Self> {
        Self::start_at(vendor, 0).await
    }

    /// Starts on a given port (0: a free one). It is always on loopback.
    ///
    /// # Errors
    /// What binding the port failed with.
    pub async fn start_at(vendor: Vendor, port: u16) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            vendor,
            log: Log::new(),
            faults: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let (address, scheme, server);
        if shared.vendor.is_dns() {
            let (listener, socket) = resolver::bind(port).await?;
            (address, scheme) = (listener.local_addr()?, "dns");
            server = tokio::spawn(resolver::serve(listener, socket, Arc::clone(&shared), stopped));
        } else {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            (address, scheme) = (listener.local_addr()?, "http");
            server = tokio::spawn(serve(listener, Arc::clone(&shared), stopped));
        }
        Ok(Self {
            shared,
            address,
            scheme,
            stop: Some(stop),
            server,
        })
    }

    /// Returns the address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns `http://` (`dns://` of a vendor that is asked over DNS) and the address, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Stops, and returns when the port and every connection are closed.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        // It ends by itself now; an error could only be its own panic, and there is nothing left to save.
        let _ended = (&mut self.server).await;
    }

    /// Returns the requests seen since the start or [`forget`](Self::forget), in the order of their heads. A long-running
    /// replay keeps the newest 65 536, and 32 MiB of them.
    pub fn seen(&self) -> Vec<SeenRequest> {
        self.shared.log.seen()
    }

    /// Counts the requests whose head was read, whatever became of them.
    pub fn attempts(&self) -> u64 {
        self.shared.log.attempts()
    }

    /// Counts those among the [seen](Self::seen) whose path begins with this.
    pub fn attempts_to(&self, path_prefix: &str) -> u64 {
        self.shared.log.attempts_to(path_prefix)
    }

    /// Forgets what was seen and starts counting anew. Requests that are being read are forgotten too.
    pub fn forget(&self) {
        self.shared.log.forget();
    }

    /// Waits until that many requests were received since the start or [`forget`](Self::forget): read whole, or cut short by their client.
    pub async fn wait_for_attempts(&self, wanted: u64) {
        self.shared.log.wait_for(wanted).await;
    }

    /// Makes requests that match meet a fault, that many times or until [`clear_faults`](Self::clear_faults). The first
    /// injected one that matches and is not used up wins.
    pub fn inject(&self, matcher: Matcher, fault: Fault, times: Option<u32>) {
        self.shared.faults().push(Injected {
            matcher,
            fault,
            remaining: times,
        });
    }

    /// Goes back to normal answers. Answers that are held stay held by their gate.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        // Its set of connections is dropped with it, which aborts them.
        self.server.abort();
    }
}

impl Shared {
    fn faults(&self) -> MutexGuard<'_, Vec<Injected>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fault_for(&self, request: &SeenRequest) -> Option<Fault> {
        let mut faults = self.faults();
        let injected = faults
            .iter_mut()
            .find(|injected| injected.remaining != Some(0) && injected.matcher.matches(request))?;
        injected.remaining = injected.remaining.map(|left| left - 1);
        Some(injected.fault.clone())
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => { connections.spawn(converse(stream, Arc::clone(&shared))); }
                // Out of descriptors, most likely: let those who hold them go on.
                Err(_) => tokio::task::yield_now().await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// Answers the requests of one connection. An error only means that the client has gone.
async fn converse(mut stream: TcpStream, shared: Arc<Shared>) {
    // A drip of single bytes is to leave as it is written; where that cannot be set, it leaves later.
    let _set = stream.set_nodelay(true);
    let mut buffer = BytesMut::with_capacity(8 << 10);
    loop {
        let received = match read_request(&mut stream, &mut buffer, &shared.log).await {
            Ok(received) => received,
            Err(Unreadable::Gone) => return,
            Err(Unreadable::Refuse(status)) => {
                let asked = RequestFacts {
                    head: false,
                    keep_alive: false,
                };
                let refusal = Answer::json(status, r#"{"error":"the request was not understood"}"#);
                if plain(&mut stream, asked, &refusal).await.is_ok() {
                    linger(&mut stream).await;
                }
                return;
            }
        };
        let request = &received.request;
        let asked = RequestFacts {
            head: request.method == "HEAD",
            keep_alive: received.keep_alive,
        };
        let fault = shared.fault_for(request);
        let answer = shared.vendor.answer(request);
        // Not before: who has waited for this request may count on its fault being taken.
        shared.log.settle(request.at, Some(request.body.clone()));
        match deliver(&mut stream, asked, answer, fault).await {
            Ok(ConnectionFate::KeepAlive) => {}
            Ok(ConnectionFate::Close) | Err(_) => return,
        }
    }
}

/// Reads on for a while after a refusal: closing on unread bytes would reset the connection and could take the answer with it.
async fn linger(stream: &mut TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut scrap = vec![0; 16 << 10];
    let mut left = 8 * MAX_BODY;
    while let Ok(read @ 1..) = stream.read(&mut scrap).await {
        left = left.saturating_sub(read);
        if left == 0 {
            return;
        }
    }
}
