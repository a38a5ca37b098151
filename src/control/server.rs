//! Listens on the control socket while the process owns the store.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::web::{self, Data};
use actix_web::{App as ActixApp, HttpResponse, HttpServer};

use super::{ControlReply, ControlRequest, VERSION, execute, socket};
use crate::startup::App;

/// The most bytes of a request.
const MOST_BYTES: usize = 256 * 1024;
/// Seconds that commands in flight are given at the end.
const PATIENCE: u64 = 5;

/// Is a control socket that listens.
#[derive(Debug)]
pub struct ControlServer {
    handle: actix_web::dev::ServerHandle,
    path: PathBuf,
}

impl ControlServer {
    /// Listens on the control socket of a data directory; one that a crash left behind is replaced.
    ///
    /// The caller holds the store of that directory open, so nobody else listens there. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// Where the socket cannot be made.
    pub fn start(app: Arc<App>, data: &Path) -> io::Result<Self> {
        let path = socket(data);
        let listener = bind(data, &path)?;
        let state = Data::from(app);
        let server = HttpServer::new(move || {
            ActixApp::new()
                .app_data(state.clone())
                .route("/", web::post().to(answer))
        })
        .workers(1)
        .shutdown_timeout(PATIENCE)
        .disable_signals()
        .listen_uds(listener)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { handle, path })
    }

    /// Stops listening, lets commands in flight finish for a few seconds, and removes the socket.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "the control socket could not be removed");
        }
    }
}

/// Binds in a directory that only we can enter and moves the socket to its place when its mode is right, so that
/// nobody else can connect in between, whatever the mode of the data directory is.
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

async fn answer(app: Data<App>, payload: web::Payload) -> HttpResponse {
    // Not from the memory of clients' bodies: an operator must get through when that is used up.
    let request = match payload.to_bytes_limited(MOST_BYTES).await {
        Ok(Ok(body)) => serde_json::from_slice::<ControlRequest>(&body),
        Ok(Err(_)) | Err(_) => {
            let reason = format!("a command has at most {MOST_BYTES} bytes");
            return HttpResponse::PayloadTooLarge().json(ControlReply::Refused { reason });
        }
    };
    match request {
        Ok(request) => HttpResponse::Ok().json(execute(&app, request).await),
        // The request is not repeated: it may hold a secret.
        Err(_) => {
            let reason = format!("the running server is pivotd {VERSION} and does not know this command");
            HttpResponse::BadRequest().json(ControlReply::Refused { reason })
        }
    }
}
