//! `pivotd score`: scores in the terminal.

use serde::Deserialize;

use super::session::{ServerElsewhere, Session};
use super::table::{Column, NOTHING, WIDE, csv, render};
use super::{ConfigFile, ExitStatus, Format, block_on, given, terminal};
use crate::http::soar::alert::{MOST_INDICATORS, ScoreIndicators};

/// Score indicators in the terminal.
#[derive(Debug, clap::Args)]
pub(super) struct Score {
    /// Domains, host names, addresses, URLs, e-mail addresses, hashes; defanged or not. `-` takes the lines of standard
    /// input.
    #[arg(required = true, value_name = "INDICATOR")]
    indicators: Vec<String>,
    /// Scores over this exceed; the configured threshold otherwise.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    threshold: Option<u8>,
    /// Say what every source said, what that means under the policy, and how the score comes about.
    #[arg(long)]
    explain: bool,
    /// Print every cell whole, however wide the table becomes.
    #[arg(long)]
    wide: bool,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Ask replayed vendors: sample data, no key, no network, no server.
    #[arg(long, conflicts_with = "server")]
    demo: bool,
    #[command(flatten)]
    elsewhere: ServerElsewhere,
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
    policy_version: String,
    decision_id: String,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    ignored: Vec<Unscored>,
    #[serde(default)]
    unreadable: Vec<Unscored>,
    #[serde(default)]
    sealed: Vec<Unscored>,
    #[serde(default)]
    excess: Vec<Unscored>,
    indicators: Vec<Row>,
}

impl Answer {
    /// Lists what has no score, each with the word for why.
    fn unscored(&self) -> impl Iterator<Item = (&'static str, &Unscored)> {
        [
            ("unreadable", &self.unreadable),
            ("sealed", &self.sealed),
            ("excess", &self.excess),
            ("ignored", &self.ignored),
        ]
        .into_iter()
        .flat_map(|(word, values)| values.iter().map(move |one| (word, one)))
    }
}

/// Holds a value that was not scored.
#[derive(Debug, Deserialize)]
struct Unscored {
    value: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Row {
    indicator: String,
    score: Option<u8>,
    verdict: String,
    decision: String,
    threshold: u8,
    uncapped_score: Option<u8>,
    recommend: String,
    #[serde(default)]
    unsafe_because: Vec<String>,
    confidence: f64,
    explanation: Vec<Reason>,
    evidence: Vec<EvidenceRow>,
}

/// Holds what the explanation shows of evidence.
#[derive(Debug, Deserialize)]
struct EvidenceRow {
    source: String,
    status: String,
    #[serde(default)]
    measure: String,
    about: Option<String>,
    raw: Option<Raw>,
    polarity: String,
    probability: Option<f64>,
    reliability: String,
    age_s: Option<u64>,
    #[serde(default)]
    reasons: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Raw {
    value: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Reason {
    source: String,
    points: i32,
    reason: String,
}

/// Where nothing can be scored, that is all there is to say.
fn unreadable(answer: &serde_json::Value) -> anyhow::Result<()> {
    let answer: Answer = serde_json::from_value(answer.clone())?;
    if !answer.indicators.is_empty() {
        return Ok(());
    }
    let sealed = answer.sealed.into_iter();
    let sealed = sealed.map(|one| format!("{}: {}", one.value, one.reason));
    let reasons = answer.unreadable.into_iter().map(|one| one.reason).chain(sealed);
    anyhow::bail!("{}", reasons.collect::<Vec<_>>().join("\n"))
}

impl Score {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        let call = ScoreIndicators {
            indicators: given::values(self.indicators, "pivotd score")?,
            threshold: self.threshold,
        };
        let found = call.indicators.len();
        anyhow::ensure!(
            (1..=MOST_INDICATORS).contains(&found),
            "expected 1 to {MOST_INDICATORS} indicators, found {found}; POST /v1/enrich/batch takes more"
        );
        let server = self.elsewhere.server()?;
        let answer = block_on(async {
            let session = Session::of(self.file.config.as_deref(), self.demo, server).await?;
            let reply = session.call(&call, "waiting for scores").await;
            session.close().await;
            reply
        })??;
        unreadable(&answer)?;
        match self.format {
            Format::Json => terminal::print_data(&serde_json::to_string_pretty(&answer)?),
            Format::Csv => {
                let answer: Answer = serde_json::from_value(answer)?;
                let table = if self.explain {
                    let rows = answer.indicators.iter();
                    let all: Vec<_> = rows
                        .flat_map(|row| row.evidence.iter().map(|said| (row.indicator.as_str(), said)))
                        .collect();
                    let indicators = all.iter().map(|(indicator, _)| (*indicator).to_owned());
                    let mut table = vec![Column::main("Indicator", indicators)];
                    table.extend(evidence(&all.iter().map(|(_, said)| *said).collect::<Vec<_>>()));
                    table
                } else {
                    scores(&answer)
                };
                terminal::print_data(&csv(&table)?);
                notes(&answer).for_each(|note| terminal::note(&note));
            }
            Format::Table => {
                let answer: Answer = serde_json::from_value(answer)?;
                let width = if self.wide { usize::MAX } else { terminal::width() };
                if self.explain {
                    explain(&answer, width);
                }
                show(&answer, width);
            }
        }
        Ok(ExitStatus::Well)
    }
}

/// Makes the table of scores, and of what has none.
fn scores(answer: &Answer) -> Vec<Column> {
    let reasons = |row: &Row| {
        let reasons: Vec<String> = row
            .explanation
            .iter()
            .map(|one| format!("{:+} {}: {}", one.points, one.source, one.reason))
            .collect();
        reasons.join("; ")
    };
    // An unknown score is not a score of 0.
    let score = |row: &Row| {
        row.score
            .map_or_else(|| NOTHING.to_owned(), |score| score.to_string())
    };
    let mut cells: Vec<[String; 5]> = Vec::new();
    for row in &answer.indicators {
        let (verdict, decision) = (row.verdict.clone(), row.decision.clone());
        cells.push([row.indicator.clone(), score(row), verdict, decision, reasons(row)]);
    }
    for (word, one) in answer.unscored() {
        let [score, verdict] = [NOTHING, NOTHING].map(str::to_owned);
        cells.push([
            one.value.clone(),
            score,
            verdict,
            word.to_owned(),
            one.reason.clone(),
        ]);
    }
    let column = |at: usize| cells.iter().filter_map(move |row| row.get(at).cloned());
    vec![
        Column::main("Indicator", column(0)),
        Column::fixed("Score", column(1)),
        Column::fixed("Verdict", column(2)),
        Column::fixed("Decision", column(3)),
        Column::words("Reasons", column(4)),
    ]
}

fn show(answer: &Answer, width: usize) {
    terminal::print_lines(&render(scores(answer), width, WIDE));
    terminal::print(&format!(
        "\n{} (threshold {}): {}",
        answer.decision, answer.threshold, answer.summary
    ));
    notes(answer).for_each(|note| terminal::print(&note));
}

/// Returns what is to be said beside the scores.
fn notes(answer: &Answer) -> impl Iterator<Item = String> {
    let is_said = |note: &&String| answer.summary.contains(note.as_str());
    let notes = answer.notes.iter().filter(move |note| !is_said(note));
    let sample = "pivotd demo: everything here is sample data".to_owned();
    notes
        .map(|note| terminal::line(note))
        .chain(answer.sample_data.then_some(sample))
}

/// Makes the table of what sources said.
fn evidence(evidence: &[&EvidenceRow]) -> Vec<Column> {
    let said = |said: &&EvidenceRow| {
        let raw = said
            .raw
            .as_ref()
            .map_or_else(String::new, |raw| match &raw.value {
                serde_json::Value::String(word) => word.clone(),
                number => number.to_string(),
            });
        format!("{} {raw}", said.measure).trim().to_owned()
    };
    let means = |said: &&EvidenceRow| match (said.probability, said.polarity.as_str()) {
        (Some(probability), "malicious") => format!("malicious {:.0}%", probability * 100.0),
        (_, polarity) if said.status == "ok" || said.status == "stale" => polarity.to_owned(),
        _ => NOTHING.to_owned(),
    };
    let why = |said: &&EvidenceRow| {
        let about = said
            .about
            .as_ref()
            .map_or_else(String::new, |about| format!("of {about}: "));
        format!("{about}{}", said.reasons.join(", "))
            .trim_end_matches(": ")
            .to_owned()
    };
    vec![
        Column::fixed("Source", evidence.iter().map(|said| said.source.clone())),
        Column::fixed("Status", evidence.iter().map(|said| said.status.clone())),
        Column::words("Said", evidence.iter().map(said)),
        Column::fixed("Means", evidence.iter().map(means)),
        Column::flexible("Grade", evidence.iter().map(|said| said.reliability.clone())),
        Column::flexible("Age", evidence.iter().map(|said| age(said.age_s))),
        Column::words("Why", evidence.iter().map(why)),
    ]
}

/// Shows what every source said of each indicator, and the sum.
fn explain(answer: &Answer, width: usize) {
    for row in &answer.indicators {
        terminal::print(&format!("{}\n", terminal::line(&row.indicator)));
        let table = evidence(&row.evidence.iter().collect::<Vec<_>>());
        if !row.evidence.is_empty() {
            terminal::print_lines(&render(table, width, WIDE));
        }
        for line in &row.explanation {
            terminal::print(&format!(
                "{:>5} {}: {}",
                format!("{:+}", line.points),
                line.source,
                line.reason
            ));
        }
        let score = row
            .score
            .map_or_else(|| "not known".to_owned(), |score| score.to_string());
        let uncapped = row
            .uncapped_score
            .map_or_else(String::new, |score| format!(" (uncapped {score})"));
        let hazard = if row.unsafe_because.is_empty() {
            String::new()
        } else {
            format!("; not safe to block: {}", row.unsafe_because.join(", "))
        };
        terminal::print(&format!(
            "{:>5} {score}{uncapped}, threshold {}: {}; confidence {:.2}; recommended: {}{hazard}\n",
            "=", row.threshold, row.decision, row.confidence, row.recommend
        ));
    }
    terminal::print(&format!(
        "policy {}, decision {}\n",
        answer.policy_version, answer.decision_id
    ));
}

fn age(seconds: Option<u64>) -> String {
    match seconds {
        None => String::new(),
        Some(seconds @ 0..120) => format!("{seconds}s"),
        Some(seconds @ 120..7200) => format!("{}m", seconds / 60),
        Some(seconds @ 7200..172_800) => format!("{}h", seconds / 3600),
        Some(seconds) => format!("{}d", seconds / 86_400),
    }
}
