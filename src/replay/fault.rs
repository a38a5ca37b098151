//! What can go wrong with a vendor, as data. Only code that holds the replay can ask for it.

use std::time::Duration;

use super::answer::Answer;
use super::gate::Gate;
use super::log::SeenRequest;

/// Says what a test wants to happen instead of, or to, the normal answer. The request has always been read whole before.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Holds the normal answer until the gate is released.
    Hold(Gate),
    /// Sends the normal answer after this time, as a vendor takes it; for benchmarks, since tests never wait.
    Late(Duration),
    /// Answers this.
    Status {
        /// Gives the status.
        code: u16,
        /// Gives the headers.
        headers: Vec<(String, String)>,
        /// Gives the body.
        body: String,
    },
    /// Answers 200 with a page for people, labelled `text/html`.
    HtmlInsteadOfJson,
    /// Announces the whole body, sends about half of it and closes.
    TruncatedBody,
    /// Sends the normal answer labelled as something else.
    WrongContentType(&'static str),
    /// Sends a valid gzip header and then what no deflate decoder accepts.
    BrokenGzip,
    /// Streams valid JSON of about that many bytes in chunks.
    HugeBody {
        /// Gives the length of the body.
        bytes: u64,
    },
    /// Sends valid gzipped JSON that is small on the wire and about that long when decoded.
    GzipBomb {
        /// Gives the length of the decoded body.
        decoded_bytes: u64,
    },
    /// Sends the head and one byte of the normal answer, then one byte for each step of the gate, and the rest when it is released.
    /// Replays of one gate count its steps from its making.
    SlowDrip(Gate),
    /// Resets the connection (RST) without an answer.
    Reset,
    /// Closes the connection (FIN) without an answer.
    CloseBeforeAnswer,
    /// Answers 302 to another place.
    Redirect {
        /// Gives the `Location`.
        to: String,
    },
    /// Answers 200 without results, as DomainTools Iris does when a query matches more than it returns.
    LimitExceeded200,
    /// Answers 200 with text that is labelled JSON and is none.
    InvalidJson,
    /// Answers 200 with valid JSON that no vendor would send.
    WrongShape,
    /// Answers 200 with valid JSON nested deeper than any parser should follow.
    DeepJson,
    /// Goes wrong as only DNS does. A vendor that is asked over HTTP answers as ever.
    ///
    /// The other way round, a DNS server makes of the faults above what comes nearest: a status becomes a response code,
    /// a body that cannot be read a message that is none, and what cuts or breaks a body cuts the answer over UDP and
    /// happens to its repetition over TCP.
    Dns(DnsFault),
}

/// Says what goes wrong with a question over DNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsFault {
    /// No answer comes.
    Silent,
    /// Answers with this response code and no records.
    Code(u16),
    /// Says over UDP that the answer does not fit; over TCP it is whole.
    Truncated,
    /// Sends a forged answer with another id first.
    WrongId,
    /// Sends a forged answer to another question first.
    OtherQuestion,
}

/// How deep [`Fault::DeepJson`] goes.
const DEPTH: usize = 100_000;
const HUGE: u64 = 100 << 20;

impl Fault {
    /// Answers 429, with or without `Retry-After` (seconds or an HTTP date).
    #[must_use]
    pub fn too_many_requests(retry_after: Option<&str>) -> Self {
        let mut fault = domaintools(429, "Too many requests; slow down.");
        if let (Self::Status { headers, .. }, Some(after)) = (&mut fault, retry_after) {
            headers.push(("Retry-After".to_owned(), after.to_owned()));
        }
        fault
    }

    /// Answers 503 without `Retry-After`, as DomainTools does when the limit per minute is reached.
    #[must_use]
    pub fn busy_503() -> Self {
        domaintools(
            503,
            "The service is over its limit of requests per minute; try again later.",
        )
    }

    /// Answers the 503 that will never succeed: DomainTools reverse whois for too common a term, known by "exceeds the maximum".
    #[must_use]
    pub fn too_large_503() -> Self {
        domaintools(
            503,
            "The report cannot be made: its size exceeds the maximum allowed.",
        )
    }

    /// Answers 401.
    #[must_use]
    pub fn unauthorized_401() -> Self {
        domaintools(401, "This request needs valid credentials.")
    }

    /// Answers 403 for a wrong key as DomainTools does, known by "do not match an active account".
    #[must_use]
    pub fn forbidden_key_403() -> Self {
        domaintools(403, super::domaintools::REFUSED)
    }

    /// Answers 403 for a product that the account, itself in order, has not bought.
    #[must_use]
    pub fn forbidden_product_403() -> Self {
        domaintools(
            403,
            "Your account is active, but this product is not part of its subscription.",
        )
    }

    /// Answers 404 as DomainTools does for a name it holds nothing about.
    #[must_use]
    pub fn not_found_404() -> Self {
        domaintools(404, "Nothing is held about this domain name or address.")
    }

    /// Returns every fault under a name of its own, so that a test can walk them. Gates are new and closed; see [`gate`](Self::gate).
    #[must_use]
    pub fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("hold", Self::Hold(Gate::new())),
            ("too-many-requests", Self::too_many_requests(None)),
            (
                "too-many-requests-retry-after",
                Self::too_many_requests(Some("30")),
            ),
            ("busy-503", Self::busy_503()),
            ("too-large-503", Self::too_large_503()),
            ("unauthorized-401", Self::unauthorized_401()),
            ("forbidden-key-403", Self::forbidden_key_403()),
            ("forbidden-product-403", Self::forbidden_product_403()),
            ("not-found-404", Self::not_found_404()),
            ("html-instead-of-json", Self::HtmlInsteadOfJson),
            ("truncated-body", Self::TruncatedBody),
            ("labelled-text", Self::WrongContentType("text/plain")),
            ("labelled-image", Self::WrongContentType("image/png")),
            ("broken-gzip", Self::BrokenGzip),
            ("huge-body", Self::HugeBody { bytes: HUGE }),
            ("gzip-bomb", Self::GzipBomb { decoded_bytes: HUGE }),
            ("slow-drip", Self::SlowDrip(Gate::new())),
            ("reset", Self::Reset),
            ("close-before-answer", Self::CloseBeforeAnswer),
            (
                "redirect",
                Self::Redirect {
                    to: "http://elsewhere.example/".to_owned(),
                },
            ),
            ("limit-exceeded-200", Self::LimitExceeded200),
            ("invalid-json", Self::InvalidJson),
            ("wrong-shape", Self::WrongShape),
            ("deep-json", Self::DeepJson),
        ]
    }

    /// Returns the gate that the fault waits for, if it waits for one.
    pub fn gate(&self) -> Option<&Gate> {
        match self {
            Self::Hold(gate) | Self::SlowDrip(gate) => Some(gate),
            _ => None,
        }
    }

    /// Makes the answer of a fault that is an answer like any other; the rest is done while sending.
    pub(super) fn answer(&self) -> Option<Answer> {
        Some(match self {
            Self::Status { code, headers, body } => Answer {
                status: *code,
                headers: headers.clone(),
                body: body.clone().into(),
            },
            Self::HtmlInsteadOfJson => Answer::labelled(
                200,
                "text/html; charset=utf-8",
                "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We will be back</h1></body></html>",
            ),
            Self::BrokenGzip => {
                // A block type of 3 is reserved (RFC 1951 section 3.2.3), so the first byte behind the header ends every decoder.
                let mut body = super::deliver::GZIP_HEADER.to_vec();
                body.extend_from_slice(&[0x07; 64]);
                Answer::json(200, body).with_header("Content-Encoding", "gzip")
            }
            Self::Redirect { to } => Answer::labelled(302, "text/plain", "moved").with_header("Location", to),
            Self::LimitExceeded200 => Answer::json(
                200,
                r#"{"response":{"limit_exceeded":true,"has_more_results":true,"message":"More than 5000 match; narrow the query.","missing_domains":[]}}"#,
            ),
            Self::InvalidJson => Answer::json(
                200,
                r#"{"response":{"domain_name":"example.com","ip_history":[{]}}"#,
            ),
            Self::WrongShape => Answer::json(200, r#"[{"response":[17,null,"unexpected"]},true]"#),
            Self::DeepJson => {
                let body = format!(r#"{{"response":{}{}}}"#, "[".repeat(DEPTH), "]".repeat(DEPTH));
                Answer::json(200, body)
            }
            _ => return None,
        })
    }
}

/// Makes an error in the shape that all DomainTools products share: `error.code`, `error.message`, `resources.support`.
fn domaintools(status: u16, message: &str) -> Fault {
    let Answer {
        status,
        headers,
        body,
    } = super::domaintools::error(status, message);
    Fault::Status {
        code: status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

/// Says which requests a fault is for. Empty matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Gives the method, exactly; of a DNS question the type.
    pub method: Option<String>,
    /// Gives a part of the path as sent, without the query; of a DNS question a part of the name.
    pub path_contains: Option<String>,
}

impl Matcher {
    /// Matches every request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Matches requests whose path contains this.
    #[must_use]
    pub fn path(part: &str) -> Self {
        Self {
            method: None,
            path_contains: Some(part.to_owned()),
        }
    }

    /// Narrows it to one method.
    #[must_use]
    pub fn with_method(self, method: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            ..self
        }
    }

    pub(super) fn matches(&self, request: &SeenRequest) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| *method == request.method)
            && self
                .path_contains
                .as_ref()
                .is_none_or(|part| request.path.contains(part.as_str()))
    }
}
