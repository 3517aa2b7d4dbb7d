//! Row-level security switched on, off, or to another strictness.

use plimsoll_core::Severity;
use plimsoll_sql::command::ActionKind;

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-row-level-security",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[
        ("squawk", "ban-alter-row-level-security"),
        ("pgfence", "enable-rls"),
        ("pgfence", "disable-rls"),
    ],
    severity: Severity::Warning,
    page: include_str!("ban_alter_row_level_security.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |_, table, action| {
        let ActionKind::RowSecurity { words } = action else { return None };
        let policies = table.relation.map(|relation| relation.policies.len());
        let message = match (*words, policies) {
            ("enable", Some(0)) => {
                format!("running code sees no row of {} from this moment on: it has no policy", table.name)
            }
            ("enable", _) => format!(
                "running code sees only the rows of {} that a policy lets through from this moment on, and gets no error",
                table.name
            ),
            ("disable", _) => {
                format!("every role with SELECT on {} sees all its rows from this moment on", table.name)
            }
            ("force", _) => format!(
                "the owner of {} sees only the rows that a policy lets through from this moment on",
                table.name
            ),
            _ => format!("the owner of {} sees all its rows from this moment on", table.name),
        };
        let remedy = match *words {
            "enable" => format!(
                "Make the policies first, and try them as the role that the code has:\n\
                 CREATE POLICY … ON {0} USING (…);\nSET ROLE …; SELECT count(*) FROM {0};",
                table.sql
            ),
            _ => format!(
                "Look which policies it concerns, and which roles may read the table:\n\
                          SELECT polname, polroles::regrole[] FROM pg_policy WHERE polrelid = '{}'::regclass;",
                table.sql
            ),
        };
        Some((message, remedy))
    });
}
