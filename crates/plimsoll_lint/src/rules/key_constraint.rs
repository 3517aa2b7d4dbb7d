//! What the rules about `UNIQUE` and `PRIMARY KEY` constraints share: both build an index under
//! `ACCESS EXCLUSIVE` unless one was made beforehand.

use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint, ConstraintKind, KeyConstraint};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

use crate::context::{Context, Problem, column_list, made_up_name};

/// A kind of key: its words, the tail of the name that PostgreSQL makes up, its cause and its test.
pub(super) struct Key {
    pub(super) words: &'static str,
    pub(super) name_tail: &'static str,
    pub(super) cause: Cause,
    pub(super) of: fn(&ConstraintKind) -> Option<&KeyConstraint>,
}

pub(super) fn check(key: &Key, context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    for hazard in context.hazards(&[key.cause]) {
        let constraint = alter.actions.iter().find_map(|action| match &action.kind {
            ActionKind::AddConstraint(constraint) if hazard.effect.range.as_ref() == Some(&action.range) => {
                Some(constraint)
            }
            _ => None,
        });
        let Some(Constraint { name, kind, .. }) = constraint else { continue };
        let Some(constraint) = (key.of)(kind) else { continue };
        let made_up = || match key.name_tail {
            "pkey" => made_up_name(&[&alter.name.name, "pkey"]),
            tail => made_up_name(&[&alter.name.name, &constraint.columns.join("_"), tail]),
        };
        let name = name.as_ref().map_or_else(made_up, |name| quote_identifier(name));
        let (sql, columns, words) = (quote_name(&alter.name), column_list(&constraint.columns), key.words);
        let relation = &hazard.effect.relation;
        let message = format!(
            "adding this {words} constraint builds its index on {}{} while {}",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let remedy = format!(
            "Build the index without blocking anyone, outside a transaction, then give it to the constraint:\n\
             CREATE UNIQUE INDEX CONCURRENTLY {name} ON {sql} ({columns});\n\
             ALTER TABLE {sql} ADD CONSTRAINT {name} {words} USING INDEX {name};"
        );
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
