//! Reads the raw message of an alert (RFC 5322) into indicators. Pure: no clock, socket or environment.
//!
//! Nothing of a message is kept but indicators, what of it could not be read, and what notes show of an address that
//! is not what it seems. `Debug` prints no text of a message, errors say only what was too much.

mod ascii;
mod attached;
mod authentication;
mod calendar;
mod charsets;
mod cut;
mod encodings;
mod facts;
mod headers;
mod heads;
mod hidden_text;
mod inline_images;
mod leaf;
mod lines;
mod links;
mod mime;
mod names;
mod parameters;
mod part_context;
mod parts;
mod reader;
mod received;
mod report;
mod runs;
mod senders;
mod shown;
#[cfg(test)]
mod tests;
mod text;
mod unicode;
mod unwrap;

use authentication::{is_refused, vouch};
use pivotd_domain::indicator::Indicator;
use pivotd_domain::special::is_inside;
use reader::Reader;
use report::{Report, report};

pub use authentication::AuthenticationResult;
pub use facts::{AttachmentFact, MailboxFact, MessageFacts, Recipients};
pub use received::{Relay, RelayError};

/// The longest message in octets.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How many parts a message may have, those of attached messages included.
pub const MAX_PARTS: usize = 50;
/// How deep parts may stand within parts; what is deeper is not read.
pub const MAX_DEPTH: usize = 8;
/// How many indicators are read; the rest are named in [`Read::excess`].
pub const MAX_INDICATORS: usize = 20;
/// How many values [`Read::excess`] and [`Read::ignored`] name each; a note counts the rest.
pub const MAX_NAMED: usize = 200;

/// Why an address that stands in a display name is not asked about.
pub const SHOWN_ONLY: &str = "shown as the sender's name only";

/// Tells whose relays, addresses and names are trusted, and what may leave.
#[derive(Clone, Copy)]
pub struct TrustPolicy<'a> {
    /// Relays whose headers are believed; without any, neither hop nor authentication result is read.
    pub relays: &'a [Relay],
    /// Says why an indicator is ignored, because it is one's own or trusted; `None` for all others.
    pub is_own: &'a dyn Fn(&Indicator) -> Option<String>,
    /// Says which list vouches for a link of a message from these senders, because everybody visits its host; `None` for all
    /// others. Such a link is scored behind all others, and need not be where there are too many.
    pub is_popular: &'a dyn Fn(&Indicator, &[Indicator]) -> Option<String>,
    /// Tells one's own people, whose reports are read as what they report. Those whom one trusts are none.
    pub is_inside: &'a dyn Fn(&Indicator) -> bool,
    /// Whether URLs keep their query. User information and fragment never stay.
    pub keep_query: bool,
}

/// Holds what a message says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// At most [`MAX_INDICATORS`], each once: sender, reply-to, return path, relay, senders of attached messages,
    /// attachments, URLs; of each host one URL first, so that many of one do not crowd out the others.
    pub indicators: Vec<FoundIndicator>,
    /// What is not asked about, and why.
    pub ignored: Vec<Ignored>,
    /// Indicators beyond the limit, in the same order.
    pub excess: Vec<FoundIndicator>,
    /// What trusted relays found of SPF, DKIM and DMARC, the newest first.
    pub authentication: Vec<AuthenticationResult>,
    /// What could not be read, so that nothing can vouch for the message: a sender of which not even the domain is known,
    /// a link, an attachment.
    pub unreadable: Vec<Unreadable>,
    /// Links in wrappers of mail gateways that only the gateway's vendor can undo.
    pub sealed: Vec<Unreadable>,
    /// Who the message says that it is from, whether that is asked about or not.
    pub senders: Vec<Indicator>,
    /// What else a reader should know, in plain words.
    pub notes: Vec<String>,
    /// What the message says of itself; for the caller alone.
    pub facts: MessageFacts,
}

impl Read {
    /// Tells whether a message may be from another than the sender that it names: a trusted relay found DMARC to fail, or
    /// told of its checks and found none to pass for the sender's own domain (a domain without SPF and DMARC is open to
    /// every sender to write). Where no trusted relay tells of any check, the sender is taken as it is written. A message
    /// without a sender is from an unknown sender.
    #[must_use]
    pub fn is_sender_doubtful(&self) -> bool {
        let results = &self.authentication;
        if self.senders.is_empty() {
            return !self.unreadable.iter().any(|one| one.role == "sender");
        }
        is_refused(results) || (!results.is_empty() && !vouch(results, &self.senders))
    }
}

/// Holds something that could not be read.
#[derive(Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// As in [`FoundIndicator`].
    pub role: &'static str,
    /// The text as it stood: of bounded length, control and invisible characters made visible.
    pub value: String,
    /// Why it could not be read, in plain words.
    pub reason: String,
}

impl std::fmt::Debug for Unreadable {
    /// Leaves the text out: it is a stranger's, and logs should not hold it by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unreadable({}, {})", self.role, self.reason)
    }
}

/// Holds an indicator and what it was in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundIndicator {
    /// One of `sender`, `sender_agent` (the Sender header), `attached_sender` (who sent a message that is attached, or
    /// forwarded in the text, or gets an answer to it), `reply_to`, `return_path`, `relay`, `url`, `attachment`.
    pub role: &'static str,
    /// The indicator.
    pub indicator: Indicator,
}

/// Holds an indicator that is not asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// As in [`FoundIndicator`].
    pub role: &'static str,
    /// The indicator's canonical value.
    pub value: String,
    /// Why, in plain words.
    pub reason: String,
}

/// Says why a message was not read, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// More than [`MAX_BYTES`].
    #[error(
        "the message has {0} octets, more than {MAX_BYTES}: send it without its attachments, or send the indicators"
    )]
    TooLarge(usize),
    /// More than [`MAX_PARTS`].
    #[error(
        "the message has more than {MAX_PARTS} parts: send it without some of its attachments, or send the indicators"
    )]
    TooManyParts,
    /// None of the headers that a message has.
    #[error(
        "this is no message: it has no header such as From or Received; send the raw message (RFC 5322), headers first"
    )]
    NoHeader,
    /// Its headers stand in one line.
    #[error(
        "this is no message: several headers stand in one line; send the raw message (RFC 5322) with its line ends"
    )]
    NoLineEnds,
}

/// Reads a raw message.
///
/// A message from one's own people that carries exactly one attached message is a report of that: the attached message
/// is read in its place, and of the report its other files. Any sender can write such a one, so where trusted relays took
/// the message from outside and did not find the sender right, it is read as it is; where no relay tells, both are read.
/// Of other attached messages URLs, attachments and senders count beside those of the message that carries them.
///
/// # Errors
/// Where it is over a limit or no message; see [`MessageError`].
pub fn read(bytes: &[u8], trust: &TrustPolicy<'_>) -> Result<Read, MessageError> {
    if bytes.len() > MAX_BYTES {
        return Err(MessageError::TooLarge(bytes.len()));
    }
    let (mut mail, remarks) = mime::walk(bytes)?;
    let mut out = Reader::new(trust);
    remarks.note(&mut out.read.notes, &mut out.read.unreadable);
    let mut reports = Vec::new();
    loop {
        let standing = report(&mail, trust);
        if standing == Report::Forged {
            out.note(
                "the message carries another and calls itself one's own, but came from outside and no trusted relay \
                 found its sender right: it was read as it is",
            );
        }
        if !matches!(standing, Report::Sure | Report::Doubtful) {
            break;
        }
        let Some(inner) = mail.attached.pop() else { break };
        let outer = std::mem::replace(&mut mail, inner);
        out.note("the message reports another, which it carries: that one was read, as the reporter sent it");
        if standing == Report::Doubtful {
            out.note("no trusted relay tells whether the reporter is who it says, so the report itself was read, too");
        }
        reports.push((standing, outer));
    }
    // The facts are those of the message that was reported.
    out.read.facts = std::mem::take(&mut mail.facts);
    out.envelope(&mail);
    out.contents(&mail);
    for (standing, report) in &reports {
        let facts = out.read.facts.clone();
        if *standing == Report::Doubtful {
            out.mailboxes(&report.envelope);
            out.contents(report);
        } else {
            out.files(report);
        }
        out.read.facts = facts;
    }
    Ok(out.finish())
}

/// Says why no source outside can know an indicator: its address or name means something only inside a network.
///
/// Addresses and names for documentation are left alone, so that examples work.
fn private(indicator: &Indicator) -> Option<&'static str> {
    if let Some(address) = indicator.ip() {
        return is_inside(address).then_some("a private or reserved address");
    }
    let host = indicator.host()?;
    let last = host.rsplit('.').next()?;
    let inside = !host.contains('.')
        || matches!(last, "local" | "localhost" | "internal" | "lan" | "localdomain")
        || host.ends_with(".home.arpa");
    inside.then_some("a private name")
}
