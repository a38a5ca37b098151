//! Walks the fixtures and compares with the answers written beside them.

use super::*;

fn expect(name: &str, lookup: &Lookup) {
    testing::expect(&VirusTotal, name, lookup);
}

fn on_address(want: usize) -> Lookup {
    let query = question(Capability::Resolutions, IndicatorKind::Ipv4, "192.0.2.44");
    Lookup {
        want,
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
        held: Some(first.answer().clone()),
        ..on_address(30)
    };
    let again = walk(&held).unwrap();
    assert_eq!((again.calls.len(), again.answer()), (0, first.answer()));
    let more = Lookup { want: 60, ..held };
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
fn a_relationship_that_the_key_may_not_see_is_missing() {
    let walked = walk(&lookup(of_hash(Capability::Contacts, MD5))).unwrap();
    assert_eq!(walked.records().len(), 1);
    assert_eq!(
        walked.answer().missing,
        [
            "contacted domains beyond the first 1",
            "contacted URLs: You are not authorized to perform the requested operation",
        ]
    );
    // Once the engine knows that domains are closed, it begins with addresses.
    let rest = Lookup {
        product: "contacted_ips",
        ..lookup(of_hash(Capability::Contacts, SHA256))
    };
    let walked = walk(&rest).unwrap();
    assert_eq!((walked.calls.len(), walked.records().len()), (2, 2));
    assert_eq!(
        walked.answer().missing,
        ["contacted domains: not in your subscription"]
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
