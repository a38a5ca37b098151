//! Writes entities as XML at once, without making them first: each by the shape of its rule.
//!
//! An entity that several records or several providers tell of has no shape and is built and then written. Both ways give
//! the same bytes, which tests compare.

use std::borrow::Cow;

use jiff::civil::Date;

use super::compiled::LinkField;
use super::entity::{EntityBuilder, provenance, sinkhole_source, zone_mark};
use super::fold::{Group, Part};
use super::input::{Rules, SourceAnswer};
use super::properties::value_properties;
use super::shape::{Shape, Shapes, ValueProperties};
use pivotd_domain::{Value, push_day};
use pivotd_maltego::response::{Bookmark, OverlayKind, OverlayPosition};
use pivotd_maltego::{Property, xml};

/// Is a mark around an entity's icon.
type Mark<'a> = (&'a str, OverlayPosition, OverlayKind);

/// Writes the entities of one run.
pub(super) struct DirectWriter<'r, 'a> {
    answers: &'r [SourceAnswer<'a>],
    rules: Rules<'a>,
    /// Those of the provider, where it is the only one.
    shapes: Option<&'a Shapes>,
    /// What says of each answer where it came from.
    tails: Vec<String>,
    /// What every entity is given besides.
    extra: Option<&'r Property>,
    builder: Option<EntityBuilder<'a>>,
    // What is written anew for each entity.
    texts: Vec<Cow<'a, str>>,
    own: Vec<Property>,
    marks: Vec<Mark<'a>>,
    label: String,
    first: String,
    last: String,
}

impl<'r, 'a> DirectWriter<'r, 'a> {
    /// Begins to write what is made of these answers. `extra` is given to every entity.
    pub(super) fn new(
        answers: &'r [SourceAnswer<'a>],
        rules: &Rules<'a>,
        extra: Option<&'r Property>,
    ) -> Self {
        let provider = answers.first().map_or("", |heard| &heard.answer.source.provider);
        let is_only = answers
            .iter()
            .all(|heard| heard.answer.source.provider == provider);
        let shapes = rules.plan.shapes(provider).filter(|_| is_only);
        let tail = |heard| shapes.map_or_else(String::new, |shapes| tail(shapes, heard));
        Self {
            answers,
            rules: *rules,
            shapes,
            tails: answers.iter().map(tail).collect(),
            extra,
            builder: None,
            texts: Vec::new(),
            own: Vec::new(),
            marks: Vec::new(),
            // Mostly two dates.
            label: String::with_capacity(32),
            first: String::new(),
            last: String::new(),
        }
    }

    /// Estimates the length of a group's entity.
    pub(super) fn length(&self, group: &Group<'a>) -> usize {
        const UNKNOWN: usize = 1024;
        let shaped = group.parts.only().zip(self.shapes);
        let length = shaped.and_then(|(part, shapes)| {
            let shape = shapes.find(part.compiled, group.type_id)?;
            Some(shapes.length(shape) + self.tails.get(part.answer).map_or(0, String::len))
        });
        length.unwrap_or(UNKNOWN) + 2 * group.value.len()
    }

    /// Writes the entity of a group.
    pub(super) fn write(&mut self, out: &mut String, group: &Group<'a>) {
        let shaped = group.parts.only().zip(self.shapes);
        let shaped = shaped.and_then(|(part, shapes)| {
            let shape = shapes.find(part.compiled, group.type_id)?;
            Some((part, shape, shapes))
        });
        match shaped {
            Some((part, shape, shapes)) => self.write_shape(out, group, part, (shape, shapes)),
            None => {
                let builder = self
                    .builder
                    .get_or_insert_with(|| EntityBuilder::new(self.answers, &self.rules));
                let mut entity = builder.build(group);
                entity.properties.extend(self.extra.cloned());
                xml::push_entity(out, &entity);
            }
        }
    }

    fn write_shape(
        &mut self,
        out: &mut String,
        group: &Group<'a>,
        part: &Part<'a>,
        (shape, shapes): (&'a Shape, &'a Shapes),
    ) {
        let value = |place| part.scope.at(place);
        self.texts.clear();
        let texts = shape.fields.iter().map(|field| match value(field.place) {
            Some(value) => field.reading.one(value, ", "),
            None => Cow::Borrowed(""),
        });
        self.texts.extend(texts);
        write_day(&mut self.first, group.period.first());
        write_day(&mut self.last, group.period.last());
        out.push_str(&shape.start);
        xml::push_text(out, &group.value);
        out.push_str(xml::AFTER_VALUE);
        self.write_rows(out, part, shape, shapes);
        xml::wrapped(out, "<AdditionalFields>", "</AdditionalFields>", |out| {
            self.write_own(out, &group.value, shape);
            for (field, text) in shape.fields.iter().zip(&self.texts) {
                if let Some(start) = &field.property {
                    xml::push_field(out, start, text);
                }
            }
            if let Some(provenance) = &shapes.provenance {
                xml::push_plain_field(out, &provenance.first_seen.field, &self.first);
                xml::push_plain_field(out, &provenance.last_seen.field, &self.last);
            }
            if let Some(tail) = self.tails.get(part.answer) {
                out.push_str(tail);
            }
            let bookmark = self.write_marks(out, group, part, shape, &shapes.provider);
            if let Some(extra) = self.extra {
                xml::push_property(out, extra);
            }
            self.write_link(out, part, shapes);
            if let Some(bookmark) = bookmark {
                xml::push_bookmark(out, bookmark);
            }
        });
        xml::wrapped(out, "<Overlays>", "</Overlays>", |out| {
            for (what, position, kind) in &self.marks {
                xml::push_overlay(out, what, *position, *kind);
            }
        });
        out.push_str("</Entity>");
    }

    /// Writes the table of the detail view.
    fn write_rows(&self, out: &mut String, part: &Part<'a>, shape: &Shape, shapes: &Shapes) {
        let before = out.len();
        out.push_str(&shapes.table);
        let mut is_empty = true;
        let mut row = |out: &mut String, start: &str, text: &str| {
            if !text.is_empty() {
                is_empty = false;
                xml::push_row(out, start, text);
            }
        };
        for (field, text) in shape.fields.iter().zip(&self.texts) {
            if let Some(start) = &field.row {
                row(out, start, text);
            }
        }
        for shown in &shape.rows {
            if let Some(value) = part.scope.at(shown.place) {
                row(out, &shown.start, &shown.reading.one(value, "\n"));
            }
        }
        if is_empty {
            out.truncate(before);
        } else {
            out.push_str(xml::TABLE_END);
        }
    }

    /// Writes the properties that the value has by itself.
    fn write_own(&mut self, out: &mut String, value: &str, shape: &Shape) {
        match &shape.own {
            ValueProperties::Nothing => {}
            ValueProperties::Value(start) => xml::push_field(out, start, value),
            ValueProperties::Name(start) if !value.contains("xn--") => xml::push_field(out, start, value),
            ValueProperties::Name(_) | ValueProperties::Several => {
                self.own.clear();
                value_properties(&shape.type_id, value, &mut self.own);
                for property in &self.own {
                    xml::push_property(out, property);
                }
            }
        }
    }

    /// Gathers the marks, and writes the properties that say who calls the entity what. Returns the bookmark.
    fn write_marks(
        &mut self,
        out: &mut String,
        group: &Group<'a>,
        part: &Part<'a>,
        shape: &Shape,
        provider: &'a str,
    ) -> Option<Bookmark> {
        self.marks.clear();
        let mut bookmark = None;
        for (mark, when) in part.rule.marks.iter().zip(&part.compiled.marks) {
            if part.scope.meets(when) {
                if let Some(text) = &mark.overlay {
                    self.mark(text, OverlayPosition::North, OverlayKind::Text);
                }
                bookmark = bookmark.or(mark.bookmark.map(Into::into));
            }
        }
        if let Some((place, scale)) = &part.compiled.band
            && let Some(Value::Integer(number)) = part.scope.at(*place)
            && let Some(band) = self.rules.scales.get(scale).and_then(|scale| scale.band(*number))
        {
            if let Some(colour) = &band.overlay {
                self.mark(colour, OverlayPosition::NorthWest, OverlayKind::Colour);
            }
            bookmark = bookmark.or(band.bookmark.map(Into::into));
        }
        if shape.has_zone
            && let Some((property, service)) = zone_mark(group.type_id, &group.value, &self.rules)
        {
            xml::push_property(out, &property);
            self.mark(service, OverlayPosition::South, OverlayKind::Text);
            bookmark = bookmark.or(Some(Bookmark::Yellow));
        }
        if shape.can_be_sinkhole {
            let mut fields = shape.fields.iter().zip(&self.texts);
            let is_said = fields.any(|(field, text)| field.says_sinkhole && text == "true");
            let source = sinkhole_source(&self.rules, group, &group.value, is_said, |_| Some(provider));
            if let Some(source) = &source {
                xml::push_property(out, &super::entity::sinkhole_property(source));
            }
            if is_said || source.is_some() {
                self.mark("Sinkhole", OverlayPosition::North, OverlayKind::Text);
                bookmark = Some(Bookmark::Red);
            }
        }
        bookmark
    }

    fn mark(&mut self, what: &'a str, position: OverlayPosition, kind: OverlayKind) {
        let mark = (what, position, kind);
        if !self.marks.contains(&mark) {
            self.marks.push(mark);
        }
    }

    /// Writes label and dates of the link.
    fn write_link(&mut self, out: &mut String, part: &Part<'a>, shapes: &Shapes) {
        let (first, last) = (self.first.as_str(), self.last.as_str());
        if let Some(template) = &part.compiled.link {
            let resolve = |field: &LinkField| match field {
                LinkField::FirstSeen => Some(Cow::Borrowed(first)).filter(|day| !day.is_empty()),
                LinkField::LastSeen => Some(Cow::Borrowed(last)).filter(|day| !day.is_empty()),
                LinkField::Other(place, reading) => {
                    let text = reading.one(part.scope.at(*place)?, ", ");
                    (!text.is_empty()).then_some(text)
                }
            };
            self.label.clear();
            if template.fill_into(&mut self.label, resolve).is_some() && !self.label.trim().is_empty() {
                xml::push_field(out, xml::LINK_LABEL, &self.label);
            }
        }
        if let Some(provenance) = &shapes.provenance {
            xml::push_plain_field(out, &provenance.first_seen.link, first);
            xml::push_plain_field(out, &provenance.last_seen.link, last);
        }
    }
}

fn write_day(out: &mut String, day: Option<Date>) {
    out.clear();
    if let Some(day) = day {
        push_day(out, day);
    }
}

/// Writes the properties that say where an answer came from.
fn tail(shapes: &Shapes, heard: &SourceAnswer<'_>) -> String {
    let Some(starts) = &shapes.provenance else {
        return String::new();
    };
    let said = provenance(heard);
    let texts = said.source.len() + said.retrieved_at.len() + said.blind.map_or(0, str::len);
    let starting = starts.source.len() + starts.retrieved_at.len() + starts.blind.len();
    let mut out = String::with_capacity(starting + texts + 3 * xml::FIELD_END.len());
    xml::push_field(&mut out, &starts.source, &said.source);
    xml::push_field(&mut out, &starts.retrieved_at, &said.retrieved_at);
    if let Some(blind) = said.blind {
        xml::push_field(&mut out, &starts.blind, blind);
    }
    out
}
