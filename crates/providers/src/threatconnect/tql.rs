//! Writes questions in the ThreatConnect Query Language.

use std::net::IpAddr;

use pivotd_domain::{Indicator, IndicatorKind};

/// The types of groups that tell what an indicator was part of.
const HOLDERS: &str = r#"typeName in ("Incident", "Adversary", "Campaign")"#;
const INCIDENTS: &str = r#"typeName in ("Incident")"#;

/// Writes a text as a string in quotes.
///
/// Quotes of each kind, the backtick and the backslash are escaped by a backslash (ThreatConnect API documentation,
/// filter results with TQL).
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        if matches!(letter, '\'' | '"' | '`' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
    out
}

/// Asks for the incidents of an owner, those whose name holds a text, or all of them where the text is `*` or blank.
pub(super) fn incidents(indicator: &Indicator) -> String {
    let value = indicator.value();
    match indicator.kind() {
        IndicatorKind::Community => format!("{INCIDENTS} and ownerName = {}", quoted(value)),
        _ if value == "*" || value.trim().is_empty() => INCIDENTS.to_owned(),
        // The name of a group is its summary, as the vendor's own framework filters it.
        _ => format!("{INCIDENTS} and summary contains {}", quoted(value)),
    }
}

/// Asks for the groups that hold an indicator, whichever owner they have.
pub(super) fn holding(indicator: &Indicator) -> String {
    format!("{HOLDERS} and hasIndicator({})", summary(indicator))
}

/// Asks for the indicators of a group.
pub(super) fn held_by(group: u64) -> String {
    format!("hasGroup(id = {group})")
}

/// Asks for a group itself.
pub(super) fn group(group: u64) -> String {
    format!("id = {group}")
}

/// Asks for an indicator itself, once for each owner that has it.
pub(super) fn listed(indicator: &Indicator) -> String {
    let kind = match indicator.kind() {
        IndicatorKind::Ipv4 | IndicatorKind::Ipv6 => "Address",
        IndicatorKind::Url => "URL",
        IndicatorKind::Email => "EmailAddress",
        IndicatorKind::Hash => "File",
        _ => "Host",
    };
    format!(r#"typeName in ("{kind}") and ({})"#, summary(indicator))
}

/// Compares the summary of an indicator with each form in which the vendor may hold it.
fn summary(indicator: &Indicator) -> String {
    let value = indicator.value();
    if indicator.kind() == IndicatorKind::Hash {
        // A file's summary joins all of its hashes; the vendor's samples have them in upper case.
        let upper = value.to_ascii_uppercase();
        return format!(
            "summary contains {} or summary contains {}",
            quoted(value),
            quoted(&upper)
        );
    }
    let mut forms = vec![value.to_owned()];
    forms.extend(other_form(indicator).filter(|form| form != value));
    match forms.as_slice() {
        [one] => format!("summary = {}", quoted(one)),
        many => {
            let quoted: Vec<String> = many.iter().map(|form| quoted(form)).collect();
            format!("summary in ({})", quoted.join(", "))
        }
    }
}

/// Returns the other form of an indicator that people enter, where it has one.
fn other_form(indicator: &Indicator) -> Option<String> {
    let value = indicator.value();
    match indicator.kind() {
        IndicatorKind::Email => Some(value.to_ascii_lowercase()),
        // A URL of nothing but a host is entered with and without its slash.
        IndicatorKind::Url => value
            .strip_suffix('/')
            .filter(|rest| rest.matches('/').count() == 2)
            .map(str::to_owned),
        // The vendor writes some addresses out in full, without leading zeros.
        IndicatorKind::Ipv6 => match indicator.ip()? {
            IpAddr::V6(address) => {
                let groups: Vec<String> = address
                    .segments()
                    .iter()
                    .map(|segment| format!("{segment:x}"))
                    .collect();
                Some(groups.join(":"))
            }
            IpAddr::V4(_) => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
