//! Plays DNS against its fixtures and against what goes wrong.

use crate::domain::{Capability, FailureKind, IndicatorKind};
use crate::provider_tests::testing::{
    every_example_is_found, expect, lookup, mapped, question, walk, walk_fixtures,
};
use crate::providers::dns::*;
use crate::providers::kit::resource::{NOERROR, NXDOMAIN, REFUSED, RecordType, Resource, SERVFAIL};
use crate::providers::*;

fn of(kind: IndicatorKind, value: &str) -> Lookup {
    lookup(&Dns, question(Capability::MailPolicy, kind, value), MAIL)
}

fn domain(value: &str) -> Lookup {
    of(IndicatorKind::Domain, value)
}

fn txt(text: &str) -> Reply {
    Reply::of_dns(NOERROR, &[Resource::Txt(text.to_owned())])
}

#[test]
fn fixtures_give_these_records() {
    expect(&Dns, "mail/found", &domain("career-offers.example"));
    expect(&Dns, "mail/strict", &domain("example.com"));
    expect(
        &Dns,
        "mail/below",
        &of(IndicatorKind::Hostname, "news.example.com"),
    );
    expect(&Dns, "mail/null", &of(IndicatorKind::Email, "office@example.org"));
}

#[test]
fn a_name_that_does_not_exist_is_not_found_whatever_else_fails() {
    let walked = walk_fixtures(&Dns, &domain("unheard-of.example")).unwrap();
    assert!(walked.answer().is_not_found());
    let walked = walk(&Dns, &domain("example.com"), |call| {
        let exists = call.method == crate::providers::Method::Dns(RecordType::Mx);
        Reply::of_dns(if exists { NXDOMAIN } else { SERVFAIL }, &[])
    });
    assert!(walked.unwrap().answer().is_not_found());
}

#[test]
fn what_fails_is_told_and_says_nothing_of_the_policy() {
    let walked = walk(&Dns, &domain("example.com"), |call| {
        if call.path.starts_with("_dmarc.") {
            Reply::of_dns(SERVFAIL, &[])
        } else {
            txt("v=spf1 ~all")
        }
    })
    .unwrap();
    let record = &walked.records()[0];
    assert_eq!(record.text("spf_all").as_deref(), Some("~all"));
    assert_eq!(record.text("dmarc_policy"), None);
    assert!(
        walked.answer().missing[0].starts_with("DMARC: "),
        "{:?}",
        walked.answer().missing
    );
    for (code, kind) in [
        (SERVFAIL, FailureKind::Unavailable),
        (REFUSED, FailureKind::Limited),
        (1, FailureKind::Malformed),
        (9, FailureKind::Refused),
    ] {
        match walk(&Dns, &domain("example.com"), |_| Reply::of_dns(code, &[])) {
            Err(ProviderError::Failed(failure)) => assert_eq!(failure.kind, kind),
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[test]
fn a_name_without_a_record_of_its_own_has_the_domain_s() {
    let ask = |policy: &'static str| {
        walk(
            &Dns,
            &of(IndicatorKind::Hostname, "a.b.example.co.uk"),
            move |call| match call.path.as_str() {
                "_dmarc.example.co.uk" => txt(policy),
                _ => Reply::of_dns(NOERROR, &[]),
            },
        )
        .unwrap()
    };
    for (policy, word) in [
        ("v=DMARC1; p=reject; sp=none", "none"),
        ("v=DMARC1; p=reject", "reject"),
        ("nothing", "missing"),
    ] {
        let walked = ask(policy);
        assert_eq!(walked.calls.len(), 5);
        assert_eq!(walked.records()[0].text("dmarc_policy").as_deref(), Some(word));
    }
}

#[test]
fn mail_servers_become_entities_and_the_policy_stands_at_the_input() {
    every_example_is_found(&Dns);
    let found = mapped(&Dns, "dns.mail-policy", "maltego.Domain", &domain("example.com"));
    assert_eq!(
        found,
        [
            "maltego.Domain example.com; fqdn!=example.com; dns.domain=example.com; dns.mx=mx1.example.com, \
             mx2.example.com; dns.null_mx=false; dns.has_a=true; dns.spf=v=spf1 ip4:192.0.2.0/24 \
             include:_spf.example.net -all; dns.spf_all=-all; dns.dmarc=v=DMARC1; p=reject; sp=quarantine; \
             rua=mailto:dmarc@example.com; dns.dmarc_policy=reject",
            "maltego.MXRecord mx1.example.com; fqdn!=mx1.example.com; dns.preference=10; -> takes its mail",
            "maltego.MXRecord mx2.example.com; fqdn!=mx2.example.com; dns.preference=20; -> takes its mail",
        ]
    );
    let open = mapped(
        &Dns,
        "dns.mail-policy",
        "maltego.Domain",
        &domain("career-offers.example"),
    );
    assert!(
        open[0].contains("dns.spf_all=none; dns.dmarc_policy=missing"),
        "{open:?}"
    );
    assert!(open[1].starts_with("maltego.MXRecord mx.career-offers.example"));
}
