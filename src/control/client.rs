//! Calls the routes of the Unix socket, of a running server or of this process, or those of a server elsewhere.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;

use super::in_process::Connector;
use super::remote::RemoteServer;
use super::socket;
use crate::http::admin::server::{GetVersion, VERSION};
use crate::http::api_call::ApiCall;

/// The most bytes of a reply.
pub(super) const MOST_BYTES: usize = 256 * 1024 * 1024;
/// How long a server that lives takes to say who it is.
const HELLO: Duration = Duration::from_secs(5);

/// Says why a call was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket is there and cannot be opened.
    #[error("{}: {reason}; run this as the user of the server", path.display())]
    Closed {
        /// The socket.
        path: PathBuf,
        /// The cause.
        reason: io::Error,
    },
    /// The server took the connection and did not answer.
    #[error("{server} does not answer ({reason}); if it runs, its log says why")]
    Silent {
        /// Which server.
        server: String,
        /// The cause.
        reason: String,
    },
    /// The server is another program.
    #[error("the running server is pivotd {theirs}, this is pivotd {VERSION}; use the same program for both")]
    Version {
        /// Its version.
        theirs: String,
    },
    /// It was not done.
    #[error("{0}")]
    Refused(String),
}

/// Is who answers.
#[derive(Debug, Clone)]
enum Server {
    Running(PathBuf),
    InProcess(Connector),
    Remote(RemoteServer),
}

/// Calls a server.
#[derive(Debug, Clone)]
pub struct Client(Server);

/// Is what the client reads of a problem.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Client {
    /// Finds the server of a data directory; `None` where no process listens.
    ///
    /// # Errors
    /// [`ControlError`] where a process listens that cannot be used.
    pub async fn find(data: &Path) -> Result<Option<Self>, ControlError> {
        let path = socket(data);
        let client = Self(Server::Running(path.clone()));
        // A server that takes no connection keeps those waiting that try to get one.
        let connected = tokio::time::timeout(HELLO, client.connect()).await;
        let connected = connected.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()));
        if let Err(reason) = connected {
            return match reason.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock => Err(client.silent("it takes no connection")),
                // A path too long for a socket is invalid input: no server can listen there.
                ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput => Ok(None),
                _ => Err(ControlError::Closed { path, reason }),
            };
        }
        match client.call(&GetVersion, Some(HELLO)).await {
            Ok(view) if view.version == VERSION => Ok(Some(client)),
            Ok(view) => Err(ControlError::Version { theirs: view.version }),
            Err(ControlError::Refused(_)) => Err(ControlError::Version {
                theirs: "of an unknown version".to_owned(),
            }),
            Err(error) => Err(error),
        }
    }

    /// Calls the routes in this process.
    #[must_use]
    pub fn in_process(connector: Connector) -> Self {
        Self(Server::InProcess(connector))
    }

    /// Calls a server elsewhere.
    #[must_use]
    pub fn remote(server: RemoteServer) -> Self {
        Self(Server::Remote(server))
    }

    /// Makes a call, and waits for its answer as long as `patience`. For what takes long there is no limit: a server that ends
    /// ends the connection.
    ///
    /// # Errors
    /// [`ControlError::Refused`] where it was not done, [`ControlError::Silent`] where no answer came that can be read.
    pub async fn call<C: ApiCall>(
        &self,
        call: &C,
        patience: Option<Duration>,
    ) -> Result<C::Reply, ControlError> {
        let answered = self.send(call);
        let (status, body) = match patience {
            None => answered.await?,
            Some(patience) => {
                let answered = tokio::time::timeout(patience, answered).await;
                answered.unwrap_or_else(|_| Err(self.silent("no answer came in time")))?
            }
        };
        if !status.is_success() {
            let problem: Result<Problem, _> = serde_json::from_slice(&body);
            let detail = problem.map(|problem| problem.detail);
            return Err(ControlError::Refused(
                detail.unwrap_or_else(|_| format!("the server answered {status}")),
            ));
        }
        serde_json::from_slice(&body).map_err(|_| self.silent("its reply cannot be read"))
    }

    async fn connect(&self) -> io::Result<UnixStream> {
        match &self.0 {
            Server::Running(path) => UnixStream::connect(path).await,
            Server::InProcess(connector) => connector.connect(),
            Server::Remote(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    async fn send<C: ApiCall>(&self, call: &C) -> Result<(hyper::StatusCode, Bytes), ControlError> {
        if let Server::Remote(server) = &self.0 {
            let (status, body) = server.send(call).await?;
            return Ok((status, body.into()));
        }
        let failed = |error: &dyn std::fmt::Display| self.silent(error);
        let stream = self.connect().await.map_err(|error| failed(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(&error))?;
        // How the connection ends is told by the request on it.
        let connection = tokio::spawn(connection);
        let body = call.body().map_err(|error| failed(&error))?;
        let mut request = hyper::Request::builder()
            .method(C::METHOD)
            .uri(call.path())
            .header("host", "pivotd");
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        if let Some(tag) = call.if_match() {
            request = request.header("if-match", tag);
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())));
        let request = request.map_err(|error| failed(&error))?;
        let reply = sender
            .send_request(request)
            .await
            .map_err(|error| failed(&error))?;
        let status = reply.status();
        let body = Limited::new(reply.into_body(), MOST_BYTES).collect().await;
        connection.abort();
        match body {
            Ok(body) => Ok((status, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(failed(&"its reply is too large")),
            Err(error) => Err(failed(&error)),
        }
    }

    fn silent(&self, reason: impl std::fmt::Display) -> ControlError {
        ControlError::Silent {
            server: match &self.0 {
                Server::Running(path) => format!("the server at {}", path.display()),
                Server::InProcess(_) => "this process".to_owned(),
                Server::Remote(server) => server.name(),
            },
            reason: reason.to_string(),
        }
    }
}
