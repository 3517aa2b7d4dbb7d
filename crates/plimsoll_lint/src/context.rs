//! What a rule sees of a statement, and what it says about it.

use std::ops::Range;

use plimsoll_core::{Claim, Edit, Evidence, EvidenceKind, Finding, Fix, LockMode, Severity, Work};
use plimsoll_sql::effects::{LockEffect, locks_on_existing};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::Relation;
use plimsoll_sql::transaction::Place;
use plimsoll_sql::{Command, Migration, ObjectName, Schema};

use crate::Settings;
use crate::rule::Rule;
use crate::session::Session;

/// A statement and all that is known when it runs.
pub struct Context<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) settings: &'a Settings,
    pub(crate) session: &'a Session,
    pub(crate) place: Place,
    pub(crate) migration: &'a Migration,
    /// Index of the statement in its file.
    pub(crate) index: usize,
    pub(crate) command: &'a Command,
}

/// What a rule found wrong with a statement.
pub struct Problem {
    /// Another severity than the rule's.
    pub severity: Option<Severity>,
    /// Edits that mend it.
    pub fix: Option<StatementFix>,
    /// Bytes in the statement; none means the whole of it.
    pub range: Option<Range<usize>>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do instead.
    pub remedy: String,
    /// What a server will show.
    pub claim: Claim,
}

/// Edits of a statement.
pub struct StatementFix {
    /// What they do, in a few words.
    pub title: String,
    /// Bytes in the statement, and the text that takes their place.
    pub edits: Vec<(Range<usize>, String)>,
}

/// A relation that existed before the change, or isn't known to be new.
pub(crate) struct Existing<'a> {
    /// As `schema.name`.
    pub(crate) name: String,
    /// As SQL writes it.
    pub(crate) sql: String,
    /// What is known of it.
    pub(crate) relation: Option<&'a Relation>,
}

impl<'a> Context<'a> {
    /// The relation, unless the change itself made it: then it is empty and private.
    pub(crate) fn existing(&self, name: &ObjectName) -> Option<Existing<'a>> {
        if self.schema.is_new(name) {
            return None;
        }
        let relation = self.schema.relation(name);
        Some(Existing { name: self.schema.resolve(name).to_string(), sql: quote_name(name), relation })
    }

    /// Whether PostgreSQL would find nothing of that name, and skip an `IF EXISTS`.
    pub(crate) fn known_missing(&self, name: &ObjectName) -> bool {
        self.schema.is_known() && self.schema.relation(name).is_none()
    }

    /// Locks that the statement takes on relations that existed before the change.
    pub(crate) fn locks_on_existing(&self) -> Vec<LockEffect> {
        locks_on_existing(self.command, self.schema)
    }

    /// The statement's text.
    pub(crate) fn sql(&self) -> &'a str {
        self.migration.sql(&self.migration.statements[self.index])
    }

    pub(crate) fn finding(&self, rule: &Rule, problem: Problem) -> Finding {
        let migration = self.migration;
        let in_file = |range: Range<usize>| migration.in_file(self.index, range);
        let whole = || migration.statements[self.index].range.clone();
        let range = problem.range.map_or_else(whole, in_file);
        let source = &migration.source;
        // An edit of what isn't in the file can't be made.
        let is_original =
            |fix: &StatementFix| fix.edits.iter().all(|(range, _)| migration.is_original(self.index, range));
        let fix = problem.fix.filter(is_original).map(|fix| Fix {
            title: fix.title,
            edits: fix
                .edits
                .into_iter()
                .map(|(range, text)| Edit {
                    location: source.location(in_file(range)),
                    text: migration.restored(text),
                })
                .collect(),
        });
        Finding {
            rule: rule.id.to_owned(),
            severity: problem.severity.unwrap_or(rule.severity),
            message: migration.restored(problem.message),
            remedy: migration.restored(problem.remedy),
            fix,
            location: source.location(range),
            statement: Some(self.index),
            evidence: Evidence { kind: EvidenceKind::Claimed, facts: Vec::new() },
            claim: problem.claim,
        }
    }
}

impl Existing<'_> {
    /// The claim that a lock is taken on it, with work under the lock.
    pub(crate) fn claim(&self, mode: LockMode, work: Work) -> Claim {
        Claim::Lock { relation: self.name.clone(), mode, work: Some(work) }
    }

    /// The claim that a brief lock is taken on it.
    pub(crate) fn brief_claim(&self, mode: LockMode) -> Claim {
        Claim::Lock { relation: self.name.clone(), mode, work: None }
    }
}

/// A column list as SQL writes it.
pub(crate) fn column_list(columns: &[String]) -> String {
    columns.iter().map(|column| quote_identifier(column)).collect::<Vec<_>>().join(", ")
}

/// A name within PostgreSQL's 63 bytes, as SQL writes it.
pub(crate) fn made_up_name(parts: &[&str]) -> String {
    let mut name = parts.join("_");
    while name.len() > 63 {
        name.pop();
    }
    quote_identifier(&name)
}
