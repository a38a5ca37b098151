//! Walks the fixtures and compares with the answers written beside them.

use super::*;

fn expect(name: &str, lookup: &Lookup) {
    testing::expect(&VirusTotal, name, lookup);
}

fn on_address(want: usize) -> Lookup {
    let query = question(Capability::Resolutions, IndicatorKind::Ipv4, "192.0.2.44");
    Lookup {
        wanted: want,
        ..lookup(query)
    }
}

#[test]
fn answers() {
    expect("resolutions/found", &resolutions("tendrit.example"));
    expect("files/found", &lookup(of_hash(Capability::File, SHA256)));
    expect(
        "dropped/found",
        &lookup(of_hash(Capability::SandboxFiles, SHA256)),
    );
    expect("contacts/found", &lookup(of_hash(Capability::Contacts, SHA256)));
}

#[test]
fn pages_are_read_as_far_as_they_are_wanted() {
    let first = walk(&on_address(12)).unwrap();
    assert_eq!((first.calls.len(), first.records().len()), (1, 40));
    assert_eq!((first.answer().total, first.answer().more), (Some(200), true));
    let all = walk(&on_address(60)).unwrap();
    assert_eq!(all.calls.len(), 2);
    assert_eq!(all.records().len(), 42, "a row without a name is none");
    assert_eq!((all.answer().total, all.answer().more), (Some(42), false));
    // What is held answers as long as it is enough.
    let held = Lookup {
        earlier: Some(first.answer().clone()),
        ..on_address(30)
    };
    let again = walk(&held).unwrap();
    assert_eq!((again.calls.len(), again.answer()), (0, first.answer()));
    let more = Lookup { wanted: 60, ..held };
    assert_eq!(walk(&more).unwrap().records().len(), 42);
}

#[test]
fn a_page_that_fails_leaves_the_others() {
    let walked = walk(&resolutions("broken.example")).unwrap();
    assert_eq!(walked.records().len(), 1);
    assert!(walked.answer().more);
    assert_eq!(walked.answer().missing, ["older resolutions: Quota exceeded"]);
}

#[test]
fn a_relationship_that_the_key_may_not_see_is_not_covered() {
    let walked = walk(&lookup(of_hash(Capability::Contacts, MD5))).unwrap();
    assert_eq!((walked.records().len(), walked.answer().total), (1, None));
    // Another try changes none of it, so it is no reason to ask again soon.
    assert!(walked.answer().missing.is_empty());
    assert_eq!(
        walked.answer().source.blind.as_deref(),
        Some(
            "The first 1 contacted domains; VirusTotal has more. \
             Contacted URLs: You are not authorized to perform the requested operation."
        )
    );
    // Once the engine knows that domains are closed, it begins with addresses.
    let rest = Lookup {
        product: "contacted_ips".into(),
        ..lookup(of_hash(Capability::Contacts, SHA256))
    };
    let walked = walk(&rest).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (2, 2));
    assert!(walked.answer().missing.is_empty());
    assert_eq!(
        walked.answer().source.blind.as_deref(),
        Some("Contacted domains: not in your subscription.")
    );
    // Where nothing else is known, what is closed is no proof that there is nothing.
    let nothing = Lookup {
        product: "contacted_ips".into(),
        ..lookup(of_hash(Capability::Contacts, &"0f".repeat(32)))
    };
    let walked = walk(&nothing).unwrap();
    assert!(!walked.answer().is_not_found());
    assert_eq!(
        walked.answer().missing,
        ["Contacted domains: not in your subscription"]
    );
}

#[test]
fn what_fails_for_now_is_missing() {
    let walked = testing::walk(
        &VirusTotal,
        &lookup(of_hash(Capability::Contacts, SHA256)),
        |call| match call.product.as_str() {
            "contacted_domains" => testing::reply(200, r#"{"data":[{"id":"tendrit.example"}]}"#),
            "contacted_ips" => testing::reply(503, "{}"),
            _ => testing::reply(403, "<html>blocked</html>"),
        },
    )
    .unwrap();
    assert_eq!(walked.records().len(), 1);
    assert_eq!(walked.answer().source.blind, None);
    assert_eq!(
        walked.answer().missing,
        [
            "contacted addresses: HTTP 503",
            "contacted URLs: HTTP 403 without the vendor's error body: does a proxy or a firewall answer?",
        ]
    );
}

#[test]
fn more_dropped_files_are_not_covered() {
    let dropped = lookup(of_hash(Capability::SandboxFiles, SHA256));
    let of = |data: &str| {
        let body = format!(r#"{{"data":[{data}],"meta":{{"count":90,"cursor":"more"}}}}"#);
        testing::walk(&VirusTotal, &dropped, |_| testing::reply(200, &body)).unwrap()
    };
    let one = of(&format!(r#"{{"id":"{SHA256}"}}"#));
    assert!(one.answer().missing.is_empty());
    assert_eq!(one.answer().total, None);
    assert_eq!(
        one.answer().source.blind.as_deref(),
        Some("The first 1 dropped files; VirusTotal has more.")
    );
    assert_eq!(
        of("").answer().missing,
        ["The first 0 dropped files; VirusTotal has more"]
    );
}

#[test]
fn the_side_that_was_asked_about_may_be_missing() {
    expect("resolutions/bare", &resolutions("bare.example"));
    let query = question(Capability::Resolutions, IndicatorKind::Ipv4, "192.0.2.44");
    let body =
        r#"{"data":[{"attributes":{"host_name":"a.example"}},{"attributes":{"ip_address":"192.0.2.44"}}]}"#;
    let walked = testing::walk(&VirusTotal, &lookup(query), |_| testing::reply(200, body)).unwrap();
    let rows: Vec<_> = walked
        .records()
        .iter()
        .map(|record| (text(record, "name"), text(record, "ip")))
        .collect();
    assert_eq!(rows, [("a.example".to_owned(), "192.0.2.44".to_owned())]);
}

#[test]
fn pages_without_resolutions_do_not_end_the_walk() {
    let page = |call: &Call, last: usize, row: &str| {
        let cursor = call.query.iter().find(|(name, _)| name == "cursor");
        let at: usize = cursor.map_or(0, |(_, text)| text.parse().unwrap());
        let (row, next) = if at == last {
            (r#"{"attributes":{"ip_address":"192.0.2.44"}}"#, String::new())
        } else {
            (row, (at + 1).to_string())
        };
        testing::reply(
            200,
            &format!(r#"{{"data":[{row}],"meta":{{"count":7,"cursor":"{next}"}}}}"#),
        )
    };
    let nobody = r#"{"attributes":{"ip_address":""}}"#;
    let asked = resolutions("tendrit.example");
    let walked = testing::walk(&VirusTotal, &asked, |call| page(call, 3, nobody)).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (4, 1));
    assert!(walked.answer().missing.is_empty() && !walked.answer().more);
    // A page with nothing on it, which is not the last, leads nowhere.
    let empty = testing::walk(&VirusTotal, &asked, |call| page(call, 3, "")).unwrap();
    assert_eq!((empty.calls.len(), empty.answer().more), (1, false));
    assert_eq!(empty.answer().missing, ["older resolutions: an empty page came"]);
    assert_eq!(empty.answer().total, Some(7));
    let never = testing::walk(&VirusTotal, &asked, |call| page(call, 99, nobody)).unwrap();
    assert_eq!(never.calls.len(), 10);
    assert_eq!(
        never.answer().missing,
        ["The newest 0 resolutions; VirusTotal has older ones"]
    );
}

#[test]
fn what_is_not_known_of_a_file_is_left_out() {
    let thin = lookup(of_hash(
        Capability::File,
        "6ca0fa2674cdc58af08c183fdf771041a9fedc14",
    ));
    let walked = walk(&thin).unwrap();
    let record = &walked.records()[0];
    assert_eq!(record.iter().count(), 1, "{record:?}");
    let full = walk(&lookup(of_hash(Capability::File, MD5))).unwrap();
    assert_eq!(text(&full.records()[0], "sha256"), SHA256);
    assert_eq!(text(&full.records()[0], "detections"), "51 of 69");
}
