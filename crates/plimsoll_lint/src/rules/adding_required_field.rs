//! A new column that must not be null and has no value for the rows that are there.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "adding-required-field",
    group: Group::Compatibility,
    on_by_default: true,
    other_tools: &[
        ("squawk", "adding-required-field"),
        ("django-migration-linter", "NOT_NULL"),
        ("postgres-language-server", "addingRequiredField"),
        ("pgfence", "add-column-not-null-no-default"),
        ("pgsafe", "add-column-not-null-no-default"),
        ("atlas", "MF103"),
    ],
    severity: Severity::Error,
    page: include_str!("adding_required_field.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::ColumnNotNull]) {
        let Some(added) = context.added_column(&hazard) else { continue };
        let relation = hazard.relation();
        let column = &added.column.name;
        let message = format!(
            "{relation}.{column} is NOT NULL without a default: this reads all of {}{} while {}, fails as soon as there is a \
             row, and else makes every INSERT fail that doesn't name the column",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let (sql, column_sql, data_type) = (added.table_sql(), added.column_sql(), added.stored_type());
        let name = made_up_name(&[&added.table.name, column, "not_null"]);
        let remedy = format!(
            "Give it a default, which costs nothing if it is constant:\n\
             ALTER TABLE {sql} ADD COLUMN {column_sql} {data_type} NOT NULL DEFAULT …;\n\
             Or add it nullable, deploy code that writes it, fill the old rows in batches, then, each in a transaction of its \
             own:\n\
             ALTER TABLE {sql} ADD COLUMN {column_sql} {data_type};\n\
             ALTER TABLE {sql} ADD CONSTRAINT {name} CHECK ({column_sql} IS NOT NULL) NOT VALID;\n\
             ALTER TABLE {sql} VALIDATE CONSTRAINT {name};\n\
             ALTER TABLE {sql} ALTER COLUMN {column_sql} SET NOT NULL;"
        );
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
