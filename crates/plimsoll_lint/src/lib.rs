//! Rules that judge a migration before it runs, knowing the schema that it runs on.
//!
//! A rule is one file in `rules/`, with its page beside it. Rules are pure and can't fail.
//! Deliberately absent: servers, files, and any opinion about how a finding is shown.

mod added_column;
mod context;
pub mod draft;
pub mod fix;
mod namers;
pub mod names;
mod outline;
pub mod path_set;
pub mod policy;
mod precedence;
mod privilege_difference;
mod rule;
mod rules;
pub mod schema_rules;
pub mod session;
mod steps;
pub mod suppression;

use std::ops::Range;

use plimsoll_core::{ChangeScope, Claim, Evidence, EvidenceKind, Finding, Severity};
use plimsoll_sql::data_type::TimeZone;
use plimsoll_sql::effects::{Effect, effects};
use plimsoll_sql::schema::Snapshots;
use plimsoll_sql::{Migration, Schema, Statement, StatementKind};

pub use context::{Context, Problem, StatementFix};
pub use namers::rules_that_name;
pub use names::rule;
use outline::Outline;
pub use policy::Policy;
use policy::{FilePolicy, Standing};
use precedence::Told;
use privilege_difference::Watch;
pub use rule::{Group, PageExample, Rule, SYNTAX_ERROR, Script};
pub use rules::RULES;
pub use schema_rules::{SCHEMA_RULES, SchemaPart, judge_schema, schema_rule};
use session::{Held, Session, Trace};
use steps::{Step, steps};
use suppression::Suppressions;

/// The oldest major version of PostgreSQL for which changes are judged.
pub const OLDEST_JUDGED_MAJOR: u32 = 12;

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
    /// Types that a new column must not have, as `format_type` names them.
    pub forbidden_types: Vec<String>,
    /// Which rules run, at which severity, where.
    pub policy: Policy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server_major: None,
            time_zone: TimeZone::Utc,
            lock_timeout_ms: 0,
            longest_lock_timeout_ms: 60_000,
            small_bytes: 8 << 20,
            forbidden_types: vec!["money".into(), "time with time zone".into()],
            policy: Policy::default(),
        }
    }
}

/// What the rules say of a change.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// What is to be reported.
    pub findings: Vec<Finding>,
    /// What the team has accepted, by a comment or by switching a rule off, and what another finding
    /// tells better. A rehearsal that confirms it has nothing to tell that nobody knew.
    pub accepted: Vec<Finding>,
    /// The comments that accept, for findings that are made elsewhere.
    pub suppressions: Suppressions,
    /// Whether a statement touches a relation of which nothing is known.
    pub touches_unknown: bool,
}

/// Judges a change and returns what a report lists. `schema` is the state before it, and is left
/// as the state after it.
#[must_use]
pub fn lint(
    schema: &mut Schema,
    migrations: &[&Migration],
    scope: ChangeScope,
    settings: &Settings,
) -> Vec<Finding> {
    let mut judgement = judge(schema, migrations, scope, settings);
    judgement.findings.extend(judgement.suppressions.remarks(&settings.policy));
    judgement.findings
}

/// Judges a change, as [`lint`] does, for a caller that goes on with it.
#[must_use]
pub fn judge(
    schema: &mut Schema,
    migrations: &[&Migration],
    scope: ChangeScope,
    settings: &Settings,
) -> Judgement {
    let mut judgement = Judgement::default();
    let general = settings.policy.general();
    match scope {
        ChangeScope::Together => judge_change(schema, migrations, settings, &general, &mut judgement),
        ChangeScope::EachFile => {
            for change in migrations.chunks(1) {
                judge_change(schema, change, settings, &general, &mut judgement);
            }
        }
    }
    judgement
}

/// Judges each file as a change of its own, and lets go of its commands: thousands of files take a
/// third less memory.
#[must_use]
pub fn judge_each_and_release(
    schema: &mut Schema,
    migrations: &mut [Migration],
    settings: &Settings,
) -> Judgement {
    let mut judgement = Judgement::default();
    let general = settings.policy.general();
    for migration in migrations {
        judge_change(schema, &[migration], settings, &general, &mut judgement);
        migration.release_commands();
    }
    judgement
}

fn judge_change(
    schema: &mut Schema,
    change: &[&Migration],
    settings: &Settings,
    general: &FilePolicy,
    judgement: &mut Judgement,
) {
    schema.begin_change();
    let watch = Watch::begin(schema, change);
    for migration in change {
        schema.begin_session();
        if !settings.policy.judges(migration.source.path()) {
            schema.apply_script(&migration.statements);
            continue;
        }
        let policy = settings.policy.for_file(migration.source.path(), general);
        judgement.suppressions.read(migration);
        let mut state = State::before_file(std::mem::take(schema), settings);
        lint_file(&mut state, migration, settings, &policy, judgement, 0..migration.statements.len());
        *schema = state.schema;
    }
    if let Some(watch) = watch {
        judgement.take_difference(&watch, schema, change, settings, general);
    }
}

/// What the statements before one leave to it.
#[derive(Clone)]
struct State {
    schema: Schema,
    session: Session,
    snapshots: Snapshots,
}

impl State {
    fn before_file(schema: Schema, settings: &Settings) -> Self {
        let session = Session::new(settings.lock_timeout_ms);
        Self { schema, session, snapshots: Snapshots::default() }
    }
}

/// What one statement of a file does.
#[derive(Clone, Debug)]
pub struct StatementEffects {
    /// Its effects on relations that existed before the change, with those of the commands in its DO
    /// block and in the functions that it calls. Their ranges are bytes in the statement.
    pub effects: Vec<Effect>,
    /// Locks on such relations that the transaction held already.
    pub held: Vec<Held>,
}

/// What each statement of a file does; leaves the schema as the state after it.
#[must_use]
pub fn effects_by_statement(
    schema: &mut Schema,
    migration: &Migration,
    settings: &Settings,
) -> Vec<StatementEffects> {
    let mut session = Session::new(settings.lock_timeout_ms);
    let mut by_statement = Vec::new();
    for ((index, statement), place) in migration.statements.iter().enumerate().zip(migration.places()) {
        session.arrive(place);
        let mut of_statement = StatementEffects { effects: Vec::new(), held: session.held().to_vec() };
        for step in steps(statement, schema) {
            let effects = effects(&step.command, schema, session.environment(settings));
            let trace = Trace { effects, ..Trace::default() };
            session.run(&step.command, place, index, &trace);
            schema.apply(&step.command);
            let start = step.start_within(statement, migration);
            of_statement.effects.extend(trace.effects.into_iter().map(|effect| {
                let range = effect.range.zip(start);
                let range = range.map(|(range, start)| start + range.start..start + range.end);
                Effect { range, ..effect }
            }));
        }
        by_statement.push(of_statement);
    }
    by_statement
}

/// Judges these statements of a file.
fn lint_file(
    state: &mut State,
    migration: &Migration,
    settings: &Settings,
    policy: &FilePolicy,
    judgement: &mut Judgement,
    statements: Range<usize>,
) {
    let State { schema, session, snapshots } = state;
    let outline = Outline::default();
    let rolls_back = migration.statements.iter().any(Statement::rolls_back);
    let placed = migration.statements.iter().enumerate().zip(migration.places());
    for ((index, statement), place) in placed.skip(statements.start).take(statements.len()) {
        session.arrive(place);
        if let StatementKind::Invalid(error) = &statement.kind {
            judgement.take_other(syntax_error(migration, index, error), policy);
        }
        for Step { command, range, exact } in steps(statement, schema) {
            let command = command.as_ref();
            let effects = effects(command, schema, session.environment(settings));
            judgement.touches_unknown |= effects.iter().any(|effect| !schema.has(&effect.relation));
            let context = Context {
                schema,
                settings,
                session,
                place,
                migration,
                index,
                command,
                range,
                ranges_hold: exact,
                effects,
                outline: &outline,
            };
            let mut told = Vec::new();
            let accepted_before = judgement.accepted.len();
            let lock_seen_before = session.unguarded_lock_seen();
            let mut found = Vec::new();
            for (rule, standing) in policy.running() {
                let mut problems = Vec::new();
                (rule.check)(&context, &mut problems);
                found.extend(problems.into_iter().map(|problem| Told { rule, standing, problem }));
            }
            let (settled, known) = precedence::settle(found);
            for Told { rule, standing, problem } in settled {
                let reported_before = judgement.findings.len();
                judgement.take(context.finding(rule, problem), standing);
                if judgement.findings.len() > reported_before && !told.contains(&rule.id) {
                    told.push(rule.id);
                }
            }
            for Told { rule, problem, .. } in known {
                judgement.take(context.finding(rule, problem), Standing::Accepted);
            }
            let trace = Trace::of(context, told);
            session.run(command, place, index, &trace);
            // Said once a file: what one statement may do, the next must not do in its shadow.
            let accepted = &judgement.accepted[accepted_before..];
            if !lock_seen_before
                && accepted.iter().any(|one| rules::TOLD_ONCE_A_FILE.contains(&one.rule.as_str()))
            {
                session.forget_unguarded_lock();
            }
            if rolls_back {
                snapshots.apply(schema, command);
            } else {
                schema.apply(command);
            }
        }
    }
}

impl Judgement {
    /// Takes what a change gives and takes of rights.
    fn take_difference(
        &mut self,
        watch: &Watch,
        after: &Schema,
        change: &[&Migration],
        settings: &Settings,
        general: &FilePolicy,
    ) {
        let rule = &rules::privilege_difference::RULE;
        let judged: Vec<&Migration> =
            change.iter().copied().filter(|one| settings.policy.judges(one.source.path())).collect();
        let Some(finding) = watch.finding(after, &judged, rule.id) else { return };
        let file = std::path::PathBuf::from(&finding.location.file);
        let standing = settings.policy.for_file(&file, general).standing(rule);
        if standing != Standing::Off {
            self.take(finding, standing);
        }
    }

    /// Takes a rule's finding for what it is.
    fn take(&mut self, mut finding: Finding, standing: Standing) {
        if let Standing::ReportedAt(severity) = standing {
            finding.severity = severity;
        }
        if self.suppressions.cover(&finding) || standing == Standing::Accepted {
            self.accepted.push(finding);
        } else {
            self.findings.push(finding);
        }
    }

    /// Takes a finding that no rule makes.
    fn take_other(&mut self, finding: Finding, policy: &FilePolicy) {
        if self.suppressions.cover(&finding) || !policy.reports(&finding.rule) {
            self.accepted.push(finding);
        } else {
            self.findings.extend(policy.leveled(finding));
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
