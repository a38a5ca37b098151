//! Holds what all entities of a rule, a type and a provider share, as XML that is written as it stands.
//!
//! A rule has a shape where its properties and rows are known before a record is seen. Where one property would change
//! another's name or value, there is none, and [`super::entity`] builds the entity.

use super::compiled::CompiledRule;
use super::entity_types::{DOMAIN, HOST, V4, V6, can_be_sinkhole, can_have_zone};
use super::humanised;
use super::properties::{ValueProperty, own_properties};
use super::rules::{EntityRule, PropertyRule};
use super::scope::FieldSource;
use super::texts::Reading;
use pivotd_domain::{Kind, OWN, Schema};
use pivotd_maltego::{types, xml};

/// Holds what is the same for all rules of a transform at a provider.
pub(super) struct SharedParts<'a> {
    pub(super) provider: &'a str,
    pub(super) title: &'a str,
    pub(super) schema: &'static Schema,
}

/// Holds the shapes of a provider's entities.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shapes {
    pub(super) provider: String,
    /// Begins the table of the detail view.
    pub(super) table: String,
    /// What says when and from where; nothing of what pivotd tells itself.
    pub(super) provenance: Option<Provenance>,
    /// For each rule one for each type that its entities can have.
    rules: Vec<Vec<Shape>>,
}

/// Holds the beginnings of the properties that say when and from where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Provenance {
    pub(super) first_seen: DateParts,
    pub(super) last_seen: DateParts,
    pub(super) source: String,
    pub(super) retrieved_at: String,
    pub(super) blind: String,
}

/// Holds the beginnings of a date's property and of the link's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DateParts {
    pub(super) field: String,
    pub(super) link: String,
}

/// Holds what the entities of a rule and a type share.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    pub(super) type_id: String,
    /// Begins the entity, up to its value.
    pub(super) start: String,
    pub(super) own: ValueProperties,
    pub(super) fields: Vec<ShownField>,
    /// The rows of the detail view that are no properties.
    pub(super) rows: Vec<Row>,
    /// Whether what is known of dynamic DNS and hosting can be said of it.
    pub(super) has_zone: bool,
    /// Whether it can be a sinkhole.
    pub(super) can_be_sinkhole: bool,
    /// How many bytes the entity takes at least, if it has all its properties and rows.
    pub(super) length: usize,
}

/// Says which properties a value has by itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ValueProperties {
    /// Those that [`super::properties::value_properties`] makes.
    Several,
    /// The value property, which begins like this, and for a name in Punycode its Unicode form.
    Name(String),
    /// The value property.
    Value(String),
    /// None.
    Nothing,
}

/// Is a field of the rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ShownField {
    pub(super) place: FieldSource,
    pub(super) reading: Reading,
    /// Begins the property; none where the value's own property stands for it.
    pub(super) property: Option<String>,
    /// Begins the row of the detail view; none where it is shown among the rows.
    pub(super) row: Option<String>,
    /// Whether a `true` says that the entity is a sinkhole.
    pub(super) says_sinkhole: bool,
}

/// Is a row of the detail view.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) place: FieldSource,
    pub(super) reading: Reading,
    pub(super) start: String,
}

impl Shapes {
    /// Estimates how many bytes an entity takes beside its values and what is said of its answer.
    pub(super) fn length(&self, shape: &Shape) -> usize {
        // The elements around, the value, its property and the link's label.
        const AROUND: usize = 420;
        let dated = |dated: &DateParts| dated.field.len() + dated.link.len() + 2 * 18;
        let dates = self.provenance.as_ref();
        let dates = dates.map_or(0, |starts| dated(&starts.first_seen) + dated(&starts.last_seen));
        AROUND + self.table.len() + dates + shape.length
    }

    /// Makes the shapes of a transform's rules.
    pub(super) fn compile<'a>(
        sharing: &SharedParts<'_>,
        rules: impl Iterator<Item = (&'a EntityRule, &'a CompiledRule)>,
    ) -> Self {
        let provider = sharing.provider;
        let start = |prefix, what: &str, title: &str| {
            let (name, title) = (format!("{provider}.{what}"), format!("{title} ({provider})"));
            xml::field_start(prefix, &name, &title, false)
        };
        let dated = |what, title| DateParts {
            field: start("", what, title),
            link: start("link#", what, title),
        };
        let shapes = |(rule, compiled): (&EntityRule, &CompiledRule)| {
            let types = types_of(rule, compiled).into_iter();
            types
                .filter_map(|type_id| Shape::compile(sharing, rule, compiled, type_id))
                .collect()
        };
        Self {
            provider: provider.to_owned(),
            table: xml::table_start(sharing.title),
            provenance: (provider != OWN).then(|| Provenance {
                first_seen: dated("first_seen", "First seen"),
                last_seen: dated("last_seen", "Last seen"),
                source: start("", "source", "Source"),
                retrieved_at: start("", "retrieved_at", "Retrieved at"),
                blind: start("", "blind", "Not covered"),
            }),
            rules: rules.map(shapes).collect(),
        }
    }

    /// Returns the shape of a rule's entities of a type.
    pub(super) fn find(&self, rule: &CompiledRule, type_id: &str) -> Option<&Shape> {
        let mut shapes = self.rules.get(rule.at)?.iter();
        shapes.find(|shape| shape.type_id == type_id)
    }
}

/// Lists the types that a rule's entities can have; none where it annotates the input, which can be of any type.
pub(super) fn types_of<'a>(rule: &'a EntityRule, compiled: &CompiledRule) -> Vec<&'a str> {
    if rule.on_input {
        return Vec::new();
    }
    match (rule.type_id.as_deref(), compiled.kind) {
        (Some(V4 | V6) | None, Some(Kind::Address)) => vec![V4, V6],
        (Some(type_id), _) => vec![type_id],
        (None, Some(Kind::Host)) => vec![DOMAIN, HOST],
        (None, kind) => kind.and_then(|kind| kind.entity_type()).into_iter().collect(),
    }
}

impl Shape {
    /// Makes a shape; `None` where the rule has none for this type.
    fn compile(
        sharing: &SharedParts<'_>,
        rule: &EntityRule,
        compiled: &CompiledRule,
        type_id: &str,
    ) -> Option<Self> {
        let mut titles = Titles::default();
        let mut properties = own_properties(type_id);
        let own = ValueProperties::of(type_id, &properties);
        let mut fields = Vec::with_capacity(rule.fields.len());
        for field in &rule.fields {
            let name = field.id(sharing.provider);
            let property = property(sharing, field, &name, type_id, &mut properties)?;
            let is_row = !rule.show.contains(&field.field);
            fields.push(ShownField {
                place: FieldSource::of(&field.field, compiled.list()),
                reading: Reading::of(sharing.schema, &field.field),
                says_sinkhole: property.is_some() && name.ends_with(".sinkhole"),
                property,
                row: if is_row {
                    Some(titles.row(&field.title)?)
                } else {
                    None
                },
            });
        }
        let rows = rule.show.iter().map(|name| {
            let field = rule.fields.iter().find(|field| field.field == *name);
            let start = match field {
                Some(field) => titles.row(&field.title),
                None => titles.row(&humanised(name)),
            };
            Some(Row {
                place: FieldSource::of(name, compiled.list()),
                reading: Reading::of(sharing.schema, name),
                start: start?,
            })
        });
        let rows = rows.collect::<Option<Vec<_>>>()?;
        let properties = fields.iter().filter_map(|field| field.property.as_deref());
        let all_rows = fields.iter().filter_map(|field| field.row.as_deref());
        let all_rows = all_rows.chain(rows.iter().map(|row| row.start.as_str()));
        let length = properties.map(|start| start.len() + 20).sum::<usize>()
            + all_rows.map(|start| start.len() + 30).sum::<usize>();
        Some(Self {
            length,
            type_id: type_id.to_owned(),
            start: xml::entity_start(type_id),
            own,
            fields,
            rows,
            has_zone: can_have_zone(type_id),
            can_be_sinkhole: can_be_sinkhole(type_id),
        })
    }
}

impl ValueProperties {
    fn of(type_id: &str, properties: &[ValueProperty]) -> Self {
        let mut certain = properties.iter().filter(|one| one.is_certain);
        let is_name = properties.iter().any(|one| one.name == "pivotd.unicode");
        let has_more = properties.len() > 1 && !is_name;
        match certain.next() {
            _ if has_more => Self::Several,
            None => Self::Nothing,
            Some(one) => {
                let strict = types::property(type_id, &one.name).is_some_and(|known| known.strict);
                let start = xml::field_start("", &one.name, &one.title, strict);
                if is_name {
                    Self::Name(start)
                } else {
                    Self::Value(start)
                }
            }
        }
    }
}

/// Begins the property of a field: `Some(None)` where the value's own stands for it, `None` where that is known of each
/// record only.
fn property(
    sharing: &SharedParts<'_>,
    field: &PropertyRule,
    name: &str,
    type_id: &str,
    known: &mut Vec<ValueProperty>,
) -> Option<Option<String>> {
    if is_added_later(name, sharing.provider) {
        return None;
    }
    if let Some(known) = known.iter().find(|one| one.name == name) {
        return (known.is_certain && field.property.is_some()).then_some(None);
    }
    let title = match known
        .iter()
        .find(|one| one.title.eq_ignore_ascii_case(&field.title))
    {
        None => field.title.clone(),
        Some(one) if one.is_certain => format!("{} ({})", field.title, sharing.provider),
        Some(_) => return None,
    };
    let strict = field.strict || types::property(type_id, name).is_some_and(|known| known.strict);
    let start = xml::field_start("", name, &title, strict);
    known.push(ValueProperty {
        name: name.into(),
        title: title.into(),
        is_certain: false,
    });
    Some(Some(start))
}

/// Tells whether every entity may be given a property of this name, or its link.
fn is_added_later(name: &str, provider: &str) -> bool {
    let of_provider = |what: &str| {
        name.strip_prefix(provider)
            .and_then(|rest| rest.strip_prefix('.'))
            == Some(what)
    };
    name.ends_with(".first_seen")
        || name.ends_with(".last_seen")
        || ["source", "retrieved_at", "blind"]
            .iter()
            .any(|what| of_provider(what))
        || matches!(name, "pivotd.dynamic_dns" | "pivotd.hosting" | "pivotd.sinkhole")
}

/// Holds the titles of rows, of which none stands twice.
#[derive(Default)]
struct Titles(Vec<String>);

impl Titles {
    /// Begins a row; `None` where its title is taken.
    fn row(&mut self, title: &str) -> Option<String> {
        if self.0.iter().any(|known| known.eq_ignore_ascii_case(title)) {
            return None;
        }
        self.0.push(title.to_owned());
        Some(xml::row_start(title))
    }
}
