//! `pivotd check`: is the configuration right, and what does it amount to?

use std::io::{self, IsTerminal};

use super::differs::differences;
use super::serve::{load, preflight};
use super::table::{Column, WIDER, render};
use super::{ConfigFile, ExitStatus, block_on, keys, session, terminal};
use crate::app::state::{StateView, values};
use crate::catalogue::Catalogue;
use crate::config::{self, Effective, Loaded, Report};

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
    pub(super) fn run(self) -> anyhow::Result<ExitStatus> {
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
        show(&report, &built_in(&loaded), self.values);
        if let Some(server) = &server {
            compare(server, &loaded);
        }
        let mut is_well = true;
        if self.online {
            let what = "asking each provider";
            let reply = block_on(session::test_keys(self.file.config.as_deref(), None, what))??;
            terminal::print("\nOnline");
            is_well = keys::show(reply) == ExitStatus::Well;
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
            ExitStatus::Well
        } else {
            ExitStatus::WithError
        })
    }
}

/// Returns the effective values of the compiled-in configuration, where the other lies over it.
fn built_in(loaded: &Loaded) -> Vec<Effective> {
    let values = || config::load(None, &[], &loaded.providers).map(|built_in| built_in.origins);
    loaded
        .changes
        .as_ref()
        .and_then(|_| values().ok())
        .unwrap_or_default()
}

/// Prints providers, transforms and what is to be said of them, and every value where that is wanted.
fn show(report: &Report<'_>, built_in: &[Effective], values: bool) {
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
    if let Some(rows) = report.differences(built_in) {
        terminal::print("\nDifferences from the built-in configuration\n");
        terminal::print_lines(&differing(&rows, width));
    }
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

/// Lays out what differs from the compiled-in configuration.
fn differing(rows: &[[String; 4]], width: usize) -> String {
    if rows.is_empty() {
        return "none".to_owned();
    }
    let cells = |at: usize| rows.iter().filter_map(move |row| row.get(at).cloned());
    let columns = vec![
        Column::words("Setting", cells(0)),
        Column::words("Built-in", cells(1)),
        Column::words("Here", cells(2)),
        Column::words("From", cells(3)),
    ];
    render(columns, width, WIDER)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::providers::Providers;

    #[test]
    fn what_differs_from_the_built_in_configuration_is_read_at_any_width() {
        let text = "extends = \"built-in\"
[providers.virustotal]
api_key = \"canary-5e02\"
rate = [\"1000/min\"]
concurrency = 8
[providers.domaintools]
remove = true
[scales]
sandbox = [
  { from = 0, name = \"low\", bookmark = \"blue\", overlay = \"#1976d2\" },
  { from = 60, name = \"suspicious\", bookmark = \"yellow\", overlay = \"#fbc02d\" },
]
[[transform]]
name = \"threatgrid.mutexes\"
remove = true
";
        let name = "/etc/pivotd/a-long-name.toml";
        let loaded = config::read(name, text, false, &[], &Providers::built_in()).unwrap();
        let report = Report {
            loaded: &loaded,
            catalogue: &Catalogue::build(&loaded.settings, 1),
            refused: &BTreeMap::new(),
        };
        let rows = report.differences(&built_in(&loaded)).unwrap();
        for width in [80, 140, usize::MAX] {
            let table = differing(&rows, width);
            assert!(table.lines().all(|line| line.width() <= width), "{table}");
            assert!(!table.contains("canary"), "{table}");
            assert!(!table.contains("not shown"), "{table}");
        }
        let whole = differing(&rows, usize::MAX);
        let line = |path: &str| {
            let found = whole.lines().find(|line| line.starts_with(&format!("{path} ")));
            let cells = found.map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()));
            cells
                .map(|cells| cells.collect::<Vec<_>>().join(" | "))
                .unwrap_or_default()
        };
        for (path, said) in [
            (
                "providers.virustotal.api_key",
                "{ env = \"VIRUSTOTAL_API_KEY\" } | \"••••••\" | a-long-name.toml:3",
            ),
            (
                "providers.virustotal.rate",
                "[\"4/min\"] | [\"1000/min\"] | a-long-name.toml:4",
            ),
            (
                "providers.virustotal.concurrency",
                "4 by default | 8 | a-long-name.toml:5",
            ),
            (
                "transform.threatgrid.mutexes",
                "\"To mutexes [Secure Malware Analytics]\" | removed | a-long-name.toml:13",
            ),
            (
                "transform.domaintools.risk",
                "\"To risk score [DomainTools]\" | removed | a-long-name.toml:6",
            ),
        ] {
            assert_eq!(line(path), format!("{path} | {said}"), "{whole}");
        }
        let scale = line("scales.sandbox");
        assert!(
            scale.contains("{ from = 50,") && scale.contains("{ from = 60,"),
            "{scale}"
        );
        let same = config::read(name, "extends = \"built-in\"", false, &[], &Providers::built_in()).unwrap();
        let report = Report {
            loaded: &same,
            ..report
        };
        assert_eq!(differing(&report.differences(&[]).unwrap(), 80), "none");
    }
}
