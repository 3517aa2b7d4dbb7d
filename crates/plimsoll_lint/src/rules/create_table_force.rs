//! A table dropped and made anew.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::ObjectKind;

use super::dropped;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "create-table-force",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("strong_migrations", "create_table"), ("online_migrations", "create_table")],
    severity: Severity::Warning,
    page: include_str!("create_table_force.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for name in dropped::names(context, &[ObjectKind::Table]) {
        let anew =
            |command: &Command| matches!(command, Command::CreateTable(_) | Command::CreateTableAs { .. });
        let Some(table) = context.existing(name).filter(|_| context.later(name).any(anew)) else { continue };
        let remedy = format!(
            "Where the table is to change, ALTER it; where it is to be emptied, say so; where it may be missing, ask:\n\
             CREATE TABLE IF NOT EXISTS {} (…);",
            table.sql
        );
        problems.push(
            Problem::new(
                format!(
                    "{} is dropped and made anew: its rows, grants, indexes and triggers are gone",
                    table.name
                ),
                remedy,
                table.brief_claim(LockMode::AccessExclusive),
            )
            .about(name),
        );
    }
}
