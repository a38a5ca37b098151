//! What a domain's mail records say of addresses below it, as measures that a policy calibrates.

use pivotd_domain::{Record, Value};

/// Names the source of what a message itself says.
pub const MESSAGE: &str = "message";

/// Says what a trusted relay found of the sender, as a record of the measure `authentication`: `dmarc-fail`, `spf-pass` …
#[must_use]
pub fn authentication(method: &str, result: &str, relay: &str) -> Record {
    Record::new()
        .with("measure", "authentication")
        .with("word", format!("{method}-{result}"))
        .with("reasons", vec![format!("{relay} found {method} {result}")])
}

/// Says it as records of the measure `mail`: `no-mx`, `null-mx`, `no-spf`, `spf-pass-all`, `no-dmarc`, `dmarc-none`.
#[must_use]
pub fn says(record: &Record) -> Vec<Record> {
    let flag = |name: &str| matches!(record.get(name), Some(Value::Flag(true)));
    let word = |name: &str| record.text(name).unwrap_or_default().into_owned();
    // What was asked in vain is not in the record, and what was not told speaks neither for nor against.
    let no = |name: &str| matches!(record.get(name), Some(Value::Flag(false)));
    let has_mx = matches!(record.get("mx"), Some(Value::Texts(hosts)) if !hosts.is_empty());
    let mut says = Vec::new();
    let mut say = |word: &str, reason: &str| {
        says.push(
            Record::new()
                .with("measure", "mail")
                .with("word", word)
                .with("reasons", vec![reason.to_owned()]),
        );
    };
    if flag("null_mx") {
        say("null-mx", "the domain says that it takes no mail");
    } else if no("null_mx") && !has_mx && no("has_a") {
        say("no-mx", "the domain has no mail server");
    }
    match word("spf_all").as_str() {
        "+all" => say("spf-pass-all", "SPF lets any host send for the domain"),
        "none" if word("spf").is_empty() => say("no-spf", "the domain has no SPF record"),
        _ => {}
    }
    match word("dmarc_policy").as_str() {
        "missing" => say("no-dmarc", "the domain has no DMARC record"),
        "none" => say("dmarc-none", "DMARC asks receivers to do nothing"),
        _ => {}
    }
    says
}
