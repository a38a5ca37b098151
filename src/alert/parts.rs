//! Reads what a part's headers say of its body, and cuts bodies into parts.

use mail_parser::parsers::MessageStream;

use super::MAX_PARTS;
use super::encodings::{Encoding, trim_line_end};
use super::headers::{Field, decoded};

/// How many octets of a block of headers are read.
pub(super) const MAX_HEADERS: usize = 64 * 1024;
/// How many characters of a file's name are kept.
const MAX_NAME: usize = 255;

/// Holds what a part's headers say of its body.
pub(super) struct About {
    /// The media type without its subtype, in lower case.
    kind: String,
    sub: String,
    attributes: Vec<(String, String)>,
    pub(super) encoding: Encoding,
    /// The file's name, decoded.
    pub(super) name: Option<String>,
    /// Whether the disposition says so, by its word or by naming a file.
    pub(super) is_attached: bool,
    /// Whether it may be shown in place: the disposition does not say otherwise.
    pub(super) is_embedded: bool,
    /// Whether a page can show it by its Content-ID.
    pub(super) has_id: bool,
}

impl About {
    /// Reads the fields of a part. Without a type it is text/plain, in a digest a message.
    pub(super) fn of(fields: &[Field<'_>], in_digest: bool) -> Self {
        let find = |name: &str| fields.iter().find(|field| field.is(name));
        let content = find("Content-Type").map(parameters);
        let disposition = find("Content-Disposition").map(parameters);
        let encoding = find("Content-Transfer-Encoding").map(|field| Encoding::of(&field.unfolded()));
        let (full, attributes) = content.unwrap_or_default();
        let (kind, sub) = match full.split_once('/') {
            Some((kind, sub)) => (kind.to_owned(), sub.to_owned()),
            None if !full.is_empty() => (full, String::new()),
            None if in_digest => ("message".to_owned(), "rfc822".to_owned()),
            None => ("text".to_owned(), "plain".to_owned()),
        };
        let (word, disposed) = disposition.unwrap_or_default();
        let value = |list: &[(String, String)], name: &str| {
            let found = list.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found
                .map(|(_, value)| decoded(value, MAX_NAME))
                .filter(|name| !name.is_empty())
        };
        let filename = value(&disposed, "filename");
        Self {
            is_attached: word == "attachment" || filename.is_some(),
            is_embedded: word != "attachment",
            name: filename.or_else(|| value(&attributes, "name")),
            encoding: encoding.unwrap_or(Encoding::Identity),
            has_id: find("Content-ID").is_some(),
            kind,
            sub,
            attributes,
        }
    }

    /// Tells the type, and the subtype if one is asked for.
    pub(super) fn is(&self, kind: &str, sub: Option<&str>) -> bool {
        self.kind == kind && sub.is_none_or(|sub| self.sub == sub)
    }

    /// Tells whether the subtype is one of these.
    pub(super) fn is_any(&self, kind: &str, subs: &[&str]) -> bool {
        self.kind == kind && subs.contains(&self.sub.as_str())
    }

    /// Returns the media type.
    pub(super) fn content_type(&self) -> String {
        format!("{}/{}", self.kind, self.sub)
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self
            .attributes
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns what stands behind the last dot of the file's name, in lower case.
    pub(super) fn extension(&self) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        extension.unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// Reads a value with parameters: the value in lower case, and the parameters (RFC 2231 undone).
fn parameters(field: &Field<'_>) -> (String, Vec<(String, String)>) {
    // The parser wants the line end that a header has.
    let line = [field.value, b"\n"].concat();
    let parsed = MessageStream::new(&line).parse_content_type();
    let Some(content) = parsed.as_content_type() else {
        return Default::default();
    };
    let full = match content.subtype() {
        Some(sub) => format!("{}/{sub}", content.ctype()),
        None => content.ctype().to_owned(),
    };
    let attributes = content.attributes().unwrap_or_default().iter();
    let attributes = attributes.map(|one| (one.name.to_string(), one.value.to_string()));
    (full.to_ascii_lowercase(), attributes.collect())
}

/// Cuts a part at the first empty line: its headers, of which there are bounded many octets, and its body. A line of white
/// space belongs to the field before it (RFC 5322, 4.2).
pub(super) fn head(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    let mut body: &[u8] = b"";
    let mut at = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        at += line.len();
        if matches!(line, b"\n" | b"\r\n" | b"\r") {
            body = bytes.get(at..).unwrap_or_default();
            break;
        }
        end = at;
    }
    (bytes.get(..end.min(MAX_HEADERS)).unwrap_or_default(), body)
}

/// Cuts a body at the lines of its boundary (RFC 2046, 5.1.1). What stands before the first and after the last
/// is no part; a missing last one is tolerated.
pub(super) fn split<'x>(body: &'x [u8], boundary: &[u8]) -> Vec<&'x [u8]> {
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    for line in body.split_inclusive(|b| *b == b'\n') {
        let begin = at;
        at += line.len();
        let rest = line
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary));
        let Some(rest) = rest.map(<[u8]>::trim_ascii) else {
            continue;
        };
        let is_end = rest.starts_with(b"--");
        if !rest.is_empty() && !is_end {
            continue;
        }
        if let Some(from) = start {
            parts.push(trim_line_end(body.get(from..begin).unwrap_or_default()));
        }
        // Some readers go on where a boundary follows the closing one.
        start = (!is_end).then_some(at);
        // One more than allowed is enough to refuse the message.
        if parts.len() > MAX_PARTS {
            return parts;
        }
    }
    if let Some(from) = start {
        parts.push(body.get(from..).unwrap_or_default());
    }
    parts
}

/// Returns the boundary of a body whose header names none: its first line that begins like one.
pub(super) fn guessed_boundary(body: &[u8]) -> Option<&[u8]> {
    let mut lines = body.split(|b| *b == b'\n');
    let found = lines.find_map(|line| line.strip_prefix(b"--").map(<[u8]>::trim_ascii_end));
    found.filter(|boundary| (1..=200).contains(&boundary.len()))
}
