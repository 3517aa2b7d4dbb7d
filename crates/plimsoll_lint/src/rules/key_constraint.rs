//! What the rules about `UNIQUE` and `PRIMARY KEY` constraints share: both build an index under
//! `ACCESS EXCLUSIVE` unless one was made beforehand.

use plimsoll_core::{LockMode, Work};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint, ConstraintKind, KeyConstraint};

use crate::context::{Context, Problem, column_list, made_up_name};

/// A kind of key: its words, the tail of the name that PostgreSQL makes up, and its test.
pub(super) struct Key {
    pub(super) words: &'static str,
    pub(super) name_tail: &'static str,
    pub(super) of: fn(&ConstraintKind) -> Option<&KeyConstraint>,
}

pub(super) fn check(key: &Key, context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    let Some(table) = context.existing(&alter.name) else { return };
    for action in &alter.actions {
        let ActionKind::AddConstraint(Constraint { name, kind, .. }) = &action.kind else { continue };
        let Some(constraint) = (key.of)(kind).filter(|constraint| constraint.using_index.is_none()) else {
            continue;
        };
        let made_up = || match key.name_tail {
            "pkey" => made_up_name(&[&alter.name.name, "pkey"]),
            tail => made_up_name(&[&alter.name.name, &constraint.columns.join("_"), tail]),
        };
        let name = name.as_ref().map_or_else(made_up, |name| plimsoll_sql::name::quote_identifier(name));
        let (sql, columns, words) = (&table.sql, column_list(&constraint.columns), key.words);
        problems.push(Problem {
            severity: None,
            fix: None,
            range: Some(action.range.clone()),
            message: format!(
                "adding this {words} constraint builds its index on {} while nobody can read or write the table",
                table.name
            ),
            remedy: format!(
                "Build the index without blocking anyone, outside a transaction, then give it to the constraint:\n\
                 CREATE UNIQUE INDEX CONCURRENTLY {name} ON {sql} ({columns});\n\
                 ALTER TABLE {sql} ADD CONSTRAINT {name} {words} USING INDEX {name};"
            ),
            claim: table.claim(LockMode::AccessExclusive, Work::IndexBuild),
        });
    }
}
