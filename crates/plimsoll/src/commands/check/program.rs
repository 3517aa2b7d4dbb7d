//! A change that a program makes: its statements become scripts, one a migration of its tool where that is known, so that
//! lint, reports and everything else see them as files.

use std::cell::RefCell;
use std::collections::HashMap;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use plimsoll_core::finding::{Claim, Evidence, EvidenceKind, Finding, Severity};
use plimsoll_core::load::ChangeFailure;
use plimsoll_core::proof::PROGRAM_FAILS;
use plimsoll_core::rehearsal::Outcome as StatementOutcome;
use plimsoll_core::units::plural;
use plimsoll_core::{ChangeScope, Location, LockMode, Rehearsal, SourceFile, StatementRecord};
use plimsoll_pg::catalogue::{Bodies, Limits, Target, Variables, take_snapshot};
use plimsoll_pg::load::ChangeAmongRequests;
use plimsoll_pg::rehearse::{ProgramRehearsal, ProgramScript, rehearse_program};
use plimsoll_pg::server::PrivateServer;
use plimsoll_pg::tap::{Doors, Outcome, Session, Sink, Statement, Tap, TapOptions};
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::snapshot::Facts;
use plimsoll_sql::{Migration, NormalForm, Snapshot, TransactionHabit};

use super::interrupted;
use crate::exit::Failure;
use crate::migration_program::{Command, MigrationProgram};
use crate::output::tell;
use crate::program;
use crate::progress::Progress;
use crate::project::{Project, read_snapshot};
use crate::settings::Settings;
use crate::tapped::{Login, TapEnvironment, never_came};

/// What a program's change came to.
pub(super) struct Done {
    pub(super) rehearsal: Rehearsal,
    /// Its statements, as scripts.
    pub(super) scripts: Vec<Migration>,
    pub(super) notes: Vec<String>,
    /// That it ended badly, though no statement's failure says so.
    pub(super) failure: Option<Finding>,
}

/// Brings an empty database to the state before the change, as the tool does it.
pub(crate) async fn run_before(
    server: &PrivateServer,
    settings: &Settings,
    program: &MigrationProgram,
    variables: &[(String, String)],
    progress: &Progress,
) -> Result<(), Failure> {
    for command in &program.before {
        let shown = command.shown();
        progress.step(format!("running {shown}"));
        let tap =
            Tap::open(TapOptions::before(server), Arc::new(Unheard)).await.map_err(Failure::environment)?;
        let environment = TapEnvironment::new(tap.doors(), &login(server, settings), variables);
        let status =
            run(command, tap.doors(), &login(server, settings), settings, program, variables).await?;
        if !status.success() {
            return Err(Failure::input(format!(
                "bring the private server to the state before the change: `{shown}` ended with {status}; the change itself was not \
                 run. [migrations] before names another command"
            )));
        }
        if tap.sessions() == 0 {
            return Err(never_came(&shown, &environment));
        }
    }
    Ok(())
}

/// What lint is to know of the state before the change: its schema; sizes only where a snapshot of the real server is
/// configured, since those of the private copy say nothing.
pub(super) async fn snapshot(server: &PrivateServer, settings: &Settings) -> Result<Snapshot, Failure> {
    let target = Target::resolve(Some(&server.url(&settings.database)), &Variables::default())
        .map_err(Failure::environment)?;
    let taken =
        take_snapshot(&target, Limits::default(), Bodies::Read).await.map_err(Failure::environment)?;
    let mut before = Snapshot::read(SourceFile::new("before.plimsoll", taken.text)).map_err(|error| {
        Failure::environment(format!(
            "understand the catalogue of the private server, line {}: {}",
            error.location.line, error.why
        ))
    })?;
    let real = settings.snapshot.as_ref().map(|path| read_snapshot(path, settings)).transpose()?;
    let Facts { tables, indexes, sequences, .. } = real.map(|real| real.facts).unwrap_or_default();
    before.facts = Facts { tables, indexes, sequences, ..before.facts };
    Ok(before)
}

/// Rehearses the change.
pub(super) async fn rehearse(
    server: &PrivateServer,
    settings: &Settings,
    program: &MigrationProgram,
    variables: &[(String, String)],
    progress: &Progress,
) -> Result<Done, Failure> {
    let shown = program.change.shown();
    progress.step(format!("running {shown}"));
    let environment = RefCell::new(None);
    let observer = |sql: &str| progress.step(format!("rehearsing {sql}"));
    let running = |doors: &Doors| {
        *environment.borrow_mut() = Some(TapEnvironment::new(doors, &login(server, settings), variables));
        run(&program.change, doors, &login(server, settings), settings, program, variables)
    };
    let (status, done) = rehearse_program(server, &settings.database, &program.name, &observer, running)
        .await
        .map_err(interrupted)?;
    let status = status?;
    if !done.was_reached {
        if !status.success() {
            return Err(Failure::input(format!(
                "rehearse `{shown}`: it ended with {status} before it connected"
            )));
        }
        let environment = environment.into_inner();
        return Err(environment.map_or_else(
            || Failure::input(format!("rehearse `{shown}`: it never connected")),
            |environment| never_came(&shown, &environment),
        ));
    }
    let mut done = scripts(done, &program.name, program.notes.clone());
    if !status.success() {
        tell(&format!("`{shown}` ended with {status}; what it did until then is reported"));
        done.notes.insert(0, format!("`{shown}` ended with {status}: what it did until then is reported."));
        let mut records = done.rehearsal.statements.iter();
        let is_told =
            records.any(|record| record.outcome == StatementOutcome::Error && record.undone_by.is_none());
        done.failure = (!is_told).then(|| ended_badly(&program.name, &shown, status));
    }
    Ok(done)
}

/// The finding that a program ended badly, whose place is the program.
fn ended_badly(name: &str, shown: &str, status: ExitStatus) -> Finding {
    Finding {
        rule: PROGRAM_FAILS.to_owned(),
        severity: Severity::Error,
        message: format!(
            "the program ended with {status}, and no statement had failed: what it hadn't done by then is unknown"
        ),
        remedy: "Read what it wrote to standard error, and mend it before you deploy.".to_owned(),
        location: Location { file: name.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 },
        statement: None,
        evidence: Evidence {
            kind: EvidenceKind::Observed,
            facts: vec![format!("`{shown}` ended with {status}")],
        },
        claim: Claim::Nothing,
        fix: None,
    }
}

/// Through the tap the program is the superuser of a server of its own.
fn login(server: &PrivateServer, settings: &Settings) -> Login {
    Login { user: server.superuser().to_owned(), database: settings.database.clone(), password: None }
}

/// Runs a command in the project's folder.
fn run(
    command: &Command,
    doors: &Doors,
    login: &Login,
    settings: &Settings,
    program: &MigrationProgram,
    variables: &[(String, String)],
) -> impl Future<Output = Result<ExitStatus, Failure>> + use<> {
    let environment = TapEnvironment::new(doors, login, variables);
    let further = program.environment(&environment, login);
    let (words, root) = (command.0.clone(), settings.root.clone());
    async move {
        let further = further?;
        program::run(&words, |command| {
            environment.apply(command);
            command.envs(further).current_dir(root);
        })
        .await
    }
}

struct Unheard;

impl Sink for Unheard {
    fn statement(&self, _: &Session, _: &Statement<'_>) {}
}

/// A program to be run once more, among the requests of a workload.
pub(super) struct Again<'a> {
    pub(super) server: &'a PrivateServer,
    pub(super) settings: &'a Settings,
    pub(super) program: &'a MigrationProgram,
    pub(super) variables: &'a [(String, String)],
}

impl Again<'_> {
    /// Runs it, unwatched, on the database in its state before the change. Returns when its statements ran, and what failed
    /// and hadn't failed in the rehearsal; if it ended badly, its last failure.
    pub(super) async fn run(
        &self,
        project: &Project,
        rehearsal: &Rehearsal,
        lock_timeout: Option<Duration>,
    ) -> Result<ChangeAmongRequests, Failure> {
        let Self { server, settings, program, variables } = *self;
        if let Some(patience) = lock_timeout {
            self.begin_sessions_with(patience).await?;
        }
        let heard = Arc::new(Heard::default());
        let tap = Tap::open(TapOptions::before(server), Arc::clone(&heard) as Arc<dyn Sink>).await;
        let tap = tap.map_err(Failure::environment)?;
        let login = login(server, settings);
        let status = run(&program.change, tap.doors(), &login, settings, program, variables).await?;
        let shown = program.change.shown();
        if tap.sessions() == 0 {
            return Err(Failure::input(format!(
                "run `{shown}` again among the requests: this time it never connected ({status}); --load needs a command that \
                 can be run twice"
            )));
        }
        // An answer goes to the program before it is looked at: the last one may not have been yet.
        drop(tap);
        let Ran { refused, statements } =
            std::mem::take(&mut *heard.0.lock().unwrap_or_else(PoisonError::into_inner));
        let known = |one: &Refusal| {
            let mut errors = rehearsal.statements.iter().filter_map(|record| record.error.as_ref());
            errors.any(|error| error.sqlstate == one.sqlstate && error.message == one.message)
        };
        let told = match refused.iter().find(|one| !known(one)) {
            None if !status.success() => refused.last(),
            new => new,
        };
        if told.is_none() && !status.success() {
            tell(&format!("`{shown}` ended with {status} when it was run again among the requests"));
        }
        let failure = told.map(|refusal| refusal.placed(project, &program.name));
        Ok(ChangeAmongRequests { failure, statements })
    }

    /// Lets the program's sessions begin with this `lock_timeout`. Those of the load are open already.
    async fn begin_sessions_with(&self, patience: Duration) -> Result<(), Failure> {
        let client = self.server.connect(&self.settings.database).await.map_err(Failure::environment)?;
        let database = self.settings.database.replace('"', "\"\"");
        let set = format!("ALTER DATABASE \"{database}\" SET lock_timeout = {}", patience.as_millis());
        client
            .batch_execute(&set)
            .await
            .map_err(|error| Failure::environment(format!("set lock_timeout: {error}")))
    }
}

/// A statement that the server refused.
#[derive(Debug)]
struct Refusal {
    sql: String,
    sqlstate: String,
    message: String,
}

impl Refusal {
    /// With its place in the program's scripts.
    fn placed(&self, project: &Project, name: &str) -> ChangeFailure {
        let sql = self.sql.trim().trim_end_matches(';');
        let mut places = project.new.iter().filter_map(|script| {
            let at = script.source.text().find(sql)?;
            Some((script.source.name(), script.source.line_column(at).0))
        });
        let (file, line) = places.next().unwrap_or_else(|| (name.to_owned(), 1));
        ChangeFailure { file, line, sqlstate: self.sqlstate.clone(), message: self.message.clone() }
    }
}

/// What was heard of a program that wasn't watched.
#[derive(Default)]
struct Ran {
    /// What the server refused, in order.
    refused: Vec<Refusal>,
    /// When the first statement began and the last one ended.
    statements: Option<(Instant, Instant)>,
}

#[derive(Default)]
struct Heard(Mutex<Ran>);

impl Sink for Heard {
    fn statement(&self, _: &Session, statement: &Statement<'_>) {
        let ended = Instant::now();
        let mut ran = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let began = ended.checked_sub(statement.duration()).unwrap_or(ended);
        let first = ran.statements.map_or(began, |(first, _)| first.min(began));
        ran.statements = Some((first, ended));
        if let Outcome::Failed(error) = statement.outcome {
            let refusal = Refusal {
                sql: statement.text.clone().into_owned(),
                sqlstate: error.sqlstate.clone(),
                message: error.message.clone(),
            };
            ran.refused.push(refusal);
        }
    }
}

/// Parts the statements by the migrations of their tool, and leaves out what only read the catalogue.
fn scripts(done: ProgramRehearsal, name: &str, mut notes: Vec<String>) -> Done {
    let ProgramRehearsal { mut rehearsal, mut overheads, connections, .. } = done;
    let records = std::mem::take(&mut rehearsal.statements);
    let names = migration_names(&records, name);
    let mut scripts: Vec<Script> = Vec::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut left_out = 0;
    // Where each record is now, or the next that was kept.
    let mut places = Vec::with_capacity(records.len());
    for (mut record, name) in records.into_iter().zip(names) {
        places.push(rehearsal.statements.len());
        if is_introspection(&record) {
            left_out += 1;
            continue;
        }
        let at = *by_name.entry(name.clone()).or_insert_with(|| {
            scripts.push(Script { name, script: ProgramScript::default() });
            scripts.len() - 1
        });
        scripts[at].add(&mut record);
        rehearsal.statements.push(record);
    }
    for record in &mut rehearsal.statements {
        record.undone_by = record.undone_by.map(|by| places[by]);
    }
    if left_out > 0 {
        let verb = if left_out == 1 { "isn't" } else { "aren't" };
        notes.push(format!(
            "{} that touched no table but the catalogue's and the tool's own {verb} listed.",
            plural(left_out, "statement")
        ));
    }
    if connections > 1 {
        notes.push(format!("The program used {}.", plural(connections, "connection")));
    }
    overheads.sort_unstable();
    if let Some(median) = overheads.get(overheads.len() / 2) {
        notes.push(format!(
            "Looking at a statement took {:.1} ms in the median, which isn't counted in its time.",
            median.as_secs_f64() * 1000.0
        ));
    }
    let scripts = scripts.into_iter().map(Script::migration).collect();
    Done { rehearsal, scripts, notes, failure: None }
}

/// A script in the making, by its name.
struct Script {
    name: String,
    script: ProgramScript,
}

impl Script {
    /// Appends a statement, and tells its record where it stands.
    fn add(&mut self, record: &mut StatementRecord) {
        let (index, line) = self.script.add(&record.sql);
        if let Some(error) = &mut record.error {
            error.line = error.line - record.line + line;
        }
        record.file = self.name.clone();
        record.statement = index;
        record.line = line;
    }

    fn migration(self) -> Migration {
        let text = self.script.into_text();
        let end = text.len();
        // The program's own BEGIN and COMMIT are among the statements.
        Migration::new(SourceFile::new(self.name, text), 0..end, TransactionHabit::Statement)
    }
}

/// Tables in which tools keep their books: what they read there is no part of a change.
const BOOKS: [&str; 4] = ["django_migrations", "django_content_type", "auth_permission", "alembic_version"];

/// A query that read no relation but the system's and the tool's own.
fn is_introspection(record: &StatementRecord) -> bool {
    let is_book = |relation: &str| {
        let name = relation.rsplit('.').next().unwrap_or_default();
        // Of indexes the names begin with their table's: reading takes a lock on them too.
        let begins = |book: &&str| {
            name.strip_prefix(*book).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        BOOKS.iter().any(begins)
    };
    let first = record.sql.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    let reads = ["select", "show", "with"].iter().any(|word| first.eq_ignore_ascii_case(word));
    // `SELECT set_config('lock_timeout', …)` is a SET by another name.
    let sets = || {
        let (statements, _) = parse_script(&record.sql);
        statements.iter().any(|statement| matches!(statement.command(), Some(plimsoll_sql::Command::Set(_))))
    };
    let locks = record.locks.iter().all(|lock| lock.mode == LockMode::AccessShare && is_book(&lock.relation));
    reads
        && record.error.is_none()
        && !sets()
        && locks
        && record.scans.iter().all(|scan| is_book(&scan.relation))
}

/// For each statement the migration that it belongs to, as the tool itself writes down which one it has run: up to there,
/// and to the end of that transaction.
fn migration_names(records: &[StatementRecord], otherwise: &str) -> Vec<String> {
    let mut names: Vec<String> = vec![otherwise.to_owned(); records.len()];
    let mut from = 0;
    for (at, record) in records.iter().enumerate() {
        if at < from || record.error.is_some() {
            continue;
        }
        let Some(name) = written_down(&record.sql) else { continue };
        let same = records[at..]
            .iter()
            .take_while(|other| record.in_transaction && other.transaction == record.transaction);
        let end = at + same.count().max(1);
        names[from..end].fill(name);
        from = end;
    }
    names
}

/// The migration that a statement writes down as run: in Django's table, or Alembic's.
fn written_down(sql: &str) -> Option<String> {
    let mut form = NormalForm::default();
    form.of(sql);
    let value = |at: usize| -> Option<&str> {
        let text = &sql[form.values().get(at)?.range.clone()];
        text.strip_prefix('\'')?.strip_suffix('\'')
    };
    if form.text().starts_with("insert into django_migrations(app, name, ") {
        return Some(format!("{}.{}", value(0)?, value(1)?));
    }
    let alembic = form.text().starts_with("update alembic_version set version_num")
        || form.text().starts_with("insert into alembic_version(version_num)");
    alembic.then(|| value(0).map(|revision| format!("revision {revision}"))).flatten()
}

/// The change's scope: one run of the tool.
pub(super) const SCOPE: ChangeScope = ChangeScope::Together;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_write_down_what_they_have_run() {
        let check =
            |sql: &str, expected: Option<&str>| assert_eq!(written_down(sql).as_deref(), expected, "{sql}");
        check(
            "INSERT INTO \"django_migrations\" (\"app\", \"name\", \"applied\") VALUES ('shop', '0002_x', '2026-01-01'::timestamptz) \
             RETURNING \"django_migrations\".\"id\"",
            Some("shop.0002_x"),
        );
        check(
            "UPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'a1'",
            Some("revision b2"),
        );
        check(
            "INSERT INTO alembic_version (version_num) VALUES ('a1') RETURNING alembic_version.version_num",
            Some("revision a1"),
        );
        check("INSERT INTO shop VALUES ('a', 'b')", None);
    }
}
