//! A new column in a table that running code reads.

use plimsoll_core::Severity;
use plimsoll_sql::command::ActionKind;

use super::table_action;
use crate::context::{Context, Problem, column_list};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-add-column",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-add-column")],
    severity: Severity::Warning,
    page: include_str!("ban_add_column.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |_, table, action| {
        let ActionKind::AddColumn { column, if_not_exists } = action else { return None };
        let exists = table.relation.is_some_and(|relation| relation.column(&column.name).is_some());
        if *if_not_exists && exists {
            return None;
        }
        let listed = table.relation.map(|relation| {
            column_list(&relation.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>())
        });
        Some((
            format!(
                "running code that reads {} by SELECT * or inserts without a list of columns meets {} from this moment on",
                table.name, column.name
            ),
            format!(
                "Name the columns in code before the change:\nINSERT INTO {0} ({1}) VALUES (…);\nSELECT {1} FROM {0};",
                table.sql,
                listed.filter(|list| !list.is_empty()).unwrap_or_else(|| "…".into())
            ),
        ))
    });
}
