//! Dropping a table locks the tables that its foreign keys reference.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;

use super::brief_lock;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "drop-table-with-foreign-keys",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("online_migrations", "drop_table_multiple_foreign_keys")],
    severity: Severity::Warning,
    page: include_str!("drop_table_with_foreign_keys.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    brief_lock::check(context, &[Cause::DropTableForeignKey], problems, |_, lock| {
        format!("dropping the table drops foreign keys with it, which takes {lock}")
    });
}
