use jiff::civil::date;

use super::{day, property, run, values};
use crate::ask::report::EntityView;
use crate::domain::Record;
use crate::mapping::DateWindow;

const RULES: &str = "[[transform.entity]]\nvalue = \"ip\"";

fn history() -> Vec<Record> {
    let record = |ip: &str, first: i16, last: i16| {
        Record::new()
            .with("ip", ip)
            .with("first_seen", day(first))
            .with("last_seen", day(last))
    };
    vec![
        record("192.0.2.1", 2010, 2011),
        record("192.0.2.2", 2012, 2013),
        record("192.0.2.3", 2013, 2015),
        Record::new()
            .with("ip", "192.0.2.4")
            .with("first_seen", day(2014))
            .with("current", true),
        Record::new().with("ip", "192.0.2.5"),
        record("192.0.2.1", 2016, 2017),
    ]
}

#[test]
fn the_newest_come_first_and_the_limit_counts_entities() {
    let mapped = run("ip-history", RULES, history(), &DateWindow::default(), 3);
    assert_eq!(values(&mapped.entities), ["192.0.2.4", "192.0.2.1", "192.0.2.3"]);
    assert_eq!(
        (mapped.shown, mapped.total_mapped, mapped.dropped.outside),
        (3, 5, 0)
    );
}

#[test]
fn an_entity_says_of_each_period_that_a_source_saw_it() {
    let mut records = history();
    let next_day = day(2017).tomorrow().unwrap();
    records.push(Record::new().with("ip", "192.0.2.1").with("first_seen", next_day));
    let of = |records: Vec<Record>, ip: &str| {
        let mapped = run("ip-history", RULES, records, &DateWindow::default(), 10);
        mapped.entities.into_iter().find(|one| one.value == ip).unwrap()
    };
    let one = of(history(), "192.0.2.1");
    assert_eq!(property(&one, "domaintools.first_seen"), Some("2010-05-20"));
    assert_eq!(property(&one, "domaintools.last_seen"), Some("2017-05-20"));
    let seen = |entity: &crate::maltego::Entity| -> Vec<_> {
        let seen = EntityView::from(entity).observations.into_iter();
        seen.map(|one| (one.first_seen, one.last_seen)).collect()
    };
    let apart = (Some(day(2010)), Some(day(2011)));
    assert_eq!(seen(&one), [apart, (Some(day(2016)), Some(day(2017)))]);
    assert_eq!(seen(&of(records, "192.0.2.1")), [apart, (Some(day(2016)), None)]);
    assert_eq!(seen(&of(history(), "192.0.2.5")), [(None, None)]);
    assert_eq!(seen(&of(history(), "192.0.2.4")), [(Some(day(2014)), None)]);
}

#[test]
fn a_period_that_touches_the_window_belongs_to_it() {
    let window = DateWindow {
        since: Some(date(2013, 5, 20)),
        until: Some(date(2013, 12, 31)),
        near: None,
        ..DateWindow::default()
    };
    let mapped = run("ip-history", RULES, history(), &window, 10);
    // The first address is outside: it was there before and after, not then.
    assert_eq!(values(&mapped.entities), ["192.0.2.3", "192.0.2.2", "192.0.2.5"]);
    assert_eq!(
        (mapped.shown, mapped.total_mapped, mapped.dropped.outside),
        (3, 5, 2)
    );
    let later = DateWindow {
        since: Some(date(2020, 1, 1)),
        ..DateWindow::default()
    };
    let mapped = run("ip-history", RULES, history(), &later, 10);
    assert_eq!(
        values(&mapped.entities),
        ["192.0.2.4", "192.0.2.5"],
        "what still holds touches every later window"
    );
    let earlier = DateWindow {
        until: Some(date(2009, 1, 1)),
        ..DateWindow::default()
    };
    let mapped = run("ip-history", RULES, history(), &earlier, 10);
    assert_eq!(
        values(&mapped.entities),
        ["192.0.2.5"],
        "an unknown date excludes nothing"
    );
}

#[test]
fn the_nearest_come_first() {
    let window = DateWindow {
        near: Some(date(2011, 6, 1)),
        ..DateWindow::default()
    };
    let mapped = run("ip-history", RULES, history(), &window, 10);
    assert_eq!(
        values(&mapped.entities),
        ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"]
    );
}

#[test]
fn the_rarest_come_first_where_counts_are_known() {
    let record = |host: &str, count: i64| Record::new().with("host", host).with("count", count);
    let records = vec![
        record("a.example.net", 500),
        Record::new().with("host", "b.example.net"),
        record("c.example.net", 2),
        record("d.example.net", 2),
        record("a.example.net", 3),
    ];
    let mapped = run(
        "pivots",
        "[[transform.entity]]\nvalue = \"host\"",
        records,
        &DateWindow::default(),
        10,
    );
    assert_eq!(
        values(&mapped.entities),
        ["c.example.net", "d.example.net", "a.example.net", "b.example.net"]
    );
}
