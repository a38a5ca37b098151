//! Reads what stands in the target of a request: in its path, and in its query.

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::json::at_member;
use super::problem::Problem;
use crate::domain::echo::brief;

/// Returns what stands in the path under a name. The router leaves an encoded slash, plus or per cent sign as it is.
pub(super) fn in_path(http: &HttpRequest, name: &str) -> Result<String, Problem> {
    let value = http.match_info().get(name).unwrap_or_default();
    percent_decode_str(value)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Problem::invalid(format!("the path: {name} is not UTF-8")))
}

/// Reads the query.
pub(super) fn query<T: DeserializeOwned>(http: &HttpRequest) -> Result<T, Problem> {
    let pairs = form_urlencoded::parse(http.query_string().as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|error| {
        let path = error.path().to_string();
        let said = brief(&error.into_inner().to_string());
        let detail = if path == "." {
            said
        } else {
            at_member(&path, &said)
        };
        Problem::invalid(format!("the query: {detail}"))
    })
}

/// Returns what stands first under a name in the query.
pub(super) fn in_query(http: &HttpRequest, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(http.query_string().as_bytes());
    let (_, value) = pairs.find(|(known, _)| known == name)?;
    Some(value.into_owned())
}
