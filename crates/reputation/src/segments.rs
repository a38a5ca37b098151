//! Writes an answer as JSON and notes where its members stand that differ from one request to the next: the request's id,
//! what is left of budgets, the ages of answers.
//!
//! The members note their spans themselves while they are written, so no text is searched for them.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::Range;
use std::rc::Rc;

use serde::{Serialize, Serializer};

use super::alert::BudgetLeft;

/// Says what stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// The request's id, in quotation marks.
    RequestId,
    /// The list of what is left of budgets.
    Budget,
    /// An age in seconds; one that is `null` has no place.
    Age,
}

/// Says where a member stands in a text.
pub type Span = (Range<usize>, Member);

/// Holds a written answer and the spans of these members, in ascending order and apart from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segments {
    /// The text.
    pub text: String,
    /// Where the members stand in it.
    pub spans: Vec<Span>,
}

/// Notes spans while an answer is written on this thread.
struct SegmentRecorder {
    written: Rc<Cell<usize>>,
    spans: Vec<Span>,
}

thread_local! {
    static RECORDER: RefCell<Option<SegmentRecorder>> = const { RefCell::new(None) };
}

/// Writes a value as JSON.
///
/// # Errors
/// As `serde_json`.
pub fn write<T: Serialize>(value: &T) -> Result<Segments, serde_json::Error> {
    let written = Rc::new(Cell::new(0));
    let outer = RECORDER.replace(Some(SegmentRecorder {
        written: Rc::clone(&written),
        spans: Vec::new(),
    }));
    let mut counted = CountingWriter {
        bytes: Vec::with_capacity(4096),
        written,
    };
    let result = serde_json::to_writer(&mut counted, value);
    let notes = RECORDER.replace(outer);
    result?;
    let text = String::from_utf8(counted.bytes).map_err(serde::ser::Error::custom)?;
    Ok(Segments {
        text,
        spans: notes.map(|notes| notes.spans).unwrap_or_default(),
    })
}

/// Gathers bytes and tells how many there are.
struct CountingWriter {
    bytes: Vec<u8>,
    written: Rc<Cell<usize>>,
}

impl io::Write for CountingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        self.written.set(self.bytes.len());
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn position() -> Option<usize> {
    RECORDER.with_borrow(|notes| notes.as_ref().map(|notes| notes.written.get()))
}

/// Writes a member and notes its place, where an answer is written by [`write()`].
fn noted<S: Serializer>(member: Member, value: &impl Serialize, serializer: S) -> Result<S::Ok, S::Error> {
    let from = position();
    let done = value.serialize(serializer)?;
    if let (Some(from), Some(to)) = (from, position()) {
        RECORDER.with_borrow_mut(|notes| {
            if let Some(notes) = notes {
                notes.spans.push((from..to, member));
            }
        });
    }
    Ok(done)
}

/// Writes the id of a request.
pub(super) fn request_id<S: Serializer>(id: &str, serializer: S) -> Result<S::Ok, S::Error> {
    noted(Member::RequestId, &id, serializer)
}

/// Writes what is left of budgets.
pub(super) fn budget<S: Serializer>(budget: &[BudgetLeft], serializer: S) -> Result<S::Ok, S::Error> {
    noted(Member::Budget, &budget, serializer)
}

/// Writes an age.
pub(super) fn age<S: Serializer>(age: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match age {
        Some(_) => noted(Member::Age, age, serializer),
        None => age.serialize(serializer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Item {
        reason: &'static str,
        #[serde(serialize_with = "age")]
        age_s: Option<u64>,
    }

    #[derive(Serialize)]
    struct Whole {
        #[serde(serialize_with = "request_id")]
        request_id: String,
        note: &'static str,
        items: Vec<Item>,
        #[serde(serialize_with = "budget")]
        budget: Vec<BudgetLeft>,
    }

    /// Holds another, as an answer with members of its own does.
    #[derive(Serialize)]
    struct EnclosingAnswer {
        #[serde(flatten)]
        whole: Whole,
        sample_data: bool,
    }

    fn around() -> EnclosingAnswer {
        let item = |age_s| Item {
            reason: "\"age_s\":7, \"budget\":[",
            age_s,
        };
        EnclosingAnswer {
            whole: Whole {
                request_id: "\"odd\" id".to_owned(),
                note: "\"request_id\":\"",
                items: vec![item(Some(0)), item(None), item(Some(61))],
                budget: Vec::new(),
            },
            sample_data: true,
        }
    }

    #[test]
    fn the_members_note_where_they_stand_and_nothing_else_passes_for_one() {
        let segments = write(&around()).unwrap();
        assert_eq!(segments.text, serde_json::to_string(&around()).unwrap());
        let told: Vec<(&str, Member)> = segments
            .spans
            .iter()
            .map(|(place, member)| (segments.text.get(place.clone()).unwrap(), *member))
            .collect();
        assert_eq!(
            told,
            [
                (r#""\"odd\" id""#, Member::RequestId),
                ("0", Member::Age),
                ("61", Member::Age),
                ("[]", Member::Budget),
            ]
        );
    }

    #[test]
    fn what_is_written_otherwise_notes_nothing_and_failures_leave_nothing_behind() {
        struct Refusing;
        impl Serialize for Refusing {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        assert!(write(&(around(), Refusing)).is_err());
        assert_eq!(position(), None);
        let _ = serde_json::to_string(&around()).unwrap();
        assert_eq!(write(&"x").unwrap().spans, []);
    }
}
