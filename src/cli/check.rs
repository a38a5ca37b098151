//! `pivotd check`: is the configuration right, and what does it amount to?

use std::io::{self, IsTerminal};

use super::differs::differences;
use super::serve::{load, preflight};
use super::table::{Column, WIDER, render};
use super::{ConfigFile, Done, block_on, keys, session, terminal};
use crate::catalogue::Catalogue;
use crate::config::{Loaded, Report};
use crate::control::state::{StateView, values};

/// Validate the configuration and print what it amounts to.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    file: ConfigFile,
    /// Also ask each provider whether name, TLS and key work, by its account call.
    #[arg(long)]
    online: bool,
    /// Also print every effective value, with where it came from.
    #[arg(long)]
    values: bool,
    /// End with code 1 where there is a warning, or a key that was given and cannot be used.
    #[arg(long)]
    strict: bool,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<Done> {
        let loaded = load(self.file.config.as_deref())?;
        let catalogue = Catalogue::build(&loaded.settings, 1);
        let server = block_on(session::server_state(&loaded))?;
        let reasons = block_on(async { preflight(&loaded, false, server.is_some()).all_faults() })?;
        let refused = server
            .as_ref()
            .map(|state| state.refused.clone())
            .unwrap_or_default();
        let report = Report {
            loaded: &loaded,
            catalogue: &catalogue,
            refused: &refused,
        };
        show(&report, self.values);
        if let Some(server) = &server {
            compare(server, &loaded);
        }
        let mut is_well = true;
        if self.online {
            let what = "asking each provider";
            let reply = block_on(session::test_keys(self.file.config.as_deref(), None, what))??;
            terminal::print("\nOnline");
            is_well = keys::show(reply)? == Done::Well;
        }
        let verdict = report.verdict();
        if reasons.is_empty() && !is_well {
            terminal::print(&format!(
                "\nnot every provider can be asked, as is said above; {}",
                verdict.line
            ));
        } else if reasons.is_empty() {
            terminal::print(&format!("\n{}", verdict.line));
        } else {
            is_well = false;
            terminal::print(&format!("\nserve will refuse to start; {}", verdict.line));
            terminal::error(&format!("serve will refuse to start\n{}", reasons.join("\n")));
        }
        let is_refused = self.strict && !verdict.is_clean;
        Ok(if is_well && !is_refused {
            Done::Well
        } else {
            Done::WithError
        })
    }
}

/// Prints providers, transforms and what is to be said of them, and every value where that is wanted.
fn show(report: &Report<'_>, values: bool) {
    // A reader of a pipe wants each cell on one line.
    let width = if io::stdout().is_terminal() {
        terminal::width()
    } else {
        usize::MAX
    };
    let table = |columns: Vec<Column>| terminal::print_lines(&render(columns, width, WIDER));
    let rows = report.providers();
    let cells = |at: usize| rows.iter().filter_map(move |row| row.get(at).cloned());
    terminal::print("Providers\n");
    table(vec![
        Column::fixed("Name", cells(0)),
        Column::words("Provider", cells(1)),
        Column::fixed("Key", cells(2)),
        Column::words("Limits", cells(3)),
        Column::words("Why", cells(4)),
    ]);
    let rows = report.transforms();
    let cells = |at: usize| rows.iter().filter_map(move |row| row.get(at).cloned());
    terminal::print("\nTransforms\n");
    table(vec![
        Column::fixed("Name", cells(0)),
        Column::fixed("State", cells(1)),
        Column::words("Takes -> gives", cells(2)),
    ]);
    let remarks = report.remarks();
    if !remarks.is_empty() {
        terminal::print(remarks.trim_end());
    }
    if values {
        let rows = report.values();
        let cells = |at: usize| rows.iter().filter_map(move |row| row.get(at).cloned());
        terminal::print("\nEffective values\n");
        table(vec![
            Column::main("Setting", cells(0)),
            Column::main("Value", cells(1)),
            Column::words("From", cells(2)),
        ]);
    }
}

/// Prints where the running server works with other values.
fn compare(server: &StateView, here: &Loaded) {
    let differences = differences(&server.values, &values(here));
    if !differences.is_empty() {
        terminal::print("\nThe running server has another configuration (a reload takes over most of it)");
    }
    for difference in differences {
        terminal::print(&format!("  {difference}"));
    }
}
