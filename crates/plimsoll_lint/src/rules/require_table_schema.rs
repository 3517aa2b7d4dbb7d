//! A table named without its schema.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::command::ObjectKind;
use plimsoll_sql::{Command, ObjectName};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-table-schema",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[("squawk", "require-table-schema")],
    severity: Severity::Note,
    page: include_str!("require_table_schema.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let names: &[ObjectName] = match context.command {
        Command::CreateTable(table) if !table.temporary => std::slice::from_ref(&table.name),
        Command::CreateTableAs { name, temporary: false, .. } => std::slice::from_ref(name),
        Command::AlterTable(alter) if alter.kind == ObjectKind::Table => std::slice::from_ref(&alter.name),
        Command::Drop(drop) if drop.kind == ObjectKind::Table => &drop.names,
        _ => return,
    };
    for name in names.iter().filter(|name| name.schema.is_none()) {
        let resolved = context.schema.resolve(name);
        if resolved.schema.as_deref() == Some("pg_temp") {
            continue;
        }
        problems.push(Problem::new(
            format!("which table {name} is hangs on the search_path of whoever runs the migration"),
            format!("Name the schema: {}.", plimsoll_sql::name::quote_name(&resolved)),
            Claim::Nothing,
        ));
    }
}
