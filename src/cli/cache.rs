//! `pivotd cache`: what is stored, and what shall not be.

use super::session::{STORE, once};
use super::table::{Column, WIDER, render};
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::ask::message::time_text;
use crate::config::problem::expected_of;
use crate::domain::Capability;
use crate::engine::cache::CacheStats;
use crate::http::admin::cache::{AnswerView, CountAnswers, Purge, ShowAnswers};
use crate::providers::Providers;

/// Look into stored answers, or remove them.
#[derive(Debug, clap::Args)]
pub(super) struct Cache {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Count what is stored.
    Stats {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Show the stored answers about a value.
    Show {
        /// The value, defanged or not.
        value: String,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Remove stored answers, bought ones too; asking for them again costs what it costs.
    Purge {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        file: ConfigFile,
    },
}

#[derive(Debug, clap::Args)]
#[group(id = "which", required = true, multiple = true)]
struct Which {
    /// Those of a provider.
    #[arg(long, value_parser = provider)]
    provider: Option<String>,
    /// Those of a capability, such as ip-history.
    #[arg(long, value_parser = capability)]
    capability: Option<String>,
    /// Those about an indicator.
    #[arg(long, value_name = "VALUE")]
    indicator: Option<String>,
    /// All of them.
    #[arg(long, conflicts_with_all = ["provider", "capability", "indicator"])]
    all: bool,
}

/// Takes the name of a provider that there is, whether it is enabled or not.
fn provider(text: &str) -> Result<String, String> {
    let providers = Providers::built_in();
    known(text, providers.descriptors().map(|one| one.name.as_str()))
}

/// Takes the name of a capability.
fn capability(text: &str) -> Result<String, String> {
    known(text, Capability::ALL.iter().map(|one| one.name()))
}

fn known<'a>(text: &str, names: impl Iterator<Item = &'a str> + Clone) -> Result<String, String> {
    if names.clone().any(|name| name == text) {
        Ok(text.to_owned())
    } else {
        Err(format!("there is none of this name{}", expected_of(text, names)))
    }
}

impl Cache {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        match self.command {
            Command::Stats { file } => {
                let stats = block_on(once(file.config.as_deref(), &CountAnswers, STORE))??;
                terminal::print_lines(&counts(&stats));
            }
            Command::Show { value, file } => {
                let answers = block_on(once(file.config.as_deref(), &ShowAnswers { value }, STORE))??;
                if answers.is_empty() {
                    terminal::print("nothing is stored about it");
                } else {
                    terminal::print_lines(&list(&answers));
                }
            }
            Command::Purge { which, file } => {
                let Which {
                    provider,
                    capability,
                    indicator,
                    all: _,
                } = which;
                let purge = Purge {
                    provider,
                    capability,
                    indicator,
                };
                let removed = block_on(once(file.config.as_deref(), &purge, STORE))??;
                terminal::print_removed(removed.count, "stored answer");
            }
        }
        Ok(ExitStatus::Well)
    }
}

fn counts(stats: &CacheStats) -> String {
    let mut out = format!(
        "stored answers  {} ({} fresh), {}\nin memory       {} entries, {}",
        stats.stored,
        stats.fresh,
        indicatif::BinaryBytes(stats.stored_bytes),
        stats.memory_entries,
        indicatif::BinaryBytes(stats.memory_bytes),
    );
    if !stats.by_capability.is_empty() {
        let (names, numbers): (Vec<_>, Vec<_>) = stats.by_capability.iter().unzip();
        let columns = vec![
            Column::flexible("Provider and capability", names.into_iter().cloned()),
            Column::fixed("Answers", numbers.into_iter().map(u64::to_string)),
        ];
        out.push_str("\n\n");
        out.push_str(&render(columns, terminal::width(), WIDER));
    }
    out
}

fn list(answers: &[AnswerView]) -> String {
    let records = |answer: &AnswerView| match answer.total {
        Some(total) if total != answer.records as u64 => format!("{} of {total}", answer.records),
        _ => answer.records.to_string(),
    };
    let params = |answer: &AnswerView| {
        let pairs: Vec<String> = answer
            .params
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join(" ")
    };
    let fresh = |answer: &AnswerView| {
        let until = time_text(answer.fresh_until);
        if answer.fresh {
            until
        } else {
            format!("no, since {until}")
        }
    };
    let columns = vec![
        Column::flexible("Provider", answers.iter().map(|answer| answer.provider.clone())),
        Column::flexible(
            "Capability",
            answers.iter().map(|answer| answer.capability.clone()),
        ),
        Column::flexible("Asked with", answers.iter().map(params)),
        Column::fixed("Records", answers.iter().map(records)),
        Column::fixed(
            "Bought for",
            answers
                .iter()
                .map(|answer| answer.bought.clone().unwrap_or_default()),
        ),
        Column::fixed(
            "Retrieved",
            answers.iter().map(|answer| time_text(answer.retrieved_at)),
        ),
        Column::fixed("Fresh until", answers.iter().map(fresh)),
    ];
    render(columns, terminal::width(), WIDER)
}
