//! Reads recorded answers of the real API, from the folder that `PIVOTD_SAMPLES` names.

use super::*;

fn walked(name: &str, lookup: &Lookup) -> LookupTrace {
    let path = testing::recordings("PIVOTD_SAMPLES")
        .join("virustotal")
        .join(name);
    let body = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let walked = testing::walk(&VirusTotal, lookup, |_| testing::reply(200, &body));
    walked.unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
#[ignore = "needs recordings"]
fn resolutions_of_names() {
    let few = Lookup {
        wanted: 1,
        ..resolutions("one.one.one.one")
    };
    let one = walked("vt_resolutions_one.json", &few);
    let rows: Vec<String> = one
        .records()
        .iter()
        .map(|record| {
            format!(
                "{} {} {}",
                text(record, "name"),
                text(record, "ip"),
                text(record, "last_seen")
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            "one.one.one.one 1.0.0.1 2020-08-01T22:07:20Z",
            "one.one.one.one 1.1.1.1 2019-12-13T06:24:54Z",
        ]
    );
    assert_eq!((one.answer().total, one.answer().more), (Some(2), false));

    let gist = walked("vt_resolutions_gist.json", &few);
    assert_eq!(gist.records().len(), 10);
    assert_eq!(text(&gist.records()[0], "ip"), "13.234.210.38");
    assert_eq!(text(&gist.records()[0], "collector"), "SecneurX");
    assert_eq!((gist.answer().total, gist.answer().more), (Some(37), true));

    // It ends with a cursor that leads to more.
    let wired = Lookup {
        wanted: 1,
        ..resolutions("www.wired.com")
    };
    let wired = walked("vt_resolutions_wired.json", &wired);
    assert_eq!((wired.records().len(), wired.calls.len()), (10, 1));
    assert!(
        wired
            .records()
            .iter()
            .all(|record| text(record, "name") == "www.wired.com")
    );
    let ends = [0, 9].map(|at| {
        (
            text(&wired.records()[at], "ip"),
            text(&wired.records()[at], "last_seen"),
        )
    });
    let end = |ip: &str, time: &str| (ip.to_owned(), time.to_owned());
    assert_eq!(
        ends,
        [
            end("199.232.34.194", "2022-06-03T22:32:19Z"),
            end("151.101.90.194", "2021-08-11T15:14:30Z"),
        ]
    );
    assert_eq!((wired.answer().total, wired.answer().more), (Some(200), true));

    let none = walked("vt_resolutions_no_result.json", &few);
    assert!(none.answer().is_not_found());
}

#[test]
#[ignore = "needs recordings"]
fn verdicts() {
    let of = |name: &str, kind, value: &str, product| {
        let asked = testing::lookup(
            &VirusTotal,
            question(Capability::Reputation, kind, value),
            product,
        );
        walked(name, &asked)
    };
    use IndicatorKind::{Domain, Ipv4};
    let google = of("vt_domain_google.json", Domain, "google.com", "domains");
    let told = |walked: &LookupTrace| {
        let records = walked.records().iter();
        let one = |record| {
            format!(
                "{} {} {}",
                text(record, "measure"),
                text(record, "value"),
                text(record, "reasons")
            )
        };
        records.map(one).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&google),
        ["engines 1 1 of 94 engines: malicious, Cyble: malware"]
    );
    let resolver = of("vt_ip_1.1.1.1.json", Ipv4, "1.1.1.1", "ip_addresses");
    assert_eq!(
        told(&resolver),
        [
            "engines 4 4 of 94 engines: malicious, Blueliv: malicious, CMC Threat Intelligence: malware, \
             Comodo Valkyrie Verdict: malware"
        ]
    );
    let clean = of(
        "vt_ip_142.251.220.110.json",
        Ipv4,
        "142.251.220.110",
        "ip_addresses",
    );
    assert_eq!(told(&clean), ["engines 0 0 of 93 engines: malicious"]);
}
