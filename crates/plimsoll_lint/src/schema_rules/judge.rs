//! A schema put together from its parts, and what the rules say of it.

use plimsoll_core::{Claim, Evidence, EvidenceKind, Finding, Location, SourceFile};
use plimsoll_sql::schema::Snapshots;
use plimsoll_sql::snapshot::Facts;
use plimsoll_sql::{Migration, Schema, Snapshot, Statement};

use super::SCHEMA_RULES;
use super::origins::Origins;
use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use crate::Settings;
use crate::policy::{Level, Levels};
use crate::suppression::Suppressions;

/// A part that a schema is put together from, in the order of replay.
#[derive(Clone, Copy)]
pub enum SchemaPart<'a> {
    /// What a server's catalogue said.
    Snapshot(&'a Snapshot),
    /// A dump.
    Dump(&'a SourceFile, &'a [Statement]),
    /// A migration.
    Migration(&'a Migration),
}

/// What the rules say of a schema.
#[derive(Clone, Debug, Default)]
pub struct SchemaJudgement {
    /// What is to be reported.
    pub findings: Vec<Finding>,
    /// Rules that said nothing because nobody has counted what they need.
    pub without_counters: Vec<&'static str>,
}

impl<'a> SchemaPart<'a> {
    fn source(self) -> &'a SourceFile {
        match self {
            Self::Snapshot(snapshot) => &snapshot.source,
            Self::Dump(source, _) => source,
            Self::Migration(migration) => &migration.source,
        }
    }

    fn statements(self) -> &'a [Statement] {
        match self {
            Self::Snapshot(snapshot) => &snapshot.statements,
            Self::Dump(_, statements) => statements,
            Self::Migration(migration) => &migration.statements,
        }
    }
}

/// Replays the parts and judges what they make.
///
/// A finding stands where the thing was made. Files that the policy leaves out are replayed all the same, and nothing
/// is said of what they made.
#[must_use]
pub fn judge_schema(parts: &[SchemaPart], settings: &Settings) -> SchemaJudgement {
    let mut schema = Schema::default();
    let mut origins = Origins::default();
    let mut suppressions = Suppressions::default();
    for (at, part) in parts.iter().enumerate() {
        replay(*part, at, &mut schema, &mut origins);
        if let SchemaPart::Migration(migration) = part {
            suppressions.read(migration);
        }
    }
    let counted = parts.iter().find_map(|part| match part {
        SchemaPart::Snapshot(snapshot) => Some(&snapshot.facts),
        _ => None,
    });
    let nothing = Facts::default();
    let text = |subject: &Subject| {
        let (part, statement) = origins.of(subject)?;
        let part = parts[part];
        part.source().text().get(part.statements()[statement].range.clone())
    };
    let context =
        SchemaContext { schema: &schema, facts: counted.unwrap_or(&nothing), settings, text: &text };
    let mut judgement = SchemaJudgement::default();
    for rule in SCHEMA_RULES {
        if rule.needs == Needs::Counters && counted.is_none() {
            judgement.without_counters.push(rule.id);
            continue;
        }
        let mut problems = Vec::new();
        (rule.check)(&context, &mut problems);
        for problem in problems {
            let origin = origins.of(&problem.subject);
            let made = origin.map(|(part, statement)| (parts[part], statement));
            judgement.findings.extend(finding(rule, problem, made, parts, settings, &mut suppressions));
        }
    }
    judgement
}

fn replay(part: SchemaPart, at: usize, schema: &mut Schema, origins: &mut Origins) {
    schema.begin_session();
    let statements = part.statements();
    let mut snapshots = Snapshots::default();
    let rolls_back = statements.iter().any(Statement::rolls_back);
    for (index, statement) in statements.iter().enumerate() {
        for command in statement.commands() {
            if rolls_back {
                snapshots.apply(schema, command);
            } else {
                schema.apply(command);
            }
            origins.note(command, schema, (at, index));
        }
    }
    if let SchemaPart::Snapshot(snapshot) = part {
        snapshot.facts.note_in(schema);
    }
    schema.begin_session();
}

/// A problem as a finding, if it is wanted.
fn finding(
    rule: &SchemaRule,
    problem: SchemaProblem,
    made: Option<(SchemaPart, usize)>,
    parts: &[SchemaPart],
    settings: &Settings,
    suppressions: &mut Suppressions,
) -> Option<Finding> {
    let mut finding = Finding {
        rule: rule.id.to_owned(),
        severity: problem.severity.unwrap_or(rule.severity),
        message: problem.message,
        remedy: problem.remedy,
        fix: None,
        location: place(made, parts)?,
        statement: match made {
            Some((SchemaPart::Migration(_), statement)) => Some(statement),
            _ => None,
        },
        evidence: Evidence { kind: EvidenceKind::Claimed, facts: Vec::new() },
        claim: Claim::Nothing,
    };
    let policy = &settings.policy;
    let path = std::path::Path::new(&finding.location.file);
    if !policy.judges(path) || suppressions.cover(&finding) {
        return None;
    }
    let levels: Levels = policy.levels_for(path);
    match levels.get(rule.id) {
        Some(Level::Off) => return None,
        Some(Level::At(severity)) => finding.severity = *severity,
        Some(Level::On) | None => {}
    }
    Some(finding)
}

/// Where a thing was made; where nobody knows, the first part's beginning.
fn place(made: Option<(SchemaPart, usize)>, parts: &[SchemaPart]) -> Option<Location> {
    match made {
        Some((part, statement)) => Some(part.source().location(part.statements()[statement].range.clone())),
        None => parts.first().map(|part| part.source().location(0..0)),
    }
}
