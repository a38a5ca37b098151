//! The commands, one file each.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod backup;
mod cache;
mod check;
mod clock;
mod decisions;
mod demo;
mod differs;
mod export;
mod filters;
mod follow;
mod found;
mod given;
mod graph;
mod healthcheck;
#[cfg(test)]
mod hints;
mod keys;
mod local;
mod policy;
mod reload;
mod restore;
mod run;
mod score;
mod serve;
mod session;
mod spend;
mod starting;
mod table;
pub(crate) mod terminal;
mod tokens;

/// Maltego transforms and SOAR scores from the threat-intelligence providers you pay for:
/// one cache, one rate, one budget.
#[derive(Debug, Parser)]
#[command(name = "pivotd", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Names the configuration file; shared by the commands that read it.
#[derive(Debug, Clone, Default, clap::Args)]
struct ConfigFile {
    /// The configuration file; the compiled-in default otherwise.
    #[arg(long, value_name = "FILE", env = "PIVOTD_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve everything on replayed vendors: no key, no network.
    Demo(demo::Demo),
    /// Serve transforms and scores.
    Serve(serve::Serve),
    /// Let the running server read its configuration again.
    Reload(reload::Reload),
    /// Validate the configuration and print what it amounts to.
    Check(check::Check),
    /// Run one transform in the terminal.
    Run(run::Run),
    /// Look into graphs that runs were merged into, and compare them.
    Graph(graph::GraphCommand),
    /// Score indicators in the terminal.
    #[command(name = "score", visible_alias = "enrich")]
    Score(score::Score),
    /// Try the rules of scores before they decide.
    Policy(policy::PolicyCommand),
    /// Write files for a Maltego distribution server and for tools.
    Export(export::Export),
    /// Test the keys of providers.
    Keys(keys::Keys),
    /// Make, list and revoke the tokens of clients.
    Tokens(tokens::Tokens),
    /// Say who spent what, and what the cache saved.
    Spend(spend::Spend),
    /// Look into stored answers, or remove them.
    Cache(cache::Cache),
    /// Find and explain decisions, make them again under a policy, count or remove them.
    Decisions(decisions::Decisions),
    /// Write a copy of the store while it is used, or verify one.
    Backup(backup::BackupCommand),
    /// Put a backup in the place of the store, while no server runs.
    Restore(restore::Restore),
    /// Say whether the clock is believed, or that it is right.
    Clock(clock::Clock),
    /// Ask a running server whether it is well; for containers.
    Healthcheck(healthcheck::Healthcheck),
}

/// Names how an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// Says how a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExitStatus {
    /// Done.
    Well,
    /// Done, and the answer is an error.
    WithError,
}

/// Runs the command line. Exit codes: 0 done, 1 the answer is an error, 2 wrong usage.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Demo(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Reload(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Run(command) => command.run(),
        Command::Graph(command) => command.run(),
        Command::Score(command) => command.run(),
        Command::Policy(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::Tokens(command) => command.run(),
        Command::Spend(command) => command.run(),
        Command::Cache(command) => command.run(),
        Command::Decisions(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Clock(command) => command.run(),
        Command::Healthcheck(command) => command.run(),
    };
    if let Some(error) = terminal::unwritten() {
        terminal::error(&format!("standard output is not whole: {error}"));
        return ExitCode::FAILURE;
    }
    match done {
        Ok(ExitStatus::Well) => ExitCode::SUCCESS,
        Ok(ExitStatus::WithError) => ExitCode::FAILURE,
        Err(error) => {
            terminal::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// How long the end of a command waits for calls of the system.
const LEFT: std::time::Duration = std::time::Duration::from_secs(1);

/// Runs a future on a runtime of its own.
fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()?;
    let output = runtime.block_on(future);
    // What still asks the system for a name is not waited for.
    runtime.shutdown_timeout(LEFT);
    Ok(output)
}
