//! Reads the sections that are not about providers and transforms.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::problem::expected_of;
use super::reader::{Findings, Reader, integer, path, text};
use super::settings::{
    CacheSettings, Deadlines, LogFormat, LogIndicators, LogSettings, MaltegoSettings, Rate, ServerSettings,
    StoreSettings, TlsFiles,
};
use super::tree::{Data, Node};
use super::{level, values};
use crate::domain::marking::TlpRed;
use crate::mail::Relay;
use crate::mapping::{Band, Colour, Scale};

const MIB: u64 = 1 << 20;
/// Where the browser client is served from.
const BROWSER_CLIENT: &str = "https://app.maltego.com";
const SIXTY: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);

/// Opens a section; a missing one reads as empty.
pub(super) fn section<'a>(root: &Reader<'a>, key: &'a str) -> Reader<'a> {
    match root.get(key) {
        Some(node) => Reader::new(root.findings, root.path(key), node),
        None => Reader::of(root.findings, root.path(key), root.origin, &[]),
    }
}

impl<'a> Reader<'a> {
    /// Reads a duration within bounds.
    pub(super) fn duration(
        &self,
        key: &'a str,
        default: Duration,
        least: Duration,
        max: Duration,
    ) -> Duration {
        let shown = format!("{:?}", values::show_duration(default));
        self.value_or(key, default, &shown, |node| {
            let duration = values::duration(&text(node)?)?;
            if (least..=max).contains(&duration) {
                return Ok(duration);
            }
            let (least, max) = (values::show_duration(least), values::show_duration(max));
            Err(format!(
                "expected a duration from {least} to {max}, found {}",
                node.shown()
            ))
        })
    }

    /// Reads a size in bytes within bounds.
    pub(super) fn bytes(&self, key: &'a str, default: u64, least: u64, max: u64) -> u64 {
        self.value_or(key, default, &default.to_string(), |node| {
            let bytes = match node.data {
                Data::Integer(number) => u64::try_from(number).map_err(|_| "expected a size".to_owned())?,
                _ => values::bytes(&text(node)?)?,
            };
            if (least..=max).contains(&bytes) {
                return Ok(bytes);
            }
            Err(format!(
                "expected from {least} to {max} bytes, found {}",
                node.shown()
            ))
        })
    }

    /// Reads a whole number within bounds.
    pub(super) fn number(&self, key: &'a str, default: i64, least: i64, max: i64) -> i64 {
        self.value_or(key, default, &default.to_string(), |node| {
            integer(node, least, max)
        })
    }

    /// Reads a word of a list.
    pub(super) fn word<T: Copy + PartialEq>(&self, key: &'a str, default: T, words: &[(&str, T)]) -> T {
        let shown = words
            .iter()
            .find(|(_, value)| *value == default)
            .map_or("", |(word, _)| word);
        self.value_or(key, default, &format!("{shown:?}"), |node| {
            let given = text(node)?;
            let found = words
                .iter()
                .find(|(word, _)| *word == given)
                .map(|(_, value)| *value);
            let names = words.iter().map(|(word, _)| *word);
            found.ok_or_else(|| format!("unknown value \"{given}\"{}", expected_of(&given, names)))
        })
    }

    /// Reads a path.
    pub(super) fn file(&self, key: &'a str) -> Option<PathBuf> {
        self.value(key, path)
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn server(root: &Reader<'_>) -> ServerSettings {
    let reader = section(root, "server");
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    let max_body = reader.bytes("max_body", 16 * MIB, 16 << 10, 256 * MIB);
    // Clients with a token have half of it, and the largest body must fit.
    let least = 2 * max_body;
    let bodies = reader.bytes("bodies", least.max(64 * MIB), MIB, 64 << 30);
    if bodies < least
        && let Some(node) = reader.get("bodies")
    {
        let message = format!("bodies: expected at least twice max_body, which is {max_body} bytes");
        reader.findings.error(&node.origin, message);
    }
    let settings = ServerSettings {
        listen: reader.value_or("listen", listen, &format!("\"{listen}\""), |node| {
            let given = text(node)?;
            given.parse().map_err(|_| {
                format!("expected an address and a port such as 127.0.0.1:8080, found \"{given}\"")
            })
        }),
        public_url: reader.value("public_url", |node| values::public_url(&text(node)?)),
        trusted_proxies: reader.each("trusted_proxies", values::network),
        data: reader.value_or("data", PathBuf::from("./data"), "\"./data\"", path),
        tls: None,
        tls_ends_before: false,
        workers: reader
            .value("workers", |node| integer(node, 1, 512))
            .and_then(|number| usize::try_from(number).ok()),
        max_body: usize::try_from(max_body).unwrap_or(usize::MAX),
        connections: usize::try_from(reader.number("connections", 4096, 16, 1_000_000)).unwrap_or(usize::MAX),
        client_timeout: reader.duration("client_timeout", seconds(60), seconds(1), seconds(600)),
        patience: reader.duration(
            "patience",
            Duration::from_millis(250),
            Duration::from_millis(50),
            seconds(3600),
        ),
        bodies: usize::try_from(bodies).unwrap_or(usize::MAX),
        answers: usize::try_from(reader.bytes("answers", 64 * MIB, MIB, 64 << 30)).unwrap_or(usize::MAX),
        wrong_tokens: reader.value_or(
            "wrong_tokens",
            Rate::smooth(SIXTY, seconds(60)),
            "\"60/min\"",
            |node| values::rate(&text(node)?),
        ),
        shutdown: reader.duration("shutdown", seconds(30), Duration::ZERO, seconds(600)),
        working_memory: usize::try_from(reader.bytes("working_memory", 128 * MIB, 16 * MIB, 1 << 40))
            .unwrap_or(usize::MAX),
        clock_believed: reader.duration("clock_believed", seconds(3600), seconds(60), seconds(7 * 86_400)),
    };
    let (tls, tls_ends_before) = tls(&reader);
    reader.finish();
    ServerSettings {
        tls,
        tls_ends_before,
        ..settings
    }
}

fn tls(reader: &Reader<'_>) -> (Option<TlsFiles>, bool) {
    let Some(node) = reader.get("tls") else {
        return (None, false);
    };
    match &node.data {
        Data::Text(word) if word == "before" => {
            reader
                .findings
                .effective(reader.path("tls"), node.shown(), &node.origin);
            (None, true)
        }
        Data::Table(_) => {
            let files = Reader::new(reader.findings, reader.path("tls"), node);
            let file = |key| {
                files
                    .required(key)
                    .map(|(text, origin): (String, &super::Origin)| origin.beside(&text))
            };
            let (certificate, key) = (file("certificate"), file("key"));
            files.finish();
            reader
                .findings
                .effective(reader.path("tls"), node.shown(), &node.origin);
            (
                certificate
                    .zip(key)
                    .map(|(certificate, key)| TlsFiles { certificate, key }),
                false,
            )
        }
        _ => {
            let message = "tls: expected { certificate = \"…\", key = \"…\" }, or \"before\" where TLS ends in front of this server";
            reader.findings.error(&node.origin, message);
            (None, false)
        }
    }
}

pub(super) fn log(root: &Reader<'_>) -> LogSettings {
    let reader = section(root, "log");
    let settings = LogSettings {
        format: reader.word(
            "format",
            LogFormat::Text,
            &[("text", LogFormat::Text), ("json", LogFormat::Json)],
        ),
        level: reader.value_or("level", "info".to_owned(), "\"info\"", |node| {
            let given = text(node)?;
            level::level(&given)?;
            Ok(given)
        }),
        indicators: reader.word(
            "indicators",
            LogIndicators::Hash,
            &[
                ("full", LogIndicators::Full),
                ("hash", LogIndicators::Hash),
                ("none", LogIndicators::None),
            ],
        ),
        file: reader.file("file"),
    };
    reader.finish();
    settings
}

pub(super) fn cache(root: &Reader<'_>) -> CacheSettings {
    let reader = section(root, "cache");
    let settings = CacheSettings {
        memory: reader.bytes("memory", 64 * MIB, MIB, 1 << 40),
        store_memory: usize::try_from(reader.bytes("store_memory", 16 * MIB, MIB, 64 << 30))
            .unwrap_or(usize::MAX),
    };
    reader.finish();
    settings
}

pub(super) fn store(root: &Reader<'_>) -> StoreSettings {
    let reader = section(root, "store");
    let settings = StoreSettings {
        min_free: reader.bytes("min_free", 64 * MIB, 0, 1 << 50),
        replies: reader.bytes("replies", 256 * MIB, MIB, 1 << 40),
        replies_per_client: reader.bytes("replies_per_client", 64 * MIB, MIB, 1 << 40),
        decisions: reader.bytes("decisions", 2048 * MIB, MIB, 1 << 50),
        decisions_per_client: reader.bytes("decisions_per_client", 1024 * MIB, MIB, 1 << 50),
    };
    reader.finish();
    settings
}

/// Reads what is particular to Maltego clients.
pub(super) fn maltego(root: &Reader<'_>) -> MaltegoSettings {
    let reader = section(root, "maltego");
    let cors_origins = match reader.get("cors_origins") {
        Some(_) => reader.each("cors_origins", values::origin),
        None => vec![BROWSER_CLIENT.to_owned()],
    };
    reader.finish();
    MaltegoSettings { cors_origins }
}

pub(super) fn deadlines(root: &Reader<'_>) -> Deadlines {
    let reader = section(root, "deadlines");
    let settings = Deadlines {
        maltego: reader.duration("maltego", seconds(110), seconds(1), seconds(3600)),
        enrich: reader.duration("enrich", seconds(20), seconds(1), seconds(3600)),
    };
    reader.finish();
    settings
}

/// Reads whose relays are believed where a message says which way it came, and how numbers of marks are meant.
pub(super) fn alerts(root: &Reader<'_>) -> (Vec<Relay>, TlpRed) {
    let reader = section(root, "alerts");
    let relays = reader.each("trusted_relays", |name| {
        name.parse::<Relay>().map_err(|error| format!("{error}"))
    });
    let red = match reader.number("tlp_red", 3, 3, 4) {
        4 => TlpRed::Four,
        _ => TlpRed::Three,
    };
    reader.finish();
    (relays, red)
}

/// Reads how long decisions are kept.
pub(super) fn decisions_kept(root: &Reader<'_>) -> Duration {
    const DAY: u64 = 86_400;
    let reader = section(root, "decisions");
    let kept = reader.duration("keep", seconds(400 * DAY), seconds(DAY), seconds(3650 * DAY));
    reader.finish();
    kept
}

pub(super) fn scales(root: &Reader<'_>) -> BTreeMap<String, Scale> {
    let reader = section(root, "scales");
    let mut scales = BTreeMap::new();
    for entry in reader.rest() {
        let path = reader.path(&entry.name);
        let Data::List(nodes) = &entry.node.data else {
            let message = format!(
                "{}: expected a list of bands, found {}",
                entry.name,
                entry.node.what()
            );
            reader.findings.error(&entry.node.origin, message);
            continue;
        };
        let mut bands: Vec<Band> = Vec::new();
        for node in nodes {
            let Some(band) = band(reader.findings, &path, node) else {
                continue;
            };
            if bands.last().is_some_and(|before| before.from >= band.from) {
                let message = format!("from: bands ascend, and {} does not", band.from);
                reader.findings.error(&node.origin, message);
            }
            bands.push(band);
        }
        if nodes.is_empty() {
            reader.findings.error(
                &entry.node.origin,
                format!("{}: a scale needs a band", entry.name),
            );
        }
        reader
            .findings
            .effective(path, format!("{} bands", bands.len()), &entry.node.origin);
        scales.insert(entry.name.clone(), Scale { bands });
    }
    scales
}

fn band(findings: &Findings, path: &str, node: &Node) -> Option<Band> {
    // Bands are told as a whole by their scale, so their parts are not listed as effective values.
    let quiet = Findings::default();
    let reader = Reader::new(&quiet, path, node);
    let from = match reader.get("from") {
        Some(node) => integer(node, i64::from(i32::MIN), i64::from(i32::MAX))
            .map_err(|message| quiet.error(&node.origin, format!("from: {message}")))
            .ok(),
        None => {
            quiet.error(&node.origin, "\"from\" is missing");
            None
        }
    };
    let name = reader.required("name").map(|(name, _)| name);
    let bookmark = reader.value("bookmark", colour);
    let overlay = reader.value("overlay", |node| {
        let given = text(node)?;
        let is_colour = given.len() == 7
            && given
                .strip_prefix('#')
                .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if is_colour {
            Ok(given)
        } else {
            Err(format!("expected a colour such as #d32f2f, found \"{given}\""))
        }
    });
    reader.finish();
    let (errors, warnings, _) = quiet.into_parts();
    errors
        .into_iter()
        .for_each(|problem| findings.error(&problem.origin, problem.message));
    warnings
        .into_iter()
        .for_each(|problem| findings.warn(&problem.origin, problem.message));
    Some(Band {
        from: from?,
        name: name?,
        bookmark,
        overlay,
    })
}

/// Reads a bookmark's colour.
pub(super) fn colour(node: &Node) -> Result<Colour, String> {
    let given = text(node)?;
    let found = Colour::ALL.into_iter().find(|colour| colour.name() == given);
    found.ok_or_else(|| {
        format!(
            "unknown colour \"{given}\"{}",
            expected_of(&given, Colour::ALL.map(Colour::name))
        )
    })
}
