//! Walks the parts of a message within limits.
//!
//! `mail-parser` reads every block of headers and decodes. It is not given whole messages: it nests attached messages
//! without a limit, is recursive in dropping them, and looks for each boundary up to the message's end; a mebibyte can
//! be made to overflow the stack or to take minutes. Here depth and parts are bounded before anything is read, and
//! each octet is looked at once a level.

use std::borrow::Cow;
use std::sync::LazyLock;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::{Address, ContentType, Header, HeaderName, HeaderValue, Host, MessageParser};
use sha2::{Digest, Sha256};

use super::links;
use super::received::{Hop, Trace};
use super::{MAX_DEPTH, MAX_PARTS, MessageError};

/// How many links are looked at; far more than can be named.
const MAX_LINKS: usize = 2_000;
/// How many octets of a block of headers are read: the time that `mail-parser` takes for encoded words grows with the
/// square of their number.
const MAX_HEADERS: usize = 64 * 1024;
/// How many mailboxes a header gives.
const MAX_MAILBOXES: usize = 50;

/// Reads those headers that matter, and steps over all others.
static HEADERS: LazyLock<MessageParser> = LazyLock::new(|| {
    MessageParser::new()
        .header_address(HeaderName::From)
        .header_address(HeaderName::ReplyTo)
        .header_raw(HeaderName::ReturnPath)
        .header_received(HeaderName::Received)
        .header_raw(HeaderName::AuthenticationResults)
        .header_content_type(HeaderName::ContentType)
        .header_content_type(HeaderName::ContentDisposition)
        .header_raw(HeaderName::ContentTransferEncoding)
        .header_raw(HeaderName::ContentId)
        .default_header_ignore()
});

/// Holds what one message says; attached ones are further messages.
#[derive(Default)]
pub(super) struct Mail {
    pub(super) envelope: Envelope,
    /// Links as they stand in texts, in order.
    links: Vec<String>,
    /// SHA-256 of attachments.
    files: Vec<String>,
    pub(super) attached: Vec<Mail>,
}

impl Mail {
    /// Returns links and digests, first this message's, then those of the attached ones.
    pub(super) fn gather<'m>(&'m self, links: &mut Vec<&'m str>, files: &mut Vec<&'m str>) {
        links.extend(self.links.iter().map(String::as_str));
        files.extend(self.files.iter().map(String::as_str));
        for mail in &self.attached {
            mail.gather(links, files);
        }
    }
}

/// Holds what a message's own headers say.
#[derive(Default)]
pub(super) struct Envelope {
    pub(super) from: Vec<Mailbox>,
    pub(super) reply_to: Vec<Mailbox>,
    pub(super) return_path: Vec<String>,
    /// Received and Authentication-Results headers from the top.
    pub(super) trace: Vec<Trace>,
}

/// Holds a mailbox as it is written.
pub(super) struct Mailbox {
    /// The display name; may be empty.
    pub(super) name: String,
    pub(super) address: String,
}

/// Counts what was met and passed over.
#[derive(Default)]
pub(super) struct Remarks {
    parts: usize,
    too_deep: usize,
    links: usize,
    broken: usize,
    cut: bool,
}

impl Remarks {
    /// Says it in plain words.
    pub(super) fn note(&self, notes: &mut Vec<String>) {
        if self.too_deep > 0 {
            notes.push(format!(
                "{} parts were not read: deeper than {MAX_DEPTH}",
                self.too_deep
            ));
        }
        if self.cut {
            notes.push(format!("headers beyond {} KiB were not read", MAX_HEADERS / 1024));
        }
        if self.links > MAX_LINKS {
            notes.push(format!("only the first {MAX_LINKS} links were looked at"));
        }
        if self.broken > 0 {
            notes.push(format!("{} parts are broken and were read as text", self.broken));
        }
    }
}

/// Reads a message of bounded length.
pub(super) fn walk(bytes: &[u8]) -> Result<(Mail, Remarks), MessageError> {
    let known = HEADERS.parse_headers(head(bytes).0).is_some_and(|message| {
        let mut headers = message.headers().iter();
        headers.any(|header| !matches!(header.value, HeaderValue::Empty))
    });
    if !known {
        return Err(MessageError::NoHeader);
    }
    let mut remarks = Remarks::default();
    let mail = message(bytes, 0, &mut remarks)?;
    Ok((mail, remarks))
}

fn message(bytes: &[u8], depth: usize, remarks: &mut Remarks) -> Result<Mail, MessageError> {
    let mut mail = Mail::default();
    if let Some(parsed) = HEADERS.parse_headers(head(bytes).0) {
        for header in parsed.headers() {
            mail.envelope.read(header);
        }
    }
    part(bytes, depth, false, &mut mail, remarks)?;
    Ok(mail)
}

impl Envelope {
    fn read(&mut self, header: &Header<'_>) {
        match (&header.name, &header.value) {
            (HeaderName::From, HeaderValue::Address(list)) => mailboxes(list, &mut self.from),
            (HeaderName::ReplyTo, HeaderValue::Address(list)) => mailboxes(list, &mut self.reply_to),
            (HeaderName::ReturnPath, HeaderValue::Text(text)) => {
                let path = text.trim_matches(['<', '>', ' ', '\t']);
                // A report of non-delivery has none, by design.
                if !path.is_empty() && self.return_path.len() < MAX_MAILBOXES {
                    self.return_path.push(path.to_owned());
                }
            }
            (HeaderName::Received, HeaderValue::Received(line)) => {
                let name = |host: Option<&Host<'_>>| match host {
                    Some(Host::Name(name)) => Some(name.to_string()),
                    _ => None,
                };
                let address = |host: Option<&Host<'_>>| match host {
                    Some(Host::IpAddr(address)) => Some(address.to_canonical()),
                    _ => None,
                };
                self.trace.push(Trace::Received(Hop {
                    from: line
                        .from_ip()
                        .map(|ip| ip.to_canonical())
                        .or_else(|| address(line.from())),
                    by_name: name(line.by()),
                    by_address: address(line.by()),
                }));
            }
            (HeaderName::Received, _) => self.trace.push(Trace::Received(Hop::default())),
            (HeaderName::AuthenticationResults, HeaderValue::Text(text)) => {
                self.trace.push(Trace::Results(text.to_string()));
            }
            _ => {}
        }
    }
}

fn mailboxes(list: &Address<'_>, into: &mut Vec<Mailbox>) {
    for found in list.iter() {
        let Some(address) = found.address() else { continue };
        if into.len() < MAX_MAILBOXES {
            into.push(Mailbox {
                name: found.name().unwrap_or_default().to_owned(),
                address: address.trim().to_owned(),
            });
        }
    }
}

/// Reads one part and what stands in it. `in_digest`: a part without a type is a message (RFC 2046, 5.1.5).
fn part(
    bytes: &[u8],
    depth: usize,
    in_digest: bool,
    mail: &mut Mail,
    remarks: &mut Remarks,
) -> Result<(), MessageError> {
    if depth > MAX_DEPTH {
        remarks.too_deep += 1;
        return Ok(());
    }
    let (top, rest) = head(bytes);
    remarks.cut |= top.len() >= MAX_HEADERS;
    let parsed = HEADERS.parse_headers(top);
    let headers = parsed
        .as_ref()
        .map(mail_parser::Message::headers)
        .unwrap_or_default();
    // A part may lack headers and the empty line behind them.
    let body = if headers.is_empty() && !top.is_empty() {
        bytes
    } else {
        rest
    };
    let about = About::new(headers, in_digest);
    if about.is("multipart", None) {
        let boundary = about.attribute("boundary").filter(|text| !text.is_empty());
        let parts = boundary
            .map(|text| split(body, text.as_bytes()))
            .unwrap_or_default();
        if parts.is_empty() {
            remarks.broken += 1;
            links_of(&String::from_utf8_lossy(body), false, mail, remarks);
        }
        for inner in parts {
            count(remarks)?;
            part(
                inner,
                depth + 1,
                about.is("multipart", Some("digest")),
                mail,
                remarks,
            )?;
        }
        return Ok(());
    }
    let content = decode(body, about.encoding);
    if about.is("message", Some("rfc822")) || about.is("message", Some("global")) {
        count(remarks)?;
        if depth >= MAX_DEPTH {
            remarks.too_deep += 1;
        } else {
            mail.attached.push(message(&content, depth + 1, remarks)?);
        }
        return Ok(());
    }
    leaf(&content, &about, mail, remarks);
    Ok(())
}

fn count(remarks: &mut Remarks) -> Result<(), MessageError> {
    remarks.parts += 1;
    if remarks.parts > MAX_PARTS {
        return Err(MessageError::TooManyParts);
    }
    Ok(())
}

/// Reads text for links and anything attached for its digest. An attached web page is both.
fn leaf(content: &[u8], about: &About<'_>, mail: &mut Mail, remarks: &mut Remarks) {
    let is_text = about.is("text", None);
    let shown = about.is("image", None) && about.is_embedded;
    if !content.is_empty() && (about.is_attached || !is_text && !shown) {
        let digest = Sha256::digest(content);
        mail.files.push(crate::hex::hex(&digest));
    }
    let html = about.is("text", Some("html")) || about.is("application", Some("xhtml+xml"));
    if is_text || html {
        let decoder = about
            .attribute("charset")
            .and_then(|name| charset_decoder(name.as_bytes()));
        let text = match decoder {
            Some(decoder) => Cow::Owned(decoder(content)),
            None => String::from_utf8_lossy(content),
        };
        links_of(&text, html, mail, remarks);
    }
}

fn links_of(text: &str, html: bool, mail: &mut Mail, remarks: &mut Remarks) {
    links::find(text, html, &mut |link| {
        remarks.links += 1;
        if remarks.links <= MAX_LINKS {
            mail.links.push(link.to_owned());
        }
    });
}

/// Holds what a part's headers say of its body.
struct About<'h> {
    content: Option<&'h ContentType<'h>>,
    in_digest: bool,
    encoding: &'h str,
    is_attached: bool,
    is_embedded: bool,
}

impl<'h> About<'h> {
    fn new(headers: &'h [Header<'h>], in_digest: bool) -> Self {
        let find = |name: &HeaderName<'_>| {
            let header = headers.iter().find(|header| header.name == *name);
            header.map(|header| &header.value)
        };
        let content = find(&HeaderName::ContentType).and_then(|value| value.as_content_type());
        let disposition = find(&HeaderName::ContentDisposition).and_then(|value| value.as_content_type());
        let encoding = find(&HeaderName::ContentTransferEncoding).and_then(|value| value.as_text());
        Self {
            content,
            in_digest,
            encoding: encoding.unwrap_or_default().trim(),
            is_attached: disposition
                .is_some_and(|value| value.is_attachment() || value.has_attribute("filename")),
            is_embedded: disposition.is_none_or(|value| !value.is_attachment()),
        }
    }

    /// Tells the type, and the subtype if one is asked for. Without a header: text/plain, in a digest a message.
    fn is(&self, kind: &str, sub: Option<&str>) -> bool {
        let (own, own_sub) = match self.content {
            Some(content) => (content.ctype(), content.subtype().unwrap_or_default()),
            None if self.in_digest => ("message", "rfc822"),
            None => ("text", "plain"),
        };
        own.eq_ignore_ascii_case(kind) && sub.is_none_or(|sub| own_sub.eq_ignore_ascii_case(sub))
    }

    fn attribute(&self, name: &str) -> Option<&'h str> {
        self.content?.attribute(name)
    }
}

/// Cuts a part at the first empty line: its headers, of which there are bounded many octets, and its body.
fn head(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    let mut body: &[u8] = b"";
    let mut at = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        at += line.len();
        if line.trim_ascii().is_empty() {
            body = bytes.get(at..).unwrap_or_default();
            break;
        }
        end = at;
    }
    (bytes.get(..end.min(MAX_HEADERS)).unwrap_or_default(), body)
}

/// Cuts a body at the lines of its boundary (RFC 2046, 5.1.1). What stands before the first and after the last
/// is no part; a missing last one is tolerated.
fn split<'x>(body: &'x [u8], boundary: &[u8]) -> Vec<&'x [u8]> {
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
        start = Some(at);
        // One more than allowed is enough to refuse the message.
        if is_end || parts.len() > MAX_PARTS {
            return parts;
        }
    }
    if let Some(from) = start {
        parts.push(body.get(from..).unwrap_or_default());
    }
    parts
}

/// Takes off the line end that belongs to the boundary.
fn trim_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

fn decode<'x>(body: &'x [u8], encoding: &str) -> Cow<'x, [u8]> {
    if encoding.eq_ignore_ascii_case("base64") {
        // Readers of mail skip what is no digit of it.
        let digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
        let digits: Vec<u8> = body.iter().copied().filter(digit).collect();
        base64_decode(&digits).map_or(Cow::Borrowed(body), Cow::Owned)
    } else if encoding.eq_ignore_ascii_case("quoted-printable") {
        Cow::Owned(quoted_printable(body))
    } else {
        Cow::Borrowed(body)
    }
}

/// Decodes quoted-printable and leaves what is none as it is: `mail-parser` gives up at the first slip, while
/// programs for mail show the rest, links included.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let hex = |b: u8| char::from(b).to_digit(16);
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    loop {
        rest = match rest {
            [] => return out,
            [b'=', b'\n', tail @ ..] | [b'=', b'\r', b'\n', tail @ ..] => tail,
            [b'=', a, b, tail @ ..] if hex(*a).is_some() && hex(*b).is_some() => {
                let octet = hex(*a).zip(hex(*b)).map(|(a, b)| a * 16 + b);
                out.extend(octet.and_then(|octet| u8::try_from(octet).ok()));
                tail
            }
            [b, tail @ ..] => {
                out.push(*b);
                tail
            }
        };
    }
}
