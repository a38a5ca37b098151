//! Tells what a run finds of one input: each entity once, and later what is new of it.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::maltego::json::entity::identity;
use crate::maltego::json::event::Event;
use crate::maltego::json::finding::WrittenFinding;
use crate::maltego::json::graph::Input;
use crate::maltego::json::ids::Ids;
use crate::maltego::{Entity, InputEntity};
use crate::runs::Run;

/// Is an entity that the client has been told.
struct Shown {
    id: String,
    link: String,
    entity: Entity,
}

/// Tells the entities of one input.
pub(super) struct Emitter<'a> {
    run: &'a Run,
    ids: &'a RefCell<Ids>,
    input: &'a Input,
    limit: usize,
    shown: HashMap<String, Shown>,
    count: usize,
    annotated: Option<Entity>,
    /// How many entities found no room in the memory of the run.
    pub(super) cut: usize,
}

impl<'a> Emitter<'a> {
    pub(super) fn new(run: &'a Run, ids: &'a RefCell<Ids>, input: &'a Input, limit: usize) -> Self {
        Self {
            run,
            ids,
            input,
            limit,
            shown: HashMap::new(),
            count: 0,
            annotated: None,
            cut: 0,
        }
    }

    /// Returns the value of the input.
    pub(super) fn value(&self) -> &str {
        self.input.entity.value()
    }

    /// Counts the entities that were told.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Tells what is known while others are asked: entities that are new, and what is new of others.
    pub(super) fn show(&mut self, entities: Vec<Entity>) {
        for entity in entities {
            if is_input(&entity, &self.input.entity) {
                self.annotate(entity);
                continue;
            }
            let key = identity(&entity);
            match self.shown.get_mut(&key) {
                Some(shown) => {
                    self.run.add(&Event::Changed(&shown.id, &shown.entity, &entity));
                    self.run
                        .add(&Event::LinkChanged(&shown.link, &shown.entity.link, &entity.link));
                    shown.entity = entity;
                }
                None => {
                    if let Some((id, link)) = self.found(&entity) {
                        self.shown.insert(key, Shown { id, link, entity });
                    }
                }
            }
        }
    }

    /// Tells all that is known in the end.
    pub(super) fn finish(&mut self, entities: Vec<Entity>) {
        if self.shown.is_empty() {
            for entity in entities {
                if is_input(&entity, &self.input.entity) {
                    self.annotate(entity);
                } else {
                    self.found(&entity);
                }
            }
            return;
        }
        if entities.len() < self.limit {
            // What is gone fell to no limit: a later answer said that it is left out.
            let left: std::collections::HashSet<String> = entities.iter().map(identity).collect();
            self.shown.retain(|key, shown| {
                let stays = left.contains(key);
                if !stays {
                    self.run.add(&Event::Gone(&shown.id));
                    self.count -= 1;
                }
                stays
            });
        }
        self.show(entities);
    }

    fn found(&mut self, entity: &Entity) -> Option<(String, String)> {
        let run = self.run;
        self.tell(|[id, link, source]| {
            run.add_whole(&[
                Event::Found(id, entity),
                Event::Linked(link, source, id, &entity.link),
            ])
        })
    }

    /// Tells all that an earlier run found.
    pub(super) fn finish_again(&mut self, findings: &[WrittenFinding]) {
        let run = self.run;
        for finding in findings {
            self.tell(|[id, link, source]| {
                run.add_whole(&[
                    Event::FoundAgain(id, finding),
                    Event::LinkedAgain(link, source, id, finding),
                ])
            });
        }
    }

    /// Tells an entity with its link, if there is room for both: without its link, it would stand in the graph as if nothing led to it.
    /// `add` is given the ids of the entity, of the link, and of the input.
    fn tell(&mut self, add: impl FnOnce([&str; 3]) -> bool) -> Option<(String, String)> {
        if self.count >= self.limit {
            return None;
        }
        let (id, link) = {
            let mut ids = self.ids.borrow_mut();
            (ids.make(), ids.make())
        };
        if !add([&id, &link, &self.input.id]) {
            self.cut += 1;
            return None;
        }
        self.count += 1;
        Some((id, link))
    }

    fn annotate(&mut self, entity: Entity) {
        let id = &self.input.id;
        let event = match &self.annotated {
            Some(before) => Event::Changed(id, before, &entity),
            None => Event::Annotated(id, &entity),
        };
        self.run.add(&event);
        self.annotated = Some(entity);
    }

    /// Tells whether entities can be copied by a later run: none is the input itself, which another client has under another id.
    pub(super) fn can_be_kept(&self, entities: &[Entity]) -> bool {
        !entities.iter().any(|entity| is_input(entity, &self.input.entity))
    }

    /// Tells whether the input was annotated.
    pub(super) fn is_annotated(&self) -> bool {
        self.annotated.is_some()
    }
}

/// Tells whether an entity is the input itself, annotated.
fn is_input(entity: &Entity, input: &InputEntity) -> bool {
    entity.type_id == input.type_id && entity.value == input.value()
}
