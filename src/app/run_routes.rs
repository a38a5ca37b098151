//! Names the paths below which transforms are run, each with its wire format, and reads which transform a path names. By hand:
//! matching a pattern costs more than finding an answer in memory.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::maltego::codec::{Codec, Trx};

/// The pattern of the paths of runs, as people are told it.
pub(crate) const RUN: &str = "/run/{transform}";
/// What stands before a token in a path, for a client that can send no header.
const TOKEN: &str = "/t/";

/// Where classic clients find transforms.
const DISCOVERY: [&str; 2] = ["/seed", "/runner"];

/// Names a path below which transforms are run in a wire format.
#[derive(Debug, Clone)]
pub struct RunRoute {
    /// The path that stands before the transform's name, with a slash at both ends: `/run/`.
    pub prefix: Cow<'static, str>,
    /// The wire format.
    pub codec: Arc<dyn Codec>,
}

/// Holds the paths below which transforms are run, each in its wire format. The first one's format answers where a path names
/// none.
#[derive(Debug, Clone)]
pub struct RunRoutes {
    first: RunRoute,
    more: Vec<RunRoute>,
}

impl Default for RunRoutes {
    fn default() -> Self {
        Self {
            first: RunRoute {
                prefix: Cow::Borrowed("/run/"),
                codec: Arc::new(Trx),
            },
            more: Vec::new(),
        }
    }
}

impl RunRoutes {
    /// Adds a path.
    #[must_use]
    pub fn with(mut self, route: RunRoute) -> Self {
        self.more.push(route);
        self
    }

    /// Returns all of them.
    pub fn iter(&self) -> impl Iterator<Item = &RunRoute> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// Returns the one whose format answers where a path names none.
    pub(crate) fn first(&self) -> &RunRoute {
        &self.first
    }

    /// Tells whether a path is one of classic Maltego clients.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        holds_token(path)
            || DISCOVERY.contains(&path)
            || self.iter().any(|route| path.starts_with(&*route.prefix))
    }

    /// Returns the wire format of a path.
    #[must_use]
    pub fn codec(&self, path: &str) -> &Arc<dyn Codec> {
        let named = self.named(path).map(|(route, _, _)| route);
        &named.unwrap_or(&self.first).codec
    }

    /// Reads a path; `None` where it names no transform.
    pub(crate) fn read<'a>(&'a self, path: &'a str) -> Option<RunPath<'a>> {
        let (route, token, name) = self.named(path)?;
        let name = name.strip_suffix('/').unwrap_or(name);
        if token == Some("") || name.is_empty() || name.contains('/') {
            return None;
        }
        let decoded = |part| percent_decode_str(part).decode_utf8_lossy();
        Some(RunPath {
            route,
            token: token.map(decoded),
            transform: decoded(name),
        })
    }

    /// Takes a path apart: its route, its token, and what stands behind.
    fn named<'a>(&self, path: &'a str) -> Option<(&RunRoute, Option<&'a str>, &'a str)> {
        let (token, rest) = split_token(path);
        self.iter()
            .find_map(|route| Some((route, token, rest.strip_prefix(&*route.prefix)?)))
    }
}

/// Splits a path into the token that stands before it, if there is one, and the rest.
pub(crate) fn split_token(path: &str) -> (Option<&str>, &str) {
    let behind = path.strip_prefix(TOKEN);
    let split = behind.and_then(|rest| rest.split_at_checked(rest.find('/')?));
    match split {
        Some((token, rest)) => (Some(token), rest),
        None => (None, path),
    }
}

/// Tells whether a token may stand in a path, whether the rest of it names anything or not.
pub(crate) fn holds_token(path: &str) -> bool {
    path.starts_with(TOKEN)
}

/// Returns the token in a path; `None` where there is none, or where nothing stands behind it.
pub(crate) fn path_token(path: &str) -> Option<Cow<'_, str>> {
    let token = split_token(path).0.filter(|token| !token.is_empty());
    token.map(|token| percent_decode_str(token).decode_utf8_lossy())
}

/// Is what the path of a run says: `/run/NAME`, or `/t/TOKEN/run/NAME` for a client that can send no header.
pub(crate) struct RunPath<'a> {
    pub(crate) route: &'a RunRoute,
    pub(crate) token: Option<Cow<'a, str>>,
    pub(crate) transform: Cow<'a, str>,
}
