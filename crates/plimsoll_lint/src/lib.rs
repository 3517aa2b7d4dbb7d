//! Rules that judge a migration before it runs, knowing the schema that it runs on.
//!
//! A rule is one file in `rules/`, with its page beside it. Rules are pure and can't fail.
//! Deliberately absent: servers, files, and any opinion about how a finding is shown.

mod context;
mod rule;
mod rules;
pub mod session;

use plimsoll_core::{ChangeScope, Claim, Evidence, EvidenceKind, Finding, Severity};
use plimsoll_sql::data_type::TimeZone;
use plimsoll_sql::schema::Snapshots;
use plimsoll_sql::{Migration, Schema, Statement, StatementKind};

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
    /// Ids of rules that are switched off.
    pub ignored_rules: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { server_major: None, time_zone: TimeZone::Utc, lock_timeout_ms: 0, ignored_rules: Vec::new() }
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
        schema.reset_search_path();
        lint_file(schema, migration, settings, &mut findings);
    }
    findings
}

fn lint_file(schema: &mut Schema, migration: &Migration, settings: &Settings, findings: &mut Vec<Finding>) {
    let mut session = Session::new(settings.lock_timeout_ms);
    let mut snapshots = Snapshots::default();
    let rolls_back = migration.statements.iter().any(Statement::rolls_back);
    for ((index, statement), place) in migration.statements.iter().enumerate().zip(migration.places()) {
        match &statement.kind {
            StatementKind::Invalid(error) => {
                findings.push(syntax_error(migration, index, error));
                session.statement_ended(place);
            }
            StatementKind::Command(command) => {
                let context =
                    Context { schema, settings, session: &session, place, migration, index, command };
                for rule in RULES.iter().filter(|rule| !settings.ignored_rules.iter().any(|id| id == rule.id))
                {
                    let mut problems = Vec::new();
                    (rule.check)(&context, &mut problems);
                    findings.extend(problems.into_iter().map(|problem| context.finding(rule, problem)));
                }
                let locks = context.locks_on_existing();
                session.run(command, place, &locks);
                if rolls_back {
                    snapshots.apply(schema, command);
                } else {
                    schema.apply(command);
                }
            }
        }
    }
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
