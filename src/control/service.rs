//! The HTTP service of one connection of the local operator, however the connection was accepted.

use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::App as ActixApp;
use actix_web::dev::AppConfig;
use actix_web::rt::net::UnixStream;
use actix_web::web::Data;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::http;
use crate::http::pipeline::pipeline;
use crate::http::principal::{LocalOperator, MOST_TURNS};
use crate::net::{Connections, WatchedStream};
use crate::telemetry::network::NetworkMetrics;

/// The most connections at a time; beyond it those make room whose commands let the server wait longest.
pub const MOST_CONNECTIONS: usize = 64;
/// How long a command may let the server wait for the head of its request.
const SENT: Duration = Duration::from_secs(10);
/// How long a command may take nothing of its answer, as one does that was stopped in its terminal.
const TAKEN: Duration = Duration::from_secs(60);

/// Says why a connection is served no further.
#[derive(Debug, thiserror::Error)]
pub(super) enum RefusedConnection {
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

/// Holds what all connections share.
#[derive(Clone)]
pub(super) struct Shared {
    app: Arc<App>,
    connections: Connections,
    operator: LocalOperator,
}

impl Shared {
    pub(super) fn new(app: Arc<App>) -> Self {
        // Those of clients are counted in metrics; commands are the operator's own.
        let clock = Arc::clone(app.engine.clock());
        Self {
            connections: Connections::new(MOST_CONNECTIONS, TAKEN, clock, NetworkMetrics::default()),
            operator: LocalOperator {
                turns: Arc::new(Semaphore::new(MOST_TURNS)),
            },
            app,
        }
    }

    /// Makes what serves connections until `stopping` says that no more requests are taken.
    pub(super) fn service<F: Future<Output = ()> + 'static>(
        self,
        stopping: impl Fn() -> F + 'static,
    ) -> impl ServiceFactory<
        UnixStream,
        Config = (),
        Response = (),
        Error = RefusedConnection,
        InitError: std::fmt::Debug,
    > {
        let Self {
            app,
            connections,
            operator,
        } = self;
        let state = Data::from(Arc::clone(&app));
        let routes = ActixApp::new()
            .app_data(state)
            .wrap(actix_web::middleware::from_fn(pipeline))
            .configure(|config| http::routes(config, &app.run_routes))
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let service = HttpService::build()
            .graceful_shutdown_signal(stopping)
            .client_request_timeout(SENT)
            .on_connect_ext(
                move |io: &WatchedStream<UnixStream>, extensions: &mut actix_http::Extensions| {
                    extensions.insert(Arc::clone(io.connection()));
                    extensions.insert(operator.clone());
                },
            )
            .finish(map_config(routes, |_| AppConfig::default()));
        fn_service(move |stream: UnixStream| {
            let connections = connections.clone();
            async move {
                if !is_owner(&stream) {
                    tracing::warn!("a command of another user was refused on the control socket");
                    return Err(RefusedConnection::Stranger);
                }
                let place = connections.enter(None).ok_or(RefusedConnection::Full)?;
                let stream = WatchedStream::new(stream, place, connections, TAKEN);
                Ok((stream, actix_http::Protocol::Http1, None))
            }
        })
        .and_then(service.map_err(|_| RefusedConnection::Broken))
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
