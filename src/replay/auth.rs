//! Says how a replayed vendor checks keys, as `_auth.toml` in its folder of fixtures declares it.

use serde::Deserialize;

use super::answer::Answer;
use super::basic::basic_auth;
use super::defender::defender_auth;
use super::domaintools::domaintools_auth;
use super::log::SeenRequest;
use super::vendor::{AuthResult, Authenticator, Vendor};

/// Name of the file in a provider's folder of fixtures. A vendor without one asks for no credentials.
pub(super) const FILE: &str = "_auth.toml";

/// Declares how one vendor checks keys.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "scheme", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Auth {
    /// HTTP Basic authentication (RFC 7617) by user name and key.
    Basic,
    /// The key in a header of its own.
    Header(HeaderRules),
    /// The three ways of DomainTools' API; see [`domaintools_auth`].
    Domaintools,
    /// A token that the key buys, as Microsoft Graph sells it; see [`defender_auth`].
    MicrosoftToken,
}

/// Declares a key in a header, and how a wrong one is refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderRules {
    /// The header, in lower case.
    header: String,
    /// Whether the vendor answers without a key, too.
    #[serde(default)]
    optional: bool,
    /// Another header that a request has to have.
    also: Option<String>,
    /// The status of a refusal.
    status: u16,
    /// The body of a refusal, JSON.
    body: String,
}

impl Auth {
    /// Reads the file of a vendor.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// Makes a vendor check keys so, and take these credentials.
    pub(super) fn applied(&self, vendor: Vendor, username: &str, api_key: &str) -> Vendor {
        match self {
            Self::Basic => vendor.with_authenticator(basic_auth(username, api_key)),
            Self::Domaintools => vendor.with_authenticator(domaintools_auth(username, api_key)),
            Self::MicrosoftToken => vendor.with_authenticator(defender_auth(username, username, api_key)),
            Self::Header(rules) => vendor.with_authenticator(HeaderAuth {
                rules: rules.clone(),
                api_key: api_key.to_owned(),
            }),
        }
    }
}

/// Accepts one key in a header.
struct HeaderAuth {
    rules: HeaderRules,
    api_key: String,
}

impl Authenticator for HeaderAuth {
    fn check(&self, request: &SeenRequest) -> AuthResult {
        let also = self.rules.also.as_deref();
        let is_whole = also.is_none_or(|name| request.header(name).is_some_and(|value| !value.is_empty()));
        match request.header(&self.rules.header) {
            None if self.rules.optional => AuthResult::Ok,
            None => AuthResult::Missing,
            Some(key) if is_whole && key == self.api_key => AuthResult::Ok,
            Some(_) => AuthResult::Refused,
        }
    }

    fn refusal(&self, _result: AuthResult) -> Answer {
        Answer::json(self.rules.status, self.rules.body.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn asked(vendor: &str, headers: &[(&str, &str)]) -> AuthResult {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(vendor)
            .join(FILE);
        let Auth::Header(rules) = Auth::parse(&std::fs::read_to_string(file).unwrap()).unwrap() else {
            panic!("{vendor} takes its key in a header");
        };
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let request = SeenRequest {
            at: 1,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: Vec::new(),
            headers: headers.collect(),
            body: Default::default(),
            whole: true,
        };
        let api_key = "right".to_owned();
        HeaderAuth { rules, api_key }.check(&request)
    }

    #[test]
    fn each_vendor_takes_its_key_in_its_header() {
        use AuthResult::{Missing, Ok, Refused};
        let agent = ("user-agent", "pivotd");
        for (vendor, headers, result) in [
            ("abuseipdb", &[("key", "right")] as &[_], Ok),
            ("abuseipdb", &[("key", "wrong")], Refused),
            ("abuseipdb", &[("ipqs-key", "right")], Missing),
            ("emailrep", &[("key", "right"), agent], Ok),
            ("emailrep", &[("key", "right")], Refused),
            ("greynoise", &[], Ok),
            ("greynoise", &[("key", "wrong")], Refused),
            ("ipqs", &[("ipqs-key", "right")], Ok),
            ("ipqs", &[("key", "right")], Missing),
        ] {
            assert_eq!(asked(vendor, headers), result, "{vendor} {headers:?}");
        }
    }

    #[test]
    fn a_file_that_says_something_unknown_is_refused() {
        assert_eq!(Auth::parse("scheme = \"basic\""), Ok(Auth::Basic));
        for wrong in [
            "",
            "scheme = \"magic\"",
            "scheme = \"header\"\nheader = \"key\"\nhue = 1",
        ] {
            assert!(Auth::parse(wrong).is_err(), "{wrong}");
        }
    }
}
