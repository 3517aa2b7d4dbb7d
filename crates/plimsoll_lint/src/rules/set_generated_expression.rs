//! A stored generated column that gets another expression.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "set-generated-expression",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("squawk", "ban-alter-generated-expression")],
    severity: Severity::Error,
    page: include_str!("set_generated_expression.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    for hazard in context.hazards(&[Cause::SetExpression]) {
        let Some(ActionKind::SetExpression { column }) =
            context.action_of(&hazard).map(|action| &action.kind)
        else {
            continue;
        };
        let relation = hazard.relation();
        let message = format!(
            "the new expression of {relation}.{column} is computed for every row: all of {}{} is rewritten while {}",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let (sql, old) = (quote_name(&alter.name), quote_identifier(column));
        let new = quote_identifier(&format!("{column}_new"));
        let known =
            context.schema.relation(&alter.name).and_then(|known| known.column(column)?.data_type.as_ref());
        let data_type = known.map_or_else(|| "…".to_owned(), ToString::to_string);
        let remedy = format!(
            "Add a plain column, let a trigger fill it in new rows, fill the old ones in batches, then, in one short \
             transaction, swap names:\n\
             ALTER TABLE {sql} ADD COLUMN {new} {data_type};\n\
             ALTER TABLE {sql} RENAME COLUMN {old} TO {kept};\n\
             ALTER TABLE {sql} RENAME COLUMN {new} TO {old};",
            kept = quote_identifier(&format!("{column}_old")),
        );
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
