//! `pivotd graph`: what is on a graph, what it rests on, and what two sides have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::json;

use super::filters::{Filters, left_out};
use super::table::{Column, csv, render};
use super::{Done, follow, terminal};
use crate::graph::news::counts;
use crate::graph::overlap::{Overlap, Side, Start, Times, only_given, overlaps, said_text};
use crate::graph::period::{Period, hull};
use crate::graph::select::{is_type, marks};
use crate::graph::standing::Standing;
use crate::graph::{Graph, Identity, Node, part};
use crate::maltego::types;

/// Look into graphs that runs were merged into, and compare them.
#[derive(Debug, clap::Args)]
pub(super) struct GraphCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the entities of a graph, with when they were seen, who tells of them and which step brought them.
    Show(Show),
    /// List what two sides both reached, with what each says of it: two graphs, or one by where its pivots started.
    Overlap(OverlapCommand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs; `show` prints a graph that `--on` and `graph` read again.
    Json,
    /// For spreadsheets.
    Csv,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The graph.
    #[arg(value_name = "GRAPH")]
    file: PathBuf,
    /// Of a type, such as Domain; can be repeated.
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
    /// List which entities hang on one source outside the period of --seen or --near, and which are corroborated by
    /// independent sources in overlapping periods. Nothing is removed.
    #[arg(long)]
    weak: bool,
    /// Print every cell whole, however wide the table becomes.
    #[arg(long)]
    wide: bool,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    // The last, since its heading is that of what follows.
    #[command(flatten)]
    filters: Filters,
}

#[derive(Debug, clap::Args)]
struct OverlapCommand {
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
    /// Print every cell whole, however wide the table becomes.
    #[arg(long)]
    wide: bool,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl GraphCommand {
    pub(super) fn run(self) -> anyhow::Result<Done> {
        match self.command {
            Command::Show(show) => show.run()?,
            Command::Overlap(overlap) => overlap.run()?,
        }
        Ok(Done::Well)
    }
}

fn width(wide: bool) -> usize {
    if wide { usize::MAX } else { terminal::width() }
}

impl Show {
    fn run(self) -> anyhow::Result<()> {
        let graph = follow::opened(&self.file)?;
        for wanted in &self.types {
            let is_there = graph.nodes().iter().any(|node| is_type(node, wanted));
            anyhow::ensure!(is_there, "the graph has no entity of type {wanted}");
        }
        // Where the standing is asked for, the period says what is weak, not what is shown.
        let filters = if self.weak {
            self.filters.without_period()
        } else {
            self.filters.clone()
        };
        let selected = filters.choose(&graph, self.types.clone())?;
        let said = left_out(&graph, &selected);
        if self.weak {
            return self.show_standing(&graph, &selected.chosen, said.as_deref());
        }
        match self.format {
            Format::Json => {
                terminal::print_data(&serde_json::to_string_pretty(&part(&graph, &selected.chosen)?)?);
            }
            Format::Csv => terminal::print_data(&csv(&columns(&nodes(&graph, &selected.chosen)))?),
            Format::Table => {
                terminal::print(&self.head(&graph));
                if let Some(said) = said {
                    terminal::print(&format!("shows {said}"));
                } else if selected.chosen.len() < graph.nodes().len() {
                    terminal::print(&format!(
                        "shows {} of {} entities",
                        selected.chosen.len(),
                        graph.nodes().len()
                    ));
                }
                let shown = nodes(&graph, &selected.chosen);
                if !shown.is_empty() {
                    let types = shown.iter().map(|node| node.type_id.as_str());
                    terminal::print(&format!("{}\n", counts(types).join(", ")));
                    terminal::print(&render(columns(&shown), width(self.wide)));
                }
            }
        }
        Ok(())
    }

    fn head(&self, graph: &Graph) -> String {
        let steps = match graph.steps().len() {
            0 => "steps are not known".to_owned(),
            1 => "1 step".to_owned(),
            many => format!("{many} steps"),
        };
        let all = hull(graph.nodes().iter().flat_map(Node::seen));
        let seen = all.map_or_else(|| "no dates".to_owned(), |all| format!("seen {all}"));
        format!(
            "{}: {} entities, {} links, {steps}, {seen}",
            self.file.display(),
            graph.nodes().len(),
            graph.links().count()
        )
    }

    fn show_standing(&self, graph: &Graph, chosen: &[usize], said: Option<&str>) -> anyhow::Result<()> {
        let period = self.filters.period()?;
        let mut by_standing: BTreeMap<Standing, Vec<&Node>> = BTreeMap::new();
        for node in nodes(graph, chosen) {
            by_standing
                .entry(Standing::of(node, period))
                .or_default()
                .push(node);
        }
        let mut of = |standing| by_standing.remove(&standing).unwrap_or_default();
        let (weak, corroborated) = (of(Standing::Weak), of(Standing::Corroborated));
        let (single, apart, given) = (of(Standing::Single), of(Standing::Apart), of(Standing::Given));
        let outside = period.map_or_else(String::new, |period| format!(" outside {period}"));
        match self.format {
            Format::Json => {
                let list = |nodes: &[&Node]| nodes.iter().map(|node| node_json(node)).collect::<Vec<_>>();
                terminal::print_data(&serde_json::to_string_pretty(&json!({
                    "period": period.map(|period| json!({ "first": period.first(), "last": period.last() })),
                    "weak": list(&weak),
                    "corroborated": list(&corroborated),
                    "counts": {
                        "weak": weak.len(), "corroborated": corroborated.len(), "single": single.len(),
                        "apart": apart.len(), "given": given.len(),
                    },
                }))?);
            }
            Format::Csv => {
                let standing = weak
                    .iter()
                    .map(|_| "weak")
                    .chain(corroborated.iter().map(|_| "corroborated"));
                let mut table = vec![Column::fixed("Standing", standing.map(str::to_owned))];
                let both: Vec<&Node> = weak.iter().chain(&corroborated).copied().collect();
                table.extend(columns(&both));
                terminal::print_data(&csv(&table)?);
            }
            Format::Table => {
                if let Some(said) = said {
                    terminal::print(&format!("looks at {said}\n"));
                }
                let lists = [
                    (format!("on one source alone{outside}"), &weak),
                    (
                        "corroborated by independent sources in overlapping periods".to_owned(),
                        &corroborated,
                    ),
                ];
                for (what, list) in lists {
                    terminal::print(&format!("{what}: {}", entities(list.len())));
                    if !list.is_empty() {
                        terminal::print(&format!("{}\n", render(columns(list), width(self.wide))));
                    }
                }
                terminal::print(&format!(
                    "of the others, {} one source{}, {} told of by several in periods that do not overlap or are not \
                     known, and {} told of by none; nothing was removed",
                    have(single.len()),
                    if period.is_some() {
                        " within it or without a date"
                    } else {
                        ""
                    },
                    are(apart.len()),
                    are(given.len()),
                ));
            }
        }
        Ok(())
    }
}

fn entities(count: usize) -> String {
    let noun = if count == 1 { "entity" } else { "entities" };
    format!("{count} {noun}")
}

fn have(count: usize) -> String {
    format!("{count} {}", if count == 1 { "has" } else { "have" })
}

fn are(count: usize) -> String {
    format!("{count} {}", if count == 1 { "is" } else { "are" })
}

/// Returns the chosen nodes by type and value.
fn nodes<'a>(graph: &'a Graph, chosen: &[usize]) -> Vec<&'a Node> {
    let mut all: Vec<&Node> = chosen.iter().filter_map(|at| graph.nodes().get(*at)).collect();
    all.sort_by(|a, b| (a.short_type(), &a.value).cmp(&(b.short_type(), &b.value)));
    all
}

fn columns(nodes: &[&Node]) -> Vec<Column> {
    let joined = |texts: Vec<String>| texts.join(", ");
    let steps = |node: &Node| {
        let others = node.steps.iter().filter(|step| **step != node.added);
        let others: Vec<String> = others.map(usize::to_string).collect();
        match (node.added, others.is_empty()) {
            (0, _) => others.join(", "),
            (first, true) => first.to_string(),
            (first, false) => format!("{first} (again {})", others.join(", ")),
        }
    };
    vec![
        Column::fixed("Type", nodes.iter().map(|node| node.short_type().to_owned())),
        Column::main("Value", nodes.iter().map(|node| node.value.clone())),
        Column::flexible(
            "Seen",
            nodes
                .iter()
                .map(|node| joined(node.seen().iter().map(Period::to_string).collect())),
        ),
        Column::flexible(
            "Sources",
            nodes
                .iter()
                .map(|node| joined(node.sources().into_iter().map(str::to_owned).collect())),
        ),
        Column::flexible(
            "Marks",
            nodes.iter().map(|node| joined(marks(node).into_iter().collect())),
        ),
        Column::flexible("Step", nodes.iter().map(|node| steps(node))),
    ]
}

fn node_json(node: &Node) -> serde_json::Value {
    json!({
        "type": node.type_id,
        "value": node.value,
        "sources": node.sources(),
        "marks": marks(node),
        "observations": node.observations,
    })
}

/// Holds a side with its name.
struct Named {
    name: String,
    side: Side,
}

impl OverlapCommand {
    fn run(self) -> anyhow::Result<()> {
        let [a, b] = self.sides()?;
        let found = overlaps(&a.side, &b.side);
        let given = only_given(&a.side, &b.side);
        match self.format {
            Format::Json => {
                let all: Vec<_> = found.iter().map(overlap_json).collect();
                let sides = [&a, &b].map(|one| json!({ "name": one.name, "reached": one.side.len() }));
                let given: Vec<_> = given
                    .iter()
                    .map(|(type_id, value, _)| json!({ "type": type_id, "value": value }))
                    .collect();
                terminal::print_data(&serde_json::to_string_pretty(&json!({
                    "count": found.len(),
                    "sides": sides,
                    "overlaps": all,
                    "only_given": given,
                }))?);
            }
            Format::Csv => terminal::print_data(&csv(&overlap_columns(&found))?),
            Format::Table => {
                show_overlaps(&found, &a, &b, width(self.wide));
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

    fn sides(&self) -> anyhow::Result<[Named; 2]> {
        if let [a, b] = self.files.as_slice() {
            anyhow::ensure!(
                self.from.is_empty() && self.via.is_empty(),
                "--from and --via part one graph into two sides; name one graph with them"
            );
            let whole = |file: &PathBuf| -> anyhow::Result<Named> {
                Ok(Named {
                    name: file.display().to_string(),
                    side: Side::whole(&follow::opened(file)?),
                })
            };
            return Ok([whole(a)?, whole(b)?]);
        }
        let file = self.files.first().map(PathBuf::as_path);
        let graph = follow::opened(file.unwrap_or_else(|| std::path::Path::new("")))?;
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
            Named {
                name: format!("from {}{via}", terminal::line(&name)),
                side: Side::reached(&graph, start, &other.at),
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

fn show_overlaps(found: &[Overlap], a: &Named, b: &Named, width: usize) {
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
    terminal::print(&render(overlap_columns(found), width));
}

fn overlap_columns(found: &[Overlap]) -> Vec<Column> {
    let short = |(type_id, _, _): &Identity| types::last_part(type_id).to_owned();
    let said = |one: &Overlap, side: usize| one.sides.get(side).map(said_text).unwrap_or_default();
    vec![
        Column::fixed("Type", found.iter().map(|one| short(&one.identity))),
        Column::main("Value", found.iter().map(|one| one.identity.1.clone())),
        Column::fixed("Times", found.iter().map(|one| one.times.name().to_owned())),
        Column::flexible("A", found.iter().map(|one| said(one, 0))),
        Column::flexible("B", found.iter().map(|one| said(one, 1))),
    ]
}

fn overlap_json(one: &Overlap) -> serde_json::Value {
    let (type_id, value, strict) = &one.identity;
    let [a, b] = &one.sides;
    json!({ "type": type_id, "value": value, "strict": strict, "times": one.times.name(), "a": a, "b": b })
}
