//! Keys in a header of their own, and how the vendors that say what an address is worth refuse them.

use super::answer::Answer;
use super::log::SeenRequest;
use super::vendor::{AuthResult, Authenticator};

/// Accepts one key of one vendor; see [`reputation_auth`].
#[derive(Clone)]
pub struct ReputationAuth {
    vendor: String,
    api_key: String,
}

/// Makes an authenticator for one key of AbuseIPDB, EmailRep.io (which also wants a `User-Agent`), GreyNoise (which
/// answers without a key, too) or IPQualityScore, by the provider's name. Of any other name it accepts nothing.
pub fn reputation_auth(vendor: &str, api_key: &str) -> ReputationAuth {
    ReputationAuth {
        vendor: vendor.to_owned(),
        api_key: api_key.to_owned(),
    }
}

impl Authenticator for ReputationAuth {
    fn check(&self, request: &SeenRequest) -> AuthResult {
        let header = match self.vendor.as_str() {
            "ipqs" => "ipqs-key",
            "abuseipdb" | "emailrep" | "greynoise" => "key",
            _ => return AuthResult::Refused,
        };
        let known = self.vendor != "emailrep"
            || request
                .header("user-agent")
                .is_some_and(|agent| !agent.is_empty());
        match request.header(header) {
            None if self.vendor == "greynoise" => AuthResult::Ok,
            None => AuthResult::Missing,
            Some(key) if known && key == self.api_key => AuthResult::Ok,
            Some(_) => AuthResult::Refused,
        }
    }

    fn refusal(&self, _result: AuthResult) -> Answer {
        const REASON: &str = "The API key is missing or wrong.";
        let (status, body) = match self.vendor.as_str() {
            "abuseipdb" => (
                401,
                serde_json::json!({ "errors": [{ "detail": REASON, "status": 401 }] }),
            ),
            "emailrep" => (
                401,
                serde_json::json!({ "status": "fail", "reason": "invalid api key" }),
            ),
            // With the status of an answer.
            "ipqs" => (
                200,
                serde_json::json!({ "success": false, "message": "Invalid or unauthorized key." }),
            ),
            _ => (401, serde_json::json!({ "message": REASON })),
        };
        Answer::json(status, body.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(vendor: &str, headers: &[(&str, &str)]) -> AuthResult {
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
        reputation_auth(vendor, "right").check(&request)
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
            ("another", &[("key", "right")], Refused),
        ] {
            assert_eq!(asked(vendor, headers), result, "{vendor} {headers:?}");
        }
    }
}
