//! A column that a statement names twice where it may once.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-duplicate-column-assignments",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[("squawk", "ban-duplicate-column-assignments")],
    severity: Severity::Error,
    page: include_str!("ban_duplicate_column_assignments.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let twice = match context.command {
        Command::Modify(modify) => modify.written_twice.clone(),
        Command::CreateTable(table)
            if !(table.if_not_exists && context.schema.relation(&table.name).is_some()) =>
        {
            let mut columns = table.columns.iter().enumerate();
            columns
                .find(|(at, column)| table.columns[..*at].iter().any(|other| other.name == column.name))
                .map(|(_, column)| column.name.clone())
        }
        _ => None,
    };
    let Some(column) = twice.filter(|_| context.surely_runs()) else { return };
    problems.push(Problem::new(
        format!("this statement fails: it names the column {column} twice"),
        format!("Keep the one {column} that is meant."),
        Claim::Fails,
    ));
}
