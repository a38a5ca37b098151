//! The routes of administration, `/v1/admin/…`: those of [`AdminCommand`]. Clients reach them with a token that may give the command,
//! and the local operator over the Unix socket without one.

pub mod administrator;
pub mod backup;
pub mod cache;
mod change;
pub mod clock;
pub mod decisions;
pub mod keys;
pub mod me;
pub mod reconciliation;
pub mod server;
pub mod spend;
pub mod tokens;

use std::future::Future;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Handler, Responder, Route, guard};

use super::operation;
use super::principal::TakesNoTurn;
use super::problem::Problem;
use super::request::Operation;
use crate::admin::AdminCommand;

/// Names the frontend in the log and in metrics.
const FRONTEND: &str = "admin";

/// Routes all commands.
pub fn routes(config: &mut ServiceConfig) {
    for (path, commands) in AdminCommand::by_path() {
        let operation = Operation {
            frontend: FRONTEND,
            pattern: path,
        };
        let mut resource = web::resource(path).app_data(operation);
        if !commands.iter().any(|command| command.spec().takes_long) {
            resource = resource.app_data(TakesNoTurn);
        }
        let allowed = allowed(&commands);
        for command in commands {
            resource = resource.route(route(command));
        }
        config.service(resource.default_service(web::to(async move |context| {
            operation::wrong_method(&context, allowed)
        })));
    }
}

/// Names the methods of a path.
fn allowed(commands: &[AdminCommand]) -> &'static str {
    let methods: Vec<&str> = commands.iter().map(|command| command.spec().method).collect();
    match methods.as_slice() {
        ["GET"] => "GET, HEAD",
        ["POST"] => "POST",
        ["GET", "POST"] => "GET, HEAD, POST",
        ["GET", "PATCH", "DELETE"] => "GET, HEAD, PATCH, DELETE",
        _ => "GET, HEAD, POST, PATCH, DELETE",
    }
}

/// Returns the route of a command.
fn route(command: AdminCommand) -> Route {
    match command {
        AdminCommand::ShowMe => to(command, me::show),
        AdminCommand::ShowServer => to(command, server::version),
        AdminCommand::ShowState => to(command, server::state),
        AdminCommand::Reload => to(command, server::reload),
        AdminCommand::ShowClock => to(command, clock::show),
        AdminCommand::ConfirmClock => to(command, clock::confirm),
        AdminCommand::ListTokens => to(command, tokens::list),
        AdminCommand::CreateToken => to(command, tokens::create),
        AdminCommand::ShowToken => to(command, tokens::show),
        AdminCommand::ChangeToken => to(command, tokens::change),
        AdminCommand::RotateToken => to(command, tokens::rotate),
        AdminCommand::RevokeTokens => to(command, tokens::revoke),
        AdminCommand::TestKeys => to(command, keys::test),
        AdminCommand::CountAnswers => to(command, cache::stats),
        AdminCommand::ShowAnswers => to(command, cache::show),
        AdminCommand::PurgeAnswers => to(command, cache::purge),
        AdminCommand::ReportSpend => to(command, spend::report),
        AdminCommand::ShowSpenders => to(command, spend::who),
        AdminCommand::Reconcile => to(command, reconciliation::show),
        AdminCommand::WriteBackup => to(command, backup::write),
        AdminCommand::FindDecisions => to(command, decisions::find),
        AdminCommand::ExplainDecision => to(command, decisions::explain),
        AdminCommand::ReplayDecisions => to(command, decisions::replay),
        AdminCommand::CountDecisions => to(command, decisions::stats),
        AdminCommand::RemoveDecisions => to(command, decisions::remove),
    }
}

/// Serves a command by its method; what is served by GET is by HEAD, too.
fn to<F, Args>(command: AdminCommand, handler: F) -> Route
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let route = match command.spec().method {
        "GET" => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
        "POST" => web::post(),
        "DELETE" => web::delete(),
        "PATCH" => web::patch(),
        _ => web::put(),
    };
    route.to(handler)
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
