//! Listens: connections within bounds, TLS, the routes behind it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use actix_http::HttpService;
use actix_server::{Server, ServerBuilder, ServerHandle};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::App as ActixApp;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;

use crate::app::{App, StartError};
use crate::config::settings::TlsFiles;
use crate::http;
use crate::http::pipeline::{Bounds, pipeline};
use crate::http::problem::Problem;
use crate::net::connection::Connection;
use crate::net::load::Load;
use crate::net::pace::PacedStream;
use crate::net::sending::{SendBuffer, WRITTEN};
use crate::net::shares::ConcurrencyShares;
use crate::net::tls::{self, Io, OverTls, TlsLayer};
use crate::net::{Connections, SPARE, WatchedStream, descriptors, listener};
use crate::telemetry::log::LAST_LINES;

/// The server takes no more threads.
const MOST_WORKERS: usize = 512;
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long a client may take to read why it is refused while it still sends.
const LINGER: Duration = Duration::from_secs(1);

/// Is a server that listens.
pub struct Application {
    /// What it serves.
    pub app: Arc<App>,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether TLS ends here.
    pub tls: bool,
    /// Where it listens with TLS beside that.
    pub tls_address: Option<SocketAddr>,
    server: Server,
    handle: ServerHandle,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Application")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Application {
    /// Binds the server; port 0 takes a free one.
    ///
    /// # Errors
    /// [`StartError`] where the address or the TLS key cannot be used.
    pub fn bind(app: Arc<App>) -> Result<Self, StartError> {
        Self::bind_beside(app, None)
    }

    /// Binds the server, and listens with TLS at another address, too.
    ///
    /// # Errors
    /// [`StartError`] as [`Application::bind`].
    pub fn bind_beside(app: Arc<App>, with_tls: Option<(SocketAddr, &TlsFiles)>) -> Result<Self, StartError> {
        let configured = app.configured.load_full();
        let settings = &configured.settings().server;
        let clock = Arc::clone(app.engine.clock());
        let metrics = app.engine.metrics().network().clone();
        let max = descriptors::connections(settings.connections);
        // A body that does not come is told so before its connection ends.
        let idle = settings.client_timeout.saturating_mul(2);
        // Clients that are not known share a quarter of their own, so that they take nothing from those that are.
        let pool = |max| SendBuffer::new(max, Arc::clone(&clock), metrics.clone());
        let unknown = pool(settings.answers / 4);
        let known = pool(settings.answers - settings.answers / 4);
        let shares = ConcurrencyShares::new(max);
        let connections = Connections::new(max, idle, clock, metrics);
        let workers = settings
            .workers
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(2, NonZeroUsize::get))
            .min(MOST_WORKERS);
        let patience = settings.client_timeout;
        let shed_after = settings.patience;

        let mut listeners = vec![listener(settings.listen, settings.tls.as_ref(), &app)?];
        if let Some((address, files)) = with_tls {
            listeners.push(listener(address, Some(files), &app)?);
        }
        let addresses: Vec<SocketAddr> = listeners.iter().map(|(_, address, _)| *address).collect();
        let address = addresses.first().copied().unwrap_or(settings.listen);
        let mut builder = ServerBuilder::new()
            .shutdown_timeout(settings.shutdown.as_secs())
            .workers(workers)
            // The connections are counted here, over all workers. This bounds those that come and go beside them, so that
            // descriptors suffice; the next ones wait until those have gone.
            .max_concurrent_connections((max + SPARE + descriptors::COME_AND_GO).div_ceil(workers))
            .disable_signals();
        let stopping = builder.graceful_shutdown_signal();
        let state = actix_web::web::Data::from(Arc::clone(&app));
        for (listener, address, layer) in listeners {
            let (stopping, state, connections) = (stopping.clone(), state.clone(), connections.clone());
            let (shares, known, unknown) = (Arc::clone(&shares), Arc::clone(&known), Arc::clone(&unknown));
            let listened = builder.listen("clients", listener, move || {
                let stopping = stopping.clone();
                let state = state.clone();
                let (connections, layer) = (connections.clone(), layer.clone());
                let is_tls = layer.is_tls();
                let bounds = Rc::new(Bounds {
                    load: Load::new(Arc::clone(state.engine.clock()), shed_after),
                    shares: Arc::clone(&shares),
                    known: Arc::clone(&known),
                    unknown: Arc::clone(&unknown),
                });
                let app = Arc::clone(&state);
                let routes = ActixApp::new()
                    .app_data(state)
                    .app_data(bounds)
                    .wrap(actix_web::middleware::from_fn(pipeline))
                    .configure(|config| http::routes(config, &app.run_routes))
                    .into_factory()
                    .map_err(|error: actix_web::Error| error.error_response());
                let service = HttpService::build()
                    .graceful_shutdown_signal(move || {
                        let signal = stopping.clone();
                        async move { signal.notified().await }
                    })
                    // A client that closes is gone: its flight stops before it spends.
                    .h1_allow_half_closed(false)
                    .keep_alive(KEEP_ALIVE)
                    // No less: while a worker is busy, what came already waits, too.
                    .client_request_timeout(patience)
                    .client_disconnect_timeout(LINGER)
                    // What is copied for a client and not taken is at most a piece more.
                    .h1_write_buffer_size(WRITTEN)
                    .expect(fn_service(async |request: actix_http::Request| {
                        if let Some(connection) = request.conn_data::<Arc<Connection>>() {
                            connection.expects();
                        }
                        Ok::<_, actix_http::Error>(request)
                    }))
                    .local_addr(address)
                    .on_connect_ext(
                        move |io: &PacedStream<Io>, extensions: &mut actix_http::Extensions| {
                            extensions.insert(Arc::clone(io.connection()));
                            if is_tls {
                                extensions.insert(OverTls);
                            }
                        },
                    )
                    .finish(map_config(routes, |_| AppConfig::default()));
                fn_service(move |stream: TcpStream| {
                    let (connections, layer) = (connections.clone(), layer.clone());
                    async move {
                        let peer = stream.peer_addr().ok();
                        let Some(place) = connections.enter(peer.map(|peer| peer.ip())) else {
                            return Err(tls::RefusedConnection::Full);
                        };
                        // Answers are small or come in large pieces; neither gains from waiting for more.
                        let _ = stream.set_nodelay(true);
                        let stream = WatchedStream::new(stream, place, connections.clone(), patience);
                        let connection = Arc::clone(stream.connection());
                        let io = layer.accept(stream, &connections).await?;
                        let io = PacedStream::new(io, connection, connections, Problem::head_too_large);
                        Ok((io, actix_http::Protocol::Http1, peer))
                    }
                })
                .and_then(service.map_err(|_| tls::RefusedConnection::Broken))
            });
            builder = listened.map_err(|reason| StartError::Listen { address, reason })?;
        }
        let server = builder.run();
        Ok(Self {
            app,
            address,
            tls: settings.tls.is_some(),
            tls_address: addresses.get(1).copied(),
            handle: server.handle(),
            server,
        })
    }

    /// Returns the handle that stops the server: gracefully, in-flight answers finished.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Runs until it is stopped, then closes the store.
    ///
    /// # Errors
    /// Where the server fails.
    pub async fn run_until_stopped(self) -> io::Result<()> {
        let result = self.server.await;
        let limit = self.app.configured.load().settings().server.shutdown;
        self.app.engine.flights_ended(limit).await;
        self.app.engine.close_store().await;
        if let Some(log) = &self.app.log {
            let _ = log.flush(LAST_LINES);
        }
        result
    }
}

/// Listens at an address; port 0 takes a free one. The files of its key are watched.
fn listener(
    address: SocketAddr,
    files: Option<&TlsFiles>,
    app: &App,
) -> Result<(TcpListener, SocketAddr, TlsLayer), StartError> {
    let layer = TlsLayer::new(files).map_err(StartError::Tls)?;
    let refused = |reason| StartError::Listen { address, reason };
    let listener = listener::listen(address).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    layer.watch(Arc::clone(app.engine.clock()));
    let mut layers = app.tls.lock().unwrap_or_else(PoisonError::into_inner);
    layers.push(layer.clone());
    drop(layers);
    Ok((listener, bound, layer))
}
