//! Listens on the control socket while the process owns the store: within bounds, and for the owner alone.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_server::{ServerBuilder, ServerHandle};
use tokio::sync::oneshot;

use super::service::Shared;
use super::socket;
use crate::app::App;

pub use super::service::MOST_CONNECTIONS;
pub use crate::http::principal::MOST_TURNS;

/// Seconds that commands in flight are given at the end.
const PATIENCE: u64 = 5;
/// How often it is looked whether the socket is still there.
const WATCH: Duration = Duration::from_secs(5);

/// Is a control socket that listens. Where it is removed, it is made anew.
#[derive(Debug)]
pub struct ControlServer {
    stop: oneshot::Sender<()>,
    kept: tokio::task::JoinHandle<()>,
}

/// Listens on one socket.
struct Listening {
    handle: ServerHandle,
    path: PathBuf,
    inode: u64,
}

impl ControlServer {
    /// Listens on the control socket of a data directory; one that a crash left behind is replaced.
    ///
    /// The caller holds the store of that directory open, so no other process listens there. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// Where the socket cannot be made.
    pub fn start(app: Arc<App>, data: &Path) -> io::Result<Self> {
        let listening = Listening::start(Arc::clone(&app), data)?;
        let (stop, stopped) = oneshot::channel();
        let kept = tokio::spawn(keep(listening, app, data.to_path_buf(), stopped));
        Ok(Self { stop, kept })
    }

    /// Stops listening, lets commands in flight finish for a few seconds, and removes the socket.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        if let Err(error) = self.kept.await {
            tracing::warn!(%error, "the control socket could not be closed in order");
        }
    }
}

/// Looks now and then whether the socket is still there, and makes it anew where it is not, until it is stopped.
async fn keep(mut listening: Listening, app: Arc<App>, data: PathBuf, mut stopped: oneshot::Receiver<()>) {
    let clock = Arc::clone(app.engine.clock());
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            () = clock.sleep_until(clock.elapsed() + WATCH) => {}
        }
        if listening.is_there() {
            continue;
        }
        match Listening::start(Arc::clone(&app), &data) {
            Ok(anew) => {
                tracing::warn!("the control socket was removed and is made anew");
                std::mem::replace(&mut listening, anew).stop().await;
            }
            // The store's folder may be on its way back.
            Err(error) => tracing::warn!(%error, "the control socket was removed and cannot be made anew"),
        }
    }
    listening.stop().await;
}

impl Listening {
    fn start(app: Arc<App>, data: &Path) -> io::Result<Self> {
        let path = socket(data);
        let listener = bind(data, &path)?;
        let inode = fs::symlink_metadata(&path)?.ino();
        let shared = Shared::new(app);
        let builder = ServerBuilder::new()
            .workers(1)
            .max_concurrent_connections(2 * MOST_CONNECTIONS)
            .shutdown_timeout(PATIENCE)
            .disable_signals();
        let stopping = builder.graceful_shutdown_signal();
        let server = builder
            .listen_uds("commands", listener, move || {
                let stopping = stopping.clone();
                shared.clone().service(move || {
                    let signal = stopping.clone();
                    async move { signal.notified().await }
                })
            })?
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { handle, path, inode })
    }

    fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode)
    }

    async fn stop(self) {
        self.handle.stop(true).await;
        if self.is_there()
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, "the control socket could not be removed");
        }
    }
}

/// Binds in a directory that only we can enter and moves the socket to its place when its mode is right, so that
/// no other user can connect in between, whatever the mode of the data directory is.
fn bind(data: &Path, path: &Path) -> io::Result<UnixListener> {
    let folder = tempfile::Builder::new()
        .prefix(".ctl-")
        .rand_bytes(4)
        .tempdir_in(data)?;
    let private = folder.path().join("s");
    let listener = UnixListener::bind(&private)?;
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600))?;
    fs::rename(&private, path)?;
    Ok(listener)
}
