//! Measures what a run costs without sockets: reading a request, mapping records, writing the answer, asking lists.
//!
//! `cargo bench --bench micro`

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use jiff::Timestamp;
use jiff::civil::date;
use pivotd::catalogue::Catalogue;
use pivotd::config;
use pivotd::domain::{Answer, Capability, Indicator, IndicatorKind, Lists, Purpose, Query, Record, Source};
use pivotd::maltego::{ReadLimits, TransformResponse, request, response};
use pivotd::mapping::{MappedInput, Selection, SourceAnswer, arrange, map};
use pivotd::providers::Providers;

const SIZES: [usize; 3] = [12, 256, 10_000];

/// Makes an answer of that many address periods, within the network set aside for benchmarks (RFC 2544).
fn answer(count: usize) -> Answer {
    let records = (0..count)
        .map(|at| {
            let day = date(2004, 1, 1)
                .saturating_add(jiff::Span::new().days(i64::try_from(at % 7000).unwrap_or(0)));
            Record::new()
                .with("domain", "example.com")
                .with(
                    "ip",
                    format!("198.{}.{}.{}", 18 + at / 65_536, at / 256 % 256, at % 256),
                )
                .with("first_seen", day)
                .with("last_seen", day.saturating_add(jiff::Span::new().days(30)))
                .with("action", "Change")
        })
        .collect();
    let source = Source {
        provider: "domaintools".to_owned(),
        product: "hosting-history".to_owned(),
        blind: None,
    };
    Answer::whole(Query::new(Capability::IpHistory, domain()), records, source)
}

#[expect(clippy::expect_used, reason = "a benchmark without its input is none")]
fn domain() -> Indicator {
    Indicator::parse(IndicatorKind::Domain, "example.com").expect("a domain")
}

/// Writes a request as a client behind a distribution server sends it, of about 800 bytes.
fn trx_request() -> String {
    let mut text = String::from(
        "<MaltegoMessage><MaltegoTransformRequestMessage><Entities><Entity Type=\"maltego.Domain\"><Genealogy>\
         <Type Name=\"maltego.Domain\" OldName=\"Domain\"/></Genealogy><AdditionalFields>\
         <Field Name=\"fqdn\" DisplayName=\"Domain Name\" MatchingRule=\"strict\">example.com</Field>",
    );
    for (name, value) in [
        ("whois-info", ""),
        ("domaintools.source", "domaintools whois"),
        ("case", "17 &amp; 18"),
    ] {
        let _ = write!(
            text,
            "<Field Name=\"{name}\" DisplayName=\"{name}\" MatchingRule=\"loose\">{value}</Field>"
        );
    }
    text.push_str(
        "</AdditionalFields><Value>example.com</Value><Weight>100</Weight></Entity></Entities>\
         <Limits HardLimit=\"10000\" SoftLimit=\"256\"/><TransformFields>\
         <Field Name=\"domaintools.exclude-sinkholes\">true</Field></TransformFields>\
         </MaltegoTransformRequestMessage></MaltegoMessage>",
    );
    text
}

#[expect(clippy::expect_used, reason = "a benchmark without its input is none")]
fn bench(criterion: &mut Criterion) {
    let request = trx_request();
    let limits = ReadLimits::default();
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes(request.len() as u64));
    group.bench_function("request", |bencher| {
        bencher.iter(|| request::read(black_box(request.as_bytes()), &limits).expect("a request"));
    });
    group.finish();

    let descriptors = Providers::built_in();
    let loaded = config::load(None, &[], &descriptors).expect("the compiled-in configuration");
    let catalogue = Catalogue::build(&loaded.settings, 1);
    let spec = catalogue
        .find("domaintools.ip-history")
        .expect("a transform of the compiled-in configuration");
    let rules = spec.rules(
        &loaded.settings.scales,
        &loaded.settings.lists,
        pivotd::domain::Marks::none(),
    );
    let input = MappedInput {
        type_id: "maltego.Domain",
        value: "example.com",
        properties: &[],
        instead: None,
    };
    let now = Timestamp::from_second(1_780_000_000).expect("a time");
    for count in SIZES {
        let answer = answer(count);
        let selection = Selection::up_to(count);
        let run = || {
            let answers = [SourceAnswer::whole(black_box(&answer), now)];
            map(&answers, &rules, &input, &selection)
        };
        let response = TransformResponse {
            entities: run().entities,
            messages: Vec::new(),
        };
        assert_eq!(response.entities.len(), count);
        let mut group = criterion.benchmark_group("map");
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter_with_large_drop(run);
        });
        group.finish();
        let answers = [SourceAnswer::whole(&answer, now)];
        let direct = || {
            let mut out = response::begin();
            arrange(black_box(&answers), &rules, &input, &selection).write(&mut out, None);
            response::finish(&mut out, &[]);
            out
        };
        assert_eq!(direct(), response::write(&response));
        let mut group = criterion.benchmark_group("map_and_write");
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter_with_large_drop(direct);
        });
        group.finish();
        let mut group = criterion.benchmark_group("write");
        group.throughput(Throughput::Bytes(response::write(&response).len() as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| response::write(black_box(&response)));
        });
        group.finish();
    }
}

/// How many names the list of the benchmark has.
const NAMES: u32 = 1_000_000;

/// Makes the name at a place of the list: of about 10 to 30 octets, no two alike, in no order.
fn name(at: u32) -> String {
    const STARTS: [&str; 5] = ["", "shop-", "news-", "marketplace-", "static.images."];
    const ENDS: [&str; 6] = ["com", "net", "org", "de", "co.uk", "example"];
    let mixed = at.wrapping_mul(2_654_435_761);
    let start = STARTS[mixed as usize % STARTS.len()];
    format!("{start}{mixed:x}.{}", ENDS[(mixed >> 8) as usize % ENDS.len()])
}

/// Reads how much memory of this process is resident, in KiB; `None` where the system does not tell.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[expect(clippy::expect_used, reason = "a benchmark without its input is none")]
#[expect(clippy::print_stdout, reason = "criterion has no place for memory")]
fn bench_lists(criterion: &mut Criterion) {
    let mut text = String::new();
    for at in 0..NAMES {
        let _ = writeln!(text, "{},{}", at + 1, name(at));
    }
    let before = resident();
    let mut lists = Lists::built_in();
    let added = lists.add(Purpose::Popular, &text, "top.csv").expect("a list");
    let count = added.entries;
    assert_eq!(count, NAMES as usize);
    if let Some((before, after)) = before.zip(resident()) {
        println!(
            "lists: {count} names take {} MiB",
            after.saturating_sub(before) >> 10
        );
    }
    drop(text);

    // Questions come in no order, so that no cache of the processor knows what comes next.
    let ask = |kind, value: String| Indicator::parse(kind, &value).expect("an indicator");
    let places = || (0..100_000).map(|at: u32| at.wrapping_mul(40_503) % NAMES);
    let questions: [(&str, Vec<Indicator>); 4] = [
        (
            "listed",
            places()
                .map(|at| ask(IndicatorKind::Hostname, name(at)))
                .collect(),
        ),
        (
            "below",
            places()
                .map(|at| ask(IndicatorKind::Hostname, format!("www.{}", name(at))))
                .collect(),
        ),
        (
            "unknown",
            places()
                .map(|at| ask(IndicatorKind::Hostname, format!("mail.not-{}", name(at))))
                .collect(),
        ),
        (
            "address",
            places()
                .map(|at| std::net::Ipv4Addr::from(at.wrapping_mul(2_654_435_761)))
                .map(|address| ask(IndicatorKind::Ipv4, address.to_string()))
                .collect(),
        ),
    ];
    let mut group = criterion.benchmark_group("lists");
    for (case, questions) in &questions {
        let found: usize = questions.iter().map(|question| lists.hits(question).len()).sum();
        assert!((*case == "unknown") == (found == 0), "{case}: {found}");
        let mut rest = questions.iter().cycle();
        group.bench_function(*case, |bencher| {
            bencher.iter(|| rest.next().map(|question| lists.hits(black_box(question))));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    bench(&mut criterion);
    bench_lists(&mut criterion);
    criterion.final_summary();
}
