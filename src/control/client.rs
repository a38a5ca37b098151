//! Reaches a running server through its control socket.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UnixStream;

use super::{ControlReply, ControlRequest, VERSION, socket};

/// The most bytes of a reply.
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// How long a server that lives takes to say who it is.
const HELLO: Duration = Duration::from_secs(5);

/// Says why a server could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket is there and cannot be opened.
    #[error("{}: {reason}; run this as the user of the server", path.display())]
    Closed {
        /// The socket.
        path: PathBuf,
        /// The cause.
        reason: std::io::Error,
    },
    /// The server took the connection and did not answer.
    #[error("the server at {} does not answer ({reason}); stop it, or look into its log", path.display())]
    Silent {
        /// The socket.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The server is another program.
    #[error("the running server is pivotd {theirs}, this is pivotd {VERSION}; use the same program for both")]
    Version {
        /// Its version.
        theirs: String,
    },
}

/// Talks to the running server.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    path: PathBuf,
}

impl Client {
    /// Finds the server of a data directory; `None` where nobody listens.
    ///
    /// # Errors
    /// [`ControlError`] where somebody listens who cannot be used.
    pub async fn find(data: &Path) -> Result<Option<Self>, ControlError> {
        let path = socket(data);
        // A server that takes no connection keeps those waiting that try to get one.
        let connected = tokio::time::timeout(HELLO, UnixStream::connect(&path)).await;
        let connected = connected.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()));
        if let Err(reason) = connected {
            return match reason.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock => Err(silent(&path, &"it takes no connection")),
                // A path too long for a socket is invalid input: no server can listen there.
                ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput => Ok(None),
                _ => Err(ControlError::Closed { path, reason }),
            };
        }
        let http = reqwest::Client::builder()
            .unix_socket(path.clone())
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| silent(&path, &error))?;
        let client = Self { http, path };
        match client.ask(&ControlRequest::Hello, HELLO).await? {
            ControlReply::Hello { version } if version == VERSION => Ok(Some(client)),
            ControlReply::Hello { version } => Err(ControlError::Version { theirs: version }),
            _ => Err(ControlError::Version {
                theirs: "of an unknown version".to_owned(),
            }),
        }
    }

    /// Asks the server, waiting as long as `patience`.
    ///
    /// # Errors
    /// [`ControlError::Silent`] where no reply came that can be read.
    pub async fn ask(
        &self,
        request: &ControlRequest,
        patience: Duration,
    ) -> Result<ControlReply, ControlError> {
        let reply = self
            .http
            .post("http://pivotd/")
            .json(request)
            .timeout(patience)
            .send()
            .await;
        let mut reply = reply.map_err(|error| silent(&self.path, &error))?;
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(|error| silent(&self.path, &error))? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_BYTES {
                return Err(silent(&self.path, &"its reply is too large"));
            }
        }
        serde_json::from_slice(&body).map_err(|_| silent(&self.path, &"its reply cannot be read"))
    }
}

fn silent(path: &Path, reason: &(impl ToString + ?Sized)) -> ControlError {
    ControlError::Silent {
        path: path.to_path_buf(),
        reason: reason.to_string(),
    }
}
