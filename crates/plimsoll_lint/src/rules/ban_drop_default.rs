//! A dropped default that inserts of the running code rely on.

use plimsoll_core::Severity;
use plimsoll_sql::command::ActionKind;

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-default",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-drop-default")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_default.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |alter, table, action| {
        let ActionKind::DropDefault { column } = action else { return None };
        let known = table.relation.and_then(|relation| relation.column(column));
        if known.is_some_and(|column| column.default.is_none()) || !context.is_old_column(&alter.name, column)
        {
            return None;
        }
        let then = match known {
            Some(column) if column.not_null => "fail",
            Some(_) => "write a null",
            None => "write a null or fail",
        };
        Some((
            format!(
                "inserts of running code that leave {}.{column} out {then} from this moment on",
                table.name
            ),
            "Deploy code that always writes the column, then drop the default in a later change.".to_owned(),
        ))
    });
}
