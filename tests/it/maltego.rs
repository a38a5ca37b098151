//! The TRX face: each row of what a Maltego client is told.

use std::time::Duration;

use pivotd::config::settings::{BudgetUnit, BudgetWindow};
use pivotd::replay::{Fault, Matcher};
use pivotd::tokens::NewToken;
use secrecy::ExposeSecret;

use crate::support::{Answer, Builder, Entity, TestApp, budget};

const IP_HISTORY: &str = "domaintools.ip-history";

#[tokio::test]
async fn a_found_answer_is_typed_dated_and_free_the_second_time() {
    let app = TestApp::start().await;
    let first = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert!(
        first
            .entities()
            .iter()
            .any(|(type_id, _)| type_id == "maltego.IPv6Address"),
        "{}",
        first.body
    );
    assert!(first.body.contains("link#maltego.link.label"), "{}", first.body);
    assert_eq!(
        (first.header("pivotd-cache"), first.messages()),
        ("miss", Vec::new())
    );
    let second = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert_eq!(second.header("pivotd-cache"), "hit");
    assert_eq!(first.body, second.body);
    assert_eq!(app.vendor.attempts(), 1);
}

#[tokio::test]
async fn the_slider_shows_fewer_and_says_that_more_costs_nothing() {
    let app = TestApp::start().await;
    let answer = app.run(IP_HISTORY, Entity::domain("example.com").limit(2)).await;
    assert_eq!(answer.entities().len(), 2);
    let said = answer.said("Inform");
    assert!(
        said.starts_with("example.com: 2 of ") && said.contains("costs nothing"),
        "{said}"
    );
    app.run(IP_HISTORY, Entity::domain("example.com").limit(256))
        .await;
    assert_eq!(app.vendor.attempts(), 1);
}

#[tokio::test]
async fn a_window_leaves_out_what_it_does_not_touch_and_says_how_many() {
    let app = TestApp::start().await;
    let all = app
        .run(IP_HISTORY, Entity::domain("example.com"))
        .await
        .entities()
        .len();
    let window = [
        ("global#pivotd.since", "2013-01-01"),
        ("domaintools.until", "2013-12-31"),
    ];
    let answer = app
        .run(IP_HISTORY, Entity::domain("example.com").with(&window))
        .await;
    let shown = answer.entities().len();
    assert!(shown > 0 && shown < all, "{shown} of {all}");
    let said = answer.said("Inform");
    assert!(
        said.contains(&format!("{} outside 2013-01-01..2013-12-31", all - shown)),
        "{said}"
    );
    let wrong = [("global#pivotd.since", "last summer")];
    let answer = app
        .run(IP_HISTORY, Entity::domain("example.com").with(&wrong))
        .await;
    let said = answer.said("PartialError");
    assert!(
        said.starts_with("example.com: ") && said.contains("global#pivotd.since"),
        "{said}"
    );
    assert_eq!(app.vendor.attempts(), 1);
}

#[tokio::test]
async fn not_found_says_what_was_asked_of_whom_and_is_remembered() {
    let app = TestApp::start().await;
    for _ in 0..2 {
        let answer = app.run(IP_HISTORY, Entity::domain("unheard-of.example")).await;
        let said = answer.said("Inform");
        assert!(
            said.starts_with("unheard-of.example: DomainTools knows nothing"),
            "{said}"
        );
        assert!(said.contains("hosting-history"), "{said}");
    }
    assert_eq!(app.vendor.attempts(), 1);
}

#[tokio::test]
async fn a_host_name_is_asked_by_its_registrable_domain_and_it_says_so() {
    let app = TestApp::start().await;
    let answer = app
        .run(IP_HISTORY, Entity::new("maltego.DNSName", "www.example.com"))
        .await;
    assert!(!answer.entities().is_empty());
    let said = answer.said("Inform");
    assert!(
        said.contains("www.example.com: asked for example.com, its registrable domain"),
        "{said}"
    );
    let answer = app
        .run(
            IP_HISTORY,
            Entity::new("maltego.URL", "hxxps://www[.]example[.]com/a?b=c"),
        )
        .await;
    assert!(!answer.entities().is_empty(), "{}", answer.body);
    assert_eq!(app.vendor.attempts(), 1, "all three are one question");
}

/// What is said of a registrable domain stands on that domain, whatever was selected below it.
#[tokio::test]
async fn what_describes_the_registrable_domain_is_not_put_on_a_name_below_it() {
    let app = Builder::new().with(["domaintools", "rdap"]).start().await;
    for (transform, domain, property) in [
        ("domaintools.risk", "career-offers.example", "domaintools.score"),
        ("domaintools.whois", "example.com", "domaintools.created"),
        ("rdap.whois", "example.com", "rdap.created"),
    ] {
        let itself = app.run(transform, Entity::domain(domain)).await;
        let annotated = itself.entities_with(property);
        assert_eq!(
            annotated,
            [("maltego.Domain".to_owned(), domain.to_owned())],
            "{transform}: {}",
            itself.body
        );
        for (type_id, value) in [
            ("maltego.DNSName", format!("a.b.{domain}")),
            ("maltego.URL", format!("https://www.{domain}/a")),
            ("maltego.EmailAddress", format!("jane@{domain}")),
        ] {
            let answer = app.run(transform, Entity::new(type_id, &value)).await;
            assert_eq!(
                answer.entities_with(property),
                [("maltego.Domain".to_owned(), domain.to_owned())],
                "{transform} {value}: {}",
                answer.body
            );
            let input = (type_id.to_owned(), value.clone());
            assert!(
                !answer.entities().contains(&input),
                "{transform} {value}: {}",
                answer.body
            );
            let said = answer.said("Inform");
            assert!(
                said.contains(&format!("asked for {domain}, its registrable domain")),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn stale_answers_are_served_while_the_vendor_is_down_and_say_so() {
    let builder = Builder::new().manual_clock().settings(|settings| {
        let provider = settings.providers.get_mut("domaintools").unwrap();
        provider.attempts = 1;
        provider.ttl.default = Duration::from_secs(3600);
        provider.ttl.stale = Duration::from_secs(7 * 86_400);
    });
    let app = builder.start().await;
    let fresh = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    app.clock().advance(Duration::from_secs(3 * 3600));
    app.vendor.inject(Matcher::any(), Fault::CloseBeforeAnswer, None);
    let answer = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert_eq!(answer.entities(), fresh.entities());
    assert_eq!(answer.header("pivotd-cache"), "stale");
    let said = answer.said("Inform");
    assert!(
        said.contains("this answer is 3 hours old, because DomainTools"),
        "{said}"
    );
    app.clock().advance(Duration::from_secs(8 * 86_400));
    let answer = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert!(answer.entities().is_empty(), "too old to be served");
    let said = answer.said("PartialError");
    assert!(
        said.contains("DomainTools (hosting-history)") && said.contains("(request "),
        "{said}"
    );
}

#[tokio::test]
async fn an_answer_that_was_paid_for_survives_a_restart() {
    let app = TestApp::start().await;
    let before = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    let app = Builder::new().after(app.stop().await).start().await;
    let after = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert_eq!(
        (after.header("pivotd-cache"), after.entities()),
        ("hit", before.entities())
    );
    assert_eq!(app.vendor.attempts(), 1);
}

#[tokio::test]
async fn a_quote_names_price_and_setting_and_buying_is_kept() {
    let builder = Builder::new().settings(|settings| {
        let mut money = budget(
            Some("reverse-whois"),
            20_000,
            BudgetUnit::Cents,
            BudgetWindow::Month,
        );
        money.max_price = Some(10_000);
        money.currency = Some("USD".to_owned());
        settings.providers.get_mut("domaintools").unwrap().budget = vec![money];
    });
    let app = builder.start().await;
    let spec = app
        .app
        .configured
        .load()
        .catalogue
        .find("domaintools.reverse-whois")
        .cloned()
        .unwrap();
    let entity = Entity::new("maltego.EmailAddress", &spec.example);
    let quote = app.run("domaintools.reverse-whois", entity).await;
    let said = quote.said("Inform");
    assert!(
        quote.entities().is_empty() && said.contains(" USD") && said.contains("domaintools.buy"),
        "{said}"
    );
    assert!(said.contains("of the budget would be left"), "{said}");
    let buy = [("domaintools.buy", "true")];
    let bought = app.run("domaintools.reverse-whois", entity.with(&buy)).await;
    assert!(!bought.entities().is_empty(), "{}", bought.body);
    let attempts = app.vendor.attempts();
    for again in [entity, entity.with(&buy)] {
        assert_eq!(
            app.run("domaintools.reverse-whois", again).await.entities(),
            bought.entities()
        );
    }
    assert_eq!(
        app.vendor.attempts(),
        attempts,
        "what was bought is not bought again"
    );
}

#[tokio::test]
async fn a_selection_is_told_one_price_with_what_would_be_left_and_the_most_for_one() {
    let builder = Builder::new().settings(|settings| {
        let mut money = budget(
            Some("reverse-whois"),
            20_000,
            BudgetUnit::Cents,
            BudgetWindow::Month,
        );
        money.max_price = Some(1_800);
        money.currency = Some("USD".to_owned());
        settings.providers.get_mut("domaintools").unwrap().budget = vec![money];
    });
    let app = builder.start().await;
    let one =
        |kind: &str, value: &str| format!("<Entity Type=\"maltego.{kind}\"><Value>{value}</Value></Entity>");
    let request = |entities: &[String], buy: &str| {
        format!(
            "<MaltegoMessage><MaltegoTransformRequestMessage><Entities>{}</Entities>\
             <TransformFields><Field Name=\"domaintools.buy\">{buy}</Field></TransformFields>\
             </MaltegoTransformRequestMessage></MaltegoMessage>",
            entities.concat()
        )
        .into_bytes()
    };
    let all = [
        one("EmailAddress", "a.kranz@mailbox.example"),
        one("Person", "Anton Kranz"),
        one("Organization", "Tendrit Holdings"),
    ];
    let name = "domaintools.reverse-whois";
    let quoted = app.run_raw(name, request(&all, "false")).await;
    let said = quoted.said("Inform");
    let question: Vec<&str> = said.lines().filter(|line| line.contains("in all")).collect();
    assert_eq!(question.len(), 1, "one question: {said}");
    assert_eq!(said.matches("domaintools.buy").count(), 1, "{said}");
    assert_eq!(said.matches("would be left").count(), 1, "{said}");
    assert!(
        question[0].contains("no more than 18 USD is paid for one report"),
        "{said}"
    );
    for value in ["a.kranz@mailbox.example: ", "Anton Kranz: ", "Tendrit Holdings: "] {
        assert!(
            said.lines()
                .any(|line| line.starts_with(value) && line.contains(" USD from ")),
            "{said}"
        );
    }
    // The total is the sum of what is told of each that may be bought.
    let price = |line: &str| -> i64 {
        let (before, _) = line.split_once(" USD").unwrap();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let each = said
        .lines()
        .filter(|line| line.contains(" for ") && !line.contains("in all"));
    let sum: i64 = each.map(price).filter(|price| *price <= 18).sum();
    assert_eq!(price(question[0]), sum, "{said}");
    let before = app.vendor.attempts();
    let alone = app
        .run_raw(name, request(&all[..1], "false"))
        .await
        .said("Inform");
    assert!(
        !alone.contains("in all") && alone.contains("domaintools.buy"),
        "{alone}"
    );
    assert_eq!(app.vendor.attempts(), before, "the quote is known");
    let bought = app.run_raw(name, request(&all[..1], "true")).await;
    assert!(!bought.entities().is_empty(), "{}", bought.body);
}

#[tokio::test]
async fn a_limit_says_which_when_and_what_it_cost() {
    let builder = Builder::new().settings(|settings| {
        let provider = settings.providers.get_mut("domaintools").unwrap();
        provider.budget = vec![budget(None, 1, BudgetUnit::Calls, BudgetWindow::Day)];
    });
    let app = builder.start().await;
    app.run(IP_HISTORY, Entity::domain("example.com")).await;
    let answer = app.run(IP_HISTORY, Entity::domain("example.org")).await;
    let said = answer.said("PartialError");
    assert!(
        said.starts_with("example.org: ") && said.contains("1 calls of everything"),
        "{said}"
    );
    assert!(
        said.contains("it opens at") && said.contains("charged nothing"),
        "{said}"
    );
    assert_eq!(app.vendor.attempts(), 1);
}

#[tokio::test]
async fn refused_keys_are_told_apart() {
    let app = TestApp::start().await;
    let own = [
        ("global#domaintools.username", "somebody"),
        ("global#domaintools.api-key", "wrong"),
    ];
    let answer = app
        .run(IP_HISTORY, Entity::domain("example.com").with(&own))
        .await;
    assert!(
        answer.said("Exception 600").starts_with("example.com: "),
        "{}",
        answer.body
    );
    let fine = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    assert!(
        !fine.entities().is_empty(),
        "a user's refused key never touches the server's"
    );
    app.vendor
        .inject(Matcher::any(), Fault::forbidden_key_403(), None);
    let answer = app.run(IP_HISTORY, Entity::domain("example.org")).await;
    let said = answer.said("FatalError");
    assert!(said.contains("administrator"), "{said}");
    let attempts = app.vendor.attempts();
    app.run(IP_HISTORY, Entity::domain("example.net")).await;
    assert_eq!(
        app.vendor.attempts(),
        attempts,
        "a refused key is not tried again"
    );
}

#[tokio::test]
async fn a_product_that_is_not_in_the_subscription_is_said_plainly() {
    let app = TestApp::start().await;
    app.vendor.inject(
        Matcher::path("hosting-history"),
        Fault::forbidden_product_403(),
        None,
    );
    let answer = app.run(IP_HISTORY, Entity::domain("example.com")).await;
    let said = answer.said("PartialError");
    assert!(
        said.contains("DomainTools (hosting-history)") && said.contains("subscription"),
        "{said}"
    );
}

#[tokio::test]
async fn bad_values_types_and_bodies_are_named_and_nothing_is_asked() {
    let app = TestApp::start().await;
    let answer = app.run(IP_HISTORY, Entity::domain("not a domain")).await;
    let said = answer.said("PartialError");
    assert!(said.starts_with("not a domain: this is not"), "{said}");
    let answer = app.run(IP_HISTORY, Entity::new("maltego.Person", "Jo Doe")).await;
    assert!(
        answer
            .said("PartialError")
            .contains("cannot be asked about a maltego.Person"),
        "{}",
        answer.body
    );
    for body in [
        "",
        "<a",
        "<!DOCTYPE x [<!ENTITY e 'x'>]><x>&e;</x>",
        "plain text",
        "<x/>",
    ] {
        let answer = app.run_raw(IP_HISTORY, body.as_bytes().to_vec()).await;
        assert_eq!(answer.status, 200);
        let said = answer.said("Exception");
        assert!(
            said.contains("nothing was looked up"),
            "{body:?}: {}",
            answer.body
        );
    }
    let answer = app
        .run_raw(
            "no.such-transform",
            Entity::domain("example.com").request().into_bytes(),
        )
        .await;
    assert_eq!(answer.status, 404);
    assert!(
        answer.said("Exception").contains("no.such-transform"),
        "{}",
        answer.body
    );
    assert_eq!(app.vendor.attempts(), 0);
}

#[tokio::test]
async fn tokens_are_asked_for_on_every_way_in() {
    let app = TestApp::start().await;
    let post = async |path: &str, token: Option<&str>, settings: &[(&str, &str)]| {
        let mut request = app.http.post(format!("{}{path}", app.base));
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let body = Entity::domain("example.com").with(settings).request();
        Answer::of(request.body(body).send().await.unwrap()).await
    };
    let path = format!("/run/{IP_HISTORY}");
    let missing = post(&path, None, &[]).await;
    assert!(
        missing.said("Exception 600").contains("client token"),
        "{}",
        missing.body
    );
    let wrong = post(&path, None, &[("global#pivotd.token", "pvtd_nonsense")]).await;
    assert!(!wrong.said("Exception 600").is_empty(), "{}", wrong.body);
    let wrong = post(&path, Some("Bearer pvtd_nonsense"), &[]).await;
    assert!(
        wrong.said("FatalError").contains("administrator"),
        "{}",
        wrong.body
    );
    let wrong = post("/t/pvtd_nonsense/run/domaintools.ip-history/", None, &[]).await;
    assert!(
        wrong.said("FatalError").contains("administrator"),
        "{}",
        wrong.body
    );
    assert_eq!(app.vendor.attempts(), 0);
    let token = app.token.clone();
    for header in [format!("Bearer {token}"), format!("Token {token}"), token.clone()] {
        assert!(!post(&path, Some(&header), &[]).await.entities().is_empty());
    }
    assert!(
        !post(&path, None, &[("global#pivotd.token", &token)])
            .await
            .entities()
            .is_empty()
    );
    let in_path = post(&format!("/t/{token}/run/{IP_HISTORY}"), None, &[]).await;
    assert!(!in_path.entities().is_empty());
    assert_eq!(
        (in_path.header("referrer-policy"), in_path.header("cache-control")),
        ("no-referrer", "no-store")
    );
    let log = app.log();
    assert!(
        !log.contains(&token) && log.contains("domaintools.ip-history"),
        "{log}"
    );
}

#[tokio::test]
async fn the_probe_says_whether_the_transform_is_there() {
    let app = TestApp::start().await;
    let probe = app.get(&format!("/run/{IP_HISTORY}")).await;
    assert_eq!(probe.status, 200);
    assert!(probe.body.contains(IP_HISTORY));
    assert_eq!(
        app.get(&format!("/run/{}/", IP_HISTORY.to_uppercase()))
            .await
            .status,
        200
    );
    assert_eq!(app.get("/run/nothing").await.status, 404);
    let put = app
        .http
        .put(format!("{}/run/{IP_HISTORY}", app.base))
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), 405);
}

#[tokio::test]
async fn several_entities_are_each_run_and_named() {
    let app = TestApp::start().await;
    let one = |value: &str| format!("<Entity Type=\"maltego.Domain\"><Value>{value}</Value></Entity>");
    let body = format!(
        "<MaltegoMessage><MaltegoTransformRequestMessage><Entities>{}{}{}</Entities>\
         </MaltegoTransformRequestMessage></MaltegoMessage>",
        one("example.com"),
        one("unheard-of.example"),
        one("???")
    );
    let answer = app.run_raw(IP_HISTORY, body.into_bytes()).await;
    assert!(!answer.entities().is_empty());
    assert!(
        answer
            .said("Inform")
            .contains("unheard-of.example: DomainTools knows nothing"),
        "{}",
        answer.body
    );
    assert!(
        answer.said("PartialError").starts_with("???: "),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_partial_answer_gives_what_came_and_says_what_is_missing() {
    let app = TestApp::start().await;
    let entity = Entity::new("maltego.IPv4Address", "192.0.2.99");
    let answer = app.run("domaintools.domains-on-ip", entity).await;
    assert!(!answer.entities().is_empty(), "{}", answer.body);
    let said = answer.said("PartialError");
    assert!(
        said.starts_with("192.0.2.99: DomainTools answered in part: "),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn bytes_that_came_before_are_answered_only_while_their_token_may_ask() {
    let app = TestApp::start().await;
    let new = NewToken {
        per_minute: std::num::NonZeroU32::new(3),
        ..NewToken::for_everyday("analyst")
    };
    let (token, record) = app.app.tokens.create(new).await.unwrap();
    let body = Entity::domain("example.com").request();
    let ask = async || {
        let request = app.http.post(format!("{}/run/{IP_HISTORY}", app.base));
        let request = request.bearer_auth(token.expose_secret()).body(body.clone());
        Answer::of(request.send().await.unwrap()).await
    };
    let first = ask().await;
    for _ in 0..2 {
        let again = ask().await;
        assert_eq!(again.header("pivotd-cache"), "hit");
        assert_eq!(again.body, first.body);
    }
    let fast = ask().await;
    assert!(
        fast.said("PartialError").contains("rate is used up"),
        "{}",
        fast.body
    );
    app.app.tokens.revoke(&record.id).await.unwrap();
    let revoked = ask().await;
    assert!(
        !revoked.said("FatalError").is_empty() && revoked.entities().is_empty(),
        "{}",
        revoked.body
    );
    assert_eq!(app.vendor.attempts(), 1);
    let log = app.log();
    assert_eq!(log.matches(" indicator=\"example.com\"").count(), 3, "{log}");
}

#[tokio::test]
async fn bytes_that_may_hold_a_secret_are_not_kept() {
    let app = TestApp::start().await;
    let held = async || {
        let now = app.app.engine.clock().now();
        app.app.engine.cache().stats(now).await.unwrap().memory_entries
    };
    for _ in 0..3 {
        app.run(IP_HISTORY, Entity::domain("example.com")).await;
    }
    let token = app.token.clone();
    let own = [("global#pivotd.token", token.as_str())];
    let other = [("case.note", "17")];
    // What comes once takes no room.
    for round in 0..3 {
        let before = held().await;
        let answer = app
            .run(IP_HISTORY, Entity::domain("example.com").with(&own))
            .await;
        assert_eq!((answer.header("pivotd-cache"), held().await), ("hit", before));
        app.run(IP_HISTORY, Entity::domain("example.com").with(&other))
            .await;
        assert_eq!(held().await > before, round == 1, "round {round}");
    }
}

#[tokio::test]
async fn a_dynamic_name_explains_itself_and_spends_nothing_unless_it_is_wanted() {
    let app = Builder::new()
        .settings(|settings| {
            let mut lists = (*settings.lists).clone();
            lists
                .add(pivotd::domain::Purpose::DynamicDns, "example.com", "dynamic.txt")
                .unwrap();
            settings.lists = lists.into();
        })
        .start()
        .await;
    for transform in [
        "domaintools.whois",
        "domaintools.whois-history",
        "domaintools.registrants",
    ] {
        let host = Entity::new("maltego.DNSName", "evil.example.com");
        let answer = app.run(transform, host).await;
        let said = answer.said("Inform");
        assert!(
            said.starts_with("evil.example.com: ")
                && said.contains("dynamic.txt")
                && said.contains("include-dynamic-dns"),
            "{said}"
        );
        assert!(answer.entities().is_empty() && app.vendor.attempts() == 0);
    }
    let wanted = [("domaintools.include-dynamic-dns", "true")];
    let host = Entity::new("maltego.DNSName", "evil.example.com").with(&wanted);
    let answer = app.run("domaintools.whois-history", host).await;
    assert!(
        !answer.entities().is_empty() && app.vendor.attempts() > 0,
        "{}",
        answer.body
    );
    let service = app.run("domaintools.whois", Entity::domain("example.com")).await;
    assert!(
        !service.entities().is_empty(),
        "the service's own domain is asked about"
    );
}

#[tokio::test]
async fn a_path_names_one_transform_or_nothing() {
    let app = TestApp::start().await;
    for path in [
        format!("/run/{IP_HISTORY}"),
        format!("/run/{IP_HISTORY}/"),
        "/run/domaintools%2Eip-history".to_owned(),
        "/run/DomainTools.IP-History".to_owned(),
        format!("/t/any/run/{IP_HISTORY}"),
        format!("/t/any/run/{IP_HISTORY}/"),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.starts_with(IP_HISTORY), "{path}: {}", answer.body);
    }
    for path in [
        "/run",
        "/run/",
        "/run//",
        "/run/a/b",
        "/runs/a",
        "/t",
        "/t/any",
        "/t/any/run/",
        "/t//run/domaintools.ip-history",
        "/t/any/walk/domaintools.ip-history",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.header("content-type").contains("problem+json"), "{path}");
    }
    let url = format!("{}/run/{IP_HISTORY}", app.base);
    let put = app.http.put(url).bearer_auth(&app.token).send().await.unwrap();
    assert_eq!(put.status(), 405);
    assert_eq!(put.headers()["allow"], "GET, HEAD, POST");
}
