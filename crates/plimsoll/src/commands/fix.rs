//! `plimsoll fix`: the change rewritten so that it blocks nobody for long, proven on a private server to come to the same,
//! and written only if asked for.

mod candidate;
mod proof;
mod proven;
mod shown;
mod written;

use std::path::Path;

use plimsoll_core::{ChangeScope, Finding, Severity};
use plimsoll_lint::fix::{Answer, Proposal, propose};
use plimsoll_lint::judge;
use plimsoll_sql::{InputFile, Migration, Schema};

use crate::advice;
use crate::args::{FixArguments, FixFormat, ReportArguments};
use crate::commands::lint::Linted;
use crate::exit::{CLEAN, FINDINGS, Failure, unless_stopped};
use crate::inputs::Inputs;
use crate::migration_program::MigrationProgram;
use crate::output::print;
use crate::project::Project;
use crate::settings::Settings;
use candidate::Workshop;
use proven::{Outcome, RewrittenFile};

/// One new migration and what is to become of it.
pub(crate) struct Subject<'a> {
    pub(crate) migration: &'a Migration,
    /// The schema before it.
    pub(crate) before: Schema,
    pub(crate) findings: Vec<Finding>,
    pub(crate) proposal: Proposal,
}

impl Subject<'_> {
    /// Whether there is anything to try.
    pub(crate) fn is_rewritten(&self) -> bool {
        !self.proposal.rewrites.is_empty() || self.proposal.wants_guard()
    }

    /// The line of a statement, from 1.
    pub(crate) fn line(&self, statement: usize) -> usize {
        let start = self.migration.statements.get(statement).map_or(0, |statement| statement.range.start);
        self.migration.source.line_column(start).0
    }
}

pub(crate) async fn run(arguments: &FixArguments, config: Option<&Path>) -> Result<u8, Failure> {
    if arguments.files.iter().any(|file| file.as_os_str() == "-") {
        return Err(Failure::input("fix standard input: name the file, so that others can be put beside it"));
    }
    let settings = Settings::load(config, arguments.postgres)?;
    settings.require_rehearsable()?;
    if arguments.files.is_empty() && MigrationProgram::is_used(&settings) {
        let advice =
            advice::of_framework(&settings.root).map(|advice| format!(". {advice}")).unwrap_or_default();
        return Err(Failure::input(format!(
            "fix migrations that are programs: SQL files alone are rewritten; `plimsoll check` says what is safer{advice}"
        )));
    }
    let asked = report_arguments(arguments);
    let project = Project::load(&settings, &asked)?;
    project.require_readable()?;
    let linted = Linted::of(project.judge(&settings), &project, &settings, &asked)?;
    let subjects = subjects(&project, &settings, &linted.judgement.findings);
    let files = folder_files(&project, &settings)?;
    let workshop = Workshop { project: &project, settings: &settings, files };
    if arguments.write {
        written::require_clean(&workshop, &subjects)?;
    }
    let tried = subjects.iter().any(Subject::is_rewritten);
    let outcomes = match tried {
        true => {
            project.require_runnable()?;
            unless_stopped(proof::outcomes(&workshop, &subjects, arguments.no_seed)).await?
        }
        false => subjects.iter().map(|_| Outcome::default()).collect(),
    };
    let rewritten: Vec<&RewrittenFile> = outcomes.iter().flat_map(|outcome| &outcome.files).collect();
    if arguments.write {
        written::write(&workshop, &rewritten)?;
    }
    let report = shown::Report {
        workshop: &workshop,
        subjects: &subjects,
        outcomes: &outcomes,
        notes: linted.notes,
        written: arguments.write && !rewritten.is_empty(),
    };
    print(&match arguments.format {
        FixFormat::Terminal => report.text(),
        FixFormat::Json => report.json(),
    })?;
    let leaves_some = subjects
        .iter()
        .zip(&outcomes)
        .any(|(subject, outcome)| outcome.untried.is_some() || leaves_hazards(subject, outcome));
    let unwritten = !arguments.write && !rewritten.is_empty();
    Ok(if leaves_some || unwritten { FINDINGS } else { CLEAN })
}

/// Whether an error stays in the files.
fn leaves_hazards(subject: &Subject, outcome: &Outcome) -> bool {
    subject.findings.iter().enumerate().any(|(index, finding)| {
        let answer =
            subject.proposal.answers.iter().find(|(number, _)| *number == index).map(|(_, answer)| answer);
        let mended = match answer {
            Some(Answer::Rewritten(rewrite)) => outcome.is_proven(*rewrite),
            Some(Answer::Guarded) => outcome.compared.is_some(),
            _ => false,
        };
        finding.severity == Severity::Error && !mended
    })
}

/// What the change is, as the other verbs are told it.
fn report_arguments(arguments: &FixArguments) -> ReportArguments {
    ReportArguments {
        files: arguments.files.clone(),
        base: arguments.base.clone(),
        all: arguments.all,
        postgres: arguments.postgres,
        snapshot: arguments.snapshot.clone(),
        ..ReportArguments::new()
    }
}

/// The new migrations with what is proposed for each.
fn subjects<'a>(project: &'a Project, settings: &Settings, findings: &[Finding]) -> Vec<Subject<'a>> {
    let lint = project.lint_settings(settings);
    let mut schema = project.schema_before();
    schema.begin_change();
    let mut subjects = Vec::new();
    for migration in &project.new {
        if project.scope == ChangeScope::EachFile {
            schema.begin_change();
        }
        let before = schema.clone();
        let own = |finding: &&Finding| finding.location.file == migration.source.name();
        let findings: Vec<Finding> = findings.iter().filter(own).cloned().collect();
        let proposal = propose(&mut schema, migration, &findings, &lint);
        subjects.push(Subject { migration, before, findings, proposal });
    }
    subjects
}

/// All files of the migrations folder that a layout looks at.
fn folder_files(project: &Project, settings: &Settings) -> Result<Vec<InputFile>, Failure> {
    match project.folder() {
        Some(folder) => Ok(Inputs::of_working_tree(&settings.current).folder(folder)?.files),
        None => Ok(Vec::new()),
    }
}

/// What lint reports of files that come after a state.
fn judged(
    before: &Schema,
    migrations: &[&Migration],
    project: &Project,
    settings: &Settings,
) -> Vec<Finding> {
    judge(&mut before.clone(), migrations, ChangeScope::Together, &project.lint_settings(settings)).findings
}
