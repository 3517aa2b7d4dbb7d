//! Who would wait for the change's locks, predicted from the rehearsal and, with `--load`, measured.

use std::time::Duration;

use plimsoll_core::blocked::{BlockedReport, Traffic, behind_a_transaction, blocked};
use plimsoll_core::hold::holds;
use plimsoll_core::load::LoadRun;
use plimsoll_core::units::duration_ms;
use plimsoll_core::workload::WorkloadStatement;
use plimsoll_core::{LockMode, Rehearsal};
use plimsoll_pg::load::{LoadError, LoadSettings, LongTransaction, measure_traffic, run_change, run_load};
use plimsoll_pg::rehearse::analyze;
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::Migration;

use super::copies::{PRISTINE, on_copy, restore};
use super::program::Again;
use crate::exit::Failure;
use crate::private_database::in_script;
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;

/// The `lock_timeout` that is tried against a long transaction where the runner sets none.
const DEFAULT_LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// A prediction alone.
    No,
    /// A load with the change as it is.
    Plain,
    /// Two loads with a transaction of that length in the change's way: as it is, and with a `lock_timeout`.
    Behind(Duration),
}

/// A workload that was measured before the change.
pub(super) struct KnownTraffic<'a> {
    server: &'a PrivateServer,
    settings: &'a Settings,
    statements: Vec<WorkloadStatement>,
    traffic: Vec<Traffic>,
    load: Load,
}

impl<'a> KnownTraffic<'a> {
    /// Measures what the workload locks.
    pub(super) async fn before(
        server: &'a PrivateServer,
        settings: &'a Settings,
        statements: Vec<WorkloadStatement>,
        load: Load,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        let database = &settings.database;
        if !statements.is_empty() {
            progress.step("measuring what the workload locks");
        }
        let traffic = measure_traffic(server, database, &statements).await?;
        let writes = |lock: &plimsoll_core::blocked::TakenLock| lock.mode >= LockMode::RowShare;
        if traffic.iter().flat_map(|one| &one.locks).any(writes) {
            // Writes that were rolled back leave dead rows, which the change would read.
            analyze(server, database, None).await.map_err(|error| in_script(error, "VACUUM (ANALYZE)"))?;
        }
        Ok(Self { server, settings, statements, traffic, load })
    }

    /// Who would wait; none if there is no workload.
    pub(super) fn predicted(&self, rehearsal: &Rehearsal) -> Option<BlockedReport> {
        (!self.traffic.is_empty()).then(|| blocked(rehearsal, &holds(rehearsal), self.traffic.clone()))
    }

    /// Runs the loads, each from the state before the change. A program is run as it is: its script lacks the parameters that
    /// it binds, the connections that it uses and the time that it takes between its statements.
    pub(super) async fn measured(
        &self,
        project: &Project,
        rehearsal: &Rehearsal,
        program: Option<&Again<'_>>,
        progress: &Progress,
    ) -> Result<Vec<LoadRun>, Failure> {
        let of_runner = match self.settings.lint.lock_timeout_ms {
            0 => None,
            ms => Some(Duration::from_millis(ms)),
        };
        let conditions = match self.load {
            Load::No => Vec::new(),
            Load::Plain => vec![(None, of_runner)],
            Load::Behind(lasts) => {
                vec![(Some(lasts), None), (Some(lasts), Some(of_runner.unwrap_or(DEFAULT_LOCK_TIMEOUT)))]
            }
        };
        let mut runs = Vec::new();
        for (lasts, lock_timeout) in conditions {
            progress.step("running the change among the requests of the workload");
            runs.push(self.run(project, rehearsal, program, lasts, lock_timeout).await?);
        }
        Ok(runs)
    }

    async fn run(
        &self,
        project: &Project,
        rehearsal: &Rehearsal,
        program: Option<&Again<'_>>,
        lasts: Option<Duration>,
        lock_timeout: Option<Duration>,
    ) -> Result<LoadRun, Failure> {
        let new: Vec<&Migration> = project.new.iter().map(Migration::as_sent).collect();
        let load = LoadSettings {
            connections: self.settings.workload.connections,
            lead: self.settings.workload.lead,
            long_transaction: lasts.map(|lasts| LongTransaction::against(rehearsal, lasts)),
            lock_timeout,
        };
        let (server, statements, database) = (self.server, &self.statements, &self.settings.database);
        let run = match program {
            Some(program) => {
                // A program may know its database by name.
                restore(server, database).await?;
                let change = async || program.run(project, rehearsal, lock_timeout).await;
                run_load(server, database, statements, &load, change).await?
            }
            None => {
                let loaded = on_copy(server, PRISTINE, async |copy| {
                    let change = async || {
                        Ok::<_, Failure>(run_change(server, copy, &new, lock_timeout).await?.failure.into())
                    };
                    run_load(server, copy, statements, &load, change).await
                });
                loaded.await?
            }
        };
        Ok(self.with_prediction(run, project, rehearsal))
    }

    /// Puts the prediction of a run's conditions beside what was measured.
    fn with_prediction(&self, mut run: LoadRun, project: &Project, rehearsal: &Rehearsal) -> LoadRun {
        let held = holds(rehearsal);
        let held = match run.long_transaction_ms {
            Some(long_ms) => behind_a_transaction(rehearsal, &held, long_ms, run.lock_timeout_ms),
            None => held,
        };
        let predicted = blocked(rehearsal, &held, self.traffic.clone());
        for statement in &mut run.statements {
            statement.predicted = predicted.of(&statement.name).cloned();
        }
        if let Some(error) = &mut run.change.error
            && let Some(migration) = project.new.iter().find(|one| one.source.name() == error.file)
        {
            error.line = migration.place_in_file(error.line, 1).0;
        }
        run
    }
}

/// What a reader must know of the loads.
pub(super) fn notes(runs: &[LoadRun]) -> Vec<String> {
    let mut notes = Vec::new();
    for run in runs {
        for statement in run.statements.iter().filter(|statement| !statement.achieved) {
            notes.push(format!(
                "This machine can't do what the workload wants: of {} it finished {:.0} a second before the change, where {:.0} \
                 were wanted. Its latencies tell of this machine, not of the change.",
                statement.name, statement.achieved_per_s, statement.wanted_per_s
            ));
        }
        if let (Some(error), None) = (&run.change.error, run.long_transaction_ms) {
            notes.push(format!(
                "Among the requests the change failed at {}:{} after {}: {} (SQLSTATE {}).",
                error.file,
                error.line,
                duration_ms(run.change.ended_ms - run.change.started_ms),
                error.message,
                error.sqlstate
            ));
        }
    }
    notes.dedup();
    notes
}

impl From<LoadError> for Failure {
    /// Its workload's fault, or the server's.
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Statement { .. } => Self::input(error),
            LoadError::Server(error) => Self::environment(error),
            LoadError::Rehearse(error) => in_script(error, "the load"),
        }
    }
}
