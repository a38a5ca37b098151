//! `pivotd graph show`: the entities of a graph, and what they rest on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::{entities, width};
use crate::cli::filters::{Filters, left_out};
use crate::cli::table::{Column, WIDE, csv, render};
use crate::cli::{follow, terminal};
use crate::graph::changes::counts;
use crate::graph::period::{Period, hull};
use crate::graph::select::{is_type, marks};
use crate::graph::support::Support;
use crate::graph::{Graph, Node, part, to_dot, to_graphml};

/// Names how a graph is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum GraphFormat {
    /// For people.
    Table,
    /// For programs; what is printed is a graph that `--on` and `graph` read again.
    Json,
    /// For spreadsheets.
    Csv,
    /// The graph, for Graphviz.
    Dot,
    /// The graph, for other tools.
    Graphml,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
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
    /// How the answer is printed; dot and graphml print the whole graph.
    #[arg(long, value_enum, default_value_t = GraphFormat::Table)]
    format: GraphFormat,
    // The last, since its heading is that of what follows.
    #[command(flatten)]
    filters: Filters,
}

impl Show {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let graph = follow::opened(&self.file)?;
        let whole = match self.format {
            GraphFormat::Dot => Some(to_dot(&graph)),
            GraphFormat::Graphml => Some(to_graphml(&graph)?),
            GraphFormat::Table | GraphFormat::Json | GraphFormat::Csv => None,
        };
        if let Some(whole) = whole {
            anyhow::ensure!(
                !self.weak && self.types.is_empty() && self.filters.is_empty(),
                "dot and graphml print the whole graph, so neither filters nor --weak go with them"
            );
            terminal::print_data(&whole);
            return Ok(());
        }
        follow::known_types(&graph, &self.types)?;
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
            GraphFormat::Json => {
                terminal::print_data(&serde_json::to_string_pretty(&part(&graph, &selected.chosen)?)?);
            }
            GraphFormat::Csv => terminal::print_data(&csv(&columns(&nodes(&graph, &selected.chosen)))?),
            GraphFormat::Table | GraphFormat::Dot | GraphFormat::Graphml => {
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
                    terminal::print_lines(&render(columns(&shown), width(self.wide), WIDE));
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
        let mut by_standing: BTreeMap<Support, Vec<&Node>> = BTreeMap::new();
        for node in nodes(graph, chosen) {
            by_standing
                .entry(Support::of(node, period))
                .or_default()
                .push(node);
        }
        let mut of = |standing| by_standing.remove(&standing).unwrap_or_default();
        let (weak, corroborated) = (of(Support::Weak), of(Support::Corroborated));
        let (single, apart, given) = (of(Support::Single), of(Support::Apart), of(Support::Given));
        let outside = period.map_or_else(String::new, |period| format!(" outside {period}"));
        match self.format {
            GraphFormat::Json => {
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
            GraphFormat::Csv => {
                let standing = weak
                    .iter()
                    .map(|_| "weak")
                    .chain(corroborated.iter().map(|_| "corroborated"));
                let mut table = vec![Column::fixed("Standing", standing.map(str::to_owned))];
                let both: Vec<&Node> = weak.iter().chain(&corroborated).copied().collect();
                table.extend(columns(&both));
                terminal::print_data(&csv(&table)?);
            }
            GraphFormat::Table | GraphFormat::Dot | GraphFormat::Graphml => {
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
                        terminal::print_lines(&format!(
                            "{}\n",
                            render(columns(list), width(self.wide), WIDE)
                        ));
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
        Column::words(
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
        Column::words(
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
