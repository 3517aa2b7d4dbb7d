//! A dropped column of a published table.

use plimsoll_core::{LockMode, Severity};
use plimsoll_sql::command::ActionKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "drop-column-in-publication",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("drop_column_in_publication.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Some((alter, table)) = context.altered() else { return };
    for action in &alter.actions {
        let ActionKind::DropColumn { name, .. } = &action.kind else { continue };
        if !context.is_old_column(&alter.name, name) {
            continue;
        }
        let publications = context.schema.publications_of(&context.schema.resolve(&alter.name));
        if publications.is_empty() {
            return;
        }
        problems.push(
            Problem::new(
                format!("subscribers of {} get no {name} of {} any longer: replication stops where it takes no null there", publications.join(", "), table.name),
                format!("Let every subscriber do without it first, there:\nALTER TABLE {} ALTER COLUMN {name} DROP NOT NULL;", table.sql),
                table.brief_claim(LockMode::AccessExclusive),
            )
            .at(&action.range),
        );
    }
}
