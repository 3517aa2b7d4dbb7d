//! `plimsoll lint --schema`: what is wrong with a schema as it stands, after all migrations or on a server.

use std::path::{Path, PathBuf};

use plimsoll_core::{Report, SourceFile};
use plimsoll_lint::schema_rules::SchemaJudgement;
use plimsoll_lint::{SchemaPart, judge_schema, schema_rule};
use plimsoll_pg::catalogue::Bodies;
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Snapshot, Statement};

use crate::args::{ColorChoice, LintArguments, ServerAddress};
use crate::baseline::{self, Judged};
use crate::commands::snapshot;
use crate::exit::{CLEAN, Failure};
use crate::inputs::read_source;
use crate::output::{deliver, print};
use crate::project::{Project, snapshot_of};
use crate::settings::Settings;

/// What is judged: the whole of it, in the order of replay.
struct Subject {
    snapshot: Option<Snapshot>,
    dump: Option<(SourceFile, Vec<Statement>)>,
    project: Project,
    notes: Vec<String>,
}

pub(crate) async fn run(
    mut arguments: LintArguments,
    config: Option<&Path>,
    color: ColorChoice,
) -> Result<u8, Failure> {
    let settings = Settings::load(config, arguments.report.postgres)?;
    // Every migration counts, whether git calls it new or not.
    arguments.report.all = true;
    let subject = subject(&arguments, &settings).await?;
    let lint = Project::settings_with(subject.snapshot.as_ref(), &settings);
    let SchemaJudgement { findings, without_counters } = judge_schema(&subject.parts(), &lint);
    let judged = subject.judged();
    let mut notes = subject.notes;
    let mut findings = findings;
    if let Some(path) = &arguments.write_baseline {
        let count = baseline::write(findings, &settings.current.join(path), &judged, &settings)?;
        let what = if count == 1 { "finding" } else { "findings" };
        print(&format!("wrote {}: {count} {what}\n", path.display()))?;
        return Ok(CLEAN);
    }
    let path = arguments.report.baseline.as_ref().map(|path| settings.current.join(path));
    if let Some(path) = path.as_ref().or(settings.baseline.as_ref()) {
        let met = baseline::leave_out(findings, path, &judged, &settings)?;
        findings = met.new;
        notes.extend(met.notes);
    }
    if !without_counters.is_empty() {
        notes.push(format!(
            "{} said nothing: they need what a server counts. Name a server or a snapshot behind --schema.",
            without_counters.join(", ")
        ));
    }
    let report = Report::new(findings, None, None, notes);
    deliver(&report, &judged.sources, &arguments.report, color)
}

impl Subject {
    fn parts(&self) -> Vec<SchemaPart<'_>> {
        let snapshot = self.snapshot.iter().map(SchemaPart::Snapshot);
        let dump = self.dump.iter().map(|(source, statements)| SchemaPart::Dump(source, statements));
        let migrations = self.project.earlier.iter().chain(&self.project.new).map(SchemaPart::Migration);
        snapshot.chain(dump).chain(migrations).collect()
    }

    fn judged(&self) -> Judged {
        let sources = self.snapshot.iter().map(|snapshot| snapshot.source.clone());
        let dump = self.dump.iter().map(|(source, _)| source.clone());
        let migrations = self.project.earlier.iter().chain(&self.project.new);
        let sources = sources.chain(dump).chain(migrations.map(|migration| migration.source.clone()));
        Judged {
            sources: sources.collect(),
            unreadable: Vec::new(),
            finds: |rule| schema_rule(rule).is_some(),
        }
    }

    fn of_snapshot(snapshot: Snapshot) -> Self {
        Self { snapshot: Some(snapshot), dump: None, project: Project::empty(), notes: Vec::new() }
    }

    fn of_dump(source: SourceFile) -> Self {
        let statements = parse_script(source.text()).0;
        Self {
            snapshot: None,
            dump: Some((source, statements)),
            project: Project::empty(),
            notes: Vec::new(),
        }
    }
}

async fn subject(arguments: &LintArguments, settings: &Settings) -> Result<Subject, Failure> {
    let named = arguments.schema.as_deref().filter(|named| !named.is_empty());
    let Some(named) = named else { return configured(arguments, settings) };
    let path = settings.current.join(named);
    if path.is_file() {
        return of_file(&path, settings);
    }
    if !named.contains("://") && !named.contains('=') {
        return Err(Failure::input(format!(
            "judge the schema {named}: there is no such file, and no URL begins so; write postgres://role@host/database"
        )));
    }
    let snapshot = snapshot::take(Some(named), &ServerAddress::default(), Bodies::Read).await?;
    let name = snapshot.source.name();
    let mut subject = Subject::of_snapshot(snapshot);
    subject.notes.push(format!(
        "{name} is what the server's catalogue said; `plimsoll snapshot` with the same address writes it down."
    ));
    Ok(subject)
}

fn of_file(path: &Path, settings: &Settings) -> Result<Subject, Failure> {
    let source = read_source(path, &settings.current)?;
    match Snapshot::is_one(source.text()) {
        true => Ok(Subject::of_snapshot(snapshot_of(source)?)),
        false => Ok(Subject::of_dump(source)),
    }
}

/// The snapshot or dump that is configured, or else all migrations.
fn configured(arguments: &LintArguments, settings: &Settings) -> Result<Subject, Failure> {
    let snapshot: Option<PathBuf> =
        arguments.report.snapshot.as_ref().map(|path| settings.current.join(path));
    if let Some(path) = snapshot.as_ref().or(settings.snapshot.as_ref()).or(settings.schema.as_ref()) {
        return of_file(path, settings);
    }
    let project = Project::load(settings, &arguments.report)?;
    let unreadable = project.unreadable.iter().chain(&project.unreadable_before);
    let notes = unreadable
        .map(|one| {
            format!(
                "{}:{} can't be read, so what the file makes isn't known: {}.",
                one.location.file, one.location.line, one.why
            )
        })
        .collect();
    Ok(Subject { snapshot: None, dump: None, project, notes })
}
