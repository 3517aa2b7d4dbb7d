//! A new default, which inserts of the running code get.

use plimsoll_core::Severity;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::name::quote_identifier;

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-set-default",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-set-default")],
    severity: Severity::Warning,
    page: include_str!("ban_set_default.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |alter, table, action| {
        let ActionKind::SetDefault { column, default } = action else { return None };
        let known = table.relation.and_then(|relation| relation.column(column));
        let same = match (known.and_then(|column| column.default.as_ref()), default) {
            (Some(old), Some(new)) => *old == new.text,
            (None, new) => known.is_some() && new.as_ref().is_none_or(|new| new.null),
            _ => false,
        };
        if same || !context.is_old_column(&alter.name, column) {
            return None;
        }
        Some((
            format!(
                "inserts of running code that leave {}.{column} out write another value from this moment on",
                table.name
            ),
            format!(
                "Let the new code write the value itself, and set the default when no old code runs:\n\
                 INSERT INTO {} (…, {}) VALUES (…, {});",
                table.sql,
                quote_identifier(column),
                default.as_ref().map_or("…", |default| default.text.as_str())
            ),
        ))
    });
}
