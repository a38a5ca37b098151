//! Looks at the shape of texts: what can be a name or a line of an address at all.

use jiff::civil::Date;

use super::desks;
use crate::words::words;

/// The longest name and line of an address in bytes, and the most words of a name.
const LONGEST: usize = 160;
const MOST_WORDS: usize = 12;
/// The most words of a company's name that may hold a word of sentences, as in "Your Hosting B.V.".
const MOST_OF_COMPANY: usize = 5;
/// The most words of a person's name.
const MOST_OF_PERSON: usize = 6;

/// Signs that no name holds: they are of URLs, addresses, handles, markup and masks.
const SIGNS: &[char] = &[
    ':', '@', '<', '>', '*', '=', '|', '\\', '{', '}', '[', ']', '#', '%', '~', '^', '_', ';',
];

/// Words that sentences hold, and names do not.
const OF_SENTENCES: &[&str] = &[
    "are", "been", "cannot", "had", "has", "have", "if", "is", "keine", "must", "nao", "nicht", "niet",
    "not", "não", "our", "shall", "should", "shown", "their", "these", "this", "those", "upon", "was",
    "were", "which", "would", "you", "your",
];

/// Those of them that are surnames, too, and end no sentence.
const SURNAMES: &[&str] = &["had", "has", "have", "if", "is", "not"];

/// Words that are enough for a sentence or a notice by themselves.
const OF_NOTICES: &[&str] = &[
    "disclosed",
    "gdpr",
    "http",
    "https",
    "please",
    "rdds",
    "redacted",
    "undisclosed",
    "unpublished",
    "webbased",
    "www",
];

/// Words that tell a reader what to do, where they stand first and more follows.
const ORDERS: &[&str] = &[
    "click", "contact", "for", "query", "refer", "see", "visit", "write",
];

/// What stands behind a name and its comma, and is no given name.
const SUFFIXES: &[&str] = &[
    "cissp", "dds", "dr", "esq", "ii", "iii", "iv", "jr", "mba", "md", "phd", "prof", "sr",
];

/// Ends of handles that registries give out.
const HANDLE_ENDS: &[&str] = &[
    "afrinic", "ap", "arin", "cz", "cznic", "dk", "frnic", "gandi", "itnic", "is", "metu", "mnt", "nicat",
    "norid", "reg", "ripe", "sidn", "tw", "uanic", "uaepp",
];

/// Collapses white space, and takes off quotation marks around a name and a handle behind it; `None` where nothing is left.
pub(super) fn tidy(text: &str) -> Option<String> {
    if text.len() > 4 * LONGEST {
        return None;
    }
    let mut text = tidy_once(text)?;
    loop {
        let again = tidy_once(&text)?;
        if again == text {
            return Some(text);
        }
        text = again;
    }
}

fn tidy_once(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let mut text = words.join(" ");
    // Some registrars write brackets for a mailbox that is not there.
    while let Some(before) = text.strip_suffix("()").or_else(|| text.strip_suffix("( )")) {
        text = before.trim_end().to_owned();
    }
    if let Some((before, _)) = with_mailbox(&text) {
        text = before.to_owned();
    }
    if let Some((before, code)) = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("))
        && (is_handle(code) || is_code(code) || desks::is_desk(code) || super::is_same_name(before, code))
    {
        text = before.trim_end().to_owned();
    }
    let text = text.trim_matches(|letter: char| letter == ',' || letter.is_whitespace());
    let quoted = ['"', '\''].into_iter().find_map(|mark| {
        let inner = text.strip_prefix(mark)?.strip_suffix(mark)?;
        (!inner.contains(mark)).then(|| inner.trim())
    });
    let text = quoted.unwrap_or(text);
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads a name with a mailbox in brackets behind it, such as `Jane Doe (jane@example.com)`: the name, and the mailbox.
#[must_use]
pub fn with_mailbox(text: &str) -> Option<(&str, &str)> {
    let (name, mailbox) = text.trim().strip_suffix([')', '>'])?.rsplit_once(['(', '<'])?;
    let (name, mailbox) = (name.trim_end(), mailbox.trim());
    let is_mailbox = mailbox.contains('@') && !mailbox.contains(char::is_whitespace);
    (is_mailbox && !name.is_empty()).then_some((name, mailbox))
}

/// Takes the remark off a name: what stands in brackets, as in `Jane Doe (Owner)`, and one word in quotation marks between
/// others. `None` where there is none.
pub(super) fn without_remark(text: &str) -> Option<String> {
    let once = |mark: &[char]| text.chars().filter(|letter| mark.contains(letter)).count() == 1;
    let parts = if once(&['(', '（']) && once(&[')', '）']) {
        let (before, rest) = text.split_once(['(', '（'])?;
        let (_, after) = rest.split_once([')', '）'])?;
        [before, after]
    } else {
        let (before, rest) = text.split_once(['"', '“', '„', '«'])?;
        let (inner, after) = rest.split_once(['"', '”', '“', '»'])?;
        let is_between = |text: &str| text.chars().any(char::is_alphabetic) && !text.contains('"');
        if inner.contains(' ') || !is_between(before) || !is_between(after) {
            return None;
        }
        [before, after]
    };
    let words: Vec<&str> = parts.into_iter().flat_map(str::split_whitespace).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Tells a registry's code, such as `MSFT`, from a place in brackets.
fn is_code(text: &str) -> bool {
    text.len() >= 4
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Tells whether a text can be a name at all.
pub(super) fn can_be_name(text: &str, company: bool) -> bool {
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.len() <= LONGEST
        && letters >= digits
        && !text.contains(SIGNS)
        && (!text.contains(is_lost) || is_little_damaged(text))
        && (company || !text.contains('!') || is_called_out(text))
        && text.split(' ').count() <= MOST_WORDS
        && !is_handle(text)
        && !has_date(text)
        && !is_web(text)
        && !is_notice(text)
        && (company && text.split(' ').count() <= MOST_OF_COMPANY || !is_sentence(text))
}

/// Tells a trade name with an exclamation mark, such as `Yahoo! Fans`, from a text that calls to a reader.
fn is_called_out(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let marked = |word: &&str| {
        word.strip_suffix('!')
            .is_some_and(|before| before.chars().any(char::is_lowercase) && !before.contains('!'))
    };
    words.len() <= MOST_OF_COMPANY
        && words.iter().filter(|word| word.contains('!')).count() == 1
        && match words.as_slice() {
            [only] => marked(only),
            [before @ .., last] => !last.contains('!') && before.iter().any(marked),
            [] => false,
        }
}

fn is_web(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.split(' ').any(|word| word.starts_with("www.")) || lower.contains("//")
}

/// Tells whether a word has the shape of a registry's handle: `AB12-RIPE`, `EX-REG-1`, `ANEXE1`, `exampl0001-00001`.
#[must_use]
pub fn is_handle(text: &str) -> bool {
    let text = text.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if text.is_empty() || text.len() > 48 || !text.bytes().all(plain) {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let capitals = !text.bytes().any(|byte| byte.is_ascii_lowercase());
    if let Some((head, tail)) = text.rsplit_once(['-', '_']) {
        let ends = HANDLE_ENDS.contains(&tail.to_ascii_lowercase().as_str());
        let maintains = tail.eq_ignore_ascii_case("mnt");
        let begins = head
            .split(['-', '_'])
            .next()
            .is_some_and(|head| matches!(head, "REG" | "ORG" | "MNT" | "IRT" | "MAINT"));
        return digits > 0 || maintains || (ends || begins) && capitals;
    }
    digits > 0 && digits < text.len() && text.len() >= 4 && (capitals || digits >= 3)
}

/// Tells whether a text is a sentence or a notice rather than a name or a place.
#[must_use]
pub fn is_sentence(text: &str) -> bool {
    let words = words(text);
    let ordered = words.len() > 2
        && words
            .first()
            .is_some_and(|first| ORDERS.contains(&first.as_str()))
        && (text.contains(['@', '/']) || text.split(' ').any(is_dotted_name));
    let last = text.split(' ').next_back().unwrap_or_default();
    let ended = words.len() >= 4
        && last.ends_with(['.', '!', '?'])
        && last.chars().filter(|letter| letter.is_lowercase()).count() >= 4
        && last.chars().next().is_some_and(char::is_lowercase);
    // With an accent, these are other words: "İş" of a Turkish address.
    let accented = accented(text);
    is_notice(text)
        || words.len() >= 3 && holds(but_surname(text, &accented), OF_SENTENCES)
        || ordered
        || ended
}

/// Returns the words of a text in lower case with their accents.
fn accented(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric() && !is_mark(letter))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Leaves out the word of a few that is the surname in `Mehmet Ali Has` and `Has, Mehmet Ali`.
fn but_surname<'w>(text: &str, words: &'w [String]) -> &'w [String] {
    let is = |word: &String| SURNAMES.contains(&word.as_str());
    let letters = |letter: char| letter.is_alphabetic() || " ,'-".contains(letter);
    match words {
        _ if words.len() > MOST_OF_PERSON || !text.chars().all(letters) => words,
        [first, given @ ..] if is(first) && text.find(',') == Some(first.len()) => given,
        [given @ .., last] if is(last) && !text.contains(',') => given,
        _ => words,
    }
}

/// Tells whether a text holds a word that only notices hold.
fn is_notice(text: &str) -> bool {
    holds(&words(text), OF_NOTICES)
}

fn holds(words: &[String], list: &[&str]) -> bool {
    words.iter().any(|word| list.contains(&word.as_str()))
}

/// Tells whether a word is a name of several labels, such as `www.registry.example`.
fn is_dotted_name(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',']);
    let mut labels = word.split('.');
    labels.clone().count() > 1 && labels.all(|label| label.chars().count() > 1)
}

/// Tells whether a word of the text is a date.
fn has_date(text: &str) -> bool {
    text.split(' ').any(|word| {
        let word = word.trim_matches(['(', ')', ',']);
        let parts: Vec<&str> = word.split(['-', '.', '/', 'T']).take(3).collect();
        let [first, second, third] = parts.as_slice() else {
            return false;
        };
        let number = |text: &str| text.parse::<i16>().ok();
        match (number(first), number(second), number(third)) {
            (Some(first), Some(second), Some(third)) => {
                let (year, day) = if first > 31 {
                    (first, third)
                } else {
                    (third, first)
                };
                let small = |number: i16| i8::try_from(number).ok();
                let is = |month: i16, day: i16| {
                    small(month)
                        .zip(small(day))
                        .is_some_and(|(month, day)| Date::new(year, month, day).is_ok())
                };
                year > 31 && (is(second, day) || is(day, second))
            }
            _ => false,
        }
    })
}

/// Reads a person's name: letters in a few words. A surname in front, with its comma, is put behind the given name.
pub(super) fn person(text: &str) -> Option<String> {
    let letter = |letter: char| {
        letter.is_alphabetic() || " .'’`-,·・".contains(letter) || is_mark(letter) || is_lost(letter)
    };
    if !text.chars().all(letter) {
        return None;
    }
    let (named, suffix) = match text.rsplit_once(',') {
        Some((named, suffix)) if is_suffix(suffix.trim()) => (named.trim(), Some(suffix.trim())),
        _ => (text, None),
    };
    let name = match named.split_once(',') {
        None => named.to_owned(),
        Some((_, after)) if after.contains(',') => return None,
        Some((surname, given)) => match (surname.trim(), given.trim()) {
            ("", _) | (_, "") => return None,
            (surname, given) => format!("{given} {surname}"),
        },
    };
    let words: Vec<&str> = name.split(' ').filter(|word| !word.is_empty()).collect();
    let initials = words
        .iter()
        .all(|word| word.chars().filter(|c| c.is_alphabetic()).count() < 2);
    // One word in capitals is an abbreviation.
    let short = matches!(words.as_slice(), [one] if one.is_ascii() && !one.contains(char::is_lowercase));
    let lonely = initials && name.is_ascii() && words.len() < 2;
    let is_name = !words.is_empty() && words.len() <= MOST_OF_PERSON && !short && !lonely;
    let name = words.join(" ");
    is_name.then(|| match suffix {
        Some(suffix) => format!("{name}, {suffix}"),
        None => name,
    })
}

/// Tells whether a character stands for a letter that was lost on the way here.
fn is_lost(letter: char) -> bool {
    matches!(letter, '?' | '\u{fffd}')
}

/// Tells whether few letters of a text were lost, so that it is read as it came: `M?ller GmbH`. A question mark that ends a
/// word is one.
fn is_little_damaged(text: &str) -> bool {
    let lost = text.chars().filter(|letter| is_lost(*letter)).count();
    let known = text.chars().filter(|letter| letter.is_alphabetic()).count();
    let asks = text
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .any(|word| word.ends_with('?') || word.chars().all(is_lost));
    lost > 0 && known >= 3 * lost && !asks && !text.contains("??")
}

/// Tells whether a word follows a name behind a comma, and is no given name.
pub(super) fn is_suffix(text: &str) -> bool {
    SUFFIXES.contains(&text.to_lowercase().replace('.', "").as_str())
}

/// Tells whether a character belongs to a letter before it, or joins letters: marks of decomposed letters, signs of Indic and
/// Thai vowels and tones, points of Hebrew and Arabic, and what Persian and Indic words are joined by.
fn is_mark(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}'
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{5f3}' | '\u{5f4}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{93c}' | '\u{94d}' | '\u{9bc}' | '\u{9cd}' | '\u{a3c}' | '\u{a4d}' | '\u{abc}' | '\u{acd}'
        | '\u{b3c}' | '\u{b4d}' | '\u{bcd}' | '\u{c4d}' | '\u{cbc}' | '\u{ccd}' | '\u{d4d}' | '\u{dca}'
        | '\u{e31}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{eb1}'..='\u{ebc}' | '\u{ec8}'..='\u{ece}'
        | '\u{f35}'..='\u{f39}' | '\u{f71}'..='\u{f84}' | '\u{102b}'..='\u{103e}' | '\u{17b4}'..='\u{17d3}'
        | '\u{200c}' | '\u{200d}')
        || !letter.is_ascii() && !letter.is_control() && !letter.is_whitespace() && letter.is_alphanumeric()
}

/// Tells whether a text begins as names do: with a capital, a digit, or a letter of a script without capitals.
pub(super) fn is_capitalised(text: &str) -> bool {
    text.split(' ')
        .filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()))
        .any(|letter| !letter.is_lowercase())
}

/// Tells whether a text can be a line of an address: no handle, date, number to dial, URL, mailbox or sentence.
#[must_use]
pub fn is_address_line(text: &str) -> bool {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let dialled = text.starts_with('+') && !text.chars().any(char::is_alphabetic);
    text.len() <= LONGEST
        && text.chars().any(char::is_alphanumeric)
        && !text.contains(['@', '<', '>', '=', '{', '}', '|', '*'])
        && (!text.contains('\u{fffd}') || is_little_damaged(text))
        && !lower.contains("://")
        && !is_web(&lower)
        && !dialled
        && !has_date(text)
        && (!is_handle(text) || is_postal(text))
        && !is_sentence(text)
}

/// Tells a postal code with its country in front, such as `CH-8000`, from a handle.
fn is_postal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('-') {
        Some((head, tail)) => {
            digits(tail)
                && (digits(head) || head.len() <= 3 && head.bytes().all(|byte| byte.is_ascii_uppercase()))
        }
        // A code such as `SW1A1AA`, or the number of a house with its letter.
        None => text.len() <= 8,
    }
}
