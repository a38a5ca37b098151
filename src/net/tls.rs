//! Puts TLS on a stream where it ends here.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use arc_swap::ArcSwap;
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::connections::Connections;
use super::stream::WatchedStream;
use crate::clock::{SharedClock, timeout_at};
use crate::config::settings::TlsFiles;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often the files of the key are looked at.
const LOOKED_AT: Duration = Duration::from_secs(10);

/// Is what lies between a stream and HTTP.
#[derive(Clone)]
pub(crate) enum TlsLayer {
    /// Nothing.
    Plain,
    /// TLS.
    Tls(Arc<RenewedTls>),
}

/// Marks a connection on which TLS ends here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OverTls;

/// Is TLS by the key and the certificate that lie in files, which are renewed in place.
pub(crate) struct RenewedTls {
    files: TlsFiles,
    acceptor: ArcSwap<TlsAcceptor>,
    /// The digest of what was read last, whether it could be used or not.
    read: Mutex<[u8; 32]>,
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

impl std::fmt::Debug for TlsLayer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.is_tls() { "Tls" } else { "Plain" })
    }
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
        let contents = Contents::read(files)?;
        Ok(Self::Tls(Arc::new(RenewedTls {
            files: files.clone(),
            acceptor: ArcSwap::from_pointee(contents.acceptor(files)?),
            read: Mutex::new(contents.digest()),
        })))
    }

    /// Tells whether TLS ends here.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Takes over the files now, if they changed; tells whether they did.
    ///
    /// # Errors
    /// Why changed files cannot be used, once for each change.
    pub(crate) fn renew(&self) -> Result<bool, String> {
        match self {
            Self::Plain => Ok(false),
            Self::Tls(tls) => tls.renew(),
        }
    }

    /// Takes over the files whenever they change, until the server has gone: handshakes from then on go by the new ones.
    pub(crate) fn watch(&self, clock: SharedClock) {
        let Self::Tls(tls) = self else { return };
        let tls = Arc::downgrade(tls);
        tokio::spawn(async move {
            let mut told = None;
            loop {
                clock.sleep_until(clock.elapsed() + LOOKED_AT).await;
                let Some(tls) = tls.upgrade() else { return };
                // Off the workers: the files may lie on a slow disk.
                let Ok(looked) = tokio::task::spawn_blocking(move || tls.renew()).await else {
                    return;
                };
                match news(looked, &mut told) {
                    None => {}
                    Some(Ok(())) => {
                        tracing::info!("server.tls: the files changed, and are in use from now on");
                    }
                    Some(Err(reason)) => {
                        tracing::warn!(
                            reason,
                            "server.tls: the files changed and cannot be used; the former ones stay in use"
                        );
                    }
                }
            }
        });
    }

    /// Makes a stream ready for HTTP.
    pub(crate) async fn accept(
        &self,
        stream: WatchedStream<TcpStream>,
        connections: &Connections,
    ) -> Result<Io, RefusedConnection> {
        let acceptor = match self {
            Self::Plain => return Ok(Io::Plain(stream)),
            Self::Tls(tls) => tls.acceptor.load_full(),
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

impl RenewedTls {
    /// Takes over the files if they changed; tells whether they did.
    ///
    /// # Errors
    /// Why changed files cannot be used, once for each change.
    fn renew(&self) -> Result<bool, String> {
        let contents = Contents::read(&self.files)?;
        let digest = contents.digest();
        {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            if *read == digest {
                return Ok(false);
            }
            *read = digest;
        }
        self.acceptor.store(Arc::new(contents.acceptor(&self.files)?));
        Ok(true)
    }
}

/// Says what is new since the files were looked at before: that they were taken over, or why they cannot be used. A reason that stays
/// is told once, so that a file that is missing does not fill the log.
fn news(looked: Result<bool, String>, told: &mut Option<String>) -> Option<Result<(), String>> {
    match looked {
        Ok(is_new) => {
            *told = None;
            is_new.then_some(Ok(()))
        }
        Err(reason) if told.as_ref() == Some(&reason) => None,
        Err(reason) => {
            *told = Some(reason.clone());
            Some(Err(reason))
        }
    }
}

/// Is what lies in the files of a TLS key.
struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

/// Says what is wrong with a file, and what to do.
fn wrong(path: &Path, reason: &dyn std::fmt::Display) -> String {
    format!(
        "{}: {reason}; name PEM files that the server's user can read",
        path.display()
    )
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, String> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| wrong(path, &error));
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: Zeroizing::new(read(&files.key)?),
        })
    }

    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.certificate.len().to_be_bytes());
        digest.update(&self.certificate);
        digest.update(&*self.key);
        digest.finalize().into()
    }

    fn acceptor(&self, files: &TlsFiles) -> Result<TlsAcceptor, String> {
        use rustls::pki_types::pem::PemObject;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};

        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(&files.certificate, &error))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| wrong(&files.key, &error))?;
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
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_stays_is_told_once_and_again_when_it_comes_back() {
        let mut told = None;
        let missing = || Err("c.pem: not there".to_owned());
        let other = || Err("k.pem: not there".to_owned());
        for (looked, new) in [
            (Ok(false), None),
            (missing(), Some(Err("c.pem: not there".to_owned()))),
            (missing(), None),
            (other(), Some(Err("k.pem: not there".to_owned()))),
            (missing(), Some(Err("c.pem: not there".to_owned()))),
            (Ok(false), None),
            (missing(), Some(Err("c.pem: not there".to_owned()))),
            (Ok(true), Some(Ok(()))),
            (Ok(true), Some(Ok(()))),
        ] {
            assert_eq!(news(looked.clone(), &mut told), new, "{looked:?}");
        }
    }
}
