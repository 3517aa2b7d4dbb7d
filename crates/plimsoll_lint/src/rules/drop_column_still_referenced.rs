//! A column that cannot be dropped, since something needs it.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::name::{quote_identifier, quote_name};

use super::dependents;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "drop-column-still-referenced",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("drop_column_still_referenced.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    if !context.surely_runs() || context.schema.relation(&alter.name).is_none() {
        return;
    }
    let table = context.schema.resolve(&alter.name);
    let mut gone: Vec<String> = Vec::new();
    for action in &alter.actions {
        let ActionKind::DropColumn { name, cascade, .. } = &action.kind else { continue };
        gone.push(format!("generated column {table}.{name}"));
        if dependents::partitions_by(context, &alter.name, name) {
            let message = format!("this statement fails: {table} is partitioned by {name}");
            let remedy = format!(
                "Copy the rows to a table that is partitioned otherwise, then swap names; or leave {name}."
            );
            problems.push(Problem::new(message, remedy, Claim::Fails).at(&action.range));
            continue;
        }
        let mut needed_by = dependents::of_column(context, &alter.name, name);
        needed_by.extend(dependents::keys_to_column(context, &alter.name, name));
        needed_by.retain(|dependent| !gone.contains(dependent));
        if *cascade || needed_by.is_empty() {
            continue;
        }
        let message =
            format!("this statement fails: {} needs {table}.{name}", dependents::listed(&needed_by));
        let remedy = format!(
            "Drop what needs it first, by name, or make it anew without the column, in the same transaction; CASCADE would drop \
             it unseen:\n{}\nALTER TABLE {} DROP COLUMN {};",
            first_steps(&needed_by),
            quote_name(&alter.name),
            quote_identifier(name)
        );
        problems.push(Problem::new(message, remedy, Claim::Fails).at(&action.range));
    }
}

/// What to do about each thing that needs the column.
fn first_steps(needed_by: &[String]) -> String {
    let step = |dependent: &String| match dependent.split_once(' ') {
        Some(("view", name)) => format!("DROP VIEW {name}; -- and CREATE VIEW {name} AS … without it"),
        Some(("materialized", view)) => {
            format!("DROP MATERIALIZED VIEW {};", view.trim_start_matches("view "))
        }
        Some(("foreign", rest)) => {
            let (key, owner) = rest.trim_start_matches("key ").split_once(" of ").unwrap_or_default();
            format!("ALTER TABLE {owner} DROP CONSTRAINT {key};")
        }
        Some(("policy", rest)) => {
            let (policy, owner) = rest.split_once(" of ").unwrap_or_default();
            format!("DROP POLICY {policy} ON {owner}; -- and CREATE POLICY without it")
        }
        _ => format!("-- {dependent}"),
    };
    needed_by.iter().map(step).collect::<Vec<_>>().join("\n")
}
