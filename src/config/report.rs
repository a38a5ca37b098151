//! Writes what `pivotd check` prints.

use std::fmt::Write as _;

use super::Loaded;
use crate::catalogue::{Catalogue, TransformSpec};
use crate::config::settings::ProviderSettings;
use crate::providers::Descriptor;

/// Renders the configuration for a terminal: providers with the state of their keys, transforms, effective values
/// with where each came from, and warnings. Secrets are masked, control characters are not shown.
#[must_use]
pub fn report(loaded: &Loaded, catalogue: &Catalogue, descriptors: &[&'static Descriptor]) -> String {
    let mut out = String::from("Providers\n");
    let providers = loaded.settings.providers.values();
    let rows = providers.map(|provider| {
        let title = descriptors
            .iter()
            .find(|known| known.name == provider.name)
            .map_or("", |known| known.title);
        vec![
            provider.name.clone(),
            title.to_owned(),
            key_state(provider, descriptors).to_owned(),
            limits(provider),
            reason(provider, descriptors),
        ]
    });
    table(&mut out, rows);
    let ready = |provider: &&ProviderSettings| provider.enabled && provider.no_key().is_none();
    let count = loaded.settings.providers.values().filter(ready).count();
    let all = loaded.settings.providers.len();
    let _ = writeln!(out, "  {count} of {all} ready");
    out.push_str("\nTransforms\n");
    let rows = catalogue.transforms().iter().map(|spec| {
        let inputs: Vec<_> = spec.inputs.iter().map(|input| short(&input.type_id)).collect();
        let outputs: Vec<_> = spec.output_types().into_iter().map(short).collect();
        let outputs = if outputs.is_empty() {
            "the input, annotated".to_owned()
        } else {
            outputs.join(", ")
        };
        vec![
            spec.name.clone(),
            readiness(spec, loaded),
            format!("{} -> {outputs}", inputs.join(", ")),
        ]
    });
    table(&mut out, rows);
    out.push_str("\nEffective values\n");
    let rows = loaded
        .origins
        .iter()
        .map(|one| vec![one.path.clone(), one.value.clone(), one.origin.to_string()]);
    table(&mut out, rows);
    let warnings = loaded.warnings.iter().map(ToString::to_string);
    let warnings: Vec<String> = warnings.chain(notices(loaded, descriptors)).collect();
    if !warnings.is_empty() {
        out.push_str("\nWarnings\n");
        for warning in &warnings {
            let _ = writeln!(out, "  {}", printable(warning));
        }
    }
    out
}

/// Says of each enabled provider what its administrator should know.
fn notices<'a>(
    loaded: &'a Loaded,
    descriptors: &'a [&'static Descriptor],
) -> impl Iterator<Item = String> + 'a {
    let holds = |known: &Descriptor| {
        let settings = loaded.settings.providers.get(known.name);
        let is = |provider: &ProviderSettings, (option, value): (&str, &str)| {
            provider.options.get(option).is_some_and(|given| given == value)
        };
        settings.is_some_and(|provider| {
            provider.enabled && known.notice_only.is_none_or(|only| is(provider, only))
        })
    };
    descriptors
        .iter()
        .filter(move |known| holds(known))
        .filter_map(|known| Some(format!("{}: {}", known.name, known.notice?)))
}

fn short(type_id: &str) -> &str {
    type_id.strip_prefix("maltego.").unwrap_or(type_id)
}

fn key_state(provider: &ProviderSettings, descriptors: &[&'static Descriptor]) -> &'static str {
    let known = descriptors.iter().find(|known| known.name == provider.name);
    let is_needed = known.is_some_and(|known| known.credentials.iter().any(|field| !field.optional));
    if !provider.enabled {
        "disabled"
    } else if provider.no_key().is_some() {
        "no key"
    } else if provider.credentials.is_empty() && !is_needed {
        "no key needed"
    } else {
        "key configured"
    }
}

/// Says why a provider that is enabled has no key, and what there is to know of one that is not.
fn reason(provider: &ProviderSettings, descriptors: &[&'static Descriptor]) -> String {
    if !provider.enabled {
        let known = descriptors.iter().find(|known| known.name == provider.name);
        return known
            .and_then(|known| known.notice)
            .unwrap_or_default()
            .to_owned();
    }
    let reason = provider.no_key().unwrap_or_default();
    reason.trim_start_matches("no key: ").to_owned()
}

fn limits(provider: &ProviderSettings) -> String {
    let rates = provider.rate.iter().map(|rate| {
        let per = super::values::show_duration(rate.per);
        if rate.burst.get() > 1 {
            format!("{} in {per}, burst {}", rate.limit, rate.burst)
        } else {
            format!("{} in {per}", rate.limit)
        }
    });
    let budgets = provider.budget.iter().map(|budget| budget.label.clone());
    rates.chain(budgets).collect::<Vec<_>>().join("; ")
}

/// Says in few words whether a transform can answer; the list of providers says why one has no key.
fn readiness(spec: &TransformSpec, loaded: &Loaded) -> String {
    let asked = spec.providers();
    let ready = asked
        .iter()
        .filter_map(|name| loaded.settings.providers.get(name));
    let ready = ready.filter(|provider| provider.enabled && provider.no_key().is_none());
    match (ready.count(), asked.len()) {
        (_, 0) | (1, 1) => "ready".to_owned(),
        (0, _) => "no key".to_owned(),
        (ready, all) => format!("ready, {ready} of {all}"),
    }
}

/// Writes rows with columns as wide as their widest cell, within reason; the last column is as wide as it is.
fn table(out: &mut String, rows: impl Iterator<Item = Vec<String>>) {
    const WIDEST: usize = 60;
    let rows: Vec<Vec<String>> = rows
        .map(|row| row.iter().map(|cell| printable(cell)).collect())
        .collect();
    let width = |text: &str| unicode_width::UnicodeWidthStr::width(text);
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        for (at, cell) in row.iter().enumerate() {
            let here = width(cell).min(WIDEST);
            match widths.get_mut(at) {
                Some(known) => *known = here.max(*known),
                None => widths.push(here),
            }
        }
    }
    for row in &rows {
        let mut line = String::from(" ");
        for (cell, wanted) in row.iter().zip(&widths) {
            line.push(' ');
            line.push_str(cell);
            line.push_str(&" ".repeat(wanted.saturating_sub(width(cell)) + 1));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if rows.is_empty() {
        out.push_str("  none\n");
    }
}

/// Replaces what would act on a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
