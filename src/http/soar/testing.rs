//! What tests of bodies share.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Makes any JSON, values that look like indicators among it.
pub(in crate::http) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,16}".prop_map(Value::from),
        "[a-z0-9@:/.,\\[\\]' -]{0,24}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-c]{1,2}", inner, 0..3).prop_map(|members| json!(members)),
        ]
    })
}
