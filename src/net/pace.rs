//! Reads from a client no faster than what it sends is used, and no more than is needed, so that requests that are sent ahead of
//! their turn, heads that do not end and bodies that the server does not read take no memory and no time.
//!
//! The HTTP library decodes every request that it has read, however many are being answered, and each takes many times its
//! bytes. It also asks again and again for a turn while what it has read fills its buffer.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use uuid::Uuid;

use super::connection::{Connection, Interim, Phase};
use super::connections::Connections;

/// The bytes that are read before what came is looked at, and those that are read ahead of their turn.
const AHEAD: usize = 4 << 10;
/// So many heads of requests are looked at at once, and as many ahead of their turn: each takes more than a kilobyte.
const HEADS: usize = 4;
/// The head of a request may have so many bytes.
const MOST_HEAD: usize = 32 << 10;
/// So many bytes of a body that the server does not read are thrown away, and for so long the connection stays open, so that the
/// client can read its answer.
const MOST_DRAINED: usize = 64 << 10;
pub(crate) const DRAINED_FOR: Duration = Duration::from_secs(2);
/// What asks for the body of a request.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Writes the body of the answer, `application/problem+json`, to a head that has more bytes than it may; the request gets the id.
pub(crate) type HeadRefusal = fn(Uuid, usize) -> String;

/// Is a stream that is read at the pace at which it is used.
pub(crate) struct PacedStream<S> {
    inner: S,
    connection: Arc<Connection>,
    connections: Connections,
    /// The bytes and heads that came since there were none.
    at_once: usize,
    heads_at_once: usize,
    /// The bytes and heads that came before their turn.
    ahead: usize,
    heads_ahead: usize,
    /// What was read and has more heads than are looked at at once.
    kept: BytesMut,
    /// Until when something is thrown away.
    draining: Option<Draining>,
    /// What is left to write of the interim answer.
    interim: &'static [u8],
    head_refusal: HeadRefusal,
}

/// Is the time in which something is thrown away.
struct Draining {
    until: Duration,
    timer: BoxFuture<'static, ()>,
    bytes: usize,
}

impl<S> fmt::Debug for PacedStream<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PacedStream").finish_non_exhaustive()
    }
}

impl<S> PacedStream<S> {
    pub(crate) fn new(
        inner: S,
        connection: Arc<Connection>,
        connections: Connections,
        head_refusal: HeadRefusal,
    ) -> Self {
        Self {
            inner,
            connection,
            connections,
            at_once: 0,
            heads_at_once: 0,
            ahead: 0,
            heads_ahead: 0,
            kept: BytesMut::new(),
            draining: None,
            interim: b"",
            head_refusal,
        }
    }

    /// Returns the connection.
    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Lets what came be looked at; then this goes on.
    fn in_a_moment(&mut self, context: &Context<'_>) -> Poll<io::Result<()>> {
        self.at_once = 0;
        self.heads_at_once = 0;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Tells whether the time in which something is thrown away is over. It begins when this is asked first.
    fn is_drained(&mut self, context: &mut Context<'_>) -> bool {
        let clock = self.connections.clock();
        let draining = self.draining.get_or_insert_with(|| {
            let until = clock.elapsed() + DRAINED_FOR;
            Draining {
                until,
                timer: clock.sleep_until(until),
                bytes: 0,
            }
        });
        draining.timer.as_mut().poll(context).is_ready() || clock.elapsed() >= draining.until
    }
}

impl<S: AsyncRead + Unpin> PacedStream<S> {
    /// Throws away what comes, for a while; then the stream is at its end.
    fn throw_away(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_drained(context) {
            return Poll::Ready(Ok(()));
        }
        self.kept.clear();
        let mut bytes = [0; 1024];
        for _ in 0..AHEAD / bytes.len() {
            if self
                .draining
                .as_ref()
                .is_none_or(|draining| draining.bytes >= MOST_DRAINED)
            {
                // To end now would reset the connection, and take the answer from a client that still sends.
                return Poll::Pending;
            }
            let mut buffer = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.inner).poll_read(context, &mut buffer))?;
            let came = buffer.filled().len();
            if came == 0 {
                return Poll::Ready(Ok(()));
            }
            if let Some(draining) = &mut self.draining {
                draining.bytes += came;
            }
        }
        self.in_a_moment(context)
    }

    /// Reads at most so many bytes, and so many heads where heads are counted; returns how many of both.
    fn read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        max: usize,
        heads: Option<usize>,
    ) -> Poll<io::Result<(usize, usize)>> {
        let before = buffer.filled().len();
        if self.kept.is_empty() {
            let max = u64::try_from(max).unwrap_or(u64::MAX);
            ready!(Pin::new(&mut (&mut self.inner).take(max)).poll_read(context, buffer))?;
        } else {
            let count = self.kept.len().min(max);
            buffer.put_slice(&self.kept.split_to(count));
        }
        let part = buffer.filled().get(before..).unwrap_or_default();
        let (mut came, mut count) = (part.len(), 0);
        if let Some(heads) = heads {
            (came, count) = whole(part, heads);
            let rest = part.get(came..).unwrap_or_default();
            if !rest.is_empty() {
                let behind = self.kept.split();
                self.kept.extend_from_slice(rest);
                self.kept.unsplit(behind);
                buffer.set_filled(before + came);
            }
        }
        Poll::Ready(Ok((came, count)))
    }
}

/// Measures what holds no more than so many ends of heads: its bytes and those ends.
fn whole(bytes: &[u8], max: usize) -> (usize, usize) {
    let mut count = 0;
    for at in memchr::memchr_iter(b'\n', bytes) {
        // An empty line, as tolerant readers know it. What is none costs a turn.
        let end = match bytes.get(at + 1..) {
            Some([b'\n', ..]) => at + 2,
            Some([b'\r', b'\n', ..]) => at + 3,
            _ => continue,
        };
        count += 1;
        if count == max {
            return (end, count);
        }
    }
    (bytes.len(), count)
}

impl<S: AsyncWrite + Unpin> PacedStream<S> {
    /// Answers a head that is too large, and nothing more.
    fn refuse_head(&mut self, context: &mut Context<'_>) {
        self.connections.metrics().heads_refused("too_large", 1);
        self.connection.head_ends();
        self.connection.leave();
        let id = Uuid::now_v7();
        let body = (self.head_refusal)(id, MOST_HEAD);
        let answer = format!(
            "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-type: application/problem+json\r\n\
             x-request-id: {id}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // Nothing else is to be written, so there is room for this; where there is not, the client does not read.
        let _ = Pin::new(&mut self.inner).poll_write(context, answer.as_bytes());
        let _ = Pin::new(&mut self.inner).poll_flush(context);
    }

    /// Writes what is left of an interim answer.
    fn poll_interim(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.interim.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(context, self.interim))?;
            self.interim = self.interim.get(written..).unwrap_or_default();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for PacedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.connection.is_leaving() {
            return this.throw_away(context);
        }
        if this.at_once >= AHEAD || this.heads_at_once >= HEADS {
            return this.in_a_moment(context);
        }
        let in_turn = this.connection.takes_bytes();
        if in_turn {
            this.ahead = 0;
            this.heads_ahead = 0;
        }
        if this.ahead >= AHEAD || this.heads_ahead >= HEADS {
            this.at_once = 0;
            this.heads_at_once = 0;
            this.connection.pause();
            return Poll::Pending;
        }
        let is_between = this.connection.is(Phase::Between);
        let is_unread = is_between && this.connection.is_unread();
        if is_between {
            let head = this.connection.head();
            if is_unread {
                if this.is_drained(context) {
                    return Poll::Ready(Ok(()));
                }
                if head >= MOST_DRAINED {
                    // As where all is thrown away: the client reads its answer first.
                    return Poll::Pending;
                }
            } else {
                this.draining = None;
                if head >= MOST_HEAD {
                    if this.at_once > 0 {
                        return this.in_a_moment(context);
                    }
                    this.refuse_head(context);
                    return this.throw_away(context);
                }
            }
        }
        let max = AHEAD.min(buffer.remaining());
        let heads = (!this.connection.is(Phase::Body))
            .then(|| HEADS - this.heads_at_once.max(this.heads_ahead).min(HEADS - 1));
        let Poll::Ready(read) = this.read(context, buffer, max, heads) else {
            this.at_once = 0;
            this.heads_at_once = 0;
            if !in_turn && this.ahead > 0 {
                this.connection.pause();
            }
            return Poll::Pending;
        };
        let (came, heads) = read?;
        if came == 0 {
            this.at_once = 0;
            this.heads_at_once = 0;
        }
        this.at_once += came;
        this.heads_at_once += heads;
        if !in_turn {
            this.ahead += came;
            this.heads_ahead += heads;
            if this.ahead > 0 {
                this.connection.pause();
            }
        }
        if is_between {
            this.connection.head_grows(came);
            this.connections.bound_heads();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedStream<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let connection = &this.connection;
        if !connection.is_interim(Interim::None) {
            let asks = bytes.starts_with(CONTINUE);
            if asks && connection.is_interim(Interim::Held) {
                // The body may never be read: then this would ask for it in vain.
                connection.turn_interim(Interim::Owed);
                return Poll::Ready(Ok(CONTINUE.len()));
            }
            let is_answered = connection.is_interim(Interim::Owed) || connection.is_interim(Interim::Due);
            if asks || is_answered {
                connection.turn_interim(Interim::None);
            }
        }
        ready!(this.poll_interim(context))?;
        Pin::new(&mut this.inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.connection.is_interim(Interim::Due) {
            this.connection.turn_interim(Interim::None);
            this.interim = CONTINUE;
        }
        ready!(this.poll_interim(context))?;
        Pin::new(&mut this.inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
