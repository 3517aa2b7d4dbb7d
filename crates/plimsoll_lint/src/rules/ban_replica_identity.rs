//! Another replica identity.

use plimsoll_core::Severity;
use plimsoll_sql::command::ActionKind;

use super::table_action;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-replica-identity",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-replica-identity"), ("pgfence", "replica-identity-full")],
    severity: Severity::Warning,
    page: include_str!("ban_replica_identity.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    table_action::each(context, problems, |_, table, action| {
        let ActionKind::ReplicaIdentity = action else { return None };
        Some((
            format!(
                "what subscribers get of updates and deletes of {} changes: with NOTHING publishing them fails, with FULL each writes the whole old row to the WAL",
                table.name
            ),
            format!(
                "Give it the index of a key that takes no null, which costs no more than the primary key:\n\
                 ALTER TABLE {} REPLICA IDENTITY USING INDEX …;",
                table.sql
            ),
        ))
    });
}
