//! A dropped view that running code may still read.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::ObjectKind;
use plimsoll_sql::name::quote_name;

use super::dropped;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-drop-view",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-drop-view")],
    severity: Severity::Warning,
    page: include_str!("ban_drop_view.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    dropped::each(context, problems, &[ObjectKind::View, ObjectKind::MaterializedView], |name| {
        let resolved = context.schema.resolve(name);
        let sql = quote_name(name);
        let anew = context.later(name).any(|command| matches!(command, Command::CreateView(_)));
        let message = match anew {
            true => format!(
                "{resolved} is dropped and made anew: code that reads a column which the new one lacks fails"
            ),
            false => format!("code that still reads {resolved} fails from this moment on"),
        };
        let remedy = match anew {
            true => format!(
                "Where columns are only added at the end, replace it in place, which keeps its grants too:\n\
                 CREATE OR REPLACE VIEW {sql} AS SELECT …;"
            ),
            false => format!(
                "Deploy code that no longer reads it, then drop it in a later change. Until then say so:\n\
                 COMMENT ON VIEW {sql} IS 'unused; to be dropped';"
            ),
        };
        Some((message, remedy))
    });
}
