//! The answers about a run: how it stands, a page of its events, and its end.

use std::collections::BTreeMap;
use std::io::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;

use super::detail::{Fault, Refusal};
use super::event::time;
use super::reader::Reader;
use super::request::json;

/// The most events that one answer holds.
pub const PAGE: usize = 50;

/// Says how a run stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// It was created.
    Initialized,
    /// It is worked on.
    Running,
    /// It ended, and all that it found is there.
    Completed,
    /// It ended without a result, and why is there.
    Failed,
    /// Its client ended it.
    Canceled,
    /// It took too long, or its client no longer asked.
    TimedOut,
}

impl State {
    /// Returns the word of the header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initialized => "INITIALIZED",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    /// Returns the state as bodies tell it: for clients, what took too long has failed.
    #[must_use]
    pub const fn in_body(self) -> Self {
        match self {
            Self::TimedOut => Self::Failed,
            other => other,
        }
    }

    /// Tells whether nothing more happens.
    #[must_use]
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Initialized | Self::Running)
    }
}

/// Holds what an answer says of a run beside its events.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The run's id.
    pub id: &'a str,
    /// How it stands.
    pub state: State,
    /// When it was created.
    pub started: Timestamp,
    /// When something last happened.
    pub updated: Timestamp,
    /// How many events there are.
    pub events: usize,
    /// How many entities it found.
    pub found: usize,
}

/// Writes a page: events from `pointer` on, which were written before, with commas between.
#[must_use]
pub fn page(standing: &Standing<'_>, pointer: i64, events: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(events.len() + 420);
    let Standing {
        id,
        state,
        started,
        updated,
        events: count,
        found,
    } = standing;
    // The id is a UUID, and the times have no letter that needs an escape. Writing into memory does not fail.
    let _ = write!(
        out,
        "{{\"result\":{{\"eventPointer\":{pointer},\"eventCount\":{count},\"atomicEntityCount\":{found},\
         \"compositeEntityCount\":0,\"incompleteCompositeEntity\":false,\"events\":["
    );
    out.extend_from_slice(events);
    let _ = write!(
        out,
        "],\"runId\":\"{id}\",\"state\":\"{}\",\"startTime\":\"{}\",\"updateTime\":\"{}\"}},\
         \"status\":{{\"uiMessages\":[],\"code\":200}}}}",
        state.in_body().as_str(),
        time(*started),
        time(*updated),
    );
    out
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    entities: Added<'a>,
    run_id: &'a str,
    state: State,
    duration: u64,
    atomic_entity_count: usize,
    composite_entity_count: usize,
}

#[derive(Serialize)]
struct Added<'a> {
    added: &'a BTreeMap<SmolStr, usize>,
}

/// Writes what a run came to.
#[must_use]
pub fn summary(standing: &Standing<'_>, added: &BTreeMap<SmolStr, usize>, duration_ms: u64) -> Vec<u8> {
    super::bytes(&Summary {
        entities: Added { added },
        run_id: standing.id,
        state: standing.state.in_body(),
        duration: duration_ms,
        atomic_entity_count: standing.found,
        composite_entity_count: 0,
    })
}

/// Writes how many entities of each type were found, for a header.
#[must_use]
pub fn added(added: &BTreeMap<SmolStr, usize>) -> Vec<u8> {
    super::bytes(added)
}

/// Is the answer of the client's user to a prompt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PromptAnswer {
    /// Whether the user chose; else the prompt was dismissed, or took too long.
    pub is_chosen: bool,
    /// The options that were chosen, whatever they were asked under.
    pub chosen: Vec<String>,
}

/// Reads the answer to a prompt.
///
/// # Errors
/// [`Refusal`] for what is none.
pub fn prompt_answer(body: &[u8]) -> Result<PromptAnswer, Refusal> {
    const REASONS: [&str; 3] = ["TIMED_OUT", "CANCELLED", "COMPLETED"];
    let value = json(body)?;
    let mut reader = Reader::new("body");
    let read = reader.object(&value).and_then(|object| {
        let reason = reader.member(object, "reason", |reader, value| {
            let known = value
                .as_str()
                .filter(|text| REASONS.contains(text))
                .map(str::to_owned);
            if known.is_none() {
                let expected = "'TIMED_OUT', 'CANCELLED' or 'COMPLETED'";
                reader.note(|way| Fault::not_of("literal_error", way, expected, value));
            }
            known
        });
        let chosen = reader.member(object, "result", |reader, value| {
            let result = reader.object(value)?;
            Some(result.values().flat_map(texts).collect())
        });
        Some(PromptAnswer {
            is_chosen: reason? == "COMPLETED",
            chosen: chosen?,
        })
    });
    reader.finish(read).map_err(Refusal::Unreadable)
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
