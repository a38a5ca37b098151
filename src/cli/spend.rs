//! `pivotd spend`: who spent what, and what the cache saved.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use super::session::{STORE, Session, once};
use super::table::{Column, NOTHING, WIDER, formula_safe, render};
use super::{ConfigFile, ExitStatus, Format, block_on, terminal};
use crate::ask::message::time_text;
use crate::http::admin::reconciliation::{Reconcile, ReconciledRow, ReconciliationView};
use crate::http::admin::spend::{AskSpend, AskWho, SpendFilters, SpendView, WhichWindow, WindowView};
use crate::spend::{Dimension, ReportRow, Sum, Sums};

/// So many rows are printed at most.
const MOST_ROWS: usize = 10_000;

/// Say who spent what, and what the cache saved.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Spend {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    sums: SumsOf,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say who used the budgets of a provider, the largest use first.
    Who {
        /// The provider.
        #[arg(long, value_name = "NAME")]
        provider: String,
        /// Of which window: current or previous.
        #[arg(long, value_enum, default_value = "current")]
        window: Window,
        /// How the answer is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: WhoFormat,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Compare what vendors say that was used with what was counted here; no vendor is asked for it.
    Reconcile {
        /// How the answer is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: WhoFormat,
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Print what a month cost as CSV, for charging back: a row for each client, product and unit.
    Report {
        /// The month: 2026-11, this or last.
        #[arg(long, default_value = "last")]
        month: String,
        /// The tenant; all of them otherwise.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// The zone in which the month begins.
        #[arg(long, value_name = "ZONE", default_value = "UTC")]
        tz: String,
        #[command(flatten)]
        file: ConfigFile,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Window {
    /// The present one.
    Current,
    /// The one before.
    Previous,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum WhoFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[derive(Debug, clap::Args)]
struct SumsOf {
    /// Where the time begins: a day (2026-11-30), a month (2026-11), a time, today or yesterday [default: this month].
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Where it ends; a day or a month is part of it [default: now].
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The zone in which days begin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    /// By what rows are summed, with commas between: tenant, client, token, person, face, provider, account, product,
    /// operation, outcome, question, case.
    #[arg(long, value_name = "NAMES", default_value = "client,provider")]
    by: String,
    /// Into what the time is divided: hour, day, week or month.
    #[arg(long, value_name = "LENGTH")]
    bucket: Option<String>,
    /// Sum only rows that have this value, such as provider=domaintools; can be repeated.
    #[arg(long = "where", value_name = "NAME=VALUE")]
    filters: Vec<String>,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    file: ConfigFile,
}

impl SumsOf {
    fn ask(&self) -> anyhow::Result<AskSpend> {
        let mut filters = serde_json::Map::new();
        for filter in &self.filters {
            let (name, value) = filter
                .split_once('=')
                .with_context(|| format!("--where {filter}: expected a name, `=` and a value"))?;
            let name = Dimension::named(name.trim())
                .with_context(|| format!("--where {filter}: expected one of the names of --by"))?;
            filters.insert(name.name().to_owned(), value.trim().into());
        }
        let filters: SpendFilters = serde_json::from_value(filters.into())?;
        Ok(AskSpend {
            from: self.from.clone(),
            to: self.to.clone(),
            tz: Some(self.tz.clone()),
            bucket: self.bucket.clone(),
            group_by: Some(self.by.clone()),
            filters,
            ..AskSpend::default()
        })
    }
}

/// Asks for all pages of a report.
async fn all(config: Option<&Path>, mut ask: AskSpend) -> anyhow::Result<SpendView> {
    let session = Session::of_store(config).await?;
    let asked = async {
        let mut view = session.call(&ask, STORE).await?;
        while let Some(next) = view.next.take() {
            if view.rows.len() >= MOST_ROWS {
                view.notes.push(format!(
                    "only the first {} rows are shown; the total is of all of them",
                    view.rows.len()
                ));
                break;
            }
            ask.cursor = Some(next);
            let page = session.call(&ask, STORE).await?;
            view.rows.extend(page.rows);
            view.next = page.next;
        }
        anyhow::Ok(view)
    };
    let view = asked.await;
    session.close().await;
    view
}

impl Spend {
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
        match self.command {
            None => sums(&self.sums)?,
            Some(Command::Who {
                provider,
                window,
                format,
                file,
            }) => {
                let window = match window {
                    Window::Current => WhichWindow::Current,
                    Window::Previous => WhichWindow::Previous,
                };
                let ask = AskWho { provider, window };
                let windows = block_on(once(file.config.as_deref(), &ask, STORE))??;
                match format {
                    WhoFormat::Json => terminal::print_data(&serde_json::to_string_pretty(&windows)?),
                    WhoFormat::Table => who(&windows),
                }
            }
            Some(Command::Reconcile { format, file }) => {
                let view = block_on(once(file.config.as_deref(), &Reconcile, STORE))??;
                match format {
                    WhoFormat::Json => terminal::print_data(&serde_json::to_string_pretty(&view)?),
                    WhoFormat::Table => terminal::print_lines(&reconciled(&view)),
                }
            }
            Some(Command::Report {
                month,
                tenant,
                tz,
                file,
            }) => {
                let ask = AskSpend {
                    month: Some(month),
                    tz: Some(tz),
                    group_by: Some("tenant,client,token,provider,account,product".to_owned()),
                    filters: SpendFilters {
                        tenant,
                        ..SpendFilters::default()
                    },
                    ..AskSpend::default()
                };
                let view = block_on(all(file.config.as_deref(), ask))??;
                notes(&view.notes);
                terminal::print_data(&charges(&view)?);
            }
        }
        Ok(ExitStatus::Well)
    }
}

fn notes(notes: &[String]) {
    for note in notes {
        terminal::note(&format!("note: {note}"));
    }
}

fn sums(of: &SumsOf) -> anyhow::Result<()> {
    let mut view = block_on(all(of.file.config.as_deref(), of.ask()?))??;
    match of.format {
        Format::Json => terminal::print_data(&serde_json::to_string_pretty(&view)?),
        Format::Csv => {
            notes(&view.notes);
            terminal::print_data(&csv(&view)?);
        }
        Format::Table => {
            // Within each time the largest first; clients are not told by their names alone.
            let weight = |row: &ReportRow| (row.sums.settled.calls, row.sums.avoided.calls);
            view.rows.sort_by(|one, other| {
                let by_time = one.start.cmp(&other.start);
                by_time.then_with(|| weight(other).cmp(&weight(one)))
            });
            terminal::print_lines(&table(&view));
            notes(&view.notes);
        }
    }
    Ok(())
}

/// Writes an amount of each unit that there is.
fn amount(sum: &Sum) -> String {
    let mut parts = Vec::new();
    if sum.calls != 0 {
        parts.push(counted(sum.calls, "calls"));
    }
    if sum.records != 0 {
        parts.push(counted(sum.records, "records"));
    }
    let moneys = sum.money_micros.iter().filter(|(_, micros)| **micros != 0);
    parts.extend(moneys.map(|(currency, micros)| format!("{} {currency}", money(*micros))));
    if parts.is_empty() {
        NOTHING.to_owned()
    } else {
        parts.join(", ")
    }
}

/// Writes a number of things, which `many` names where they are several.
fn counted(number: i64, many: &str) -> String {
    let one = many.strip_suffix('s').unwrap_or(many);
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Writes millionths as a decimal number, with two places where they are enough.
fn money(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    if rest % 10_000 == 0 {
        format!("{sign}{whole}.{:02}", rest / 10_000)
    } else {
        format!("{sign}{whole}.{rest:06}")
    }
}

fn head(name: &str) -> &'static str {
    match name {
        "tenant" => "Tenant",
        "client" => "Client",
        "token" => "Token",
        "person" => "Person",
        "face" => "By way of",
        "provider" => "Provider",
        "account" => "Account",
        "product" => "Product",
        "operation" => "Operation",
        "outcome" => "Outcome",
        "question" => "Question",
        _ => "Case",
    }
}

fn table(view: &SpendView) -> String {
    let SpendView {
        from,
        to,
        tz,
        rows,
        total,
        group_by,
        ..
    } = view;
    let mut out = format!("{} to {}, days of {tz}", time_text(*from), time_text(*to));
    if rows.is_empty() {
        out.push_str("\nnothing was spent, saved or refused in this time");
        return out;
    }
    let cells = |text: fn(&Sums) -> &Sum| {
        let rows = rows.iter().map(move |row| amount(text(&row.sums)));
        rows.collect::<Vec<_>>()
    };
    let mut columns = Vec::new();
    if view.bucket.is_some() {
        columns.push(Column::fixed("From", rows.iter().map(start)));
    }
    for name in group_by {
        let values = rows
            .iter()
            .map(|row| row.group.get(name).cloned().unwrap_or_default());
        let values = values.map(|value| {
            if value.is_empty() {
                NOTHING.to_owned()
            } else {
                value
            }
        });
        columns.push(Column::main(head(name), values));
    }
    columns.push(Column::words("Spent", cells(|sums| &sums.settled)));
    columns.push(Column::words("Saved by the cache", cells(|sums| &sums.avoided)));
    if !total.refused.is_zero() {
        columns.push(Column::words("Refused", cells(|sums| &sums.refused)));
    }
    out.push_str("\n\n");
    out.push_str(&render(columns, terminal::width(), WIDER));
    out.push_str(&format!(
        "\n\nin all   {}\nsaved    {}",
        amount(&total.settled),
        amount(&total.avoided)
    ));
    if !total.refused.is_zero() {
        out.push_str(&format!("\nrefused  {}", amount(&total.refused)));
    }
    out
}

/// Returns the beginning of a row's time, without seconds.
fn start(row: &ReportRow) -> String {
    let start = row.start.as_deref().unwrap_or_default();
    let minute = start.get(..16).unwrap_or(start);
    minute.replace('T', " ")
}

fn csv(view: &SpendView) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let start = view.bucket.iter().map(|_| "start");
    let names = view.group_by.iter().map(String::as_str);
    let sums = ["unit", "reserved", "settled", "refunded", "avoided", "refused"];
    writer.write_record(start.chain(names).chain(sums))?;
    for row in &view.rows {
        for (unit, numbers) in by_unit(&row.sums) {
            let start = view.bucket.iter().filter_map(|_| row.start.clone());
            let names = view.group_by.iter();
            let names = names.map(|name| formula_safe(row.group.get(name).map_or("", String::as_str)));
            writer.write_record(start.chain(names).chain([unit]).chain(numbers))?;
        }
    }
    written(writer)
}

/// Returns what was written, without the end of its last line.
fn written(writer: csv::Writer<Vec<u8>>) -> anyhow::Result<String> {
    let text = String::from_utf8(writer.into_inner()?)?;
    Ok(text.trim_end().to_owned())
}

/// Writes the columns for each unit that there is.
fn by_unit(sums: &Sums) -> Vec<(String, [String; 5])> {
    let columns = [
        &sums.reserved,
        &sums.settled,
        &sums.refunded,
        &sums.avoided,
        &sums.refused,
    ];
    let mut units: BTreeMap<String, [i64; 5]> = BTreeMap::new();
    for (at, sum) in columns.into_iter().enumerate() {
        let counted = [("calls", sum.calls), ("records", sum.records)];
        let counted = counted
            .into_iter()
            .map(|(unit, amount)| (unit.to_owned(), amount));
        let moneys = sum
            .money_micros
            .iter()
            .map(|(unit, amount)| (unit.clone(), *amount));
        for (unit, amount) in counted.chain(moneys) {
            if let Some(place) = units.entry(unit).or_default().get_mut(at) {
                *place = amount;
            }
        }
    }
    let units = units
        .into_iter()
        .filter(|(_, amounts)| amounts.iter().any(|amount| *amount != 0));
    units
        .map(|(unit, amounts)| {
            let is_money = !matches!(unit.as_str(), "calls" | "records");
            let text = |amount: i64| {
                if is_money {
                    money(amount)
                } else {
                    amount.to_string()
                }
            };
            (unit, amounts.map(text))
        })
        .collect()
}

/// Writes what each client is to be charged for.
fn charges(view: &SpendView) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = view.group_by.iter().map(String::as_str);
    let other = ["unit", "amount", "saved_by_cache"];
    writer.write_record(["from", "to"].into_iter().chain(names).chain(other))?;
    for row in &view.rows {
        for (unit, [_, settled, _, avoided, _]) in by_unit(&row.sums) {
            let times = [view.from.to_string(), view.to.to_string()];
            let names = view.group_by.iter();
            let names = names.map(|name| formula_safe(row.group.get(name).map_or("", String::as_str)));
            writer.write_record(times.into_iter().chain(names).chain([unit, settled, avoided]))?;
        }
    }
    written(writer)
}

fn who(windows: &[WindowView]) {
    let mut out = Vec::new();
    for window in windows {
        let unit = |amount: i64| match window.unit.strip_suffix(" micros") {
            Some(currency) => format!("{} {currency}", money(amount)),
            None => counted(amount, &window.unit),
        };
        let time = match (window.from, window.to) {
            (Some(from), Some(to)) => format!("{} to {}", time_text(from), time_text(to)),
            _ => "all time".to_owned(),
        };
        let of = window.tenant.as_ref().map(|tenant| format!(", tenant {tenant}"));
        let budget = window.budget.as_deref().unwrap_or("no budget");
        let limit = window.limit.map(|limit| format!(" of {}", unit(limit)));
        let mut text = format!(
            "account {}{}: {budget}\n{time}: {} used{}",
            window.account,
            of.unwrap_or_default(),
            unit(window.used),
            limit.unwrap_or_default()
        );
        if !window.clients.is_empty() {
            let clients = || window.clients.iter();
            let share = |permille: Option<i64>| {
                permille.map_or_else(String::new, |share| format!("{}.{} %", share / 10, share % 10))
            };
            let columns = vec![
                Column::main("Client", clients().map(|one| one.client.clone())),
                Column::flexible("Tenant", clients().map(|one| one.tenant.clone())),
                Column::fixed("Used", clients().map(|one| unit(one.used))),
                Column::fixed("Of the limit", clients().map(|one| share(one.share_permille))),
            ];
            text.push_str("\n\n");
            text.push_str(&render(columns, terminal::width(), WIDER));
        }
        for note in &window.notes {
            text.push_str(&format!("\nnote: {note}"));
        }
        out.push(text);
    }
    terminal::print_lines(&out.join("\n\n"));
}

fn reconciled(view: &ReconciliationView) -> String {
    let ReconciliationView {
        rows,
        checked,
        unchecked,
    } = view;
    let mut out = String::new();
    if !rows.is_empty() {
        let cells = |text: fn(&ReconciledRow) -> String| rows.iter().map(text).collect::<Vec<_>>();
        let columns = vec![
            Column::main("Provider", cells(|row| row.provider.clone())),
            Column::flexible("Account", cells(|row| row.account.clone())),
            Column::main("Product", cells(|row| row.product.clone())),
            Column::flexible("Window", cells(|row| row.window.clone())),
            Column::fixed("Vendor", cells(|row| row.vendor_used.to_string())),
            Column::fixed("Ours", cells(|row| row.ours_settled.to_string())),
            Column::fixed("Open", cells(|row| row.ours_open.to_string())),
            Column::fixed("Drift", cells(|row| row.drift.to_string())),
            Column::fixed("Class", cells(|row| row.class.name().to_owned())),
        ];
        out.push_str(&render(columns, terminal::width(), WIDER));
        out.push_str("\n\n");
    }
    out.push_str(&format!(
        "{} of {} providers with a key told a count since the server started",
        checked.len(),
        checked.len() + unchecked.len()
    ));
    if !unchecked.is_empty() {
        out.push_str(&format!("; none was told by {}", unchecked.join(", ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_places_where_they_are_enough() {
        for (micros, text) in [
            (18_000_000, "18.00"),
            (4_500, "0.004500"),
            (-500_000, "-0.50"),
            (0, "0.00"),
        ] {
            assert_eq!(money(micros), text);
        }
    }
}
