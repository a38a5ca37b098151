//! The events of a run. Each is written once, when it happens, and is sent as often as a client asks for it.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::entity::{WireEntity, WireLink, visible};
use super::finding::WrittenFinding;
use super::run::State;
use crate::response::{Entity, LinkProperty};

/// The digits of a second's fraction.
const FRACTION: usize = 6;

/// Says how a message of a run is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MessageType {
    /// For those who look for faults.
    Debug,
    /// A line of the output window.
    Info,
    /// Something is missing.
    Warning,
    /// Something failed.
    Error,
}

/// Is a message of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusMessage<'a> {
    /// How it is shown.
    pub kind: MessageType,
    /// How the run stands.
    pub state: State,
    /// What it says.
    pub text: &'a str,
    /// How far the run is, from 0 to 1.
    pub progress: f64,
}

/// Is an answer from which the client's user chooses.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PromptOption<'a> {
    /// Names it in the answer.
    pub id: &'a str,
    /// Names it for people.
    pub display_name: &'a str,
}

/// Asks the client's user for a choice.
#[derive(Clone, Debug)]
pub struct Prompt<'a> {
    /// The id to which the answer is sent.
    pub id: &'a str,
    /// The question.
    pub message: &'a str,
    /// The answers that there are.
    pub options: &'a [PromptOption<'a>],
    /// Which one stands there at first.
    pub default: &'a str,
    /// How many seconds the run waits.
    pub timeout: u64,
}

/// Is something that happens in a run.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// An entity was found.
    Found(&'a str, &'a Entity),
    /// More is known of an entity that was found: how it was, and how it is.
    Changed(&'a str, &'a Entity, &'a Entity),
    /// An entity of the client's is annotated.
    Annotated(&'a str, &'a Entity),
    /// An entity that was found is none after all.
    Gone(&'a str),
    /// An entity was found that was written before: its id, and what was written.
    FoundAgain(&'a str, &'a WrittenFinding),
    /// An entity that was written before hangs on another: the link's id, where it begins and ends, and what was written.
    LinkedAgain(&'a str, &'a str, &'a str, &'a WrittenFinding),
    /// An entity hangs on another: the link's id, where it begins and ends, and what is said of it.
    Linked(&'a str, &'a str, &'a str, &'a [LinkProperty]),
    /// More is known of a link: how it was, and how it is.
    LinkChanged(&'a str, &'a [LinkProperty], &'a [LinkProperty]),
    /// The client is told something.
    Message(StatusMessage<'a>),
    /// The client's user is asked.
    Asked(Prompt<'a>),
}

#[derive(Serialize)]
struct Stamped<'a> {
    timestamp: &'a str,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    event_type: &'static str,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(
    tag = "inputType",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
enum What<'a> {
    Entity {
        entity: WireEntity<'a>,
    },
    Link {
        link: WireLink<'a>,
    },
    StatusMessage {
        status_message: WireMessage<'a>,
    },
    ChoicePrompt {
        id: &'a str,
        message: &'a str,
        options: &'a [PromptOption<'a>],
        default_option_id: &'a str,
        timeout: u64,
    },
}

#[derive(Serialize)]
struct WireMessage<'a> {
    r#type: MessageType,
    state: State,
    text: &'a str,
    code: u32,
    progress: f64,
}

impl Event<'_> {
    /// Writes the event to the end of `out`, as it happened at a time that [`Stamp`] or [`time`] wrote. Tells whether it says anything
    /// new; where it does not, nothing is written.
    pub fn write(&self, timestamp: &str, out: &mut Vec<u8>) -> bool {
        match *self {
            Self::FoundAgain(id, finding) => return finding.write_entity(timestamp, id, out),
            Self::LinkedAgain(id, source, target, finding) => {
                return finding.write_link(timestamp, [id, source, target], out);
            }
            _ => {}
        }
        let before = out.len();
        let mut words = None;
        let Some((event_type, what)) = self.what(&mut words) else {
            return false;
        };
        let data = Data { event_type, what };
        let written = serde_json::to_writer(&mut *out, &Stamped { timestamp, data });
        // Texts and numbers can be written, and memory takes them.
        if written.is_err() {
            out.truncate(before);
        }
        written.is_ok()
    }

    /// Says what happened, unless that is nothing new; `words` holds what is made for it.
    fn what<'a>(&'a self, words: &'a mut Option<Cow<'a, str>>) -> Option<(&'static str, What<'a>)> {
        Some(match self {
            Self::Found(id, entity) => (
                "ADD",
                What::Entity {
                    entity: WireEntity::new(id, entity),
                },
            ),
            Self::Changed(id, before, now) => (
                "UPDATE",
                What::Entity {
                    entity: WireEntity::difference(id, before, now)?,
                },
            ),
            Self::Annotated(id, entity) => (
                "UPDATE",
                What::Entity {
                    entity: WireEntity::annotation(id, entity),
                },
            ),
            // These are written by themselves.
            Self::FoundAgain(..) | Self::LinkedAgain(..) => return None,
            Self::Gone(id) => (
                "DELETE",
                What::Entity {
                    entity: WireEntity::named(id),
                },
            ),
            Self::Linked(id, source, target, link) => (
                "ADD",
                What::Link {
                    link: WireLink::new(id, source, target, link),
                },
            ),
            Self::LinkChanged(id, before, now) => (
                "UPDATE",
                What::Link {
                    link: WireLink::difference(id, before, now)?,
                },
            ),
            Self::Message(message) => {
                let text = &**words.insert(visible(message.text));
                let status_message = WireMessage {
                    r#type: message.kind,
                    state: message.state,
                    text,
                    code: 0,
                    progress: message.progress,
                };
                ("ADD", What::StatusMessage { status_message })
            }
            Self::Asked(prompt) => {
                let what = What::ChoicePrompt {
                    id: prompt.id,
                    message: prompt.message,
                    options: prompt.options,
                    default_option_id: prompt.default,
                    timeout: prompt.timeout,
                };
                ("ADD", what)
            }
        })
    }
}

/// Writes times as [`time`] does. Many events happen within a second, of which the fraction alone is written anew.
#[derive(Debug, Default)]
pub struct Stamp {
    second: Option<i64>,
    text: String,
}

impl Stamp {
    /// Writes a time.
    pub fn at(&mut self, at: Timestamp) -> &str {
        let second = at.as_second();
        let micros = at.subsec_microsecond();
        // Before 1970, fractions count down.
        if self.second == Some(second) && micros >= 0 {
            self.text.truncate(self.text.len().saturating_sub(FRACTION));
            // Writing into memory does not fail.
            let _ = write!(self.text, "{micros:0FRACTION$}");
        } else {
            self.text = time(at);
            self.second = (micros >= 0).then_some(second);
        }
        &self.text
    }
}

/// Writes a time as this protocol does: UTC without saying so, in microseconds.
#[must_use]
pub fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S.%6f")
        .to_string()
}
