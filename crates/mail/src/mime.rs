//! Walks the parts of a message within limits.
//!
//! `mail-parser` decodes single fields. It is not given whole messages: it nests attached messages without a limit, is
//! recursive in dropping them, and looks for each boundary up to the message's end; a mebibyte can be made to overflow
//! the stack or to take minutes. Here depth and parts are bounded before anything is read, and each octet is looked at
//! once a level.

use std::collections::HashSet;

use mail_parser::DateTime;

use super::attached::{attached, is_headed};
use super::encodings::{Encoding, decode};
use super::facts::{AttachmentFact, MailboxFact, MessageFacts};
use super::headers::{Field, decoded};
use super::heads::MAX_HEADS;
use super::inline_images::InlineImages;
use super::leaf::{again, leaf};
use super::part_context::{PartContext, bases, holds_delimiter};
use super::parts::{About, MAX_HEADERS, Section, Split, guessed_boundary, split};
use super::received::{ReceivedHop, Trace};
use super::senders::{MAX_MAILBOXES, Mailbox, mailboxes};
use super::unicode::{plain, visible};
use super::{MAX_DEPTH, MAX_NAMED, MAX_PARTS, MessageError, Unreadable, lines, links};

/// How many links are looked at; far more than can be named.
const MAX_LINKS: usize = 2_000;
/// How many characters of a header's text are told.
const MAX_TEXT: usize = 998;
/// Why a part is not clear among whose headers a line stands that is none.
pub(super) const UNCLEAR_START: &str =
    "a line among its headers is none: programs for mail differ in where its content begins";
/// Why the parts of a body are not clear.
const UNCLEAR_PARTS: &str = "a line begins like one between parts and goes on: programs for mail differ in whether a part begins there";
/// Headers of which a message has one at least.
pub(super) const KNOWN: [&str; 12] = [
    "From",
    "Sender",
    "Reply-To",
    "Return-Path",
    "Received",
    "Authentication-Results",
    "Content-Type",
    "Content-Disposition",
    "Content-Transfer-Encoding",
    "To",
    "Subject",
    "Message-ID",
];

/// Holds what one message says; attached ones are further messages.
#[derive(Default)]
pub(super) struct Mail {
    pub(super) envelope: Envelope,
    /// What its headers say of it.
    pub(super) facts: MessageFacts,
    /// Links as they stand in texts, in order, each once.
    links: Vec<String>,
    seen: HashSet<String>,
    pub(super) files: Vec<File>,
    pub(super) unreadable: Vec<Unreadable>,
    pub(super) attached: Vec<Mail>,
    /// Headers of other messages that it quotes: alone, as reports of abuse do, or above the texts that it forwards.
    pub(super) quoted: Vec<Envelope>,
    pub(super) pictures: InlineImages,
}

/// Is what a reader would save.
pub(super) struct File {
    pub(super) fact: AttachmentFact,
    /// SHA-256 of what other readers save, where they differ.
    pub(super) other: Option<String>,
    /// Whether it holds nothing but white space.
    pub(super) is_empty: bool,
}

/// Is what a message and those attached to it hold.
#[derive(Default)]
pub(super) struct MessageContents<'m> {
    pub(super) links: Vec<&'m str>,
    pub(super) files: Vec<&'m File>,
    pub(super) unreadable: Vec<&'m Unreadable>,
    /// Headers of the messages that it carries.
    pub(super) carried: Vec<&'m Envelope>,
    /// What is shown in its texts.
    pub(super) pictures: Vec<&'m InlineImages>,
}

impl Mail {
    /// Gathers what is in this message, then what is in the attached ones.
    pub(super) fn gather<'m>(&'m self, into: &mut MessageContents<'m>) {
        into.links.extend(self.links.iter().map(String::as_str));
        into.files.extend(&self.files);
        into.unreadable.extend(&self.unreadable);
        into.carried.extend(&self.quoted);
        into.pictures.push(&self.pictures);
        for mail in &self.attached {
            into.carried.push(&mail.envelope);
            mail.gather(into);
        }
    }
}

/// Holds what a message's own headers say.
#[derive(Default)]
pub(super) struct Envelope {
    pub(super) from: Vec<Mailbox>,
    /// How many From headers there are; one, where all is well.
    pub(super) from_headers: usize,
    pub(super) sender: Vec<Mailbox>,
    pub(super) reply_to: Vec<Mailbox>,
    pub(super) return_path: Vec<Mailbox>,
    /// Who sent it before a list put itself in From.
    pub(super) original: Vec<Mailbox>,
    /// Received and Authentication-Results headers from the top.
    pub(super) trace: Vec<Trace>,
}

/// Counts what was met and passed over.
#[derive(Default)]
pub(super) struct Remarks {
    parts: usize,
    pub(super) too_deep: usize,
    links: usize,
    too_many: bool,
    broken: usize,
    cut: bool,
    /// Whether the texts have more heads of messages than are read.
    pub(super) too_many_heads: bool,
    /// Heads of messages in texts that name no address of a sender.
    pub(super) nameless: usize,
}

impl Remarks {
    /// Takes a link of a message once; says whether more are wanted.
    pub(super) fn link(&mut self, link: &str, mail: &mut Mail) -> bool {
        if mail.seen.contains(link) {
            return true;
        }
        if self.links >= MAX_LINKS {
            self.too_many = true;
            return false;
        }
        self.links += 1;
        mail.seen.insert(link.to_owned());
        mail.links.push(link.to_owned());
        true
    }

    /// Says it in plain words, and names what nothing can vouch for because it was not read.
    pub(super) fn note(&self, notes: &mut Vec<String>, unreadable: &mut Vec<Unreadable>) {
        let mut name = |role, value: String, reason: String| {
            unreadable.push(Unreadable { role, value, reason });
        };
        if self.too_deep > 0 {
            let count = self.too_deep;
            notes.push(format!("{count} parts were not read: deeper than {MAX_DEPTH}"));
            name(
                "attachment",
                format!("{count} parts"),
                format!("deeper than {MAX_DEPTH}"),
            );
        }
        if self.cut {
            let reason = format!("headers beyond {} KiB were not read", MAX_HEADERS / 1024);
            notes.push(reason.clone());
            // They could have named parts.
            name("attachment", "headers of a part".to_owned(), reason);
        }
        if self.too_many {
            notes.push(format!("only the first {MAX_LINKS} links were looked at"));
            let reason = format!("more than {MAX_LINKS} links");
            name("url", "the other links".to_owned(), reason);
        }
        if self.too_many_heads {
            let reason = format!("more than {MAX_HEADS} heads of messages");
            name("attached_sender", "the other senders".to_owned(), reason);
        }
        if self.nameless > 0 {
            notes.push(format!(
                "{} messages are quoted in the text of which no sender's address is named",
                self.nameless
            ));
        }
        if self.broken > 0 {
            notes.push(format!("{} parts are broken and were read as text", self.broken));
        }
    }
}

/// Reads a message of bounded length.
pub(super) fn walk(bytes: &[u8]) -> Result<(Mail, Remarks), MessageError> {
    let unescaped = lines::unescaped(begin(bytes));
    let bytes = lines::ended(begin(&unescaped));
    let top = Section::of(bytes.as_ref());
    if !is_headed(&top.fields) {
        return Err(MessageError::NoHeader);
    }
    if lines::is_glued(&top.fields) {
        return Err(MessageError::NoLineEnds);
    }
    let mut remarks = Remarks::default();
    let mail = message(&top, &PartContext::default(), &mut remarks)?;
    Ok((mail, remarks))
}

/// Steps over what programs put before the first header: a byte order mark, empty lines.
pub(super) fn begin(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    bytes.get(blank..).unwrap_or_default()
}

pub(super) fn message(
    section: &Section<'_>,
    around: &PartContext<'_>,
    remarks: &mut Remarks,
) -> Result<Mail, MessageError> {
    let mut mail = Mail::default();
    for field in &section.fields {
        mail.read(field);
    }
    mail.quote_original();
    part(section, around, &mut mail, remarks)?;
    mail.settle_pictures();
    Ok(mail)
}

impl Mail {
    /// Reads the headers of another message, of which nothing else is there.
    fn quote(&mut self, fields: &[Field<'_>]) {
        let mut other = Self::default();
        for field in fields {
            other.read(field);
        }
        self.unreadable.append(&mut other.unreadable);
        self.quoted.push(other.envelope);
    }

    /// Takes who sent the message before a list put itself in From for the sender of a message that it carries.
    fn quote_original(&mut self) {
        let mut original = std::mem::take(&mut self.envelope.original);
        let from = &self.envelope.from;
        let is_named = |text: &String| {
            let mut named = from.iter().flat_map(|mailbox| &mailbox.addresses);
            named.any(|named| named.eq_ignore_ascii_case(text))
        };
        original.retain(|mailbox| !mailbox.addresses.iter().all(is_named));
        if !original.is_empty() {
            self.quoted.push(Envelope {
                from: original,
                from_headers: 1,
                ..Envelope::default()
            });
        }
    }

    fn read(&mut self, field: &Field<'_>) {
        let envelope = &mut self.envelope;
        let text = || field.unfolded();
        let fact = |into: &mut Vec<MailboxFact>| {
            let mut found = Vec::new();
            let _ = mailboxes(&text(), &mut found);
            into.extend(found.iter().flat_map(Mailbox::facts).take(MAX_NAMED));
        };
        let first = |into: &mut Option<String>, value: String| {
            if into.is_none() && !value.is_empty() {
                *into = Some(value);
            }
        };
        let mut written = |role: &'static str, text: &str, into: &mut Vec<Mailbox>| {
            if !mailboxes(text, into) {
                self.unreadable.push(Unreadable {
                    role,
                    value: "the other mailboxes".to_owned(),
                    reason: format!("more than {MAX_MAILBOXES} in one kind of header"),
                });
            }
        };
        if field.is("From") {
            envelope.from_headers += 1;
            written("sender", &text(), &mut envelope.from);
        } else if field.is("Sender") {
            written("sender_agent", &text(), &mut envelope.sender);
        } else if field.is("Reply-To") {
            written("reply_to", &text(), &mut envelope.reply_to);
        } else if field.is("Return-Path") {
            let path = text();
            // A report of non-delivery has none, by design.
            if !path.trim_matches(['<', '>', ' ', '\t']).is_empty() {
                written("return_path", &path, &mut envelope.return_path);
            }
        } else if field.is("X-Original-From") || field.is("X-Original-Sender") {
            written("attached_sender", &text(), &mut envelope.original);
        } else if field.is("Received") {
            envelope.trace.push(Trace::Received(ReceivedHop::parse(&text())));
        } else if field.is("Authentication-Results") {
            envelope.trace.push(Trace::Results(text()));
        } else if field.is("To") {
            fact(&mut self.facts.recipients.to);
        } else if field.is("Cc") {
            fact(&mut self.facts.recipients.cc);
        } else if field.is("Subject") {
            first(&mut self.facts.subject, decoded(&text(), MAX_TEXT));
        } else if field.is("Message-ID") {
            first(&mut self.facts.message_id, plain(&text(), MAX_TEXT));
        } else if field.is("Date") {
            let date = DateTime::parse_rfc822(&format!("{}\n", text()));
            let date = date.filter(DateTime::is_valid).map(|date| date.to_rfc3339());
            first(&mut self.facts.date, date.unwrap_or_default());
        }
    }
}

impl Mailbox {
    /// Returns what a caller is told of a mailbox.
    pub(super) fn facts(&self) -> impl Iterator<Item = MailboxFact> {
        self.addresses.iter().map(|address| MailboxFact {
            name: self.name.clone(),
            address: visible(address),
        })
    }
}

/// Reads one part and what stands in it.
fn part(
    section: &Section<'_>,
    around: &PartContext<'_>,
    mail: &mut Mail,
    remarks: &mut Remarks,
) -> Result<(), MessageError> {
    remarks.cut |= section.is_cut;
    let body = section.body;
    let mut about = About::of(&section.fields, around.in_digest);
    if let Some(reason) = about.unclear {
        mail.refuse(&about, reason);
    }
    about.bases = bases(&section.fields, around.bases);
    if about.is("multipart", None) {
        if holds_delimiter(section.head(), around.boundaries) {
            mail.refuse(&about, UNCLEAR_PARTS);
        }
        return multipart(section, &about, around, mail, remarks);
    }
    let is_attached = attached(section, &about, around, mail, remarks)?;
    // What is read as it stands is looked at there.
    let is_bare = matches!(about.encoding, Encoding::Identity | Encoding::Unknown);
    let looked_at = if is_attached && is_bare {
        section.head()
    } else {
        section.all
    };
    if holds_delimiter(looked_at, around.boundaries) {
        mail.refuse(&about, UNCLEAR_PARTS);
    }
    if is_attached {
        if section.other.is_some() {
            mail.refuse(&about, UNCLEAR_START);
        }
        return Ok(());
    }
    let is_quoted = about.is("text", Some("rfc822-headers"))
        || about.is_any("message", &["rfc822-headers", "global-headers"]);
    if is_quoted {
        let content = decode(body, about.encoding).bytes;
        let quoted = Section::of(&content);
        remarks.cut |= quoted.is_cut;
        mail.quote(&quoted.fields);
    }
    leaf(body, &about, mail, remarks);
    if let Some(body) = section.other {
        again(body, &about, mail, remarks);
    }
    Ok(())
}

/// Reads the parts of a part.
fn multipart(
    section: &Section<'_>,
    about: &About,
    around: &PartContext<'_>,
    mail: &mut Mail,
    remarks: &mut Remarks,
) -> Result<(), MessageError> {
    let body = section.whole_body();
    let mut boundaries = about.boundaries.clone();
    boundaries.extend(around.boundaries.iter().cloned());
    let named = about.attribute("boundary").map(str::trim_end);
    let named = named.filter(|text| !text.is_empty());
    boundaries.extend(named.map(str::to_owned));
    let mut found = named
        .map(|text| split(body, text.as_bytes(), &boundaries))
        .unwrap_or_default();
    if found.parts.is_empty() {
        // Programs for mail guess it, too.
        let guessed = guessed_boundary(body);
        found = guessed.map_or_else(Split::default, |text| split(body, text, around.boundaries));
        boundaries.extend(guessed.map(|text| String::from_utf8_lossy(text).into_owned()));
    }
    let Split { parts, is_unclear } = found;
    if is_unclear {
        mail.refuse(about, UNCLEAR_PARTS);
    }
    if parts.is_empty() && !body.trim_ascii().is_empty() {
        remarks.broken += 1;
        let text = String::from_utf8_lossy(body);
        links::find(&text, false, &mut |link| remarks.link(link, mail));
        mail.unreadable.push(Unreadable {
            role: "attachment",
            value: visible(&about.content_type()),
            reason: "parts without a boundary between them".to_owned(),
        });
    }
    let inner = PartContext {
        depth: around.depth + 1,
        in_digest: about.is("multipart", Some("digest")),
        boundaries: &boundaries,
        bases: &about.bases,
    };
    for one in parts {
        count(remarks)?;
        if around.depth >= MAX_DEPTH {
            remarks.too_deep += 1;
        } else {
            part(&Section::of(one), &inner, mail, remarks)?;
        }
    }
    Ok(())
}

pub(super) fn count(remarks: &mut Remarks) -> Result<(), MessageError> {
    remarks.parts += 1;
    if remarks.parts > MAX_PARTS {
        return Err(MessageError::TooManyParts);
    }
    Ok(())
}
