//! `pivotd graph`: what is on a graph, what it rests on, and what two sides have in common.

use super::{ExitStatus, terminal};

mod overlap;
mod show;

/// Look into graphs that runs were merged into, and compare them.
#[derive(Debug, clap::Args)]
pub(super) struct GraphCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the entities of a graph, with when they were seen, who tells of them and which step brought them.
    Show(show::Show),
    /// List what two sides both reached, with what each says of it: two graphs, or one by where its pivots started.
    Overlap(overlap::OverlapCommand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

impl GraphCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        match self.command {
            Command::Show(show) => show.run()?,
            Command::Overlap(overlap) => overlap.run()?,
        }
        Ok(ExitStatus::Well)
    }
}

fn width(wide: bool) -> usize {
    if wide { usize::MAX } else { terminal::width() }
}

fn entities(count: usize) -> String {
    let noun = if count == 1 { "entity" } else { "entities" };
    format!("{count} {noun}")
}
