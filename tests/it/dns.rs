//! Questions over DNS: real datagrams and connections, what can go wrong with them, and the key in the name.

use std::time::Duration;

use pivotd::http::admin::keys::TestKeys;
use pivotd::replay::{DnsFault, Fault, Gate, Matcher, Replay};

use crate::secrets::{files, holds};
use crate::support::{API_KEY, Answer, Builder, Entity, TestApp};

const LISTINGS: &str = "spamhaus.listings";
const POLICY: &str = "dns.mail-policy";
const OWN_KEY: &str = "canary-own-key-51d0";

/// A server that makes one attempt per call.
async fn impatient(provider: &'static str) -> TestApp {
    builder(provider).start().await
}

fn builder(provider: &'static str) -> Builder {
    Builder::new().with([provider]).settings(move |settings| {
        settings.providers.get_mut(provider).unwrap().attempts = 1;
    })
}

fn address(value: &str) -> Entity<'_> {
    Entity::new("maltego.IPv4Address", value)
}

fn spamhaus(app: &TestApp) -> &Replay {
    &app.others["spamhaus"]
}

/// Waits until the resolver has seen `attempts`, then moves the clock until the run is over.
async fn outwait(app: &TestApp, attempts: u64, run: impl Future<Output = Answer>) -> Answer {
    tokio::pin!(run);
    tokio::select! {
        biased;
        answer = &mut run => panic!("it did not wait: {}", answer.body),
        () = spamhaus(app).wait_for_attempts(attempts) => {}
    }
    app.while_moving(Duration::from_secs(10), run).await
}

#[tokio::test]
async fn what_is_listed_is_marked_and_what_is_not_is_unknown() {
    let app = impatient("spamhaus").await;
    let answer = app.run(LISTINGS, address("198.51.100.23")).await;
    let said = "Hijacked or infected machine (XBL)";
    assert!(answer.body.contains(said), "{}", answer.body);
    assert_eq!(answer.entities().len(), 1, "{}", answer.body);
    let answer = app.run(LISTINGS, Entity::domain("career-offers.example")).await;
    assert!(answer.body.contains("Phishing domain"), "{}", answer.body);
    for entity in [address("192.0.2.44"), Entity::domain("example.com")] {
        let answer = app.run(LISTINGS, entity).await;
        assert!(answer.said("Inform").contains("knows nothing"), "{}", answer.body);
        assert!(answer.entities().is_empty(), "{}", answer.body);
    }
    // Two names, each asked of two lists; kept answers are not asked for again.
    assert_eq!(spamhaus(&app).attempts(), 6);
    app.run(LISTINGS, address("192.0.2.44")).await;
    assert_eq!(spamhaus(&app).attempts(), 6);
}

#[tokio::test]
async fn errors_and_foreign_answers_are_failures_and_never_listings() {
    for (value, kind, part) in [
        ("203.0.113.211", "PartialError", "it opens at"),
        ("203.0.113.212", "PartialError", "it opens at"),
        ("203.0.113.213", "FatalError", "administrator"),
        ("203.0.113.214", "FatalError", "administrator"),
        ("203.0.113.215", "PartialError", "(request "),
        ("203.0.113.216", "PartialError", "(request "),
        ("203.0.113.217", "PartialError", "SERVFAIL"),
    ] {
        let app = impatient("spamhaus").await;
        let answer = app.run(LISTINGS, address(value)).await;
        assert!(answer.said(kind).contains(part), "{value}: {}", answer.body);
        assert!(answer.entities().is_empty(), "{value}: {}", answer.body);
        assert_eq!(spamhaus(&app).attempts(), 1, "{value}");
    }
}

#[tokio::test]
async fn forged_answers_are_passed_over() {
    for fault in [DnsFault::WrongId, DnsFault::OtherQuestion] {
        let app = impatient("spamhaus").await;
        spamhaus(&app).inject(Matcher::any(), Fault::Dns(fault), None);
        let answer = app.run(LISTINGS, address("192.0.2.44")).await;
        assert!(
            answer.said("Inform").contains("knows nothing"),
            "{fault:?}: {}",
            answer.body
        );
        let answer = app.run(LISTINGS, address("203.0.113.202")).await;
        assert!(answer.body.contains("(DROP)"), "{fault:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_is_fetched_over_tcp() {
    let app = impatient("spamhaus").await;
    spamhaus(&app).inject(Matcher::any(), Fault::Dns(DnsFault::Truncated), None);
    let answer = app.run(LISTINGS, address("198.51.100.23")).await;
    assert!(answer.body.contains("(XBL)"), "{}", answer.body);
    assert_eq!(spamhaus(&app).attempts(), 1, "one question, asked twice");
    for fault in [Fault::TruncatedBody, Fault::Reset, Fault::CloseBeforeAnswer] {
        let shown = format!("{fault:?}");
        let app = impatient("spamhaus").await;
        spamhaus(&app).inject(Matcher::any(), fault, None);
        let answer = app.run(LISTINGS, address("198.51.100.23")).await;
        let said = answer.said("PartialError");
        assert!(said.contains("broke off: over TCP"), "{shown}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up_at_the_end_of_the_attempt() {
    let app = builder("spamhaus").manual_clock().start().await;
    for (attempts, fault) in [(1, Fault::Dns(DnsFault::Silent)), (2, Fault::Hold(Gate::new()))] {
        spamhaus(&app).clear_faults();
        spamhaus(&app).inject(Matcher::any(), fault, None);
        let run = app.run(LISTINGS, address("198.51.100.23"));
        let answer = outwait(&app, attempts, run).await;
        let said = answer.said("PartialError");
        assert!(said.contains("no answer within 5 s"), "{}", answer.body);
    }
    app.app.engine.store().settled().await;
    let booked = app.app.engine.ledger().calls_by_product("spamhaus");
    assert_eq!(booked.get("zen"), Some(&2), "what may have arrived is charged");
}

#[tokio::test]
async fn a_failure_is_asked_again() {
    let builder = Builder::new().manual_clock().with(["spamhaus"]);
    let app = builder.start().await;
    let servfail = Fault::Dns(DnsFault::Code(2));
    spamhaus(&app).inject(Matcher::any().with_method("A"), servfail, Some(2));
    let run = app.run(LISTINGS, address("198.51.100.23"));
    // Past the pauses between attempts, and not to the end of one.
    let answer = app.while_moving(Duration::from_secs(4), run).await;
    assert!(answer.body.contains("(XBL)"), "{}", answer.body);
    assert_eq!(spamhaus(&app).attempts(), 3);
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_charged() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let base = format!("dns://{}", socket.local_addr().unwrap());
    drop(socket);
    let builder = builder("spamhaus").settings(move |settings| {
        let provider = settings.providers.get_mut("spamhaus").unwrap();
        provider
            .base_urls
            .values_mut()
            .for_each(|url| url.clone_from(&base));
    });
    let app = builder.start().await;
    let answer = app.run(LISTINGS, address("198.51.100.23")).await;
    assert!(
        answer.said("PartialError").contains("cannot be reached"),
        "{}",
        answer.body
    );
    app.app.engine.store().settled().await;
    let booked = app.app.engine.ledger().calls_by_product("spamhaus");
    assert_eq!(booked.get("zen").copied().unwrap_or(0), 0);
}

#[tokio::test]
async fn the_key_is_tried_by_what_is_always_listed() {
    async fn failure(app: &TestApp) -> Option<String> {
        let request = TestKeys {
            provider: Some("spamhaus".to_owned()),
        };
        let keys = app.operator(&request).await.unwrap();
        keys.into_iter().next().unwrap().failure
    }
    let app = impatient("spamhaus").await;
    assert_eq!(failure(&app).await, None);
    // A resolver that hides it, or a key that nobody knows.
    let hidden = Fault::Dns(DnsFault::Code(3));
    spamhaus(&app).inject(Matcher::path("2.0.0.127."), hidden, None);
    let told = failure(&app).await.unwrap();
    assert!(told.contains("the DQS key is wrong"), "{told}");
}

#[tokio::test]
async fn the_mail_policy_of_a_domain_and_of_an_address_is_told() {
    let app = impatient("dns").await;
    let answer = app.run(POLICY, Entity::domain("career-offers.example")).await;
    let server = (
        "maltego.MXRecord".to_owned(),
        "mx.career-offers.example".to_owned(),
    );
    assert!(answer.entities().contains(&server), "{}", answer.body);
    assert!(answer.body.contains(">missing<"), "{}", answer.body);
    let email = Entity::new("maltego.EmailAddress", "office@example.org");
    let answer = app.run(POLICY, email).await;
    assert!(answer.body.contains("v=spf1 -all"), "{}", answer.body);
    // Over an alias, and with the policy of the domain above.
    let answer = app
        .run(POLICY, Entity::new("maltego.DNSName", "news.example.com"))
        .await;
    assert!(
        answer.body.contains(">quarantine<") && answer.body.contains("dns.dmarc_domain"),
        "{}",
        answer.body
    );
    let texts = app.others["dns"].seen();
    assert!(
        texts
            .iter()
            .any(|seen| seen.method == "TXT" && seen.path == "_dmarc.example.com"),
        "{texts:?}"
    );
}

#[tokio::test]
async fn the_key_in_the_name_is_seen_by_nobody_but_the_resolver() {
    let builder = builder("spamhaus").settings(|settings| settings.log.level = "trace".to_owned());
    let app = builder.start().await;
    let own = [("global#spamhaus.key", OWN_KEY)];
    let unusable = [("global#spamhaus.key", "canary-unusable key")];
    let mut shown = Vec::new();
    for settings in [&own[..], &[], &unusable] {
        for (value, fault) in [
            ("198.51.100.23", None),
            ("192.0.2.44", None),
            ("203.0.113.1", Some(Fault::Dns(DnsFault::Truncated))),
            ("203.0.113.2", Some(Fault::Reset)),
            ("203.0.113.3", Some(Fault::InvalidJson)),
            ("203.0.113.4", Some(Fault::Dns(DnsFault::Code(2)))),
            ("203.0.113.217", None),
            ("203.0.113.215", None),
            ("203.0.113.211", None),
            ("203.0.113.213", None),
        ] {
            spamhaus(&app).clear_faults();
            if let Some(fault) = fault {
                spamhaus(&app).inject(Matcher::any(), fault, None);
            }
            let answer = app.run(LISTINGS, address(value).with(settings)).await;
            shown.push(format!("{:?} {}", answer.headers, answer.body));
        }
    }
    let sent = spamhaus(&app).seen();
    for key in [API_KEY, OWN_KEY] {
        let asked = format!("23.100.51.198.{key}.zen.dq.spamhaus.net");
        assert!(
            sent.iter().any(|seen| seen.path == asked),
            "the canary was at work"
        );
    }
    for path in ["/metrics", "/readyz", "/openapi.json", "/"] {
        shown.push(app.get(path).await.body);
    }
    shown.push(format!("{:?}", app.app));
    shown.push(format!("{:?}", app.app.engine.store().audit(1000).await.unwrap()));
    shown.push(app.log());
    let folder = app.folder.clone();
    drop(app.stop().await);
    let kept = files(folder.path());
    assert!(kept.iter().any(|(path, _)| path.ends_with("pivotd.redb")));
    for canary in [API_KEY, OWN_KEY, "canary-unusable"] {
        for text in &shown {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
        for (path, bytes) in &kept {
            assert!(!holds(bytes, canary), "{canary} in {path}");
        }
    }
}
