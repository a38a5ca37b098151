//! `pivotd enrich`: scores in the terminal.

use serde::Deserialize;

use super::session::{Session, unexpected};
use super::table::{Column, render};
use super::{ConfigFile, Done, Format, block_on, terminal};
use crate::control::{ControlReply, ControlRequest};

/// Score indicators in the terminal.
#[derive(Debug, clap::Args)]
pub(super) struct Enrich {
    /// Domains, host names, addresses, URLs, e-mail addresses, hashes; defanged or not.
    #[arg(required = true, value_name = "INDICATOR")]
    indicators: Vec<String>,
    /// Scores over this exceed; the configured threshold otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    threshold: Option<u8>,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Ask replayed vendors: sample data, no key, no network, no server.
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// Holds what the table shows of the answer.
#[derive(Debug, Deserialize)]
struct Answer {
    threshold: u8,
    decision: String,
    summary: String,
    #[serde(default)]
    sample_data: bool,
    indicators: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    indicator: String,
    score: Option<u8>,
    verdict: String,
    decision: String,
    explanation: Vec<Reason>,
}

#[derive(Debug, Deserialize)]
struct Reason {
    points: i32,
    reason: String,
}

impl Enrich {
    pub(super) fn run(self) -> anyhow::Result<Done> {
        let request = ControlRequest::Enrich {
            indicators: self.indicators,
            threshold: self.threshold,
        };
        let reply = block_on(async {
            let session = Session::of(self.file.config.as_deref(), self.demo).await?;
            let reply = session.ask(request, "waiting for scores").await;
            session.close().await;
            reply
        })??;
        let ControlReply::Scored(answer) = reply else {
            return Err(unexpected());
        };
        match self.format {
            Format::Json => terminal::print_data(&serde_json::to_string_pretty(&answer)?),
            Format::Table => show(&serde_json::from_value(answer)?),
        }
        Ok(Done::Well)
    }
}

fn show(answer: &Answer) {
    let reasons = |row: &Row| {
        let reasons: Vec<String> = row
            .explanation
            .iter()
            .map(|one| format!("{:+} {}", one.points, one.reason))
            .collect();
        reasons.join("; ")
    };
    let rows = &answer.indicators;
    let columns = vec![
        Column::main("Indicator", rows.iter().map(|row| row.indicator.clone())),
        // Nobody knows is not a score of 0.
        Column::fixed(
            "Score",
            rows.iter().map(|row| {
                row.score
                    .map_or_else(|| "-".to_owned(), |score| score.to_string())
            }),
        ),
        Column::fixed("Verdict", rows.iter().map(|row| row.verdict.clone())),
        Column::fixed("Decision", rows.iter().map(|row| row.decision.clone())),
        Column::flexible("Reasons", rows.iter().map(reasons)),
    ];
    terminal::print(&render(columns, terminal::width()));
    terminal::print(&format!(
        "\n{} (threshold {}): {}",
        answer.decision, answer.threshold, answer.summary
    ));
    if answer.sample_data {
        terminal::print("pivotd demo: everything here is sample data");
    }
}
