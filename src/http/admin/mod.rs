//! The routes of administration, `/v1/admin/…`. They are served on the Unix socket alone, to the local operator.

pub mod backup;
pub mod cache;
pub mod clock;
pub mod decisions;
pub mod keys;
pub mod server;
pub mod tokens;

use std::future::Future;

use actix_web::Resource;
use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};

use super::principal::TakesNoTurn;
use super::problem::Problem;

/// Routes all of them.
pub fn routes(config: &mut ServiceConfig) {
    let mut quick = |path: &str, resource: fn(Resource) -> Resource| {
        config.service(resource(web::resource(path).app_data(TakesNoTurn)));
    };
    quick("/v1/admin/server", |at| at.route(web::get().to(server::version)));
    quick("/v1/admin/state", |at| at.route(web::get().to(server::state)));
    quick("/v1/admin/reload", |at| at.route(web::post().to(server::reload)));
    quick("/v1/admin/clock", |at| {
        at.route(web::get().to(clock::show))
            .route(web::post().to(clock::confirm))
    });
    quick("/v1/admin/tokens", |at| {
        at.route(web::get().to(tokens::list))
            .route(web::post().to(tokens::create))
    });
    quick("/v1/admin/tokens/{which}", |at| {
        at.route(web::delete().to(tokens::revoke))
    });
    let mut slow = |path: &str, resource: fn(Resource) -> Resource| {
        config.service(resource(web::resource(path)));
    };
    slow("/v1/admin/backup", |at| at.route(web::post().to(backup::write)));
    slow("/v1/admin/keys/test", |at| at.route(web::post().to(keys::test)));
    slow("/v1/admin/cache", |at| at.route(web::get().to(cache::stats)));
    slow("/v1/admin/cache/answers", |at| {
        at.route(web::get().to(cache::show))
    });
    slow("/v1/admin/cache/purge", |at| {
        at.route(web::post().to(cache::purge))
    });
    slow("/v1/admin/decisions", |at| {
        at.route(web::get().to(decisions::find))
    });
    slow("/v1/admin/decisions/stats", |at| {
        at.route(web::get().to(decisions::stats))
    });
    slow("/v1/admin/decisions/replay", |at| {
        at.route(web::post().to(decisions::replay))
    });
    slow("/v1/admin/decisions/{decision}/explain", |at| {
        at.route(web::get().to(decisions::explain))
    });
    slow("/v1/admin/decisions/remove", |at| {
        at.route(web::post().to(decisions::remove))
    });
}

/// Makes the problem of what is refused. Unlike one to a client, its text is whole, however long: the operator asked for all of
/// it.
fn refused(reason: String) -> Problem {
    Problem {
        detail: reason,
        ..Problem::new(StatusCode::BAD_REQUEST, "refused", "Refused", "")
    }
}

/// Does a long job to its end, whether its client waits for it or not.
async fn to_its_end<T: 'static>(
    job: impl Future<Output = Result<T, Problem>> + 'static,
) -> Result<T, Problem> {
    let done = actix_web::rt::spawn(job).await;
    done.unwrap_or_else(|error| {
        let detail = "the job broke off; the server's log says why";
        Err(Problem::internal("failed", "The server failed", detail, error))
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use futures_util::poll;
    use tokio::sync::oneshot;

    use super::*;

    #[actix_web::test]
    async fn a_long_job_ends_whether_its_client_waits_or_not() {
        let (release, released) = oneshot::channel::<()>();
        let ended = Rc::new(Cell::new(false));
        let end = Rc::clone(&ended);
        let mut job = Box::pin(to_its_end(async move {
            released.await.map_err(Problem::failed)?;
            end.set(true);
            Ok(())
        }));
        assert!(poll!(job.as_mut()).is_pending());
        drop(job);
        release.send(()).unwrap();
        while !ended.get() {
            tokio::task::yield_now().await;
        }
    }
}
