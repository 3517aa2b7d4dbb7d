//! What the rules about `UNIQUE` and `PRIMARY KEY` constraints share: both build an index under
//! `ACCESS EXCLUSIVE` unless one was made beforehand.

use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint, ConstraintKind, KeyConstraint};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::RelationKind;

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
        let written = hazard.effect.range.as_ref().and_then(|range| context.text(range)).unwrap_or_default();
        let (index_clauses, timing) = (index_clauses(written), timing(written));
        let known = context.schema.relation(&alter.name);
        let remedy = if known.is_some_and(|known| known.kind == RelationKind::PartitionedTable) {
            // Such a table takes neither CONCURRENTLY nor USING INDEX.
            let index = match &alter.name.schema {
                Some(schema) => format!("{}.{name}", quote_identifier(schema)),
                None => name.clone(),
            };
            format!(
                "Give it to the parent alone, then to each partition with an index that was built without blocking anyone, \
                 outside a transaction:\n\
                 ALTER TABLE ONLY {sql} ADD CONSTRAINT {name} {words} ({columns}){index_clauses}{timing};\n\
                 CREATE UNIQUE INDEX CONCURRENTLY … ON … ({columns}){index_clauses};\n\
                 ALTER TABLE … ADD CONSTRAINT … {words} USING INDEX …{timing};\n\
                 ALTER INDEX {index} ATTACH PARTITION …;"
            )
        } else {
            format!(
                "Build the index without blocking anyone, outside a transaction, then give it to the constraint:\n\
                 CREATE UNIQUE INDEX CONCURRENTLY {name} ON {sql} ({columns}){index_clauses};\n\
                 ALTER TABLE {sql} ADD CONSTRAINT {name} {words} USING INDEX {name}{timing};"
            )
        };
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}

/// The constraint's clauses that are the index's when it is made first: ` INCLUDE (…) NULLS NOT DISTINCT`.
fn index_clauses(constraint: &str) -> String {
    let lower = constraint.to_ascii_lowercase();
    let mut clauses = String::new();
    if let Some(list) = lower.find(") include").map(|at| &constraint[at + 1..])
        && let Some(end) = list.find(')')
    {
        clauses.push_str(list[..=end].trim_end());
    }
    if lower.split_whitespace().collect::<Vec<_>>().join(" ").contains("nulls not distinct") {
        clauses.push_str(" NULLS NOT DISTINCT");
    }
    clauses
}

/// When the constraint is tested, as it says behind its columns: ` DEFERRABLE INITIALLY DEFERRED`.
fn timing(constraint: &str) -> &str {
    let behind = constraint.rfind(')').map_or("", |at| &constraint[at + 1..]);
    let lower = behind.to_ascii_lowercase();
    let first =
        ["not deferrable", "deferrable", "initially"].iter().filter_map(|word| lower.find(word)).min();
    first.map_or("", |at| behind[at.saturating_sub(1)..].trim_end())
}
