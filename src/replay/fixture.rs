//! The fixture format: a request to recognise and the answer to give, as text.
//!
//! ```text
//! # comment lines first
//! GET /v1/example.com/hosting-history
//! query: limit=100&offset=*
//! form: domain=example.com
//!
//! HTTP/1.1 200 OK
//! Content-Type: application/json;charset=utf-8
//!
//! {"response": {}}
//! ```
//!
//! `{name}` as a path segment matches any one segment. Every parameter of a `query:` or `form:` line must be there with
//! that value (percent-decoded), `*` matches any; parameters that are not named are ignored. The body goes to the end of the file,
//! byte for byte. The request line `* *` matches everything; it is for `_default.http`.

use std::fmt;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::answer::Answer;
use super::log::SeenRequest;

/// Names the file, the line (from 1; 0 where it is about the file as a whole) and the reason of a fixture's fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixtureError {
    /// Gives the name under which the fixture was loaded.
    pub file: String,
    /// Gives the line, from 1; 0 for the whole file.
    pub line: usize,
    /// Says what is wrong.
    pub reason: String,
}

impl FixtureError {
    pub(super) fn new(file: &str, line: usize, reason: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for FixtureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.reason),
            line => write!(f, "{}:{line}: {}", self.file, self.reason),
        }
    }
}

impl std::error::Error for FixtureError {}

/// Holds one request pattern and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    name: String,
    line: usize,
    method: String,
    path: Option<Vec<Segment>>,
    query: Vec<Parameter>,
    form: Vec<Parameter>,
    answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Any,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parameter {
    name: String,
    /// `None` matches any value.
    value: Option<String>,
}

/// Orders exchanges that match one request: literal segments, then parameters, then parameters with a value.
pub(super) type Rank = (usize, usize, usize);

impl Exchange {
    /// Reads a fixture's text; `name` is what errors call the file. See the module for the format.
    ///
    /// # Errors
    /// A [`FixtureError`] with the line of the first thing that is not understood.
    pub fn parse(name: &str, text: &str) -> Result<Self, FixtureError> {
        let mut lines = Lines {
            rest: Some(text),
            number: 0,
        };
        let fail = |line: usize, reason: String| FixtureError::new(name, line, reason);
        let request = loop {
            match lines.next() {
                Some(line) if line.starts_with('#') || line.trim().is_empty() => {}
                Some(line) => break line,
                None => return Err(fail(lines.number, "there is no request line".to_owned())),
            }
        };
        let line = lines.number;
        let (method, path) = request_line(request).map_err(|reason| fail(line, reason))?;
        let (mut query, mut form) = (Vec::new(), Vec::new());
        loop {
            let Some(text) = lines.next() else {
                return Err(fail(lines.number, "the file ends before the answer".to_owned()));
            };
            if text.trim().is_empty() {
                break;
            }
            let (into, pairs) = match text.split_once(':') {
                Some(("query", pairs)) => (&mut query, pairs),
                Some(("form", pairs)) => (&mut form, pairs),
                _ => {
                    let reason = format!(
                        "`{text}` is neither a query: nor a form: line, nor the empty line before the answer"
                    );
                    return Err(fail(lines.number, reason));
                }
            };
            into.extend(parameters(pairs).map_err(|reason| fail(lines.number, reason))?);
        }
        if path.is_none() && !(query.is_empty() && form.is_empty()) {
            return Err(fail(
                line,
                "`* *` matches everything and takes no parameters".to_owned(),
            ));
        }
        let answer = answer(&mut lines).map_err(|reason| fail(lines.number, reason))?;
        Ok(Self {
            name: name.to_owned(),
            line,
            method,
            path,
            query,
            form,
            answer,
        })
    }

    /// Returns the name under which the fixture was parsed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what the vendor answers.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Tells whether this is the answer to everything that no other exchange matches.
    pub fn is_default(&self) -> bool {
        self.path.is_none()
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Ranks the exchange for a request; `None` if it does not match.
    pub(super) fn rank(&self, request: &SeenRequest) -> Option<Rank> {
        let path = self.path.as_ref()?;
        let asked = segments(&request.path);
        let matches = self.method == request.method
            && path.len() == asked.len()
            && path
                .iter()
                .zip(&asked)
                .all(|(segment, asked)| segment.matches(asked))
            && self
                .query
                .iter()
                .all(|parameter| parameter.is_among(&request.query))
            && (self.form.is_empty() || {
                let form = request.form();
                self.form.iter().all(|parameter| parameter.is_among(&form))
            });
        matches.then(|| self.own_rank())
    }

    fn own_rank(&self) -> Rank {
        let literal = |segment: &&Segment| matches!(segment, Segment::Literal(_));
        let parameters = || self.query.iter().chain(&self.form);
        (
            self.path.iter().flatten().filter(literal).count(),
            parameters().count(),
            parameters().filter(|parameter| parameter.value.is_some()).count(),
        )
    }

    /// Tells whether some request matches both with equal rank, and names the same parameters in both,
    /// so that nothing a client sends could decide between them.
    pub(super) fn ties_with(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (&self.path, &other.path) else {
            return self.path.is_none() && other.path.is_none();
        };
        self.method == other.method
            && self.own_rank() == other.own_rank()
            && mine.len() == theirs.len()
            && mine.iter().zip(theirs).all(|pair| match pair {
                (Segment::Literal(mine), Segment::Literal(theirs)) => mine == theirs,
                _ => true,
            })
            && tie(&self.query, &other.query)
            && tie(&self.form, &other.form)
    }
}

/// Tells whether two lists name the same parameters with values that one request can meet.
fn tie(mine: &[Parameter], theirs: &[Parameter]) -> bool {
    let meets = |list: &[Parameter], one: &Parameter| {
        list.iter().any(|other| {
            other.name == one.name
                && (other.value.is_none() || one.value.is_none() || other.value == one.value)
        })
    };
    mine.len() == theirs.len()
        && mine.iter().all(|one| meets(theirs, one))
        && theirs.iter().all(|one| meets(mine, one))
}

impl Segment {
    fn matches(&self, asked: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == asked,
            Self::Any => !asked.is_empty(),
        }
    }
}

impl Parameter {
    fn is_among(&self, pairs: &[(String, String)]) -> bool {
        pairs.iter().any(|(name, value)| {
            *name == self.name && self.value.as_ref().is_none_or(|wanted| wanted == value)
        })
    }
}

/// Splits a path into decoded segments. One trailing slash makes no difference, as with most vendors.
fn segments(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect()
}

fn request_line(text: &str) -> Result<(String, Option<Vec<Segment>>), String> {
    let mut words = text.split_whitespace();
    let (Some(method), Some(path), None) = (words.next(), words.next(), words.next()) else {
        return Err(format!("`{text}` is not a method and a path"));
    };
    if (method, path) == ("*", "*") {
        return Ok((method.to_owned(), None));
    }
    if !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("`{method}` is not a method in upper case"));
    }
    if !path.starts_with('/') {
        return Err(format!("the path `{path}` does not begin with a slash"));
    }
    if path.contains(['?', '#']) {
        return Err(format!(
            "the path `{path}` has a query; parameters belong on a query: line"
        ));
    }
    let segment = |decoded: String| {
        let named = decoded.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        if named.is_some() {
            Segment::Any
        } else {
            Segment::Literal(decoded)
        }
    };
    Ok((
        method.to_owned(),
        Some(segments(path).into_iter().map(segment).collect()),
    ))
}

fn parameters(text: &str) -> Result<Vec<Parameter>, String> {
    text.trim()
        .split('&')
        .map(|pair| {
            let any = pair.split_once('=').is_some_and(|(_, value)| value == "*");
            match form_urlencoded::parse(pair.as_bytes()).into_owned().next() {
                Some((name, value)) if !name.is_empty() && pair.contains('=') => Ok(Parameter {
                    name,
                    value: (!any).then_some(value),
                }),
                _ => Err(format!("`{pair}` is not name=value")),
            }
        })
        .collect()
}

fn answer(lines: &mut Lines<'_>) -> Result<Answer, String> {
    let status_line = lines.next().ok_or("the file ends before the answer")?;
    let status = status_line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.split(' ').next())
        .filter(|code| code.len() == 3)
        .and_then(|code| code.parse::<u16>().ok())
        .filter(|code| (200..600).contains(code))
        .ok_or_else(|| format!("`{status_line}` is not a status line such as `HTTP/1.1 200 OK`"))?;
    let mut headers: Vec<(String, String)> = Vec::new();
    while let Some(text) = lines.next() {
        if text.is_empty() {
            break;
        }
        let (name, value) = text
            .split_once(':')
            .ok_or_else(|| format!("`{text}` is not a header"))?;
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(format!("`{name}` is not the name of a header"));
        }
        let computed = ["content-length", "transfer-encoding", "connection"];
        if computed
            .iter()
            .any(|computed| name.eq_ignore_ascii_case(computed))
        {
            return Err(format!(
                "`{name}` is written by the server and may not stand in a fixture"
            ));
        }
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let body = lines.rest.take().unwrap_or("");
    Ok(Answer {
        status,
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    })
}

/// Walks over lines, keeping their number and what is left.
struct Lines<'a> {
    rest: Option<&'a str>,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        if rest.is_empty() {
            self.rest = None;
            return None;
        }
        self.number += 1;
        let line = match rest.split_once('\n') {
            Some((line, rest)) => {
                self.rest = Some(rest);
                line
            }
            None => {
                self.rest = None;
                rest
            }
        };
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}
