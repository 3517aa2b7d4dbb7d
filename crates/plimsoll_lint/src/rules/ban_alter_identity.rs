//! A changed or dropped identity.

use plimsoll_core::Severity;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::name::quote_identifier;

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-identity",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-alter-identity")],
    severity: Severity::Warning,
    page: include_str!("ban_alter_identity.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |alter, table, action| {
        let ActionKind::AlterIdentity { column, dropped } = action else { return None };
        if !context.is_old_column(&alter.name, column) {
            return None;
        }
        let message = match dropped {
            true => format!(
                "inserts of running code that leave {}.{column} out get no number from this moment on, and fail",
                table.name
            ),
            false => format!(
                "running code gets other numbers for {}.{column}, or is refused its own, from this moment on",
                table.name
            ),
        };
        let remedy = match dropped {
            true => format!(
                "Deploy code that writes the number itself, or leave a default in the same transaction:\n\
                 CREATE SEQUENCE …;\nALTER TABLE {} ALTER COLUMN {} SET DEFAULT nextval('…');",
                table.sql,
                quote_identifier(column)
            ),
            false => "Deploy code that bears both first: GENERATED ALWAYS refuses a number that an insert brings, and RESTART \
                      may give one that a row already has."
                .to_owned(),
        };
        Some((message, remedy))
    });
}
