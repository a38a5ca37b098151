//! The commands, one file each.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod demo;
mod serve;
pub(crate) mod terminal;

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
}

/// Says how a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
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
    };
    match done {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::WithError) => ExitCode::FAILURE,
        Err(error) => {
            terminal::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs a future on a runtime of its own.
fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?;
    Ok(runtime.block_on(future))
}
