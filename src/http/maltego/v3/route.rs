//! Reads which part of protocol v3 a path names. By hand, as the paths of runs are: a token may stand before it, and the name of a
//! transform within.

use std::borrow::Cow;

use actix_web::http::Method;
use percent_encoding::percent_decode_str;

use crate::app::run_routes::split_token;

/// What may stand before all paths but that of health.
const PREFIX: &str = "/api/v3";

/// Names a part of the assets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assets {
    All,
    Entities,
    Icons,
    Machines,
    Sets,
    OAuthServices,
}

/// Names what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Status,
    Transforms,
    Transform(Cow<'a, str>),
    Assets(Assets),
    HubItem,
    Capabilities,
    Health,
    /// A new run of a transform.
    Create(Cow<'a, str>),
    /// A run that there is.
    Run(Cow<'a, str>, Cow<'a, str>, RunPart<'a>),
    /// Something that protocol v3 does not have.
    Unknown,
}

/// Names what is asked of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RunPart<'a> {
    Results,
    Cancel,
    Delete,
    Prompt(Cow<'a, str>),
}

impl<'a> Route<'a> {
    /// Reads a path; `None` where it belongs to another frontend.
    pub(super) fn read(path: &'a str) -> Option<Self> {
        let (token, path) = split_token(path);
        let (is_prefixed, rest) = match path.strip_prefix(PREFIX) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => (true, rest),
            _ => (false, path),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let mut steps = rest.split('/').skip(1);
        let steps: [Option<&str>; 7] = std::array::from_fn(|_| steps.next());
        let decoded = |step: &'a str| percent_decode_str(step).decode_utf8_lossy();
        let route = match steps {
            [None, ..] if is_prefixed => Self::Status,
            [Some("health"), None, ..] if !is_prefixed && token.is_none() => Self::Health,
            [Some("status"), None, ..] => Self::Status,
            [Some("hub_item"), None, ..] => Self::HubItem,
            [Some(".well-known"), Some("supported_capabilities"), None, ..] => Self::Capabilities,
            [Some("assets"), None, ..] => Self::Assets(Assets::All),
            [Some("assets"), Some(part), None, ..] => match part {
                "entities" => Self::Assets(Assets::Entities),
                "icons" => Self::Assets(Assets::Icons),
                "machines" => Self::Assets(Assets::Machines),
                "sets" => Self::Assets(Assets::Sets),
                "oauthservice" => Self::Assets(Assets::OAuthServices),
                _ => Self::Unknown,
            },
            [Some("transforms"), None, ..] => Self::Transforms,
            [Some("transforms"), Some(id), None, ..] => Self::Transform(decoded(id)),
            [Some("transforms"), Some(id), Some("run"), None, ..] => Self::Create(decoded(id)),
            [Some("transforms"), Some(id), Some("run"), Some(run), rest @ ..] => {
                let part = match rest {
                    [None, ..] => RunPart::Delete,
                    [Some("results" | "status"), None, ..] => RunPart::Results,
                    [Some("cancel"), None, ..] => RunPart::Cancel,
                    [Some("prompts"), Some(prompt), None] => RunPart::Prompt(decoded(prompt)),
                    _ => return Some(Self::Unknown),
                };
                Self::Run(decoded(id), decoded(run), part)
            }
            [Some("transforms" | "assets"), ..] => Self::Unknown,
            _ if is_prefixed => Self::Unknown,
            _ => return None,
        };
        Some(route)
    }

    /// Lists the methods by which it is asked.
    pub(super) fn methods(&self) -> &'static [Method] {
        match self {
            Self::Create(_) | Self::Run(_, _, RunPart::Cancel | RunPart::Prompt(_)) => &[Method::POST],
            Self::Run(_, _, RunPart::Delete) => &[Method::DELETE],
            _ => &[Method::GET, Method::HEAD],
        }
    }

    /// Names it for the log.
    pub(super) fn pattern(&self) -> &'static str {
        match self {
            Self::Status => "/api/v3/status",
            Self::Transforms => "/api/v3/transforms",
            Self::Transform(_) => "/api/v3/transforms/{transform}",
            Self::Assets(_) => "/api/v3/assets",
            Self::HubItem => "/api/v3/hub_item",
            Self::Capabilities => "/api/v3/.well-known/supported_capabilities",
            Self::Health => "/health",
            Self::Create(_) => "/api/v3/transforms/{transform}/run",
            Self::Run(..) => "/api/v3/transforms/{transform}/run/{run}",
            Self::Unknown => "/api/v3",
        }
    }
}

/// Tells whether a path belongs to protocol v3.
pub(crate) fn holds(path: &str) -> bool {
    Route::read(path).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_with_and_without_prefix_and_token() {
        let run = |part| Route::Run("a.b".into(), "1".into(), part);
        for (path, route) in [
            ("/status", Some(Route::Status)),
            ("/api/v3", Some(Route::Status)),
            ("/api/v3/", Some(Route::Status)),
            ("/t/pvtd_x/api/v3/status", Some(Route::Status)),
            ("/t/pvtd_x/transforms/", Some(Route::Transforms)),
            ("/transforms/a.b", Some(Route::Transform("a.b".into()))),
            ("/transforms/a%2eb", Some(Route::Transform("a.b".into()))),
            ("/api/v3/transforms/a.b/run", Some(Route::Create("a.b".into()))),
            ("/transforms/a.b/run/1", Some(run(RunPart::Delete))),
            ("/transforms/a.b/run/1/results", Some(run(RunPart::Results))),
            ("/transforms/a.b/run/1/status", Some(run(RunPart::Results))),
            ("/transforms/a.b/run/1/cancel", Some(run(RunPart::Cancel))),
            (
                "/transforms/a.b/run/1/prompts/p",
                Some(run(RunPart::Prompt("p".into()))),
            ),
            ("/transforms/a.b/run/1/prompts/p/q", Some(Route::Unknown)),
            ("/transforms/a.b/run/1/other", Some(Route::Unknown)),
            ("/assets/icons", Some(Route::Assets(Assets::Icons))),
            ("/assets/other", Some(Route::Unknown)),
            ("/health", Some(Route::Health)),
            ("/api/v3/health", Some(Route::Unknown)),
            ("/api/v3/seed", Some(Route::Unknown)),
            ("/", None),
            ("/seed", None),
            ("/api/v30/status", None),
            ("/t/pvtd_x/run/a.b", None),
            ("/t/pvtd_x", None),
        ] {
            assert_eq!(Route::read(path), route, "{path}");
        }
    }
}
