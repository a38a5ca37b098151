//! Walks an investigation over four providers as an analyst did it, and counts at each step.
//!
//! The data are those of the demo (`scripts/story-fixtures`), the steps those of `docs/investigation.md`. Entities are
//! merged here as a Maltego client does: equal type, value and strict properties make one; its other properties stay by id.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use pivotd::domain::Purpose;
use pivotd::replay::demo::SAMPLE_ZONES;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::support::{Builder, Entity, TestApp, budget};

const INCIDENT: &str = "20130520A: Tendrit APT";
/// When the incident was.
const DAY: &str = "2013-05-20";
const FIRST_MAIL: &str = "h.brandt@postbox.example";

type Key = (String, String);

/// One entity of an answer.
#[derive(Debug, Clone, Default)]
struct Found {
    type_id: String,
    value: String,
    properties: BTreeMap<String, String>,
    strict: BTreeMap<String, String>,
    /// Properties of the link.
    link: BTreeMap<String, String>,
    overlays: Vec<String>,
}

impl Found {
    fn key(&self) -> Key {
        (self.type_id.clone(), self.value.clone())
    }
}

/// Reads the entities of an answer.
fn read(body: &str) -> Vec<Found> {
    let mut reader = Reader::from_str(body);
    let (mut all, mut now, mut text) = (Vec::new(), Found::default(), String::new());
    let mut field = (String::new(), false);
    let attribute = |tag: &quick_xml::events::BytesStart<'_>, name: &str| -> String {
        let found = tag.attributes().flatten().find(|one| one.key.as_ref() == name);
        found.map_or_else(String::new, |one| {
            quick_xml::escape::unescape(&one.value).unwrap().into_owned()
        })
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                text.clear();
                match tag.name().as_ref() {
                    "Entity" => {
                        now = Found {
                            type_id: attribute(&tag, "Type"),
                            ..Found::default()
                        };
                    }
                    "Field" => {
                        field = (
                            attribute(&tag, "Name"),
                            attribute(&tag, "MatchingRule") == "strict",
                        );
                    }
                    _ => {}
                }
            }
            Event::Empty(tag) if tag.name().as_ref() == "Overlay" => {
                now.overlays.push(attribute(&tag, "propertyName"));
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", &*name);
                text.push_str(&quick_xml::escape::unescape(&reference).unwrap());
            }
            Event::End(tag) => match tag.name().as_ref() {
                "Value" => now.value.clone_from(&text),
                "Field" if field.0.starts_with("link#") => {
                    let name = field.0.trim_start_matches("link#").to_owned();
                    now.link.insert(name, text.clone());
                }
                "Field" => {
                    now.properties.insert(field.0.clone(), text.clone());
                    if field.1 {
                        now.strict.insert(field.0.clone(), text.clone());
                    }
                }
                "Overlay" => now.overlays.push(text.clone()),
                "Entity" => all.push(std::mem::take(&mut now)),
                _ => {}
            },
            Event::Eof => return all,
            _ => {}
        }
    }
}

/// The graph of the analyst, and how it came to be.
struct Case {
    app: TestApp,
    nodes: BTreeMap<Key, Found>,
    /// What runs over each provider reached.
    reached: BTreeMap<String, BTreeSet<Key>>,
    /// Every property that any run gave to an entity.
    given: BTreeMap<Key, BTreeSet<String>>,
}

impl Case {
    /// Runs a transform on one entity and merges what came; returns its entities and its messages.
    async fn run(&mut self, transform: &str, on: &Key, settings: &[(&str, &str)]) -> (Vec<Found>, String) {
        let node = self.nodes.get(on).cloned().unwrap_or_default();
        let fields: Vec<(&str, &str)> = node
            .properties
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let entity = Entity::new(&on.0, &on.1).with(settings).fields(&fields);
        let run = self.app.run(transform, entity);
        let answer = self.app.while_moving(Duration::from_secs(10), run).await;
        let messages = answer
            .messages()
            .into_iter()
            .map(|(kind, text)| format!("{kind}: {text}\n"))
            .collect();
        let found = read(&answer.body);
        for entity in &found {
            let key = entity.key();
            if key != *on {
                let dates = entity
                    .properties
                    .iter()
                    .filter(|(name, _)| name.ends_with("_seen"));
                for (name, day) in dates {
                    let on_link = entity.link.get(name);
                    assert_eq!(
                        on_link,
                        Some(day),
                        "{transform}: {} has {name}, its link not",
                        key.1
                    );
                }
                let provider = transform.split('.').next().unwrap().to_owned();
                self.reached.entry(provider).or_default().insert(key.clone());
            }
            let names = entity.properties.keys().cloned();
            self.given.entry(key.clone()).or_default().extend(names);
            let node = self.nodes.entry(key).or_insert_with(|| Found {
                type_id: entity.type_id.clone(),
                value: entity.value.clone(),
                strict: entity.strict.clone(),
                ..Found::default()
            });
            assert_eq!(
                node.strict, entity.strict,
                "{transform} makes a second {}",
                entity.value
            );
            node.properties.extend(entity.properties.clone());
            node.overlays.extend(entity.overlays.clone());
        }
        (found, messages)
    }

    /// Runs a transform on several entities; returns the names of all that was found.
    async fn run_all(
        &mut self,
        transform: &str,
        on: &BTreeSet<Key>,
        settings: &[(&str, &str)],
    ) -> BTreeSet<Key> {
        let mut all = BTreeSet::new();
        for key in on {
            let (found, messages) = self.run(transform, key, settings).await;
            assert!(
                !messages.contains("Error"),
                "{transform} on {}: {messages}",
                key.1
            );
            all.extend(found.iter().map(Found::key));
        }
        all
    }

    /// Quotes a report on an e-mail address, then buys it; returns the domains.
    async fn reverse_whois(&mut self, email: &str) -> BTreeSet<String> {
        self.reverse_whois_of("maltego.EmailAddress", email).await
    }

    /// Quotes a report on an entity, then buys it; returns the domains.
    async fn reverse_whois_of(&mut self, type_id: &str, value: &str) -> BTreeSet<String> {
        let on = key(type_id, value);
        let (quoted, said) = self.run("domaintools.reverse-whois", &on, &[]).await;
        assert!(quoted.is_empty() && said.contains("domaintools.buy"), "{said}");
        let buy = [("domaintools.buy", "true")];
        let (bought, said) = self.run("domaintools.reverse-whois", &on, &buy).await;
        assert!(!bought.is_empty(), "{said}");
        bought.into_iter().map(|found| found.value).collect()
    }

    /// Returns what runs over these providers reached.
    fn by(&self, providers: &[&str]) -> BTreeSet<Key> {
        let reached = providers.iter().filter_map(|name| self.reached.get(*name));
        reached.flatten().cloned().collect()
    }

    fn values(&self, type_id: &str) -> BTreeSet<Key> {
        self.nodes
            .keys()
            .filter(|key| key.0 == type_id)
            .cloned()
            .collect()
    }

    /// Says of which entities a text is marked on the icon.
    fn marked(&self, what: &str) -> BTreeSet<&str> {
        let marked = self
            .nodes
            .values()
            .filter(|node| node.overlays.iter().any(|one| one == what));
        marked.map(|node| node.value.as_str()).collect()
    }
}

fn key(type_id: &str, value: &str) -> Key {
    (type_id.to_owned(), value.to_owned())
}

fn names<'a>(values: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    values.into_iter().map(str::to_owned).collect()
}

async fn open() -> Case {
    let builder = Builder::new()
        .with(["threatconnect", "threatgrid", "passivetotal"])
        .manual_clock()
        .settings(|settings| {
            let mut lists = (*settings.lists).clone();
            lists
                .add(Purpose::DynamicDns, SAMPLE_ZONES, "sample list")
                .unwrap();
            settings.lists = lists.into();
            let mut money = budget(
                Some("reverse-whois"),
                20_000,
                BudgetUnit::Cents,
                BudgetWindow::Month,
            );
            money.currency = Some("USD".to_owned());
            money.max_price = Some(2_000);
            settings.providers.get_mut("domaintools").unwrap().budget = vec![money];
        });
    Case {
        app: builder.start().await,
        nodes: BTreeMap::new(),
        reached: BTreeMap::new(),
        given: BTreeMap::new(),
    }
}

#[tokio::test]
async fn the_investigation_ends_where_it_began() {
    let mut case = open().await;

    // 1. The incident and its indicators.
    let (incidents, _) = case
        .run("threatconnect.incidents", &key("maltego.Phrase", "Tendrit"), &[])
        .await;
    let incident = incidents
        .iter()
        .find(|found| found.value == INCIDENT)
        .unwrap()
        .key();
    assert_eq!(
        case.nodes[&incident].strict["threatconnect.owner"],
        "Common Community"
    );
    for (type_id, value) in [("pivotd.Community", "Common Community"), ("maltego.Phrase", "*")] {
        let (listed, said) = case
            .run("threatconnect.incidents", &key(type_id, value), &[])
            .await;
        assert!(
            listed.iter().any(|found| found.value == INCIDENT),
            "{value}: {said}"
        );
    }
    case.reached.clear();
    let (indicators, said) = case.run("threatconnect.indicators", &incident, &[]).await;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for found in &indicators {
        *counts.entry(found.type_id.as_str()).or_default() += 1;
    }
    let expected = [
        ("maltego.DNSName", 11),
        ("maltego.Domain", 7),
        ("maltego.EmailAddress", 1),
        ("maltego.Hash", 7),
        ("maltego.IPv4Address", 16),
        ("maltego.URL", 6),
    ];
    assert_eq!(counts, BTreeMap::from(expected), "{said}");

    // 2. The files: three have run, and all three talk to the same domain; of the others the sandbox knows nothing.
    let window = [("global#pivotd.since", "2013-01-01")];
    let (mut answered, mut contacted): (Vec<Key>, Vec<BTreeSet<Key>>) = (Vec::new(), Vec::new());
    for hash in case.values("maltego.Hash") {
        let (found, said) = case.run("threatgrid.domains", &hash, &window).await;
        if found.is_empty() {
            assert!(said.contains("knows nothing of it"), "{said}");
        } else {
            contacted.push(found.iter().map(Found::key).collect());
            answered.push(hash);
        }
    }
    assert_eq!(answered.len(), 3);
    let mut shared = contacted[0].clone();
    for one in &contacted[1..] {
        shared.retain(|key| one.contains(key));
    }
    let talked_to = key("maltego.Domain", "office-sync.example");
    assert!(shared.contains(&talked_to), "{shared:?}");
    let ran: BTreeSet<Key> = answered.into_iter().collect();
    for transform in ["threatgrid.user-agents", "threatgrid.urls", "threatgrid.ips"] {
        let found = case.run_all(transform, &ran, &window).await;
        assert!(found.len() >= 2, "{transform}: {found:?}");
    }
    let samples = case.run("threatgrid.samples", &talked_to, &window).await.0;
    assert_eq!(samples.iter().map(Found::key).collect::<BTreeSet<_>>(), ran);

    // 3. Dynamic names are marked; whois says why it asks nobody, and spends nothing.
    let marked = case.marked("Dynamic DNS");
    let dynamic = names(marked.into_iter().filter(|name| !name.contains("://")));
    assert_eq!(dynamic.len(), 6, "{dynamic:?}");
    let spent = case.app.vendor.attempts();
    for name in &dynamic {
        let (found, said) = case
            .run("domaintools.whois-history", &key("maltego.DNSName", name), &[])
            .await;
        assert!(
            found.is_empty() && said.contains("dynamic DNS service (sample list)"),
            "{said}"
        );
    }
    assert_eq!(case.app.vendor.attempts(), spent);

    // 5. The registrant's address: quoted, bought, five domains that nobody knew.
    let known = names(case.nodes.keys().map(|key| key.1.as_str()));
    let first = case.reverse_whois(FIRST_MAIL).await;
    let new: BTreeSet<_> = first.difference(&known).cloned().collect();
    assert_eq!(
        new,
        names([
            "courier-track.example",
            "harbor-notes.example",
            "invoice-portal.example",
            "quay-travel.example",
            "studio-press.example"
        ])
    );

    // 6. The domain that the files talk to is not among them. Who had it then?
    assert!(!first.contains(&talked_to.1));
    let near = [("global#pivotd.near", DAY)];
    let (people, _) = case.run("domaintools.registrants", &talked_to, &near).await;
    let person = people
        .iter()
        .find(|found| found.type_id == "maltego.Person")
        .unwrap();
    assert_eq!(person.value, "Ilse Maron", "the nearest in time comes first");
    let (mails, _) = case.run("domaintools.registrant-emails", &talked_to, &near).await;
    assert_eq!(mails[0].value, "i.maron@mailhaven.example");
    let second = case.reverse_whois(&mails[0].value).await;
    assert!(first.is_disjoint(&second), "no overlap yet");
    let reappeared: BTreeSet<_> = second
        .iter()
        .filter(|name| case.reached["threatconnect"].contains(&key("maltego.Domain", name)))
        .collect();
    assert_eq!(
        reappeared.len(),
        2,
        "the domain itself and another of the incident: {reappeared:?}"
    );

    // 7. The registrants of all of them: a second address of the same name, and now the sets overlap.
    let all: BTreeSet<Key> = first
        .union(&second)
        .map(|name| key("maltego.Domain", name))
        .collect();
    let mails = case.run_all("domaintools.registrant-emails", &all, &near).await;
    let people = case.run_all("domaintools.registrants", &all, &near).await;
    assert!(people.contains(&key("maltego.Person", "Hanno Brandt")));
    let second_mail = key("maltego.EmailAddress", "maron.ilse@postbox.example");
    assert!(mails.contains(&second_mail), "{mails:?}");
    let third = case.reverse_whois(&second_mail.1).await;
    assert!(
        !third.is_disjoint(&first) && !third.is_disjoint(&second),
        "now domains overlap"
    );
    let by_name = case.reverse_whois_of("maltego.Person", "Ilse Maron").await;
    let of_addresses: BTreeSet<String> = second.union(&third).cloned().collect();
    assert!(of_addresses.is_subset(&by_name), "her name finds her domains");
    assert!(by_name.len() > of_addresses.len(), "and a namesake's");
    let domains: BTreeSet<Key> = all
        .into_iter()
        .chain(third.union(&by_name).map(|name| key("maltego.Domain", name)))
        .collect();
    case.run_all("domaintools.registrants", &domains, &near).await;
    case.run_all("domaintools.registrant-emails", &domains, &near)
        .await;
    let had = case.run_all("domaintools.ip-history", &domains, &[]).await;
    assert!(had.iter().any(|key| key.0 == "maltego.IPv4Address"));

    // 4. Passive DNS of what the incident named, both ways until nothing new comes; details mark the sinkholes.
    let mut asked: BTreeSet<Key> = BTreeSet::new();
    let mut open: BTreeSet<Key> = case.by(&["threatconnect"]);
    let strangers = |key: &Key| key.1.ends_with(".parkside.example");
    while let Some(next) = open.pop_first() {
        let is_asked = matches!(
            next.0.as_str(),
            "maltego.Domain" | "maltego.DNSName" | "maltego.IPv4Address"
        );
        if !is_asked || strangers(&next) || !asked.insert(next.clone()) {
            continue;
        }
        let (found, _) = case.run("passivetotal.resolutions", &next, &[]).await;
        open.extend(found.iter().map(Found::key).filter(|key| !asked.contains(key)));
    }
    let on_graph: BTreeSet<Key> = case
        .by(&["threatconnect"])
        .intersection(&case.by(&["passivetotal"]))
        .filter(|key| key.0 == "maltego.IPv4Address")
        .cloned()
        .collect();
    assert_eq!(
        on_graph.len(),
        14,
        "addresses of the incident that passive DNS found again: {on_graph:?}"
    );
    case.run_all("passivetotal.ip-details", &on_graph, &[]).await;
    assert_eq!(
        case.marked("Sinkhole"),
        BTreeSet::from(["203.0.113.103", "203.0.113.109"])
    );
    assert!(
        case.by(&["passivetotal"])
            .is_disjoint(&new.iter().map(|name| key("maltego.Domain", name)).collect()),
        "the five domains are new whether or not passive DNS was asked before"
    );

    // 8. What the incident and passive DNS gave on one side, what pivots from the registrant gave on the other.
    let (one, other) = (
        case.by(&["threatconnect", "passivetotal"]),
        case.by(&["domaintools"]),
    );
    let overlap: BTreeSet<&Key> = one.intersection(&other).collect();
    assert_eq!(overlap.len(), 39, "{overlap:#?}");
    for (side, fewest) in [(&one, 40), (&other, 20)] {
        let noise = side.len() - overlap.len();
        assert!(
            noise >= fewest,
            "each side has much that the other has not: {noise}"
        );
    }
    for key in overlap {
        let (node, given) = (&case.nodes[key], &case.given[key]);
        let kept: BTreeSet<String> = node.properties.keys().cloned().collect();
        assert_eq!(kept, *given, "{} lost a property", key.1);
        let providers: BTreeSet<&str> = node
            .properties
            .keys()
            .filter_map(|name| name.strip_suffix(".source"))
            .collect();
        let is_told = providers.contains("threatconnect") || providers.contains("passivetotal");
        assert!(
            is_told && providers.contains("domaintools"),
            "{}: {providers:?}",
            key.1
        );
    }
}
