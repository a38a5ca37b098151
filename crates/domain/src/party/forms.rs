//! Knows how the names of organizations look: the legal forms of companies, and words for institutions.
//!
//! The lists were written for this project from public company law and registration data and are of November 2026.

mod bodies;
mod lists;
mod within;

use super::signs;
use crate::words::words as plain_words;
use lists::{
    ANYWHERE, DOTTED, FORMS, INSTITUTIONS, LAST, LEADING, LEADING_CAPITALS, LIKELY, OF_WORDS, SHORT, WRITTEN,
};
use within::WITHIN;

/// How many words of a name can make up its form.
const LONGEST: usize = 5;
/// How many letters stand at least before the end of a compound word.
const SHORTEST_BEFORE: usize = 4;

/// Returns a word without the signs around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|letter: char| "\"'“”„«»(),;".contains(letter))
}

/// Returns a word as forms are listed: in lower case, without dots and dashes.
fn normal(word: &str) -> String {
    bare(word)
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split([' ', ','])
        .map(bare)
        .filter(|word| !word.is_empty())
        .collect()
}

/// Tells whether a name carries the legal form of a company.
pub(super) fn is_company(text: &str) -> bool {
    if WITHIN.iter().any(|form| text.contains(form)) {
        return true;
    }
    let words = words(text);
    let [first, .., last] = words.as_slice() else {
        return false;
    };
    let normals: Vec<String> = words.iter().map(|word| normal(word)).collect();
    let ends = (1..=LONGEST.min(words.len() - 1)).any(|count| {
        let end: String = normals
            .iter()
            .skip(words.len() - count)
            .map(String::as_str)
            .collect();
        FORMS.contains(&end.as_str()) || count > 1 && SHORT.contains(&end.as_str()) && is_spelt(&words, count)
    });
    let short = |word: &str| SHORT.contains(&normal(word).as_str()) && is_written_as_form(word);
    let leads = LEADING.contains(&normal(first).as_str()) || LEADING_CAPITALS.contains(first);
    let within = normals
        .iter()
        .skip(1)
        .any(|word| ANYWHERE.contains(&word.as_str()));
    ends || short(last)
        || DOTTED.contains(last)
        || leads
        || within
        || ends_in_co(&words)
        || has_form_of_words(text)
}

/// Tells whether a form of several words stands in front, or at the end.
fn has_form_of_words(text: &str) -> bool {
    let words = plain_words(text).join(" ");
    let mut forms = OF_WORDS.iter();
    forms.any(|(form, leads)| {
        let rest = if *leads {
            words.strip_prefix(form).map(|rest| rest.starts_with(' '))
        } else {
            words.strip_suffix(form).map(|rest| rest.ends_with(' '))
        };
        rest == Some(true)
    })
}

/// Tells whether words are a legal form, and nothing else.
pub(super) fn is_form(words: &[&str]) -> bool {
    let form: String = words.iter().map(|word| normal(word)).collect();
    FORMS.contains(&form.as_str()) || SHORT.contains(&form.as_str())
}

/// Tells whether the last words are the letters of a form one by one, as in "S. A.".
fn is_spelt(words: &[&str], count: usize) -> bool {
    words
        .iter()
        .skip(words.len().saturating_sub(count))
        .all(|word| word.chars().count() <= 2 && word.ends_with('.'))
}

fn is_written_as_form(word: &str) -> bool {
    let signed =
        word.contains(['.', '/']) && word.chars().filter(|letter| letter.is_alphabetic()).count() > 1;
    let capitals = word
        .chars()
        .all(|letter| letter.is_uppercase() || !letter.is_alphabetic());
    signed || capitals || WRITTEN.contains(&word)
}

/// Reads "Co." and "& Co", which is a surname without either sign.
fn ends_in_co(words: &[&str]) -> bool {
    let [.., before, last] = words else { return false };
    let normal = normal(last);
    let co = matches!(normal.as_str(), "co" | "cie" | "company");
    co && (last.ends_with('.')
        || matches!(*before, "&" | "and" | "et" | "und" | "y" | "e")
        || normal == "company")
}

/// Tells whether a name carries a word that only organizations carry.
pub(super) fn is_institution(text: &str) -> bool {
    words(text)
        .iter()
        .any(|word| INSTITUTIONS.contains(&normal(word).as_str()))
        || ends_as_organization(text)
        || is_body(text)
}

/// Tells whether a name is made as those of bodies and trades are: `Gemeinde Musterdorf`, `City of Springfield`.
fn is_body(text: &str) -> bool {
    let words = plain_words(text);
    let word = |word: &String| {
        let ends = |end: &&str| {
            word.strip_suffix(end)
                .is_some_and(|before| before.chars().count() >= SHORTEST_BEFORE)
        };
        let mut listed = bodies::BODIES.iter().chain(bodies::TRADES);
        listed.any(|line| line.split(' ').any(|known| known == word)) || bodies::ENDINGS.iter().any(ends)
    };
    let outer = match words.as_slice() {
        [first, between @ .., last] => {
            bodies::FIRST.contains(&first.as_str())
                || bodies::LAST.contains(&last.as_str())
                || !between.is_empty() && bodies::LAST_OF_MANY.contains(&last.as_str())
        }
        _ => false,
    };
    let spaced = format!(" {} ", words.join(" "));
    let begins = |run: &&str| {
        spaced
            .trim_start()
            .strip_prefix(*run)
            .is_some_and(|rest| rest.starts_with(' ') && rest.len() > 1)
    };
    words.iter().any(word)
        || outer
        || bodies::BEGINNINGS.iter().any(begins)
        || bodies::WITHIN
            .iter()
            .any(|run| spaced.contains(&format!(" {run} ")))
        || signs::ends_as_body(text)
}

/// Tells whether the last of several words is one that organizations end with.
fn ends_as_organization(text: &str) -> bool {
    match words(text).as_slice() {
        [_, .., last] => LAST.contains(&normal(last).as_str()),
        _ => false,
    }
}

/// Tells whether a name is rather an organization's, where nothing else says so.
pub(super) fn is_likely_organization(text: &str) -> bool {
    let signs = text.contains(['&', '+', '/']) || text.chars().any(|letter| letter.is_ascii_digit());
    signs
        || words(text)
            .iter()
            .any(|word| LIKELY.contains(&normal(word).as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_bodies_are_written_as_they_are_compared() {
        let lists = [
            bodies::BODIES,
            bodies::TRADES,
            bodies::FIRST,
            bodies::LAST,
            bodies::LAST_OF_MANY,
            bodies::ENDINGS,
            bodies::BEGINNINGS,
            bodies::WITHIN,
        ];
        for word in lists.into_iter().flatten() {
            assert_eq!(plain_words(word).join(" "), *word);
        }
    }
}
