//! Tests what an analyst is told: that nothing which came is silent, and that a sinkhole is one everywhere.

use pivotd::domain::Purpose;
use pivotd::replay::demo::SAMPLE_ZONES;

use crate::support::{Builder, Entity, TestApp};

const RESOLUTIONS: &str = "passivetotal.resolutions";
const NAME: &str = "briefing-press.example";
const SINKHOLE: &str = "203.0.113.103";

fn address(value: &str) -> Entity<'_> {
    Entity::new("maltego.IPv4Address", value)
}

const EXCLUDE: [(&str, &str); 1] = [("passivetotal.exclude-sinkholes", "true")];

/// Tells whether an answer shows an address as an entity of its own.
fn shows(body: &str, value: &str) -> bool {
    body.contains(&format!("<Value>{value}</Value>"))
}

/// Checks that an address that passive DNS called a sinkhole once is one in every transform.
async fn it_is_a_sinkhole(app: &TestApp, source: &str) {
    let left_out = app.run(RESOLUTIONS, Entity::domain(NAME).with(&EXCLUDE)).await;
    assert!(!shows(&left_out.body, SINKHOLE), "{}", left_out.body);
    assert!(
        left_out.said("Inform").contains("1 sinkhole left out"),
        "{}",
        left_out.body
    );
    let history = app.run("domaintools.ip-history", Entity::domain(NAME)).await;
    assert!(shows(&history.body, SINKHOLE), "{}", history.body);
    assert!(history.body.contains(source), "{}", history.body);
    let without = Entity::domain(NAME).with(&[("domaintools.exclude-sinkholes", "true")]);
    let without = app.run("domaintools.ip-history", without).await;
    assert!(!shows(&without.body, SINKHOLE), "{}", without.body);
    assert!(
        without.said("Inform").contains("sinkhole left out"),
        "{}",
        without.body
    );
    let spent = app.others["passivetotal"].attempts();
    let stopped = app.run(RESOLUTIONS, address(SINKHOLE)).await;
    let said = stopped.said("Inform");
    assert!(
        stopped.entities().is_empty() && said.contains(&format!("this is a sinkhole ({source})")),
        "{}",
        stopped.body
    );
    assert!(said.contains("passivetotal.include-sinkholes"), "{said}");
    assert_eq!(app.others["passivetotal"].attempts(), spent, "nobody was asked");
}

#[tokio::test]
async fn what_one_answer_calls_a_sinkhole_is_one_everywhere() {
    let builder = Builder::new().with(["passivetotal"]).manual_clock();
    let app = builder.start().await;
    // Nobody said so yet, and the rendered answer is kept.
    for _ in 0..2 {
        let entity = Entity::domain(NAME).with(&EXCLUDE);
        let before = app.run(RESOLUTIONS, entity).await;
        assert!(shows(&before.body, SINKHOLE), "{}", before.body);
        assert!(!before.body.contains("sinkhole left out"));
    }
    let told = app.run("passivetotal.ip-details", address(SINKHOLE)).await;
    assert!(told.body.contains("passivetotal.sinkhole"), "{}", told.body);
    it_is_a_sinkhole(&app, "passivetotal, 2026-11-21").await;

    // Stored answers say it after a restart, too.
    app.app.engine.store().settled().await;
    let before = app.stop().await;
    let builder = Builder::new().after(before).manual_clock();
    let app = builder.start().await;
    it_is_a_sinkhole(&app, "passivetotal, 2026-11-21").await;
    let wanted = address(SINKHOLE).with(&[("passivetotal.include-sinkholes", "true")]);
    let asked = app.run(RESOLUTIONS, wanted).await;
    assert!(!asked.entities().is_empty(), "{}", asked.body);

    // What is removed from the cache says nothing any more.
    let removed = app.app.engine.cache().purge(|_| true).await.unwrap();
    assert!(removed > 0);
    let entity = Entity::domain(NAME).with(&EXCLUDE);
    let after = app.run(RESOLUTIONS, entity).await;
    assert!(shows(&after.body, SINKHOLE), "{}", after.body);
}

#[tokio::test]
async fn a_list_or_the_entity_itself_says_that_it_is_a_sinkhole() {
    let builder = Builder::new().with(["passivetotal"]).settings(|settings| {
        let mut lists = (*settings.lists).clone();
        lists
            .add(Purpose::Sinkhole, "203.0.113.103\n", "soc.txt")
            .unwrap();
        settings.lists = lists.into();
    });
    let app = builder.start().await;
    it_is_a_sinkhole(&app, "soc.txt").await;
    let spent = app.others["passivetotal"].attempts();
    for (name, value, stops) in [
        ("passivetotal.sinkhole", "true", true),
        ("pivotd.sinkhole", "other, 2026-01-02", true),
        ("acme.sinkhole", "yes", true),
        ("passivetotal.sinkhole", "false", false),
        ("passivetotal.sinkholes-nearby", "true", false),
    ] {
        let fields = [(name, value)];
        let answer = app.run(RESOLUTIONS, address("192.0.2.44").fields(&fields)).await;
        let said = answer.said("Inform");
        assert_eq!(
            said.contains("this is a sinkhole"),
            stops,
            "{name}={value}: {said}"
        );
        assert_eq!(answer.entities().is_empty(), stops, "{name}={value}");
    }
    assert_eq!(app.others["passivetotal"].attempts(), spent + 1);
}

#[tokio::test]
async fn names_of_dynamic_dns_services_can_be_left_out() {
    let builder = Builder::new().with(["threatconnect"]).settings(|settings| {
        let mut lists = (*settings.lists).clone();
        lists
            .add(Purpose::DynamicDns, SAMPLE_ZONES, "sample list")
            .unwrap();
        settings.lists = lists.into();
    });
    let app = builder.start().await;
    let incident = Entity::new("pivotd.Incident", "20130520A: Tendrit APT");
    let all = app
        .run(
            "threatconnect.incidents",
            Entity::new("maltego.Phrase", "Tendrit"),
        )
        .await;
    assert!(!all.entities().is_empty(), "{}", all.body);
    let incident_of_may = all.body.split("<Value>20130520A").nth(1).unwrap();
    let id = incident_of_may.split("threatconnect.id").nth(1).unwrap();
    let id = id
        .split_once('>')
        .unwrap()
        .1
        .split_once('<')
        .unwrap()
        .0
        .to_owned();
    let fields = [("threatconnect.id", id.as_str())];
    let all = app
        .run("threatconnect.indicators", incident.fields(&fields))
        .await;
    assert!(all.body.contains(".dynhost.example"), "{}", all.body);
    let settings = [("threatconnect.exclude-dynamic-dns", "true")];
    let rest = app
        .run(
            "threatconnect.indicators",
            incident.fields(&fields).with(&settings),
        )
        .await;
    assert!(!rest.body.contains("dynhost.example</Value>"), "{}", rest.body);
    assert!(
        rest.said("Inform")
            .contains("names of dynamic DNS services left out"),
        "{}",
        rest.body
    );
}

#[tokio::test]
async fn results_without_a_date_are_told_or_left_out() {
    let app = Builder::new().with(["passivetotal"]).start().await;
    let on = Entity::domain("tendrit.example");
    let window = [
        ("global#pivotd.since", "2013-01-01"),
        ("global#pivotd.until", "2013-12-31"),
    ];
    let kept = app.run("passivetotal.subdomains", on.with(&window)).await;
    let count = kept.entities().len();
    assert!(count > 1, "{}", kept.body);
    assert!(
        kept.said("Inform")
            .contains(&format!("{count} without a date are shown")),
        "{}",
        kept.body
    );
    for name in ["global#pivotd.undated", "passivetotal.undated"] {
        let settings = [window[0], window[1], (name, "false")];
        let none = app.run("passivetotal.subdomains", on.with(&settings)).await;
        assert!(none.entities().is_empty(), "{}", none.body);
        let said = none.said("Inform");
        assert!(
            said.contains(&format!("{count} without a date left out (undated=false)")),
            "{said}"
        );
    }
    // Dated by the day on which the record was taken, so a window tells them apart.
    let mail = Entity::new("maltego.EmailAddress", "a.kranz@mailbox.example");
    let later = [("global#pivotd.since", "2020-01-01")];
    let none = app.run("passivetotal.reverse-whois", mail.with(&later)).await;
    assert!(
        none.entities().is_empty() && none.said("Inform").contains("outside the time since 2020-01-01"),
        "{}",
        none.body
    );
    assert!(
        !app.run("passivetotal.reverse-whois", mail)
            .await
            .entities()
            .is_empty()
    );
}

#[tokio::test]
async fn an_entity_without_a_value_is_known_by_its_property() {
    let app = TestApp::start().await;
    for (type_id, name) in [("maltego.Domain", "fqdn"), ("maltego.DNSName", "fqdn")] {
        let fields = [(name, "career-offers.example")];
        let answer = app
            .run("domaintools.risk", Entity::new(type_id, "").fields(&fields))
            .await;
        assert!(shows(&answer.body, "career-offers.example"), "{}", answer.body);
        assert!(!answer.body.contains("<Value></Value>"), "{}", answer.body);
    }
}

#[tokio::test]
async fn an_incident_is_taken_by_its_id_and_by_its_name() {
    let app = Builder::new().with(["threatconnect"]).start().await;
    for type_id in ["pivotd.Incident", "maltego.Incident"] {
        let held = app
            .run("threatconnect.indicators", Entity::new(type_id, "1184230"))
            .await;
        assert!(!held.entities().is_empty(), "{type_id}: {}", held.body);
        let named = app
            .run("threatconnect.incidents", Entity::new(type_id, "Parkside"))
            .await;
        assert!(!named.entities().is_empty(), "{type_id}: {}", named.body);
        let name = app
            .run("threatconnect.indicators", Entity::new(type_id, "Parkside"))
            .await;
        let said = name.said("PartialError");
        assert!(said.contains("its value is no id"), "{said}");
    }
}

#[tokio::test]
async fn a_transform_that_is_not_there_is_told_with_those_that_are() {
    let app = TestApp::start().await;
    for (name, meant) in [
        ("ip-history", "domaintools.ip-history"),
        ("domaintols.risk", "domaintools.risk"),
        ("acme.whois-history", "domaintools.whois-history"),
    ] {
        let answer = app
            .run_raw(name, Entity::domain("example.com").request().into_bytes())
            .await;
        assert_eq!(answer.status, 404);
        assert!(answer.body.contains(meant), "{name}: {}", answer.body);
    }
    let unknown = app.run_raw("elephant", Vec::new()).await;
    assert!(!unknown.body.contains("did you mean"), "{}", unknown.body);
}
