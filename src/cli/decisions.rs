//! `pivotd decisions`: how many decisions of each client are kept, and which are removed.

use super::session::{STORE, once};
use super::table::{Column, WIDER, render};
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::config::values;
use crate::decisions::{ChosenDecisions, DecisionsOf};
use crate::http::admin::decisions::CountDecisions;

/// Count the decisions that are kept, or remove some.
#[derive(Debug, clap::Args)]
pub(super) struct Decisions {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Count the decisions of each client.
    Stats {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Remove decisions for good; what people said of them stays.
    Remove {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        file: ConfigFile,
    },
}

#[derive(Debug, clap::Args)]
#[group(id = "which", required = true, multiple = true)]
struct Which {
    /// Those that a client asked for first, by the name of its token.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Those of a tenant.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Those that were last made longer ago, such as 90d.
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    older_than: Option<std::time::Duration>,
    /// All of them.
    #[arg(long, conflicts_with_all = ["client", "tenant", "older_than"])]
    all: bool,
}

impl Which {
    fn chosen(self) -> ChosenDecisions {
        ChosenDecisions {
            client: self.client,
            tenant: self.tenant,
            older_than_s: self.older_than.map(|age| age.as_secs()),
        }
    }
}

impl Decisions {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        match self.command {
            Command::Stats { file } => {
                let clients = block_on(once(file.config.as_deref(), &CountDecisions, STORE))??;
                if clients.is_empty() {
                    terminal::print("no decision is kept");
                } else {
                    terminal::print_lines(&list(&clients));
                }
            }
            Command::Remove { which, file } => {
                let removed = block_on(once(file.config.as_deref(), &which.chosen(), STORE))??;
                terminal::print_removed(removed.count, "decision");
            }
        }
        Ok(ExitStatus::Well)
    }
}

fn list(clients: &[DecisionsOf]) -> String {
    let bytes = |one: &DecisionsOf| indicatif::BinaryBytes(one.bytes).to_string();
    let columns = vec![
        Column::flexible("Client", clients.iter().map(|one| one.client.clone())),
        Column::flexible("Tenant", clients.iter().map(|one| one.tenant.clone())),
        Column::fixed("Decisions", clients.iter().map(|one| one.count.to_string())),
        Column::fixed("Bytes", clients.iter().map(bytes)),
    ];
    render(columns, terminal::width(), WIDER)
}
