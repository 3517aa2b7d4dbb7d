//! A new enum.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::name::{quote_identifier, quote_name};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "creating-enum",
    group: Group::Style,
    on_by_default: false,
    other_tools: &[
        ("eugene", "W13"),
        ("postgres-language-server", "creatingEnum"),
        ("pgfence", "create-enum-type"),
    ],
    severity: Severity::Note,
    page: include_str!("creating_enum.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateType { name, enum_values: Some(values) } = context.command else { return };
    let table = quote_name(name);
    let rows: Vec<String> = values.iter().map(|value| format!("('{}')", value.replace('\'', "''"))).collect();
    let insert = match rows.as_slice() {
        [] => String::new(),
        rows => format!("\nINSERT INTO {table} VALUES {};", rows.join(", ")),
    };
    problems.push(Problem::new(
        format!("no value of {name} can be taken away again, and nothing can be said about one"),
        format!(
            "Keep the values in a table, where they can be dropped, ordered and described:\n\
             CREATE TABLE {table} (name text PRIMARY KEY);{insert}\n-- {} text REFERENCES {table}",
            quote_identifier(&name.name)
        ),
        Claim::Nothing,
    ));
}
