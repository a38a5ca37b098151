//! Extracts who gives a command of administration, where they may give it, and for which tenants.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest};

use crate::admin::{AdminCommand, Grants, Reach};
use crate::http::access::AccessDenied;
use crate::http::principal::{Principal, identify};
use crate::http::problem::Problem;

/// Is who gives a command, with the tenants for which they may give it.
#[derive(Debug)]
pub struct Administrator {
    /// Who gives it.
    pub principal: Principal,
    /// For which tenants.
    pub reach: Reach,
}

impl Administrator {
    /// Returns the tenant that is asked about: the one that is named, or the only one that they may ask about. `None` stands for all.
    ///
    /// # Errors
    /// The [`Problem`] of a tenant that is another's, and of none that is named where there are several.
    pub(super) fn tenant(&self, named: Option<String>) -> Result<Option<String>, Problem> {
        let tenants = match &self.reach {
            Reach::All => return Ok(named),
            Reach::Some(tenants) => tenants,
        };
        match named {
            Some(named) if tenants.contains(&named) => Ok(Some(named)),
            Some(_) => Err(missing(
                "there is no tenant of this name among those that the token may see",
            )),
            None if tenants.len() == 1 => Ok(tenants.first().cloned()),
            None => {
                let all: Vec<&str> = tenants.iter().map(String::as_str).collect();
                let detail = format!(
                    "the query: tenant is missing; the token may see {}",
                    all.join(", ")
                );
                Err(Problem::invalid(detail))
            }
        }
    }

    /// Returns all that they may do, which is the most that they may give to others.
    pub(super) fn grants(&self) -> Grants {
        self.principal.grants()
    }
}

/// Makes the problem of something that is not there.
pub(super) fn missing(what: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", "Not found", what)
}

impl FromRequest for Administrator {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(http: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(administrator(http))
    }
}

fn administrator(http: &HttpRequest) -> Result<Administrator, Problem> {
    let command = http
        .match_pattern()
        .and_then(|pattern| AdminCommand::of(http.method().as_str(), &pattern));
    let Some(command) = command else {
        // A route that is no command's is served to none.
        let detail = "the server was put together wrongly";
        return Err(Problem::internal(
            "failed",
            "The server failed",
            detail,
            http.path(),
        ));
    };
    let mut reach = Reach::none();
    let principal = identify(http, |principal| {
        reach = principal
            .grants()
            .reach(command)
            .map_err(AccessDenied::Permission)?;
        Ok(())
    })?;
    Ok(Administrator { principal, reach })
}
