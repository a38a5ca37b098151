//! Reads messages that are attached to others, and tells what only calls itself one.

use super::encodings::{Encoding, decode};
use super::headers::Field;
use super::leaf::{BROKEN, is_program};
use super::mime::{KNOWN, Mail, Remarks, begin, count, message};
use super::part_context::PartContext;
use super::parts::{About, Section};
use super::{MAX_DEPTH, MessageError};
use pivotd_domain::indicator::{ends_as_file, is_below_known_suffix};

/// Types of messages. Programs that do not know the last one save a file.
const MESSAGES: [&str; 4] = ["rfc822", "global", "x-rfc822", "news"];
/// Types below `message` that are none: reports on messages, and what stands in the place of one.
const REPORTS: [&str; 10] = [
    "delivery-status",
    "disposition-notification",
    "external-body",
    "feedback-report",
    "global-delivery-status",
    "global-disposition-notification",
    "global-headers",
    "partial",
    "rfc822-headers",
    "tracking-status",
];
/// Extensions of files that are messages or texts.
const EXTENSIONS: [&str; 12] = [
    "", "dat", "dsn", "eml", "email", "hdr", "log", "mbox", "mht", "mhtml", "msg", "txt",
];

/// Reads a part as a message, if it is one; says whether there is nothing in it but that.
pub(super) fn attached(
    section: &Section<'_>,
    about: &About,
    around: &PartContext<'_>,
    mail: &mut Mail,
    remarks: &mut Remarks,
) -> Result<bool, MessageError> {
    let is_message = about.is_any("message", &MESSAGES);
    let may_be = is_message || about.extension() == "eml" || is_of_unknown_type(about);
    if !may_be {
        return Ok(false);
    }
    let decoded = decode(section.body, about.encoding);
    let is_headed = begins_message(&decoded.bytes);
    if is_of_unknown_type(about) && !is_headed {
        return Ok(false);
    }
    // A message should not be encoded (RFC 2046, 5.2.1), so that programs differ in whether they decode it.
    let is_encoded = matches!(about.encoding, Encoding::Base64 | Encoding::Uuencode);
    let is_bare = is_encoded && begins_message(section.body);
    count(remarks)?;
    if around.depth >= MAX_DEPTH {
        remarks.too_deep += 1;
    } else if is_headed || is_bare || !is_data(&decoded.bytes) {
        let is_raw = is_bare && !is_headed;
        let content: &[u8] = if is_raw { section.body } else { &decoded.bytes };
        // Delimiters of the parts around can only stand in what is not decoded.
        let inner = PartContext {
            depth: around.depth + 1,
            boundaries: if content == section.body {
                around.boundaries
            } else {
                &[]
            },
            ..PartContext::default()
        };
        let inner = message(&Section::of(content), &inner, remarks)?;
        mail.attached.push(inner);
    }
    if is_message && (is_bare || decoded.is_broken) {
        mail.refuse(about, BROKEN);
        return Ok(true);
    }
    let is_shown = is_message && !about.is("message", Some("news"));
    Ok(is_shown && (is_headed || decoded.bytes.trim_ascii().is_empty()) && is_called_message(about))
}

/// Tells a part below `message` that programs show as a report, or in the place of a message.
pub(super) fn is_report(about: &About) -> bool {
    about.is_any("message", &REPORTS) && is_called_message(about)
}

/// Tells a type below `message` that programs save as a file (RFC 2046, 5.2.4).
fn is_of_unknown_type(about: &About) -> bool {
    about.is("message", None) && !about.is_any("message", &MESSAGES) && !about.is_any("message", &REPORTS)
}

/// Tells a name as a message has it: that of a message or text, or a subject, which may end with the name of a site.
fn is_called_message(about: &About) -> bool {
    const LONGEST: usize = 5;
    let extension = about.extension();
    let is_extension = extension.len() <= LONGEST
        && extension.chars().all(|c| c.is_ascii_alphanumeric())
        && extension.contains(|c: char| c.is_ascii_alphabetic());
    let name = about.name.as_deref().unwrap_or_default();
    let last = name.split_whitespace().last().unwrap_or_default();
    let is_site = is_below_known_suffix(last) && !ends_as_file(last);
    EXTENSIONS.contains(&extension.as_str()) || !is_extension || is_site
}

/// Tells octets of which no text is made.
fn is_data(bytes: &[u8]) -> bool {
    is_program(bytes) || bytes.contains(&0)
}

/// Tells octets with which a message begins.
fn begins_message(bytes: &[u8]) -> bool {
    is_headed(&Section::of(begin(bytes)).fields)
}

/// Tells headers among which is one at least that a message has.
pub(super) fn is_headed(fields: &[Field<'_>]) -> bool {
    let is_known = |field: &Field<'_>| KNOWN.iter().any(|name| field.is(name));
    fields
        .iter()
        .any(|field| is_known(field) && !field.value.trim_ascii().is_empty())
}
