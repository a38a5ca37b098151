//! `pivotd graph overlap`: what two sides both reached.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Format, entities, width};
use crate::cli::filters::{MarkFilters, left_out_text};
use crate::cli::table::{Column, WIDE, csv, render};
use crate::cli::{follow, terminal};
use crate::config::problem::did_you_mean;
use crate::graph::changes::counts;
use crate::graph::overlap::{Overlap, OverlapSide, Start, Times, only_given, overlaps, providers, said_text};
use crate::graph::select::KeptByMarks;
use crate::graph::{EntityKey, Graph, Node};
use crate::maltego::types;

#[derive(Debug, clap::Args)]
pub(super) struct OverlapCommand {
    /// One graph or two.
    #[arg(value_name = "GRAPH", num_args = 1..=2, required = true)]
    files: Vec<PathBuf>,
    /// In one graph: where the pivots of a side started, by value or by an identifying property. Given twice, it names
    /// both sides; given once, the other side is what started elsewhere. Several values have commas between them.
    #[arg(long = "from", value_name = "VALUE")]
    from: Vec<String>,
    /// The providers whose links the side of the same place follows; all of them otherwise.
    #[arg(long = "via", value_name = "PROVIDERS")]
    via: Vec<String>,
    #[command(flatten)]
    marks: MarkFilters,
    /// Print every cell whole, however wide the table becomes.
    #[arg(long)]
    wide: bool,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Holds a side with its name.
struct NamedSide {
    name: String,
    side: OverlapSide,
}

impl OverlapCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let [a, b] = self.sides()?;
        let all = overlaps(&a.side, &b.side);
        let given = only_given(&a.side, &b.side);
        let known = a.side.marks().chain(b.side.marks());
        let KeptByMarks { kept, left_out } = self.marks.keep(all.clone(), known, |one| &one.marks)?;
        match self.format {
            Format::Json => {
                let shown: Vec<_> = kept.iter().map(overlap_json).collect();
                let sides = [&a, &b].map(|one| json!({ "name": one.name, "reached": one.side.len() }));
                let given: Vec<_> = given
                    .iter()
                    .map(|(type_id, value, _)| json!({ "type": type_id, "value": value }))
                    .collect();
                let left_out: Vec<_> = left_out
                    .iter()
                    .map(|(why, count)| json!({ "why": why, "count": count }))
                    .collect();
                terminal::print_data(&serde_json::to_string_pretty(&json!({
                    "count": kept.len(),
                    "sides": sides,
                    "overlaps": shown,
                    "left_out": left_out,
                    "only_given": given,
                }))?);
            }
            Format::Csv => terminal::print_data(&csv(&overlap_columns(&kept))?),
            Format::Table => {
                show_sides(&all, &a, &b);
                if !left_out.is_empty() {
                    terminal::print(&format!(
                        "shows {} of {}{}",
                        kept.len(),
                        entities(all.len()),
                        left_out_text(&left_out)
                    ));
                }
                show_overlaps(&kept, width(self.wide));
                if !given.is_empty() {
                    let values = given.iter().map(|(_, value, _)| value.as_str());
                    terminal::print(&format!(
                        "\nno overlap, since a side was given it and did not reach it: {}",
                        follow::named(values)
                    ));
                }
            }
        }
        Ok(())
    }

    fn sides(&self) -> anyhow::Result<[NamedSide; 2]> {
        if let [a, b] = self.files.as_slice() {
            anyhow::ensure!(
                self.from.is_empty() && self.via.is_empty(),
                "--from and --via part one graph into two sides; name one graph with them"
            );
            let whole = |file: &PathBuf| -> anyhow::Result<NamedSide> {
                Ok(NamedSide {
                    name: file.display().to_string(),
                    side: OverlapSide::whole(&follow::opened(file)?),
                })
            };
            return Ok([whole(a)?, whole(b)?]);
        }
        let file = self.files.first().map(PathBuf::as_path);
        let graph = follow::opened(file.unwrap_or_else(|| Path::new("")))?;
        anyhow::ensure!(
            matches!(self.from.len(), 1 | 2),
            "name a second graph, or say with --from where the pivots of each side started"
        );
        anyhow::ensure!(
            self.via.is_empty() || self.via.len() == self.from.len(),
            "give --via for each --from, in the same order"
        );
        let via = |at: usize| -> BTreeSet<String> {
            let names = self.via.get(at).into_iter().flat_map(|names| names.split(','));
            names
                .map(|name| name.trim().to_owned())
                .filter(|name| name != "*")
                .collect()
        };
        let known: BTreeSet<String> = graph
            .links()
            .flat_map(|link| providers(&link).map(str::to_owned).collect::<Vec<_>>())
            .collect();
        for name in (0..self.via.len()).flat_map(via) {
            anyhow::ensure!(
                known.contains(&name),
                "no link of the graph is of a provider {}{}; there are: {}",
                terminal::line(&name),
                did_you_mean(&name, known.iter().map(String::as_str)),
                known.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
            );
        }
        let mut starts: Vec<(String, Start)> = Vec::new();
        for (at, from) in self.from.iter().enumerate() {
            let start = Start {
                at: places(&graph, from)?,
                via: via(at),
            };
            starts.push((from.clone(), start));
        }
        if let [(from, first)] = starts.as_slice() {
            let given = graph.nodes().iter().enumerate().filter(|(_, node)| node.given);
            let others: BTreeSet<usize> = given
                .map(|(at, _)| at)
                .filter(|at| !first.at.contains(at))
                .collect();
            anyhow::ensure!(
                !others.is_empty(),
                "all pivots of the graph started at {from}; name the other side with a second --from"
            );
            let start = Start {
                at: others,
                via: BTreeSet::new(),
            };
            starts.push(("elsewhere".to_owned(), start));
        }
        let [(a, first), (b, second)] = <[(String, Start); 2]>::try_from(starts)
            .map_err(|_| anyhow::anyhow!("give --from once or twice"))?;
        let side = |name: String, start: &Start, other: &Start| {
            let via = if start.via.is_empty() {
                String::new()
            } else {
                let names: Vec<&str> = start.via.iter().map(String::as_str).collect();
                format!(" via {}", names.join(", "))
            };
            NamedSide {
                name: format!("from {}{via}", terminal::line(&name)),
                side: OverlapSide::reached(&graph, start, &other.at),
            }
        };
        Ok([side(a, &first, &second), side(b, &second, &first)])
    }
}

/// Finds entities by their values, or by a property that tells them apart, such as the id of an incident.
fn places(graph: &Graph, from: &str) -> anyhow::Result<BTreeSet<usize>> {
    let find = |wanted: &str| -> Vec<usize> {
        let is_meant = |node: &Node| {
            let is_strict = |name: &String| node.properties.get(name).is_some_and(|value| value == wanted);
            node.value.eq_ignore_ascii_case(wanted) || node.strict.iter().any(is_strict)
        };
        let found = graph.nodes().iter().enumerate();
        found
            .filter(|(_, node)| is_meant(node))
            .map(|(at, _)| at)
            .collect()
    };
    // A value may hold a comma itself.
    let whole = find(from);
    if !whole.is_empty() {
        return Ok(whole.into_iter().collect());
    }
    let mut all = BTreeSet::new();
    for one in from.split(',').map(str::trim) {
        let found = find(one);
        anyhow::ensure!(
            !found.is_empty(),
            "the graph has no entity {}",
            terminal::line(one)
        );
        all.extend(found);
    }
    Ok(all)
}

fn show_sides(found: &[Overlap], a: &NamedSide, b: &NamedSide) {
    for (letter, side) in [("A", a), ("B", b)] {
        terminal::print(&format!(
            "{letter}: {}, {} reached",
            side.name,
            entities(side.side.len())
        ));
    }
    let types = found.iter().map(|one| one.identity.0.as_str());
    let (are, colon) = match found.len() {
        1 => ("overlaps", ": "),
        0 => ("overlap", ""),
        _ => ("overlap", ": "),
    };
    terminal::print(&format!(
        "{} {are}{colon}{}",
        entities(found.len()),
        counts(types).join(", ")
    ));
}

fn show_overlaps(found: &[Overlap], width: usize) {
    if found.is_empty() {
        return;
    }
    let of = |times: Times| found.iter().filter(|one| one.times == times).count();
    terminal::print(&format!(
        "both sides saw {} at the same time and {} at other times; of {} more, a side has no date\n",
        of(Times::Overlap),
        of(Times::Apart),
        of(Times::Undated)
    ));
    terminal::print_lines(&render(overlap_columns(found), width, WIDE));
}

fn overlap_columns(found: &[Overlap]) -> Vec<Column> {
    let short = |(type_id, _, _): &EntityKey| types::last_part(type_id).to_owned();
    let said = |one: &Overlap, side: usize| one.sides.get(side).map(said_text).unwrap_or_default();
    vec![
        Column::fixed("Type", found.iter().map(|one| short(&one.identity))),
        Column::main("Value", found.iter().map(|one| one.identity.1.clone())),
        Column::fixed("Times", found.iter().map(|one| one.times.name().to_owned())),
        Column::words(
            "Marks",
            found.iter().map(|one| {
                let marks: Vec<&str> = one.marks.iter().map(String::as_str).collect();
                marks.join(", ")
            }),
        ),
        Column::words("A", found.iter().map(|one| said(one, 0))),
        Column::words("B", found.iter().map(|one| said(one, 1))),
    ]
}

fn overlap_json(one: &Overlap) -> serde_json::Value {
    let (type_id, value, strict) = &one.identity;
    let [a, b] = &one.sides;
    json!({
        "type": type_id,
        "value": value,
        "strict": strict,
        "marks": one.marks,
        "times": one.times.name(),
        "a": a,
        "b": b,
    })
}
