//! `pivotd policy`: try the rules of scores before they decide.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use super::serve::load;
use super::table::{Column, WIDER, render};
use super::{ConfigFile, ExitStatus, terminal};
use crate::reputation::cases::{self, Outcome};
use crate::reputation::{Decision, Policy};

/// Try the rules of scores before they decide.
#[derive(Debug, clap::Args)]
pub(super) struct PolicyCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Try a table of cases and expected verdicts; exit 1 if any comes out otherwise.
    Test {
        /// A TOML file of cases; docs/scores.md describes it.
        #[arg(value_name = "FILE")]
        cases: PathBuf,
        #[command(flatten)]
        file: ConfigFile,
    },
}

impl PolicyCommand {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let Command::Test { cases, file } = self.command;
        let loaded = load(file.config.as_deref())?;
        let policy = Policy::of(loaded.settings.reputation);
        let name = cases.display();
        let text = fs::read_to_string(&cases).with_context(|| format!("{name} cannot be read"))?;
        let table = cases::read(&text).map_err(|reason| anyhow::anyhow!("{name}: {reason}"))?;
        let now = now();
        let outcomes = table
            .cases
            .iter()
            .map(|case| cases::try_case(case, &policy, now))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|reason| anyhow::anyhow!("{name}: {reason}"))?;
        show(&outcomes, &policy);
        let fails = outcomes.iter().any(|outcome| !outcome.wrong.is_empty());
        Ok(if fails {
            ExitStatus::WithError
        } else {
            ExitStatus::Well
        })
    }
}

/// Returns the machine's time: cases count their days from it.
fn now() -> jiff::Timestamp {
    crate::clock::SystemClock::shared().now()
}

fn show(outcomes: &[Outcome], policy: &Policy) {
    let score = |outcome: &Outcome| {
        // An unknown score is not a score of 0.
        let score = outcome.assessment.score;
        score.map_or_else(|| "-".to_owned(), |score| score.to_string())
    };
    let decision = |outcome: &Outcome| outcome.assessment.decision.name().to_owned();
    let result = |outcome: &Outcome| {
        if outcome.wrong.is_empty() {
            "ok".to_owned()
        } else {
            format!("WRONG: {}", outcome.wrong.join("; "))
        }
    };
    let columns = vec![
        Column::main("Case", outcomes.iter().map(|outcome| outcome.name.clone())),
        Column::fixed("Score", outcomes.iter().map(score)),
        Column::fixed("Decision", outcomes.iter().map(decision)),
        Column::flexible("Result", outcomes.iter().map(result)),
    ];
    terminal::print_lines(&render(columns, terminal::width(), WIDER));
    for outcome in outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()) {
        terminal::print(&format!("\n{}: {}", outcome.name, outcome.wrong.join("; ")));
        if outcome.assessment.decision != Decision::Unsupported {
            terminal::print(&cases::summary(outcome, policy));
        }
    }
    let wrong = outcomes
        .iter()
        .filter(|outcome| !outcome.wrong.is_empty())
        .count();
    terminal::print(&format!(
        "\n{} of {} cases as expected, policy {}",
        outcomes.len() - wrong,
        outcomes.len(),
        policy.version()
    ));
}
