//! Reads what a domain says of mail in its name: SPF (RFC 7208) and DMARC (RFC 7489).

/// The policy of a domain that says nothing.
pub(super) const MISSING: &str = "missing";

/// The most bytes of a text that are told.
const MAX_TEXT: usize = 4096;

/// Holds what a domain says of who may send mail in its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spf {
    /// The record; several, which are none to a receiver, line by line; empty where there is none.
    pub(super) text: String,
    /// What is said of everybody who is not named; `None` where another domain says it.
    pub(super) all: Option<&'static str>,
}

impl Spf {
    /// Reads the texts of a domain.
    pub(super) fn of(texts: &[&str]) -> Self {
        let records: Vec<&str> = texts
            .iter()
            .copied()
            .filter(|text| is_version(text, "v=spf1"))
            .collect();
        Self {
            text: shortened(&records.join("\n")),
            all: match records.as_slice() {
                [record] => all(record),
                // None is neutral; several are an error (section 4.5), and nothing is checked then either.
                _ => Some("none"),
            },
        }
    }
}

/// Reads the mechanism `all`, which ends a record (RFC 7208 section 5.1).
fn all(record: &str) -> Option<&'static str> {
    let mut words = record.split_ascii_whitespace().skip(1);
    let word = |word: &str| match word.to_ascii_lowercase().as_str() {
        "-all" => Some("-all"),
        "~all" => Some("~all"),
        "?all" => Some("?all"),
        "all" | "+all" => Some("+all"),
        _ => None,
    };
    let found = words.clone().find_map(word);
    let redirects = words.any(|word| begins(word, "redirect="));
    match found {
        None if redirects => None,
        None => Some("none"),
        found => found,
    }
}

/// Holds what a domain wants done with mail that fails.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dmarc {
    /// The record.
    pub(super) text: String,
    /// The policy for the domain itself.
    pub(super) policy: &'static str,
    /// The policy for names below it.
    pub(super) below: &'static str,
}

impl Dmarc {
    /// Reads the texts of `_dmarc` below a domain; several records count as none, and so does one without a policy that
    /// can be read, unless it wants reports (RFC 7489 section 6.6.3).
    pub(super) fn of(texts: &[&str]) -> Option<Self> {
        let mut records = texts.iter().copied().filter(|text| is_version(text, "v=DMARC1"));
        let (Some(record), None) = (records.next(), records.next()) else {
            return None;
        };
        let tag = |name: &str| {
            let mut pairs = record.split(';').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(known, _)| known.trim().eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_ascii_lowercase())
        };
        let read = |value: &str| {
            ["none", "quarantine", "reject"]
                .into_iter()
                .find(|word| *word == value)
        };
        let reports = || tag("rua").filter(|value| !value.is_empty()).map(|_| "none");
        let policy = tag("p").and_then(|value| read(&value)).or_else(reports)?;
        Some(Self {
            text: shortened(record),
            policy,
            below: tag("sp").and_then(|value| read(&value)).unwrap_or(policy),
        })
    }
}

/// Tells whether a text begins with a version, and a blank, a semicolon or nothing after it.
fn is_version(text: &str, version: &str) -> bool {
    begins(text, version)
        && text
            .get(version.len()..)
            .and_then(|rest| rest.chars().next())
            .is_none_or(|next| next == ';' || next.is_ascii_whitespace())
}

fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(with))
}

fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spf_says_of_everybody_else_is_its_last_word() {
        for (texts, all) in [
            (&[][..], Some("none")),
            (&["google-site-verification=x", "v=spf10 -all"], Some("none")),
            (&["v=spf1 -all"], Some("-all")),
            (&["V=SPF1 mx ip4:192.0.2.0/24 ~ALL"], Some("~all")),
            (&["v=spf1 a ?all"], Some("?all")),
            (&["v=spf1 all"], Some("+all")),
            (&["v=spf1 +all"], Some("+all")),
            (&["v=spf1"], Some("none")),
            (&["v=spf1 include:_spf.example.net"], Some("none")),
            (&["v=spf1 include:small-all.example"], Some("none")),
            (&["v=spf1 redirect=_spf.example.net"], None),
            // `redirect` counts for nothing where `all` stands (section 6.1).
            (&["v=spf1 redirect=_spf.example.net -all"], Some("-all")),
            (&["v=spf1 -all", "v=spf1 +all"], Some("none")),
        ] {
            assert_eq!(Spf::of(texts).all, all, "{texts:?}");
        }
        assert_eq!(Spf::of(&["x", "v=spf1 -all"]).text, "v=spf1 -all");
        assert_eq!(
            Spf::of(&["v=spf1 -all", "v=spf1 a"]).text,
            "v=spf1 -all\nv=spf1 a"
        );
    }

    #[test]
    fn what_dmarc_wants_is_read_for_the_domain_and_below_it() {
        for (texts, policies) in [
            (&[][..], None),
            (&["v=spf1 -all"], None),
            (&["v=DMARC1; p=reject"], Some(("reject", "reject"))),
            (
                &["x", "v=DMARC1;p=Quarantine; sp=none;rua=mailto:a@example.com"],
                Some(("quarantine", "none")),
            ),
            (&["v=dmarc1 ; P = none; sp=often"], Some(("none", "none"))),
            (&["v=DMARC1; p=often"], None),
            (
                &["v=DMARC1; rua=mailto:a@example.com; sp=reject"],
                Some(("none", "reject")),
            ),
            (&["v=DMARC12; p=reject"], None),
            (&["v=DMARC1; p=reject", "v=DMARC1; p=none"], None),
        ] {
            let read = Dmarc::of(texts).map(|said| (said.policy, said.below));
            assert_eq!(read, policies, "{texts:?}");
        }
    }

    #[test]
    fn a_long_text_is_shortened_between_letters() {
        let long = format!("v=spf1 {}", "ä".repeat(MAX_TEXT));
        let text = Spf::of(&[&long]).text;
        assert!(text.len() <= MAX_TEXT && long.starts_with(&text) && text.len() > MAX_TEXT - 4);
    }
}
