//! What a message says of itself, for the caller alone: a SOAR asks "who else received it" with it.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// Holds the facts of a message as its headers and parts give them. Every sender can write them; none of them is checked.
///
/// They are the caller's: they stand in no decision, log or reply that is kept, and `Debug` does not print them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageFacts {
    /// The Message-ID with its angle brackets, or `null`.
    #[schema(required)]
    pub message_id: Option<String>,
    /// The subject, decoded, or `null`.
    #[schema(required)]
    pub subject: Option<String>,
    /// The Date header as RFC 3339, or `null` where there is none that can be read.
    #[schema(required)]
    pub date: Option<String>,
    /// The mailboxes of From.
    pub senders: Vec<MailboxFact>,
    /// Its recipients, by its headers.
    pub recipients: Recipients,
    /// What it carries beside its text.
    pub attachments: Vec<AttachmentFact>,
    /// The pictures that it shows in its text, which were not looked at; the first 200.
    pub pictures: Vec<AttachmentFact>,
}

/// Holds the recipients by header.
#[derive(Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Recipients {
    /// The mailboxes of To.
    pub to: Vec<MailboxFact>,
    /// The mailboxes of Cc.
    pub cc: Vec<MailboxFact>,
}

/// Holds a mailbox of a header.
#[derive(Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailboxFact {
    /// The display name, decoded; may be empty.
    pub name: String,
    /// The address as it is written; may be empty.
    pub address: String,
}

/// Holds what is known of an attachment or a picture.
#[derive(Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AttachmentFact {
    /// The name of the file, decoded, or `null`.
    #[schema(required)]
    pub name: Option<String>,
    /// The media type that the part gives itself, in lower case.
    pub content_type: String,
    /// How many octets a reader would save.
    pub size: u64,
    /// SHA-256 of these octets.
    pub sha256: String,
}

impl fmt::Debug for MessageFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = (self.senders.len(), self.attachments.len());
        write!(f, "MessageFacts({} senders, {} attachments)", counts.0, counts.1)
    }
}
