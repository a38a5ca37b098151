//! Walks from a file's hash over its runs to one part of each run's analysis.

use super::common::{call, number};
use super::search::{self, Run, texts};
use super::{ANALYSIS, DESCRIPTOR};
use crate::kit::common::{counted, one_query, segment, uncovered};
use crate::kit::json::Json;
use crate::kit::rows::Rows;
use crate::kit::tolerant::json;
use crate::{Call, Lookup, ProviderError, Replied, Step};
use pivotd_domain::{Answer, FailureKind, Query};

/// Holds the reports of a file's newest runs.
pub(super) struct Reports {
    pub(super) query: Query,
    /// Each run that could be read, with its report; newest first.
    pub(super) read: Vec<(Run, Json)>,
    /// What failed.
    pub(super) missing: Vec<String>,
    /// What was left out on purpose.
    pub(super) notes: Vec<String>,
    /// What the search found beside the file's runs, and what the runs show that is no row.
    pub(super) others: Rows,
    /// Whether the runs show what is no row.
    pub(super) is_shown: bool,
    /// The answer to the question for samples.
    samples: Answer,
}

/// Goes on when all reports are there.
pub(super) type AfterReports = fn(Reports) -> Result<Step, ProviderError>;

/// Starts a look-up of a file that reads `part` of each run's analysis.
pub(super) fn start(lookup: &Lookup, part: &'static str, then: AfterReports) -> Result<Step, ProviderError> {
    let query = one_query(lookup)?.clone();
    let asked = query.clone();
    search::find(
        &asked,
        Box::new(move |found| {
            let samples = search::samples(&query, &found)?;
            let others = found.others();
            let mut reports = Reports {
                others,
                is_shown: false,
                missing: found.missing(&query),
                notes: Vec::new(),
                read: Vec::new(),
                query,
                samples,
            };
            let runs = choose(found.runs, &mut reports);
            if runs.is_empty() {
                return then(reports);
            }
            Ok(Step::Calls {
                calls: runs.iter().map(|run| report(run, part)).collect(),
                then: Box::new(move |replies| {
                    reports.gather(runs, replies)?;
                    then(reports)
                }),
            })
        }),
    )
}

/// Makes the call for one part of a run's analysis.
pub(super) fn report(run: &Run, part: &str) -> Call {
    call(
        ANALYSIS,
        format!("/api/v2/samples/{}/analysis/{part}", segment(&run.id)),
    )
}

/// Chooses the runs that are read, and notes why others are not.
fn choose(runs: Vec<Run>, reports: &mut Reports) -> Vec<Run> {
    let least = number(&reports.query, "min-score");
    let max = usize::try_from(number(&reports.query, "runs")).unwrap_or(0);
    // A question without parameters is asked with their defaults.
    let max = if max == 0 { 5 } else { max.min(super::MOST_RUNS) };
    let all = runs.len();
    let (done, others): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(Run::is_done);
    if !others.is_empty() {
        let states = texts(others.iter().filter_map(Run::state)).join(", ");
        let count = others.len();
        reports
            .notes
            .push(format!("{count} of {all} runs have no analysis: {states}."));
    }
    let (mut scored, below): (Vec<Run>, Vec<Run>) = done
        .into_iter()
        .partition(|run| least == 0 || run.score >= Some(least));
    if !below.is_empty() {
        let count = below.len();
        reports
            .notes
            .push(format!("{count} of {all} runs have no score of {least} or more."));
    }
    if scored.len() > max {
        let count = scored.len();
        // What others keep private can most likely not be read, so that it must not take the place of what can.
        scored.sort_by_key(Run::is_private_to_others);
        let dropped = scored.split_off(max);
        let passed = dropped.iter().any(Run::is_private_to_others);
        let but = if passed {
            ", those that others keep private last"
        } else {
            ""
        };
        reports
            .notes
            .push(format!("Read from the newest {max} of {count} runs{but}."));
    }
    scored
}

impl Reports {
    /// Takes the replies in; a run that failed leaves the others, and what the search found.
    ///
    /// # Errors
    /// The first failure, where no run could be read and one of them might be another time.
    fn gather(&mut self, runs: Vec<Run>, replies: Vec<Replied>) -> Result<(), ProviderError> {
        let mut first: Option<ProviderError> = None;
        for (run, replied) in runs.into_iter().zip(replies) {
            let failed = match parsed(replied) {
                Ok(Some(body)) => {
                    self.read.push((run, body));
                    continue;
                }
                Ok(None) => {
                    self.missing.push(format!("run {}: there is no report", run.id));
                    continue;
                }
                Err(failed) => failed,
            };
            self.missing.push(format!("run {}: {failed}", run.id));
            // Runs that others keep private stay so.
            if !is_refused(&failed) {
                first.get_or_insert(failed);
            }
        }
        match first {
            Some(error) if self.read.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// Ends the look-up. What was left out is told with the records, or in place of them.
    ///
    /// # Errors
    /// [`ProviderError::Malformed`] where the runs show rows and none was understood.
    pub(super) fn done(self, mut rows: Rows) -> Result<Step, ProviderError> {
        let read = self.read.len();
        if read > 0 && !self.is_shown && rows.understood() + rows.unread() == 0 {
            let runs = counted(read as u64, "run");
            rows.if_empty(format!("{runs} read, which show none"));
        }
        rows.join(self.others);
        let mut found = rows.answer_lacking(&DESCRIPTOR, self.query, ANALYSIS, self.missing)?;
        uncovered(&mut found, &self.notes);
        Ok(Step::Done(vec![found, self.samples]))
    }
}

fn is_refused(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Failed(failure) if failure.kind == FailureKind::Refused)
}

/// Returns a good reply's JSON, or `None` where the vendor knows nothing.
///
/// # Errors
/// What failed, in words for people.
pub(super) fn parsed(replied: Replied) -> Result<Option<Json>, ProviderError> {
    match replied {
        Replied::Good(reply) => json(&reply).map(Some),
        Replied::NotFound(_) => Ok(None),
        Replied::Failed(failure) => Err(ProviderError::Failed(failure)),
    }
}
