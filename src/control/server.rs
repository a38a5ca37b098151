//! Listens on the control socket while the process owns the store: within bounds, and for the owner alone.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_server::{ServerBuilder, ServerHandle};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::http::header;
use actix_web::rt::net::UnixStream;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App as ActixApp, HttpRequest, HttpResponse};
use tokio::sync::{Semaphore, oneshot};

use super::{ControlReply, ControlRequest, VERSION, execute, socket};
use crate::app::App;
use crate::clock::timeout_at;
use crate::server::{Connection, Connections, Phase, Watched};
use crate::telemetry::network::NetworkMetrics;

/// The most bytes of a request.
const MOST_BYTES: usize = 256 * 1024;
/// Seconds that commands in flight are given at the end.
const PATIENCE: u64 = 5;
/// The most connections at a time; beyond it those make room whose commands let the server wait longest.
pub const MOST_CONNECTIONS: usize = 64;
/// The most commands at a time that ask vendors or walk through the store.
pub const MOST_COMMANDS: usize = 32;
/// How long a command may let the server wait for the rest of its request.
const SENT: Duration = Duration::from_secs(10);
/// How long a command may take nothing of its answer, as one does that was stopped in its terminal.
const TAKEN: Duration = Duration::from_secs(60);

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

/// Says why a connection is served no further.
#[derive(Debug, thiserror::Error)]
enum Refused {
    /// It is another user's.
    #[error("the connection is not the owner's")]
    Stranger,
    /// There are as many as may be.
    #[error("too many connections")]
    Full,
    /// It broke, or what came is no HTTP.
    #[error("the connection broke")]
    Broken,
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
        // Those of clients are counted in metrics; commands are the operator's own.
        let clock = Arc::clone(app.engine.clock());
        let connections = Connections::new(MOST_CONNECTIONS, TAKEN, clock, NetworkMetrics::default());
        let commands = Data::new(Semaphore::new(MOST_COMMANDS));
        let state = Data::from(app);
        let builder = ServerBuilder::new()
            .workers(1)
            .max_concurrent_connections(2 * MOST_CONNECTIONS)
            .shutdown_timeout(PATIENCE)
            .disable_signals();
        let stopping = builder.graceful_shutdown_signal();
        let server = builder
            .listen_uds("commands", listener, move || {
                let (stopping, connections) = (stopping.clone(), connections.clone());
                let routes = ActixApp::new()
                    .app_data(state.clone())
                    .app_data(commands.clone())
                    .route("/", web::post().to(answer))
                    .into_factory()
                    .map_err(|error: actix_web::Error| error.error_response());
                let service = HttpService::build()
                    .graceful_shutdown_signal(move || {
                        let signal = stopping.clone();
                        async move { signal.notified().await }
                    })
                    .client_request_timeout(SENT)
                    .on_connect_ext(
                        |io: &Watched<UnixStream>, extensions: &mut actix_http::Extensions| {
                            extensions.insert(Arc::clone(io.connection()));
                        },
                    )
                    .finish(map_config(routes, |_| AppConfig::default()));
                fn_service(move |stream: UnixStream| {
                    let connections = connections.clone();
                    async move {
                        if !is_owner(&stream) {
                            tracing::warn!("a command of another user was refused on the control socket");
                            return Err(Refused::Stranger);
                        }
                        let place = connections.enter(None).ok_or(Refused::Full)?;
                        let stream = Watched::new(stream, place, connections, TAKEN);
                        Ok((stream, actix_http::Protocol::Http1, None))
                    }
                })
                .and_then(service.map_err(|_| Refused::Broken))
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

/// Tells whether a connection is of this process's user, or of root, who can read the store, too. The mode of the socket
/// keeps the others away; not every system heeds it.
fn is_owner(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| may(peer.uid(), own))
}

/// Tells whether a user may give commands to a server of the user `own`.
fn may(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
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

fn refused(mut response: actix_web::HttpResponseBuilder, reason: String) -> HttpResponse {
    response.json(ControlReply::Refused { reason })
}

async fn answer(
    http: HttpRequest,
    app: Data<App>,
    commands: Data<Semaphore>,
    payload: web::Payload,
) -> HttpResponse {
    let connection = http.conn_data::<Arc<Connection>>();
    let _working = connection.map(|connection| connection.enter(Phase::Working));
    let body = match body(&http, &app, connection, payload).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    // The request is not repeated: it may hold a secret.
    let Ok(request) = serde_json::from_slice::<ControlRequest>(&body) else {
        let reason = format!("the running server is pivotd {VERSION} and does not know this command");
        return refused(HttpResponse::BadRequest(), reason);
    };
    let _turn = match (takes_long(&request), commands.try_acquire()) {
        (false, _) => None,
        (true, Ok(turn)) => Some(turn),
        (true, Err(_)) => {
            let reason = format!(
                "the server works on {MOST_COMMANDS} commands already; try again when one of them is done"
            );
            return refused(HttpResponse::ServiceUnavailable(), reason);
        }
    };
    HttpResponse::Ok().json(execute(&app, request).await)
}

/// Reads a request's body, for a while. Not from the memory of clients' bodies: an operator must get through when that is
/// used up.
async fn body(
    http: &HttpRequest,
    app: &App,
    connection: Option<&Arc<Connection>>,
    payload: web::Payload,
) -> Result<Bytes, HttpResponse> {
    let _waiting = connection.map(|connection| connection.enter(Phase::Body));
    let announced = http.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let is_too_large = announced.is_some_and(|length| length > MOST_BYTES);
    let too_large = || {
        let reason = format!("a command has at most {MOST_BYTES} bytes");
        let mut response = HttpResponse::PayloadTooLarge();
        // What is still sent of it is not waited for.
        response.force_close();
        Err(refused(response, reason))
    };
    if is_too_large {
        return too_large();
    }
    let clock = app.engine.clock();
    let until = clock.elapsed() + SENT;
    match timeout_at(clock.as_ref(), until, payload.to_bytes_limited(MOST_BYTES)).await {
        Some(Ok(Ok(body))) => Ok(body),
        Some(_) => too_large(),
        None => {
            let reason = format!("the command did not come whole within {} s", SENT.as_secs());
            let mut response = HttpResponse::RequestTimeout();
            response.force_close();
            Err(refused(response, reason))
        }
    }
}

/// Tells whether a command may take long or much. What an operator needs most goes on beside any number of these.
fn takes_long(request: &ControlRequest) -> bool {
    match request {
        ControlRequest::Run(_)
        | ControlRequest::Enrich { .. }
        | ControlRequest::KeysTest { .. }
        | ControlRequest::CacheStats
        | ControlRequest::CacheShow { .. }
        | ControlRequest::CachePurge(_)
        | ControlRequest::DecisionStats
        | ControlRequest::DecisionRemove(_) => true,
        ControlRequest::Hello
        | ControlRequest::State
        | ControlRequest::Inputs { .. }
        | ControlRequest::TokenCreate(_)
        | ControlRequest::TokenList
        | ControlRequest::TokenRevoke { .. }
        | ControlRequest::Reload
        | ControlRequest::Clock { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_owner_and_root_may_give_commands() {
        for (peer, own, expected) in [
            (1000, 1000, true),
            (0, 1000, true),
            (1001, 1000, false),
            (1000, 0, false),
        ] {
            assert_eq!(may(peer, own), expected, "{peer} to {own}");
        }
        let (here, _there) = UnixStream::pair().unwrap();
        assert!(is_owner(&here));
    }
}
