//! `CREATE INDEX CONCURRENTLY IF NOT EXISTS`, which takes a broken index for the right one.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::name::quote_name;
use plimsoll_sql::{ObjectName, TransactionHabit};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "concurrently-if-not-exists",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("concurrently_if_not_exists.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateIndex(index) = context.command else { return };
    let (true, true, Some(name)) = (index.concurrently, index.if_not_exists, &index.name) else { return };
    if context.existing(&index.table).is_none() || is_dropped_before(context, name) {
        return;
    }
    let message = format!(
        "if an earlier try has failed, {name} is there and INVALID: then this succeeds, builds nothing, and no query ever uses the \
         index"
    );
    let dropped = quote_name(&ObjectName { schema: index.table.schema.clone(), name: name.clone() });
    let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {dropped};");
    let remedy = format!("Clear away what an earlier try has left:\n{drop}\n{};", context.sql());
    // A second statement would make a batch of one a transaction.
    let alone = context.place.in_transaction() || context.migration.habit == TransactionHabit::Batch;
    let edits = (!alone).then(|| vec![(0..0, format!("{drop}\n"))]);
    problems
        .push(Problem::new(message, remedy, Claim::Nothing).maybe_fix("Drop a broken index before", edits));
}

/// Whether the file drops the index before it makes it.
fn is_dropped_before(context: &Context, index: &str) -> bool {
    context.migration.statements.iter().take(context.index).any(|statement| match statement.command() {
        Some(Command::Drop(drop)) => drop.names.iter().any(|dropped| dropped.name == *index),
        _ => false,
    })
}
