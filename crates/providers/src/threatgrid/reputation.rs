//! Answers what sandbox runs say of a file, and of a name, an address or a URL that they touched.
//!
//! A file has the threat score of its own runs. Whatever a sample touched has nothing of its own: malware contacts
//! harmless hosts too, so its record is of another measure.

use std::collections::HashSet;

use super::search::{Run, SearchResult, find, texts};
use super::{DESCRIPTOR, SEARCH};
use crate::kit::common::{one_query, uncovered};
use crate::kit::rows::{Row, Rows};
use crate::kit::tolerant::clean;
use crate::{Lookup, ProviderError, Step};
use pivotd_domain::{Answer, IndicatorKind, Query, Record};

/// The measure of a file.
pub(super) const OF_FILE: &str = "threat-score";
/// The measure of what samples touched.
pub(super) const OF_TOUCHED: &str = "seen-in-samples";

/// How many behaviors are told as reasons.
const MOST_BEHAVIORS: usize = 3;

/// Starts a look-up: the search that finds samples.
///
/// # Errors
/// [`ProviderError::Unsupported`] for a SHA-512, which the vendor does not keep.
pub(super) fn start(lookup: &Lookup) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let asked = query.clone();
    find(
        &asked,
        Box::new(move |found| Ok(Step::Done(vec![reputation(query, &found)?]))),
    )
}

fn reputation(query: Query, found: &SearchResult) -> Result<Answer, ProviderError> {
    let missing = found.missing(&query);
    let blind = found.blind(&query);
    let is_file = query.indicator.kind() == IndicatorKind::Hash;
    let record = highest(found).map(|(run, score)| {
        if is_file {
            of_file(run, score, found)
        } else {
            of_touched(run, score, found, blind.is_some())
        }
    });
    let mut rows: Rows = record.into_iter().map(Row::Record).collect();
    rows.join(found.others());
    if !found.runs.is_empty() {
        rows.if_empty("no run of it has a threat score");
    }
    let mut told = rows.answer_lacking(&DESCRIPTOR, query, SEARCH, missing)?;
    uncovered(&mut told, blind.as_slice());
    Ok(told)
}

/// Returns the run with the highest threat score, of equal ones the newest; `None` where no run has one.
fn highest(found: &SearchResult) -> Option<(&Run, i64)> {
    let mut highest: Option<(&Run, i64)> = None;
    for run in &found.runs {
        if let Some(score) = run.score
            && highest.is_none_or(|(_, max)| score > max)
        {
            highest = Some((run, score));
        }
    }
    highest
}

/// Makes the record of a file: measure `threat-score`, the score of its highest run.
fn of_file(run: &Run, score: i64, found: &SearchResult) -> Record {
    let runs = found.runs.iter().filter(|run| run.score.is_some()).count();
    let of = match runs {
        1 => "in 1 run".to_owned(),
        many => format!("the highest of {many} runs"),
    };
    let mut reasons = vec![format!("threat score {score}, {of}")];
    reasons.extend(run.weightiest(MOST_BEHAVIORS).map(clean));
    let tags = texts(found.runs.iter().flat_map(|run| run.tags.iter().cloned()));
    Record::new()
        .with("measure", OF_FILE)
        .with("value", score)
        .with("scale", "0-100")
        .with("reasons", reasons)
        .with_some("last_seen", run.at)
        .with("tags", tags)
}

/// Makes the record of what samples touched: measure `seen-in-samples`, the highest score of these samples. Neither
/// their behaviors nor their tags are about it.
fn of_touched(run: &Run, score: i64, found: &SearchResult, in_part: bool) -> Record {
    let scored = found.runs.iter().filter(|run| run.score.is_some());
    let files: HashSet<&String> = scored.map(|run| run.file().unwrap_or(&run.id)).collect();
    let least = if in_part { "at least " } else { "" };
    let samples = match files.len() {
        1 => "1 sample that ran".to_owned(),
        many => format!("{many} samples that ran"),
    };
    Record::new()
        .with("measure", OF_TOUCHED)
        .with("value", score)
        .with("scale", "0-100")
        .with(
            "reasons",
            vec![format!(
                "touched by {least}{samples}; the highest threat score is {score}"
            )],
        )
        .with_some("last_seen", run.at)
}
