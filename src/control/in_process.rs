//! Serves the routes of the Unix socket in the process of a command that found no server: over a pair of connected sockets for
//! each call, so that no other process reaches them.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use actix_service::{Service, ServiceFactory};
use actix_web::rt::System;
use actix_web::rt::net::UnixStream;
use tokio::sync::mpsc;

use super::service::Shared;
use crate::app::App;

/// Serves this process until it is stopped.
#[derive(Debug)]
pub struct InProcess {
    streams: mpsc::UnboundedSender<std::os::unix::net::UnixStream>,
    thread: JoinHandle<()>,
}

/// Connects to [`InProcess`].
#[derive(Debug, Clone)]
pub struct Connector(mpsc::UnboundedSender<std::os::unix::net::UnixStream>);

impl Connector {
    /// Makes a connection.
    ///
    /// # Errors
    /// Where the system gives no sockets, or the service has ended.
    pub(super) fn connect(&self) -> io::Result<UnixStream> {
        let (here, there) = std::os::unix::net::UnixStream::pair()?;
        here.set_nonblocking(true)?;
        there.set_nonblocking(true)?;
        let sent = self.0.send(there);
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        UnixStream::from_std(here)
    }
}

impl InProcess {
    /// Begins to serve, on a thread of its own.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(app: Arc<App>) -> io::Result<Self> {
        let (streams, calls) = mpsc::unbounded_channel();
        let serve = move || System::new().block_on(serve(app, calls));
        let thread = thread::Builder::new().name("commands".to_owned()).spawn(serve)?;
        Ok(Self { streams, thread })
    }

    /// Returns what connects to it.
    #[must_use]
    pub fn connector(&self) -> Connector {
        Connector(self.streams.clone())
    }

    /// Stops serving, once all connectors are gone.
    pub async fn stop(self) {
        let Self { streams, thread } = self;
        drop(streams);
        let joined = tokio::task::spawn_blocking(move || thread.join());
        if !matches!(joined.await, Ok(Ok(()))) {
            tracing::error!("what serves commands in this process failed");
        }
    }
}

async fn serve(app: Arc<App>, mut calls: mpsc::UnboundedReceiver<std::os::unix::net::UnixStream>) {
    let factory = Shared::new(app).service(std::future::pending::<()>);
    let service = match factory.new_service(()).await {
        Ok(service) => service,
        Err(error) => {
            tracing::error!(?error, "no commands can be served");
            return;
        }
    };
    while let Some(stream) = calls.recv().await {
        let ready = std::future::poll_fn(|context| service.poll_ready(context)).await;
        if let (Ok(()), Ok(stream)) = (ready, UnixStream::from_std(stream)) {
            // How a call ends is told on its connection.
            drop(actix_web::rt::spawn(service.call(stream)));
        }
    }
}
