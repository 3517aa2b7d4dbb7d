//! A new column of a domain whose values are checked.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "add-column-constrained-domain",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("add_column_constrained_domain.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::ColumnDomain]) {
        let Some(added) = context.added_column(&hazard) else { continue };
        let Some(domain) = &added.column.data_type else { continue };
        let relation = hazard.relation();
        // Without a schema nobody knows what the type is.
        let known = context.schema.is_known();
        let reason = match known {
            true => format!("the domain {domain} has a constraint, so that PostgreSQL computes"),
            false => format!("if {domain} is a domain with a constraint, PostgreSQL computes"),
        };
        let message = format!(
            "{reason} {relation}.{} for every row: all of {}{} is rewritten while {}",
            added.column.name,
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let (sql, column) = (added.table_sql(), added.column_sql());
        let name = made_up_name(&[&added.table.name, &added.column.name, "check"]);
        let remedy = format!(
            "Add the column with the domain's base type, and say the domain's constraint of the table, unchecked at first:\n\
             ALTER TABLE {sql} ADD COLUMN {column} {base};\n\
             ALTER TABLE {sql} ADD CONSTRAINT {name} CHECK (…) NOT VALID; -- what {domain} asks of VALUE, of {column}\n\
             ALTER TABLE {sql} VALIDATE CONSTRAINT {name}; -- in a transaction of its own",
            base = context.schema.base_type(domain),
        );
        let problem = Problem::new(message, remedy, hazard.claim()).of(&hazard);
        problems.push(if known { problem } else { problem.severity(Severity::Note) });
    }
}
