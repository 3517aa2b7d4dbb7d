//! A generated column that nobody computes any longer.

use plimsoll_core::Severity;
use plimsoll_sql::command::ActionKind;

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-generated-expression",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-drop-generated-expression")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_generated_expression.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |alter, table, action| {
        let ActionKind::DropExpression { column } = action else { return None };
        context.is_old_column(&alter.name, column).then(|| {
            (
                format!("nobody computes {}.{column} from this moment on: inserts of running code leave it null, updates leave it stale", table.name),
                "Keep it in step by a trigger, made in the same transaction, until all running code writes it itself.".to_owned(),
            )
        })
    });
}
