//! Lays out entities that a run found, as a table.

use std::collections::{BTreeMap, BTreeSet};

use super::follow::Step;
use super::table::{Column, WIDE, natural, render};
use crate::ask::report::EntityView;
use crate::graph::select::marks_of;
use crate::maltego::types;

/// What is told of so many entities, such as the reputation of one address, is shown whole, in several lines.
const FEW: usize = 1;

/// Lays out entities within `width`, with those marked that are new on a graph. Where that is narrow and all have one
/// source, it is returned instead of shown in each row.
pub(super) fn entities(
    entities: &[EntityView],
    step: Option<&Step<'_>>,
    width: usize,
) -> (String, Option<String>) {
    let sources: Vec<String> = entities.iter().map(sources).collect();
    let one = sources
        .first()
        .filter(|first| !first.is_empty() && sources.iter().all(|other| other == *first))
        .cloned();
    let mut columns = columns(entities, step);
    if one.is_some() && natural(&columns) > width {
        columns.pop();
        return (render(columns, width, WIDE), one);
    }
    (render(columns, width, WIDE), None)
}

fn marks(entity: &EntityView) -> String {
    let marks = marks_of(&entity.marks, &entity.properties);
    marks.into_iter().collect::<Vec<_>>().join(", ")
}

fn sources(entity: &EntityView) -> String {
    named(entity, ".source").join(", ")
}

/// Makes the columns of entities, the sources last.
pub(super) fn columns(entities: &[EntityView], step: Option<&Step<'_>>) -> Vec<Column> {
    let is_new = |entity: &EntityView| step.is_some_and(|step| step.is_new(entity));
    vec![
        Column::fixed(
            "Type",
            entities.iter().map(|entity| short(&entity.type_id).to_owned()),
        ),
        Column::main("Value", entities.iter().map(|entity| entity.value.clone())),
        Column::words("Marks", entities.iter().map(marks)),
        Column::fixed(
            "New",
            entities
                .iter()
                .map(|entity| if is_new(entity) { "new" } else { "" }.to_owned()),
        ),
        Column::fixed(
            "First seen",
            entities.iter().map(|entity| date(entity, ".first_seen", false)),
        ),
        Column::fixed(
            "Last seen",
            entities.iter().map(|entity| date(entity, ".last_seen", true)),
        ),
        Column::flexible("Link", entities.iter().map(link)),
        if entities.len() > FEW {
            Column::flexible("Details", entities.iter().map(details))
        } else {
            Column::words("Details", entities.iter().map(details))
        },
        Column::flexible("Source", entities.iter().map(sources)),
    ]
}

fn short(type_id: &str) -> &str {
    type_id.strip_prefix("maltego.").unwrap_or(type_id)
}

/// Returns the different values of properties whose id ends so; each provider has its own.
fn named<'a>(entity: &'a EntityView, end: &str) -> Vec<&'a str> {
    let values = entity.properties.iter().filter(|(name, _)| name.ends_with(end));
    values
        .map(|(_, value)| value.as_str())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Returns the first or last of the dates that providers give.
fn date(entity: &EntityView, end: &str, last: bool) -> String {
    let dates = named(entity, end);
    let date = if last { dates.last() } else { dates.first() };
    date.map(|date| (*date).to_owned()).unwrap_or_default()
}

/// Returns the link's label, unless the dates beside it say the same.
fn link(entity: &EntityView) -> String {
    let Some(label) = &entity.link else {
        return String::new();
    };
    let mut rest = label.clone();
    for known in [
        date(entity, ".first_seen", false),
        date(entity, ".last_seen", true),
    ] {
        if !known.is_empty() {
            rest = rest.replace(&known, "");
        }
    }
    let says_nothing = rest
        .split_whitespace()
        .all(|word| matches!(word, "to" | "-" | "–" | "until" | "since"));
    if says_nothing {
        String::new()
    } else {
        label.clone()
    }
}

/// Returns what else the entity tells, without what is in other columns and what every entity of the type repeats.
fn details(entity: &EntityView) -> String {
    const ELSEWHERE: [&str; 5] = [".first_seen", ".last_seen", ".source", ".retrieved_at", ".sample"];
    let known = types::lookup(&entity.type_id);
    let is_value = |name: &str| known.is_some_and(|known| known.value_property == Some(name));
    let told = entity.properties.iter().filter(|(name, value)| {
        !ELSEWHERE.iter().any(|end| name.ends_with(end)) && !is_value(name) && **value != entity.value
    });
    // What a property is called, and which providers say each of its values.
    let mut by_name: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (name, value) in told {
        let values = by_name.entry(types::last_part(name)).or_default();
        let provider = name.split_once('.').map(|(provider, _)| provider);
        values.entry(value).or_default().extend(provider);
    }
    let told = by_name.into_iter().map(|(name, values)| {
        let is_agreed = values.len() == 1;
        let values = values.into_iter().map(|(value, providers)| {
            if is_agreed || providers.is_empty() {
                return value.to_owned();
            }
            let providers: Vec<&str> = providers.into_iter().collect();
            format!("{value} ({})", providers.join(", "))
        });
        (name, values.collect::<Vec<_>>().join(", "))
    });
    let mut told: Vec<(&str, String)> = told.collect();
    // Long texts are cut, so that short facts, such as a score, go before them, and whose it is before all.
    told.sort_by_key(|(name, values)| (!name.starts_with("registrantName"), values.len()));
    let told = told.into_iter().map(|(name, values)| format!("{name}: {values}"));
    told.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(link: &str, properties: &[(&str, &str)]) -> EntityView {
        EntityView {
            type_id: "maltego.IPv4Address".to_owned(),
            value: "192.0.2.7".to_owned(),
            strict: BTreeSet::new(),
            marks: BTreeSet::new(),
            properties: properties
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            link: Some(link.to_owned()),
            observations: Vec::new(),
        }
    }

    const DATES: [(&str, &str); 3] = [
        ("acme.first_seen", "2013-01-02"),
        ("acme.last_seen", "2014-03-04"),
        ("other.last_seen", "2015-05-06"),
    ];

    #[test]
    fn dates_of_several_providers_span_the_whole_period() {
        let entity = entity("", &DATES);
        assert_eq!(date(&entity, ".first_seen", false), "2013-01-02");
        assert_eq!(date(&entity, ".last_seen", true), "2015-05-06");
    }

    #[test]
    fn a_link_is_shown_only_where_it_says_more_than_the_dates() {
        assert_eq!(link(&entity("2013-01-02 to 2015-05-06", &DATES)), "");
        assert_eq!(link(&entity("Change 2013-01-02", &DATES)), "Change 2013-01-02");
    }

    #[test]
    fn details_leave_out_what_stands_elsewhere() {
        let entity = entity(
            "",
            &[
                ("acme.about", "a long text about it"),
                ("acme.score", "87"),
                ("acme.source", "Acme"),
                ("ipv4-address", "192.0.2.7"),
            ],
        );
        assert_eq!(details(&entity), "score: 87; about: a long text about it");
    }

    #[test]
    fn what_providers_agree_on_is_said_once_and_the_rest_with_who_says_it() {
        let entity = entity(
            "",
            &[
                ("acme.observations", "61"),
                ("acme.registrar", "Foo"),
                ("acme.type", "A"),
                ("fourth.registrar", "Foo"),
                ("other.observations", "61"),
                ("other.registrar", "Bar"),
                ("other.type", "A"),
            ],
        );
        assert_eq!(
            details(&entity),
            "type: A; observations: 61; registrar: Bar (other), Foo (acme, fourth)"
        );
    }

    #[test]
    fn what_is_told_of_few_is_shown_whole() {
        let told =
            "reputation: low; flags: new_domain, suspicious; reasons: 3 references, domain reputation low";
        let one = entity("", &[("acme.about", told)]);
        for width in [60, 80] {
            let (table, _) = entities(std::slice::from_ref(&one), None, width);
            for word in told.split_whitespace() {
                assert!(table.contains(word), "{width}: {word}\n{table}");
            }
        }
    }

    #[test]
    fn marks_are_shown_beside_the_value_at_any_width() {
        let mut one = entity(
            "holds the address",
            &[("acme.about", "a long text ".repeat(9).as_str())],
        );
        one.marks.insert("Sinkhole".to_owned());
        let other = entity("holds the address", &[("acme.dynamic_dns", "true")]);
        for width in [40, 80, 140] {
            let (table, _) = entities(&[one.clone(), other.clone()], None, width);
            assert!(
                table.contains("sinkhole") && table.contains("dynamic-dns"),
                "{width}:\n{table}"
            );
        }
        let many = vec![one.clone(); FEW + 1];
        let (narrow, _) = entities(&many, None, 40);
        let below = narrow.split_once("not shown").unwrap().1;
        assert!(below.contains("Details") && below.contains("--wide"), "{narrow}");
        assert!(!details(&one).contains("inkhole"), "{}", details(&one));
    }
}
