//! Rules that judge a migration before it runs, knowing the schema that it runs on.
//!
//! A rule is one file in `rules/`, with its page beside it. Rules are pure and can't fail.
//! Deliberately absent: servers, files, and any opinion about how a finding is shown.

mod context;
mod rule;
mod rules;
pub mod session;

use std::borrow::Cow;
use std::ops::Range;

use plimsoll_core::{ChangeScope, Claim, Evidence, EvidenceKind, Finding, Severity};
use plimsoll_sql::data_type::TimeZone;
use plimsoll_sql::effects::{Environment, effects};
use plimsoll_sql::plpgsql::InnerStatement;
use plimsoll_sql::schema::Snapshots;
use plimsoll_sql::{Command, Migration, Schema, Statement, StatementKind};

pub use context::{Context, Problem, StatementFix};
pub use rule::{Group, PageExample, Rule, SYNTAX_ERROR};
pub use rules::RULES;
use session::Session;

/// What the team knows that the SQL doesn't say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Major version of the servers that the change is for; none if it isn't known.
    pub server_major: Option<u32>,
    /// TimeZone of the session that runs migrations.
    pub time_zone: TimeZone,
    /// `lock_timeout` that the runner sets before each file, in milliseconds; 0 means none.
    pub lock_timeout_ms: u64,
    /// `lock_timeout` above which it is as good as none, in milliseconds.
    pub longest_lock_timeout_ms: u64,
    /// Size in bytes up to which a relation's hazards are notes.
    pub small_bytes: u64,
    /// Ids of rules that are switched off.
    pub ignored_rules: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_major: None,
            time_zone: TimeZone::Utc,
            lock_timeout_ms: 0,
            longest_lock_timeout_ms: 60_000,
            small_bytes: 8 << 20,
            ignored_rules: Vec::new(),
        }
    }
}

impl Settings {
    /// The server and session that the change is for.
    #[must_use]
    pub fn environment(&self) -> Environment {
        Environment { server_major: self.server_major, time_zone: self.time_zone }
    }
}

/// The rule of this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// Judges a change. `schema` is the state before it, and is left as the state after it.
#[must_use]
pub fn lint(
    schema: &mut Schema,
    migrations: &[&Migration],
    scope: ChangeScope,
    settings: &Settings,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    schema.begin_change();
    for (at, migration) in migrations.iter().enumerate() {
        if scope == ChangeScope::EachFile && at > 0 {
            schema.begin_change();
        }
        schema.begin_session();
        lint_file(schema, migration, settings, &mut findings);
    }
    findings
}

fn lint_file(schema: &mut Schema, migration: &Migration, settings: &Settings, findings: &mut Vec<Finding>) {
    let mut session = Session::new(settings.lock_timeout_ms);
    let mut snapshots = Snapshots::default();
    let rolls_back = migration.statements.iter().any(Statement::rolls_back);
    for ((index, statement), place) in migration.statements.iter().enumerate().zip(migration.places()) {
        session.arrive(place);
        if let StatementKind::Invalid(error) = &statement.kind {
            findings.push(syntax_error(migration, index, error));
        }
        for step in steps(statement, schema) {
            let command = step.command.as_ref();
            let effects = effects(command, schema, settings.environment());
            let context = Context {
                schema,
                settings,
                session: &session,
                place,
                migration,
                index,
                command,
                range: step.range,
                ranges_hold: step.exact,
                effects,
            };
            judge(&context, findings);
            let effects = context.effects;
            session.run(command, place, index, &effects);
            if rolls_back {
                snapshots.apply(schema, command);
            } else {
                schema.apply(command);
            }
        }
    }
}

fn judge(context: &Context, findings: &mut Vec<Finding>) {
    let settings = context.settings;
    for rule in RULES.iter().filter(|rule| !settings.ignored_rules.iter().any(|id| id == rule.id)) {
        let mut problems = Vec::new();
        (rule.check)(context, &mut problems);
        findings.extend(problems.into_iter().map(|problem| context.finding(rule, problem)));
    }
}

/// A command that a statement runs: its own, or one in the body of a DO block or function.
struct Step<'a> {
    command: Cow<'a, Command>,
    range: Range<usize>,
    exact: bool,
}

/// The commands that a statement runs, in order.
fn steps<'a>(statement: &'a Statement, schema: &Schema) -> Vec<Step<'a>> {
    let Some(command) = statement.command() else { return Vec::new() };
    let range = statement.range.clone();
    let mut steps = vec![Step { command: Cow::Borrowed(command), range: range.clone(), exact: true }];
    for inner in &statement.inner {
        let InnerStatement { range, exact, command } = inner;
        steps.push(Step { command: Cow::Borrowed(command), range: range.clone(), exact: *exact });
    }
    let called: Vec<Command> =
        steps.iter().flat_map(|step| called_commands(&step.command, schema, FUNCTION_DEPTH)).collect();
    steps.extend(called.into_iter().map(|command| Step {
        command: Cow::Owned(command),
        range: range.clone(),
        exact: false,
    }));
    steps
}

/// Functions within functions up to which calls are followed.
const FUNCTION_DEPTH: usize = 4;

/// The commands in the bodies of user functions that a query calls.
fn called_commands(command: &Command, schema: &Schema, depth: usize) -> Vec<Command> {
    let Command::Query { calls, .. } = command else { return Vec::new() };
    if depth == 0 {
        return Vec::new();
    }
    let bodies = calls.iter().filter_map(|call| schema.function(call)).map(|function| {
        match function.language.as_str() {
            "plpgsql" => plimsoll_sql::plpgsql::statements(&function.body, 0)
                .into_iter()
                .map(|inner| inner.command)
                .collect::<Vec<_>>(),
            "sql" => plimsoll_sql::parse::parse_script(&function.body)
                .0
                .iter()
                .filter_map(|statement| statement.command().cloned())
                .collect(),
            _ => Vec::new(),
        }
    });
    let mut commands = Vec::new();
    for command in bodies.flatten() {
        let called = called_commands(&command, schema, depth - 1);
        commands.push(command);
        commands.extend(called);
    }
    commands
}

fn syntax_error(migration: &Migration, index: usize, error: &plimsoll_sql::SyntaxError) -> Finding {
    Finding {
        fix: None,
        rule: SYNTAX_ERROR.into(),
        severity: Severity::Error,
        message: format!("this statement doesn't parse: {}", error.message),
        remedy: "Mend the statement; the others in the file were checked without it.".into(),
        location: migration.source.location(error.range.clone()),
        statement: Some(index),
        evidence: Evidence { kind: EvidenceKind::Claimed, facts: Vec::new() },
        claim: Claim::Fails,
    }
}
