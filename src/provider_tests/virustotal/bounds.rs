//! Tells what a vendor that exaggerates comes to.

use super::*;

#[test]
fn a_vendor_that_never_ends_is_left() {
    let row = r#"{"attributes":{"date":1371000000,"host_name":"tendrit.example","ip_address":"192.0.2.44"}}"#;
    let body = format!(r#"{{"meta":{{"count":200,"cursor":"again"}},"data":[{row}]}}"#);
    let walked = testing::walk(&VirusTotal, &resolutions("tendrit.example"), |_| {
        testing::reply(200, &body)
    })
    .unwrap();
    assert_eq!(walked.calls.len(), 10);
    assert!(!walked.answer().more && walked.answer().source.blind.is_some());
}
