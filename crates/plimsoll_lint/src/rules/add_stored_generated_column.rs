//! A new column that is computed for each row and stored.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;

use crate::context::{Context, Problem, batch_update};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "add-stored-generated-column",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "adding-field-with-default"),
        ("eugene", "E11"),
        ("strong_migrations", "add_column_generated_stored"),
        ("online_migrations", "add_column_generated_stored"),
        ("postgres-language-server", "addSerialColumn"),
        ("pgfence", "add-column-stored-generated"),
        ("pgsafe", "add-column-generated-stored"),
    ],
    severity: Severity::Error,
    page: include_str!("add_stored_generated_column.md"),
    check,
};

/// The first version that computes a generated column when it is read.
const VIRTUAL: u32 = 18;

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::ColumnGenerated]) {
        let Some(added) = context.added_column(&hazard) else { continue };
        let relation = hazard.relation();
        let (sql, column, data_type) = (added.table_sql(), added.column_sql(), added.stored_type());
        let generation =
            added.column.generation.as_ref().map_or("…", |expression| expression.text.as_str());
        let message = format!(
            "{relation}.{} is computed for every row: all of {}{} is rewritten while {}",
            added.column.name,
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let mut remedy = format!(
            "Add a plain column, let a trigger (BEFORE INSERT OR UPDATE: NEW.{column} := {generation}) fill it in new rows, \
             fill the old ones in batches:\n\
             ALTER TABLE {sql} ADD COLUMN {column} {data_type};\n{}",
            // Not IS NULL: where the expression gives NULL, such an update would never be done.
            batch_update(
                &sql,
                &format!("{column} = {generation}"),
                &format!("{column} IS DISTINCT FROM ({generation})")
            ),
        );
        if context.environment().is_at_least(VIRTUAL) {
            remedy.push_str(&format!(
                "\nOr, on PostgreSQL {VIRTUAL}, compute it when it is read:\n\
                 ALTER TABLE {sql} ADD COLUMN {column} {data_type} GENERATED ALWAYS AS ({generation}) VIRTUAL;"
            ));
        }
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
