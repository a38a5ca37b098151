//! Holds for any graph: files, the order of merging, unions of periods.

use proptest::prelude::*;

use super::*;

fn day() -> impl Strategy<Value = Option<Date>> {
    prop::option::of((2000i16..2020, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| jiff::civil::date(y, m, d)))
}

fn observation() -> impl Strategy<Value = Observation> {
    ("[a-c]", day(), day()).prop_map(|(source, first, last)| {
        let turned = matches!((first, last), (Some(first), Some(last)) if first > last);
        Observation {
            source,
            first_seen: if turned { last } else { first },
            last_seen: if turned { first } else { last },
        }
    })
}

/// Builds a graph in which addresses are reached from names, in the order of the observations.
fn reached(found: &[(usize, usize, Observation)]) -> Graph {
    let mut graph = Graph::default();
    graph.begin("x.resolutions");
    for at in 0..4 {
        graph.give(domain(&format!("{at}.example")));
    }
    for address in 0..3 {
        graph.add(Node::from(view(
            "maltego.IPv4Address",
            &format!("192.0.2.{address}"),
            &[],
            &[],
        )));
    }
    for (from, address, observation) in found {
        let mut entity = view("maltego.IPv4Address", &format!("192.0.2.{address}"), &[], &[]);
        entity.observations = vec![observation.clone()];
        graph.found(*from, "x.resolutions", vec![entity]);
    }
    graph
}

proptest! {
    #[test]
    fn a_graph_comes_back_as_it_was_written(values in prop::collection::vec(("[a-z.]{1,12}", "[^\u{0}-\u{1f}\u{a0}\u{fffe}\u{ffff}]{0,12}", any::<bool>()), 1..8)) {
        let mut graph = Graph::default();
        for (name, value, strict) in &values {
            let strict = strict.then(|| name.clone()).into_iter().collect();
            let to = graph.add(Node {
                type_id: "maltego.Phrase".to_owned(),
                value: value.clone(),
                properties: BTreeMap::from([(name.clone(), format!("v{value}"))]),
                strict,
                marks: BTreeSet::from(["Sinkhole".to_owned()]),
                ..Node::default()
            });
            graph.link(Link { from: 0, to, transform: name.clone(), label: value.clone(), ..Link::default() });
        }
        let text = to_graphml(&graph).unwrap();
        prop_assert_eq!(&read_graphml(&text).unwrap(), &graph, "{}", text);
        let text = to_json(&graph).unwrap();
        prop_assert_eq!(read_json(&text).unwrap(), graph, "{}", text);
    }

    #[test]
    fn the_order_of_merging_does_not_matter_for_periods(
        found in prop::collection::vec((0usize..4, 0usize..3, observation()), 0..12),
        seed in any::<prop::sample::Index>(),
    ) {
        let graph = reached(&found);
        let mut turned = found.clone();
        turned.reverse();
        if !turned.is_empty() {
            let at = seed.index(turned.len());
            turned.rotate_left(at);
        }
        let other = reached(&turned);
        prop_assert_eq!(graph.nodes(), other.nodes());
        prop_assert_eq!(graph.links().collect::<Vec<_>>(), other.links().collect::<Vec<_>>());
        for link in graph.links() {
            let node = &graph.nodes()[link.to];
            for one in &link.observations {
                prop_assert!(node.observations.contains(one));
                let Some(period) = Period::of(one) else { continue };
                prop_assert!(node.seen().iter().any(|all| all.contains(&period)), "{:?} {}", node, period);
                // The properties that a client shows span it, too.
                let says = |what: &str| node.properties.get(&format!("{}.{what}", one.source));
                if let Some(first) = says("first_seen") {
                    let day = one.first_seen.or(one.last_seen);
                    prop_assert!(day.is_none_or(|day| *first <= day.to_string()));
                }
                if let Some(last) = says("last_seen") {
                    prop_assert!(one.last_seen.is_some_and(|day| *last >= day.to_string()));
                }
            }
        }
        for text in [to_graphml(&graph).unwrap(), to_json(&graph).unwrap()] {
            prop_assert_eq!(&read(&text).unwrap(), &graph, "{}", text);
        }
    }

    #[test]
    fn a_union_holds_each_period_and_no_day_more(all in prop::collection::vec(observation(), 0..8)) {
        let periods: Vec<Period> = all.iter().filter_map(Period::of).collect();
        let united = union(periods.iter().copied());
        for period in &periods {
            prop_assert_eq!(united.iter().filter(|one| one.contains(period)).count(), 1);
        }
        for (at, one) in united.iter().enumerate() {
            prop_assert!(united.iter().skip(at + 1).all(|other| !one.touches(other)));
            let ends = [one.first(), one.last()];
            for end in ends.into_iter().flatten() {
                prop_assert!(periods.iter().any(|period| [period.first(), period.last()].contains(&Some(end))));
            }
        }
    }

    #[test]
    fn no_text_panics(text in "(<|>|/|graphml|node|data|key|=|'| |&|;|a){0,40}") {
        let _ = read_graphml(&text);
    }
}
