//! Reads from a client no faster than what it sends is used, so that requests that are sent ahead of their turn take no memory.
//!
//! The HTTP library decodes every request that it has read, however many are being answered, and each takes many times its
//! bytes. It also asks again and again for a turn while what it has read fills its buffer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connections::Connection;

/// The bytes that are read before what came is looked at, and those that are read ahead of their turn.
const AHEAD: usize = 4 << 10;

/// Is a stream that is read at the pace at which it is used.
#[derive(Debug)]
pub(super) struct Paced<S> {
    inner: S,
    connection: Arc<Connection>,
    /// The bytes that came since there were none.
    at_once: usize,
    /// The bytes that came before their turn.
    ahead: usize,
}

impl<S> Paced<S> {
    pub(super) fn new(inner: S, connection: Arc<Connection>) -> Self {
        Self {
            inner,
            connection,
            at_once: 0,
            ahead: 0,
        }
    }

    /// Returns the connection.
    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.at_once >= AHEAD {
            // What came is looked at first; then this goes on.
            this.at_once = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let in_turn = this.connection.takes_bytes();
        if in_turn {
            this.ahead = 0;
        }
        if this.ahead >= AHEAD {
            this.at_once = 0;
            this.connection.pause();
            return Poll::Pending;
        }
        let most = AHEAD.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(most));
        let read = Pin::new(&mut this.inner).poll_read(context, &mut part);
        let came = part.filled().len();
        buffer.advance(came);
        if came == 0 {
            this.at_once = 0;
        }
        this.at_once += came;
        if !in_turn {
            this.ahead += came;
            if this.ahead > 0 {
                this.connection.pause();
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;
    use crate::clock::SharedClock;
    use crate::clock::manual::ManualClock;
    use crate::server::connections::{Connections, Phase, Place};
    use crate::telemetry::network::NetworkMetrics;

    /// Makes a stream to which so many bytes were sent.
    async fn paced(sent: usize) -> (Paced<tokio::io::DuplexStream>, tokio::io::DuplexStream, Place) {
        let clock: SharedClock = Arc::new(ManualClock::new(jiff::Timestamp::UNIX_EPOCH));
        let connections = Connections::new(8, Duration::from_secs(120), clock, NetworkMetrics::default());
        let place = connections.enter().unwrap();
        let (server, mut client) = duplex(sent);
        client.write_all(&vec![7; sent]).await.unwrap();
        let stream = Paced::new(server, Arc::clone(&place.connection));
        (stream, client, place)
    }

    /// Reads all that can be read in some turns.
    fn read(stream: &mut Paced<tokio::io::DuplexStream>, turns: usize) -> usize {
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
}
