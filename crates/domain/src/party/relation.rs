//! Reads names that say in what relation a second one stands: `John Smith d/b/a Smith Web`, `Attn: Jane Doe`.

/// Words behind a name and before another one that its bearer goes by, or where the bearer is found.
const BETWEEN: &[&str] = &[
    "a/k/a", "A/K/A", "aka", "AKA", "c/o", "C/O", "d/b/a", "D/B/A", "dba", "DBA", "f/k/a", "F/K/A", "t/a",
    "T/A",
];
const BETWEEN_OF_WORDS: &[&[&str]] = &[
    &["care", "of"],
    &["doing", "business", "as"],
    &["trading", "as"],
    &["handelnd", "unter"],
];

/// Words before a name that say who is to read a letter, or where.
const BEFORE: &[&str] = &["att", "attention", "attn", "c/o"];

/// Says which part of a text is the name, and what the rest of the text makes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NamePart {
    /// The name before the relation.
    Before(String),
    /// The trade name behind the relation that has no name before it.
    Trade(String),
    /// The name of who reads the letters.
    Reader(String),
}

/// Finds the relation in a text; `None` where there is none.
pub(super) fn own(text: &str) -> Option<NamePart> {
    let text = text.replace('：', ": ");
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let (at, length) = (0..words.len()).find_map(|at| Some((at, relation(words.get(at..)?)?)))?;
    let behind = words.get(at + length..).unwrap_or_default();
    if behind.is_empty() {
        return None;
    }
    let first = words.get(at).copied().unwrap_or_default();
    match at {
        0 if is_reader(&words) => Some(NamePart::Reader(behind.join(" "))),
        0 => Some(NamePart::Trade(behind.join(" "))),
        _ => {
            // As it was written, with its comma: a surname may stand in front.
            let before = text.split(' ').take_while(|word| word.trim_matches(',') != first);
            let before = before.collect::<Vec<_>>().join(" ");
            let before = before.trim_end_matches([',', ' ']);
            let is_part = !before.is_empty() && before.len() < text.trim_end().len();
            is_part.then(|| NamePart::Before(before.to_owned()))
        }
    }
}

/// Returns how many words at the beginning of these are a relation.
fn relation(words: &[&str]) -> Option<usize> {
    let [first, ..] = words else { return None };
    let bare = first.replace('.', "");
    if BETWEEN.contains(&bare.as_str()) {
        return Some(1);
    }
    if reads(first) {
        return Some(1);
    }
    BETWEEN_OF_WORDS
        .iter()
        .find(|run| {
            run.len() <= words.len()
                && run
                    .iter()
                    .zip(words)
                    .all(|(one, other)| one.eq_ignore_ascii_case(other))
        })
        .map(|run| run.len())
}

/// Tells whether a word says who is to read a letter: `Attn:`, `ATTN`, `c/o`.
fn reads(word: &str) -> bool {
    let bare = word.trim_end_matches([':', '.']).to_ascii_lowercase();
    // Without a sign, the shorter ones are names and words.
    BEFORE.contains(&bare.as_str()) && (bare == "attn" || bare.contains('/') || word.ends_with([':', '.']))
}

/// Tells whether words begin with who is to read a letter.
fn is_reader(words: &[&str]) -> bool {
    match words {
        [first, second, ..] => {
            reads(first) || first.eq_ignore_ascii_case("care") && second.eq_ignore_ascii_case("of")
        }
        _ => false,
    }
}
