//! An index dropped before its replacement is built.

use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{CreateIndex, Drop, ObjectKind};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "replace-index-drop-first",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[("online_migrations", "replacing_index")],
    severity: Severity::Note,
    page: include_str!("replace_index_drop_first.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Drop(Drop { kind: ObjectKind::Index, names, concurrently, .. }) = context.command else {
        return;
    };
    for name in names {
        let Some(table) = context.schema.table_of_index(name) else { continue };
        let Some(relation) = context.schema.relation(table).filter(|_| !context.schema.is_new(table)) else {
            continue;
        };
        let Some(index) = relation.index(&name.name).filter(|index| !context.schema.is_new_index(index))
        else {
            continue;
        };
        let replaces = |made: &CreateIndex| {
            made.name.as_deref() == Some(&name.name)
                || made.keys.first().map(|key| &key.columns) == index.keys.first().map(|key| &key.columns)
        };
        let later = context.migration.statements[context.index + 1..]
            .iter()
            .flat_map(|statement| statement.commands());
        let mut later = later.filter_map(|command| match command {
            Command::CreateIndex(made) if context.schema.resolve(&made.table) == *table => {
                Some(made.as_ref())
            }
            _ => None,
        });
        if !later.any(replaces) {
            continue;
        }
        let mode = if *concurrently { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
        problems.push(
            Problem::new(
                format!("until its replacement is built, queries that need {name} read all of {}", context.sized(table)),
                format!("Build the new one first, under another name, then drop this one:\nCREATE INDEX CONCURRENTLY … ON {};\nDROP INDEX CONCURRENTLY {};", plimsoll_sql::name::quote_name(table), plimsoll_sql::name::quote_name(name)),
                Claim::Lock { relation: table.to_string(), mode, work: None },
            )
            .about(name),
        );
    }
}
