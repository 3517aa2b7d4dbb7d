//! `plimsoll check`: lint, rehearsal and queries, and one verdict. `plimsoll rehearse` is the
//! rehearsal alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use plimsoll_core::proof::{PROGRAM_FAILS, STATEMENT_FAILS, prove_knowing};
use plimsoll_core::workload::WorkloadStatement;
use plimsoll_core::{EvidenceKind, Finding, Rehearsal, Report, SourceFile};
use plimsoll_lint::suppression::Suppressions;
use plimsoll_lint::{Judgement, Policy};
use plimsoll_pg::rehearse::{RehearseError, rehearse};
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::Migration;

use crate::advice;
use crate::alarm_threshold;
use crate::args::{CheckArguments, ColorChoice};
use crate::commands::lint::Linted;
use crate::commands::trunk::now;
use crate::corpus::{self, CorpusQuery};
use crate::exit::{Failure, unless_stopped};
use crate::history;
use crate::kept_run;
use crate::migration_program::MigrationProgram;
use crate::output::deliver;
use crate::private_database::{PROGRAM_CONNECTIONS, Rows, fill, in_script, make_state_before, start};
use crate::progress::Progress;
use crate::project::Project;
use crate::query_report;
use crate::settings::Settings;

mod copies;
pub(crate) mod ground;
mod measured;
pub(crate) mod program;
mod scale;
mod traffic;
mod workload;

use ground::Ground;
use measured::{Measured, WithoutRows};
use scale::Production;
use traffic::{KnownTraffic, Load};

/// What is done of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    /// Lint, rehearsal and queries.
    All,
    /// The rehearsal, and the hazards that it sees.
    RehearsalAlone,
}

pub(crate) async fn run(
    arguments: &CheckArguments,
    config: Option<&Path>,
    color: ColorChoice,
    parts: Parts,
) -> Result<u8, Failure> {
    let ground = arguments.on.as_ref().map(|trunk| Ground::of(trunk, config)).transpose()?;
    let mut settings = settings(arguments, config, ground.as_ref())?;
    settings.require_rehearsable()?;
    let alarm_notes = alarm_threshold::choose(&mut settings, arguments.alarm_from);
    let program = MigrationProgram::find(arguments, &settings)?;
    let project = match &program {
        Some(_) => Project::before_program(&settings)?,
        None => Project::load(&settings, &arguments.report)?,
    };
    let has_rates = arguments.load || !settings.workload.rates.is_empty();
    let queries = match &settings.queries {
        Some(folder) if parts == Parts::All || has_rates => corpus::load(folder, &settings)?,
        _ => Vec::new(),
    };
    let (statements, workload_source) = workload::workload(&settings, arguments, &queries)?;
    let load = match (arguments.load, arguments.long_transaction) {
        (false, _) => Load::No,
        (true, None) => Load::Plain,
        (true, Some(lasts)) => Load::Behind(lasts),
    };
    project.require_runnable()?;
    let change = match program {
        Some(program) => Change::Program(program),
        None => Change::Files(Linted::of(project.judge(&settings), &project, &settings, &arguments.report)?),
    };
    // A trunk has its own sizes.
    let production = if ground.is_some() { None } else { Production::read(&settings)? };
    let rows = if arguments.no_seed { Rows::None } else { Rows::Seeded };
    let mut sources = project.sources();
    sources.extend(workload_source);
    for query in &queries {
        if sources.iter().all(|source| source.path() != query.source.path()) {
            sources.push(query.source.clone());
        }
    }
    let report = match change {
        Change::Files(linted) if project.new.is_empty() => Report::new(Vec::new(), None, None, linted.notes),
        change => {
            let queries = if parts == Parts::All { queries } else { Vec::new() };
            let asked =
                Asked { arguments, ground, queries, alarm_notes, statements, production, load, rows, parts };
            let (report, scripts) = unless_stopped(examine(project, &settings, change, asked)).await?;
            sources.extend(scripts);
            report
        }
    };
    deliver(&report, &sources, &arguments.report, color)
}

/// On a trunk, its server's version and its database are the project's.
fn settings(
    arguments: &CheckArguments,
    config: Option<&Path>,
    ground: Option<&Ground>,
) -> Result<Settings, Failure> {
    let asked = arguments.report.postgres;
    let Some(ground) = ground else { return Settings::load(config, asked) };
    if let Some(major) = asked.filter(|major| *major != ground.major()) {
        return Err(Failure::input(format!(
            "rehearse on PostgreSQL {major}: the trunk is one of PostgreSQL {}; leave --postgres out",
            ground.major()
        )));
    }
    let settings = Settings::load(config, Some(ground.major()))?;
    Ok(Settings { database: ground.database().to_owned(), ..settings })
}

/// What makes the change.
enum Change {
    /// Files, judged already.
    Files(Linted),
    /// A program, whose statements are judged when they are known.
    Program(MigrationProgram),
}

/// What a run is asked for.
struct Asked<'a> {
    arguments: &'a CheckArguments,
    /// What it is rehearsed on, unless that is made from the project's own files.
    ground: Option<Ground>,
    /// Queries that are measured before and after the change.
    queries: Vec<CorpusQuery>,
    /// From where on a query is worse, and why from there.
    alarm_notes: Vec<String>,
    /// The workload.
    statements: Vec<WorkloadStatement>,
    /// Production's sizes, if they are known.
    production: Option<Production>,
    load: Load,
    rows: Rows,
    parts: Parts,
}

/// Runs the change on a private server and puts the report together; with the scripts that a program's statements make.
async fn examine(
    project: Project,
    settings: &Settings,
    change: Change,
    asked: Asked<'_>,
) -> Result<(Report, Vec<SourceFile>), Failure> {
    let progress = Progress::new();
    let Asked { arguments, ground, queries, alarm_notes, statements, production, load, rows, parts } = asked;
    let variables = [&settings.variables[..], &arguments.variables[..]].concat();
    progress.step("starting a private server");
    let of_load = if load == Load::No { 0 } else { settings.workload.connections };
    let of_program = if matches!(change, Change::Program(_)) { PROGRAM_CONNECTIONS } else { 0 };
    let database = &settings.database;
    let (server, ground_note) = match &ground {
        Some(ground) => {
            let (server, note) = ground.start("check", settings, of_load + of_program).await?;
            (server, Some(note))
        }
        None => {
            let server = start(settings, of_load + of_program).await?;
            make_state_before(&server, database, &project, &progress).await?;
            if let Change::Program(program) = &change {
                program::run_before(&server, settings, program, &variables, &progress).await?;
            }
            (server, None)
        }
    };
    let without_rows = match (&ground, &change) {
        (Some(ground), _) => WithoutRows::Branch(ground),
        (None, Change::Files(_)) => WithoutRows::Replayed,
        (None, Change::Program(_)) => WithoutRows::Kept,
    };
    let asks_for_culprits = matches!(without_rows, WithoutRows::Kept) && !queries.is_empty();
    if asks_for_culprits || production.is_some() && rows == Rows::Seeded {
        copies::keep(&server, database, copies::EMPTY).await?;
    }
    let rows = match &ground {
        Some(_) => Rows::Seeded,
        None => fill(&server, database, &project, settings, rows, &progress).await?,
    };
    let unscaled = production.is_some() && rows == Rows::None;
    let production = production.filter(|_| rows == Rows::Seeded);
    if load != Load::No || production.is_some() {
        progress.step("copying the state before the change");
        copies::keep(&server, database, copies::PRISTINE).await?;
    }
    let queries_are_none = queries.is_empty();
    let skipped = queries.iter().filter_map(CorpusQuery::skipped);
    let skipped: Vec<String> =
        skipped.map(|(name, why)| format!("Query {name} is skipped: {why}.")).collect();
    let traffic = KnownTraffic::before(&server, settings, statements, load, &progress).await?;
    let mut measured = Measured::before(&server, settings, queries, &progress).await?;
    let (project, linted, rehearsal, program, failure) = match change {
        Change::Files(linted) => {
            let rehearsal = rehearsed(&server, settings, &project, &progress).await?;
            (project, linted, rehearsal, None, None)
        }
        Change::Program(program) => {
            let snapshot = program::snapshot(&server, settings).await?;
            let done = program::rehearse(&server, settings, &program, &variables, &progress).await?;
            let project = Project::of_scripts(snapshot, done.scripts, program::SCOPE, done.notes);
            let linted = Linted::of(project.judge(settings), &project, settings, &arguments.report)?;
            (project, linted, done.rehearsal, Some(program), done.failure)
        }
    };
    let project = &project;
    let rehearsal = Rehearsal { seeded: rows == Rows::Seeded, ..rehearsal };
    let Linted { judgement, mut notes } = linted;
    notes.extend(ground_note);
    notes.extend(skipped);
    if !queries_are_none {
        notes.extend(alarm_notes);
    }
    let Judgement { findings, accepted, mut suppressions, .. } = judgement;
    let findings = if parts == Parts::All { findings } else { Vec::new() };
    let proven = prove_knowing(findings, accepted, &rehearsal, |record| {
        let migration = project.new.iter().find(|migration| migration.source.name() == record.file);
        located(migration, record.statement, &record.file, record.line)
    });
    let kept_claims =
        (parts == Parts::All && settings.history.is_some()).then(|| kept_run::claims(project, &proven));
    let findings = proven.findings.into_iter().chain(failure).collect();
    let mut findings = wanted(findings, &settings.lint.policy, &mut suppressions);
    let touched = touched_relations(&rehearsal);
    measured.after(&server, settings, project, without_rows, &touched, &progress).await?;
    let mut query_reports = measured.judged(project);
    if let (Some(history), Some(queries)) = (&settings.regress.history, &mut query_reports) {
        history::keep(history, queries, now().0)?;
    }
    if let Some(claims) = kept_claims {
        let queries = query_reports.as_deref_mut().unwrap_or_default();
        notes.extend(kept_run::keep_check(settings, project, claims, queries, &rehearsal.server_version));
    }
    let query_findings = query_reports.iter().flatten().filter_map(query_report::finding).collect();
    findings.extend(wanted(query_findings, &settings.lint.policy, &mut suppressions));
    if parts == Parts::All {
        findings.extend(suppressions.remarks(&settings.lint.policy));
    }
    if program.is_some() {
        notes.extend(advice::of_findings(&settings.root, &findings).map(str::to_owned));
    }
    let blocked = traffic.predicted(&rehearsal);
    let scale = match production {
        Some(production) => {
            production.scaled(&server, project, &rehearsal, blocked.as_ref(), &mut notes, &progress).await?
        }
        None => None,
    };
    let again = program.as_ref().map(|program| program::Again {
        server: &server,
        settings,
        program,
        variables: &variables,
    });
    let load = traffic.measured(project, &rehearsal, again.as_ref(), &progress).await?;
    notes.extend(traffic::notes(&load));
    if rows == Rows::None {
        let why = if project.begins_empty() && !(settings.seeds.is_empty() && settings.seed_command.is_none())
        {
            "nothing exists before the change that the seed could fill"
        } else {
            "[database] seed"
        };
        let scaled = if unscaled { ", and none is scaled to production's sizes" } else { "" };
        notes.push(format!(
            "No rows were loaded ({why}): locks, rewrites and scans hold all the same, times and costs mean nothing{scaled}."
        ));
    }
    if !project.new.is_empty() && project.new.iter().all(|migration| migration.statements.is_empty()) {
        notes.push("The new migrations hold no statement.".into());
    }
    let report = Report::new(findings, Some(rehearsal), query_reports, notes);
    Ok((Report { blocked, load, scale, ..report }, project.sources()))
}

/// What only a server saw, as far as the team wants to hear of it.
fn wanted(findings: Vec<Finding>, policy: &Policy, suppressions: &mut Suppressions) -> Vec<Finding> {
    let general = policy.general();
    let wanted = findings.into_iter().filter_map(|finding| {
        if finding.evidence.kind != EvidenceKind::Observed {
            return Some(finding);
        }
        let path = PathBuf::from(&finding.location.file);
        let judged =
            [STATEMENT_FAILS, PROGRAM_FAILS].contains(&finding.rule.as_str()) || policy.judges(&path);
        if !judged || suppressions.cover(&finding) {
            return None;
        }
        policy.for_file(&path, &general).leveled(finding)
    });
    wanted.collect()
}

async fn rehearsed(
    server: &PrivateServer,
    settings: &Settings,
    project: &Project,
    progress: &Progress,
) -> Result<Rehearsal, Failure> {
    let new: Vec<&Migration> = project.new.iter().map(Migration::as_sent).collect();
    let observer = |migration: &Migration, index: usize, sql: &str| {
        let line = migration.source.line_column(migration.statements[index].range.start).0;
        progress.step(format!("rehearsing {}:{line} {sql}", migration.source.name()));
    };
    let mut rehearsal =
        rehearse(server, &settings.database, &new, project.scope, &observer).await.map_err(interrupted)?;
    for record in &mut rehearsal.statements {
        let Some(migration) = project.new.iter().find(|one| one.source.name() == record.file) else {
            continue;
        };
        record.line = migration.place_in_file(record.line, 1).0;
        if let Some(error) = &mut record.error {
            (error.line, error.column) = migration.place_in_file(error.line, error.column);
        }
    }
    Ok(rehearsal)
}

fn interrupted(error: RehearseError) -> Failure {
    in_script(error, "the rehearsal")
}

/// The place of a statement of a change.
fn located(
    migration: Option<&Migration>,
    statement: usize,
    file: &str,
    line: usize,
) -> plimsoll_core::Location {
    match migration.and_then(|migration| Some((migration, migration.statements.get(statement)?))) {
        Some((migration, statement)) => migration.source.location(statement.range.clone()),
        None => plimsoll_core::Location { file: file.into(), line, column: 1, end_line: line, end_column: 1 },
    }
}

/// Existing relations that the change may have left with other rows or statistics.
fn touched_relations(rehearsal: &Rehearsal) -> BTreeSet<String> {
    let locks = rehearsal.statements.iter().flat_map(|record| &record.locks);
    locks
        .filter(|lock| lock.mode >= plimsoll_core::LockMode::RowExclusive)
        .map(|lock| lock.relation.clone())
        .collect()
}
