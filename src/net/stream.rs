//! A client's stream of bytes, that ends where the client takes its answers too slowly, or has to make room.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::Connection;
use super::connections::{ConnectionGuard, Connections};

/// A client takes an answer at no less than so many bytes a second, beyond what `patience` allows.
const LEAST_RATE: u64 = 4 << 10;

/// Is a stream under watch.
pub(crate) struct WatchedStream<S> {
    inner: S,
    place: ConnectionGuard,
    connections: Connections,
    /// How long the client may take nothing of an answer.
    patience: Duration,
    /// How long it may still do so: less by the time that it did, and more by what it took.
    left: Duration,
    stalled: Option<Stalled>,
}

/// Is an answer of which the client takes nothing.
struct Stalled {
    until: Duration,
    timer: BoxFuture<'static, ()>,
}

impl<S> fmt::Debug for WatchedStream<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WatchedStream").finish_non_exhaustive()
    }
}

impl<S> WatchedStream<S> {
    pub(crate) fn new(
        inner: S,
        place: ConnectionGuard,
        connections: Connections,
        patience: Duration,
    ) -> Self {
        Self {
            inner,
            place,
            connections,
            patience,
            left: patience,
            stalled: None,
        }
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.place.connection
    }

    fn check(&self, context: &Context<'_>) -> io::Result<()> {
        if self.connection().is_closed(context.waker()) {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the connection made room for others",
            ));
        }
        Ok(())
    }

    /// Notes that the client took so many bytes of its answer.
    fn took(&mut self, bytes: usize, context: &Context<'_>) {
        let now = self.connections.clock().elapsed();
        // While it took nothing, nothing may have been read.
        if let Some(stalled) = self.stalled.take() {
            self.left = stalled.until.saturating_sub(now);
            self.connection().stalls(false);
            context.waker().wake_by_ref();
        }
        let earned = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000_000) / LEAST_RATE;
        self.left = (self.left + Duration::from_micros(earned)).min(self.patience);
        self.connection().sent(now);
    }

    /// Waits for the client, but not for ever.
    fn stall(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let clock = self.connections.clock();
        self.place.connection.stalls(true);
        let stalled = self.stalled.get_or_insert_with(|| {
            let until = clock.elapsed() + self.left;
            Stalled {
                until,
                timer: clock.sleep_until(until),
            }
        });
        if stalled.timer.as_mut().poll(context).is_pending() && clock.elapsed() < stalled.until {
            return Poll::Pending;
        }
        self.connections.metrics().slow("answer");
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client takes its answer too slowly",
        )))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(context, buffer);
        if buffer.filled().len() > before {
            this.connection().received(this.connections.clock().elapsed());
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check(context)?;
        match Pin::new(&mut this.inner).poll_write(context, bytes) {
            Poll::Pending => this.stall(context),
            Poll::Ready(written) => {
                this.took(written.as_ref().copied().unwrap_or(0), context);
                Poll::Ready(written)
            }
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check(context)?;
        match Pin::new(&mut this.inner).poll_write_vectored(context, slices) {
            Poll::Pending => this.stall(context),
            Poll::Ready(written) => {
                this.took(written.as_ref().copied().unwrap_or(0), context);
                Poll::Ready(written)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::clock::SharedClock;
    use crate::clock::manual::ManualClock;
    use crate::telemetry::network::NetworkMetrics;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn watched<S>(inner: S, max: usize) -> (WatchedStream<S>, Connections, ManualClock) {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        let shared: SharedClock = Arc::new(clock.clone());
        let connections = Connections::new(max, 2 * PATIENCE, shared, NetworkMetrics::default());
        let place = connections.enter(None).unwrap();
        let stream = WatchedStream::new(inner, place, connections.clone(), PATIENCE);
        (stream, connections, clock)
    }

    #[tokio::test]
    async fn an_answer_that_the_client_does_not_take_ends() {
        let (server, mut client) = duplex(16);
        let (mut stream, connections, clock) = watched(server, 8);
        let writing = tokio::spawn(async move { stream.write_all(&[7; 64]).await });
        clock.wait_for_sleeper(PATIENCE).await;
        clock.advance(PATIENCE / 2);
        // The client takes a part: that gives it little more time.
        let mut taken = [0; 16];
        client.read_exact(&mut taken).await.unwrap();
        clock.wait_for_sleeper(PATIENCE).await;
        clock.advance(PATIENCE / 2 - Duration::from_secs(1));
        tokio::task::yield_now().await;
        assert!(!writing.is_finished());
        clock.advance(Duration::from_secs(2));
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(connections.metrics().slow_count("answer"), 1);
    }

    #[tokio::test]
    async fn an_answer_that_is_taken_byte_by_byte_ends() {
        let (server, mut client) = duplex(16);
        let (mut stream, connections, clock) = watched(server, 8);
        let writing = tokio::spawn(async move { stream.write_all(&[7; 64]).await });
        let mut taken = 0;
        while !writing.is_finished() {
            let wait = clock.wait_for_sleeper(PATIENCE).await;
            if wait < PATIENCE / 2 {
                clock.advance(wait + Duration::from_secs(1));
                break;
            }
            clock.advance(PATIENCE - Duration::from_secs(1));
            client.read_u8().await.unwrap();
            taken += 1;
            assert!(taken < 5, "it is waited for still");
        }
        assert_eq!(taken, 1, "less is left of the time with each byte");
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(connections.metrics().slow_count("answer"), 1);
    }

    #[tokio::test]
    async fn an_answer_that_is_taken_at_the_least_rate_goes_on() {
        let piece = usize::try_from(LEAST_RATE).unwrap() * 50;
        let (server, mut client) = duplex(piece);
        let (mut stream, _connections, clock) = watched(server, 8);
        let writing = tokio::spawn(async move { stream.write_all(&vec![7; 20 * piece]).await });
        let mut taken = vec![0; piece];
        for _ in 0..19 {
            clock.wait_for_sleeper(PATIENCE).await;
            clock.advance(Duration::from_secs(50));
            client.read_exact(&mut taken).await.unwrap();
        }
        writing.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_stream_that_makes_room_ends_whether_it_reads_or_writes() {
        let (server, _client) = duplex(16);
        let (mut stream, connections, _clock) = watched(server, 1);
        let reading = tokio::spawn(async move {
            let read = stream.read_u8().await.map(drop);
            (read, stream.write_all(b"x").await)
        });
        tokio::task::yield_now().await;
        let _next = connections.enter(None).unwrap();
        let (read, written) = reading.await.unwrap();
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}
