//! Another default, which inserts of the running code get where they mean the old one.

use plimsoll_core::Severity;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::name::quote_identifier;

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "changing-default-with-partial-inserts",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[
        ("strong_migrations", "change_column_default"),
        ("online_migrations", "change_column_default"),
    ],
    severity: Severity::Warning,
    page: include_str!("changing_default_with_partial_inserts.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |alter, table, action| {
        let ActionKind::SetDefault { column, default: Some(new) } = action else { return None };
        let old = table.relation.and_then(|relation| relation.column(column)?.default.as_ref())?;
        if *old == new.text || !context.is_old_column(&alter.name, column) {
            return None;
        }
        Some((
            format!(
                "code that leaves {}.{column} out of an insert and means {old} writes {} from this moment on",
                table.name, new.text
            ),
            format!(
                "Make running code write the column always (Rails: config.active_record.partial_inserts = false), deploy, then \
                 change the default; rows that were meant otherwise are found by\nSELECT * FROM {} WHERE {} = {} AND …;",
                table.sql,
                quote_identifier(column),
                new.text
            ),
        ))
    });
}
