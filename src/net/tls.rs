//! Puts TLS on a stream where it ends here.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::connections::Connections;
use super::stream::WatchedStream;
use crate::clock::timeout_at;
use crate::config::settings::TlsFiles;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Is what lies between a stream and HTTP.
#[derive(Clone)]
pub(crate) enum TlsLayer {
    /// Nothing.
    Plain,
    /// TLS.
    Tls(TlsAcceptor),
}

/// Is the stream of a connection that HTTP is spoken on.
#[derive(Debug)]
pub(crate) enum Io {
    Plain(WatchedStream<TcpStream>),
    Tls(Box<TlsStream<WatchedStream<TcpStream>>>),
}

/// Says why a connection is served no further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefusedConnection {
    /// The server works on as many as it may.
    #[error("too many connections")]
    Full,
    /// The handshake failed, or took too long.
    #[error("the TLS handshake failed")]
    Handshake,
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke")]
    Broken,
}

impl TlsLayer {
    /// Reads the key, where one is named.
    ///
    /// # Errors
    /// What is wrong with its files, and what to do.
    pub(crate) fn new(files: Option<&TlsFiles>) -> Result<Self, String> {
        let Some(files) = files else {
            return Ok(Self::Plain);
        };
        Ok(Self::Tls(TlsAcceptor::from(Arc::new(config(files)?))))
    }

    /// Makes a stream ready for HTTP.
    pub(crate) async fn accept(
        &self,
        stream: WatchedStream<TcpStream>,
        connections: &Connections,
    ) -> Result<Io, RefusedConnection> {
        let acceptor = match self {
            Self::Plain => return Ok(Io::Plain(stream)),
            Self::Tls(acceptor) => acceptor,
        };
        let clock = connections.clock();
        let until = clock.elapsed() + HANDSHAKE;
        match timeout_at(clock.as_ref(), until, acceptor.accept(stream)).await {
            Some(Ok(stream)) => Ok(Io::Tls(Box::new(stream))),
            Some(Err(_)) => Err(RefusedConnection::Handshake),
            None => {
                connections.metrics().slow("handshake");
                Err(RefusedConnection::Handshake)
            }
        }
    }
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }
}

fn config(files: &TlsFiles) -> Result<rustls::ServerConfig, String> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let wrong = |path: &Path, reason: &dyn std::fmt::Display| {
        format!(
            "{}: {reason}; name PEM files that the server's user can read",
            path.display()
        )
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .map_err(|error| wrong(&files.certificate, &error))?
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(&files.certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => format!(
                "{} is not the key of the certificate {}; name the two that belong together",
                files.key.display(),
                files.certificate.display()
            ),
            error => wrong(&files.certificate, &error),
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
