//! A new column with a key, whose index is built at once.

use plimsoll_core::Severity;
use plimsoll_sql::command::{Constraint, ConstraintKind};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::quote_identifier;

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "add-column-unique",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "disallowed-unique-constraint"),
        ("postgres-language-server", "disallowUniqueConstraint"),
        ("pgsafe", "add-unique-constraint"),
    ],
    severity: Severity::Error,
    page: include_str!("add_column_unique.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::ColumnUnique]) {
        let Some(added) = context.added_column(&hazard) else { continue };
        let Some(Constraint { name, kind, .. }) = added.constraint else { continue };
        let (words, tail) = match kind {
            ConstraintKind::PrimaryKey(_) => ("PRIMARY KEY", "pkey"),
            _ => ("UNIQUE", "key"),
        };
        let relation = hazard.relation();
        let message = format!(
            "the {words} of the new column {relation}.{} builds its index on {}{} while {}",
            added.column.name,
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let (sql, column) = (added.table_sql(), added.column_sql());
        let made_up = || match tail {
            "pkey" => made_up_name(&[&added.table.name, tail]),
            tail => made_up_name(&[&added.table.name, &added.column.name, tail]),
        };
        let name = name.as_ref().map_or_else(made_up, |name| quote_identifier(name));
        let filled = match tail {
            "pkey" => "\n-- fill it, and make it NOT NULL by a check that is validated first; then",
            _ => "",
        };
        let remedy = format!(
            "Add the column, build the index without blocking anyone ({}), then give it to the constraint:\n\
             ALTER TABLE {sql} ADD COLUMN {};{filled}\n\
             CREATE UNIQUE INDEX CONCURRENTLY {name} ON {sql} ({column});\n\
             ALTER TABLE {sql} ADD CONSTRAINT {name} {words} USING INDEX {name};",
            context.outside(),
            added.plain()
        );
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
