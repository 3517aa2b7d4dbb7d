//! A new column with a check, which is tested on every row.

use plimsoll_core::Severity;
use plimsoll_sql::command::{Constraint, ConstraintKind};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::quote_identifier;

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "add-column-with-check",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("eugene", "E1"), ("pgsafe", "add-check-without-not-valid")],
    severity: Severity::Error,
    page: include_str!("add_column_with_check.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::ColumnCheck]) {
        let Some(added) = context.added_column(&hazard) else { continue };
        let Some(Constraint { name, kind: ConstraintKind::Check { expression, .. }, .. }) = added.constraint
        else {
            continue;
        };
        let relation = hazard.relation();
        let message = format!(
            "the check of the new column {relation}.{} is tested on all of {}{} while {}",
            added.column.name,
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let sql = added.table_sql();
        let made_up = || made_up_name(&[&added.table.name, &added.column.name, "check"]);
        let name = name.as_ref().map_or_else(made_up, |name| quote_identifier(name));
        let constraint = format!("CONSTRAINT {name} CHECK ({expression}) NOT VALID");
        let remedy = format!(
            "Say the check of the table, unchecked, then check it without blocking anyone, in two transactions:\n\
             ALTER TABLE {sql} ADD COLUMN {};\n\
             ALTER TABLE {sql} ADD {constraint};\n\
             ALTER TABLE {sql} VALIDATE CONSTRAINT {name};",
            added.plain()
        );
        let problem = Problem::new(message, remedy, hazard.claim()).of(&hazard);
        problems.push(
            problem.maybe_fix("Add the check NOT VALID", Some(added.moved(context.sql(), &constraint))),
        );
    }
}
