//! Reads which transform a path names. By hand: matching a pattern costs more than finding an answer in memory.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The pattern of the paths of runs, as people are told it.
pub(crate) const RUN: &str = "/run/{transform}";

/// Tells whether a path is one of the transforms' face.
pub(crate) fn is_run(path: &str) -> bool {
    path.starts_with("/run/") || holds_token(path)
}

/// Tells whether a token may stand in a path, whether the rest of it names anything or not.
pub(super) fn holds_token(path: &str) -> bool {
    path.starts_with("/t/")
}

/// Is what the path of a run says: `/run/NAME`, or `/t/TOKEN/run/NAME` for a client that can send no header.
pub(super) struct RunPath<'a> {
    pub(super) token: Option<Cow<'a, str>>,
    pub(super) transform: Cow<'a, str>,
}

impl<'a> RunPath<'a> {
    /// Reads a path; `None` where it names no transform.
    pub(super) fn of(path: &'a str) -> Option<Self> {
        let (token, rest) = match path.strip_prefix("/t/") {
            Some(rest) => rest.split_once('/').map(|(token, rest)| (Some(token), rest))?,
            None => (None, path.strip_prefix('/')?),
        };
        let name = rest.strip_prefix("run/")?;
        let name = name.strip_suffix('/').unwrap_or(name);
        if token == Some("") || name.is_empty() || name.contains('/') {
            return None;
        }
        let decoded = |part| percent_decode_str(part).decode_utf8_lossy();
        Some(Self {
            token: token.map(decoded),
            transform: decoded(name),
        })
    }
}
