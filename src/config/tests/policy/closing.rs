//! When an alert may be closed: only where a source or a list vouches for all that matters.

use super::missing::{Said, compiled_in, listing, said};
use super::*;
use crate::domain::lists::Purpose;

const FALLBACKS: [Fallback; 3] = [Fallback::Keep, Fallback::Exceeds, Fallback::Below];

fn item(role: &str, value: &str, evidence: Vec<Evidence>) -> Assessment {
    let indicator = Indicator::guess(value).unwrap();
    assess(role, &indicator, evidence, &compiled_in(), now())
}

fn known(role: &str, value: &str) -> Assessment {
    item(role, value, vec![risk(3)])
}

fn unknown(role: &str, value: &str) -> Assessment {
    item(
        role,
        value,
        vec![Evidence::absent("domaintools", EvidenceStatus::NoData)],
    )
}

fn decide(items: Vec<Assessment>) -> Decision {
    decide_with(items, |_| {}).decision
}

fn decide_with(items: Vec<Assessment>, change: impl FnOnce(&mut Request<'_>)) -> AlertAnswer {
    let titles = BTreeMap::new();
    let mut request = Request::new("", "", &titles);
    change(&mut request);
    combine(request, &compiled_in(), items)
}

#[test]
fn one_known_indicator_does_not_close_an_alert_with_others() {
    let known_domain = || known("domain", "example.com");
    assert_eq!(decide(vec![known_domain()]), Decision::Below);
    let all = vec![
        known_domain(),
        unknown("domain", "unknown.example"),
        unknown("url", "https://unknown.example/a"),
    ];
    let answer = decide_with(all, |_| {});
    assert_eq!((answer.decision, answer.max_score), (Decision::Unknown, Some(3)));
    assert_eq!(answer.unknown, ["unknown.example", "https://unknown.example/a"]);
    for role in [
        "sender",
        "attached_sender",
        "reply_to",
        "url",
        "attachment",
        "domain",
        "ip",
        "hash",
        "email",
    ] {
        let all = vec![known_domain(), unknown(role, "192.0.2.44")];
        assert_eq!(decide(all), Decision::Unknown, "{role}");
    }
    // What a message passed on its way need not be known.
    for role in ["relay", "return_path", "email_domain"] {
        let all = vec![known_domain(), unknown(role, "192.0.2.44")];
        assert_eq!(decide(all), Decision::Below, "{role}");
        assert_eq!(
            decide(vec![unknown(role, "192.0.2.44")]),
            Decision::Unknown,
            "{role}"
        );
    }
}

#[test]
fn what_a_message_passed_on_its_way_vouches_for_nothing() {
    for (role, value) in [
        ("return_path", "bounce@known.example"),
        ("attached_sender", "a@known.example"),
        ("relay", "192.0.2.44"),
        ("email_domain", "known.example"),
    ] {
        assert_eq!(known(role, value).decision, Decision::Below, "{role}");
        assert_eq!(decide(vec![known(role, value)]), Decision::Unknown, "{role}");
    }
    // A page on a site that was broken into, and a return path that names the site.
    let page = || {
        let about = Some("known.example".to_owned());
        let of_host = Evidence { about, ..risk(3) };
        item("url", "https://known.example/a", vec![of_host])
    };
    for role in ["sender", "reply_to", "domain", "email"] {
        let value = if role == "domain" {
            "known.example"
        } else {
            "a@known.example"
        };
        assert_eq!(
            decide(vec![known(role, value), page()]),
            Decision::Below,
            "{role}"
        );
    }
    for (role, value) in [
        ("return_path", "bounce@known.example"),
        ("attached_sender", "a@known.example"),
        ("email_domain", "known.example"),
    ] {
        let alert = vec![known("sender", "a@other.example"), known(role, value), page()];
        let answer = decide_with(alert, |_| {});
        assert_eq!(answer.decision, Decision::Unknown, "{role}");
        assert_eq!(answer.unknown, ["https://known.example/a"], "{role}");
    }
}

#[test]
fn circumstances_are_told_and_make_nothing_known() {
    let policy = compiled_in();
    let word = |source: &str, measure: &str, word: &str| {
        said(&policy.rules, source, measure, &Said::Word(word.to_owned()))
    };
    let young = said(&policy.rules, "rdap", "registered", &Said::Days(0));
    let circumstances = [
        word("dns", "mail", "no-dmarc"),
        word("dns", "mail", "no-spf"),
        word("dns", "mail", "no-mx"),
        young,
        word("message", "authentication", "spf-fail"),
        word("spamhaus", "zen", "pbl"),
        word("emailrep", "flag", "new_domain"),
    ];
    for one in &circumstances {
        let found = judge(std::slice::from_ref(one), &policy);
        assert_eq!(
            (found.score, found.decision),
            (None, Decision::Unknown),
            "{one:?}"
        );
        assert!(!found.explanation.is_empty() && sum(&found) == 0, "{one:?}");
        assert!(found.confidence == Millionths::ZERO, "{one:?}");
    }
    let all = judge(&circumstances, &policy);
    assert_eq!((all.score, all.decision), (None, Decision::Unknown));
    assert_eq!(
        (all.verdict, all.recommend),
        (Verdict::Suspicious, Recommendation::Review)
    );
    // Beside what a source knows they count.
    let beside = judge(&[risk(45), word("dns", "mail", "no-mx")], &policy);
    assert_eq!((beside.score, beside.decision), (Some(59), Decision::Exceeds));
    let answer = decide_with(
        vec![item("domain", "a.example", vec![circumstances[0].clone()])],
        |_| {},
    );
    assert_eq!(answer.decision, Decision::Unknown);
    assert!(
        answer
            .summary
            .starts_with("No source scores a.example itself: dns"),
        "{}",
        answer.summary
    );
}

#[test]
fn a_list_vouches_as_far_as_strangers_put_nothing_there() {
    let at = |value: &str, purposes: &[Purpose]| {
        let indicator = Indicator::guess(value).unwrap();
        let mut evidence: Vec<Evidence> = vec![Evidence::absent("domaintools", EvidenceStatus::NoData)];
        if purposes.len() > 1 {
            let hits: Vec<crate::domain::lists::Hit> = purposes
                .iter()
                .map(|purpose| crate::domain::lists::Hit {
                    purpose: *purpose,
                    list: "a list".into(),
                    entry: indicator.host().unwrap(),
                })
                .collect();
            evidence.extend(lists::evidence(&indicator, &hits, &compiled_in().rules));
        } else {
            evidence.extend(purposes.iter().flat_map(|purpose| listing(&indicator, *purpose)));
        }
        let found = item("url", value, evidence);
        assert_eq!(decide(vec![found.clone()]), found.decision);
        found.decision
    };
    let (page, name) = ("https://www.example.com/a", "example.com");
    for purpose in [Purpose::Own, Purpose::Trusted, Purpose::Popular] {
        assert_eq!(at(name, &[purpose]), Decision::Below, "{purpose:?}");
        assert_eq!(at(page, &[purpose]), Decision::Below, "{purpose:?}");
    }
    for purpose in [
        Purpose::Cdn,
        Purpose::Cloud,
        Purpose::FreeMail,
        Purpose::SecurityVendor,
        Purpose::Disposable,
    ] {
        assert_eq!(at(name, &[purpose]), Decision::Unknown, "{purpose:?}");
    }
    for purpose in [
        Purpose::SharedHosting,
        Purpose::Shortener,
        Purpose::SafeLink,
        Purpose::Cdn,
        Purpose::FreeMail,
    ] {
        assert_eq!(
            at(page, &[Purpose::Popular, purpose]),
            Decision::Unknown,
            "{purpose:?}"
        );
    }
}

#[test]
fn no_list_vouches_for_what_strangers_put_at_a_popular_host() {
    use crate::domain::lists::Lists;
    let rules = compiled_in().rules;
    let hosts = "
        github.com gist.github.com raw.githubusercontent.com gitlab.com bitbucket.org customervoice.microsoft.com
        forms.office.com express.adobe.com acrobat.adobe.com lookerstudio.google.com groups.google.com docs.google.com
        drive.google.com sites.google.com forms.google.com script.google.com corp.sharepoint.com onedrive.live.com
        www.dropbox.com dropbox.com wetransfer.com a.notion.site www.canva.com figma.com trello.com app.box.com
        www.mediafire.com mega.nz telegra.ph t.me linktr.ee medium.com a.wordpress.com a.blogspot.com a.wixsite.com
        a.weebly.com form.jotform.com a.typeform.com www.surveymonkey.com airtable.com forms.monday.com
        forms.zohopublic.com pastebin.com cdn.discordapp.com a.workers.dev a.pages.dev a.netlify.app a.vercel.app
        a.web.app a.firebaseapp.com a.herokuapp.com a.azurewebsites.net a.blob.core.windows.net
        a.s3.amazonaws.com s3.amazonaws.com a.r2.dev ipfs.io www.icloud.com a.github.io";
    let mut lists = Lists::built_in();
    for host in hosts.split_whitespace() {
        // As a list of the top million has it.
        let above = host.rsplitn(3, '.').take(2).collect::<Vec<_>>();
        let above = above.iter().rev().copied().collect::<Vec<_>>().join(".");
        lists.add_entry(Purpose::Popular, &above, "top.txt").unwrap();
    }
    for host in hosts.split_whitespace() {
        let page = Indicator::guess(&format!("https://{host}/a")).unwrap();
        let hits = lists.hits(&page);
        assert_eq!(
            lists::vouched_as_popular(&page, &hits, &rules),
            None,
            "{host}: {hits:?}"
        );
        let evidence = lists::evidence(&page, &hits, &rules);
        let is_soft = |item: &Evidence| {
            item.measure == "popular" && item.polarity == Polarity::Benign(BenignClass::Soft)
        };
        // Nor does it hold down what a source says of the page.
        assert!(!evidence.iter().any(is_soft), "{host}: {evidence:?}");
    }
    let page = Indicator::guess("https://www.paypal.com/signin").unwrap();
    let vouched = lists::vouched_as_popular(&page, &lists.hits(&page), &rules);
    assert!(vouched.is_some_and(|why| why.starts_with("popular: paypal.com on ")));
    // Mailboxes of the host's own name are its operator's.
    let mailbox = |domain: &str| {
        let domain = Indicator::name(domain).unwrap();
        lists::popular_sender(&domain, &lists.hits(&domain)).is_some()
    };
    assert!(mailbox("github.com") && mailbox("paypal.com"));
    for domain in ["gmail.com", "icloud.com", "a.wordpress.com", "a.blogspot.com"] {
        assert!(!mailbox(domain), "{domain}");
    }
}

#[test]
fn what_counts_only_against_an_indicator_never_closes() {
    let host = |score| Evidence {
        knowledge: Knowledge::CountsOnly,
        ..risk(score)
    };
    let low = item("url", "https://pages.example/a", vec![host(3)]);
    assert_eq!((low.score, low.decision), (None, Decision::Unknown));
    let high = item("url", "https://pages.example/a", vec![host(87)]);
    assert_eq!((high.score, high.decision), (Some(87), Decision::Exceeds));
}

#[test]
fn a_sender_that_may_be_another_closes_nothing() {
    let doubtful = |items| decide_with(items, |request| request.is_sender_doubtful = true).decision;
    assert_eq!(
        doubtful(vec![known("sender", "a@example.com")]),
        Decision::Unknown
    );
    assert_eq!(
        doubtful(vec![item("url", "http://a.example/", vec![risk(87)])]),
        Decision::Exceeds
    );
}

#[test]
fn no_source_that_is_down_closes_what_exceeds_with_all_up() {
    let policy = compiled_in();
    let rules = policy.rules.as_ref();
    let number = |source: &str, measure: &str, value: i64| said(rules, source, measure, &Said::Number(value));
    let nothing = |source: &str| Evidence::absent(source, EvidenceStatus::NoData);
    let answers = [
        (
            "domaintools",
            vec![risk(3), risk(40), risk(87), nothing("domaintools")],
        ),
        (
            "virustotal",
            vec![
                number("virustotal", "engines", 0),
                number("virustotal", "engines", 9),
                nothing("virustotal"),
            ],
        ),
        (
            "dns",
            vec![
                said(rules, "dns", "mail", &Said::Word("no-mx".to_owned())),
                nothing("dns"),
            ],
        ),
    ];
    let mut closed = 0;
    for at in 0..24_usize {
        let said = [at % 4, at / 4 % 3, at / 12];
        for other in [risk(3), risk(51), nothing("domaintools")] {
            let alert = |down: usize| {
                let evidence = answers.iter().enumerate().map(|(source, (name, said_by))| {
                    if down & (1 << source) == 0 {
                        said_by[said[source]].clone()
                    } else {
                        Evidence::absent(name, EvidenceStatus::Timeout)
                    }
                });
                let second = if down & 8 == 0 {
                    other.clone()
                } else {
                    Evidence::absent("domaintools", EvidenceStatus::Limited)
                };
                vec![
                    item("domain", "a.example", evidence.collect()),
                    item("url", "https://b.example/", vec![second]),
                ]
            };
            let whole = decide(alert(0));
            for down in 1..16 {
                let found = decide(alert(down));
                assert!(
                    found != Decision::Below || whole != Decision::Exceeds,
                    "{said:?} {other:?} {down}"
                );
                // What no source knows is not closed because a source is down.
                assert!(
                    found != Decision::Below || whole == Decision::Below,
                    "{said:?} {other:?} {down}"
                );
                closed += usize::from(found == Decision::Below);
            }
        }
    }
    assert!(closed > 0, "gaps that do not matter still close");
}

#[test]
fn what_could_not_be_read_never_turns_an_alert_into_below() {
    let unread = || {
        vec![Ignored::text(
            "url",
            "http://a.example:99999/",
            "the port is no port",
        )]
    };
    let alerts = [
        vec![],
        vec![known("domain", "example.com")],
        vec![
            known("domain", "example.com"),
            unknown("url", "https://b.example/"),
        ],
        vec![unknown("domain", "b.example")],
        vec![item(
            "domain",
            "b.example",
            vec![Evidence::absent("domaintools", EvidenceStatus::Timeout)],
        )],
        vec![item("domain", "b.example", vec![risk(87)])],
    ];
    for alert in alerts {
        for all in 0..81_usize {
            let at = |place: usize| FALLBACKS[all / 3_usize.pow(place as u32) % 3];
            let fallbacks = Fallbacks {
                undetermined: at(0),
                unreadable: at(1),
                sealed: at(2),
                unknown: at(3),
            };
            let without = decide_with(alert.clone(), |request| request.fallbacks = fallbacks).decision;
            let unreadable = decide_with(alert.clone(), |request| {
                request.fallbacks = fallbacks;
                request.unreadable = unread();
            });
            let sealed = decide_with(alert.clone(), |request| {
                request.fallbacks = fallbacks;
                request.sealed = unread();
            });
            for (answer, own) in [(unreadable, fallbacks.unreadable), (sealed, fallbacks.sealed)] {
                let told = format!(
                    "{fallbacks:?} {} without {}",
                    answer.decision.name(),
                    without.name()
                );
                if answer.decision == Decision::Below {
                    assert!(own == Fallback::Below, "{told}");
                    assert!(without == Decision::Below || alert.is_empty(), "{told}");
                }
                if without == Decision::Exceeds && !alert.is_empty() {
                    assert_ne!(answer.decision, Decision::Below, "{told}");
                }
                assert!(answer.causes.iter().any(|cause| !cause.retry), "{told}");
            }
        }
    }
}

#[test]
fn each_setting_decides_its_own_matter() {
    let unread = || {
        vec![Ignored::text(
            "url",
            "http://a.example:99999/",
            "the port is no port",
        )]
    };
    let decide = |unreadable: bool, sealed: bool, fallbacks: Fallbacks| {
        let answer = decide_with(vec![known("domain", "example.com")], |request| {
            request.fallbacks = fallbacks;
            if unreadable {
                request.unreadable = unread();
            }
            if sealed {
                request.sealed = unread();
            }
        });
        (answer.decision, answer.decided_by)
    };
    let keep = Fallbacks::default();
    let open = Fallbacks {
        sealed: Fallback::Below,
        ..keep
    };
    assert_eq!(decide(false, false, keep), (Decision::Below, DecidedBy::Scores));
    assert_eq!(
        decide(true, false, keep),
        (Decision::Undetermined, DecidedBy::Scores)
    );
    assert_eq!(
        decide(false, true, keep),
        (Decision::Undetermined, DecidedBy::Scores)
    );
    assert_eq!(decide(false, true, open), (Decision::Below, DecidedBy::OnSealed));
    assert_eq!(
        decide(true, true, open),
        (Decision::Undetermined, DecidedBy::Scores)
    );
    let strict = Fallbacks {
        unreadable: Fallback::Exceeds,
        ..open
    };
    assert_eq!(
        decide(true, true, strict),
        (Decision::Exceeds, DecidedBy::OnUnreadable)
    );
    let lax = Fallbacks {
        undetermined: Fallback::Below,
        ..keep
    };
    assert_eq!(
        decide(true, false, lax),
        (Decision::Undetermined, DecidedBy::Scores)
    );
    let night = Fallbacks {
        undetermined: Fallback::Exceeds,
        ..keep
    };
    assert_eq!(
        decide(true, false, night),
        (Decision::Exceeds, DecidedBy::OnUndetermined)
    );
}
