//! Reads `[reputation]`: the policy of scores.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;

use super::problem::expected_of;
use super::reader::{Findings, Reader, flag, integer, text, texts};
use super::sections::section;
use super::tree::{self, Data, Node, meant};
use super::{DEFAULT_FILE, DEFAULT_NAME};
use crate::domain::Purpose;
use crate::providers::Providers;
use crate::reputation::calibrate::{self, Calibration, WordMeaning};
use crate::reputation::policy::{ListMeaning, Registrations, SourceRules, Thresholds};
use crate::reputation::{BenignClass, Fallback, Kind, Millionths, Reliability, Rules};

const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);

/// Reads the policy. What it does not say of lists and sources is as in the compiled-in file; where that was laid under it,
/// what is not there was taken away.
pub(super) fn reputation(root: &Reader<'_>, is_extended: bool, known: &Providers) -> Rules {
    let nothing = Rules::default();
    let base = if is_extended { &nothing } else { compiled_in() };
    over(root, base, Some(known))
}

/// Returns what the compiled-in file says of lists and sources. Of that file only the section is read: the whole of it,
/// as a tree, would leave its memory behind.
fn compiled_in() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| {
        let from = DEFAULT_FILE.find("\n[reputation]").unwrap_or_default();
        let rest = DEFAULT_FILE.get(from..).unwrap_or_default();
        let section = rest.split("\n[lists]").next().unwrap_or_default();
        let Ok(tree) = tree::parse(DEFAULT_NAME, section) else {
            return Rules::default();
        };
        let findings = Findings::default();
        over(&Reader::new(&findings, "", &tree), &Rules::default(), None)
    })
}

fn over(root: &Reader<'_>, base: &Rules, providers: Option<&Providers>) -> Rules {
    let reader = section(root, "reputation");
    let plain = Rules::default();
    let days = |seconds: u64| Duration::from_secs(seconds);
    let mut rules = Rules {
        name: reader.value_or("name", plain.name.clone(), "\"unnamed\"", name),
        thresholds: Thresholds {
            all: Some(percent(reader.number(
                "threshold",
                i64::from(Rules::THRESHOLD),
                0,
                100,
            ))),
            by_kind: by_kind(&reader, "thresholds"),
        },
        clients: BTreeMap::new(),
        suspicious: percent(reader.number("suspicious", plain.suspicious.into(), 0, 100)),
        hard_cap: percent(reader.number("hard_cap", plain.hard_cap.into(), 0, 100)),
        block: reader.value("block", |node| integer(node, 0, 100)).map(percent),
        min_sources: u32::try_from(reader.number("min_sources", plain.min_sources.into(), 1, 20))
            .unwrap_or(1),
        max_stale_s: reader
            .duration("max_stale", days(plain.max_stale_s), Duration::ZERO, YEAR)
            .as_secs(),
        lifetime_s: reader
            .duration("lifetime", days(plain.lifetime_s), Duration::ZERO, 20 * YEAR)
            .as_secs(),
        decay_power: u32::try_from(reader.number("decay", plain.decay_power.into(), 1, 8)).unwrap_or(3),
        weights: weights(&reader, &plain),
        sources: base.sources.clone(),
        lists: base.lists.clone(),
        never_block: reader
            .value("never_block", purposes)
            .unwrap_or_else(|| base.never_block.clone()),
        few_domains: u32::try_from(reader.number("few_domains", plain.few_domains.into(), 0, 100))
            .unwrap_or(0),
        registrations: reader.value_or("registrations", plain.registrations, "\"free\"", registrations),
        on_unreadable: reader.value("on_unreadable", fallback).unwrap_or_default(),
        on_sealed: reader.value("on_sealed", fallback).unwrap_or_default(),
        required: required(&reader, providers),
        whole_urls: reader.value_or("whole_urls", false, "false", flag),
    };
    if let Some(node) = reader.get("clients") {
        let clients = Reader::new(reader.findings, reader.path("clients"), node);
        for entry in clients.rest() {
            let one = Reader::new(reader.findings, clients.path(&entry.name), &entry.node);
            let own = Thresholds {
                all: one.value("threshold", |node| integer(node, 0, 100)).map(percent),
                by_kind: kinds(&one),
            };
            one.finish();
            rules.clients.insert(entry.name.clone(), own);
        }
    }
    lists(&reader, &mut rules);
    sources(&reader, &mut rules, providers);
    for capped in rules.settle() {
        let percent = |share: Millionths| share.get() / 10_000;
        let path = format!("sources.{}.{}", capped.source, capped.measure);
        let (grade, max, says) = (capped.grade, percent(capped.weight), percent(capped.highest));
        let message = format!(
            "{path}: grade {grade:?} lets the source come to {max} alone, and the measure says up to {says}"
        );
        reader.findings.warn(reader.origin, message);
    }
    reader.finish();
    rules
}

/// Reads where the domains that were registered with an e-mail address are asked for.
fn registrations(node: &Node) -> Result<Registrations, String> {
    match (&node.data, flag(node)) {
        (Data::Text(word), _) if word == "free" => Ok(Registrations::Free),
        (_, Ok(true)) => Ok(Registrations::Always),
        (_, Ok(false)) => Ok(Registrations::Never),
        _ => Err(format!(
            "expected true, false or \"free\", found {}",
            node.shown()
        )),
    }
}

/// Reads a name of the rules: part of every answer's `policy_version`.
fn name(node: &Node) -> Result<String, String> {
    let given = text(node)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if (1..=40).contains(&given.len()) && given.chars().all(fits) {
        return Ok(given);
    }
    Err(format!(
        "expected 1 to 40 letters, digits, dots, dashes and underscores, found {}",
        node.shown()
    ))
}

/// Names the providers that there are.
fn names(providers: Option<&Providers>) -> impl Iterator<Item = &str> + Clone {
    let known = providers.into_iter().flat_map(Providers::descriptors);
    known.map(|descriptor| descriptor.name.as_str())
}

/// Reads the sources that are required, by kind.
fn required(reader: &Reader<'_>, providers: Option<&Providers>) -> BTreeMap<Kind, BTreeSet<String>> {
    let Some(node) = reader.get("required") else {
        return BTreeMap::new();
    };
    let table = Reader::new(reader.findings, reader.path("required"), node);
    let known: Vec<&str> = names(providers).collect();
    let sources = |node: &Node| {
        let given = texts(node)?;
        match given.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) if providers.is_some() => Err(format!(
                "unknown source \"{name}\"{}",
                expected_of(name, known.iter().copied())
            )),
            _ => Ok(given.into_iter().collect()),
        }
    };
    let read = |kind: Kind| Some((kind, table.value(kind.name(), sources)?));
    let found = Kind::ALL.into_iter().filter_map(read).collect();
    table.finish();
    found
}

/// Reads what an alert comes to where no score decides it.
fn fallback(node: &Node) -> Result<Fallback, String> {
    match text(node)?.as_str() {
        "keep" => Ok(Fallback::Keep),
        "exceeds" => Ok(Fallback::Exceeds),
        "below" => Ok(Fallback::Below),
        _ => Err(format!(
            "expected \"keep\", \"exceeds\" or \"below\", found {}",
            node.shown()
        )),
    }
}

/// Reads the purposes of lists.
fn purposes(node: &Node) -> Result<Vec<String>, String> {
    let given = texts(node)?;
    let known = Purpose::ALL.map(Purpose::name);
    match given.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("unknown purpose \"{name}\"{}", expected_of(name, known))),
        None => Ok(given),
    }
}

fn percent(number: i64) -> u8 {
    u8::try_from(number.clamp(0, 100)).unwrap_or(100)
}

fn by_kind(reader: &Reader<'_>, key: &'static str) -> BTreeMap<Kind, u8> {
    let Some(node) = reader.get(key) else {
        return BTreeMap::new();
    };
    let table = Reader::new(reader.findings, reader.path(key), node);
    let found = kinds(&table);
    table.finish();
    found
}

fn kinds(table: &Reader<'_>) -> BTreeMap<Kind, u8> {
    let read = |kind: Kind| {
        Some((
            kind,
            percent(table.value(kind.name(), |node| integer(node, 0, 100))?),
        ))
    };
    Kind::ALL.into_iter().filter_map(read).collect()
}

fn weights(reader: &Reader<'_>, plain: &Rules) -> BTreeMap<Reliability, Millionths> {
    let mut weights = plain.weights.clone();
    let Some(node) = reader.get("weights") else {
        return weights;
    };
    let table = Reader::new(reader.findings, reader.path("weights"), node);
    for (name, grade) in GRADES {
        if let Some(given) = table.value(name, |node| integer(node, 0, 100)) {
            weights.insert(grade, Millionths::percent(percent(given)));
        }
    }
    table.finish();
    weights
}

const GRADES: [(&str, Reliability); 6] = [
    ("A", Reliability::A),
    ("B", Reliability::B),
    ("C", Reliability::C),
    ("D", Reliability::D),
    ("E", Reliability::E),
    ("F", Reliability::F),
];

fn lists(reader: &Reader<'_>, rules: &mut Rules) {
    let Some(node) = reader.get("lists") else { return };
    let table = Reader::new(reader.findings, reader.path("lists"), node);
    for entry in table.rest() {
        let names = Purpose::ALL.map(Purpose::name);
        let name = meant(entry, names.into_iter());
        if !names.contains(&name) {
            let hint = expected_of(name, names);
            let message = format!("unknown purpose \"{name}\"{hint}");
            table.findings.error(&entry.origin, message);
        }
        let said = meaning(&entry.node).map(|meaning| match meaning {
            WordMeaning::Benign(class) => ListMeaning::Benign(class),
            WordMeaning::Malicious(probability) => ListMeaning::Malicious(probability),
        });
        match said {
            Ok(said) => {
                table
                    .findings
                    .effective(table.path(name), entry.node.shown(), &entry.node.origin);
                rules.lists.insert(name.to_owned(), said);
            }
            Err(message) => table
                .findings
                .error(&entry.node.origin, format!("{}: {message}", entry.name)),
        }
    }
}

fn sources(reader: &Reader<'_>, rules: &mut Rules, providers: Option<&Providers>) {
    let Some(node) = reader.get("sources") else { return };
    let table = Reader::new(reader.findings, reader.path("sources"), node);
    for entry in table.rest() {
        let names = || names(providers).chain([crate::reputation::mail::MESSAGE]);
        if providers.is_some() && !names().any(|name| name == entry.name) {
            let hint = expected_of(&entry.name, names());
            let message = format!("unknown source \"{}\"{hint}", entry.name);
            table.findings.error(&entry.origin, message);
        }
        let one = Reader::new(table.findings, table.path(&entry.name), &entry.node);
        let source = rules.sources.entry(entry.name.clone()).or_default();
        source_rules(&one, source);
    }
}

fn source_rules(reader: &Reader<'_>, source: &mut SourceRules) {
    let grade = reader.value("reliability", |node| {
        let given = text(node)?;
        let found = GRADES.into_iter().find(|(name, _)| *name == given);
        found.map(|(_, grade)| grade).ok_or_else(|| {
            format!(
                "unknown grade \"{given}\"{}",
                expected_of(&given, GRADES.into_iter().map(|(name, _)| name))
            )
        })
    });
    source.reliability = grade.or(source.reliability);
    source.family = reader.value("family", text).or_else(|| source.family.take());
    if let Some(context) = reader.value("context", texts) {
        source.context = context.into_iter().collect();
    }
    let lifetime = reader.value("lifetime", |node| super::values::duration(&text(node)?));
    source.lifetime_s = lifetime.map(|lifetime| lifetime.as_secs()).or(source.lifetime_s);
    for entry in reader.rest() {
        match measured(&entry.node) {
            Ok(found) => {
                let known: Vec<String> = source.measures.keys().cloned().collect();
                let name = meant(entry, known.iter().map(String::as_str)).to_owned();
                reader
                    .findings
                    .effective(reader.path(&name), entry.node.shown(), &entry.node.origin);
                found.put(source, &name);
            }
            Err(message) => reader
                .findings
                .error(&entry.node.origin, format!("{}: {message}", entry.name)),
        }
    }
    let is_unknown = |name: &&String| {
        let measure = name.split_once('.').map_or(name.as_str(), |(measure, _)| measure);
        !source.measures.contains_key(measure)
    };
    if let (Some(name), Some(node)) = (source.context.iter().find(is_unknown), reader.get("context")) {
        let hint = expected_of(name, source.measures.keys().map(String::as_str));
        let message = format!("context: no rules for the measure of \"{name}\"{hint}");
        reader.findings.error(&node.origin, message);
    }
}

/// Is what a file says of a measure.
struct MeasureSetting {
    calibration: Calibration,
    /// Whether it says scores of the source alone instead of probabilities.
    alone: bool,
    /// Whether the source keeps it up to date itself.
    lasting: bool,
    /// Who says so.
    by: Option<String>,
}

impl MeasureSetting {
    /// Goes into the rules of a source, under the measure's name.
    fn put(self, source: &mut SourceRules, name: &str) {
        source.alone.remove(name);
        source.lasting.remove(name);
        source.by.remove(name);
        if self.alone {
            source.alone.insert(name.to_owned(), self.calibration.clone());
        }
        if self.lasting {
            source.lasting.insert(name.to_owned());
        }
        if let Some(by) = self.by {
            source.by.insert(name.to_owned(), by);
        }
        source.measures.insert(name.to_owned(), self.calibration);
    }
}

/// Reads what a measure means: in short, or as a table with `points`, `age`, `words` or `alone`, and beside these
/// `source` and `decays`.
fn measured(node: &Node) -> Result<MeasureSetting, String> {
    const MEMBERS: [&str; 7] = ["published", "points", "age", "words", "alone", "source", "decays"];
    let short = |calibration| MeasureSetting {
        calibration,
        alone: false,
        lasting: false,
        by: None,
    };
    let Data::Table(entries) = &node.data else {
        return calibration(node).map(short);
    };
    // What a word means is a number or a text, never a list or a table.
    let is_whole = |name: &str, data: &Data| {
        (matches!(name, "points" | "age" | "words" | "alone")
            && matches!(data, Data::List(_) | Data::Table(_)))
            || (name == "published" && matches!(data, Data::Flag(true)))
    };
    if !entries
        .iter()
        .any(|entry| is_whole(&entry.name, &entry.node.data))
    {
        return calibration(node).map(short);
    }
    let (mut found, mut alone, mut lasting, mut by) = (None, false, false, None);
    for entry in entries {
        let read = match entry.name.as_str() {
            "points" => points(&entry.node).map(Calibration::Points),
            "age" => points(&entry.node).map(Calibration::Age),
            "published" if matches!(entry.node.data, Data::Flag(true)) => Ok(Calibration::Published),
            "words" => words(&entry.node),
            "alone" => {
                alone = true;
                match entry.node.data {
                    Data::List(_) => points(&entry.node).map(Calibration::Points),
                    _ => words(&entry.node),
                }
            }
            "source" => {
                by = Some(text(&entry.node).map_err(|message| format!("source: {message}"))?);
                continue;
            }
            "decays" => {
                lasting = !flag(&entry.node).map_err(|message| format!("decays: {message}"))?;
                continue;
            }
            other => return Err(format!("unknown key \"{other}\"{}", expected_of(other, MEMBERS))),
        };
        let read = read.map_err(|message| format!("{}: {message}", entry.name))?;
        if found.replace(read).is_some() {
            return Err("expected one of points, age, words and alone, found several".to_owned());
        }
    }
    let calibration = found.ok_or_else(|| "expected one of points, age, words and alone".to_owned())?;
    Ok(MeasureSetting {
        calibration,
        alone,
        lasting,
        by,
    })
}

/// Reads what a measure means in short: `"published"`, points, `{ age = points }`, or a table of words.
fn calibration(node: &Node) -> Result<Calibration, String> {
    match &node.data {
        Data::Text(word) if word == "published" => Ok(Calibration::Published),
        Data::List(_) => points(node).map(Calibration::Points),
        Data::Table(entries) => match entries.as_slice() {
            [entry] if entry.name == "age" => points(&entry.node).map(Calibration::Age),
            _ => words(node),
        },
        _ => Err(format!(
            "expected \"published\", points [[number, per cent], …], {{ age = [[days, per cent], …] }}, or a table of \
             words, found {}",
            node.shown()
        )),
    }
}

/// Reads a table of words and what they mean.
fn words(node: &Node) -> Result<Calibration, String> {
    let Data::Table(entries) = &node.data else {
        return Err(format!("expected a table of words, found {}", node.what()));
    };
    let word = |entry: &super::tree::Entry| {
        let said = meaning(&entry.node).map_err(|message| format!("{}: {message}", entry.name))?;
        Ok((entry.name.clone(), said))
    };
    entries
        .iter()
        .map(word)
        .collect::<Result<_, String>>()
        .map(Calibration::Words)
}

fn points(node: &Node) -> Result<Vec<(i64, Millionths)>, String> {
    let Data::List(pairs) = &node.data else {
        return Err(format!(
            "expected points [[number, per cent], …], found {}",
            node.what()
        ));
    };
    let mut points = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let Data::List(pair_nodes) = &pair.data else {
            return Err(format!(
                "expected a point [number, per cent], found {}",
                pair.shown()
            ));
        };
        let [at, share] = pair_nodes.as_slice() else {
            return Err(format!(
                "expected a point [number, per cent], found {}",
                pair.shown()
            ));
        };
        let at = integer(at, i64::from(i32::MIN), i64::from(i32::MAX))?;
        points.push((at, Millionths::percent(percent(integer(share, 0, 100)?))));
    }
    calibrate::check(&points)?;
    Ok(points)
}

fn meaning(node: &Node) -> Result<WordMeaning, String> {
    match &node.data {
        Data::Integer(_) => Ok(WordMeaning::Malicious(Millionths::percent(percent(integer(
            node, 0, 100,
        )?)))),
        Data::Text(word) => match word.as_str() {
            "hard" => Ok(WordMeaning::Benign(BenignClass::Hard)),
            "soft" => Ok(WordMeaning::Benign(BenignClass::Soft)),
            "context" => Ok(WordMeaning::Benign(BenignClass::Context)),
            _ if node.origin.is_variable() => {
                integer(node, 0, 100).map(|share| WordMeaning::Malicious(Millionths::percent(percent(share))))
            }
            _ => Err(expected_meaning(node)),
        },
        _ => Err(expected_meaning(node)),
    }
}

fn expected_meaning(node: &Node) -> String {
    format!(
        "expected \"hard\", \"soft\", \"context\", or per cent from 0 to 100, found {}",
        node.shown()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_says_nothing_has_the_lists_and_sources_of_the_compiled_in_one() {
        let known = Providers::built_in();
        let read = |text: &str| super::super::read("own", text, false, &[], &known).unwrap();
        let (own, whole) = (
            read("").settings.reputation,
            read(DEFAULT_FILE).settings.reputation,
        );
        assert_eq!((&own.sources, &own.lists), (&whole.sources, &whole.lists));
        assert_eq!(own.never_block, whole.never_block);
        assert!(own.sources.contains_key("virustotal") && own.sources.contains_key("message"));
    }
}
