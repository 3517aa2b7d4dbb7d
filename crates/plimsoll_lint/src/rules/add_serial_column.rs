//! A new column that numbers the rows.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::quote_name;

use crate::context::{Context, Problem, batch_update, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "add-serial-column",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("eugene", "E11"),
        ("strong_migrations", "add_column_auto_incrementing"),
        ("postgres-language-server", "addSerialColumn"),
        ("pgfence", "add-column-serial"),
        ("pgsafe", "add-column-serial"),
        ("pgsafe", "add-column-identity"),
    ],
    severity: Severity::Error,
    page: include_str!("add_serial_column.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::ColumnSerial]) {
        let Some(added) = context.added_column(&hazard) else { continue };
        let relation = hazard.relation();
        let (sql, column) = (added.table_sql(), added.column_sql());
        let message = format!(
            "{relation}.{} gives every row a number of a new sequence: all of {}{} is rewritten while {}",
            added.column.name,
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let mut sequence = added.table.clone();
        sequence.name = format!("{}_{}_seq", added.table.name, added.column.name);
        let sequence = match sequence.name.len() <= 63 {
            true => quote_name(&sequence),
            false => made_up_name(&[&added.column.name, "seq"]),
        };
        let remedy = format!(
            "Add the bare column, number new rows, then the old ones in batches:\n\
             CREATE SEQUENCE {sequence};\n\
             ALTER TABLE {sql} ADD COLUMN {column} {data_type};\n\
             ALTER TABLE {sql} ALTER COLUMN {column} SET DEFAULT nextval('{sequence}');\n\
             ALTER SEQUENCE {sequence} OWNED BY {sql}.{column};\n\
             {batch}",
            data_type = added.stored_type(),
            batch = batch_update(
                &sql,
                &format!("{column} = nextval('{sequence}')"),
                &format!("{column} IS NULL")
            ),
        );
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
