//! Entities and their links, written but for ids and times: a run that finds what another one found copies them.

use smol_str::SmolStr;

use super::event::Event;
use crate::response::Entity;

/// What stands before the time of an event that adds something.
const TIME: &str = "{\"timestamp\":\"";
/// What stands between the time and the id of an entity.
const ENTITY: &str = "\",\"data\":{\"eventType\":\"ADD\",\"inputType\":\"ENTITY\",\"entity\":{\"id\":";
/// What stands between the time and the ids of a link.
const LINK: [&str; 3] = [
    "\",\"data\":{\"eventType\":\"ADD\",\"inputType\":\"LINK\",\"link\":{\"id\":",
    ",\"sourceId\":",
    ",\"targetId\":",
];
/// An id that is left empty.
const EMPTY: &str = "\"\"";

/// Is an entity with its link, written but for their ids and the time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WrittenFinding {
    /// The type of the entity.
    pub type_id: SmolStr,
    /// What stands behind the id of the entity.
    entity: Box<[u8]>,
    /// What stands behind the ids of the link.
    link: Box<[u8]>,
}

impl WrittenFinding {
    /// Writes an entity. `None` where it cannot be told apart from its ids, so that it has to be written each time.
    #[must_use]
    pub fn new(entity: &Entity) -> Option<Self> {
        let written = |event: &Event<'_>, before: &[&str]| {
            let mut out = Vec::new();
            let is_written = event.write("", &mut out);
            let behind = out.strip_prefix(TIME.as_bytes()).filter(|_| is_written)?;
            let behind = before.iter().try_fold(behind, |rest, before| {
                let rest = rest.strip_prefix(before.as_bytes())?;
                rest.strip_prefix(EMPTY.as_bytes())
            });
            behind.map(Box::from)
        };
        Some(Self {
            type_id: entity.type_id.clone(),
            entity: written(&Event::Found("", entity), &[ENTITY])?,
            link: written(&Event::Linked("", "", "", &entity.link), &LINK)?,
        })
    }

    /// Counts its bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.entity.len() + self.link.len()
    }

    pub(super) fn write_entity(&self, timestamp: &str, id: &str, out: &mut Vec<u8>) -> bool {
        out.reserve(TIME.len() + ENTITY.len() + self.entity.len() + 64);
        write(timestamp, &[(ENTITY, id)], &self.entity, out)
    }

    pub(super) fn write_link(
        &self,
        timestamp: &str,
        [id, source, target]: [&str; 3],
        out: &mut Vec<u8>,
    ) -> bool {
        let [at_id, at_source, at_target] = LINK;
        let ids = [(at_id, id), (at_source, source), (at_target, target)];
        write(timestamp, &ids, &self.link, out)
    }
}

fn write(timestamp: &str, ids: &[(&str, &str)], behind: &[u8], out: &mut Vec<u8>) -> bool {
    let begun = out.len();
    out.extend_from_slice(TIME.as_bytes());
    out.extend_from_slice(timestamp.as_bytes());
    for (before, id) in ids {
        out.extend_from_slice(before.as_bytes());
        // The id of an input is the client's, and may need escapes.
        if serde_json::to_writer(&mut *out, id).is_err() {
            out.truncate(begun);
            return false;
        }
    }
    out.extend_from_slice(behind);
    true
}
