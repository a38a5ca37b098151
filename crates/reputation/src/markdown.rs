//! The answer of an alert as a note for a case: Markdown in which nothing of a provider's steers anything.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::alert::AlertAnswer;
use super::score::{Assessment, Decision, Recommendation};
use pivotd_domain::indicator::is_turning;

/// The most indicators that a note tells of.
const MOST: usize = 30;
/// The most reasons that it gives for one.
const MOST_REASONS: usize = 6;

/// Writes the note: the decision, a table of the indicators, and the reasons.
pub(super) fn note(answer: &AlertAnswer, titles: &BTreeMap<String, String>) -> String {
    let mut note = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(note, "**{}**", headline(answer));
    if !answer.indicators.is_empty() {
        note.push_str("\n| Indicator | Score | Verdict | Decision | Recommended |\n|---|---:|---|---|---|\n");
    }
    for item in answer.indicators.iter().take(MOST) {
        let score = item
            .score
            .map_or_else(|| "–".to_owned(), |score| score.to_string());
        let _ = writeln!(
            note,
            "| {} ({}) | {score} | {} | {} | {} |",
            defanged(&item.indicator),
            escaped(&item.role),
            item.verdict.name(),
            item.decision.name(),
            recommended(item),
        );
    }
    let more = answer.indicators.len().saturating_sub(MOST);
    if more > 0 {
        let _ = writeln!(note, "\n{more} more are in the answer.");
    }
    for item in answer.indicators.iter().take(MOST) {
        reasons(&mut note, item, titles);
    }
    for ignored in answer.ignored.iter().take(MOST) {
        let _ = writeln!(
            note,
            "\nNot scored: {} ({}).",
            defanged(&ignored.value),
            escaped(&ignored.reason)
        );
    }
    let unscored = [
        ("Not scored, since it could not be read", &answer.unreadable),
        (
            "Not scored, since only the vendor of the wrapper knows where it leads",
            &answer.sealed,
        ),
        ("Not scored, since there were too many", &answer.excess),
    ];
    for (why, values) in unscored {
        if values.is_empty() {
            continue;
        }
        let named: Vec<String> = values.iter().take(MOST).map(|one| defanged(&one.value)).collect();
        let more = values.len().saturating_sub(MOST);
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let _ = writeln!(note, "\n{why}: {}{rest}.", named.join(", "));
    }
    for text in &answer.notes {
        let _ = writeln!(note, "\n{}", escaped(text));
    }
    let _ = writeln!(
        note,
        "\nDecision {}, policy {}, threshold {}.",
        escaped(&answer.decision_id),
        escaped(&answer.policy_version),
        answer.threshold
    );
    note
}

fn headline(answer: &AlertAnswer) -> String {
    if let Some(because) = answer.decided_by.because() {
        let decision = if answer.decision == Decision::Exceeds {
            "Exceeds"
        } else {
            "Below"
        };
        return format!("{decision}: {because}.");
    }
    match (answer.decision, answer.max_score) {
        (Decision::Exceeds, Some(score)) => format!("Exceeds: the highest score is {score}."),
        // A score exceeds, or a setting decides.
        (Decision::Exceeds, None) => "Exceeds.".to_owned(),
        (Decision::Below, Some(score)) => format!("Below: the highest score is {score}."),
        (Decision::Below, None) => {
            "Below: all of it stands on lists of what is own, trusted or popular.".to_owned()
        }
        (Decision::Undetermined, _) if answer.undetermined.is_empty() => {
            let found = [
                (&answer.unreadable, "a part of the alert could not be read."),
                (
                    &answer.sealed,
                    "a link is wrapped so that only the vendor of the wrapper can tell where it leads.",
                ),
                (
                    &answer.excess,
                    "there were too many indicators to score all of them.",
                ),
            ];
            let why = found.into_iter().find(|(values, _)| !values.is_empty());
            format!("Undetermined: {}", why.map_or("", |(_, why)| why))
        }
        (Decision::Undetermined, _) => {
            "Undetermined: a source that could have changed it is missing.".to_owned()
        }
        (Decision::Unknown, Some(score)) => {
            format!("Unknown: the highest score is {score}, and no source knows all of it.")
        }
        (Decision::Unknown, None) => "Unknown: no source knows these indicators.".to_owned(),
        (Decision::Unsupported, _) => "Unsupported: no configured source scores these.".to_owned(),
    }
}

fn recommended(item: &Assessment) -> String {
    let word = match item.recommend {
        Recommendation::Block => "block",
        Recommendation::Review => "review",
        Recommendation::None => "–",
    };
    if item.unsafe_because.is_empty() {
        word.to_owned()
    } else {
        format!(
            "{word}; not safe to block: {}",
            escaped(&item.unsafe_because.join(", "))
        )
    }
}

fn reasons(note: &mut String, item: &Assessment, titles: &BTreeMap<String, String>) {
    if item.explanation.is_empty() && item.missing.is_empty() {
        return;
    }
    let title = |source: &String| {
        titles
            .get(source)
            .map_or_else(|| escaped(source), |title| escaped(title))
    };
    let _ = writeln!(note, "\n{}", defanged(&item.indicator));
    note.push('\n');
    for line in item.explanation.iter().take(MOST_REASONS) {
        let _ = writeln!(
            note,
            "* {:+} {}: {}",
            line.points,
            title(&line.source),
            escaped(&line.reason)
        );
    }
    for (source, status) in item.missing.iter().take(MOST_REASONS) {
        let _ = writeln!(note, "* {} {status}", title(source));
    }
}

/// Writes an indicator so that it cannot be clicked.
fn defanged(indicator: &str) -> String {
    let mut safe = String::with_capacity(indicator.len() + 16);
    safe.push('`');
    let rest = indicator
        .strip_prefix("http")
        .filter(|rest| rest.starts_with("://") || rest.starts_with("s://"));
    if rest.is_some() {
        safe.push_str("hxxp");
    }
    for c in rest.unwrap_or(indicator).chars() {
        match c {
            '.' => safe.push_str("[.]"),
            '@' => safe.push_str("[@]"),
            // A code span ends at a backtick, and a table's cell at a bar.
            '`' | '|' => safe.push('?'),
            c if c.is_control() || is_turning(c) => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe.push('`');
    safe
}

/// Writes a text so that it is nothing but text: no markup, no link, no table, no line of its own.
fn escaped(text: &str) -> String {
    // Most texts are words and numbers.
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b',' | b';' | b'-' | b'%');
    if text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len() + 8);
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let follows = |next: &char| next.is_alphanumeric();
        let inside = before.is_some_and(|c: char| c.is_alphanumeric()) && chars.peek().is_some_and(follows);
        before = Some(c);
        match c {
            // Names and addresses become links in many readers. A decimal number is neither.
            '.' if inside && !is_decimal(&safe, &chars) => safe.push_str("[.]"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~' => {
                safe.push('\\');
                safe.push(c);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '@' => safe.push_str("[at]"),
            c if c.is_control() || is_turning(c) => safe.push(' '),
            c => safe.push(c),
        }
    }
    // Bare addresses become links in most readers.
    if safe.contains("://") {
        safe = safe.replace("://", "[:]//");
    }
    safe
}

/// Tells a dot between the two halves of a decimal number, by what was written before it and what comes after.
fn is_decimal(before: &str, after: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let word = |c: &char| c.is_alphanumeric() || matches!(c, '.' | '-' | ']');
    let digits = |c: char| c.is_ascii_digit();
    before.chars().rev().take_while(word).all(digits) && after.clone().take_while(word).all(digits)
}
