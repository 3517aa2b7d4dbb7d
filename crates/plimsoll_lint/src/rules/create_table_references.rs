//! A new foreign key that reads nothing locks the referenced table.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;

use super::brief_lock;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "create-table-references",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("create_table_references.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    brief_lock::check(context, &[Cause::CreateTableReferences], problems, |_, lock| {
        format!("the new foreign key takes {lock}")
    });
}
