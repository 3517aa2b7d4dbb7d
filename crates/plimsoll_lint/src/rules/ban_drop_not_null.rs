//! Nulls that readers of the running code have never met.

use plimsoll_core::Severity;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::name::quote_identifier;

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-not-null",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[
        ("squawk", "ban-drop-not-null"),
        ("postgres-language-server", "banDropNotNull"),
        ("pgsafe", "drop-not-null"),
    ],
    severity: Severity::Warning,
    page: include_str!("ban_drop_not_null.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |alter, table, action| {
        let ActionKind::DropNotNull { column } = action else { return None };
        let nullable = table
            .relation
            .and_then(|relation| relation.column(column))
            .is_some_and(|column| !column.not_null);
        if nullable || !context.is_old_column(&alter.name, column) {
            return None;
        }
        Some((
            format!(
                "running code may meet a null in {}.{column} from this moment on, which it has never had to bear",
                table.name
            ),
            format!(
                "Deploy code that bears a null first; where the new code only leaves the column out, a default keeps the promise:\n\
                 ALTER TABLE {} ALTER COLUMN {} SET DEFAULT …;",
                table.sql,
                quote_identifier(column)
            ),
        ))
    });
}
