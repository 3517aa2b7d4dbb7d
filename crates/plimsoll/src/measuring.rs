//! The corpus on a server of its own: the state that the project's migrations leave, each folder's fixtures, and every query measured
//! with every set of values.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::try_join_all;
use plimsoll_pg::queries::{
    MeasureError, MeasureSettings, MeasuringSession, Repeats, State, Taken, Thoroughness,
};
use plimsoll_pg::rehearse::{analyze, replay, run_script};
use plimsoll_pg::server::PrivateServer;
use plimsoll_regress::Failed;
use plimsoll_regress::compare::Context;
use plimsoll_sql::Migration;
use plimsoll_sql::query_file::changes_rows;

use crate::args::{CheckArguments, ReportArguments};
use crate::commands::check::ground::Ground;
use crate::commands::check::program;
use crate::corpus::CorpusQuery;
use crate::exit::Failure;
use crate::inputs::read_source;
use crate::migration_program::MigrationProgram;
use crate::private_database::{PROGRAM_CONNECTIONS, Rows, fill, in_script, make_state_before, start};
use crate::progress::Progress;
use crate::project::Project;
use crate::settings::Settings;

/// Which state of the project a server is brought to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before the migrations that git says are new.
    BeforeNew,
    /// After all migrations.
    AfterAll,
}

/// A server with a project's state.
pub(crate) struct Bed {
    pub(crate) server: PrivateServer,
    pub(crate) database: String,
    /// What a reader must know of it.
    pub(crate) notes: Vec<String>,
}

impl Bed {
    /// Makes a server of its own, or a branch of a trunk, and brings it to the state. Migrations are new since `base`, or since
    /// what git says; rows are loaded before them, as `check` does.
    pub(crate) async fn make(
        settings: &Settings,
        base: Option<&str>,
        ground: Option<&Ground>,
        moment: Moment,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        let asked = of_project(base);
        let program = MigrationProgram::find(&asked, settings)?;
        let project = match &program {
            Some(_) => Project::before_program(settings)?,
            None => match Project::load(settings, &asked.report) {
                // Without git nothing says what is new; the state after all of them needs no answer.
                Err(Failure::Input(_))
                    if base.is_none() && moment == Moment::AfterAll && ground.is_none() =>
                {
                    Project::load(settings, &ReportArguments { all: true, ..ReportArguments::new() })?
                        .with_all_earlier()
                }
                loaded => loaded?,
            },
        };
        project.require_runnable()?;
        let database = settings.database.clone();
        let mut bed = match ground {
            Some(ground) => {
                progress.step("making a branch");
                let (server, note) = ground.start("regress", settings, PROGRAM_CONNECTIONS).await?;
                Self { server, database, notes: vec![note] }
            }
            None => {
                progress.step("starting a private server");
                let server = start(settings, PROGRAM_CONNECTIONS).await?;
                Self { server, database, notes: Vec::new() }
            }
        };
        let needs_all = moment == Moment::AfterAll && project.begins_empty() && program.is_none();
        if ground.is_none() && needs_all {
            bed.make_whole(project, settings, progress).await?;
            return Ok(bed);
        }
        if ground.is_none() {
            make_state_before(&bed.server, &bed.database, &project, progress).await?;
            if let Some(program) = &program {
                program::run_before(&bed.server, settings, program, &settings.variables, progress).await?;
            }
            match fill(&bed.server, &bed.database, &project, settings, Rows::Seeded, progress).await {
                // A seed that is kept up with the migrations needs them.
                Err(Failure::Input(_)) if moment == Moment::AfterAll && !project.new.is_empty() => {
                    bed.server.drop_database(&bed.database).await.map_err(Failure::environment)?;
                    bed.make_whole(project, settings, progress).await?;
                    return Ok(bed);
                }
                filled => bed.note_rows(filled?, progress).await?,
            }
        }
        if moment == Moment::AfterAll {
            let note = bed.run_new(&project, Statistics::Taken, progress).await?;
            bed.notes.extend(note);
            if let Some(mut program) = program {
                program.before = vec![program.change.clone()];
                program::run_before(&bed.server, settings, &program, &settings.variables, progress).await?;
                bed.analyze(progress).await?;
            }
        }
        Ok(bed)
    }

    /// Runs all migrations, then loads rows.
    async fn make_whole(
        &mut self,
        project: Project,
        settings: &Settings,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let project = project.with_all_earlier();
        make_state_before(&self.server, &self.database, &project, progress).await?;
        let rows = fill(&self.server, &self.database, &project, settings, Rows::Seeded, progress).await?;
        self.note_rows(rows, progress).await
    }

    async fn note_rows(&mut self, rows: Rows, progress: &Progress) -> Result<(), Failure> {
        if rows == Rows::None {
            let note = "No rows were loaded ([database] seed): plans and figures are those of empty tables.";
            self.notes.push(note.to_owned());
            self.analyze(progress).await?;
        }
        Ok(())
    }

    /// Runs the new migrations on the state before them, and notes which they are.
    pub(crate) async fn run_new(
        &self,
        project: &Project,
        statistics: Statistics,
        progress: &Progress,
    ) -> Result<Option<String>, Failure> {
        if project.new.is_empty() {
            return Ok(None);
        }
        for migration in project.new.iter().map(Migration::as_sent) {
            progress.step(format!("running {}", migration.source.name()));
            let run = replay(&self.server, &self.database, migration).await;
            run.map_err(|error| in_script(error, "a new migration"))?;
        }
        if statistics == Statistics::Taken {
            self.analyze(progress).await?;
        }
        let names: Vec<String> = project.new.iter().map(|migration| migration.source.name()).collect();
        Ok(Some(format!("New migrations were run on it first: {}.", names.join(", "))))
    }

    /// Vacuums and analyzes all tables.
    pub(crate) async fn analyze(&self, progress: &Progress) -> Result<(), Failure> {
        progress.step("vacuuming and analyzing");
        analyze(&self.server, &self.database, None)
            .await
            .map_err(|error| in_script(error, "VACUUM (ANALYZE)"))
    }
}

/// What a command without arguments of its own asks for.
fn of_project(base: Option<&str>) -> CheckArguments {
    CheckArguments {
        report: ReportArguments { base: base.map(str::to_owned), ..ReportArguments::new() },
        command: Vec::new(),
        variables: Vec::new(),
        on: None,
        alarm_from: None,
        no_seed: false,
        workload: None,
        load: false,
        long_transaction: None,
    }
}

/// What becomes of the planner's statistics behind new migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statistics {
    /// They are taken anew.
    Taken,
    /// They stay: there are no rows to take them from.
    Kept,
}

/// What was measured of a query, in the order of its sets.
#[derive(Clone)]
pub(crate) struct MeasuredQuery {
    /// What explains its plans.
    pub(crate) state: Rc<State>,
    /// One a set; none of a query that is skipped.
    pub(crate) sets: Vec<Result<Taken, Failed>>,
}

impl MeasuredQuery {
    /// What explains its runs, with the fingerprint of its text.
    pub(crate) fn context<'a>(&'a self, text: &'a str) -> Context<'a> {
        self.state.context(text)
    }
}

/// What is done with each query.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    /// It is run, and what its result is worth comes from this.
    Measured(&'a dyn Fn(Task) -> Thoroughness),
    /// It is planned alone.
    Planned,
}

/// Measures every query of the corpus with each of its sets. `settings.measure.timeout` holds where a query has none of its own.
pub(crate) async fn measure_corpus(
    bed: &Bed,
    corpus: &[CorpusQuery],
    settings: &Settings,
    runs: usize,
    way: Way<'_>,
    progress: &Progress,
) -> Result<Vec<MeasuredQuery>, Failure> {
    let mut measured: Vec<Option<MeasuredQuery>> = corpus.iter().map(|_| None).collect();
    let folders: BTreeSet<&[PathBuf]> = corpus.iter().map(|query| query.fixtures.as_slice()).collect();
    for (at, fixtures) in folders.into_iter().enumerate() {
        let database = match fixtures {
            [] => bed.database.clone(),
            fixtures => {
                with_fixtures(bed, &format!("plimsoll_fixtures_{at}"), fixtures, settings, progress).await?
            }
        };
        let members: Vec<usize> =
            (0..corpus.len()).filter(|query| corpus[*query].fixtures == fixtures).collect();
        let group = Group { bed, database: &database, corpus, settings, runs, way, progress };
        for (query, seen) in group.measure(&members).await? {
            measured[query] = Some(seen);
        }
        if !fixtures.is_empty() {
            bed.server.drop_database(&database).await.map_err(Failure::environment)?;
        }
    }
    Ok(measured.into_iter().flatten().collect())
}

/// A copy of the state with the rows of these files.
async fn with_fixtures(
    bed: &Bed,
    name: &str,
    fixtures: &[PathBuf],
    settings: &Settings,
    progress: &Progress,
) -> Result<String, Failure> {
    bed.server.copy_database(&bed.database, name).await.map_err(Failure::environment)?;
    for path in fixtures {
        let source = read_source(path, &settings.current)?;
        progress.step(format!("loading {}", source.name()));
        run_script(&bed.server, name, &source)
            .await
            .map_err(|error| Failure::input(format!("load fixtures: {error}")))?;
    }
    analyze(&bed.server, name, None).await.map_err(|error| in_script(error, "VACUUM (ANALYZE)"))?;
    Ok(name.to_owned())
}

/// The queries that run on one database.
struct Group<'a> {
    bed: &'a Bed,
    database: &'a str,
    corpus: &'a [CorpusQuery],
    settings: &'a Settings,
    runs: usize,
    way: Way<'a>,
    progress: &'a Progress,
}

/// A query with one of its sets, by their places in the corpus that is measured.
#[derive(Clone, Copy)]
pub(crate) struct Task {
    pub(crate) query: usize,
    pub(crate) set: usize,
}

impl Group<'_> {
    /// Readers run side by side, which leaves the blocks that each touches as they are. Writers run one after another, behind them,
    /// since what was rolled back leaves dead rows.
    async fn measure(&self, members: &[usize]) -> Result<Vec<(usize, MeasuredQuery)>, Failure> {
        let first =
            MeasuringSession::open(&self.bed.server, self.database).await.map_err(Failure::environment)?;
        let state = Rc::new(first.state(self.database).await.map_err(Failure::environment)?);
        let is_skipped = |query: usize| self.corpus[query].skip.is_some();
        let tasks = |query: usize| {
            let sets = if is_skipped(query) { 0 } else { self.corpus[query].sets.len() };
            (0..sets).map(move |set| Task { query, set })
        };
        let (writers, readers): (Vec<usize>, Vec<usize>) =
            members.iter().partition(|query| changes_rows(&self.corpus[**query].query.sql));
        let queue: RefCell<VecDeque<Task>> =
            RefCell::new(readers.iter().flat_map(|query| tasks(*query)).collect());
        let seen = RefCell::new(Vec::new());
        let beside =
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MOST_SESSIONS);
        let mut sessions = vec![first];
        while sessions.len() < beside.min(queue.borrow().len()) {
            let session = MeasuringSession::open(&self.bed.server, self.database).await;
            sessions.push(session.map_err(Failure::environment)?);
        }
        let workers = sessions.iter().map(|session| self.work(session, &queue, &seen));
        try_join_all(workers).await.map_err(Failure::environment)?;
        let queue = RefCell::new(writers.iter().flat_map(|query| tasks(*query)).collect());
        self.work(&sessions[0], &queue, &seen).await.map_err(Failure::environment)?;
        let mut seen = seen.into_inner();
        seen.sort_by_key(|(task, _): &(Task, _)| (task.query, task.set));
        let mut measured: Vec<(usize, MeasuredQuery)> = members
            .iter()
            .map(|query| (*query, MeasuredQuery { state: Rc::clone(&state), sets: Vec::new() }))
            .collect();
        measured.sort_by_key(|(query, _)| *query);
        for (task, outcome) in seen {
            if let Ok(at) = measured.binary_search_by_key(&task.query, |(query, _)| *query) {
                measured[at].1.sets.push(outcome);
            }
        }
        Ok(measured)
    }

    /// Measures what is in the queue, until it is empty.
    async fn work(
        &self,
        session: &MeasuringSession<'_>,
        queue: &RefCell<VecDeque<Task>>,
        seen: &RefCell<Vec<(Task, Result<Taken, Failed>)>>,
    ) -> Result<(), MeasureError> {
        loop {
            let Some(task) = queue.borrow_mut().pop_front() else { return Ok(()) };
            let query = &self.corpus[task.query];
            let prepared = query.prepared_with(&query.sets[task.set]);
            self.progress.step(format!("measuring {}", prepared.query.name));
            let settings = MeasureSettings { runs: self.runs, timeout: timeout(query, self.settings) };
            let outcome = match self.way {
                Way::Measured(thoroughness) => {
                    let thoroughness = match query.thresholds.compares_result {
                        true => thoroughness(task),
                        false => Thoroughness::Known(Repeats::Not),
                    };
                    let taken = session.measure(&prepared, settings, thoroughness).await?;
                    if let Ok(taken) = &taken
                        && taken.writes()
                    {
                        session.tidy(taken).await?;
                    }
                    taken
                }
                Way::Planned => session.plan(&prepared, settings.timeout).await?,
            };
            seen.borrow_mut().push((task, outcome));
        }
    }
}

/// Sessions that measure side by side: more than this and the server's own work suffers.
const MOST_SESSIONS: usize = 4;

/// How long a run of a query may take.
pub(crate) fn timeout(query: &CorpusQuery, settings: &Settings) -> Duration {
    query.thresholds.timeout.unwrap_or(settings.measure.timeout)
}

/// The file of a query file's baseline.
pub(crate) fn baseline_path(queries: &Path) -> PathBuf {
    queries.with_extension("baseline")
}
