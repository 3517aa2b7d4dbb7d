//! A dropped index that running queries may need.

use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ConstraintKind, Drop, ObjectKind};
use plimsoll_sql::schema::{Relation, TableIndex};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-index",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-drop-index"), ("strong_migrations", "remove_index")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_index.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Drop(Drop { kind: ObjectKind::Index, names, if_exists, concurrently, .. }) = context.command
    else {
        return;
    };
    for name in names {
        let table = context.schema.table_of_index(name);
        if table.is_none() && *if_exists && context.schema.is_known() {
            continue;
        }
        let relation = table.and_then(|table| context.schema.relation(table));
        let index = relation.and_then(|relation| relation.index(&name.name));
        let new = index.is_some_and(|index| context.schema.is_new_index(index));
        if new || table.is_some_and(|table| context.schema.is_new(table)) {
            continue;
        }
        if let (Some(relation), Some(index)) = (relation, index)
            && !index.unique
            && has_other(relation, index)
        {
            continue;
        }
        let of = table.map(|table| format!(" of {table}")).unwrap_or_default();
        let message = match index {
            Some(index) if index.unique => format!(
                "without {name}{of} the old code may write duplicates, and its INSERT … ON CONFLICT on those columns fails"
            ),
            _ => format!(
                "queries of running code that use {name}{of} read the whole table from this moment on"
            ),
        };
        let remedy = "See in pg_stat_user_indexes that idx_scan stands still on every server, replicas included, and build \
                      its replacement before it goes.";
        let mode = if *concurrently { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
        let claim = table.map_or(Claim::Nothing, |table| Claim::Lock {
            relation: table.to_string(),
            mode,
            work: None,
        });
        problems.push(Problem::new(message, remedy, claim).about(name));
    }
}

/// Whether another index or key of the table begins with the same columns, so that queries have it.
fn has_other(relation: &Relation, dropped: &TableIndex) -> bool {
    let wanted: Option<Vec<&String>> = dropped.keys.iter().map(|key| key.column.as_ref()).collect();
    let Some(wanted) = wanted.filter(|_| !dropped.partial) else { return false };
    let begins = |columns: &[&String]| columns.starts_with(&wanted);
    let mut others = relation.indexes.iter().filter(|index| {
        index.name != dropped.name && index.valid && !index.partial && index.method == dropped.method
    });
    others.any(|index| begins(&index.keys.iter().filter_map(|key| key.column.as_ref()).collect::<Vec<_>>()))
        || (dropped.method == "btree"
            && relation.constraints.iter().any(|constraint| match &constraint.kind {
                ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
                    begins(&key.columns.iter().collect::<Vec<_>>())
                }
                _ => false,
            }))
}
