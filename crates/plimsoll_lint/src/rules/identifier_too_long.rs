//! A name that PostgreSQL cuts off.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "identifier-too-long",
    group: Group::Style,
    on_by_default: true,
    other_tools: &[("squawk", "identifier-too-long")],
    severity: Severity::Warning,
    page: include_str!("identifier_too_long.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for name in made(context.command) {
        if name.len() <= LONGEST {
            continue;
        }
        let end = (0..=LONGEST).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
        problems.push(Problem::new(
            format!("PostgreSQL cuts {name} off after {LONGEST} bytes, and code or a migration that looks for the whole of it finds nothing"),
            format!("Give it a name of at most {LONGEST} bytes; this one would be {}.", &name[..end]),
            Claim::Nothing,
        ));
    }
}

/// Bytes of an identifier (`NAMEDATALEN - 1`).
const LONGEST: usize = 63;

/// Names that a command gives.
fn made(command: &Command) -> Vec<&str> {
    let named = |constraint: &Constraint| constraint.name.is_some();
    match command {
        Command::CreateTable(table) => {
            let inline = table.columns.iter().flat_map(|column| &column.constraints);
            let constraints = table.constraints.iter().chain(inline).filter(|one| named(one));
            std::iter::once(table.name.name.as_str())
                .chain(table.columns.iter().map(|column| column.name.as_str()))
                .chain(constraints.filter_map(|constraint| constraint.name.as_deref()))
                .collect()
        }
        Command::AlterTable(alter) => alter
            .actions
            .iter()
            .filter_map(|action| match &action.kind {
                ActionKind::AddColumn { column, .. } => Some(column.name.as_str()),
                ActionKind::AddConstraint(constraint) => constraint.name.as_deref(),
                ActionKind::RenameTo { to }
                | ActionKind::RenameColumn { to, .. }
                | ActionKind::RenameConstraint { to, .. } => Some(to),
                _ => None,
            })
            .collect(),
        Command::CreateTableAs { name, .. }
        | Command::CreateType { name, .. }
        | Command::CreateSequence { name } => vec![&name.name],
        Command::CreateIndex(index) => index.name.as_deref().into_iter().collect(),
        Command::RenameIndex { to, .. } => vec![to],
        Command::CreateView(view) => vec![&view.name.name],
        Command::CreateDomain(domain) => vec![&domain.name.name],
        Command::CreateFunction(function) => vec![&function.name.name],
        Command::CreateTrigger { name, .. } | Command::CreateSchema { name: Some(name), .. } => vec![name],
        _ => Vec::new(),
    }
}
