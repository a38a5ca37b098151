//! Decodes the bodies of parts as programs for mail do: what is broken is read as far as it goes.

use std::borrow::Cow;

use super::senders::without_comments;

/// Names how a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// It is not.
    Identity,
    Base64,
    QuotedPrintable,
    Uuencode,
    /// By a way that is not known here.
    Unknown,
}

impl Encoding {
    /// Reads the value of a Content-Transfer-Encoding header: its first word counts, a comment is none. What programs write
    /// there of a text that they do not encode means that it is not.
    pub(super) fn of(value: &str) -> Self {
        let value = without_comments(value);
        let words = value.split(|c: char| c.is_whitespace() || matches!(c, '(' | ';' | ',' | '"' | '\''));
        let mut words = words.filter(|word| !word.is_empty());
        let mut word = words.next().unwrap_or_default().to_ascii_lowercase();
        // Some write `8 bit`.
        if matches!(word.as_str(), "7" | "8") {
            word.push_str(&words.next().unwrap_or_default().to_ascii_lowercase());
        }
        match word.as_str() {
            "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" | "7bits" | "8bits" | "7-bits" | "8-bits"
            | "none" | "identity" | "ascii" | "us-ascii" | "utf-8" | "utf8" | "iso-8859-1" | "text"
            | "plain" | "text/plain" => Self::Identity,
            "base64" | "base-64" | "x-base64" => Self::Base64,
            "quoted-printable" | "quotedprintable" | "x-quoted-printable" => Self::QuotedPrintable,
            "x-uuencode" | "uuencode" | "x-uue" | "uue" | "x-uu" => Self::Uuencode,
            _ => Self::Unknown,
        }
    }
}

/// Holds a decoded body.
pub(super) struct DecodedBody<'x> {
    /// What a reader saves that goes on behind padding in the middle.
    pub(super) bytes: Cow<'x, [u8]>,
    /// Where a reader ends that stops there.
    pub(super) first_end: Option<usize>,
    /// Whether there was nothing to decode, so that the body stands as it is.
    pub(super) is_broken: bool,
}

/// Decodes a body.
pub(super) fn decode(body: &[u8], encoding: Encoding) -> DecodedBody<'_> {
    let whole = |bytes: Cow<'static, [u8]>| DecodedBody {
        bytes,
        first_end: None,
        is_broken: false,
    };
    let broken = DecodedBody {
        bytes: Cow::Borrowed(body),
        first_end: None,
        is_broken: !body.trim_ascii().is_empty(),
    };
    match encoding {
        Encoding::Identity => DecodedBody {
            is_broken: false,
            ..broken
        },
        Encoding::Unknown => broken,
        Encoding::QuotedPrintable => whole(Cow::Owned(quoted_printable(body))),
        // White space encodes nothing.
        _ if body.trim_ascii().is_empty() => whole(Cow::Borrowed(b"")),
        Encoding::Base64 => {
            let (bytes, first_end) = base64(body);
            if bytes.is_empty() {
                return broken;
            }
            DecodedBody {
                bytes: Cow::Owned(bytes),
                first_end,
                is_broken: false,
            }
        }
        Encoding::Uuencode => match uuencoded(body).0.into_iter().next() {
            Some(file) => whole(Cow::Owned(file.bytes)),
            None => broken,
        },
    }
}

/// Decodes Base64: what is no digit is skipped, padding may lack. Returns where the first padding ended it, if more
/// digits follow.
fn base64(body: &[u8]) -> (Vec<u8>, Option<usize>) {
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u8);
    let mut padded_at = None;
    let mut goes_on = false;
    let flush = |out: &mut Vec<u8>, bits: u32, count: u8| {
        let [_, a, b, _] = (bits << (6 * (4 - u32::from(count)))).to_be_bytes();
        match count {
            2 => out.push(a),
            3 => out.extend([a, b]),
            _ => {}
        }
    };
    for b in body {
        let digit = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                if count > 1 {
                    flush(&mut out, bits, count);
                    padded_at = padded_at.or(Some(out.len()));
                }
                (bits, count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        goes_on |= padded_at.is_some();
        bits = bits << 6 | u32::from(digit);
        count += 1;
        if count == 4 {
            let [_, a, b, c] = bits.to_be_bytes();
            out.extend([a, b, c]);
            (bits, count) = (0, 0);
        }
    }
    if count > 1 {
        flush(&mut out, bits, count);
    }
    (out, padded_at.filter(|_| goes_on))
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
            // White space may stand behind a soft line break (RFC 2045, 6.7).
            [b'=', b' ' | b'\t', tail @ ..] => match soft_break(tail) {
                Some(tail) => tail,
                None => {
                    out.push(b'=');
                    rest.get(1..).unwrap_or_default()
                }
            },
            [b, tail @ ..] => {
                out.push(*b);
                tail
            }
        };
    }
}

/// Returns what follows a line end before which nothing but a little white space stands.
fn soft_break(text: &[u8]) -> Option<&[u8]> {
    const MOST: usize = 80;
    let blank = text
        .iter()
        .take(MOST)
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .count();
    let rest = text.get(blank..)?;
    rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))
}

/// Is a file that stands uuencoded in text.
pub(super) struct Uuencoded {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Takes uuencoded files out of a text; returns them and the rest. Lines of data that hold the start of a link stay in the
/// rest, too: programs that decode no such files show them.
///
/// A file begins with `begin`, a mode and a name, and a line that is one of its data; it ends with `end`, or at the
/// first line that is none of it.
pub(super) fn uuencoded(text: &[u8]) -> (Vec<Uuencoded>, Cow<'_, [u8]>) {
    let mut files: Vec<Uuencoded> = Vec::new();
    let mut rest = Vec::new();
    let mut open: Option<Uuencoded> = None;
    let mut head: &[u8] = b"";
    // Looking for the word first spares nearly every text the copy.
    if !text.windows(6).any(|word| word.eq_ignore_ascii_case(b"begin ")) {
        return (files, Cow::Borrowed(text));
    }
    for line in text.split_inclusive(|b| *b == b'\n') {
        let bare = trim_line_end(line);
        if let Some(file) = &mut open {
            if !bare.is_empty() && data(bare, &mut file.bytes) {
                if holds_link(bare) {
                    rest.extend_from_slice(line);
                }
                continue;
            }
            let is_file = !file.bytes.is_empty();
            let is_end = bare.trim_ascii().eq_ignore_ascii_case(b"end");
            if let Some(file) = open.take()
                && is_file
            {
                files.push(file);
            } else {
                rest.extend_from_slice(head);
            }
            if is_file && is_end {
                continue;
            }
        }
        open = begin(bare).map(|name| Uuencoded {
            name,
            bytes: Vec::new(),
        });
        head = line;
        if open.is_none() {
            rest.extend_from_slice(line);
        }
    }
    match open {
        Some(file) if !file.bytes.is_empty() => files.push(file),
        Some(_) => rest.extend_from_slice(head),
        None => {}
    }
    (files, Cow::Owned(rest))
}

/// Tells a line of data, which has no small letters, that holds what could be a link with its scheme or `www`.
fn holds_link(line: &[u8]) -> bool {
    const STARTS: [&[u8; 4]; 4] = [b"HTTP", b"HXXP", b"WWW.", b"FTP:"];
    line.windows(4)
        .any(|window| STARTS.iter().any(|start| window == *start))
}

fn begin(line: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(line).ok()?;
    let mut words = text.splitn(3, ' ');
    let is_begin = words.next()?.eq_ignore_ascii_case("begin");
    let mode = words.next()?;
    let is_mode = (3..=4).contains(&mode.len()) && mode.bytes().all(|b| matches!(b, b'0'..=b'7'));
    (is_begin && is_mode).then(|| words.next().unwrap_or_default().trim().to_owned())
}

/// Decodes one line of data; `false` for what is none. Spaces at its end may lack.
fn data(line: &[u8], out: &mut Vec<u8>) -> bool {
    let [first, digits @ ..] = line else { return false };
    let value = |b: u8| b.wrapping_sub(b' ') & 63;
    let is_digit = |b: &u8| (b' '..=b'`').contains(b);
    let length = usize::from(value(*first));
    let needed = length.div_ceil(3) * 4;
    // Some put a checksum behind.
    if !line.iter().all(is_digit) || digits.len() > needed + 2 {
        return false;
    }
    let start = out.len();
    let mut at = 0;
    while at < needed {
        let digit = |offset: usize| u32::from(digits.get(at + offset).map_or(0, |b| value(*b)));
        let bits = digit(0) << 18 | digit(1) << 12 | digit(2) << 6 | digit(3);
        let [_, a, b, c] = bits.to_be_bytes();
        out.extend([a, b, c]);
        at += 4;
    }
    out.truncate(start + length);
    true
}

/// Takes one line end off.
pub(super) fn trim_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// Joins the lines of `format=flowed; delsp=yes` (RFC 3676, 4): the space at the end of a line belongs to the break, and
/// the marks of a quotation at the start of the next line do.
pub(super) fn unflowed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut flowing = None;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\r', '\n']);
        let content = bare.trim_start_matches('>');
        let depth = bare.len() - content.len();
        let content = content.strip_prefix(' ').unwrap_or(content);
        // The separator of a signature flows nowhere.
        let is_separator = content == "-- ";
        let start = match flowing {
            Some(quoted) if quoted == depth && !is_separator => content,
            Some(_) => {
                out.push('\n');
                bare
            }
            None => bare,
        };
        let goes_on = start
            .strip_suffix(' ')
            .filter(|_| !is_separator && line.len() > bare.len());
        out.push_str(goes_on.unwrap_or(start));
        flowing = goes_on.map(|_| depth);
        if goes_on.is_none() {
            out.push_str(line.get(bare.len()..).unwrap_or_default());
        }
    }
    out
}
