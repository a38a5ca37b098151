//! Reads searches of several pages, rows that cannot be read, and rows that lack a hash.

use serde_json::{Value, json};

use super::*;
use crate::domain::FailureKind;

const OTHER: &str = "5dd0a0731533afe0376848b668913030f85835286877400de52ab907e706efdb";

fn row(id: &str, sha256: &str) -> Value {
    json!({ "item": { "sample": id, "sha256": sha256, "state": "succ", "submitted_at": "2013-05-21T08:12:45Z" } })
}

fn page(items: &[Value], total: usize) -> crate::providers::Reply {
    enveloped(&json!({ "total": total, "current_item_count": items.len(), "items": items }))
}

fn searched(
    query: Query,
    answer: impl Fn(&Call) -> crate::providers::Reply,
) -> Result<LookupTrace, ProviderError> {
    testing::walk(&ThreatGrid, &lookup(query), answer)
}

#[test]
fn rows_that_were_not_read_are_never_not_found() {
    for capability in [Capability::Samples, Capability::SandboxFiles] {
        let pages = |call: &Call| {
            let offset: usize = sent(call, "offset").parse().unwrap_or(0);
            let rows: Vec<Value> = (offset..offset + 100)
                .map(|n| row(&format!("a{n}"), OTHER))
                .collect();
            page(&rows, 900)
        };
        let walked = searched(of_hash(capability, SHA256), pages).unwrap();
        let offsets: Vec<&str> = walked.calls.iter().map(|call| sent(call, "offset")).collect();
        assert_eq!(offsets, ["", "100", "200", "300", "400"]);
        assert_eq!(
            walked.answer().missing,
            ["the search was read in part: 500 of 900 rows"]
        );
        assert!(walked.records().is_empty() && !walked.answer().is_not_found());
    }
}

#[test]
fn a_server_that_does_not_page_is_seen_through() {
    let same = |_: &Call| page(&[row("a1", OTHER)], 2);
    let walked = searched(of_hash(Capability::Samples, SHA256), same).unwrap();
    assert_eq!(walked.calls.len(), 2);
    assert_eq!(
        walked.answer().missing,
        ["the search was read in part: 1 of 2 rows"]
    );
    // Without a total, a full page may have a next one, and a short one is the last.
    let full = |call: &Call| {
        let rows: Vec<Value> = match sent(call, "offset") {
            "" => (0..10).map(|n| row(&format!("a{n}"), OTHER)).collect(),
            _ => vec![row("b0", SHA256)],
        };
        enveloped(&json!({ "items_per_page": 10, "items": rows }))
    };
    let walked = searched(of_hash(Capability::Samples, SHA256), full).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (2, 1));
    assert!(walked.answer().missing.is_empty());
}

#[test]
fn a_page_that_fails_leaves_those_before() {
    let second_fails = |call: &Call| match sent(call, "offset") {
        "" => page(&[row("a1", SHA256)], 2),
        _ => failing(500),
    };
    let walked = searched(of_hash(Capability::Samples, SHA256), second_fails).unwrap();
    assert_eq!(walked.records().len(), 1);
    assert_eq!(
        walked.answer().missing,
        [
            "a page of the search: No.",
            "the search was read in part: 1 of 2 rows"
        ]
    );
}

#[test]
fn a_row_that_comes_twice_is_one_run_and_told() {
    let moving = |call: &Call| match sent(call, "offset") {
        "" => page(&[row("a1", SHA256), row("a2", SHA256)], 4),
        _ => page(&[row("a2", SHA256), row("a3", SHA256)], 4),
    };
    let walked = searched(of_hash(Capability::Samples, SHA256), moving).unwrap();
    assert_eq!(text(&walked.records()[0], "runs"), "3");
    assert_eq!(
        walked.answer().missing,
        ["1 rows came twice, so that others may not have been read"]
    );
}

#[test]
fn rows_that_cannot_be_read_are_told() {
    let broken = json!({ "item": { "sample": "../../etc", "sha256": SHA256 } });
    let hashless = json!({ "item": { "sample": "a9", "md5": MD5 } });
    let some = |_: &Call| {
        page(
            &[
                row("a1", SHA256),
                broken.clone(),
                row("a2", OTHER),
                hashless.clone(),
            ],
            4,
        )
    };
    let walked = searched(of_hash(Capability::Samples, SHA256), some).unwrap();
    assert_eq!(all(&walked, "samples"), ["a1"]);
    assert_eq!(
        walked.answer().missing,
        ["2 rows could not be read"],
        "that another file is left out is no loss"
    );
    let none = |_: &Call| page(&[broken.clone(), hashless.clone()], 2);
    let error = searched(of_hash(Capability::Contacts, SHA256), none).unwrap_err();
    assert!(matches!(error, ProviderError::Malformed(_)), "{error}");
    let others = |_: &Call| page(&[row("a2", OTHER)], 1);
    let walked = searched(of_hash(Capability::Samples, SHA256), others).unwrap();
    assert!(walked.records().is_empty() && walked.answer().missing.is_empty());
    assert_eq!(
        walked.answer().left_out[0].text(),
        "1 sample that merely brought the file along",
        "all was read, and nothing is the file"
    );
}

#[test]
fn runs_of_an_asked_hash_are_one_file() {
    let rows = [
        json!({ "item": { "sample": "a1", "md5": MD5, "submitted_at": "2013-06-01T00:00:00Z" } }),
        json!({ "item": { "sample": "a2", "md5": MD5, "sha256": SHA256, "submitted_at": "2013-05-01T00:00:00Z" } }),
        json!({ "item": { "sample": "a3", "md5": MD5, "sha1": SHA1, "submitted_at": "2013-04-01T00:00:00Z" } }),
    ];
    let walked = searched(of_hash(Capability::Samples, MD5), |_: &Call| page(&rows, 3)).unwrap();
    assert_eq!(walked.records().len(), 1);
    let file = &walked.records()[0];
    assert_eq!(
        (text(file, "runs"), text(file, "hash")),
        ("3".to_owned(), SHA256.to_owned())
    );
    let [first, second, _] = rows;
    let collides = json!({ "item": { "sample": "a4", "md5": MD5, "sha256": OTHER } });
    let rows = [first, second, collides];
    let walked = searched(of_hash(Capability::Samples, MD5), |_: &Call| page(&rows, 3)).unwrap();
    assert_eq!(walked.records().len(), 2, "two files of one MD5 stay two");
}

#[test]
fn names_are_asked_newest_first_and_hashes_by_what_fits() {
    let name = question(Capability::Samples, IndicatorKind::Domain, "tendrit.example");
    let walked = walk(name).unwrap();
    let call = &walked.calls[0];
    assert_eq!(
        (sent(call, "sort_by"), sent(call, "sort_order")),
        ("submitted_at", "desc")
    );
    let walked = walk(of_hash(Capability::Samples, SHA256)).unwrap();
    assert_eq!(sent(&walked.calls[0], "sort_by"), "");
}

#[test]
fn a_url_is_asked_in_both_forms_only_where_they_differ() {
    let nothing = |_: &Call| page(&[], 0);
    for (url, forms) in [
        (
            "http://tendrit.example/a?b",
            vec!["http://tendrit.example:80/a?b", "http://tendrit.example/a?b"],
        ),
        (
            "https://[2001:db8::25]/",
            vec!["https://[2001:db8::25]:443/", "https://[2001:db8::25]/"],
        ),
        (
            "http://tendrit.example:8080/",
            vec!["http://tendrit.example:8080/"],
        ),
    ] {
        let query = question(Capability::Samples, IndicatorKind::Url, url);
        let walked = searched(query.clone(), nothing).unwrap();
        let asked: Vec<&str> = walked.calls.iter().map(|call| sent(call, "q")).collect();
        assert_eq!(asked, forms);
        assert!(walked.answer().is_not_found());
        let Err(ProviderError::Failed(failure)) = searched(query, |_: &Call| failing(500)) else {
            panic!("the first form fails");
        };
        assert_eq!(failure.kind, FailureKind::Unavailable);
    }
}
