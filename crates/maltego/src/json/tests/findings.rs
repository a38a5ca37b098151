//! Entities that are copied from a run to the next one.

use proptest::prelude::*;

use crate::json::event::Event;
use crate::json::finding::WrittenFinding;
use crate::response::{DisplayInformation, LinkProperty};
use crate::{Entity, Property};

fn written(event: &Event<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(event.write("2026-12-01 02:03:04.000005", &mut out));
    out
}

fn entities() -> impl Strategy<Value = Entity> {
    let texts = proptest::collection::vec(".{0,12}", 6);
    (prop_oneof!["maltego.Domain", "acme.Own", ""], texts).prop_map(|(type_id, texts)| {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().unwrap_or_default();
        let mut entity = Entity::new(&type_id, next());
        entity.properties = vec![Property::loose("acme.one", "One", next())];
        entity.link = vec![
            LinkProperty::Label(next().into()),
            LinkProperty::Custom("acme.two".into(), "".into(), next().into()),
        ];
        entity.display_information = vec![DisplayInformation {
            name: next().into(),
            html: next(),
        }];
        entity
    })
}

proptest! {
    #[test]
    fn a_copy_is_what_is_written_anew(entity in entities(), id in ".{0,8}", link in ".{0,8}", source in ".{0,8}") {
        let finding = WrittenFinding::new(&entity).unwrap();
        prop_assert_eq!(
            written(&Event::FoundAgain(&id, &finding)),
            written(&Event::Found(&id, &entity))
        );
        prop_assert_eq!(
            written(&Event::LinkedAgain(&link, &source, &id, &finding)),
            written(&Event::Linked(&link, &source, &id, &entity.link))
        );
    }
}
