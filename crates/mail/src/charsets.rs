//! Decodes texts by their charsets. Where programs for mail differ in what a text says, each reading is given.

use std::borrow::Cow;

use encoding_rs::{Encoding as Charset, UTF_16BE, UTF_16LE};
use mail_parser::decoders::charsets::map::charset_decoder;

use super::ascii::{is_replaced, reads_as_ascii};
use super::parts::About;

/// Holds what a text says.
pub(super) struct DecodedText<'x> {
    /// As most programs read it.
    pub(super) main: Cow<'x, str>,
    /// As others do.
    pub(super) others: Vec<Cow<'x, str>>,
    /// Whether one of them is a text: its octets fit the charset.
    pub(super) is_sound: bool,
    /// Whether several charsets are named that give different texts.
    pub(super) is_contradictory: bool,
}

/// Is a charset whose characters are wider than an octet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WideCharset {
    Big16,
    Little16,
    Big32,
    Little32,
}

/// Tells a charset that is read here and not by the decoders of `mail-parser`.
pub(super) fn is_wide(name: &str) -> bool {
    !wide(name).is_empty()
}

/// Tells whether a text can be read by its charset.
pub(super) fn is_known(content: &[u8], about: &About) -> bool {
    let Some(name) = about.attribute("charset").map(str::trim) else {
        return true;
    };
    if is_wide(name) || reads_as_ascii(content, name) {
        return true;
    }
    if is_replaced(name) {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let is_named = charset_decoder(name.as_bytes()).is_some()
        || Charset::for_label(name.as_bytes()).is_some()
        || ["", "us-ascii", "utf8", "unknown-8bit"].contains(&lower.as_str());
    is_named || Charset::for_bom(content).is_some()
}

/// Returns how a charset is read by its name; in both orders, where the name tells none: big-endian by RFC 2781, 4.3,
/// little-endian by programs of Windows and by browsers.
fn wide(name: &str) -> &'static [WideCharset] {
    let name = name.trim().to_ascii_lowercase().replace('_', "-");
    match name.as_str() {
        "utf-16be" | "utf16be" | "csutf16be" | "unicodefffe" | "ucs-2be" | "ucs2be" => &[WideCharset::Big16],
        "utf-16le" | "utf16le" | "csutf16le" | "ucs-2le" | "ucs2le" => &[WideCharset::Little16],
        "utf-16" | "utf16" | "csutf16" | "ucs-2" | "ucs2" | "iso-10646-ucs-2" | "csunicode" | "unicode"
        | "unicodefeff" | "iso-10646" | "unicode-1-1" => &[WideCharset::Big16, WideCharset::Little16],
        "utf-32be" | "utf32be" | "csutf32be" | "ucs-4be" | "ucs4be" => &[WideCharset::Big32],
        "utf-32le" | "utf32le" | "csutf32le" | "ucs-4le" | "ucs4le" => &[WideCharset::Little32],
        "utf-32" | "utf32" | "csutf32" | "ucs-4" | "ucs4" | "iso-10646-ucs-4" | "csucs4" => {
            &[WideCharset::Big32, WideCharset::Little32]
        }
        _ => &[],
    }
}

impl WideCharset {
    /// Decodes octets; none of UTF-32 that are no characters.
    fn decode(self, bytes: &[u8]) -> Option<String> {
        let char_of = |four: &[u8; 4]| {
            let number = match self {
                Self::Big32 => u32::from_be_bytes(*four),
                _ => u32::from_le_bytes(*four),
            };
            char::from_u32(number)
        };
        let text: String = match self {
            Self::Big16 => UTF_16BE.decode_without_bom_handling(bytes).0.into_owned(),
            Self::Little16 => UTF_16LE.decode_without_bom_handling(bytes).0.into_owned(),
            Self::Big32 | Self::Little32 => bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(char_of)
                .collect::<Option<_>>()?,
        };
        Some(text.trim_start_matches('\u{feff}').to_owned())
    }
}

/// Reads a text by its byte order mark, by the charsets that its header names, and by its octets.
pub(super) fn readings<'x>(content: &'x [u8], about: &About) -> DecodedText<'x> {
    let mut texts: Vec<Cow<'x, str>> = Vec::new();
    let add = |texts: &mut Vec<Cow<'x, str>>, text: Cow<'x, str>| {
        if !texts.contains(&text) {
            texts.push(text);
        }
    };
    let marked = match content {
        [0, 0, 0xfe, 0xff, ..] => WideCharset::Big32.decode(content),
        [0xff, 0xfe, 0, 0, ..] => WideCharset::Little32.decode(content),
        _ => None,
    };
    texts.extend(marked.map(Cow::Owned));
    if let Some((charset, mark)) = Charset::for_bom(content) {
        let rest = content.get(mark..).unwrap_or_default();
        add(&mut texts, charset.decode_without_bom_handling(rest).0);
    }
    let is_marked = !texts.is_empty();
    let is_utf8 = is_marked && std::str::from_utf8(content).is_ok();
    let names = about.charsets.iter().filter(|_| !is_utf8);
    let mut named: Vec<Vec<Cow<'x, str>>> = names.map(|name| by_name(content, name)).collect();
    if named.is_empty() && !is_marked {
        named.push(vec![String::from_utf8_lossy(content)]);
    }
    let is_contradictory = !is_marked && named.windows(2).any(|two| two.first() != two.last());
    // Behind a mark, a name counts only where the octets fit it.
    let fits = |text: &Cow<'x, str>| !is_marked || is_text(text);
    for text in named.into_iter().flatten().filter(fits) {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => Cow::Owned(rest.to_owned()),
            None => text,
        };
        add(&mut texts, text);
    }
    let mut is_sound = texts.iter().any(|text| is_text(text));
    if texts.is_empty() || !is_sound {
        // Octets of wider characters under the name of another charset, or of none.
        let all = [
            WideCharset::Big16,
            WideCharset::Little16,
            WideCharset::Big32,
            WideCharset::Little32,
        ];
        let guessed = all.into_iter().filter_map(|wide| wide.decode(content));
        for text in guessed.filter(|text| is_text(text) && is_mostly_ascii(text)) {
            is_sound = true;
            texts.insert(0, Cow::Owned(text));
        }
    }
    if texts.is_empty() {
        texts.push(String::from_utf8_lossy(content));
    }
    let mut texts = texts.into_iter();
    DecodedText {
        main: texts.next().unwrap_or_default(),
        others: texts.collect(),
        is_sound,
        is_contradictory,
    }
}

/// Reads a text by the name of a charset, the likelier reading first; none, where the octets do not fit.
fn by_name<'x>(content: &'x [u8], name: &str) -> Vec<Cow<'x, str>> {
    let wide = wide(name);
    if !wide.is_empty() {
        let mut texts: Vec<Cow<'x, str>> = wide
            .iter()
            .filter_map(|wide| wide.decode(content).map(Cow::Owned))
            .collect();
        texts.sort_by_key(|text| !is_mostly_ascii(text));
        // Programs that look at the octets see that the name is wrong.
        if !texts.is_empty() && !content.contains(&0) {
            texts.push(String::from_utf8_lossy(content));
        }
        return texts;
    }
    // The decoders give nothing for these.
    if is_replaced(name) {
        return vec![String::from_utf8_lossy(content)];
    }
    let text = match charset_decoder(name.as_bytes()) {
        Some(decoder) => Cow::Owned(decoder(content)),
        None => match Charset::for_label(name.as_bytes()) {
            Some(charset) => charset.decode_without_bom_handling(content).0,
            None => String::from_utf8_lossy(content),
        },
    };
    vec![text]
}

/// Tells a text from the octets of wider characters: few of its characters are NUL.
fn is_text(text: &str) -> bool {
    let nuls = text.bytes().filter(|b| *b == 0).count();
    nuls.saturating_mul(8) <= text.len()
}

fn is_mostly_ascii(text: &str) -> bool {
    let ascii = text.bytes().filter(|b| b.is_ascii() && *b != 0).count();
    ascii.saturating_mul(2) > text.len()
}
