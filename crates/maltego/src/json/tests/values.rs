//! Values of settings, from the forms that clients give them.

use serde_json::{Value, json};

use crate::json::values::{self, settings, starting};
use crate::listing::TransformSetting;
use crate::settings::SettingKind;

fn listed(name: &str, kind: SettingKind) -> TransformSetting {
    TransformSetting {
        name: name.to_owned(),
        kind,
        display: String::new(),
        default: None,
        optional: true,
        popup: false,
        secret: false,
    }
}

fn one(kind: SettingKind, value: Value) -> String {
    let read = settings(
        &[("acme.a".to_owned(), value)],
        "acme.t",
        &[listed("acme.a", kind)],
    );
    read[0].1.clone()
}

#[test]
fn values_get_the_form_of_their_type() {
    for (kind, value, text) in [
        (SettingKind::Text, json!("k"), "k"),
        (SettingKind::Text, json!(5), "5"),
        (SettingKind::Text, json!(null), ""),
        (SettingKind::Text, json!(["x", "y"]), "x, y"),
        (SettingKind::Int, json!(7), "7"),
        (SettingKind::Int, json!(7.0), "7"),
        (SettingKind::Int, json!("7"), "7"),
        (SettingKind::Boolean, json!(true), "true"),
        (SettingKind::Boolean, json!(1), "true"),
        (SettingKind::Boolean, json!(0), "false"),
        (SettingKind::Boolean, json!("False"), "False"),
        (SettingKind::Date, json!("2023-02-16"), "2023-02-16"),
        (SettingKind::Date, json!(1_676_505_600), "2023-02-16"),
        (SettingKind::Date, json!(1_676_505_600_000_i64), "2023-02-16"),
        (
            SettingKind::DateTime,
            json!(1_676_505_600),
            "2023-02-16T00:00:00Z",
        ),
        (SettingKind::Date, json!("soon"), "soon"),
    ] {
        assert_eq!(one(kind, value.clone()), text, "{kind:?} {value}");
    }
}

#[test]
fn names_are_found_behind_what_clients_put_before_them() {
    let listed = [
        listed("acme.since", SettingKind::Date),
        listed("global#acme.key", SettingKind::Text),
    ];
    let read = |name: &str| {
        settings(&[(name.to_owned(), json!("v"))], "acme.whois", &listed)[0]
            .0
            .clone()
    };
    for (sent, name) in [
        ("acme.since", "acme.since"),
        ("acme.whois.acme.since", "acme.since"),
        ("global#acme.key", "global#acme.key"),
        ("acme.global.global#acme.key", "global#acme.key"),
        ("unknown.one", "unknown.one"),
    ] {
        assert_eq!(read(sent), name, "{sent}");
    }
    let twice = [
        ("acme.since".to_owned(), json!("a")),
        ("acme.since".to_owned(), json!("b")),
    ];
    assert_eq!(
        settings(&twice, "acme.whois", &listed),
        [("acme.since".to_owned(), "b".to_owned())]
    );
}

#[test]
fn what_a_setting_starts_with_has_its_type() {
    assert_eq!(starting("true", SettingKind::Boolean), json!(true));
    assert_eq!(starting("30", SettingKind::Int), json!(30));
    assert_eq!(starting("0.5", SettingKind::Double), json!(0.5));
    assert_eq!(starting("2024-01-02", SettingKind::Date), json!("2024-01-02"));
    assert_eq!(starting("many", SettingKind::Int), json!("many"));
}

#[test]
fn objects_are_no_texts() {
    assert_eq!(values::text(&json!({"a": 1})), None);
    assert_eq!(values::text(&json!([])), None);
}
