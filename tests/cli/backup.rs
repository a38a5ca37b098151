//! `pivotd backup` and `pivotd restore`: a rehearsal, as docs/operation.md tells it.

use crate::place::{Place, both_ways};

/// Asks for something that costs, so that the store holds it.
fn spend(place: &Place) {
    place.good(&["run", "domaintools.ip-history", "example.com"]);
}

#[test]
fn a_backup_is_written_and_verified_with_and_without_a_server() {
    both_ways(|place| {
        spend(place);
        let said = place.good(&["backup", "night.backup"]);
        assert!(
            said.contains("night.backup: ") && said.contains(", verified"),
            "{said}"
        );
        for table in ["answers", "audit", "spent"] {
            assert!(said.contains(table), "{said}");
        }
        // Beside where the command was called, wherever the server's folder is.
        let file = place.folder.path().join("night.backup");
        assert!(file.is_file());
        let verified = place.good(&["backup", "--verify", "night.backup"]);
        assert_eq!(verified.lines().nth(1), said.lines().nth(1), "{verified}");
        let refused = place.bad(&["backup", "night.backup"]);
        assert!(refused.contains("is there already"), "{refused}");
        place.good(&["backup", "night.backup", "--force"]);
        std::fs::write(&file, "damaged").unwrap();
        let refused = place.bad(&["backup", "--verify", "night.backup"]);
        assert!(refused.contains("is no backup that can be used"), "{refused}");
    });
}

#[test]
fn a_backup_is_restored_on_another_machine_and_over_a_store() {
    let place = Place::new();
    let server = place.serve();
    spend(&place);
    place.good(&["backup", "night.backup"]);
    place.good(&["tokens", "create", "later"]);
    let refused = place.bad(&["restore", "night.backup", "--force"]);
    assert!(
        refused.contains("a server runs over the data directory"),
        "{refused}"
    );
    server.stop();
    let refused = place.bad(&["restore", "night.backup"]);
    assert!(refused.contains("holds a store already"), "{refused}");
    place.good(&["run", "domaintools.ip-history", "example.org"]);
    let said = place.good(&["restore", "night.backup", "--force"]);
    assert!(
        said.contains("taken from it: what was spent since the backup"),
        "{said}"
    );
    let counted = said
        .lines()
        .find(|line| line.contains("hosting-history") && line.contains("day "));
    let counted: Vec<&str> = counted.unwrap().split_whitespace().collect();
    assert!(counted.ends_with(&["1", "calls", "2", "calls"]), "{said}");
    assert!(!place.good(&["tokens", "list"]).contains("later"));
    let kept = std::fs::read_dir(place.data()).unwrap();
    let kept = kept.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("pivotd.redb.before-restore-")
    });
    assert_eq!(kept.count(), 1);
    // Another machine has no data directory yet.
    std::fs::remove_dir_all(place.data()).unwrap();
    let said = place.good(&["restore", "night.backup"]);
    assert!(
        said.contains("is not counted") && said.contains("are valid again"),
        "{said}"
    );
    let server = place.serve();
    let before = place.vendor_calls();
    spend(&place);
    assert_eq!(place.vendor_calls(), before, "it was answered before");
    server.stop();
}
