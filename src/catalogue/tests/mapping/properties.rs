use proptest::prelude::*;

use super::{day, mapped, property};
use crate::domain::Record;
use crate::mapping::Template;

proptest! {
    #[test]
    fn no_template_panics(text in "(\\{|\\}|\\[|\\]|ip|é| |.){0,30}") {
        if let Ok(template) = Template::parse(&text) {
            prop_assert_eq!(template.to_string(), text);
            let names: Vec<String> = template.fields().map(str::to_owned).collect();
            prop_assert_eq!(template.fill(|_| None).is_none(), template.pieces.iter().any(|piece| matches!(piece, crate::mapping::TemplatePart::Field(_))));
            let all = template.fill(|name| names.iter().any(|known| known == name).then(|| "x".into()));
            prop_assert!(all.is_some());
        }
    }

    #[test]
    fn the_order_of_records_does_not_change_dates(
        periods in prop::collection::vec((prop::option::of(1990i16..2026), prop::option::of(1990i16..2026), any::<bool>()), 1..8),
        turn in 0usize..8,
    ) {
        let record = |(first, last, current): &(Option<i16>, Option<i16>, bool)| {
            let record = Record::new().with("ip", "192.0.2.7").with_some("first_seen", first.map(day));
            if *current { record.with("current", true) } else { record.with_some("last_seen", last.map(day)) }
        };
        let records: Vec<Record> = periods.iter().map(record).collect();
        let mut turned = records.clone();
        let len = turned.len();
        turned.rotate_left(turn % len);
        turned.reverse();
        let rules = "[[transform.entity]]\nvalue = \"ip\"\nlink = \"[{first_seen}][ to {last_seen}]\"";
        let (one, two) = (mapped("ip-history", rules, records), mapped("ip-history", rules, turned));
        prop_assert_eq!(&one, &two);
        let (first, last) = (property(&one[0], "domaintools.first_seen"), property(&one[0], "domaintools.last_seen"));
        if let (Some(first), Some(last)) = (first, last) {
            prop_assert!(first <= last);
        }
    }

    #[test]
    fn annotated_inputs_keep_what_they_came_with(value in ".{0,20}", strict in ".{0,20}") {
        let given = [crate::maltego::Property::strict("fqdn", "DNS Name", strict)];
        let settings = super::settings("risk", "[[transform.entity]]\non = \"input\"\nfields = { score = { property = \"fqdn\" } }");
        let answer = super::answer(crate::domain::Capability::Risk, vec![Record::new().with("score", 5)]);
        let input = crate::mapping::MappedInput { type_id: "maltego.Domain", value: &value, properties: &given, instead: None };
        let mapped = crate::mapping::map(&[crate::mapping::SourceAnswer::whole(&answer, super::at())], &super::rules_of(&settings), &input, &crate::mapping::Selection::up_to(1));
        prop_assert_eq!(&mapped.entities[0].value, &value);
        prop_assert_eq!(&mapped.entities[0].type_id, "maltego.Domain");
        let strict: Vec<_> = mapped.entities[0].properties.iter().filter(|one| one.strict).collect();
        prop_assert_eq!(strict, given.iter().collect::<Vec<_>>());
    }
}
