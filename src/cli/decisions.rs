//! `pivotd decisions`: finds decisions, explains them, makes them again under a policy, counts and removes them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use super::session::{STORE, Session, once};
use super::table::{Column, NOTHING, WIDER, render};
use super::{ConfigFile, ExitStatus, block_on, terminal};
use crate::ask::message::time_text;
use crate::config::values;
use crate::decisions::{ChosenDecisions, DecisionFilter, DecisionsOf, FoundDecision, ReplayReport};
use crate::http::admin::decisions::{
    CountDecisions, ExplainDecision, ExplainedDecision, FindDecisions, ReplayDecisions,
};
use crate::reputation::digest;
use crate::reputation::replay::{Change, Standing};

/// Find and explain the decisions that are kept, make them again under a policy, count or remove them.
#[derive(Debug, clap::Args)]
pub(super) struct Decisions {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List decisions, those that were last made first.
    List {
        #[command(flatten)]
        filter: Filter,
        /// How many at most, up to 200.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
        /// Go on where another list ended, as it said.
        #[arg(long, value_name = "CURSOR")]
        cursor: Option<String>,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Say why a decision came out as it did, and what it would come to today.
    Explain {
        /// The id of a decision, or an indicator: then the latest decision about it.
        #[arg(value_name = "ID|INDICATOR")]
        which: String,
        /// The latest decision about the indicator that had been made by the end of this day (UTC), or by this time.
        #[arg(long, value_name = "DATE", value_parser = end)]
        at: Option<Timestamp>,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Make decisions again, and say which would come out otherwise. Nothing is asked, and nothing changes.
    Replay {
        #[command(flatten)]
        filter: Filter,
        /// Under the policy of this configuration file; under the server's own where it is left out.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        #[command(flatten)]
        file: ConfigFile,
    },
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
struct Filter {
    /// Those about an indicator, defanged or not.
    #[arg(long, value_name = "VALUE")]
    indicator: Option<String>,
    /// Those that a client asked for first, by the name of its token.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Those of a tenant.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Those that were made since the start of this day (UTC), or since this time.
    #[arg(long, value_name = "DATE", value_parser = start)]
    from: Option<Timestamp>,
    /// Those that had been made by the end of this day (UTC), or by this time.
    #[arg(long, value_name = "DATE", value_parser = end)]
    to: Option<Timestamp>,
    /// Those that came to this.
    #[arg(long, value_parser = ["exceeds", "below", "unknown", "unsupported", "undetermined"])]
    decision: Option<String>,
}

/// Reads a day, for which it takes its start, or a time.
fn start(text: &str) -> Result<Timestamp, String> {
    day_or_time(text, 0)
}

/// Reads a day, for which it takes its end, or a time.
fn end(text: &str) -> Result<Timestamp, String> {
    day_or_time(text, 1)
}

fn day_or_time(text: &str, days: i64) -> Result<Timestamp, String> {
    let fault = || "expected a day such as 2026-11-30, or a time such as 2026-11-30T14:00:00Z".to_owned();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let day: Date = text.parse().map_err(|_| fault())?;
    let day = day.checked_add(days.days()).map_err(|_| fault())?;
    let midnight = day.to_zoned(TimeZone::UTC).map_err(|_| fault())?;
    Ok(midnight.timestamp())
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
            Command::List {
                filter,
                limit,
                cursor,
                file,
            } => {
                let find = FindDecisions {
                    indicator: filter.indicator,
                    client: filter.client,
                    tenant: filter.tenant,
                    from: filter.from,
                    to: filter.to,
                    decision: filter.decision,
                    limit: Some(limit),
                    cursor,
                };
                let found = block_on(once(file.config.as_deref(), &find, STORE))??;
                if found.decisions.is_empty() {
                    terminal::print("no such decision is kept");
                } else {
                    terminal::print_lines(&listed(&found.decisions));
                }
                if let Some(next) = found.next {
                    terminal::note(&format!("there are more: --cursor {}", terminal::quoted(&next)));
                }
            }
            Command::Explain { which, at, file } => {
                let explained = block_on(explained(file.config.as_deref(), which, at))??;
                let Some(explained) = explained else {
                    terminal::note("no such decision is kept");
                    return Ok(ExitStatus::WithError);
                };
                terminal::print_lines(&told(&explained));
            }
            Command::Replay { filter, policy, file } => {
                let read = |path: &PathBuf| {
                    std::fs::read_to_string(path).with_context(|| path.display().to_string())
                };
                let call = ReplayDecisions {
                    configuration: policy.as_ref().map(read).transpose()?,
                    decisions: DecisionFilter {
                        indicator: filter.indicator,
                        client: filter.client,
                        tenant: filter.tenant,
                        from: filter.from,
                        to: filter.to,
                        decision: filter.decision,
                    },
                };
                let report = block_on(once(file.config.as_deref(), &call, STORE))??;
                terminal::print_lines(&replayed(&report));
            }
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

/// Finds a decision by its id, or the latest about an indicator.
async fn explained(
    config: Option<&Path>,
    which: String,
    at: Option<Timestamp>,
) -> anyhow::Result<Option<ExplainedDecision>> {
    let session = Session::of_store(config).await?;
    let explained = explained_by(&session, which, at).await;
    session.close().await;
    explained
}

async fn explained_by(
    session: &Session,
    which: String,
    at: Option<Timestamp>,
) -> anyhow::Result<Option<ExplainedDecision>> {
    let id = match digest::id(&which) {
        Some(id) => Some(id),
        None => {
            let find = FindDecisions {
                indicator: Some(which),
                to: at,
                limit: Some(1),
                ..FindDecisions::default()
            };
            let found = session.call(&find, STORE).await?;
            found.decisions.into_iter().next().map(|found| found.decision_id)
        }
    };
    match id {
        None => Ok(None),
        Some(decision_id) => session
            .call(&ExplainDecision { decision_id }, STORE)
            .await
            .map(Some),
    }
}

fn score_text(score: Option<u8>) -> String {
    // An unknown score is not a score of 0.
    score.map_or_else(|| NOTHING.to_owned(), |score| score.to_string())
}

fn listed(found: &[FoundDecision]) -> String {
    let columns = vec![
        Column::fixed(
            "Last made",
            found.iter().map(|one| time_text(one.last_decided_at)),
        ),
        Column::fixed("Decision", found.iter().map(|one| one.decision.clone())),
        Column::fixed("Score", found.iter().map(|one| score_text(one.max_score))),
        Column::main("Indicators", found.iter().map(|one| one.indicators.join(" "))),
        Column::flexible("Client", found.iter().map(|one| one.client.clone())),
        Column::fixed("Id", found.iter().map(|one| one.decision_id.clone())),
    ];
    render(columns, terminal::width(), WIDER)
}

fn standing(standing: &Standing) -> String {
    let verdict = standing.verdict.as_deref().map(|verdict| format!(", {verdict}"));
    format!(
        "{} ({}{})",
        standing.decision,
        score_text(standing.score),
        verdict.unwrap_or_default()
    )
}

fn change_lines(changes: &[Change], out: &mut Vec<String>) {
    for change in changes {
        let of = change.indicator.as_deref().unwrap_or("the decision");
        let (before, after) = (standing(&change.before), standing(&change.after));
        out.push(format!("  {of}: {before} then, {after} now"));
        out.extend(change.because.iter().map(|why| format!("    {why}")));
    }
}

/// Tells a decision: what was said then, from what, who said what of it, and what it would come to today.
fn told(explained: &ExplainedDecision) -> String {
    let ExplainedDecision {
        tenant,
        decision,
        feedback,
        replay,
    } = explained;
    let answer = &decision.answer;
    let text = |part: &Value, name: &str| part[name].as_str().unwrap_or_default().to_owned();
    let list = |part: &Value, name: &str| part[name].as_array().cloned().unwrap_or_default();
    let mut out = vec![
        format!("{}: {}", decision.decision_id, text(answer, "decision")),
        format!(
            "made {}, last {}, for {} of tenant {tenant}, under policy {}",
            time_text(decision.decided_at),
            time_text(decision.last_decided_at),
            decision.client,
            decision.policy_version
        ),
        text(answer, "summary"),
    ];
    for (at, item) in list(answer, "indicators").iter().enumerate() {
        let score = item["score"].as_u64().and_then(|score| u8::try_from(score).ok());
        out.push(format!(
            "\n{}: {} ({}, threshold {}), {}",
            text(item, "indicator"),
            text(item, "decision"),
            score_text(score),
            item["threshold"],
            text(item, "verdict")
        ));
        for line in list(item, "explanation") {
            let points = line["points"].as_i64().unwrap_or(0);
            out.push(format!(
                "  {points:>4} points  {}: {}",
                text(&line, "source"),
                text(&line, "reason")
            ));
        }
        let digests = decision.evidence_digests.get(at).into_iter().flatten();
        for (evidence, digest) in list(item, "evidence").iter().zip(digests) {
            let raw = match &evidence["raw"]["value"] {
                Value::Null => String::new(),
                Value::String(word) => format!(", said {word}"),
                number => format!(", said {number}"),
            };
            let observed = evidence["observed_at"]
                .as_str()
                .map(|at| format!(", observed {at}"));
            let digest: String = digest.chars().take(12).collect();
            out.push(format!(
                "  evidence {digest}  {} {}{raw}{}",
                text(evidence, "source"),
                text(evidence, "status"),
                observed.unwrap_or_default()
            ));
        }
    }
    for record in feedback {
        let when = if record.said_at > decision.decided_at {
            "after it: it counts for later decisions"
        } else {
            "before it"
        };
        let verdict = serde_json::to_value(record.verdict).unwrap_or_default();
        out.push(format!(
            "\nfeedback on {} by {} at {} ({when}): {}, {}",
            record.indicator,
            record.client,
            time_text(record.said_at),
            verdict.as_str().unwrap_or_default(),
            record.reason
        ));
    }
    let is_same = replay.policy_version == decision.policy_version;
    let policy = if is_same {
        "today's policy is the same"
    } else {
        "today's policy is another"
    };
    let version = &replay.policy_version;
    out.push(String::new());
    match &replay.not_replayed {
        Some(reason) => out.push(format!("{policy} ({version}); it cannot be made again: {reason}")),
        None if replay.changes.is_empty() => {
            out.push(format!(
                "{policy} ({version}): the same evidence comes to the same"
            ));
        }
        None => {
            out.push(format!(
                "{policy} ({version}): the same evidence comes to something else"
            ));
            change_lines(&replay.changes, &mut out);
        }
    }
    if !replay.without_feedback.is_empty() {
        out.push("without what people had said before it, and under today's policy:".to_owned());
        change_lines(&replay.without_feedback, &mut out);
    }
    out.join("\n")
}

/// Tells which decisions would come out otherwise.
fn replayed(report: &ReplayReport) -> String {
    let mut out = vec![format!(
        "of {} decision{}, {} would change under policy {}; {} more would have another score or verdict",
        report.replayed,
        if report.replayed == 1 { "" } else { "s" },
        report.changed,
        report.policy_version,
        report.rescored
    )];
    for (reason, count) in &report.not_replayed {
        out.push(format!("{count} could not be made again: {reason}"));
    }
    if report.is_cut {
        out.push(
            "there are more decisions than one replay looks at: choose fewer, by --from and --to".to_owned(),
        );
    }
    for changed in &report.decisions {
        let found = &changed.found;
        out.push(format!(
            "\n{}  {}  {}",
            found.decision_id,
            time_text(found.last_decided_at),
            found.indicators.join(" ")
        ));
        change_lines(&changed.changes, &mut out);
    }
    let untold = report.changed.saturating_sub(report.decisions.len());
    if untold > 0 {
        out.push(format!("\nand {untold} more"));
    }
    out.join("\n")
}
