//! Says why a client may not ask.

use std::time::Duration;

use crate::admin::Denied;
use crate::tokens::{Scope, TokenError};

/// Says why a client may not ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessDenied {
    /// There is no token.
    Missing,
    /// The token is none that may be used.
    Wrong(TokenError),
    /// The token may not do this.
    Scope(Scope),
    /// The token may not give this command of administration.
    Permission(Denied),
    /// The token's rate is used up.
    Rate(Duration),
}

impl AccessDenied {
    /// Returns the word for a token that is missing or refused; none where the token is known.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Missing => Some("missing"),
            Self::Wrong(TokenError::Misspelt) => Some("misspelt"),
            Self::Wrong(TokenError::Unknown) => Some("unknown"),
            Self::Wrong(TokenError::Expired) => Some("expired"),
            Self::Wrong(TokenError::Network) => Some("network"),
            Self::Scope(_) | Self::Permission(_) | Self::Rate(_) => None,
        }
    }

    /// Says it to people, with what to do.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Missing => "this server asks for a client token; ask its administrator for one".to_owned(),
            Self::Wrong(error) => format!("{error}; ask the administrator of this server for another"),
            Self::Scope(scope) => format!("this token lacks the scope `{}`", scope.name()),
            Self::Permission(denied) => denied.text(),
            Self::Rate(wait) => format!(
                "this token's rate is used up; try again in {} s",
                wait.as_secs_f64().ceil()
            ),
        }
    }
}
