//! Answers which mutexes and registry keys a file left: from the processes of its runs.
//!
//! What was only read or checked is left out: every process reads hundreds of keys of the system.

use super::common::{entries, left_out, verbatim};
use super::files::GroupedRuns;
use super::reports::{self, Reports};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::Node;
use crate::{Lookup, ProviderError, Step};
use pivotd_domain::Record;

/// Lists of a process: the vendor's name, the field, and what was done. Entries are texts, or objects with a name
/// (recorded answers have both).
const LISTS: [(&str, &str, &str); 5] = [
    ("mutants_created", "mutex", "created"),
    ("mutants_opened", "mutex", "opened"),
    ("registry_keys_created", "registry_key", "created"),
    ("registry_keys_modified", "registry_key", "modified"),
    ("registry_keys_deleted", "registry_key", "deleted"),
];

/// Starts a look-up of traces.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    reports::start(lookup, "processes", finish)
}

fn finish(mut reports: Reports) -> Result<Step, ProviderError> {
    let mut gathered = GroupedRuns::default();
    let mut too_long = 0;
    let mut others = Rows::default();
    for (run, body) in &reports.read {
        let processes = entries(Node::of(body).get("data").get("items"));
        others.lose(
            processes
                .iter()
                .filter(|process| process.members().next().is_none())
                .count(),
        );
        for (list, field, action) in LISTS {
            for process in &processes {
                for row in process.get(list).rows() {
                    let Some(name) = row.text().or_else(|| row.get("name").text()) else {
                        others.lose(1);
                        continue;
                    };
                    let Some(value) = verbatim(name) else {
                        too_long += 1;
                        continue;
                    };
                    gathered.add(format!("{field} {value}"), run, || {
                        Record::new()
                            .with(field, value.as_str())
                            .with("action", action)
                            .with_some("process", process.get("process_name").text())
                    });
                }
            }
        }
    }
    let mut missing: Vec<String> = left_out(too_long).into_iter().collect();
    others.extend(
        gathered
            .records("traces", &mut missing)
            .into_iter()
            .map(Row::Record),
    );
    reports.missing.extend(missing);
    reports.done(others)
}
