//! Limits of a vendor: what comes with one is kept, and how long one lasts.

use std::time::Duration;

use pivotd::replay::{Fault, Matcher};
use serde_json::json;

use crate::support::{Builder, Entity};

const IP_HISTORY: &str = "domaintools.ip-history";

fn limit(headers: &[(&str, &str)], body: &serde_json::Value) -> Fault {
    let json = ("Content-Type".to_owned(), "application/json".to_owned());
    let told = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Fault::Status {
        code: 429,
        headers: std::iter::once(json).chain(told).collect(),
        body: body.to_string(),
    }
}

/// A part of an answer that comes with a limit is paid for, so that it is kept: nobody is asked for it again.
#[tokio::test]
async fn a_part_that_comes_with_a_limit_is_kept_and_not_asked_again() {
    let capture = |date: &str, person: &str| {
        json!({"date": date, "is_private": 0, "whois": {
            "registrant": person, "name_servers": ["NS1.HOSTING.EXAMPLE"], "server": "whois.names.example",
            "registration": {"created": "2019-03-30", "expires": "2029-03-30", "updated": "", "registrar": "Harbour Names Ltd", "statuses": ["ok"]},
            "record": format!("Domain Name: quay-market.example\nRegistrar: Harbour Names Ltd\nRegistrant Name: {person}\n"),
        }})
    };
    let part = json!({"response": {
        "record_count": 5,
        "history": [capture("2024-05-12", "Ida Lind"), capture("2021-05-12", "Olof Berg")],
        "error": "Only partial results are available: the service level was reached.",
    }});
    let app = Builder::new().manual_clock().start().await;
    app.vendor
        .inject(Matcher::any(), limit(&[("Retry-After", "30")], &part), None);
    let run = async |name: &'static str| app.run(name, Entity::domain("quay-market.example")).await;
    let first = run("domaintools.whois-history").await;
    assert_eq!(first.header("pivotd-cache"), "miss", "{}", first.body);
    let records = |answer: &crate::support::Answer| {
        let all = answer.entities().into_iter();
        all.filter(|(type_id, _)| type_id == "maltego.WHOISRecord")
            .count()
    };
    assert_eq!(records(&first), 2, "{}", first.body);
    let said = first.said("PartialError") + &first.said("Inform");
    assert!(said.contains("3 of 5 whois records"), "{said}");
    assert_eq!(
        app.vendor.attempts(),
        1,
        "a part is no failure that is tried again"
    );
    let second = run("domaintools.whois-history").await;
    assert_eq!(second.header("pivotd-cache"), "hit", "{}", second.body);
    assert_eq!(second.entities(), first.entities());
    let again = second.said("PartialError") + &second.said("Inform");
    assert!(again.contains("3 of 5 whois records"), "{again}");
    assert_eq!(app.vendor.attempts(), 1);
    app.app.engine.store().settled().await;
    let audit = app.app.engine.store().audit(10).await.unwrap();
    let costs: Vec<_> = audit
        .iter()
        .map(|row| (&row["cost"]["calls"], &row["cost"]["records"]))
        .collect();
    assert_eq!(costs, [(&json!(1), &json!(2))], "{audit:?}");
}

/// A date in `Retry-After` that is further away than a day closes for a day, by the vendor's own clock or by ours.
#[tokio::test]
async fn a_date_beyond_a_day_closes_for_a_day() {
    let message = json!({"error": {"code": 429, "message": "Too many requests."}});
    for headers in [
        vec![("Retry-After", "Sun, 21 Nov 2027 00:00:00 GMT")],
        vec![("Retry-After", "Sunday, 21-Nov-27 00:00:00 GMT")],
        // The vendor's clock is years behind.
        vec![
            ("Date", "Tue, 21 Nov 2023 00:00:00 GMT"),
            ("Retry-After", "Fri, 24 Nov 2023 00:00:00 GMT"),
        ],
    ] {
        let app = Builder::new().manual_clock().start().await;
        app.vendor.inject(
            Matcher::path("hosting-history"),
            limit(&headers, &message),
            Some(1),
        );
        let limited = app.run(IP_HISTORY, Entity::domain("example.com")).await;
        let said = limited.said("PartialError");
        assert!(
            said.contains("it opens at 2026-11-22 00:00:00 UTC"),
            "{headers:?}: {said}"
        );
        assert_eq!(app.vendor.attempts_to("/v1/example."), 1, "{headers:?}");
        // It stays closed for everything until then.
        app.clock().advance(Duration::from_secs(23 * 3600));
        let closed = app.run(IP_HISTORY, Entity::domain("example.net")).await;
        assert!(
            closed
                .said("PartialError")
                .contains("it opens at 2026-11-22 00:00:00 UTC"),
            "{headers:?}: {}",
            closed.body
        );
        assert_eq!(app.vendor.attempts_to("/v1/example."), 1, "{headers:?}");
        app.clock().advance(Duration::from_secs(3601));
        let run = app.run(IP_HISTORY, Entity::domain("example.com"));
        let open = app.while_moving(Duration::from_secs(5), run).await;
        assert!(!open.entities().is_empty(), "{headers:?}: {}", open.body);
    }
}
