//! Which rules name a hazard: those that should have told of one that only a rehearsal saw.
//!
//! A rule names what its page's example shows, which tests hold to real servers: a lock with the same work, under a command of the
//! same kind that keeps somebody out. Deliberately absent: an opinion about why the rule was silent.

use std::mem::{Discriminant, discriminant};
use std::path::PathBuf;

use plimsoll_core::lock::Blocks;
use plimsoll_core::{ChangeScope, Claim, SourceFile, Work};
use plimsoll_sql::command::{ActionKind, ConstraintKind};
use plimsoll_sql::{Command, Migration, Schema, TransactionHabit};

use crate::{Policy, RULES, Rule, Settings, judge};

/// The rules that name such a hazard of such a command; none for a failure, which has as many causes as there are mistakes.
#[must_use]
pub fn rules_that_name(command: &Command, hazard: &Claim) -> Vec<&'static str> {
    let Claim::Lock { work, .. } = hazard else { return Vec::new() };
    let kind = Kind::of(command);
    let named = RULES.iter().filter(|rule| claimed_in_example(rule, *work).iter().any(|one| kind.has(one)));
    named.map(|rule| rule.id).collect()
}

/// The kinds of commands in a rule's example about which it claims a lock with such work.
fn claimed_in_example(rule: &Rule, work: Option<Work>) -> Vec<Kind> {
    let example = rule.example();
    let script = |sql: &str, habit| {
        Migration::new(SourceFile::new(PathBuf::from("example.sql"), sql), 0..sql.len(), habit)
    };
    let mut schema = Schema::default();
    schema.apply_script(&script(&example.schema, TransactionHabit::Statement).statements);
    let bad = script(&example.bad.sql, example.bad.habit);
    let settings =
        Settings { server_major: example.bad.only, policy: Policy::everything(), ..Settings::default() };
    let judged = judge(&mut schema, &[&bad], ChangeScope::Together, &settings);
    let own = judged.findings.iter().chain(&judged.accepted).filter(|finding| finding.rule == rule.id);
    let alike =
        own.filter(|finding| matches!(&finding.claim, Claim::Lock { work: claimed, mode, .. } if *claimed == work && mode.blocks() != Blocks::Nothing));
    let commands = alike.filter_map(|finding| bad.statements.get(finding.statement?)?.command());
    commands.map(Kind::of).collect()
}

/// What a command is, without its names.
struct Kind {
    command: Discriminant<Command>,
    /// Of `ALTER TABLE`.
    actions: Vec<(Discriminant<ActionKind>, Option<Discriminant<ConstraintKind>>)>,
}

impl Kind {
    fn of(command: &Command) -> Self {
        let actions = match command {
            Command::AlterTable(alter) => &alter.actions[..],
            _ => &[],
        };
        let action = |kind: &ActionKind| match kind {
            ActionKind::AddConstraint(constraint) => {
                (discriminant(kind), Some(discriminant(&constraint.kind)))
            }
            _ => (discriminant(kind), None),
        };
        Self {
            command: discriminant(command),
            actions: actions.iter().map(|one| action(&one.kind)).collect(),
        }
    }

    /// Whether this is such a command, with further actions at most.
    fn has(&self, other: &Self) -> bool {
        self.command == other.command && other.actions.iter().all(|action| self.actions.contains(action))
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::LockMode;

    use super::*;

    fn check(sql: &str, work: Option<Work>, expected: &[&str]) {
        let script = Migration::new(
            SourceFile::new(PathBuf::from("m.sql"), sql),
            0..sql.len(),
            TransactionHabit::Statement,
        );
        let hazard = Claim::Lock { relation: "public.t".into(), mode: LockMode::AccessExclusive, work };
        let command = script.statements[0].command().unwrap();
        assert_eq!(rules_that_name(command, &hazard), expected, "{sql}");
        assert!(rules_that_name(command, &Claim::Fails).is_empty());
    }

    #[test]
    fn rules_name_what_their_examples_show() {
        check(
            "create index on t (a)",
            Some(Work::IndexBuild),
            &["index-on-partitioned-parent", "require-concurrent-index-creation"],
        );
        check("create index on t (a)", Some(Work::Rewrite), &[]);
        check("alter table t alter a type bigint", Some(Work::Rewrite), &["changing-column-type"]);
        check(
            "alter table t add constraint c check (a > 0)",
            Some(Work::Scan),
            &["constraint-missing-not-valid"],
        );
        check("do $$ begin execute 'x'; end $$", Some(Work::Rewrite), &[]);
    }
}
