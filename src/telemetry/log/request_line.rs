//! Writes the line of a request, without the secrets that what was asked about may hold.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::config::settings::{LogFormat, LogIndicators};
use crate::domain::indicator::{is_turning, unturned};

/// Holds the fields of one request's line.
#[derive(Debug, Clone)]
pub struct RequestLine {
    /// When it was answered.
    pub at: Timestamp,
    /// The request id.
    pub request_id: uuid::Uuid,
    /// The trace that the client says it belongs to.
    pub trace_id: Option<u128>,
    /// The client token's name; empty where there was none.
    pub client: Arc<str>,
    /// The frontend.
    pub frontend: &'static str,
    /// The transform or the route's pattern, never the request's target.
    pub operation: Arc<str>,
    /// The outcome.
    pub outcome: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Where the answer came from.
    pub cache: &'static str,
    /// Time that the vendor took.
    pub provider_time: Duration,
    /// Time in all.
    pub took: Duration,
    /// What was asked about; shown as the settings say.
    pub indicator: Option<Arc<str>>,
    /// The id of the decision, where one was made.
    pub decision: Option<Arc<str>>,
}

/// Says how the writer shows a request.
pub(super) struct LineFormat {
    pub(super) format: LogFormat,
    indicators: LogIndicators,
    /// Keyed already: the key's part of a hash is the same for every line.
    keyed: Option<Hmac<Sha256>>,
}

/// Writes a text as a JSON string; indicators are other people's text.
fn quoted(sink: &mut impl Write, text: &str) -> io::Result<()> {
    if text.is_ascii() || !text.chars().any(is_turning) {
        return serde_json::to_writer(sink, text).map_err(io::Error::from);
    }
    // JSON writes them so, too: a program reads the same, and a terminal turns nothing.
    let text = serde_json::to_string(text)?;
    sink.write_all(unturned(&text).as_bytes())
}

impl RequestLine {
    pub(super) fn write(&self, sink: &mut impl Write, style: &LineFormat) -> io::Result<()> {
        // Whole numbers are written several times faster than floating-point ones.
        let provider = self.provider_time.as_micros() / 100;
        let (provider_ms, provider_tenth) = (provider / 10, provider % 10);
        let took = self.took.as_micros();
        let (took_ms, took_us) = (took / 1000, took % 1000);
        let shown = self
            .indicator
            .as_deref()
            .and_then(|indicator| style.show(indicator));
        match style.format {
            LogFormat::Json => {
                write!(
                    sink,
                    "{{\"timestamp\":\"{}\",\"level\":\"INFO\",\"fields\":{{\"message\":\"answered\",\
                     \"request_id\":\"{}\",\"client\":",
                    self.at, self.request_id
                )?;
                quoted(sink, &self.client)?;
                write!(sink, ",\"face\":\"{}\",\"operation\":", self.frontend)?;
                quoted(sink, &self.operation)?;
                write!(
                    sink,
                    ",\"outcome\":\"{}\",\"status\":{},\"cache\":\"{}\",\"provider_ms\":{provider_ms}.{provider_tenth},\
                     \"took_ms\":{took_ms}.{took_us:03}",
                    self.outcome, self.status, self.cache
                )?;
                if let Some(trace_id) = self.trace_id {
                    write!(sink, ",\"trace_id\":\"{trace_id:032x}\"")?;
                }
                if let Some(shown) = shown {
                    sink.write_all(b",\"indicator\":")?;
                    quoted(sink, &shown)?;
                }
                if let Some(decision) = &self.decision {
                    sink.write_all(b",\"decision_id\":")?;
                    quoted(sink, decision)?;
                }
                sink.write_all(b"},\"target\":\"pivotd::request\"}\n")
            }
            LogFormat::Text => {
                write!(
                    sink,
                    "{}  INFO pivotd::request: answered request_id={} client={:?} face={} operation={:?} outcome={} \
                     status={} cache={} provider_ms={provider_ms}.{provider_tenth} took_ms={took_ms}.{took_us:03}",
                    self.at,
                    self.request_id,
                    self.client,
                    self.frontend,
                    self.operation,
                    self.outcome,
                    self.status,
                    self.cache
                )?;
                if let Some(trace_id) = self.trace_id {
                    write!(sink, " trace_id={trace_id:032x}")?;
                }
                if let Some(shown) = shown {
                    write!(sink, " indicator={shown:?}")?;
                }
                if let Some(decision) = &self.decision {
                    write!(sink, " decision_id={decision}")?;
                }
                sink.write_all(b"\n")
            }
        }
    }
}

impl LineFormat {
    pub(super) fn new(format: LogFormat, indicators: LogIndicators, secret: &[u8; 32]) -> Self {
        Self {
            format,
            indicators,
            keyed: Hmac::new_from_slice(secret).ok(),
        }
    }

    fn show<'a>(&self, indicator: &'a str) -> Option<Cow<'a, str>> {
        let indicator = without_user(indicator);
        match self.indicators {
            LogIndicators::Full => Some(without_query(indicator)),
            LogIndicators::None => None,
            LogIndicators::Hash => {
                let mut mac = self.keyed.clone()?;
                mac.update(indicator.as_bytes());
                let hash = mac.finalize().into_bytes();
                let first: [u8; 8] = hash.first_chunk().copied()?;
                Some(Cow::Owned(format!("{:016x}", u64::from_be_bytes(first))))
            }
        }
    }
}

const SLASHES: [&str; 2] = ["//", "\\\\"];

/// Leaves out who asks in what may be URLs: `user:password@`. A mailbox is left alone.
fn without_user(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let ends = |c: char| matches!(c, '/' | '\\' | '?' | '#');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_url = false;
    loop {
        let (authority, behind) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        match authority.rsplit_once('@') {
            Some((user, host)) if is_url || user.contains(':') => out.push_str(host),
            _ => out.push_str(authority),
        }
        let next = SLASHES.iter().filter_map(|slashes| behind.find(slashes)).min();
        let Some((path, target)) = next.and_then(|at| behind.split_at_checked(at + 2)) else {
            out.push_str(behind);
            return Cow::Owned(out);
        };
        out.push_str(path);
        is_url = true;
        rest = target.trim_start_matches(['/', '\\']);
    }
}

/// Leaves out the query and the fragment of what may be a URL: they may hold tokens. Of several URLs only the next space ends
/// them.
fn without_query(text: Cow<'_, str>) -> Cow<'_, str> {
    let count: usize = SLASHES.iter().map(|slashes| text.matches(slashes).count()).sum();
    if !text.contains(['?', '#']) || !text.contains(['/', '\\']) {
        return text;
    }
    let bare = |text: &str| match text.split_once(['?', '#']) {
        Some((start, _)) => format!("{start}?…"),
        None => text.to_owned(),
    };
    let parts: Vec<String> = if count > 1 {
        text.split(' ').map(bare).collect()
    } else {
        vec![bare(&text)]
    };
    Cow::Owned(parts.join(" "))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::telemetry::log) fn line(indicator: &str) -> RequestLine {
        RequestLine {
            at: Timestamp::from_second(1_700_000_000).unwrap(),
            request_id: uuid::Uuid::nil(),
            trace_id: Some(0x4bf9_2f35),
            client: "an\"na\n".into(),
            frontend: "maltego",
            operation: "domaintools.ip-history".into(),
            outcome: "found",
            status: 200,
            cache: "hit",
            provider_time: Duration::from_millis(12),
            took: Duration::from_micros(70),
            indicator: Some(indicator.into()),
            decision: Some("d-1".into()),
        }
    }

    fn written(format: LogFormat, indicators: LogIndicators, indicator: &str) -> String {
        let mut sink = Vec::new();
        line(indicator)
            .write(&mut sink, &LineFormat::new(format, indicators, &[7; 32]))
            .unwrap();
        String::from_utf8(sink).unwrap()
    }

    #[test]
    fn a_line_is_one_json_object_whatever_the_text() {
        let text = written(LogFormat::Json, LogIndicators::Full, "evil\"\n\u{1b}[2J.example");
        assert_eq!(text.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["fields"]["indicator"], "evil\"\n\u{1b}[2J.example");
        assert_eq!(value["fields"]["client"], "an\"na\n");
        assert_eq!(value["fields"]["trace_id"], "0000000000000000000000004bf92f35");
        let turned = written(LogFormat::Json, LogIndicators::Full, "a\u{202e}b");
        assert!(
            turned.contains("\"indicator\":\"a\\u202eb\"") && turned.contains("\"decision_id\":\"d-1\""),
            "{turned}"
        );
        assert!(!written(LogFormat::Text, LogIndicators::Full, "a\u{202e}b").contains('\u{202e}'));
        let text = written(LogFormat::Text, LogIndicators::Full, "evil\"\n\u{1b}[2J.example");
        assert!(!text.trim_end().contains(['\n', '\u{1b}']), "{text:?}");
    }

    #[test]
    fn no_secret_of_a_url_is_shown() {
        for (given, shown) in [
            (
                "https://user:canary@a.example/b?token=canary#canary",
                "https://a.example/b?…",
            ),
            ("https://canary@a.example", "https://a.example"),
            ("hxxps[:]//user:c@nary@a.example/b", "hxxps[:]//a.example/b"),
            ("http:\\\\user:canary@a.example\\b", "http:\\\\a.example\\b"),
            ("//user:canary@a.example", "//a.example"),
            ("user:canary@a.example/x", "a.example/x"),
            ("a.example/x?canary", "a.example/x?…"),
            ("billing@a.example", "billing@a.example"),
            (
                "a.example https://u:canary@b.example/",
                "a.example https://b.example/",
            ),
            (
                "https://a.example/?canary https://u:canary@b.example/?canary 192.0.2.1",
                "https://a.example/?… https://b.example/?… 192.0.2.1",
            ),
            ("https://a.example/?x=canary canary", "https://a.example/?…"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            for format in [LogFormat::Json, LogFormat::Text] {
                let line = written(format, LogIndicators::Full, given);
                assert!(!line.contains("canary") && !line.contains("nary@"), "{line}");
            }
            let line: serde_json::Value =
                serde_json::from_str(&written(LogFormat::Json, LogIndicators::Full, given)).unwrap();
            assert_eq!(line["fields"]["indicator"], shown);
        }
        // A hash is the same for every user in it, and another with another query.
        let hash = |indicator| written(LogFormat::Json, LogIndicators::Hash, indicator);
        assert_eq!(hash("https://u:p@a.example/x"), hash("https://a.example/x"));
        assert_ne!(hash("https://a.example/?a"), hash("https://a.example/?b"));
    }

    #[test]
    fn indicators_are_shown_as_the_settings_say() {
        let hash = |indicator| written(LogFormat::Json, LogIndicators::Hash, indicator);
        assert!(!hash("example.com").contains("example.com"));
        assert_eq!(hash("example.com"), hash("example.com"));
        assert_ne!(hash("example.com"), hash("example.org"));
        assert!(!written(LogFormat::Text, LogIndicators::None, "example.com").contains("indicator"));
    }
}
