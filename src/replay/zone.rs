//! The fixture format of vendors that are asked over DNS: a question to recognise and the answer to give, as text.
//!
//! ```text
//! # comment lines first
//! 23.100.51.198.{key}.zen.dq.spamhaus.net A
//!
//! NOERROR
//! A 127.0.0.4
//! ```
//!
//! `{name}` as a label matches any one label, `*` as the type any type. Records are `A`, `AAAA`, `MX` (preference and
//! name), `TXT` (the text to the end of the line) and `CNAME`, after which the records belong to the other name. A name
//! that is known for another type has none of this one. The question `* *` is for `_default.dns`: it answers what no
//! other knows; without that file such names do not exist.

use crate::providers::kit::resource::{self, NOERROR, NXDOMAIN, RecordType, Resource};

use super::fixture::FixtureError;

/// The response codes that a fixture may name.
const CODES: [(&str, u16); 6] = [
    ("NOERROR", NOERROR),
    ("FORMERR", resource::FORMERR),
    ("SERVFAIL", resource::SERVFAIL),
    ("NXDOMAIN", NXDOMAIN),
    ("NOTIMP", resource::NOTIMP),
    ("REFUSED", resource::REFUSED),
];

/// Holds one question pattern and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rrset {
    name: String,
    line: usize,
    /// `None` matches every question.
    labels: Option<Vec<String>>,
    /// `None` matches every type.
    kind: Option<RecordType>,
    answer: DnsAnswer,
}

/// Holds what a DNS server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAnswer {
    /// Gives the response code.
    pub code: u16,
    /// Gives the names that the one asked for stands for, one after the other.
    pub aliases: Vec<String>,
    /// Gives the records.
    pub records: Vec<Resource>,
}

impl DnsAnswer {
    /// Makes an answer without records.
    #[must_use]
    pub fn empty(code: u16) -> Self {
        Self {
            code,
            aliases: Vec::new(),
            records: Vec::new(),
        }
    }
}

impl Rrset {
    /// Reads a fixture's text; `name` is what errors call the file. See the module for the format.
    ///
    /// # Errors
    /// A [`FixtureError`] with the line of the first thing that is not understood.
    pub fn parse(name: &str, text: &str) -> Result<Self, FixtureError> {
        let lines = (1..).zip(text.lines());
        let mut lines = lines.filter(|(_, line)| !(line.starts_with('#') || line.trim().is_empty()));
        let fail = |line: usize, reason: String| FixtureError::new(name, line, reason);
        let (line, asked) = lines
            .next()
            .ok_or_else(|| fail(0, "there is no question".to_owned()))?;
        let (labels, kind) = question(asked).map_err(|reason| fail(line, reason))?;
        let (at, code) = lines
            .next()
            .ok_or_else(|| fail(line, "the file ends before the answer".to_owned()))?;
        let known = CODES.iter().find(|(word, _)| *word == code.trim());
        let (_, code) = known.ok_or_else(|| fail(at, format!("`{code}` is no response code")))?;
        let mut answer = DnsAnswer::empty(*code);
        for (at, line) in lines {
            record(line, &mut answer).ok_or_else(|| fail(at, format!("`{line}` is no record")))?;
        }
        Ok(Self {
            name: name.to_owned(),
            line,
            labels,
            kind,
            answer,
        })
    }

    /// Returns the name under which the fixture was parsed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what is answered.
    pub fn answer(&self) -> &DnsAnswer {
        &self.answer
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn is_default(&self) -> bool {
        self.labels.is_none()
    }

    /// Tells whether some question matches both with equal rank.
    pub(super) fn ties_with(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (&self.labels, &other.labels) else {
            return self.labels.is_none() && other.labels.is_none();
        };
        let meets = |(one, two): (&String, &String)| one == two || is_any(one) || is_any(two);
        self.kind == other.kind
            && self.rank() == other.rank()
            && mine.len() == theirs.len()
            && mine.iter().zip(theirs).all(meets)
    }

    /// Orders those that match one question: literal labels, then the type.
    fn rank(&self) -> (usize, bool) {
        let literal = self.labels.iter().flatten().filter(|label| !is_any(label));
        (literal.count(), self.kind.is_some())
    }

    fn is_of(&self, asked: &[&str]) -> bool {
        self.labels.as_ref().is_some_and(|labels| {
            let mut pairs = labels.iter().zip(asked);
            labels.len() == asked.len()
                && pairs.all(|(label, asked)| is_any(label) || label.eq_ignore_ascii_case(asked))
        })
    }
}

/// Answers a question from these fixtures.
pub(super) fn answer(rrsets: &[Rrset], name: &str, kind: RecordType) -> DnsAnswer {
    let asked: Vec<&str> = name.trim_end_matches('.').split('.').collect();
    let named = || rrsets.iter().filter(|rrset| rrset.is_of(&asked));
    let best = named()
        .filter(|rrset| rrset.kind.is_none_or(|known| known == kind))
        .max_by_key(|rrset| rrset.rank());
    let default = rrsets.iter().find(|rrset| rrset.is_default());
    match best {
        Some(rrset) => rrset.answer.clone(),
        None if named().next().is_some() => DnsAnswer::empty(NOERROR),
        None => default.map_or_else(|| DnsAnswer::empty(NXDOMAIN), |rrset| rrset.answer.clone()),
    }
}

fn is_any(label: &str) -> bool {
    label.starts_with('{') && label.ends_with('}')
}

type ZoneQuestion = (Option<Vec<String>>, Option<RecordType>);

fn question(text: &str) -> Result<ZoneQuestion, String> {
    let mut words = text.split_whitespace();
    let (Some(name), Some(kind), None) = (words.next(), words.next(), words.next()) else {
        return Err(format!("`{text}` is not a name and a type"));
    };
    if (name, kind) == ("*", "*") {
        return Ok((None, None));
    }
    let known = RecordType::ALL.into_iter().find(|known| known.name() == kind);
    if known.is_none() && kind != "*" {
        return Err(format!("`{kind}` is no type of records that is played"));
    }
    let labels: Vec<String> = name.split('.').map(str::to_owned).collect();
    if labels.iter().any(String::is_empty) {
        return Err(format!("`{name}` has an empty label"));
    }
    Ok((Some(labels), known))
}

fn record(line: &str, answer: &mut DnsAnswer) -> Option<()> {
    let (kind, data) = line.trim().split_once(' ')?;
    answer.records.push(match kind {
        "A" => Resource::A(data.parse().ok()?),
        "AAAA" => Resource::Aaaa(data.parse().ok()?),
        "MX" => {
            let (preference, exchange) = data.split_once(' ')?;
            Resource::Mx {
                preference: preference.parse().ok()?,
                exchange: exchange.trim_end_matches('.').to_owned(),
            }
        }
        "TXT" => Resource::Txt(data.to_owned()),
        "CNAME" => {
            answer.aliases.push(data.to_owned());
            return Some(());
        }
        _ => return None,
    });
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rrset(text: &str) -> Rrset {
        Rrset::parse("acme/x.dns", text).unwrap()
    }

    #[test]
    fn reads_every_part_of_a_fixture() {
        let text = "# why\n\na.{key}.example MX\n\nNOERROR\nCNAME b.example\nMX 10 mx.b.example.\nTXT v=spf1 -all\nA 192.0.2.1\nAAAA 2001:db8::1\nMX 0 .\n";
        let parsed = rrset(text);
        assert_eq!((parsed.name(), parsed.line()), ("acme/x.dns", 3));
        let mx = |preference, exchange: &str| Resource::Mx {
            preference,
            exchange: exchange.to_owned(),
        };
        let wanted = [
            mx(10, "mx.b.example"),
            Resource::Txt("v=spf1 -all".to_owned()),
            Resource::A([192, 0, 2, 1].into()),
            Resource::Aaaa("2001:db8::1".parse().unwrap()),
            mx(0, ""),
        ];
        assert_eq!(parsed.answer().records, wanted);
        assert_eq!(parsed.answer().aliases, ["b.example"]);
    }

    #[test]
    fn names_file_and_line_of_a_fault() {
        for (text, line, reason) in [
            ("", 0, "no question"),
            ("# c\na.example\n", 2, "not a name and a type"),
            ("a.example SOA\n", 1, "no type of records"),
            ("a..example A\n", 1, "empty label"),
            ("a.example A\n", 1, "ends before the answer"),
            ("a.example A\n\nOK\n", 3, "no response code"),
            ("a.example A\n\nNOERROR\nA x\n", 4, "no record"),
            ("a.example A\n\nNOERROR\nNS a.example\n", 4, "no record"),
        ] {
            let error = Rrset::parse("acme/bad.dns", text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.reason.contains(reason), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_most_literal_answers_and_a_known_name_without_the_type_is_empty() {
        let all = [
            rrset("a.{x}.example A\n\nNOERROR\nA 192.0.2.1\n"),
            rrset("a.b.example A\n\nNOERROR\nA 192.0.2.2\n"),
            rrset("a.b.example *\n\nSERVFAIL\n"),
        ];
        let asked = |name: &str, kind| answer(&all, name, kind);
        let a = |last| vec![Resource::A([192, 0, 2, last].into())];
        assert_eq!(asked("A.c.Example.", RecordType::A).records, a(1));
        assert_eq!(asked("a.b.example", RecordType::A).records, a(2));
        assert_eq!(asked("a.b.example", RecordType::Mx).code, resource::SERVFAIL);
        assert_eq!(asked("a.c.example", RecordType::Mx), DnsAnswer::empty(NOERROR));
        assert_eq!(asked("b.example", RecordType::A), DnsAnswer::empty(NXDOMAIN));
        assert!(!all[0].ties_with(&all[1]) && all[0].ties_with(&rrset("{y}.b.example A\n\nNOERROR\n")));
    }
}
