//! Says what the addresses mean that Spamhaus answers with (Spamhaus, "DNSBL return codes").

use crate::ReplyClass;
use pivotd_domain::Record;

/// Names the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Addresses: all of its lists in one.
    Zen,
    /// Names.
    Dbl,
    /// New domains.
    Zrd,
}

impl Zone {
    /// Returns its name in the names that are asked, which is the product's id, too.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Zen => "zen",
            Self::Dbl => "dbl",
            Self::Zrd => "zrd",
        }
    }

    /// Returns the list of a product.
    pub(super) fn of(product: &str) -> Option<Self> {
        [Self::Zen, Self::Dbl, Self::Zrd]
            .into_iter()
            .find(|zone| zone.id() == product)
    }

    /// Returns its name for people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Zen => "ZEN",
            Self::Dbl => "DBL",
            Self::Zrd => "ZRD",
        }
    }
}

/// Returns what an address says that is no listing: an error, or an answer that is not Spamhaus' own.
pub(super) fn error(product: &str, code: [u8; 4]) -> Option<ReplyClass> {
    Some(match code {
        [127, 255, 255, 255] => ReplyClass::Limited {
            after: None,
            message: "too many queries (127.255.255.255): beyond the free use, or beyond what the key allows".to_owned(),
        },
        [127, 255, 255, 254] => ReplyClass::KeyRefused(
            "Spamhaus does not answer this resolver, a public one (127.255.255.254): use one of your own, or a DQS key"
                .to_owned(),
        ),
        // A key may have the lists and not this one.
        [127, 255, 255, 252] if product == Zone::Zrd.id() => {
            ReplyClass::NotEntitled("there is no such list (127.255.255.252)".to_owned())
        }
        [127, 255, 255, 252] => ReplyClass::KeyRefused(
            "there is no such list (127.255.255.252): the DQS key, which stands in its name, is wrong".to_owned(),
        ),
        [127, 255, ..] => {
            let [a, b, c, d] = code;
            ReplyClass::Refused(format!("Spamhaus answers with error {a}.{b}.{c}.{d}"))
        }
        [127, 0, 1, 255] => ReplyClass::Refused("DBL does not answer for addresses (127.0.1.255)".to_owned()),
        [127, ..] => return None,
        _ => ReplyClass::Malformed(
            "the answer is no blocklist's: the resolver leads names that do not exist elsewhere".to_owned(),
        ),
    })
}

/// Makes the record of a listing; `None` for a code that is not documented.
pub(super) fn listing(zone: Zone, code: [u8; 4]) -> Option<Record> {
    let (word, reason) = match (zone, code) {
        (Zone::Zen, [127, 0, 0, last]) => address(last)?,
        (Zone::Dbl, [127, 0, 1, last]) => name(last)?,
        (Zone::Zrd, [127, 0, 2, hours @ 2..=24]) => {
            let reason = format!("The domain was first seen {hours} hours ago or less.");
            let record = Record::new()
                .with("measure", zone.id())
                .with("value", i64::from(hours))
                .with("scale", "hours since it was first seen, up to 24")
                .with("reasons", vec![reason]);
            return Some(record);
        }
        _ => return None,
    };
    Some(
        Record::new()
            .with("measure", zone.id())
            .with("word", word)
            .with("scale", format!("listings in {}", zone.title()))
            .with("reasons", vec![reason.to_owned()]),
    )
}

fn address(last: u8) -> Option<(&'static str, &'static str)> {
    Some(match last {
        2 => ("sbl", "Spam operations or services (SBL)"),
        3 => ("css", "Low-reputation mail, found automatically (CSS)"),
        4..=7 => ("xbl", "Hijacked or infected machine (XBL)"),
        9 => (
            "drop",
            "Network of criminals or hijacked network: do not route (DROP)",
        ),
        10 | 11 => (
            "pbl",
            "Range from which no mail should come directly, by policy; not malicious by itself (PBL)",
        ),
        20 => ("authbl", "Logs in with stolen credentials (AuthBL)"),
        30 => ("bcl", "Botnet command and control (BCL)"),
        _ => return None,
    })
}

fn name(last: u8) -> Option<(&'static str, &'static str)> {
    Some(match last {
        2 => ("spam", "Low-reputation domain, in spam"),
        4 => ("phish", "Phishing domain"),
        5 => ("malware", "Malware domain"),
        6 => ("botnet-c2", "Botnet command and control domain"),
        102 => ("abused-spam", "Legitimate domain, abused in spam"),
        103 => ("abused-redirector", "Legitimate domain, abused to redirect"),
        104 => ("abused-phish", "Legitimate domain, abused for phishing"),
        105 => ("abused-malware", "Legitimate domain, abused for malware"),
        106 => (
            "abused-c2",
            "Legitimate domain, abused for botnet command and control",
        ),
        _ => return None,
    })
}
