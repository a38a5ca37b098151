//! Reads what a part's headers say of its body, and cuts bodies into parts.

use mail_parser::parsers::MessageStream;
use url::Url;

use super::MAX_PARTS;
use super::encodings::{Encoding, trim_line_end};
use super::headers::{Field, decoded, field, fields};
use super::inline_images;
use super::parameters::ParameterValues;
use super::part_context::holds_delimiter;

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
    /// The Content-ID by which a page can show it.
    pub(super) id: Option<String>,
    /// The boundary as any program reads it.
    pub(super) boundaries: Vec<String>,
    /// The charsets that the header names; several, where it contradicts itself.
    pub(super) charsets: Vec<String>,
    /// Where its relative links lead, if its page does not say it.
    pub(super) bases: Vec<Url>,
    /// Why it is not clear what it is, where its headers contradict each other.
    pub(super) unclear: Option<&'static str>,
}

impl About {
    /// Reads the fields of a part. Without a type it is text/plain, in a digest a message.
    pub(super) fn of(fields: &[Field<'_>], in_digest: bool) -> Self {
        let find = |name: &str| fields.iter().find(|field| field.is(name));
        let all = |name: &'static str| fields.iter().filter(move |field| field.is(name));
        let mut types = all("Content-Type").map(parameters);
        let dispositions: Vec<_> = all("Content-Disposition").map(parameters).collect();
        let mut encodings = all("Content-Transfer-Encoding").map(|field| Encoding::of(&field.unfolded()));
        let encoding = encodings.next().unwrap_or(Encoding::Identity);
        // Programs differ in which of several headers counts.
        let is_clear = encodings.all(|other| other == encoding);
        let content = types.next().unwrap_or_default();
        let mut unclear = types
            .any(|other| other != content)
            .then_some("several types: programs for mail differ in which one counts");
        let (full, attributes) = content;
        let (kind, sub) = match full.split_once('/') {
            Some((kind, sub)) => (kind.to_owned(), sub.to_owned()),
            None if !full.is_empty() => (full, String::new()),
            None if in_digest => ("message".to_owned(), "rfc822".to_owned()),
            None => ("text".to_owned(), "plain".to_owned()),
        };
        let header = find("Content-Type").map(Field::unfolded).unwrap_or_default();
        let readings = |name: &str| ParameterValues::of(&header, name);
        let boundary = if kind == "multipart" {
            readings("boundary")
        } else {
            ParameterValues::default()
        };
        if boundary.contradict() {
            unclear = unclear.or(Some(
                "several boundaries: programs for mail differ in which one counts",
            ));
        }
        if kind == "message"
            && ["url", "access-type"]
                .iter()
                .any(|name| readings(name).contradict())
        {
            unclear = unclear.or(Some(
                "several places: programs for mail differ in which one counts",
            ));
        }
        let value = |list: &[(String, String)], name: &str| {
            let found = list.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found
                .map(|(_, value)| decoded(value, MAX_NAME))
                .filter(|name| !name.is_empty())
        };
        let filename = dispositions.iter().find_map(|(_, list)| value(list, "filename"));
        let is_saved = dispositions.iter().any(|(word, _)| word == "attachment");
        Self {
            is_attached: is_saved || filename.is_some(),
            is_embedded: !is_saved,
            name: filename.or_else(|| value(&attributes, "name")),
            encoding: if is_clear { encoding } else { Encoding::Unknown },
            id: find("Content-ID")
                .map(|field| inline_images::id(&field.unfolded()))
                .filter(|id| !id.is_empty()),
            boundaries: boundary.all,
            charsets: readings("charset").values,
            bases: Vec::new(),
            unclear,
            kind,
            sub,
            attributes,
        }
    }

    /// Describes a file that stands decoded within another part.
    pub(super) fn file(content_type: &str, name: Option<String>) -> Self {
        let (kind, sub) = content_type
            .split_once('/')
            .unwrap_or(("application", "octet-stream"));
        Self {
            kind: kind.trim().to_ascii_lowercase(),
            sub: sub.trim().to_ascii_lowercase(),
            attributes: Vec::new(),
            encoding: Encoding::Identity,
            name,
            is_attached: true,
            is_embedded: false,
            id: None,
            boundaries: Vec::new(),
            charsets: Vec::new(),
            bases: Vec::new(),
            unclear: None,
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

/// Is a message or a part, cut into its headers and its body.
pub(super) struct Section<'x> {
    pub(super) fields: Vec<Field<'x>>,
    pub(super) body: &'x [u8],
    /// Headers and body.
    pub(super) all: &'x [u8],
    /// Where the body begins for a program that lets the first line that is no header end them, if an empty line stands
    /// behind it: there it begins for the others.
    pub(super) other: Option<&'x [u8]>,
    /// Whether it has more headers than are read.
    pub(super) is_cut: bool,
}

impl<'x> Section<'x> {
    /// Cuts at the first empty line. Where nothing stands behind one, cuts at the first line that is neither a field nor
    /// goes on with one, and where that line looks like a boundary. Of the headers, bounded many octets are read.
    pub(super) fn of(bytes: &'x [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let (end, stray, rest) = head(bytes);
        let read = |end: usize| fields(bytes.get(..end.min(MAX_HEADERS)).unwrap_or_default());
        let whole = read(end);
        let from = |at: usize| bytes.get(at..).unwrap_or_default();
        let (fields, body, other, used) = match stray {
            Some(_) if whole.is_empty() => (whole, bytes, None, 0),
            Some(at) if rest.trim_ascii().is_empty() || from(at).starts_with(b"--") => {
                let before = read(at);
                let fields = if before.is_empty() { whole } else { before };
                (fields, from(at), None, at)
            }
            _ => (whole, rest, stray.map(from), end),
        };
        Self {
            fields,
            body,
            all: bytes,
            other,
            is_cut: used >= MAX_HEADERS,
        }
    }

    /// Returns the longer body, if there are two: it holds the other.
    pub(super) fn whole_body(&self) -> &'x [u8] {
        self.other.unwrap_or(self.body)
    }

    /// Returns what stands before the body.
    pub(super) fn head(&self) -> &'x [u8] {
        let end = self.all.len().saturating_sub(self.whole_body().len());
        self.all.get(..end).unwrap_or_default()
    }
}

/// Finds the first empty line: where the headers end, where a line stands among them that is none, and what stands behind
/// the empty line. A line of white space belongs to the field before it (RFC 5322, 4.2).
fn head(bytes: &[u8]) -> (usize, Option<usize>, &[u8]) {
    let (mut at, mut stray) = (0, None);
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let begin = at;
        at += line.len();
        if matches!(line, b"\n" | b"\r\n" | b"\r") {
            return (begin, stray, bytes.get(at..).unwrap_or_default());
        }
        let goes_on = begin > 0 && (line.starts_with(b" ") || line.starts_with(b"\t"));
        // Mailboxes begin each message so.
        let is_mark = begin == 0 && (line.starts_with(b"From ") || line.starts_with(b">From "));
        if stray.is_none() && !goes_on && !is_mark && field(line).is_none() {
            stray = Some(begin);
        }
    }
    (at, stray, b"")
}

/// Holds the parts of a body.
#[derive(Default)]
pub(super) struct Split<'x> {
    pub(super) parts: Vec<&'x [u8]>,
    /// Whether a line between them is a delimiter for some programs and none for others.
    pub(super) is_unclear: bool,
}

/// Cuts a body at the lines of its boundary (RFC 2046, 5.1.1). What stands before the first and after the last
/// is no part; a missing last one is tolerated. `all` are the boundaries that count for any program.
pub(super) fn split<'x>(body: &'x [u8], boundary: &[u8], all: &[String]) -> Split<'x> {
    let mut parts = Vec::new();
    let mut is_unclear = false;
    // Where a boundary goes on from one around it, what stands behind its end is a part for some.
    let goes_on = all.iter().any(|other| {
        let other = other.as_bytes();
        other.len() < boundary.len() && boundary.starts_with(other)
    });
    let mut is_behind = false;
    let mut start = None;
    let mut at = 0;
    for line in body.split_inclusive(|b| *b == b'\n') {
        let begin = at;
        at += line.len();
        let rest = line
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary));
        let rest = rest.map(<[u8]>::trim_ascii);
        let is_end = rest.is_some_and(|rest| rest.starts_with(b"--"));
        let is_start = rest.is_some_and(<[u8]>::is_empty);
        if !is_start && !is_end {
            // Within a part, it is looked at there.
            let is_content = is_behind && goes_on && !line.trim_ascii().is_empty();
            is_unclear |= start.is_none() && (is_content || holds_delimiter(line, all));
            continue;
        }
        is_unclear |= is_end && rest.is_some_and(|rest| rest.len() > 2);
        if let Some(from) = start {
            parts.push(trim_line_end(body.get(from..begin).unwrap_or_default()));
        }
        // Some readers go on where a boundary follows the closing one.
        start = (!is_end).then_some(at);
        is_behind = is_end;
        // One more than allowed is enough to refuse the message.
        if parts.len() > MAX_PARTS {
            break;
        }
    }
    if let Some(from) = start {
        parts.push(body.get(from..).unwrap_or_default());
    }
    Split { parts, is_unclear }
}

/// Returns the boundary of a body whose header names none: its first line that begins like one.
pub(super) fn guessed_boundary(body: &[u8]) -> Option<&[u8]> {
    let mut lines = body.split(|b| *b == b'\n');
    let found = lines.find_map(|line| line.strip_prefix(b"--").map(<[u8]>::trim_ascii_end));
    found.filter(|boundary| (1..=200).contains(&boundary.len()))
}
