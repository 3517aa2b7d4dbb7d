//! A child or partition that leaves its parent, with its rows.

use plimsoll_core::Severity;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::name::quote_name;

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-detach-inheritance",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-detach-inheritance"), ("pgfence", "no-inherit")],
    severity: Severity::Warning,
    page: include_str!("ban_detach_inheritance.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |alter, table, action| {
        let (parent, child) = match action {
            ActionKind::Inherit { parent, leaves: true } => (context.schema.resolve(parent), &alter.name),
            ActionKind::DetachPartition { name, .. } => (context.schema.resolve(&alter.name), name),
            _ => return None,
        };
        if context.schema.is_new(child) {
            return None;
        }
        let child_sql = quote_name(child);
        Some((
            format!(
                "running code that reads {parent} no longer sees the rows of {} from this moment on",
                context.schema.resolve(child)
            ),
            format!(
                "Deploy code that can do without them, or reads both:\n\
                 SELECT … FROM {} UNION ALL SELECT … FROM {child_sql};",
                if parent.to_string() == table.name { table.sql.clone() } else { quote_name(&parent) }
            ),
        ))
    });
}
