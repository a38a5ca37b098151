//! The filters that `pivotd run --on GRAPH` and `pivotd graph show` share.

use std::collections::BTreeSet;

use anyhow::{Context, anyhow};

use super::terminal;
use crate::graph::changes::type_name;
use crate::graph::period::{Period, parse_day, parse_span};
use crate::graph::select::{KeptByMarks, Selected, Selection, keep_marked, select};
use crate::graph::{Graph, Node};

/// What `--near` means where `--within` is left out.
const NEAR: &str = "60d";

/// Chooses by marks; `pivotd graph overlap` has these filters only.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct MarkFilters {
    /// Not marked so, such as sinkhole or dynamic-dns; can be repeated.
    #[arg(long = "not", value_name = "MARK", value_delimiter = ',')]
    without: Vec<String>,
    /// Marked so; with several, any of them.
    #[arg(long = "mark", value_name = "MARK", value_delimiter = ',')]
    with: Vec<String>,
}

impl MarkFilters {
    fn is_empty(&self) -> bool {
        self.without.is_empty() && self.with.is_empty()
    }

    /// Keeps what is marked as wanted. `known` are the marks that there are.
    pub(super) fn keep<'a, T>(
        &self,
        all: Vec<T>,
        known: impl Iterator<Item = &'a str>,
        marks: impl Fn(&T) -> &BTreeSet<String>,
    ) -> anyhow::Result<KeptByMarks<T>> {
        let known = known.map(str::to_owned);
        Ok(keep_marked(all, known, (&self.without, &self.with), marks)?)
    }
}

/// Chooses entities of a graph; all that is given has to hold.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Which entities of the graph")]
pub(super) struct Filters {
    /// Seen in a period: 2013-03..2013-06, 2013-05-20.., 2013, "within 60 days of 2013-05-20". One shared day is enough.
    #[arg(long, value_name = "PERIOD", value_parser = Period::parse, conflicts_with = "near")]
    seen: Option<Period>,
    /// Seen around a day, such as that of the incident; see --within.
    #[arg(long, value_name = "DAY")]
    near: Option<String>,
    /// How far from the day of --near: 60d, 8 weeks, 2 months [default: 60d].
    #[arg(long, value_name = "TIME", requires = "near")]
    within: Option<String>,
    /// Leave out those without a date, which a period keeps otherwise.
    #[arg(long)]
    dated: bool,
    #[command(flatten)]
    marks: MarkFilters,
    /// Told of by so many sources at least.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    sources: Option<u16>,
    /// Found by a step: its number, or the name of its transform; with several, any of them.
    #[arg(long = "step", value_name = "STEP", value_delimiter = ',')]
    steps: Vec<String>,
    /// New in the last step.
    #[arg(long)]
    new: bool,
}

impl Filters {
    /// Tells whether nothing is filtered.
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_none()
            && self.near.is_none()
            && !self.dated
            && self.marks.is_empty()
            && self.sources.is_none()
            && self.steps.is_empty()
            && !self.new
    }

    /// Returns the other filters.
    pub(super) fn without_period(&self) -> Self {
        Self {
            seen: None,
            near: None,
            within: None,
            dated: false,
            ..self.clone()
        }
    }

    /// Returns the period that is looked at, if there is one.
    pub(super) fn period(&self) -> anyhow::Result<Option<Period>> {
        let Some(day) = &self.near else {
            return Ok(self.seen);
        };
        let within = self.within.as_deref().unwrap_or(NEAR);
        let day = parse_day(day)
            .map_err(|reason| anyhow!(reason))
            .context("--near")?;
        let within = parse_span(within)
            .map_err(|reason| anyhow!(reason))
            .context("--within")?;
        Ok(Some(Period::around(day, within)))
    }

    /// Chooses entities of some types; of all where none is named.
    pub(super) fn choose(&self, graph: &Graph, types: Vec<String>) -> anyhow::Result<Selected> {
        let selection = Selection {
            types,
            seen: self.period()?,
            dated: self.dated,
            without: self.marks.without.clone(),
            with: self.marks.with.clone(),
            sources: self.sources.map_or(0, usize::from),
            steps: self.steps.clone(),
            new: self.new,
        };
        Ok(select(graph, &selection)?)
    }
}

/// Says which filter left out how many: `; left out: 3 marked sinkhole`; nothing where none was left out.
pub(super) fn left_out_text(left_out: &[(String, usize)]) -> String {
    if left_out.is_empty() {
        return String::new();
    }
    let parts = left_out
        .iter()
        .map(|(why, count)| format!("{count} {}", terminal::line(why)));
    format!("; left out: {}", parts.collect::<Vec<_>>().join(", "))
}

/// Says how many were chosen and which filter left out how many; nothing where none was left out.
pub(super) fn left_out(graph: &Graph, selected: &Selected) -> Option<String> {
    let mut text = left_out_text(&selected.left_out);
    if selected.undated > 0 {
        let (are, leaves) = if selected.undated == 1 {
            ("is", "it")
        } else {
            ("are", "them")
        };
        text.push_str(&format!(
            "; {} without a date {are} kept (--dated leaves {leaves} out)",
            selected.undated
        ));
    }
    if text.is_empty() {
        return None;
    }
    let nodes: Vec<&Node> = selected
        .chosen
        .iter()
        .filter_map(|at| graph.nodes().get(*at))
        .collect();
    // The type is named where all that could have been chosen are of it.
    let of_type = |type_id: &&str| {
        graph
            .nodes()
            .iter()
            .filter(|node| node.type_id == **type_id)
            .count()
    };
    let one_type = nodes.first().map(|first| first.type_id.as_str()).filter(|first| {
        of_type(first) == selected.of_type && nodes.iter().all(|node| node.type_id == *first)
    });
    let what = match (one_type, selected.of_type) {
        (Some(type_id), count) => type_name(type_id, count),
        (None, 1) => "entity".to_owned(),
        (None, _) => "entities".to_owned(),
    };
    Some(format!("{} of {} {what}{text}", nodes.len(), selected.of_type))
}
