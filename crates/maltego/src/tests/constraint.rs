//! Constraints of inputs.

use proptest::prelude::*;
use serde_json::json;

use crate::constraint::{
    InputConstraint, KnownProperty, MatchPlace, Operation, Pattern, PropertyConstraint, PropertyPart,
    known_properties,
};
use crate::request::InputEntity;

fn phrase(value: &str, fields: &[(&str, &str)]) -> InputEntity {
    InputEntity {
        type_id: "maltego.Phrase".to_owned(),
        ancestors: vec!["maltego.Phrase".to_owned()],
        value: value.to_owned(),
        fields: fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..InputEntity::default()
    }
}

fn regex(part: PropertyPart, pattern: &str) -> PropertyConstraint {
    let pattern = Pattern::try_from(pattern.to_owned()).unwrap();
    PropertyConstraint::Regex { part, pattern }
}

fn equals(part: PropertyPart, value: &str) -> PropertyConstraint {
    PropertyConstraint::Equals {
        part,
        value: value.to_owned(),
        ignore_case: false,
    }
}

fn check(constraint: &InputConstraint, entity: &InputEntity) -> Option<bool> {
    constraint.check(entity, &known_properties(entity))
}

#[test]
fn constraints_are_written_as_protocol_v3_has_them() {
    let of_text = InputConstraint::Property(PropertyConstraint::Composite(
        Operation::All,
        vec![
            equals(PropertyPart::Name, "text"),
            regex(PropertyPart::Value, "^ok"),
        ],
    ));
    assert_eq!(
        of_text.json(),
        json!({"type": "property_satisfies_all", "operation": "all", "constraints": [
            {"type": "property_name_equals", "value": "text", "ignore_case": false},
            {"type": "property_value_matches_regex", "regex": "^ok"},
        ]})
    );
    let other = InputConstraint::Composite(
        Operation::None,
        vec![
            InputConstraint::Type("maltego.Domain".to_owned()),
            InputConstraint::Property(PropertyConstraint::Matches {
                part: PropertyPart::DisplayName,
                place: MatchPlace::EndsWith,
                value: "x".to_owned(),
                ignore_case: true,
            }),
            InputConstraint::Property(PropertyConstraint::TypeEquals {
                value: "STRING".to_owned(),
                ignore_case: false,
            }),
        ],
    );
    let one = |constraint| json!({"type": "property_satisfies_all", "operation": "all", "constraints": [constraint]});
    assert_eq!(
        other.json(),
        json!({"type": "entity_satisfies_none", "operation": "none", "constraints": [
            {"type": "entity_type_constraint", "entity_type": "maltego.Domain"},
            one(json!({
                "type": "property_display_name_string_match", "match_type": "endswith", "value": "x", "ignore_case": true,
            })),
            one(json!({"type": "property_type_equals", "value": "STRING", "ignore_case": false})),
        ]})
    );
    let carried = serde_json::to_string(&of_text).unwrap();
    assert_eq!(
        serde_json::from_str::<InputConstraint>(&carried).unwrap(),
        of_text
    );
}

#[test]
fn a_classic_entity_is_judged_by_what_it_tells() {
    let ok = InputConstraint::Property(PropertyConstraint::Composite(
        Operation::All,
        vec![
            equals(PropertyPart::Name, "text"),
            regex(PropertyPart::Value, "ok"),
        ],
    ));
    for (value, fields, expected) in [
        ("ok then", &[][..], true),
        ("not ok", &[], false),
        ("no", &[("other", "ok")], false),
        ("no", &[("text", "ok")], true),
    ] {
        assert_eq!(
            check(&ok, &phrase(value, fields)),
            Some(expected),
            "{value} {fields:?}"
        );
    }
    // What classic clients do not tell rejects nothing.
    let display = InputConstraint::Property(equals(PropertyPart::DisplayName, "Text"));
    assert_eq!(check(&display, &phrase("ok", &[])), None);
    let ok_phrase = phrase("ok", &[]);
    assert_eq!(
        display.rejection("T", &ok_phrase, &known_properties(&ok_phrase)),
        None
    );
    let long = "o".repeat(1025);
    let pattern = InputConstraint::Property(regex(PropertyPart::Value, "^o+$"));
    assert_eq!(check(&pattern, &phrase(&long, &[])), Some(false));
    assert_eq!(check(&pattern, &phrase(&"o".repeat(1024), &[])), Some(true));
    let typed = InputConstraint::Type("maltego.Domain".to_owned());
    assert_eq!(check(&typed, &phrase("ok", &[])), Some(false));
    assert_eq!(check(&typed, &InputEntity::default()), None);
    assert_eq!(
        pattern.rejection("To it", &phrase("no", &[]), &known_properties(&phrase("no", &[]))),
        Some(
            "Transform 'To it' rejected input: it takes an entity with a property whose value matches \"^o+$\"; nothing was \
             looked up"
                .to_owned()
        )
    );
}

#[test]
fn regular_expressions_are_bounded() {
    for wrong in ["(", "a(?=b)", r"(a)\1", "(?:a{1000}){1000}", &"a".repeat(1001)] {
        assert!(Pattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

fn any_part() -> impl Strategy<Value = PropertyPart> {
    prop::sample::select(vec![
        PropertyPart::Value,
        PropertyPart::DisplayName,
        PropertyPart::Name,
    ])
}

fn any_operation() -> impl Strategy<Value = Operation> {
    prop::sample::select(vec![Operation::All, Operation::Any, Operation::None])
}

fn any_property_constraint() -> impl Strategy<Value = PropertyConstraint> {
    let leaf = prop_oneof![
        (any_part(), "[aAb]{0,2}", any::<bool>()).prop_map(|(part, value, ignore_case)| {
            PropertyConstraint::Equals {
                part,
                value,
                ignore_case,
            }
        }),
        ("[aAb]{0,2}", any::<bool>())
            .prop_map(|(value, ignore_case)| PropertyConstraint::TypeEquals { value, ignore_case }),
        (any_part(), "[aAb]{0,2}", any::<bool>()).prop_map(|(part, value, ignore_case)| {
            PropertyConstraint::Matches {
                part,
                place: MatchPlace::StartsWith,
                value,
                ignore_case,
            }
        }),
        (any_part(), "\\^?[ab]{0,2}\\$?").prop_map(|(part, pattern)| regex(part, &pattern)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        (any_operation(), prop::collection::vec(inner, 0..3))
            .prop_map(|(operation, parts)| PropertyConstraint::Composite(operation, parts))
    })
}

fn any_constraint() -> impl Strategy<Value = InputConstraint> {
    let leaf = prop_oneof![
        Just(InputConstraint::Type("maltego.Phrase".to_owned())),
        any_property_constraint().prop_map(InputConstraint::Property),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        (any_operation(), prop::collection::vec(inner, 0..3))
            .prop_map(|(operation, parts)| InputConstraint::Composite(operation, parts))
    })
}

type Texts = (String, String, String, Vec<String>);

fn any_texts() -> impl Strategy<Value = Texts> {
    (
        "[aAb]{0,2}",
        "[aAb]{0,2}",
        "[aAb]{0,2}",
        prop::collection::vec("[aAb]{0,2}", 0..3),
    )
}

fn known<'a>(texts: &'a Texts, told: &[bool; 4]) -> KnownProperty<'a> {
    KnownProperty {
        name: told[0].then_some(&texts.0),
        display_name: told[1].then_some(&texts.1),
        kind: told[2].then_some(&texts.2),
        values: told[3].then(|| texts.3.clone()),
    }
}

proptest! {
    #[test]
    fn what_is_decided_stays_so_whatever_else_is_known(
        constraint in any_constraint(),
        properties in prop::collection::vec((any_texts(), any::<[bool; 4]>()), 0..4),
    ) {
        let entity = phrase("a", &[]);
        let all: Vec<_> = properties.iter().map(|(texts, _)| known(texts, &[true; 4])).collect();
        let some: Vec<_> = properties.iter().map(|(texts, told)| known(texts, told)).collect();
        let whole = constraint.check(&entity, &all);
        prop_assert!(whole.is_some(), "all is known");
        let part = constraint.check(&entity, &some);
        prop_assert!(part.is_none() || part == whole, "{constraint:?}");
    }

    #[test]
    fn operations_say_what_they_are_called(
        parts in prop::collection::vec(any_constraint(), 0..4),
        properties in prop::collection::vec(any_texts(), 0..4),
    ) {
        let entity = phrase("a", &[]);
        let properties: Vec<_> = properties.iter().map(|texts| known(texts, &[true; 4])).collect();
        let single: Vec<bool> =
            parts.iter().map(|part| part.check(&entity, &properties).unwrap()).collect();
        for (operation, expected) in [
            (Operation::All, single.iter().all(|one| *one)),
            (Operation::Any, single.iter().any(|one| *one)),
            (Operation::None, !single.iter().any(|one| *one)),
        ] {
            let composite = InputConstraint::Composite(operation, parts.clone());
            prop_assert_eq!(composite.check(&entity, &properties), Some(expected));
        }
    }
}
