//! A statement that fails when the migration is run again.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, ObjectKind};
use std::ops::Range;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "prefer-robust-stmts",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[("squawk", "prefer-robust-stmts"), ("postgres-language-server", "preferRobustStmts")],
    severity: Severity::Note,
    page: include_str!("prefer_robust_stmts.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    // What runs in a transaction with others is undone with them, and what no statement follows is
    // not there if the migration failed.
    if context.place.in_transaction() || context.index + 1 == context.migration.statements.len() {
        return;
    }
    for (what, words, range) in fragile(context) {
        let problem = Problem::new(
            format!("when a later statement fails and the migration is run again, {what}"),
            format!("Let it find out: write {words}."),
            Claim::Nothing,
        );
        problems.push(match range {
            Some(range) => problem.at(&range),
            None => problem,
        });
    }
}

/// What fails a second time, the words that help, and where.
fn fragile(context: &Context) -> Vec<(String, &'static str, Option<Range<usize>>)> {
    let exists = |name: &str| format!("this fails since {name} exists already");
    let gone = |name: &str| format!("this fails since {name} is gone already");
    let said = |words: &str| context.words().contains(words);
    match context.command {
        Command::CreateTable(table) if !table.if_not_exists && !table.temporary => {
            vec![(exists(&table.name.to_string()), "IF NOT EXISTS", None)]
        }
        Command::CreateView(view) if !view.or_replace && !view.if_not_exists && !view.temporary => {
            let words = if view.materialized { "IF NOT EXISTS" } else { "OR REPLACE" };
            vec![(exists(&view.name.to_string()), words, None)]
        }
        // A concurrent build that failed leaves an invalid index, which IF NOT EXISTS accepts.
        Command::CreateIndex(index) if !index.if_not_exists && !index.concurrently => {
            vec![(exists(index.name.as_deref().unwrap_or("the index")), "IF NOT EXISTS", None)]
        }
        Command::CreateSequence { name } if !said(" if not exists ") => {
            vec![(exists(&name.to_string()), "IF NOT EXISTS", None)]
        }
        Command::CreateSchema { name: Some(name), .. } if !said(" if not exists ") => {
            vec![(exists(name), "IF NOT EXISTS", None)]
        }
        Command::CreateExtension { name, .. } if !said(" if not exists ") => {
            vec![(exists(name), "IF NOT EXISTS", None)]
        }
        Command::CreateFunction(function) if !function.or_replace => {
            vec![(exists(&function.name.to_string()), "OR REPLACE", None)]
        }
        Command::Drop(drop) if !drop.if_exists && drop.kind != ObjectKind::Other => {
            let names: Vec<String> = drop.names.iter().map(ToString::to_string).collect();
            vec![(gone(&names.join(", ")), "IF EXISTS", None)]
        }
        Command::AlterTable(alter) => alter
            .actions
            .iter()
            .filter_map(|action| match &action.kind {
                ActionKind::AddColumn { column, if_not_exists: false } => {
                    Some((exists(&column.name), "IF NOT EXISTS", Some(action.range.clone())))
                }
                ActionKind::DropColumn { name, if_exists: false, .. }
                | ActionKind::DropConstraint { name, if_exists: false, .. } => {
                    Some((gone(name), "IF EXISTS", Some(action.range.clone())))
                }
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
