//! The change at production's sizes: which those are, and what is measured here for it.

use plimsoll_core::Rehearsal;
use plimsoll_core::blocked::BlockedReport;
use plimsoll_core::load::ChangeFailure;
use plimsoll_core::scale::{PAGE, ScaleReport, Size, Sizes, Timings, depends_on_sizes, scaled};
use plimsoll_pg::load::{sizes, time_change};
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::snapshot::{Facts, TableFacts};
use plimsoll_sql::{Command, Migration, Statement};

use super::copies::{EMPTY, PRISTINE, on_copy};
use crate::exit::Failure;
use crate::progress::Progress;
use crate::project::{Project, read_snapshot};
use crate::settings::Settings;

/// How often the change is timed, with rows and without.
const RUNS: usize = 3;

/// Production, as far as it is known.
pub(super) struct Production {
    sizes: Sizes,
    /// Where they come from.
    source: String,
}

impl Production {
    /// What `[database] sizes` says, if it is set.
    pub(super) fn read(settings: &Settings) -> Result<Option<Self>, Failure> {
        let Some(path) = &settings.sizes else { return Ok(None) };
        let snapshot = read_snapshot(path, settings)?;
        let taken = snapshot.facts.server.as_ref().map(|server| server.taken.as_str()).unwrap_or_default();
        let of = if taken.is_empty() { String::new() } else { format!(" of {taken}") };
        let source = format!("{}{of}", snapshot.source.name());
        Ok(Some(Self { sizes: of_facts(&snapshot.facts), source }))
    }

    /// Times the change on copies of the states that were kept with rows and without, and scales it; none where no statement works
    /// through a relation.
    pub(super) async fn scaled(
        self,
        server: &PrivateServer,
        project: &Project,
        rehearsal: &Rehearsal,
        blocked: Option<&BlockedReport>,
        notes: &mut Vec<String>,
        progress: &Progress,
    ) -> Result<Option<ScaleReport>, Failure> {
        if !depends_on_sizes(rehearsal) {
            return Ok(None);
        }
        let (here, failure) = timed(server, PRISTINE, project, progress).await?;
        let (empty, _) = timed(server, EMPTY, project, progress).await?;
        let timings = Timings { here, empty };
        if let Some(ChangeFailure { file, line, sqlstate, message }) = failure {
            notes.push(format!(
                "To be scaled, the change was timed up to {file}:{line}, which failed when it was sent again: {message} (SQLSTATE \
                 {sqlstate})."
            ));
        }
        if let Some((file, line)) = copied_without_rows(project) {
            notes.push(format!(
                "To be scaled, the change was timed without the rows that {file}:{line} copies in: what it does with them counts as \
                 taking no time."
            ));
        }
        let here = sizes(server, PRISTINE).await?;
        let workload = blocked.map_or(&[][..], |blocked| &blocked.workload);
        Ok(Some(scaled(rehearsal, &timings, &here, &self.sizes, self.source, workload)))
    }
}

/// The first COPY whose rows came from a program, and are no part of its script.
fn copied_without_rows(project: &Project) -> Option<(String, usize)> {
    project.new.iter().find_map(|migration| {
        let copies = |statement: &&Statement| {
            let has_rows = statement.copy_data.as_ref().is_some_and(|rows| !rows.is_empty());
            matches!(statement.command(), Some(Command::CopyFromStdin)) && !has_rows
        };
        let statement = migration.statements.iter().find(copies)?;
        Some((migration.source.name(), migration.source.line_column(statement.range.start).0))
    })
}

async fn timed(
    server: &PrivateServer,
    database: &str,
    project: &Project,
    progress: &Progress,
) -> Result<(Vec<Vec<f64>>, Option<ChangeFailure>), Failure> {
    let new: Vec<&Migration> = project.new.iter().map(Migration::as_sent).collect();
    let (mut runs, mut failed) = (Vec::new(), None);
    for run in 1..=RUNS {
        progress.step(format!("timing the change in {database}, {run} of {RUNS}"));
        let times = on_copy(server, database, async |copy| Ok(time_change(server, copy, &new).await?));
        let (times, failure) = times.await?;
        runs.push(times);
        failed = failure;
    }
    Ok((runs, failed))
}

fn of_facts(facts: &Facts) -> Sizes {
    facts.tables.iter().filter_map(|(name, table)| Some((name.to_string(), of_table(table)?))).collect()
}

fn of_table(table: &TableFacts) -> Option<Size> {
    let bytes = table.main_bytes.or(table.bytes)?;
    let rows = table.known_rows().or(table.live_rows)?;
    Some(Size { pages: bytes.div_ceil(PAGE), rows })
}
