//! Reads a part that has no parts: text for its links, anything attached for its digest. An attached web page is both.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::attached::is_report;
use super::charsets::{self, DecodedText, is_wide, readings};
use super::encodings::{DecodedBody, decode, unflowed, uuencoded};
use super::facts::AttachmentFact;
use super::mime::{File, Mail, Remarks, UNCLEAR_START};
use super::parts::About;
use super::text::find_in_piece;
use super::unicode::visible;
use super::{Unreadable, calendar, links, shown};

/// The largest signature of a message.
const MAX_SIGNATURE: usize = 64 * 1024;
/// Pictures that programs for mail show in place.
const PICTURES: [&str; 11] = [
    "png", "jpeg", "jpg", "pjpeg", "gif", "bmp", "webp", "tiff", "x-icon", "heic", "avif",
];
/// Extensions of such pictures.
const PICTURE_NAMES: [&str; 13] = [
    "", "png", "jpg", "jpeg", "jpe", "gif", "bmp", "webp", "tif", "tiff", "ico", "heic", "avif",
];
/// Texts that are shown as the message's own.
const BODIES: [&str; 8] = [
    "plain",
    "html",
    "calendar",
    "enriched",
    "richtext",
    "x-amp-html",
    "watch-html",
    "rfc822-headers",
];

/// Extensions of calendars.
const CALENDARS: [&str; 7] = ["", "ics", "ical", "icalendar", "ifb", "vcs", "txt"];

/// How a text begins that is encrypted by `OpenPGP` (RFC 9580, 6.2).
const ARMOUR: &str = "-----BEGIN PGP MESSAGE";
/// Why a part is not read whose octets cannot be told.
pub(super) const BROKEN: &str = "its encoding is unknown or broken";
/// Why a text is not read whose charset cannot be told.
const UNKNOWN_CHARSET: &str = "its charset is not known here";
/// Why a text is not clear that reads differently by each charset of its header.
const SEVERAL_CHARSETS: &str = "several charsets: programs for mail differ in which one counts";
/// Why what is encrypted is not read.
const SEALED: &str = "encrypted, or signed as a whole: what is in it was not read";

/// Says how a content is read for links.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Page,
    Calendar,
    Text,
    Not,
}

/// Says what a part is to a reader.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The message's own text, or nothing that is shown or saved.
    Body,
    /// A picture that is shown in place if a page of the message names it.
    Picture,
    /// What a reader would save.
    File,
}

/// Reads a part's body.
pub(super) fn leaf(body: &[u8], about: &About, mail: &mut Mail, remarks: &mut Remarks) {
    let decoded = decode(body, about.encoding);
    match (kind(&decoded.bytes, about), &about.id) {
        (Kind::Body, _) => {}
        (Kind::Picture, Some(id)) => {
            mail.pictures.push(file(&decoded, about), id, decoded.is_broken);
        }
        (Kind::Picture | Kind::File, _) => attach(&decoded, about, mail),
    }
    if is_empty(&decoded.bytes) && sort(&decoded.bytes, about) == Kind::File {
        mail.files.push(file(&decoded, about));
    }
    if about.is("message", Some("external-body"))
        && let Some(url) = about.attribute("url")
    {
        remarks.link(url, mail);
    }
    if about.is("message", Some("partial")) {
        mail.refuse(about, "a part of a message: the rest is elsewhere");
    }
    read_links(&decoded, about, mail, remarks);
}

/// Reads the body of a part once more, from where it begins for other programs. Both texts count; which file is saved is
/// not clear.
pub(super) fn again(body: &[u8], about: &About, mail: &mut Mail, remarks: &mut Remarks) {
    let decoded = decode(body, about.encoding);
    if kind(&decoded.bytes, about) != Kind::Body {
        mail.refuse(about, UNCLEAR_START);
    }
    read_links(&decoded, about, mail, remarks);
}

/// Reads a content for its links, and for the files that stand in texts and calendars.
fn read_links(decoded: &DecodedBody<'_>, about: &About, mail: &mut Mail, remarks: &mut Remarks) {
    let content: &[u8] = &decoded.bytes;
    let reading = reading(content, about);
    let is_body = kind(content, about) == Kind::Body;
    if reading != Reading::Not && !content.trim_ascii().is_empty() {
        if decoded.is_broken && is_body {
            mail.refuse(about, BROKEN);
        }
        if !charsets::is_known(content, about) {
            mail.refuse(about, UNKNOWN_CHARSET);
        }
    }
    match reading {
        Reading::Not => {}
        Reading::Calendar => {
            let DecodedText {
                main: text, others, ..
            } = text(content, about, mail);
            for other in others {
                calendar::find(&other, &mut |link| remarks.link(link, mail));
            }
            // Each is shorter than what it stands in, so calendars within calendars end.
            for file in calendar::find(&text, &mut |link| remarks.link(link, mail)) {
                leaf(&file.bytes, &file.about, mail, remarks);
            }
        }
        Reading::Page => {
            let DecodedText {
                main: text, others, ..
            } = text(content, about, mail);
            if text.contains(ARMOUR) {
                mail.refuse(about, SEALED);
            }
            for text in others.iter().chain([&text]) {
                links::find_in_page(text, &about.bases, &mut |link| remarks.link(link, mail));
            }
            if is_body {
                mail.pictures.page(&text);
                mail.heads(&shown::lines(&text), remarks);
            }
        }
        Reading::Text => {
            // Some programs put files into the text itself.
            let (files, rest) = uuencoded(content);
            // Each is shorter than what it stands in, so texts within texts end.
            for file in files {
                let name = Some(visible(&file.name)).filter(|name| !name.is_empty());
                let about = About::file("application/octet-stream", name);
                leaf(&file.bytes, &about, mail, remarks);
            }
            let DecodedText {
                main: mut text,
                others,
                ..
            } = text(&rest, about, mail);
            let yes = |name: &str, value: &str| {
                let given = about.attribute(name);
                given.is_some_and(|given| given.eq_ignore_ascii_case(value))
            };
            let is_armour = |line: &str| line.trim_start_matches(['>', ' ', '\t', '|']).starts_with(ARMOUR);
            if text.lines().any(is_armour) {
                mail.refuse(about, SEALED);
            }
            if yes("format", "flowed") && yes("delsp", "yes") {
                text = Cow::Owned(unflowed(&text));
            }
            let mut found = |link: &str| remarks.link(link, mail);
            for text in others.iter().chain([&text]) {
                if is_prose(about) {
                    links::find(text, false, &mut found);
                } else {
                    find_in_piece(text, &mut found);
                }
            }
            if is_body {
                mail.heads(&text, remarks);
            }
        }
    }
}

/// Decodes a text, and names it where its charset leaves open what it says.
fn text<'x>(content: &'x [u8], about: &About, mail: &mut Mail) -> DecodedText<'x> {
    let texts = readings(content, about);
    let is_told = kind(content, about) == Kind::Body || about.charsets.iter().any(|name| is_wide(name));
    if !texts.is_sound && is_told {
        mail.refuse(about, UNKNOWN_CHARSET);
    }
    if texts.is_contradictory {
        mail.refuse(about, SEVERAL_CHARSETS);
    }
    texts
}

/// Tells a text that people write, in which a name by itself is a link. Headers are full of names, and so are files of logs,
/// tables and programs.
fn is_prose(about: &About) -> bool {
    const TYPES: [&str; 5] = ["csv", "x-diff", "x-log", "x-patch", "xml"];
    const ENDINGS: [&str; 10] = [
        "csv", "desktop", "diff", "json", "log", "md", "patch", "url", "webloc", "xml",
    ];
    let is_of_headers = about.is("message", None) || about.is("text", Some("rfc822-headers"));
    let is_of_programs = about.is_any("text", &TYPES) || ENDINGS.contains(&about.extension().as_str());
    !(is_of_headers || about.is_attached && is_of_programs)
}

/// Tells what a reader would save from what it shows.
fn kind(content: &[u8], about: &About) -> Kind {
    // Nothing is in it that could be shown or read.
    if is_empty(content) {
        return Kind::Body;
    }
    sort(content, about)
}

/// Tells a content without anything but white space.
fn is_empty(content: &[u8]) -> bool {
    content.trim_ascii().is_empty()
}

/// Tells what a reader saves from what it shows, of an empty content as of any other.
fn sort(content: &[u8], about: &About) -> Kind {
    let file_if = |is_file| if is_file { Kind::File } else { Kind::Body };
    if about.is("text", None) {
        let is_calendar = about.is("text", Some("calendar"));
        let is_body = about.is_any("text", &BODIES)
            && !is_program(content)
            && (!is_calendar || is_calendar_data(content));
        let is_calendar_name = is_calendar && CALENDARS.contains(&about.extension().as_str());
        let is_named = about.name.is_some() && !is_calendar_name;
        return file_if(about.is_attached || is_named || !is_body);
    }
    if about.is("message", None) {
        return file_if(about.is_attached || !is_report(about) || is_program(content));
    }
    // A picture that a page can name is shown, unless its name or its octets say that it is none.
    let is_picture = about.is_any("image", &PICTURES)
        && about.is_embedded
        && about.id.is_some()
        && PICTURE_NAMES.contains(&about.extension().as_str())
        && !is_foreign(content);
    if is_picture && (!about.is_attached || is_picture_data(content)) {
        return Kind::Picture;
    }
    file_if(!is_signature(content, about))
}

/// Tells octets of which something else than a picture begins: programs, archives, documents, pages.
fn is_foreign(content: &[u8]) -> bool {
    let starts: [&[u8]; 9] = [
        b"PK",
        b"MZ",
        b"%PDF",
        b"\xd0\xcf\x11\xe0",
        b"7z\xbc\xaf",
        b"Rar!",
        b"\x1f\x8b",
        b"\x7fELF",
        b"<",
    ];
    let bare = content.trim_ascii_start();
    starts.iter().any(|start| bare.starts_with(start))
}

/// Tells octets of programs, archives and documents that begin no text.
pub(super) fn is_program(content: &[u8]) -> bool {
    let starts: [&[u8]; 7] = [
        b"PK\x03\x04",
        b"%PDF-",
        b"\xd0\xcf\x11\xe0",
        b"7z\xbc\xaf",
        b"Rar!\x1a",
        b"\x1f\x8b",
        b"\x7fELF",
    ];
    let head = content.get(..content.len().min(64)).unwrap_or_default();
    starts.iter().any(|start| content.starts_with(start)) || head.starts_with(b"MZ") && head.contains(&0)
}

/// Tells the octets of a calendar, of any charset.
fn is_calendar_data(content: &[u8]) -> bool {
    beginning(content).contains("begin:v")
}

fn is_picture_data(content: &[u8]) -> bool {
    let starts: [&[u8]; 6] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*"];
    let is_webp = content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WEBP");
    is_webp || starts.iter().any(|start| content.starts_with(start))
}

/// Tells the signature of a message, which programs for mail check and do not show as a file.
fn is_signature(content: &[u8], about: &About) -> bool {
    let is_kind = about.is_any(
        "application",
        &["pkcs7-signature", "x-pkcs7-signature", "pgp-signature"],
    );
    let is_named = ["", "p7s", "asc", "sig"].contains(&about.extension().as_str());
    let is_data = content.first() == Some(&0x30) || content.starts_with(b"-----BEGIN PGP SIGNATURE");
    is_kind && is_named && is_data && content.len() <= MAX_SIGNATURE
}

/// Makes a file of a part's body.
fn file(decoded: &DecodedBody<'_>, about: &About) -> File {
    let mut file = File::of(&decoded.bytes, about.name.clone(), about.content_type());
    if let Some(first) = decoded.first_end.and_then(|end| decoded.bytes.get(..end)) {
        file.other = Some(pivotd_domain::hex::hex(&Sha256::digest(first)));
    }
    file
}

fn attach(decoded: &DecodedBody<'_>, about: &About, mail: &mut Mail) {
    if decoded.is_broken {
        mail.refuse(about, BROKEN);
        return;
    }
    mail.files.push(file(decoded, about));
    let is_tnef = about.is_any("application", &["ms-tnef", "vnd.ms-tnef"])
        || decoded.bytes.starts_with(&[0x78, 0x9f, 0x3e, 0x22]);
    if is_tnef {
        mail.refuse(
            about,
            "a package of Outlook (TNEF): the files in it were not read",
        );
    }
    let kinds = [
        "pkcs7-mime",
        "x-pkcs7-mime",
        "pgp-encrypted",
        "x-microsoft-rpmsg-message",
    ];
    let is_sealed = about.is_any("application", &kinds)
        || about.extension() == "rpmsg"
        || decoded.bytes.starts_with(ARMOUR.as_bytes());
    if is_sealed {
        mail.refuse(about, SEALED);
    }
}

/// Tells how a content is read by its type, its name and how it begins: a page is one however it is called.
fn reading(content: &[u8], about: &About) -> Reading {
    let extension = about.extension();
    let named = |names: &[&str]| names.contains(&extension.as_str());
    let start = beginning(content);
    let start = start.trim_start_matches(['\u{feff}', '\u{fffd}', ' ', '\t', '\r', '\n']);
    let begins = |words: &[&str]| words.iter().any(|word| start.starts_with(word));
    let is_page = about.is("text", Some("html"))
        || about.is_any("application", &["xhtml+xml"])
        || about.is("image", Some("svg+xml"))
        || about.is_any("text", &["x-amp-html", "watch-html", "enriched", "richtext"])
        || named(&["htm", "html", "shtml", "xht", "xhtml", "svg", "hta"])
        || begins(&["<!doctype html", "<html", "<svg", "<head", "<body", "<script"])
        || begins(&["<?xml"]) && (start.contains("<svg") || start.contains("<html"));
    if is_page {
        return Reading::Page;
    }
    if about.is("text", Some("calendar"))
        || about.is_any("application", &["ics"])
        || named(&["ics", "ical", "vcs"])
        || begins(&["begin:vcalendar"])
    {
        return Reading::Calendar;
    }
    let is_text = about.is("text", None)
        || about.is("message", None)
        || named(&[
            "txt", "url", "csv", "md", "log", "webloc", "desktop", "rtf", "xml", "json",
        ]);
    if is_text { Reading::Text } else { Reading::Not }
}

/// Returns the first characters of a content, in lower case; ASCII, of whatever width its characters are.
fn beginning(content: &[u8]) -> String {
    let start = content.get(..content.len().min(512)).unwrap_or_default();
    String::from_utf8_lossy(start)
        .to_ascii_lowercase()
        .replace('\0', "")
}

impl File {
    pub(super) fn of(bytes: &[u8], name: Option<String>, content_type: String) -> Self {
        Self {
            fact: AttachmentFact {
                name,
                content_type,
                size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
                sha256: pivotd_domain::hex::hex(&Sha256::digest(bytes)),
            },
            other: None,
            is_empty: is_empty(bytes),
        }
    }
}

impl Mail {
    /// Names an attachment of which something could not be read.
    pub(super) fn refuse(&mut self, about: &About, reason: &str) {
        self.refuse_as(
            &about.name.clone().unwrap_or_else(|| about.content_type()),
            reason,
        );
    }

    /// Names an attachment of this name, of which something could not be read.
    pub(super) fn refuse_as(&mut self, name: &str, reason: &str) {
        let one = Unreadable {
            role: "attachment",
            value: visible(name),
            reason: reason.to_owned(),
        };
        if self.unreadable.last() != Some(&one) {
            self.unreadable.push(one);
        }
    }
}
