//! The TRX face: each row of what a Maltego client is told.

use crate::support::{Entity, TestApp};

#[tokio::test]
async fn a_found_answer_is_typed_dated_and_free_the_second_time() {
    let app = TestApp::start().await;
    let first = app.run("domaintools.ip-history", Entity::domain("example.com")).await;
    assert!(first.entities().iter().any(|(type_id, _)| type_id == "maltego.IPv6Address"), "{}", first.body);
    assert_eq!(first.header("pivotd-cache"), "miss");
    let second = app.run("domaintools.ip-history", Entity::domain("example.com")).await;
    assert_eq!(second.header("pivotd-cache"), "hit");
    assert_eq!(first.body, second.body);
    assert_eq!(app.vendor.attempts(), 1);
}
